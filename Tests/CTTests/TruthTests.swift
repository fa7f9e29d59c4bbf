import CT
import Fingerprints
import Foundation
import Tensors
import Testing

/// Every reference file gets the outcome that independent readers agreed on.
@Suite(.enabled(if: Truth.isPresent, "the reference files are not beside the checkout"))
struct TruthTests {
  @Test(arguments: Truth.names("load", "load_preferred", "load_jpeg2000", "multi_frame"))
  func `a sound file loads with the very values of the reference`(_ name: String) throws {
    let truth = try #require(Truth.files[name])
    let (values, loaded) = try values(of: Truth.folder + "/" + name)
    #expect(SHA256Digest(of: values).description == truth.floatHash)
    if let count = truth.paddingPixels {
      #expect((loaded.mask ?? []).count { $0 } == count)
    }
  }

  @Test(arguments: Truth.names("load_lossy"))
  func `a lossy file loads within two units and says so`(_ name: String) throws {
    let truth = try #require(Truth.files[name]?.values)
    let (values, loaded) = try values(of: Truth.folder + "/" + name)
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    let (low, high) = (Double(try #require(values.min())), Double(try #require(values.max())))
    // Two stored units, of a slope of 2 at most.
    #expect(abs(mean - truth.mean) <= 0.5)
    #expect(abs(low - truth.min) <= 4.1)
    #expect(abs(high - truth.max) <= 4.1)
    #expect(loaded.warnings.contains { $0.contains("loss") })
  }

  @Test(arguments: Truth.names("refuse", "no_image", "not_grey"))
  func `an unsound or foreign file is refused in one line`(_ name: String) throws {
    let error = try #require(throws: CTError.self) { try values(of: Truth.folder + "/" + name) }
    #expect(!error.message.contains("\n"))
    #expect(error.message.hasPrefix((name as NSString).lastPathComponent + ": "))
  }

  @Test(arguments: Truth.names("refuse_or_warn"))
  func `a doubtful file is refused or loads with a warning`(_ name: String) throws {
    let truth = try #require(Truth.files[name])
    do {
      let (values, loaded) = try values(of: Truth.folder + "/" + name)
      #expect(loaded.warnings.contains { $0.contains("not HU") || $0.contains("no CT") })
      #expect(loaded.unit != .hounsfield)
      if let hash = truth.floatHash { #expect(SHA256Digest(of: values).description == hash) }
    } catch let error as CTError {
      #expect(!error.message.isEmpty)
    }
  }

  @Test(arguments: [
    "ct_jpeg_ll_sv1_70.dcm", "ct_jpegls_80.dcm", "ct_rle_5.dcm", "ct_jpeg2000_90.dcm",
    "ct_jpeg_ext12_51.dcm",
  ])
  func `an image whose compressed data end early is refused, never half shown`(
    _ name: String
  ) throws {
    let folder = try TemporaryFolder()
    let path = Truth.folder + "/ts_matrix_chest_ge/" + name
    for part in [0.02, 0.5, 0.9, 0.99] {
      var file = try DICOMBytes(path)
      let isShorter = file.shortenFragment(to: part)
      try #require(isShorter)
      try file.write(folder.path + "/" + name)
      let error = #expect(throws: CTError.self, "\(part)") {
        try values(of: folder.path + "/" + name)
      }
      #expect(["undecodable", "truncated"].contains(error?.code))
    }
  }

  @Test(arguments: Truth.names("dicomdir"))
  func `a DICOMDIR lists what exists and counts what is absent`(_ name: String) throws {
    let inventory = try CTInventory.scan(Truth.folder + "/" + name)
    #expect(!inventory.series.isEmpty)
    for series in inventory.series { _ = try series.load() }
  }

  @Test(arguments: Truth.series.map(\.uid))
  func `slices of a series follow their positions`(_ uid: String) throws {
    let truth = try #require(Truth.series.first { $0.uid == uid })
    let folder = try #require(truth.order.first).split(separator: "/")[0]
    let path = Truth.folder + "/" + folder
    let series = try #require(CTInventory.scan(path).series.first { $0.uid == uid })
    // Copies of one image count once: keep the ones that were chosen.
    let chosen = series.slices.map { String(folder) + "/" + $0.name }
    #expect(chosen == truth.order.filter(chosen.contains))
    let images = Set(truth.order.compactMap { Truth.files[$0]?.sopInstanceUID })
    #expect(Set(series.slices.map(\.sopInstanceUID)) == images)
  }

  @Test
  func `no file stops the scan of the whole folder`() throws {
    let inventory = try CTInventory.scan(Truth.folder)
    let listed = inventory.series.reduce(0) { $0 + $1.slices.count }
    #expect(listed > 40)
    #expect(inventory.notes.contains { $0.contains("a localizer") })
    #expect(inventory.notes.contains { $0.contains("repetition") })
    #expect(inventory.notes.contains { $0.contains("Deflated Image Frame") })
    for series in inventory.series { #expect(series.modality == "CT" || series.modality.isEmpty) }
  }

  @Test(arguments: Truth.files.keys.sorted())
  func `attributes show nothing that identifies`(_ name: String) throws {
    guard let attributes = try? CTAttribute.list(Truth.folder + "/" + name) else { return }
    for attribute in attributes where !attribute.value.isEmpty && attribute.vr != "SQ" {
      if ["PN", "DA", "TM", "DT"].contains(attribute.vr) || attribute.tag.hasPrefix("(0010,") {
        #expect(attribute.value == "(hidden)")
      }
    }
  }
}
