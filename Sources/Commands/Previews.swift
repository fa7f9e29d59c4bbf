import CT
import CommandLanguage
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

/// The shapes of the things that the arguments name, or the summary where they name none.
@Sendable
func previewNames(_ arguments: Arguments, _ workspace: Workspace) throws -> String {
  var found: [String] = []
  for parameter in arguments.spec.parameters where parameter.kind == .thing {
    for index in arguments.words(parameter.name).indices {
      found.append(try workspace.describe(arguments, parameter.name, index))
    }
  }
  return found.isEmpty ? arguments.spec.summary : found.joined(separator: "  ")
}

@Sendable
func previewPhantom(_ arguments: Arguments, _ workspace: Workspace) throws -> String {
  let size = try arguments.integer("size")
  let count = try arguments.integer("slices") * arguments.integer("patients")
  let bytes = count * size * size * MemoryLayout<Float>.size
  return "clean [\(count),1,\(size),\(size)] · \(amount(Double(bytes), "B"))"
}

@Sendable
func previewLoad(_ arguments: Arguments, _ workspace: Workspace) throws -> String {
  let path = try arguments.path("path")
  if path.lowercased() == "phantom" { return "the synthetic thorax" }
  let place = try arguments.blaming("path") { () throws(CommandError) in
    try workspace.files.reading(path)
  }
  var isFolder: ObjCBool = false
  _ = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
  return isFolder.boolValue ? "the CT slices in this folder" : "the slices of this file"
}

// MARK: - Layers

@Sendable
func previewBlock(_ arguments: Arguments, _ workspace: Workspace) throws -> String {
  let options = try BlockOptions(arguments)
  let inputs = try workspace.network.channels(of: options.source)
  try options.requireFit(inputs: inputs)
  return workspace.describeLayer(
    workspace.network.nextName(ResidualBlock<Float>.letter), options.channels,
    options.convolutionSizes(inputs: inputs))
}

@Sendable
func previewConvolution(_ arguments: Arguments, _ workspace: Workspace) throws -> String {
  let options = try ConvolutionOptions(arguments)
  let inputs = try workspace.network.channels(of: options.source)
  try options.requireFit(inputs: inputs)
  return workspace.describeLayer(
    workspace.network.nextName(PlainConvolution<Float>.letter), options.channels,
    [options.convolutionSize(inputs: inputs)])
}

@Sendable
func previewTraining(_ arguments: Arguments, _ workspace: Workspace) throws -> String {
  try workspace.network.requireTrainable()
  try workspace.flow.requireFit(workspace.network)
  _ = try workspace.requireNoisy()
  let clean = try workspace.requireClean()
  let slices = workspace.trainingSlices(clean).count
  try workspace.requireValidation(arguments)
  let (images, parts) = (try arguments.integer("batch"), try arguments.integer("accumulate"))
  let batch = min(images * parts, slices)
  let epochs = try arguments.integer("epochs")
  let updates =
    arguments.integerIfGiven("steps")
    ?? epochs.multipliedReportingOverflow(by: (slices + batch - 1) / max(batch, 1)).partialValue
  let (height, width) =
    arguments.integerIfGiven("patch").map { ($0, $0) } ?? (clean.height, clean.width)
  let step = StepEstimate.seconds(
    workspace.network.layers.flatMap(\.convolutionSizes), pixels: batch * height * width)
  return
    "\(updates, "step") of \(batch)×\(height)×\(width) · about \(time(step)) a step, "
    + "\(time(step * Double(updates))) in all"
}

extension Workspace {
  /// The size and cost that a layer would have: `b4.out [4,16,256,256] · 2.3 k parameters · …`.
  fileprivate func describeLayer(
    _ name: String, _ channels: Int, _ sizes: [ConvolutionSize]
  ) -> String {
    let count = sizes.reduce(0) { $0 + $1.parameters }
    let parameters = amount(Double(count), "parameters", isWord: true)
    guard let slices else { return "\(name).out [N,\(channels),H,W] · \(parameters)" }
    // The default batch size of 'train'.
    let batch = min(TrainingOptions().batch, trainingSlices(slices).count)
    let plane = slices.height * slices.width
    let operations = Double(plane * sizes.reduce(0) { $0 + $1.operationsPerPixel })
    let seconds = StepEstimate.seconds(
      network.layers.flatMap(\.convolutionSizes) + sizes, pixels: batch * plane)
    return [
      "\(name).out [\(batch),\(channels),\(slices.height),\(slices.width)]", parameters,
      amount(operations, "FLOP a slice"), "about \(time(seconds)) a step",
    ].joined(separator: " · ")
  }

  /// The name and shape of the value that an argument names.
  fileprivate func describe(
    _ arguments: Arguments, _ parameter: String, _ index: Int
  ) throws(CommandError) -> String {
    let text = arguments.words(parameter)[index]
    func fault(_ code: CommandError.Code, _ message: String, _ hint: String?) -> CommandError {
      arguments.error(at: parameter, index: index, code, message, hint: hint)
    }
    let indexed: IndexedName
    do throws(CommandError) {
      indexed = try IndexedName(text)
    } catch {
      throw arguments.error(at: parameter, index: index, error)
    }
    let candidates = nameCandidates
    if let known = candidates.first(where: { $0.text == indexed.name }) {
      if case .position(let slice) = indexed.entries.first, let slices,
        Self.stackNames.contains(indexed.name), !(0..<slices.count).contains(slice)
      {
        throw fault(
          .init(rawValue: "index"), "there is no slice \(slice)", "0 to \(slices.count - 1) exist")
      }
      return "\(known.text) \(known.description)"
    }
    // These do not include names of other networks, of layers, and of other flows.
    if indexed.name.contains("/") || indexed.name.contains(".grad.")
      || network.layerNames.contains(indexed.name)
    {
      return arguments.spec.summary
    }
    throw fault(
      .unknownName, "there is nothing called '\(indexed.name)'",
      NearestNames.question(for: indexed.name, among: candidates.map(\.text)))
  }
}

// MARK: - Amounts

/// A number of something with a prefix: `2.3 k parameters`, `302 MFLOP`.
private func amount(_ value: Double, _ unit: String, isWord: Bool = false) -> String {
  let prefixes = ["", "k", "M", "G", "T", "P"]
  var (value, index) = (value, 0)
  while value >= 1000, index < prefixes.count - 1 { (value, index) = (value / 1000, index + 1) }
  let digits = value < 10 && index > 0 ? NumberFormat.fixed(1) : NumberFormat.fixed(0)
  let gap = isWord && index > 0 ? " " : ""
  return "\(digits.string(value)) \(prefixes[index])\(gap)\(unit)"
}

/// A time in the unit that suits it.
private func time(_ seconds: Double) -> String {
  switch seconds {
  case ..<0.0995: "\(NumberFormat.significant(2).string(seconds * 1000)) ms"
  case ..<99.5: "\(NumberFormat.significant(2).string(seconds)) s"
  case ..<5970: "\(Int((seconds / 60).rounded())) min"
  default: "\(NumberFormat.significant(2).string(seconds / 3600)) h"
  }
}
