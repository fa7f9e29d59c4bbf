import Figures
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct DrawingTests {
  private func drawing(_ width: Int = 60, _ height: Int = 40) -> Drawing {
    Drawing(width: width, height: height, title: "title", description: "words")
  }

  @Test func `shapes cover whole pixels exactly and edges in part`() throws {
    var drawing = drawing()
    drawing.fill(.rectangle(x: 10, y: 5, width: 20, height: 10), RGB(0x0072B2))
    drawing.fill(.rectangle(x: 40, y: 5.5, width: 4, height: 3), .black)
    let picture = try drawing.picture()
    #expect(picture.summary == "60x40 rgb8")
    for (x, y) in [(10, 5), (29, 14)] { #expect(picture.color(x, y) == RGB(0x0072B2)) }
    for (x, y) in [(9, 5), (30, 14), (10, 4), (29, 15)] { #expect(picture.color(x, y) == .white) }
    // Half covered: between black and white.
    let edge = picture.color(41, 5)
    #expect((120...135).contains(edge.red) && edge.red == edge.green && edge.green == edge.blue)
    #expect(picture.color(41, 6) == .black)
  }

  @Test func `opacity mixes, dashes leave gaps, arrows end at their place`() throws {
    var drawing = drawing()
    drawing.fill(.rectangle(x: 0, y: 0, width: 10, height: 10), .black, opacity: 0.5)
    drawing.stroke(.line([Point(0, 20.5), Point(60, 20.5)]), .black, width: 1, dashes: [4, 8])
    drawing.arrow(from: Point(5, 32), to: Point(40, 32), RGB(0xD55E00), width: 2)
    let picture = try drawing.picture()
    #expect((126...129).contains(picture.color(5, 5).red))
    let dark = (0..<60).count { picture.color($0, 20).red < 128 }
    #expect((20...30).contains(dark))
    #expect(picture.color(20, 32) == RGB(0xD55E00))
    #expect(picture.color(42, 32) == .white)
  }

  @Test func `pictures keep their pixels as squares`() throws {
    let samples: [UInt16] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 99, 199]
    let colors = Picture(width: 2, height: 2, color: .rgb, samples: samples)
    let grey = Picture(width: 2, height: 1, samples: [40, 200])
    var drawing = drawing()
    drawing.put(colors, x: 3, y: 4, scale: 7)
    drawing.put(grey, x: 50, y: 30, scale: 2)
    let picture = try drawing.picture()
    for row in 0..<14 {
      for column in 0..<14 {
        let start = (row / 7 * 2 + column / 7) * 3
        let shown = picture.color(3 + column, 4 + row)
        #expect(
          [shown.red, shown.green, shown.blue].map(UInt16.init) == Array(samples[start..<start + 3])
        )
      }
    }
    #expect(picture.color(51, 31).red == 40 && picture.color(52, 31).red == 200)
    #expect(picture.color(2, 4) == .white && picture.color(17, 4) == .white)
  }

  @Test func `words stand at their anchor, as wide as the font says`() throws {
    for (anchor, start) in [(Drawing.Label.Anchor.start, 30.0), (.middle, 0.5), (.end, 1)] {
      var drawing = drawing(200, 40)
      let width = OutlineFont.bold.width(of: "HHHH", size: 20)
      drawing.write("HHHH", at: Point(100, 30), size: 20, bold: true, anchor: anchor)
      let picture = try drawing.picture()
      let columns = (0..<200).filter { x in
        (0..<40).contains { picture.color(x, $0) != .white }
      }
      let rows = (0..<40).filter { y in (0..<200).contains { picture.color($0, y) != .white } }
      let left = anchor == .start ? 100 : 100 - width * start
      // An H has a side bearing of about a tenth of the size.
      #expect(abs(Double(try #require(columns.first)) - left) < 4)
      #expect(abs(Double(try #require(columns.last)) - left - width) < 4)
      let first = try #require(rows.first)
      #expect(rows.last == 29 && (14...16).contains(first))
    }
  }

  @Test func `the font draws ASCII and the signs of formulas, each another`() {
    for font in [OutlineFont.regular, .bold] {
      var shapes: Set<Path> = []
      for code in UInt32(33)..<127 {
        guard let letter = Unicode.Scalar(code) else { continue }
        #expect(font.has(letter))
        shapes.insert(font.path(of: String(letter), size: 10, from: Point(0, 0)))
      }
      #expect(shapes.count == 94)
      for letter in "ρσ×·−—∂ΣΠ∇²⁻⁵→‖αλ′".unicodeScalars { #expect(font.has(letter), "\(letter)") }
      #expect(font.path(of: " ", size: 10, from: Point(0, 0)).segments.isEmpty)
      #expect(!font.path(of: "漢", size: 10, from: Point(0, 0)).segments.isEmpty)
    }
    #expect(
      OutlineFont.regular.wrap("one two three", size: 10, width: 50) == ["one two", "three"])
  }

  @Test func `the same drawing gives the same pixels and the same SVG`() throws {
    let a = try Samples.plot.drawing()
    let b = try Samples.plot.drawing()
    #expect(try a.picture() == b.picture())
    #expect(try a.svg() == b.svg())
  }

  @Test func `a drawing too large for a picture is an error with a cure`() {
    let huge = Drawing(width: 40_000, height: 10, title: "", description: "")
    #expect { try huge.picture() } throws: { error in
      (error as? PictureError)?.code == .size
    }
  }

  // MARK: - SVG

  @Test func `SVG is well-formed, whatever the words`() throws {
    var drawing = Drawing(
      width: 30, height: 20, title: "a < b & \"c\"", description: "line 1\nline 2 \u{1} ]]>")
    drawing.write("<script>&amp; ρ·g\u{0}", at: Point(1, 10))
    drawing.shape(
      .circle(Point(10, 10), radius: 4), fill: .white, stroke: .init(.black, width: 0.5))
    drawing.put(Picture(width: 1, height: 1, samples: [7]), x: 1, y: 1, scale: 3)
    let document = try SVGReader(drawing.svg())
    #expect(document.elements == ["svg", "title", "desc", "rect", "text", "path", "image"])
    #expect(document.texts["title"] == "a < b & \"c\"")
    #expect(document.texts["desc"]?.hasPrefix("line 1") == true)
    #expect(document.texts["text"] == "<script>&amp; ρ·g ")
    let image = try #require(document.attributes["image"])
    #expect(image["width"] == "3" && image["x"] == "1")
    let prefix = "data:image/png;base64,"
    let link = try #require(image["href"])
    #expect(link.hasPrefix(prefix))
    let bytes = try #require(Data(base64Encoded: String(link.dropFirst(prefix.count))))
    #expect(try PNG(decoding: [UInt8](bytes)).picture.samples == [7])
  }

  @Test(arguments: Samples.all.indices)
  func `every kind of figure becomes PNG, SVG and text`(index: Int) throws {
    let figure = Samples.all[index]
    let drawing = figure.drawing()
    let picture = try drawing.picture()
    #expect(picture.width == drawing.width && picture.height == drawing.height)
    #expect(Set(picture.samples).count > 3)
    let svg = try drawing.svg()
    let document = try SVGReader(svg)
    #expect(document.texts["title"] == figure.title)
    #expect(document.texts["desc"] == figure.statistics.joined(separator: "\n"))
    #expect(!svg.contains("nan ") && !svg.contains("inf ") && !svg.contains("\"nan\""))
    for style in TextStyle.allCases {
      let lines = figure.text(style)
      #expect(!lines.isEmpty)
      #expect(lines.allSatisfy { $0.count <= 79 })
      #expect(lines.allSatisfy { !$0.contains("\n") && !$0.contains("<") })
      if style == .ascii {
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { (32..<127).contains($0) } }, "\(lines)")
      }
    }
  }

  @Test(arguments: Samples.all.indices)
  func `nothing is drawn outside a figure`(index: Int) throws {
    let drawing = Samples.all[index].drawing()
    let (width, height) = (Double(drawing.width), Double(drawing.height))
    for mark in drawing.marks {
      switch mark {
      case .shape(let path, _, _):
        for point in path.points {
          #expect(point.x.isFinite && point.y.isFinite)
          #expect((-1...width + 1).contains(point.x) && (-1...height + 1).contains(point.y))
        }
      case .label(let label):
        let font = label.isBold ? OutlineFont.bold : .regular
        let size = font.width(of: label.text, size: label.size)
        let left =
          label.anchor == .start
          ? label.place.x : label.anchor == .end ? label.place.x - size : label.place.x - size / 2
        #expect(left >= -1 && left + size <= width + 1, "\(label.text) at \(left) of \(width)")
        #expect(label.place.y > 0 && label.place.y < height)
      case .image(let image):
        #expect(image.x >= 0 && image.x + image.picture.width * image.scale <= drawing.width)
        #expect(image.y >= 0 && image.y + image.picture.height * image.scale <= drawing.height)
      }
    }
  }
}

extension Picture {
  /// The color of a pixel.
  func color(_ x: Int, _ y: Int) -> RGB {
    let start = (y * width + x) * 3
    return RGB(
      UInt32(samples[start]) << 16 | UInt32(samples[start + 1]) << 8 | UInt32(samples[start + 2]))
  }
}

extension Path {
  /// The points that the path goes through.
  var points: [Point] {
    segments.compactMap { segment in
      switch segment {
      case .move(let point), .line(let point), .curve(_, _, let point): point
      case .close: nil
      }
    }
  }
}

/// The elements of an SVG document, by Foundation's XML parser.
private final class SVGReader: NSObject, XMLParserDelegate {
  private(set) var elements: [String] = []
  /// The text and attributes of the last element of each name.
  private(set) var texts: [String: String] = [:]
  private(set) var attributes: [String: [String: String]] = [:]
  private var open: [String] = []

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    let isWellFormed = parser.parse()
    try #require(isWellFormed, "\(String(describing: parser.parserError))")
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    if !elements.contains(name) { elements.append(name) }
    self.attributes[name] = attributes
    texts[name] = ""
    open.append(name)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if let name = open.last { texts[name, default: ""] += string }
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) { open.removeLast() }
}
