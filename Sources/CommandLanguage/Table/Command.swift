/// A command: its table entry and its action.
package struct Command<Workspace>: Sendable {
  /// The function that carries a command out with its arguments on the workspace.
  package typealias Body =
    @Sendable (_ arguments: Arguments, _ workspace: inout Workspace, _ context: CommandContext)
    throws -> Outcome

  /// Returns a few words on the effect that a command would have; throws the error that it would.
  ///
  /// It runs between two keys, so it must be quick.
  package typealias Preview =
    @Sendable (_ arguments: Arguments, _ workspace: Workspace) throws -> String

  /// The part of the program that carries a command out.
  enum Action {
    case workspace(Body)
    case session(SessionCommand)
  }

  package let spec: CommandSpec
  let action: Action
  /// The preview that the prompt shows before the command runs; nil for the summary.
  package var preview: Preview?

  /// A command on the workspace.
  ///
  /// - Parameters:
  ///   - spec: Its table entry.
  ///   - preview: What the prompt says before it runs.
  ///   - body: What it does.
  package init(_ spec: CommandSpec, preview: Preview? = nil, body: @escaping Body) {
    self.spec = spec
    self.preview = preview
    action = .workspace(body)
  }

  /// The same command with `wrap` around its body; a command of the runner stays as it is.
  package func around(_ wrap: (@escaping Body) -> Body) -> Command {
    guard case .workspace(let body) = action else { return self }
    return Command(spec, preview: preview, body: wrap(body))
  }

  /// A command that the runner itself carries out.
  package init(_ command: SessionCommand) {
    spec = command.spec
    action = .session(command)
  }
}
