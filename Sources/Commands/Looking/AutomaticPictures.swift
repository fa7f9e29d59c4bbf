import CommandLanguage
import Figures
import Foundation

extension Workspace {
  /// Writes a picture into the folder of automatic pictures; its file name begins with `name`.
  mutating func write(
    _ picture: Picture, named name: String, notes: [PNG.Text] = []
  ) throws -> RecordedPicture {
    try write([(picture, name, notes)])[0]
  }

  /// Writes pictures into the folder of automatic pictures, all or none.
  ///
  /// A name is taken when the session gave it to another file. A person's folder may hold such a
  /// file, too: the picture then gets the next free name there, while the record keeps the name
  /// that a replay gives.
  ///
  /// - Parameters:
  ///   - pictures: The pictures, and the names from which their file names are made.
  ///   - others: Files that are written with them.
  ///   - arguments: The command's, if it has `replace=`.
  /// - Returns: The pictures as a transcript names them.
  /// - Throws: `CommandError` when a file is there that must not be replaced, or the disk is full.
  mutating func write(
    _ pictures: [(picture: Picture, name: String, notes: [PNG.Text])],
    with others: [Files.Item] = [], _ arguments: Arguments? = nil
  ) throws -> [RecordedPicture] {
    var names = pictureNames
    var items: [Files.Item] = []
    var recorded: [String] = []
    for (picture, name, notes) in pictures {
      let (file, path) = nextFile(named: name, &names)
      recorded.append(file)
      let png = Data(try PNG(picture, texts: notes).encoded())
      items.append(Files.Item(path: path, data: png, isPicture: true))
    }
    let places: [String]
    do throws(CommandError) {
      places = try files.write(items + others, arguments?.replacing ?? .known)
    } catch {
      var failure = error
      if error.code == .exists, arguments == nil {
        failure.hint = "move it away, or let the files go to another folder with --out"
      }
      throw failure
    }
    pictureNames = names
    return zip(pictures, zip(recorded, places)).map { $0.picture.recorded(as: $1.0, at: $1.1) }
  }

  /// The next file made of `name`, as the record names it, and its path.
  private func nextFile(
    named name: String, _ names: inout [String: Int]
  ) -> (file: String, path: String) {
    let words = name.split { !$0.isLetter && !$0.isNumber && $0 != "." }.joined(separator: "-")
    let base = words.replacing(".", with: "-")
    func file(_ count: Int) -> String { count == 1 ? "\(base).png" : "\(base)-\(count).png" }
    func path(_ count: Int) -> String {
      files.isConfined ? file(count) : files.pictures.appending(path: file(count)).path
    }
    var count = names[base, default: 0] + 1
    while files.hasWritten(path(count)) { count += 1 }
    names[base] = count
    var free = count
    while !files.isConfined, FileManager.default.fileExists(atPath: path(free)) { free += 1 }
    return (file(count), path(free))
  }
}

extension Picture {
  /// The entry of a picture in a transcript, under the name `path`; the file is at `place`.
  func recorded(as path: String, at place: String) -> RecordedPicture {
    RecordedPicture(
      path: path, place: place, width: width, height: height, samples: format,
      fingerprint: pixelFingerprint)
  }
}
