import Figures
import Foundation
import Testing

/// Section 5 of the design: one object a line, with exactly these keys.
struct `With --json` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let network = [
    "phantom size=32 slices=2 patients=2", "noise gaussian sigma=40HU", "split by=patient",
    "block channels=2", "conv",
  ]

  /// The last object of a script after a small network was built.
  private func last(_ lines: String...) throws -> JSONLine {
    let ending = try folder.run(Self.network + lines, "--json", "--keep-going")
    let all = try JSONLine.all(ending.output)
    #expect(all.count == Self.network.count + lines.count)
    return try #require(all.last)
  }

  @Test func `each command gives one object, and nothing else is on standard output`() throws {
    let lines = Self.network + ["train steps=2", "panel noisy[0] clean[0]", "session save s"]
    let ending = try folder.run(lines, "--json")
    let all = try JSONLine.all(ending.output)
    #expect(all.map { $0.text("command") } == lines)
    #expect(all.map { $0.number("line").map { Int($0) } } == Array(1...lines.count))
    for line in all {
      #expect(
        line.keys == ["line", "command", "status", "seconds", "result", "warnings", "files"])
      #expect(line.status == "ok")
    }
    let picture = try #require(all.first { $0.text("command")?.hasPrefix("panel") == true })
    #expect(picture.objects("files").first?.keys == ["path", "px"])
    #expect(picture.objects("files").first?.text("px")?.count == 12)
    #expect(
      all.last?.objects("files").first?.text("path") == folder.path("out/script.txt/s.session"))
  }

  @Test func `an error has a code, a message and a hint`() throws {
    let line = try last("stats cleen")
    #expect(line.keys == ["line", "command", "status", "seconds", "error"])
    #expect(line.status == "error")
    #expect(line["error"].keys == ["code", "message", "hint"])
    #expect(line["error"].text("code") == "unknown-name")
    #expect(line["error"].text("hint")?.contains("clean") == true)
  }

  @Test func `evaluate compares noisy and denoised`() throws {
    let result = try last("evaluate on=test").result
    #expect(result.keys == ["noisy", "denoised", "convention", "slices"])
    for name in ["noisy", "denoised"] {
      #expect(result[name].keys.isSuperset(of: ["psnr", "ssim", "rmse", "mae", "vif", "bias"]))
      #expect(result[name].number("psnr") != nil)
    }
    #expect(result.number("slices") == 2)
    #expect(result.text("convention")?.contains("4096") == true)
  }

  @Test func `a baseline stands where denoised would`() throws {
    let result = try last("baseline median size=3").result
    #expect(result.keys == ["noisy", "baseline", "convention", "slices"])
    let members: Set = ["psnr", "ssim", "rmse", "mae", "vif", "bias", "psnr_of_mean", "sd"]
    #expect(result["baseline"].keys == members && result["noisy"].keys == members)
    #expect(
      result["baseline"]["bias"].keys == ["overall", "air", "lung", "fat", "soft", "bone"])
  }

  @Test func `stats says shape, range and fingerprint`() throws {
    let result = try last("stats clean[1]").result
    #expect(result.keys == ["shape", "min", "max", "mean", "std", "nan", "inf", "sha256"])
    #expect(result.members["shape"] as? [Int] == [32, 32])
    #expect(result.number("nan") == 0 && result.number("inf") == 0)
    #expect(result.text("sha256")?.count == 64)
  }

  @Test func `stats of infinite and undefined numbers counts them`() throws {
    let result = try last(
      "train steps=3 nan=keep", "noise gaussian sigma=1e38", "train steps=1 nan=keep",
      "stats c1.weight"
    ).result
    #expect(result.number("nan") == 18)
    for key in ["min", "max", "mean", "std"] {
      #expect(result.members[key] is String || result.members[key] is NSNumber)
    }
  }

  @Test func `numbers that are not finite are words`() throws {
    let result = try last("expect 1/0 != -1/0").result
    #expect(result.text("left") == "inf")
    #expect(result.text("right") == "-inf")
  }

  @Test func `a perfect image has an infinite PSNR`() throws {
    let result = try last("noise gaussian sigma=0", "baseline median size=1").result
    #expect(result["baseline"].text("psnr") == "inf")
    #expect(result["baseline"].number("rmse") == 0)
  }

  @Test func `train says what was done`() throws {
    let result = try last("train steps=3 batch=1").result
    #expect(result.keys == ["steps", "epochs", "loss", "psnr", "stopped", "lr", "clipped", "best"])
    #expect(result.number("steps") == 3 && result.number("epochs") == 2)
    #expect(result.members["stopped"] is NSNull)
  }

  @Test func `a training that its time ended says so and goes on exactly`() throws {
    let lines = ["train epochs=1000000000 time=1ms"]
    let ending = try folder.run(Self.network + lines + ["session save s"], "--json")
    let result = try #require(try JSONLine.all(ending.output).dropLast().last).result
    #expect(result.text("stopped") == "time")
    let steps = try #require(result.number("steps").map { Int($0) })
    let record = try folder.read("out/script.txt/s.session")
    #expect(record.contains("> train epochs=1000000000 steps=\(steps)  # time is over\n"))
    let replay = try Program.run(["replay", "out/script.txt/s.session"], in: folder)
    #expect(replay.status == 0, "\(replay.output)")
  }

  @Test func `gradcheck lists its samples`() throws {
    let result = try last("gradcheck b1.conv1.weight samples=5").result
    #expect(result.keys == ["rows", "worst", "nature"])
    let rows = result.objects("rows")
    #expect(rows.count == 5)
    for row in rows {
      #expect(
        row.keys == ["name", "index", "analytic", "numeric", "relative_error", "kink"])
      #expect(row.text("name") == "b1.conv1.weight")
      #expect((row.members["index"] as? [Int])?.count == 4)
      #expect(row.members["kink"] is Bool)
    }
    let worst = try #require(result.number("worst"))
    #expect(worst < 1e-6)
  }

  @Test func `loading says what was loaded`() throws {
    let result = try last("load phantom slices=0..1").result
    #expect(result.number("slices") == 2 && result.number("rows") == 256)
  }

  @Test func `bench prints an object for each value, and draws them`() throws {
    let small = ["--blocks", "1", "--size", "16", "--steps", "1"]
    for file in ["growth.png", "growth.svg"] {
      let ending = try Program.run(
        ["bench", "--over", "channels=2,4,8", "--plot", file] + small, in: folder)
      #expect(ending.status == 0, "\(ending.errors)")
      let all = try JSONLine.all(ending.output)
      #expect(all.map { $0.number("channels") } == [2, 4, 8])
      #expect(folder.exists(file))
    }
    #expect(try PNG(path: folder.path("growth.png")).picture.width > 500)
    for wrong in [
      ["--over", "size"], ["--over", "size=a"], ["--over", "size=0"], ["--over", "depth=1"],
      ["--plot", "a.png"], ["--over", "size=16", "--plot", "a.gif"],
      ["--over", "size=16", "--plot", "none/a.png"],
    ] {
      #expect(try Program.run(["bench"] + small + wrong, in: folder).status == 2, "\(wrong)")
    }
  }

  @Test func `bench prints one bare object`() throws {
    let ending = try Program.run(
      ["bench", "--channels", "2", "--blocks", "1", "--size", "16", "--steps", "1", "--json"],
      in: folder)
    let all = try JSONLine.all(ending.output)
    #expect(
      all.map(\.keys) == [
        ["seconds_per_step", "gflops", "planned_mib", "peak_mib", "peak_maps_mib", "engine"]
      ])
  }
}
