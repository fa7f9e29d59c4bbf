import Networks
import Tensors

extension Network {
  /// Throws when the images of one of `layers` are not as large as the network's output, which `flow` needs.
  func requireOneScale(_ layers: [Int], for flow: String, doing what: String) throws(NetworkError) {
    let program = program(loss: .meanSquaredError, hasMask: false)
    let shapes = program.shapes(BatchSize(batch: 1, height: 64, width: 64))
    func plane(_ place: Int) -> [Int] { Array(shapes[place].extents.suffix(2)) }
    guard
      let other = layers.first(where: {
        plane(program.layers[$0].output) != plane(program.output)
      })
    else { return }
    let (whole, part) = (plane(program.output)[0], plane(program.layers[other].output)[0])
    let scale = Scaling(part, over: whole)
    let size =
      scale.numerator == 1 || scale.denominator == 1
      ? "\(scale) \(part < whole ? "of" : "times") the output's rows and columns"
      : "\(part) rows where the output has \(whole)"
    throw NetworkError(
      code: "shape",
      "flow \(flow) \(what), but the images of \(layerNames[other]) have \(size)",
      hint: "take flow feedback or flow synthetic, or a network of one scale")
  }
}
