import CT
import Figures
import Testing

@Suite struct WindowTests {
  /// A window's center and width, with pairs of a value and its sample.
  struct Row: Sendable {
    let center: Double, width: Double
    let values: [[Int]]

    init(_ center: Double, _ width: Double, _ values: [[Int]]) {
      self.center = center
      self.width = width
      self.values = values
    }
  }

  /// A window, a value, and the sample by the standard's formula, computed apart in Python.
  @Test(arguments: [
    Row(40.0, 400.0, [[-1024, 0], [-160, 0], [-159, 1], [40, 128], [239, 255], [240, 255]]),
    // The values that a viewer once mapped to 23, 162 and 255 (dcm4che, pull request 1578).
    Row(40, 400, [[-129, 20], [-128, 20], [65, 144], [66, 144], [193, 226], [194, 226]]),
    Row(-600, 1500, [[-1350, 0], [-1349, 0], [-1000, 60], [-600, 128], [-100, 213]]),
    Row(2048, 4096, [[0, 0], [2047, 127], [2048, 128], [4095, 255], [4096, 255]]),
    Row(2048, 1, [[2047, 0], [2048, 255]]),
    Row(0, 100, [[-50, 0], [-49, 3], [49, 255], [50, 255]]),
  ])
  func `LINEAR is the formula of PS3.3 C.11.2.1.2.1`(_ row: Row) throws {
    let window = try Window(center: row.center, width: row.width)
    for pair in row.values {
      #expect(window.sample(of: Float(pair[0])) == UInt16(pair[1]), "\(pair[0])")
    }
  }

  @Test(arguments: [
    Row(2048.0, 4096.0, [[0, 0], [1024, 64], [2048, 128], [4096, 255]]),
    Row(0.5, 0.25, [[0, 0], [1, 255]]),
    Row(40, 400, [[-160, 0], [-60, 64], [40, 128], [240, 255]]),
  ])
  func `LINEAR_EXACT is the formula of PS3.3 C.11.2.1.3.2`(_ row: Row) throws {
    let window = try Window(center: row.center, width: row.width, function: .linearExact)
    for pair in row.values {
      #expect(window.sample(of: Float(pair[0])) == UInt16(pair[1]), "\(pair[0])")
    }
  }

  @Test(arguments: [
    (-1000, 0), (-160, 30), (-60, 69), (40, 128), (140, 186), (240, 225), (1000, 255),
  ])
  func `SIGMOID is the formula of PS3.3 C.11.2.1.3.1`(value: Int, sample: Int) throws {
    let window = try Window(center: 40, width: 400, function: .sigmoid)
    #expect(window.sample(of: Float(value)) == UInt16(sample))
  }

  @Test func `presets are what viewers call so`() {
    let presets = Window.presets.map { "\($0.name) \($0.window.center)/\($0.window.width)" }
    #expect(
      presets == [
        "lung -600.0/1500.0", "mediastinum 40.0/400.0", "bone 480.0/2500.0", "brain 40.0/80.0",
        "liver 90.0/150.0",
      ])
    #expect(Window(preset: "Lung") == .lung)
    #expect(Window(preset: "lunge") == nil)
    #expect(Window.liver.presetName == "liver")
  }

  @Test(arguments: [
    (0.5, Window.Function.linear), (0, .linearExact), (-3, .sigmoid), (.nan, .linear),
  ])
  func `a width that DICOM does not allow is refused`(width: Double, function: Window.Function) {
    let error = #expect(throws: PictureError.self) {
      try Window(center: 40, width: width, function: function)
    }
    #expect(error?.code == .window)
    #expect(error?.hint.isEmpty == false)
  }

  @Test func `a covering window makes the ends black and white`() {
    let window = Window(covering: -3...7)
    #expect(window.sample(of: -3) == 0)
    #expect(window.sample(of: 2) == 128)
    #expect(window.sample(of: 7) == 255)
    #expect(Window(covering: 5...5).sample(of: 5) == 128)
    #expect(Window(covering: -Float.infinity...Float.infinity).sample(of: 0) == 128)
  }

  @Test func `NaN is the marker and infinities are the ends`() {
    for function in Window.Function.allCases {
      let window = try? Window(center: 40, width: 400, function: function)
      #expect(window?.sample(of: .nan) == Window.notANumber)
      #expect(window?.sample(of: .infinity) == 255)
      #expect(window?.sample(of: -.infinity) == 0)
    }
  }

  @Test func `descriptions name the numbers, and the function unless LINEAR`() throws {
    #expect("\(Window.lung)" == "center -600 width 1500")
    let window = try Window(center: 0.5, width: 0.25, function: .linearExact)
    #expect("\(window)" == "center 0.5 width 0.25 linear_exact")
  }
}
