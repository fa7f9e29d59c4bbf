import CT
import CommandLanguage
import Foundation
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let saveDICOM = Command(
    CommandSpec(
      "save dicom", family: .keeping,
      summary: "Write slices as a derived DICOM series, without identity.",
      details: """
        One file a slice, with the geometry, frame of reference, windows and padding of its source, \
        a reference to the source image (the noisy one, where noisy slices were loaded), what was \
        done in words, new UIDs, and the source's rescale where the values fit \
        it: they read back within half a stored unit. Names, IDs, dates, institution and study UID \
        of the source are left out unless identity=keep. Data from .npy have no geometry and cannot \
        be written so. Slices of no CT become Secondary Captures, which load by file only.
        """,
      parameters: [
        .word("name", .thing, "clean, noisy, denoised or baseline, or slices of it: denoised[0:4]"),
        .word("folder", .path, "the folder for the files"),
        .key(
          "identity", .choice(["remove", "keep"]), "names, IDs, dates, institution of the source",
          default: .value("remove")),
        .key(
          "description", .text(placeholder: "TEXT"), "the series description",
          default: .absent("what the slices are")),
        Parameter.replace,
      ],
      examples: [
        CommandExample(
          "save dicom denoised derived",
          after: [
            "phantom size=32 slices=2", "noise gaussian sigma=40HU", "conv", "train steps=1",
          ]),
        CommandExample("save dicom clean[0] slice", after: ["phantom size=32 slices=2"]),
      ], seeAlso: ["load", "denoise", "save tensor"])
  ) { arguments, workspace, context in
    let (name, slices) = try workspace.wantedSlices(arguments)
    let original = try workspace.original(of: name)
    guard !original.sources.isEmpty else {
      throw arguments.error(
        at: "name", .state,
        "the slices come from .npy, which says nothing of position and spacing",
        hint: "save tensor \(name) FILE.npy")
    }
    let typed = try arguments.path("folder")
    try workspace.files.disk.spend(
      DiskBudget.dicomBytes(slices: slices.count, height: original.height, width: original.width),
      on: typed)
    let derivation = workspace.derivation(
      name, slices: slices, keepsIdentity: try arguments.choice("identity") == "keep",
      description: arguments.textIfGiven("description"))

    // Series by series: slices of one keep their order.
    let numbers = slices.map { original.origins[$0].series }
    var groups: [[Int]] = []
    for number in Set(numbers).sorted() {
      groups.append(slices.filter { original.origins[$0].series == number })
    }
    let report = context.reporter("save dicom", of: "files")
    var files = 0
    let destination = workspace.files
    let folder = try destination.write(folder: typed, arguments.replacing) { staged, place in
      var leftovers: [String] = []
      for group in groups {
        let part = original.slices(group)
        var values = try workspace.stack(name, slices: group)
        if let mask = part.mask {
          // Padding was not measured, so no network can improve it.
          for i in mask.indices where mask[i] { values.scalars[i] = part.values.scalars[i] }
        }
        let done = files
        let written = try DerivedWriter.write(
          values, mask: part.mask, sources: part.sources,
          number: original.origins[group[0]].series, to: staged, derivation: derivation
        ) { report(done + $0, slices.count) }
        files += written.count
        leftovers += SeriesFolder.leftovers(of: written, in: place)
      }
      return leftovers
    }
    var outcome = Outcome(
      """
      saved  \(file: typed + "/", at: folder + "/")  \
      \(files, "slice") in \(groups.count) derived series
      """,
      result: ["files": .integer(files), "series": .integer(groups.count)])
    outcome.add(file: typed, at: folder)
    outcome.warnings = original.slices(slices).sources.derivationWarnings
    return outcome
  }
}

extension Workspace {
  /// The stack and the slices that `name` selects; parts of slices cannot be selected.
  fileprivate func wantedSlices(
    _ arguments: Arguments
  ) throws -> (name: String, slices: [Int]) {
    let all = try requireSlices()
    let text = try arguments.text("name")
    do {
      let indexed = try IndexedName(text)
      guard Self.stackNames.contains(indexed.name) else {
        throw CommandError(
          .wrongValue, "\(text) holds no slices",
          hint: "clean, noisy, denoised or baseline are image stacks")
      }
      guard indexed.entries.count <= 1 else {
        throw CommandError(
          .shape, "DICOM holds whole slices, not parts of them",
          hint: "for example \(indexed.name)[0]; 'crop' keeps a part")
      }
      let numbers = Tensor<Float>(shape: [all.count], scalars: (0..<all.count).map(Float.init))
      return (indexed.name, try numbers.part(indexed.entries).scalars.map { Int($0) })
    } catch {
      throw arguments.error(at: "name", commandError(error))
    }
  }

  fileprivate func derivation(
    _ name: String, slices: [Int], keepsIdentity: Bool, description: String?
  ) -> Derivation {
    Derivation(
      name: name, description: description ?? "Backflow \(name)",
      explanation: explanation(of: name, slices: slices), keepsIdentity: keepsIdentity)
  }
}

extension [SliceSource] {
  /// Warnings about limits of series that are derived from these slices.
  fileprivate var derivationWarnings: [String] {
    var warnings: [String] = []
    if contains(where: { $0.plane.position == nil }) {
      warnings.append("the source has no positions: the derived series has none either")
    }
    if contains(where: \.isSecondaryCapture) {
      warnings.append("the source is a secondary capture, no CT image, and so is what was derived")
    }
    if contains(where: \.hasBurnedInAnnotation) {
      warnings.append("the source says that its image shows text, which is still there")
    }
    return warnings
  }
}
