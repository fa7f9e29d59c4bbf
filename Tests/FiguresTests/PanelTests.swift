import Figures
import Testing

@Suite struct PanelTests {
  @Test func `the font draws all of ASCII and the signs of captions`() {
    for font in [BitmapFont.regular, .bold] {
      for code in UInt32(33)..<127 {
        let letter = Unicode.Scalar(code).map { $0 } ?? " "
        #expect(font.has(letter) && font.rows(of: letter).contains { $0 != 0 }, "\(letter)")
      }
      for letter in "σ±·×−²°µ–".unicodeScalars { #expect(font.has(letter), "\(letter)") }
      #expect(font.rows(of: " ").allSatisfy { $0 == 0 })
      #expect(!font.rows(of: "漢").allSatisfy { $0 == 0 }, "unknown letters are seen")
    }
  }

  @Test func `ASCII characters all look different`() {
    for font in [BitmapFont.regular, .bold] {
      let shapes = Set((UInt32(32)..<127).compactMap { Unicode.Scalar($0) }.map(font.rows))
      #expect(shapes.count == 95)
    }
  }

  @Test func `text is written where it is asked for and cut at the edge`() {
    var canvas = Canvas(width: 20, height: 15)
    canvas.write("I", x: 9, y: 0)
    let picture = canvas.picture
    for row in 0..<15 {
      let bits = (0..<9).reduce(UInt16(0)) { $0 << 1 | (picture[row, 9 + $1] == 255 ? 1 : 0) }
      #expect(bits == BitmapFont.regular.rows(of: "I")[row])
    }
    canvas.write("WWW", x: 15, y: 10)
    canvas.write("WWW", x: -12, y: -9)
    canvas.fill(x: -5, y: -5, width: 100, height: 100, shade: 7)
    #expect(canvas.picture.samples.allSatisfy { $0 == 7 })
  }

  @Test func `lines break at spaces, and long words anywhere`() {
    #expect(
      BitmapFont.wrap("psnr 40.1 dB  ssim 0.9", columns: 13) == ["psnr 40.1 dB ", "ssim 0.9"])
    #expect(BitmapFont.wrap("abcdefgh ij", columns: 4) == ["abcd", "efgh", "ij"])
    #expect(BitmapFont.wrap("", columns: 4) == [""])
  }

  @Test(arguments: [
    (4, 256, 2200, 4, 1), (7, 256, 1200, 4, 2), (9, 256, 1200, 3, 3), (2, 5000, 1200, 1, 2),
    (1, 1, 1, 1, 1),
  ])
  func `a grid fills rows evenly within the width`(
    count: Int, cell: Int, width: Int, columns: Int, rows: Int
  ) {
    let grid = Grid(
      count: count, cellWidth: cell, cellHeight: 10, gap: 12, maximumWidth: width)
    #expect(grid.columns == columns)
    #expect(grid.rows == rows)
    let last = grid.origin(of: count - 1)
    #expect(last.x + cell <= grid.width && last.y + 10 <= grid.height)
  }

  /// A panel of two image tiles and their difference; `size` is the images' width and height.
  private func panel(_ size: Int, maximumWidth: Int = 2200) -> Panel {
    let values = (0..<size * size).map { Float($0 % size) * 10 - 600 }
    let a = Plane(width: size, height: size, values: values)
    let b = Plane(width: size, height: size, values: values.map { $0 + 30 })
    return Panel(
      title: "slice 3", window: .lung,
      tiles: [
        .init("noisy", a, lines: ["psnr 40.20 dB"]), .init("clean", b),
        .init(difference: "difference", b - a),
      ], maximumWidth: maximumWidth)
  }

  @Test(arguments: [(1, 1024), (1, 4096), (3, 2000), (1, 20_000)])
  func `narrow images do not grow to pictures without end`(width: Int, height: Int) {
    let plane = Plane(
      width: width, height: height, values: Array(repeating: 0, count: width * height))
    let panel = Panel(title: "", window: .lung, tiles: [.init("", plane)], maximumWidth: 512)
    #expect(panel.magnification * height <= max(height, 4096))
    let frame = CaptionedPicture(
      Window.lung.picture(of: plane), lines: ["slice 1"], progress: 0
    ).captioned
    #expect(frame.height < max(height, 4096) + 300)
  }

  @Test func `small images grow by a whole factor and keep their values`() {
    let panel = panel(20)
    #expect(panel.magnification == 13)
    let picture = panel.picture()
    #expect(picture.width == 3 * 260 + 2 * 12 + 2 * 12)
    // Title bar 28, padding 6, name 16, padding 3.
    let top = 53
    for row in [0, 19] {
      for column in [0, 7, 19] {
        let expected = Window.lung.sample(of: Float(column) * 10 - 600)
        let corner = picture[top + 13 * row, 12 + 13 * column]
        let opposite = picture[top + 13 * row + 12, 12 + 13 * column + 12]
        #expect(corner == expected && opposite == expected)
      }
    }
    // The difference, 30 on a scale of ±50, is lighter than mid-grey.
    #expect(picture[top, 12 + 2 * 272] == Window(covering: -50...50).sample(of: 30))
  }

  @Test func `narrow panels stack their tiles`() {
    let wide = panel(300).picture()
    let narrow = panel(300, maximumWidth: 400).picture()
    #expect(wide.width > 900 && narrow.width == 324)
    #expect(narrow.height > 900)
  }

  @Test func `the same panel has the same pixels`() {
    #expect(panel(64).picture().pixelFingerprint == panel(64).picture().pixelFingerprint)
  }

  @Test func `a difference's limit is round and holds nearly all of it`() {
    func limit(_ values: [Float]) -> Float? {
      let tile = Panel.Tile(
        difference: "", Plane(width: values.count, height: 1, values: values))
      guard case .symmetric(let limit) = tile.scale else { return nil }
      return limit
    }
    #expect(limit([30, -41, .nan]) == 50)
    #expect(limit([0, 0]) == 1)
    #expect(limit([-1]) == 1)
    #expect(limit([1.5]) == 2)
    #expect(limit([0.003]) == 0.005)
    #expect(limit(Array(repeating: 7, count: 999) + [4000]) == 10)
  }

  @Test func `images that are NaN or wide or one pixel make a panel`() {
    let planes = [
      Plane(width: 1, height: 1, values: [.nan]),
      Plane(width: 900, height: 2, values: Array(repeating: .infinity, count: 1800)),
    ]
    for plane in planes {
      let panel = Panel(
        title: String(repeating: "a long title ", count: 20), window: .bone,
        tiles: [.init("one", plane, lines: ["x"]), .init(difference: "two", plane)])
      #expect(panel.picture().width >= 256)
    }
  }
}
