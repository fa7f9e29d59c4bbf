/// The setting of an `optimizer` line: a rule, its schedule, and a limit to gradients.
package struct OptimizerSetting: Sendable {
  package var rule: any Optimizer
  package var schedule = LearningRateSchedule.constant
  package var clipping: GradientClipping?

  package init(_ rule: any Optimizer) {
    self.rule = rule
  }

  /// The command line that chooses the setting.
  package var line: String {
    let words = [rule.line, schedule.words, clipping?.words]
    return words.compactMap(\.self).joined(separator: " ")
  }

  /// Returns the rule with the learning rate of one update.
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
