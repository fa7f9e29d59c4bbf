/// Questions about lines, which leave the session as it is.
extension CommandRunner {
  /// Returns what a command would give now, of which nothing stays but the files that it writes.
  ///
  /// - Parameter text: The command line.
  /// - Returns: The outcome, nil for a blank line or a comment, or the error.
  package func peek(_ text: String) -> Result<Outcome?, CommandError> {
    let (before, undoable) = (moment(before: text), undoLog)
    defer {
      restore(before)
      undoLog = undoable
    }
    do throws(CommandError) {
      guard let invocation = try parser.parse(text) else { return .success(nil) }
      return .success(try perform(invocation, line: 0))
    } catch {
      return .failure(error.shortened)
    }
  }

  /// Returns the error of a line that cannot be understood as it is; nil for others.
  package func fault(in text: String) -> CommandError? {
    do throws(CommandError) {
      _ = try parser.parse(text)
      return nil
    } catch {
      return error
    }
  }

  /// The table entry of the command in a line; nil for a blank line or a comment.
  ///
  /// - Throws: The error of a line that cannot be understood.
  package func spec(of text: String) throws(CommandError) -> CommandSpec? {
    try parser.parse(text)?.spec
  }
}
