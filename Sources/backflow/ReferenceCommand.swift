import ArgumentParser
import CommandLanguage
import Commands

/// Prints the command reference: `backflow reference`.
struct ReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Print the command reference, docs/commands.md.")

  @Flag(help: "Print the manual page instead.")
  var man = false

  func run() {
    Console.write(man ? manualPage : Reference.markdown(commandTable.map(\.spec)))
  }

  private var manualPage: String {
    let program = Backflow.configuration
    let usage = program.subcommands.map { Backflow.helpMessage(for: $0, columns: 76) }
    return ManualPage.text(
      name: "backflow", version: Stamps.version, summary: program.abstract,
      sections: [
        ManualPage.Section("SYNOPSIS", ["backflow [SUBCOMMAND] [OPTIONS]"]),
        ManualPage.Section(
          "DESCRIPTION",
          [
            program.discussion,
            """
            At the prompt, Tab completes, ? lists what may come next, 'help' explains commands and \
            ideas, and 'demo' shows a first session.
            """,
          ]),
        ManualPage.Section("SUBCOMMANDS", usage, isVerbatim: true),
        ManualPage.Section(
          "FILES",
          [
            "~/.local/state/backflow/history holds the lines that were typed, for this person alone.",
            "~/.local/state/backflow/sessions/ holds sessions that nobody saved, the newest 20.",
            "~/.editrc sets the keys of the prompt, in lines that begin with backflow:",
          ]),
        ManualPage.Section(
          "ENVIRONMENT",
          [
            "XDG_STATE_HOME is used in place of ~/.local/state.",
            "NO_COLOR asks for no colors; TERM=dumb for no codes at all.",
          ]),
      ], specs: commandTable.map(\.spec), topics: helpTopics)
  }
}
