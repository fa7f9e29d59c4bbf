extension Picture {
  /// Returns the picture in 8 bits, with other numbers of columns and rows.
  ///
  /// A pixel is the mean of the old pixels that it covers, so that a smaller picture does not
  /// flicker, and a whole factor repeats pixels.
  package func resized(width: Int, height: Int) -> Picture {
    precondition(width > 0 && height > 0, "A picture has at least one pixel.")
    let channels = color.samplesPerPixel
    let scale = 255 / Double(depth.maximum)
    let columns = Coverage.of(self.width, by: width)
    let rows = Coverage.of(self.height, by: height)
    // Rows are resized first, then columns.
    var narrow = [Double](repeating: 0, count: width * channels * self.height)
    for row in 0..<self.height {
      for part in columns {
        for channel in 0..<channels {
          narrow[(row * width + part.new) * channels + channel] +=
            part.share * Double(samples[(row * self.width + part.old) * channels + channel])
        }
      }
    }
    let stride = width * channels
    var means = [Double](repeating: 0, count: stride * height)
    for part in rows {
      for place in 0..<stride {
        means[part.new * stride + place] += part.share * narrow[part.old * stride + place]
      }
    }
    let result = means.map { UInt16(($0 * scale).rounded()) }
    return Picture(width: width, height: height, color: color, samples: result)
  }

  /// Red, green, blue and full opacity of each pixel, row-major, of a picture in 8 bits.
  var opaqueBytes: [UInt8] {
    precondition(depth == .eight, "Bytes hold 8 bits, not \(format).")
    let step = color.samplesPerPixel
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * width * height)
    for place in stride(from: 0, to: samples.count, by: step) {
      for channel in 0..<3 {
        bytes.append(UInt8(truncatingIfNeeded: samples[place + min(channel, step - 1)]))
      }
      bytes.append(255)
    }
    return bytes
  }
}

/// An old pixel and its share in a new one.
private struct Coverage {
  let old: Int, new: Int
  let share: Double

  /// The old pixels under each of `count` new ones, one after the other, with shares that add to 1.
  static func of(_ oldCount: Int, by count: Int) -> [Coverage] {
    let step = Double(oldCount) / Double(count)
    return (0..<count).flatMap { new in
      let (start, end) = (Double(new) * step, Double(new + 1) * step)
      let last = min(oldCount - 1, Int(end.rounded(.up)) - 1)
      return (Int(start)...max(Int(start), last)).map { old in
        Coverage(
          old: old, new: new,
          share: (min(end, Double(old + 1)) - max(start, Double(old))) / step)
      }
    }
  }
}
