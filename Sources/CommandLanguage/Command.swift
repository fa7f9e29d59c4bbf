/// A command: its table entry and what it does.
package struct Command<Workspace>: Sendable {
  /// What a command does with its arguments and the named things.
  package typealias Body =
    @Sendable (_ arguments: Arguments, _ workspace: inout Workspace, _ context: CommandContext)
    throws -> Outcome

  /// Says in a few words what a command would do; throws what is wrong with it.
  ///
  /// It runs between two keys, so it must be quick.
  package typealias Preview =
    @Sendable (_ arguments: Arguments, _ workspace: Workspace) throws -> String

  /// Who carries a command out.
  enum Action {
    case workspace(Body)
    case session(SessionCommand)
  }

  package let spec: CommandSpec
  let action: Action
  /// What the prompt says before the command runs; its summary when there is none.
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

  /// The same command with something around its body; what the runner carries out stays as it is.
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
