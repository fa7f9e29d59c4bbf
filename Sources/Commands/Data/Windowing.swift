import CT
import CommandLanguage
import Figures
import Training

extension WindowRule {
  /// The words that name a window, or a rule for one.
  static let words = Window.presets.map(\.name) + ["file", "auto"]

  /// The rule that a word of `window` names; `which` selects one of a file's windows.
  init(named name: String, which: String? = nil) {
    switch name {
    case "file": self = .file(which)
    case "auto": self = .covering
    default: self = Window(preset: name).map(WindowRule.fixed) ?? .automatic
    }
  }
}

extension Workspace {
  /// The window that `value` is drawn in; inverted for slices of MONOCHROME1 files.
  func window(for value: NamedValue, _ arguments: Arguments) throws -> Window {
    let window = try uprightWindow(for: value, arguments)
    let source = source(of: value.slice, in: value.stackName)
    return value.isImage && source?.isInverted == true ? window.inverted : window
  }

  private func uprightWindow(
    for value: NamedValue, _ arguments: Arguments
  ) throws -> Window {
    let covering = Window(covering: value.range)
    switch arguments.choiceIfGiven("window").map({ WindowRule(named: $0) }) {
    case .fixed(let window)?: return window
    case .file(let which)?:
      return try fileWindow(of: value, which: which, arguments, at: "window")
    case .some: return covering
    case nil: break
    }
    guard value.isImage else { return covering }
    switch windowRule {
    case .fixed(let window): return window
    case .file(let which):
      return try fileWindow(of: value, which: which, arguments, at: "")
    case .covering: return covering
    case .automatic:
      if slices?.unit == .hounsfield { return .lung }
      return fileWindows(value.slice, of: value.stackName).first?.window ?? covering
    }
  }

  /// The windows of the file that a slice of a stack comes from, with their names.
  private func fileWindows(
    _ index: Int, of stack: String
  ) -> [(name: String, window: Window)] {
    (source(of: index, in: stack)?.windows ?? []).compactMap { own in
      Window(own).map { (own.name, $0) }
    }
  }

  private func fileWindow(
    of value: NamedValue, which: String?, _ arguments: Arguments, at name: String
  ) throws(CommandError) -> Window {
    try fileWindow(
      ofSlice: value.slice, of: value.stackName, which: which, arguments, at: name)
  }

  /// The window of the file that a slice of a stack comes from: the first, or that called `which`.
  ///
  /// - Throws: `CommandError` that names the windows there are.
  func fileWindow(
    ofSlice index: Int, of stack: String, which: String?, _ arguments: Arguments, at name: String
  ) throws(CommandError) -> Window {
    _ = try requireSlices()
    let windows = fileWindows(index, of: stack)
    guard let first = windows.first else {
      throw arguments.error(
        at: name, .state, "the slices bring no window of a file",
        hint: "lung, mediastinum, bone or auto")
    }
    guard let which else { return first.window }
    if let number = Int(which), windows.indices.contains(number - 1) {
      return windows[number - 1].window
    }
    guard let named = windows.first(where: { $0.name.lowercased() == which.lowercased() }) else {
      let names = windows.enumerated().map { i, window in
        window.name.isEmpty ? "\(i + 1)" : "\(i + 1) (\(window.name))"
      }
      throw arguments.error(
        at: name, .unknownName, "the file has no window '\(which)'",
        hint: "it has \(names.joined(separator: ", "))")
    }
    return named.window
  }
}
