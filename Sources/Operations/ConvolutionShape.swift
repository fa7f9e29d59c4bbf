package import Tensors

/// The shape of a convolution's result, and what does not fit.
extension Convolution2D {
  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (x, kernel) = (operands[0].asImage, operands[1].asImage)
    try checkSide(of: kernel, operands[1])
    try checkChannels(of: x, kernel, operands)
    guard let result = geometry.outputShape(of: x, kernel: kernel) else {
      throw tooSmall(operands[0], kernel.height)
    }
    // A picture without axes of images and channels stays one.
    let hasOneChannel = operands[0].rank <= 2 && result.channels == 1
    return hasOneChannel
      ? Shape(Array(result.extents.suffix(geometry.isPlain ? operands[0].rank : 2))) : result
  }

  private func checkSide(of kernel: Shape, _ told: Shape) throws(OperationError) {
    if kernel.height == kernel.width, geometry.allows(kernel: kernel.height) { return }
    guard kernel.height == kernel.width, kernel.height > 0 else {
      throw OperationError(
        geometry.isPlain
          ? "a kernel has an odd side, as [3,3] has; this one is \(told)"
          : "a kernel is square, as [3,3] is; this one is \(told)",
        hint: "give a kernel such as [1,1], [3,3] or [5,5]")
    }
    throw OperationError(
      "a kernel has an odd side, as [3,3] has; this one is \(told)",
      hint: geometry.isPlain
        ? "give a kernel such as [1,1], [3,3] or [5,5]"
        : "give a kernel such as [1,1], [3,3] or [5,5]; even sides need stride=2 or pad=none")
  }

  private func checkChannels(
    of x: Shape, _ kernel: Shape, _ told: [Shape]
  ) throws(OperationError) {
    let groups = geometry.groups
    for (count, what) in [
      (x.channels, "of the image"), (geometry.outputs(ofKernel: kernel), "of the result"),
    ] where !count.isMultiple(of: groups) {
      throw OperationError(
        "\(counted(count, "channel")) \(what) cannot be divided into \(groups) groups",
        hint: "groups divide the channels that are read and those that are written: "
          + Self.divisors(of: count))
    }
    let inputs = geometry.inputs(ofKernel: kernel)
    guard inputs == x.channels else {
      throw OperationError(
        "the kernel \(told[1]) is for \(counted(inputs, "channel"))"
          + (groups == 1 ? "" : " in \(groups) groups")
          + ", the image \(told[0]) has \(x.channels)",
        hint: geometry.isTransposed
          ? "the first number of a transposed kernel [I,O,k,k] is the channels of the image"
          : groups == 1
            ? "the second number of a kernel [O,I,k,k] is the channels of the image"
            : "the second number of a kernel [O,I,k,k] is the channels of the image in a group")
    }
  }

  private func tooSmall(_ image: Shape, _ side: Int) -> OperationError {
    let least = geometry.inputExtents(for: 1, kernel: side)?.lowerBound ?? 1
    let reach = geometry.reach(kernel: side)
    return OperationError(
      "the image \(image) is too small for a kernel of side \(side)"
        + (reach == side ? "" : ", which spans \(reach) rows with dilation=\(geometry.dilation),")
        + (geometry.padding == .none
          ? " without zeros around it" : " and stride=\(geometry.stride)"),
      hint: "give images of at least \(least)×\(least)"
        + (geometry.padding == .none ? ", or pad=same" : ""))
  }

  private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  /// The divisors of a number of channels as a list: `1, 2, 4, 8`.
  private static func divisors(of count: Int) -> String {
    (1...max(1, count)).filter { count.isMultiple(of: $0) }.map(String.init)
      .joined(separator: ", ")
  }
}
