import Figures
import Foundation
import Tensors
import TestSupport
import Testing

struct `An animation` {
  static let kinds: [Animation.Kind] = [.apng, .gif]

  private static func sample(frames: Int = 3, width: Int = 20, height: Int = 10) -> Animation {
    Animation(
      (0..<frames).map { index in
        Animation.Frame(
          Picture(
            width: width, height: height,
            samples: (0..<width * height).map { UInt16(($0 * 13 + index * 57) % 256) }),
          label: "epoch \(index) · größer")
      }, delay: 25)
  }

  @Test(arguments: kinds) func `comes back to the pixel, with its labels`(
    _ kind: Animation.Kind
  ) throws {
    for frames in [1, 2, 7] {
      let animation = Self.sample(frames: frames)
      guard
        case .animation(let found, let foundKind) = try PictureFile(
          decoding: try animation.encoded(kind))
      else {
        Issue.record("it is no animation")
        continue
      }
      #expect(foundKind == kind)
      #expect(found == animation)
    }
  }

  @Test func `is known by all of its frames`() {
    let animation = Self.sample()
    let samples = animation.frames.flatMap(\.picture.samples)
    #expect(animation.sheet.samples == samples)
    #expect(animation.sheet.height == 30)
    let other = Animation(animation.frames.dropLast() + [animation.frames[0]], delay: 25)
    #expect(other.sheet.pixelFingerprint != animation.sheet.pixelFingerprint)
  }

  @Test func `as PNG shows its first frame to other programs`() throws {
    let animation = Self.sample()
    let still = try PNG(decoding: try animation.encoded(.apng))
    #expect(still.picture == animation.frames[0].picture)
  }

  @Test(arguments: kinds) func `that is damaged is an error or a picture`(
    _ kind: Animation.Kind
  ) throws {
    let bytes = try Self.sample(width: 40, height: 30).encoded(kind)
    var refusals = 0
    for trial in 0..<1500 {
      var damaged = bytes
      damage(&damaged, RandomStream(seed: 3, name: "\(kind.rawValue)\(trial)"))
      do throws(PictureError) {
        let found = try PictureFile(decoding: damaged)
        #expect(found.sheet.width > 0)
      } catch {
        #expect(!error.message.isEmpty && !error.hint.isEmpty)
        refusals += 1
      }
    }
    // GIF has no checksums: damaged pixels are pixels.
    #expect(refusals > (kind == .apng ? 1000 : 300))
  }

  @Test func `has limits`() {
    #expect(Animation.fits(count: 512, width: 256, 256))
    #expect(!Animation.fits(count: 513, width: 16, 16))
    #expect(!Animation.fits(count: 2, width: 8192, 8192))
    #expect(!Animation.fits(count: 1, width: .max, .max))
    #expect(!Animation.fits(count: 0, width: 16, 16))
  }

  @Test func `that another program wrote is read to the pixel`() throws {
    for (name, kind) in [("three.png", Animation.Kind.apng), ("three.gif", .gif)] {
      let fixture = Fixture("animations")
      guard
        case .animation(let found, kind) = try PictureFile(
          decoding: Array(try fixture.data(name)))
      else {
        Issue.record("\(name) is no animation")
        continue
      }
      let expected = try fixture.tensor("three")
      #expect(found.sheet.samples.map(Double.init) == expected.scalars)
      #expect(found.delay == 20)
      #expect(found.frames.map(\.label) == ["frame 1", "frame 2", "frame 3"])
    }
  }
}

struct `A captioned picture` {
  @Test func `has its pixels, larger by a whole factor, over text and a bar`() {
    let picture = Picture(width: 100, height: 50, samples: (0..<5000).map { UInt16($0 % 251) })
    let found = CaptionedPicture(picture, lines: ["epoch 3", "PSNR 40 dB"], progress: 0.5).captioned
    #expect(found.width == 300 && found.height > 150 + 2 * 15)
    for (row, column) in [(0, 0), (49, 99), (20, 31)] {
      #expect(found[3 * row + 1, 3 * column + 2] == picture[row, column])
    }
    #expect(found[151, 149] == 224 && found[151, 150] == 64)
    let long = [
      "epoch 3", "PSNR 123456789.25 dB  SSIM 0.123",
      "RMSE 1234567890123456789012345678901234.12 HU",
    ]
    let rows = CaptionedPicture.rows(of: long, width: 100, height: 50)
    #expect(rows > 3)
    #expect(
      CaptionedPicture(picture, lines: ["epoch 0"], progress: 0, rows: rows).captioned.height
        == CaptionedPicture(picture, lines: long, progress: 0).captioned.height)
    let empty = CaptionedPicture(picture, lines: ["epoch 3", "PSNR 40 dB"], progress: 0).captioned
    #expect(empty[151, 0] == 64)
    #expect((160..<found.height).contains { row in (0..<100).contains { found[row, $0] == 255 } })
  }
}
