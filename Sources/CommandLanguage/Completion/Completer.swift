/// Finds possible continuations of a line, from the command table and the names in the session.
package struct Completer {
  /// A file or folder.
  package struct Entry: Hashable, Sendable {
    package let name: String
    package let isFolder: Bool

    package init(_ name: String, isFolder: Bool = false) {
      (self.name, self.isFolder) = (name, isFolder)
    }
  }

  private let specs: [CommandSpec]
  private let topics: [HelpTopic]
  private let variables: Variables
  private let names: () -> [Candidate]
  private let entries: (String) -> [Entry]

  /// Makes a completer.
  ///
  /// - Parameters:
  ///   - specs: The command table.
  ///   - topics: The topics that help explains.
  ///   - variables: The variables of `let`.
  ///   - names: The names in the session, computed only where one may stand.
  ///   - entries: The entries of a folder, given as typed; the empty name is the working directory.
  package init(
    specs: [CommandSpec], topics: [HelpTopic] = [], variables: Variables = Variables(),
    names: @escaping () -> [Candidate] = { [] },
    entries: @escaping (String) -> [Entry] = { _ in [] }
  ) {
    (self.specs, self.topics, self.variables) = (specs, topics, variables)
    (self.names, self.entries) = (names, entries)
  }

  /// The possible continuations of `text`, the line up to the cursor.
  package func completion(of text: String) -> Completion {
    let line = PartialLine(text)
    if line.isInComment {
      var completion = Completion()
      completion.isInText = true
      return completion
    }
    if let variable = variable(in: line) { return variable }
    var completion = command(line)
    completion.isInText = line.current.openQuote != nil
    return completion
  }

  /// A possible text for the word at the cursor.
  private struct Choice {
    /// The word's whole text without quotes.
    let value: String
    /// The entry in the list of candidates.
    let shown: Candidate
    /// Whether the word is complete, so that a space follows.
    let isWhole: Bool

    init(_ value: String, _ description: String, shown: String? = nil, isWhole: Bool = true) {
      self.value = value
      self.shown = Candidate(shown ?? value, description)
      self.isWhole = isWhole
    }
  }

  // MARK: - Variables

  /// The variables that can complete the line's end after `$` or `${`; nil if it ends otherwise.
  private func variable(in line: PartialLine) -> Completion? {
    guard line.current.openQuote != "'" else { return nil }
    let tail = line.characters[line.current.start...]
    let name = tail.reversed().prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
    let before = tail.dropLast(name.count)
    let isBraced = before.last == "{"
    guard (isBraced ? before.dropLast() : before).last == "$" else { return nil }
    let typed = String(name.reversed())
    let choices = variables.values { $0.hasPrefix(typed) }
      .map { Choice($0.name, VisibleText.cut($0.value, to: 200), isWhole: false) }
    var completion = grown(choices, typed: typed, raw: typed, quote: nil, isQuoted: false)
    if isBraced, choices.count == 1 { completion.insertion += "}" }
    if isBraced { completion.insertions = completion.insertions.map { $0 + "}" } }
    return completion
  }

  // MARK: - Commands

  private func command(_ line: PartialLine) -> Completion {
    let words = line.words.map { $0.value.lowercased() }
    guard let first = words.first else { return complete(line, firstWords) }
    let group = specs.filter { $0.name.hasPrefix(first + " ") }
    let single = specs.first { $0.name == first }
    if words.count > 1, let spec = group.first(where: { $0.name == "\(first) \(words[1])" }) {
      return arguments(of: spec, line, given: line.words.dropFirst(2))
    }
    if words.count == 1, !group.isEmpty {
      let seconds = group.map { Choice(String($0.name.dropFirst(first.count + 1)), $0.summary) }
      guard let single, line.current.sign == nil else { return complete(line, seconds) }
      return arguments(of: single, line, given: [], beside: seconds)
    }
    guard let single else { return Completion() }
    return arguments(of: single, line, given: line.words.dropFirst())
  }

  /// The first words of all commands.
  private var firstWords: [Choice] {
    var choices: [Choice] = []
    for spec in specs {
      let word = String(spec.name.prefix { $0 != " " })
      guard !choices.contains(where: { $0.value == word }) else { continue }
      let members = specs.filter { $0.name == word || $0.name.hasPrefix(word + " ") }
      let seconds = members.compactMap { $0.name.split(separator: " ").dropFirst().first }
      let summary = members.first { $0.name == word }?.summary
      choices.append(
        Choice(
          word, summary ?? (members.count == 1 ? spec.summary : seconds.joined(separator: ", "))))
    }
    return choices
  }

  // MARK: - Arguments

  private func arguments(
    of spec: CommandSpec, _ line: PartialLine, given: ArraySlice<PartialLine.Word>,
    beside others: [Choice] = []
  ) -> Completion {
    if spec.parameters.contains(where: { $0.position == .command }) {
      // The words before the command: a number, and how it is taken.
      let count = spec.parameters.count { $0.position == .word }
      let flags = spec.parameters.filter { $0.position == .flag }.flatMap(\.kind.words)
      let rest = given.dropFirst(count).drop { flags.contains($0.value.lowercased()) }
      if given.count < count {
        var completion = Completion()
        let place = spec.parameters.first { $0.position == .word }
        completion.expectation = place.map { "\($0.name.uppercased()): \($0.explanation)" }
        return completion
      }
      let start = rest.first?.start ?? line.current.start
      return completion(of: line.text(from: start))
    }
    let taken = TakenArguments(spec, given)
    if let sign = line.current.sign {
      guard let parameter = spec.parameter(named: line.current.key.lowercased()),
        parameter.position == .key
      else { return Completion() }
      return value(of: parameter, line, from: sign + 1, typed: line.current.valueAfterSign)
    }
    if let key = taken.openKey {
      return value(of: key, line, from: line.current.start, typed: line.current.value)
    }
    let bare = spec.parameters.filter { parameter in
      [.key, .flag].contains(parameter.position) && !taken.names.contains(parameter.name)
    }.flatMap { parameter in
      parameter.position == .key
        ? [Choice(parameter.name + "=", parameter.explanation, isWhole: false)]
        : parameter.kind.words.map { Choice($0, parameter.explanation) }
    }
    guard let place = taken.place else {
      if spec.parameters.contains(where: { $0.position == .rest }) {
        return complete(line, others + things(line.current.value) + bare)
      }
      return complete(line, others + bare)
    }
    let choices = values(place.kind, typed: line.current.value, words: taken.placed)
    var completion = complete(line, others + choices + bare, isQuoted: place.kind == .path)
    completion.expectation =
      choices.isEmpty ? "\(place.name.uppercased()): \(place.explanation)" : nil
    return completion
  }

  /// The possible values after `key=`.
  private func value(
    of parameter: Parameter, _ line: PartialLine, from start: Int, typed: String
  ) -> Completion {
    let choices = values(parameter.kind, typed: typed, words: [])
    var completion = grown(
      choices.filter { matches($0, typed) }, typed: typed, raw: line.text(from: start),
      quote: line.current.openQuote, isQuoted: true)
    if parameter.kind.words.isEmpty || completion.candidates.isEmpty {
      completion.expectation =
        "\(parameter.name): \(parameter.kind.expectation): \(parameter.explanation)"
    }
    return completion
  }

  /// The possible values of a kind that has a list of them.
  private func values(_ kind: ParameterKind, typed: String, words: [String]) -> [Choice] {
    switch kind {
    case .path: return paths(typed)
    case .thing: return things(typed)
    case .helpTitle: return titles(after: words)
    case .list(let inner):
      let start = typed.lastIndex(of: ",").map { typed.index(after: $0) } ?? typed.startIndex
      return values(inner, typed: String(typed[start...]), words: words).map {
        Choice(
          typed[..<start] + $0.value, $0.shown.description, shown: $0.shown.text, isWhole: false)
      }
    case .either(let kinds): return kinds.flatMap { values($0, typed: typed, words: words) }
    default: return kind.words.map { Choice($0, "", isWhole: !$0.hasSuffix(":")) }
    }
  }

  /// The possible next words of a title that help explains.
  private func titles(after words: [String]) -> [Choice] {
    let start = words.map { $0.lowercased() + " " }.joined()
    let titles =
      specs.map { Candidate($0.name, $0.summary) } + topics.map { Candidate($0.name, $0.summary) }
    var choices: [Choice] = []
    for title in titles where title.text.lowercased().hasPrefix(start) {
      let word = String(title.text.dropFirst(start.count).prefix { $0 != " " })
      guard !word.isEmpty, !choices.contains(where: { $0.value == word }) else { continue }
      choices.append(Choice(word, title.description))
    }
    return choices
  }

  /// The names in the session that begin with `typed`, each up to the next point.
  private func things(_ typed: String) -> [Choice] {
    let all = names().filter { $0.text.lowercased().hasPrefix(typed.lowercased()) }
    let whole = Set(all.map(\.text))
    var seen: Set<String> = []
    var stems: Set<String> = []
    var choices: [(name: String, description: String, isName: Bool)] = []
    for name in all {
      let rest = name.text.dropFirst(typed.count)
      guard let point = rest.dropFirst().firstIndex(of: ".") else {
        if seen.insert(name.text).inserted { choices.append((name.text, name.description, true)) }
        continue
      }
      let stem = String(name.text[..<point])
      stems.insert(stem)
      if !whole.contains(stem), seen.insert(stem + ".").inserted {
        choices.append((stem + ".", "", false))
      }
    }
    return choices.map { choice in
      Choice(
        choice.name, choice.description, isWhole: choice.isName && !stems.contains(choice.name))
    }
  }

  /// The files and folders whose paths begin with what is typed.
  private func paths(_ typed: String) -> [Choice] {
    if typed == "~" { return [Choice("~/", "your home", isWhole: false)] }
    let slash = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    let (folder, start) = (String(typed[..<slash]), typed[slash...])
    return entries(folder).filter { entry in
      entry.name.hasPrefix(start) && (start.hasPrefix(".") || !entry.name.hasPrefix("."))
    }.sorted { $0.name < $1.name }.map { entry in
      let name = entry.isFolder ? entry.name + "/" : entry.name
      return Choice(
        folder + name, entry.isFolder ? "folder" : "file", shown: name, isWhole: !entry.isFolder)
    }
  }

  // MARK: - Growing a word

  /// Completes the word at the cursor.
  private func complete(
    _ line: PartialLine, _ choices: [Choice], isQuoted: Bool = false
  ) -> Completion {
    let word = line.current
    return grown(
      choices.filter { matches($0, word.value) }, typed: word.value,
      raw: line.text(from: word.start), quote: word.openQuote, isQuoted: isQuoted)
  }

  /// Whether a word can become the choice; case does not matter.
  private func matches(_ choice: Choice, _ typed: String) -> Bool {
    choice.value.lowercased().hasPrefix(typed.lowercased())
  }

  /// The candidates, and the longest text that all of them begin with.
  private func grown(
    _ choices: [Choice], typed: String, raw: String, quote: Character?, isQuoted: Bool
  ) -> Completion {
    var completion = Completion()
    func text(_ value: String, isWhole: Bool) -> String {
      isQuoted || quote != nil
        ? Quoting.quoted(value, isWhole: isWhole, opened: quote) : value
    }
    completion.candidates = choices.map(\.shown)
    completion.insertions = choices.map { text($0.value, isWhole: $0.isWhole) }
    completion.replacedScalars = raw.unicodeScalars.count
    completion.insertion = raw
    guard let first = choices.first else { return completion }
    let common = choices.dropFirst().reduce(first.value) { Self.commonStart($0, $1.value) }
    let isWhole = choices.count == 1 && first.isWhole
    guard common.count > typed.count || choices.count == 1 else { return completion }
    let insertion = text(common, isWhole: isWhole)
    completion.insertion = isWhole ? insertion + " " : insertion
    return completion
  }

  private static func commonStart(_ first: String, _ second: String) -> String {
    String(zip(first, second).prefix { $0.lowercased() == $1.lowercased() }.map(\.0))
  }
}

/// The parameters of a command that the words of a line have given so far.
private struct TakenArguments {
  /// The names of keys and flags that were given.
  private(set) var names: Set<String> = []
  /// The parameter that takes the next word; nil if none does.
  private(set) var place: Parameter?
  /// The words given for that parameter so far.
  private(set) var placed: [String] = []
  /// The key whose value comes next: `sigma =`.
  private(set) var openKey: Parameter?

  init(_ spec: CommandSpec, _ words: ArraySlice<PartialLine.Word>) {
    var places = spec.parameters.filter { [.word, .words].contains($0.position) }
    let words = Array(words)
    var index = 0
    while index < words.count {
      let word = words[index]
      let next = index + 1 < words.count ? words[index + 1] : nil
      index += 1
      let isApart = word.sign == nil && next.map { $0.sign == $0.start } ?? false
      let key = (isApart ? word.value : word.key).lowercased()
      if word.sign != nil || isApart, let parameter = spec.parameter(named: key) {
        names.insert(parameter.name)
        if isApart { index += 1 }
        let value = isApart ? next?.valueAfterSign : word.valueAfterSign
        if value?.isEmpty ?? true {
          if index < words.count { index += 1 } else { openKey = parameter }
        }
        continue
      }
      let flag = spec.parameters.first {
        $0.position == .flag && $0.kind.words.contains(word.value.lowercased())
      }
      if let flag {
        names.insert(flag.name)
      } else if let first = places.first {
        placed = first.position == .words ? placed + [word.value] : []
        if first.position == .word { places.removeFirst() }
      }
    }
    place = places.first
  }
}
