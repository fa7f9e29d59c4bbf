import CT
import Foundation
import Tensors
import Testing

struct DerivedWriterTests {
  private let derivation = Derivation(
    name: "denoised", description: "Sample, denoised", explanation: "a test",
    keepsIdentity: false)

  /// A written series, altered, and what it loads as.
  private func source(
    _ change: (inout DICOMBytes) -> Void = { _ in }
  ) throws -> (folder: TemporaryFolder, loaded: LoadedSeries) {
    let folder = try TemporaryFolder()
    let paths = try CTWriter.write(
      sampleStack(), to: folder.path + "/source", description: .sample())
    for path in paths {
      var file = try DICOMBytes(path)
      change(&file)
      try file.write(path)
    }
    return (folder, try CTInventory.scan(folder.path + "/source").series[0].load())
  }

  private func derived(
    _ stack: Tensor<Float>, of loaded: LoadedSeries, in folder: TemporaryFolder,
    keepsIdentity: Bool = false, name: String = "derived"
  ) throws -> LoadedSeries {
    var derivation = derivation
    derivation.keepsIdentity = keepsIdentity
    _ = try DerivedWriter.write(
      stack, mask: loaded.mask, sources: loaded.series.slices.map { SliceSource(.file($0)) },
      number: 1, to: "\(folder.path)/\(name)", derivation: derivation)
    return try CTInventory.scan("\(folder.path)/\(name)").series[0].load()
  }

  @Test
  func `values of the source survive exactly, with their place`() throws {
    let (folder, loaded) = try source()
    let again = try derived(loaded.stack, of: loaded, in: folder)
    #expect(again.stack.scalars == loaded.stack.scalars)
    #expect(again.series.slices.map(\.plane) == loaded.series.slices.map(\.plane))
    #expect(again.windows == loaded.windows)
    #expect(again.series.seriesDescription == "Sample, denoised")
    #expect(again.series.uid != loaded.series.uid)
    let images = Set((again.series.slices + loaded.series.slices).map(\.sopInstanceUID))
    #expect(images.count == 8)
    #expect(again.series.warnings.isEmpty)
  }

  @Test(arguments: [1, 0.37, 1e-5, 3e7] as [Float])
  func `other values survive within half a stored unit`(_ factor: Float) throws {
    let (folder, loaded) = try source()
    var stack = loaded.stack
    for i in stack.scalars.indices { stack.scalars[i] = (stack.scalars[i] + 0.3) * factor - 70 }
    let again = try derived(stack, of: loaded, in: folder)
    for (n, slice) in again.series.slices.enumerated() {
      let slope = try #require(rescaleSlope(of: slice))
      #expect(slope >= 1)
      for i in n * 30..<(n + 1) * 30 {
        let difference = abs(Double(again.stack.scalars[i]) - Double(stack.scalars[i]))
        // Half a unit, and the rounding of a Float on the way out and in.
        #expect(difference <= slope / 2 + Double(stack.scalars[i].ulp))
      }
    }
  }

  private func rescaleSlope(of slice: CTSlice) -> Double? {
    (try? CTAttribute.list(slice.path))?.first { $0.keyword == "RescaleSlope" }
      .flatMap { Double($0.value) }
  }

  @Test
  func `stored numbers that are not HU stay so`() throws {
    let (folder, loaded) = try source {
      for tag in [0x0028_1052, 0x0028_1053, 0x0028_1054] as [UInt32] { $0.set(tag, nil) }
    }
    let again = try derived(loaded.stack, of: loaded, in: folder)
    #expect(again.unit == .stored)
    #expect(again.fileRange == loaded.fileRange)
    #expect(again.stack.scalars == loaded.stack.scalars)
    var lower = loaded.stack
    lower.scalars[3] = -20.25
    let shifted = try derived(lower, of: loaded, in: folder, name: "lower")
    #expect(shifted.unit != .hounsfield)
    #expect(shifted.stack.scalars[3] == -20)
  }

  @Test
  func `padding stays padding`() throws {
    let (folder, loaded) = try source { file in
      file.insert(0x0028_0120, "US", [0, 0], before: 0x0028_1050)
    }
    let mask = try #require(loaded.mask)
    #expect(mask.contains(true))
    let again = try derived(loaded.stack, of: loaded, in: folder)
    #expect(again.mask == mask)
    #expect(again.stack.scalars == loaded.stack.scalars)
  }

  @Test(arguments: [0, 5] as [UInt8])
  func `a value that falls on the padding value is moved by one`(_ sample: UInt8) throws {
    // Padding is the value of one sample of each slice.
    let (folder, loaded) = try source { file in
      let pixels = (file.find(0x7FE0_0010) ?? 0) + 12
      file.bytes.replaceSubrange(pixels..<pixels + 2, with: [sample, 0])
      file.insert(0x0028_0120, "US", [sample, 0], before: 0x0028_1050)
    }
    let mask = try #require(loaded.mask)
    let padding = Float(sample) - 1024
    var stack = loaded.stack
    let measured = mask.indices.filter { !mask[$0] }.prefix(40)
    for (i, shift) in zip(measured, [-0.2, 0, 0.3].cycled) { stack.scalars[i] = padding + shift }
    let again = try derived(stack, of: loaded, in: folder)
    #expect(again.mask == mask)
    for i in measured {
      #expect(abs(again.stack.scalars[i] - padding) == 1)
      if sample > 0 { #expect((again.stack.scalars[i] > padding) == (stack.scalars[i] >= padding)) }
    }
    for i in mask.indices where mask[i] { #expect(again.stack.scalars[i] == padding) }
  }

  @Test
  func `measured values inside a range of padding stay measured and move by one at most`() throws {
    let (folder, loaded) = try source { file in
      let pixels = (file.find(0x7FE0_0010) ?? 0) + 12
      file.bytes.replaceSubrange(pixels..<pixels + 4, with: [10, 0, 30, 0])
      file.insert(0x0028_0120, "US", [10, 0], before: 0x0028_1050)
      file.insert(0x0028_0121, "US", [30, 0], before: 0x0028_1050)
    }
    let mask = try #require(loaded.mask)
    var stack = loaded.stack
    let measured = mask.indices.filter { !mask[$0] }.prefix(60)
    for (n, i) in measured.enumerated() { stack.scalars[i] = Float(n % 40) - 1024 }
    let again = try derived(stack, of: loaded, in: folder)
    #expect(again.mask == mask)
    for i in measured { #expect(abs(again.stack.scalars[i] - stack.scalars[i]) <= 1) }
  }

  @Test
  func `a secondary capture stays one, though it says it is CT`() throws {
    let (folder, loaded) = try source { $0.set(0x0008_0016, "1.2.840.10008.5.1.4.1.1.7") }
    _ = try DerivedWriter.write(
      loaded.stack, mask: nil, sources: loaded.series.slices.map { SliceSource(.file($0)) },
      number: 1, to: folder.path + "/derived", derivation: derivation)
    let again = try CTInventory.scan(folder.path + "/derived").series[0]
    #expect(again.slices[0].sopClassUID == "1.2.840.10008.5.1.4.1.1.7")
    #expect(again.warnings.contains { $0.contains("secondary capture") })
    #expect(try again.load().stack.scalars == loaded.stack.scalars)
  }

  @Test
  func `a value that is not finite is refused and nothing is written`() throws {
    let (folder, loaded) = try source()
    var stack = loaded.stack
    stack.scalars[100] = .nan
    let error = #expect(throws: CTError.self) { try derived(stack, of: loaded, in: folder) }
    #expect(error?.code == "unwritable-value")
    #expect(error?.message.contains("denoised[3]") == true)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/derived")
    #expect(left.isEmpty)
  }

  @Test
  func `the source's identity stays behind unless it is kept`() throws {
    let name = "Erika^Mustermann"
    let (folder, loaded) = try source { file in
      file.set(0x0010_0010, name)
      file.set(0x0010_0020, "ID-4711")
      file.set(0x0008_0020, "20010203")
      file.set(0x0020_000D, "1.2.3.4711")
      file.insert(0x0008_0080, "LO", Array("Hospital".utf8), before: 0x0008_0090)
    }
    let secrets = [name, "ID-4711", "20010203", "1.2.3.4711", "Hospital"]
    func bytes(_ series: LoadedSeries) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: series.series.slices[0].path))
    }
    let removed = try bytes(try derived(loaded.stack, of: loaded, in: folder))
    for secret in secrets { #expect(removed.range(of: Data(secret.utf8)) == nil) }
    let kept = try derived(
      loaded.stack, of: loaded, in: folder, keepsIdentity: true, name: "kept")
    for secret in secrets { #expect(try bytes(kept).range(of: Data(secret.utf8)) != nil) }
    #expect(kept.patientKey == loaded.patientKey)
  }

  @Test
  func `each image names the one it was derived from`() throws {
    let (folder, loaded) = try source()
    let again = try derived(loaded.stack, of: loaded, in: folder)
    for (slice, origin) in zip(again.series.slices, loaded.series.slices) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: slice.path))
      #expect(bytes.range(of: Data(origin.sopInstanceUID.utf8)) != nil)
      let attributes = try CTAttribute.list(slice.path)
      func value(_ keyword: String) -> String? {
        attributes.first { $0.keyword == keyword }?.value
      }
      #expect(value("ImageType") == "DERIVED\\SECONDARY\\AXIAL")
      #expect(value("PatientIdentityRemoved") == "YES")
      #expect(value("SourceImageSequence") == "1 item")
      #expect(value("CodeValue") == "121322")
    }
  }

  @Test
  func `the same values give the same files, others other identifiers`() throws {
    let (folder, loaded) = try source()
    let first = try derived(loaded.stack, of: loaded, in: folder)
    let second = try derived(loaded.stack, of: loaded, in: folder, name: "again")
    for (a, b) in zip(first.series.slices, second.series.slices) {
      #expect(try DICOMBytes(a.path).bytes == DICOMBytes(b.path).bytes)
    }
    var stack = loaded.stack
    stack.scalars[5] += 1
    let third = try derived(stack, of: loaded, in: folder, name: "other")
    #expect(third.series.uid != first.series.uid)
    #expect(Set((third.series.slices + first.series.slices).map(\.sopInstanceUID)).count == 8)
  }

  @Test
  func `what is no CT becomes a Secondary Capture that loads`() throws {
    let folder = try TemporaryFolder()
    let path = try CTWriter.write(
      sampleStack(slices: 1), to: folder.path, description: .sample())[0]
    var file = try DICOMBytes(path)
    file.set(0x0008_0060, "MR")
    file.set(0x0008_0016, "1.2.840.10008.5.1.4.1.1.4")
    file.set(0x0028_1054, nil)
    try file.write(path)
    let loaded = try CTInventory.scan(path).series[0].load()
    _ = try DerivedWriter.write(
      loaded.stack, mask: nil, sources: [SliceSource(.file(loaded.series.slices[0]))],
      number: 1, to: folder.path + "/derived", derivation: derivation)
    let again = try CTInventory.scan(folder.path + "/derived/denoised-series1-0001.dcm").series[0]
    #expect(again.modality == "MR")
    #expect(again.slices[0].sopClassUID == "1.2.840.10008.5.1.4.1.1.7")
    #expect(try again.load().stack.scalars == loaded.stack.scalars)
    #expect(try again.load().unit == loaded.unit)
    let scan = try CTInventory.scan(folder.path + "/derived")
    #expect(scan.notes.contains { $0.contains("other images are taken") })
  }

  @Test
  func `lossy sources and inverted ones stay so`() throws {
    let (folder, loaded) = try source { file in
      file.set(0x0028_0004, "MONOCHROME1")
      file.insert(0x0028_2110, "CS", Array("01".utf8), before: 0x7FE0_0010)
    }
    let again = try derived(loaded.stack, of: loaded, in: folder)
    #expect(again.warnings == ["compressed with loss: bad ground truth for denoising"])
    #expect(again.series.slices[0].format.photometricInterpretation == "MONOCHROME1")
  }

  @Test
  func `a part of a slice begins where its first pixel was`() throws {
    let (folder, loaded) = try source()
    let part = Tensor<Float>(shape: [4, 1, 2, 3]) { $0.initialize(repeating: 10) }
    _ = try DerivedWriter.write(
      part, mask: nil,
      sources: loaded.series.slices.map { SliceSource(.file($0)).cropped(row: 3, column: 2) },
      number: 1, to: folder.path + "/part", derivation: derivation)
    let again = try CTInventory.scan(folder.path + "/part").series[0]
    let (from, to) = (loaded.series.slices[1].plane.position, again.slices[1].plane.position)
    let way = try #require(to) - #require(from)
    #expect(abs(way.x - 1.4) < 1e-9)
    #expect(abs(way.y - 2.1) < 1e-9)
    #expect(way.z == 0)
  }

  @Test
  func `phantoms have a geometry of their own`() throws {
    let folder = try TemporaryFolder()
    let phantom = ThoraxPhantom(size: 16, slices: 3, patients: 1)
    let stack = phantom.stack(patient: 0)
    _ = try DerivedWriter.write(
      stack, mask: nil,
      sources: (0..<3).map { SliceSource(.phantom(phantom, patient: 0, slice: $0)) },
      number: 1, to: folder.path, derivation: derivation)
    let series = try CTInventory.scan(folder.path).series[0]
    #expect(series.sliceSpacing == phantom.sliceSpacing)
    #expect(try series.load().stack.scalars == stack.scalars)
  }

  @Test
  func `writing stops when it is told to and leaves nothing`() throws {
    let (folder, loaded) = try source()
    let error = #expect(throws: CTError.self) {
      try DerivedWriter.write(
        loaded.stack, mask: nil, sources: loaded.series.slices.map { SliceSource(.file($0)) },
        number: 1, to: folder.path + "/stopped", derivation: derivation
      ) { $0 < 2 }
    }
    #expect(error?.code == "interrupted")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/stopped").isEmpty)
  }

  @Test(.enabled(if: Tool.areThere("dcmdump", "dcmftest"), "DCMTK's tools are not installed"))
  func `DCMTK's tools read a derived series without complaint`() throws {
    let (folder, loaded) = try source()
    let again = try derived(loaded.stack, of: loaded, in: folder)
    for slice in again.series.slices {
      for tool in ["dcmdump", "dcmftest"] {
        let run = try Tool.run(tool, [slice.path])
        #expect(run.status == 0)
        #expect(run.complaints == "")
      }
    }
  }
}

extension [Double] {
  /// The numbers again and again.
  fileprivate var cycled: some Sequence<Float> {
    (0..<1000).lazy.map { Float(self[$0 % count]) }
  }
}
