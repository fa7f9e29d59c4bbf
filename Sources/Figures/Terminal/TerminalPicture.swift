import CChafa
import Foundation

/// A picture for a terminal: the text to send, and the cells that it fills.
///
/// The picture keeps its proportions. It has its own size where there is room; larger ones are
/// reduced before they are sent, which helps slow connections, and small ones are enlarged by a
/// whole factor.
package struct TerminalPicture: Sendable {
  /// The number of rows of cells that it takes.
  package let rows: Int
  /// The number of columns of cells that it takes.
  package let columns: Int
  private let picture: Picture
  private let graphics: TerminalGraphics
  private let room: TerminalRoom

  /// The size in pixels to which a small picture is enlarged at least.
  private static let smallest = 256

  /// Fits a picture into `room`.
  package init(_ picture: Picture, _ graphics: TerminalGraphics, in room: TerminalRoom) {
    (self.graphics, self.room) = (graphics, room)
    let (width, height) = (Double(picture.width), Double(picture.height))
    let growth = max(1, Self.smallest / max(picture.width, picture.height))
    if graphics.hasPixels {
      let scale = min(
        Double(growth), Double(room.columns * room.cellWidth) / width,
        Double(room.rows * room.cellHeight) / height)
      let fitted = (max(1, Int(width * scale)), max(1, Int(height * scale)))
      self.picture = picture.resized(width: fitted.0, height: fitted.1)
      columns = (fitted.0 + room.cellWidth - 1) / room.cellWidth
      rows = (fitted.1 + room.cellHeight - 1) / room.cellHeight
    } else {
      // A pixel takes a column, or half of one in braille; the number of rows follows.
      let most = graphics == .braille ? 0.5 : 1
      let narrowing = Double(room.cellWidth) / Double(room.cellHeight)
      let scale = min(
        most * Double(growth), Double(room.columns) / width,
        Double(room.rows) / (height * narrowing))
      self.picture = picture.resized(width: picture.width, height: picture.height)
      columns = max(1, Int((width * scale).rounded()))
      rows = max(1, Int((height * scale * narrowing).rounded()))
    }
  }

  /// Returns the text that shows the picture at the cursor, which is in its last row afterwards or
  /// below it.
  ///
  /// - Throws: `PictureError` when it cannot be written as PNG.
  package func encoded() throws(PictureError) -> String {
    switch graphics {
    case .kitty: try kitty()
    case .iterm2: try iterm2()
    case .sixel: sixels()
    case .halfBlock: drawn(CCHAFA_HALF_BLOCKS, picture, columns, rows)
    case .braille: drawn(CCHAFA_BRAILLE, picture, columns, rows)
    }
  }

  /// The commands for a PNG in pieces of at most 4096 bytes; `q=2` asks for no answer.
  private func kitty(_ action: String = "a=T") throws(PictureError) -> String {
    let text = Array(Data(try PNG(picture).encoded()).base64EncodedString().utf8)
    let starts = Array(stride(from: 0, to: text.count, by: 4096))
    return starts.map { start in
      let more = start == starts.last ? 0 : 1
      let keys = start == 0 ? "\(action),f=100,q=2\(fitting),m=\(more)" : "m=\(more)"
      let piece = String(decoding: text[start..<min(start + 4096, text.count)], as: UTF8.self)
      return "\u{1B}_G\(keys);\(piece)\u{1B}\\"
    }.joined()
  }

  /// Returns the texts that show pictures in turn at the cursor: one to send first, and one for
  /// each picture.
  ///
  /// Terminals with kitty's protocol store the pictures, so that each is sent once; there, the
  /// cursor does not move.
  package static func turns(
    _ pictures: [TerminalPicture]
  ) throws(PictureError) -> (opening: String, frames: [String]) {
    guard pictures.allSatisfy({ $0.graphics == .kitty }) else {
      var frames: [String] = []
      for picture in pictures { frames.append(try picture.encoded()) }
      return ("", frames)
    }
    // The numbers are such as no other program is likely to use.
    let numbers = pictures.indices.map { 0x4246_0000 + $0 }
    var opening = ""
    for (picture, number) in zip(pictures, numbers) {
      opening += try picture.kitty("a=t,i=\(number)")
    }
    let frames = zip(pictures, numbers).map { picture, number in
      let others = numbers.filter { $0 != number }.map { "\u{1B}_Ga=d,d=i,i=\($0),q=2\u{1B}\\" }
      return "\u{1B}_Ga=p,i=\(number),p=1,C=1,q=2\(picture.fitting)\u{1B}\\" + others.joined()
    }
    return (opening, frames)
  }

  /// The cells into which a terminal with kitty's protocol fits the picture when their size is
  /// unknown.
  private var fitting: String { room.knowsCells ? "" : ",c=\(columns),r=\(rows)" }

  private func iterm2() throws(PictureError) -> String {
    let data = Data(try PNG(picture).encoded())
    return "\u{1B}]1337;File=inline=1;size=\(data.count);width=\(columns);height=\(rows);"
      + "preserveAspectRatio=1:\(data.base64EncodedString())\u{7}"
  }

  /// Sixels come in bands of six rows, so the last row is repeated to fill the last band.
  private func sixels() -> String {
    let (width, height) = (picture.width, (picture.height + 5) / 6 * 6)
    let stride = width * picture.color.samplesPerPixel
    let filling = (picture.height..<height).flatMap { _ in picture.samples.suffix(stride) }
    let filled = Picture(
      width: width, height: height, color: picture.color, samples: picture.samples + filling)
    return drawn(CCHAFA_SIXELS, filled, width, height)
  }

  private func drawn(
    _ form: cchafa_form, _ picture: Picture, _ columns: Int, _ rows: Int
  ) -> String {
    let text = cchafa_draw(
      form, room.hasFullColor ? 1 : 0, Int32(columns), Int32(rows), picture.opaqueBytes,
      Int32(picture.width), Int32(picture.height))
    defer { cchafa_free(text) }
    return text.map { String(cString: $0) } ?? ""
  }
}
