import CommandLanguage
import Foundation
import Jupyter
import Testing

/// A client of the kernel, over libzmq.
final class NotebookClient {
  /// What a request gave.
  struct Answer {
    let reply: JSONValue
    /// The messages to all clients that belong to the request, without its states.
    let outputs: [WireMessage]
    /// `busy` and `idle`, in the order in which they came.
    let states: [String]

    var status: String { reply.word("status") }
    var kinds: [String] { outputs.map(\.type) }

    /// The outputs that stay: of a display that is updated in place, as the progress of what takes long is,
    /// the last update, at the place of the text that it ends with.
    var lasting: [WireMessage] {
      func id(_ message: WireMessage) -> JSONValue? { message.content["transient"]?["display_id"] }
      return outputs.enumerated().filter { index, message in
        guard let display = id(message) else { return true }
        return !outputs.dropFirst(index + 1).contains { id($0) == display }
      }.map(\.element)
    }
    var lastingKinds: [String] {
      lasting.map { $0.type == "update_display_data" ? "stream" : $0.type }
    }
    /// The text of the outputs: streams, and the plain form of the rest.
    var text: String {
      outputs.map { message in
        let data = message.content["data"]
        guard case .string(let text)? = message.content["text"] ?? data?["text/plain"] else {
          return ""
        }
        return message.type == "stream" ? text : text + "\n"
      }.joined()
    }
  }

  let folder: Folder
  private let process = Process()
  private let context = SocketContext()
  private let sockets: [ConnectionFile.Channel: Socket]
  private let signer: MessageSigner
  private var seen = SeenSignatures()
  private var count = 0
  /// Messages to all clients that were not asked for yet, by the request they belong to.
  private var published: [String: [WireMessage]] = [:]
  private var replies: [String: WireMessage] = [:]

  /// Starts a kernel in `folder` and waits for its first answer.
  init(in folder: Folder, key: String = "a key") throws {
    self.folder = folder
    let address = folder.path("k")
    var connection: [JSONValue.Member] = [
      .init("transport", "ipc"), .init("ip", .string(address)), .init("key", .string(key)),
      .init("signature_scheme", "hmac-sha256"),
    ]
    for (index, channel) in ConnectionFile.Channel.allCases.enumerated() {
      connection.append(.init("\(channel.rawValue)_port", .integer(index + 1)))
    }
    try folder.write(JSONValue.object(connection).text, to: "connection.json")
    signer = MessageSigner(key: Array(key.utf8))
    let file = try ConnectionFile(path: folder.path("connection.json"))
    var sockets: [ConnectionFile.Channel: Socket] = [:]
    for (channel, kind) in [
      (ConnectionFile.Channel.shell, Socket.Kind.dealer), (.control, .dealer),
      (.iopub, .subscribe), (.heartbeat, .request),
    ] {
      let socket = Socket(context, kind)
      try socket.connect(file.endpoints[channel] ?? "")
      sockets[channel] = socket
    }
    self.sockets = sockets
    process.executableURL = URL(filePath: Program.path)
    process.arguments = ["kernel", "--connection-file", folder.path("connection.json")]
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["XDG_STATE_HOME": folder.path("state"), "TMPDIR": folder.path("temporary")]
    ) { $1 }
    try FileManager.default.createDirectory(
      atPath: folder.path("temporary"), withIntermediateDirectories: true)
    process.standardError = try FileHandle.null(folder)
    try process.run()
    // Whoever subscribes is welcomed, after which nothing is lost.
    while true {
      let message = try receive(.iopub)
      if message.type == "iopub_welcome" { break }
    }
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    for socket in sockets.values { socket.close() }
    context.end()
  }

  // MARK: - Requests

  /// Sends frames as they are.
  func send(raw frames: [[UInt8]], on channel: ConnectionFile.Channel = .shell) {
    sockets[channel]?.send(frames)
  }

  /// The frames of a request with an id of its own.
  func frames(_ type: String, _ content: JSONValue = [:]) -> (id: String, frames: [[UInt8]]) {
    count += 1
    let id = "request-\(count)"
    let header: JSONValue = [
      "msg_id": .string(id), "session": "test", "username": "test",
      "date": "2026-01-01T00:00:00Z", "msg_type": .string(type), "version": "5.3",
    ]
    return (
      id,
      WireMessage.frames(
        header: header, parent: Array("{}".utf8), content: content, to: [], signer)
    )
  }

  /// Sends a request; returns its id.
  func send(
    _ type: String, _ content: JSONValue = [:], on channel: ConnectionFile.Channel = .shell
  ) -> String {
    let (id, frames) = frames(type, content)
    send(raw: frames, on: channel)
    return id
  }

  /// Sends a request to run code.
  func sendCell(_ code: String, _ options: [JSONValue.Member] = []) -> String {
    send("execute_request", .object([.init("code", .string(code))] + options))
  }

  /// Waits until a request has its reply, if one is due, and is idle.
  func answer(
    to id: String, on channel: ConnectionFile.Channel = .shell, replies isDue: Bool = true
  ) throws -> Answer {
    while isDue, replies[id] == nil {
      let reply = try receive(channel)
      replies[reply.parentHeader.word("msg_id")] = reply
    }
    while !(published[id] ?? []).contains(where: \.isIdle) { try take() }
    let messages = published.removeValue(forKey: id) ?? []
    let states = messages.filter { $0.type == "status" }
      .map { $0.content.word("execution_state") }
    return Answer(
      reply: replies.removeValue(forKey: id)?.content ?? [:],
      outputs: messages.filter { $0.type != "status" }, states: states)
  }

  /// Runs code, and waits for its end.
  func run(_ code: String, _ options: [JSONValue.Member] = []) throws -> Answer {
    try answer(to: sendCell(code, options))
  }

  /// Asks a question on the shell channel.
  func ask(_ type: String, _ content: JSONValue = [:]) throws -> JSONValue {
    try answer(to: send(type, content)).reply
  }

  /// Takes messages to all clients until one of a request is of this kind.
  func wait(for type: String, of id: String, number: Int = 1) throws {
    while (published[id] ?? []).count(where: { $0.type == type }) < number { try take() }
  }

  private func take() throws {
    let message = try receive(.iopub)
    published[message.parentHeader.word("msg_id"), default: []].append(message)
  }

  private func receive(_ channel: ConnectionFile.Channel) throws -> WireMessage {
    let socket = try #require(sockets[channel])
    for _ in 0..<600 {
      if case .message(let frames) = socket.receive(within: 100) {
        return try WireMessage(frames, signer, &seen)
      }
      guard process.isRunning else { throw Program.Failure("the kernel is gone") }
    }
    throw Program.Failure("nothing came on \(channel)")
  }

  // MARK: - The process

  /// Whether the heartbeat comes back.
  func beats() -> Bool {
    let socket = sockets[.heartbeat]
    socket?.send([[7, 8, 9]])
    return socket?.receive(within: 20_000) == .message([[7, 8, 9]])
  }

  /// Presses Ctrl-C.
  func interrupt() { kill(process.processIdentifier, SIGINT) }

  var isRunning: Bool { process.isRunning }

  /// Waits for the end of the kernel.
  func ending() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }
}

extension FileHandle {
  /// A file for what the kernel says to its operator.
  fileprivate static func null(_ folder: Folder) throws -> FileHandle {
    try folder.write("", to: "errors.txt")
    return try FileHandle(forWritingTo: folder.url.appending(path: "errors.txt"))
  }
}

extension WireMessage {
  fileprivate var isIdle: Bool {
    type == "status" && content.word("execution_state") == "idle"
  }
}

extension JSONValue {
  /// The text of a key; empty where there is none.
  func word(_ key: String) -> String {
    if case .string(let text)? = self[key] { text } else { "" }
  }

  /// The texts in a list.
  var words: [String] {
    guard case .array(let values) = self else { return [] }
    return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }
}
