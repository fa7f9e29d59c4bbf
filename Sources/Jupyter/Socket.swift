import CZeroMQ
import Foundation

/// The ZeroMQ context of a kernel or a client, which owns its sockets.
package final class SocketContext: @unchecked Sendable {
  fileprivate let handle: UnsafeMutableRawPointer?

  package init() { handle = zmq_ctx_new() }

  /// Ends all waiting in its sockets, whose threads then close them.
  package func shutDown() { zmq_ctx_shutdown(handle) }

  /// Waits until all sockets are closed, and what they had to send is sent.
  package func end() {
    while zmq_ctx_term(handle) < 0, zmq_errno() == EINTR {}
  }
}

/// A ZeroMQ socket that sends and receives messages of several frames.
///
/// One thread uses it at a time; it may be handed to another.
///
/// Source: http://api.zeromq.org/4-3.
package final class Socket: @unchecked Sendable {
  /// The pattern in which a socket sends and receives.
  package enum Kind: Sendable {
    case router, dealer, reply, request, publish, subscribe, push, pull

    fileprivate var number: CInt {
      switch self {
      case .router: ZMQ_ROUTER
      case .dealer: ZMQ_DEALER
      case .reply: ZMQ_REP
      case .request: ZMQ_REQ
      case .publish: ZMQ_XPUB
      case .subscribe: ZMQ_SUB
      case .push: ZMQ_PUSH
      case .pull: ZMQ_PULL
      }
    }
  }

  /// The result of waiting for a message.
  package enum Arrival: Hashable, Sendable {
    case message([[UInt8]])
    /// None came in time, or a signal ended the wait.
    case none
    /// The context has ended.
    case ended
  }

  /// The largest frame that is received, in bytes, and the largest number of frames.
  private static let (largestFrame, mostFrames) = (256 << 20, 1000)

  private let handle: UnsafeMutableRawPointer?
  private var isOpen = true

  package init(_ context: SocketContext, _ kind: Kind) {
    handle = zmq_socket(context.handle, kind.number)
    set(ZMQ_LINGER, CInt(1000))
    set(ZMQ_MAXMSGSIZE, Int64(Self.largestFrame))
    // Whatever the program says is kept until the client takes it.
    set(ZMQ_SNDHWM, CInt(0))
    if kind == .subscribe { zmq_setsockopt(handle, ZMQ_SUBSCRIBE, "", 0) }
    // Each subscription arrives, also of a topic that another client has.
    if kind == .publish { set(ZMQ_XPUB_VERBOSE, CInt(1)) }
  }

  deinit { close() }

  /// Closes the socket, after which it must not be used.
  package func close() {
    if isOpen { zmq_close(handle) }
    isOpen = false
  }

  private func set(_ option: CInt, _ value: some BitwiseCopyable) {
    withUnsafeBytes(of: value) { bytes in
      _ = zmq_setsockopt(handle, option, bytes.baseAddress, bytes.count)
    }
  }

  /// Takes connections at an address.
  package func bind(_ endpoint: String) throws(KernelError) {
    guard zmq_bind(handle, endpoint) == 0 else {
      throw KernelError(
        "\(endpoint) cannot be opened: \(String(cString: zmq_strerror(zmq_errno()))); is another "
          + "kernel there?")
    }
  }

  /// Connects to an address.
  package func connect(_ endpoint: String) throws(KernelError) {
    guard zmq_connect(handle, endpoint) == 0 else {
      throw KernelError(
        "\(endpoint) cannot be reached: \(String(cString: zmq_strerror(zmq_errno())))")
    }
  }

  /// Sends a message; one to a client that is gone is dropped.
  package func send(_ frames: [[UInt8]]) {
    for (index, frame) in frames.enumerated() {
      let flags = index + 1 < frames.count ? ZMQ_SNDMORE : 0
      while zmq_send(handle, frame, frame.count, flags) < 0 {
        guard zmq_errno() == EINTR else { return }
      }
    }
  }

  /// Returns the next message.
  ///
  /// - Parameter milliseconds: The longest wait; nil to wait without end.
  /// - Returns: The message, or the reason why there is none.
  package func receive(within milliseconds: Int? = nil) -> Arrival {
    var items = [item]
    let found = zmq_poll(&items, 1, milliseconds ?? -1)
    guard found >= 0 else { return zmq_errno() == EINTR ? .none : .ended }
    guard found > 0 else { return .none }
    return receiveNow()
  }

  /// Returns the next message of one of several sockets, with the socket's index.
  ///
  /// - Parameters:
  ///   - sockets: The sockets; earlier ones come first.
  ///   - milliseconds: The longest wait; nil to wait without end.
  /// - Returns: The message, or the reason why there is none.
  package static func receive(
    fromAny sockets: [Socket], within milliseconds: Int? = nil
  ) -> (index: Int, arrival: Arrival) {
    var items = sockets.map(\.item)
    let found = zmq_poll(&items, CInt(items.count), milliseconds ?? -1)
    guard found >= 0 else { return (0, zmq_errno() == EINTR ? .none : .ended) }
    guard let index = items.firstIndex(where: { $0.revents != 0 }) else { return (0, .none) }
    return (index, sockets[index].receiveNow())
  }

  private var item: zmq_pollitem_t {
    zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
  }

  private func receiveNow() -> Arrival {
    var frames: [[UInt8]] = []
    while true {
      var message = zmq_msg_t()
      let (count, hasMore) = withUnsafeMutablePointer(to: &message) { message -> (CInt, Bool) in
        zmq_msg_init(message)
        defer { zmq_msg_close(message) }
        let count = zmq_msg_recv(message, handle, ZMQ_DONTWAIT)
        guard count >= 0 else { return (count, false) }
        if frames.count < Self.mostFrames {
          frames.append(
            Array(
              UnsafeRawBufferPointer(start: zmq_msg_data(message), count: zmq_msg_size(message))))
        }
        return (count, zmq_msg_more(message) != 0)
      }
      if count < 0 {
        switch zmq_errno() {
        case EINTR: continue
        case EAGAIN: return .none
        default: return .ended
        }
      }
      if !hasMore { return .message(frames) }
    }
  }
}
