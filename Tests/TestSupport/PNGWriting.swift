package import Figures
import Foundation

extension PNG {
  /// Writes a PNG file.
  package func write(to path: String) throws {
    try Data(try encoded()).write(to: URL(filePath: path))
  }
}
