#!/usr/bin/python3
"""Writes Sources/Figures/Outlines from the fonts DejaVu Sans and DejaVu Sans Bold, a file for each part.

The fonts are in Debian's package fonts-dejavu-core; their license, Bitstream Vera's, allows it when
its notice goes along, which the table begins with. Usage:

    apt-get install fonts-dejavu-core python3-fonttools
    Scripts/make-outline-table.py
"""

import pathlib
import sys

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).resolve().parent.parent / "Sources/Figures/Outlines"
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
    """The lines of a table of some letters."""
    font = TTFont(f"{FOLDER}/{file}")
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    scale = EM / font["head"].unitsPerEm
    lines = [f'let {name} = """']
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
                lines.append(line.rstrip())
                line = "  "
            line += word + " "
        lines.append(line.rstrip())
    return lines + ['  """']


def notice():
    """The lines of the notice that goes with the fonts."""
    lines, inside = [], False
    path = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/doc/fonts-dejavu-core/copyright"
    for line in open(path, encoding="utf-8"):
        text = line.removeprefix("Copyright:").strip()
        if text.startswith(("Copyright (c) 2003", "Bitstream Vera is", "DejaVu changes")):
            lines.append("//   " + text)
        if line.startswith("License: bitstream-vera"):
            inside = True
        elif inside and not line.startswith(" "):
            break
        elif inside:
            lines.append(("//   " + text.removeprefix(".")).rstrip())
    return lines


def write(file, head, name, font, letters):
    """Writes one file: its head, and the table of some letters."""
    lines = ["// Made by Scripts/make-outline-table.py from the font " + head, *table(name, font, letters)]
    (HERE / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


FORMAT = """\
DejaVu Sans: the characters of ASCII.
//
// A character's entry is its code, its advance width, and its outline, then a semicolon: m, l and q
// move, draw a line, and draw a parabola through a control point; z closes. Units are thousandths of
// the font's size, y upwards from the baseline. Line breaks mean nothing.
//
// The notice that goes with the fonts, for all files of this folder:
//
"""
BESIDE = "\n//\n// Format and notice stand in PlainOutlines.swift.\n"
HERE.mkdir(exist_ok=True)
write("PlainOutlines.swift", FORMAT + "\n".join(notice()) + "\n", "plainOutlines", "DejaVuSans.ttf", ASCII)
write("LetterOutlines.swift", "DejaVu Sans: letters with accents, and Greek ones." + BESIDE,
      "letterOutlines", "DejaVuSans.ttf", GREEK + LATIN)
write("SignOutlines.swift", "DejaVu Sans: signs, raised and lowered digits." + BESIDE,
      "signOutlines", "DejaVuSans.ttf", SIGNS + DIGITS)
write("BoldOutlines.swift", "DejaVu Sans Bold." + BESIDE,
      "boldOutlines", "DejaVuSans-Bold.ttf", ASCII + list("ρ∂‖·×−–—°±µσ²³"))
