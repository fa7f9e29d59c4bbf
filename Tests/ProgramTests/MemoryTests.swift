import Testing

/// What a training step takes is what the refusal of too large ones counts on.
struct MemoryTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test(
    arguments: [
      ["--channels", "32", "--blocks", "3"],
      ["--channels", "5", "--blocks", "3"],
      ["--preset", "article-1a", "--batch", "3"],
      ["--preset", "article-2a", "--batch", "3"],
      ["--preset", "article-3a", "--batch", "3"],
    ])
  func `a step takes the memory that was planned for it`(_ network: [String]) throws {
    let least = try peakAndPlan(network + ["--size", "16"]).peak
    let (peak, planned) = try peakAndPlan(network + ["--size", "400"])
    // Other sizes leave pages between them that are not used.
    #expect(abs(peak - least - planned) < 0.3 * planned + 24, "\(peak) − \(least), \(planned)")
  }

  private func peakAndPlan(_ arguments: [String]) throws -> (peak: Double, planned: Double) {
    let ending = try Program.run(
      ["bench", "--steps", "2", "--threads", "2"] + arguments, in: folder)
    let result = try #require(try JSONLine.all(ending.output).first)
    return (
      try #require(result.number("peak_mib")), try #require(result.number("planned_mib"))
    )
  }
}
