import CommandLanguage
import Figures
import Fingerprints
import Foundation
import FoundationXML
import Handouts
import Testing
import Transcripts

struct `A page in HTML` {
  private static let lines = [
    "#! backflow session 1", "#@ backflow: 0.1.0", "#@ seed: 1", "# What this is about.", "#",
    "#   backflow run sample.session", "",
    "> noise gaussian sigma=40HU", "noisy  rmse 40.02 HU  <4.1 s>", "a \\< b", "",
    "# First the noise. Then more of it,", "# as it comes.", "> view noisy[3] # look", "",
    "# Then the rest", "> let text = \"a b\" \\", ">   c", "\\> not a command", "warning: careful",
  ]

  @Test func `shows what the record holds`() throws {
    let page = try Page(Sample(Self.lines).page(.html))
    #expect(try page.values("//h1") == ["sample"])
    #expect(try page.values("//h2").dropLast() == ["First the noise", "Then the rest"])
    #expect(try page.values("//p[@class='lead']") == ["What this is about."])
    #expect(
      try page.values("//pre[@class='verbatim']") == ["backflow run sample.session"])
    #expect(try page.values("//section/p").contains("Then more of it, as it comes."))
    let commands = try page.values("//pre[@class='command']/code")
    #expect(
      commands == [
        "noise gaussian sigma=40HU", "view noisy[3] # look", "let text = \"a b\" \\\n  c",
      ])
    let output = try page.values("//pre[@class='output']/span").map {
      $0.trimmingCharacters(in: .newlines)
    }
    #expect(
      output == ["noisy  rmse 40.02 HU  4.1 s", "a < b", "> not a command", "warning: careful"])
    #expect(try page.values("//i") == ["4.1 s"])
    #expect(try page.values("//footer//th") == ["backflow", "seed"])
  }

  @Test func `colors commands`() throws {
    let page = try Page(Sample(Self.lines).page(.html))
    func colored(_ kind: String) throws -> [String] {
      try page.values("//code/span[@class='\(kind)']")
    }
    #expect(try colored("name") == ["noise", "gaussian", "view"])
    #expect(try colored("key") == ["sigma="])
    #expect(try colored("number") == ["40HU"])
    #expect(try colored("comment") == ["# look"])
  }

  @Test func `has contents whose links lead to its parts`() throws {
    let page = try Page(Sample(Self.lines).page(.html))
    let links = try page.values("//nav//a/@href")
    #expect(links == ["#part-2", "#part-3", "#stamp"])
    for link in links {
      #expect(try page.elements("//*[@id='\(link.dropFirst())']").count == 1, "\(link)")
    }
    #expect(try Page(Sample(["> view x"]).page(.html)).elements("//nav").isEmpty)
  }

  @Test func `carries the session for download`() throws {
    let sample = try Sample(Self.lines)
    let page = try Page(sample.page(.html))
    let link = try #require(try page.elements("//a[@download]").first)
    #expect(link.attribute(forName: "download")?.stringValue == "sample.session")
    let data = try #require(Page.data(link.attribute(forName: "href")?.stringValue ?? ""))
    #expect(data == (try Data(contentsOf: URL(filePath: sample.paths.file))))
  }

  @Test func `needs nothing from outside, and runs its own script alone`() throws {
    let html = try Sample.views(["noisy[1]", "denoised[1]"]).page(.html)
    let page = try Page(html)
    for value in try page.values("//@src | //@href") {
      #expect(value.hasPrefix("data:") || value.hasPrefix("#"), "\(value)")
    }
    #expect(try page.elements("//link | //iframe | //object | //*[@style]").isEmpty)
    let policy = try #require(
      try page.values("//meta[@http-equiv='Content-Security-Policy']/@content").first)
    #expect(policy.hasPrefix("default-src 'none'; img-src data:; "))
    for (kind, tag) in [("style-src", "style"), ("script-src", "script")] {
      let text = try #require(html.firstMatch(of: try Regex("<\(tag)>([\\s\\S]*?)</\(tag)>")))
      let body = String(text.output[1].substring ?? "")
      let digest = Data(SHA256Digest(of: body).bytes).base64EncodedString()
      #expect(policy.contains("\(kind) 'sha256-\(digest)'"))
    }
  }

  // MARK: - Pictures

  @Test func `holds pictures to the pixel, and nothing else of their files`() throws {
    let picture = Sample.picture(3, side: 300)
    let sample = try Sample(
      ["> view noisy[3]", Sample.line("noisy-3.png", picture)],
      pictures: ["noisy-3.png": PNG(picture, texts: [PNG.Text("Author", "Doe^Jane")])])
    let page = try Page(sample.page(.html))
    let image = try #require(try page.elements("//figure/img").first)
    let source = try #require(image.attribute(forName: "src")?.stringValue)
    #expect(source.hasPrefix("data:image/png;base64,"))
    let found = try PNG(decoding: Array(try #require(Page.data(source))))
    #expect(found.picture == picture)
    #expect(found.texts.isEmpty)
    #expect(image.attribute(forName: "width")?.stringValue == "300")
    #expect(try sample.handout().warnings.isEmpty)
  }

  @Test func `shows small pictures larger by a whole factor`() throws {
    let page = try Page(Sample.views(["noisy[1]"]).page(.html))
    #expect(try page.values("//figure/img/@width") == ["256"])
    #expect(try page.values("//figure/img/@class") == ["pixels"])
  }

  @Test func `says which pictures are missing, broken or others`() throws {
    let picture = Sample.picture(1)
    let sample = try Sample(
      [
        "> view a", Sample.line("gone.png", picture), "> view b",
        Sample.line("broken.png", picture),
        "> view c", Sample.line("other.png", picture), "> view d",
        Sample.line("../../etc/outside.png", picture),
      ], pictures: ["other.png": PNG(Sample.picture(2))])
    try Data("<svg onload='alert(1)'/>".utf8).write(
      to: URL(filePath: "\(sample.paths.pictures)/broken.png"))
    let warnings = try sample.handout().warnings
    #expect(warnings.count == 4)
    #expect(warnings[0] == "gone.png: the picture is not there")
    #expect(warnings[1].hasPrefix("broken.png: not a readable PNG"))
    #expect(warnings[2] == "other.png: the picture has other pixels than the record says")
    #expect(warnings[3].hasSuffix("the picture is not there"))
    let page = try Page(sample.page(.html))
    #expect(try page.elements("//p[@class='missing']").count == 3)
    #expect(try page.elements("//figure").count == 1)
    #expect(try !sample.page(.html).contains("onload"))
  }

  @Test func `takes a bounded number of pictures`() throws {
    let picture = Sample.picture(1)
    let lines = ["> view x", Sample.line("x.png", picture)]
    let sample = try Sample(
      Array(repeating: lines, count: Handout.pictureCountLimit + 3).flatMap(\.self),
      pictures: ["x.png": PNG(picture)])
    let handout = try sample.handout()
    #expect(handout.warnings.count == 3)
    #expect(handout.warnings[0].contains("and takes no more"))
    #expect(handout.facts.hasSuffix("\(Handout.pictureCountLimit) pictures"))
  }

  // MARK: - Comparing and sliding

  @Test func `compares the same slice of several stacks`() throws {
    let page = try Page(
      Sample.views(["clean[3]", "noisy[3]", "denoised[3]", "denoised[3]", "denoised[4]"])
        .page(.html))
    #expect(try page.elements("//figure[starts-with(@class,'compare')]").count == 1)
    let choices = "//select[@class='right']/option"
    #expect(
      try page.values(choices) == ["clean[3]", "noisy[3]", "denoised[3]", "denoised[3], picture 2"])
    for id in try page.values("\(choices)/@value") {
      #expect(try page.elements("//img[@id='\(id)']").count == 1)
    }
    #expect(try page.values("//select[@class='left']/option[@selected]") == ["noisy[3]"])
    #expect(try page.values("\(choices)[@selected]") == ["denoised[3], picture 2"])
  }

  @Test func `does not compare other windows or slices`() throws {
    let page = try Page(
      Sample.views(["noisy[3] window=lung", "denoised[3] window=bone", "clean[4] window=lung"])
        .page(.html))
    #expect(try page.elements("//figure[starts-with(@class,'compare')]").isEmpty)
  }

  @Test func `slides through three or more slices of a stack, in order`() throws {
    let two = try Page(Sample.views(["clean[5]", "clean[1]"]).page(.html))
    #expect(try two.elements("//figure[starts-with(@class,'reel')]").isEmpty)
    let page = try Page(Sample.views(["clean[5]", "clean[1]", "clean[3]"]).page(.html))
    let frames = "//figure[starts-with(@class,'reel')]//img"
    #expect(try page.values("\(frames)/@alt") == ["clean[1]", "clean[3]", "clean[5]"])
    #expect(try page.values("\(frames)[not(@hidden)]/@alt") == ["clean[1]"])
    #expect(try page.values("//input/@max") == ["2"])
    #expect(
      try page.values("\(frames)/@data-of") == ["picture-2", "picture-3", "picture-1"])
  }

  @Test func `compares the tiles of a panel`() throws {
    let planes = (0..<3).map { seed in
      Plane(
        width: 16, height: 16, values: Sample.picture(seed, side: 16).samples.map(Float.init))
    }
    let panel = Panel(
      title: "Figures", window: try Window(center: 128, width: 256),
      tiles: [
        Panel.Tile("noisy[3]", planes[0]), Panel.Tile("clean[3]", planes[1]),
        Panel.Tile(difference: "noisy[3] − clean[3]", planes[2]),
      ])
    let picture = panel.picture()
    let sample = try Sample(
      ["> panel noisy[3] clean[3]", Sample.line("panel.png", picture)],
      pictures: ["panel.png": PNG(picture, texts: [TileFrame.note(panel.frames)])])
    let page = try Page(sample.page(.html))
    #expect(try page.values("//select[@class='left']/option") == ["noisy[3]", "clean[3]"])
    for (index, source) in try page.values("//img[starts-with(@id,'tile-')]/@src").enumerated() {
      let tile = try PNG(decoding: Array(try #require(Page.data(source)))).picture
      let shown = panel.window.picture(of: planes[index])
      let factor = panel.magnification
      #expect(tile.width == 16 * factor && tile.height == 16 * factor)
      for row in 0..<16 {
        for column in 0..<16 {
          #expect(tile[row * factor, column * factor] == shown[row, column])
        }
      }
    }
  }
}

struct `A page with curves` {
  private static let title = "Loss <b>\"x\"</b>"

  /// A session whose training left a curve.
  private func sample(recorded: String = "loss 0.5") throws -> Sample {
    let sample = try Sample(["> train steps=3", recorded, "> view x"])
    let curve: [String: Any] = [
      "title": Self.title, "name": "loss", "x": "epoch", "y": "loss (mse)", "isLogarithmic": false,
      "reference": ["noisy": 0.7],
      "points": (1...5).map { ["x": $0, "y": 1.0 / Double($0), "low": 0.1, "high": 1.1] },
    ]
    let file = [
      "entries": [["command": "train steps=3", "output": ["loss 0.5"], "curves": [curve]]]
    ]
    try JSONSerialization.data(withJSONObject: file).write(to: URL(filePath: sample.paths.curves))
    return sample
  }

  @Test func `draws them under the command, as SVG in the page`() throws {
    let page = try Page(sample().page(.html))
    let step = "//div[@class='step'][1]"
    #expect(try page.elements("\(step)//*[local-name()='svg']").count == 1)
    #expect(try page.values("\(step)//*[local-name()='title']") == [Self.title])
    #expect(try page.values("//*[local-name()='svg']//*[local-name()='text']").contains("epoch"))
    #expect(try page.elements("//b").isEmpty)
  }

  @Test func `does not draw those of another run`() throws {
    let page = try Page(sample(recorded: "loss 0.6").page(.html))
    #expect(try page.elements("//*[local-name()='svg']").isEmpty)
  }

  @Test func `has them in Markdown and in the notebook too`() throws {
    let files = try sample().handout().files(.markdown, named: "page.md")
    #expect(files.map(\.path) == ["page.md", "page.pictures/line-1-loss.svg"])
    #expect(String(decoding: files[1].data, as: UTF8.self).hasPrefix("<svg "))
    #expect(try sample().page(.notebook).contains("\"image/svg+xml\""))
  }
}

struct `A page with an animation` {
  @Test(arguments: [Animation.Kind.apng, .gif])
  func `slides through its frames`(_ kind: Animation.Kind) throws {
    let animation = Animation(
      (0..<4).map { .init(Sample.picture($0, side: 20), label: "epoch \($0)") }, delay: 10)
    let file = "film.\(kind == .gif ? "gif" : "png")"
    let line =
      "[\(kind.rawValue) \(file) 20x20 gray8 px:\(animation.sheet.pixelFingerprint)]"
    let sample = try Sample(["> save animation denoised[1] \(file)", "4 frames", line])
    try Data(animation.encoded(kind)).write(
      to: URL(filePath: "\(sample.paths.pictures)/\(file)"))
    #expect(try sample.handout().warnings.isEmpty)
    let page = try Page(sample.page(.html))
    let frames = "//figure[@class='reel']//img"
    #expect(try page.values("\(frames)/@alt") == (0..<4).map { "epoch \($0)" })
    #expect(try page.values("\(frames)[not(@hidden)]/@alt") == ["epoch 3"])
    for (source, frame) in zip(try page.values("\(frames)/@src"), animation.frames) {
      let data = try #require(Page.data(source))
      #expect(try PNG(decoding: Array(data)).picture == frame.picture)
    }
    let written = try sample.handout().files(.markdown, named: "page.md")
    #expect(written[1].path == "page.pictures/1-\(file)")
    guard case .animation(let again, _) = try PictureFile(decoding: Array(written[1].data)) else {
      Issue.record("it is no animation")
      return
    }
    #expect(again == animation)
    // Converters of notebooks know no GIF.
    let notebook = try sample.page(.notebook)
    #expect(notebook.contains("\"image/png\"") && !notebook.contains("\"image/gif\""))
  }
}
