// The terms behind one number of a convolution, and of its gradients.
//
// Weight [o,c,u,v] joins place y of a small image with place s·y + d·u − p of a large one; the input is
// the large image, in a transposed convolution the small one.

package import Tensors

extension TermList {
  /// Returns the terms of z[n,o,y,x] = Σ in[n,c,s·y+d·u−p,s·x+d·v−p] · weight[o,c,u,v], without the
  /// bias.
  package static func convolution(
    _ index: [Int], _ x: NamedGrid, _ w: NamedGrid, _ geometry: ConvolutionGeometry
  ) -> TermList {
    let taps =
      geometry.isTransposed
      ? geometry.taps(ofLarge: index, w.shape, small: x.shape)
      : geometry.taps(ofSmall: index, w.shape, large: x.shape)
    return TermList(
      "Σ in · weight", count: taps.count,
      product: { x.value(taps[$0].position) * w.value(taps[$0].weight) },
      term: {
        let (position, weight) = taps[$0]
        // The place of the input channel in the kernel, then that of the tap.
        let channel = weight[geometry.isTransposed ? 0 : 1]
        return ([channel] + weight.suffix(2), [x.factor(position), w.factor(weight)])
      })
  }

  /// Returns the terms of in.grad[n,c,y,x], the sum of z.grad · weight over all z that read it.
  package static func throughKernel(
    _ index: [Int], _ dz: NamedGrid, _ w: NamedGrid, _ geometry: ConvolutionGeometry
  ) -> TermList {
    let taps =
      geometry.isTransposed
      ? geometry.taps(ofSmall: index, w.shape, large: dz.shape)
      : geometry.taps(ofLarge: index, w.shape, small: dz.shape)
    return TermList(
      "Σ \(dz.letter) · \(w.letter)", count: taps.count,
      product: { dz.value(taps[$0].position) * w.value(taps[$0].weight) },
      term: {
        (
          taps[$0].weight, [dz.factor(taps[$0].position), w.factor(taps[$0].weight)]
        )
      })
  }

  /// Returns the terms of weight.grad[o,c,u,v] = Σ z.grad[n,o,y,x] · in[n,c,s·y+d·u−p,s·x+d·v−p].
  ///
  /// The shape of the kernel is `kernel`.
  package static func kernelGradient(
    _ index: [Int], _ dz: NamedGrid, _ x: NamedGrid, kernel: Shape, _ geometry: ConvolutionGeometry
  ) -> TermList {
    let pairs = WeightPairs(
      index, kernel, small: (geometry.isTransposed ? x : dz).shape,
      large: (geometry.isTransposed ? dz : x).shape, geometry)
    let (gradients, values) = (dz.tensor.scalars, x.tensor.scalars)
    func offsets(_ i: Int) -> (dz: Int, x: Int) {
      let (small, large) = pairs.offsets(i)
      return geometry.isTransposed ? (large, small) : (small, large)
    }
    return TermList(
      "Σ \(dz.letter) · in over all positions", count: pairs.count,
      product: { i in
        let place = offsets(i)
        return Double(gradients[place.dz]) * Double(values[place.x])
      },
      term: { i in
        let place = offsets(i)
        let position = dz.shape.position(of: place.dz)
        return (position, [dz.factor(position), x.factor(x.shape.position(of: place.x))])
      })
  }

  /// Returns the terms of bias.grad[o] = Σ z.grad[n,o,y,x].
  package static func biasGradient(_ index: [Int], _ dz: NamedGrid) -> TermList {
    let (pixels, channels) = (dz.shape.planeCount, dz.shape.channels)
    let gradients = dz.tensor.scalars
    func place(_ i: Int) -> [Int] {
      let rest = i % pixels
      return [
        i / pixels, index[0], rest / dz.shape.width, rest % dz.shape.width,
      ]
    }
    return TermList(
      "Σ \(dz.letter) over all positions", count: dz.shape.batch * pixels,
      product: { i in
        Double(gradients[(i / pixels * channels + index[0]) * pixels + i % pixels])
      }, term: { (place($0), [dz.factor(place($0))]) })
  }
}

/// A term of one value: the place that is read, and that of the weight in the kernel.
private typealias Tap = (position: [Int], weight: [Int])

extension ConvolutionGeometry {
  /// The terms of `[n, o, y, x]` of a small image, in the order of the kernel.
  fileprivate func taps(ofSmall index: [Int], _ kernel: Shape, large: Shape) -> [Tap] {
    let group = index[1] / (kernel[0] / groups)
    return taps(kernel, channels: 0..<kernel[1]) { c, u, v in
      let row = stride * index[2] + dilation * u - zeros(kernel: kernel[2])
      let column = stride * index[3] + dilation * v - zeros(kernel: kernel[3])
      guard (0..<large.height).contains(row), (0..<large.width).contains(column) else { return nil }
      return ([index[0], group * kernel[1] + c, row, column], [index[1], c, u, v])
    }
  }

  /// The terms of `[n, c, y, x]` of a large image, in the order of the kernel.
  fileprivate func taps(ofLarge index: [Int], _ kernel: Shape, small: Shape) -> [Tap] {
    let (group, channel) = index[1].quotientAndRemainder(dividingBy: kernel[1])
    let outputs = kernel[0] / groups
    func place(_ large: Int, _ tap: Int, _ side: Int, _ extent: Int) -> Int? {
      let (place, rest) = (large + zeros(kernel: side) - dilation * tap)
        .quotientAndRemainder(dividingBy: stride)
      return rest == 0 && (0..<extent).contains(place) ? place : nil
    }
    return taps(kernel, channels: group * outputs..<(group + 1) * outputs) { o, u, v in
      guard let row = place(index[2], u, kernel[2], small.height),
        let column = place(index[3], v, kernel[3], small.width)
      else { return nil }
      return ([index[0], o, row, column], [o, channel, u, v])
    }
  }

  private func taps(
    _ kernel: Shape, channels: Range<Int>, _ tap: (_ channel: Int, _ u: Int, _ v: Int) -> Tap?
  ) -> [Tap] {
    channels.flatMap { channel in
      (0..<kernel[2]).flatMap { u in (0..<kernel[3]).compactMap { v in tap(channel, u, v) } }
    }
  }
}

/// The pairs of values that one weight joins, in all images.
private struct WeightPairs {
  /// An image, and the place of the weight's channel in it.
  private struct Image {
    let channels: Int, height: Int, width: Int, channel: Int

    init(_ shape: Shape, channel: Int) {
      (channels, height, width) = (shape.channels, shape.height, shape.width)
      self.channel = channel
    }

    func offset(_ n: Int, _ y: Int, _ x: Int) -> Int {
      ((n * channels + channel) * height + y) * width + x
    }
  }

  private let small: Image, large: Image
  /// The rows and columns of the small image whose partner lies inside the large one.
  private let rows: Range<Int>, columns: Range<Int>
  /// The partner's distance from s·y, and s·x.
  private let rowShift: Int, columnShift: Int
  private let stride: Int
  let count: Int

  /// The pairs of weight `[o, c, u, v]`.
  init(
    _ weight: [Int], _ kernel: Shape, small: Shape, large: Shape, _ geometry: ConvolutionGeometry
  ) {
    stride = geometry.stride
    self.small = Image(small, channel: weight[0])
    self.large = Image(
      large, channel: weight[0] / (kernel[0] / geometry.groups) * kernel[1] + weight[1])
    func shift(_ axis: Int) -> Int {
      geometry.dilation * weight[axis] - geometry.zeros(kernel: kernel[axis])
    }
    (rowShift, columnShift) = (shift(2), shift(3))
    func places(_ shift: Int, _ small: Int, _ large: Int) -> Range<Int> {
      let inside = (0..<small).filter { (0..<large).contains(geometry.stride * $0 + shift) }
      guard let first = inside.first, let last = inside.last else { return 0..<0 }
      return first..<last + 1
    }
    rows = places(rowShift, small.height, large.height)
    columns = places(columnShift, small.width, large.width)
    count = small.batch * rows.count * columns.count
  }

  /// Returns the offsets of pair `i` in both images, without lists: there may be a quarter of a million.
  func offsets(_ i: Int) -> (small: Int, large: Int) {
    let perImage = rows.count * columns.count
    let (n, rest) = (i / perImage, i % perImage)
    let y = rows.lowerBound + rest / columns.count
    let x = columns.lowerBound + rest % columns.count
    return (
      small.offset(n, y, x), large.offset(n, stride * y + rowShift, stride * x + columnShift)
    )
  }
}
