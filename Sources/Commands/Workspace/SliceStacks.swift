import CT
import CommandLanguage
import Tensors
import Training

/// A noisy slice as a filter denoised it.
struct BaselineSlice: Sendable {
  let image: Tensor<Float>
  let filter: any ImageFilter
}

/// The slices of a session: clean ones, noisy ones that belong to them, or noisy ones alone.
extension Workspace {
  /// The values of the noisy slices, `[N, 1, H, W]`.
  var noisy: Tensor<Float>? { noisyStack?.values }

  /// The slices that decide the count, size, unit and origin of all: the clean ones, or the noisy
  /// ones where those were loaded alone.
  var slices: ImageStack? { clean ?? noisyStack }

  /// Whether the noisy slices come from a file and not from the clean ones.
  var noisyIsLoaded: Bool { noisyStack != nil && noise == nil }

  /// The clean or noisy slices.
  ///
  /// - Throws: `CommandError` that says how to get some.
  func requireSlices() throws(CommandError) -> ImageStack {
    guard let slices else {
      throw CommandError(
        .state, "there are no slices yet", hint: "type 'phantom', or 'load PATH'")
    }
    return slices
  }

  /// The clean slices.
  ///
  /// - Throws: `CommandError` that says how to get some.
  func requireClean() throws(CommandError) -> ImageStack {
    let slices = try requireSlices()
    guard let clean else {
      throw CommandError(
        .state,
        "there is no clean image: only \(slices.count) noisy "
          + "\(slices.count == 1 ? "slice was" : "slices were") loaded",
        hint: "type 'load PATH' with their clean counterpart; 'denoise', 'view noisy[0]' and "
          + "'save dicom denoised DIR' need none")
    }
    return clean
  }

  /// The cure for what needs a training: `usual`, or what training lacks where noisy slices were
  /// loaded alone.
  func trainingCure(_ usual: String) -> String {
    isNoisyAlone
      ? "training needs clean slices: type 'load PATH' with the counterpart of the noisy ones"
      : usual
  }

  /// The cure for what needs a pass: `usual`, or a pass without clean slices where there are none.
  func passCure(_ usual: String) -> String {
    isNoisyAlone
      ? "type 'forward noisy[0] target=noisy[0]', since there are no clean slices to compare with"
      : usual
  }

  /// Whether noisy slices were loaded without clean ones.
  private var isNoisyAlone: Bool { slices != nil && clean == nil }

  /// The fixed noisy slices.
  func requireNoisy() throws(CommandError) -> Tensor<Float> {
    _ = try requireSlices()
    guard let noisy else {
      throw CommandError(
        .state, "there are no noisy slices yet",
        hint: "type 'noise gaussian sigma=40HU', or 'load PATH as=noisy'")
    }
    return noisy
  }

  /// The clean slices as the reference for judging and training, with the padding of both stacks in
  /// the mask.
  func requireJudge() throws(CommandError) -> ImageStack {
    let clean = try requireClean()
    guard noisyIsLoaded, let other = noisyStack?.mask, clean.mask != other else { return clean }
    var judge = clean
    judge.mask = clean.mask.map { zip($0, other).map { $0 || $1 } } ?? other
    return judge
  }

  /// The slices whose padding and sources those called `name` take over.
  func original(of name: String) throws(CommandError) -> ImageStack {
    if name != "clean", noisyIsLoaded, let noisyStack { return noisyStack }
    return try requireClean()
  }

  /// The source of slice `index` of the stack called `name`; nil when the data do not say.
  func source(of index: Int, in name: String) -> SliceSource? {
    (name != "clean" && noisyIsLoaded ? noisyStack : clean)?.source(of: index)
  }

  /// Stores noisy slices that `noise` made of the clean ones.
  mutating func takeNoisy(_ values: Tensor<Float>, of clean: ImageStack, madeBy noise: Noise) {
    self.noise = noise
    noisyStack = clean.with(values)
  }

  /// Replaces the clean slices and keeps the noisy ones and the split.
  mutating func replaceClean(_ stack: ImageStack) {
    let kept = (noise, noisyStack, split)
    clean = stack
    (noise, noisyStack, split) = kept
  }

  /// A warning about slices that are padding only, and so are left out of figures.
  func paddingWarnings(_ judge: ImageStack, of slices: [Int]? = nil) -> [String] {
    let wanted = slices.map(Set.init)
    let padded = judge.paddingOnly.filter { wanted?.contains($0) ?? true }
    guard !padded.isEmpty else { return [] }
    let numbers = padded.prefix(10).map(String.init).joined(separator: ", ")
    return [
      "\(padded.count == 1 ? "slice" : "slices") \(numbers)\(padded.count > 10 ? ", …" : "") "
        + "\(padded.count == 1 ? "is" : "are") padding only and left out of the figures"
    ]
  }
}
