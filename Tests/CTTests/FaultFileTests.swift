import CT
import Foundation
import Tensors
import Testing

/// Files that were read wrongly once load with the values of pydicom, or are refused for a reason.
@Suite(.enabled(if: Faults.arePresent, "the files are not beside the checkout"))
struct FaultFileTests {
  private struct Values: Equatable {
    let low: Float, high: Float
    let mean: Double

    init(_ low: Float, _ high: Float, _ mean: Double) {
      (self.low, self.high, self.mean) = (low, high, mean)
    }

    init(_ values: [Float]) {
      self.init(
        values.min() ?? .nan, values.max() ?? .nan,
        values.reduce(0.0) { $0 + Double($1) } / Double(values.count))
    }
  }

  private func load(_ name: String) throws -> (values: Values, all: [Float], loaded: LoadedSeries) {
    let found = try values(of: Faults.folder + "/" + name)
    return (Values(found.values), found.values, found.loaded)
  }

  private func error(_ name: String) -> CTError? {
    #expect(throws: CTError.self, "\(name)") { try values(of: Faults.folder + "/" + name) }
  }

  @Test(
    arguments: Faults.files.filter {
      $0.contains("/headerless/") && !$0.contains("noDICM")
    }.map { ($0 as NSString).lastPathComponent })
  func `a file without a proper header holds the same slice`(_ name: String) throws {
    #expect(try load("headerless/\(name)").all == load("headerless/ok_explicit.dcm").all)
    #expect(try load("headerless/\(name)").values == Values(-24, 38, 7))
  }

  @Test
  func `JPEG 2000 that contradicts the header keeps its values`() throws {
    let high = try load("j2k_overshoot.dcm")
    #expect(abs(high.values.mean - 302.7703) < 1e-4)
    #expect((high.values.low, high.values.high) == (-1024, 3716))
    #expect(high.loaded.warnings.contains { $0.contains("16 bits") && $0.contains("says 12") })
    let signed = try load("j2k_signed_pixrep0.dcm")
    #expect(signed.all == (try load("j2k_signed_pixrep1.dcm").all))
    #expect(abs(signed.values.mean + 683.8867) < 1e-4)
    #expect(signed.loaded.warnings.contains { $0.contains("is signed, the header says unsigned") })
  }

  @Test
  func `compressed images of another size, or cut off, are refused`() throws {
    #expect(error("jpeg_size/header64_stream32.dcm")?.message.contains("32×32×1") == true)
    let huge = error("jpeg_size/header20000_stream32.dcm")
    #expect(huge?.code == "bad-header")
    #expect(huge?.message.contains("20000×20000") == true)
    #expect(error("jpeg_size/header8bit_stream16bit.dcm")?.code == "bad-header")
    let cut = error("jpeg_corrupt/cut50_with_EOI.dcm")
    #expect(cut?.code == "undecodable")
    #expect(cut?.message.contains("premature end") == true)
  }

  @Test
  func `more data than the header says are named, with both lengths`() throws {
    let excess = try load("excess_native/header32x16_data32x32.dcm").loaded.warnings
    #expect(excess.contains { $0.contains("2048") && $0.contains("1024") && $0.contains("32×16") })
  }

  @Test
  func `an empty last fragment is harmless`() throws {
    let rle = try load("empty_fragment/rle.dcm").values
    #expect((rle.low, rle.high) == (-1024, 54))
    #expect(abs(rle.mean + 546.7236) < 1e-4)
    let j2k = try load("empty_fragment/j2k.dcm").values
    #expect((j2k.low, j2k.high) == (-1000, 40))
  }

  /// The middle values of the slices of a folder, in its order.
  private func means(_ name: String) throws -> [[Double]] {
    try CTInventory.scan(Faults.folder + "/" + name).series.map { series in
      let stack = try series.load().stack
      let area = stack.shape.planeCount
      return (0..<stack.shape.batch).map { n in
        Values(Array(stack.scalars[n * area..<(n + 1) * area])).mean
      }
    }
  }

  @Test
  func `UN is read by the dictionary`() throws {
    #expect(try load("un_pixeldata/x.dcm").values == Values(-24, 38, 7))
    #expect(try means("un_vr") == [[7, 107, 207, 307]])
    #expect(try CTInventory.scan(Faults.folder + "/un_vr").series[0].load().unit == .hounsfield)
  }

  @Test
  func `numbers are compared with a tolerance`() throws {
    #expect(try means("orientation_boundary") == [[7, 107, 207, 307, 407, 507]])
    let phases = try means("phases_jitter")
    #expect(phases.map(\.count) == [4, 4])
    #expect(phases.allSatisfy { $0 == $0.sorted() })
    let scans = try CTInventory.scan(Faults.folder + "/phases_jitter").series
    #expect(scans.map { Set($0.slices.map { $0.name.hasPrefix("p2") }) } == [[false], [true]])
    #expect(scans[0].warnings.contains { $0.contains("several scans of the same positions") })
  }

  @Test
  func `a study of every file is one series of one patient, without a false reason`() throws {
    let series = try CTInventory.scan(Faults.folder + "/study_uid_per_file").series
    #expect(series.map(\.slices.count) == [3])
    #expect(series[0].warnings.isEmpty)
  }

  @Test
  func `the slice without a rescale is named`() throws {
    let series = try CTInventory.scan(Faults.folder + "/mixed_rescale").series
    let error = #expect(throws: CTError.self) { try CTSeries.load(series) }
    #expect(error?.code == "mixed-units")
    #expect(error?.message.contains("1 of 3 slices have no rescale (") == true)
  }

  @Test
  func `a secondary capture is no CT image`() throws {
    let capture = try load("secondary_capture_ct/sc.dcm").loaded
    #expect(capture.warnings.contains { $0.contains("secondary capture") })
  }

  @Test
  func `a change of spacing takes one line`() throws {
    let series = try CTInventory.scan(Faults.folder + "/thin_thick").series
    #expect(
      series.map(\.warnings) == [["the spacing of slices changes at slice 7 from 2.5 to 7.5 mm"]])
  }

  @Test
  func `names and dates stay hidden wherever they stand`() throws {
    for folder in ["description_is_name", "date_in_uid"] {
      let inventory = try CTInventory.scan(Faults.folder + "/" + folder)
      for series in inventory.series {
        let shown = [series.seriesDescription, series.convolutionKernel, series.shownUID]
        #expect(!shown.contains { $0.contains("SENTINEL") || $0.contains("1902") }, "\(shown)")
      }
      for file in Faults.files.filter({ $0.contains("/\(folder)/") }) {
        let texts = try CTAttribute.list(file).map(\.value)
        #expect(!texts.contains { $0.contains("SENTINEL") || $0.contains("1902") }, "\(texts)")
      }
    }
  }
}
