import CommandLanguage
import Commands
import Foundation
import Testing

/// Every command of the table, in its default form and with every key: what a checkpoint, `undo`, a
/// saved session bring back is what there was.
struct StateWalkTests {
  /// A line, after the lines that it needs.
  struct Walk: CustomTestStringConvertible, Sendable {
    let setup: [String]
    let line: String
    var testDescription: String { line }
  }

  /// A session in which everything has a state.
  private static let prelude = [
    "set seed=5", "phantom size=24 slices=2 patients=3", "noise gaussian sigma=40HU",
    "block channels=2", "block channels=2", "conv", "optimizer adam lr=0.01 as=fast",
    "flow dilated rate=0.05 as=mild", "flow standard", "train steps=2 batch=2 patch=16",
    "tensor t = 3", "tensor u = t*t + t", "backward u", "break loss < 0", "quiz t.grad",
  ]

  static let walks = commandTable.flatMap { walks(of: $0.spec) }

  /// The forms of a command: its examples, its first example without keys, and with each key.
  private static func walks(of spec: CommandSpec) -> [Walk] {
    guard let example = spec.examples.first, spec.name != "quit" else { return [] }
    let keys = spec.parameters.filter { $0.position == .key || $0.position == .flag }
    let setup = spec.examples.map(\.setup).max { $0.count < $1.count } ?? []
    let bare = example.line.split(separator: " ").filter { word in
      !keys.contains { key in
        key.position == .key
          ? word.hasPrefix(key.name + "=") : key.kind.words.contains(String(word))
      }
    }.joined(separator: " ")
    var walks = spec.examples.map { Walk(setup: $0.setup, line: $0.line) }
    walks.append(Walk(setup: setup, line: bare))
    for key in keys {
      for value in values(of: key.kind) {
        let word = key.position == .flag ? value : "\(key.name)=\(value)"
        walks.append(Walk(setup: setup, line: "\(bare) \(word)"))
      }
    }
    return walks
  }

  /// Some values of a kind.
  private static func values(of kind: ParameterKind) -> [String] {
    switch kind {
    case .number(let units, let bounds):
      let plain = [0.5, 2, 100, 0].filter(bounds.contains).prefix(2).map { "\($0)" }
      return plain + units.prefix(1).flatMap { unit in plain.prefix(1).map { $0 + unit.rawValue } }
    case .integer(let range, let odd):
      let from = max(range.lowerBound, 0)
      let candidates = [from, from + 1, from + 2, 3].filter {
        range.contains($0) && (!odd || !$0.isMultiple(of: 2))
      }
      return Set(candidates).sorted().prefix(2).map(String.init)
    case .choice(let words):
      return words.map { $0.contains(":") ? "\($0.prefix { $0 != ":" }):2" : $0 }
    case .yesNo: return ["yes", "no"]
    case .duration: return ["60s"]
    case .size: return ["1GiB"]
    case .interval: return ["0..2"]
    case .integerInterval: return ["0..1"]
    case .path: return ["made"]
    case .thing: return ["clean[0]"]
    case .helpTitle: return ["train"]
    case .text(let placeholder):
      return ["SHARE|KIND:LIST": ["0.5", "patient:1"], "bK": ["b1"]][placeholder] ?? ["named"]
    case .list(let element): return values(of: element)
    case .either(let kinds): return kinds.flatMap { values(of: $0) }
    }
  }

  /// A session after the prelude and the setup of a walk.
  private func session(_ walk: Walk, in folder: URL? = nil) throws -> TestSession {
    let session = TestSession(sessionFolder: folder)
    try session.run(lines: Self.prelude)
    for line in walk.setup { _ = try? session.run(line) }
    return session
  }

  private func differences(_ state: SessionState, _ other: SessionState) -> [String] {
    state.kept.differences(from: other.kept) + state.passing.differences(from: other.passing)
  }

  /// The lines and weights of the network in use.
  private func network(_ session: TestSession) -> String? {
    let kept = session.runner.workspace.state.kept
    guard let name = kept.first(where: { $0.name == "the network in use" })?.text else {
      return nil
    }
    return kept.first { $0.name == "the network \(name)" }?.text
  }

  /// Expects that a line changed no part but those of its table entry, which make its state from the former one.
  private func expectDeclared(
    _ spec: CommandSpec?, _ walk: Walk, _ former: Workspace, _ after: Workspace
  ) {
    let declared = spec?.effect.changes ?? []
    let changed = SessionPart.allCases.filter { part in
      former.state(of: [part]) != after.state(of: [part])
    }
    #expect(Set(changed).subtracting(declared) == [], "\(walk.line) changes more than declared")
    var kept = former
    kept.take(declared, from: after)
    #expect(differences(kept.state, after.state) == [], "\(walk.line), taken over")
  }

  @Test(arguments: walks)
  func `a session is the same after checkpoint and restore, undo, and save and run`(
    _ walk: Walk
  ) throws {
    let session = try session(walk)
    let former = session.runner.workspace
    let before = former.state
    let variables = session.variables
    let spec = commandTable.first { $0.spec.name == session.name(of: walk.line) }?.spec
    let isRecorded = spec?.isRecorded
    guard (try? session.run(walk.line)) != nil else {
      // A line that is refused changes nothing, but for a training that was stopped.
      let lost = differences(before, session.runner.workspace.state)
      #expect(lost == [] || walk.line.hasPrefix("train"), "after the refused \(walk.line)")
      return
    }
    let after = session.runner.workspace.state
    if isRecorded == true { expectDeclared(spec, walk, former, session.runner.workspace) }
    if after == before, session.variables == variables { return }

    try session.run("checkpoint walked")
    #expect(session.runner.workspace.state == after, "a checkpoint changes nothing")
    let restored = TestSession(sessionFolder: session.folder)
    let outcome = try restored.run("restore walked")
    #expect(outcome.warnings == [])
    #expect(after.kept.differences(from: restored.runner.workspace.state.kept) == [], "restored")

    if (try? session.run("net save walked.safetensors")) != nil {
      let loaded = TestSession(sessionFolder: session.folder)
      try loaded.run("net load walked.safetensors")
      #expect(network(loaded) == network(session))
      try session.run("undo")
    }

    try session.run("session save walked")
    let again = TestSession(sessionFolder: session.folder)
    try again.run("run walked")
    #expect(differences(after, again.runner.workspace.state) == [], "saved and run")

    if isRecorded == true, walk.line != "undo" {
      // The checkpoint is recorded, too.
      try session.run(lines: ["undo", "undo"])
      #expect(differences(before, session.runner.workspace.state) == [], "undone")
      #expect(session.variables == variables)
    }
  }

  @Test func `the walk meets every command and key`() {
    let names = Set(commandTable.map(\.spec.name)).subtracting(["quit"])
    #expect(Self.walks.count > 3 * names.count)
    for spec in commandTable.map(\.spec) where spec.name != "quit" {
      let lines = Self.walks.map(\.line).filter { $0.hasPrefix(spec.name) }
      for key in spec.parameters where key.position == .key {
        #expect(lines.contains { $0.contains("\(key.name)=") }, "\(spec.name) \(key.name)")
      }
    }
  }
}

extension TestSession {
  /// The command that a line names.
  fileprivate func name(of line: String) -> String {
    let words = line.split(separator: " ").map(String.init)
    let pair = words.prefix(2).joined(separator: " ")
    return commandTable.contains { $0.spec.name == pair } ? pair : words.first ?? ""
  }
}
