#!/usr/bin/python3
"""Writes Sources/Figures/Drawing/OutlineTable.swift from the fonts DejaVu Sans and DejaVu Sans Bold.

The fonts are in Debian's package fonts-dejavu-core; their license, Bitstream Vera's, allows it when
its notice goes along, which the table begins with. Usage:

    apt-get install fonts-dejavu-core python3-fonttools
    Scripts/make-outline-table.py > Sources/Figures/Drawing/OutlineTable.swift
"""

import sys

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/dejavu"
ASCII = [chr(c) for c in range(32, 127)]
GREEK = "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
SIGNS = "£§°±µ·×÷∗⋆●–—‘’“”•…′←↑→↓↔⇐⇒√∞∂∇≈≠≤≥−∑‖∈⊕⊗⊙■□▲▼�"
DIGITS = "²³¹⁰⁴⁵⁶⁷⁸⁹⁻⁺₀₁₂₃₄₅₆₇₈₉ᵀ"
LATIN = "ÄÖÜßäöüàâçèéêëîïñóôùûåøæ"
EM = 1000


class Letters(BasePen):
    """Collects an outline as words: m x y, l x y, q x y x y, z; y upwards."""

    def __init__(self, glyphs, scale):
        super().__init__(glyphs)
        self.words, self.scale = [], scale

    def add(self, letter, *points):
        self.words.append(letter)
        for point in points:
            self.words += [str(round(value * self.scale)) for value in point]

    def _moveTo(self, point):
        self.add("m", point)

    def _lineTo(self, point):
        self.add("l", point)

    def _qCurveToOne(self, middle, end):
        self.add("q", middle, end)

    def _closePath(self):
        self.add("z")


def table(name, file, letters):
    font = TTFont(f"{FOLDER}/{file}")
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    scale = EM / font["head"].unitsPerEm
    print(f'let {name} = """')
    for letter in sorted(set(letters)):
        if ord(letter) not in names:
            print(f"{file} lacks {letter}", file=sys.stderr)
            continue
        glyph = glyphs[names[ord(letter)]]
        pen = Letters(glyphs, scale)
        glyph.draw(pen)
        line = "  "
        for word in [f"{ord(letter):04X}", str(round(glyph.width * scale))] + pen.words + [";"]:
            if len(line) + len(word) + 1 > 99:
                print(line.rstrip())
                line = "  "
            line += word + " "
        print(line.rstrip())
    print('  """')


print(f"""\
// Made by Scripts/make-outline-table.py from the fonts DejaVu Sans and DejaVu Sans Bold.
//
// A character's entry is its code, its advance width, and its outline, then a semicolon: m, l and q
// move, draw a line, and draw a parabola through a control point; z closes. Units are thousandths of
// the font's size, y upwards from the baseline. Line breaks mean nothing.
//
// The notice that goes with the fonts:
//""")
NOTICE = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/doc/fonts-dejavu-core/copyright"
inside = False
for line in open(NOTICE, encoding="utf-8"):
    text = line.removeprefix("Copyright:").strip()
    if text.startswith(("Copyright (c) 2003", "Bitstream Vera is", "DejaVu changes")):
        print("//   " + text)
    if line.startswith("License: bitstream-vera"):
        inside = True
    elif inside and not line.startswith(" "):
        break
    elif inside:
        print(("//   " + text.removeprefix(".")).rstrip())
print()
table("regularOutlines", "DejaVuSans.ttf", ASCII + list(GREEK + SIGNS + DIGITS + LATIN))
print()
table("boldOutlines", "DejaVuSans-Bold.ttf", ASCII + list("ρ∂‖·×−–—°±µσ²³"))
