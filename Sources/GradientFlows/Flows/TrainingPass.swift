package import Networks
import Operations
package import Tensors

/// One forward and backward pass on one batch: enough to compute it, and to compute it again.
///
/// Training keeps the last of these instead of every value: the weights before the update and the
/// batch. Whoever asks for a name computes the pass again, with everything kept, to the same bits.
package struct TrainingPass<Element: Scalar>: Sendable {
  package let network: Network<Element>
  /// Network range, `[N, 1, H, W]`.
  package let input: Tensor<Element>, target: Tensor<Element>
  /// 1 for pixels that count, `[N, 1, H, W]`; nil if all count.
  package let mask: Tensor<Element>?
  package let loss: Loss
  /// The number of the epoch, from 0, and of the updates before this pass; flows may change with them.
  package let epoch: Int, step: Int

  package init(
    network: Network<Element>, input: Tensor<Element>, target: Tensor<Element>,
    mask: Tensor<Element>? = nil, loss: Loss, epoch: Int = 0, step: Int = 0
  ) {
    (self.network, self.input, self.target) = (network, input, target)
    (self.mask, self.loss, self.epoch, self.step) = (mask, loss, epoch, step)
  }

  /// Returns the same batch through another network.
  package func with(_ network: Network<Element>) -> TrainingPass {
    TrainingPass(
      network: network, input: input, target: target, mask: mask, loss: loss, epoch: epoch,
      step: step)
  }

  /// Returns the pass with images that fit the network.
  ///
  /// Images that do not fit are padded by reflection, and a mask leaves the padding out of the loss. Where no
  /// larger images fit either, the pass is returned as it is.
  package func padded() -> TrainingPass {
    let (height, width) = (input.shape.height, input.shape.width)
    guard let size = network.fitting(height: height, width: width), size != (height, width) else {
      return self
    }
    let counts = mask?.scalars
    var places: [Element] = []
    places.reserveCapacity(input.shape.batch * size.height * size.width)
    for image in 0..<input.shape.batch {
      for row in 0..<size.height {
        for column in 0..<size.width {
          let isInside = row < height && column < width
          let offset = (image * height + row) * width + column
          places.append(isInside ? counts?[offset] ?? 1 : 0)
        }
      }
    }
    return TrainingPass(
      network: network, input: input.reflected(toHeight: size.height, width: size.width),
      target: target.reflected(toHeight: size.height, width: size.width),
      mask: Tensor(
        shape: [input.shape.batch, 1, size.height, size.width], scalars: places),
      loss: loss, epoch: epoch, step: step)
  }

  /// The facts that the plan of the pass depends on.
  var key: PassKey { PassKey(loss: loss, hasMask: mask != nil) }

  /// The pass as operations.
  package var program: Program<Element> { network.plan(key).program }

  /// Computes the loss alone.
  package func lossAlone() -> Double {
    var key = key
    key.goesBack = false
    var execution = Execution(network.plan(key))
    execution.give(self)
    execution.forward(execution.plan.program.nodes.indices, keepsRecords: false)
    guard let loss = execution.value(at: execution.plan.program.loss) else {
      preconditionFailure("A pass ends with its loss.")
    }
    return loss.number
  }

  /// Computes every value of the forward pass, and keeps them all.
  package func values() -> PassResult<Element> {
    var key = key
    key.isSeparate = true
    var execution = Execution(network.plan(key))
    execution.give(self)
    execution.forward(execution.plan.program.nodes.indices)
    let values = PassValues(execution)
    return PassResult(self, values, kept: values)
  }

  /// Returns the loss and all gradients under `flow`.
  package func run(_ flow: some GradientFlow, retention: Retention) -> PassResult<Element> {
    flow.run(self, retention: retention)
  }

  /// The same pass in Double.
  package var doubles: TrainingPass<Double> {
    TrainingPass<Double>(
      network: network.doubles, input: input.doubles(), target: target.doubles(),
      mask: mask?.doubles(), loss: loss, epoch: epoch, step: step)
  }
}

/// The values and gradients that one forward and backward pass computed, as far as they were kept.
package struct PassResult<Element: Scalar>: Sendable {
  package let loss: Double
  /// The network's output, `[N, 1, H, W]`.
  package let output: FeatureMap<Element>
  /// The gradients of all parameters, in the order of the network's `parameters`.
  package let parameterGradients: [Tensor<Element>]
  /// The buffers of the network after a step of training, in the order of the network's `buffers`.
  package let buffers: [Tensor<Element>]
  /// The gradients of the flow's own tensors that it trains, by their names.
  package let flowGradients: [String: Tensor<Element>]
  /// Whether a convolution found a NaN or an infinity.
  private let foundNonFinite: Bool
  /// Values and gradients with names; nil where no more was kept than training needs.
  private let kept: PassValues<Element>?
  private let pass: TrainingPass<Element>

  /// The result of a pass from all that is there at its end; `kept` can be asked for by name.
  init(_ pass: TrainingPass<Element>, _ all: PassValues<Element>, kept: PassValues<Element>?) {
    let program = all.program
    guard let output = all.values[program.output]?.map, let loss = all.values[program.loss] else {
      preconditionFailure("A pass ends with its loss.")
    }
    (self.pass, self.kept, self.output) = (pass, kept, output)
    (self.loss, foundNonFinite) = (loss.number, all.foundNonFinite)
    parameterGradients = program.parameterPlaces.compactMap { place in
      // Where no gradient arrives, it is 0.
      all.gradients[place]?.tensor
        ?? program.tensor(at: place).map { Tensor(shape: $0.shape, repeating: 0) }
    }
    flowGradients = Dictionary(
      uniqueKeysWithValues: program.flowNames.compactMap { name in
        program.place(name).flatMap { all.gradients[$0]?.tensor }.map { (name, $0) }
      })
    buffers = program.bufferUpdates.compactMap { all.values[$0]?.tensor }
  }

  /// The result of a batch of which `parts` are the parts; nothing can be asked for by name.
  init(_ pass: TrainingPass<Element>, adding parts: [PassResult]) {
    func sum(_ tensors: [[Tensor<Element>]]) -> [Tensor<Element>] {
      tensors.dropFirst().reduce(tensors[0]) { sum, next in zip(sum, next).map { $0.adding($1) } }
    }
    let share = 1 / Element(parts.count)
    (self.pass, kept) = (pass, nil)
    loss = parts.reduce(0) { $0 + $1.loss }
    output = FeatureMap(Tensor(joining: parts.map { $0.output.tensor }))
    foundNonFinite = parts.contains { $0.foundNonFinite }
    parameterGradients = sum(parts.map(\.parameterGradients))
    flowGradients = parts.dropFirst().reduce(parts[0].flowGradients) { gradients, part in
      gradients.merging(part.flowGradients) { $0.adding($1) }
    }
    buffers = sum(parts.map(\.buffers)).map { buffer in
      Tensor(shape: buffer.shape, scalars: buffer.scalars.map { $0 * share })
    }
  }

  package var network: Network<Element> { pass.network }

  /// The operations; made anew where nothing of them was kept, since training does not ask for them.
  package var program: Program<Element> { kept?.program ?? pass.program }

  private var values: [Value<Element>?] { kept?.values ?? [] }
  private var gradients: [Value<Element>?] { kept?.gradients ?? [] }

  /// Whether the pass met no NaN and no infinity, as far as it looked: each convolution's result,
  /// the loss, and the gradients of the parameters.
  package func isFinite() -> Bool {
    !foundNonFinite && Element(loss).isFinite
      && !parallelMap(parameterGradients.count) { parameterGradients[$0].isFinite() }
        .contains(false)
  }
}

// MARK: - By name

extension PassResult {
  /// Returns the value called `name`, such as `b2.conv1.z`; nil if there is none or it was not kept.
  package func value(_ name: String) -> Tensor<Element>? {
    switch name {
    case "net.out": output.tensor
    case "loss": Tensor(shape: [], scalars: [Element(loss)])
    default: program.place(name).flatMap { value(at: $0) }
    }
  }

  /// Returns the gradient of the value or parameter called `name`; nil if there is none or it was not
  /// kept.
  package func gradient(_ name: String) -> Tensor<Element>? {
    if name == "loss" { return Tensor(shape: [], scalars: [1]) }
    if let index = network.parameterNames.firstIndex(of: name) {
      return parameterGradients.indices.contains(index) ? parameterGradients[index] : nil
    }
    return program.place(name).flatMap { gradient(at: $0) }
  }

  /// Returns the value called `name`, or the gradient if it ends in `.grad`; parameters too.
  package func named(_ name: String) -> Tensor<Element>? {
    ValueName(name).gradientBase.map { gradient($0) } ?? value(name)
  }

  /// Returns the first name, in the order of computation, whose value or gradient is not finite.
  package func firstNonFinite() -> String? {
    for name in program.valueNames where value(name).map({ !$0.isFinite() }) ?? false {
      return name
    }
    if !Element(loss).isFinite { return "loss" }
    // Backwards, layer by layer: what comes in, what is inside, the parameters, what goes out.
    let order = program.layers.reversed().flatMap { layer -> [Int] in
      let own = layer.nodes.filter { program.nodes[$0].name != nil && $0 != layer.input }
      return own.reversed().filter { !program.nodes[$0].isParameter }
        + own.filter { program.nodes[$0].isParameter } + [layer.input]
    }
    return (["net.out"] + order.compactMap { program.nodes[$0].name }).first {
      gradient($0).map { !$0.isFinite() } ?? false
    }.map { $0 + ".grad" }
  }
}

// MARK: - By place

extension PassResult {
  /// Returns the value of the node at `place`; one without a name is computed again from what it reads.
  func value(at place: Int) -> Tensor<Element>? {
    if let tensor = program.tensor(at: place) { return tensor }
    return known(place)?.tensor
  }

  /// Returns the gradient of the node at `place`; one without a name is computed again from those of its
  /// readers.
  func gradient(at place: Int) -> Tensor<Element>? {
    if place < gradients.count, let gradient = gradients[place] { return gradient.tensor }
    guard program.nodes[place].name == nil else { return nil }
    return arrivals(at: place).map(\.tensor).reduce(nil) { $0?.adding($1) ?? $1 }
  }

  /// Returns the value of the node at `place`, as it was kept or computed again.
  func known(_ place: Int) -> Value<Element>? {
    if let tensor = program.tensor(at: place) { return .tensor(tensor) }
    if place < values.count, let value = values[place] { return value }
    let node = program.nodes[place]
    guard node.name == nil, let operation = node.operation else { return nil }
    let operands = node.operands.compactMap { known($0) }
    return operands.count == node.operands.count ? operation.forward(operands) : nil
  }

  /// Returns what each reader of the node at `place` contributes to its gradient, in the order of the
  /// readers; empty where too little was kept.
  func arrivals(at place: Int) -> [Value<Element>] {
    program.nodes.indices.flatMap { reader -> [Value<Element>] in
      let node = program.nodes[reader]
      guard let operation = node.operation, node.operands.contains(place),
        let result = known(reader), let gradient = gradientValue(of: reader)
      else { return [] }
      let operands = node.operands.compactMap { known($0) }
      guard operands.count == node.operands.count else { return [] }
      let application = OperationValues(operands: operands, result: result)
      return node.operands.indices.filter {
        node.operands[$0] == place && operation.hasPullback(to: $0)
      }.map {
        operation.pullback(gradient, to: $0, application)
      }
    }
  }

  /// Returns the gradient of the node at `place`, as it was kept or computed again.
  func gradientValue(of place: Int) -> Value<Element>? {
    if place == program.end { return .number(1) }
    if place < gradients.count, let gradient = gradients[place] { return gradient }
    guard program.nodes[place].name == nil else { return nil }
    return arrivals(at: place).reduce(nil) { $0?.adding($1) ?? $1 }
  }
}

extension Execution where Arithmetic == Numbers<Element> {
  /// Takes what is given of a pass: the batch, the parameters and the buffers.
  mutating func give(_ pass: TrainingPass<Element>) {
    giveTensors()
    let program = plan.program
    give(.map(FeatureMap(pass.input)), at: program.input)
    if let target = program.target { give(.map(FeatureMap(pass.target)), at: target) }
    if let mask = program.mask, let values = pass.mask { give(.map(FeatureMap(values)), at: mask) }
  }
}
