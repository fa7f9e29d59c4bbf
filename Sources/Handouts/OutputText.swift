/// A recorded line of output in the form for a reader.
struct OutputText {
  struct Piece: Hashable {
    let text: String
    /// Whether the text may differ from run to run.
    let isVolatile: Bool
  }

  /// The pieces of a line without escapes, and without the brackets of `<…>`.
  let pieces: [Piece]

  init(_ line: String) {
    var pieces: [Piece] = []
    var plain = String.UnicodeScalarView()
    let scalars = Array(line.unicodeScalars)
    var position = 0
    func endPlain() {
      if !plain.isEmpty { pieces.append(Piece(text: String(plain), isVolatile: false)) }
      plain = .init()
    }
    while position < scalars.count {
      let scalar = scalars[position]
      if scalar == "\\", position + 1 < scalars.count, scalars[position + 1] == "<" {
        plain.append("<")
        position += 2
      } else if scalar == "<", let end = scalars[position...].firstIndex(of: ">") {
        endPlain()
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[(position + 1)..<end])
        pieces.append(Piece(text: String(text), isVolatile: true))
        position = end + 1
      } else {
        plain.append(scalar)
        position += 1
      }
    }
    endPlain()
    self.pieces = pieces
  }

  /// The whole text of the line.
  var text: String { pieces.map(\.text).joined() }
}
