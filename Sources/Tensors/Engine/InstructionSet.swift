import CKernels

/// A description of the engine's arithmetic: where it is equal, so are all digits of trainings.
package var engineDescription: String {
  "winograd float32 4, \(InstructionSet.current.isFused ? "fused" : "not fused")"
}

/// The instruction sets that the kernels of the engine are compiled for, best first.
package enum InstructionSet: Int32, CaseIterable, Sendable {
  case avx512 = 0
  case avx2
  /// The vectors that every machine has; on ARM these are its own.
  case plain

  /// The instruction sets that this machine can run, best first.
  package static var available: [InstructionSet] {
    allCases.filter { ck_kernels_for($0.rawValue) != nil }
  }

  /// The instruction set for operations of this task: the best, unless a test sets another.
  ///
  /// Results depend on it only where ``isFused`` differs.
  @TaskLocal package static var current = available.first ?? .plain

  /// Whether a product and a sum are rounded only once.
  package var isFused: Bool {
    #if arch(x86_64)
      self != .plain
    #else
      true
    #endif
  }

  /// The kernels of the instruction set in use.
  static var kernels: ck_kernels {
    guard let kernels = ck_kernels_for(current.rawValue) else {
      preconditionFailure("This machine cannot run \(current).")
    }
    return kernels.pointee
  }
}
