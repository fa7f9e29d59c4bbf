import Testing
import Training

/// Student's interval of paired differences against SciPy's `ttest_rel` and `t.ppf`.
struct PairedDifferencesTests {
  @Test(arguments: [
    (1, 12.7062), (2, 4.3027), (4, 2.7764), (10, 2.2281), (30, 2.0423), (31, 2.0395), (60, 2.0003),
    (99, 1.9842),
  ])
  func `the quantile is Student's`(_ degrees: Int, _ expected: Double) {
    #expect(abs(PairedDifferences.quantile(degrees: degrees) - expected) < 1e-3)
  }

  @Test func `mean, deviation and interval are those of a paired test`() {
    let pair = PairedDifferences([36.1, 35.2, 37.4, 36.6, 35.9], [36.4, 35.9, 37.3, 37.2, 36.0])
    #expect(abs(pair.mean - 0.32) < 1e-9)
    #expect(abs(pair.deviation - 0.3346640) < 1e-6)
    #expect(abs(pair.low - -0.0955438) < 1e-4 && abs(pair.high - 0.7355438) < 1e-4)
    #expect(pair.wins == 4 && !pair.isSupported)
  }

  @Test func `a claim needs a spread that leaves zero out`() {
    #expect(PairedDifferences([1, 2, 3], [2, 3.1, 4]).isSupported)
    #expect(!PairedDifferences([1], [2]).isSupported)
    #expect(!PairedDifferences([], []).isSupported)
    #expect(PairedDifferences([1, .nan, 3], [2, 5, 4]).differences == [1, 1])
  }
}
