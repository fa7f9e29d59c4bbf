/// How loss and PSNR went during one training, from its first step on.
///
/// Losses of steps are kept as they are up to a bound; in longer trainings, two neighbors become
/// one piece again and again, so that memory stays small and the picture the same.
package struct TrainingCurve: Hashable, Sendable, Codable {
  /// The losses of some steps in a row.
  package struct Piece: Hashable, Sendable, Codable {
    /// Epochs since the training began, after the last of the steps.
    package var epochs: Double
    package var steps: Int
    package var mean: Double, low: Double, high: Double
    /// How much the mean weighs beside those of other pieces.
    var weight: Double

    fileprivate mutating func append(_ next: Piece) {
      let total = weight + next.weight
      mean = (mean * weight + next.mean * next.weight) / total
      // A NaN must not hide behind a comparison.
      low = next.low.isNaN ? next.low : low.isNaN ? low : Swift.min(low, next.low)
      high = next.high.isNaN ? next.high : high.isNaN ? high : Swift.max(high, next.high)
      (steps, weight, epochs) = (steps + next.steps, total, next.epochs)
    }
  }

  /// The mean PSNR of the watched slices.
  package struct Judgement: Hashable, Sendable, Codable {
    /// Epochs since the training began.
    package let epochs: Double
    /// In dB.
    package let psnr: Double
  }

  /// The number of the training within its session, from 1.
  package let number: Int
  /// The name of the network that trained.
  package let network: String
  /// What else tells the training from others: its flow and optimizer.
  package let setting: String
  /// Which slices are watched: `validation` or `training`.
  package let watched: String
  /// The PSNR of the watched slices before any denoising, in dB.
  package let noisyPSNR: Double
  package private(set) var judgements: [Judgement] = []
  private var whole: [Piece] = []
  /// The steps that make a piece, and one that is not whole yet.
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

  /// Epochs since the training began.
  package var epochs: Double { position }

  /// Whether the last step ended an epoch.
  package var isAtEpochEnd: Bool { position == position.rounded() }

  /// Adds the loss of a step that is `part` of an epoch and weighs so much in a mean.
  package mutating func add(loss: Double, weight: Double, part: Double) {
    let sum = position + part
    // Thirds of an epoch must sum up to whole ones.
    position = abs(sum - sum.rounded()) < 1e-6 ? sum.rounded() : sum
    let piece = Piece(epochs: position, steps: 1, mean: loss, low: loss, high: loss, weight: weight)
    if partial == nil { partial = piece } else { partial?.append(piece) }
    guard let made = partial, made.steps >= stepsPerPiece else { return }
    whole.append(made)
    partial = nil
    if whole.count == Self.capacity { halve() }
  }

  /// Adds the PSNR after the last step, unless it is there already.
  package mutating func add(psnr: Double) {
    guard judgements.last?.epochs != position else { return }
    judgements.append(Judgement(epochs: position, psnr: psnr))
  }

  /// A new epoch begins, even if the last one was left in the middle.
  package mutating func beginEpoch() { position = position.rounded(.up) }

  private mutating func halve() {
    whole = stride(from: 0, to: whole.count, by: 2).map { index in
      var piece = whole[index]
      piece.append(whole[index + 1])
      return piece
    }
    stepsPerPiece *= 2
  }

  /// The readable losses, neighbors joined until there are at most `count`.
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

  /// Whether the numbers can be those of a curve, wherever they come from.
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

  /// The losses of whole epochs, where there are enough; else of steps.
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
  /// After how many epochs the watched slices are judged, so that judging takes at most a tenth of
  /// the arithmetic of training, or 30 billion multiplications if that is more.
  ///
  /// No clock has a say: the same session judges at the same steps everywhere.
  ///
  /// - Parameters:
  ///   - epochs: All epochs of the training.
  ///   - epochPixels: The pixels that an epoch trains on.
  ///   - judgedPixels: The pixels that are judged.
  ///   - parameters: Of the network: multiplications for a pixel in one pass.
  /// - Returns: The number of epochs from one judgement to the next, at least 1.
  package static func judgingInterval(
    epochs: Int, epochPixels: Int, judgedPixels: Int, parameters: Int
  ) -> Int {
    // A step is a forward pass and two passes back.
    let training = 3 * Double(epochPixels) * Double(epochs) * Double(parameters)
    let judging = Double(judgedPixels) * Double(epochs) * Double(parameters)
    let interval = (judging / max(training / 10, 3e10)).rounded(.up)
    return max(1, Int(min(interval, Double(max(1, epochs)))))
  }
}

extension TrainingCurve.Piece {
  /// Decodes a piece; one of version 0.1, which has no weight, weighs as much as its steps.
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
