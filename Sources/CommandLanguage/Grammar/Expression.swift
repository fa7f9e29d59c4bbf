/// An arithmetic expression over numbers and names: `noisy.psnr + 4`.
///
/// An expression of tensors may also hold functions and lists: `sum(a * [1, 2])`.
package indirect enum Expression: Hashable, Sendable {
  case number(Double)
  /// A function of other expressions, and its place in the line.
  case call(String, [Expression], Range<Int>)
  /// Numbers in brackets, which may be lists themselves.
  case list([Expression], Range<Int>)
  /// A name with its index, as typed, and its place in the line.
  case name(String, Range<Int>)
  case negation(Expression)
  case operation(Operator, Expression, Expression)

  /// The four operations.
  package enum Operator: Character, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
  }

  /// Reads a whole text as an expression.
  ///
  /// - Parameters:
  ///   - text: The text as typed.
  ///   - functions: The names of functions of tensors, such as `leaky-relu`; nil for an expression
  ///     of numbers, which has neither functions nor lists.
  /// - Throws: `CommandError` that points at the fault.
  package init(parsing text: SourceText, functions: [String]? = nil) throws(CommandError) {
    var parser = try ExpressionParser(text, functions: functions)
    self = try parser.sum()
    try parser.requireEnd()
  }

  /// The value of an expression of numbers; `lookup` returns the values of names.
  package func value(
    _ lookup: (_ name: String, _ range: Range<Int>) throws -> Double
  ) rethrows -> Double {
    switch self {
    case .number(let value): return value
    case .call, .list: preconditionFailure("An expression of numbers has no functions or lists.")
    case .name(let name, let range): return try lookup(name, range)
    case .negation(let operand): return try -operand.value(lookup)
    case .operation(let symbol, let left, let right):
      let (a, b) = (try left.value(lookup), try right.value(lookup))
      switch symbol {
      case .add: return a + b
      case .subtract: return a - b
      case .multiply: return a * b
      case .divide: return a / b
      }
    }
  }
}

/// Two expressions and the relation that `expect` checks: `denoised.psnr > noisy.psnr + 4`.
package struct Comparison: Hashable, Sendable {
  /// The relation between the two sides.
  package enum Relation: String, Sendable {
    case less = "<"
    case atMost = "<="
    case equal = "="
    case different = "!="
    case atLeast = ">="
    case greater = ">"
  }

  package let left: Expression
  package let relation: Relation
  package let right: Expression
  /// The places of both sides in the line.
  package let leftRange: Range<Int>
  package let rightRange: Range<Int>

  /// Reads a whole text as a comparison.
  package init(parsing text: SourceText) throws(CommandError) {
    var parser = try ExpressionParser(text)
    left = try parser.sum()
    leftRange = text[0..<parser.position].trimmed.range
    relation = try parser.relation()
    let start = parser.position
    right = try parser.sum()
    rightRange = text[start..<parser.position].trimmed.range
    try parser.requireEnd()
  }

  /// Whether the relation holds; `tolerance` is a fraction of the right side's size.
  package func holds(_ a: Double, _ b: Double, within tolerance: Double = 0) -> Bool {
    relation.holds(a, b, within: tolerance)
  }
}

extension Comparison.Relation {
  /// Whether the relation holds; `tolerance` is a fraction of the right side's size.
  ///
  /// NaN fulfils `!=` and nothing else.
  package func holds(_ a: Double, _ b: Double, within tolerance: Double = 0) -> Bool {
    let close = a == b || abs(a - b) <= tolerance * abs(b)
    switch self {
    case .less: return a < b
    case .atMost: return a <= b || close
    case .equal: return close
    case .different: return !close
    case .atLeast: return a >= b || close
    case .greater: return a > b
    }
  }
}

/// Reads expressions by recursive descent; nesting is limited, so that no line exhausts the stack.
struct ExpressionParser {
  private let text: SourceText
  private let characters: [Character]
  private(set) var position = 0
  private let functions: [String]?
  private var ofTensors: Bool { functions != nil }
  private var depth = 0
  private var operations = 0

  init(_ text: SourceText, functions: [String]? = nil) throws(CommandError) {
    self.text = text
    self.functions = functions
    characters = text.characters.map(\.character)
    guard characters.count <= Self.longest else {
      throw error(
        "the expression has more than \(Self.longest) characters",
        hint: "keep parts of it with let", at: 0..<1)
    }
  }

  private static let longest = 1 << 16

  // MARK: - Grammar

  /// Reads products with `+` and `-` between them.
  mutating func sum() throws(CommandError) -> Expression {
    var left = try product()
    while let symbol = take(anyOf: "+-") { left = try joined(left, symbol, try product()) }
    return left
  }

  /// Reads factors with `*` and `/` between them.
  private mutating func product() throws(CommandError) -> Expression {
    var left = try factor()
    while let symbol = take(anyOf: "*/") { left = try joined(left, symbol, try factor()) }
    return left
  }

  /// A number, a name, a sign before a factor, or a sum in parentheses.
  private mutating func factor() throws(CommandError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 100 else {
      throw error("the expression is nested too deeply", hint: "keep parts of it with let")
    }
    skipSpace()
    guard position < characters.count else {
      throw error("a number or name is missing at the end", hint: "for example clean.max or 3.5")
    }
    if take(anyOf: "-") != nil { return .negation(try factor()) }
    if take(anyOf: "+") != nil { return try factor() }
    let open = position
    if take("(") {
      let inner = try sum()
      skipSpace()
      guard take(")") else {
        throw error("\"(\" is not closed", hint: "add \")\"", at: open..<open + 1)
      }
      return inner
    }
    let character = characters[position]
    if isDigit(character) || character == "." { return try number() }
    if isNameStart(character) { return try nameOrCall() }
    if ofTensors, take("[") { return .list(try items(until: "]", from: open), range(from: open)) }
    throw error(
      "expected a number or a name, found \"\(character)\"",
      hint: "=" == character ? "write one =" : "for example clean.max or 3.5",
      at: position..<position + 1)
  }

  /// Reads a name, or a function with the arguments in its parentheses.
  private mutating func nameOrCall() throws(CommandError) -> Expression {
    let start = position
    if let call = try callOfHyphenated() { return call }
    let name = name()
    guard ofTensors, case .name(let function, _) = name else { return name }
    let end = position
    skipSpace()
    guard take("(") else {
      position = end
      return name
    }
    return .call(function, try items(until: ")", from: end), range(from: start))
  }

  /// Reads a function whose name has a hyphen, with its arguments; nil for other names, so that
  /// `a-relu(b)` is a difference.
  private mutating func callOfHyphenated() throws(CommandError) -> Expression? {
    let (start, rest) = (position, characters[position...])
    for function in functions ?? [] where function.contains("-") {
      let name = String(rest.prefix(function.count))
      guard name.lowercased() == function else { continue }
      position = start + function.count
      skipSpace()
      let open = position
      if take("(") {
        return .call(name, try items(until: ")", from: open), range(from: start))
      }
      position = start
    }
    return nil
  }

  /// Reads expressions with commas between them, up to a closing bracket.
  private mutating func items(
    until close: Character, from open: Int
  ) throws(CommandError) -> [Expression] {
    var items: [Expression] = []
    skipSpace()
    if take(close) { return items }
    while true {
      items.append(try sum())
      skipSpace()
      if take(close) { return items }
      guard take(",") else {
        throw error(
          "\"\(characters[open])\" is not closed", hint: "add \"\(close)\"", at: open..<open + 1)
      }
      operations += 1
      guard operations <= 1000 else { throw tooLong }
    }
  }

  private func range(from start: Int) -> Range<Int> { text.range(of: start..<position) }

  /// Reads `<`, `<=`, `=`, `!=`, `>=` or `>`.
  mutating func relation() throws(CommandError) -> Comparison.Relation {
    skipSpace()
    for length in [2, 1] where position + length <= characters.count {
      let symbol = String(characters[position..<position + length])
      if let relation = Comparison.Relation(rawValue: symbol) {
        position += length
        return relation
      }
    }
    throw error(
      "expected <, <=, =, !=, >= or >, \(found)", hint: "for example noisy.psnr > 30",
      at: position..<position + 1)
  }

  /// Throws unless the whole text was read.
  mutating func requireEnd() throws(CommandError) {
    skipSpace()
    guard position < characters.count else { return }
    throw error(
      "expected an operator, \(found)", hint: "+ - * / join numbers and names",
      at: position..<characters.count)
  }

  // MARK: - Numbers and names

  private mutating func number() throws(CommandError) -> Expression {
    let start = position
    let rest = characters[position...].prefix { isDigit($0) || "+-.eE".contains($0) }
    guard let (value, length) = ValueParser.number(in: String(rest)) else {
      throw error("expected a number", hint: "for example 3.5 or 1e-6", at: position..<position + 1)
    }
    position += length
    let end = position
    skipSpace()
    let unitStart = position
    while position < characters.count, position > unitStart || !isDigit(characters[position]),
      isNamePart(characters[position]) || characters[position] == "%"
    {
      position += 1
    }
    let symbol = String(characters[unitStart..<position])
    guard !symbol.isEmpty else {
      position = end
      return .number(value)
    }
    guard let unit = Unit(named: symbol) else {
      throw CommandError(
        .wrongUnit, "the unit \"\(symbol)\" is unknown",
        hint: NearestNames.question(for: symbol, among: Unit.allCases.map(\.rawValue))
          ?? "expected an operator, or a unit such as HU or %",
        range: text.range(of: (unitStart == end ? start : unitStart)..<position))
    }
    return .number(value * unit.scale)
  }

  private mutating func name() -> Expression {
    let start = position
    var brackets = 0
    while position < characters.count {
      let character = characters[position]
      if character == "[" {
        brackets += 1
      } else if character == "]" && brackets > 0 {
        brackets -= 1
      } else if brackets == 0 && !isNamePart(character) && character != "." {
        break
      }
      position += 1
    }
    return .name(String(characters[start..<position]), text.range(of: start..<position))
  }

  // MARK: - Characters

  private mutating func joined(
    _ left: Expression, _ symbol: Character, _ right: Expression
  ) throws(CommandError) -> Expression {
    operations += 1
    guard operations <= 1000, let operation = Expression.Operator(rawValue: symbol) else {
      throw tooLong
    }
    return .operation(operation, left, right)
  }

  private mutating func take(_ character: Character) -> Bool {
    guard position < characters.count, characters[position] == character else { return false }
    position += 1
    return true
  }

  private mutating func take(anyOf symbols: String) -> Character? {
    skipSpace()
    guard position < characters.count, symbols.contains(characters[position]) else { return nil }
    position += 1
    return characters[position - 1]
  }

  private mutating func skipSpace() {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
  }

  private func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  private func isNameStart(_ character: Character) -> Bool {
    character.isLetter || character == "_"
  }

  private func isNamePart(_ character: Character) -> Bool {
    isNameStart(character) || isDigit(character)
  }

  // MARK: - Errors

  private var found: String {
    position < characters.count ? "found \"\(characters[position])\"" : "found the end"
  }

  private var tooLong: CommandError {
    error("the expression is too long", hint: "keep parts of it with let")
  }

  private func error(
    _ message: String, hint: String, at indices: Range<Int>? = nil
  ) -> CommandError {
    let place = indices ?? position..<position + 1
    return CommandError(.syntax, message, hint: hint, range: text.range(of: place))
  }
}
