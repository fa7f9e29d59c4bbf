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
    var outcome = try changed.takeClean(loaded, context)
    guard try arguments.choice("pair") != "no" else {
      self = changed
      return outcome
    }
    let pair: LoadedPair
    do throws(CommandError) {
      pair = try LoadedPair(clean: loaded.stack, noisy: noisyStack, arguments)
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
    _ loaded: LoadedSlices, _ arguments: Arguments, _ context: CommandContext,
    at argument: String = "path"
  ) throws -> Outcome {
    var changed = self
    var outcome: Outcome
    if let clean, try arguments.choice("pair") != "no" {
      let pair = try LoadedPair(clean: clean, noisy: loaded.stack, at: argument, arguments)
      outcome = try changed.take(pair, context)
    } else {
      changed.clean = nil
      changed.noisyStack = loaded.stack
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
      clean = reduced
      outcome.append(describe("clean", reduced))
    }
    noise = nil
    noisyStack = pair.noisy
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
  private(set) var reducedClean: ImageStack?
  private(set) var noisy: ImageStack
  private(set) var warnings: [String] = [], remarks: [String] = []

  /// Matches noisy slices with clean ones.
  ///
  /// - Throws: `CommandError` when the slices are no counterparts.
  init(
    clean: ImageStack, noisy: ImageStack, at argument: String = "path", _ arguments: Arguments
  ) throws(CommandError) {
    self.noisy = noisy
    guard clean.height == noisy.height, clean.width == noisy.width else {
      throw Self.otherShape(clean, noisy, at: argument, arguments)
    }
    // An array has no unit: it takes that of the clean slices.
    if noisy.sources.isEmpty { self.noisy.unit = clean.unit }
    guard clean.unit == self.noisy.unit || !Self.areHounsfield(clean, noisy) else {
      throw arguments.error(
        at: argument, .wrongUnit,
        "the noisy slices are \(Self.unit(noisy)), the clean ones \(Self.unit(clean))",
        hint: "load the clean ones again; unit=HU or unit=none says what a .npy file holds")
    }
    let pairing: SlicePairing?
    do throws(CTError) {
      pairing =
        (try? arguments.choice("pair")) == "order"
        ? nil : try SlicePairing(clean: clean, noisy: noisy)
    } catch {
      throw arguments.error(at: argument, commandError(error), status: .badInput)
    }
    guard let pairing else {
      guard clean.count == noisy.count else {
        throw Self.otherShape(clean, noisy, at: argument, arguments)
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
    if pairing.clean.count < clean.count { reducedClean = clean.slices(pairing.clean) }
    if pairing.noisy != Array(0..<noisy.count) { self.noisy = self.noisy.slices(pairing.noisy) }
  }

  private static func areHounsfield(_ clean: ImageStack, _ noisy: ImageStack) -> Bool {
    clean.unit == .hounsfield || noisy.unit == .hounsfield
  }

  private static func unit(_ slices: ImageStack) -> String {
    slices.unit == .hounsfield ? "in HU" : "not in HU"
  }

  private static func otherShape(
    _ clean: ImageStack, _ noisy: ImageStack, at argument: String, _ arguments: Arguments
  ) -> CommandError {
    arguments.error(
      at: argument, .shape,
      "noisy slices are \(noisy.values.shape), clean ones \(clean.values.shape)",
      hint: "load the noisy counterpart of the same slices; pair=no takes the noisy ones alone")
  }
}
