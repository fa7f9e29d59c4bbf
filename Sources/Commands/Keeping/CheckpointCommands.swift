import CommandLanguage
import Foundation
import Networks
import Training

extension Command<Workspace> {
  private static let ending = ".checkpoint"
  private static let small = [
    "phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=2", "conv",
    "train steps=3",
  ]

  static let checkpoint = Command(
    CommandSpec(
      "checkpoint", family: .keeping,
      summary: "Write all that the session needs to go on later.",
      details: """
        The file NAME\(ending) holds every network with its optimizer's memory and its place in the \
        data, the last pass, the curves, settings and seeds, and the lines that made the data with \
        the data's fingerprints, but no image. A training that goes on after 'restore' gives the same \
        bits as one that was never left. Typed numbers, breakpoints, the quiz, an open pass, baseline, \
        figures, what an animation shows of a training, variables and limits are not in it; a remark \
        says so where there are some. A phantom is made again without its files. What is written is \
        restored once to see that it can be: a checkpoint that would lose something else is refused. \
        The file is written whole or not at all.
        """,
      parameters: [
        .word("name", .path, "the file, with or without \(ending)"), Parameter.replace,
      ],
      examples: [CommandExample("checkpoint halfway", after: small)],
      seeAlso: ["restore", "undo", "net save", "session save"])
  ) { arguments, workspace, context in
    let path = try checkpointPath(arguments)
    let data = try SessionRecord.encode(workspace)
    let doubt = try SessionRecord.doubt(data, of: workspace, path: path, context)
    let place = try arguments.write(data, to: path, in: workspace.files, named: "name")
    var outcome = workspace.describeCheckpoint("saved", path, at: place)
    outcome.add(file: path, at: place)
    if let doubt { outcome.warn(doubt) }
    outcome.warnings += workspace.wildWeights
    let passing = workspace.state.passing.map(\.name)
    if !passing.isEmpty {
      outcome.remarks.append("not in a checkpoint: \(passing.joined(separator: ", "))")
    }
    return outcome
  }

  static let restore = Command(
    CommandSpec(
      "restore", family: .keeping,
      summary: "Take the session up again from a checkpoint.",
      details: """
        The data are made again by the lines that made them, unless they are there, and must have the \
        recorded fingerprints. These lines come from a file: they read what a script may read, and \
        write nothing. Typed numbers, breakpoints, the quiz and limits stay as they are. A file that \
        was cut off or altered, or whose data are others now, changes nothing.
        """,
      parameters: [.word("name", .path, "the file, with or without \(ending)")],
      examples: [
        CommandExample("restore halfway", after: small + ["checkpoint halfway", "train steps=2"])
      ],
      seeAlso: ["checkpoint", "undo", "continue"], runsInPass: false, effect: .unknown)
  ) { arguments, workspace, context in
    let path = try checkpointPath(arguments)
    do {
      let place = try workspace.files.reading(path)
      try workspace.requireMemoryToRead(place, called: path)
      let file = try CheckpointFile(path: place, name: path)
      workspace = try SessionRecord.restore(file, into: workspace, source: path, context)
      var outcome = workspace.describeCheckpoint("restored", path)
      outcome.warnings = workspace.wildWeights
      return outcome
    } catch {
      let cause = commandError(error)
      guard cause.status != .interrupted else { throw cause }
      throw arguments.error(at: "name", cause, status: .badInput)
    }
  }

  private static func checkpointPath(_ arguments: Arguments) throws(CommandError) -> String {
    let path = try arguments.path("name")
    return path.lowercased().hasSuffix(ending) ? path : path + ending
  }
}

extension Workspace {
  /// Throws when the bytes of a file, and the tensors made of them, are more than one command may
  /// take.
  func requireMemoryToRead(_ place: String, called path: String) throws {
    let attributes = try FileManager.default.attributesOfItem(atPath: place)
    try requireMemory(
      3 * (attributes[.size] as? Int ?? 0), for: path, hint: "choose a smaller file")
  }

  /// One line: `saved  halfway.checkpoint  main 2 layers · 39 parameters · 3 updates`.
  fileprivate func describeCheckpoint(
    _ verb: String, _ path: String, at place: String? = nil
  ) -> Outcome {
    let updates = trainer?.step ?? 0
    let count = network.layers.count
    return Outcome(
      """
      \(verb)  \(file: path, at: place)  \(networkNames.joined(separator: ", "))  \
      \(count, "layer") · \(network.parameterCount) parameters · \
      \(updates, "update")
      """,
      result: [
        "path": .string(path), "networks": .list(networkNames) { .string($0) },
        "parameters": .integer(network.parameterCount), "updates": .integer(updates),
      ])
  }
}
