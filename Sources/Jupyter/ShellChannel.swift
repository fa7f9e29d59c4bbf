import CommandLanguage
import Foundation
import Synchronization

/// Answers the requests of the shell channel.
struct ShellChannel {
  private let publisher: Publisher
  private let runner: any CellRunner
  private let info: JSONValue
  private let ports: JSONValue
  private var history = CellHistory()
  /// The number of the last cell that was stored.
  private var count = 0
  /// Whether requests to run cells that are waiting are answered by `aborted`.
  var abortsQueue = false
  /// Whether the session has ended.
  private(set) var quits = false

  init(
    _ publisher: Publisher, _ runner: any CellRunner, info: JSONValue,
    ports: [ConnectionFile.Channel: Int]
  ) {
    (self.publisher, self.runner, self.info) = (publisher, runner, info)
    self.ports = .object(
      ports.map { .init("\($0.key.rawValue)_port", .integer($0.value)) }
        .sorted { $0.key < $1.key })
  }

  /// Carries a request out.
  ///
  /// - Parameter request: The request.
  /// - Returns: The content of the reply; nil where none is due.
  mutating func reply(to request: WireMessage) -> JSONValue? {
    let content = request.content
    switch request.type {
    case "kernel_info_request": return info
    case "execute_request": return execute(request)
    case "complete_request": return complete(content)
    case "inspect_request": return inspect(content)
    case "is_complete_request": return isComplete(content)
    case "history_request": return ["status": "ok", "history": history.entries(for: content)]
    case "comm_info_request": return ["status": "ok", "comms": [:]]
    case "connect_request":
      guard case .object(let members) = ports else { return nil }
      return .object([.init("status", "ok")] + members)
    case "shutdown_request":
      quits = true
      return ["status": "ok", "restart": .bool(content.flag("restart", default: false))]
    case "comm_open":
      // The kernel knows no target, which a client learns so.
      publisher.publish(
        "comm_close", ["comm_id": content["comm_id"] ?? "", "data": [:]],
        parent: request.rawHeader)
      return nil
    default: return nil
    }
  }

  // MARK: - Running

  private mutating func execute(_ request: WireMessage) -> JSONValue {
    let content = request.content
    guard !abortsQueue else {
      return ["status": "aborted", "execution_count": .integer(count)]
    }
    guard let code = content.string("code") else {
      return Self.error(
        name: "wrong-value", message: "the request has no text \"code\"", lines: [], count)
    }
    let isSilent = content.flag("silent", default: false)
    let isStored = !isSilent && content.flag("store_history", default: true)
    let cell = Cell(code: code, number: count + 1)
    if isStored { count += 1 }
    let parent = request.rawHeader
    let said = Mutex("")
    if !isSilent {
      publisher.publish(
        "execute_input", ["code": .string(code), "execution_count": .integer(cell.number)],
        parent: parent)
    }
    let ending = runner.run(cell) { [publisher] output in
      guard !isSilent else { return }
      said.withLock { $0 += output.plainText }
      publisher.publish(output, of: cell, parent: parent)
    }
    if isStored {
      let output = said.withLock(\.self)
      history.add(cell, output: output.isEmpty ? nil : output)
    }
    switch ending {
    case .failed(let name, let message, let lines):
      abortsQueue = content.flag("stop_on_error", default: true)
      if !isSilent {
        publisher.publish("error", Self.fault(name, message, lines), parent: parent)
      }
      return Self.error(name: name, message: message, lines: lines, cell.number)
    case .finished(let pages, let next, let ends):
      quits = ends
      return [
        "status": "ok", "execution_count": .integer(cell.number),
        "user_expressions": values(content["user_expressions"]),
        "payload": .array(Self.payload(pages, next, ends)),
      ]
    }
  }

  private static func payload(_ pages: [String], _ next: String?, _ ends: Bool) -> [JSONValue] {
    pages.map { ["source": "page", "data": ["text/plain": .string($0)], "start": 0] }
      + (next.map { [["source": "set_next_input", "text": .string($0), "replace": false]] } ?? [])
      + (ends ? [["source": "ask_exit", "keepkernel": false]] : [])
  }

  private static func fault(_ name: String, _ message: String, _ lines: [String]) -> JSONValue {
    [
      "ename": .string(name), "evalue": .string(message),
      "traceback": .list(lines) { .string($0) },
    ]
  }

  private static func error(
    name: String, message: String, lines: [String], _ count: Int
  ) -> JSONValue {
    [
      "status": "error", "ename": .string(name), "evalue": .string(message),
      "traceback": .list(lines) { .string($0) }, "execution_count": .integer(count),
      "user_expressions": [:], "payload": [],
    ]
  }

  /// The values of expressions, by the names under which they were asked for.
  private func values(_ expressions: JSONValue?) -> JSONValue {
    guard case .object(let members)? = expressions else { return [:] }
    return .object(
      members.map { member in
        guard case .string(let expression) = member.value else {
          return .init(
            member.key,
            .object(
              [.init("status", "error")]
                + Self.members(Self.fault("wrong-value", "an expression is a text", []))))
        }
        switch runner.value(of: expression) {
        case .success(let bundle):
          return .init(member.key, .object([.init("status", "ok")] + bundle.content))
        case .failure(let error):
          let fault = Self.fault(error.code.rawValue, error.summary, error.rendered)
          return .init(member.key, .object([.init("status", "error")] + Self.members(fault)))
        }
      })
  }

  private static func members(_ value: JSONValue) -> [JSONValue.Member] {
    if case .object(let members) = value { members } else { [] }
  }

  // MARK: - Questions about a cell

  /// The code and the cursor of a request; nil where the code is missing.
  private func place(_ content: JSONValue) -> (code: String, position: Int)? {
    guard let code = content.string("code") else { return nil }
    let length = code.unicodeScalars.count
    return (code, min(max(content.integer("cursor_pos") ?? length, 0), length))
  }

  private func complete(_ content: JSONValue) -> JSONValue {
    let (code, position) = place(content) ?? ("", 0)
    let completion = runner.completion(of: code, at: position)
    let (start, end) = (JSONValue.integer(completion.start), JSONValue.integer(completion.end))
    return [
      "status": "ok", "matches": .list(completion.matches) { .string($0.text) },
      "cursor_start": start, "cursor_end": end,
      "metadata": [
        "_jupyter_types_experimental": .list(completion.matches) {
          [
            "text": .string($0.text), "start": start, "end": end, "type": "",
            "signature": .string($0.description),
          ]
        }
      ],
    ]
  }

  private func inspect(_ content: JSONValue) -> JSONValue {
    let (code, position) = place(content) ?? ("", 0)
    let isDetailed = (content.integer("detail_level") ?? 0) > 0
    let found = runner.inspection(of: code, at: position, isDetailed: isDetailed)
    return .object(
      [.init("status", "ok"), .init("found", .bool(found != nil))]
        + (found?.content ?? [.init("data", [:]), .init("metadata", [:])]))
  }

  private func isComplete(_ content: JSONValue) -> JSONValue {
    switch runner.completeness(of: content.string("code") ?? "") {
    case .complete: ["status": "complete"]
    case .incomplete(let indent): ["status": "incomplete", "indent": .string(indent)]
    case .invalid: ["status": "invalid"]
    }
  }
}

extension CellOutput {
  /// The plain form, for the history.
  fileprivate var plainText: String {
    switch self {
    case .text(let text, .stdout): return text
    case .display(let bundle), .result(let bundle):
      guard case .string(let text)? = bundle.data.first?.value else { return "" }
      return text + "\n"
    case .text(_, .stderr), .changing, .update, .clear: return ""
    }
  }
}

extension Publisher {
  /// Publishes a piece of a cell's output.
  fileprivate func publish(_ output: CellOutput, of cell: Cell, parent: [UInt8]) {
    func display(_ type: String, _ bundle: MimeBundle, _ others: [JSONValue.Member] = []) {
      publish(type, .object(bundle.content + others), parent: parent)
    }
    func transient(_ id: String) -> [JSONValue.Member] {
      [.init("transient", ["display_id": .string(id)])]
    }
    switch output {
    case .text(let text, let stream):
      publish(
        "stream", ["name": .string(stream.rawValue), "text": .string(text)], parent: parent)
    case .display(let bundle): display("display_data", bundle)
    case .changing(let bundle, let id): display("display_data", bundle, transient(id))
    case .update(let bundle, let id): display("update_display_data", bundle, transient(id))
    case .result(let bundle):
      display("execute_result", bundle, [.init("execution_count", .integer(cell.number))])
    case .clear: publish("clear_output", ["wait": true], parent: parent)
    }
  }
}
