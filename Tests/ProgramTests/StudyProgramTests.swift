import Foundation
import Testing

/// `backflow denoise IN OUT` as a person calls it.
struct `A study at the shell` {
  let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.write(
      [
        "phantom size=32 slices=6 patients=2 save=ct", "noise gaussian sigma=40HU",
        "scale hu=-1024..500", "block channels=2", "conv", "output subtract", "train steps=4",
        "net save w.safetensors", "load ct as=noisy pair=no", "stats denoised", "",
      ].joined(separator: "\n"), to: "make.txt")
  }

  private func files(_ place: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.path(place))
    return (all?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".dcm") }.sorted()
  }

  @Test func `is denoised by a saved network at its own scale, and once only`() throws {
    let made = try Program.run(["run", "make.txt", "--out", ".", "--json"], in: folder)
    #expect(made.status == 0)
    let call = ["denoise", "ct", "derived", "--net", "w.safetensors"]
    let ending = try Program.run(call, in: folder)
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(ending.output.contains("12 slices in 2 derived series"))
    #expect(files("derived").count == 12)
    let first = try FileManager.default.contentsOfDirectory(atPath: folder.path("derived"))
    let again = try Program.run(call, in: folder)
    #expect(again.status == 0 && again.output.contains("12 of them were there"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("derived")) == first)
    try folder.write("load derived\nstats clean\n", to: "look.txt")
    let look = try Program.run(["run", "look.txt", "--json"], in: folder)
    let means = try [made, look].map { ending in
      try #require(JSONLine.all(ending.output).last?.result.number("mean"))
    }
    #expect(abs(means[0] - means[1]) < 0.5)
  }

  @Test func `ends with status 1 and names what it skipped`() throws {
    #expect(try Program.run(["run", "make.txt", "--out", "."], in: folder).status == 0)
    let name = "ct/\(files("ct")[3])"
    let data = try Data(contentsOf: folder.url.appending(path: name))
    try data.prefix(data.count - 700).write(to: folder.url.appending(path: name))
    let ending = try Program.run(
      ["denoise", "ct", "derived", "--with", "median size=3"], in: folder)
    #expect(ending.status == 1 && files("derived").count == 11)
    #expect((ending.output + ending.errors).contains((name as NSString).lastPathComponent))
    for (call, words) in [
      (["denoise", "ct", "ct/out", "--with", "median"], "lies in it"),
      (["denoise", "ct", "derived"], "--net"),
      (["denoise", "ct", "other", "--with", "medium"], "median"),
      (["denoise", "ct", "other", "--net", "nowhere.safetensors"], "nowhere"),
    ] {
      let ending = try Program.run(call, in: folder)
      #expect(ending.status != 0 && ending.errors.contains(words), "\(ending.errors)")
    }
  }
}
