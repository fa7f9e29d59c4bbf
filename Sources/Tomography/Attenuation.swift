/// The linear attenuation of X-rays that HU stand for: μ = μ_w·(1 + HU/1000), in mm⁻¹.
///
/// Below −1000 HU, where padding is, it is that of air: 0; a million HU is the most that counts.
package struct Attenuation: Hashable, Sendable, Codable {
  /// μ_w, the attenuation of water in mm⁻¹.
  package let water: Double

  /// Water at about 70 keV, the mean energy of a spectrum of 120 kVp.
  package static let usual = Attenuation(water: 0.0192)

  package init(water: Double) {
    precondition(water > 0, "Water attenuates.")
    self.water = water
  }

  /// The attenuation that 1 HU adds, in mm⁻¹.
  package var perUnit: Double { water / 1000 }

  /// Returns μ in mm⁻¹.
  package func attenuation(of hounsfield: Double) -> Double {
    hounsfield > -1000 ? water * (1 + min(hounsfield, 1e6) / 1000) : 0
  }

  /// Returns HU.
  package func hounsfield(of attenuation: Double) -> Double {
    1000 * (attenuation / water - 1)
  }
}
