import CommandLanguage
import Figures

extension Plot {
  /// The plot as an SVG document.
  var svg: String {
    do {
      return try drawing().svg()
    } catch {
      // Only pictures within a drawing can fail, and a plot has none.
      preconditionFailure("A plot cannot be drawn: \(error.message)")
    }
  }

  /// A file name from the name of the vertical axis: `loss.svg`.
  var fileName: String {
    let name = y.name.prefix { $0.isASCII && $0.isLetter }.lowercased()
    return "\(name.isEmpty ? "curve" : name).svg"
  }
}
