import CT
import CommandLanguage
import Networks
import Tensors
import Training

/// Descriptions of how values were computed, for the header of a derived series.
extension Workspace {
  /// A sentence that lists the steps from the source to the slices called `name`.
  func explanation(of name: String, slices: [Int]) -> String {
    var steps = [name == "clean" ? cleanValues : noisyValues]
    switch name {
    case "baseline":
      let filters = Set(slices.compactMap { baseline[$0]?.filter.description }).sorted()
      steps.append("then filtered by \(filters.joined(separator: " or "))")
    case "denoised":
      steps.append("then denoised by \(networkInWords)")
    default: break
    }
    let isSource = name == "clean" && !recipe.hasEdits(ofNoisy: false)
    return "Backflow: " + steps.joined(separator: ", ")
      + (isSource ? "" : "; not for diagnosis")
  }

  private var cleanValues: String {
    recipe.hasEdits(ofNoisy: false)
      ? "values of the source, some replaced by hand" : "values of the source, unchanged"
  }

  private var noisyValues: String {
    let origin =
      if let noise {
        noise.words(clean?.unit ?? .hounsfield)
          + (recipe.hasEdits(ofNoisy: false) ? " with values replaced by hand" : "")
      } else {
        "values of the noisy file as loaded"
      }
    return recipe.hasEdits(ofNoisy: true) ? origin + ", some replaced by hand" : origin
  }

  /// `a convolutional network (b1 c1, 39 weights, output subtract, 12 updates)`.
  var networkInWords: String {
    let layers = network.layerNames
    let shown = layers.prefix(12).joined(separator: " ") + (layers.count > 12 ? " …" : "")
    let updates = trainer?.step ?? 0
    let facts = [
      shown, "\(network.parameterCount) weights", "output \(network.outputRule.rawValue)",
      updates > 0 ? "\(updates, "update") of training" : nil,
    ]
    return "a convolutional network (\(facts.compactMap(\.self).joined(separator: ", ")))"
  }
}
