/// The lines above a network for values that are read further on: one for each source, on levels of their own
/// where they would lie on each other.
package struct ReachRoutes {
  /// The sources, the network's input as nil, with the places where each is read.
  package let sources: [(source: Int?, ends: [NetworkDiagram.Reach])]
  /// By number of the source, the level of its line, from 0 for the lowest.
  package let levels: [Int]

  package init(_ diagram: NetworkDiagram) {
    let ofBlocks = diagram.layers.indices.filter { diagram.layers[$0].usedSkip == .networkInput }
      .map { NetworkDiagram.Reach(from: nil, to: $0) }
    let grouped = Dictionary(grouping: ofBlocks + diagram.reaches, by: \.from)
    let sources = grouped.sorted { ($0.key ?? -1) < ($1.key ?? -1) }.map { ($0.key, $0.value) }
    let spans = sources.map { source, ends in
      (source ?? -1)..<(ends.map(\.to).max() ?? 0)
    }
    var taken: [[Range<Int>]] = []
    var levels = [Int](repeating: 0, count: sources.count)
    // Short lines run below long ones.
    for number in spans.indices.sorted(by: { spans[$0].count < spans[$1].count }) {
      let level = taken.firstIndex { !$0.contains { $0.overlaps(spans[number]) } } ?? taken.count
      if level == taken.count { taken.append([]) }
      taken[level].append(spans[number])
      levels[number] = level
    }
    (self.sources, self.levels) = (sources, levels)
  }

  var levelCount: Int { (levels.max() ?? -1) + 1 }
}
