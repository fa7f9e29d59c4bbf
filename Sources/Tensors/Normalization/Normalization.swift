/// Normalization of each channel to mean 0 and variance 1, then scaled and shifted.
///
///     n = γ·(x − μ)·r + β,    r = 1/√(σ² + ε)
///
/// γ and β have a number for each channel. μ and σ² belong to a channel of all images (batch
/// normalization; Ioffe and Szegedy, "Batch normalization", 2015) or to a group of channels of one image
/// (Wu and He, "Group normalization", 2018); or they are constants, when a trained network is used.
///
/// The gradients, with ḡ = n̄·γ, x̂ = (x − μ)·r and means over what shares μ:
///
///     x̄ = r·(ḡ − mean ḡ − x̂·mean(ḡ·x̂)),    x̄ = r·ḡ for constant statistics
///     γ̄ = Σ n̄·x̂,    β̄ = Σ n̄
///
/// Forward it takes one pass over memory for the statistics and one for the result; backward one for the
/// sums and one for x̄.
package struct Normalization<Element: Scalar>: Sendable {
  package let moments: ChannelMoments
  package let weight: Tensor<Element>
  package let epsilon: Double

  package init(_ moments: ChannelMoments, weight: Tensor<Element>, epsilon: Double) {
    (self.moments, self.weight, self.epsilon) = (moments, weight, epsilon)
  }

  /// The gradients of the operands.
  package struct Gradients: Sendable {
    /// x̄; nil if it was not wanted.
    package let input: FeatureMap<Element>?
    /// `[C]` each.
    package let weight: Tensor<Element>, bias: Tensor<Element>
  }

  // MARK: - Forward

  /// Returns n.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func forward(
    _ x: FeatureMap<Element>, bias: Tensor<Element>
  ) -> FeatureMap<Element> { scaled(x, bias, nil, keepsMask: false).map }

  /// Returns ReLU(n), written once, with the same bits as one after the other.
  ///
  /// - Parameters:
  ///   - x: The map.
  ///   - bias: β.
  ///   - reluNaN: The treatment of NaN by ReLU.
  ///   - keepsRecord: Whether the derivative of ReLU will be asked for. With the gradient that
  ///     ``Activation/backward(_:times:_:)`` gives for the record, ``backward(_:_:wantsInput:)`` reads
  ///     through the mask of ReLU, and no map is written between them.
  /// - Returns: The map, and the record; nil if none was asked for.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func rectified(
    _ x: FeatureMap<Element>, bias: Tensor<Element>, reluNaN: ReLUNaN, keepsRecord: Bool
  ) -> (map: FeatureMap<Element>, record: ActivationRecord<Element>?) {
    let (map, mask) = scaled(x, bias, reluNaN, keepsMask: keepsRecord)
    guard keepsRecord else { return (map, nil) }
    return (
      map,
      mask.map { .mask(ActivationMask(bits: $0)) }
        ?? .values(activation: map, preactivation: nil)
    )
  }

  private func scaled(
    _ x: FeatureMap<Element>, _ bias: Tensor<Element>, _ rectifies: ReLUNaN?, keepsMask: Bool
  ) -> (map: FeatureMap<Element>, mask: MapMemory<UInt8>?) {
    x.scaled(
      shifts: ChannelTable(x.shape) { mean($0, $1, x.shape) },
      factors: ChannelTable(x.shape) { inverseRoot($0, $1, x.shape) * Double(weight.scalars[$1]) },
      offsets: ChannelTable(x.shape) { Double(bias.scalars[$1]) },
      rectifies: rectifies, keepsMask: keepsMask)
  }

  // MARK: - Backward

  /// Returns the gradients for the gradient n̄ of the result, which may have a mask.
  ///
  /// That of x holds for moments of x; for constant ones see
  /// ``constantInputGradient(_:weight:variances:epsilon:)``.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func backward(
    _ gradient: FeatureMap<Element>, _ x: FeatureMap<Element>, wantsInput: Bool = true
  ) -> Gradients {
    let shape = x.shape
    let shifts = ChannelTable<Element>(shape) { mean($0, $1, shape) }
    let found = ChannelSums(x, gradient: gradient, shifts: shifts)
    /// Σ n̄·(x − μ); μ was rounded when it was subtracted.
    func product(_ image: Int, _ channel: Int) -> Double {
      found.product(image, channel)
        + (shifts[image, channel] - mean(image, channel, shape)) * found.sum(image, channel)
    }
    return Gradients(
      input: wantsInput ? inputGradient(gradient, x, shifts, found.sum, product) : nil,
      weight: Self.tensor(
        ChannelSharing.batch.sums(shape) { product($0, $1) * inverseRoot($0, $1, shape) }),
      bias: Self.tensor(ChannelSharing.batch.sums(shape, found.sum)))
  }

  /// Returns x̄ = r·ḡ, where μ and σ² do not depend on x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func constantInputGradient(
    _ gradient: FeatureMap<Element>, weight: Tensor<Element>, variances: Tensor<Element>,
    epsilon: Double
  ) -> FeatureMap<Element> {
    let factors = zip(weight.scalars, variances.scalars).map { weight, variance in
      Element(Double(weight) / (Double(variance) + epsilon).squareRoot())
    }
    return gradient.scaled(by: Tensor(shape: weight.shape, scalars: factors), .batch)
  }

  /// Returns β̄ alone, which needs no x.
  package static func biasGradient(_ gradient: FeatureMap<Element>) -> Tensor<Element> {
    gradient.channelTotals(.batch)
  }

  /// Computes x̄ = n̄·γr + (x − μ)·b − r·mean ḡ with b = −r³·mean(ḡ·(x − μ)).
  private func inputGradient(
    _ gradient: FeatureMap<Element>, _ x: FeatureMap<Element>, _ shifts: ChannelTable<Element>,
    _ sum: (Int, Int) -> Double, _ product: (Int, Int) -> Double
  ) -> FeatureMap<Element> {
    let shape = x.shape
    func factor(_ channel: Int) -> Double { Double(weight.scalars[channel]) }
    let factors = ChannelTable<Element>(shape) { inverseRoot($0, $1, shape) * factor($1) }
    let m = Double(moments.count)
    let means = moments.sharing.sums(shape) { factor($1) * sum($0, $1) }.map { $0 / m }
    let slopes = moments.sharing.sums(shape) { factor($1) * product($0, $1) }.map { $0 / m }
    func valueFactor(_ image: Int, _ channel: Int) -> Double {
      let r = inverseRoot(image, channel, shape)
      return -r * r * r * slopes[place(image, channel, shape)]
    }
    return gradient.combined(
      factors: factors, with: x, shifts: shifts, valueFactors: ChannelTable(shape, valueFactor),
      offsets: ChannelTable(shape) { image, channel in
        let rounding = shifts[image, channel] - mean(image, channel, shape)
        return valueFactor(image, channel) * rounding
          - inverseRoot(image, channel, shape) * means[place(image, channel, shape)]
      })
  }

  // MARK: - Numbers of a channel

  private func place(_ image: Int, _ channel: Int, _ shape: Shape) -> Int {
    moments.sharing.place(image, channel, of: shape)
  }

  private func mean(_ image: Int, _ channel: Int, _ shape: Shape) -> Double {
    moments.means[place(image, channel, shape)]
  }

  private func inverseRoot(_ image: Int, _ channel: Int, _ shape: Shape) -> Double {
    1 / (moments.variances[place(image, channel, shape)] + epsilon).squareRoot()
  }

  private static func tensor(_ numbers: [Double]) -> Tensor<Element> {
    Tensor(shape: [numbers.count], scalars: numbers.map { Element($0) })
  }
}
