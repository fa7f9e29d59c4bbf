import CommandLanguage
package import Foundation

/// The format of a written handout.
package enum HandoutForm: String, CaseIterable, Sendable {
  case html
  case markdown = "md"
  case notebook = "ipynb"

  /// The format of a file with this name, by its ending; nil for other endings.
  package init?(file: String) {
    guard let ending = file.split(separator: ".").last else { return nil }
    self.init(rawValue: ending.lowercased())
  }
}

extension Handout {
  /// A file of a written handout.
  package struct File: Sendable {
    package let path: String
    package let data: Data
  }

  /// Returns the files of the handout in a format: the page, and pictures that it does not contain
  /// itself.
  ///
  /// - Parameters:
  ///   - form: The format.
  ///   - path: The path of the page; pictures go to the folder `STEM.pictures` beside it.
  /// - Returns: The files, the page first.
  package func files(_ form: HandoutForm, named path: String) -> [File] {
    switch form {
    case .html: return [File(path: path, data: Data(html.utf8))]
    case .notebook: return [File(path: path, data: Data(notebook.utf8))]
    case .markdown:
      let stem = path.hasSuffix(".md") ? String(path.dropLast(3)) : path
      let folder = stem + ".pictures"
      let name = folder.split(separator: "/").last.map(String.init) ?? folder
      let page = markdown(pictures: name)
      return [File(path: path, data: Data(page.text.utf8))]
        + page.pictures.map { File(path: "\(folder)/\($0.name)", data: Data($0.bytes)) }
    }
  }
}
