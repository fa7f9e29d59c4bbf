import CT
import CommandLanguage
import Tensors
import Training

/// A disc to be found: its place, size and contrast, and the part of the slice around it.
struct DiscSetting {
  let contrast: Double
  /// In pixels.
  let diameter: Double
  let draws: Int
  let slice: Int, row: Int, column: Int
  /// The part of the slice that is drawn and filtered.
  let rectangle: PixelRectangle
  /// The values to add to that part.
  let signal: [Float]
  /// The side of the square that the observer sees.
  let side: Int

  init(_ arguments: Arguments, _ workspace: Workspace) throws(CommandError) {
    let noise = try workspace.requireDrawnNoise("the observer")
    let clean = try workspace.requireClean()
    contrast = try arguments.number("contrast").value
    draws = try arguments.integer("draws")
    slice = arguments.integerIfGiven("slice") ?? clean.count / 2
    guard (0..<clean.count).contains(slice) else {
      throw arguments.error(
        at: "slice", .outOfRange, "there is no slice \(slice)",
        hint: "0 to \(clean.count - 1) exist")
    }
    (diameter, side) = try Self.size(arguments, clean, slice)
    (row, column) = try Self.place(arguments, clean, slice, side)
    let margin = noise.kind.needsWholeSlice ? max(clean.height, clean.width) : side / 2 + 40
    func range(_ middle: Int, _ extent: Int) -> Range<Int> {
      max(0, middle - margin)..<min(extent, middle + margin + 1)
    }
    rectangle = PixelRectangle(
      rows: range(row, clean.height), columns: range(column, clean.width))
    signal = Self.disc(
      contrast, diameter, row: row - rectangle.rows.lowerBound,
      column: column - rectangle.columns.lowerBound, rectangle)
  }

  /// The disc's diameter in pixels, and the side of the observer's square about it.
  private static func size(
    _ arguments: Arguments, _ clean: ImageStack, _ slice: Int
  ) throws(CommandError) -> (diameter: Double, side: Int) {
    let size = try arguments.number("diameter")
    let spacing = clean.source(of: slice)?.plane.rowSpacing ?? 0
    let diameter: Double
    if size.unit == .pixel {
      diameter = size.value
    } else if spacing > 0 {
      diameter = size.value / spacing
    } else if arguments.has("diameter"), size.unit == nil {
      diameter = size.value
    } else {
      throw arguments.error(
        at: "diameter", .data, "the distance of pixels is not known, so mm say nothing",
        hint: "diameter=8px")
    }
    let extent = min(clean.height, clean.width)
    let mm = spacing > 0 ? " of \(NumberFormat.fixed(1).string(spacing)) mm" : ""
    guard diameter >= 1 else {
      throw arguments.error(
        at: "diameter", .outOfRange,
        "a disc of \(NumberFormat.fixed(1).string(diameter)) pixels is smaller than a pixel\(mm)",
        hint: "diameter=\(max(1, min(4, extent / 4)))px, or larger slices of smaller pixels")
    }
    // A disc that the slice cannot hold is refused before its side is a number of pixels.
    let side = diameter < Double(extent) ? 2 * max(3, Int(diameter.rounded(.up))) + 1 : .max
    guard side <= extent else {
      throw arguments.error(
        at: "diameter", .outOfRange,
        "a disc of \(NumberFormat.fixed(1).string(diameter)) pixels\(mm) does not fit the observer's "
          + "square in slices of \(clean.height)×\(clean.width)",
        hint: extent < 7 ? "larger slices" : "diameter=\(max(1, extent / 4))px, or larger slices")
    }
    return (diameter, side)
  }

  /// The disc, each pixel by how much of it lies inside.
  private static func disc(
    _ contrast: Double, _ diameter: Double, row: Int, column: Int, _ rectangle: PixelRectangle
  ) -> [Float] {
    let parts = 5
    return (0..<rectangle.rows.count * rectangle.columns.count).map { pixel in
      let y = Double(pixel / rectangle.columns.count - row)
      let x = Double(pixel % rectangle.columns.count - column)
      var inside = 0
      for i in 0..<parts {
        for j in 0..<parts {
          let dy = y + (Double(i) + 0.5) / Double(parts) - 0.5
          let dx = x + (Double(j) + 0.5) / Double(parts) - 0.5
          if dy * dy + dx * dx <= diameter * diameter / 4 { inside += 1 }
        }
      }
      return Float(contrast * Double(inside) / Double(parts * parts))
    }
  }

  /// The place that `at=` names, or the one where a square of soft tissue varies least.
  private static func place(
    _ arguments: Arguments, _ clean: ImageStack, _ slice: Int, _ side: Int
  ) throws(CommandError) -> (row: Int, column: Int) {
    let half = side / 2
    let (height, width) = (clean.height, clean.width)
    let typed = arguments.list("at").compactMap { value -> Int? in
      if case .integer(let number) = value { number } else { nil }
    }
    if arguments.has("at") {
      guard typed.count == 2, (half..<height - half).contains(typed[0]),
        (half..<width - half).contains(typed[1])
      else {
        throw arguments.error(
          at: "at", .outOfRange, "the observer's square of \(side) pixels leaves the slice",
          hint: "at=ROW,COLUMN, rows \(half) to \(height - half - 1), columns \(half) to "
            + "\(width - half - 1)")
      }
      return (typed[0], typed[1])
    }
    var best: (row: Int, column: Int, rank: Double)?
    let step = max(1, side / 8)
    for row in stride(from: half, to: height - half, by: step) {
      for column in stride(from: half, to: width - half, by: step) {
        let part = clean.part(
          [slice], rows: row - half..<row + half + 1, columns: column - half..<column + half + 1)
        if part.mask?.contains(true) == true { continue }
        let found = part.values.statistics()
        // Elsewhere than in soft tissue only where there is no such place.
        let isSoft = clean.unit != .hounsfield || (-30.0..<150).contains(found.mean)
        let rank = found.deviation + (isSoft ? 0 : 1e6)
        if rank < best?.rank ?? .infinity { best = (row, column, rank) }
      }
      if Parallelism.isOver { break }
    }
    guard let best else {
      throw arguments.error(
        at: "slice", .data, "slice \(slice) has no place of \(side)×\(side) pixels without padding",
        hint: "take another slice, or a smaller disc")
    }
    return (best.row, best.column)
  }

  /// The square about the disc's middle.
  func square(of image: Tensor<Float>) -> [Float] {
    let (top, left) = (
      row - rectangle.rows.lowerBound - side / 2, column - rectangle.columns.lowerBound - side / 2
    )
    return (0..<side * side).map { pixel in
      image.scalars[(top + pixel / side) * rectangle.columns.count + left + pixel % side]
    }
  }
}
