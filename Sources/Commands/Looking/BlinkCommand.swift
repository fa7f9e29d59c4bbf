import CommandLanguage
import Figures
import Tensors

extension Command<Workspace> {
  static let blink = Command(
    CommandSpec(
      "blink", family: .looking,
      summary: "Show two slices in turn, in one window, so that differences move.",
      details: """
        What stays is still, what differs jumps: the eye finds small changes so. The first one's \
        window serves both. In a terminal that shows pictures they take turns at one place; Ctrl-C \
        ends that. Both are also written as PNG.
        """,
      parameters: [
        .word("first", .thing, "a slice, such as noisy[3]"),
        .word("second", .thing, "another one of the same size"),
        .key("times", .integer(1...1000), "how often each is shown", default: .value("5")),
        .key("pause", .duration, "how long each is shown", default: .value("0.5s")),
      ],
      examples: [
        CommandExample(
          "blink noisy[1] clean[1]",
          after: ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]
        )
      ], seeAlso: ["panel", "view", "terminal"])
  ) { arguments, workspace, _ in
    let values = try ["first", "second"].map { try workspace.plane(arguments, $0) }
    let planes = values.map(\.plane)
    guard planes[0].width == planes[1].width, planes[0].height == planes[1].height else {
      throw arguments.error(
        at: "second", .shape,
        "\(values[1].name) is \(planes[1].height)×\(planes[1].width), \(values[0].name) is \(planes[0].height)×\(planes[0].width)",
        hint: "only slices of one size can take turns")
    }
    let window = try workspace.window(for: values[0], arguments)
    var outcome = Outcome()
    let pictures = zip(values, planes).map { (window.picture(of: $1), $0.name, [PNG.Text]()) }
    for picture in try workspace.write(pictures) { outcome.add(picture) }
    let difference = planes[1] - planes[0]
    let (rmse, most) = (difference.rootMeanSquare, difference.mostDistant)
    outcome.say(
      """
      \(values[1].name) − \(values[0].name)  rmse \(rmse, significant: 4)  \
      most \(Double(most.value), significant: 4) at [\(most.row),\(most.column)]
      """)
    outcome.result = [
      "rmse": .number(rmse), "most": .number(Double(most.value)), "row": .integer(most.row),
      "column": .integer(most.column),
    ]
    outcome.turns = Outcome.Turns(
      times: try arguments.integer("times"), pause: try arguments.number("pause").value)
    return outcome
  }
}

extension Workspace {
  /// The single plane that an argument names.
  fileprivate mutating func plane(_ arguments: Arguments, _ name: String) throws -> NamedValue {
    let value = try self.value(arguments, name)
    guard value.plane.values.count == value.tensor.shape.count else {
      throw arguments.error(
        at: name, .shape, "\(value.name) is \(value.tensor.shape), not one slice",
        hint: "add an index: \(value.name)[0]")
    }
    return value
  }
}

extension Plane {
  /// √mean v², over the finite values.
  fileprivate var rootMeanSquare: Double {
    let finite = values.filter(\.isFinite)
    guard !finite.isEmpty else { return 0 }
    return (finite.reduce(0) { $0 + Double($1) * Double($1) } / Double(finite.count)).squareRoot()
  }

  /// The finite value that is farthest from 0, and its place.
  fileprivate var mostDistant: (value: Float, row: Int, column: Int) {
    var place = 0
    var distance: Float = -1
    for (index, value) in values.enumerated() where value.isFinite && abs(value) > distance {
      (place, distance) = (index, abs(value))
    }
    return (values[place].isFinite ? values[place] : 0, place / width, place % width)
  }
}
