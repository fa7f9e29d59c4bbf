import CT
import CommandLanguage
import Tensors
import Tomography
import Training

extension Command<Workspace> {
  static let pair = Command(
    CommandSpec(
      "pair", family: .data,
      summary: "Load noisy slices with their clean counterparts.",
      details: """
        Two scans, or two reconstructions of one scan: files, folders or .npy. Slices at the same \
        place along the normal belong together, within a tenth of the distance of slices; matrix and \
        distances of pixels must agree. The shift of the noisy slices within the plane is estimated \
        by phase correlation and told; slices that show something else are refused. 'split', \
        'evaluate', 'panel', 'train' and 'save dicom' then work on the pairs. The same as 'load' of \
        the clean slices and 'load as=noisy' of the noisy ones, but all or nothing.
        """,
      parameters: [
        .word("noisy", .path, "the noisy slices: a file or folder"),
        .word("clean", .path, "their clean counterparts"),
        .key(
          "noisy-series", .either([.integer(), .text(placeholder: "UID")]),
          "the series of the noisy slices, as for load", default: .absent("all that have one size")),
        .key(
          "clean-series", .either([.integer(), .text(placeholder: "UID")]),
          "the series of the clean slices, as for load", default: .absent("all that have one size")),
        .key(
          "pair", .choice(["position", "order"]), "how noisy slices find their clean ones",
          default: .value("position")),
      ],
      examples: [
        CommandExample(
          "pair ct/patient1-series1-0001.dcm ct/patient1-series1-0001.dcm",
          after: ["phantom size=32 slices=2 patients=1 save=ct"])
      ], seeAlso: ["load", "series", "train"], recipe: .pairs)
  ) { arguments, workspace, context in
    var changed = workspace
    let clean = try changed.read(arguments, context, path: "clean", series: "clean-series")
    let noisy = try changed.read(arguments, context, path: "noisy", series: "noisy-series")
    var outcome = try changed.takeClean(clean, context)
    let paired = try changed.takeNoisy(noisy, arguments, context, at: "noisy")
    outcome.append(paired)
    outcome.result = paired.result
    let shift = try interruptible { changed.shiftOfNoisy() }
    guard let shift, shift.peak > 0.1, shift.significance > 6 else {
      throw arguments.error(
        at: "noisy", .data, "the noisy slices do not show what the clean ones show",
        hint: "load the noisy counterpart of the same slices", status: .badInput)
    }
    changed.describe(shift, &outcome)
    workspace = changed
    return outcome
  }
}

extension Workspace {
  /// The shift of the noisy slices from the clean ones, from eight pairs at most; nil without any.
  fileprivate func shiftOfNoisy() -> PhaseCorrelation.Shift? {
    guard let clean, let noisy else { return nil }
    var correlation = PhaseCorrelation(rows: clean.height, columns: clean.width)
    let count = min(8, clean.count)
    for number in 0..<count {
      let slice = number * clean.count / count
      correlation.add(clean.values.image(slice).scalars, noisy.image(slice).scalars)
    }
    return correlation.shift()
  }

  fileprivate func describe(_ shift: PhaseCorrelation.Shift, _ outcome: inout Outcome) {
    let plane = clean?.source(of: 0)?.plane
    let isShifted = abs(shift.rows) >= 0.5 || abs(shift.columns) >= 0.5
    var words: OutputLine =
      "shift  \(shift.rows, digits: 1) rows, \(shift.columns, digits: 1) columns"
    if let row = plane?.rowSpacing, let column = plane?.columnSpacing {
      words =
        "\(words) (\(shift.rows * row, digits: 1) mm, \(shift.columns * column, digits: 1) mm)"
    }
    outcome.say(words)
    if isShifted {
      outcome.warn(
        "the noisy slices show everything \(Int(shift.rows.rounded())) rows and "
          + "\(Int(shift.columns.rounded())) columns beside the clean ones: training would learn the "
          + "shift")
    }
    guard case .object(let members) = outcome.result else { return }
    outcome.result = .object(
      members + [
        .init("pairs", .integer(clean?.count ?? 0)),
        .init(
          "shift",
          [
            "rows": .number(shift.rows), "columns": .number(shift.columns),
            "peak": .number(shift.peak), "shifted": .bool(isShifted),
          ]),
      ])
  }
}
