package import CommandLanguage
import Foundation

extension Files {
  /// The entries of a folder, whose path is given as typed; empty when it cannot be read.
  package func entries(of folder: String) -> [Completer.Entry] {
    guard let place = try? reading(folder.isEmpty ? "." : folder) else { return [] }
    let url = URL(filePath: place)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.map { name in
      let values = try? url.appending(path: name).resolvingSymlinksInPath()
        .resourceValues(forKeys: [.isDirectoryKey])
      return Completer.Entry(name, isFolder: values?.isDirectory ?? false)
    }
  }
}
