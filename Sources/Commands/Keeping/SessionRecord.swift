import CT
import CommandLanguage
import Fingerprints
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

/// The state of a session as a checkpoint holds it: settings, the data's recipe and fingerprints,
/// every network with its training, and curves.
struct SessionRecord: Codable {
  let settings: Settings
  let recipe: DataRecipe
  /// The SHA-256 of the clean and the noisy slices.
  let clean: String?, noisy: String?
  /// The networks, that in use first.
  let networks: [NetworkRecord]
  /// The lines of optimizers and flows that were kept under names.
  let kept: [String]
  let curves: TrainingCurves

  /// Encodes the state of a workspace as the bytes of a checkpoint.
  static func encode(_ workspace: Workspace) throws -> Data {
    var networks = [NetworkRecord(workspace)]
    var tensors = NetworkRecord.tensors(workspace)
    for name in workspace.parked.keys.sorted() {
      var other = workspace
      other.use(name)
      networks.append(NetworkRecord(other))
      tensors.merge(NetworkRecord.tensors(other)) { $1 }
    }
    let optimizers = workspace.namedOptimizers.sorted { $0.key < $1.key }
    let flows = workspace.namedFlows.sorted { $0.key < $1.key }
    let record = SessionRecord(
      settings: workspace.settings, recipe: workspace.recipe,
      clean: workspace.clean.map { $0.values.fingerprint.description },
      noisy: workspace.noisy.map { $0.fingerprint.description }, networks: networks,
      kept: optimizers.map { "\($1.line) as=\($0)" } + flows.map { "\($1.line) as=\($0)" },
      curves: workspace.curves)
    return try CheckpointFile.encode(record, tensors)
  }

  /// Returns the workspace that a file describes; files, limits and pictures' names stay.
  ///
  /// Data that are there already, by recipe and fingerprint, are not made again.
  ///
  /// - Throws: `CommandError`; `workspace` is as before in any case.
  static func restore(
    _ file: CheckpointFile, into workspace: Workspace, source: String, _ context: CommandContext
  ) throws -> Workspace {
    let record = try file.decode(SessionRecord.self, name: source)
    guard let used = record.networks.first, record.curves.isConsistent,
      record.settings.seed <= UInt64(Int.max)
    else {
      throw CheckpointFile.refusal(source, "it holds no network, or impossible curves or seeds")
    }
    var changed = workspace
    let limits = workspace.settings
    changed.settings = record.settings
    // The limits for one command belong to this session, not to the file.
    (changed.settings.memoryLimit, changed.settings.timeLimit) = (
      limits.memoryLimit, limits.timeLimit
    )
    let isSame =
      workspace.recipe == record.recipe
      && workspace.clean.map { $0.values.fingerprint.description } == record.clean
      && workspace.noisy.map { $0.fingerprint.description } == record.noisy
    if !isSame {
      try changed.make(record.recipe, context)
      try requireEqual(changed.clean?.values, record.clean, "clean", source)
      try requireEqual(changed.noisy, record.noisy, "noisy", source)
    }
    changed.parked = [:]
    (changed.namedOptimizers, changed.namedFlows) = ([:], [:])
    let restored = try used.restored(in: changed, from: file, source: source)
    changed = restored
    for line in record.kept {
      // A kept flow may fit only another network, so lines run on an empty one.
      var other = restored
      other.replaceNetwork(Network())
      try other.build([line])
      changed.namedOptimizers.merge(other.namedOptimizers) { $1 }
      changed.namedFlows.merge(other.namedFlows) { $1 }
    }
    for network in record.networks.dropFirst() {
      let other = try network.restored(in: restored, from: file, source: source)
      changed.parked[network.name] = other.parkedCopy
    }
    changed.curves = record.curves
    return changed
  }

  /// The reason why a checkpoint of a workspace could not be restored or checked now; nil when it
  /// can be restored.
  ///
  /// It is restored into an empty session, where the data are made again, and compared item by
  /// item.
  ///
  /// - Throws: `CommandError` when an item would not be restored, or Ctrl-C stops the check.
  static func doubt(
    _ data: Data, of workspace: Workspace, path: String, _ context: CommandContext
  ) throws -> String? {
    var empty = Workspace(files: workspace.files, commands: workspace.commands)
    empty.settings.memoryLimit = workspace.settings.memoryLimit
    let restored: Workspace
    do {
      if let slices = workspace.slices {
        try workspace.requireMemory(copies: 4, of: slices.count, slices)
      }
      restored = try restore(CheckpointFile(data, name: path), into: empty, source: path, context)
    } catch {
      let cause = commandError(error)
      guard cause.status != .interrupted else { throw cause }
      // The limit may not hold when it is restored: files may be put back, and memory be free.
      if cause.code == .limit {
        return "whether it can be restored was not tried: \(cause.message)"
      }
      if cause.status == .badInput, cause.code != "checkpoint" {
        return "it could not be restored now: \(cause.message)"
      }
      throw CommandError(
        cause.code, "what it would hold cannot be restored: \(cause.message)", hint: cause.hint)
    }
    let lost = workspace.state.kept.differences(from: restored.state.kept)
    guard lost.isEmpty else {
      throw CommandError(
        "checkpoint", "it would not bring back \(lost.joined(separator: ", "))",
        hint: "'net save FILE.safetensors optimizer=yes' keeps the network and its training")
    }
    return nil
  }

  private static func requireEqual(
    _ found: Tensor<Float>?, _ recorded: String?, _ name: String, _ source: String
  ) throws(CommandError) {
    guard found.map({ $0.fingerprint.description }) != recorded else { return }
    throw CommandError(
      .data,
      "the \(name) slices are not those of \(source): the files that it names are others now",
      hint: "put the files back, or train anew; nothing has changed", status: .badInput)
  }
}
