import CT
import CommandLanguage
import Figures
import Foundation
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let slices = ["phantom size=32 slices=4", "noise gaussian sigma=60HU"]
  private static let training = slices + ["block channels=2", "conv", "train steps=4"]

  static let saveAnimation = Command(
    CommandSpec(
      "save animation", family: .keeping,
      summary: "Write slices, or a slice as training changed it, as moving pictures.",
      details: """
        A stack is shown slice by slice. One slice of denoised, or one kernel, is shown as the last \
        training of the network in use changed it: the network is kept at up to 64 evenly spaced \
        steps, from before the first to after the last, and gives the slice anew at each. All frames \
        share one window. Captions tell the slice or the epoch, and the figures against the clean \
        slice. .png is an animated PNG, of which other programs show the first frame; .gif is a GIF of \
        the same pixels.
        """,
      parameters: [
        .word("name", .thing, "a stack, such as denoised, or one plane, such as denoised[3]"),
        .word("file", .path, "the file, ending in .png or .gif"),
        .key(
          "over", .choice(["slices", "epochs"]), "what changes from frame to frame",
          default: .absent("slices of a stack, epochs of one plane")),
        .key(
          "slices", .integerInterval, "which slices of a stack, both ends included",
          default: .absent("all")),
        .key(
          "frames", .integer(2...TrainingFilm.capacity), "frames over epochs, at most",
          default: .value("24")),
        .key(
          "pause", .number(units: [], .between(0.02, 60)), "seconds from frame to frame",
          default: .value("0.25")),
        .key(
          "window", .choice(WindowRule.words), "what the frames show",
          default: .absent("the window chosen last")),
        Parameter.replace,
      ],
      examples: [
        CommandExample("save animation denoised[1] training.png", after: training),
        CommandExample("save animation clean slices.gif slices=1..6 window=lung", after: slices),
      ], seeAlso: ["view", "save image", "plot psnr"])
  ) { arguments, workspace, context in
    let path = try arguments.path("file")
    guard let kind = Animation.Kind(file: path) else {
      throw arguments.error(
        at: "file", .wrongValue, "an animation is written as .png or .gif", hint: "\(path).png")
    }
    let scenes = try workspace.scenes(arguments, context)
    let window = try workspace.window(for: scenes, arguments)
    let captions = try scenes.map { scene in
      try context.stopIfInterrupted()
      return try workspace.captions(of: scene)
    }
    // Long numbers take more rows in some frames than in others.
    let rows = zip(captions, scenes).map {
      CaptionedPicture.rows(
        of: $0, width: $1.value.plane.width, height: $1.value.plane.height)
    }
    var frames: [Animation.Frame] = []
    for (index, scene) in scenes.enumerated() {
      try context.stopIfInterrupted()
      let frame = CaptionedPicture(
        window.picture(of: scene.value.plane), lines: captions[index],
        progress: Double(index) / Double(max(1, scenes.count - 1)), rows: rows.max() ?? 0
      ).captioned
      guard Animation.fits(count: scenes.count, width: frame.width, frame.height) else {
        throw arguments.error(
          at: "name", .limit,
          "\(scenes.count) frames of \(frame.width)×\(frame.height) are more than an animation may have",
          hint:
            "at most \(Animation.frameLimit) frames and \(Animation.pixelLimit >> 20) million pixels; slices= or frames= takes fewer"
        )
      }
      frames.append(Animation.Frame(frame, label: scene.label))
      context.progress(ProgressUpdate("draw \(frames.count)/\(scenes.count)"))
    }
    let pause = try arguments.number("pause").value
    context.progress(
      ProgressUpdate("write \(frames.count, "frame")"))
    let animation = Animation(frames, delay: Int((100 * pause).rounded()))
    let place = try arguments.write(
      Data(try animation.encoded(kind)), to: path, in: workspace.files, isPicture: true)
    let fingerprint = animation.sheet.pixelFingerprint
    var outcome = Outcome(
      "\(frames.count, "frame")  \(frames[0].label) to \(frames[frames.count - 1].label)"
    )
    outcome.add(
      RecordedPicture(
        path: path, place: place, width: animation.width, height: animation.height,
        kind: kind.rawValue,
        samples: "gray8", fingerprint: fingerprint))
    outcome.result = [
      "path": .string(path), "px": .string(fingerprint), "frames": .integer(frames.count),
      "width": .integer(animation.width), "height": .integer(animation.height),
    ]
    return outcome
  }
}

/// The value that a frame of an animation shows, and its label.
private struct Scene {
  let value: NamedValue
  /// The part of the title that differs between frames: `slice 3`, `epoch 12`.
  let label: String

  var title: String { "\(value.name)  \(label)" }
}

extension Workspace {
  /// The scenes of an animation in the order of its frames: slices of a stack, or epochs of a
  /// value.
  fileprivate mutating func scenes(
    _ arguments: Arguments, _ context: CommandContext
  ) throws -> [Scene] {
    let name = try arguments.text("name")
    let isStack = Self.stackNames.contains(name)
    switch (arguments.choiceIfGiven("over") ?? (isStack ? "slices" : "epochs"), isStack) {
    case ("slices", true): return try sceneSlices(of: name, arguments, context)
    case ("slices", false):
      throw arguments.error(
        at: "name", .wrongValue, "over slices, a whole stack is shown, not \(name)",
        hint: Self.stackNames.joined(separator: ", "))
    case (_, true):
      throw arguments.error(
        at: "name", .shape, "over epochs, one slice is shown, not all of \(name)",
        hint: "add an index: \(name)[0]")
    default: return try sceneMoments(of: name, arguments, context)
    }
  }

  /// The lines under a frame: its title, and the figures against the clean slice.
  fileprivate mutating func captions(of scene: Scene) throws -> [String] {
    guard scene.value.isImage, let unit = clean?.unit else { return [scene.title] }
    let clean = try value("clean[\(scene.value.slice)]")
    return [scene.title] + (scene.value.figures(against: clean, unit) ?? [])
  }

  private mutating func sceneSlices(
    of name: String, _ arguments: Arguments, _ context: CommandContext
  ) throws -> [Scene] {
    let count = try requireSlices().count
    let wanted = arguments.integersIfGiven("slices") ?? 0...(count - 1)
    guard wanted.lowerBound >= 0, wanted.upperBound < count else {
      throw arguments.error(
        at: "slices", .outOfRange, "slices: 0 to \(count - 1) exist", hint: "slices=0..\(count - 1)"
      )
    }
    return try wanted.map { index in
      try context.stopIfInterrupted()
      context.progress(ProgressUpdate("slice \(index)"))
      return Scene(value: try value("\(name)[\(index)]"), label: "slice \(index)")
    }
  }

  private mutating func sceneMoments(
    of name: String, _ arguments: Arguments, _ context: CommandContext
  ) throws -> [Scene] {
    guard !arguments.has("slices") else {
      throw arguments.error(
        at: "slices", .surplusArgument, "slices= and epochs do not go together",
        hint: "leave slices= out")
    }
    let now = try value(arguments, "name")
    guard now.tensor.shape.count == now.plane.width * now.plane.height, now.tensor.shape.count > 1
    else {
      throw arguments.error(
        at: "name", .shape, "\(now.name) is \(now.tensor.shape), not one plane",
        hint: "add an index: \(now.name)[0]")
    }
    guard network.parameterNames.contains(try IndexedName(name).name) || name.hasPrefix("denoised[")
    else {
      throw arguments.error(
        at: "name", .wrongValue, "\(name) is not kept over epochs",
        hint: "a slice of denoised, or a kernel such as c1.weight[0,0]")
    }
    let film = try requireFilm()
    let moments = film.moments(atMost: try arguments.integer("frames"))
    let last = moments.last?.epochs ?? 0
    return try moments.map { moment in
      try context.stopIfInterrupted()
      let label =
        last >= 8
        ? "epoch \(NumberFormat.shortest.string((moment.epochs * 10).rounded() / 10))"
        : "step \(moment.step)"
      context.progress(ProgressUpdate(label))
      var then = self
      then.network = moment.network
      return Scene(value: try then.value(name), label: label)
    }
  }

  /// The moments of the last training of the network in use.
  private func requireFilm() throws(CommandError) -> TrainingFilm {
    guard let film, film.name == networkName, film.ends(with: network) else {
      throw CommandError(
        .state, "the network in use has not trained since it was made or changed",
        hint: trainingCure("train first, for example 'train epochs=20'"))
    }
    return film
  }

  /// The window that all frames share.
  fileprivate func window(
    for scenes: [Scene], _ arguments: Arguments
  ) throws -> Window {
    let ranges = scenes.map(\.value.range)
    guard let first = scenes.first?.value, let low = ranges.map(\.lowerBound).min(),
      let high = ranges.map(\.upperBound).max()
    else { return .lung }
    let all = NamedValue(
      name: first.name, tensor: Tensor(shape: [2], scalars: [low, high]), mask: nil,
      isImage: first.isImage, slice: first.slice)
    return try window(for: all, arguments)
  }
}
