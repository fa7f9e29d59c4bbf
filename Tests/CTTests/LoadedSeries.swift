import CT
import Tensors

/// A series with its values.
struct LoadedSeries {
  let series: CTSeries
  private let loaded: ImageStack

  fileprivate init(_ series: CTSeries, _ loaded: ImageStack) {
    (self.series, self.loaded) = (series, loaded)
  }

  var stack: Tensor<Float> { loaded.values }
  var mask: [Bool]? { loaded.mask }
  var unit: CTUnit { series.slices[0].unit }
  /// The extent of the numbers that the files can hold: 255 for 8 bits, 4095 for 12.
  var fileRange: Double { series.slices.map(\.fileRange).max() ?? 0 }
  /// The windows that the first file defines.
  var windows: [CTWindow] { series.slices[0].windows }
  var warnings: [String] { series.warnings }
  var patientKey: String { series.patientKey }
}

extension CTSeries {
  func load(
    limits: ReadingLimits = ReadingLimits(),
    progress: (@Sendable (_ done: Int, _ all: Int) -> Bool)? = nil
  ) throws(CTError) -> LoadedSeries {
    LoadedSeries(self, try Self.load([self], limits: limits, progress: progress))
  }
}
