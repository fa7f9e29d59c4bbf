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

  /// The kernel prepared for direct sums, `[kH][kW][C′][O′]`, or `[O][kH][kW][C′]` where outputs
  /// are planar.
  func directKernel(_ kernel: Tensor<Float>) -> MapMemory<Float> {
    let area = kernelHeight * kernelWidth
    var result = [Float](repeating: 0, count: area * storedInputs * storedOutputs)
    for o in 0..<outputs {
      for c in 0..<inputs {
        for tap in 0..<area {
          let place =
            writesPlanar
            ? (o * area + tap) * storedInputs + c
            : (tap * storedInputs + c) * storedOutputs + o
          result[place] = kernel.scalars[(o * inputs + c) * area + tap]
        }
      }
    }
    return MapMemory(result)
  }
}
