import CT
import CommandLanguage
import Tensors
import Tomography
import Training

extension Command<Workspace> {
  static let noiseLowDose = Command(
    CommandSpec(
      "noise lowdose", family: .data,
      summary: "Add the noise of a CT scan at a fraction of the dose.",
      details: """
        Each clean slice is projected, disturbed where a scanner measures, and reconstructed: \
        counts = Poisson(dose·photons·e^−p) + electronic·n, p' = ln(dose·photons/counts), counts \
        below 1 taken as 1 and told, and the logarithm's bias taken away. photons is the number for \
        each detector element and view at the full dose before the patient; dose the factor on it: \
        tube current times time, at the same voltage. It is not what a patient takes up: that \
        depends on the body, too. electronic is the standard deviation of the detector's noise in \
        photons. \
        from=measured takes the slices as noisy ones of the full dose and adds what is missing at \
        dose (Yu 2012). The result is in HU and as sharp as scan and filter make it: roundtrip is \
        the error of the same without noise, inside the body and away from edges. \
        \(ScanOptions.help)
        """,
      parameters: [
        .key(
          "dose", .number(units: [.percent], .above(0, upTo: 100)), "the fraction of the full dose",
          default: .required),
        .key(
          "photons", .number(.above(0, upTo: 1e12)),
          "photons for each element and view at the full dose", default: .value("150000")),
        .key(
          "electronic", .number(.between(0, 1e6)),
          "standard deviation of the detector's noise, in photons", default: .value("8")),
        ScanOptions.filter,
        .key(
          "from", .choice(["clean", "measured"]),
          "slices without noise, or with that of the full dose", default: .value("clean")),
      ] + ScanOptions.all + NoiseOptions.all,
      examples: [
        CommandExample("noise lowdose dose=0.25", after: ["phantom size=32 slices=2"]),
        CommandExample(
          "noise lowdose dose=10% beam=parallel views=180 filter=hann fresh",
          after: ["phantom size=32 slices=2"]),
      ], seeAlso: ["noise gaussian", "project", "reconstruct", "pair"], recipe: .noise)
  ) { arguments, workspace, context in
    let clean = try workspace.requireClean()
    try workspace.requireHounsfield(clean, arguments)
    let kind = try arguments.lowDoseNoise()
    let options = try workspace.noiseOptions(arguments)
    let settings: [LowDoseNoise.Setting]
    do throws(TomographyError) {
      settings = try kind.settings(of: clean)
    } catch {
      throw commandError(error)
    }
    try workspace.requireMemory(
      LowDoseNoise.bytes(settings, keeping: options.isFresh ? clean.count : 1)
        + clean.values.shape.count * MemoryLayout<Float>.size,
      for: options.isFresh
        ? "\(clean.count) slices with their line integrals"
        : "\(clean.count) slices and a scan",
      hint: "take fewer slices, views or detectors\(options.isFresh ? ", or fixed noise" : "")")
    return try workspace.makeLowDose(
      Noise(kind, isFresh: options.isFresh, seed: options.seed), kind, clean, context)
  }
}

extension Arguments {
  fileprivate func lowDoseNoise() throws(CommandError) -> LowDoseNoise {
    let dose = try number("dose").value
    let isMeasured = try choice("from") == "measured"
    guard !isMeasured || dose < 1 else {
      throw error(
        at: "dose", .wrongValue, "measured slices have the full dose, and noise is added for less",
        hint: "give a dose below 1")
    }
    return LowDoseNoise(
      LowDose(
        photons: try number("photons").value, dose: dose,
        electronic: try number("electronic").value, isMeasured: isMeasured),
      try scanChoice(), try filterWindow(), try attenuation(), pixel: try pixelDistance())
  }
}

extension Workspace {
  fileprivate mutating func makeLowDose(
    _ noise: Noise, _ kind: LowDoseNoise, _ clean: ImageStack, _ context: CommandContext
  ) throws -> Outcome {
    var noisy: [Float] = []
    noisy.reserveCapacity(clean.values.shape.count)
    var (trip, clipped, unseen) = (RoundTrip(), 0, 0.0)
    for slice in 0..<clean.count {
      context.progress(
        ProgressUpdate(
          "projecting and reconstructing", fraction: Double(slice) / Double(clean.count),
          count: slice, things: "slices"))
      let pixels = clean.values.image(slice).scalars
      let made = try interruptible {
        let scan = try kind.scan(ofSlice: slice, in: clean)
        unseen = max(unseen, RoundTrip.unseen(pixels, scan))
        trip.add(pixels, kind.roundTrip(pixels, ofSlice: slice, by: scan), scan)
        return kind.draw(
          pixels, ofSlice: slice, in: clean,
          RandomStream(seed: noise.seed, name: "noise/slice\(slice)"))
      }
      noisy += made.pixels
      clipped += made.clipped
      if !noise.isFresh { kind.forgetProjections() }
    }
    let values = Tensor(shape: clean.values.shape, scalars: noisy)
    let figures = clean.figures(of: values, shouldStop: context.shouldStop)
    try context.stopIfInterrupted()
    takeNoisy(values, of: clean, madeBy: noise)
    var outcome = describeNoisy(FiguresOfMerit(meanOf: figures), clean.unit)
    let scan = try kind.scan(ofSlice: 0, in: clean)
    describe(kind, scan, trip, clipped: clipped, of: clean, &outcome)
    if unseen > 0.001 {
      outcome.warn(
        "up to \(Int((unseen * 100).rounded(.up))) % of the tissue of a slice lies where not every "
          + "view sees it, and is cut off")
    }
    outcome.warnings += paddingWarnings(clean)
    return outcome
  }

  private func describe(
    _ kind: LowDoseNoise, _ scan: SliceScan, _ trip: RoundTrip, clipped: Int, of clean: ImageStack,
    _ outcome: inout Outcome
  ) {
    let dose = kind.dose
    outcome.say(scan.scan.line)
    let photons = dose.photons * dose.dose
    outcome.say(
      """
      \(photons, significant: 4) photons an element and view before the patient · electronic noise \
      \(dose.electronic, significant: 3) photons · filter \(kind.window.rawValue)
      """)
    if let error = trip.error {
      let edges: OutputLine =
        trip.errorAtEdges.map { " · \($0, digits: 1) HU at edges" } ?? ""
      outcome.say("without noise  rmse \(error, digits: 1) HU inside the body\(edges)")
      outcome.remarks += resolutionRemark(kind, scan.scan, scan.grid, error)
    }
    let rays = clean.count * scan.scan.views * scan.scan.detectors
    if clipped > 0 {
      outcome.warn(
        "\(clipped) of \(rays) counts were below 1 and taken as 1: there the slices are too dark "
          + "a shadow, with streaks")
    }
    func members(_ value: JSONValue) -> [JSONValue.Member] {
      if case .object(let members) = value { members } else { [] }
    }
    let own: JSONValue = [
      "photons": .number(dose.photons), "electronic": .number(dose.electronic),
      "dose": .number(dose.dose), "filter": .string(kind.window.rawValue),
      "water": .number(kind.attenuation.water), "clipped": .integer(clipped),
      "rays": .integer(rays),
      "pixel_mm": .list([scan.grid.rowSpacing, scan.grid.columnSpacing]) { .number($0) },
      "roundtrip_rmse": trip.error.map { .number($0) } ?? .null,
      "roundtrip_rmse_edges": trip.errorAtEdges.map { .number($0) } ?? .null,
    ]
    outcome.result = .object(
      [outcome.result, scan.scan.json, own].flatMap(members))
  }

  /// The remark that slices have finer detail than a scan keeps, with a scan that keeps more; none where it
  /// changes them little, where its filter is meant to smooth, or where it is as fine as this already.
  private func resolutionRemark(
    _ kind: LowDoseNoise, _ scan: ScanGeometry, _ grid: ImageGrid, _ error: Double
  ) -> [String] {
    let pixel = min(grid.rowSpacing, grid.columnSpacing)
    let side = max(grid.rows, grid.columns)
    let detectors = Int((Double(scan.detectors) * 3 * scan.pitchAtCenter / pixel).rounded(.up))
    let views = max(scan.views, (scan.coverage == .full ? 4 : 3) * side)
    guard error > 12, kind.window == .ramp, detectors > scan.detectors || views > scan.views
    else { return [] }
    let millimeters = NumberFormat.fixed(2)
    return [
      "the slices have finer detail than the scan keeps: rays are "
        + "\(millimeters.string(scan.pitchAtCenter)) mm apart at the center, pixels "
        + "\(millimeters.string(pixel)) mm; views=\(views) detectors=\(max(detectors, scan.detectors)) "
        + "keep more and take longer"
    ]
  }
}
