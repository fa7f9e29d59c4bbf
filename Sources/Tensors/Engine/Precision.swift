/// The algorithm for 3×3 convolutions of Float maps.
package enum Precision: String, CaseIterable, Sendable, Codable {
  /// Winograd's F(4×4, 3×3): rounding errors about twice those of the definition.
  case fast
  /// The definition, as for other kernels: two to three times slower.
  case strict

  /// The algorithm for convolutions in this task.
  @TaskLocal package static var current = Precision.fast
}
