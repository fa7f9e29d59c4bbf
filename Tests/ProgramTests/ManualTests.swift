import CommandLanguage
import Commands
import Foundation
import Testing

/// What `make install` brings beside the program.
struct `The manual page and the completion for shells` {
  private func output(_ arguments: String...) throws -> String {
    let ending = try Program.run(arguments, in: try Folder())
    #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending.errors)")
    return ending.output
  }

  /// What another program says of a text; none when there is no such program.
  private func complaints(_ program: String, _ arguments: String..., about text: String) throws
    -> String?
  {
    guard FileManager.default.isExecutableFile(atPath: program) else { return nil }
    let folder = try Folder()
    try folder.write(text, to: "text")
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments + [folder.path("text")]
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let said = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: said, as: UTF8.self)
  }

  @Test func `the page names every command, and troff understands it`() throws {
    let page = try output("reference", "--man")
    #expect(page.hasPrefix(".TH BACKFLOW 1"))
    for command in commandTable {
      let name = command.spec.name.replacing("-", with: "\\-")
      #expect(page.contains("\n\\fB\(name)"), "\(name)")
    }
    // Lines of one word that is too long cannot be spread; nothing else may be wrong.
    let wrong = try complaints("/usr/bin/groff", "-man", "-Kutf8", "-Tutf8", "-ww", about: page)
    let lines = (wrong ?? "").split(separator: "\n").filter { !$0.contains("adjust line") }
    #expect(lines.isEmpty, "\(lines)")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `each shell gets the subcommands`(shell: String) throws {
    let script = try output("--generate-completion-script", shell)
    for word in ["run", "replay", "accept", "bench", "keep-going"] {
      #expect(script.contains(word), "\(word)")
    }
    guard shell == "bash" else { return }
    #expect(try complaints("/bin/bash", "-n", about: script) ?? "" == "")
  }
}

/// File names after Tab in bash, as `make install` sets it up.
struct `Tab in bash` {
  let folder: Folder

  init() throws {
    folder = try Folder()
    for name in ["flow.session", "first.txt", "flat.ledger", "flip.png", "folder/x.session"] {
      try folder.write("", to: name)
    }
  }

  /// What bash offers for the last of some words.
  private func offers(_ words: [String]) throws -> [String] {
    let quoted = (["backflow"] + words).map { "'\($0)'" }.joined(separator: " ")
    let line = """
      source <("\(Program.path)" --generate-completion-script bash)
      COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count); COMP_LINE="${COMP_WORDS[*]}"
      COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
      function=$(complete -p backflow | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      $function backflow "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let ending = try Program.run(
      ["--norc", "-c", line], program: "/bin/bash", in: folder, limit: 60)
    return ending.lines.map { String($0.drop { $0 == " " }) }.map {
      $0.hasSuffix(" ") ? String($0.dropLast()) : $0
    }.sorted()
  }

  @Test(arguments: [
    (["run", "fl"], ["flat.ledger", "flip.png", "flow.session"]),
    (["replay", "fi"], ["first.txt"]),
    (["accept", "fl"], ["flow.session"]),
    (["export", "fl"], ["flow.session"]),
    (["run", "x", "--out", "fo"], ["folder"]),
    (["replay", "x", "--against", "fl"], ["flat.ledger"]),
    (["bench", "--plot", "fl"], ["flip.png"]),
  ])
  func `completes file names`(words: [String], names: [String]) throws {
    let offers = try offers(words).map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    #expect(offers == names)
  }
}
