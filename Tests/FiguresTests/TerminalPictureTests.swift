import Figures
import Foundation
import Testing

/// What is sent to terminals, read by others than the ones who wrote it.
@Suite struct TerminalPictureTests {
  /// A slope across, steps down, and a bright square.
  private static func sample(width: Int, height: Int, color: Picture.Color = .gray) -> Picture {
    var samples: [UInt16] = []
    for row in 0..<height {
      for column in 0..<width {
        let slope = UInt16(column * 200 / width)
        let step = UInt16(row * 4 / height * 18)
        let isBright = abs(row - height / 2) < height / 8 && abs(column - width / 2) < width / 8
        let value: UInt16 = isBright ? 255 : slope + step
        samples += color == .gray ? [value] : [value, 255 - value, slope]
      }
    }
    return Picture(width: width, height: height, color: color, samples: samples)
  }

  private static let samples = [
    sample(width: 256, height: 256), sample(width: 90, height: 61, color: .rgb),
    sample(width: 300, height: 17),
  ]
  private static let room = TerminalRoom(columns: 79, rows: 21, cell: (width: 10, height: 20))

  // MARK: - Files in sequences

  /// The bytes in the base64 of kitty's pieces, by the protocol's rules.
  private func kittyData(_ text: String) throws -> (keys: String, data: Data) {
    let pieces = text.matches(of: /\e_G([^;]*);([A-Za-z0-9+\/=]*)\e\\/)
    #expect(pieces.map { $0.0.count }.reduce(0, +) == text.count, "nothing else is sent")
    let keys = try #require(pieces.first).1
    for (index, piece) in pieces.enumerated() {
      #expect(piece.2.count <= 4096 && (piece.2.count % 4 == 0 || index == pieces.count - 1))
      #expect(piece.1.contains(index == pieces.count - 1 ? "m=0" : "m=1"))
    }
    return (String(keys), try #require(Data(base64Encoded: pieces.map { $0.2 }.joined())))
  }

  @Test(arguments: samples)
  func `kitty gets a PNG of the same pixels`(picture: Picture) throws {
    let (keys, data) = try kittyData(
      TerminalPicture(picture, .kitty, in: Self.room).encoded())
    #expect(keys.hasPrefix("a=T,f=100,q=2"))
    let growth = max(1, 256 / max(picture.width, picture.height))
    let sent = try PNG(decoding: Array(data)).picture
    #expect(sent == picture.resized(width: picture.width * growth, height: picture.height * growth))
  }

  @Test func `kitty fits a picture into cells when it does not say how large they are`() throws {
    let room = TerminalRoom(columns: 79, rows: 21)
    let picture = TerminalPicture(Self.samples[0], .kitty, in: room)
    #expect(try kittyData(picture.encoded()).keys.contains(",c=26,r=13,"))
    #expect(picture.columns == 26 && picture.rows == 13)
  }

  @Test(arguments: samples)
  func `iTerm2 gets a PNG of the same pixels`(picture: Picture) throws {
    let shown = TerminalPicture(picture, .iterm2, in: Self.room)
    let form =
      /\e\]1337;File=inline=1;size=(\d+);width=(\d+);height=(\d+);preserveAspectRatio=1:([A-Za-z0-9+\/=]*)\x07/
    let parts = try #require(try shown.encoded().wholeMatch(of: form))
    let data = try #require(Data(base64Encoded: String(parts.4)))
    #expect(Int(parts.1) == data.count)
    #expect(Int(parts.2) == shown.columns && Int(parts.3) == shown.rows)
    let sent = try PNG(decoding: Array(data)).picture
    #expect(sent == picture.resized(width: sent.width, height: sent.height))
    #expect(
      sent.width % picture.width == 0 && sent.width / picture.width == sent.height / picture.height)
  }

  @Test func `a picture shrinks into a small room and keeps its shape`() throws {
    let room = TerminalRoom(columns: 40, rows: 10, cell: (width: 8, height: 16))
    let picture = Self.sample(width: 1200, height: 600)
    let shown = TerminalPicture(picture, .kitty, in: room)
    let sent = try PNG(decoding: Array(try kittyData(shown.encoded()).data)).picture
    #expect((sent.width, sent.height) == (320, 160))
    #expect((shown.columns, shown.rows) == (40, 10))
    let mean = { (picture: Picture) in
      picture.samples.reduce(0.0) { $0 + Double($1) } / Double(picture.samples.count)
    }
    #expect(abs(mean(sent) - mean(picture)) < 0.1, "each pixel is the mean of what it covers")
  }

  // MARK: - Sixels

  private static let decoder = "/usr/bin/sixel2png"

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: decoder)), arguments: samples)
  func `sixels decode with libsixel to the picture`(picture: Picture) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = try TerminalPicture(picture, .sixel, in: Self.room).encoded()
    let (sent, got) = (folder.appending(path: "a.six"), folder.appending(path: "a.png"))
    try Data(text.utf8).write(to: sent)
    let process = Process()
    process.executableURL = URL(filePath: Self.decoder)
    process.arguments = ["-i", sent.path, "-o", got.path]
    try process.run()
    process.waitUntilExit()
    let decoded = try PNG(path: got.path).picture
    let growth = max(1, 256 / max(picture.width, picture.height))
    let wanted = picture.resized(
      width: picture.width * growth, height: picture.height * growth)
    #expect(decoded.width == wanted.width && (0..<6).contains(decoded.height - wanted.height))
    // 256 colors, whose parts are whole percents.
    let channels = wanted.color.samplesPerPixel
    let worst = wanted.samples.indices.map { index in
      abs(Int(wanted.samples[index]) - Int(decoded.rgb(index / channels)[index % channels]))
    }
    let limit = wanted.color == .gray ? 4 : 24
    #expect(worst.allSatisfy { $0 <= limit }, "\(worst.max() ?? 0)")
  }

  // MARK: - Characters

  /// The two colors of each cell, by the rules of SGR.
  private func cells(_ text: String) throws -> [[(upper: [Int], lower: [Int])]] {
    try text.split(separator: "\n").map { line in
      var row: [(upper: [Int], lower: [Int])] = []
      var (upper, lower): ([Int], [Int]) = ([], [])
      for part in line.matches(of: /\e\[([\d;]*)m|(.)/) {
        if let sequence = part.1 {
          var numbers = sequence.split(separator: ";").compactMap { Int($0) }[...]
          while let code = numbers.popFirst() {
            guard code != 0 else {
              (upper, lower) = ([], [])
              continue
            }
            #expect(numbers.popFirst() == 2, "24-bit colors")
            let color = Array(numbers.prefix(3))
            numbers = numbers.dropFirst(3)
            if code == 38 { upper = color } else { lower = color }
            #expect(code == 38 || code == 48)
          }
        } else {
          let letter = try #require(part.2)
          #expect(letter == "▀" || letter == " ")
          row.append((letter == "▀" ? upper : lower, lower))
        }
      }
      return row
    }
  }

  @Test(arguments: samples)
  func `half blocks have the two colors of their pixels`(picture: Picture) throws {
    let shown = TerminalPicture(picture, .halfBlock, in: Self.room)
    let cells = try cells(shown.encoded())
    #expect(cells.count == shown.rows && cells.allSatisfy { $0.count == shown.columns })
    let wanted = picture.resized(width: shown.columns, height: 2 * shown.rows)
    var distances: [Int] = []
    for (row, line) in cells.enumerated() {
      for (column, cell) in line.enumerated() {
        for (offset, color) in [cell.upper, cell.lower].enumerated() {
          let pixel = wanted.rgb((2 * row + offset) * wanted.width + column)
          distances += zip(color, pixel).map { abs($0 - Int($1)) }
        }
      }
    }
    // libchafa takes a pixel in the middle for the mean of some edges.
    let mean = Double(distances.reduce(0, +)) / Double(distances.count)
    #expect(mean < 2, "\(mean)")
    let close = distances.count { $0 <= 8 }
    #expect(Double(close) > 0.97 * Double(distances.count), "\(close) of \(distances.count)")
  }

  @Test func `a palette is the part that no theme changes`() throws {
    let room = TerminalRoom(columns: 79, rows: 21, hasFullColor: false)
    let text = try TerminalPicture(Self.samples[0], .halfBlock, in: room).encoded()
    let colors = text.matches(of: /[34]8;5;(\d+)/).compactMap { Int($0.1) }
    #expect(!colors.isEmpty && colors.allSatisfy { (16...255).contains($0) })
  }

  @Test func `braille has dots where it is bright, and no codes`() throws {
    let shown = TerminalPicture(Self.samples[0], .braille, in: Self.room)
    let lines = try shown.encoded().split(separator: "\n")
    #expect(lines.count == shown.rows && lines.allSatisfy { $0.count == shown.columns })
    let dots = lines.map { line in
      line.unicodeScalars.map { scalar in
        #expect((0x2800...0x28FF).contains(scalar.value))
        return (scalar.value - 0x2800).nonzeroBitCount
      }
    }
    let middle = dots[shown.rows / 2][shown.columns / 2]
    #expect(middle == 8, "the bright square is full")
    let (left, right) = (dots.map { $0[0] }, dots.map { $0[shown.columns - 1] })
    #expect(left.reduce(0, +) < right.reduce(0, +))
  }

  // MARK: - Choosing

  @Test func `the way is the best that the terminal names, unless somebody says otherwise`() {
    func choice(
      _ environment: [String: String], _ display: PictureDisplay = .auto, kitty: Bool = false,
      sixel: Bool = false
    ) -> TerminalGraphics? {
      GraphicsChoice(
        display, environment: environment, answersKitty: kitty, answersSixel: sixel
      ).graphics
    }
    let xterm = ["TERM": "xterm-256color"]
    #expect(choice(xterm, kitty: true, sixel: true) == .kitty)
    #expect(choice(xterm, sixel: true) == .sixel)
    #expect(choice(xterm) == .halfBlock)
    #expect(choice(["TERM": "vt100", "COLORTERM": "truecolor"]) == .halfBlock)
    #expect(choice(["TERM": "vt100"]) == .braille)
    #expect(choice(["TERM": "linux"]) == .braille)
    #expect(choice(xterm.merging(["NO_COLOR": "1"]) { $1 }, kitty: true) == .braille)
    let iTerm = xterm.merging(["LC_TERMINAL": "iTerm2"]) { $1 }
    #expect(choice(iTerm, kitty: true) == .iterm2)
    #expect(choice(iTerm.merging(["TMUX": "x"]) { $1 }) == .halfBlock)
    // Where nobody asked, a name must do, unless something stands between.
    #expect(choice(["TERM": "xterm-kitty"]) == .kitty)
    #expect(choice(["TERM": "xterm-kitty", "STY": "x"]) == .halfBlock)
    #expect(choice(["TERM": "foot-extra"]) == .sixel)
    #expect(choice(xterm.merging(["TERM_PROGRAM": "WezTerm"]) { $1 }) == .iterm2)
    #expect(choice(xterm.merging(["TERM_PROGRAM": "WezTerm"]) { $1 }, sixel: true) == .sixel)
    #expect(choice(xterm, .off, kitty: true) == nil)
    #expect(choice(xterm, .sixel, kitty: true) == .sixel)
  }
}

extension Picture {
  /// Red, green and blue of the pixel at a place.
  fileprivate func rgb(_ place: Int) -> [UInt16] {
    color == .rgb
      ? Array(samples[3 * place..<3 * place + 3]) : Array(repeating: samples[place], count: 3)
  }
}
