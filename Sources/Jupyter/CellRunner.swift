package import CommandLanguage

/// The language side of a kernel: runs cells, and answers questions about their text.
///
/// Positions in a cell count Unicode scalars, as the protocol does since 5.2. All calls come from one
/// thread.
package protocol CellRunner: AnyObject {
  /// Runs the lines of a cell in order, up to the first that fails.
  ///
  /// - Parameters:
  ///   - cell: The cell.
  ///   - publish: Takes the outputs as they come.
  /// - Returns: How it ended.
  func run(_ cell: Cell, publish: @escaping @Sendable (CellOutput) -> Void) -> CellEnding

  /// The possible continuations at a position.
  func completion(of code: String, at position: Int) -> CellCompletion

  /// A description of the word at a position; nil if there is none.
  func inspection(of code: String, at position: Int, isDetailed: Bool) -> MimeBundle?

  /// Whether a cell could run as it is.
  func completeness(of code: String) -> CellCompleteness

  /// The value that an expression names.
  func value(of expression: String) -> Result<MimeBundle, CommandError>
}

/// A cell to run.
package struct Cell: Hashable, Sendable {
  package let code: String
  /// The number of the cell in the session, from 1.
  package let number: Int

  package init(code: String, number: Int) { (self.code, self.number) = (code, number) }
}

/// One content in several formats, by media type, richest last.
package struct MimeBundle: Hashable, Sendable {
  package let data: [JSONValue.Member]
  package var metadata: JSONValue

  /// A bundle whose plain form is `text`.
  package init(text: String, _ others: [JSONValue.Member] = [], metadata: JSONValue = [:]) {
    data = [.init("text/plain", .string(text))] + others
    self.metadata = metadata
  }

  var content: [JSONValue.Member] { [.init("data", .object(data)), .init("metadata", metadata)] }
}

/// A piece of output, in the order in which it is shown.
package enum CellOutput: Hashable, Sendable {
  package enum Stream: String, Sendable {
    case stdout, stderr
  }

  case text(String, Stream)
  case display(MimeBundle)
  /// A display that ``update(_:id:)`` replaces later.
  case changing(MimeBundle, id: String)
  case update(MimeBundle, id: String)
  /// The value of the cell.
  case result(MimeBundle)
  /// The outputs so far go away as soon as the next comes.
  case clear
}

/// The way in which a cell ended.
package enum CellEnding: Hashable, Sendable {
  /// All its lines ran.
  ///
  /// - Parameters:
  ///   - pages: Long texts to show beside the notebook.
  ///   - next: Lines that are offered as the next cell.
  ///   - quits: Whether the session ends here.
  case finished(pages: [String] = [], next: String? = nil, quits: Bool = false)
  /// A line failed or was interrupted; `lines` show the fault, with the cure in the last.
  case failed(name: String, message: String, lines: [String])
}

/// The possible continuations of the text between two positions.
package struct CellCompletion: Hashable, Sendable {
  /// The texts that can stand there, each with a description that may be empty.
  package var matches: [Candidate] = []
  package var start: Int
  package var end: Int

  package init(at position: Int) { (start, end) = (position, position) }
}

package enum CellCompleteness: Hashable, Sendable {
  case complete
  /// Something is open; the next line would begin with `indent`.
  case incomplete(indent: String)
  case invalid
}
