import Testing

/// Lines that nobody should type, with a word that the answer must hold.
struct WrongLine: CustomTestStringConvertible {
  let line: String
  let answer: String
  let status: Int32

  init(_ line: String, _ answer: String, status: Int32 = 1) {
    (self.line, self.answer, self.status) = (line, answer, status)
  }

  var testDescription: String { String(line.prefix(60)) }

  /// What runs before each: 4 slices of 32×32, a trained network, files that are damaged.
  static let setup = [
    "phantom size=32 slices=2", "noise gaussian sigma=40HU", "split by=patient",
    "block channels=2", "conv", "train steps=1",
  ]

  static let words = [
    WrongLine("nosie gaussian", #"did you mean "noise"?"#),
    WrongLine("noise gausian", #"did you mean "gaussian"?"#),
    WrongLine("noise", "gaussian or uniform"),
    WrongLine("net", "needs fork, new, preset, show or use"),
    WrongLine("Stats cleen", #"did you mean "clean"?"#),
    WrongLine("stats b1.conv1.weigth", #"did you mean "b1.conv1.weight""#),
    WrongLine("stats b9.out", "b1.out"),
    WrongLine("stats b1.out.grad.tap", "b1.out.grad"),
    WrongLine("help trian", #"did you mean "train"?"#),
    WrongLine("remove b7", #"did you mean "b1"?"#),
    WrongLine("gradcheck b7", "no parameter"),
    WrongLine("expect nowhere = 1", "nowhere"),
    WrongLine("stats $nope", "let nope = VALUE"),
    WrongLine("stats ${nope", "}"),
    WrongLine("= 3", "no command"),
    WrongLine("key=value", "no command"),
    WrongLine("phantom size=32 surplus", "does not take"),
    WrongLine("stats clean noisy", "does not take"),
    WrongLine("quit now", "takes no arguments"),
    WrongLine("stats", "needs NAME"),
    WrongLine("save tensor clean", "needs FILE"),
    WrongLine("session save", "needs NAME"),
    WrongLine("output", "plain|subtract|normalize"),
    WrongLine("panel", "needs NAMES"),
    WrongLine("fails", "needs COMMAND"),
    WrongLine("fails fails stats x", "cannot run fails"),
    WrongLine("fails stats clean", "did not fail"),
    WrongLine("let", "needs NAME"),
    WrongLine("let 1a = 3", "letters"),
    WrongLine("let a", "--let a=VALUE", status: 2),
  ]

  static let keysAndValues = [
    WrongLine("noise gaussian sigm=40HU", #"did you mean "sigma"?"#),
    WrongLine("noise gaussian sigma=40mm", "expected HU"),
    WrongLine("noise gaussian sigma=", "needs a value"),
    WrongLine("noise gaussian sigma", "needs = and a value"),
    WrongLine("noise gaussian sigma=4 sigma=5", "given twice"),
    WrongLine("noise gaussian sigma=4 fraction=0.3", "both given"),
    WrongLine("noise gaussian sigma=-1", "out of range"),
    WrongLine("noise gaussian sigma=nan", "expected a number"),
    WrongLine("noise gaussian sigma=1e400", "out of range"),
    WrongLine("noise uniform gain=2..1", "A below B"),
    WrongLine("phantom size=99999999999999999999", "16 to 2048"),
    WrongLine("phantom slices=2.5", "whole number"),
    WrongLine("phantom size=0x10", "whole number"),
    WrongLine("phantom size=", "needs a value"),
    WrongLine(#"phantom size="""#, "size"),
    WrongLine("phantom size=1\u{0}6", "whole number"),
    WrongLine("scale window=lungs", #"did you mean "lung"?"#),
    WrongLine("scale hu=5..5", "A below B"),
    WrongLine("block act=reul", #"did you mean "relu""#),
    WrongLine("block merge=multipy", #"did you mean "multiply"?"#),
    WrongLine("block kernel=2", "odd"),
    WrongLine("block kernel=15", "1 to 13"),
    WrongLine("block channels=0", "1 to 1024"),
    WrongLine("net new init=normal:-1", "normal:0.05"),
    WrongLine("net new init=normal:", "normal:S"),
    WrongLine("optimizer adam lr=inf", "expected a number"),
    WrongLine("optimizer adam beta1=1", "below 1"),
    WrongLine("loss mse gradient=declared", "half-squares"),
    WrongLine("train epochs=0", "1 to"),
    WrongLine("train time=60HU", "unit"),
    WrongLine("train steps=9223372036854775808", "whole number"),
    WrongLine("evaluate on=nowhere", "validation"),
    WrongLine("evaluate convention=range:", "range:N"),
    WrongLine("evaluate convention=range:0", "range"),
    WrongLine("baseline median size=4", "odd"),
    WrongLine("window center=1 width=0", "at least 1"),
    WrongLine("window lung center=3", "both given"),
    WrongLine("window file", "no window"),
    WrongLine("set sead=3", #"did you mean "seed"?"#),
    WrongLine("set limit.memory=2GB", #""GiB""#),
    WrongLine("load phantom series=2", "the phantom knows no series="),
  ]

  static let shapesAndStates = [
    WrongLine("train patch=64", "at most 32"),
    WrongLine("train batch=0", "1 to 4096"),
    WrongLine("split train=0.7 validation=0.7", "1.4"),
    WrongLine("split train=series:1 test=series:1", "two shares"),
    WrongLine("split train=series:1,9 test=series:2", "series 9"),
    WrongLine("evaluate on=validation", "no validation slices"),
    WrongLine("stats clean[99]", "0 to 3"),
    WrongLine("stats clean[-1]", "0 to 3"),
    WrongLine("stats clean[3:1]", "a < b"),
    WrongLine("stats clean[1:1]", "a < b"),
    WrongLine("stats clean[0,0,0,0,0]", "up to three"),
    WrongLine("stats clean[", "not closed"),
    WrongLine("stats clean[]", "index"),
    WrongLine("stats clean[a]", "index"),
    WrongLine("stats clean[99999999999999999999]", "index"),
    WrongLine("stats c1.weight[0,2]", "0 to 1"),
    WrongLine("view loss[1]", "0 axes"),
    WrongLine("panel clean", "add an index"),
    WrongLine("panel clean[0] b1.out[0]", "not one slice"),
    WrongLine("panel clean[0,0:4,0:4] noisy[0]", "one size"),
    WrongLine("save image clean x.png", "add an index"),
    WrongLine("save image clean[0] x.jpg", ".png"),
    WrongLine("save tensor clean x.txt", ".npy"),
    WrongLine("save tensor clean ../x.npy", "without .."),
    WrongLine("session save /tmp/x", "output folder"),
    WrongLine("crop rows=5..99", "0..31"),
    WrongLine("load phantom slices=0..99", "0..31"),
    WrongLine("continue", "continue epochs=10"),
    WrongLine("expect 1 = 2", "expected 1.00000 = 2.00000"),
    WrongLine("expect 1 =", "missing"),
    WrongLine("expect clean = 1", "not a single number"),
    WrongLine("expect ((((1 = 1", "not closed"),
    WrongLine("expect 1 = 1 within=-1%", "at least 0"),
  ]

  static let files = [
    WrongLine("load nowhere.dcm", "no such file", status: 4),
    WrongLine(#"load """#, "path"),
    WrongLine("load \"unfinished", "not closed"),
    WrongLine("load damaged.npy", "numpy.save", status: 4),
    WrongLine("load short.npy", ".npy", status: 4),
    WrongLine("load huge.npy", ".npy", status: 4),
    WrongLine("load words.npy", ".npy", status: 4),
    WrongLine("load damaged.dcm", "copy it again", status: 4),
    WrongLine("load text.dcm", "not a DICOM file", status: 4),
    WrongLine("load empty", "no CT slice", status: 4),
    WrongLine("load damaged.npy as=noisy", "numpy.save", status: 4),
    WrongLine("series text.dcm", "not a DICOM file", status: 4),
    WrongLine("tags damaged.npy", "not a DICOM file", status: 4),
  ]

  static let hostile = [
    WrongLine("stats " + String(repeating: "a", count: 100_000), "nothing called"),
    WrongLine("expect " + String(repeating: "(", count: 50_000) + "1 = 1", "nested"),
    WrongLine("expect " + String(repeating: "-", count: 50_000) + "1 = 1", "nested"),
    WrongLine("expect 1" + String(repeating: "+1", count: 50_000) + " = 1", "too long"),
    WrongLine("stats clean" + String(repeating: "[", count: 10_000), "not closed"),
    WrongLine(String(repeating: "fails ", count: 10_000) + "stats x", "cannot run fails"),
    WrongLine("\"" + String(repeating: "b", count: 10_000), "not closed"),
    WrongLine(String(repeating: "$", count: 1000), "no command"),
    WrongLine("stats cle\u{0}an", "nothing called"),
    WrongLine("stats \u{1B}31mred\u{7}", "nothing called"),
    WrongLine("stats clean\u{202E}", "nothing called"),
    WrongLine("\u{1F4A9}\u{200D}\u{1F468} ünïcödé", "no command"),
    WrongLine("stats é\u{301}\u{301}\u{301}=", "stats"),
  ]

  static let all = words + keysAndValues + shapesAndStates + files + hostile
}
