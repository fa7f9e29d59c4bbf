/// An answer of a terminal to a question about its abilities.
package enum TerminalReply: Hashable, Sendable {
  /// Whether it supports kitty's protocol for pictures.
  case kitty(Bool)
  /// The size of a character cell, in pixels.
  case cell(width: Int, height: Int)
  /// Its primary device attributes: a number for each ability, such as 4 for sixel pictures.
  case attributes([Int])

  /// Reads the reply in a sequence, without its escape; nil for other sequences.
  init?(_ text: String) {
    if text.hasPrefix("_G") {
      self = .kitty(text.contains(";OK"))
    } else if text.hasPrefix("[?"), text.hasSuffix("c") {
      self = .attributes(text.dropFirst(2).dropLast().split(separator: ";").compactMap { Int($0) })
    } else if text.hasPrefix("[6;"), text.hasSuffix("t") {
      let numbers = text.dropFirst(3).dropLast().split(separator: ";").compactMap { Int($0) }
      guard numbers.count == 2, numbers.allSatisfy({ (1...1000).contains($0) }) else { return nil }
      self = .cell(width: numbers[1], height: numbers[0])
    } else {
      return nil
    }
  }
}

/// The answers of a terminal so far.
package struct TerminalAnswers: Hashable, Sendable {
  /// Whether the last answer came, which every terminal sends.
  package private(set) var isComplete = false
  /// Whether it supports kitty's protocol for pictures.
  package private(set) var showsKitty = false
  /// Whether it supports sixel pictures.
  package private(set) var showsSixel = false
  private var cellWidth: Int?
  private var cellHeight: Int?

  package init() {}

  /// The size of a character cell, in pixels; nil if the terminal did not answer.
  package var cell: (width: Int, height: Int)? {
    guard let cellWidth, let cellHeight else { return nil }
    return (cellWidth, cellHeight)
  }

  /// The questions, sent together: kitty's pictures, the size of a cell, and the attributes, which
  /// every terminal answers.
  static let questions = "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}[16t\u{1B}[c"

  mutating func take(_ reply: TerminalReply) {
    switch reply {
    case .kitty(let shows): showsKitty = shows
    case .cell(let width, let height): (cellWidth, cellHeight) = (width, height)
    case .attributes(let numbers):
      showsSixel = numbers.contains(4)
      isComplete = true
    }
  }
}
