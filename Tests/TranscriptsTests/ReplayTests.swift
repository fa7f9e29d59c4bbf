import CommandLanguage
import Foundation
import TestSupport
import Testing
import Transcripts

struct `A replay` {
  static let lines = ["# hello", "load x", "measure", "block", "view", "train steps=3", "measure"]
  static let elsewhere = [Stamp("backflow", "0.1.0"), Stamp("engine", "Haswell")]

  @Test func `of an untouched record agrees`() throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    let report = try scratch.replay()
    #expect(report.toTheDigit)
    #expect(report.status == .success)
    #expect(report.checked == 13)
    #expect(report.tolerated + report.notComparable + report.notChecked == 0)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(report.json.text.utf8)) as? [String: Any])
    #expect(object["checked"] as? Int == 13 && (object["differs"] as? [Any])?.isEmpty == true)
    #expect(try scratch.read("first.new").contains("# hello\n> load x\n"))
  }

  @Test(arguments: [
    ("-512.4", "-512.5", 7), ("16 slices", "17 slices", 7), ("31.20 dB", "31.21 dB", 9),
    ("name ", "nome ", 10), ("100.5", "100.6", 12), ("\\> unit HU", "\\> unit mm", 14),
    ("4x3", "4x4", 17), ("px:aaaaaaaaaaaa", "px:aaaaaaaaaaab", 17), ("0.5000", "0.5001", 19),
  ])
  func `names the line of one altered digit, word or pixel`(
    old: String, new: String, line: Int
  ) throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    let text = try scratch.read("first.session")
    let range = try #require(text.range(of: old))
    try scratch.write(text.replacingCharacters(in: range, with: new), to: "first.session")
    let report = try scratch.replay()
    #expect(report.status == .replayDiffers)
    #expect(report.differences.map(\.line) == [line], "\(report.differences)")
    #expect(report.differences.first?.expected?.contains(new.replacing("\\>", with: ">")) == true)
    #expect(report.differences.first?.found?.contains(old.replacing("\\>", with: ">")) == true)
    #expect(report.lines(file: "f").first?.hasPrefix("f:\(line): ") == true)
    #expect(try scratch.read("first.session").contains(new))
  }

  @Test func `notices an altered picture file, and tells where the difference is`() throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    try scratch.write("aaaaaaaaaaab", to: "first/noisy-3.png")
    let report = try scratch.replay()
    #expect(report.status == .replayDiffers)
    let difference = try #require(report.differences.first)
    #expect(difference.line == 17 && report.differences.count == 1)
    #expect(difference.note?.contains("other pixels, px:aaaaaaaaaaab") == true)
    #expect(difference.note?.contains("noisy-3-difference.png") == true)
    try FileManager.default.removeItem(atPath: scratch.path + "/first")
    #expect(try scratch.replay().status == .success)
  }

  @Test func `elsewhere agrees to the last written digit`() throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    let near = try scratch.replay(
      ToyStudio(folder: scratch.out, offset: 0.01), stamps: Self.elsewhere)
    #expect(!near.toTheDigit)
    #expect(near.status == .success)
    // The loss of the training has four digits and is farther off.
    #expect(near.notComparable == 1)
    #expect(near.tolerated == 4 && near.checked == 8)
    let far = try scratch.replay(
      ToyStudio(folder: scratch.out, offset: 0.3), stamps: Self.elsewhere)
    #expect(far.status == .replayDiffers)
    #expect(far.differences.map(\.line) == [7, 9, 11])
    // After the training, numbers cannot be compared.
    #expect(far.notComparable == 3)
    let words = try scratch.replay(
      ToyStudio(folder: scratch.out, unit: "mm"), stamps: Self.elsewhere)
    #expect(words.differences.map(\.line) == [14, 26])
  }

  @Test(arguments: ["judge", "train steps=3", "fails spoil", "run inner"])
  func `elsewhere does not compare what any command that trains gave`(line: String) throws {
    let scratch = try Scratch()
    func runner(_ offset: Double) -> CommandRunner<ToyStudio> {
      let runner = ToyStudio.runner(ToyStudio(folder: scratch.out, offset: offset))
      runner.readSession = { _ in
        var outcome = Outcome()
        outcome.followUps = ["judge"]
        return outcome
      }
      return runner
    }
    var recorder = Recorder()
    let recording = runner(0)
    for line in ["load x", line, "measure"] {
      recorder.add(try #require(recording.run(line, line: 1)))
    }
    try recorder.save(to: scratch.paths, picturesFrom: scratch.out, stamps: Scratch.stamps)
    let replayer = Replayer(
      paths: scratch.paths, outputFolder: scratch.out, stamps: Self.elsewhere)
    let report = try replayer.replay(on: runner(0.3))
    #expect(report.differences.map(\.command) == ["load x"], "\(report.differences)")
    #expect(report.notComparable >= 2)
  }

  @Test func `without a stamp goes by the digits`() throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines, stamps: [])
    #expect(try scratch.replay(ToyStudio(folder: scratch.out, offset: 0.01)).status == .success)
  }

  @Test(arguments: [true, false])
  func `goes by the tolerance that the record writes`(isHere: Bool) throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    try scratch.edit("31.20 dB", "31.20~0.05 dB")
    try scratch.edit("noisy  31.20", "noisy  31.20~0.05")
    try scratch.edit("-512.4 HU", "-512.4~1 HU")
    try scratch.edit("loss 0.5000", "loss 0.5000~0.1")
    let stamps = isHere ? Scratch.stamps : Self.elsewhere
    let report = try scratch.replay(
      ToyStudio(folder: scratch.out, offset: 0.04), stamps: stamps)
    #expect(report.differences.isEmpty, "\(report.differences)")
    #expect(report.tolerated == 6)
    #expect(try scratch.read("first.new").contains("psnr 31.20~0.05 dB"))
    let far = try scratch.replay(ToyStudio(folder: scratch.out, offset: 0.06), stamps: stamps)
    #expect(far.differences.map(\.line) == [9, 11, 21, 23])
  }

  @Test func `elsewhere compares pictures by their pixels`() throws {
    let scratch = try Scratch()
    try scratch.record(["view", "train", "view"])
    let other = ToyStudio(folder: scratch.out, pixels: "bbbbbbbbbbbb")
    let near = try scratch.replay(other, stamps: Self.elsewhere, agrees: true)
    #expect(near.status == .success && near.tolerated == 2)
    let far = try scratch.replay(other, stamps: Self.elsewhere)
    #expect(far.differences.map(\.line) == [5] && far.notComparable == 1)
    #expect(far.differences.first?.note == "see noisy-3-difference.png")
    #expect(try scratch.replay(other, agrees: true).differences.count == 2)
  }

  @Test(arguments: ["gray8", "rgb8"])
  func `with another drawing library, only pictures in color may differ a little`(
    samples: String
  ) throws {
    let scratch = try Scratch()
    let drawn = Scratch.stamps + [Stamp("drawing", "cairo 1.16.0")]
    let recording = ToyStudio(folder: scratch.out, samples: samples)
    try scratch.record(["view"], on: recording, stamps: drawn)
    let other = ToyStudio(folder: scratch.out, pixels: "bbbbbbbbbbbb", samples: samples)
    let newer = Scratch.stamps + [Stamp("drawing", "cairo 1.18.0")]
    let near = try scratch.replay(other, stamps: newer, agrees: true)
    #expect(near.tolerated == (samples == "rgb8" ? 1 : 0))
    #expect(near.differences.count == (samples == "rgb8" ? 0 : 1))
    #expect(try scratch.replay(other, stamps: newer).differences.count == 1)
    #expect(try scratch.replay(other, stamps: drawn, agrees: true).differences.count == 1)
  }

  @Test func `stops before other data is used`() throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    let report = try scratch.replay(ToyStudio(folder: scratch.out, data: "sha256:2222"))
    #expect(report.status == .badInput)
    #expect(report.otherData?.line == 6)
    #expect(report.checked == 0 && report.notChecked == 13)
    #expect(report.lines(file: "f").joined().contains("not the recorded one"))
  }

  @Test func `counts missing and surplus lines as differences`() throws {
    let scratch = try Scratch()
    try scratch.record(["measure", "load x"])
    try scratch.edit("\\> unit HU\n", "\\> unit HU\nand more\n")
    var report = try scratch.replay()
    #expect(report.differences.map(\.expected) == ["and more"])
    #expect(report.differences.map(\.found) == [nil])
    try scratch.edit("\\> unit HU\nand more\n", "")
    report = try scratch.replay()
    #expect(report.differences.map(\.found) == ["> unit HU"])
    #expect(report.differences.map(\.expected) == [nil])
  }

  @Test func `does not pass what was never recorded`() throws {
    let scratch = try Scratch()
    try scratch.write(
      "stray\n> load x\n> block\n> help\nsome help\n> measure\n", to: "first.session")
    let report = try scratch.replay()
    #expect(report.status == .success)
    #expect(report.checked == 0 && report.notChecked == 4)
  }

  @Test func `of a script checks nothing, and accepting makes it a session`() throws {
    let scratch = try Scratch()
    try scratch.write("# a script\nload x\n\nmeasure\nview\n", to: "first.session")
    let report = try scratch.replay()
    #expect(report.checked == 0 && report.notChecked == 3 && report.status == .success)
    #expect(try Acceptance(scratch.paths).acceptAll() == nil)
    let text = try scratch.read("first.session")
    #expect(text.hasPrefix("#! backflow session 1\n#@ backflow: 0.1.0\n"))
    #expect(text.contains("# a script\n> load x\nclean  16"))
    #expect(text.contains(" HU\n\n> measure\n"))
    #expect(try scratch.read("first/noisy-3.png") == "aaaaaaaaaaaa")
    #expect(!scratch.exists("first.new"))
    #expect(try scratch.replay().checked == 7)
  }

  @Test func `ends at the first failure, and says with which status`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "block", "measure"])
    try scratch.edit("> block", "> blok")
    let report = try scratch.replay()
    #expect(report.status == .commandFailed)
    #expect(
      report.differences.map(\.found) == [
        "error: there is no command \"blok\"; did you mean \"block\"?"
      ])
    #expect(report.checked == 1 && report.notChecked == 5)
    let going = try scratch.replay(player: SessionPlayer(keepsGoing: true))
    #expect(going.status == .commandFailed && going.checked == 6)
  }

  @Test func `stops at a line`() throws {
    let scratch = try Scratch()
    try scratch.record(["load x", "block", "measure"])
    let report = try scratch.replay(player: SessionPlayer(stopLine: 8))
    #expect(report.ending == .reachedLine && report.checked == 1 && report.notChecked == 5)
    #expect(try scratch.read("first.new").contains("psnr 31.20 dB"))
  }

  @Test func `can be asked for by tests`() throws {
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    let report = try Replayer.replayInTemporaryFolder(
      scratch.paths.file, stamps: Scratch.stamps
    ) { ToyStudio.runner(ToyStudio(folder: $0)) }
    #expect(report.status == .success && report.checked == 13)
    #expect(!scratch.exists("first.new"))
  }

  @Test(arguments: 0..<8)
  func `survives any damage to the record`(seed: UInt64) throws {
    var random = SystemlessRandom(state: seed)
    let scratch = try Scratch()
    try scratch.record(Self.lines)
    let bytes = Array(try scratch.read("first.session").utf8)
    let pieces = [
      "~", "~1", "-", "nan", "1e999", ".", "<", ">", "\n", "> ", "px:", "[", "]", "9", "é", " ",
    ]
    for _ in 0..<20 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<damaged.count, using: &random)
        let piece = Array((pieces.randomElement(using: &random) ?? "").utf8)
        let end = min(damaged.count, place + Int.random(in: 0...3, using: &random))
        damaged.replaceSubrange(place..<end, with: piece)
      }
      try Data(damaged).write(to: URL(filePath: scratch.paths.file))
      for stamps in [Scratch.stamps, Self.elsewhere] {
        guard let report = try? scratch.replay(stamps: stamps) else { continue }
        #expect(report.checked + report.tolerated <= 40)
      }
    }
  }
}
