import Networks
import Operations
import Tensors

/// The arithmetic of a pass on numbers of bytes: each quantity is memory of the size that the map would
/// take, which is free when nothing refers to it.
///
/// Beside each rule stands the function of ``Numbers`` or of the engine whose maps it counts. Weights and
/// their gradients are no maps and not counted.
struct ByteCount<Element: Scalar>: PassArithmetic {
  /// The memory that a group keeps: a, where the join multiplies with it; the values that act′ is computed from; whether those
  /// are bits.
  struct Record {
    var activation: Heap.Block?
    let derivative: [Heap.Block]
    let isMask: Bool
  }

  private let program: Program<Element>
  private let shapes: [Shape]
  let heap = Heap()
  /// Input, target and mask as tensors, which stay beside their maps.
  private let tensors: Heap.Block

  init(_ program: Program<Element>, _ size: BatchSize) {
    self.program = program
    shapes = program.shapes(size)
    let given = zip(program.nodes, shapes).filter { node, _ in node.operation == nil }
    tensors = heap.take(
      given.reduce(0) {
        $0 + $1.1.mapBytes(Element.self) * ($1.0.isParameter || $1.0.isOfFlow ? 0 : 1)
      })
  }

  /// Takes a map of the value at `place`.
  func map(_ place: Int) -> Heap.Block { heap.take(shapes[place].mapBytes(Element.self)) }

  func released(_ quantity: Heap.Block) -> Heap.Block? { nil }

  func foundNonFinite(_ quantity: Heap.Block) -> Bool { false }

  // MARK: - One operation

  func forward(_ place: Int, _ operands: [Heap.Block]) -> Heap.Block {
    withExtendedLifetime(scratch(place)) { map(place) }
  }

  /// Takes what the operation at `place` needs for a while, beside its operands and results.
  private func scratch(_ place: Int) -> Heap.Block {
    let node = program.nodes[place]
    return heap.take(
      node.operation?.scratchBytes(node.operands.map { shapes[$0] }, Element.self) ?? 0)
  }

  func pullbacks(
    _ place: Int, to numbers: [Int], _ gradient: Heap.Block, _ operands: [Heap.Block?],
    _ result: Heap.Block?
  ) -> [Heap.Block] {
    let node = program.nodes[place]
    let aside = (0..<(node.operation?.pullbackMaps ?? 0)).map { _ in map(place) } + [scratch(place)]
    defer { withExtendedLifetime(aside) {} }
    return numbers.map { number in
      if node.operation?.sharesGradient(to: number) ?? false { return gradient }
      // To the one channel that serves all, an element-wise operation hands all channels.
      let operand = node.operands[number]
      return map(program.nodes[operand].operation is Broadcast ? place : operand)
    }
  }

  func loss(
    _ place: Int, _ operands: [Heap.Block]
  ) -> (value: Heap.Block, gradient: Heap.Block) {
    let output = program.nodes[place].operands[0]
    // The error, and with a mask what of it counts, beside the gradient.
    let errors = (1..<max(2, operands.count - 1)).map { _ in map(output) }
    return withExtendedLifetime(errors) { (heap.take(0), map(output)) }
  }

  func sum(_ a: Heap.Block, _ b: Heap.Block, at place: Int) -> Heap.Block {
    // The engine's element-wise operations write a map of their own.
    heap.take(a.bytes)
  }

  func product(_ a: Heap.Block, _ b: Heap.Block, at place: Int) -> Heap.Block {
    heap.take(a.bytes)
  }

  func scaled(_ a: Heap.Block, by factor: Double, at place: Int) -> Heap.Block {
    heap.take(a.bytes)
  }

  // MARK: - A convolution with what follows

  private func channels(_ place: Int) -> Int { shapes[place].channels }
  private func isInterleaved(_ place: Int) -> Bool {
    ConvolutionMemory.takesEnding(channels: channels(place), Element.self)
  }

  /// Takes a bit for each value at `place`.
  private func bits(_ place: Int) -> Heap.Block {
    heap.take(
      ConvolutionMemory.mask(
        channels: channels(place), pixels: shapes[place].count / channels(place)))
  }

  /// Counts `Convolution.activated`.
  func forward(
    _ group: FusedConvolution, _ x: Heap.Block, joining s: Heap.Block?, keepsRecord: Bool
  ) -> (result: Heap.Block, record: Record?, foundNonFinite: Bool) {
    let z = map(group.convolution)
    let needsZ = group.function.needsPreactivation
    let joinsMap = group.skip.map { channels($0) == channels(group.convolution) } ?? true
    let keepsDerivative = keepsRecord && !group.leavesDerivative
    let addsOnly = group.merge == nil || group.merge == .add && joinsMap
    if isInterleaved(group.convolution), group.function == .relu, addsOnly {
      let bits =
        keepsDerivative
        ? [bits(group.convolution)] : []
      return (z, keepsRecord ? Record(derivative: bits, isMask: true) : nil, false)
    }
    if isInterleaved(group.convolution), group.function == .linear, group.merge == .add, joinsMap {
      return (z, keepsRecord ? Record(derivative: [], isMask: false) : nil, false)
    }
    // Planes are changed where they are, unless z is needed.
    let isPlanar = Element.self == Float.self && !isInterleaved(group.convolution)
    let a =
      group.function == .linear || isPlanar && !(keepsDerivative && needsZ)
      ? z : map(group.convolution)
    let result = group.merge == nil || isPlanar && !keepsRecord ? a : map(group.convolution)
    guard keepsRecord else { return (result, nil, false) }
    let multiplies = group.merge?.multiplies ?? false
    return (
      result,
      Record(
        activation: multiplies ? a : nil,
        derivative: !keepsDerivative || group.function == .linear ? [] : needsZ ? [a, z] : [a],
        isMask: false), false
    )
  }

  func skipGradient(
    _ group: FusedConvolution, _ gradient: Heap.Block, _ s: Heap.Block?, _ record: inout Record
  ) -> Heap.Block {
    record.activation = nil
    return group.merge?.multiplies ?? false ? map(group.convolution) : gradient
  }

  /// Counts `Convolution.pulledBack`, `Activation.backward` and `Conv2D.backward`.
  func backward(
    _ group: FusedConvolution, _ gradient: consuming Heap.Block, _ x: consuming Heap.Block,
    times s: Heap.Block?, _ record: consuming Record, needsInput: Bool, insertion: Heap.Block?,
    adding addend: Heap.Block?
  ) -> (input: Heap.Block?, parameters: [Heap.Block]) {
    let parameters = [heap.take(0)] + (group.bias.map { _ in [heap.take(0)] } ?? [])
    let kernel = shapes[group.weight]
    let isPlanar =
      Element.self == Float.self && !isInterleaved(group.convolution) && !isInterleaved(group.x)
    if insertion == nil, group.bias == nil, isPlanar {
      guard needsInput else { return (nil, parameters) }
      let input = map(group.x)
      return (addend == nil ? input : map(group.x), parameters)
    }
    var dz = gradient
    if record.isMask || group.leavesDerivative || group.function == .linear {
      if s != nil { dz = map(group.convolution) }
    } else {
      dz = map(group.convolution)
    }
    if insertion != nil { dz = map(group.convolution) }
    guard needsInput else { return (nil, parameters) }
    if Convolution.goesBackAtOnce(kernelShape: kernel, Element.self) {
      let isReplaced =
        isKnownUniquelyReferenced(&x) && !ConvolutionMemory.keepsInput(kernel, Element.self)
      return (isReplaced ? x : map(group.x), parameters)
    }
    _ = consume x
    let input = map(group.x)
    let addsBehind = addend != nil && !isInterleaved(group.x)
    return withExtendedLifetime((dz, record)) { (addsBehind ? map(group.x) : input, parameters) }
  }
  // MARK: - A normalization with ReLU

  /// Counts `Normalization.rectified`.
  func forward(
    _ norm: FusedNorm, _ operands: [Heap.Block], keepsRecord: Bool
  ) -> (result: Heap.Block, record: Record?) {
    let isMask = isInterleaved(norm.activation)
    // The sum is a map of its own before ReLU in planes.
    let sum = isMask ? nil : map(norm.norm)
    let result = map(norm.activation)
    guard keepsRecord else { return (result, nil) }
    let derivative =
      norm.leavesDerivative ? [] : [isMask ? bits(norm.activation) : result]
    return withExtendedLifetime(sum) { (result, Record(derivative: derivative, isMask: isMask)) }
  }

  /// Counts `Activation.backward`, and the pullbacks of the normalization.
  func pullbacks(
    _ norm: FusedNorm, to numbers: [Int], _ gradient: Heap.Block, _ operands: [Heap.Block?],
    _ record: Record
  ) -> [Heap.Block] {
    let isRead = record.isMask || norm.leavesDerivative
    let rectified = isRead ? gradient : map(norm.activation)
    return pullbacks(norm.norm, to: numbers, rectified, operands, nil)
  }
}
