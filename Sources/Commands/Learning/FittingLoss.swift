import CommandLanguage
import Networks
import Tensors

extension Workspace {
  /// Throws when images with a side of `side` pixels are too small for the loss.
  func requireFittingLoss(_ side: Int) throws(CommandError) {
    guard side < loss.smallestSide else { return }
    let least = "\(loss.smallestSide)×\(loss.smallestSide)"
    throw CommandError(
      .state,
      "'\(loss.line)' compares windows of \(least) pixels, and the images have \(side) on a side",
      hint: "take slices and patches from \(least) on, or another loss: loss l1")
  }
}
