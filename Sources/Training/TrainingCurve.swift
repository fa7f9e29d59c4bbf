/// The course of loss and PSNR during one training, from its first step on.
///
/// The losses of all steps are kept up to a bound; in longer trainings, neighbors are joined to one
/// piece again and again, so that memory stays small and the curve the same.
package struct TrainingCurve: Hashable, Sendable, Codable {
  /// The losses of some steps in a row.
  package struct Piece: Hashable, Sendable, Codable {
    /// Epochs since the training began, after the last of the steps.
    package var epochs: Double
    package var steps: Int
    package var mean: Double, low: Double, high: Double
    /// The weight of the mean beside those of other pieces.
    var weight: Double

    fileprivate mutating func append(_ next: Piece) {
      let total = weight + next.weight
      mean = (mean * weight + next.mean * next.weight) / total
      // Comparisons with NaN are false, so NaN is treated first.
      low = next.low.isNaN ? next.low : low.isNaN ? low : Swift.min(low, next.low)
      high = next.high.isNaN ? next.high : high.isNaN ? high : Swift.max(high, next.high)
      (steps, weight, epochs) = (steps + next.steps, total, next.epochs)
    }
  }

  /// The mean PSNR of the watched slices.
  package struct Judgement: Hashable, Sendable, Codable {
    /// Epochs since the training began.
    package let epochs: Double
    /// The PSNR in dB.
    package let psnr: Double
  }

  /// The number of the training within its session, from 1.
  package let number: Int
  /// The name of the network that trained.
  package let network: String
  /// The flow and optimizer of the training, which tell it from others.
  package let setting: String
  /// The kind of slices that are watched: `validation` or `training`.
  package let watched: String
  /// The PSNR of the watched slices before any denoising, in dB.
  package let noisyPSNR: Double
  package private(set) var judgements: [Judgement] = []
  private var whole: [Piece] = []
  /// The number of steps in a piece, and the piece that is not complete yet.
  private var stepsPerPiece = 1
  private var partial: Piece?
  private var position = 0.0

  private static let capacity = 4096

  package init(
    number: Int, network: String, setting: String, watched: String, noisyPSNR: Double
  ) {
    (self.number, self.network, self.setting) = (number, network, setting)
    (self.watched, self.noisyPSNR) = (watched, noisyPSNR)
  }

  /// The losses in order.
  package var losses: [Piece] { whole + (partial.map { [$0] } ?? []) }

  package var steps: Int { losses.reduce(0) { $0 + $1.steps } }

  /// The epochs since the training began, as a fraction.
  package var epochs: Double { position }

  /// Whether the last step ended an epoch.
  package var isAtEpochEnd: Bool { position == position.rounded() }

  /// Adds the loss of a step that is the fraction `part` of an epoch, with its weight in a mean.
  package mutating func add(loss: Double, weight: Double, part: Double) {
    let sum = position + part
    // Fractions such as thirds must sum to whole epochs.
    position = abs(sum - sum.rounded()) < 1e-6 ? sum.rounded() : sum
    let piece = Piece(epochs: position, steps: 1, mean: loss, low: loss, high: loss, weight: weight)
    if partial == nil { partial = piece } else { partial?.append(piece) }
    guard let made = partial, made.steps >= stepsPerPiece else { return }
    whole.append(made)
    partial = nil
    if whole.count == Self.capacity { halve() }
  }

  /// Adds the PSNR after the last step, unless it was added already.
  package mutating func add(psnr: Double) {
    guard judgements.last?.epochs != position else { return }
    judgements.append(Judgement(epochs: position, psnr: psnr))
  }

  /// Begins a new epoch, even if the last one was left in the middle.
  package mutating func beginEpoch() { position = position.rounded(.up) }

  private mutating func halve() {
    whole = stride(from: 0, to: whole.count, by: 2).map { index in
      var piece = whole[index]
      piece.append(whole[index + 1])
      return piece
    }
    stepsPerPiece *= 2
  }

  /// The readable losses, with neighbors joined until there are at most `count`.
  package func readableLosses(atMost count: Int) -> [Piece] {
    let pieces = readableLosses
    let size = (pieces.count + count - 1) / count
    guard size > 1 else { return pieces }
    return stride(from: 0, to: pieces.count, by: size).map { start in
      var joined = pieces[start]
      for piece in pieces[(start + 1)..<min(start + size, pieces.count)] { joined.append(piece) }
      return joined
    }
  }

  /// Whether the numbers, which may come from a damaged file, are possible for a curve.
  package var isConsistent: Bool {
    let most = 1e15
    return (1...1 << 40).contains(number) && (1...1 << 40).contains(stepsPerPiece)
      && whole.count < Self.capacity && judgements.count <= 1 << 24
      && (0...most).contains(position)
      && losses.allSatisfy {
        (1...1 << 40).contains($0.steps) && (0...most).contains($0.epochs)
          && (1...1e30).contains($0.weight)
      }
      && judgements.allSatisfy { (0...most).contains($0.epochs) }
  }

  /// The losses of whole epochs if there are at least 8, else of steps.
  package var readableLosses: [Piece] {
    guard position >= 8, Double(losses.count) > position else { return losses }
    return losses.reduce(into: []) { epochs, piece in
      if let last = epochs.last, last.epochs.rounded(.up) == piece.epochs.rounded(.up) {
        epochs[epochs.count - 1].append(piece)
      } else {
        epochs.append(piece)
      }
    }
  }
}

extension TrainingCurve {
  /// The number of epochs between two judgements of the watched slices, so that judging takes at
  /// most a tenth of the arithmetic of training, or 30 billion multiplications if that is more.
  ///
  /// It does not depend on a clock: the same session judges at the same steps everywhere.
  ///
  /// - Parameters:
  ///   - epochs: The number of epochs in the training.
  ///   - epochPixels: The number of pixels that an epoch trains on.
  ///   - judgedPixels: The number of pixels that are judged.
  ///   - parameters: The number of the network's parameters, about the multiplications for a pixel
  ///     in one pass.
  /// - Returns: The number of epochs from one judgement to the next, at least 1.
  package static func judgingInterval(
    epochs: Int, epochPixels: Int, judgedPixels: Int, parameters: Int
  ) -> Int {
    // A step costs a forward pass and two backward passes.
    let training = 3 * Double(epochPixels) * Double(epochs) * Double(parameters)
    let judging = Double(judgedPixels) * Double(epochs) * Double(parameters)
    let interval = (judging / max(training / 10, 3e10)).rounded(.up)
    return max(1, Int(min(interval, Double(max(1, epochs)))))
  }
}

extension TrainingCurve.Piece {
  /// Decodes a piece; one of version 0.1, which has no weight, gets the number of its steps.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    epochs = try values.decode(Double.self, forKey: .epochs)
    steps = try values.decode(Int.self, forKey: .steps)
    mean = try values.decode(Double.self, forKey: .mean)
    low = try values.decode(Double.self, forKey: .low)
    high = try values.decode(Double.self, forKey: .high)
    weight = try values.decodeIfPresent(Double.self, forKey: .weight) ?? Double(steps)
  }
}
