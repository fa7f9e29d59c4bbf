package import CT
package import Tensors
package import Tomography

/// The noise of a scan at a fraction of the dose: projected, disturbed where a scanner measures, and
/// reconstructed.
///
///     noisy = R(draw(A·μ(clean)))
///
/// A, R and μ are those of ``SliceScan``, the draw that of ``LowDose``. A pixel depends on every ray that
/// meets it, so a draw needs the whole slice. Line integrals are kept, so that a further draw costs the
/// draw and a reconstruction.
package struct LowDoseNoise: NoiseKind {
  package let dose: LowDose
  package let choice: ScanChoice
  package let window: RampFilter.Window
  package let attenuation: Attenuation
  /// The distance of pixels where the slices do not tell it, in mm.
  package let pixel: Double
  private let scans = ScanStore()

  package init(
    _ dose: LowDose, _ choice: ScanChoice, _ window: RampFilter.Window, _ attenuation: Attenuation,
    pixel: Double
  ) {
    (self.dose, self.choice, self.window) = (dose, choice, window)
    (self.attenuation, self.pixel) = (attenuation, pixel)
  }

  package var needsWholeSlice: Bool { true }

  package func atDose(_ factor: Double) -> (any NoiseKind)? {
    let other = dose.dose * factor
    guard !dose.isMeasured || other < 1 else { return nil }
    return LowDoseNoise(
      LowDose(
        photons: dose.photons, dose: other, electronic: dose.electronic, isMeasured: dose.isMeasured
      ),
      choice, window, attenuation, pixel: pixel)
  }

  package func words(_ unit: ValueUnit, seed: UInt64) -> String {
    let beam = choice.beam == .parallel ? "parallel beam" : "fan beam, \(choice.beam.rawValue)"
    return "noise of \(dose.dose.shortest) of the dose (\(beam), \(dose.photons.shortest) photons, "
      + "electronic noise \(dose.electronic.shortest) photons, filter \(window.rawValue), "
      + (dose.isMeasured ? "added to the measured, " : "") + "seed \(seed)) in projections of the "
      + "source"
  }

  package func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, ofSlice slice: Int, in clean: ImageStack,
    _ stream: RandomStream
  ) {
    let noisy = draw(Array(pixels), ofSlice: slice, in: clean, stream).pixels
    _ = pixels.update(fromContentsOf: noisy)
  }

  /// A noisy slice, and how many counts were too low for a logarithm.
  package struct Draw: Sendable {
    package let pixels: [Float]
    package let clipped: Int
  }

  /// Draws noise for a slice in HU.
  package func draw(
    _ pixels: [Float], ofSlice slice: Int, in clean: ImageStack, _ stream: RandomStream
  ) -> Draw {
    let scan = checkedScan(ofSlice: slice, in: clean)
    let drawn = dose.draw(scans.sinogram(pixels, ofSlice: slice, by: scan), stream)
    return Draw(
      pixels: keepingPadding(of: pixels, scan.reconstruct(drawn.sinogram)), clipped: drawn.clipped)
  }

  /// Returns the fixed draw of a slice, reconstructed `count` times: from views k, k + count, … for each k.
  ///
  /// Their noise comes from different rays, so it is independent. Each is a whole reconstruction, in which a view
  /// stands for those that are left out.
  ///
  /// Source: Hendriksen et al., "Noise2Inverse: self-supervised deep convolutional denoising for tomography"
  /// (2020).
  package func parts(
    ofSlice slice: Int, in clean: ImageStack, count: Int, seed: UInt64
  ) -> [[Float]] {
    let scan = checkedScan(ofSlice: slice, in: clean)
    let pixels = clean.values.image(slice).scalars
    let drawn = dose.draw(
      scans.sinogram(pixels, ofSlice: slice, by: scan),
      RandomStream(seed: seed, name: "noise/slice\(slice)")
    ).sinogram
    return (0..<count).map { part in
      let some = share(of: drawn, scan, count) { $0 == part ? 1 : 0 }
      return keepingPadding(of: pixels, scan.reconstruct(some))
    }
  }

  /// Returns a draw reconstructed twice from disjoint views: the target from those of part `target` of `count`, the
  /// input from the others, in which each part counts the same.
  ///
  /// The input is the mean of the other ``parts(ofSlice:in:count:seed:)``, at the cost of one reconstruction.
  func halves(
    of pixels: [Float], ofSlice slice: Int, in clean: ImageStack, target: Int, of count: Int,
    _ stream: RandomStream
  ) -> (input: [Float], target: [Float]) {
    let scan = checkedScan(ofSlice: slice, in: clean)
    let drawn = dose.draw(scans.sinogram(pixels, ofSlice: slice, by: scan), stream).sinogram
    let (input, other) = (
      share(of: drawn, scan, count) { $0 == target ? 0 : 1 / Float(count - 1) },
      share(of: drawn, scan, count) { $0 == target ? 1 : 0 }
    )
    return (
      keepingPadding(of: pixels, scan.reconstruct(input)),
      keepingPadding(of: pixels, scan.reconstruct(other))
    )
  }

  /// Returns a sinogram whose views, of `count` parts, stand for all where each part has its weight: view v is of
  /// part v mod count.
  private func share(
    of sinogram: [Float], _ scan: SliceScan, _ count: Int, weight: (_ part: Int) -> Float
  ) -> [Float] {
    let (views, detectors) = (scan.scan.views, scan.scan.detectors)
    let factors = (0..<count).map { part in
      weight(part) * Float(views) / Float((views - part + count - 1) / count)
    }
    return sinogram.indices.map { factors[$0 / detectors % count] * sinogram[$0] }
  }

  /// The made pixels, except for those that are padding, below air, which no scan sees.
  private func keepingPadding(of pixels: [Float], _ made: [Float]) -> [Float] {
    zip(pixels, made).map { $0 < -1000 ? $0 : $1 }
  }

  /// Returns the slice projected and reconstructed without noise.
  package func roundTrip(_ pixels: [Float], ofSlice slice: Int, by scan: SliceScan) -> [Float] {
    scan.reconstruct(scans.sinogram(pixels, ofSlice: slice, by: scan))
  }

  private func checkedScan(ofSlice slice: Int, in clean: ImageStack) -> SliceScan {
    guard let scan = try? scan(ofSlice: slice, in: clean) else {
      preconditionFailure("A scan is checked before noise is drawn.")
    }
    return scan
  }

  /// Returns the scan of a slice.
  ///
  /// - Throws: `TomographyError` when no scan is as it was chosen.
  package func scan(
    ofSlice slice: Int, in clean: ImageStack
  ) throws(TomographyError) -> SliceScan {
    let setting = try setting(ofSlice: slice, in: clean)
    return scans.scan(setting.scan, setting.grid, window, attenuation)
  }

  /// A scan and the pixels of a slice.
  package struct Setting: Hashable, Sendable {
    package let scan: ScanGeometry
    package let grid: ImageGrid
  }

  private func setting(
    ofSlice slice: Int, in clean: ImageStack
  ) throws(TomographyError) -> Setting {
    let grid = clean.grid(of: slice, orPixel: pixel)
    return Setting(
      scan: try choice.geometry(of: grid, by: clean.source(of: slice)?.scanner ?? .usual),
      grid: grid)
  }

  /// Returns the different scans of the slices, before any is made.
  ///
  /// - Throws: `TomographyError` when no scan is as it was chosen.
  package func settings(of clean: ImageStack) throws(TomographyError) -> [Setting] {
    var settings: [Setting] = []
    for slice in 0..<clean.count {
      let setting = try setting(ofSlice: slice, in: clean)
      if !settings.contains(setting) { settings.append(setting) }
    }
    return settings
  }

  /// Forgets line integrals that were kept.
  package func forgetProjections() { scans.forgetSinograms() }

  /// The bytes that scans and the line integrals of `kept` slices take.
  package static func bytes(_ settings: [Setting], keeping kept: Int) -> Int {
    let largest = settings.map { $0.scan.views * $0.scan.detectors }.max() ?? 0
    let pixels = settings.first.map { $0.grid.rows * $0.grid.columns } ?? 0
    return settings.reduce(0) { $0 + SliceScan.bytes($1.scan, $1.grid) }
      + kept * (largest + pixels) * MemoryLayout<Float>.size
  }
}

extension ImageStack {
  /// The pixels of a slice, whose distance is `pixel` mm where the slice does not tell it.
  package func grid(of slice: Int, orPixel pixel: Double) -> ImageGrid {
    let plane = source(of: slice)?.plane
    return ImageGrid(
      rows: height, columns: width, rowSpacing: plane?.rowSpacing ?? pixel,
      columnSpacing: plane?.columnSpacing ?? pixel)
  }
}
