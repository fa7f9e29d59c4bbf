import CommandLanguage
import Figures
import Foundation
import FoundationXML
import Handouts
import TestSupport
import Testing
import Transcripts

/// Sessions that want to be more than text.
struct `A hostile session` {
  /// Texts that would become markup, wherever they were not escaped.
  static let attacks = [
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</style><script>x</script>",
    "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "\" onload=\"alert(1)",
    "\"\u{301} onload=alert(1) x=\"", "<\u{338}script>", "<!-- -->", "]]>", "--><b>",
    "</pre></code><b>", "</title><b>", "{{{style}}}{{name}}", "&lt;b&gt;<b>", "javascript:alert(1)",
    "<svg/onload=alert(1)>", "`<b>`", "```\n<b>", "[x](javascript:alert(1))", "![](http://x/y.png)",
    "\u{1B}[2J\u{202E}", "$$\\unsafe{<b>}$$",
  ]

  /// A session that holds `text` wherever a session holds text.
  private func sample(_ text: String) throws -> Sample {
    let line = text.replacing("\n", with: " ")
    let picture = Sample.picture(1)
    let path = "x\(line.replacing("/", with: "-")).png"
    return try Sample(
      [
        "#! backflow session 1", "#@ cpu: \(line)", "#@ \(line.replacing(":", with: "-")): 1",
        "# \(line)", "#    \(line)", "", "# \(line). \(line)", "> view \(line)", line,
        "warning: \(line)", "<\(line)>", "> view noisy[3] \(line)",
        Sample.line(path, picture), "> view clean[3] \(line)", Sample.line("gone\(path)", picture),
        "> view denoised[3] \(line)", Sample.line(path, picture),
      ],
      pictures: [
        path: PNG(
          picture,
          texts: [PNG.Text("Tiles", "0 0 4 4 noisy \(line)\n4 4 4 4 clean \(line)")])
      ])
  }

  @Test(arguments: attacks) func `stays text in HTML`(_ attack: String) throws {
    let html = try sample(attack).page(.html)
    let page = try Page(html)
    #expect(html.components(separatedBy: "<script").count == 2)
    #expect(html.components(separatedBy: "<style").count == 2)
    #expect(try page.elements("//script").count == 1)
    #expect(try page.elements("//*[@onload or @onerror or @onmouseover]").isEmpty)
    #expect(try page.elements("//b | //svg | //iframe | //form").isEmpty)
    for value in try page.values("//@href | //@src") {
      #expect(value.hasPrefix("#") || value.hasPrefix("data:image/png;") || isDownload(value))
    }
    // What was typed is there to read.
    let shown = VisibleText.visible(attack.replacing("\n", with: " "))
    let commands = try page.values("//pre[@class='command']/code")
    #expect(commands.contains("view \(shown)"))
    #expect(!html.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
  }

  private func isDownload(_ value: String) -> Bool {
    value.hasPrefix("data:text/plain;charset=utf-8;base64,")
  }

  /// Every mark of HTML or Markdown stands in a fence or behind a backslash.
  @Test(arguments: attacks) func `stays text in Markdown`(_ attack: String) throws {
    let own = /<a id="part-\d+"><\/a>|\]\(#part-\d+\)|\]\(<page\.pictures\/[\w.-]+>\)|!\[|\[/
    var fence: Substring?
    for line in try sample(attack).page(.markdown).split(separator: "\n") {
      if let open = fence {
        if line == open { fence = nil }
        continue
      }
      if line.hasPrefix("```") {
        fence = line.prefix { $0 == "`" }
        continue
      }
      let plain = line.replacing(/\\./, with: "").replacing(own, with: "")
      #expect(!plain.contains("<") && !plain.contains("]("), "\(line)")
    }
    #expect(fence == nil)
  }

  @Test(arguments: attacks) func `stays text in a notebook`(_ attack: String) throws {
    let notebook = try #require(
      try JSONSerialization.jsonObject(with: Data(sample(attack).page(.notebook).utf8))
        as? [String: Any])
    let cells = try #require(notebook["cells"] as? [[String: Any]])
    for cell in cells where cell["cell_type"] as? String == "markdown" {
      for line in cell["source"] as? [String] ?? [] where !line.hasPrefix("    ") {
        let plain = line.replacing(/\\./, with: "")
        #expect(!plain.contains("<") && !plain.contains("]("), "\(line)")
      }
    }
  }
}
