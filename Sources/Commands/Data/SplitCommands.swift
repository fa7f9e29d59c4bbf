import CT
import CommandLanguage
import Figures
import Foundation
import Training

extension Command<Workspace> {
  static let scale = Command(
    CommandSpec(
      "scale", family: .data,
      summary: "Choose which values become 0 and 1 in the network, or say which.",
      details: """
        Unclipped. Until it is chosen, HU -1000…1000, or the file's range when the data are not in HU. minmax \
        takes the smallest and largest value of the training slices.
        """,
      parameters: [
        .key(
          "window", .choice(Window.presets.map(\.name)), "the range of a window",
          default: .absent("")),
        .key(
          "hu", .interval(units: [.hounsfield]), "the values that become 0 and 1",
          default: .absent("")),
        .flag(
          "rule", ["minmax", "none"], "from the training slices, or values as they are",
          default: .absent("window= or hu=, or nothing changes")),
      ],
      examples: [
        CommandExample("scale window=lung", after: ["phantom size=32 slices=2"]),
        CommandExample("scale hu=-1000..1000", after: ["phantom size=32 slices=2"]),
        CommandExample("scale minmax", after: ["phantom size=32 slices=2"]),
        CommandExample("scale", after: ["phantom size=32 slices=2"]),
      ], seeAlso: ["window", "data"], recipe: .scale)
  ) { arguments, workspace, _ in
    let given = ["window", "hu", "rule"].filter(arguments.has)
    guard given.count < 2 else {
      throw arguments.error(
        at: given[1], .surplusArgument, "\(given.joined(separator: " and ")) are both given",
        hint: "write window=lung, hu=-1000..1000, minmax or none")
    }
    let slices = try workspace.requireSlices()
    var changed = workspace
    if let name = arguments.choiceIfGiven("window"), let window = Window(preset: name) {
      // The whole width, without the half steps of DICOM's picture function.
      changed.scaleRule = .interval(
        window.center - window.width / 2, window.center + window.width / 2)
    } else if let interval = arguments.intervalIfGiven("hu") {
      guard interval.lower < interval.upper else {
        throw arguments.error(
          at: "hu", .outOfRange, "the range is empty", hint: "write hu=LOWER..UPPER, LOWER < UPPER")
      }
      changed.scaleRule = .interval(interval.lower, interval.upper)
    } else if !given.isEmpty {
      changed.scaleRule = try arguments.choice("rule") == "minmax" ? .minmax : .none
    }
    let scale = try changed.requireScale()
    workspace = changed
    let error = scale.roundTripError(slices.values)
    return Outcome(
      """
      scale  \(brief(scale.lower))…\(brief(scale.upper)) → 0…1  \
      there and back differs by at most \(error, significant: 2)\(slices.unit.suffix)
      """,
      result: [
        "lower": .number(scale.lower), "upper": .number(scale.upper), "round_trip": .number(error),
      ])
  }

  static let split = Command(
    CommandSpec(
      "split", family: .data,
      summary: "Divide the slices into training, validation and test.",
      details: """
        By shares: consecutive whole groups go to train, then validation, then test, so that no \
        patient (or series, or slice) stands on two sides. By name: train=series:1,2 test=series:3; \
        patients and series count from 1, slices from 0, and A..B names a run.
        """,
      parameters: [
        .key("train", .text(placeholder: "SHARE|KIND:LIST"), "what trains", default: .value("0.7")),
        .key(
          "validation", .text(placeholder: "SHARE|KIND:LIST"), "what watches over training",
          default: .value("0.1")),
        .key("test", .text(placeholder: "SHARE|KIND:LIST"), "what judges", default: .value("0.2")),
        .key(
          "by", .choice(Grouping.allCases.map(\.rawValue)), "what stays together",
          default: .absent("patient if there are several, else series, else slice")),
      ],
      examples: [
        CommandExample("split", after: ["phantom size=32 slices=2"]),
        CommandExample("split by=slice", after: ["phantom size=32 slices=4"]),
        CommandExample("split train=patient:1 test=patient:2", after: ["phantom size=32 slices=2"]),
      ], seeAlso: ["train", "evaluate"], recipe: .split)
  ) { arguments, workspace, _ in
    let slices = try workspace.requireSlices()
    let split = try Split(try SplitRequest(arguments), slices.origins)
    workspace.split = split
    return workspace.describe(split)
  }
}

/// The request of a `split` line: shares of the slices, or numbers of groups.
private enum SplitRequest {
  case shares([Share: Double], by: Grouping?)
  case groups([Share: [Int]], by: Grouping)

  init(_ arguments: Arguments) throws(CommandError) {
    let by = arguments.choiceIfGiven("by").flatMap(Grouping.init)
    let named = Share.allCases.filter { arguments.has($0.rawValue) }
    guard named.contains(where: { arguments.textIfGiven($0.rawValue)?.contains(":") ?? false })
    else {
      var shares: [Share: Double] = [:]
      for share in Share.allCases {
        let text = try arguments.text(share.rawValue)
        guard let value = Self.proportion(text) else {
          throw arguments.error(
            at: share.rawValue, .wrongValue, "'\(text)' is no share",
            hint: "write a number from 0 to 1, a percentage, or patient:1,2")
        }
        shares[share] = value
      }
      // The shares that are not named divide the rest in proportion to their defaults.
      if !named.isEmpty {
        let rest = 1 - named.reduce(0) { $0 + (shares[$1] ?? 0) }
        let others = Share.allCases.filter { !named.contains($0) }
        let weight = others.reduce(0) { $0 + (shares[$1] ?? 0) }
        for share in others {
          shares[share] = max(0, rest) * (shares[share] ?? 0) / max(weight, 1e-9)
        }
      }
      self = .shares(shares, by: by)
      return
    }
    var groups: [Share: [Int]] = [:]
    var kinds: Set<Grouping> = []
    for share in named {
      let text = arguments.textIfGiven(share.rawValue) ?? ""
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2, let kind = Grouping(rawValue: parts[0].lowercased()),
        let numbers = Self.numbers(parts[1])
      else {
        throw arguments.error(
          at: share.rawValue, .wrongValue, "'\(text)' names no groups",
          hint: "write patient:1,2 or series:3 or slice:0..11, the same kind in each share")
      }
      kinds.insert(kind)
      groups[share] = numbers
    }
    guard kinds.count == 1, let kind = kinds.first else {
      throw arguments.error(
        .wrongValue, "the shares name groups of different kinds",
        hint: "write patient:, series: or slice: in all of them")
    }
    self = .groups(groups, by: kind)
  }

  private static func proportion(_ text: String) -> Double? {
    let value = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    return value.flatMap { (0...1).contains($0) ? $0 : nil }
  }

  /// The numbers of `1,2,5..8`.
  private static func numbers(_ text: String) -> [Int]? {
    var numbers: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = String(part).components(separatedBy: "..").map { Int($0) }
      guard let first = ends[0], let last = ends.last ?? nil, ends.count <= 2, first <= last,
        first >= 0, last < 1_000_000
      else { return nil }
      numbers += first...last
    }
    return numbers
  }
}

extension Split {
  fileprivate init(_ request: SplitRequest, _ origins: [SliceOrigin]) throws(DataError) {
    switch request {
    case .shares(let shares, let grouping): self = try Split(shares, by: grouping, origins)
    case .groups(let groups, let grouping): self = try Split(groups: groups, by: grouping, origins)
    }
  }
}

extension Workspace {
  /// One line: `split  by patient · train 1 (16 slices) · validation none · test 2 (16 slices)`.
  func describe(_ split: Split) -> Outcome {
    let shares = Share.allCases.map { share in
      let groups = split.groups[share] ?? []
      let count = split.slices(share).count
      guard !groups.isEmpty else { return "\(share.rawValue) none" }
      let slices = split.grouping == .slice ? "" : " (\(count, "slice"))"
      return "\(share.rawValue) \(Self.runs(groups))\(slices)"
    }
    var outcome = Outcome()
    outcome.say("split  by \(split.grouping.rawValue) · \(shares.joined(separator: " · "))")
    outcome.result = .object(
      [.init("by", .string(split.grouping.rawValue))]
        + Share.allCases.map { share in
          .init(
            share.rawValue,
            [
              "groups": .list(split.groups[share] ?? []) { .integer($0) },
              "slices": .list(split.slices(share)) { .integer($0) },
            ])
        })
    return outcome
  }

  /// `0..10, 12` for sorted numbers.
  private static func runs(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)..\($0.upperBound)" }
      .joined(separator: ", ")
  }
}
