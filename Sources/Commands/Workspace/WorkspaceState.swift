import CT
package import CommandLanguage
import Fingerprints
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

/// The state of a session as texts, item by item; texts are equal where the items are.
package struct SessionState: Hashable, Sendable {
  /// One item of the state.
  package struct Entry: Hashable, Sendable {
    package let name: String
    package let text: String
  }

  /// Items that a checkpoint restores.
  package fileprivate(set) var kept: [Entry] = []
  /// Items that a checkpoint leaves out, if they are not empty.
  package fileprivate(set) var passing: [Entry] = []
}

extension [SessionState.Entry] {
  /// The names of items that differ between two lists.
  package func differences(from others: [SessionState.Entry]) -> [String] {
    let (ours, theirs) = (byName, others.byName)
    return (map(\.name) + others.map(\.name).filter { ours[$0] == nil })
      .filter { ours[$0] != theirs[$0] }
  }

  private var byName: [String: String] {
    Dictionary(map { ($0.name, $0.text) }) { $0 + $1 }
  }
}

extension Workspace {
  /// The present state of the session.
  package var state: SessionState { state(of: .everything) }

  /// The present state of some parts of the session.
  package func state(of parts: Set<SessionPart>) -> SessionState {
    var state = SessionState()
    func keep(_ part: SessionPart, _ name: String, _ text: @autoclosure () -> String) {
      if parts.contains(part) { state.kept.append(.init(name: name, text: text())) }
    }
    func pass(_ part: SessionPart, _ name: String, _ text: @autoclosure () -> String) {
      guard parts.contains(part), case let text = text(), !text.isEmpty else { return }
      state.passing.append(.init(name: name, text: text))
    }
    let (seed, rule) = ("\(settings.seed)", settings.reluNaN.rawValue)
    keep(
      .settings, "the settings",
      "\(seed) \(settings.precision) \(rule) \(settings.pictures) \(settings.hints)"
    )
    keep(.clean, "the clean slices", Self.words(clean))
    keep(.noisy, "the noisy slices", Self.words(noisyStack))
    let (sources, noisySources) = (clean?.sources ?? [], noisyStack?.sources ?? [])
    keep(.clean, "where the slices come from", "\(sources.map(\.plane))")
    keep(.clean, "the files' windows", Self.words(sources))
    keep(.noisy, "where the noisy slices come from", "\(noisySources.map(\.plane))")
    keep(.noisy, "the windows of the noisy files", Self.words(noisySources))
    keep(.noisy, "the noise", noiseWords)
    keep(.scale, "the scale", "\(scaleRule)")
    keep(.split, "the split", split.map(Self.words) ?? "none")
    keep(.window, "the window", "\(windowRule)")
    keep(.network, "the network in use", networkName)
    for name in networkNames {
      var other = self
      other.use(name)
      keep(.network, "the network \(name)", other.networkWords)
      keep(.network, "the seed of \(name)", other.seedWords)
      keep(.training, "the training of \(name)", other.trainingWords)
      keep(.pass, "the last pass of \(name)", other.lastPass.map(Self.words) ?? "none")
    }
    keep(
      .training, "loss, flow and gradient noise",
      "\(loss.line) \(flow.line) \(gradientNoise?.line ?? "off")")
    keep(.training, "optimizers under names", Self.words(namedOptimizers.mapValues(\.line)))
    keep(.training, "flows under names", Self.words(namedFlows.mapValues(\.line)))
    keep(.training, "the curves", Self.json(curves))

    pass(
      .settings, "limits",
      "\([settings.memoryLimit.map(Double.init), settings.timeLimit].compactMap(\.self))"
        .nonEmptyList)
    pass(.settings, "the limit of the disk", files.disk.ownLimit.map { "\($0)" } ?? "")
    pass(.numbers, "typed numbers", computationWords)
    pass(
      .pass, "breakpoints",
      breakpoints.map { "\($0.number) \($0.text) \($0.hits)" }.joined(separator: "; "))
    pass(.pass, "the quiz", quizWords)
    pass(.pass, "the open pass", stepper.map { "\($0.steps.count) \($0.cursor) \($0.picks)" } ?? "")
    pass(
      .figures, "the baseline",
      Self.words(baseline.mapValues { "\($0.image.fingerprint) \($0.filter.description)" }))
    pass(.figures, "the figures", Self.words(figures.mapValues { "\($0)" }))
    pass(.training, "the film of the training", film.map { Self.words($0) } ?? "")
    pass(.training, "a step that is held back", trainer?.heldPass.map(Self.words) ?? "")
    return state
  }
}

extension Workspace {
  private static func words<Key: Comparable>(_ things: [Key: String]) -> String {
    things.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
  }

  private static func words(_ stack: ImageStack?) -> String {
    guard let stack else { return "none" }
    let mask = stack.mask.map { "\(SHA256Digest(of: $0))" } ?? "no padding"
    return "\(stack.values.fingerprint) \(stack.unit) \(mask) \(stack.origins)"
  }

  /// A description of the sources' windows; of tables, their length.
  private static func words(_ sources: [SliceSource]) -> String {
    sources.map { source in
      source.windows.map { window in
        switch window.shape {
        case .window: "\(window)"
        case .table(let table): "\(window.name) \(table.first) \(table.entries.count)"
        }
      }.joined(separator: ", ")
    }.joined(separator: "; ")
  }

  private static func words(_ split: Split) -> String {
    let shares = Share.allCases.map { "\($0) \(split.groups[$0] ?? []) \(split.slices($0))" }
    return "\(split.grouping) \(shares.joined(separator: ", "))"
  }

  private static func words(_ pass: TrainingPass<Float>) -> String {
    let tensors = pass.network.parameters + [pass.input, pass.target]
    let prints =
      tensors.map { "\($0.fingerprint)" }.joined(separator: " ") + words(pass.network.flowState)
    return
      "\(pass.loss.line) \(pass.epoch) \(pass.step) \(pass.mask.map { "\($0.fingerprint)" } ?? "-") \(prints)"
  }

  private static func words(_ state: FlowState<Float>?) -> String {
    guard let state else { return "" }
    return "\(state.flow) " + words(state.tensors.mapValues { "\($0.fingerprint)" })
  }

  private static func words(_ film: TrainingFilm) -> String {
    let weights = film.moments.flatMap { $0.network.parameters.map { "\($0.fingerprint)" } }
    return json(film.record) + weights.joined(separator: " ")
  }

  /// A value as JSON with sorted keys, in which NaN and infinity are strings.
  private static func json(_ value: some Encodable) -> String {
    (try? JSONEncoder.ofAnyNumbers.encode(value)).map { String(decoding: $0, as: UTF8.self) }
      ?? "unknown"
  }

  var noiseWords: String {
    noise.map { "\($0.words(.hounsfield)) \($0.isFresh)" } ?? "none"
  }

  private var networkWords: String {
    let weights = network.parameters.map { "\($0.fingerprint)" }.joined(separator: " ")
    return "\(networkLines) \(weights)" + Self.words(network.flowState)
  }

  private var seedWords: String {
    "\(networkSeed.map { "\($0)" } ?? "the session's") \(network.reluNaN)"
  }

  private var trainingWords: String {
    let states = (trainer?.states ?? []).map { state in
      OptimizerState.names.map { state[$0].map { "\($0.fingerprint)" } ?? "-" }
        .joined(separator: " ")
    }
    let ofFlow = (trainer?.flowStates ?? [:]).mapValues { state in
      OptimizerState.names.map { state[$0].map { "\($0.fingerprint)" } ?? "-" }
        .joined(separator: " ")
    }
    let beside = TrainedWeights.allCases.compactMap { weights in
      trainer?.network(weights).map { network in
        "\(weights) \(network.state.map { "\($0.fingerprint)" }.joined(separator: " "))"
      }
    }
    return Self.json(trainer.map { TrainingPosition($0) }) + Self.json(unfinished)
      + states.joined(separator: "; ") + Self.words(ofFlow) + " \(weightsInUse) "
      + beside.joined(separator: "; ")
  }

  private var computationWords: String {
    let nodes = computation.nodes.enumerated().map { place, node in
      "\(node.name) \(computation.formula(of: place) ?? "typed") \(node.operands) "
        + "\(node.value.fingerprint) \(node.isVariable)"
    }
    return nodes.joined(separator: "; ") + (computationWalk == nil ? "" : "; walked")
  }

  private var quizWords: String {
    guard quiz.asked > 0 || quiz.open != nil || quiz.last != nil else { return "" }
    let question = quiz.open.map { "\($0.name) \($0.tolerance)" } ?? "no question"
    return "\(quiz.right) of \(quiz.asked), \(question), \(quiz.last ?? "none before")"
  }
}

extension String {
  /// The text, or an empty one for an empty list in brackets.
  fileprivate var nonEmptyList: String { self == "[]" ? "" : self }
}
