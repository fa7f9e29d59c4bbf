import Figures
import Foundation
import TestSupport
import Testing

/// Small pictures as Pillow 11 wrote them, and SHA-256 digits from Python's hashlib.
@Suite struct PNGTests {
  private let gray8 = """
    iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAADHRFWHRUaXRsZQBX/HJmZWz0OGrAAAAAFGlUWHRTaWdt\
    YQAAAAAAz4MgPSA0MCBIVa1i+WIAAAAQSURBVHicY2RgrGNo+PcfAAcHAv5WgCoVAAAAAElFTkSuQmCC
    """
  private let gray16 = """
    iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNgYGBh+P+fgZGJkYGBEQARPgII4pVfWQAA\
    AABJRU5ErkJggg==
    """
  private let rgb8 = """
    iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BgYHhPyMTMwAZ/gMExUh1vAAA\
    AABJRU5ErkJggg==
    """
  private let palette = """
    iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAgMAAAAP2OW3AAAADFBMVEUA/wABAgP/AAAAAP+CouneAAAADElEQVR4nGNo\
    YLgAAAJUAVFhJlHhAAAAAElFTkSuQmCC
    """
  private let oneBit = """
    iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAQAAAAC1D1u3AAAADElEQVR4nGNwYDgAAAGEAQEKf5BQAAAAAElFTkSuQmCC
    """
  private let grayAlpha = """
    iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAQAAAA3fa6RAAAAFklEQVR4nGNk+M/IUMfA0PD/3////wEidgb6gyZ6ngAA\
    AABJRU5ErkJggg==
    """

  private func bytes(_ base64: String) throws -> [UInt8] {
    Array(try #require(Data(base64Encoded: base64)))
  }

  @Test func `grey of 8 bits reads as an independent encoder wrote it`() throws {
    let png = try PNG(decoding: bytes(gray8))
    #expect(png.picture.summary == "3x2 gray8")
    #expect(png.picture.samples == [0, 1, 127, 128, 254, 255])
    #expect(png.picture.pixelFingerprint == "c2d88b7990c3")
    #expect(png["Title"] == "Würfel", "tEXt is Latin-1")
    #expect(png["Sigma"] == "σ = 40 HU", "iTXt is UTF-8")
  }

  @Test func `grey of 16 bits reads as an independent encoder wrote it`() throws {
    let picture = try PNG(decoding: bytes(gray16)).picture
    #expect(picture.summary == "3x2 gray16")
    #expect(picture.samples == [0, 1024, 65535, 258, 256, 1])
    #expect(picture.pixelFingerprint == "479bb693e46e")
  }

  @Test func `colors read as an independent encoder wrote them`() throws {
    let samples: [UInt16] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3]
    for base64 in [rgb8, palette] {
      let picture = try PNG(decoding: bytes(base64)).picture
      #expect(picture.summary == "2x2 rgb8")
      #expect(picture.samples == samples)
      #expect(picture.pixelFingerprint == "79693d6304f1")
    }
    #expect(try PNG(decoding: bytes(oneBit)).picture.samples == [0, 255, 0, 255, 255, 0])
  }

  @Test func `transparency is refused with a cure`() throws {
    let file = try bytes(grayAlpha)
    let error = #expect(throws: PictureError.self) { try PNG(decoding: file) }
    #expect(error?.code == .unsupported)
    #expect(error?.hint == "save it without an alpha channel")
  }

  @Test func `a file cut anywhere is an error`() throws {
    let file = try bytes(gray8)
    for count in 0..<file.count {
      let error = #expect(throws: PictureError.self) { try PNG(decoding: Array(file[..<count])) }
      #expect(error?.code == .broken, "\(count) bytes")
    }
  }

  @Test func `a file with any byte changed is an error`() throws {
    let file = try bytes(gray16)
    for index in file.indices {
      for change: UInt8 in [1, 128, 255] {
        var broken = file
        broken[index] ^= change
        #expect(throws: PictureError.self, "byte \(index)") { try PNG(decoding: broken) }
      }
    }
  }

  @Test func `what is written reads back`() throws {
    let texts = [PNG.Text("Software", "Backflow"), PNG.Text("Note", "σ = 40 HU")]
    let pictures = [
      Picture(width: 3, height: 2, samples: [0, 1, 2, 253, 254, 255]),
      Picture(width: 1, height: 3, depth: .sixteen, samples: [0, 258, 65535]),
      Picture(width: 1, height: 2, color: .rgb, samples: [1, 2, 3, 4, 5, 6]),
      Picture(width: 1, height: 1, color: .rgb, depth: .sixteen, samples: [1, 65535, 256]),
    ]
    for picture in pictures {
      let png = PNG(picture, texts: texts)
      #expect(try PNG(decoding: png.encoded()) == png)
    }
  }

  @Test func `files are read, and errors name the path`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "backflow-png-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "a.png").path
    let png = PNG(Picture(width: 1, height: 1, samples: [10]))
    try png.write(to: path)
    #expect(try PNG(path: path) == png)
    let missing = folder.appending(path: "none/b.png").path
    let read = #expect(throws: PictureError.self) { try PNG(path: missing) }
    #expect(read?.message == "\(missing): cannot read it: No such file or directory")
    #expect(throws: PictureError.self) { try PNG(path: folder.path) }
  }
}
