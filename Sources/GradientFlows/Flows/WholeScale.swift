import Networks
import Operations
import Tensors

extension Program {
  /// Returns, for each of `layers`, by how much the rows and columns of the program's output are more than those of
  /// what the layer hands on: 1, or a factor of 2 and more; nil where images are larger or no whole factor smaller.
  func outputFactors(of layers: [Int]) -> [Int?] {
    let shapes = shapes(BatchSize(batch: 1, height: 64, width: 64))
    let whole = shapes[output].extents.suffix(2)
    return layers.map { layer in
      let shape = shapes[self.layers[layer].output]
      let part = shape.extents.suffix(2)
      guard shape.rank == 4, let rows = part.first, let all = whole.first, rows > 0 else {
        return nil
      }
      return part.map { $0 * (all / rows) } == Array(whole) ? all / rows : nil
    }
  }
}

extension Network {
  /// Throws when the images of one of `layers` cannot be enlarged to the network's output, as `flow` needs it.
  func requireWholeScales(
    _ layers: [Int], for flow: String, doing what: String
  ) throws(NetworkError) {
    let program = program(loss: .meanSquaredError, hasMask: false)
    let factors = program.outputFactors(of: layers)
    guard let other = zip(layers, factors).first(where: { $0.1 == nil })?.0 else { return }
    let shapes = program.shapes(BatchSize(batch: 1, height: 64, width: 64))
    func rows(_ place: Int) -> Int { shapes[place].extents.dropLast().last ?? 1 }
    let (whole, part) = (rows(program.output), rows(program.layers[other].output))
    let scale = Scaling(part, over: whole)
    let size =
      scale.numerator == 1 || scale.denominator == 1
      ? "\(scale) \(part < whole ? "of" : "times") the output's rows and columns"
      : "\(part) rows where the output has \(whole)"
    throw NetworkError(
      code: "shape",
      "flow \(flow) \(what), but the images of \(layerNames[other]) have \(size)",
      hint: "take flow feedback or flow synthetic, or images that are a whole factor smaller")
  }
}

extension Rewriting {
  /// Writes the value at `place` with each pixel repeated, so that it is as large as the output.
  ///
  /// - Parameters:
  ///   - place: The place of the value.
  ///   - factor: The factor of its rows and columns, not nil; for 1, nothing is written.
  ///   - name: The name of the larger value.
  ///   - node: The node to whose place and layer it belongs.
  /// - Returns: The place of the larger value.
  mutating func enlarged(
    _ place: Int, by factor: Int?, named name: String, beside node: Program<Element>.Node
  ) -> Int {
    guard let factor else { preconditionFailure("Other networks are refused before.") }
    return factor == 1
      ? place : value(name, Upsample(.nearest, factor: factor), [place], beside: node)
  }
}
