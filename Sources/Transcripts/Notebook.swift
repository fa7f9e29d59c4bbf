package import CommandLanguage
package import Foundation

/// The parts of notebooks that Backflow writes, in the notebook format 4.5.
package enum Notebook {
  /// The key of what Backflow adds to a notebook.
  package static let own = "backflow"

  /// The value of `language_info`, which clients copy from a kernel into the notebook.
  ///
  /// - Parameters:
  ///   - version: The program's version.
  ///   - stamps: Where the outputs are computed.
  /// - Returns: The value; `backflow.stamps` holds the stamps.
  package static func language(version: String?, stamps: [Stamp]) -> JSONValue {
    .object(
      [
        .init("name", "backflow"), .init("file_extension", ".session"),
        .init("mimetype", "text/x-backflow"), .init("pygments_lexer", "text"),
        .init(own, facts(stamps: stamps)),
      ] + (version.map { [.init("version", .string($0))] } ?? []))
  }

  static func facts(stamps: [Stamp]) -> JSONValue {
    ["stamps": .object(stamps.map { .init($0.key, .string($0.value)) })]
  }

  /// Lines of text as an output.
  package static func stream(_ texts: [String]) -> JSONValue {
    [
      "output_type": "stream", "name": "stdout",
      "text": lines(texts.joined(separator: "\n") + "\n"),
    ]
  }

  /// A display with a plain form, and one for the eye.
  ///
  /// - Parameters:
  ///   - text: The plain form.
  ///   - image: The media type and the bytes of a picture.
  ///   - size: The width and height at which it is shown.
  ///   - isRecorded: Whether the plain form is a line of the record.
  /// - Returns: The output.
  package static func display(
    _ text: String, _ image: (type: String, data: Data)?, size: (Int, Int)? = nil,
    isRecorded: Bool = true
  ) -> JSONValue {
    let content = image.map { image -> JSONValue in
      image.type.hasSuffix("+xml")
        ? lines(String(decoding: image.data, as: UTF8.self))
        : .string(image.data.base64EncodedString())
    }
    var data: [JSONValue.Member] = [.init("text/plain", lines(text))]
    if let image, let content { data.append(.init(image.type, content)) }
    var metadata: [JSONValue.Member] = isRecorded ? [] : [.init(own, ["recorded": false])]
    if let image, let (width, height) = size {
      metadata.append(
        .init(image.type, ["width": .integer(width), "height": .integer(height)]))
    }
    return [
      "output_type": "display_data", "data": .object(data), "metadata": .object(metadata),
    ]
  }

  /// A text in the form of the format: a list of lines, each with its line feed.
  package static func lines(_ text: String) -> JSONValue {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return .array(
      lines.enumerated().compactMap { index, line in
        let isLast = index == lines.count - 1
        return isLast && line.isEmpty ? nil : .string(isLast ? String(line) : "\(line)\n")
      })
  }
}
