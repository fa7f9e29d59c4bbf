import Foundation
import FoundationXML
import Handouts
import Testing
import Transcripts

/// Handouts for readers who answer the quizzes themselves.
struct `A handout for students` {
  /// Every line that only an answer tells has this word.
  private static let secret = "secret"
  private static let lines = [
    "# A lesson.", "> tensor y = a*b", "y = 12", "> show y.grad", "before the question",
    "# What is it?", "> quiz y.grad[0, 1]",
    "y.grad[0,1] = ?  a · b", "answer with 'answer VALUE', within 1 %",
    "> show y.grad", "y.grad [1,2] secret", "> stats 'y.grad[0, 1:2]'", "secret mean",
    "> show y", "y alone",
    "> answer 5  # secret", "no  y.grad[0,1] is 7, secret", "sum secret", "0 of 1 right, secret",
    "> EXPLAIN  y.grad[0,1]  difference=yes", "secret derivation", "> explain a.grad", "a.grad  b",
    "> stats y.grad", "after the answer",
    "> run other", "  quiz y", "  answer 3", "right secret", "> run third",
    "  explain y.grad[0,1]", "secret terms", "# The end.", "> quiz", "0 of 1 right",
  ]

  @Test func `in HTML folds what answers tell, and leaves it out of the session to download`()
    throws
  {
    let sample = try Sample(Self.lines)
    let page = try Page(sample.page(.html, for: .students))
    let folded = try page.elements("//details[@class='answer']").compactMap(\.stringValue)
    #expect(folded.count == 6 && folded.allSatisfy { $0.contains(Self.secret) })
    for element in try page.elements("//details[@class='answer']") { element.detach() }
    #expect(page.document.stringValue?.contains(Self.secret) == false)
    #expect(page.document.stringValue?.contains("y.grad[0,1] = ?") == true)
    #expect(page.document.stringValue?.contains("a.grad  b") == true)
    for open in ["before the question", "y alone", "after the answer"] {
      #expect(page.document.stringValue?.contains(open) == true)
    }
    let link = try #require(try page.values("//a[@download]/@href").first.flatMap(Page.data))
    let session = String(decoding: link, as: UTF8.self)
    #expect(!session.contains(Self.secret) && session.contains("> quiz y.grad[0, 1]\ny.grad"))
    #expect(session.contains("# The end.\n> quiz\n0 of 1 right\n"))
    #expect(session.contains("> explain a.grad\na.grad  b\n"))
  }

  @Test func `in Markdown folds the same`() throws {
    let text = try Sample(Self.lines).page(.markdown, for: .students)
    let parts = text.components(separatedBy: "<details>")
    #expect(parts.count == 7 && !parts[0].contains(Self.secret))
    for part in parts.dropFirst() {
      let halves = part.components(separatedBy: "</details>")
      #expect(halves.count == 2)
      #expect(halves[0].hasPrefix("\n<summary>Answer</summary>\n\n```text\n> "))
      #expect(
        halves[0].contains(Self.secret) && !(halves.last ?? Self.secret).contains(Self.secret))
    }
  }

  @Test func `as a notebook leaves the same out`() throws {
    let text = try Sample(Self.lines).page(.notebook, for: .students)
    #expect(!text.contains(Self.secret) && text.contains("Your turn"))
    #expect(text.contains("quiz y.grad[0, 1]"))
  }

  @Test(arguments: HandoutForm.allCases)
  func `for everybody hides nothing`(_ form: HandoutForm) throws {
    let text = try Sample(Self.lines).page(form)
    #expect(text.components(separatedBy: Self.secret).count >= 8)
    #expect(!text.contains("<summary>Answer"))
  }
}

/// Pages of sessions whose output their commands did not compute.
struct `A handout of a doubtful record` {
  @Test(arguments: HandoutForm.allCases)
  func `says so on the page`(_ form: HandoutForm) throws {
    let sample = try Sample(["# A lesson.", "> view a", "a picture", "#@ cpu: x"])
    let handout = try sample.handout()
    #expect(handout.warnings.count == 1 && handout.warnings[0].contains("was never recorded"))
    #expect(try sample.page(form).contains("was never recorded"))
    try Data("{}".utf8).write(to: URL(filePath: sample.paths.ledger))
    #expect(try sample.handout().warnings.count == 1)
    #expect(try Sample(["> view a", "a picture"]).handout().warnings.isEmpty)
  }
}
