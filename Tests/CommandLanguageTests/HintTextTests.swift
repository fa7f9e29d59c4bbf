import CommandLanguage
import Testing

struct `A hint in little room` {
  @Test func `keeps the first fact and those at the end`() {
    let hint = Hint(
      "b1.out [4,16,64,64] · 2.5 k parameters · 20 MFLOP a slice · about 0.93 ms a step")
    #expect(hint.text(in: 100) == hint.text)
    #expect(hint.text(in: 70) == "b1.out [4,16,64,64] · 20 MFLOP a slice · about 0.93 ms a step")
    #expect(hint.text(in: 45) == "b1.out [4,16,64,64] · about 0.93 ms a step")
    #expect(hint.text(in: 40) == "b1.out [4,16,64,64]")
    #expect(hint.text(in: 12) == "b1.out [4,1…")
  }

  @Test func `says the cure of a fault rather than half of it`() {
    let hint = Hint("there is no command \"nosie\"; did you mean \"noise\"?", isFault: true)
    #expect(hint.text(in: 60) == hint.text)
    #expect(hint.text(in: 30) == "did you mean \"noise\"?")
    #expect(hint.text(in: 14) == "there is no c…")
  }
}
