/// Products of a matrix of weights with the numbers of each image, in row-major order: the layer that
/// reads a whole image at once.
///
///     out[n,u] = Σ_k weight[u,k] · x[n,k] + bias[u],    k = (c·H + y)·W + x
///
/// Work is cut by the size of the problem, and each part is one product of BLAS.
package enum DenseProduct {
  /// How many columns of a matrix one part has.
  private static let columnsPerPart = 1024

  /// Computes the products of all images.
  ///
  /// - Parameters:
  ///   - x: Images, `[N, C, H, W]`.
  ///   - weight: `[U, C·H·W]`.
  ///   - bias: `[U]`.
  /// - Returns: `[N, U, 1, 1]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func forward<Element: Scalar>(
    _ x: FeatureMap<Element>, weight: Tensor<Element>, bias: Tensor<Element>?
  ) -> FeatureMap<Element> {
    let (images, units, inner) = (x.shape.batch, weight.shape[0], weight.shape[1])
    precondition(x.shape.count == images * inner, "\(weight.shape) fits \(x.shape).")
    let numbers = x.tensor.scalars
    let result = product([images, units, 1, 1], columns: units, parts: (units + 63) / 64) {
      columns, out in
      numbers.withUnsafeBufferPointer { a in
        weight.scalars.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress else { return }
          MatrixProduct(
            rows: images, columns: columns.count, inner: inner, a: a, aStride: inner,
            b: b + columns.lowerBound * inner, bStride: inner, bTransposed: true,
            c: out + columns.lowerBound, cStride: units
          ).compute()
        }
      }
      guard let bias else { return }
      for image in 0..<images {
        for unit in columns { out[image * units + unit] += bias.scalars[unit] }
      }
    }
    return FeatureMap(result)
  }

  /// Returns the gradient of x, `[N, C, H, W]`: x̄[n,k] = Σ_u out̄[n,u] · weight[u,k].
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func inputGradient<Element: Scalar>(
    _ gradient: FeatureMap<Element>, weight: Tensor<Element>, shape: Shape
  ) -> FeatureMap<Element> {
    let (images, units, inner) = (gradient.shape.batch, weight.shape[0], weight.shape[1])
    let numbers = gradient.tensor.scalars
    let parts = (inner + columnsPerPart - 1) / columnsPerPart
    return FeatureMap(
      product(shape, columns: inner, parts: parts) { columns, out in
        numbers.withUnsafeBufferPointer { a in
          weight.scalars.withUnsafeBufferPointer { b in
            guard let a = a.baseAddress, let b = b.baseAddress else { return }
            MatrixProduct(
              rows: images, columns: columns.count, inner: units, a: a, aStride: units,
              b: b + columns.lowerBound, bStride: inner, c: out + columns.lowerBound,
              cStride: inner
            ).compute()
          }
        }
      })
  }

  /// Returns the gradient of the weights, `[U, C·H·W]`: weight̄[u,k] = Σ_n out̄[n,u] · x[n,k].
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func weightGradient<Element: Scalar>(
    _ gradient: FeatureMap<Element>, _ x: FeatureMap<Element>
  ) -> Tensor<Element> {
    let (images, units) = (gradient.shape.batch, gradient.shape.channels)
    let inner = x.shape.count / max(1, images)
    let (gradients, numbers) = (gradient.tensor.scalars, x.tensor.scalars)
    let parts = (inner + columnsPerPart - 1) / columnsPerPart
    return product([units, inner], columns: inner, parts: parts) { columns, out in
      gradients.withUnsafeBufferPointer { a in
        numbers.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress else { return }
          MatrixProduct(
            rows: units, columns: columns.count, inner: images, a: a, aStride: units,
            aTransposed: true, b: b + columns.lowerBound, bStride: inner,
            c: out + columns.lowerBound, cStride: inner
          ).compute()
        }
      }
    }
  }

  /// Returns a tensor of which `body` writes some columns at a time, on several threads.
  @inline(__always)
  private static func product<Element: Scalar>(
    _ shape: Shape, columns: Int, parts: Int,
    _ body: (_ columns: Range<Int>, _ out: UnsafeMutablePointer<Element>) -> Void
  ) -> Tensor<Element> {
    Tensor(shape: shape) { out in
      guard let out = out.baseAddress else { return }
      parallel(chunks: parts) { part, _ in
        body(range(ofChunk: part, of: parts, count: columns), out)
      }
    }
  }
}
