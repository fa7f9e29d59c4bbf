import Figures
import Foundation
import Handouts
import Testing

struct `A notebook` {
  private func cells(_ sample: Sample) throws -> [[String: Any]] {
    let json = try JSONSerialization.jsonObject(with: Data(sample.page(.notebook).utf8))
    let notebook = try #require(json as? [String: Any])
    #expect(notebook["nbformat"] as? Int == 4 && notebook["nbformat_minor"] as? Int == 5)
    return try #require(notebook["cells"] as? [[String: Any]])
  }

  @Test func `has a cell for each comment and each command`() throws {
    let picture = Sample.picture(1)
    let cells = try cells(
      Sample(
        [
          "# Hello.", "", "# Look at it. Closely.", "> view noisy[3]",
          Sample.line("noisy-3.png", picture), "text  <1 s>", "more", "> let a = \\", "> 2",
        ], pictures: ["noisy-3.png": PNG(picture)]))
    #expect(
      cells.map { $0["cell_type"] as? String } == [
        "markdown", "markdown", "code", "code", "markdown",
      ])
    #expect(Set(cells.compactMap { $0["id"] as? String }).count == cells.count)
    #expect(cells[1]["source"] as? [String] == ["## Look at it\n", "\n", "Closely."])
    #expect(cells[2]["source"] as? [String] == ["view noisy[3]"])
    #expect(cells[3]["source"] as? [String] == ["let a = \\\n", "2"])
    let outputs = try #require(cells[2]["outputs"] as? [[String: Any]])
    #expect(outputs.map { $0["output_type"] as? String } == ["display_data", "stream"])
    #expect(outputs[1]["text"] as? [String] == ["text  <1 s>\n", "more\n"])
    let data = try #require(outputs[0]["data"] as? [String: Any])
    let png = try #require(Data(base64Encoded: data["image/png"] as? String ?? ""))
    #expect(try PNG(decoding: Array(png)).picture == picture)
  }
}
