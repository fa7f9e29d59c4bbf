/// `value` in as few digits as say it: `40`, `-600`, `12.5`.
func shortest(_ value: Double) -> String {
  if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
  return String(value)
}

/// `value` in as few digits as say it.
func shortest(_ value: Float) -> String {
  if value == value.rounded(), abs(value) < 1e7 { return String(Int(value)) }
  return String(value)
}
