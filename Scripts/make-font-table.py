#!/usr/bin/env python3
"""Writes Sources/Figures/Fonts/fixed9x15*.txt from the X.Org fonts "misc-fixed" 9x15 and 9x15 bold.

The fonts lie in Debian's package xfonts-base (source font-misc-misc) and say of themselves
"Public domain font.  Share and enjoy.". Usage:

    apt-get install xfonts-base
    Scripts/make-font-table.py
"""

import gzip
import pathlib
import struct
import sys

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/X11/misc"
EXTRA = "£§°±²³µ·¹¼½¾×÷ßÄÖÜäöüéèαβγδεθλμπρστφωΔΣΩ–—‘’“”•…←↑→↓↔√∞∂∇≈≠≤≥−∑│─█■□▲▼�"
LETTERS = [chr(c) for c in range(32, 127)] + sorted(EXTRA)
WIDTH, HEIGHT, ASCENT = 9, 15, 12


def glyphs(path):
    """The glyphs of a PCF font as {character: rows of bits, the leftmost highest}."""
    data = gzip.open(path).read()
    count = struct.unpack_from("<I", data, 4)[0]
    tables = {}
    for i in range(count):
        kind, form, size, offset = struct.unpack_from("<IIII", data, 8 + 16 * i)
        tables[kind] = (form, offset)

    def order(form):
        return ">" if form & 4 else "<"

    form, at = tables[4]  # metrics
    at += 4
    metrics = []
    if form & 0x100:
        (n,) = struct.unpack_from(order(form) + "H", data, at)
        for i in range(n):
            metrics.append([b - 128 for b in data[at + 2 + 5 * i:at + 7 + 5 * i]])
    else:
        (n,) = struct.unpack_from(order(form) + "I", data, at)
        for i in range(n):
            metrics.append(list(struct.unpack_from(order(form) + "5h", data, at + 4 + 12 * i)))
    form, at = tables[8]  # bitmaps
    assert form & 8, "most significant bit first is expected"
    pad = 1 << (form & 3)
    (n,) = struct.unpack_from(order(form) + "I", data, at + 4)
    offsets = struct.unpack_from(order(form) + f"{n}I", data, at + 8)
    bits = at + 8 + 4 * n + 16
    form, at = tables[32]  # encodings
    low2, high2, low1, high1, _ = struct.unpack_from(order(form) + "5H", data, at + 4)
    found = {}
    for letter in LETTERS:
        byte1, byte2 = ord(letter) >> 8, ord(letter) & 255
        if not (low1 <= byte1 <= high1 and low2 <= byte2 <= high2):
            continue
        place = (byte1 - low1) * (high2 - low2 + 1) + byte2 - low2
        (glyph,) = struct.unpack_from(order(form) + "H", data, at + 14 + 2 * place)
        if glyph == 0xFFFF:
            continue
        left, right, _, ascent, descent = metrics[glyph]
        stride = ((right - left + 7) // 8 + pad - 1) // pad * pad
        rows = [0] * HEIGHT
        for y in range(ascent + descent):
            start = bits + offsets[glyph] + y * stride
            value = int.from_bytes(data[start:start + stride], "big") >> (8 * stride - (right - left))
            row = ASCENT - ascent + y
            if 0 <= row < HEIGHT:
                rows[row] = (value << WIDTH - right) & ((1 << WIDTH) - 1)
        found[letter] = rows
    return found


HEAD = """# Made by Scripts/make-font-table.py from X.Org's misc-fixed 9x15 fonts, which are in the
# public domain. A line is a character's code, then its 15 rows from the top: 9 bits each in
# three hexadecimal digits, the leftmost pixel highest.
"""


def table(name, path):
    font = glyphs(path)
    missing = [letter for letter in LETTERS if letter not in font]
    if missing:
        print(f"{path} lacks {''.join(missing)}", file=sys.stderr)
    with open(pathlib.Path(__file__).parent.parent / "Sources/Figures/Fonts" / name, "w") as file:
        file.write(HEAD)
        for letter in LETTERS:
            if letter in font:
                rows = "".join(f"{row:03X}" for row in font[letter])
                file.write(f"{ord(letter):04X} {rows}\n")


table("fixed9x15.txt", FOLDER + "/9x15.pcf.gz")
table("fixed9x15-bold.txt", FOLDER + "/9x15B.pcf.gz")
