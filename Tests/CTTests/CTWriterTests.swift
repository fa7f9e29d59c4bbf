import CT
import Fingerprints
import Foundation
import Tensors
import Testing

struct CTWriterTests {
  @Test
  func `what is written is read back exactly and in order`() throws {
    let folder = try TemporaryFolder()
    let stack = sampleStack(slices: 12)
    let paths = try CTWriter.write(stack, to: folder.path + "/a b/ü", description: .sample())
    #expect(paths.count == 12)

    let inventory = try CTInventory.scan(folder.path)
    #expect(inventory.series.count == 1)
    #expect(inventory.skipped.isEmpty)
    let series = inventory.series[0]
    #expect(series.warnings.isEmpty)
    #expect(series.sliceSpacing == 2.5)
    #expect(series.number == 1)
    #expect(series.seriesDescription == "Sample, sharp")
    #expect(series.slices[0].plane.rowSpacing == 0.7)

    let loaded = try series.load()
    #expect(loaded.stack.shape == stack.shape)
    #expect(loaded.stack.scalars == stack.scalars)
    #expect(loaded.unit == .hounsfield)
    #expect(loaded.mask == nil)
    #expect(loaded.fileRange == 4095)
    #expect(
      loaded.windows.map(\.shape) == [
        .window(center: -600, width: 1500, .linear), .window(center: 40, width: 400, .linear),
      ])
    #expect(loaded.windows.map(\.name) == ["LUNG", "MEDIASTINUM"])
  }

  @Test
  func `the same series gives the same files`() throws {
    let folder = try TemporaryFolder()
    let stack = sampleStack()
    let first = try CTWriter.write(stack, to: folder.path + "/1", description: .sample())
    let second = try CTWriter.write(stack, to: folder.path + "/2", description: .sample())
    for (a, b) in zip(first, second) {
      #expect(try DICOMBytes(a).bytes == DICOMBytes(b).bytes)
    }
  }

  @Test
  func `other values, patients and seeds have other identifiers`() throws {
    let folder = try TemporaryFolder()
    var series: Set<String> = []
    var patients: Set<String> = []
    for (i, (seed, patient)) in [(1, 1), (1, 2), (2, 1)].enumerated() {
      let path = folder.path + "/\(i)"
      _ = try CTWriter.write(
        sampleStack(), to: path, description: .sample(patient: patient, seed: UInt64(seed)))
      let found = try CTInventory.scan(path).series[0]
      series.insert(found.uid)
      patients.insert(found.patientKey)
      #expect(found.uid.hasPrefix("2.25.") && found.uid.count <= 64)
      #expect(found.slices[0].sopInstanceUID.count <= 64)
    }
    #expect(series.count == 3)
    #expect(patients.count == 3)
    #expect(try CTInventory.scan(folder.path).series.count == 3)
  }

  @Test
  func `a shorter series replaces a longer one of the same name`() throws {
    let folder = try TemporaryFolder()
    _ = try CTWriter.write(sampleStack(slices: 7), to: folder.path, description: .sample())
    let stack = sampleStack(slices: 3, seed: 2)
    _ = try CTWriter.write(stack, to: folder.path, description: .sample())
    let inventory = try CTInventory.scan(folder.path)
    #expect(inventory.fileCount == 3)
    #expect(try inventory.series[0].load().stack.scalars == stack.scalars)
  }

  @Test(arguments: [0.5, -1025, 3072, .nan, .infinity] as [Float])
  func `a value that would not survive is refused and nothing is written`(_ value: Float) throws {
    let folder = try TemporaryFolder()
    var stack = sampleStack()
    stack.scalars[7] = value
    let error = #expect(throws: CTError.self) {
      try CTWriter.write(stack, to: folder.path + "/new", description: .sample())
    }
    #expect(error?.code == "unwritable-value")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/new"))
  }

  @Test
  func `attributes of a phantom name nobody`() throws {
    let folder = try TemporaryFolder()
    let paths = try CTWriter.write(sampleStack(), to: folder.path, description: .sample())
    let attributes = try CTAttribute.list(paths[0])
    func value(_ keyword: String) -> String? {
      attributes.first { $0.keyword == keyword }?.value
    }
    #expect(value("PatientName") == "(hidden)")
    #expect(value("PatientID") == "(hidden)")
    #expect(value("SOPInstanceUID") == "(hidden)")
    #expect(value("PatientIdentityRemoved") == "YES")
    #expect(value("RescaleIntercept") == "-1024")
    #expect(value("Rows") == "6")
    #expect(value("PixelData") == "(60 bytes)")
    #expect(attributes.first { $0.keyword == "Modality" }?.tag == "(0008,0060)")
    #expect(value("SOPClassUID") == "1.2.840.10008.5.1.4.1.1.2")
  }
}
