/// The first difference between a session's tensors and the recorded ones.
package struct Parting: Hashable, Sendable {
  /// The number of the command, from 1, and its text.
  package let number: Int
  package let command: String
  /// The training step of the difference; nil if unknown.
  package let step: StepLog.Parting?
  package let tensor: String
  package let shape: [Int]
  /// The first element that differs; nil when only one side changed the tensor.
  package let element: ElementDifference?

  init(
    _ entry: LedgerEntry, _ step: StepLog.Parting?, tensor: String, shape: [Int],
    _ element: ElementDifference?
  ) {
    (number, command) = (entry.number, entry.command)
    (self.step, self.tensor, self.shape, self.element) = (step, tensor, shape, element)
  }

  /// The difference of a command that changed a tensor here, but not in the record.
  package init(onlyHere entry: LedgerEntry) {
    let first = entry.tensors.first
    self.init(entry, nil, tensor: first?.name ?? "loss", shape: first?.shape ?? [], nil)
  }

  /// The recorded and the found values, as texts.
  package var words: (recorded: String, found: String) {
    if let element {
      let words = element.words(of: tensor, shape: shape)
      return (words.recorded, words.found)
    }
    if let step, step.tensor == tensor {
      return ("loss \(step.recordedLoss)", "loss \(step.foundLoss)")
    }
    return ("\(tensor) as the ledger has it", "\(tensor) changed in one of both only")
  }

  /// Further facts: the training step, and the distance.
  package var note: String {
    var parts = ["\(tensor) is the first tensor that differs from the ledger"]
    if let distance = element?.words(of: tensor, shape: shape).distance { parts.append(distance) }
    if let step {
      let place =
        step.step == step.lastEqual + 1
        ? "in step \(step.step)"
        : "after step \(step.lastEqual), in step \(step.step) at the latest"
      parts.append(
        "the training first differs \(place), in \(step.tensor): loss \(step.recordedLoss) "
          + "recorded, \(step.foundLoss) found")
    }
    return parts.joined(separator: "; ")
  }

  /// The element's position along each axis; nil if unknown.
  package var place: [Int]? {
    if case .element(let index, _, _)? = element {
      ElementDifference.place(index, in: shape)
    } else {
      nil
    }
  }

  /// The number of floating-point steps between both values; nil if unknown.
  package var ulps: Int? {
    if case .element(_, let recorded, let found)? = element {
      ElementDifference.distance(recorded, found)
    } else {
      nil
    }
  }
}
