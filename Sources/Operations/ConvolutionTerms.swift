// The terms behind one number of a convolution, and of its gradients.

import Tensors

extension TermList {
  /// z[n,o,y,x] = Σ in[n,c,y+u−p,x+v−p] · weight[o,c,u,v], without the bias.
  package static func convolution(_ index: [Int], _ x: NamedGrid, _ w: NamedGrid) -> TermList {
    let taps = Window(index, w.shape, x.shape, turned: false).taps
    return TermList(
      "Σ in · weight", count: taps.count,
      product: { x.value(taps[$0].position) * w.value(taps[$0].weight) },
      term: {
        (
          Array(taps[$0].weight.dropFirst()),
          [x.factor(taps[$0].position), w.factor(taps[$0].weight)]
        )
      })
  }

  /// weight.grad[o,c,u,v] = Σ z.grad[n,o,y,x] · in[n,c,y+u−p,x+v−p].
  package static func kernelGradient(
    _ index: [Int], _ dz: NamedGrid, _ x: NamedGrid, kernel: Int
  ) -> TermList {
    let shape = dz.shape
    let (dy, dx) = (index[2] - kernel / 2, index[3] - kernel / 2)
    let rows = max(0, -dy)..<max(max(0, -dy), min(shape.height, shape.height - dy))
    let columns = max(0, -dx)..<max(max(0, -dx), min(shape.width, shape.width - dx))
    let perImage = rows.count * columns.count
    let (height, width) = (shape.height, shape.width)
    let (gradients, values) = (dz.tensor.scalars, x.tensor.scalars)
    let (outputs, inputs) = (shape.channels, x.shape.channels)
    func places(_ i: Int) -> (dz: [Int], x: [Int]) {
      let (n, rest) = (i / max(1, perImage), i % max(1, perImage))
      let y = rows.lowerBound + rest / max(1, columns.count)
      let column = columns.lowerBound + rest % max(1, columns.count)
      return ([n, index[0], y, column], [n, index[1], y + dy, column + dx])
    }
    return TermList(
      "Σ \(dz.letter) · in over all positions", count: shape.batch * perImage,
      product: { i in
        // As 'places', without lists: there may be a quarter of a million of these.
        let (n, rest) = (i / perImage, i % perImage)
        let y = rows.lowerBound + rest / columns.count
        let column = columns.lowerBound + rest % columns.count
        let from = ((n * outputs + index[0]) * height + y) * width + column
        let to = ((n * inputs + index[1]) * height + y + dy) * width + column + dx
        return Double(gradients[from]) * Double(values[to])
      },
      term: { i in
        let place = places(i)
        return (place.dz, [dz.factor(place.dz), x.factor(place.x)])
      })
  }

  /// bias.grad[o] = Σ z.grad[n,o,y,x].
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

  /// in.grad[n,c,y,x] = Σ z.grad[n,o,y−u+p,x−v+p] · weight[o,c,u,v].
  package static func throughKernel(
    _ index: [Int], _ dz: NamedGrid, _ w: NamedGrid
  ) -> TermList {
    let taps = Window(index, w.shape, dz.shape, turned: true).taps
    return TermList(
      "Σ \(dz.letter) · \(w.letter)", count: taps.count,
      product: { dz.value(taps[$0].position) * w.value(taps[$0].weight) },
      term: {
        (
          taps[$0].weight, [dz.factor(taps[$0].position), w.factor(taps[$0].weight)]
        )
      })
  }
}

/// The kernel taps that meet the image around one position.
private struct Window {
  /// Where each tap reads, and its place in the kernel `[o, c, u, v]`.
  let taps: [(position: [Int], weight: [Int])]

  /// - Parameters:
  ///   - index: `[n, o, y, x]` of a result, or `[n, c, y, x]` of an input when `turned`.
  ///   - kernel: `[O, C, k, k]`.
  ///   - image: What is read: the input, or the gradient of the result when `turned`.
  ///   - turned: Whether gradients go back through the kernel.
  init(_ index: [Int], _ kernel: Shape, _ image: Shape, turned: Bool) {
    let (n, channel, y, x) = (index[0], index[1], index[2], index[3])
    let radius = kernel[2] / 2
    var taps: [(position: [Int], weight: [Int])] = []
    for other in 0..<(turned ? kernel[0] : kernel[1]) {
      for u in 0..<kernel[2] {
        for v in 0..<kernel[3] {
          let row = turned ? y - u + radius : y + u - radius
          let column = turned ? x - v + radius : x + v - radius
          guard (0..<image.height).contains(row), (0..<image.width).contains(column) else {
            continue
          }
          taps.append(
            ([n, other, row, column], turned ? [other, channel, u, v] : [channel, other, u, v]))
        }
      }
    }
    self.taps = taps
  }
}
