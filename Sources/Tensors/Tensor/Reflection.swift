/// Images that are made larger by reflection at their last rows and columns, which are not repeated, as by
/// NumPy's `pad(mode="reflect")`.
extension Tensor {
  /// Returns images `[N, C, H, W]` with rows below and columns to the right.
  ///
  /// - Parameters:
  ///   - height: The number of rows, at least H.
  ///   - width: The number of columns, at least W.
  /// - Returns: Images `[N, C, height, width]`.
  package func reflected(toHeight height: Int, width: Int) -> Tensor {
    let (rows, columns) = (
      Self.reflected(shape.height, to: height), Self.reflected(shape.width, to: width)
    )
    let planes = shape.count / max(1, shape.planeCount)
    var values: [Element] = []
    values.reserveCapacity(planes * height * width)
    for plane in 0..<planes {
      for row in rows {
        let start = plane * shape.planeCount + row * shape.width
        for column in columns { values.append(scalars[start + column]) }
      }
    }
    return Tensor(shape: [shape.batch, shape.channels, height, width], scalars: values)
  }

  /// Returns the upper left part of images.
  package func cropped(toHeight height: Int, width: Int) -> Tensor {
    cropped(rows: 0..<height, columns: 0..<width)
  }

  /// Returns the middle of images, with at most `side` rows and columns.
  package func middle(side: Int) -> Tensor {
    func middle(_ extent: Int) -> Range<Int> {
      let part = min(side, extent)
      return (extent - part) / 2..<(extent - part) / 2 + part
    }
    return cropped(rows: middle(shape.height), columns: middle(shape.width))
  }

  private func cropped(rows: Range<Int>, columns: Range<Int>) -> Tensor {
    let planes = shape.count / max(1, shape.planeCount)
    var values: [Element] = []
    values.reserveCapacity(planes * rows.count * columns.count)
    for plane in 0..<planes {
      for row in rows {
        let start = plane * shape.planeCount + row * shape.width
        values += scalars[start + columns.lowerBound..<start + columns.upperBound]
      }
    }
    return Tensor(
      shape: [shape.batch, shape.channels, rows.count, columns.count], scalars: values)
  }

  /// Returns, for a row of so many places, which numbers of a shorter row they read.
  ///
  /// With 4 numbers: 0 1 2 3 2 1 0 1 and so on.
  private static func reflected(_ extent: Int, to count: Int) -> [Int] {
    let period = max(1, 2 * (extent - 1))
    return (0..<count).map { place in
      let rest = place % period
      return rest < extent ? rest : period - rest
    }
  }
}
