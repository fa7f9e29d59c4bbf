import CT
import CommandLanguage
import Figures
import Tensors
import Training

/// Numbers along one axis of a tensor, such as a row of a slice.
struct Profile {
  let value: NamedValue
  /// The axis along which the numbers lie: `slice`, `row`, `column`, `channel`, `index`.
  let axis: String
  /// The index of its first number on that axis.
  let first: Int

  /// The profile that an index leaves: `clean[14,256]`, `clean[14,:,256]`; nil if it leaves more.
  init?(_ value: NamedValue) {
    guard let entries = try? IndexedName(value.name).entries, !entries.isEmpty,
      value.tensor.shape.rank == 1, value.tensor.shape.count > 1
    else { return nil }
    let ranges = entries.indices.filter { if case .range = entries[$0] { true } else { false } }
    let place = ranges.first ?? entries.count
    let rank = entries.count - ranges.count + 1
    let names: [String] =
      switch (value.isImage, rank) {
      case (true, _): ["slice", "row", "column"]
      case (false, 4): ["image", "channel", "row", "column"]
      default: []
      }
    self.value = value
    axis = names.indices.contains(place) ? names[place] : "index"
    if case .range(let lower?, _)? = ranges.first.map({ entries[$0] }) {
      first = max(lower, 0)
    } else {
      first = 0
    }
  }

  /// The numbers; NaN where a pixel is padding.
  var values: [Double] {
    value.tensor.scalars.indices.map { index in
      value.mask?[index] == true ? .nan : Double(value.tensor.scalars[index])
    }
  }

  /// The positions of the numbers on the axis, `step` apart.
  func places(_ step: Double) -> [Double] {
    value.tensor.scalars.indices.map { Double(first + $0) * step }
  }
}

extension Workspace {
  /// Draws numbers along one axis, a line for each name.
  mutating func plotProfiles(_ profiles: [Profile], _ arguments: Arguments) throws -> Outcome {
    let axis = profiles[0].axis
    if let index = profiles.firstIndex(where: { $0.axis != axis }) {
      throw arguments.error(
        at: "names", index: index, .shape,
        "\(profiles[index].value.name) runs along a \(profiles[index].axis) axis, "
          + "\(profiles[0].value.name) along a \(axis) axis",
        hint: "profiles of one figure share an axis")
    }
    guard let longest = profiles.map(\.value.tensor.shape.count).max(), longest <= 65_536 else {
      throw arguments.error(
        at: "names", .shape, "a profile of more than 65536 numbers is too long for one figure",
        hint: "add a range: [14, 256, 0:512]")
    }
    let isInMillimeters = try arguments.choice("along") == "mm"
    let steps = try profiles.indices.map { index in
      isInMillimeters ? try spacing(profiles[index], index, arguments) : 1
    }
    let unit = profiles.allSatisfy(\.value.isImage) ? try requireSlices().unit.suffix : ""
    let names = profiles.map(\.value.name)
    let series = zip(profiles, steps).map { profile, step in
      Plot.Series(
        profile.value.name,
        zip(profile.places(step), profile.values).map { Plot.Point(x: $0, y: $1) })
    }
    return try show(
      name: "plot-\(names[0])", statistics: profiles.map(\.value.summary),
      result: [
        "along": .string(axis), "unit": .string(isInMillimeters ? "mm" : "pixels"),
        "profiles": .list(series) { $0.profile },
      ], arguments
    ) { statistics in
      Plot(
        title: names.count == 1 ? "Profile of \(names[0])" : "Profiles along the \(axis) axis",
        x: .init(isInMillimeters ? "\(axis) axis in mm" : axis, isWhole: !isInMillimeters),
        y: .init(unit.isEmpty ? "value" : "value in\(unit)"), series: series,
        statistics: statistics)
    }
  }

  /// The distance between two numbers of a profile in mm.
  private func spacing(
    _ profile: Profile, _ index: Int, _ arguments: Arguments
  ) throws(CommandError) -> Double {
    let plane = source(of: profile.value.slice, in: profile.value.stackName)?.plane
    let known =
      switch profile.axis {
      case "column" where profile.value.isImage: plane?.columnSpacing
      case "row" where profile.value.isImage: plane?.rowSpacing
      default: Double?.none
      }
    guard let known else {
      throw arguments.error(
        at: "names", index: index, .data,
        "the distance of pixels along the \(profile.axis) axis of \(profile.value.name) is not known",
        hint: "along=pixels")
    }
    return known
  }
}

extension Plot.Series {
  /// The numbers of a profile, with their places.
  var profile: JSONValue {
    [
      "name": .string(label), "x": .list(points) { .number($0.x) },
      "values": .list(points) { .number($0.y) },
    ]
  }
}
