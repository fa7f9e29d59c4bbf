import HeapModule

/// A panel of tiles side by side under one title, such as noisy | denoised | clean | difference.
///
/// Image tiles share the panel's window, so that they can be compared; a difference tile has a
/// scale of its own, symmetric about zero, printed below it. Small images are enlarged by a whole
/// factor until their captions fit, pixel by pixel, without interpolation.
package struct Panel: Sendable {
  /// The meaning of a tile's grey levels.
  package enum Scale: Hashable, Sendable {
    /// The panel's window.
    case window
    /// Mid-grey is 0, black and white are ∓`limit`.
    case symmetric(limit: Float)
  }

  /// One image with its caption.
  package struct Tile: Sendable {
    package let plane: Plane
    package let scale: Scale
    /// The name above the image.
    package let name: String
    /// Lines below the image: figures of merit, remarks.
    package let lines: [String]

    /// Creates an image tile, shown in the panel's window.
    package init(_ name: String, _ plane: Plane, lines: [String] = []) {
      (self.name, self.plane, self.lines) = (name, plane, lines)
      scale = .window
    }

    /// Creates the tile of a difference, shown on a scale symmetric about zero.
    ///
    /// Without a limit, the scale is the smallest of 1, 2, 5, 10, 20, 50, … that holds 99.5 % of the
    /// differences.
    package init(
      difference name: String, _ plane: Plane, limit: Float? = nil, lines: [String] = []
    ) {
      (self.name, self.plane, self.lines) = (name, plane, lines)
      scale = .symmetric(limit: limit ?? roundLimit(holding: plane))
    }
  }

  /// The text of the title bar.
  package let title: String
  package let tiles: [Tile]
  package let window: Window
  /// The unit of the values.
  package let unit: String
  /// The width beyond which tiles wrap, unless one tile is wider.
  package let maximumWidth: Int
  /// The factor by which images are enlarged; nil for one that suits their size.
  package let zoom: Int?

  package init(
    title: String, window: Window, unit: String = "HU", tiles: [Tile], maximumWidth: Int = 2200,
    zoom: Int? = nil
  ) {
    precondition(!tiles.isEmpty, "A panel has at least one tile.")
    (self.title, self.tiles, self.window, self.unit) = (title, tiles, window, unit)
    self.maximumWidth = maximumWidth
    self.zoom = zoom
  }

  /// The factor by which small images are enlarged.
  package var magnification: Int {
    zoom
      ?? Figures.magnification(
        width: tiles.map(\.plane.width).max() ?? 1, height: tiles.map(\.plane.height).max() ?? 1)
  }

  /// The frames of the images that share the panel's window.
  package var frames: [TileFrame] {
    let layout = Layout(self)
    return tiles.enumerated().filter { $1.scale == .window }.map { index, tile in
      let (x, y) = layout.grid.origin(of: index)
      return TileFrame(
        name: tile.name, x: x + Spacing.margin, y: layout.imageTop(below: y + layout.top),
        width: tile.plane.width * magnification, height: tile.plane.height * magnification)
    }
  }

  /// The panel as an 8-bit grey picture.
  package func picture() -> Picture {
    let layout = Layout(self)
    var canvas = Canvas(width: layout.width, height: layout.height, shade: Shade.ground)
    drawTitle(on: &canvas, layout)
    for (index, tile) in tiles.enumerated() {
      let (x, y) = layout.grid.origin(of: index)
      draw(tile, on: &canvas, x: x + Spacing.margin, y: y + layout.top, layout)
    }
    return canvas.picture
  }
}

// MARK: - Drawing

extension Panel {
  private func drawTitle(on canvas: inout Canvas, _ layout: Layout) {
    canvas.fill(x: 0, y: 0, width: canvas.width, height: layout.titleHeight, shade: Shade.bar)
    var y = Spacing.padding
    for line in layout.titleLines {
      canvas.write(line, x: Spacing.margin, y: y, font: .bold, shade: Shade.strong)
      y += Spacing.line
    }
    for (index, line) in layout.windowLines.enumerated() {
      let x =
        layout.windowBeside
        ? canvas.width - Spacing.margin - BitmapFont.width(of: line) : Spacing.margin
      canvas.write(
        line, x: x, y: layout.windowBeside ? Spacing.padding : y + index * Spacing.line,
        shade: Shade.text)
    }
  }

  private func draw(
    _ tile: Tile, on canvas: inout Canvas, x: Int, y: Int, _ layout: Layout
  ) {
    let width = tile.plane.width * magnification
    let height = tile.plane.height * magnification
    for (index, line) in layout.nameLines(of: tile).enumerated() {
      canvas.write(line, x: x, y: y + index * Spacing.line, font: .bold, shade: Shade.strong)
    }
    let top = layout.imageTop(below: y)
    canvas.put(shown(tile), x: x, y: top, scale: magnification)
    var below = top + height + Spacing.padding / 2
    if case .symmetric(let limit) = tile.scale {
      drawScale(limit, on: &canvas, x: x, y: below, width: width)
      below += Spacing.line
    }
    for line in layout.captions(of: tile) {
      canvas.write(line, x: x, y: below, shade: Shade.text)
      below += Spacing.line
    }
  }

  /// Draws `−limit ▒▒▒▒ +limit HU` with a grey ramp in between.
  private func drawScale(_ limit: Float, on canvas: inout Canvas, x: Int, y: Int, width: Int) {
    let low = "−\(shortest(limit))"
    let high = "+\(shortest(limit)) \(unit)"
    canvas.write(low, x: x, y: y, shade: Shade.text)
    let left = x + BitmapFont.width(of: low) + BitmapFont.width
    let right = x + width - BitmapFont.width(of: high) - BitmapFont.width
    canvas.write(high, x: max(right, left) + BitmapFont.width, y: y, shade: Shade.text)
    for column in left..<max(left, right) {
      let shade = UInt16((column - left) * 255 / max(right - left - 1, 1))
      canvas.fill(x: column, y: y + 3, width: 1, height: 9, shade: shade)
    }
  }

  private func shown(_ tile: Tile) -> Picture {
    switch tile.scale {
    case .window: window.picture(of: tile.plane)
    case .symmetric(let limit): Window(covering: -limit...limit).picture(of: tile.plane)
    }
  }
}

/// Shades of the panel's background and texts.
private enum Shade {
  static let ground: UInt16 = 16
  static let bar: UInt16 = 40
  static let text: UInt16 = 200
  static let strong: UInt16 = 255
}

/// Distances within the panel in pixels.
private enum Spacing {
  static let margin = 12
  static let gap = 12
  static let padding = 6
  static let line = BitmapFont.height + 1
}

/// The places of the parts of a panel.
private struct Layout {
  let grid: Grid
  let titleLines: [String], windowLines: [String]
  /// Whether the window's name is to the right of the title rather than below it.
  let windowBeside: Bool
  let titleHeight: Int
  let width: Int, height: Int
  /// The number of lines of the longest name above an image.
  let nameHeight: Int
  private let columns: Int

  /// The top of the tiles.
  var top: Int { titleHeight + Spacing.padding }

  /// The top of a tile's image whose name is at `y`.
  func imageTop(below y: Int) -> Int { y + Spacing.line * nameHeight + Spacing.padding / 2 }

  init(_ panel: Panel) {
    let magnification = panel.magnification
    let cellWidth = (panel.tiles.map(\.plane.width).max() ?? 1) * magnification
    let imageHeight = (panel.tiles.map(\.plane.height).max() ?? 1) * magnification
    columns = max(1, cellWidth / BitmapFont.width)
    let columns = columns
    let below = panel.tiles.map { tile in
      Layout.captions(of: tile, columns).count + (tile.scale == .window ? 0 : 1)
    }
    nameHeight =
      panel.tiles.map { BitmapFont.wrap($0.name, columns: columns).count }.max() ?? 1
    grid = Grid(
      count: panel.tiles.count, cellWidth: cellWidth,
      cellHeight: imageHeight + Spacing.padding + Spacing.line * (nameHeight + (below.max() ?? 0)),
      gap: Spacing.gap, maximumWidth: panel.maximumWidth - 2 * Spacing.margin)
    width = grid.width + 2 * Spacing.margin
    let named = Layout.name(of: panel.window, unit: panel.unit)
    windowBeside =
      BitmapFont.width(of: panel.title) + BitmapFont.width(of: named) + 4 * BitmapFont.width
      <= grid.width
    let room = max(1, grid.width / BitmapFont.width)
    titleLines = BitmapFont.wrap(panel.title, columns: room)
    windowLines = BitmapFont.wrap(named, columns: room)
    titleHeight =
      2 * Spacing.padding
      + Spacing.line * (titleLines.count + (windowBeside ? 0 : windowLines.count))
    height = titleHeight + 2 * Spacing.padding + grid.height
  }

  func captions(of tile: Panel.Tile) -> [String] { Layout.captions(of: tile, columns) }

  func nameLines(of tile: Panel.Tile) -> [String] {
    BitmapFont.wrap(tile.name, columns: columns)
  }

  private static func captions(of tile: Panel.Tile, _ columns: Int) -> [String] {
    tile.lines.flatMap { BitmapFont.wrap($0, columns: columns) }
  }

  /// The name of a window, with the minus sign of print: `window lung  center −600  width 1500 HU`.
  private static func name(of window: Window, unit: String) -> String {
    let preset = window.presetName.map { "\($0)  " } ?? ""
    let numbers = window.description.map { $0 == "-" ? "−" : $0 }
    return "window \(preset)\(String(numbers)) \(unit)"
  }
}

/// The smallest of …, 1, 2, 5, 10, … that holds 99.5 % of the finite |values|.
private func roundLimit(holding plane: Plane) -> Float {
  let sizes = plane.values.filter(\.isFinite).map(abs)
  let outside = max(1, sizes.count - sizes.count * 995 / 1000)
  var largest = Heap(sizes.prefix(outside))
  for size in sizes.dropFirst(outside) {
    if let least = largest.min, size > least { largest.replaceMin(with: size) }
  }
  guard let limit = largest.min, let peak = largest.max, peak > 0 else { return 1 }
  let wanted = max(limit, peak / 1000)
  var decade: Float = 1
  while decade * 10 <= wanted { decade *= 10 }
  while decade > wanted, decade > 1e-30 { decade /= 10 }
  return [1, 2, 5, 10].map { $0 * decade }.first { $0 >= wanted } ?? 10 * decade
}

/// The shortest text for `value`: `40`, `0.5`.
private func shortest(_ value: Float) -> String {
  value == value.rounded() && abs(value) < 1e7 ? "\(Int(value))" : "\(value)"
}
