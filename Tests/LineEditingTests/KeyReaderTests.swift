import Foundation
import LineEditing
import Testing

/// Keys as a slow line brings them: in two pieces, with more time between them than a person needs to
/// press a key.
struct `Keys that come in pieces` {
  struct Sent: CustomTestStringConvertible, Sendable {
    let bytes: [UInt8]
    let keys: [KeyReader.Key]
    let pieces: Int

    init(_ text: String, cutAt pieces: Int, _ keys: [KeyReader.Key]) {
      (bytes, self.pieces, self.keys) = (Array(text.utf8), pieces, keys)
    }

    var testDescription: String { "\(keys) cut after \(pieces) bytes" }
  }

  private static func cuts(_ text: String, _ keys: [KeyReader.Key]) -> [Sent] {
    (1..<text.utf8.count).map { Sent(text, cutAt: $0, keys) }
  }

  /// Each sequence alone, cut at each of its bytes: before the cut there is no key.
  static let sequences =
    cuts("\u{1B}[A", [.up]) + cuts("\u{1B}OB", [.down]) + cuts("漢", [.character("漢")])
    + cuts("é", [.character("é")])
    + cuts("\u{1B}[200~a\nb\u{1B}[201~", [.paste("a\nb")])

  /// A pipe with a reader at its end.
  private func reader() -> (KeyReader, FileHandle, FileHandle) {
    let pipe = Pipe()
    return (
      KeyReader(descriptor: pipe.fileHandleForReading.fileDescriptor), pipe.fileHandleForWriting,
      pipe.fileHandleForReading
    )
  }

  private func keys(_ reader: KeyReader, _ count: Int) -> [KeyReader.Key] {
    (0..<count).compactMap { _ in reader.next(within: .seconds(60)) }
  }

  @Test(arguments: sequences)
  func `are the keys that were pressed`(_ sent: Sent) {
    let (reader, writer, end) = reader()
    withExtendedLifetime(end) {
      writer.write(Data(sent.bytes.prefix(sent.pieces)))
      let isPaste = sent.bytes.count > 6 && sent.pieces >= 6
      // Within a paste, nothing but its end counts: the wait would not return.
      if !isPaste { #expect(reader.next(within: .milliseconds(80)) == nil) }
      let rest = Data(sent.bytes.dropFirst(sent.pieces)) + Data("x".utf8)
      if isPaste {
        Thread.detachNewThread {
          usleep(80_000)
          writer.write(rest)
        }
      } else {
        writer.write(rest)
      }
      #expect(keys(reader, sent.keys.count + 1) == sent.keys + [.character("x")])
    }
  }

  @Test func `of a paste whose text looks like the beginning of its end`() {
    let (reader, writer, end) = reader()
    withExtendedLifetime(end) {
      writer.write(Data("\u{1B}[200~a\u{1B}[20b\u{1B}\u{1B}[201~c".utf8))
      #expect(keys(reader, 2) == [.paste("a\u{1B}[20b\u{1B}"), .character("c")])
    }
  }

  @Test func `do without an end code that ends nothing`() {
    let (reader, writer, end) = reader()
    withExtendedLifetime(end) {
      writer.write(Data("a\u{1B}[201~b\u{1B}[20".utf8))
      #expect(keys(reader, 2) == [.character("a"), .character("b")])
      #expect(reader.next(within: .milliseconds(80)) == nil)
      writer.write(Data("1~c".utf8))
      #expect(keys(reader, 1) == [.character("c")])
    }
  }

  @Test func `leave other sequences to the editor, and broken characters out`() {
    let (reader, writer, end) = reader()
    withExtendedLifetime(end) {
      writer.write(Data("\u{1B}[3~".utf8) + Data([0xE6, 0x61, 0xC3, 0x28, 0xFF, 0x62]))
      let shown: [Unicode.Scalar] = ["\u{1B}", "[", "3", "~", "a", "(", "b"]
      #expect(keys(reader, 7) == shown.map { .character($0) })
    }
  }

  @Test func `come back to the text where vi has taken the escape for a key`() {
    let (reader, writer, end) = reader()
    reader.escapeIsKey = true
    withExtendedLifetime(end) {
      writer.write(Data("\u{1B}".utf8))
      #expect(keys(reader, 1) == [.character("\u{1B}")])
      writer.write(Data("[200~p\u{1B}[201~q".utf8))
      #expect(keys(reader, 3) == [.character("a"), .paste("p"), .character("q")])
      writer.write(Data("\u{1B}".utf8))
      #expect(keys(reader, 1) == [.character("\u{1B}")])
      writer.write(Data("x[A".utf8))
      #expect(keys(reader, 3) == [.character("x"), .character("["), .character("A")])
    }
  }

  @Test func `end where the line ends, with what had come`() throws {
    let (reader, writer, end) = reader()
    try withExtendedLifetime(end) {
      writer.write(Data("\u{1B}[200~a\u{1B}[20".utf8))
      try writer.close()
      #expect(keys(reader, 2) == [.paste("a\u{1B}[20"), .end])
    }
  }
}
