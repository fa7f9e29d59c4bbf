import Tensors
import TestSupport
import Testing

/// Convolutions with strides, dilation, groups, without zeros, and transposed ones.
@Suite(.serialized) struct GeometryTests {
  @Test func `convolutions of every geometry equal PyTorch's in Double`() throws {
    for each in try GeometryCase.all() { each.check(within: 1e-10) { $0 } }
  }

  @Test func `convolutions of every geometry equal PyTorch's in Float`() throws {
    let cases = try GeometryCase.all()
    #expect(cases.count > 100)
    for precision in [Precision.fast, .strict] {
      Precision.$current.withValue(precision) {
        for each in cases { each.check(within: 2e-5) { $0.floats() } }
      }
    }
  }

  @Test func `the number of threads changes no bit in any geometry`() throws {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    for pass in GeometryPass.large {
      func bits<Element: Scalar>(
        _ convert: (Tensor<Double>) -> Tensor<Element>
      ) -> [[[Double]]] {
        [1, 2, 3].map { threads in
          Parallelism.threads = threads
          return pass.results(convert).map { $0.tensor.scalars }
        }
      }
      for found in [bits { $0 }, bits { $0.floats() }] {
        #expect(found[0] == found[1] && found[0] == found[2], "\(pass)")
      }
    }
  }

  @Test func `fusing instruction sets give the same bits in any geometry`() {
    for pass in GeometryPass.large {
      let reference = pass.results { $0.floats() }.map { $0.tensor.scalars }
      for set in InstructionSet.available where set.isFused == InstructionSet.current.isFused {
        InstructionSet.$current.withValue(set) {
          let found = pass.results { $0.floats() }.map { $0.tensor.scalars }
          #expect(found == reference, "\(set) \(pass)")
        }
      }
    }
  }

  @Test func `large maps in Float agree with the definition, summed in Double`() throws {
    for pass in GeometryPass.large {
      let definition = pass.definition
      for precision in [Precision.fast, .strict] {
        Precision.$current.withValue(precision) {
          for (found, exact) in zip(pass.results { $0.floats() }, definition) {
            expectClose(found.tensor, exact, within: 1e-5, "\(pass) \(found.name)")
          }
        }
      }
      for (found, exact) in zip(pass.results { $0 }, definition) {
        expectClose(found.tensor, exact, within: 1e-12, "\(pass) \(found.name)")
      }
    }
  }

  @Test func `an activation and a join behind a convolution are those of one after the other`() {
    for pass in GeometryPass.large {
      let (x, w, b) = (FeatureMap(pass.x.floats()), pass.w.floats(), pass.b.floats())
      let z = Convolution.forward(x, kernel: w, bias: b, geometry: pass.geometry)
      let skip = FeatureMap(pass.gradient.floats())
      for function in [Activation.relu, .elu] {
        let a = function.forward(z, reluNaN: .keep)
        for keeps in [false, true] {
          let found = Convolution.activated(
            x, kernel: w, bias: b, geometry: pass.geometry, activation: function, reluNaN: .keep,
            joining: Join(.add, skip), keepsRecord: keeps)
          #expect(found.output.tensor.fingerprint == a.adding(skip).tensor.fingerprint, "\(pass)")
          guard let record = found.record else { continue }
          let dz = function.backward(skip, record)
          let expected = function.backward(
            skip, activation: a, preactivation: function.needsPreactivation ? z : nil)
          #expect(dz.tensor.fingerprint == expected.tensor.fingerprint, "\(pass)")
        }
      }
    }
  }

  @Test func `a masked gradient goes back through every geometry`() {
    for pass in GeometryPass.large {
      let activated = Convolution.activated(
        FeatureMap(pass.x.floats()), kernel: pass.w.floats(), bias: nil, geometry: pass.geometry,
        activation: .relu, reluNaN: .keep, keepsRecord: true)
      guard let record = activated.record else { continue }
      let dz = Activation.relu.backward(FeatureMap(pass.gradient.floats()), record)
      let plain = FeatureMap(dz.tensor)
      func gradients(_ dz: FeatureMap<Float>) -> [[Float]] {
        let parameters = Convolution.parameterGradients(
          FeatureMap(pass.x.floats()), dz, kernelShape: pass.w.shape, geometry: pass.geometry,
          hasBias: true)
        return [
          Convolution.inputGradient(
            dz, kernel: pass.w.floats(), geometry: pass.geometry, inputShape: pass.x.shape
          ).tensor, parameters.kernel, parameters.bias ?? parameters.kernel,
        ].map(\.scalars)
      }
      #expect(gradients(dz) == gradients(plain), "\(pass)")
    }
  }

  @Test func `gradients of input and kernel together have the bits of each alone`() throws {
    var together = Set<Bool>()
    for pass in GeometryPass.large {
      let (x, dz, w) = (
        FeatureMap(pass.x.floats()), FeatureMap(pass.gradient.floats()), pass.w.floats()
      )
      guard let both = Convolution.gradients(dz, x, kernel: w, geometry: pass.geometry) else {
        continue
      }
      together.insert(pass.geometry.isTransposed)
      let dx = Convolution.inputGradient(
        dz, kernel: w, geometry: pass.geometry, inputShape: x.shape)
      let dw = Convolution.kernelGradient(x, dz, kernelShape: w.shape, geometry: pass.geometry)
      #expect(both.input.tensor.fingerprint == dx.tensor.fingerprint, "\(pass)")
      #expect(both.kernel.fingerprint == dw.fingerprint, "\(pass)")
    }
    #expect(together == [false, true])
  }

  @Test func `a NaN or an infinity in a result of any geometry is found`() {
    for pass in GeometryPass.large {
      for bad in [Float.nan, .infinity] {
        var (x, w) = (pass.x.floats(), pass.w.floats())
        #expect(
          !Convolution.forward(FeatureMap(x), kernel: w, geometry: pass.geometry).foundNonFinite)
        // In the middle, where every geometry here reads the image.
        let middle = [x.shape.height, x.shape.width].map { $0 / 12 * 6 }
        x.scalars[x.shape.offset(of: [0, 0] + middle)] = bad
        #expect(
          Convolution.forward(FeatureMap(x), kernel: w, geometry: pass.geometry).foundNonFinite,
          "\(pass)")
        w.scalars[0] = bad
        #expect(
          Convolution.inputGradient(
            FeatureMap(pass.gradient.floats()), kernel: w, geometry: pass.geometry,
            inputShape: pass.x.shape
          ).foundNonFinite, "\(pass)")
      }
    }
  }

  @Test func `copies of maps in another order are planned for, and only these`() {
    func scratch(_ geometry: ConvolutionGeometry, _ kernel: Shape) -> Int {
      ConvolutionMemory.scratch(
        input: [2, 16, 32, 32], kernel: kernel, geometry: geometry, Float.self)
    }
    func map(channels: Int, pixels: Int) -> Int {
      ConvolutionMemory.map(channels: channels, pixels: 2 * pixels, Float.self)
    }
    #expect(scratch(.plain, [16, 16, 3, 3]) == 0)
    // Four phases as channels; the result is as large as they are.
    #expect(scratch(.init(stride: 2), [16, 16, 2, 2]) == map(channels: 64, pixels: 256))
    // Four phases as images, of both maps.
    #expect(scratch(.init(dilation: 2), [16, 16, 3, 3]) == 2 * map(channels: 16, pixels: 1024))
    // One of four groups at a time, of maps that are planes then.
    #expect(
      scratch(.init(groups: 4), [16, 4, 3, 3])
        == 2 * (map(channels: 4, pixels: 1024) + map(channels: 16, pixels: 1024)))
    #expect(scratch(.init(padding: .none), [16, 16, 5, 5]) == 0)
    #expect(
      ConvolutionMemory.kernelGradient(
        [16, 16, 5, 5], geometry: .init(padding: .none), Float.self) == 9 * 64 * 256 * 4)
  }

  @Test func `sizes of outputs and the inputs that give them are each other's inverse`() {
    for geometry in ConvolutionGeometry.samples {
      for kernel in 1...7 where geometry.allows(kernel: kernel) {
        let outputs = (1...40).map { geometry.outputExtent(of: $0, kernel: kernel) }
        for output in 1...20 {
          let fitting = (1...40).filter { outputs[$0 - 1] == output }
          let found = geometry.inputExtents(for: output, kernel: kernel)
          #expect(fitting == found.map { Array($0).filter { $0 <= 40 } } ?? [], "\(geometry)")
        }
      }
    }
  }

  @Test(arguments: 1...13)
  func `same padding keeps the size, and a stride divides it`(kernel: Int) {
    for dilation in 1...3 {
      if kernel % 2 == 1 {
        for isTransposed in [false, true] {
          let geometry = ConvolutionGeometry(dilation: dilation, isTransposed: isTransposed)
          for size in 1...20 {
            #expect(geometry.outputExtent(of: size, kernel: kernel) == size)
          }
        }
      }
      for stride in 2...4 {
        let geometry = ConvolutionGeometry(stride: stride, dilation: dilation)
        for size in 1...9 {
          #expect(geometry.outputExtent(of: size * stride, kernel: kernel) == size)
        }
      }
    }
  }
}
