import CommandLanguage
import Figures
import Foundation
import Testing

struct `Saving an animation` {
  private static let data = ["phantom size=32 slices=4 patients=1", "noise gaussian sigma=60HU"]
  private static let network = ["net new seed=3", "conv channels=4 act=relu", "conv"]

  private func session(_ lines: [String]) throws -> TestSession {
    let session = TestSession()
    try session.run(lines: lines)
    return session
  }

  private func animation(_ session: TestSession, _ file: String) throws -> Animation {
    guard
      case .animation(let animation, _) = try PictureFile(
        path: session.folder.appending(path: file).path)
    else { throw PictureError(.broken, "\(file) is no animation", hint: "") }
    return animation
  }

  /// The pixels of `view`, under a caption or alone, at each magnified place.
  private func expect(_ frame: Animation.Frame, shows line: String, in session: TestSession) throws
  {
    let path = try #require(try session.run(line).pictures.first?.path)
    let view = try PNG(path: session.folder.appending(path: path).path).picture
    let factor = frame.picture.width / view.width
    #expect(factor >= 8)
    for row in 0..<view.height {
      for column in 0..<view.width {
        guard frame.picture[row * factor, column * factor] != view[row, column] else { continue }
        Issue.record("\(frame.label) differs from \(line) at \(row), \(column)")
        return
      }
    }
  }

  @Test func `over slices shows each slice in its window`() throws {
    let session = try session(Self.data)
    try session.run("save animation noisy slices.png slices=1..3 window=bone")
    let found = try animation(session, "slices.png")
    #expect(found.frames.map(\.label) == ["slice 1", "slice 2", "slice 3"])
    for (index, frame) in found.frames.enumerated() {
      try expect(frame, shows: "view noisy[\(index + 1)] window=bone", in: session)
    }
    let all = try session.run("save animation clean all.gif")
    #expect(all.result["frames"] == 4)
  }

  @Test func `has frames of one size, however long their numbers grow`() throws {
    let session = try session(
      Self.data + Self.network + ["scale none", "optimizer adam lr=1e9", "train steps=1"])
    try session.run("save animation denoised[2] training.png")
    let found = try animation(session, "training.png")
    #expect(found.frames.count == 2)
    let before = CaptionedPicture.rows(of: ["RMSE 935.61 HU"], width: 32, height: 32)
    #expect(found.frames[0].picture.height > 256 + 15 * (3 + before), "room for a long number")
  }

  @Test func `over epochs shows what shorter trainings end with`() throws {
    let session = try session(Self.data + Self.network + ["train steps=5 batch=2 patch=16"])
    try session.run("save animation denoised[2] training.png window=lung")
    let found = try animation(session, "training.png")
    #expect(found.frames.map(\.label) == (0...5).map { "step \($0)" })
    for step in [0, 1, 3, 5] {
      let shorter = try self.session(Self.data + Self.network)
      if step > 0 { try shorter.run("train steps=\(step) batch=2 patch=16") }
      try expect(found.frames[step], shows: "view denoised[2] window=lung", in: shorter)
    }
    #expect(found.frames[1].picture != found.frames[5].picture)
  }

  @Test func `goes on with a training that goes on`() throws {
    let session = try session(
      Self.data + Self.network + ["train steps=6 batch=2", "continue steps=2", "train epochs=4"])
    let outcome = try session.run("save animation c1.weight[0,0] kernel.png")
    #expect(outcome.lines.first == "13 frames  epoch 0 to epoch 8")
    let frames = try animation(session, "kernel.png").frames
    #expect(frames.first?.picture != frames.last?.picture)
  }

  @Test func `as GIF has the pixels of the PNG`() throws {
    let session = try session(Self.data + Self.network + ["train steps=3"])
    let outcomes = try ["a.png", "a.gif"].map {
      try session.run("save animation denoised[0] \($0) frames=3")
    }
    #expect(outcomes[0].result["px"] == outcomes[1].result["px"])
    #expect(outcomes.map { $0.pictures.first?.kind } == ["apng", "gif"])
    #expect(try animation(session, "a.png").sheet == animation(session, "a.gif").sheet)
  }

  @Test func `is the same for another pause but its time`() throws {
    let session = try session(Self.data)
    try session.run("save animation clean a.png pause=0.5")
    #expect(try animation(session, "a.png").delay == 50)
  }

  @Test(arguments: [
    ("save animation clean a.tif", "written as .png or .gif"),
    ("save animation clean[1] a.png", "not kept over epochs"),
    ("save animation denoised a.png over=epochs", "one slice is shown"),
    ("save animation denoised[1] a.png over=slices", "a whole stack is shown"),
    ("save animation denoised[1] a.png slices=0..1", "do not go together"),
    ("save animation clean a.png slices=2..9", "0 to 3 exist"),
    ("save animation denoised[9] a.png", "there is no slice 9"),
    ("save animation c1.bias a.png frames=100", "frames"),
    ("save animation c1.weight a.png", "not one plane"),
    ("save animation b7.out a.png", "nothing called"),
    ("save animation clean ../a.png", "below its output folder"),
  ])
  func `refuses what it cannot show`(_ line: String, _ words: String) throws {
    let session = try session(Self.data + Self.network + ["train steps=1"])
    #expect {
      try session.run(line)
    } throws: { ($0 as? CommandError)?.summary.contains(words) == true }
  }

  @Test func `needs a training of the network as it is`() throws {
    let lines = [
      [], ["train steps=1", "net new", "conv"], ["train steps=1", "conv"],
      ["net fork other", "train steps=1", "net use other"],
    ]
    for extra in lines {
      let session = try session(Self.data + Self.network + extra)
      #expect {
        try session.run("save animation denoised[1] a.png")
      } throws: { ($0 as? CommandError)?.summary.contains("has not trained") == true }
    }
  }
}
