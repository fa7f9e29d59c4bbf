import Foundation
import Testing

/// No name, number or date of a patient leaves the files it came in.
struct `Identity` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// Every session of the project that loads data, and lines that write all there is to write.
  private static let lines = [
    "let data = ct", "series $data", "tags $data/patient1-series1-0001.dcm", "load $data", "data",
    "noise gaussian sigma=40HU", "split", "stats clean", "view clean[0]",
    "panel noisy[0] clean[0]", "hist clean", "block channels=2", "conv", "train steps=2",
    "plot loss", "evaluate", "save tensor clean clean.npy", "save image clean[0] a.png bits=16",
    "net save net.safetensors optimizer=yes", "checkpoint all", "save dicom denoised derived",
    "save animation noisy slices.gif", "fails load $data/nothing", "fails load $data series=77",
    "history", "session save mine replace=yes",
    "session pack mine.zip", "export mine.html", "export mine.md", "export mine.ipynb",
  ]

  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func bytes(of ending: Program.Ending) -> Data {
    Data((ending.output + ending.errors).utf8)
  }

  /// Throws a record of every secret in what was said or written below `out`.
  private func search(_ secrets: [String], _ said: Data, at place: String) throws {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path("out"))
    var texts = [("what was said", said)]
    for path in paths {
      texts.append(
        (path, FileManager.default.contents(atPath: folder.path("out/\(path)")) ?? Data()))
    }
    #expect(texts.count > 5)
    for (name, text) in texts {
      for secret in secrets {
        #expect(text.range(of: Data(secret.utf8)) == nil, "\(secret) is in \(name) (\(place))")
      }
    }
  }

  @Test func `of made-up patients is in no output of any command`() throws {
    try folder.write("phantom size=32 slices=3 save=ct\n", to: "make.txt")
    #expect(try Program.run(["run", "make.txt", "--out", "."], in: folder).status == 0)
    // As long as what the phantom's files hold, so that the files stay whole.
    let names = [
      ("Phantom^1", "Zwetsch^Q"), ("Phantom^2", "Wurzel^Yx"), ("PHANTOM-1", "XQ-774421"),
      ("PHANTOM-2", "XQ-774422"),
    ]
    // As people write them into descriptions and names of windows; each stands in its own files.
    let texts = [
      "patient1": [
        ("Thorax phantom", "CT zwetsch, Q."), ("LUNG\\MEDIASTINUM", "LUNG\\XQ774421 M."),
      ],
      "patient2": [
        ("Thorax phantom", "wurzel  thorax"), ("LUNG\\MEDIASTINUM", "LUNG\\Wurzel, Yx."),
      ],
    ]
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path("ct")) {
      var data = try Data(contentsOf: folder.url.appending(path: "ct/\(file)"))
      for (old, new) in names + (texts[String(file.prefix(8))] ?? []) {
        #expect(old.utf8.count == new.utf8.count)
        while let range = data.range(of: Data(old.utf8)) {
          data.replaceSubrange(range, with: Data(new.utf8))
        }
      }
      try folder.write(data, to: "ct/\(file)")
    }
    var said = Data()
    for options in [[], ["--json"]] {
      try folder.write(Self.lines.joined(separator: "\n") + "\n", to: "script.txt")
      let ending = try Program.run(["run", "script.txt"] + options, in: folder)
      #expect(ending.status == 0, "\(ending.errors)")
      said += bytes(of: ending)
    }
    said += bytes(of: try Program.run(["replay", "out/script.txt/mine.session"], in: folder))
    let session = Self.root.appending(path: "sessions/03-your-own-slices.session").path
    try FileManager.default.copyItem(atPath: session, toPath: folder.path("own.session"))
    for program in ["run", "replay"] {
      said += bytes(
        of: try Program.run(
          [program, "own.session", "--let", "data=ct", "--keep-going"], in: folder))
    }
    said += Data(try folder.read("own.new").utf8)
    try search(
      names.map(\.1) + ["Zwetsch", "zwetsch", "Wurzel", "wurzel", "774421"], said, at: "made-up")
  }

  // MARK: - Real patients

  private static let real = root.appending(path: "../shared/dicom").standardizedFileURL

  private static let series = [
    "chest_philips_B_smooth", "phantom_ge_names_out_of_order", "study_philips_dicomdir",
  ].filter { FileManager.default.fileExists(atPath: real.appending(path: $0).path) }

  /// What the files of a folder say of a person: names, numbers and dates, but no short ones, which
  /// could be anywhere.
  private func secrets(in path: String) throws -> [String] {
    let tags = ["0010,0010", "0010,0020", "0010,0030", "0008,0020", "0008,0050", "0008,0090"]
    let dump = try Program.run(
      ["+sd", "-q", "+r"] + tags.flatMap { ["+P", $0] } + [path], program: "/usr/bin/dcmdump",
      in: folder)
    let values = dump.output.matches(of: /\[([^\]]*)\]/).map { String($0.1) }
    return Set(values.map { $0.trimmingCharacters(in: .whitespaces) }).filter { $0.count > 5 }
      .sorted()
  }

  @Test(arguments: series) func `of people in real files is in no output`(name: String) throws {
    let path = Self.real.appending(path: name).path
    let secrets = try secrets(in: path)
    try #require(!secrets.isEmpty)
    let lines =
      ["let data", "series $data", "load $data series=#1 slices=0..1", "data"]
      + ["crop rows=100..131 columns=100..131", "split by=slice"]
      + Self.lines.drop { $0 != "noise gaussian sigma=40HU" }
      .filter { $0 != "split" && !$0.contains("save dicom") }
    for options in [[], ["--json"]] {
      try folder.write(lines.joined(separator: "\n") + "\n", to: "script.txt")
      let ending = try Program.run(
        ["run", "script.txt", "--let", "data=\(path)"] + options, in: folder)
      #expect(ending.status == 0, "\(ending.errors)")
      try search(secrets, bytes(of: ending), at: name)
    }
  }
}
