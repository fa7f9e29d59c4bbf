import CommandLanguage
import Commands
import Figures
import Testing

/// The line that says how far a command is.
struct ProgressLineTests {
  private let update = ProgressUpdate(
    "epoch 1/2  step 30/40  loss 0.01", fraction: 0.75, count: 30, things: "steps",
    trend: [1, 0.1, 0.01, 0.001], note: "psnr 31 dB")

  @Test func `has a bar, the course, rate and time left where there is room`() {
    let line = ProgressLine.text(update, after: 6, columns: 120)
    #expect(
      line
        == "▕████▌ ▏ epoch 1/2  step 30/40  loss 0.01  ⠑⢄⠀⠀⠀⠀⠀⠀  5.00 steps/s  2 s left  psnr 31 dB"
    )
    #expect(
      ProgressLine.text(update, after: 6, columns: 70)
        == "▕████▌ ▏ epoch 1/2  step 30/40  loss 0.01  ⠑⢄⠀⠀⠀⠀⠀⠀  2 s left")
    #expect(
      ProgressLine.text(update, after: 6, columns: 60)
        == "▕████▌ ▏ epoch 1/2  step 30/40  loss 0.01  2 s left")
  }

  @Test func `is words alone in little room, and whole where nothing is drawn`() {
    #expect(
      ProgressLine.text(update, after: 6, columns: 40)
        == "epoch 1/2  step 30/40  loss 0…  2 s left"
    )
    #expect(
      ProgressLine.text(update, after: 6, columns: nil)
        == "epoch 1/2  step 30/40  loss 0.01  5.00 steps/s  2 s left  psnr 31 dB")
    let unknown = ProgressUpdate("noise gaussian")
    #expect(ProgressLine.text(unknown, after: 3.7, columns: 80) == "noise gaussian  3 s")
  }

  @Test
  func `a course has four levels, logarithmic over a decade, with gaps for what is not finite`() {
    #expect(Sparkline.braille([0, 1, 2, 3], columns: 2) == "⡠⠊")
    #expect(Sparkline.braille([1, 10, 100, 1000], columns: 2) == "⡠⠊")
    #expect(Sparkline.braille([3, .nan, .infinity, 0], columns: 2) == "⠁⢀")
    #expect(Sparkline.braille([5], columns: 1) == "⠄" || Sparkline.braille([5], columns: 1) == "⠂")
    #expect(Sparkline.braille([.nan], columns: 3) == "" && Sparkline.braille([], columns: 3) == "")
    let falling = (0..<1000).map { 1000 - Double($0) }
    #expect(Sparkline.braille(falling, columns: 4).count == 4)
  }

  @Test func `a trend keeps the means of a long course in a bounded place`() {
    var trend = Trend()
    for number in 0..<1_000_000 { trend.add(Double(number)) }
    #expect((64..<128).contains(trend.values.count))
    #expect(zip(trend.values, trend.values.dropFirst()).allSatisfy { $0 < $1 })
    #expect(trend.values[0] < 20_000 && (trend.values.last ?? 0) > 980_000)
  }
}
