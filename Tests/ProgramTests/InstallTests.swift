import Foundation
import Testing

/// `Scripts/install-dependencies` with tools that only note how they were called.
struct `Installing from Debian` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func tool(_ name: String, _ body: String) throws {
    try folder.write("#!/bin/sh\n\(body)\n", to: "bin/\(name)")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.path("bin/\(name)"))
  }

  /// Runs the script; `refusals` says how often another installation holds the lists.
  private func run(refusals: Int, reason: String) throws -> Program.Ending {
    try tool("swift", "exit 0")
    try tool("sleep", "echo sleep >> calls")
    try tool("id", "echo 0")
    try tool("dpkg-query", "exit 1")
    try tool(
      "apt-get",
      """
      echo "$@" >> calls
      case "$*" in
      *update*) echo x >> tries
        [ "$(wc -l < tries)" -gt \(refusals) ] || { echo "E: \(reason)" >&2; exit 100; } ;;
      esac
      """)
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Scripts/install-dependencies").standardizedFileURL.path
    return try Program.run(
      ["PATH=\(folder.path("bin")):/usr/bin:/bin", "/bin/sh", script], program: "/usr/bin/env",
      in: folder, limit: 60)
  }

  @Test func `waits for the lock of another installation`() throws {
    let ending = try run(refusals: 2, reason: "Could not get lock /var/lib/apt/lists/lock.")
    #expect(ending.status == 0, "\(ending.errors)")
    let calls = try folder.read("calls").split(separator: "\n")
    #expect(calls.filter { $0.contains("update") }.count == 3)
    #expect(calls.filter { $0 == "sleep" }.count == 2)
    let install = try #require(calls.last { $0.contains("install") })
    #expect(install.contains("DPkg::Lock::Timeout="), "the lock of the packages")
    #expect(ending.output.components(separatedBy: "Waiting for another").count == 2)
  }

  @Test func `ends at any other error, which it shows`() throws {
    let ending = try run(refusals: 1, reason: "Could not resolve the name.")
    #expect(ending.status == 1)
    #expect(ending.errors.contains("Could not resolve the name."))
    #expect(!(try folder.read("calls").contains("install")))
  }
}
