/// The attributes that a derived slice takes over from its source.
extension SliceSource {
  private var slice: CTSlice? {
    if case .file(let slice) = origin { slice } else { nil }
  }

  /// The distance between neighboring values of the source; nil for samples that are no integers.
  var step: Double? {
    guard let slice else { return 1 }
    return slice.format.isReal ? nil : slice.transform.step
  }

  /// The value of the stored number 0.
  var intercept: Double {
    guard let slice else { return Double(CTWriter.range.lowerBound) }
    if case .linear(_, let intercept) = slice.transform { return intercept }
    return 0
  }

  var unit: CTUnit { slice?.unit ?? .hounsfield }

  /// Whether the derived slice is a CT image; others become Secondary Captures.
  private var isCT: Bool { slice.map { $0.isCT && !$0.isSecondaryCapture } ?? true }

  var derivedClassUID: String {
    isCT ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.7"
  }

  var modality: String {
    guard let slice, !isCT else { return "CT" }
    return slice.modality.isEmpty ? "OT" : slice.modality
  }

  var imageType: String {
    guard isCT else { return "DERIVED\\SECONDARY" }
    return "DERIVED\\SECONDARY\\" + (slice?.isLocalizer == true ? "LOCALIZER" : "AXIAL")
  }

  /// The least number of bits stored in the derived image: 12 to 16 for CT (C.8.2.1.1.4).
  var storedBits: Int {
    let own = slice.map { min(16, $0.format.bitsStored) } ?? 12
    return isCT ? max(12, own) : own
  }

  /// A series number that series of the source's study usually do not have.
  func seriesNumber(_ place: Int) -> Int {
    let own = slice.map { $0.seriesNumber ?? place } ?? place
    return (0..<1_000_000).contains(own) ? own + 1000 : place + 1000
  }

  // MARK: - Names for identifiers

  var studyName: String {
    switch origin {
    case .file(let slice): slice.studyUID.isEmpty ? slice.patientKey : slice.studyUID
    case .phantom(let phantom, let patient, _): "phantom \(phantom.seed) \(patient)"
    }
  }

  var seriesName: String {
    switch origin {
    case .file(let slice): slice.seriesUID
    case .phantom(let phantom, let patient, _): "\(phantom) \(patient)"
    }
  }

  var imageName: String {
    switch origin {
    case .file(let slice): "\(slice.sopInstanceUID) \(slice.frame)"
    case .phantom(_, _, let slice): "\(slice)"
    }
  }

  var frameOfReferenceUID: String { slice?.frameOfReferenceUID ?? "" }

  // MARK: - Attributes

  /// Attributes that remain true of the image and do not identify a person.
  var kept: [(DICOMTag, String)] {
    guard let slice else { return [(.peakKilovoltage, ""), (.patientPosition, "HFS")] }
    var all: [(DICOMTag, String)] = []
    if isCT {
      all += [(.peakKilovoltage, ""), (.patientPosition, slice.patientPosition)]
      if !slice.convolutionKernel.isEmpty, slice.convolutionKernel != Secrets.hidden {
        all.append((.convolutionKernel, String(longString(slice.convolutionKernel).prefix(16))))
      }
      if slice.gantryTilt != 0 {
        all.append((.gantryDetectorTilt, decimalString(slice.gantryTilt)))
      }
    } else {
      all.append((.conversionType, "WSD"))
    }
    if slice.hasBurnedInAnnotation { all.append((.burnedInAnnotation, "YES")) }
    if slice.isLossy {
      // An image that was once compressed with loss stays so (C.7.6.1.1.5).
      all.append((.lossyImageCompression, "01"))
      if !slice.compressionRatio.isEmpty {
        all.append((.lossyImageCompressionRatio, slice.compressionRatio))
      }
    }
    return all
  }

  /// A window of center and width.
  struct PlainWindow {
    let center: Double, width: Double
    let function: CTWindow.Function
    let name: String
  }

  /// The windows with a center and a width, of one function only, since a file has a single one.
  var plainWindows: [PlainWindow] {
    let own = plain(windows)
    let all = own.isEmpty && unit == .hounsfield ? plain(Self.usualWindows) : own
    return all.filter { $0.function == all[0].function }
  }

  private func plain(_ windows: [CTWindow]) -> [PlainWindow] {
    windows.compactMap { window in
      guard case .window(let center, let width, let function) = window.shape else { return nil }
      return PlainWindow(center: center, width: width, function: function, name: window.name)
    }
  }

  /// The attributes that identify the patient and the study; without a person unless the identity
  /// is kept.
  ///
  /// - Throws: `CTError` when the source file can no longer be read, or its character set cannot be
  ///   taken over.
  func person(
    keepsIdentity: Bool, _ identity: DerivedIdentity
  ) throws(CTError) -> [(DICOMTag, String)] {
    var all = Dictionary(
      uniqueKeysWithValues: Self.personal.filter(\.isRequired).map { ($0.tag, "") })
    all[.studyInstanceUID] = identity.study
    switch origin {
    case .phantom(let phantom, let patient, _):
      all[.patientName] = "Phantom^\(patient + 1)"
      all[.patientID] = "PHANTOM-\(patient + 1)"
      all[.issuerOfPatientID] = "Backflow seed \(phantom.seed)"
      all[.patientIdentityRemoved] = "YES"
      all[.deidentificationMethod] = "Computed phantom, no person"
    case .file(let slice) where keepsIdentity:
      let file = try DICOMFile(path: slice.path, name: slice.name, limits: ReadingLimits())
      let dataset = try file.dataset()
      let characters = dataset.text(.specificCharacterSet) ?? ""
      for (tag, _) in Self.personal {
        guard let text = dataset.text(tag) else { continue }
        guard text.utf8.allSatisfy({ $0 < 128 }) || Self.readable.contains(characters) else {
          throw CTError(
            "unsupported-characters",
            "\(slice.name): \(tag) is written in \(printable(characters)), which cannot be kept.",
            hint: "leave identity=keep out")
        }
        all[tag] = text
      }
      all[.patientIdentityRemoved] = dataset.text(.patientIdentityRemoved) == "YES" ? "YES" : "NO"
    case .file:
      all[.patientIdentityRemoved] = "YES"
      all[.deidentificationMethod] = "Backflow: names, IDs, dates, institution not copied"
    }
    return all.sorted { ($0.key.group, $0.key.element) < ($1.key.group, $1.key.element) }
      .map { ($0.key, $0.value) }
  }

  /// Character sets that are read correctly.
  private static let readable: Set<String> = ["ISO_IR 192", "ISO_IR 100", "ISO_IR 6"]

  /// The attributes that identify the patient, or the time and place of the scan; some must be
  /// present even when empty (type 2).
  private static let personal: [(tag: DICOMTag, isRequired: Bool)] = [
    (.studyDate, true), (.studyTime, true), (.accessionNumber, true),
    (.institutionName, false), (.referringPhysicianName, true), (.studyDescription, false),
    (.patientName, true), (.patientID, true), (.issuerOfPatientID, false),
    (.patientBirthDate, true), (.patientSex, true), (.studyInstanceUID, true), (.studyID, true),
    (.deidentificationMethod, false),
  ]
}
