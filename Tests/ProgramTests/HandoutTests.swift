import Figures
import Foundation
import TestSupport
import Testing

/// Sessions that are exported and packed, as their callers see it.
struct `A session to hand out` {
  let folder: Folder
  private let session = "out/script.txt/lesson.session"

  /// Records, packs and exports a session with pictures and a training.
  init() throws {
    folder = try Folder()
    let ending = try folder.run([
      "phantom size=32 slices=3", "noise gaussian sigma=40HU", "view noisy[1] window=lung",
      "block channels=2", "conv", "train steps=3", "view denoised[1] window=lung",
      "panel noisy[1] denoised[1] clean[1]", "fails stats cleen", "session save lesson",
      "session pack lesson.zip", "export lesson.html", "export notes/lesson.md",
      "export lesson.ipynb",
    ])
    guard ending.status == 0 else { throw Program.Failure(ending.errors) }
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.url.appending(path: name))
  }

  @Test func `replays from its pack in an empty folder`() throws {
    let empty = try Folder()
    try empty.write(try bytes("out/script.txt/lesson.zip"), to: "lesson.zip")
    for options in [[], ["--threads", "1", "--out", "elsewhere"]] {
      let ending = try Program.run(["replay", "lesson.zip"] + options, in: empty)
      #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
      #expect(ending.lines.last?.contains(" 0 not checked, 0 differ") == true)
    }
    #expect(empty.exists("out/lesson/noisy-1.png"))
    let acceptance = try Program.run(["accept", "lesson.zip"], in: empty)
    #expect(acceptance.status == 4 && acceptance.errors.contains("out/NAME/packed"))
    #expect(
      try Program.run(["accept", "out/lesson/packed/lesson.session"], in: empty).status == 0)
    #expect(try Program.run(["run", "lesson.zip"], in: empty).status == 0)
  }

  @Test func `is run and replayed from its pack at the prompt`() throws {
    let pack = folder.path("out/script.txt/lesson.zip")
    let ending = try folder.run(["run \(pack)", "replay \(pack)"], "--out", "prompt")
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(ending.lines.last?.contains(" 0 not checked, 0 differ") == true, "\(ending.output)")
    #expect(folder.exists("prompt/packed/lesson.session"))
  }

  @Test func `runs from its pack once for each value`() throws {
    let ending = try folder.run(
      ["let n = 2", "phantom size=16 slices=$n", "session pack sweep.zip"], "--out", "s")
    #expect(ending.status == 0, "\(ending.errors)")
    let sweep = try Program.run(
      ["run", "s/sweep.zip", "--sweep", "n=1,2", "--out", "w"], in: folder)
    #expect(sweep.status == 0, "\(sweep.errors)")
    #expect(folder.exists("w/n=1.session") && folder.exists("w/n=2.session"))
  }

  @Test func `shows how a training went that a checkpoint gave`() throws {
    let lines = [
      "phantom size=16 slices=2", "noise gaussian sigma=40HU", "conv channels=2", "conv",
      "train steps=4 batch=2", "save animation denoised[1] film.png",
      "session save film replace=yes", "export film.html",
    ]
    var pages: [String] = []
    for run in 0..<2 {
      let ending = try folder.run(lines, "--from-checkpoint", "--out", "kept")
      #expect(ending.status == 0, "\(ending.errors)")
      #expect(ending.errors.contains("not trained") == (run == 1))
      pages.append(try folder.read("kept/film.html").replacing(/<i [^>]*>[^<]*<\/i>/, with: ""))
    }
    let figures = pages.map { page in
      page.matches(of: /(?s)<(figure|svg).*?<\/(figure|svg)>/).map { String($0.output.0) }
    }
    #expect(figures[0].count >= 2 && figures[0] == figures[1])
  }

  @Test func `differs when one pixel of a packed picture does`() throws {
    let empty = try Folder()
    try empty.write(try bytes("out/script.txt/lesson.zip"), to: "lesson.zip")
    #expect(try Program.run(["run", "lesson.zip"], in: empty).status == 0)
    let picture = "out/lesson/packed/lesson/noisy-1.png"
    let old = try PNG(path: empty.path(picture)).picture
    var samples = old.samples
    samples[77] ^= 1
    try PNG(Picture(width: old.width, height: old.height, samples: samples))
      .write(to: empty.path(picture))
    let packed = "out/lesson/packed/lesson.session"
    #expect(
      try Program.run(["export", packed, "--pack", "altered.zip"], in: empty).status == 0)
    let ending = try Program.run(["replay", "altered.zip"], in: empty)
    #expect(ending.status == 3)
    #expect(ending.output.contains("noisy-1.png has other pixels"), "\(ending.output)")
  }

  @Test func `gives the same pages from its file and from its pack`() throws {
    for (input, output) in [(session, "a"), ("out/script.txt/lesson.zip", "b")] {
      let ending = try Program.run(
        [
          "export", input, "--html", "\(output).html", "--markdown", "\(output)/lesson.md",
          "--notebook", "\(output).ipynb", "--pack", "\(output).zip",
        ], in: folder)
      #expect(ending.status == 0 && ending.errors == "", "\(ending.errors)")
      #expect(ending.lines.count == 4)
    }
    for name in ["html", "ipynb", "zip"] {
      #expect(try bytes("a.\(name)") == bytes("b.\(name)"), "\(name)")
    }
    #expect(try bytes("a/lesson.md") == bytes("b/lesson.md"))
    #expect(
      try PNG(path: folder.path("a/lesson.pictures/1-noisy-1.png")).picture
        == PNG(path: folder.path("out/script.txt/noisy-1.png")).picture)
  }

  @Test func `is exported from the prompt as it is so far`() throws {
    let html = try folder.read("out/script.txt/lesson.html")
    #expect(html.contains("<h1>lesson</h1>"))
    #expect(html.components(separatedBy: "class=\"step\"").count == 10)
    #expect(!html.contains("session save"))
    #expect(folder.exists("out/script.txt/notes/lesson.pictures/1-noisy-1.png"))
    let other = try folder.run(
      ["export page.html session=lesson.session"], "--out", "out/script.txt")
    #expect(other.status == 0, "\(other.errors)")
    let again = try folder.read("out/script.txt/page.html")
    #expect(again.components(separatedBy: "class=\"step\"").count == 10)
  }

  @Test(arguments: [
    "export ../x.html", "export /tmp/backflow-x.html", "export x.pdf", "export x",
    "export x.html session=nowhere", "session pack ../x.zip", "session pack x.tar",
    "export x.html session=script.txt.nowhere",
  ])
  func `is refused at a place or in a form that cannot be`(_ line: String) throws {
    let ending = try folder.run([line])
    #expect(ending.status != 0)
    #expect(ending.errors.contains("^") && ending.errors.contains("error: "), "\(ending.errors)")
    #expect(!folder.exists("out/x.html") && !folder.exists("out/x.zip"))
  }

  @Test func `needs a form, a session, and a place`() throws {
    #expect(try Program.run(["export", session], in: folder).status == 2)
    #expect(try Program.run(["export", "nowhere", "--html", "x.html"], in: folder).status == 4)
    try folder.write("PK\u{3}\u{4}broken", to: "broken.zip")
    for command in [
      ["export", "broken.zip", "--html", "x.html"], ["replay", "broken.zip"],
      ["run", "broken.zip"],
    ] {
      let ending = try Program.run(command, in: folder)
      #expect(ending.status == 4 && ending.complaints.count == 1, "\(ending.errors)")
    }
    try folder.write("", to: "file")
    let ending = try Program.run(["export", session, "--html", "file/x.html"], in: folder)
    #expect(ending.status == 1 && ending.errors.contains("file/x.html"), "\(ending.errors)")
    #expect(!folder.exists("x.html"))
  }

  @Test func `for students folds answers, on the command line and at the prompt`() throws {
    let lines = [
      "tensor a = 2", "tensor y = a*a + a", "backward y", "quiz a.grad", "answer 7",
      "session save quiz", "export q.html for=students", "export all.html",
    ]
    #expect(try folder.run(lines, "--out", "o").status == 0)
    let all = ["export", "o/quiz.session", "--for", "students", "--html", "p.html"]
    let ending = try Program.run(
      all + ["--markdown", "p.md", "--notebook", "p.ipynb"], in: folder)
    #expect(ending.status == 0 && ending.errors == "", "\(ending.errors)")
    for page in ["o/q.html", "p.html", "p.md"] {
      let text = try folder.read(page)
      let open = text.replacing(/(?s)<details[ >].*?<\/details>/, with: "")
      #expect(text.contains("a.grad is 5") && !open.contains("a.grad is 5"), "\(page)")
    }
    #expect(try !folder.read("p.ipynb").contains("a.grad is 5"))
    #expect(try folder.read("o/all.html").contains("a.grad is 5"))
    #expect(try Program.run(all + ["--pack", "p.zip"], in: folder).status == 2)
    #expect(try Program.run(all.map { $0 == "students" ? "cats" : $0 }, in: folder).status == 2)
  }

  @Test func `that was never recorded is shown with its commands alone`() throws {
    let ending = try Program.run(["export", "script.txt", "--html", "x.html"], in: folder)
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(try folder.read("x.html").contains("The session carries no stamp"))
  }
}
