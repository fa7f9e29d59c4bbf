/// A published network, as the lines that build it.
///
/// The article's ten: "Denoising lung CT scans using neural networks with interactive code, part 3"
/// (J. D. Seo, 2018) and its code: six blocks that join the network's input, no bias, weights from
/// N(0, 1), values 0…255 as they are, noise of 0.3 of the maximum drawn anew for every batch, the
/// sum of ¼·(output − target)² whose gradient is taken as output − target, and Adam with constant
/// corrections. Its fourth case left the gradients to TensorFlow, whose Adam writes its means as
/// increments.
struct Preset: Sendable {
  let name: String
  /// A description in a few words.
  let summary: String
  /// The lines that prepare the data; left out as long as there are no slices.
  let dataLines: [String]
  let lines: [String]
  /// The line that trains the network as its author did.
  let training: String

  static let all: [Preset] =
    [
      article(
        "1a", "multiply",
        [
          (1, 1, .atan), (3, 3, .sigmoid), (5, 3, .atan), (5, 5, .sigmoid),
          (3, 7, .sigmoid), (1, 1, .relu),
        ]),
      article(
        "1b", "multiply",
        [
          (1, 1, .sigmoid), (3, 1, .sigmoid), (5, 3, .sigmoid), (5, 3, .sigmoid),
          (3, 3, .sigmoid), (1, 1, .relu),
        ]),
      article(
        "1c", "multiply",
        [
          (13, 1, .sigmoid), (7, 1, .sigmoid), (3, 2, .sigmoid), (5, 3, .sigmoid),
          (3, 3, .sigmoid), (1, 1, .relu),
        ]),
      article(
        "2a", "multiply-add",
        [
          (13, 5, .sigmoid), (7, 7, .atan), (3, 9, .tanh), (5, 9, .relu),
          (3, 3, .tanh), (1, 1, .relu),
        ], rate: "1e-6"),
      article(
        "2b", "multiply-add",
        [
          (13, 5, .sigmoid), (7, 7, .tanh), (3, 9, .atan), (5, 9, .relu),
          (3, 3, .tanh), (1, 1, .relu),
        ], rate: "1e-6"),
      article("2c", "multiply-add", caseTwoC, rate: "1e-6"),
      article("3a", "multiply-add", caseThree, flow: "flow dilated rate=1000 decay=0.08"),
      article("3b", "multiply-add", caseThree, flow: "flow dilated rate=800 decay=0.064"),
      article(
        "3c", "multiply-add", caseThree, flow: "flow dilated rate=800 decay=0.064 combine=product"),
      article(
        "4", "multiply-add", caseTwoC, gradient: "exact",
        adam: "correction=step update=incremental", flow: "flow tape"),
    ] + [partFour, partOne, partTwo, resnet] + published

  private static let caseTwoC: [ArticleBlock] = [
    (13, 5, .sigmoid), (7, 7, .tanh), (3, 9, .atan), (5, 9, .relu), (3, 3, .relu), (1, 1, .relu),
  ]
  private static let caseThree: [ArticleBlock] = [
    (13, 3, .sigmoid), (7, 3, .tanh), (3, 3, .atan), (5, 3, .relu), (3, 3, .tanh), (1, 1, .relu),
  ]

  /// Kernel, channels and activation of a block.
  private typealias ArticleBlock = (kernel: Int, channels: Int, activation: ArticleActivation)

  private enum ArticleActivation: String {
    case atan = "arctan"
    case sigmoid, tanh, relu
  }

  private static func article(
    _ name: String, _ merge: String, _ blocks: [ArticleBlock], rate: String = "1e-9",
    gradient: String = "declared", adam: String = "correction=constant",
    flow: String = "flow standard"
  ) -> Preset {
    Preset(
      name: "article-\(name)",
      summary: "the article's case \(name): six blocks, merge=\(merge), \(flow)",
      dataLines: ["scale none", "noise gaussian fraction=0.3 fresh"],
      lines: ["net new init=normal:1"]
        + blocks.map {
          "block channels=\($0.channels) kernel=\($0.kernel) act=\($0.activation.rawValue) "
            + "merge=\(merge) skip=input bias=no"
        }
        + [
          "output plain", "loss half-squares gradient=\(gradient)",
          "optimizer adam lr=\(rate) \(adam)", flow,
        ],
      training: "train epochs=101 batch=5 shuffle=no nan=keep")
  }

  /// The network of part 4 of the series: projected skips, values scaled to 0…1, multiplied noise.
  private static let partFour = Preset(
    name: "article-part4",
    summary: "the series' part 4: three blocks of two 3×3, skips by a 1×1 with ReLU",
    dataLines: ["scale minmax", "noise uniform gain=0..2.5 fresh"],
    lines: ["net new init=normal:0.05"]
      + [8, 8, 1].map {
        "block channels=\($0) act=relu merge=add skip=project project-act=relu convs=2 bias=no"
      } + ["output normalize", "loss mse", "optimizer adam lr=1e-4", "flow standard"],
    training: "train epochs=100 batch=10")

  /// A small network of the kind that He and others published in 2016, which finds the noise.
  private static let resnet = Preset(
    name: "resnet", summary: "four residual blocks of two 3×3, 32 channels, output subtract",
    dataLines: [],
    lines: ["net new init=he", "conv channels=32 act=relu"]
      + Array(repeating: "block channels=32 convs=2", count: 4)
      + ["conv", "output subtract", "loss mse", "optimizer adam lr=0.001", "flow standard"],
    training: "train epochs=100 batch=16 patch=64")
}
