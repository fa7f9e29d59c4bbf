import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Training

struct `A film of a training` {
  /// A network that is told from others by its one bias.
  private func network(_ value: Float) throws -> Network<Float> {
    var network = try Network(lines: ["conv kernel=1"])
    network.parameters[1].scalars[0] = value
    return network
  }

  private func film(steps: Int) throws -> TrainingFilm {
    var film = TrainingFilm(name: "main", try network(0))
    for step in 0..<steps { film.add(epochs: Double(step + 1) / 10, try network(Float(step + 1))) }
    return film
  }

  @Test(arguments: [0, 1, 2, 63, 64, 65, 128, 1000, 4097])
  func `keeps evenly spaced steps, the first and the last`(_ steps: Int) throws {
    let film = try film(steps: steps)
    let moments = film.moments
    #expect(moments.first?.step == 0 && moments.last?.step == steps)
    #expect(moments.count <= TrainingFilm.capacity + 1)
    #expect(moments.count >= min(steps + 1, TrainingFilm.capacity / 2))
    let gaps = zip(moments.dropFirst(), moments).map { $0.step - $1.step }
    #expect(Set(gaps.dropLast()).count <= 1 && gaps.allSatisfy { $0 > 0 })
    for moment in moments {
      #expect(moment.network.parameters[1].scalars == [Float(moment.step)])
      #expect(moment.epochs == Double(moment.step) / 10)
    }
    #expect(film.ends(with: try network(Float(steps))))
    #expect(try !film.ends(with: network(-1)))
  }

  @Test(arguments: [1, 2, 3, 24, 64])
  func `gives fewer with both ends`(_ count: Int) throws {
    let film = try film(steps: 500)
    let steps = film.moments(atMost: count).map(\.step)
    #expect(steps.count == count && steps.last == 500)
    #expect(count == 1 || steps.first == 0)
    #expect(steps == steps.sorted() && Set(steps).count == count)
  }

  @Test(arguments: [0, 1, 64, 130, 1000])
  func `comes back from its record, and goes on`(_ steps: Int) throws {
    var film = try film(steps: steps)
    var again = try #require(TrainingFilm(film.record, film.moments.map(\.network)))
    for step in steps..<steps + 200 {
      try film.add(epochs: Double(step + 1) / 10, network(Float(step + 1)))
      try again.add(epochs: Double(step + 1) / 10, network(Float(step + 1)))
    }
    #expect(again.record == film.record)
    #expect(
      again.moments.map(\.network.parameters[1].scalars) == film.moments.map { [Float($0.step)] })
  }

  @Test(arguments: [
    #"{"name":"m","stride":1,"steps":[],"epochs":[]}"#,
    #"{"name":"m","stride":0,"steps":[0,1],"epochs":[0,1]}"#,
    #"{"name":"m","stride":1,"steps":[1,2],"epochs":[0,1]}"#,
    #"{"name":"m","stride":1,"steps":[0,0],"epochs":[0,1]}"#,
    #"{"name":"m","stride":2,"steps":[0,1,2],"epochs":[0,1,2]}"#,
    #"{"name":"m","stride":1,"steps":[0,1],"epochs":[0,-1]}"#,
    #"{"name":"m","stride":1,"steps":[0,1],"epochs":[0]}"#,
  ])
  func `does not come back from a record that is none`(_ json: String) throws {
    let record = try JSONDecoder().decode(TrainingFilm.Record.self, from: Data(json.utf8))
    let networks = try record.steps.map { try network(Float($0)) }
    let film = TrainingFilm(record, networks)
    #expect(film?.moments.count == nil)
  }

  @Test func `of a large network keeps fewer moments`() throws {
    let large = try Network(lines: ["conv channels=1024", "conv channels=1024", "conv"])
    var film = TrainingFilm(name: "main", large)
    for step in 1...40 { film.add(epochs: Double(step), large) }
    #expect(film.moments.count <= 5)
    #expect(film.moments.last?.step == 40)
  }
}
