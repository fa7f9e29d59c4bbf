// Pictures as characters or sixels, through libchafa.
//
// Why a shim: libchafa uses types of GLib, whose reference counts and strings are best handled in
// C.
#pragma once

#include <stdint.h>

/// The kind of characters or codes for the pixels.
typedef enum {
  /// Colored dots in bands of six rows: DEC's sixel graphics.
  CCHAFA_SIXELS,
  /// Upper half blocks, whose two colors are two pixels.
  CCHAFA_HALF_BLOCKS,
  /// Braille patterns of 2 × 4 dots, dithered, without any color.
  CCHAFA_BRAILLE,
} cchafa_form;

/// Draws pixels of four bytes each: red, green, blue, opacity.
///
/// `columns` and `rows` are cells of the terminal, or pixels for sixels, whose rows libchafa cuts
/// to a multiple of six. Half blocks have 24-bit colors if `full_color`, else those of the palette
/// of 256 that no theme changes. Rows of characters end in a line feed each but the last. The caller
/// frees the text.
///
/// Pixels of three bytes are not used: libchafa 1.12 misreads rows whose size is no multiple of
/// four bytes.
char *cchafa_draw(
    cchafa_form form, int full_color, int columns, int rows, const uint8_t *pixels, int width,
    int height);

/// Frees a text.
void cchafa_free(char *text);
