/// The commands that the runner itself carries out, without the workspace.
package enum SessionCommand: CaseIterable, Sendable {
  case apropos
  case edit
  case exit
  case exportSession
  case fails
  case help
  case history
  case `let`
  case packSession
  case quit
  case replay
  case run
  case saveSession
  case terminal
  case undo

  /// The command's table entry.
  package var spec: CommandSpec {
    switch self {
    case .apropos:
      CommandSpec(
        "apropos", family: .rest,
        summary: "List the commands and ideas whose help speaks of a word.",
        parameters: [.word("word", .text(placeholder: "WORD"), "what to look for")],
        examples: ["apropos window", "apropos HU"], seeAlso: ["help"], isRecorded: false)
    case .edit:
      CommandSpec(
        "edit", family: .keeping,
        summary: "Change a line of the session: what depends on it runs again.",
        details: """
          Lines that the change does not reach keep their results; those that it reaches run again, in \
          order, and show what they give now. The record is as if the session had been typed so. If a \
          line would fail, nothing changes. 'undo' takes the edit back. A number alone puts the line \
          into the editor.
          """,
        parameters: [
          .word("line", .integer(1...Int.max), "the number of the line, as 'history' lists it"),
          .flag(
            "how", ["delete", "before"], "take the line out, or put the command before it",
            default: .absent("the command takes the line's place")),
          .commandIfGiven("command", "the new line", "the line comes into the editor"),
        ],
        examples: [
          CommandExample("edit 1 let sigma = 60HU", after: ["let sigma = 40HU"]),
          CommandExample("edit 1 delete", after: ["let sigma = 40HU"]),
        ],
        seeAlso: ["history", "undo"], isRecorded: false)
    case .exit:
      CommandSpec(
        "exit", family: .rest, summary: "Leave Backflow, as 'quit' does.", examples: ["exit"],
        seeAlso: ["quit"], isRecorded: false)
    case .exportSession:
      CommandSpec(
        "export", family: .keeping,
        summary: "Write the session so far, or a saved one, as a page to hand out.",
        details: """
          The ending chooses the form. .html is one file that needs no network: commands in color, \
          pictures, sliders, comparisons to drag, contents, stamp, the session to download. .md is \
          Markdown with its pictures in a folder beside it. .ipynb is a notebook for Jupyter. \
          for=students folds what 'answer' tells, or leaves it out of a notebook.
          """,
        parameters: [
          .word("file", .path, "the page, ending in .html, .md or .ipynb"),
          .key("session", .path, "a session file", default: .absent("the session so far")),
          .key(
            "for", .choice(["everybody", "students"]), "whether answers of quizzes are folded",
            default: .value("everybody")),
          Parameter.replace,
        ],
        examples: [
          CommandExample("export lesson.html", after: ["let sigma = 40HU"]),
          CommandExample("export lesson.html for=students", after: ["let sigma = 40HU"]),
        ],
        seeAlso: ["session save", "session pack"], isRecorded: false)
    case .fails:
      CommandSpec(
        "fails", family: .checking,
        summary: "Run a command that must fail, and record its message.",
        parameters: [.command("command", "the command that must fail")],
        examples: ["fails let 1x = 2"], seeAlso: ["let"], effect: .unknown)
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
        ], seeAlso: ["help"], effect: SessionEffect(reads: []))
    case .packSession:
      CommandSpec(
        "session pack", family: .keeping,
        summary: "Write the session so far, with all that belongs to it, as one file.",
        details: """
          The file is a zip archive with the session, its pictures and its stamp. 'backflow run', \
          'replay' and 'export' take it as it is. Data that the session loads is not in it.
          """,
        parameters: [.word("file", .path, "the file, ending in .zip"), Parameter.replace],
        examples: [CommandExample("session pack lesson.zip", after: ["let sigma = 40HU"])],
        seeAlso: ["session save", "export"], isRecorded: false)
    case .quit:
      CommandSpec(
        "quit", family: .rest, summary: "Leave Backflow.", examples: ["quit"],
        seeAlso: ["exit", "session save"], isRecorded: false)
    case .replay:
      CommandSpec(
        "replay", family: .keeping,
        summary: "Replay a session file, and say where it differs.",
        details: """
          It runs beside this session, which stays as it is. What it produced can be taken as the new \
          record: backflow accept FILE.
          """,
        parameters: [.word("file", .path, "the session file, or a pack of one")],
        examples: [
          CommandExample("replay first", after: ["let sigma = 40HU", "session save first"])
        ],
        seeAlso: ["run", "session save"], isRecorded: false)
    case .run:
      CommandSpec(
        "run", family: .keeping,
        summary: "Run the commands of a session file as if they were typed here.",
        details: """
          All of them or none: if one fails, the session is as before. Recorded output is not looked \
          at.
          """,
        parameters: [.word("file", .path, "the session file, a pack of one, or a script")],
        examples: [CommandExample("run first", after: ["let sigma = 40HU", "session save first"])],
        seeAlso: ["replay", "undo", "session save"], quizRole: .runsFile, effect: .unknown)
    case .undo:
      CommandSpec(
        "undo", family: .keeping,
        summary: "Take back the last command: the session is as before it.",
        details: """
          Again and again, up to \(UndoLog<Never>.capacity) commands. Files that a command wrote stay. \
          The transcript keeps both the command and 'undo', so that it replays.
          """,
        examples: [CommandExample("undo", after: ["let sigma = 40HU"])],
        seeAlso: ["history", "edit"], effect: .unknown)
    case .saveSession:
      CommandSpec(
        "session save", family: .keeping,
        summary: "Write the session so far as a file that replays.",
        details: """
          Writes NAME.session and its pictures in NAME/, all or nothing. Comments and blank lines \
          stay in their places. Failed commands are left out, or written as "fails …" with \
          errors=yes. A session of this name that was saved before stays unless replace=yes. What \
          nobody saves is kept as well, the newest 20 sessions: the next prompt says how to get it \
          back.
          """,
        parameters: [
          .word("name", .path, "the file, with or without .session"),
          .key("errors", .yesNo, "keep failed commands, as fails …", default: .value("no")),
          Parameter.replace,
        ],
        examples: [CommandExample("session save first-look", after: ["let sigma = 40HU"])],
        seeAlso: ["session pack", "export", "history"], isRecorded: false)
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
