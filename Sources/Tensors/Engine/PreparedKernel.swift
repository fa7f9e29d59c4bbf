import CKernels

// Kernels in the order in which the fast kernels read them.

extension EngineConvolution {
  /// The kernel at Winograd's 36 places, in each of which the weights of the outputs that are computed at once stand
  /// together.
  func winogradKernel(_ kernel: Tensor<Float>, isTurned: Bool) -> MapMemory<Float> {
    let kernels = InstructionSet.kernels
    return MapMemory(Int(CK_WINOGRAD_POINTS) * storedInputs * storedOutputs) { target in
      kernel.scalars.withUnsafeBufferPointer { weights in
        guard let weights = weights.baseAddress else { return }
        let chunks = max(1, storedInputs * storedOutputs / 1024)
        parallel(chunks: chunks) { chunk, _ in
          let range = range(ofChunk: chunk, of: chunks, count: storedInputs)
          kernels.winograd_kernel(
            weights, kernel.shape[0], kernel.shape[1], isTurned ? 1 : 0, target, storedInputs,
            storedOutputs, range.lowerBound, range.upperBound)
        }
      }
    }
  }

  /// The kernel prepared for direct sums: `[kH][kW][C′]` and the outputs that are computed at once, then the
  /// same for the next; or `[O][kH][kW][C′]` where outputs are planar.
  func directKernel(_ kernel: Tensor<Float>) -> MapMemory<Float> {
    let taps = kernelHeight * kernelWidth
    var result = [Float](repeating: 0, count: taps * storedInputs * storedOutputs)
    var (begin, some) = (0, 0)
    for o in 0..<outputs {
      if o == begin + some {
        (begin, some) = (o, InstructionSet.kernels.direct_outputs_at_once(storedOutputs - o))
      }
      for c in 0..<inputs {
        for tap in 0..<taps {
          let place =
            writesPlanar
            ? (o * taps + tap) * storedInputs + c
            : begin * taps * storedInputs + (tap * storedInputs + c) * some + o - begin
          result[place] = kernel.scalars[(o * inputs + c) * taps + tap]
        }
      }
    }
    return MapMemory(result)
  }
}
