/// What an `optimizer` line says: a rule, how its rate changes, and a limit to gradients.
package struct OptimizerSetting: Sendable {
  package var rule: any Optimizer
  package var schedule = LearningRateSchedule.constant
  package var clipping: GradientClipping?

  package init(_ rule: any Optimizer) {
    self.rule = rule
  }

  /// The line that chooses it, without what every optimizer has unless it is told otherwise.
  package var line: String {
    let words = [
      rule.line, schedule == .constant ? nil : schedule.words, clipping?.words,
    ]
    return words.compactMap(\.self).joined(separator: " ")
  }

  /// The rule with the rate of one update.
  ///
  /// - Parameters:
  ///   - update: The number of the update within the schedule, from 0.
  ///   - epoch: The number of its epoch within the schedule, from 0.
  ///   - horizon: The updates that the schedule spans, at least 1.
  /// - Returns: The rule for that update.
  package func rule(update: Int, epoch: Int, horizon: Int) -> any Optimizer {
    var rule = rule
    rule.learningRate = schedule.rate(
      base: rule.learningRate, update: update, epoch: epoch, horizon: horizon)
    return rule
  }
}
