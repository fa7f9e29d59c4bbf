import CommandLanguage
import Foundation
import Testing

/// Notebooks as sessions, and the installation of the kernel.
struct `A notebook as a session` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private static let lines = [
    "# Two slices.", "phantom size=32 slices=2", "noise gaussian sigma=40HU", "view noisy[1]",
    "conv channels=2", "conv", "train steps=3 batch=1", "view denoised[1]", "hist noisy",
    "expect train.loss < 1",
  ]

  /// Records the lines, and exports them.
  private func exportLesson() throws {
    let ending = try folder.run(
      Self.lines + ["session save lesson", "export lesson.ipynb"], "--out", ".")
    guard ending.status == 0 else { throw Program.Failure(ending.errors) }
  }

  private func backflow(_ arguments: String...) throws -> Program.Ending {
    try Program.run(arguments, in: folder)
  }

  @Test func `runs and replays as it was exported`() throws {
    try exportLesson()
    let notebook = try folder.read("lesson.ipynb")
    #expect(notebook.contains("\"name\":\"backflow\"") && notebook.contains("\"kernelspec\""))
    #expect(try backflow("run", "lesson.ipynb").status == 0)
    let replay = try backflow("replay", "lesson.ipynb")
    #expect(replay.status == 0, "\(replay.output)\(replay.errors)")
    let session = try backflow("replay", "lesson.session")
    #expect(replay.lines.last == session.lines.last)
  }

  /// A notebook with these cells: code, and the text that it printed.
  private func write(_ cells: [(code: String, printed: String)], stamps: JSONValue) throws {
    let json: JSONValue = [
      "cells": .list(cells) { cell in
        [
          "cell_type": "code", "execution_count": 1, "metadata": [:], "id": "a",
          "source": .string(cell.code),
          "outputs": cell.printed.isEmpty
            ? [] : [["output_type": "stream", "name": "stdout", "text": .string(cell.printed)]],
        ]
      },
      "metadata": ["language_info": ["name": "backflow", "backflow": ["stamps": stamps]]],
      "nbformat": 4, "nbformat_minor": 5,
    ]
    try folder.write(json.text, to: "own.ipynb")
  }

  @Test func `compares what several commands of a cell printed, and accepts it`() throws {
    let ending = try folder.run(["phantom size=16 slices=2", "stats clean[0]", "stats clean[1]"])
    let printed =
      ending.lines.filter { !$0.hasPrefix("> ") }.joined(separator: "\n") + "\n"
    let code = "phantom size=16 \\\n  slices=2\n# look\nstats clean[0]\nstats clean[1]"
    try write([(code, printed), ("let a = 1", "")], stamps: [:])
    let good = try backflow("replay", "own.ipynb")
    #expect(good.status == 0, "\(good.output)")
    try write(
      [("let a = 1", ""), (code, printed.replacing("clean[1]", with: "clean[9]"))], stamps: [:])
    let wrong = try backflow("replay", "own.ipynb")
    #expect(wrong.status == 3)
    #expect(wrong.output.contains("own.ipynb: cell 2, line "), "\(wrong.output)")
    #expect(try backflow("accept", "own.ipynb").status == 0)
    #expect(try folder.read("own.ipynb").contains("clean[1]"))
    #expect(try backflow("replay", "own.ipynb").status == 0)
  }

  @Test func `accepts new pictures into the notebook`() throws {
    try exportLesson()
    let old = try folder.read("lesson.ipynb")
    try folder.write(old.replacing("sigma=40HU", with: "sigma=60HU"), to: "lesson.ipynb")
    #expect(try backflow("replay", "lesson.ipynb").status == 3)
    let acceptance = try backflow("accept", "lesson.ipynb")
    #expect(acceptance.status == 0, "\(acceptance.errors)")
    let ending = try backflow("replay", "lesson.ipynb")
    #expect(ending.status == 0, "\(ending.output)")
    let new = try folder.read("lesson.ipynb")
    #expect(new.contains("image/png") && new.contains("\n   \"cell_type\": \"code\""))
  }

  @Test(arguments: ["{", "[]", "{\"nbformat\":3,\"cells\":[]}", "{\"nbformat\":4,\"cells\":7}"])
  func `that is none is refused`(text: String) throws {
    try folder.write(text, to: "bad.ipynb")
    for command in ["run", "replay"] {
      let ending = try backflow(command, "bad.ipynb")
      #expect(ending.status == 4 && ending.complaints.count == 1, "\(ending.errors)")
    }
  }

  @Test func `finds its kernel where it was installed`() throws {
    let ending = try backflow("kernel", "--install", "--prefix", folder.path("there"))
    #expect(ending.status == 0, "\(ending.errors)")
    let place = "there/share/jupyter/kernels/backflow"
    let json = try JSONDecoder().decode(
      JSONValue.self, from: Data(folder.read("\(place)/kernel.json").utf8))
    #expect(
      json["argv"] == [.string(Program.path), "kernel", "--connection-file", "{connection_file}"])
    #expect(json["language"] == "backflow" && json["display_name"] == "Backflow")
    for name in ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"] {
      #expect(folder.size("\(place)/\(name)") > 100)
    }
    #expect(try backflow("kernel").status == 2)
    #expect(try backflow("kernel", "--install", "--user", "--sys-prefix").status == 2)
    let missing = try backflow("kernel", "--connection-file", "nowhere.json")
    #expect(missing.status == 4 && missing.complaints.count == 1)
  }
}
