/// Networks for denoising that papers and benchmarks use, with the counts of parameters that they give.
extension Preset {
  static var published: [Preset] {
    [dncnn(17), dncnn(20), cnn10, redcnn, ldctResNet, ircnn, generator, unet]
  }

  /// Zhang and others, "Beyond a Gaussian denoiser" (2017), with biases as in KAIR.
  ///
  /// The first convolution has a ReLU, the middle ones batch norm and ReLU; the network finds the noise.
  private static func dncnn(_ depth: Int) -> Preset {
    Preset(
      name: "dncnn\(depth)",
      summary: "\(depth) 3×3 convolutions, 64 channels, batch norm, output subtract (Zhang 2017)",
      dataLines: [],
      lines: ["net new init=he", "conv channels=64 act=relu"]
        + Array(repeating: "conv channels=64 act=relu norm=batch", count: depth - 2)
        + ["conv", "output subtract", "loss mse", "optimizer adam lr=0.001", "flow standard"],
      training: "train epochs=50 batch=128 patch=40")
  }

  /// Chen and others, "Low-dose CT via convolutional neural network" (2017), as in ldct-benchmark.
  private static let cnn10 = Preset(
    name: "cnn10", summary: "convolutions of 9×9, 3×3, 5×5 with 64, 32, 1 channels (Chen 2017)",
    dataLines: [],
    lines: [
      "net new init=he", "conv channels=64 kernel=9 act=relu", "conv channels=32 act=relu",
      "conv kernel=5", "output plain", "loss mse", "optimizer adam lr=1.58e-4", "flow standard",
    ],
    training: "train steps=86188 batch=68 patch=92")

  /// Chen and others, "Low-dose CT with a residual encoder-decoder convolutional neural network" (2017), as
  /// in ldct-benchmark, without the last ReLU, so that values below 0 pass.
  private static let redcnn = Preset(
    name: "redcnn",
    summary: "5 convolutions and 5 transposed ones of 5×5, 96 channels, no padding (Chen 2017)",
    dataLines: [],
    lines: ["net new init=he"]
      + Array(repeating: "conv channels=96 kernel=5 act=relu pad=none", count: 5)
      + [
        "conv channels=96 kernel=5 pad=none transpose=yes", "join c4 act=relu",
        "conv channels=96 kernel=5 act=relu pad=none transpose=yes",
        "conv channels=96 kernel=5 pad=none transpose=yes", "join c2 act=relu",
        "conv channels=96 kernel=5 act=relu pad=none transpose=yes",
        "conv kernel=5 pad=none transpose=yes", "join net.in",
        "output plain", "loss mse", "optimizer adam lr=9.58e-5", "flow standard",
      ],
    training: "train steps=92994 batch=73 patch=128")

  /// The residual network of ldct-benchmark: blocks of a 3×3, a 3×3 in 8 groups and a 1×1.
  private static let ldctResNet = Preset(
    name: "ldct-resnet",
    summary:
      "ten blocks of 3×3, 3×3 in 8 groups and 1×1, 128 channels, batch norm (ldct-benchmark)",
    dataLines: [],
    lines: ["net new init=he", "conv channels=128 kernel=9"]
      + (0..<10).flatMap { block in
        [
          "conv channels=128 act=relu norm=batch",
          "conv channels=128 act=relu groups=8 norm=batch", "conv channels=128 kernel=1",
          block == 0 ? "join c1" : "join j\(block)",
        ]
      } + ["conv", "output subtract", "loss mse", "optimizer adam lr=1e-4", "flow standard"],
    training: "train steps=20000 batch=64 patch=64")

  /// Zhang and others, "Learning deep CNN denoiser prior for image restoration" (2017).
  private static let ircnn = Preset(
    name: "ircnn",
    summary: "seven 3×3 convolutions, dilated 1-2-3-4-3-2-1, 64 channels, batch norm (Zhang 2017)",
    dataLines: [],
    lines: ["net new init=he", "conv channels=64 act=relu"]
      + [2, 3, 4, 3, 2].map { "conv channels=64 act=relu norm=batch dilation=\($0)" }
      + ["conv", "output subtract", "loss mse", "optimizer adam lr=0.001", "flow standard"],
    training: "train epochs=50 batch=64 patch=70")

  /// The generator of Yang and others, "Low-dose CT image denoising using a generative adversarial network
  /// with Wasserstein distance and perceptual loss" (2018), with the loss that the generator can have alone.
  private static let generator = Preset(
    name: "wgan-generator", summary: "eight 3×3 convolutions, 32 channels (Yang 2018)",
    dataLines: [],
    lines: ["net new init=he"] + Array(repeating: "conv channels=32 act=relu", count: 7)
      + ["conv", "output plain", "loss mse", "optimizer adam lr=1e-5", "flow standard"],
    training: "train epochs=100 batch=128 patch=64")

  /// A small network in the form of Ronneberger and others, "U-Net" (2015), with group norm.
  private static let unet = Preset(
    name: "unet",
    summary: "three scales of two 3×3 with 32, 64, 128 channels, group norm, concatenations",
    dataLines: [],
    lines: [
      "net new init=he",
      "conv channels=32 act=relu norm=group:8", "conv channels=32 act=relu norm=group:8",
      "pool max",
      "conv channels=64 act=relu norm=group:8", "conv channels=64 act=relu norm=group:8",
      "pool max",
      "conv channels=128 act=relu norm=group:8", "conv channels=128 act=relu norm=group:8",
      "conv channels=64 kernel=2 stride=2 pad=none transpose=yes", "join c4 how=concat",
      "conv channels=64 act=relu norm=group:8", "conv channels=64 act=relu norm=group:8",
      "conv channels=32 kernel=2 stride=2 pad=none transpose=yes", "join c2 how=concat",
      "conv channels=32 act=relu norm=group:8", "conv channels=32 act=relu norm=group:8",
      "conv kernel=1", "output subtract", "loss mse", "optimizer adam lr=0.001", "flow standard",
    ],
    training: "train epochs=100 batch=16 patch=64")

  /// The auto-encoder of part 1 of the article's series, for slices of 512×512.
  static let partOne = Preset(
    name: "article-part1",
    summary: "the series' part 1: convolutions of 7, 5, 3 with mean pools, 1000 units, and back",
    dataLines: ["scale none", "noise gaussian fraction=0.3 fresh"],
    lines: [
      "net new init=normal:0.01",
      "conv kernel=7 act=tanh", "pool mean", "conv kernel=5 act=tanh", "pool mean",
      "conv act=tanh", "pool mean",
      "dense units=1000 act=tanh rows=64 columns=64",
      "dense units=4096 act=tanh rows=1 columns=1", "up factor=64 by=shuffle",
      "up", "conv act=tanh", "up", "conv kernel=5 act=tanh", "up", "conv kernel=7 act=sigmoid",
      "output plain", "loss half-squares gradient=declared", "optimizer sgd lr=1e-4",
      "flow standard",
    ],
    training: "train epochs=100 batch=1 shuffle=no nan=keep")

  /// The network of part 2 of the article's series: three convolutions of one channel.
  static let partTwo = Preset(
    name: "article-part2",
    summary: "the series' part 2: three 3×3 convolutions of one channel, ReLU, ReLU, none",
    dataLines: ["scale none", "noise gaussian fraction=0.3 fresh"],
    lines: [
      "net new init=normal:0.001", "conv act=relu", "conv act=relu", "conv", "output plain",
      "loss half-squares gradient=declared", "optimizer sgd lr=1e-10", "flow standard",
    ],
    training: "train epochs=100 batch=4 patch=256 shuffle=no nan=keep")
}
