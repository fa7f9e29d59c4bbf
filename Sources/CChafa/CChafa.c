#include "CChafa.h"

#include <chafa.h>

char *cchafa_draw(
    cchafa_form form, int full_color, int columns, int rows, const uint8_t *pixels, int width,
    int height) {
  ChafaCanvasConfig *config = chafa_canvas_config_new();
  ChafaSymbolMap *symbols = chafa_symbol_map_new();
  ChafaTermInfo *terminal;
  chafa_canvas_config_set_geometry(config, columns, rows);
  // The contrast is not stretched, since windows are chosen deliberately.
  chafa_canvas_config_set_preprocessing_enabled(config, FALSE);
  if (form == CCHAFA_BRAILLE) {
    chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_BRAILLE);
    chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_FGBG);
    chafa_canvas_config_set_dither_mode(config, CHAFA_DITHER_MODE_DIFFUSION);
    // Without a terminal, the text has no escape sequences.
    terminal = chafa_term_info_new();
  } else {
    terminal = chafa_term_db_get_fallback_info(chafa_term_db_get_default());
  }
  if (form == CCHAFA_HALF_BLOCKS) {
    chafa_symbol_map_add_by_range(symbols, 0x2580, 0x2580);
    chafa_canvas_config_set_canvas_mode(
        config, full_color ? CHAFA_CANVAS_MODE_TRUECOLOR : CHAFA_CANVAS_MODE_INDEXED_240);
  }
  if (form == CCHAFA_SIXELS) {
    chafa_canvas_config_set_pixel_mode(config, CHAFA_PIXEL_MODE_SIXELS);
    chafa_canvas_config_set_cell_geometry(config, 1, 1);
  }
  chafa_canvas_config_set_symbol_map(config, symbols);
  ChafaCanvas *canvas = chafa_canvas_new(config);
  chafa_canvas_draw_all_pixels(
      canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED, pixels, width, height, width * 4);
  GString *text = chafa_canvas_print(canvas, terminal);
  chafa_canvas_unref(canvas);
  chafa_canvas_config_unref(config);
  chafa_symbol_map_unref(symbols);
  chafa_term_info_unref(terminal);
  return g_string_free(text, FALSE);
}

void cchafa_free(char *text) { g_free(text); }
