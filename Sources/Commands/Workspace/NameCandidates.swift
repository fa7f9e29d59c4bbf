import CT
package import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Workspace {
  /// The names that a line can use now, with their shapes.
  package var nameCandidates: [Candidate] {
    stackCandidates + typedCandidates + parameterCandidates + passCandidates
  }

  private var stackCandidates: [Candidate] {
    guard let slices else { return [] }
    let shape = slices.values.shape.description
    var stacks = clean == nil ? [] : [Candidate("clean", shape)]
    if noisy != nil {
      stacks.append(Candidate("noisy", shape))
      if !network.layers.isEmpty { stacks.append(Candidate("denoised", shape)) }
    }
    if !baseline.isEmpty { stacks.append(Candidate("baseline", shape)) }
    return stacks
  }

  /// The names of typed tensors, and of their gradients.
  private var typedCandidates: [Candidate] {
    computation.names.flatMap { name -> [Candidate] in
      let shape = computation.node(name)?.value.shape.description ?? ""
      return [Candidate(name, shape)]
        + (computationWalk == nil ? [] : [Candidate("\(name).grad", "gradient")])
    }
  }

  /// The names of the parameters, and of the optimizer's values for each.
  private var parameterCandidates: [Candidate] {
    let parameters = network.parameters
    let buffers = zip(network.bufferNames, network.buffers).map {
      Candidate($0, $1.shape.description)
    }
    return buffers
      + network.parameterNames.enumerated().flatMap { index, name in
        let shape = parameters[index].shape.description
        var names = [Candidate(name, shape)]
        if lastPass != nil {
          names.append(Candidate("\(name).grad", "gradient"))
          names.append(Candidate("\(name).before", "in the last pass"))
        }
        guard let state = trainer?.states[index] else { return names }
        let kept = OptimizerState.names.map { ($0, state[$0]) }
        names += kept.compactMap { suffix, tensor in
          tensor.map { Candidate("\(name).\(suffix)", $0.shape.description) }
        }
        return names
      }
  }

  /// The names of the last pass's values, and of their gradients.
  private var passCandidates: [Candidate] {
    let own = flowTensors.map { Candidate($0.name, $0.tensor.shape.description) }
    guard lastPass != nil else { return own }
    return own
      + (network.valueNames + ["loss"]).flatMap { name in
        [Candidate(name, "last pass"), Candidate("\(name).grad", "gradient")]
      }
  }
}
