import Foundation
import Testing

/// Arrays whose numbers have no range, or one that hardly any type holds: a result or an error, never
/// a trap; and arrays that are larger than the memory allowed.
struct `Arrays of huge numbers` {
  private static let lines = [
    "data", "stats clean", "window auto", "view clean[0]", "hist clean", "plot clean[0,0,3]",
    "noise gaussian sigma=1", "noise gaussian fraction=0.1", "noise uniform gain=0.5..1.5",
    "view noisy[0]", "hist noisy", "panel noisy[0] clean[0]", "save image clean[0] a.png",
    "save image clean[0] b.png bits=16", "save animation noisy a.gif", "block channels=2", "conv",
    "train steps=2", "train steps=2 nan=keep", "plot loss", "evaluate", "denoise",
    "view denoised[0]", "scale minmax", "data", "train steps=1", "scale none", "train steps=1",
    "diagnose", "stats noisy", "crop rows=1..6", "baseline median", "explain noisy[0,0,2,2]",
    "save tensor clean c.npy", "let m = 1", "expect 1 = 1", "session save s",
  ]

  /// A `.npy` file of little-endian numbers.
  private func npy(_ type: String, _ shape: [Int], _ numbers: [UInt8]) -> Data {
    let tuple = shape.map(String.init).joined(separator: ", ")
    let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(tuple)), }\n"
    return Data(
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8))
      + numbers
  }

  @Test(
    arguments: [
      [1e16], [-1e16], [1e16, 1e16 + 4], [3e38], [-3e38, 3e38], [1e300], [-1e300, 1e300], [0],
      [1e-320], [5e-324, 1], [.nan], [.infinity, -.infinity], [1e9, 1e9 + 1],
      [16_777_217, 16_777_216],
    ] as [[Double]])
  func `load, train and are shown, or end in a sentence`(numbers: [Double]) throws {
    let folder = try Folder()
    let all = (0..<2 * 8 * 8).flatMap { i in
      withUnsafeBytes(of: numbers[i % numbers.count].bitPattern.littleEndian) { Array($0) }
    }
    try folder.write(npy("<f8", [2, 8, 8], all), to: "a.npy")
    for unit in ["none", "HU"] {
      let ending = try folder.run(["load a.npy unit=\(unit)"] + Self.lines, "--keep-going")
      #expect(!ending.crashed, "\(numbers) \(unit): \(ending.errors.suffix(300))")
      #expect([0, 1, 4].contains(ending.status))
    }
  }

  @Test func `beyond the memory limit are refused before they are read`() throws {
    let folder = try Folder()
    try folder.write(npy("<f4", [1024, 512, 512], []), to: "a.npy")
    // A gigabyte that takes no place on the disk.
    let file = try FileHandle(forWritingTo: folder.url.appending(path: "a.npy"))
    try file.truncate(atOffset: try file.seekToEnd() + 1 << 30)
    try file.close()
    let ending = try folder.run(["set limit.memory=100MiB", "load a.npy"], limit: 20)
    #expect(
      ending.complaints.first?.contains("would need about 1024 MiB, the limit is 100") == true)
  }
}
