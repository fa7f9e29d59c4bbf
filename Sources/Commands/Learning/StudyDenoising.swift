import CT
import CommandLanguage
import Foundation
import Networks
import Tensors
import Training

/// Denoises every CT series of a file or folder into derived DICOM, slice by slice.
///
/// One file's slices are in memory at a time. A slice whose file is there with the identifier that it
/// would get is done, so that a work which was stopped or killed goes on where it was.
struct StudyDenoising {
  /// The means by which slices are denoised.
  enum Means {
    case network
    case filter(any ImageFilter)
  }

  let inventory: CTInventory
  /// The absolute path of the folder that is written, and as it was typed.
  let folder: String, typed: String
  let means: Means
  let keepsIdentity: Bool

  /// The counts and names of what was done.
  struct Report {
    var written = 0, resumed = 0
    var skipped: [(file: String, reason: String)] = []
    var all: Int { written + resumed + skipped.count }
  }

  /// Denoises all series.
  ///
  /// - Parameters:
  ///   - workspace: The session whose network and scale are used; it stays as it is.
  ///   - context: For progress and Ctrl-C.
  /// - Returns: What was done.
  /// - Throws: `CommandError` when the folder cannot be written or holds other files.
  func run(_ workspace: Workspace, _ context: CommandContext) throws -> Report {
    var report = Report()
    let count = inventory.series.reduce(0) { $0 + $1.slices.count }
    let content = workspace.fingerprint(of: means)
    for (index, series) in inventory.series.enumerated() {
      let sources = series.slices.map { SliceSource(.file($0)) }
      let stream = try DerivedStream(
        sources, number: index + 1, folder: "\(folder)/series\(index + 1)",
        derivation: workspace.studyDerivation(means, keepsIdentity: keepsIdentity), content: content
      )
      for places in series.placesByFile {
        try context.stopIfInterrupted()
        context.progress(
          ProgressUpdate(
            "denoise \(report.all)/\(count) slices, series \(index + 1)/\(inventory.series.count)",
            fraction: Double(report.all) / Double(max(count, 1)), count: report.all,
            things: "slices"))
        try denoise(places, of: series, into: stream, workspace, context, &report)
      }
    }
    return report
  }

  private func denoise(
    _ places: [Int], of series: CTSeries, into stream: DerivedStream, _ workspace: Workspace,
    _ context: CommandContext, _ report: inout Report
  ) throws {
    var left: [Int] = []
    for place in places {
      switch stream.state(of: place) {
      case .written: report.resumed += 1
      case .missing: left.append(place)
      case .foreign:
        throw CommandError(
          .exists, "\(typed) holds a file of another work: \(stream.path(of: place))",
          hint: "take an empty folder")
      }
    }
    guard !left.isEmpty else { return }
    let name = series.slices[left[0]].name
    let stack: ImageStack
    do {
      stack = try CTSeries.load([series.part(left)], limits: workspace.readingLimits(context))
    } catch {
      try context.stopIfInterrupted()
      let reason = commandError(error).message
      report.skipped += left.map { _ in (name, reason) }
      return
    }
    for (n, place) in left.enumerated() {
      try context.stopIfInterrupted()
      let part = stack.slices([n])
      do {
        var image = try workspace.denoised(part, by: means)
        if let mask = part.mask {
          // Padding was not measured, so nothing can improve it.
          for i in mask.indices where mask[i] { image.scalars[i] = part.values.scalars[i] }
        }
        try workspace.files.disk.spend(
          DiskBudget.dicomBytes(slices: 1, height: part.height, width: part.width), on: typed)
        try stream.write(image, mask: part.mask, slice: place)
        report.written += 1
      } catch {
        let cause = commandError(error)
        // A fault that the next slice would meet, too, ends the work.
        guard cause.status != .interrupted, cause.code != .limit,
          cause.code.rawValue != "unwritable"
        else { throw cause }
        report.skipped.append((name, cause.message))
      }
    }
  }
}

extension Workspace {
  /// Denoises one slice that is not of the session, by the network in use or a filter.
  fileprivate func denoised(
    _ slice: ImageStack, by means: StudyDenoising.Means
  ) throws -> Tensor<Float> {
    switch means {
    case .filter(let filter):
      if filter is BlockMatching, min(slice.height, slice.width) < BlockMatching.smallestSide {
        return slice.values
      }
      return try interruptible { filter.apply(to: slice.values) }
    case .network:
      return try denoisedBeside(slice)
    }
  }

  /// Denoises one slice that is not of the session by the network in use.
  func denoisedBeside(_ slice: ImageStack) throws -> Tensor<Float> {
    var other = self
    other.clean = nil
    other.noise = nil
    other.noisyStack = slice
    return try other.denoisedSlice(0)
  }

  /// A text that differs where another network, scale or filter would give other values.
  fileprivate func fingerprint(of means: StudyDenoising.Means) -> String {
    switch means {
    case .filter(let filter): return filter.description
    case .network:
      let weights = network.parameters.map { "\($0.fingerprint)" }.joined(separator: " ")
      return "\(networkLines.joined(separator: "\n")) \(scaleRule) \(weights)"
    }
  }

  fileprivate func studyDerivation(
    _ means: StudyDenoising.Means, keepsIdentity: Bool
  ) -> Derivation {
    let words =
      switch means {
      case .filter(let filter): "filtered by \(filter.description)"
      case .network: "denoised by \(networkInWords)"
      }
    return Derivation(
      name: "denoised", description: "Backflow denoised",
      explanation: "Backflow: values of the source, \(words); not for diagnosis",
      keepsIdentity: keepsIdentity)
  }

  /// Carries out `denoise PATH OUT`.
  func denoiseStudy(_ arguments: Arguments, _ context: CommandContext) throws -> Outcome {
    let input = try readingPath(arguments)
    guard let typed = arguments.textIfGiven("out") else {
      throw arguments.error(
        at: "path", .missingArgument, "a whole study needs a folder for what is written",
        hint: "denoise \(try arguments.path("path")) OUT")
    }
    let folder = try arguments.blaming("out") { () throws(CommandError) in
      try files.writing(typed)
    }
    let (from, to) = (Self.resolved(input), Self.resolved(folder))
    guard to != from, !to.hasPrefix(from + "/") else {
      throw arguments.error(
        at: "out", .wrongValue, "\(typed) is the input, or lies in it", hint: "take another folder")
    }
    let means: StudyDenoising.Means
    if let line = arguments.textIfGiven("with") {
      means = .filter(try filter(line, arguments))
    } else {
      try network.requireTrainable()
      means = .network
    }
    let inventory = try CTInventory.scan(
      input, limits: readingLimits(context), progress: context.reporter("denoise", of: "headers"))
    let work = StudyDenoising(
      inventory: inventory, folder: folder, typed: typed, means: means,
      keepsIdentity: try arguments.choice("identity") == "keep")
    return try describe(try work.run(try scaledForStudies(arguments), context), work)
  }

  /// The session with its scale as numbers, so that slices of a study do not change it.
  private func scaledForStudies(_ arguments: Arguments) throws(CommandError) -> Workspace {
    var result = self
    if let interval = arguments.intervalIfGiven("hu") {
      guard interval.lower < interval.upper else {
        throw arguments.error(
          at: "hu", .outOfRange, "the range is empty", hint: "write hu=LOWER..UPPER, LOWER < UPPER")
      }
      result.scaleRule = .interval(interval.lower, interval.upper)
    } else if let scale = try? requireScale() {
      result.scaleRule = .interval(scale.lower, scale.upper)
    }
    return result
  }

  private static func resolved(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }

  /// The filter that a line such as `bm3d sigma=30HU` names.
  private func filter(_ line: String, _ arguments: Arguments) throws -> any ImageFilter {
    do {
      let specs = commands.map(\.spec).filter { $0.name.hasPrefix("baseline ") }
      guard let invocation = try Parser(specs, variables: Variables()).parse("baseline \(line)"),
        let baseline = Baseline.all.first(where: { $0.command.spec.name == invocation.spec.name })
      else { throw CommandError(.unknownName, "'\(line)' names no filter") }
      return try baseline.filter(invocation.arguments)
    } catch {
      let cause = commandError(error)
      throw arguments.error(
        at: "with", cause.code, cause.message, hint: cause.hint ?? "with=\"bm3d sigma=30HU\"")
    }
  }

  private func describe(
    _ report: StudyDenoising.Report, _ work: StudyDenoising
  ) throws(CommandError) -> Outcome {
    let series = work.inventory.series.count
    let others = work.inventory.others
    let unreadable = others.unreadable.reduce(0) { $0 + $1.files.count }
    let left = others.left.reduce(0) { $0 + $1.files.count }
    let done = report.written + report.resumed
    var outcome = Outcome(
      """
      denoised  \(file: work.typed + "/", at: work.folder + "/")  \(done) \
      \(done == 1 ? "slice" : "slices") in \(series) derived series\
      \(report.resumed > 0 ? ", \(report.resumed) of them were there" : "")
      """)
    outcome.add(file: work.typed, at: work.folder)
    if work.inventory.series.contains(where: { $0.placesByFile.count < $0.slices.count }) {
      outcome.say("slices of multi-frame files are written as single frames")
    }
    if left > 0 {
      outcome.say(
        "\(left) other \(left == 1 ? "file stays where it is" : "files stay where they are")")
    }
    outcome.warnings = others.unreadable.map(\.description)
    for (file, reason) in report.skipped { outcome.warn("\(file): skipped, \(reason)") }
    outcome.warnings += Set(work.inventory.series.flatMap(\.warnings)).sorted()
    outcome.result = [
      "series": .integer(series), "slices": .integer(done), "written": .integer(report.written),
      "resumed": .integer(report.resumed), "left": .integer(left),
      "skipped": .integer(report.skipped.count + unreadable),
    ]
    return outcome
  }
}
