extension PictureFiles {
  /// Whether a folder holds a file of this name without any symbolic link on the way, since a
  /// session from elsewhere may come with links to anything.
  static func isOwn(_ folder: String, _ name: String) -> Bool {
    isInside(name) && exists(path(folder, name)) && !isLinked(folder, name)
  }

  /// Whether a folder, a file in it, or a folder on the way to the file is a symbolic link.
  static func isLinked(_ folder: String, _ name: String) -> Bool {
    var place = folder
    if isLink(place) { return true }
    for part in name.split(separator: "/") {
      place = path(place, String(part))
      if isLink(place) { return true }
    }
    return false
  }

  /// Throws when a file of a session is a symbolic link, or lies behind one.
  static func requireUnlinked(_ folder: String, _ name: String) throws(SessionError) {
    guard isLinked(folder, name) else { return }
    throw SessionError(
      path(folder, name),
      "is a symbolic link or lies behind one, and may be anything; put the file itself in its place"
    )
  }
}
