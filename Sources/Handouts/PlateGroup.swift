import Figures

/// Pictures of a handout that are shown together, in one place of the page.
struct PlateGroup: Hashable {
  enum Kind: Hashable {
    /// Two pictures at a time, separated by a line that can be dragged.
    case comparison
    /// One picture at a time, chosen with a slider.
    case series
  }

  /// A picture by its number, and its label in the group.
  struct Member: Hashable {
    let plate: Int
    let label: String
  }

  let kind: Kind
  let members: [Member]

  /// The number of the picture after which the group stands.
  var place: Int { members.map(\.plate).max() ?? 0 }

  /// The groups of pictures that `view` drew: the same slice of several stacks is a comparison,
  /// three or more slices of one stack are a series.
  static func groups(of plates: [Plate]) -> [PlateGroup] {
    let views = plates.compactMap(View.init)
    let comparisons = grouped(views) { Key(name: nil, index: $0.index, $0) }
      .filter { Set($0.map(\.name)).count > 1 }
      .map { PlateGroup(kind: .comparison, members: labelled($0)) }
    let series = grouped(views) { Key(name: $0.name, index: nil, $0) }
      .map { views in views.sorted { ($0.index, $0.plate.number) < ($1.index, $1.plate.number) } }
      .filter { Set($0.map(\.index)).count > 2 }
      .map { PlateGroup(kind: .series, members: labelled($0)) }
    return comparisons + series
  }

  /// The properties that the members of a group share.
  private struct Key: Hashable {
    let name: String?
    let index: Int?
    /// The words after the name, such as the window.
    let options: String
    let width: Int, height: Int

    init(name: String?, index: Int?, _ view: View) {
      (self.name, self.index, options) = (name, index, view.options)
      (width, height) = (view.plate.picture.width, view.plate.picture.height)
    }
  }

  /// A picture that `view NAME[INDEX]` drew.
  private struct View {
    let plate: Plate
    let name: String
    let index: Int
    let options: String

    init?(_ plate: Plate) {
      guard
        let match = plate.command.wholeMatch(
          of: /\s*view\s+(\w+)\s*\[\s*(\d+)\s*\]\s*([^#]*)(#.*)?/.ignoresCase()),
        let index = Int(match.2)
      else { return nil }
      (self.plate, name, self.index) = (plate, String(match.1), index)
      options = match.3.split(separator: " ").sorted().joined(separator: " ")
    }
  }

  /// The views grouped by key, in the order of their first members.
  private static func grouped(_ views: [View], by key: (View) -> Key) -> [[View]] {
    let groups = Dictionary(grouping: views, by: key)
    return groups.values.sorted { ($0.first?.plate.number ?? 0) < ($1.first?.plate.number ?? 0) }
  }

  /// The members with labels that distinguish them: `denoised[3]`, `denoised[3], 2nd picture`.
  private static func labelled(_ views: [View]) -> [Member] {
    var counts: [String: Int] = [:]
    return views.map { view in
      let label = "\(view.name)[\(view.index)]"
      let count = counts[label, default: 0] + 1
      counts[label] = count
      return Member(
        plate: view.plate.number, label: count == 1 ? label : "\(label), picture \(count)")
    }
  }
}
