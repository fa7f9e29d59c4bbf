/// The routes of a flow's links under the layers: their levels, and the places where they turn.
///
/// A link runs down in the gap before its source, left on a level of its own, and up in the gap
/// behind its target. In each gap, links take slots, so that no two lie on each other.
struct LinkRoutes {
  private let levels: [NetworkDiagram.Link: Int]
  /// The links that turn in a gap, by the layer behind it.
  private let starting: [Int: [NetworkDiagram.Link]], ending: [Int: [NetworkDiagram.Link]]

  init(_ links: [NetworkDiagram.Link]) {
    var taken: [[ClosedRange<Int>]] = []
    var levels: [NetworkDiagram.Link: Int] = [:]
    // Short links run above long ones; links that share no gap may share a level.
    let inOrder = links.sorted { ($0.from - $0.to, $0.to) < ($1.from - $1.to, $1.to) }
    for link in inOrder {
      let gaps = min(link.to + 1, link.from)...max(link.to + 1, link.from)
      let level = taken.firstIndex { !$0.contains { $0.overlaps(gaps) } } ?? taken.count
      if level == taken.count { taken.append([]) }
      taken[level].append(gaps)
      levels[link] = level
    }
    self.levels = levels
    func deepestFirst(_ links: [NetworkDiagram.Link]) -> [NetworkDiagram.Link] {
      links.sorted { levels[$0, default: 0] > levels[$1, default: 0] }
    }
    starting = Dictionary(grouping: links, by: \.from).mapValues(deepestFirst)
    ending = Dictionary(grouping: links) { $0.to + 1 }.mapValues(deepestFirst)
  }

  var levelCount: Int { (levels.values.max() ?? -1) + 1 }

  func level(_ link: NetworkDiagram.Link) -> Int { levels[link, default: 0] }

  /// The number of links that turn in the gap before a layer.
  func count(inGap layer: Int) -> Int {
    starting[layer, default: []].count + ending[layer, default: []].count
  }

  /// The slot from the right end of the gap before its source; the deepest link is outermost.
  func slotAtStart(_ link: NetworkDiagram.Link) -> Int {
    starting[link.from, default: []].firstIndex(of: link) ?? 0
  }

  /// The slot from the left end of the gap behind its target; the deepest link is outermost.
  func slotAtEnd(_ link: NetworkDiagram.Link) -> Int {
    ending[link.to + 1, default: []].firstIndex(of: link) ?? 0
  }
}
