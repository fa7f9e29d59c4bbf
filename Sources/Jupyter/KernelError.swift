/// A fault of the kernel's surroundings: its connection file or its sockets.
package struct KernelError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
