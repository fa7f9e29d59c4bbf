import CommandLanguage
import Commands
import Foundation
import Transcripts

/// Everything that an edit changes, so that `undo` brings it back.
struct EditedSession {
  let lines: SessionLines
  let recorder: Recorder
  let past: CommandRunner<Workspace>.Past
  let pictureNames: [String: Int]
  /// The bytes of pictures, by their place.
  private var pictures: [String: Data]

  /// The present session of a host.
  init(_ host: Host) {
    (lines, recorder, past) = (host.lines, host.recorder, host.runner.past)
    pictureNames = host.runner.workspace.pictureNames
    pictures = [:]
    for place in lines.items.flatMap(\.pictures) {
      pictures[place] = try? Data(contentsOf: URL(filePath: place))
    }
  }

  /// Forgets pictures that the edit did not draw anew.
  mutating func dropUnchangedPictures() {
    pictures = pictures.filter { place, data in
      (try? Data(contentsOf: URL(filePath: place))) != data
    }
  }

  /// Brings back the pictures that the edit drew anew.
  func restorePictures() {
    for (place, data) in pictures { _ = try? WholeFile.write(data, to: place) }
  }
}
