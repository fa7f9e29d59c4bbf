/// A number that tensors hold: `Float`, in which networks train, or `Double`, the plain reference.
///
/// Code outside this module is generic over whole tensors only. Loops over elements are in this
/// module, specialized for both types, so that no generic arithmetic on single elements crosses a
/// module boundary.
package protocol Scalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// The matrix product of BLAS for this type; see ``MatrixProduct``.
  static func gemm(_ product: MatrixProduct<Self>)

  /// The functions that activations need, from the C library.
  static func tanh(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func exp(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
}
