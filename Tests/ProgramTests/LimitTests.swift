import Foundation
import TestSupport
import Testing

/// Requests too large for any machine; each must be refused at once, with numbers.
struct `The memory limit` {
  private static let data = ["phantom size=64 slices=2", "noise gaussian sigma=40HU"]

  @Test(arguments: [
    ["phantom size=2048 slices=1000 patients=100"],
    ["phantom size=2048 slices=1000 patients=100 save=ct"],
    ["block channels=1024 kernel=13 convs=32"],
    ["block channels=1024 kernel=13 convs=3", "block channels=1024 kernel=13 convs=32"],
    ["set limit.memory=8MiB", "conv channels=1024", "conv channels=1024 kernel=5"],
    ["set limit.memory=1MiB", "phantom size=512 slices=4"],
    ["conv channels=1024", "conv", "set limit.memory=50MiB", "train batch=4096 steps=1"],
    ["conv channels=1024", "conv", "set limit.memory=50MiB", "denoise"],
    ["conv channels=1024", "conv", "set limit.memory=50MiB", "evaluate"],
    ["conv channels=1024", "conv", "set limit.memory=20MiB", "gradcheck"],
    ["conv channels=1024", "conv", "set limit.memory=50MiB", "view denoised[0]"],
  ])
  func `refuses what does not fit, says the numbers, and leaves the rest usable`(
    lines: [String]
  ) throws {
    let folder = try Folder()
    let ending = try folder.run(Self.data + lines + ["stats clean[0]"], "--keep-going", limit: 120)
    #expect(ending.status == 1)
    #expect(!ending.crashed)
    #expect(ending.complaints.count == 1)
    let complaint = try #require(ending.complaints.first)
    #expect(complaint.contains(#/need(s)? about \d+ MiB, the limit is \d+ MiB; /#), "\(complaint)")
    #expect(ending.output.contains("clean[0] [64,64]"))
  }

  @Test(arguments: [
    "train epochs=9223372036854775807 steps=1", "train epochs=9223372036854775807",
    "train steps=9223372036854775807 time=1ms", "continue steps=9223372036854775807",
    "train steps=1000000000 epochs=1000000000 time=1ms", "train epochs=1000000000 time=1ms",
    "train steps=1 seed=9223372036854775807", "train steps=1 batch=4096",
    "noise gaussian sigma=1e300", "noise gaussian sigma=1e38", "noise uniform gain=-1e300..1e300",
    "scale hu=-1e300..1e300", "scale hu=0..1e-300", "window center=1e300 width=1e300",
    "set limit.seconds=1e300", "set limit.memory=1e30GiB", "set limit.memory=9999999999GiB",
    "optimizer adam lr=1e308", "optimizer sgd lr=1e308 momentum=0.99",
    "optimizer rmsprop lr=1e308 epsilon=0", "optimizer adagrad initial=1e308 decay=1e308",
    "optimizer adadelta epsilon=1e308", "optimizer sgd clip=norm:1e-300",
    "optimizer sgd clip=value:1e300", "gradient-noise elementwise eta=1e308 gamma=1e308",
    "gradient-noise multiply eta=1e308 gamma=0", "optimizer sgd schedule=one-cycle warmup=1e9",
    "optimizer sgd schedule=step decay-every=1 decay-factor=1e308",
    "optimizer sgd schedule=cosine final-lr=1e308", "optimizer sgd schedule=warm-up warmup=1e-300%",
    "train steps=1 horizon=1000000000", "net save x.safetensors optimizer=yes",
    "phantom size=16 slices=1 seed=9223372036854775807", "gradcheck samples=100000",
    "net new init=normal:1e300", "evaluate convention=range:1e-300", "baseline median size=31",
  ])
  func `holds for hostile numbers: no trap, whatever follows`(line: String) throws {
    let folder = try Folder()
    let before = ["phantom size=16 slices=2", "noise gaussian", "block", "conv", "train steps=1"]
    let after = [
      "train steps=1 nan=keep", "train steps=1", "evaluate", "view noisy[0]", "view denoised[0]",
      "stats noisy", "panel noisy[0] clean[0]", "gradcheck", "data", "net show",
      "save image noisy[0] a.png bits=16", "expect 1 = 1", "session save s",
    ]
    let ending = try folder.run(before + [line] + after, "--keep-going")
    #expect(!ending.crashed, "\(ending.errors.suffix(3000))")
    #expect(ending.status == 0 || ending.status == 1)
    #expect(ending.output.contains("ok  1.00000 = 1.00000"))
    #expect(folder.exists("out/script.txt/s.session"))
  }

  #if os(Linux)
    @Test(arguments: ["load", "series", "tags"])
    func `holds for what a small deflated file would become`(command: String) throws {
      let folder = try Folder()
      // 512 MiB of pixels in 3 MiB.
      try folder.write(Data(deflatedSlice(side: 16_384)), to: "slice.dcm")
      let lines = [
        "phantom size=32 slices=2", "noise gaussian", "conv", "set limit.memory=100MiB",
        "fails \(command) slice.dcm", "train steps=1000000000",
      ]
      try folder.write(lines.joined(separator: "\n") + "\n", to: "script.txt")
      let running = try Program.Running(["run", "script.txt"], in: folder)
      defer { running.stop() }
      try running.waitUntilBusy(after: "failed: ")
      #expect(running.output.contains("takes more than the limit of 100 MiB"), "\(running.output)")
      #expect((1..<300).contains(running.peak), "\(running.peak) MiB")
    }

    /// Runs the program under a limit of the shell.
    private func run(under limit: String, _ lines: [String], _ options: String = "") throws
      -> Program.Ending
    {
      let folder = try Folder()
      try folder.write(lines.joined(separator: "\n") + "\n", to: "script.txt")
      return try Program.run(
        ["-c", "\(limit) && exec \"$0\" run script.txt \(options)", Program.path],
        program: "/bin/bash", in: folder, limit: 60)
    }

    private static let check = ["conv channels=2", "conv", "gradcheck samples=2"]

    @Test(arguments: ["ulimit -v 400000", "ulimit -d 200000"])
    func `that is too small for OpenBLAS is an error, not a wait without end`(limit: String) throws
    {
      let ending = try run(under: limit, Self.check)
      #expect(ending.status == 1 && !ending.crashed)
      let complaint = try #require(ending.complaints.first)
      #expect(
        complaint.contains(
          #/memory is limited to \d+ MiB \(ulimit -[vd]\), too little for OpenBLAS: .* \d+ MiB are needed; raise/#
        ), "\(complaint)")
    }

    @Test(arguments: [
      "--help", "--version", "help run", "reference", "run --help", "bench --help", "nonsense",
      "run --nonsense", "export no.session --html x.html", "accept no", "replay no", "bench",
    ])
    func `that is too small for OpenBLAS lets every entry of the program end`(words: String) throws
    {
      let ending = try Program.run(
        ["-c", "ulimit -v 300000 && exec \"$0\" \(words)", Program.path], program: "/bin/bash",
        in: Folder(), limit: 60)
      #expect(!ending.crashed && [0, 1, 2, 4].contains(ending.status))
      #expect(!(ending.output + ending.errors).isEmpty)
    }

    @Test func `that is too small for one thread is told without cures that were taken`() throws {
      let ending = try run(
        under: "export OPENBLAS_NUM_THREADS=1 && ulimit -v 200000", Self.check, "--threads 1")
      #expect(ending.status == 1)
      #expect(
        ending.errors.contains(#/for 1 thread, \d+ MiB are needed; raise the limit\n/#),
        "\(ending.errors)")
    }

    @Test func `that is large enough for the threads that were asked for lets the program work`()
      throws
    {
      let ending = try run(
        under: "export OPENBLAS_NUM_THREADS=1 && ulimit -v 1500000", Self.check, "--threads 1")
      #expect(ending.status == 0, "\(ending.errors)")
      #expect(ending.output.contains("standard is the gradient of the loss"))
    }
  #endif
}
