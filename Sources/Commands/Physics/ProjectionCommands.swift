import CT
import CommandLanguage
import GradientFlows
import Operations
import Tensors
import Tomography
import Training

extension Command<Workspace> {
  static let project = Command(
    CommandSpec(
      "project", family: .stepping,
      summary: "Compute the line integrals of a slice, as a scanner sees it.",
      details: """
        The result is a typed tensor [views, detectors] without unit: each number is the sum over \
        pixels of attenuation in mm⁻¹ times the length of the ray in mm (Joseph's method). 'view' \
        draws the sinogram, 'explain S[3,100]' lists the pixels and lengths of one ray, and \
        'backward' goes through it: the gradient of the slice is the back-projection. \
        \(ScanOptions.help)
        """,
      parameters: [
        .word("name", .thing, "one slice in HU, or a typed tensor"),
        .key("as", .text(placeholder: "S"), "the name of the sinogram", default: .required),
      ] + ScanOptions.all,
      examples: [
        CommandExample("project clean[1] as=S", after: image),
        CommandExample("project x as=S beam=parallel views=90", after: image + typed),
      ], seeAlso: ["reconstruct", "noise lowdose", "tensor", "backward"])
  ) { arguments, workspace, _ in
    let (name, given, first, place) = try workspace.newTensor(arguments)
    var computation = given
    let source = workspace.scannedSlice(computation, place)
    let shape = computation.nodes[place].value.shape.asImage
    guard shape.count == shape.planeCount, shape.height > 1, shape.width > 1 else {
      throw arguments.error(
        at: "name", .shape,
        "\(try arguments.text("name")) is \(computation.nodes[place].value.shape)",
        hint: "one slice is projected, for example clean[0]")
    }
    try workspace.requireHounsfield(source.stack, at: "name", arguments)
    let pixel = try arguments.pixelDistance()
    let plane = source.slice?.plane
    let grid = ImageGrid(
      rows: shape.height, columns: shape.width, rowSpacing: plane?.rowSpacing ?? pixel,
      columnSpacing: plane?.columnSpacing ?? pixel)
    let geometry = try arguments.scanChoice().geometry(
      of: grid, by: source.slice?.scanner ?? .usual)
    let scan = try workspace.scan(geometry, grid, .ramp, try arguments.attenuation())
    return try workspace.compute(
      Projection(scan), place, name, &computation, since: first, arguments)
  }

  static let reconstruct = Command(
    CommandSpec(
      "reconstruct", family: .stepping,
      summary: "Compute the slice of line integrals, by filtered back-projection.",
      details: """
        The result is a typed tensor in HU. What 'project' gave, or what was computed from it, is \
        reconstructed in the geometry of its scan, on the pixels of the projected slice or on size= \
        pixels across the same field; other tensors [views, detectors] in the geometry that is \
        given. Pixels that not every view sees are air. Filters: the ramp alone, or with a window \
        that lowers high frequencies; hann lowers them most. 'explain R[10,20]' lists what each \
        view adds, and 'backward' goes through it. \(ScanOptions.help)
        """,
      parameters: [
        .word("name", .thing, "line integrals [views, detectors]"),
        .key("as", .text(placeholder: "R"), "the name of the slice", default: .required),
        ScanOptions.filter,
        .key(
          "size", .integer(2...4096), "columns and rows of the slice",
          default: .absent("those of the projected slice")),
        ScanOptions.beam, ScanOptions.detector, ScanOptions.scan, ScanOptions.water,
        ScanOptions.pixel,
      ],
      examples: [
        CommandExample("reconstruct S as=R", after: image + ["project clean[1] as=S"]),
        CommandExample(
          "reconstruct S as=R filter=hann size=16",
          after: image + ["project clean[1] as=S beam=parallel views=60"]),
      ], seeAlso: ["project", "noise lowdose"])
  ) { arguments, workspace, _ in
    let (name, given, first, place) = try workspace.newTensor(arguments)
    var computation = given
    let (geometry, grid, attenuation) = try workspace.geometry(
      ofSinogram: place, computation, arguments)
    let scan = try workspace.scan(geometry, grid, try arguments.filterWindow(), attenuation)
    return try workspace.compute(
      Reconstruction(scan), place, name, &computation, since: first, arguments)
  }

  private static let image = ["phantom size=32 slices=2"]
  private static let typed = ["tensor x = clean[1]"]
}

extension Workspace {
  /// Returns the name that `as=` gives to a new tensor, and the computation with what `name` means: the number
  /// of its nodes before, and the place of the value.
  fileprivate mutating func newTensor(
    _ arguments: Arguments
  ) throws -> (name: String, computation: Computation, first: Int, place: Int) {
    let name = try arguments.text("as")
    try requireFreeName(name, at: "as", arguments)
    var computation = computation
    let first = computation.nodes.count
    let place = try build(
      try Expression(parsing: try arguments.source("name")), &computation, at: "name", arguments)
    return (name, computation, first, place)
  }

  /// The slice that a typed value was copied from, with its stack; nil where it is none.
  func scannedSlice(
    _ computation: Computation, _ place: Int
  ) -> (stack: ImageStack?, slice: SliceSource?) {
    var place = place
    while let first = computation.nodes[place].operands.first { place = first }
    guard let name = computation.nodes[place].origin.flatMap({ try? IndexedName($0) }),
      Self.stackNames.contains(name.name), let original = try? original(of: name.name)
    else { return (nil, nil) }
    guard case .position(let slice) = name.entries.first else { return (original, nil) }
    return (original, original.source(of: slice))
  }

  /// Throws when slices are in another unit than HU.
  func requireHounsfield(
    _ stack: ImageStack?, at argument: String? = nil, _ arguments: Arguments
  ) throws(CommandError) {
    guard let stack, stack.unit != .hounsfield else { return }
    let message = "the slices are not in HU, so their attenuation is unknown"
    let hint = "for an array in HU: load PATH unit=HU"
    throw argument.map { arguments.error(at: $0, .wrongUnit, message, hint: hint) }
      ?? arguments.error(.wrongUnit, message, hint: hint)
  }

  /// A scan with its tables, after a check of the memory that it takes.
  func scan(
    _ geometry: ScanGeometry, _ grid: ImageGrid, _ window: RampFilter.Window,
    _ attenuation: Attenuation
  ) throws(CommandError) -> SliceScan {
    try requireMemory(
      SliceScan.bytes(geometry, grid),
      for: "a scan of \(geometry.views) views and \(geometry.detectors) detector elements",
      hint: "take fewer views or detectors")
    return try interruptible { SliceScan(geometry, grid, window, attenuation) }
  }

  /// Computes a typed tensor by the operation of a scan, and describes it.
  fileprivate mutating func compute(
    _ operation: any Operation, _ place: Int, _ name: String, _ computation: inout Computation,
    since first: Int, _ arguments: Arguments
  ) throws -> Outcome {
    do throws(OperationError) {
      _ = try operation.resultShape([computation.nodes[place].value.shape])
    } catch {
      throw arguments.error(at: "name", .shape, error.message, hint: error.hint)
    }
    let made = try interruptible { try computation.compute(operation, [place]) }
    computation.bind(name, to: made, computedSince: first)
    self.computation = computation
    closeTypedWalk()
    let node = computation.nodes[made]
    let statistics = node.value.statistics(excluding: nil)
    let scan = (operation as? Projection)?.scan ?? (operation as? Reconstruction)?.scan
    let unit = operation is Reconstruction ? " HU" : ""
    var outcome = Outcome(
      """
      \(name) = \(computation.formula(of: made) ?? "") = \(node.value.shape.description), \
      \(statistics.min, significant: 4)…\(statistics.max, significant: 4)\(unit)
      """)
    if let scan { outcome.say(scan.scan.line) }
    outcome.result = [
      "name": .string(name), "shape": .list(node.value.shape.extents) { .integer($0) },
      "min": .number(statistics.min), "max": .number(statistics.max),
      "mean": .number(statistics.mean), "scan": scan?.scan.json ?? .null,
    ]
    return outcome
  }

  /// The scan of line integrals: that of the projection which they were computed from, else as the
  /// arguments say.
  fileprivate func geometry(
    ofSinogram place: Int, _ computation: Computation, _ arguments: Arguments
  ) throws(CommandError) -> (ScanGeometry, ImageGrid, Attenuation) {
    let value = computation.nodes[place].value
    guard value.shape.asImage.count == value.shape.asImage.planeCount else {
      throw arguments.error(
        at: "name", .shape, "\(try arguments.text("name")) is \(value.shape)",
        hint: "line integrals are [views, detectors]")
    }
    let size = arguments.integerIfGiven("size")
    if let known = computation.projection(before: place, of: value.shape) {
      if let given = arguments.first(of: ["beam", "detector", "scan", "water", "pixel"]) {
        throw arguments.error(
          at: given, .wrongValue, "\(try arguments.text("name")) was projected in a known geometry",
          hint: "leave \(given)= out")
      }
      return (known.scan, size.map { known.grid.resized(to: $0) } ?? known.grid, known.attenuation)
    }
    var choice = try arguments.scanChoice(views: value.shape.asImage.height)
    choice.detectors = value.shape.asImage.width
    let side = size ?? value.shape.asImage.width
    let pixel = try arguments.pixelDistance()
    let grid = ImageGrid(rows: side, columns: side, rowSpacing: pixel, columnSpacing: pixel)
    do {
      return (try choice.geometry(of: grid, by: .usual), grid, try arguments.attenuation())
    } catch {
      throw commandError(error)
    }
  }
}

extension Computation {
  /// The scan of the nearest projection that a value of this shape was computed from; nil for none.
  fileprivate func projection(before place: Int, of shape: Shape) -> SliceScan? {
    var waiting = [place]
    while let next = waiting.popLast() {
      guard nodes[next].value.shape == shape else { continue }
      if let projection = nodes[next].operation as? Projection { return projection.scan }
      waiting += nodes[next].operands
    }
    return nil
  }
}
