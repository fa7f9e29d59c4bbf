import CommandLanguage
@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Makes and sends the messages of a kernel; messages to all clients may come from any thread.
final class Publisher: Sendable {
  /// Checks what comes from clients, and signs what goes there.
  private let signer: MessageSigner
  /// The signatures that came on each channel.
  private let seen = Mutex<[ConnectionFile.Channel: SeenSignatures]>([:])
  private let session = UUID().uuidString
  private let count = Atomic<Int>(0)
  /// Hands messages to the thread that sends them to all clients.
  private let outlet: Mutex<Socket>
  /// Signaled when that thread has sent all of them.
  private let hasEnded = DispatchSemaphore(value: 0)

  init(_ context: SocketContext, signer: MessageSigner) throws(KernelError) {
    self.signer = signer
    let socket = Socket(context, .push)
    try socket.connect(Self.inlet)
    outlet = Mutex(socket)
  }

  static let inlet = "inproc://iopub"

  /// The message with which ``serve(_:_:)`` ends.
  private static let end = [Array("end".utf8)]

  /// Passes what is published on to all clients, and welcomes those that subscribe, until
  /// ``close()``.
  func serve(_ inlet: Socket, _ clients: Socket) {
    while true {
      switch Socket.receive(fromAny: [inlet, clients]) {
      case (0, .message(Self.end)), (_, .ended):
        inlet.close()
        clients.close()
        hasEnded.signal()
        return
      case (0, .message(let frames)): clients.send(frames)
      case (1, .message(let frames)):
        // 1 and a topic subscribes, 0 and a topic ends that.
        guard let topic = frames.first, topic.first == 1 else { continue }
        let name = Array(topic.dropFirst())
        clients.send(
          self.frames(
            "iopub_welcome", ["subscription": .string(String(decoding: name, as: UTF8.self))],
            parent: WireMessage.none, to: [name]))
      default: continue
      }
    }
  }

  /// Reads a message of a client.
  ///
  /// A message is new once on each channel, since a copy on the channel of control would otherwise keep the
  /// shell, which is slower, from carrying it out.
  func read(
    _ frames: [[UInt8]], from channel: ConnectionFile.Channel
  ) throws(WireMessage.Fault) -> WireMessage {
    try seen.withLock { seen throws(WireMessage.Fault) in
      try WireMessage(frames, signer, &seen[channel, default: SeenSignatures()])
    }
  }

  /// Sends what is left to all clients, and ends.
  func close() {
    outlet.withLock { socket in
      socket.send(Self.end)
      socket.close()
    }
    hasEnded.wait()
  }

  /// Publishes to all clients.
  func publish(_ type: String, _ content: JSONValue, parent: [UInt8]) {
    let topic = Array("kernel.\(session).\(type)".utf8)
    let frames = frames(type, content, parent: parent, to: [topic])
    outlet.withLock { $0.send(frames) }
  }

  func publish(state: String, parent: [UInt8]) {
    publish("status", ["execution_state": .string(state)], parent: parent)
  }

  /// The frames of a new message.
  func frames(
    _ type: String, _ content: JSONValue, parent: [UInt8], to identities: [[UInt8]]
  ) -> [[UInt8]] {
    let number = count.add(1, ordering: .relaxed).newValue
    let date = Date().formatted(.iso8601.time(includingFractionalSeconds: true))
    let header: JSONValue = [
      "msg_id": .string("\(session)_\(number)"), "session": .string(session),
      "username": "backflow", "date": .string(date), "msg_type": .string(type), "version": "5.3",
    ]
    return WireMessage.frames(
      header: header, parent: parent, content: content, to: identities, signer)
  }
}

extension WireMessage {
  /// The parent's header of a message without a parent.
  static let none = Array("{}".utf8)
}
