import Foundation
import Testing

/// Real DICOM beside the checkout, when there is some.
private enum Real {
  static let folder: String? = {
    var url = URL(filePath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    let path = url.appending(path: "shared/dicom").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  static func files(in name: String) -> [String] {
    guard let folder else { return [] }
    let found = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")
    return (found ?? []).sorted().map { "\(name)/\($0)" }
  }
}

@Suite(.enabled(if: Real.folder != nil))
struct `Real DICOM` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test(arguments: [
    ("chest_philips_B_smooth", 16), ("chest_philips_L_sharp", 16),
    ("phantom_ge_names_out_of_order", 7), ("study_philips_dicomdir/S21570/S2010", 4),
    ("study_philips_dicomdir", 4), ("study_philips_dicomdir/DICOMDIR", 4),
  ])
  func `loads a folder of one series`(name: String, slices: Int) throws {
    let ending = try folder.run(
      ["let data", "load \"$data/\(name)\"", "stats clean", "view clean[0]"], "--json", "--let",
      "data=\(Real.folder ?? "")")
    #expect(ending.status == 0, "\(ending.output)")
    let all = try JSONLine.all(ending.output)
    let stats = all[2].result
    #expect((stats.members["shape"] as? [Int])?.first == slices)
    #expect(stats.number("nan") == 0)
    #expect(all[3].objects("files").count == 1)
  }

  @Test func `loads a localizer that is named, with a warning, and leaves it out of a folder`()
    throws
  {
    let named = try folder.run(
      ["let data", "load $data/study_philips_dicomdir/S21570/S1000/I10"], "--json", "--let",
      "data=\(Real.folder ?? "")")
    #expect(named.status == 0)
    let warnings = try #require(try JSONLine.all(named.output).last).members["warnings"]
    #expect((warnings as? [String])?.contains { $0.contains("localizer") } == true)
  }

  @Test(arguments: Real.files(in: "derived_malformed") + Real.files(in: "malformed"))
  func `that is damaged ends with a sentence, or loads`(path: String) throws {
    let ending = try folder.run(
      ["let data", "load \"$data/\(path)\"", "stats clean", "view clean[0]"], "--let",
      "data=\(Real.folder ?? "")")
    #expect(!ending.crashed)
    #expect(ending.status == 0 || ending.status == 4, "\(ending.status) \(ending.errors)")
    if ending.status == 4 {
      let complaint = try #require(ending.complaints.first)
      #expect(complaint.hasPrefix("script.txt:2: error: "))
      #expect(complaint.split(separator: " ").count > 5, "\(complaint)")
      #expect(ending.errors.contains("^"))
    }
  }

  @Test(arguments: Real.files(in: "other_modalities"))
  func `of other kinds loads or ends with a sentence`(path: String) throws {
    let ending = try folder.run(
      [
        "let data", "load \"$data/\(path)\"", "stats clean", "view clean[0]",
        "tags \"$data/\(path)\"",
      ],
      "--keep-going", "--let", "data=\(Real.folder ?? "")")
    #expect(!ending.crashed)
    #expect([0, 1, 4].contains(ending.status))
  }
}
