import CommandLanguage
import Networks
import Training

extension Workspace {
  /// Takes the last, the best or the averaged weights of the training of the network in use.
  mutating func use(
    _ weights: TrainedWeights, _ arguments: Arguments
  ) throws(CommandError) -> Outcome {
    guard let trainer, trainer.network(weights) != nil else {
      let cure =
        switch weights {
        case .last: "train first, for example 'train epochs=5'"
        case .best: "'train keep=best' keeps them; it needs validation slices"
        case .average: "'train average=0.999' keeps them"
        }
      throw arguments.error(
        at: "name", .state, "no training of \(networkName) has kept \(weights.rawValue) weights",
        hint: cure)
    }
    take(trainer, weights)
    let words: OutputLine =
      switch weights {
      case .last: "the weights after the last update"
      case .best: trainer.kept.best.map { bestWords($0) } ?? "the best weights"
      case .average: "the average of the weights over the updates of the training"
      }
    return Outcome(
      "\(weights.rawValue)  \(words)",
      result: ["name": .string(networkName), "weights": .string(weights.rawValue)])
  }

  /// `the weights after epoch 3, validation loss 0.00213`.
  func bestWords(_ best: BestState) -> OutputLine {
    "the weights after epoch \(best.epoch), validation loss \(best.loss, significant: 4)"
  }
}
