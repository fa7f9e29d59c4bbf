import Testing

struct `The number of threads` {
  private static let lines = [
    "phantom size=96 slices=3 patients=2", "noise gaussian sigma=40HU fresh", "split by=patient",
    "net new init=normal:0.05", "conv channels=6 kernel=5 act=leaky-relu",
    "block channels=6 kernel=3 convs=2 merge=multiply-add", "block channels=6 kernel=1 act=tanh",
    "block channels=4 kernel=3 merge=multiply skip=project", "conv kernel=3", "output subtract",
    "train steps=5 batch=2 patch=48", "train epochs=2 batch=2",
    "evaluate", "baseline median", "stats c1.weight", "stats b1.conv2.weight",
    "stats b2.conv1.weight.grad", "stats b3.project.weight.grad", "stats b1.out.grad",
    "stats c2.weight.v", "stats denoised", "stats noisy", "view denoised[3]",
    "view b1.out[0]", "panel noisy[3] denoised[3] clean[3]",
    "save image denoised[3] wide.png bits=16",
  ]

  @Test func `changes no bit of any result`() throws {
    let folder = try Folder()
    let runs = try ["1", "2", "3"].map { threads in
      let ending = try folder.run(
        Self.lines, "--json", "--threads", threads, "--out", "o\(threads)")
      #expect(ending.status == 0, "\(ending.output)")
      // All but the times and the folders.
      return ending.lines.map {
        $0.replacing(/"seconds":[^,]+,/, with: "").replacing(/"path":"[^"]*\//, with: "\"path\":\"")
      }
    }
    #expect(runs[0].count == Self.lines.count)
    for (first, others) in zip(runs[0], zip(runs[1], runs[2])) {
      #expect(first == others.0)
      #expect(first == others.1)
    }
    #expect(runs[0].filter { $0.contains("sha256") }.count == 8)
    #expect(runs[0].filter { $0.contains(#""px""#) }.count == 4)
  }
}
