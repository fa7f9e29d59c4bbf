import CommandLanguage

/// The lines of the demo: a small denoising session, from slices to a picture of the result.
package let demoLines = [
  "phantom size=256 slices=8 patients=3",
  "noise gaussian sigma=60HU",
  "view noisy[3] window=lung",
  "split by=patient",
  "net new init=normal:0.05",
  "conv channels=16 act=relu",
  "block channels=16 convs=2",
  "conv",
  "output subtract",
  "optimizer adam lr=0.002",
  "train epochs=300 batch=16 patch=32",
  "evaluate",
  "panel noisy[20] denoised[20] clean[20] window=lung",
  "stats b1.conv1.weight.grad",
]

extension Command<Workspace> {
  static let demo = Command(
    CommandSpec(
      "demo", family: .rest,
      summary: "Put the lines of a first session before you, one after the other.",
      details: """
        At the prompt, each line stands there ready: Enter runs it, other keys change it, Ctrl-C ends \
        the demo. In a script the lines are only listed.
        """,
      examples: ["demo"], seeAlso: ["help"], isRecorded: false)
  ) { _, _, _ in
    var outcome = Outcome()
    outcome.say("\(demoLines.count) lines; Enter runs each, Ctrl-C ends the demo:")
    for line in demoLines { outcome.say(OutputLine("  \(line)")) }
    outcome.result = .list(demoLines) { .string($0) }
    outcome.proposals = demoLines
    return outcome
  }
}
