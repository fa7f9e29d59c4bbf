import CT
import Dispatch
import Foundation
import Synchronization
import Tensors
import Testing

/// What headers say about values, right and wrong.
struct ValueTests {
  private let slope: UInt32 = 0x0028_1053
  private let intercept: UInt32 = 0x0028_1052

  /// One slice whose file `change` alters.
  private func file(_ change: (inout DICOMBytes) -> Void) throws -> (TemporaryFolder, String) {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    var bytes = try DICOMBytes(path)
    change(&bytes)
    try bytes.write(path)
    return (folder, path)
  }

  private func load(_ change: (inout DICOMBytes) -> Void) throws -> LoadedSeries {
    let (folder, path) = try file(change)
    return try withExtendedLifetime(folder) { try CTInventory.scan(path).series[0].load() }
  }

  private func code(_ change: (inout DICOMBytes) -> Void) throws -> String? {
    #expect(throws: CTError.self) { try load(change) }?.code
  }

  @Test
  func `values follow the slope and intercept in Double`() throws {
    let loaded = try load {
      $0.set(slope, "0.1")
      $0.set(intercept, "-1000.25")
    }
    let stored = sampleStack(slices: 1).scalars.map { Double($0) + 1024 }
    #expect(loaded.stack.scalars == stored.map { Float($0 * 0.1 + -1000.25) })
    #expect(loaded.unit == .hounsfield)
    #expect(loaded.fileRange == 4095 * 0.1)
  }

  @Test(arguments: ["abc", "0", "nan", "inf", "1,5", "0x1p3", "1e999", "-0.0"])
  func `a slope that is no finite number other than 0 is an error`(_ text: String) throws {
    let error = #expect(throws: CTError.self) { try load { $0.set(slope, text) } }
    #expect(error?.code == "bad-rescale")
    #expect(error?.message.contains("(0028,1053)") == true)
    #expect(error?.message.contains("patient1-series1-0001.dcm") == true)
  }

  @Test
  func `an intercept with a decimal comma is an error`() throws {
    #expect(try code { $0.set(intercept, "-1024,0") } == "bad-rescale")
    #expect(try code { $0.set(intercept, nil) } == "bad-rescale")
  }

  @Test
  func `without a rescale the stored values load with a warning`() throws {
    let loaded = try load {
      $0.set(slope, nil)
      $0.set(intercept, nil)
    }
    #expect(loaded.unit == .stored)
    #expect(loaded.warnings.contains { $0.contains("not HU") })
    #expect(loaded.stack.scalars == sampleStack(slices: 1).scalars.map { $0 + 1024 })
  }

  @Test
  func `another rescale type is not HU`() throws {
    let loaded = try load { $0.set(0x0028_1054, "OD") }
    #expect(loaded.unit == .other("OD"))
    #expect(loaded.warnings.contains("values are not HU but OD"))
  }

  @Test
  func `MONOCHROME1 changes no value`() throws {
    let loaded = try load { $0.set(0x0028_0004, "MONOCHROME1") }
    #expect(loaded.stack.scalars == sampleStack(slices: 1).scalars)
    #expect(loaded.series.slices[0].format.photometricInterpretation == "MONOCHROME1")
  }

  @Test
  func `signed numbers of 12 bits are extended by their sign`() throws {
    let loaded = try load { $0.set(0x0028_0103, 1) }
    let expected = sampleStack(slices: 1).scalars.map { hu in
      let stored = Int(hu) + 1024
      return Float((stored >= 2048 ? stored - 4096 : stored) - 1024)
    }
    #expect(loaded.stack.scalars == expected)
  }

  @Test
  func `bits above the high bit are masked`() throws {
    let loaded = try load { file in
      if let pixels = file.find(0x7FE0_0010) { file.bytes[pixels + 12 + 1] |= 0xF0 }
    }
    #expect(loaded.stack.scalars == sampleStack(slices: 1).scalars)
  }

  @Test(arguments: [("SS", 0xF830), ("US", 0xF830)] as [(String, Int)])
  func `padding is masked but keeps its value, whatever sign it is written with`(
    _ representation: String, _ padding: Int
  ) throws {
    // −2000 as 16 signed bits is 63536 as unsigned ones.
    let loaded = try load { file in
      for tag in [0x0028_0101, 0x0028_0102] as [UInt32] {
        file.set(tag, tag == 0x0028_0101 ? 16 : 15)
      }
      file.set(0x0028_0103, 1)
      file.insert(
        0x0028_0120, representation, [UInt8(padding & 0xFF), UInt8(padding >> 8)],
        before: 0x0028_1050)
      if let pixels = file.find(0x7FE0_0010) {
        file.bytes[pixels + 12] = UInt8(padding & 0xFF)
        file.bytes[pixels + 13] = UInt8(padding >> 8)
      }
    }
    #expect(loaded.stack.scalars[0] == -3024)
    #expect(loaded.mask == [true] + Array(repeating: false, count: 29))
  }

  @Test
  func `a window without width is left out`() throws {
    let windows = try load { $0.set(0x0028_1051, "0\\400") }.windows
    #expect(windows.map(\.shape) == [.window(center: 40, width: 400, .linear)])
    #expect(try load { $0.set(0x0028_1051, "wide") }.windows.isEmpty)
  }

  @Test
  func `headers that contradict themselves or the pixel data are refused`() throws {
    #expect(try code { $0.set(0x0028_0010, 0) } == "bad-header")
    #expect(try code { $0.set(0x0028_0010, 7) } == "truncated")
    #expect(try code { $0.set(0x0028_0010, 65535) } == "truncated")
    #expect(try code { $0.set(0x0028_0101, 20) } == "bad-header")
    #expect(try code { $0.set(0x0028_0102, 3) } == "bad-header")
    #expect(try code { $0.set(0x0028_0002, 3) } == "bad-header")
    #expect(try code { $0.set(0x0028_0100, 12) } == "unsupported-bits")
    #expect(try code { $0.set(0x0028_0004, "RGB") } == "not-grey")
    #expect(try code { $0.set(0x0028_0004, "PALETTE COLOR") } == "not-grey")
  }

  @Test
  func `a file cut anywhere is refused`() throws {
    let (folder, path) = try file { _ in }
    let whole = try DICOMBytes(path)
    for length in stride(from: 0, to: whole.bytes.count, by: 7) {
      var cut = whole
      cut.bytes.removeLast(whole.bytes.count - length)
      try cut.write(path)
      #expect(throws: CTError.self) { try CTInventory.scan(path).series[0].load() }
    }
    withExtendedLifetime(folder) {}
  }

  @Test(arguments: [
    ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression"),
    ("1.2.3.4", "1.2.3.4"),
  ])
  func `an encoding that cannot be decoded is named`(_ uid: String, _ name: String) throws {
    let error = #expect(throws: CTError.self) {
      try load { $0.setSyntax(uid) }
    }
    #expect(error?.code == "unsupported-transfer-syntax")
    #expect(error?.message.contains(name) == true)
  }

  @Test(arguments: [50, 1000, 100_000])
  func `nested sequences cannot overflow the stack`(_ depth: Int) throws {
    let sequence: [UInt8] = [
      0x08, 0x00, 0x40, 0x11, 0x53, 0x51, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
      0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF,
    ]
    let end: [UInt8] = [
      0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0,
    ]
    let nested =
      Array(repeatElement(sequence, count: depth).joined())
      + Array(repeatElement(end, count: depth).joined())
    let (folder, path) = try file { file in
      if let place = file.find(0x0010_0010) { file.bytes.insert(contentsOf: nested, at: place) }
    }
    withExtendedLifetime(folder) {
      let error = onSmallStack { () throws(CTError) in
        _ = try CTInventory.scan(path).series[0].load()
      }
      #expect(error?.code == (depth < 60 ? nil : "too-deep"))
    }
  }

  /// The error of `body`, run on a thread with a stack of 512 KiB, the smallest in use.
  private func onSmallStack(_ body: @escaping @Sendable () throws(CTError) -> Void) -> CTError? {
    let outcome = Mutex<CTError?>(nil)
    let isDone = DispatchSemaphore(value: 0)
    let thread = Thread {
      do throws(CTError) { try body() } catch { outcome.withLock { $0 = error } }
      isDone.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    isDone.wait()
    return outcome.withLock { $0 }
  }

  @Test
  func `a hostile value cannot write to the terminal`() throws {
    let error = #expect(throws: CTError.self) { try load { $0.set(slope, "\u{1B}[2J") } }
    #expect(error?.message.contains("\u{1B}") == false)
  }
}
