import CT
import CommandLanguage
import Figures
import Tensors
import Training

extension Command<Workspace> {
  static let sharpness = Command(
    CommandSpec(
      "sharpness", family: .looking,
      summary: "Draw the modulation transfer at rods of several contrasts.",
      details: """
        On the phantom with inserts: the edge of each rod, averaged over directions and slices, gives \
        how much of a pattern of each frequency is left. f50 and f10 are the frequencies at which half \
        and a tenth is left; > stands before the highest frequency that the pixels hold, half a cycle a \
        pixel, where more is left there. Networks blur low contrasts more than high ones, so each rod has a row.
        """,
      parameters: [
        .words(
          "names", .thing, "stacks of slices, such as denoised clean", default: .value("denoised")),
        .key(
          "contrast", .number(units: [.hounsfield]), "the rod that is drawn, by its value",
          default: .value("340HU")),
      ] + FigureParameters.all,
      examples: [
        CommandExample(
          "sharpness clean noisy",
          after: [
            "phantom kind=inserts size=128 slices=1 patients=1", "noise gaussian sigma=20HU",
          ])
      ], seeAlso: ["spectrum", "detect", "phantom"])
  ) { arguments, workspace, _ in
    let names = arguments.words("names").isEmpty ? ["denoised"] : arguments.words("names")
    let (phantom, inserts) = try workspace.requireInserts()
    let wanted = try arguments.number("contrast").value
    let middle = Double(phantom.size - 1) / 2
    var rows: [(name: String, rod: Double, transfer: ModulationTransfer)] = []
    for (index, name) in names.enumerated() {
      let value = try workspace.value(name, at: "names", index: index, arguments)
      let images = try workspace.wholeSlices(value, arguments, index)
      for insert in inserts {
        let disc = ModulationTransfer.Disc(
          row: middle + insert.y / phantom.pixelSpacing,
          column: middle + insert.x / phantom.pixelSpacing, radius: insert.radius,
          spacing: phantom.pixelSpacing)
        if let transfer = ModulationTransfer(images, disc: disc) {
          rows.append((name, insert.hounsfield, transfer))
        }
        try stopIfInterrupted()
      }
    }
    guard !rows.isEmpty else {
      throw CommandError(
        .shape, "the rods have too few pixels in slices of \(phantom.size)×\(phantom.size)",
        hint: "phantom kind=inserts size=256")
    }
    let nearest = inserts.map(\.hounsfield).min { abs($0 - wanted) < abs($1 - wanted) } ?? wanted
    let drawn = rows.filter { $0.rod == nearest }
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [
          .words(""), .numbers("rod HU"), .numbers("contrast"), .numbers("f50 1/mm"),
          .numbers("f10 1/mm"),
        ],
        rows: rows.map { row in
          [
            OutputLine(row.name), "\(row.rod, digits: 0)", "\(row.transfer.contrast, digits: 1)",
            row.transfer.words(at: 0.5), row.transfer.words(at: 0.1),
          ]
        }))
    let result: JSONValue = [
      "rows": .list(rows) { row in
        [
          "name": .string(row.name), "rod": .number(row.rod),
          "contrast": .number(row.transfer.contrast),
          "f50": .number(row.transfer.frequency(at: 0.5)),
          "f10": .number(row.transfer.frequency(at: 0.1)),
          "frequency": .list(row.transfer.frequencies) { .number($0) },
          "transfer": .list(row.transfer.transfer) { .number($0) },
        ]
      }
    ]
    outcome.append(
      try workspace.show(name: "sharpness", statistics: [], result: result, arguments) { _ in
        Plot(
          title: "Modulation transfer at \(NumberFormat.shortest.string(nearest)) HU",
          x: .init("frequency in 1/mm"), y: .init("transfer", includesZero: true),
          series: drawn.map { row in
            Plot.Series(
              row.name,
              zip(row.transfer.frequencies, row.transfer.transfer).map { Plot.Point(x: $0, y: $1) })
          })
      })
    outcome.result = result
    return outcome
  }
}

extension ModulationTransfer {
  /// The frequency at which the transfer falls to `level`, or that it is above the highest of the image's pixels.
  fileprivate func words(at level: Double) -> OutputLine {
    let found = frequency(at: level)
    guard found.isNaN, let highest = frequencies.last else { return "\(found, digits: 4)" }
    return ">\(highest, digits: 4)"
  }
}

extension Workspace {
  /// The phantom with inserts that the clean slices are of, and the rods of its first patient.
  fileprivate func requireInserts() throws(CommandError) -> (ThoraxPhantom, [PhantomInsert]) {
    let clean = try requireClean()
    guard case .phantom(let phantom, let patient, _)? = clean.source(of: 0)?.origin,
      phantom.kind == .inserts, clean.height == phantom.size, clean.width == phantom.size,
      Set(clean.origins.map(\.patient)).count == 1
    else {
      throw CommandError(
        .state, "sharpness is measured at the rods of one phantom with inserts",
        hint: "phantom kind=inserts patients=1")
    }
    return (phantom, phantom.inserts(patient: patient))
  }

  /// The slices of a stack as images of their own; throws for parts of slices.
  fileprivate func wholeSlices(
    _ value: NamedValue, _ arguments: Arguments, _ index: Int
  ) throws(CommandError) -> [Tensor<Float>] {
    let all = try requireSlices()
    let extents = value.tensor.shape.extents
    guard value.isImage, Array(extents.suffix(2)) == [all.height, all.width] else {
      throw arguments.error(
        at: "names", index: index, .shape, "\(value.name) is no stack of whole slices",
        hint: "for example denoised, or denoised[3]")
    }
    let area = all.height * all.width
    return stride(from: 0, to: value.tensor.shape.count, by: area).map { start in
      Tensor(
        shape: [all.height, all.width], scalars: Array(value.tensor.scalars[start..<start + area]))
    }
  }
}
