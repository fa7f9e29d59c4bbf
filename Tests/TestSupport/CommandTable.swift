package import CommandLanguage

/// The rules for a table of commands.
package enum CommandTable {
  /// The faults of a table, one a line; empty for a good one.
  package static func faults(in specs: [CommandSpec]) -> [String] {
    let counts = Dictionary(specs.map { ($0.name, 1) }, uniquingKeysWith: +)
    let repeated = counts.filter { $0.value > 1 }.keys.sorted().map { "\($0): is there twice" }
    return repeated
      + specs.flatMap { spec in faults(of: spec, in: specs).map { "\(spec.name): \($0)" } }
  }

  private static func faults(of spec: CommandSpec, in specs: [CommandSpec]) -> [String] {
    var faults: [String] = []
    let words = spec.name.split(separator: " ", omittingEmptySubsequences: false)
    if !(1...2).contains(words.count) || words.contains(where: \.isEmpty)
      || spec.name != spec.name.lowercased()
    {
      faults.append("the name is not one or two words in lower case")
    }
    if spec.summary.isEmpty || spec.summary.count > 72 || spec.summary.contains("\n") {
      faults.append("the summary is not one line of at most 72 columns")
    }
    if spec.examples.isEmpty { faults.append("there is no example") }
    for name in spec.seeAlso where !specs.contains(where: { $0.name == name }) {
      faults.append("see also names \"\(name)\", which is no command")
    }
    return faults + parameterFaults(of: spec)
      + spec.examples.compactMap { fault(of: $0, in: specs, for: spec) }
  }

  // MARK: - Parameters

  private static func parameterFaults(of spec: CommandSpec) -> [String] {
    var faults: [String] = []
    let names = spec.parameters.map(\.name)
    if Set(names).count < names.count { faults.append("two parameters have one name") }
    let flags = spec.parameters.filter { $0.position == .flag }.flatMap(\.kind.words)
    if Set(flags).count < flags.count { faults.append("two flags share a word") }
    let places = spec.parameters.filter { $0.position == .word || $0.position == .words }
    for (earlier, later) in zip(places, places.dropFirst()) {
      if earlier.position == .words { faults.append("\(later.name) comes after several words") }
      if earlier.fallback != .required && later.fallback == .required {
        faults.append("\(later.name) is required after the optional \(earlier.name)")
      }
    }
    let tails = spec.parameters.filter { [.rest, .assigned, .command].contains($0.position) }
    if tails.count > 1 { faults.append("two parameters take the end of the line") }
    for parameter in spec.parameters {
      if parameter.help.isEmpty { faults.append("\(parameter.name) has no help") }
      if parameter.position == .key && parameter.name != parameter.name.lowercased() {
        faults.append("the key \(parameter.name) is not in lower case")
      }
    }
    do {
      _ = try Arguments(spec: spec, line: "", nameRange: 0..<0)
    } catch {
      faults.append("a default is wrong: \(error.summary)")
    }
    return faults
  }

  // MARK: - Examples

  /// The first fault in the words of an example; tests with a workspace check that it runs.
  private static func fault(
    of example: CommandExample, in specs: [CommandSpec], for spec: CommandSpec
  ) -> String? {
    var variables = Variables()
    do {
      for line in example.setup {
        let invocation = try Parser(specs, variables: variables).parse(line)
        if let invocation, invocation.spec.name == SessionCommand.let.spec.name,
          let name = invocation.arguments.textIfGiven("name")
        {
          variables.assign(name, invocation.arguments.textIfGiven("value") ?? "")
        }
      }
      let invocation = try Parser(specs, variables: variables).parse(example.line)
      return invocation?.spec.name == spec.name
        ? nil : "the example \"\(example.line)\" is another command"
    } catch {
      return "the example \"\(example.line)\" is wrong: \(error.summary)"
    }
  }
}
