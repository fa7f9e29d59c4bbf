import CommandLanguage
import Foundation
import Testing

struct `An outcome` {
  @Test func `renders fields, tables, pictures and warnings`() {
    var outcome = Outcome()
    outcome.say("noisy  rmse \(40.016, digits: 2) HU <raw> \(volatile: "4.1 s") \(3) \(0.1)")
    outcome.add(
      OutputTable(
        [.words("name"), .numbers("psnr")],
        rows: [["a", "\(9.5, digits: 2)"], ["long name", "\(Double.nan, digits: 2)"]]))
    outcome.add(
      RecordedPicture(
        path: "noisy-3.png", width: 256, height: 128, samples: "gray8", fingerprint: "5d0e12ab90ff")
    )
    outcome.warn("2 localizers\nleft out")
    #expect(
      outcome.lines == [
        "noisy  rmse 40.02 HU \\<raw> <4.1 s> 3 0.1", "name       psnr", "a          9.50",
        "long name   nan", "[png noisy-3.png 256x128 gray8 px:5d0e12ab90ff]",
        "warning: 2 localizers␊left out",
      ])
    #expect(outcome.files.map(\.path) == ["noisy-3.png"])
  }

  @Test func `is printed without the escapes of a record, in columns that fit`() {
    var outcome = Outcome()
    outcome.say("1 < 2, \(volatile: "4.1 s")")
    outcome.add(
      OutputTable([.words("name"), .numbers("n")], rows: [["a<b", "1"], ["abcd", "2"]]))
    outcome.add(
      RecordedPicture(path: "<.png", width: 1, height: 1, samples: "gray8", fingerprint: "0"))
    outcome.warn("<")
    #expect(
      outcome.printedLines == [
        "1 < 2, <4.1 s>", "name  n", "a<b   1", "abcd  2", "[png <.png 1x1 gray8 px:0]",
        "warning: <",
      ])
  }

  @Test(arguments: [
    (-0.0001, NumberFormat.fixed(2), "0.00"), (1e22, .fixed(0), "10000000000000000000000"),
    (0.000314159, .significant(3), "0.000314"), (-.infinity, .fixed(2), "-inf"),
    (12345.678, .significant(3), "1.23e+04"), (123, .significant(3), "123"),
    (0.1, .shortest, "0.1"),
    (5, .shortest, "5"), (1e300, .shortest, "1e+300"),
  ])
  func `writes numbers without surprises`(value: Double, format: NumberFormat, text: String) {
    #expect(format.string(value) == text)
  }

  @Test func `is one JSON object with the keys in order`() throws {
    var outcome = Outcome()
    outcome.result = [
      "psnr": .number(.infinity), "nan": .number(.nan), "low": .number(-.infinity), "n": 3,
      "text": "a\"b\\c\n\u{1}é", "list": [1, 2.5, nil, true],
    ]
    outcome.warn("careful")
    outcome.add(
      RecordedPicture(
        path: "a b.png", width: 1, height: 1, samples: "gray8", fingerprint: "0123456789ab"))
    outcome.add(file: "x.npy")
    let execution = Execution(
      line: 3, text: "evaluate \\\n  on=test", spec: nil, seconds: 0.8123456789,
      result: .success(outcome))
    let text = execution.json.text
    #expect(
      text.hasPrefix(
        #"{"line":3,"command":"evaluate on=test","status":"ok","seconds":0.812346,"result":{"psnr":"inf","#
          + #""nan":"nan","low":"-inf","n":3,"#))
    #expect(
      text.hasSuffix(
        #""warnings":["careful"],"files":[{"path":"a b.png","px":"0123456789ab"},{"path":"x.npy"}]}"#
      ))
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let result = try #require(object["result"] as? [String: Any])
    #expect(result["text"] as? String == "a\"b\\c\n\u{1}é")
    #expect(outcome.result.value(at: "list.1")?.numeric == 2.5)
  }

  @Test func `of a failed command is an error object`() throws {
    let execution = try #require(ToyTable.runner().run("lod", line: 1))
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(execution.json.text.utf8)) as? [String: Any])
    let error = try #require(object["error"] as? [String: Any])
    #expect(object["status"] as? String == "error")
    #expect(error["code"] as? String == "unknown-command")
    #expect(error["hint"] as? String == "did you mean \"load\"?")
    #expect(object["result"] == nil)
  }
}
