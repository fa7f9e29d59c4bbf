/// A part of a session's state, by which lines depend on each other.
package enum SessionPart: Hashable, Sendable, CaseIterable {
  case clean, noisy, scale, split, window
  /// The networks with their weights.
  case network
  /// Loss, optimizer and flow, the trainings with their curves, and the film of the last.
  case training
  /// The last pass, the open one, breakpoints, and the quiz.
  case pass
  /// Typed numbers, and what was computed from them.
  case numbers
  /// Figures of merit, and the images of the last baseline.
  case figures
  case settings
}

/// The parts of a session that a command reads and changes; both may name more than it does.
///
/// Values of `let` and results of commands are no parts: a line reads them where it says so.
package struct SessionEffect: Hashable, Sendable {
  package let reads: Set<SessionPart>
  package let changes: Set<SessionPart>

  package init(reads: Set<SessionPart>, changes: Set<SessionPart> = []) {
    (self.reads, self.changes) = (reads, changes)
  }

  /// The effect of a command that reads all parts but the window, and changes some.
  package static func changing(_ parts: Set<SessionPart>) -> SessionEffect {
    SessionEffect(reads: .everything.subtracting([.window]), changes: parts)
  }

  /// The effect of a command that may do anything.
  package static let unknown = SessionEffect(reads: .everything, changes: .everything)

  /// Whether a line with this effect depends on one of some parts.
  ///
  /// A line that changes a part may leave some of it as it was, so it depends on that part, too.
  func touches(_ parts: Set<SessionPart>) -> Bool {
    !reads.union(changes).isDisjoint(with: parts)
  }
}

extension Set<SessionPart> {
  package static var everything: Set { Set(SessionPart.allCases) }

  private static var data: Set { [.clean, .noisy, .scale, .split] }

  /// The parts that change when the slices do, since they were computed from them.
  fileprivate static var results: Set { [.scale, .network, .training, .pass, .figures] }

  fileprivate static var learning: Set { data.union([.network, .training, .pass, .settings]) }
}

extension SessionEffect {
  /// The effect of most commands of a kind.
  ///
  /// - Parameters:
  ///   - family: The command's family.
  ///   - recipe: What its lines build; nil for nothing.
  ///   - trains: Whether it trains.
  init(_ family: CommandFamily, _ recipe: LineRecipe?, trains: Bool) {
    switch (recipe, family) {
    case (.slices?, _), (.pairs?, _), (.change?, _):
      self.init(reads: .learning, changes: .results.union([.clean, .noisy, .split]))
    case (.noise?, _):
      self.init(reads: [.clean, .noisy, .pass, .settings], changes: .results.union([.noisy]))
    case (.scale?, _), (.split?, _):
      self.init(
        reads: .learning, changes: [.scale, .split, .network, .pass, .figures])
    case (.window?, _): self.init(reads: [.clean, .noisy], changes: [.window])
    case (.network?, _), (.layer?, _), (nil, .network):
      self.init(reads: .learning, changes: [.network, .training, .pass, .figures])
    case (nil, .learning):
      self.init(
        reads: .learning.union([.figures]),
        changes: trains ? [.scale, .network, .training, .pass, .figures] : [.figures])
    case (nil, .stepping):
      self = .changing([.network, .training, .pass, .numbers, .figures])
    case (nil, .looking), (nil, .keeping): self.init(reads: .everything)
    case (nil, .data), (nil, .checking), (nil, .rest): self = .changing([])
    }
  }
}
