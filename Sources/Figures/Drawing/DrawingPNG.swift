import CCairo

// Converts drawings to pixels with cairo.
//
// Text is drawn as outlines of the embedded font and pictures as whole squares, so that cairo only
// fills paths: its image backend computes coverage in whole numbers, the same on every machine for
// one version of cairo.

extension Drawing {
  /// The version of cairo in use, such as `1.16.0`.
  package static var libraryVersion: String { String(cString: cairo_version_string()) }

  /// Draws the picture in 8-bit RGB.
  ///
  /// - Throws: `PictureError` when cairo cannot make a picture of this size.
  package func picture() throws(PictureError) -> Picture {
    let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
    defer { cairo_surface_destroy(surface) }
    let context = cairo_create(surface)
    defer { cairo_destroy(context) }
    guard cairo_status(context) == CAIRO_STATUS_SUCCESS else {
      throw PictureError(
        .size, "a drawing of \(width)×\(height) pixels cannot become a picture",
        hint: "save it as SVG, or show less at once")
    }
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND)
    cairo_set_source_rgb(context, 1, 1, 1)
    cairo_paint(context)
    for mark in marks {
      switch mark {
      case .shape(let path, let fill, let stroke): draw(path, fill, stroke, context)
      case .label(let label):
        let outline = label.font.path(of: label.text, size: label.size, from: label.start)
        draw(outline, Fill(label.color), nil, context)
      case .image(let image): draw(image, context)
      }
    }
    return pixels(of: surface)
  }

  private func draw(_ path: Path, _ fill: Fill?, _ stroke: Stroke?, _ context: OpaquePointer?) {
    cairo_new_path(context)
    for segment in path.segments {
      switch segment {
      case .move(let point): cairo_move_to(context, point.x, point.y)
      case .line(let point): cairo_line_to(context, point.x, point.y)
      case .curve(let a, let b, let end): cairo_curve_to(context, a.x, a.y, b.x, b.y, end.x, end.y)
      case .close: cairo_close_path(context)
      }
    }
    if let fill {
      setSource(fill.color, fill.opacity, context)
      cairo_fill_preserve(context)
    }
    if let stroke {
      setSource(stroke.color, 1, context)
      cairo_set_line_width(context, stroke.width)
      cairo_set_dash(context, stroke.dashes, Int32(stroke.dashes.count), 0)
      cairo_stroke_preserve(context)
    }
  }

  private func setSource(_ color: RGB, _ opacity: Double, _ context: OpaquePointer?) {
    cairo_set_source_rgba(
      context, Double(color.red) / 255, Double(color.green) / 255, Double(color.blue) / 255,
      opacity)
  }

  /// Draws the pixels as squares without interpolation.
  private func draw(_ image: Image, _ context: OpaquePointer?) {
    let picture = image.picture
    let surface = cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, Int32(picture.width), Int32(picture.height))
    defer { cairo_surface_destroy(surface) }
    guard let data = cairo_image_surface_get_data(surface) else { return }
    let stride = Int(cairo_image_surface_get_stride(surface))
    for row in 0..<picture.height {
      UnsafeMutableRawPointer(data + row * stride)
        .withMemoryRebound(to: UInt32.self, capacity: picture.width) { line in
          for column in 0..<picture.width { line[column] = picture.pixel(row, column) }
        }
    }
    cairo_surface_mark_dirty(surface)
    cairo_save(context)
    cairo_translate(context, Double(image.x), Double(image.y))
    cairo_scale(context, Double(image.scale), Double(image.scale))
    cairo_set_source_surface(context, surface, 0, 0)
    cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
    cairo_rectangle(context, 0, 0, Double(picture.width), Double(picture.height))
    cairo_fill(context)
    cairo_restore(context)
  }

  private func pixels(of surface: OpaquePointer?) -> Picture {
    cairo_surface_flush(surface)
    let stride = Int(cairo_image_surface_get_stride(surface))
    var samples: [UInt16] = []
    samples.reserveCapacity(width * height * 3)
    if let data = cairo_image_surface_get_data(surface) {
      for row in 0..<height {
        UnsafeRawPointer(data + row * stride)
          .withMemoryRebound(to: UInt32.self, capacity: width) { line in
            for column in 0..<width {
              let pixel = line[column]
              samples.append(UInt16(pixel >> 16 & 255))
              samples.append(UInt16(pixel >> 8 & 255))
              samples.append(UInt16(pixel & 255))
            }
          }
      }
    }
    return Picture(width: width, height: height, color: .rgb, samples: samples)
  }
}

extension Picture {
  /// The color of an 8-bit pixel in cairo's format: `0x00RRGGBB`.
  fileprivate func pixel(_ row: Int, _ column: Int) -> UInt32 {
    let start = (row * width + column) * color.samplesPerPixel
    switch color {
    case .gray: return UInt32(samples[start]) * 0x010101
    case .rgb:
      return UInt32(samples[start]) << 16 | UInt32(samples[start + 1]) << 8
        | UInt32(samples[start + 2])
    }
  }
}
