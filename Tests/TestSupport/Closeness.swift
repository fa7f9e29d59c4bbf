package import Tensors
package import Testing

/// Expects `found` to differ from `expected` nowhere by more than `tolerance` · largest |expected|.
package func expectClose<A: Scalar, B: Scalar>(
  _ found: Tensor<A>, _ expected: Tensor<B>, within tolerance: Double, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape.count == expected.shape.count else {
    Issue.record(
      "\(name): shape \(found.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  let scale = expected.largestMagnitude()
  let differences = zip(found.doubles().scalars, expected.doubles().scalars).map { abs($0 - $1) }
  let worst = differences.indices.max { differences[$0] < differences[$1] } ?? 0
  #expect(
    differences.allSatisfy { $0 <= tolerance * scale },
    "\(name): worst at \(worst): \(found.scalars[worst]), expected \(expected.scalars[worst]); relative to the largest \(differences[worst] / scale)",
    sourceLocation: sourceLocation)
}
