import Foundation

/// The number of cores this process may use.
let availableCores = max(1, ProcessInfo.processInfo.activeProcessorCount)
