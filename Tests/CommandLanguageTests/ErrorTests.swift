import CommandLanguage
import Testing

/// A wrong line, the characters that are to blame, and words of the message.
struct WrongLine: CustomTestStringConvertible {
  let line: String
  let carets: String
  let code: CommandError.Code
  let words: String

  init(_ line: String, _ carets: String, _ code: CommandError.Code, _ words: String) {
    self.line = line
    self.carets = carets
    self.code = code
    self.words = words
  }

  var testDescription: String { line }

  static let all: [WrongLine] = [
    .init("nosie gaussian", "^~~~~", .unknownCommand, "did you mean \"noise\"?"),
    .init("gaussian", "^~~~~~~~", .unknownCommand, "did you mean \"noise gaussian\"?"),
    .init("zzzzzzz", "^~~~~~~", .unknownCommand, "type: help"),
    .init("noise gausian", "      ^~~~~~~", .unknownCommand, "did you mean \"gaussian\"?"),
    .init("noise", "^~~~~", .missingArgument, "noise needs gaussian or uniform after it"),
    .init(
      "noise gaussian sgima=40HU", "               ^~~~~", .unknownKey, "did you mean \"sigma\"?"),
    .init(
      "view al sort=yes", "     ^~", .unknownCommand,
      "view needs all after it, found \"al\"; did you mean \"all\"?"),
    .init("view x=1", "     ^", .unknownKey, "it takes no key=value"),
    .init(
      "noise gaussian sigma=40mm", "                       ^~", .wrongUnit,
      "the unit \"mm\" does not fit here; expected HU, or a bare number"),
    .init("noise gaussian sigma = 40 mm", "                          ^~", .wrongUnit, "\"mm\""),
    .init(
      "noise gaussian sigma=40HJ", "                       ^~", .wrongUnit, "did you mean \"HU\"?"),
    .init(
      "noise gaussian sigma=-4HU", "                     ^~~~", .outOfRange,
      "expected a number, above 0, with or without HU"),
    .init("noise gaussian sigma=1e999", "                     ^~~~~", .outOfRange, "out of range"),
    .init("noise gaussian sigma=much", "                     ^~~~", .wrongValue, "found \"much\""),
    .init("noise gaussian sigma=", "               ^~~~~~", .missingValue, "sigma= needs a value"),
    .init("noise gaussian sigma= seed=3", "               ^~~~~~", .missingValue, "needs a value"),
    .init("noise gaussian sigma", "               ^~~~~", .missingValue, "expected sigma="),
    .init(
      "noise gaussian sigma=1 sigma=2", "                       ^~~~~", .repeatedArgument, "twice"),
    .init(
      "noise gaussian fixed fresh", "                     ^~~~~", .repeatedArgument,
      "after \"fixed\""),
    .init(
      "noise gaussian frehs", "               ^~~~~", .surplusArgument, "did you mean \"fresh\"?"),
    .init("noise gaussian =3", "               ^~", .syntax, "no key before it"),
    .init("noise uniform gain=2..1", "                   ^~~~", .outOfRange, "A below B"),
    .init("noise uniform gain=2", "                   ^", .wrongValue, "a range A..B"),
    .init("load", "    ^", .missingArgument, "load needs PATH"),
    .init("load a b", "       ^", .surplusArgument, "does not take \"b\""),
    .init("load a sizes=3,4", "               ^", .outOfRange, "an odd whole number, 1 to 9"),
    .init("load a slices=5..2", "              ^~~~", .outOfRange, "whole numbers"),
    .init("load 'a b", "     ^", .syntax, "the quote ' is not closed"),
    .init("load $dat/x", "     ^~~~", .unknownVariable, "did you mean \"data\"?"),
    .init("load \"a ${dat\"", "        ^~~~~", .syntax, "${NAME}"),
    .init("view clean[3, 4", "          ^", .syntax, "\"[\" is not closed"),
    .init("train shuffle=maybe", "              ^~~~~", .wrongValue, "expected yes or no"),
    .init("train epochs=2.5", "             ^~~", .wrongValue, "a whole number, at least 1"),
    .init("train epochs=0", "             ^", .outOfRange, "at least 1"),
    .init("train time=5parsec", "            ^~~~~~", .wrongUnit, "expected s, min, h or ms"),
    .init("train convention=fall", "                 ^~~~", .wrongValue, "did you mean \"full\"?"),
    .init("train convention=range:x", "                 ^~~~~~~", .wrongValue, "needs a number"),
    .init("expect", "      ^", .missingArgument, "expect needs COMPARISON"),
    .init("expect 1 +", "          ^", .syntax, "missing at the end"),
    .init("expect (1 < 2", "       ^", .syntax, "\"(\" is not closed"),
    .init("expect 1 == 2", "          ^", .syntax, "write one ="),
    .init("expect 1 2", "         ^", .syntax, "expected <, <=, =, !=, >= or >"),
    .init("expect noize.psnr < 2", "       ^~~~~~~~~~", .unknownName, "there is no \"noize.psnr\""),
    .init("expect 3 < 2", "       ^~~~~", .expectation, "not so"),
    .init("let 1x = 2", "    ^~", .wrongValue, "cannot name a variable"),
    .init("let x =", "      ^", .missingValue, "\"=\" needs a value"),
    .init("let unset", "    ^~~~~", .missingValue, "--let unset=VALUE"),
    .init("load x \\", "       ^", .syntax, "nothing follows"),
    .init("fails", "^~~~~", .missingArgument, "fails needs COMMAND"),
    .init("fails load a", "      ^~~~~~", .notFailed, "did not fail"),
    .init("fails fails load", "", .syntax, "fails cannot run fails"),
    .init("help nosie", "     ^~~~~", .unknownCommand, "did you mean"),
    .init("session save x", "^~~~~~~~~~~~", .state, "nothing is being recorded"),
  ]
}

struct `A wrong line` {
  @Test(arguments: WrongLine.all)
  func `shows a caret, the cause and the cure`(wrong: WrongLine) throws {
    let runner = ToyTable.runner()
    _ = runner.run("let data = phantom", line: 1)
    let error = try #require(runner.run(wrong.line, line: 2)?.error)
    #expect(error.code == wrong.code)
    #expect(error.summary.contains(wrong.words), "\(error.summary)")
    if !wrong.carets.isEmpty {
      #expect(error.rendered == [wrong.line, wrong.carets, "error: \(error.summary)"])
    }
    #expect(!error.summary.contains("\n"))
  }

  @Test func `points into the physical line of a continued command`() throws {
    let error = try #require(
      ToyTable.runner().run("noise gaussian \\\n  sgima=3", line: 1)?.error)
    #expect(error.rendered.prefix(2) == ["  sgima=3", "  ^~~~~"])
  }

  @Test func `keeps its carets in place after wide and control characters`() throws {
    let error = try #require(ToyTable.runner().run("load 漢\u{1B} zz", line: 1)?.error)
    #expect(error.rendered.prefix(2) == ["load 漢␛ zz", "         ^~"])
  }

  @Test func `says which status a script ends with`() throws {
    #expect(ToyTable.runner().run("let data", line: 1)?.error?.status == .wrongUsage)
    #expect(ToyTable.runner().run("load", line: 1)?.error?.status == .commandFailed)
  }

  @Test(arguments: [
    ("nosiy", ["noisy"]), ("lod", ["load"]), ("ca", ["cat"]), ("trian", ["train"]), ("q", []),
    ("", []), ("gausian", ["gaussian"]),
  ])
  func `is answered with the nearest names`(word: String, nearest: [String]) {
    let names = ["noisy", "load", "cat", "train", "gaussian", "expect"]
    #expect(NearestNames.nearest(to: word, among: names) == nearest)
  }
}
