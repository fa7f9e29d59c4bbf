"""Backflow's random streams, evaluated from their definition in plain integers.

    key      = (low32(seed), high32(seed))
    counter  = (low32(index), high32(index), low32(h), high32(h)), h = FNV-1a 64 of the UTF-8 name
    w0…w3    = Philox4x32-10(counter, key)
    uniform  = ((w1 << 32 | w0) >> 11) * 2^-53
    normals of pair p, from the words at index p:
        u = (((w1 << 32 | w0) >> 11) + 0.5) * 2^-53, in double-precision arithmetic
        v = ((w3 << 32 | w2) >> 11) * 2^-53
        normal[2p] = sqrt(-2 ln u) cos(2 pi v), normal[2p + 1] = sqrt(-2 ln u) sin(2 pi v)

The normals are evaluated with 60 digits and rounded once.
"""

import mpmath

from .writing import write_json

# Random123 (D. E. Shaw Research), tests/kat_vectors, "philox4x32 10": counter, key, result.
KNOWN_PHILOX = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]

# Fowler, Noll and Vo's published test vectors of 64-bit FNV-1a.
KNOWN_FNV = {"": 0xCBF29CE484222325, "a": 0xAF63DC4C8601EC8C, "foobar": 0x85944171F73967E8}

SEEDS = [0, 1, 20_260_101, 0x8000_0000_0000_0005, 0xFFFF_FFFF_FFFF_FFFF]
NAMES = ["init/b1.conv1", "noise/step141/slice7", "shuffle/epoch3", "", "Rauschen/größer-σ"]
INDICES = [0, 1, 2, 1000, 2**32 - 1, 2**32, 2**40 + 7, 2**61 + 9]

MASK = 0xFFFF_FFFF


def philox(counter, key):
    """Ten rounds of Philox4x32, as printed in Salmon et al. (2011)."""
    left0, right0, left1, right1 = counter
    k0, k1 = key
    for _ in range(10):
        product0, product1 = left0 * 0xD2511F53, left1 * 0xCD9E8D57
        left0, right0, left1, right1 = (
            (product1 >> 32) ^ right0 ^ k0, product1 & MASK,
            (product0 >> 32) ^ right1 ^ k1, product0 & MASK)
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return left0, right0, left1, right1


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def words(seed, name, index):
    h = fnv1a(name)
    return philox((index & MASK, index >> 32, h & MASK, h >> 32), (seed & MASK, seed >> 32))


def fraction(low, high):
    return (high << 32 | low) >> 11


def normals(w):
    u = (float(fraction(w[0], w[1])) + 0.5) * 2.0**-53
    v = fraction(w[2], w[3]) * 2.0**-53
    with mpmath.workdps(60):
        radius = mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(u)))
        angle = 2 * mpmath.pi * mpmath.mpf(v)
        return float(radius * mpmath.cos(angle)), float(radius * mpmath.sin(angle))


def hexes(values):
    return [f"0x{value:08x}" for value in values]


def make(folder):
    for counter, key, result in KNOWN_PHILOX:
        assert philox(counter, key) == result
    for text, value in KNOWN_FNV.items():
        assert fnv1a(text) == value
    draws = []
    # Every seed, name and index at least once, not all their combinations.
    for i, (seed, name) in enumerate((s, n) for s in SEEDS for n in NAMES):
        for index in {0, 1, INDICES[i % len(INDICES)], INDICES[(3 * i + 2) % len(INDICES)]}:
            w = words(seed, name, index)
            uniform, (even, odd) = fraction(w[0], w[1]) * 2.0**-53, normals(w)
            draws.append((seed, name, index, w, uniform, even, odd))
    draws.sort(key=lambda draw: draw[:3])
    write_json(folder / "random.json", {
        "definition": [line.strip() for line in __doc__.split("\n\n")[1].splitlines()],
        "philox": [
            {"counter": hexes(counter), "key": hexes(key), "result": hexes(result)}
            for counter, key, result in KNOWN_PHILOX
        ],
        "fnv1a": [
            {"text": text, "hash": f"0x{fnv1a(text):016x}"}
            for text in dict.fromkeys([*KNOWN_FNV, *NAMES])
        ],
        "draws": [
            {
                "seed": f"0x{seed:016x}", "name": name, "index": index, "words": hexes(w),
                "uniform": uniform, "normal_even": even, "normal_odd": odd,
                "uniform_hex": uniform.hex(), "normal_even_hex": even.hex(),
                "normal_odd_hex": odd.hex(),
            }
            for seed, name, index, w, uniform, even, odd in draws
        ],
    })
