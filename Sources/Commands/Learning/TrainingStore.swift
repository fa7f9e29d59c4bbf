import CT
import CommandLanguage
import Fingerprints
import Foundation
import Networks
import Tensors
import Training

/// A folder of results of earlier trainings, found by all inputs that decide them.
package struct TrainingStore: Sendable {
  /// The folder below the output folder.
  let folder: String
  /// The stamp of this machine and build: elsewhere, arithmetic would give other digits.
  let place: [String: String]

  /// A store in the output folder of a session.
  package init(folder: String = "checkpoints", place: [String: String]) {
    (self.folder, self.place) = (folder, place)
  }

  fileprivate func path(_ key: String) -> String { "\(folder)/\(key.prefix(16)).checkpoint" }
}

/// A training that a line asks for.
struct TrainingWork: Sendable {
  let options: TrainingOptions
  /// Whether it goes on with one that was stopped.
  let resumes: Bool
  /// Whether the network is judged after it.
  let isJudged: Bool
  let data: TrainingData
  /// The slices to train on.
  let slices: [Int]
}

/// All inputs that decide the result of a training, beside those that a network holds.
private struct TrainingInputs: Encodable {
  let place: [String: String]
  let network: NetworkRecord
  let options: TrainingOptions
  let resumes: Bool, isJudged: Bool
  let clean: String, noisy: String, mask: String?
  let freshNoise: String?
  /// The noise that targets are drawn from; nil where they are the clean slices.
  let targetNoise: String?
  let scale: [Double]
  let slices: [Int], watched: [Int]
  let precision: Precision
  let curves: TrainingCurves
  let film: TrainingFilm.Record?
}

/// The result of a training as it is stored.
private struct TrainingResult: Codable {
  let key: String
  let network: NetworkRecord
  let curves: TrainingCurves
  let film: TrainingFilm.Record?
  let lines: [String], warnings: [String]
  let result: JSONValue
}

extension Workspace {
  /// Takes results of trainings from `store`, and keeps new ones there.
  package mutating func keepTrainings(in store: TrainingStore) { trainings = store }

  /// The digest of a training's inputs; nil if there is no store, or if a time limit or a
  /// breakpoint may end it.
  func trainingKey(_ work: TrainingWork) throws -> String? {
    guard let trainings, canBeKept(work) else { return nil }
    return try digest(of: work, place: trainings.place)
  }

  /// Whether the same inputs give the same result: neither a clock nor a breakpoint may end it.
  func canBeKept(_ work: TrainingWork) -> Bool {
    work.options.timeLimit == nil && breakpoints.isEmpty
  }

  /// The digest of all inputs that decide the result of a training.
  func digest(of work: TrainingWork, place: [String: String]) throws -> String {
    let (options, data) = (work.options, work.data)
    let inputs = TrainingInputs(
      place: place, network: NetworkRecord(self), options: options, resumes: work.resumes,
      isJudged: work.isJudged,
      clean: "\(data.clean.values.fingerprint)", noisy: "\(data.noisy.fingerprint)",
      mask: data.clean.mask.map { "\(SHA256Digest(of: $0))" },
      freshNoise: data.freshNoise?.words(data.clean.unit),
      targetNoise: options.target == .clean ? nil : noise?.words(data.clean.unit),
      scale: [data.scale.lower, data.scale.upper],
      slices: work.slices, watched: watchedSlices(data.clean).slices,
      precision: settings.precision, curves: curves, film: film?.record)
    let bytes = try CheckpointFile.encode(inputs, NetworkRecord.tensors(self))
    return bytes.withUnsafeBytes { "\(SHA256Digest(of: $0))" }
  }

  /// Takes over the stored result of a training; nil if there is none, or its file is damaged.
  mutating func takeTraining(_ key: String) throws -> Outcome? {
    guard let trainings, let place = try? files.reading(trainings.path(key)),
      let file = try? CheckpointFile(path: place, name: place),
      let known = try? file.decode(TrainingResult.self, name: place), known.key == key,
      known.curves.isConsistent,
      let restored = try? known.network.restored(in: self, from: file, source: place)
    else { return nil }
    let film = try known.film.flatMap { try TrainingFilm($0, of: restored.network, from: file) }
    guard (film == nil) == (known.film == nil) else { return nil }
    self = restored
    curves = known.curves
    self.film = film
    var outcome = Outcome()
    for line in known.lines { outcome.say(OutputLine(line)) }
    outcome.warnings = known.warnings
    outcome.result = known.result
    outcome.curves = curves.all.last?.resultCurves(loss) ?? []
    outcome.isFromCheckpoint = true
    outcome.remarks = ["not trained: its inputs are those of \(trainings.path(key))"]
    return outcome
  }

  /// Stores the result of a training; one that cannot be stored is trained again next time.
  func keepTraining(_ key: String, _ outcome: inout Outcome) {
    guard let trainings else { return }
    do {
      try write(key, outcome, to: trainings)
    } catch {
      outcome.remarks.append("this training is not kept: \(commandError(error).message)")
    }
  }

  private func write(_ key: String, _ outcome: Outcome, to trainings: TrainingStore) throws {
    let known = TrainingResult(
      key: key, network: NetworkRecord(self), curves: curves, film: film?.record,
      lines: outcome.typedLines.dropFirst(outcome.foreword.count)
        .dropLast(outcome.warnings.count).map(\.text),
      warnings: outcome.warnings, result: outcome.result)
    try files.write(
      CheckpointFile.encode(
        known, NetworkRecord.tensors(self).merging(film?.tensors ?? [:]) { first, _ in first }),
      to: trainings.path(key), .all)
  }
}

extension TrainingFilm {
  private static func name(_ index: Int, _ parameter: String) -> String {
    "film/\(index)/\(parameter)"
  }

  /// The weights of all moments, by their names in the file.
  fileprivate var tensors: [String: Tensor<Float>] {
    var tensors: [String: Tensor<Float>] = [:]
    for (index, moment) in moments.enumerated() {
      for (name, tensor) in zip(moment.network.parameterNames, moment.network.parameters) {
        tensors[Self.name(index, name)] = tensor
      }
    }
    return tensors
  }

  /// The film of a network, with its moments from a file; nil where they do not fit the network.
  fileprivate init?(
    _ record: Record, of network: Network<Float>, from file: CheckpointFile
  ) throws(TensorError) {
    var networks: [Network<Float>] = []
    for index in record.steps.indices.prefix(Self.capacity + 1) {
      var moment = network
      for (place, name) in network.parameterNames.enumerated() {
        guard let tensor = try file.tensor(Self.name(index, name)),
          tensor.shape == moment.parameters[place].shape
        else { return nil }
        moment.parameters[place] = tensor
      }
      networks.append(moment)
    }
    self.init(record, networks)
  }
}
