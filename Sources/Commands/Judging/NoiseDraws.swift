import CT
import CommandLanguage
import Tensors
import Training

/// Fresh draws of the session's noise on its clean slices, and what becomes of them.
extension Workspace {
  /// The noise, which can be drawn again only if it was made here.
  func requireDrawnNoise(_ what: String) throws(CommandError) -> Noise {
    _ = try requireClean()
    guard let noise else {
      throw CommandError(
        .state,
        noisyStack == nil
          ? "there is no noise to draw for \(what)"
          : "the noisy slices come from a file, so \(what) has no further draws",
        hint: "noise gaussian sigma=40HU")
    }
    return noise
  }

  /// Draws noise on a rectangle of a clean slice, with `signal` added to it before.
  ///
  /// - Parameters:
  ///   - noise: The noise.
  ///   - slice: The number of the slice.
  ///   - rectangle: Its rows and columns; the whole slice where the noise needs it.
  ///   - signal: Values to add to the clean pixels of the rectangle, row by row; nil for none.
  ///   - stream: The name of the random numbers.
  /// - Returns: The noisy rectangle as a stack of one slice.
  /// - Throws: `CommandError` without clean slices.
  func drawn(
    _ noise: Noise, slice: Int, rectangle: PixelRectangle, signal: [Float]?, stream: String
  ) throws(CommandError) -> ImageStack {
    let clean = try requireClean()
    let part = clean.part([slice], rows: rectangle.rows, columns: rectangle.columns)
    var pixels = part.values.scalars
    if let signal { for i in pixels.indices { pixels[i] += signal[i] } }
    pixels.withUnsafeMutableBufferPointer {
      noise.apply(to: $0, ofSlice: slice, in: clean, stream: stream)
    }
    return part.with(Tensor(shape: part.values.shape, scalars: pixels))
  }

  /// Returns a noisy slice as it is, or as the network or the last baseline denoises it; `name` is that of the
  /// stack of such slices.
  func processed(_ noisy: ImageStack, as name: String) throws -> Tensor<Float> {
    switch name {
    case "baseline":
      guard let filter = baseline.min(by: { $0.key < $1.key })?.value.filter else {
        throw CommandError(.state, "there is no baseline yet", hint: "type 'baseline median'")
      }
      if filter is BlockMatching, min(noisy.height, noisy.width) < BlockMatching.smallestSide {
        throw CommandError(
          .shape, "BM3D needs slices of 8×8 pixels", hint: "take larger slices")
      }
      return filter.apply(to: noisy.values)
    case "denoised":
      var other = self
      let scale = try requireScale()
      other.scaleRule = .interval(scale.lower, scale.upper)
      return try other.denoisedBeside(noisy)
    default: return noisy.values
    }
  }
}
