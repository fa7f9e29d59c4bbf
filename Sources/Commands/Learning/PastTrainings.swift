import CommandLanguage
import Foundation
import Ledgers
import Synchronization
import Training

/// The trainings that a session made, found by all inputs that decide them; all copies of a
/// workspace share them.
///
/// A line that runs again with the inputs that it had, because a line before it was edited, takes its
/// result from here. Tensors are shared with the session, and read only when a line looks for them.
final class PastTrainings: Sendable {
  fileprivate struct Entry: Sendable {
    let work: TrainingWork
    /// The workspace before the training, and after it.
    let before: Workspace, after: Workspace
    let outcome: Outcome
    let steps: StepLog?
    let usedBLAS: Bool
    /// The digest of the inputs, once it was computed.
    var digest: String?
  }

  private let entries = Mutex<[Entry]>([])
  /// Whether lines run again now, and may take results from here.
  fileprivate let isOpen = Atomic<Bool>(false)
  private static let capacity = 64

  /// Adds a training; the oldest are dropped while all hold more memory than `undo` may.
  fileprivate func add(_ entry: Entry) {
    let rules = UndoRules<Workspace>.workspace
    entries.withLock { entries in
      entries.append(entry)
      var seen: Set<Int> = []
      var bytes = 0
      let kept = entries.suffix(Self.capacity).reversed().prefix { entry in
        for thing in rules.weigh(entry.before) + rules.weigh(entry.after)
        where seen.insert(thing.identity).inserted {
          bytes += thing.bytes
        }
        return bytes <= rules.budget
      }
      entries = kept.reversed()
    }
  }

  /// The training with the inputs of `work` on `workspace`; nil if none had.
  fileprivate func entry(_ work: TrainingWork, on workspace: Workspace) throws -> Entry? {
    try entries.withLock { entries in
      var wanted: String?
      for index in entries.indices.reversed() {
        let past = entries[index].work
        let before = entries[index].before
        guard before.networkLines == workspace.networkLines else { continue }
        let digest = try entries[index].digest ?? before.digest(of: past, place: [:])
        entries[index].digest = digest
        let own = try wanted ?? workspace.digest(of: work, place: [:])
        wanted = own
        if digest == own { return entries[index] }
      }
      return nil
    }
  }
}

extension Workspace {
  /// Keeps the trainings of the session from now on, so that lines that run again take them.
  package mutating func keepPastTrainings() { pastTrainings = pastTrainings ?? PastTrainings() }

  /// Lets trainings take the results of former ones, or ends that.
  package func reusePastTrainings(_ isOn: Bool) {
    pastTrainings?.isOpen.store(isOn, ordering: .relaxed)
  }

  /// Takes over the result of a training of this session that had the same inputs; nil if none had.
  mutating func takePastTraining(_ work: TrainingWork) throws -> Outcome? {
    guard let pastTrainings, pastTrainings.isOpen.load(ordering: .relaxed), canBeKept(work),
      let past = try pastTrainings.entry(work, on: self)
    else { return nil }
    let after = past.after
    (network, trainer, unfinished) = (after.network, after.trainer, after.unfinished)
    (weightsInUse, lastPass, inspected) = (after.weightsInUse, after.lastPass, after.inspected)
    (curves, film, denoised) = (after.curves, after.film, after.denoised)
    trace(past.steps, usedBLAS: past.usedBLAS)
    var outcome = past.outcome
    outcome.isTrainedBefore = true
    return outcome
  }

  /// Keeps a training that has just been made, with the workspace before it.
  func remember(
    _ work: TrainingWork, on inputs: Workspace, _ outcome: Outcome, usedBLAS: Bool
  ) {
    guard let pastTrainings, canBeKept(work), !outcome.wasInterrupted else { return }
    var (before, after) = (inputs, self)
    UndoRules<Workspace>.workspace.strip(&before)
    (before.pastTrainings, after.pastTrainings) = (nil, nil)
    pastTrainings.add(
      .init(
        work: work, before: before, after: after, outcome: outcome, steps: tracing?.steps,
        usedBLAS: usedBLAS))
  }
}
