import CommandLanguage
import Foundation
import TestSupport
import Testing
import Transcripts

/// Random edits of the shipped sessions.
///
/// As many as BACKFLOW_EDITS asks for, from the seed BACKFLOW_SEED on: `make test-edit EDITS=500`.
struct `Random edits of shipped sessions` {
  /// Sessions that run in a moment and read no files beside them.
  private static let names = [
    "01-first-look", "course/01-one-neuron", "course/02-convolution-by-hand",
    "course/03-loss-and-gradient", "course/04-chain-rule-through-layers",
    "course/05-order-at-a-join", "course/08-adam-by-hand", "course/09-the-dilated-flow",
  ]
  private static let count = environment("BACKFLOW_EDITS") ?? 9
  private static let seed = environment("BACKFLOW_SEED") ?? 1
  /// The largest number of edits of one session in a row.
  private static let longestRun = 10

  private static func environment(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init)
  }

  /// Lines that may come into a session.
  private static let others = [
    "window mediastinum", "window bone", "view clean[1]", "view noisy[0]", "tensor extra = 3",
    "stats clean", "stats noisy", "noise gaussian sigma=60HU", "noise uniform width=50HU",
    "let unused = 1", "optimizer sgd lr=0.01", "loss mae", "flow dilated rate=0.05", "scale minmax",
    "split train=0.5 test=0.5 by=slice", "set seed=3", "set hints=no", "hist noisy", "net show",
    "baseline median", "evaluate", "train steps=1 batch=1", "forward noisy[0]", "finish", "undo",
    "expect 1 + 1 = 2", "fails view nothing", "net fork second", "net use second",
    "phantom size=32 slices=2", "crop slices=0..1", "denoise",
  ]

  private static let runs = (0..<(count + longestRun - 1) / longestRun).map { $0 }

  @Test(arguments: runs) func `leave what fresh runs leave`(run: Int) throws {
    var dice = Dice(seed: UInt64(Self.seed + run))
    let name = Self.names[(Self.seed + run) % Self.names.count]
    var lines = try Self.lines(of: name)
    let session = try Typed(lines)
    #expect(session.fault == nil, "\(name)")
    let edits = min(Self.longestRun, Self.count - run * Self.longestRun)
    for _ in 0..<edits {
      let (edit, edited) = Self.edit(of: lines, &dice)
      let fresh = try Typed(edited)
      let fault = try session.run(edit)
      let place = "\(name), seed \(Self.seed), run \(run): \(edit)"
      #expect((fault == nil) == (fresh.fault == nil), "\(place): \(fault ?? fresh.fault ?? "")")
      guard fault == nil, fresh.fault == nil else { continue }
      let (record, wanted) = (try session.record(), try fresh.record())
      #expect(record.session == wanted.session, "\(place)")
      #expect(record.ledger == wanted.ledger, "\(place)")
      if dice.next(3) == 0 {
        lines = edited
      } else {
        #expect(try session.run("undo") == nil, "\(place)")
      }
    }
  }

  /// The commands of a session, a line each.
  private static func lines(of name: String) throws -> [String] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = root.appending(path: "sessions/\(name).session").path
    return try SessionFile(path: path).entries.map { ContinuedLine.joined($0.command) }
  }

  /// A random edit, and the lines as it leaves them.
  private static func edit(
    of lines: [String], _ dice: inout Dice
  ) -> (edit: String, lines: [String]) {
    var edited = lines
    let index = dice.next(lines.count)
    let number = index + 1
    let other = dice.next(3) == 0 ? dice.pick(lines) : dice.pick(others)
    switch dice.next(5) {
    case 0:
      edited.insert(other, at: index)
      return ("edit \(number) before \(other)", edited)
    case 1:
      edited.remove(at: index)
      return ("edit \(number) delete", edited)
    case 2:
      edited[index] = other
      return ("edit \(number) \(other)", edited)
    default:
      // Another number in the line, or the line again.
      let digits = lines[index].indices.filter { ("1"..."8").contains(lines[index][$0]) }
      guard let place = digits.isEmpty ? nil : dice.pick(digits),
        let digit = lines[index][place].wholeNumberValue
      else { return ("edit \(number) \(lines[index])", edited) }
      edited[index].replaceSubrange(place...place, with: "\(digit + 1)")
      return ("edit \(number) \(edited[index])", edited)
    }
  }
}

/// A session of lines that a kernel runs.
private final class Typed {
  private let client: NotebookClient
  private let folder: Folder
  /// The fault of the first line that failed; nil if all ran.
  private(set) var fault: String?
  private var saved = 0

  init(_ lines: [String]) throws {
    folder = try Folder()
    client = try NotebookClient(in: folder)
    fault = try run(lines.joined(separator: "\n"))
  }

  /// Runs lines; returns the fault of the first that failed.
  func run(_ code: String) throws -> String? {
    let answer = try client.run(code)
    return answer.status == "ok" ? nil : answer.reply.text
  }

  /// The session and ledger so far, without what differs from run to run.
  func record() throws -> (session: String, ledger: String) {
    saved += 1
    if let fault = try run("session save it\(saved)") { throw Program.Failure(fault) }
    let session = try folder.read("it\(saved).session").replacing(/<[^>]*>/, with: "<>")
      .replacing(/\bit\d+\//, with: "it/")
    return (session, (try? folder.read("it\(saved).ledger")) ?? "")
  }
}
