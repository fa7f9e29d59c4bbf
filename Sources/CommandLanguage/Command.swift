/// A command: its table entry and what it does.
package struct Command<Workspace>: Sendable {
  /// What a command does with its arguments and the named things.
  package typealias Body =
    @Sendable (_ arguments: Arguments, _ workspace: inout Workspace, _ context: CommandContext)
    throws -> Outcome

  /// Who carries a command out.
  enum Action {
    case workspace(Body)
    case session(SessionCommand)
  }

  package let spec: CommandSpec
  let action: Action

  /// A command on the workspace.
  package init(_ spec: CommandSpec, body: @escaping Body) {
    self.spec = spec
    action = .workspace(body)
  }

  /// The same command with something around its body; what the runner carries out stays as it is.
  package func around(_ wrap: (@escaping Body) -> Body) -> Command {
    guard case .workspace(let body) = action else { return self }
    return Command(spec, body: wrap(body))
  }

  /// The same command, which first asks `check` whether it may run.
  package func preceded(
    by check: @escaping @Sendable (CommandSpec, Workspace) throws(CommandError) -> Void
  ) -> Command {
    guard case .workspace(let body) = action else { return self }
    let spec = spec
    return Command(spec) { arguments, workspace, context in
      try check(spec, workspace)
      return try body(arguments, &workspace, context)
    }
  }

  /// A command that the runner itself carries out.
  package init(_ command: SessionCommand) {
    spec = command.spec
    action = .session(command)
  }
}
