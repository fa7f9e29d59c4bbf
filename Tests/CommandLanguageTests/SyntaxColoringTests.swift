import CommandLanguage
import Testing

struct `A colored command` {
  private let coloring = SyntaxColoring(ToyTable.specs)

  private func pieces(_ command: String) -> [String] {
    coloring.pieces(of: command).filter { $0.kind != .plain }.map {
      "\($0.kind.rawValue) \($0.text)"
    }
  }

  @Test func `tells names, keys, values and comments apart`() {
    #expect(
      pieces("Noise  Gaussian seed=3 x='a b' y=$z w=wide 4 -1.5 \"q\" $v # c=1")
        == [
          "name Noise", "name Gaussian", "key seed=", "number 3", "key x=", "quote 'a b'", "key y=",
          "variable $z", "key w=", "number 4", "number -1.5", "quote \"q\"", "variable $v",
          "comment # c=1",
        ])
    #expect(pieces("fails noise gaussian") == ["name fails", "name noise", "name gaussian"])
    #expect(pieces("load net = new") == ["name load"])
    #expect(pieces("nonsense 3") == ["number 3"])
    #expect(pieces("") == [])
  }

  @Test(arguments: [
    "noise gaussian seed=3", "a  b\\\n  c # d", "x = \"open", "clean[3", "${", "a\t'b' \u{301}=",
    "#", " ",
    "=3", "== 'a'b=c", "fails fails fails x", "\\", "noise\u{301} gaussian",
  ])
  func `loses nothing`(_ command: String) {
    #expect(coloring.pieces(of: command).map(\.text).joined() == command)
  }
}
