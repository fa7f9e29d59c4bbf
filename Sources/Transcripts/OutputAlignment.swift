/// Matches recorded lines with new ones.
enum OutputAlignment {
  /// Returns pairs of indices into both lists, in order; nil where a line has no partner.
  ///
  /// Lists of one length go line by line. Otherwise the longest common subsequence under `match`
  /// decides, and lines between its members are paired from their starts.
  static func pairs(
    _ recorded: Int, _ produced: Int, match: (_ recorded: Int, _ produced: Int) -> Bool
  ) -> [(recorded: Int?, produced: Int?)] {
    guard recorded != produced, recorded * produced <= 1_000_000 else {
      return between(0..<recorded, 0..<produced)
    }
    var common = [[Int]](
      repeating: [Int](repeating: 0, count: produced + 1), count: recorded + 1)
    var matches = [[Bool]](repeating: [Bool](repeating: false, count: produced), count: recorded)
    for i in (0..<recorded).reversed() {
      for j in (0..<produced).reversed() {
        matches[i][j] = match(i, j)
        common[i][j] =
          matches[i][j] ? common[i + 1][j + 1] + 1 : max(common[i + 1][j], common[i][j + 1])
      }
    }
    var pairs: [(recorded: Int?, produced: Int?)] = []
    var (i, j, lastI, lastJ) = (0, 0, 0, 0)
    while i < recorded && j < produced {
      if matches[i][j] {
        pairs += between(lastI..<i, lastJ..<j) + [(i, j)]
        (i, j) = (i + 1, j + 1)
        (lastI, lastJ) = (i, j)
      } else if common[i + 1][j] >= common[i][j + 1] {
        i += 1
      } else {
        j += 1
      }
    }
    return pairs + between(lastI..<recorded, lastJ..<produced)
  }

  /// Pairs two runs of lines from their starts.
  private static func between(
    _ recorded: Range<Int>, _ produced: Range<Int>
  ) -> [(recorded: Int?, produced: Int?)] {
    (0..<max(recorded.count, produced.count)).map { offset in
      (
        offset < recorded.count ? recorded.lowerBound + offset : nil,
        offset < produced.count ? produced.lowerBound + offset : nil
      )
    }
  }
}
