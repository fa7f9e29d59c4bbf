/// A parameter of a command.
package struct Parameter: Hashable, Sendable {
  /// The way in which a parameter is given in the line.
  package enum Position: Hashable, Sendable {
    /// A word in its place: `load PATH`.
    case word
    /// One word or more: `panel NAME…`.
    case words
    /// `key=value`, anywhere: `sigma=40HU`.
    case key
    /// A bare word from the choices of its kind, anywhere: `fixed|fresh`.
    case flag
    /// All words that are not `key=value` of a declared key: `expect A OP B within=1%`.
    case rest
    /// The text after an `=`: `let NAME = VALUE`.
    case assigned
    /// The rest of the line, unchanged, as a command of its own: `fails COMMAND…`.
    case command
  }

  /// The value of a parameter that is not given.
  package enum Default: Hashable, Sendable {
    /// It must be given.
    case required
    /// It may be left out and then has no value; the text says what happens then.
    case absent(String)
    /// It has this value, written as one would type it.
    case value(String)
  }

  /// The key, or the name of a word in help.
  package let name: String
  package let position: Position
  package let kind: ParameterKind
  package let fallback: Default
  /// Its meaning and unit, in a few words.
  package let help: String

  /// A word in its place.
  package static func word(
    _ name: String, _ kind: ParameterKind, _ help: String, default fallback: Default = .required
  ) -> Parameter {
    Parameter(name: name, position: .word, kind: kind, fallback: fallback, help: help)
  }

  /// One word or more; none at all when there is a default.
  package static func words(
    _ name: String, _ kind: ParameterKind, _ help: String, default fallback: Default = .required
  ) -> Parameter {
    Parameter(name: name, position: .words, kind: kind, fallback: fallback, help: help)
  }

  /// A `key=value`.
  package static func key(
    _ name: String, _ kind: ParameterKind, _ help: String, default fallback: Default = .absent("")
  ) -> Parameter {
    Parameter(name: name, position: .key, kind: kind, fallback: fallback, help: help)
  }

  /// A bare word from a few.
  package static func flag(
    _ name: String, _ choices: [String], _ help: String, default fallback: Default = .absent("")
  ) -> Parameter {
    Parameter(name: name, position: .flag, kind: .choice(choices), fallback: fallback, help: help)
  }

  /// The remaining words as one text.
  package static func rest(
    _ name: String, _ help: String, default fallback: Default = .required
  ) -> Parameter {
    Parameter(
      name: name, position: .rest, kind: .text(placeholder: name.uppercased()), fallback: fallback,
      help: help)
  }

  /// The text after an `=`.
  package static func assigned(
    _ name: String, _ help: String, default fallback: Default = .required
  ) -> Parameter {
    Parameter(
      name: name, position: .assigned, kind: .text(placeholder: name.uppercased()),
      fallback: fallback, help: help)
  }

  /// The rest of the line, unchanged, as a command of its own.
  package static func command(_ name: String, _ help: String) -> Parameter {
    Parameter(
      name: name, position: .command, kind: .text(placeholder: name.uppercased()),
      fallback: .required, help: help)
  }

  /// The rest of the line, unchanged, as a command of its own that may be left out.
  package static func commandIfGiven(
    _ name: String, _ help: String, _ otherwise: String
  ) -> Parameter {
    Parameter(
      name: name, position: .command, kind: .text(placeholder: name.uppercased()),
      fallback: .absent(otherwise), help: help)
  }

  /// The parameter in the syntax line of help.
  package var syntax: String {
    let body: String
    switch position {
    case .word: body = wordSyntax
    case .words: body = "\(wordSyntax)…"
    case .key:
      body = "\(name)=\(valueSyntax)"
    case .flag: body = kind.placeholder
    case .rest, .command: body = "\(name.uppercased())…"
    case .assigned: body = "= \(name.uppercased())"
    }
    return fallback == .required ? body : "[\(body)]"
  }

  /// A key's default with the other choices after it, or the placeholder of its value.
  private var valueSyntax: String {
    guard case .value(let value) = fallback else { return kind.placeholder }
    switch kind {
    case .choice, .yesNo:
      let others = kind.placeholder.split(separator: "|").filter { $0 != value }
      return ([value] + others.map(String.init)).joined(separator: "|")
    default: return value
    }
  }

  /// A word's choices, or its name in capitals.
  private var wordSyntax: String {
    switch kind {
    case .choice, .yesNo: kind.placeholder
    default: name.uppercased()
    }
  }
}

extension Parameter {
  /// The key `replace=` of commands that write files: whether an existing file may be replaced.
  package static let replace = Parameter.key(
    "replace", .yesNo, "write over a file that this session did not write", default: .value("no"))
}
