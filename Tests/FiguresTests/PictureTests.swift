import Figures
import Tensors
import Testing

@Suite struct PictureTests {
  /// The digits are from Python: hashlib.sha256(samples.astype('>u2').tobytes()).
  @Test func `fingerprints hash samples as 16 bits, high byte first`() {
    let sixteen = Picture(
      width: 3, height: 2, depth: .sixteen, samples: [0, 13107, 26214, 39321, 52428, 65535])
    #expect(sixteen.pixelFingerprint == "1a3e7c9c553a")
    #expect(Picture(width: 1, height: 1, samples: [0]).pixelFingerprint == "96a296d224f2")
  }

  @Test func `a plane comes out of a stack`() {
    let stack = Tensor<Float>(shape: [2, 2, 1, 3], scalars: (0..<12).map(Float.init))
    #expect(Plane(stack, index: 1).values == [6, 7, 8])
    #expect(Plane(stack, index: 1, channel: 1).values == [9, 10, 11])
    #expect((Plane(stack, index: 1) - Plane(stack)).values == [6, 6, 6])
    #expect(Plane(width: 3, height: 1, values: [.nan, 2, -.infinity]).range == 2...2)
  }

  @Test(
    arguments: [
      ([-1024, 0, 3071, 64511], 1.0, -1024.0),
      ([-3000, 0, 60000], 1, -3000),
      ([-1024, 0.0625, 3071.9375], 0.0625, -1024),
      ([0, 65535.5], 65535.5 / 65535, 0),
      ([-1000.5, .nan, .infinity, 3000], 0.0625, -1024),
      ([0.5, .nan, .infinity, 1], 0.5 / 65535, 0.5),
      ([-20.5, 60], 80.5 / 65535, -20.5),
      ([5000.5, 5000.5], 1, 5000.5),
    ] as [([Float], Double, Double)])
  func `16-bit mappings keep whole HU, then sixteenths, then the range`(
    values: [Float], slope: Double, intercept: Double
  ) {
    let plane = Plane(width: values.count, height: 1, values: values)
    let mapping = SampleMapping(suiting: plane)
    #expect(mapping.slope == slope)
    #expect(mapping.intercept == intercept)
    for value in values where value.isFinite {
      let back = mapping.value(of: mapping.sample(of: value))
      #expect(abs(back - Double(value)) <= slope / 2)
      if slope == 1, value == value.rounded() { #expect(back == Double(value)) }
    }
    #expect(mapping.sample(of: .nan) == 0)
    #expect(mapping.sample(of: .infinity) == 65535)
  }

  @Test func `numbers between 0 and 1 use all of 16 bits, in whatever unit`() throws {
    let values = (0...4096).map { Float($0) / 4096 }
    for unit in ["HU", "US"] {
      let plane = Plane(width: values.count, height: 1, values: values)
      let png = try PNG(decoding: PNG.export16(plane, unit: unit).encoded())
      #expect(Set(png.picture.samples).count == values.count)
      #expect((png.picture.samples.first, png.picture.samples.last) == (0, 65535))
      let mapping = try #require(SampleMapping(texts: png))
      for (value, sample) in zip(values, png.picture.samples) {
        #expect(abs(mapping.value(of: sample) - Double(value)) <= 0.5 / 65535)
      }
    }
  }

  @Test func `a 16-bit PNG tells its mapping and no identity`() throws {
    let plane = Plane(width: 2, height: 1, values: [-1000, 40])
    let png = try PNG(decoding: PNG.export16(plane).encoded())
    #expect(png.picture.samples == [24, 1064])
    #expect(png["Rescale"] == "HU = sample * 1.0 + -1024.0")
    #expect(SampleMapping(texts: png) == SampleMapping(slope: 1, intercept: -1024))
    #expect(
      png.texts.map(\.keyword) == [
        "Rescale", "RescaleSlope", "RescaleIntercept", "RescaleType", "Software",
      ])
  }

  @Test func `a difference counts, measures and shows`() throws {
    let a = Picture(width: 2, height: 2, samples: [0, 10, 20, 255])
    let b = Picture(width: 2, height: 2, samples: [0, 13, 16, 255])
    let difference = try PictureDifference(a, b)
    #expect(difference.differing == 2)
    #expect(difference.maximum == 4)
    #expect(difference.rmse == 2.5)
    #expect(abs(difference.psnr - 40.172003) < 1e-6)
    #expect(difference.picture.samples == [0, 191, 255, 0])
    let none = try PictureDifference(a, a)
    #expect(none.differing == 0)
    #expect(none.psnr == .infinity)
    #expect(throws: PictureError.self) {
      try PictureDifference(a, Picture(width: 4, height: 1, samples: a.samples))
    }
  }
}
