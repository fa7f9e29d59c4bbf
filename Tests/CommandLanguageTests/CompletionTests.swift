import CommandLanguage
import Testing

struct `Completion` {
  private let completer = Completer(
    specs: ToyTable.specs,
    topics: [HelpTopic("HU", "The unit of CT.", "Water is 0.")],
    names: {
      ["clean", "noisy", "b1.conv1.weight", "b1.conv1.weight.grad", "b1.conv1.bias", "b2.out"].map {
        Candidate($0, "thing")
      }
    },
    entries: { folder in
      folder.isEmpty
        ? [
          .init("my folder", isFolder: true), .init("my file"), .init("a=b"), .init("it's"),
          .init("#1"), .init("längs"), .init(".hidden"), .init("say \"$x\""),
        ] : folder == "my folder/" ? [.init("x.npy")] : []
    })

  private func texts(_ line: String) -> [String] {
    completer.completion(of: line).candidates.map(\.text)
  }

  /// The line after Tab.
  private func grown(_ line: String) -> String {
    let completion = completer.completion(of: line)
    let kept = line.unicodeScalars.dropLast(completion.replacedScalars)
    return String(String.UnicodeScalarView(kept)) + completion.insertion
  }

  @Test(arguments: [
    ("no", "noise "), ("NOISE G", "NOISE gaussian "),
    ("noise gaussian si", "noise gaussian sigma="),
    ("noise gaussian sigma=4 fr", "noise gaussian sigma=4 fr"),
    ("noise gaussian sigma=4 fre", "noise gaussian sigma=4 fresh "),
    ("train shuffle=n", "train shuffle=no "), ("train shuffle = y", "train shuffle = yes "),
    ("train convention=r", "train convention=range:"), ("view cl", "view clean "),
    ("view b1", "view b1.conv1."), ("view b1.c", "view b1.conv1."),
    ("view b1.conv1.w", "view b1.conv1.weight"),
    ("view b1.conv1.weight.", "view b1.conv1.weight.grad "), ("expect noi", "expect noisy "),
    ("fails noise u", "fails noise uniform "), ("help noise u", "help noise uniform "),
    ("help h", "help h"), ("help hu", "help HU "), ("train \\\n  epo", "train \\\n  epochs="),
  ])
  func `grows a word as its place allows`(line: String, result: String) {
    #expect(grown(line) == result)
  }

  @Test(arguments: [
    ("load my", "load \"my f"), ("load \"my fo", "load \"my folder/"),
    ("load \"my folder/", "load \"my folder/x.npy\" "), ("load 'my fi", "load 'my file' "),
    ("load a", "load \"a=b\" "), ("load i", "load \"it's\" "), ("load \"#", "load \"#1\" "),
    ("load l", "load längs "), ("load sa", "load 'say \"$x\"' "), ("load .h", "load .hidden "),
  ])
  func `quotes paths that need it`(line: String, result: String) throws {
    #expect(grown(line) == result)
    guard result.hasSuffix(" ") else { return }
    // What was inserted means the file that was offered.
    let shown = try #require(texts(line).first)
    let invocation = try #require(ToyTable.runner().run(result, line: 1)?.outcome)
    #expect(invocation.lines[0].hasSuffix(shown))
  }

  @Test func `offers what is not there yet`() {
    #expect(texts("noise gaussian sigma=4 fixed ") == ["fraction=", "seed="])
    #expect(texts("train time=") == [])
    #expect(completer.completion(of: "train time=").expectation?.contains("60s") == true)
    #expect(texts("noise ") == ["gaussian", "uniform"])
    #expect(texts("nothing ") == [])
  }

  @Test func `knows variables`() {
    var variables = Variables()
    let runner = ToyTable.runner()
    _ = runner.run("let data = phantom", line: 1)
    variables = runner.variables
    let completer = Completer(specs: ToyTable.specs, variables: variables)
    #expect(completer.completion(of: "load $d").insertion == "data")
    #expect(completer.completion(of: "load \"x/${da").insertion == "data}")
    #expect(completer.completion(of: "load '$d").insertion != "data")
  }

  @Test func `leaves text alone`() {
    for line in ["# why", "let a = \"why", "train # no"] {
      #expect(completer.completion(of: line).isInText)
    }
    #expect(!completer.completion(of: "let a = \"why\" ").isInText)
  }

  @Test(arguments: [80, 40, 12, 1])
  func `lists within the width`(columns: Int) {
    var completion = completer.completion(of: "")
    completion.candidates.append(Candidate("漢字漢字漢字", "wide\u{1B}[31m letters, and many of them"))
    for line in completion.list(columns: columns) {
      #expect(VisibleText.columns(of: line) <= max(1, columns - 1), "\(line)")
      #expect(!line.contains("\u{1B}"))
    }
  }

  @Test func `takes any line`() {
    for line in [
      "\"", "'", "[", "load [\"", "$", "${", "=", "load =", "noise gaussian sigma==", "\\",
    ] {
      for end in line.indices { _ = completer.completion(of: String(line[...end])) }
    }
  }
}
