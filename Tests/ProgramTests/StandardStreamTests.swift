import Foundation
import Testing

/// Standard streams that are closed, opened the wrong way, or no text.
struct `A standard stream` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// Runs a line of the shell, in which `$BF` is the program.
  private func shell(_ line: String) throws -> Program.Ending {
    try Program.run(
      ["BF=\(Program.path)", "/bin/bash", "-c", line], program: "/usr/bin/env", in: folder)
  }

  @Test(arguments: [
    "$BF <&-", "$BF </tmp", "$BF 0>file", "$BF --json <&-", "$BF prompt </", "$BF --out x <&-",
  ])
  func `that cannot be read is an error with words`(line: String) throws {
    let ending = try shell(line)
    #expect(ending.status == 4 && !ending.crashed)
    #expect(
      ending.errors.hasPrefix("error: standard input: cannot be read: "), "\(ending.errors)")
    #expect(ending.errors.contains("; give it a file of commands"))
    #expect(ending.output == "")
  }

  @Test(arguments: ["$BF </dev/full", "$BF </dev/zero"])
  func `that never ends is an error with words`(line: String) throws {
    let ending = try shell(line)
    #expect(ending.status == 4 && ending.errors.contains("more than 64 MiB"), "\(ending.errors)")
  }

  @Test func `that is no UTF-8 text is an error that names the line`() throws {
    let ending = try shell("printf 'phantom size=16\\n\\377\\n' | $BF")
    #expect(ending.status == 4 && ending.errors.contains("standard input:2: is not UTF-8"))
  }

  @Test func `that is a socket or a pipe that ends is read to its end`() throws {
    let socket = try shell(
      """
      python3 -c 'import os, socket, subprocess
      a, b = socket.socketpair()
      a.send(b"let a = 12\\nhelp $a\\n")
      a.close()
      os.dup2(b.fileno(), 0)
      os.execv(os.environ["BF"], ["backflow"])'
      """)
    #expect(socket.status == 1 && socket.errors.contains("no help on \"12\""), "\(socket.errors)")
    let pipe = try shell("mkfifo f; (printf 'let a = 12' > f) & $BF < f")
    #expect(pipe.status == 0 && pipe.errors == "")
  }

  @Test func `that has nothing yet and does not wait is read all the same`() throws {
    let ending = try shell(
      """
      python3 -c 'import os, time, subprocess
      r, w = os.pipe()
      os.set_blocking(r, False)
      p = subprocess.Popen([os.environ["BF"]], stdin=r)
      time.sleep(0.3)
      os.write(w, b"let a = 12\\nhelp $a\\n")
      os.close(w)
      raise SystemExit(p.wait())'
      """)
    #expect(ending.status == 1 && ending.errors.contains("no help on \"12\""), "\(ending.errors)")
  }

  @Test(arguments: [
    "$BF reference", "$BF reference --man", "$BF --help", "$BF run --help", "$BF --version",
    "echo 'stats clean' | $BF --json", "echo help | $BF",
    "$BF --generate-completion-script bash",
  ])
  func `that takes no output is an error with words`(line: String) throws {
    for sink in [">&-", ">/dev/full"] {
      let ending = try shell("\(line) \(sink)")
      #expect(ending.status == 1 && !ending.crashed, "\(line) \(sink)")
      #expect(
        ending.errors.contains("error: standard output cannot be written: "), "\(ending.errors)")
    }
  }

  @Test(arguments: ["2>&-", "2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
  func `for errors may be closed or full`(sinks: String) throws {
    let ending = try shell("echo nonsense | $BF \(sinks)")
    #expect([1, 4].contains(ending.status) && !ending.crashed)
    #expect(ending.output == "")
  }

  @Test func `whose number is free goes to no file that the session writes`() throws {
    let lines = "phantom size=16 slices=1\nsave tensor clean a.npy\n"
    try folder.write(lines, to: "s.txt")
    _ = try shell("$BF run s.txt --out o >&- 2>&-")
    _ = try shell("$BF run s.txt --out p >/dev/null")
    #expect(folder.exists("p/a.npy"))
    guard folder.exists("o/a.npy") else { return }
    let files = try ["o/a.npy", "p/a.npy"].map {
      try Data(contentsOf: folder.url.appending(path: $0))
    }
    #expect(files[0] == files[1])
  }

  @Test func `that nobody reads any longer ends the program quietly`() throws {
    let ending = try shell("$BF reference | head -1")
    #expect(ending.output.hasPrefix("# Commands\n") && ending.errors == "")
    // 141: the signal of a broken pipe, as other programs end.
    let status = try shell("$BF reference --man | head -1; echo ${PIPESTATUS[0]}")
    #expect(["141", "0"].contains(status.lines.last ?? ""), "\(status.output)")
    let ignored = try shell("trap '' PIPE; $BF reference | head -1; echo ${PIPESTATUS[0]}")
    #expect(["1", "0"].contains(ignored.lines.last ?? ""), "\(ignored.output)")
  }
}
