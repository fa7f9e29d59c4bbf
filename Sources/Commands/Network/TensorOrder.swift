import CommandLanguage
import Networks
import Tensors

/// The places that the tensors of a file from elsewhere take in a network, by their order.
///
/// Tensors belong together whose names differ in their last word alone, such as `model.3.weight` and
/// `model.3.bias`. These groups take the places of the network's convolutions and norms in turn. A file
/// whose tensors stand in the order of the alphabet, as the library `safetensors` writes them, has lost the
/// order of its network: then numbers within names decide, and groups of other shapes are passed over.
struct TensorOrder {
  /// A tensor of the file and the name of the parameter that it becomes.
  struct Assignment {
    let name: String
    let entry: SafeTensors.Entry
  }

  private struct Group {
    let name: String
    var entries: [(word: String, entry: SafeTensors.Entry)] = []

    /// Weight, bias and statistics in the order of a network, then others.
    var ordered: [SafeTensors.Entry] {
      entries.enumerated().sorted { a, b in
        (TensorOrder.rank(a.element.word), a.offset) < (TensorOrder.rank(b.element.word), b.offset)
      }.map(\.element.entry)
    }
  }

  let assignments: [Assignment]

  /// Finds the place of each tensor.
  ///
  /// - Throws: `CommandError` that names the first tensor that does not fit.
  init(_ file: SafeTensors, _ network: Network<Float>) throws(CommandError) {
    let entries = file.networkEntries
    let places = Self.places(of: network)
    if let found = Self.match(places, Self.groups(entries)) {
      assignments = found
      return
    }
    let flat = places.flatMap { $0 }
    if flat.count == entries.count,
      zip(flat, entries).allSatisfy({ $0.shape == $1.shape })
    {
      assignments = zip(flat, entries).map { Assignment(name: $0.name, entry: $1) }
      return
    }
    throw Self.misfit(flat, Self.groups(entries).flatMap(\.ordered))
  }

  /// The names and shapes of the network's tensors, those of a convolution or of a norm together.
  private static func places(of network: Network<Float>) -> [[(name: String, shape: Shape)]] {
    var order: [String] = []
    var groups: [String: [(name: String, shape: Shape)]] = [:]
    for (name, tensor) in zip(network.stateNames, network.state) {
      let group = lastWord(name).0
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append((name, tensor.shape))
    }
    return order.compactMap { groups[$0] }
  }

  private static func groups(_ entries: [SafeTensors.Entry]) -> [Group] {
    var order: [String] = []
    var groups: [String: Group] = [:]
    for entry in entries {
      let (name, word) = lastWord(entry.name)
      if groups[name] == nil { order.append(name) }
      groups[name, default: Group(name: name)].entries.append((word, entry))
    }
    let names = entries.map(\.name)
    if names == names.sorted() { order.sort { natural($0).lexicographicallyPrecedes(natural($1)) } }
    return order.compactMap { groups[$0] }
  }

  /// Gives each place the first group of its shapes that is not taken; nil if one stays without, or a group
  /// is left.
  private static func match(
    _ places: [[(name: String, shape: Shape)]], _ groups: [Group]
  ) -> [Assignment]? {
    guard places.count == groups.count else { return nil }
    var rest = groups.map(\.ordered)
    var found: [Assignment] = []
    for place in places {
      guard let index = rest.firstIndex(where: { $0.map(\.shape) == place.map(\.shape) }) else {
        return nil
      }
      found += zip(place, rest.remove(at: index)).map { Assignment(name: $0.name, entry: $1) }
    }
    return found
  }

  private static func misfit(
    _ places: [(name: String, shape: Shape)], _ entries: [SafeTensors.Entry]
  ) -> CommandError {
    let hint = "build the network of the file first, line by line or by a preset"
    for (place, entry) in zip(places, entries) where place.shape != entry.shape {
      return CommandError(
        .shape,
        "the file does not fit the network: \(SafeTensors.shown(entry.name)) is \(entry.shape), "
          + "\(place.name) is \(place.shape)", hint: hint)
    }
    let (found, wanted) = (entries.count, places.count)
    let first =
      found > wanted
      ? "\(SafeTensors.shown(entries[wanted].name)) \(entries[wanted].shape) has no place"
      : wanted > found
        ? "\(places[found].name) \(places[found].shape) is missing" : "its groups differ"
    return CommandError(
      .shape,
      "the file does not fit the network: it has \(found) tensors, the network \(wanted): \(first)",
      hint: hint)
  }

  private static func rank(_ word: String) -> Int {
    ["weight", "bias", "running_mean", "running_var"].firstIndex(of: word) ?? 4
  }

  private static func lastWord(_ name: String) -> (String, String) {
    guard let dot = name.lastIndex(of: ".") else { return ("", name) }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }

  /// The words of a name with numbers by size: 2 comes before 10.
  private static func natural(_ name: String) -> [String] {
    name.split(separator: ".").map { word in
      let digits = word.drop { !$0.isNumber }
      guard let number = Int(digits) else { return String(word) }
      let padded = String(number)
      return word.prefix(word.count - digits.count)
        + String(repeating: "0", count: max(0, 12 - padded.count)) + padded
    }
  }
}

extension SafeTensors {
  /// The tensors without PyTorch's counts of batches, which are no part of a network.
  var networkEntries: [Entry] {
    entries.filter { !$0.name.hasSuffix(".num_batches_tracked") }
  }
}
