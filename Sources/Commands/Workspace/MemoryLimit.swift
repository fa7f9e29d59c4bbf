import CT
import CommandLanguage
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

extension Workspace {
  /// The memory that one command may take, in bytes.
  ///
  /// A script may lower it; only a person may go beyond what the machine has to spare.
  var memoryLimit: Int {
    let spare = Self.spareMemory
    guard let wanted = settings.memoryLimit else { return spare }
    return files.isConfined ? min(wanted, spare) : wanted
  }

  /// Four fifths of the machine's memory, or less where a limit of the system leaves less beside
  /// BLAS, in bytes.
  static var spareMemory: Int {
    min(Int(ProcessInfo.processInfo.physicalMemory / 5 * 4), BLASMemory.bytesLeft ?? .max)
  }

  /// Throws when `bytes` are more than one command may take.
  func requireMemory(_ bytes: Int, for what: String, hint: String) throws(CommandError) {
    guard bytes > memoryLimit else { return }
    throw CommandError(
      .limit,
      "\(what) would need about \((bytes - 1) >> 20 + 1) MiB, the limit is \(sizeInWords(memoryLimit))",
      hint: "\(hint), or set limit.memory=")
  }

  /// Throws when `copies` of so many slices of a stack are more than one command may take.
  func requireMemory(copies: Int, of slices: Int, _ stack: ImageStack) throws(CommandError) {
    try requireMemory(
      copies * slices * stack.height * stack.width * MemoryLayout<Float>.size,
      for: "\(slices, "slice") of \(stack.height)×\(stack.width)",
      hint: "take fewer slices, or crop them")
  }

  /// Throws when every value of a pass, under some flows at once, is more than one command may take.
  func requireMemoryToInspect(
    _ pass: TrainingPass<Float>, _ flows: [any GradientFlow]
  ) throws(CommandError) {
    try requireMemory(
      flows.reduce(0) { $0 + pass.inspectionBytes($1) }, for: "every value of the pass",
      hint: flows.count > 1
        ? "take fewer flows at once"
        : "take a part of the slice, or train on patches or smaller batches")
  }

  /// Throws when the weights of a further layer, with what training keeps of each, are too many.
  func requireMemory(
    convolutions: Int, channels: Int, kernel: Int, projects: Bool = false, from source: String?
  ) throws(CommandError) {
    // A layer that is not there is refused where it is appended.
    let inputs = (try? network.channels(of: source)) ?? network.channels
    let taps = (inputs + channels * (convolutions - 1)) * kernel * kernel
    let parameters = (taps + (projects ? inputs : 0)) * channels + network.parameterCount
    try requireMemory(
      6 * parameters * MemoryLayout<Float>.size,
      for: "a training of \(parameters, "weight")",
      hint: "take fewer channels or convs, or a smaller kernel")
  }

  /// Throws when the weights of a dense layer, with what training keeps of each, are too many.
  func requireMemory(dense units: Int, _ inputs: Int) throws(CommandError) {
    let (count, overflow) = units.multipliedReportingOverflow(by: inputs + 1)
    let parameters = (overflow ? Int.max / 64 : count) + network.parameterCount
    try requireMemory(
      6 * parameters * MemoryLayout<Float>.size, for: "a training of \(parameters) weights",
      hint: "take fewer units, or a pool before")
  }

  /// Throws when one slice does not pass through the network in the memory allowed.
  func requireMemoryForSlice(_ shape: Shape) throws(CommandError) {
    let channels = network.layers.map(\.outputChannels).max() ?? 1
    try requireMemory(
      4 * (channels * shape.height * shape.width + network.parameterCount)
        * MemoryLayout<Float>.size,
      for:
        "a slice of \(shape.height)×\(shape.width) with \(channels, "channel")",
      hint: "crop the slices, or take fewer channels")
  }
}
