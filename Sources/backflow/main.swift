import Foundation
import Tensors
Memory.keepFreedPages()
func bench(_ name: String, _ flops: Double, _ f: () -> Void) {
  f(); var best = 1e9
  for _ in 0..<7 { let t = DispatchTime.now().uptimeNanoseconds; f(); best = min(best, Double(DispatchTime.now().uptimeNanoseconds - t) * 1e-9) }
  print(name, best * 1e3, "ms", flops / best * 1e-9, "GF/s")
}
for (n, c, o, k, s) in [(1, 32, 32, 3, 512), (16, 32, 32, 3, 64), (1, 1, 32, 3, 512), (1, 32, 1, 3, 512), (5, 7, 9, 3, 512), (5, 1, 5, 13, 512)] {
  let x = FeatureMap(Tensor<Float>(shape: [n, c, s, s], repeating: 0.5)), w = Tensor<Float>(shape: [o, c, k, k], repeating: 0.01)
  let y = FeatureMap(Tensor<Float>(shape: [n, o, s, s], repeating: 0.5))
  let fl = Double(2 * n * c * o * k * k * s * s)
  bench("\(n) \(c)->\(o) k\(k) \(s) fwd", fl) { _ = Convolution.forward(x, kernel: w) }
  bench("\(n) \(c)->\(o) k\(k) \(s) bwd", fl) { _ = Convolution.inputGradient(y, kernel: w) }
  bench("\(n) \(c)->\(o) k\(k) \(s) bww", fl) { _ = Convolution.kernelGradient(x, y, kernelShape: w.shape) }
  bench("bias", 1) { _ = Convolution.biasGradient(y) }
  bench("relu", 1) { _ = Activation.relu.forward(y) }
  bench("tanh", 1) { _ = Activation.tanh.forward(y) }
  bench("add", 1) { _ = y.adding(y) }
}
