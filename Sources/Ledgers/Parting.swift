/// The first place in which a session's tensors are others than recorded.
package struct Parting: Hashable, Sendable {
  /// The number of the command, from 1, and its text.
  package let number: Int
  package let command: String
  /// The training step, when one is known.
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

  /// A command that changed a tensor here, and none of the record.
  package init(onlyHere entry: LedgerEntry) {
    let first = entry.tensors.first
    self.init(entry, nil, tensor: first?.name ?? "loss", shape: first?.shape ?? [], nil)
  }

  /// What the record holds and what was found in its place.
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

  /// What else is known: the training step, and the distance.
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

  /// The element's position along each axis, if one is known.
  package var place: [Int]? {
    if case .element(let index, _, _)? = element {
      ElementDifference.place(index, in: shape)
    } else {
      nil
    }
  }

  /// How many floating-point numbers lie between both values, if they are known.
  package var ulps: Int? {
    if case .element(_, let recorded, let found)? = element {
      ElementDifference.distance(recorded, found)
    } else {
      nil
    }
  }
}
