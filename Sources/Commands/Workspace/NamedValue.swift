import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

/// The tensor that a name such as `clean[3, 100:140]` or `b2.conv1.weight.grad` stands for.
struct NamedValue {
  let name: String
  let tensor: Tensor<Float>
  /// True where a pixel is padding, in the order of the tensor.
  let mask: [Bool]?
  /// Whether the numbers are image values in the data's unit.
  let isImage: Bool
  /// The index of the slice that an image value is of, or begins with.
  var slice = 0

  /// The stack that an image value is a part of: `denoised` for `second/denoised[3]`.
  var stackName: String { String((name.split(separator: "/").last ?? "").prefix { $0 != "[" }) }

  var statistics: Statistics { tensor.statistics(excluding: mask) }

  /// Whether every number is padding.
  var isPadding: Bool { mask?.allSatisfy(\.self) ?? false }
}

/// A name, and the index behind it in brackets.
struct IndexedName {
  let name: String
  let entries: [IndexEntry]

  /// Reads `name[3, 10:20]`.
  init(_ text: String) throws(CommandError) {
    guard let bracket = text.firstIndex(of: "[") else {
      (name, entries) = (text, [])
      return
    }
    guard text.hasSuffix("]") else {
      if let end = text.lastIndex(of: "]"), end > bracket {
        let behind = text[text.index(after: end)...]
        throw CommandError(
          .syntax, "\(text): the index comes last",
          hint: "write \(text[..<bracket])\(behind)\(text[bracket...end])")
      }
      throw CommandError(
        .syntax, "\(text): the index does not end with ]", hint: "for example clean[3]")
    }
    name = String(text[..<bracket]).trimmingSpaces
    let inner = text[text.index(after: bracket)...].dropLast()
    var entries: [IndexEntry] = []
    for part in inner.split(separator: ",", omittingEmptySubsequences: false) {
      entries.append(try Self.entry(String(part).trimmingSpaces, in: text))
    }
    self.entries = entries
  }

  private static func entry(_ text: String, in name: String) throws(CommandError) -> IndexEntry {
    let ends = text.split(separator: ":", omittingEmptySubsequences: false)
      .map { String($0).trimmingSpaces }
    if ends.count == 1, let position = Int(ends[0]) { return .position(position) }
    if ends.count == 2, ends.allSatisfy({ $0.isEmpty || Int($0) != nil }) {
      return .range(lower: Int(ends[0]), upper: Int(ends[1]))
    }
    throw CommandError(
      .syntax, "'\(text)' is no index in \(name)", hint: "write a number or a range a:b, b excluded"
    )
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

extension Workspace {
  /// The value that `text` names.
  mutating func value(_ text: String) throws -> NamedValue {
    if let other = try valueOfParkedNetwork(text) { return other }
    let indexed = try IndexedName(text)
    if let stack = try imageStack(indexed) { return stack }
    let tensor = try typedTensor(indexed.name) ?? networkTensor(indexed.name)
    return NamedValue(
      name: text, tensor: try tensor.part(indexed.entries), mask: nil, isImage: false)
  }

  /// The value that the argument called `argument` names; errors point at it.
  mutating func value(
    _ arguments: Arguments, _ argument: String, index: Int? = nil
  ) throws(CommandError) -> NamedValue {
    let text = index.map { arguments.words(argument)[$0] } ?? arguments.textIfGiven(argument) ?? ""
    return try value(text, at: argument, index: index, arguments)
  }

  /// The value that `text` names; errors point at the argument called `argument`.
  mutating func value(
    _ text: String, at argument: String, index: Int? = nil, _ arguments: Arguments
  ) throws(CommandError) -> NamedValue {
    do {
      return try value(text)
    } catch {
      throw arguments.error(at: argument, index: index, commandError(error))
    }
  }

  /// The names of image stacks.
  static let stackNames = ["clean", "noisy", "denoised", "baseline"]

  private mutating func imageStack(_ indexed: IndexedName) throws -> NamedValue? {
    guard Self.stackNames.contains(indexed.name) else { return nil }
    let all = indexed.name == "clean" ? try requireClean() : try requireSlices()
    guard indexed.entries.count <= 3 else {
      throw CommandError(
        .init(rawValue: "index"), "\(indexed.text) has \(indexed.entries.count) indices",
        hint: "slices take up to three: [slice, row, column]")
    }
    if case .position(let slice) = indexed.entries.first, !(0..<all.count).contains(slice) {
      throw CommandError(
        .init(rawValue: "index"), "there is no slice \(slice)",
        hint: "0 to \(all.count - 1) exist")
    }
    // Only the slices that the index names are computed.
    let wanted =
      if case .position(let slice) = indexed.entries.first, (0..<all.count).contains(slice) {
        [slice]
      } else {
        Array(0..<all.count)
      }
    let stack = try stack(indexed.name, slices: wanted)
    var entries = indexed.entries
    let isSingle = wanted.count == 1 && !entries.isEmpty
    if isSingle { entries[0] = .position(0) }
    // The index [slice, row, column] leaves out the only channel.
    if entries.count > 1 || isSingle { entries.insert(.position(0), at: 1) }
    let slices = try original(of: indexed.name).slices(wanted)
    let mask = try slices.mask.map { mask in
      try Tensor<Float>(shape: slices.values.shape, scalars: mask.map { $0 ? 1 : 0 }).part(entries)
        .scalars.map { $0 == 1 }
    }
    return NamedValue(
      name: indexed.text, tensor: try stack.part(entries), mask: mask, isImage: true,
      slice: firstSlice(indexed.entries))
  }

  private func firstSlice(_ entries: [IndexEntry]) -> Int {
    switch entries.first {
    case .position(let slice): slice
    case .range(let lower, _): lower ?? 0
    case nil: 0
    }
  }

  /// The slices `wanted` of a named stack, `[wanted.count, 1, H, W]`.
  mutating func stack(_ name: String, slices wanted: [Int]) throws -> Tensor<Float> {
    switch name {
    case "clean": return try requireClean().values.images(wanted)
    case "noisy": return try requireNoisy().images(wanted)
    case "baseline":
      guard wanted.allSatisfy({ baseline[$0] != nil }) else {
        throw CommandError(
          .state, "there is no baseline of these slices", hint: "type 'baseline median on=all'")
      }
      return Tensor(joining: wanted.compactMap { baseline[$0]?.image })
    default:
      return Tensor(joining: try wanted.map { try denoisedSlice($0) })
    }
  }

  /// The parameter, running statistic, value or gradient called `name`.
  private mutating func networkTensor(_ name: String) throws -> Tensor<Float> {
    let parameters = network.parameterNames
    if let index = network.stateNames.firstIndex(of: name) { return network.state[index] }
    if let state = try optimizerTensor(name, parameters) { return state }
    let (base, gradientFlow) = gradientName(name)
    let known = network.valueNames + parameters + ["loss"]
    guard known.contains(base) else { return try flowTensor(name, base, gradientFlow) }
    let isGradient = base != name
    if isGradient, let index = parameters.firstIndex(of: base) {
      return try requireGradients(gradientFlow ?? flow)[index]
    }
    let asked = gradientFlow ?? flow
    guard !isGradient || asked.goesBack else {
      throw CommandError(
        .state, "flow \(asked.name) goes no way back: it has gradients of weights alone",
        hint: "\(parameters.first ?? "c1.weight").grad, or \(base).grad.standard")
    }
    let pass = try requirePass(isGradient ? gradientFlow : nil)
    let found = isGradient ? pass.gradient(base) : pass.value(base)
    guard let found else { throw unknown(name, parameters + network.valueNames) }
    return found
  }

  /// The tensor of a flow's own called `name`, or a value that it computes, such as the loss of a head, or the gradient
  /// of one.
  private mutating func flowTensor(
    _ name: String, _ base: String, _ gradientFlow: (any GradientFlow)?
  ) throws -> Tensor<Float> {
    let flow = gradientFlow ?? flow
    if base == name, let own = flowTensors.first(where: { $0.name == name }) { return own.tensor }
    let program = ownNames(of: flow)
    guard program.contains(base), lastPass != nil || base != name else {
      throw unknown(name, network.parameterNames + network.valueNames + program)
    }
    let pass = try requirePass(flow)
    guard let found = base == name ? pass.value(base) : pass.gradient(base) else {
      throw unknown(name, network.parameterNames + network.valueNames + program)
    }
    return found
  }

  /// The chosen flow's own tensors, as they are in the last pass or, without one, in the next.
  var flowTensors: [FlowTensor<Float>] {
    guard flow.rewrites, flow.fits(network) else { return [] }
    return flow.tensors(for: network, step: lastPass?.step ?? trainer?.step ?? 0)
  }

  /// The names of values and tensors that the network has under `flow` alone.
  func ownNames(of flow: any GradientFlow) -> [String] {
    guard flow.rewrites, flow.fits(network), !network.layers.isEmpty else { return [] }
    let program = flow.program(of: network, PassKey(loss: loss), step: 0)
    let known = Set(network.valueNames)
    return program.valueNames.filter { !known.contains($0) } + program.flowNames
  }

  /// The tensor whose gradient a name means, and the flow: `b1.out` for `b1.out.grad`, under the
  /// chosen flow, and for `b1.out.grad.tape`; the name itself and nil for other names.
  func gradientName(_ name: String) -> (base: String, flow: (any GradientFlow)?) {
    let parsed = ValueName(name)
    guard case .gradient(let flowName) = parsed.aspect else { return (name, nil) }
    guard let flowName else { return (parsed.base, flow) }
    return knownFlow(flowName).map { (parsed.base, $0) } ?? (name, nil)
  }

  /// The `.m`, `.v` or `.update` of a parameter, or its `.before`, the value in the last pass; nil
  /// for other names.
  private func optimizerTensor(
    _ name: String, _ parameters: [String]
  ) throws(CommandError) -> Tensor<Float>? {
    let parsed = ValueName(name)
    guard case .kept(let kind) = parsed.aspect,
      let index = parameters.firstIndex(of: parsed.base)
    else { return nil }
    let tensor =
      kind == ValueName.beforeName
      ? try requireLastPass().network.parameters[index] : trainer?.states[index][kind]
    guard let tensor else {
      throw CommandError(
        .state, "the optimizer has no \(kind) for \(parameters[index])",
        hint: trainer == nil
          ? trainingCure("train first, for example 'train steps=1'")
          : "'\(optimizer.line)' keeps none")
    }
    return tensor
  }

  private func unknown(_ name: String, _ names: [String]) -> CommandError {
    let all = Self.stackNames + ["net.in", "net.out", "loss"] + names
    let known =
      all
      + names.flatMap { name in
        (["grad"] + OptimizerState.names).map { "\(name).\($0)" }
      }
    let layers = network.layerNames
    return CommandError(
      .unknownName, "there is nothing called '\(name)'",
      hint: NearestNames.question(for: name, among: known)
        ?? (layers.isEmpty
          ? "clean, noisy and denoised are image stacks; the network has no layers yet"
          : "the layers are \(layers.joined(separator: " "))"))
  }
}

extension IndexedName {
  /// The name with its index, as it is printed.
  var text: String {
    guard !entries.isEmpty else { return name }
    let parts = entries.map { entry in
      switch entry {
      case .position(let position): "\(position)"
      case .range(let lower, let upper):
        "\(lower.map(String.init) ?? ""):\(upper.map(String.init) ?? "")"
      }
    }
    return "\(name)[\(parts.joined(separator: ","))]"
  }
}
