import CommandLanguage
package import Foundation

/// The addresses and the key with which a kernel and its clients talk.
///
/// Source: https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files.
package struct ConnectionFile: Sendable {
  /// A channel between the kernel and its clients.
  package enum Channel: String, CaseIterable, Sendable {
    case shell, control, stdin, iopub
    case heartbeat = "hb"
  }

  /// The address of each channel: `tcp://127.0.0.1:50001`.
  package let endpoints: [Channel: String]
  /// The port of each channel.
  package let ports: [Channel: Int]
  /// The key of the signatures; empty when messages are not signed.
  package let key: [UInt8]

  /// Reads a file of a client.
  ///
  /// - Throws: `KernelError` when it cannot be read, or does not name what is needed.
  package init(path: String) throws(KernelError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw KernelError(
        "\(path) cannot be read: \(SystemReason.words(error)); name the connection file of a client"
      )
    }
    try self.init(data, name: path)
  }

  /// Reads the text of a file called `name`.
  package init(_ data: Data, name: String) throws(KernelError) {
    guard let json = try? JSONDecoder().decode(JSONValue.self, from: data) else {
      throw KernelError("\(name) is no JSON; name the connection file of a client")
    }
    func text(_ key: String) throws(KernelError) -> String {
      guard case .string(let value)? = json[key] else {
        throw KernelError("\(name) has no text \"\(key)\"; name the connection file of a client")
      }
      return value
    }
    let (transport, address) = (try text("transport"), try text("ip"))
    guard ["tcp", "ipc"].contains(transport) else {
      throw KernelError("\(name): transport \"\(transport)\"; expected tcp or ipc")
    }
    let key = try text("key")
    // Without a key nothing is signed, whatever the scheme.
    let scheme = try text("signature_scheme")
    guard key.isEmpty || scheme == "hmac-sha256" else {
      throw KernelError("\(name): signature_scheme \"\(scheme)\"; expected hmac-sha256")
    }
    var (endpoints, ports) = ([Channel: String](), [Channel: Int]())
    for channel in Channel.allCases {
      guard case .integer(let port)? = json["\(channel.rawValue)_port"], (1...65_535) ~= port else {
        throw KernelError("\(name) has no \"\(channel.rawValue)_port\" from 1 to 65535")
      }
      ports[channel] = port
      endpoints[channel] =
        transport == "tcp" ? "tcp://\(address):\(port)" : "ipc://\(address)-\(port)"
    }
    (self.endpoints, self.ports, self.key) = (endpoints, ports, Array(key.utf8))
  }
}
