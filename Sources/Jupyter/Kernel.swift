package import CommandLanguage
import Foundation
import Synchronization

/// A Jupyter kernel: takes requests from clients, and tells all of them what comes of it.
///
/// The heartbeat, the channel of control and the one to all clients have a thread each, so that a
/// long cell neither seems dead nor cannot be interrupted. Cells run on the thread that calls
/// ``serve(_:)``, one after the other.
///
/// Source: Jupyter's messaging protocol 5.3,
/// https://jupyter-client.readthedocs.io/en/stable/messaging.html.
package final class Kernel: Sendable {
  private let context: SocketContext
  private let connection: ConnectionFile
  private let publisher: Publisher
  /// The content of `kernel_info_reply`.
  private let info: JSONValue
  private let interrupt: @Sendable () -> Void
  private let log: @Sendable (String) -> Void
  /// Whether the kernel was told to end.
  private let ends = Atomic<Bool>(false)
  private let refused = Atomic<Int>(0)

  /// The sockets on which requests arrive and the wake of the control thread.
  private let (shell, control, stdin, wake): (Socket, Socket, Socket, Socket)
  /// Whether a client that started the kernel is still there.
  private let isWanted: @Sendable () -> Bool

  /// Opens the channels.
  ///
  /// - Parameters:
  ///   - connection: The addresses and the key.
  ///   - info: The content of `kernel_info_reply`, without its status.
  ///   - interrupt: Asks the running cell to stop.
  ///   - isWanted: Whether the program that started the kernel is still there.
  ///   - log: Takes remarks for the operator.
  /// - Throws: `KernelError` when an address is taken.
  package init(
    _ connection: ConnectionFile, info: [JSONValue.Member],
    interrupt: @escaping @Sendable () -> Void,
    isWanted: @escaping @Sendable () -> Bool, log: @escaping @Sendable (String) -> Void
  ) throws(KernelError) {
    self.connection = connection
    self.info = .object([.init("status", "ok"), .init("protocol_version", "5.3")] + info)
    (self.interrupt, self.isWanted, self.log) = (interrupt, isWanted, log)
    let context = SocketContext()
    self.context = context
    func bound(_ kind: Socket.Kind, _ endpoint: String?) throws(KernelError) -> Socket {
      let socket = Socket(context, kind)
      try socket.bind(endpoint ?? "")
      return socket
    }
    let inlet = try bound(.pull, Publisher.inlet)
    let clients = try bound(.publish, connection.endpoints[.iopub])
    let heartbeat = try bound(.reply, connection.endpoints[.heartbeat])
    wake = try bound(.pull, Self.waker)
    shell = try bound(.router, connection.endpoints[.shell])
    control = try bound(.router, connection.endpoints[.control])
    stdin = try bound(.router, connection.endpoints[.stdin])
    publisher = try Publisher(context, signer: MessageSigner(key: connection.key))
    let publisher = publisher
    Thread.detachNewThread { publisher.serve(inlet, clients) }
    Thread.detachNewThread {
      while true {
        switch heartbeat.receive() {
        case .message(let frames): heartbeat.send(frames)
        case .none: continue
        case .ended: return heartbeat.close()
        }
      }
    }
  }

  private static let waker = "inproc://wake"

  /// Runs until a client ends the kernel, or a cell does.
  package func serve(_ runner: any CellRunner) {
    publisher.publish(state: "starting", parent: WireMessage.none)
    let waker = Socket(context, .push)
    try? waker.connect(Self.waker)
    Thread.detachNewThread { [self] in serveControl(waker) }
    var shellChannel = ShellChannel(publisher, runner, info: info, ports: connection.ports)
    while !ends.load(ordering: .acquiring) {
      guard case (1, .message(let frames)) = Socket.receive(fromAny: [wake, shell]),
        !ends.load(ordering: .acquiring), let request = read(frames, from: .shell)
      else { continue }
      for follower in handle(request, &shellChannel) { _ = handle(follower, &shellChannel) }
      shellChannel.abortsQueue = false
    }
    publisher.close()
    shell.close()
    stdin.close()
    wake.close()
    context.shutDown()
    context.end()
  }

  /// The milliseconds within which the next of several cells sent together arrives.
  private static let abortWait = 20

  /// Carries a request out; returns those that were sent together with a cell that failed, before
  /// its client knew of that.
  private func handle(_ request: WireMessage, _ channel: inout ShellChannel) -> [WireMessage] {
    publisher.publish(state: "busy", parent: request.rawHeader)
    let aborted = channel.abortsQueue
    let reply = channel.reply(to: request)
    var followers: [WireMessage] = []
    if channel.abortsQueue, !aborted {
      while case .message(let frames) = shell.receive(within: Self.abortWait) {
        if let follower = read(frames, from: .shell) { followers.append(follower) }
      }
    }
    if let reply { send(reply, to: request, on: shell) }
    publisher.publish(state: "idle", parent: request.rawHeader)
    if channel.quits { ends.store(true, ordering: .releasing) }
    return followers
  }

  /// Answers requests of control until the kernel ends.
  private func serveControl(_ waker: Socket) {
    defer {
      control.close()
      waker.close()
    }
    while true {
      switch control.receive(within: 1000) {
      case .ended: return
      case .none:
        guard !isWanted() else { continue }
        stop(waker)
      case .message(let frames):
        guard let request = read(frames, from: .control) else { continue }
        publisher.publish(state: "busy", parent: request.rawHeader)
        if let reply = controlReply(to: request) { send(reply, to: request, on: control) }
        publisher.publish(state: "idle", parent: request.rawHeader)
        if request.type == "shutdown_request" { stop(waker) }
      }
    }
  }

  private func controlReply(to request: WireMessage) -> JSONValue? {
    switch request.type {
    case "kernel_info_request": return info
    case "interrupt_request":
      interrupt()
      return ["status": "ok"]
    case "shutdown_request":
      return ["status": "ok", "restart": .bool(request.content.flag("restart", default: false))]
    default: return nil
    }
  }

  /// Makes the loop of ``serve(_:)`` end: a running cell drops its present step.
  private func stop(_ waker: Socket) {
    ends.store(true, ordering: .releasing)
    interrupt()
    interrupt()
    waker.send([[]])
    Thread.detachNewThread { [interrupt] in
      // A cell that had only just begun may have forgotten the first of them.
      for _ in 0..<Self.patience {
        usleep(100_000)
        interrupt()
      }
      // Work that cannot be interrupted ends with the program.
      _exit(0)
    }
  }

  /// The tenths of a second after which a kernel that was told to end is gone, whatever it does.
  private static let patience = 30

  private func send(_ reply: JSONValue, to request: WireMessage, on socket: Socket) {
    let type = request.type.replacing("_request", with: "_reply")
    socket.send(
      publisher.frames(type, reply, parent: request.rawHeader, to: request.identities))
  }

  /// Returns the message in frames; nil for one that is no message of a client with the key.
  private func read(
    _ frames: [[UInt8]], from channel: ConnectionFile.Channel
  ) -> WireMessage? {
    do throws(WireMessage.Fault) {
      return try publisher.read(frames, from: channel)
    } catch {
      let count = refused.add(1, ordering: .relaxed).newValue
      // The log stays short, however many messages are refused.
      if count <= 10 || count.isMultiple(of: 1000) {
        log("a message was refused (\(error)); so far \(count)")
      }
      return nil
    }
  }
}
