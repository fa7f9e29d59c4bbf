"""Packs of sessions, good and bad, by Python's zipfile."""

import stat
import zipfile

SESSION = "#! backflow session 1\n#@ backflow: 0.1.0\n> measure\npsnr 31.20 dB  <1 s>\n"


def make(folder):
    write(folder / "good.zip", {"toy.session": SESSION, "toy/pixels.txt": "aaaaaaaaaaaa"})
    write(folder / "stored.zip", {"toy/": "", "toy.session": SESSION}, zipfile.ZIP_STORED)
    write(folder / "other-letters.zip", {"größe 大.session": SESSION})
    refused = folder / "refused"
    refused.mkdir()
    write(refused / "above.zip", {"toy.session": SESSION, "toy/../../evil.txt": "x"})
    write(refused / "absolute.zip", {"toy.session": SESSION, "/tmp/evil.txt": "x"})
    write(refused / "backslash.zip", {"toy.session": SESSION, "toy/..\\evil.txt": "x"})
    write(refused / "stranger.zip", {"toy.session": SESSION, "evil.txt": "x"})
    write(refused / "control.zip", {"toy.session": SESSION, "toy/\x1b[2J.png": "x"})
    write(refused / "no-session.zip", {"toy/pixels.txt": "x"})
    write(refused / "two-sessions.zip", {"toy.session": SESSION, "other.session": SESSION})
    write(refused / "no-name.zip", {".session": SESSION})
    write(refused / "dots.zip", {"...session": SESSION})
    with zipfile.ZipFile(refused / "twice.zip", "w") as archive:
        add(archive, "toy.session", SESSION)
        # zipfile would warn of the second file of one name, so it is renamed afterwards.
        add(archive, "tox.session", SESSION)
    path = refused / "twice.zip"
    path.write_bytes(path.read_bytes().replace(b"tox.session", b"toy.session"))
    with zipfile.ZipFile(refused / "link.zip", "w") as archive:
        add(archive, "toy.session", SESSION)
        link = entry("toy")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/tmp")
    write(refused / "bomb.zip", {"toy.session": SESSION, "toy/zeros": "\0" * (4 << 20)})


def entry(name):
    found = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    found.external_attr = (stat.S_IFREG | 0o644) << 16
    if name.endswith("/"):
        found.external_attr = (stat.S_IFDIR | 0o755) << 16 | 0x10
    return found


def add(archive, name, text, compression=zipfile.ZIP_DEFLATED):
    archive.writestr(entry(name), text, compression)


def write(path, files, compression=zipfile.ZIP_DEFLATED):
    """Writes a zip file whose names stand as they are, however odd."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            add(archive, name, text, compression)
