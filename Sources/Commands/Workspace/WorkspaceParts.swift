import CT
package import CommandLanguage
import Figures
import Foundation
import Tensors

/// The parts of a workspace, so that lines which an edit does not reach keep what they changed.
extension Workspace {
  /// Whether a part is as in another workspace; false, too, where that cannot be told.
  package func isSame(_ part: SessionPart, as other: Workspace) -> Bool {
    switch part {
    case .numbers where computationWalk != nil || other.computationWalk != nil: return false
    case .pass where stepper != nil || other.stepper != nil: return false
    case .network where initializer != other.initializer: return false
    case .settings: return settings.deciding == other.settings.deciding
    case .clean where Self.share(clean, other.clean),
      .noisy where Self.share(noisyStack, other.noisyStack) && noiseWords == other.noiseWords:
      return recipe.isSame(part, as: other.recipe)
    default: break
    }
    var parts: Set = [part]
    // Networks that are not in use come with their trainings.
    if part == .network, !parked.isEmpty || !other.parked.isEmpty {
      parts.formUnion([.training, .pass])
    }
    return recipe.isSame(part, as: other.recipe) && state(of: parts) == other.state(of: parts)
  }

  /// Whether two stacks share their memory, which is faster to tell than whether they are equal.
  private static func share(_ stack: ImageStack?, _ other: ImageStack?) -> Bool {
    guard let stack, let other else { return stack == nil && other == nil }
    func address(_ stack: ImageStack) -> UnsafeRawPointer? {
      stack.values.scalars.withUnsafeBytes(\.baseAddress)
    }
    return address(stack) == address(other) && stack.values.shape == other.values.shape
      && stack.unit == other.unit && stack.origins == other.origins && stack.mask == other.mask
  }

  /// Takes parts from another workspace; what can be computed again is dropped.
  package mutating func take(_ parts: Set<SessionPart>, from other: Workspace) {
    guard !parts.isEmpty else { return }
    let own = self
    func source(_ part: SessionPart) -> Workspace { parts.contains(part) ? other : own }
    // Observers clear what depends on a value, so that comes after it.
    settings = source(.settings).settings
    files.disk.takeLimit(of: source(.settings).files.disk)
    clean = source(.clean).clean
    (noise, noisyStack) = (source(.noisy).noise, source(.noisy).noisyStack)
    scaleRule = source(.scale).scaleRule
    split = source(.split).split
    windowRule = source(.window).windowRule
    recipe.take(parts, from: other.recipe)
    takeNetwork(source(.network), training: source(.training))
    let pass = source(.pass)
    (lastPass, stepper, breakpoints) = (pass.lastPass, pass.stepper, pass.breakpoints)
    quiz = pass.quiz
    let numbers = source(.numbers)
    (computation, computationWalk) = (numbers.computation, numbers.computationWalk)
    (baseline, figures) = (source(.figures).baseline, source(.figures).figures)
    markTraced()
  }

  private mutating func takeNetwork(_ other: Workspace, training: Workspace) {
    (loss, optimizer) = (training.loss, training.optimizer)
    (namedOptimizers, namedFlows) = (training.namedOptimizers, training.namedFlows)
    (flow, gradientNoise) = (training.flow, training.gradientNoise)
    (network, networkName) = (other.network, other.networkName)
    (initializer, networkSeed, parked) = (other.initializer, other.networkSeed, other.parked)
    (trainer, unfinished) = (training.trainer, training.unfinished)
    weightsInUse = training.weightsInUse
    (curves, film) = (training.curves, training.film)
  }

  /// Whether two moments that follow each other differ in a picture's name, and a third has another
  /// count of it than the first.
  package static func namesDiffer(
    in present: Workspace, before: Workspace, after: Workspace
  ) -> Bool {
    after.pictureNames.contains { name, count in
      before.pictureNames[name] != count && before.pictureNames[name] != present.pictureNames[name]
    }
  }

  /// Takes the names that pictures have got between two moments of another workspace, and the files
  /// that the line there wrote, as its own.
  package mutating func takeNames(
    before: Workspace, after: Workspace, files places: [String]
  ) {
    for (name, count) in after.pictureNames where before.pictureNames[name] != count {
      pictureNames[name] = count
    }
    files.keep(places)
  }
}

extension Settings {
  /// The settings that decide what a line gives.
  fileprivate var deciding: Settings {
    var deciding = self
    (deciding.pictures, deciding.hints) = (.auto, true)
    return deciding
  }
}
