import CT
import CommandLanguage
import Figures
import Foundation
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let detect = Command(
    CommandSpec(
      "detect", family: .looking,
      summary: "Say whether a low-contrast disc can still be found.",
      details: """
        A disc is put into a flat place of a clean slice; noise is drawn many times with and without \
        it, and each draw passes through the network or the last baseline. A channelized Hotelling \
        observer (six Laguerre-Gauss channels, as wide as the disc) tells both apart: auc is the area \
        under its curve, 0.5 for a guess, 1 for certainty, with its 95 % interval. PSNR may rise while auc falls.

        doses= judges at several doses, as factors on that of the session's noise, and draws auc against \
        dose: 0.5 is half the photons, so normal noise is √2 times as wide. The network stays the one that it is.
        """,
      parameters: [
        .key(
          "contrast", .number(units: [.hounsfield]), "the disc's value above its surroundings",
          default: .value("10HU")),
        .key(
          "diameter", .number(units: [.millimetre, .pixel], .positive), "the disc's diameter",
          default: .value("6mm")),
        .key(
          "draws", .integer(8...100_000), "draws with the disc, and as many without",
          default: .value("100")),
        .key(
          "on", .list(.choice(["noisy", "denoised", "baseline"])), "what the observer sees",
          default: .absent("noisy, and denoised and baseline where there are any")),
        .key(
          "doses", .list(.number(.positive)), "factors on the dose of the noise",
          default: .absent("the noise as it is")),
        .key("slice", .integer(), "the slice", default: .absent("that in the middle")),
        .key(
          "at", .list(.integer()), "row and column of the disc's middle",
          default: .absent("the flattest place of soft tissue")),
      ] + FigureParameters.all,
      examples: [
        CommandExample(
          "detect contrast=60HU diameter=30mm draws=20",
          after: ["phantom size=64 slices=2", "noise gaussian sigma=40HU"]),
        CommandExample(
          "detect contrast=60HU diameter=30mm draws=20 on=noisy,baseline",
          after: [
            "phantom size=64 slices=2", "noise gaussian sigma=40HU", "baseline gaussian sigma=2",
          ]),
        CommandExample(
          "detect contrast=60HU diameter=30mm draws=20 doses=0.5,1,2",
          after: ["phantom size=64 slices=2", "noise gaussian sigma=40HU"]),
      ], seeAlso: ["spectrum", "roi", "evaluate"])
  ) { arguments, workspace, context in
    let setting = try DiscSetting(arguments, workspace)
    let names = try workspace.observed(arguments)
    let noises = try workspace.noises(arguments)
    let rows = try workspace.observe(names, setting, noises, context)
    let result: JSONValue = [
      "rows": .list(rows) { $0.json }, "slice": .integer(setting.slice),
      "row": .integer(setting.row), "column": .integer(setting.column),
      "draws": .integer(setting.draws),
    ]
    var outcome = try workspace.show(
      name: "detect", statistics: describe(rows, draws: setting.draws), result: result, arguments
    ) { statistics in
      guard noises.contains(where: { $0.dose != nil }) else {
        return BarChart(
          title: "Detectability of a disc", groups: names,
          series: [
            BarChart.Series(
              "auc", rows.map(\.observer.auc),
              intervals: rows.map { $0.observer.low...max($0.observer.low, $0.observer.high) })
          ],
          axis: .init("area under the curve, with its 95 % interval; 0.5 is a guess"),
          statistics: statistics)
      }
      return Plot(
        title: "Detectability of a disc", x: .init("dose"), y: .init("area under the curve"),
        series: names.map { name in
          Plot.Series(
            name,
            rows.filter { $0.name == name }.map { row in
              Plot.Point(
                x: row.dose ?? 1, y: row.observer.auc, low: row.observer.low,
                high: row.observer.high)
            })
        }, statistics: statistics)
    }
    let unit = try workspace.requireClean().unit.suffix
    outcome.say(
      """
      a disc of \(NumberFormat.shortest.string(setting.contrast))\
      \(unit) and \
      \(NumberFormat.fixed(1).string(setting.diameter)) pixels at slice \(setting.slice), row \
      \(setting.row), column \(setting.column), \(setting.draws) draws
      """)
    return outcome
  }
}

/// The observer's finding in one stack, at one dose where several were asked for.
private struct ObservedRow {
  let name: String
  let dose: Double?
  let observer: HotellingObserver

  var label: String { dose.map { "\(name) at dose \(NumberFormat.shortest.string($0))" } ?? name }

  var json: JSONValue {
    .object(
      [
        .init("name", .string(name)), .init("auc", .number(observer.auc)),
        .init("low", .number(observer.low)), .init("high", .number(observer.high)),
        .init("detectability", .number(observer.detectability)),
      ] + (dose.map { [.init("dose", .number($0))] } ?? []))
  }

  /// The claim that the intervals of this row and of the first stack at the same dose bear, and no more.
  func claim(against first: ObservedRow, draws: Int) -> String {
    let other = first.observer
    return observer.low > other.high
      ? "the disc is easier to find than in \(first.name)"
      : observer.high < other.low
        ? "the disc is harder to find than in \(first.name)"
        : "no difference to \(first.name) that \(draws) draws show"
  }
}

/// A line with the area and its interval for each row, and one that compares it with the first stack.
private func describe(_ rows: [ObservedRow], draws: Int) -> [OutputLine] {
  let areas = rows.map { row -> OutputLine in
    """
    \(row.label)  auc \(row.observer.auc, digits: 3), 95 % interval \
    \(row.observer.low, digits: 3)…\(row.observer.high, digits: 3)
    """
  }
  let claims = rows.compactMap { row -> OutputLine? in
    guard let first = rows.first(where: { $0.dose == row.dose }), first.name != row.name else {
      return nil
    }
    return "\(row.label)  \(row.claim(against: first, draws: draws))"
  }
  return areas + claims
}

extension Workspace {
  /// The stacks that `on=` names, or those that there are.
  fileprivate func observed(_ arguments: Arguments) throws -> [String] {
    let typed = arguments.list("on").compactMap { value -> String? in
      if case .choice(let word) = value { word } else { nil }
    }
    if !typed.isEmpty {
      if typed.contains("denoised") { try network.requireTrainable() }
      return typed
    }
    let hasNetwork = !network.layers.isEmpty && (try? network.requireTrainable()) != nil
    return ["noisy"] + (hasNetwork ? ["denoised"] : []) + (baseline.isEmpty ? [] : ["baseline"])
  }

  /// The noise of the session, or that of each dose that `doses=` names.
  fileprivate func noises(_ arguments: Arguments) throws -> [(dose: Double?, noise: Noise)] {
    let noise = try requireDrawnNoise("the observer")
    guard arguments.has("doses") else { return [(nil, noise)] }
    return try arguments.list("doses").enumerated().compactMap {
      index, value -> (dose: Double?, noise: Noise)? in
      guard case .quantity(let factor) = value else { return nil }
      guard let kind = noise.kind.atDose(factor.value) else {
        throw arguments.error(
          at: "doses", index: index, .outOfRange,
          "this noise has no dose \(NumberFormat.shortest.string(factor.value)) times as large",
          hint: "noise gaussian sigma=40HU, or noise lowdose dose=0.25")
      }
      return (factor.value, Noise(kind, isFresh: noise.isFresh, seed: noise.seed))
    }
  }

  fileprivate func observe(
    _ names: [String], _ setting: DiscSetting, _ noises: [(dose: Double?, noise: Noise)],
    _ context: CommandContext
  ) throws -> [ObservedRow] {
    try noises.enumerated().flatMap { index, one in
      let part = noises.count > 1 ? "dose \(index + 1)/\(noises.count)  " : ""
      return zip(names, try observe(names, setting, one.noise, part, context)).map {
        ObservedRow(name: $0, dose: one.dose, observer: $1)
      }
    }
  }

  private func observe(
    _ names: [String], _ setting: DiscSetting, _ noise: Noise, _ part: String,
    _ context: CommandContext
  ) throws -> [HotellingObserver] {
    let channels = LaguerreGaussChannels(
      count: 6, width: max(2, setting.diameter), side: setting.side)
    var responses = names.map { _ in (present: [[Double]](), absent: [[Double]]()) }
    for draw in 0..<setting.draws {
      context.progress(
        ProgressUpdate(
          "\(part)draw \(draw + 1)/\(setting.draws)",
          fraction: Double(draw) / Double(setting.draws),
          count: draw, things: "draws"))
      for isPresent in [true, false] {
        try stopIfInterrupted()
        let noisy = try drawn(
          noise, slice: setting.slice, rectangle: setting.rectangle,
          signal: isPresent ? setting.signal : nil,
          stream: "detect/\(isPresent ? "present" : "absent")/\(draw)")
        for (index, name) in names.enumerated() {
          let seen = channels.responses(
            to: setting.square(of: try processed(noisy, as: name)))
          if isPresent {
            responses[index].present.append(seen)
          } else {
            responses[index].absent.append(seen)
          }
        }
      }
    }
    return try zip(names, responses).map { name, found in
      guard let observer = HotellingObserver(present: found.present, absent: found.absent) else {
        throw CommandError(
          .data, "\(name) does not vary from draw to draw, so there is nothing to tell apart",
          hint: "noise gaussian sigma=40HU, and more draws")
      }
      return observer
    }
  }
}
