import Operations
package import Tensors

/// The shapes of what a layer reads and of what it hands on.
package struct LayerShapes: Hashable, Sendable {
  package let input: Shape, output: Shape
}

extension Program {
  /// Returns the shape of every value for images that are padded to the smallest sides that pass through
  /// all operations; nil when none do, up to `most` more rows and columns.
  package func paddedShapes(
    batch: Int, height: Int, width: Int, upTo most: Int
  ) -> [Shape]? {
    func shapes(_ height: Int, _ width: Int) -> [Shape]? {
      try? self.shapes(batch: batch, height: height, width: width)
    }
    if let shapes = shapes(height, width) { return shapes }
    // Kernels are square, so that each side fits or does not for itself.
    func fitting(_ side: Int) -> Int? {
      (side...side + most).first { shapes($0, $0) != nil }
    }
    guard let height = fitting(height), let width = fitting(width) else { return nil }
    return shapes(height, width)
  }
}

/// The sizes of images that a network can read.
///
/// A pool halves even sides alone, and images that join must be equally large; so a network may need sides
/// that are a multiple of some number, or have a least size.
extension Network {
  /// Returns why images of a size do not fit the network; nil if they do.
  package func misfit(height: Int, width: Int) -> (message: String, hint: String)? {
    let program = plan(PassKey(mode: .judging, goesBack: false)).program
    do throws(OperationError) {
      let output = try program.shapes(batch: 1, height: height, width: width)[program.output]
      guard output.height != height || output.width != width else { return nil }
      return (
        "the network makes images of \(output.height)×\(output.width) from those of \(height)×\(width)",
        "what shrinks an image, such as pad=none, a stride or a pool, must be undone by transpose=yes or up"
      )
    } catch {
      return (error.message, error.hint)
    }
  }

  /// Throws when no images of about a size pass through all layers, as when layers of other scales join.
  package func requireLayersFit(height: Int, width: Int) throws(NetworkError) {
    let program = plan(PassKey(mode: .judging, goesBack: false)).program
    do throws(OperationError) {
      _ = try program.shapes(batch: 1, height: height, width: width)
    } catch {
      guard program.paddedShapes(batch: 1, height: height, width: width, upTo: 64) == nil else {
        return
      }
      throw NetworkError(code: "shape", error.message, hint: error.hint)
    }
  }

  /// Returns the size of what the last layer makes of images of a size; nil if those do not fit.
  package func size(behind size: (height: Int, width: Int)) -> (height: Int, width: Int)? {
    let program = plan(PassKey(mode: .judging, goesBack: false)).program
    let shapes = try? program.shapes(batch: 1, height: size.height, width: size.width)
    guard let last = program.layers.last, let shape = shapes?[last.output] else {
      return program.layers.isEmpty ? size : nil
    }
    return (shape.height, shape.width)
  }

  /// Returns the smallest sides from `height` and `width` on that fit the network; nil if none do.
  package func fitting(height: Int, width: Int) -> (height: Int, width: Int)? {
    if misfit(height: height, width: width) == nil { return (height, width) }
    // Kernels are square, so that each side fits or does not for itself.
    guard let height = fitting(height), let width = fitting(width),
      misfit(height: height, width: width) == nil
    else { return nil }
    return (height, width)
  }

  /// The shapes of each layer's values for one image of about 64×64 that fits; empty if none does.
  package var layerShapes: [LayerShapes] {
    plans.layerShapes {
      let program = plan(PassKey(mode: .judging, goesBack: false)).program
      guard let side = fitting(64),
        let shapes = try? program.shapes(batch: 1, height: side, width: side)
      else { return [] }
      return program.layers.map { LayerShapes(input: shapes[$0.input], output: shapes[$0.output]) }
    }
  }

  private func fitting(_ side: Int) -> Int? {
    (side...side + 256).first { misfit(height: $0, width: $0) == nil }
  }

  /// Returns the smallest side from `side` on of square images that fit the network.
  ///
  /// - Throws: `NetworkError` when none near it fits.
  package func requireSmallSize(_ side: Int) throws(NetworkError) -> Int {
    if let size = fitting(height: side, width: side) { return size.height }
    try requireFit(height: side, width: side, named: "images")
    return side
  }

  /// Throws unless images of a size fit the network, or larger ones do, to which they are padded.
  package func requireFitWhenPadded(height: Int, width: Int) throws(NetworkError) {
    if fitting(height: height, width: width) == nil {
      try requireFit(height: height, width: width, named: "slices")
    }
  }

  /// Throws unless images of a size fit the network; the hint names sizes that do.
  package func requireFit(height: Int, width: Int, named what: String) throws(NetworkError) {
    guard let misfit = misfit(height: height, width: width) else { return }
    let above = fitting(height: height, width: width)
    let below = (1..<max(1, min(height, width))).last { self.misfit(height: $0, width: $0) == nil }
    let fits = ([below.map { "\($0)×\($0)" }, above.map { "\($0.height)×\($0.width)" }]).compactMap
    { $0 }
    throw NetworkError(
      code: "shape", "\(what) of \(height)×\(width) do not fit the network: \(misfit.message)",
      hint: fits.isEmpty ? misfit.hint : "sizes that fit: \(fits.joined(separator: ", "))")
  }
}
