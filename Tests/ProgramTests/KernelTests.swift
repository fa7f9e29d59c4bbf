import CommandLanguage
import Foundation
import Jupyter
import TestSupport
import Testing

/// `backflow kernel`, as a notebook's client sees it.
@Suite(.serialized)
struct `A Jupyter kernel` {
  let folder: Folder
  let client: NotebookClient

  init() throws {
    folder = try Folder()
    client = try NotebookClient(in: folder)
  }

  private static let slices = "phantom size=32 slices=3\nnoise gaussian sigma=40HU"

  @Test func `says what it is, and its heart beats`() throws {
    let info = try client.ask("kernel_info_request")
    #expect(info.word("status") == "ok" && info.word("protocol_version") == "5.3")
    #expect(info["language_info"]?.word("name") == "backflow")
    #expect(info["language_info"]?.word("file_extension") == ".session")
    #expect(client.beats())
    let control = client.send("kernel_info_request", on: .control)
    #expect(try client.answer(to: control, on: .control).reply == info)
  }

  @Test func `shows text, tables and pictures in order`() throws {
    let answer = try client.run(
      """
      # Slices \\
      phantom size=32 \\
        slices=3
      let text = "hello, world"
      history
      view clean[1]
      hist clean
      noise gaussian sigma=40HU
      net preset article-part1
      net show
      """)
    #expect(answer.status == "ok", "\(answer.reply.text)")
    #expect(answer.states == ["busy", "idle"])
    #expect(
      answer.lastingKinds == [
        "execute_input", "stream", "stream", "display_data", "display_data", "stream", "stream",
        "execute_result", "stream",
      ], "\(answer.kinds) \(answer.text)")
    let data = answer.lasting.map { $0.content["data"] ?? [:] }
    #expect(answer.text.contains("hello, world"))
    let png = try #require(Data(base64Encoded: data[3].word("image/png")))
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(data[3].word("text/plain").hasPrefix("[png clean-1.png 32x32 gray8 px:"))
    #expect(data[4].word("image/svg+xml").contains("<svg"))
    #expect(data[4].word("text/plain").contains("\n"), "the statistics are the text of a figure")
    #expect(data[7].word("text/html").hasPrefix("<table>"))
    #expect(data[7].word("text/plain").contains("c1"))
    #expect(!folder.exists("clean-1.png"), "pictures are in the notebook alone")
  }

  @Test func `takes a pasted transcript, of which only commands run`() throws {
    let answer = try client.run("> phantom size=16 slices=2\nclean  [2,1,16,16]\n> stats clean[0]")
    #expect(answer.status == "ok" && answer.text.contains("clean[0]"), "\(answer.text)")
  }

  @Test func `points at an error, names the cure, and runs nothing after it`() throws {
    let answer = try client.run("phantom size=16 slices=2\nstats cleen[0]\nlet after = 1")
    #expect(answer.status == "error" && answer.states == ["busy", "idle"])
    let lines = (answer.reply["traceback"] ?? []).words
    #expect(lines.count == 3 && lines[1].contains("^~"))
    #expect(lines.last?.contains("did you mean \"clean\"?") == true, "\(lines)")
    #expect(answer.outputs.last?.type == "error")
    #expect(answer.outputs.last?.content["traceback"]?.words == lines)
    #expect(try client.run("expect $after > 0").status == "error")
    let wrong = try client.run("nonsense")
    #expect(wrong.kinds == ["execute_input", "error"])
  }

  @Test func `aborts cells that were sent with one that fails, and is idle after each`() throws {
    let ids = ["let a = 1", "nonsense", "let b = 1", "let c = 1"].map { client.sendCell($0) }
    let question = client.send("complete_request", ["code": "pha", "cursor_pos": 3])
    let answers = try ids.map { try client.answer(to: $0) }
    #expect(answers.map(\.status) == ["ok", "error", "aborted", "aborted"])
    #expect(answers.allSatisfy { $0.states == ["busy", "idle"] })
    #expect(try client.answer(to: question).reply["matches"]?.words == ["phantom"])
    #expect(try client.run("let d = $b").status == "error")
    let going = [("nonsense", false), ("let e = 1", true)].map {
      client.sendCell($0.0, [.init("stop_on_error", .bool($0.1))])
    }
    #expect(try going.map { try client.answer(to: $0).status } == ["error", "ok"])
  }

  @Test func `runs silently, keeps or leaves out of its history, and gives values`() throws {
    let silent = try client.run(Self.slices, [.init("silent", true)])
    #expect(silent.outputs.isEmpty && silent.reply["execution_count"] == 1)
    let hidden = try client.run("let a = 1", [.init("store_history", false)])
    #expect(hidden.kinds == ["execute_input"])
    let stored = try client.run(
      "stats clean[1]",
      [.init("user_expressions", ["x": "clean[1]", "y": "cleen", "z": "clean\nlet b = 1"])])
    #expect(stored.reply["execution_count"] == 1)
    let values = try #require(stored.reply["user_expressions"])
    #expect(values["x"]?["data"]?["text/plain"]?.isText(stored.text) == true)
    #expect(values["x"]?["data"]?["application/json"]?["shape"] != nil, "\(values.text)")
    #expect(values["y"]?.word("status") == "error" && values["z"]?.word("status") == "error")
    let history = try client.ask(
      "history_request", ["hist_access_type": "tail", "n": 5, "output": false, "raw": true])
    #expect(history["history"] == [[1, 1, "stats clean[1]"]])
  }

  @Test func `completes and explains by position, from the table`() throws {
    _ = try client.run(Self.slices)
    func matches(_ code: String, _ position: Int) throws -> ([String], Int?) {
      let reply = try client.ask(
        "complete_request", ["code": .string(code), "cursor_pos": .integer(position)])
      guard case .integer(let start)? = reply["cursor_start"] else { return ([], nil) }
      return ((reply["matches"] ?? []).words, start)
    }
    #expect(try matches("let ä = \"𝄞\"\nstats cle", 21) == (["clean"], 18))
    #expect(try matches("noise gau sigma=1", 9) == (["gaussian"], 6))
    #expect(try matches("> noise \\\n>  gaussian si", 24) == (["sigma="], 22))
    #expect(try matches("train sched", 11).0.contains("schedule=") == false)
    func explains(_ code: String, _ position: Int) throws -> String {
      let reply = try client.ask(
        "inspect_request",
        ["code": .string(code), "cursor_pos": .integer(position), "detail_level": 0])
      return reply["found"] == true ? reply["data"]?.word("text/plain") ?? "" : "nothing"
    }
    #expect(try explains("phantom\nview clean[1]", 16).hasPrefix("clean[1]"))
    #expect(try explains("noise gaussian sigma=40HU", 18).hasPrefix("sigma: "))
    #expect(try explains("noise gaussian sigma=40HU", 3).contains("noise gaussian [sigma="))
    #expect(try explains("nonsense", 3) == "nothing")
  }

  @Test(arguments: [
    ("let a = 1", "complete"), ("", "complete"), ("# only \\", "complete"),
    ("phantom \\", "incomplete"), ("let a = \"b", "incomplete"),
    ("view clean[1,", "incomplete"), ("let a = 1\nnonsense", "invalid"),
    ("phantom sise=3", "invalid"), ("let a = \"b\nphantom", "invalid"),
  ])
  func `tells whether a cell is complete`(code: String, status: String) throws {
    #expect(try client.ask("is_complete_request", ["code": .string(code)]).word("status") == status)
  }

  @Test func `answers requests that it does not know as clients expect`() throws {
    let comm = client.send("comm_open", ["comm_id": "c", "target_name": "widget", "data": [:]])
    let answer = try client.answer(to: comm, replies: false)
    #expect(answer.kinds == ["comm_close"] && answer.states == ["busy", "idle"])
    let unknown = client.send("dance_request")
    #expect(try client.answer(to: unknown, replies: false).states == ["busy", "idle"])
    #expect(try client.ask("comm_info_request")["comms"] == [:])
    #expect(try client.ask("connect_request")["hb_port"] != nil)
    #expect(try client.ask("execute_request").word("status") == "error")
    let page = try client.run("help view").reply["payload"]
    #expect(page?.value(at: "0.source") == "page")
    #expect(try client.run("demo").reply["payload"]?.value(at: "0.source") == "set_next_input")
  }

  private static let training = """
    phantom size=64 slices=2
    noise gaussian sigma=40HU
    block channels=8
    conv
    """

  @Test(arguments: [true, false])
  func `stops a training after its step, by message or by signal, and goes on`(
    byMessage: Bool
  ) throws {
    _ = try client.run(Self.training)
    let training = client.sendCell("train epochs=1000000 batch=1\nlet after = 1")
    try client.wait(for: "update_display_data", of: training, number: 2)
    if byMessage {
      let id = client.send("interrupt_request", on: .control)
      #expect(try client.answer(to: id, on: .control).status == "ok")
    } else {
      client.interrupt()
    }
    let answer = try client.answer(to: training)
    #expect(answer.status == "error" && answer.reply.word("ename") == "interrupted")
    #expect(answer.states == ["busy", "idle"])
    #expect(answer.text.contains("stopped after step"), "\(answer.text)")
    // One display, drawn anew, and then replaced by what the training says.
    let drawn = answer.outputs.filter { $0.type == "display_data" }
      .compactMap { $0.content["transient"]?.word("display_id") }
    #expect(drawn.count == 1, "remarks are displays of their own, without an id")
    #expect(answer.kinds.contains("clear_output"))
    let display = try #require(answer.outputs.first { $0.type == "display_data" })
    #expect(display.content["data"]?.word("text/html").contains("<progress") == true)
    let ids = Set(answer.outputs.compactMap { $0.content["transient"]?.word("display_id") })
    #expect(ids.count == 1)
    #expect(try client.run("expect $after > 0").status == "error")
    #expect(try client.run("stats c1.weight").status == "ok")
    let saved = try client.run("session save stopped")
    #expect(saved.status == "ok" && folder.exists("stopped.ledger"))
    #expect(try folder.read("stopped.session").contains(/> train .*steps=\d+/))
  }

  @Test func `leaves nothing behind when it is shut down, and none waits for a long cell`() throws {
    _ = try client.run(Self.training + "\nview clean[0]")
    _ = client.sendCell("train epochs=1000000 batch=1")
    let id = client.send("shutdown_request", ["restart": true], on: .control)
    let reply = try client.answer(to: id, on: .control).reply
    #expect(reply.word("status") == "ok" && reply["restart"] == true)
    #expect(client.ending() == 0)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("temporary"))
    #expect(left.isEmpty, "\(left)")
  }

  @Test func `takes no message that is damaged, signed otherwise, or sent again`() throws {
    var dice = Dice(seed: 26)
    let other = MessageSigner(key: Array("another key".utf8))
    for count in 0..<10_000 {
      let code = JSONValue.string("let taken = \(count)")
      let (_, good) = client.frames("execute_request", ["code": code])
      // The delimiter, the signature and four parts.
      var frames = good
      switch dice.next(6) {
      case 0:
        frames = WireMessage.frames(
          header: ["msg_id": "x", "msg_type": "execute_request"], parent: Array("{}".utf8),
          content: ["code": code], to: [], other)
      case 1: frames.removeLast(1 + dice.next(frames.count))
      case 2: frames[1] = []
      case 3: frames[2 + dice.next(4)] += [UInt8(dice.next(256))]
      case 4:
        let part = 1 + dice.next(5)
        frames[part][dice.next(frames[part].count)] ^= UInt8(1 + dice.next(255))
      default:
        frames = (0..<dice.next(12)).map { _ in
          (0..<dice.next(40)).map { _ in UInt8(dice.next(256)) }
        }
      }
      client.send(raw: frames, on: dice.next(4) == 0 ? .control : .shell)
    }
    let (id, again) = client.frames("execute_request", ["code": "let once = 1\nlet n = $n"])
    for _ in 0..<50 { client.send(raw: again) }
    client.send(raw: again, on: .control)
    #expect(try client.answer(to: id).status == "error")
    #expect(try client.run("expect $taken >= 0").status == "error")
    let history = try client.ask("history_request", ["hist_access_type": "range"])
    #expect(
      history["history"]?.value(at: "1.1") == 2 && history["history"]?.value(at: "2") == nil)
    #expect(client.beats())
  }

  @Test func `a copy on the channel of control keeps no request from the shell`() throws {
    let (id, request) = client.frames("execute_request", ["code": "let once = 1"])
    client.send(raw: request, on: .control)
    let asked = client.send("kernel_info_request", on: .control)
    #expect(try client.answer(to: asked, on: .control).reply.word("status") == "ok")
    #expect(try client.run("expect $once >= 0").status == "error", "control runs nothing")
    for _ in 0..<2 { client.send(raw: request) }
    #expect(try client.answer(to: id).status == "ok")
    let history = try client.ask("history_request", ["hist_access_type": "range"])
    #expect(history["history"]?.value(at: "1.1") == 2 && history["history"]?.value(at: "2") == nil)
  }

  @Test func `draws the network with the place in an open pass`() throws {
    let start = try client.run(
      Self.slices + "\nconv channels=2 act=relu\nconv\nforward noisy[1]\nstep")
    #expect(start.outputs.last?.content["data"]?.word("text/html").contains("<table>") == true)
    let place = try client.run("where")
    let data = try #require(place.outputs.last?.content["data"])
    let html = data.word("text/html")
    #expect(html.hasPrefix("<div><svg") && html.contains("here") && html.contains("<table>"))
    #expect(data.word("text/plain").contains("▶") && !data.word("text/plain").contains("<svg"))
    // Typed numbers have no network.
    let typed = try client.run("finish\ntensor a = 2\ntensor b = a*a\nbackward b\nwhere")
    #expect(typed.outputs.last?.content["data"]?.word("text/html").contains("<svg") == false)
  }

  @Test func `ends with the session`() throws {
    let answer = try client.run("quit")
    #expect(answer.states == ["busy", "idle"])
    #expect(answer.reply["payload"]?.value(at: "0.source") == "ask_exit")
    #expect(client.ending() == 0)
  }

  @Test func `sorts out what has the right signature but is no request`() throws {
    let signer = MessageSigner(key: Array("a key".utf8))
    for (header, content) in [
      ("[]", "{}"), ("{", "{}"), ("{\"msg_id\":\"a\"}", "{}"),
      ("{\"msg_id\":\"a\",\"msg_type\":7}", "{}"),
      ("{\"msg_id\":\"a\",\"msg_type\":\"execute_request\"}", "\u{FF}"),
      (String(repeating: "[", count: 100_000), "{}"),
    ] {
      client.send(raw: signer.frames(header: header, content: content))
    }
    for content in ["[]", "{\"code\":7}", "{\"code\":null,\"silent\":3}", "{\"cursor_pos\":-9}"] {
      for type in ["execute", "complete", "inspect", "is_complete", "history"] {
        let header = "{\"msg_id\":\"\(type) \(content)\",\"msg_type\":\"\(type)_request\"}"
        client.send(raw: signer.frames(header: header, content: content))
      }
    }
    #expect(try client.run("let a = 1").status == "ok")
  }

  @Test func `leaves the tensors of a session as they are at the prompt`() throws {
    let lines = [
      "phantom size=32 slices=3", "noise gaussian sigma=40HU", "block channels=2", "conv",
      "train steps=3", "forward noisy[1]", "step 3", "finish", "view denoised[1]",
    ]
    _ = try client.run(lines.prefix(3).joined(separator: "\n"))
    for line in lines.dropFirst(3) { #expect(try client.run(line).status == "ok", "\(line)") }
    #expect(try client.run("session save here").status == "ok")
    let other = try Folder()
    #expect(try other.run(lines + ["session save here"], "--out", ".").status == 0)
    for name in ["here.session", "here.ledger"] {
      let texts = try [folder, other].map { try $0.read(name).replacing(/<[^>]*>/, with: "<>") }
      #expect(texts[0] == texts[1], "\(name)")
    }
  }
}

extension JSONValue {
  /// Whether a text begins as another, without its end of the line.
  fileprivate func isText(_ text: String) -> Bool {
    self == .string(text.trimmingCharacters(in: .newlines))
  }
}

extension MessageSigner {
  /// The frames of a message of these texts.
  fileprivate func frames(header: String, content: String) -> [[UInt8]] {
    let parts = [header, "{}", "{}", content].map { Array($0.utf8) }
    return [Array("<IDS|MSG>".utf8), signature(of: parts)] + parts
  }
}
