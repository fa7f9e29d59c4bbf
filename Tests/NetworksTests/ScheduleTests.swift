import Networks
import Tensors
import TestSupport
import Testing

/// Learning rates and clipping against PyTorch: `Tests/Fixtures/adam`.
struct ScheduleTests {
  struct Cases: Decodable {
    let schedules: [Schedule]
    let clippings: [Clipping]
  }

  /// PyTorch's names.
  struct Schedule: Decodable {
    let name: String
    let kind: String
    let lr: Double
    let horizon: Int
    let rates: [Double]
    let eta_min: Double?
    let pct_start: Double?
    let div_factor: Double?
    let final_div_factor: Double?
    let start_factor: Double?
    let total_iters: Int?
    let step_size: Int?
    let gamma: Double?

    var schedule: LearningRateSchedule {
      get throws {
        switch kind {
        case "CosineAnnealingLR": return .cosine(final: try #require(eta_min))
        case "OneCycleLR":
          let initial = lr / (div_factor ?? 25)
          return .oneCycle(
            initial: initial, final: initial / (final_div_factor ?? 1e4),
            rise: .part(try #require(pct_start)))
        case "LinearLR":
          return .warmUp(
            initial: lr * (try #require(start_factor)), rise: .updates(try #require(total_iters)))
        default:
          #expect(kind == "StepLR")
          return .step(every: try #require(step_size), factor: try #require(gamma))
        }
      }
    }
  }

  struct Clipping: Decodable {
    let name: String
    let by: String
    let limit: Double
    let norm: Double
  }

  private func cases() throws -> Cases { try Fixture("adam").json("cases.json", as: Cases.self) }

  @Test func `rates are PyTorch's in every update`() throws {
    let schedules = try cases().schedules
    #expect(Set(schedules.map(\.kind)).count == 4)
    for test in schedules {
      #expect(test.rates.count == test.horizon)
      for (i, expected) in test.rates.enumerated() {
        // A step of StepLR is an epoch of, say, four updates.
        let isStep = test.kind == "StepLR"
        let rate = try test.schedule.rate(
          base: test.lr, update: isStep ? 4 * i : i, epoch: isStep ? i : i / 4,
          horizon: isStep ? 4 * test.horizon : test.horizon)
        #expect(abs(rate - expected) <= 1e-12 * test.lr, "\(test.name) \(i): \(rate), \(expected)")
      }
    }
  }

  @Test func `beyond the horizon the last rate stays`() {
    let ends: [(LearningRateSchedule, Double)] = [
      (.constant, 0.5), (.cosine(final: 0.1), 0.1),
      (.oneCycle(initial: 0.02, final: 0.001, rise: .part(0.3)), 0.001),
      (.warmUp(initial: 0.02, rise: .updates(10)), 0.5),
    ]
    for (schedule, end) in ends {
      for update in [20, 21, 1000] {
        let rate = schedule.rate(base: 0.5, update: update, epoch: update / 4, horizon: 20)
        #expect(abs(rate - end) < 1e-15, "\(schedule)")
      }
    }
  }

  @Test(arguments: [1, 2, 3, 10])
  func `short horizons and long rises give rates between the ends`(horizon: Int) {
    for rise: LearningRateSchedule.Rise in [.part(1e-9), .part(0.5), .part(1), .updates(1000)] {
      for schedule: LearningRateSchedule in [
        .oneCycle(initial: 0.1, final: 0.01, rise: rise), .warmUp(initial: 0.1, rise: rise),
      ] {
        for update in 0...horizon {
          let rate = schedule.rate(base: 1, update: update, epoch: 0, horizon: horizon)
          #expect((0.01...1).contains(rate), "\(schedule) \(update): \(rate)")
        }
      }
    }
  }

  @Test func `clipping is PyTorch's`() throws {
    let fixture = Fixture("adam/clipping")
    for test in try cases().clippings {
      var gradients = try (0..<2).map { try fixture.tensor("gradient\($0)").floats() }
      let clipping: GradientClipping = test.by == "norm" ? .norm(test.limit) : .value(test.limit)
      let isClipped = clipping.clip(&gradients)
      #expect(isClipped == (test.by == "value" || test.norm > test.limit))
      for i in 0..<2 {
        let expected = try fixture.tensor("\(test.name)/gradient\(i)")
        expectClose(gradients[i], expected, within: 1e-6, test.name)
      }
    }
  }

  @Test func `a norm whose squares overflow float32 is still a norm`() {
    var gradients = [Tensor<Float>(shape: [2], scalars: [3e30, -4e30])]
    #expect(GradientClipping.norm(5).clip(&gradients))
    #expect(gradients[0].scalars == [3, -4])
  }

  @Test func `a NaN is not hidden by clipping`() {
    for clipping: GradientClipping in [.norm(1), .value(1)] {
      var gradients = [Tensor<Float>(shape: [2], scalars: [.nan, 5])]
      #expect(clipping.clip(&gradients))
      #expect(gradients[0].scalars[0].isNaN)
    }
  }
}
