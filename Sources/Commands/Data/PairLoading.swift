import CT
import CommandLanguage
import Tensors
import Training

extension Workspace {
  /// Makes loaded slices the clean ones; noisy slices that were loaded alone become their
  /// counterparts if they match.
  mutating func takeClean(
    _ loaded: LoadedSlices, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    guard clean == nil, let noisyStack else {
      if arguments.has("pair") {
        throw arguments.error(
          at: "pair", .surplusArgument, "pair= is for noisy slices, and none were loaded alone",
          hint: "leave pair= out")
      }
      return try takeClean(loaded, context)
    }
    var changed = self
    let former = LoadedSlices(stack: noisyStack, sources: noisySources)
    var outcome = try changed.takeClean(loaded, context)
    guard try arguments.choice("pair") != "no" else {
      self = changed
      return outcome
    }
    let pair: LoadedPair
    do throws(CommandError) {
      pair = try LoadedPair(clean: loaded, noisy: former, arguments)
    } catch {
      self = changed
      outcome.warn("the noisy slices are gone, since they are no counterpart: \(error.message)")
      return outcome
    }
    outcome.append(try changed.take(pair, context))
    self = changed
    return outcome
  }

  /// Makes loaded slices the noisy ones: the counterpart of the clean ones, or alone.
  mutating func takeNoisy(
    _ loaded: LoadedSlices, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    var changed = self
    var outcome: Outcome
    if let clean, try arguments.choice("pair") != "no" {
      let pair = try LoadedPair(
        clean: LoadedSlices(stack: clean, sources: sources), noisy: loaded, arguments)
      outcome = try changed.take(pair, context)
    } else {
      changed.clean = nil
      changed.noisyStack = loaded.stack
      changed.noisySources = loaded.sources
      outcome = Outcome()
      if let table = loaded.table { outcome.add(table) }
      let described = changed.describeAlone(loaded.stack)
      outcome.append(described)
      outcome.result = ["noisy": described.result]
    }
    self = changed
    outcome.warnings += loaded.warnings
    outcome.data = [loaded.stamp(name: "noisy")]
    return outcome
  }

  /// Stores slices that belong together; those without a counterpart are dropped.
  private mutating func take(_ pair: LoadedPair, _ context: CommandContext) throws -> Outcome {
    var outcome = Outcome()
    if let reduced = pair.reducedClean {
      clean = reduced.stack
      sources = reduced.sources
      outcome.append(describe("clean", reduced.stack))
    }
    noise = nil
    noisyStack = pair.noisy.stack
    noisySources = pair.noisy.sources
    let described = try describePair(context)
    outcome.append(described)
    outcome.result = described.result
    outcome.warnings += pair.warnings
    outcome.remarks += pair.remarks
    return outcome
  }
}

/// Clean and noisy slices that belong together.
private struct LoadedPair {
  /// The clean slices that have a counterpart; nil when all have one.
  private(set) var reducedClean: LoadedSlices?
  private(set) var noisy: LoadedSlices
  private(set) var warnings: [String] = [], remarks: [String] = []

  /// Matches noisy slices with clean ones.
  ///
  /// - Throws: `CommandError` when the slices are no counterparts.
  init(
    clean: LoadedSlices, noisy: LoadedSlices, _ arguments: Arguments
  ) throws(CommandError) {
    self.noisy = noisy
    guard clean.stack.height == noisy.stack.height, clean.stack.width == noisy.stack.width else {
      throw Self.otherShape(clean, noisy, arguments)
    }
    // An array has no unit: it takes that of the clean slices.
    if noisy.sources.isEmpty { self.noisy = noisy.with(clean.stack.unit) }
    guard clean.stack.unit == self.noisy.stack.unit || !Self.areHounsfield(clean, noisy) else {
      throw arguments.error(
        at: "path", .wrongUnit,
        "the noisy slices are \(Self.unit(noisy)), the clean ones \(Self.unit(clean))",
        hint: "load the clean ones again; unit=HU or unit=none says what a .npy file holds")
    }
    let pairing: SlicePairing?
    do throws(CTError) {
      pairing =
        (try? arguments.choice("pair")) == "order"
        ? nil : try SlicePairing(clean: clean.members, noisy: noisy.members)
    } catch {
      let cause = commandError(error)
      throw arguments.error(
        at: "path", cause.code, cause.message, hint: cause.hint, status: .badInput)
    }
    guard let pairing else {
      guard clean.stack.count == noisy.stack.count else {
        throw Self.otherShape(clean, noisy, arguments)
      }
      let remark = "matched in their order: positions were not compared"
      if clean.sources.isEmpty || noisy.sources.isEmpty {
        remarks.append(remark)
      } else {
        warnings.append(remark)
      }
      return
    }
    warnings = pairing.warnings
    if pairing.clean.count < clean.stack.count { reducedClean = clean.slices(pairing.clean) }
    if pairing.noisy != Array(0..<noisy.stack.count) { self.noisy = noisy.slices(pairing.noisy) }
  }

  private static func areHounsfield(_ clean: LoadedSlices, _ noisy: LoadedSlices) -> Bool {
    clean.stack.unit == .hounsfield || noisy.stack.unit == .hounsfield
  }

  private static func unit(_ slices: LoadedSlices) -> String {
    slices.stack.unit == .hounsfield ? "in HU" : "not in HU"
  }

  private static func otherShape(
    _ clean: LoadedSlices, _ noisy: LoadedSlices, _ arguments: Arguments
  ) -> CommandError {
    arguments.error(
      at: "path", .shape,
      "noisy slices are \(noisy.stack.values.shape), clean ones \(clean.stack.values.shape)",
      hint: "load the noisy counterpart of the same slices; pair=no takes the noisy ones alone")
  }
}

extension LoadedSlices {
  fileprivate func with(_ unit: ValueUnit) -> LoadedSlices {
    var other = self
    other.stack = ImageStack(
      values: stack.values, mask: stack.mask, unit: unit, origins: stack.origins)
    return other
  }

  fileprivate var members: [SlicePairing.Member] {
    zip(sources, stack.origins).map { SlicePairing.Member($0, series: $1.series) }
  }

  /// The slices at these indices, with where they come from.
  fileprivate func slices(_ places: [Int]) -> LoadedSlices {
    LoadedSlices(
      stack: stack.slices(places), sources: sources.isEmpty ? [] : places.map { sources[$0] })
  }
}
