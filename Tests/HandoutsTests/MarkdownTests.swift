import Figures
import Foundation
import Handouts
import Testing

struct `A page in Markdown` {
  @Test func `has its pictures in a folder beside it`() throws {
    let picture = Sample.picture(1)
    let sample = try Sample(
      ["# Hello.", "", "# Look. Closely.", "> view noisy[3]", Sample.line("noisy-3.png", picture)],
      pictures: ["noisy-3.png": PNG(picture)])
    let files = try sample.handout().files(.markdown, named: "a/page.md")
    #expect(files.map(\.path) == ["a/page.md", "a/page.pictures/1-noisy-3.png"])
    #expect(try PNG(decoding: Array(files[1].data)).picture == picture)
    let text = String(decoding: files[0].data, as: UTF8.self)
    #expect(text.hasPrefix("# sample\n\nHello.\n"))
    #expect(text.contains("\n<a id=\"part-1\"></a>\n\n## Look\n\nClosely.\n"))
    #expect(text.contains("1. [Look](#part-1)\n"))
    #expect(text.contains("\n```text\n> view noisy[3]\n```\n"))
    #expect(text.contains("](<page.pictures/1-noisy-3.png>)"))
  }

  @Test func `numbers its contents from 1, also where a part without a heading comes first`() throws
  {
    let sample = try Sample([
      "> view a", "one", "# Look.", "> view b", "two", "# More.", "> view c",
    ])
    let text = try sample.page(.markdown)
    #expect(text.contains("\n1. [Look](#part-2)\n2. [More](#part-3)\n"), "\(text)")
  }
}
