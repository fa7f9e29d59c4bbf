import Testing

/// What a training step or a look at its values takes is what the refusal of too large ones counts on.
struct MemoryTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let networks = [
    ["--channels", "32", "--blocks", "3"],
    ["--channels", "5", "--blocks", "3"],
    ["--preset", "article-1a", "--batch", "3"],
    ["--preset", "article-2a", "--batch", "3"],
    ["--preset", "article-3a", "--batch", "3"],
  ]

  @Test(arguments: networks)
  func `a step takes the memory that was planned for it`(_ network: [String]) throws {
    let least = try measured(network + ["--size", "16"]).peak
    let (peak, _, planned) = try measured(network + ["--size", "400"])
    // Other sizes leave pages between them that are not used.
    #expect(abs(peak - least - planned) < 0.3 * planned + 24, "\(peak) − \(least), \(planned)")
  }

  private static let flows = [
    "standard", "tape", "dilated", "dilated rate=0", "dilated links=sparse",
    "dilated links=include-next combine=product", "dilated insert=after",
    "dilated insert=after links=sparse combine=product",
  ]

  @Test(arguments: flows, [[], ["--inspect"]])
  func `maps take what was planned under every flow, in training and when they are looked at`(
    _ flow: String, _ how: [String]
  ) throws {
    for network in [
      ["--channels", "32", "--blocks", "5"], ["--channels", "5", "--blocks", "4", "--batch", "2"],
      ["--preset", "article-1a", "--batch", "3"], ["--preset", "article-2a", "--batch", "3"],
    ] {
      // The article's blocks have other channels than their links could join.
      if flow.hasPrefix("dilated"), network[0] == "--preset", flow != "dilated rate=0" { continue }
      let (_, maps, planned) = try measured(network + how + ["--size", "400", "--flow", flow])
      #expect(
        abs(maps - planned) < 0.1 * planned + 1,
        "\(network) \(flow) \(how): \(maps), \(planned)")
    }
  }

  @Test(arguments: ["standard", "tape", "feedback"])
  func `copies of maps in another order, as dilated convolutions take them, are planned`(
    _ flow: String
  ) throws {
    let network = ["--preset", "ircnn", "--size", "128", "--batch", "4", "--flow", flow]
    for how in [[], ["--inspect"]] {
      let (_, maps, planned) = try measured(network + how)
      #expect(abs(maps - planned) < 0.1 * planned + 1, "\(flow) \(how): \(maps), \(planned)")
    }
  }

  private static let waysBack = [
    "feedback", "feedback signs=redrawn", "direct", "local", "synthetic",
    "truncated depth=2", "checkpointed", "checkpointed every=1",
  ]

  @Test(arguments: waysBack)
  func `maps take what was planned under other ways back`(_ flow: String) throws {
    let network = ["--channels", "16", "--blocks", "5", "--convs", "1", "--size", "320"]
    for how in [[], ["--inspect"]] {
      let (_, maps, planned) = try measured(network + how + ["--flow", flow])
      #expect(abs(maps - planned) < 0.1 * planned + 1, "\(flow) \(how): \(maps), \(planned)")
    }
  }

  @Test func `checkpointed takes half the memory of sixteen blocks at most`() throws {
    let network = ["--channels", "8", "--blocks", "16", "--size", "320"]
    let standard = try measured(network)
    let checkpointed = try measured(network + ["--flow", "checkpointed"])
    #expect(checkpointed.maps * 2 <= standard.maps, "\(checkpointed), \(standard)")
  }

  /// MiB: the most that the program held, the most that maps took, and what was planned.
  private func measured(
    _ arguments: [String]
  ) throws -> (peak: Double, maps: Double, planned: Double) {
    let ending = try Program.run(
      ["bench", "--steps", "2", "--threads", "2"] + arguments, in: folder)
    let result = try #require(try JSONLine.all(ending.output).first)
    return (
      try #require(result.number("peak_mib")), try #require(result.number("peak_maps_mib")),
      try #require(result.number("planned_mib"))
    )
  }
}
