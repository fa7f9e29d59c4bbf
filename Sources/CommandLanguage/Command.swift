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

  /// A command that works on the workspace.
  package init(_ spec: CommandSpec, body: @escaping Body) {
    self.spec = spec
    action = .workspace(body)
  }

  /// The same command with `wrap` around its body; a command of the runner stays as it is.
  package func around(_ wrap: (@escaping Body) -> Body) -> Command {
    guard case .workspace(let body) = action else { return self }
    var command = Command(spec, body: wrap(body))
    command.preview = preview
    return command
  }

  /// A command that the runner itself carries out.
  package init(_ command: SessionCommand) {
    spec = command.spec
    action = .session(command)
  }
}
