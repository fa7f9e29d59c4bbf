import CommandLanguage
import Foundation

/// The cells that ran, with their output, for `history_request`.
struct CellHistory {
  private struct Entry {
    let number: Int
    let input: String
    let output: String?
  }

  private var entries: [Entry] = []
  /// The number of the present session; earlier ones are not kept.
  private static let session = 1

  mutating func add(_ cell: Cell, output: String?) {
    entries.append(Entry(number: cell.number, input: cell.code, output: output))
  }

  /// Returns the entries that a request asks for, each with its session and number.
  ///
  /// - Parameter request: The content of the request: `hist_access_type` is `tail` (the last `n`),
  ///   `range` (from `start` up to, but without, `stop`), or `search` (by `pattern` with `*` and `?`).
  /// - Returns: The value of `history` in the reply.
  func entries(for request: JSONValue) -> JSONValue {
    var found: [Entry]
    switch request["hist_access_type"] {
    case "range":
      let session = request.integer("session") ?? 0
      let (start, stop) = (request.integer("start") ?? 0, request.integer("stop") ?? .max)
      found =
        [0, Self.session].contains(session)
        ? entries.filter { $0.number >= start && $0.number < stop } : []
    case "search":
      found = entries.filter { matches($0.input, request.string("pattern") ?? "*") }
      if request["unique"] == true {
        var seen: Set<String> = []
        found = found.reversed().filter { seen.insert($0.input).inserted }.reversed()
      }
      if let count = request.integer("n") { found = found.suffix(max(0, count)) }
    default:
      found = entries.suffix(max(0, request.integer("n") ?? 10))
    }
    let withOutput = request["output"] == true
    return .list(found) { entry in
      let input = JSONValue.string(entry.input)
      let output = entry.output.map { JSONValue.string($0) } ?? .null
      return [
        .integer(Self.session), .integer(entry.number), withOutput ? [input, output] : input,
      ]
    }
  }

  private func matches(_ text: String, _ pattern: String) -> Bool {
    fnmatch(pattern, text, 0) == 0
  }
}

extension JSONValue {
  func integer(_ key: String) -> Int? {
    if case .integer(let value)? = self[key] { value } else { nil }
  }

  func string(_ key: String) -> String? {
    if case .string(let value)? = self[key] { value } else { nil }
  }

  /// The value of a key, or `fallback` where there is no truth value.
  func flag(_ key: String, default fallback: Bool) -> Bool {
    if case .bool(let value)? = self[key] { value } else { fallback }
  }
}
