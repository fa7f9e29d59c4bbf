import Foundation

/// The record of a tensor in a ledger, from which a changed element and its former value can be
/// found.
///
/// The first elements are kept with their values, all of them if the tensor is small. Of the
/// others, each chunk keeps three sums over its elements' bit patterns bᵢ, as unsigned integers:
///
///     s₀ = Σ bᵢ      s₁ = Σ i·bᵢ      s₂ = Σ i²·bᵢ
///
/// If exactly one element of a chunk changed, by d, then Δs₀ = d, Δs₁ = i·d and Δs₂ = i²·d give its
/// place and its former value exactly. This also holds for sums modulo 2⁶⁴. A chunk has 1024
/// elements, or more where a tensor would have more than 256 chunks.
package struct TensorRecord: Hashable, Sendable, Codable {
  package let name: String
  package let shape: [Int]
  /// The SHA-256 of the float32 bytes, little-endian and row-major, as `stats` prints it.
  package let sha256: String
  /// The first elements, as float32 bytes.
  private let values: Data
  /// s₀, s₁ and s₂ of each chunk that is not wholly in `values`, as 64-bit integers.
  private let sums: Data

  /// The smallest number of elements that share three sums, and the largest number of chunks of a
  /// tensor.
  private static let smallestChunk = 1024, mostChunks = 256
  /// The number of first elements that are kept of a large tensor.
  private static let head = 64

  /// Makes the record of a tensor; `isWhole` keeps all elements.
  package init(_ tensor: TracedTensor, isWhole: Bool) {
    (name, shape, sha256) = (tensor.name, tensor.shape, tensor.sha256)
    let scalars = tensor.scalars
    let kept = isWhole ? scalars.count : min(scalars.count, Self.head)
    values = scalars.withUnsafeBytes { Data($0.prefix(kept * MemoryLayout<Float>.size)) }
    sums = Self.bytes(
      kept == scalars.count
        ? [] : Self.chunks(of: scalars.count).flatMap { Self.sums(scalars[$0]) })
  }

  /// The number of elements.
  var count: Int { shape.reduce(1, *) }

  /// The record that keeps the first elements only; `self` if it does so already.
  var reduced: TensorRecord {
    guard values.count == count * MemoryLayout<Float>.size, count > Self.head else { return self }
    let scalars = Self.numbers(values, as: UInt32.self).map(Float.init(bitPattern:))
    let tensor = TracedTensor(name: name, shape: shape, scalars: scalars, sha256: sha256)
    return TensorRecord(tensor, isWhole: false)
  }

  /// Finds the first element in which `scalars` differ from the recorded tensor.
  ///
  /// - Returns: The difference; nil if the tensors are equal.
  package func difference(from tensor: TracedTensor) -> ElementDifference? {
    let scalars = tensor.scalars
    guard tensor.shape == shape else { return .shape(recorded: shape, found: tensor.shape) }
    guard tensor.sha256 != sha256 else { return nil }
    let kept = Self.numbers(values, as: UInt32.self).prefix(scalars.count).map {
      Float(bitPattern: $0)
    }
    if let index = kept.indices.first(where: { kept[$0].bitPattern != scalars[$0].bitPattern }) {
      return .element(index, recorded: kept[index], found: scalars[index])
    }
    let recorded = Self.numbers(sums, as: UInt64.self)
    let chunks = Self.chunks(of: scalars.count)
    guard recorded.count == 3 * chunks.count else { return .somewhere(0..<scalars.count) }
    for (number, chunk) in chunks.enumerated() {
      let old = Array(recorded[3 * number..<3 * number + 3])
      let new = Self.sums(scalars[chunk])
      guard old != new else { continue }
      return Self.only(chunk, old, new, scalars)
        ?? .somewhere(max(chunk.lowerBound, kept.count)..<chunk.upperBound)
    }
    return .somewhere(0..<scalars.count)
  }

  /// The single element of a chunk whose change explains all three sums; nil if there is none.
  private static func only(
    _ chunk: Range<Int>, _ old: [UInt64], _ new: [UInt64], _ scalars: [Float]
  ) -> ElementDifference? {
    // Differences of sums are below 2⁶³; a damaged file may hold others.
    let deltas = zip(new, old).map { Int64(bitPattern: $0 &- $1) }
    guard deltas[0] != 0, deltas[1].isMultiple(of: deltas[0]) else { return nil }
    // Sums from a damaged file may be -1 and the least number, whose quotient is none.
    let (place, overflows) = deltas[1].dividedReportingOverflow(by: deltas[0])
    guard !overflows, place >= 0, place < chunk.count, place &* deltas[1] == deltas[2] else {
      return nil
    }
    let index = chunk.lowerBound + Int(place)
    let former = Int64(scalars[index].bitPattern) - deltas[0].clamped
    guard let pattern = UInt32(exactly: former) else { return nil }
    return .element(index, recorded: Float(bitPattern: pattern), found: scalars[index])
  }

  private static func chunks(of count: Int) -> [Range<Int>] {
    let chunk = max(smallestChunk, (count + mostChunks - 1) / mostChunks)
    return stride(from: 0, to: count, by: chunk).map { $0..<min($0 + chunk, count) }
  }

  private static func sums(_ scalars: ArraySlice<Float>) -> [UInt64] {
    var (s0, s1, s2): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var i: UInt64 = 0
    for scalar in scalars {
      let bits = UInt64(scalar.bitPattern)
      s0 &+= bits
      s1 &+= i &* bits
      s2 &+= i &* i &* bits
      i &+= 1
    }
    return [s0, s1, s2]
  }

  private static func bytes(_ sums: [UInt64]) -> Data { sums.withUnsafeBytes { Data($0) } }

  private static func numbers<Number: FixedWidthInteger>(
    _ data: Data, as type: Number.Type
  ) -> [Number] {
    let size = MemoryLayout<Number>.size
    return data.withUnsafeBytes { bytes in
      (0..<bytes.count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: type) }
    }
  }
}

extension Int64 {
  /// The number, limited to the range of a difference of two 32-bit patterns.
  fileprivate var clamped: Int64 { Swift.min(Swift.max(self, -1 << 33), 1 << 33) }
}
