import Foundation
import Testing

/// A prompt under more than a person types.
@Suite(.serialized, .enabled(if: Terminal.isAvailable))
struct `The prompt under load` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test func `loses no line of history when two write at once`() throws {
    let prompts = try (0..<2).map { _ in try Terminal(in: folder) }
    for prompt in prompts { try prompt.wait(for: "\n> ") }
    for block in 0..<20 {
      for (index, prompt) in prompts.enumerated() {
        let lines = (0..<25).map { "let p\(index)n\(block * 25 + $0) = 1\n" }.joined()
        try prompt.press("\u{1B}[200~\(lines)\u{1B}[201~".utf8)
      }
    }
    for (index, prompt) in prompts.enumerated() {
      try prompt.type("help $p\(index)n499\r", until: "no help on \"1\"")
      #expect(try prompt.leave() == 0)
    }
    let lines = try folder.read("state/backflow/history").split(separator: "\n").map(String.init)
    let wanted = (0..<2).flatMap { index in (0..<500).map { "let p\(index)n\($0) = 1" } }
    #expect(Set(wanted).subtracting(lines) == [])
    #expect(lines.count == 1002)
  }
}
