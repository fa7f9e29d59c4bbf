/// The commands that know no workspace: the runner carries them out.
package enum SessionCommand: CaseIterable, Sendable {
  case apropos
  case fails
  case help
  case history
  case `let`
  case quit
  case saveSession
  case terminal

  /// The command's table entry.
  package var spec: CommandSpec {
    switch self {
    case .apropos:
      CommandSpec(
        "apropos", family: .rest,
        summary: "List the commands and ideas whose help speaks of a word.",
        parameters: [.word("word", .text(placeholder: "WORD"), "what to look for")],
        examples: ["apropos window", "apropos HU"], seeAlso: ["help"], isRecorded: false)
    case .fails:
      CommandSpec(
        "fails", family: .checking,
        summary: "Run a command that must fail, and record its message.",
        parameters: [.command("command", "the command that must fail")],
        examples: ["fails let 1x = 2"], seeAlso: ["let"])
    case .help:
      CommandSpec(
        "help", family: .rest,
        summary: "List the commands by family, or explain one, or an idea.",
        details: """
          A word that names a command and an idea shows the command first and the idea under it.
          """,
        parameters: [
          .words(
            "command", .helpTitle, "a command, a family of commands, or an idea",
            default: .absent("all commands"))
        ],
        examples: ["help", "help let"], seeAlso: ["apropos"], isRecorded: false)
    case .history:
      CommandSpec(
        "history", family: .keeping,
        summary: "List the lines typed so far, all or those with a word in them.",
        details: """
          With a word, the prompt also shows lines of earlier sessions, without numbers. A line that \
          begins with a space is kept out.
          """,
        parameters: [
          .word("word", .text(placeholder: "WORD"), "what the lines hold", default: .absent("all"))
        ],
        examples: ["history", "history noise"], seeAlso: ["session save"], isRecorded: false)
    case .let:
      CommandSpec(
        "let", family: .rest,
        summary: "Give a name a value that $NAME stands for.",
        details: """
          Without a value, the name must be given from outside: backflow run FILE --let NAME=VALUE. \
          A value from outside also replaces the one in the line. $NAME and ${NAME} work in words \
          and in double quotes, not in single ones.
          """,
        parameters: [
          .word("name", .text(placeholder: "NAME"), "letters, digits and _"),
          .assigned("value", "any text", default: .absent("given by --let")),
        ],
        examples: [
          "let sigma = 40HU",
          CommandExample("let text = \"$word again\"", after: ["let word = once"]),
        ], seeAlso: ["help"])
    case .quit:
      CommandSpec(
        "quit", family: .rest, summary: "Leave Backflow.", examples: ["quit"],
        seeAlso: ["session save"], isRecorded: false)
    case .saveSession:
      CommandSpec(
        "session save", family: .keeping,
        summary: "Write the session so far as a file that replays.",
        details: """
          Writes NAME.session and its pictures in NAME/. Failed commands are left out, or written \
          as "fails …" with errors=yes. What nobody saves is kept as well, the newest 20 sessions: \
          the next prompt says how to get it back.
          """,
        parameters: [
          .word("name", .path, "the file, with or without .session"),
          .key("errors", .yesNo, "keep failed commands, as fails …", default: .value("no")),
        ],
        examples: [CommandExample("session save first-look", after: ["let sigma = 40HU"])],
        seeAlso: ["history"], isRecorded: false)
    case .terminal:
      CommandSpec(
        "terminal", family: .rest,
        summary: "Say how pictures are shown here, and why so.",
        details: """
          At its start, the prompt asks the terminal what it can show. Pictures are then drawn under \
          their lines, beside the files; transcripts never hold them.
          """,
        examples: ["terminal"], seeAlso: ["session save"], isRecorded: false)
    }
  }
}
