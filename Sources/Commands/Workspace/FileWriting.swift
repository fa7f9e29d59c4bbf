package import CommandLanguage
import Fingerprints
package import Foundation

extension Files {
  /// Writes `data`; the file is whole or absent.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The file.
  ///   - replacing: Which existing file may be replaced.
  ///   - isPicture: Whether the record shows it, so that another of its name would be a false one.
  /// - Returns: Where the file is.
  /// - Throws: `CommandError` when a file is there that must not be replaced, or the disk is full.
  @discardableResult
  package func write(
    _ data: Data, to path: String, _ replacing: Replacing = .known, isPicture: Bool = false
  ) throws(CommandError) -> String {
    try write([Item(path: path, data: data, isPicture: isPicture)], replacing)[0]
  }

  /// A file that is written with others.
  package struct Item {
    let path: String
    let data: Data
    /// Whether the record shows it.
    let isPicture: Bool

    package init(path: String, data: Data, isPicture: Bool = false) {
      (self.path, self.data, self.isPicture) = (path, data, isPicture)
    }
  }

  /// Writes files as ``write(_:to:_:isPicture:)`` writes one, all of them or none.
  ///
  /// - Returns: Where the files are.
  /// - Throws: `CommandError`; then all is as it was.
  @discardableResult
  package func write(
    _ items: [Item], _ replacing: Replacing
  ) throws(CommandError) -> [String] {
    let whole = WholeFiles()
    var names: [String: String] = [:]
    var places: [String] = []
    for item in items {
      let place = try writing(item.path)
      names[place] = item.path
      places.append(place)
      let plan = WrittenFiles.Plan(
        place: place, name: item.path, digest: SHA256Digest(of: item.data),
        isPicture: item.isPicture)
      try written.check(plan, replacing)
      try disk.spend(item.data.count, on: item.path)
      try naming(names) { () throws(WholeFiles.Failure) in try whole.add(item.data, as: place) }
    }
    let pictures = Set(zip(items, places).filter { $0.0.isPicture }.map(\.1))
    try commit(whole, pictures: pictures) {
      names[$0] ?? $0
    } replacing: { _ in
      replacing
    }
    return places
  }

  /// Writes a folder of files that `body` makes, all of them or none.
  ///
  /// - Parameters:
  ///   - folder: The folder; what else it holds stays.
  ///   - replacing: Which existing files may be replaced.
  ///   - body: Makes the files in the folder that it gets, and returns the names of old files in
  ///     the real one that are removed with them.
  /// - Returns: Where the folder is.
  /// - Throws: `CommandError`, also for errors of `body`; then nothing has changed.
  package func write(
    folder: String, _ replacing: Replacing,
    body: (_ staged: String, _ place: String) throws -> [String]
  ) throws -> String {
    let place = try writing(folder)
    let whole = WholeFiles()
    let name = { (path: String) in folder + path.dropFirst(place.count) }
    let staged = try naming([:], otherwise: folder) { () throws(WholeFiles.Failure) in
      try whole.makeFolder(for: place + "/.")
    }
    let old: [String]
    do {
      old = try body(staged, place)
    } catch {
      var cause = commandError(error)
      cause.message = cause.message.replacing(staged, with: folder)
      throw cause
    }
    try naming([:], otherwise: folder) { () throws(WholeFiles.Failure) in
      try whole.add(folder: staged, as: place)
    }
    for path in old where isKnown(path, replacing) { whole.remove(path) }
    try commit(whole, naming: name) { _ in replacing }
    return place
  }

  /// Moves files to their places, unless a file is there that must not be replaced.
  ///
  /// - Parameters:
  ///   - files: The files, whole on the disk.
  ///   - pictures: The places of those that the record shows.
  ///   - name: The name of a place in messages.
  ///   - replacing: Which existing files may be replaced, by the place.
  /// - Throws: `CommandError`; then nothing has changed.
  package func commit(
    _ files: WholeFiles, pictures: Set<String> = [], naming name: (String) -> String,
    replacing: (String) -> Replacing
  ) throws(CommandError) {
    var plans: [WrittenFiles.Plan] = []
    for (target, staged) in files.written {
      let data =
        (try? Data(contentsOf: URL(filePath: staged), options: .alwaysMapped)) ?? Data()
      plans.append(
        WrittenFiles.Plan(
          place: target, name: name(target), digest: SHA256Digest(of: data),
          isPicture: pictures.contains(target)))
    }
    plans += files.removed.map { target in
      WrittenFiles.Plan(place: target, name: name(target), digest: nil, isPicture: false)
    }
    for plan in plans { try written.check(plan, replacing(plan.place)) }
    // An interrupted computation may have left out a part, so nothing of it is written.
    try stopIfInterrupted()
    written.announce(plans)
    do throws(WholeFiles.Failure) {
      try files.commit()
    } catch {
      throw Self.failure(error, called: name(error.path))
    }
    written.take(plans)
  }

  /// Throws when a file is there that a write may not replace.
  package func requireFree(_ path: String, _ replacing: Replacing) throws(CommandError) {
    let place = try writing(path)
    try written.check(
      WrittenFiles.Plan(place: place, name: path, digest: nil, isPicture: false), replacing)
  }

  /// Whether this session wrote a file at a place.
  func hasWritten(_ path: String) -> Bool { (try? writing(path)).map(written.contains) ?? false }

  /// Whether a write may replace the file at a place.
  private func isKnown(_ place: String, _ replacing: Replacing) -> Bool {
    let plan = WrittenFiles.Plan(place: place, name: place, digest: nil, isPicture: false)
    return (try? written.check(plan, replacing)) != nil
  }

  /// Runs a step of writing; an error names the file as it was typed.
  private func naming<Result>(
    _ names: [String: String], otherwise name: String? = nil,
    _ step: () throws(WholeFiles.Failure) -> Result
  ) throws(CommandError) -> Result {
    do throws(WholeFiles.Failure) {
      return try step()
    } catch {
      throw Self.failure(error, called: names[error.path] ?? name ?? error.path)
    }
  }

  private static func failure(_ failure: WholeFiles.Failure, called name: String) -> CommandError {
    if Interruption.ofCommand?.isRequested == true { return .interrupted }
    return CommandError(
      .file, "\(name) cannot be written: \(failure)", hint: "choose another place, or make room")
  }
}
