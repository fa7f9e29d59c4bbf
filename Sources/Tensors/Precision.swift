/// How 3×3 convolutions of Float maps are computed.
package enum Precision: String, CaseIterable, Sendable, Codable {
  /// By Winograd's F(4×4, 3×3): rounding errors about twice those of the definition.
  case fast
  /// From the definition, as the other kernels are: two to three times slower.
  case strict

  /// What holds for convolutions that this thread begins.
  @TaskLocal package static var current = Precision.fast
}
