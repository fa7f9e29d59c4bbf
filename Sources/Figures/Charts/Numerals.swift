/// The shortest text for `value`: `40`, `-600`, `12.5`.
func shortest(_ value: Double) -> String {
  if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
  return String(value)
}

/// The shortest text for `value`.
func shortest(_ value: Float) -> String {
  if value == value.rounded(), abs(value) < 1e7 { return String(Int(value)) }
  return String(value)
}
