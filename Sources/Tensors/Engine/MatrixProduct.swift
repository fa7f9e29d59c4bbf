import COpenBLAS
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A product of row-major matrices, c = a·b or c += a·b: the only place that calls OpenBLAS.
///
/// Each product runs on the calling thread; ``parallel(chunks:_:)`` provides threads. So OpenBLAS
/// does not choose its own order of summation, and a product depends on its operands alone.
package struct MatrixProduct<Element: Scalar> {
  /// The number of rows of c, of columns of c, and of terms of each sum.
  package var rows: Int, columns: Int, inner: Int
  /// `a`, `[rows, inner]`, or `[inner, rows]` when transposed; with the distance between its rows.
  package var a: UnsafePointer<Element>, aStride: Int, aTransposed = false
  /// `b`, `[inner, columns]`, or `[columns, inner]` when transposed.
  package var b: UnsafePointer<Element>, bStride: Int, bTransposed = false
  /// `c`, `[rows, columns]`.
  package var c: UnsafeMutablePointer<Element>, cStride: Int
  /// Whether the product is added to c rather than written.
  package var accumulates = false

  /// Computes the product.
  package func compute() {
    _ = singleThreadedBLAS
    products.add(1, ordering: .relaxed)
    Element.gemm(self)
  }
}

/// The number of products that this process has computed, which shows whether BLAS ran.
package var matrixProductCount: Int { products.load(ordering: .relaxed) }

private let products = Atomic<Int>(0)

/// The version and the CPU kernels of OpenBLAS, such as `openblas 0.3.21 SkylakeX`.
package var blasDescription: String {
  let configuration = String(cString: openblas_get_config())
  let version = configuration.split(separator: " ").dropFirst().first ?? "?"
  return "openblas \(version) \(String(cString: openblas_get_corename()))"
}

/// Keeps OpenBLAS on the calling thread, once for the process.
private let singleThreadedBLAS: Void = openblas_set_num_threads(1)

extension Float: Scalar {
  package static func gemm(_ p: MatrixProduct<Float>) {
    cblas_sgemm(
      CblasRowMajor, p.aTransposed ? CblasTrans : CblasNoTrans,
      p.bTransposed ? CblasTrans : CblasNoTrans,
      blasint(p.rows), blasint(p.columns), blasint(p.inner), 1, p.a, blasint(p.aStride),
      p.b, blasint(p.bStride), p.accumulates ? 1 : 0, p.c, blasint(p.cStride))
  }
  package static func tanh(_ x: Float) -> Float { tanhf(x) }
  package static func atan(_ x: Float) -> Float { atanf(x) }
  package static func exp(_ x: Float) -> Float { expf(x) }
  package static func expm1(_ x: Float) -> Float { expm1f(x) }
}

extension Double: Scalar {
  package static func gemm(_ p: MatrixProduct<Double>) {
    cblas_dgemm(
      CblasRowMajor, p.aTransposed ? CblasTrans : CblasNoTrans,
      p.bTransposed ? CblasTrans : CblasNoTrans,
      blasint(p.rows), blasint(p.columns), blasint(p.inner), 1, p.a, blasint(p.aStride),
      p.b, blasint(p.bStride), p.accumulates ? 1 : 0, p.c, blasint(p.cStride))
  }
  package static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
  package static func atan(_ x: Double) -> Double { Glibc.atan(x) }
  package static func exp(_ x: Double) -> Double { Glibc.exp(x) }
  package static func expm1(_ x: Double) -> Double { Glibc.expm1(x) }
}
