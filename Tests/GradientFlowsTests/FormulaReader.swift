import Foundation
import Tensors

/// Reads a formula of a step, such as `z.grad = (1 − a²) · a.grad`, and computes it in Double.
///
/// It knows the signs and nothing of networks: what a name stands for, `lookup` says.
struct FormulaReader {
  struct Fault: Error, CustomStringConvertible {
    let description: String
  }

  /// A number, or a tensor whose first axis may be that of output channels.
  typealias Value = Tensor<Double>

  private let signs: [Character]
  private var position = 0
  private let lookup: (String) throws -> Value
  /// The shape of the left side: kernels and biases have others than maps.
  private let target: Shape

  /// The value of the expression `text`, which becomes a tensor of `target`.
  static func value(
    _ text: String, target: Shape, _ lookup: @escaping (String) throws -> Value
  ) throws -> Value {
    var reader = FormulaReader(text, target, lookup)
    let value = try reader.condition()
    guard reader.position == reader.signs.count else { throw reader.fault("more than expected") }
    return value
  }

  /// The equations of a formula: left side, whether the right one is added to it, right side.
  static func equations(_ formula: String) -> [(left: String, isAdded: Bool, right: String)] {
    var parts = [""]
    var depth = 0
    for sign in formula {
      depth += sign == "(" ? 1 : sign == ")" ? -1 : 0
      if sign == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(sign) }
    }
    return parts.map { part in
      let isAdded = part.contains(" += ")
      let sides = part.components(separatedBy: isAdded ? " += " : " = ")
        .map { $0.trimmingCharacters(in: .whitespaces) }
      return (sides[0], isAdded, sides.dropFirst().joined(separator: " = "))
    }
  }

  private init(
    _ text: String, _ target: Shape, _ lookup: @escaping (String) throws -> Value
  ) {
    (signs, self.target, self.lookup) = (Array(text), target, lookup)
  }

  // MARK: - Grammar

  /// `z > 0 ? z : 0.01·z`, or a sum.
  private mutating func condition() throws -> Value {
    let left = try sum()
    guard take(">") else { return left }
    let right = try sum()
    let holds = combined(left, right) { $0 > $1 ? 1 : 0 }
    guard take("?") else { return holds }
    let first = try sum()
    guard take(":") else { throw fault("no ':'") }
    let second = try sum()
    return zipped([holds, first, second]) { $0[0] == 1 ? $0[1] : $0[2] }
  }

  private mutating func sum() throws -> Value {
    var left = try term()
    while true {
      if take("+") {
        let right = try term()
        left = combined(left, right, +)
      } else if take("−") {
        let right = try term()
        left = combined(left, right, -)
      } else {
        return left
      }
    }
  }

  private mutating func term() throws -> Value {
    if take("Σ") {
      let inner = try term()
      if take("over channels") { return overChannels(inner) }
      return target.rank == 1 ? overPositions(inner) : number(inner.scalars.reduce(0, +))
    }
    if take("−") { return try term().mapped { -$0 } }
    var left = try factor()
    while true {
      if take("·") {
        let right = try factor()
        left = combined(left, right, *)
      } else if take("/") {
        let right = try factor()
        left = combined(left, right, /)
      } else if take("∗") {
        let (kernel, isTurned) = (left, isTurned)
        let geometry = try geometry()
        let x = try factor()
        left = convolved(kernel, x, isTurned, geometry)
      } else if take("⋆") {
        let geometry = try geometry()
        let x = try factor()
        left = Convolution.kernelGradient(
          FeatureMap(x), FeatureMap(left), kernelShape: target, geometry: geometry)
      } else {
        return left
      }
    }
  }

  /// The options behind the sign of a convolution, such as `[stride=2 pad=none]`.
  private mutating func geometry() throws -> ConvolutionGeometry {
    var geometry = ConvolutionGeometry.plain
    guard take("[") else { return geometry }
    while !take("]") {
      if take("pad=none") {
        geometry.padding = .none
      } else if take("stride=") {
        geometry.stride = Int(try literal())
      } else if take("dilation=") {
        geometry.dilation = Int(try literal())
      } else if take("groups=") {
        geometry.groups = Int(try literal())
      } else {
        throw fault("no option")
      }
    }
    return geometry
  }

  /// Whether the name that was read last is marked as a kernel turned by half a turn.
  private var isTurned = false

  private mutating func factor() throws -> Value {
    skipSpace()
    let start = position
    var value: Value
    if take("(") {
      value = try closed(try condition(), ")")
    } else if take("[") {
      value = try closed(try condition(), "]")
    } else if take("|") {
      value = try closed(try sum(), "|").mapped(abs)
    } else if take("√") {
      value = try factor().mapped { $0.squareRoot() }
    } else if take("½") {
      value = number(0.5)
    } else if take("e⁻ᶻ") {
      value = try lookup("z").mapped { -$0 }.mapped(Double.exponential)
    } else if take("eᶻ") {
      value = try lookup("z").mapped(Double.exponential)
    } else if signs.indices.contains(position), signs[position].isNumber {
      value = number(try literal())
    } else {
      value = try named(from: start)
    }
    while take("²") { value = combined(value, value, *) }
    return value
  }

  private mutating func literal() throws -> Double {
    var text = ""
    while position < signs.count, signs[position].isASCII,
      signs[position].isNumber || signs[position] == "."
    {
      text.append(signs[position])
      position += 1
    }
    guard let value = Double(text) else { throw fault("no number") }
    return value
  }

  /// A name, or a function of what stands behind it.
  private mutating func named(from start: Int) throws -> Value {
    var name = ""
    while position < signs.count,
      signs[position].isLetter || signs[position].isNumber || ".-".contains(signs[position]),
      signs[position] != "ᵀ", signs[position] != "²"
    {
      name.append(signs[position])
      position += 1
    }
    guard !name.isEmpty else { throw fault("no name") }
    if let function = Self.function(name) {
      let argument = take("(") ? try closed(try condition(), ")") : try factor()
      return argument.mapped(function)
    }
    if name == "max", take("(") {
      let first = try sum()
      guard take(",") else { throw fault("max of one") }
      let second = try closed(try sum(), ")")
      return combined(first, second, max)
    }
    isTurned = take("ᵀ")
    return try lookup(name)
  }

  private static func function(_ name: String) -> ((Double) -> Double)? {
    if let activation = Activation(rawValue: name), activation != .linear {
      return { activation.of($0) }
    }
    return name == "sign" ? { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 } : nil
  }

  // MARK: - Values

  private func number(_ value: Double) -> Value { Tensor(shape: [], scalars: [value]) }

  private func convolved(
    _ kernel: Value, _ x: Value, _ isTurned: Bool, _ geometry: ConvolutionGeometry
  ) -> Value {
    let map = FeatureMap(x)
    return isTurned
      ? Convolution.inputGradient(map, kernel: kernel, geometry: geometry, inputShape: target)
        .tensor
      : Convolution.forward(map, kernel: kernel, geometry: geometry).tensor
  }

  private func overChannels(_ x: Value) -> Value {
    let shape = x.shape
    var result = Value(shape: [shape[0], 1, shape[2], shape[3]], repeating: 0)
    for i in 0..<shape.count {
      var index = shape.position(of: i)
      index[1] = 0
      result.scalars[result.shape.offset(of: index)] += x.scalars[i]
    }
    return result
  }

  private func overPositions(_ x: Value) -> Value {
    var result = Value(shape: [x.shape[1]], repeating: 0)
    for i in 0..<x.shape.count { result.scalars[x.shape.position(of: i)[1]] += x.scalars[i] }
    return result
  }

  private func combined(
    _ x: Value, _ y: Value, _ operation: (Double, Double) -> Double
  ) -> Value { zipped([x, y]) { operation($0[0], $0[1]) } }

  /// Single numbers serve every place, one channel all channels, a bias all positions.
  private func zipped(_ values: [Value], _ body: ([Double]) -> Double) -> Value {
    let shape = values.map(\.shape).max { $0.count < $1.count } ?? []
    let scalars = (0..<shape.count).map { i -> Double in
      let index = shape.position(of: i)
      return body(
        values.map { value in
          switch value.shape.rank {
          case 0: value.scalars[0]
          case 1: value.scalars[shape.rank == 1 ? index[0] : index[1]]
          default:
            value.scalars[
              value.shape.offset(
                of: zip(index, value.shape.extents).map {
                  min($0, $1 - 1)
                })]
          }
        })
    }
    return Tensor(shape: shape, scalars: scalars)
  }

  // MARK: - Signs

  private mutating func skipSpace() {
    while position < signs.count, signs[position] == " " { position += 1 }
  }

  private mutating func take(_ text: String) -> Bool {
    let start = position
    skipSpace()
    guard signs[position...].starts(with: text) else {
      position = start
      return false
    }
    position += text.count
    return true
  }

  private mutating func closed(_ value: Value, _ sign: String) throws -> Value {
    guard take(sign) else { throw fault("no '\(sign)'") }
    return value
  }

  private func fault(_ message: String) -> Fault {
    Fault(description: "\(message) at \(position) of '\(String(signs))'")
  }
}

extension Tensor<Double> {
  fileprivate func mapped(_ function: (Double) -> Double) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map(function))
  }
}

extension Activation {
  /// The function of one number.
  fileprivate func of(_ z: Double) -> Double {
    forward(FeatureMap(Tensor<Double>(shape: [1, 1, 1, 1], scalars: [z]))).tensor.scalars[0]
  }
}

extension Double {
  fileprivate static func exponential(_ x: Double) -> Double { x.isFinite ? expm1(x) + 1 : x }
}
