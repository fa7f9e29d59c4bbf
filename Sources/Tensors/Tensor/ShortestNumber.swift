extension Double {
  /// The fewest digits that read back as the same number, whole numbers without a point: `0.1`,
  /// `40`.
  package var shortest: String {
    self == rounded() && abs(self) < 1e15 ? "\(Int64(self))" : "\(self)"
  }
}
