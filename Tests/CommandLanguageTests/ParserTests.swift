import CommandLanguage
import Testing

/// The arguments that a line gives to one command that keeps them.
func arguments(_ line: String, of spec: CommandSpec, lets: [String] = []) throws -> Arguments {
  let keep = Command<[Arguments]>(spec) { arguments, kept, _ in
    kept.append(arguments)
    return Outcome()
  }
  let runner = CommandRunner(commands: [keep, Command(.let)], workspace: [])
  for text in lets { _ = try runner.run(text, line: 1)?.result.get() }
  _ = try #require(runner.run(line, line: 1)).result.get()
  return try #require(runner.workspace.last)
}

struct `Reading a line` {
  @Test(arguments: [
    "noise gaussian sigma=25HU fresh seed=3", "NOISE Gaussian Sigma=25hu FRESH seed=3",
    "noise gaussian sigma = 25 HU fresh seed= 3", "  noise gaussian seed =3 sigma =25HU   fresh",
    "noise gaussian sigma=25 HU fresh seed=3 # a comment",
    "noise gaussian sigma=\"25HU\" fresh seed='3'",
    "noise gaussian \\\n  sigma=25HU \\\n  fresh seed=3", "noise gaussian sigma=$s fresh seed=${n}",
    "$verb gaussian sigma=2${n2}HU fresh seed=3",
  ])
  func `spaces, case, quotes, variables and continuation do not matter`(line: String) throws {
    let found = try arguments(
      line, of: ToyTable.noise,
      lets: ["let s = 25 HU", "let n=3", "let n2 = 5", "let verb = noise"])
    #expect(try found.number("sigma") == Quantity(25, .hounsfield))
    #expect(try found.choice("draw") == "fresh")
    #expect(try found.integer("seed") == 3)
    #expect(found.has("sigma") && !found.has("fraction"))
  }

  @Test func `defaults stand in for what is not typed`() throws {
    let found = try arguments("noise gaussian", of: ToyTable.noise)
    #expect(try found.number("sigma") == Quantity(40, .hounsfield))
    #expect(try found.choice("draw") == "fixed")
    #expect(found.integerIfGiven("seed") == nil)
    #expect(!found.has("sigma"))
    #expect(throws: CommandError.self) { try found.integer("seed") }
  }

  @Test(arguments: [
    ("train time=60s", 60.0), ("train time=1.5 min", 90), ("train time=2h", 7200),
    ("train time=90", 90), ("train time=250ms", 0.25),
  ])
  func `durations are in seconds`(line: String, seconds: Double) throws {
    #expect(try arguments(line, of: ToyTable.train).number("time").value == seconds)
  }

  @Test func `sizes are in bytes and percent is a fraction`() throws {
    #expect(
      try arguments("train memory=2GiB", of: ToyTable.train).integer("memory") == 2_147_483_648)
    #expect(
      try arguments("noise gaussian fraction=25%", of: ToyTable.noise).number("fraction")
        == Quantity(0.25, .percent))
  }

  @Test func `ranges, lists and choices have typed values`() throws {
    let gain = try arguments("noise uniform gain=0..2.5", of: ToyTable.uniform).interval("gain")
    #expect(gain.lower == 0 && gain.upper == 2.5)
    let spaced = try arguments("noise uniform gain = -1 .. 2.5", of: ToyTable.uniform)
    #expect(try spaced.interval("gain").lower == -1)
    let load = try arguments("load x slices=2..5 sizes=3,7 series=ALL", of: ToyTable.load)
    #expect(load.integersIfGiven("slices") == 2...5)
    #expect(load.list("sizes") == [.integer(3), .integer(7)])
    #expect(load.value("series") == .choice("all"))
    #expect(
      try arguments("load x series=1.2.840", of: ToyTable.load).value("series") == .text("1.2.840"))
    let tag = try arguments("train convention=range:255", of: ToyTable.train)
      .taggedChoice("convention")
    #expect(tag.word == "range" && tag.number == 255)
    #expect(try arguments("train epochs=1e3", of: ToyTable.train).integer("epochs") == 1000)
  }

  @Test(arguments: [
    ("load 'a b/c'", "a b/c"), ("load \"a b\"'='\"#\"", "a b=#"),
    ("load runs/lr=0.1/x", "runs/lr=0.1/x"),
    ("load 'lr=1'", "lr=1"), ("load '$data'", "$data"), ("load \"${data}/x\"", "my data/x"),
    ("load a#b", "a#b"), ("load Ünï/漢字", "Ünï/漢字"), ("load $", "$"), ("load 5$", "5$"),
    ("load \"it's\"", "it's"), ("load $data", "my data"), ("load ~/CT", "~/CT"),
  ])
  func `paths keep their case, quotes and signs`(line: String, path: String) throws {
    #expect(
      try arguments(line, of: ToyTable.load, lets: ["let data = 'my data'"]).path("path") == path)
  }

  @Test func `an index belongs to its name`() throws {
    let found = try arguments("view clean[3, 100:140, 50:90]  b1.out # both", of: ToyTable.view)
    #expect(found.words("names") == ["clean[3, 100:140, 50:90]", "b1.out"])
  }

  @Test func `expect keeps its operators and gives up its keys`() throws {
    let found = try arguments("expect a = b + c[1, 2] within=1%", of: ToyTable.expect)
    #expect(try found.text("comparison") == "a = b + c[1, 2]")
    #expect(try found.number("within").value == 0.01)
    let other = try arguments("expect within = 5 % denoised.psnr>=noisy.psnr", of: ToyTable.expect)
    #expect(try other.text("comparison") == "denoised.psnr>=noisy.psnr")
    #expect(try other.number("within").value == 0.05)
  }

  @Test(arguments: [
    "tensor y = (c + d) + c*d", "tensor y=(c + d) + c*d", "tensor y =(c + d) + c*d",
  ])
  func `an assignment takes the end of the line`(line: String) throws {
    let found = try arguments(line, of: ToyTable.tensor)
    #expect(try found.text("name") == "y")
    #expect(try found.text("value") == "(c + d) + c*d")
  }

  @Test(arguments: ["", "   ", "# only a comment", "  # more", "\t", "\\\n"])
  func `blank lines and comments are nothing`(line: String) {
    #expect(ToyTable.runner().run(line, line: 1) == nil)
  }
}
