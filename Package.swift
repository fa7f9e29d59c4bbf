// swift-tools-version: 6.1

import PackageDescription

/// The language settings that every Swift target shares.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library target of Backflow; its tests live in `Tests/<name>Tests`.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one library target.
func tests(of name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name + "Tests",
    dependencies: [.target(name: name), "TestSupport"] + dependencies,
    swiftSettings: strict)
}

let collections: Target.Dependency = .product(
  name: "HashTreeCollections", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")

let package = Package(
  name: "backflow",
  products: [.executable(name: "backflow", targets: ["backflow"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // MARK: - C libraries
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CFFTW", pkgConfig: "fftw3",
      providers: [.apt(["libfftw3-dev"]), .brew(["fftw"])]),
    .systemLibrary(
      name: "CLibPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CCairo", pkgConfig: "cairo",
      providers: [.apt(["libcairo2-dev"]), .brew(["cairo"])]),
    .systemLibrary(
      name: "CGIF", providers: [.apt(["libgif-dev"]), .brew(["giflib"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
    .systemLibrary(
      name: "CLibEdit", pkgConfig: "libedit",
      providers: [.apt(["libedit-dev"]), .brew(["libedit"])]),
    .target(
      name: "CEdit", dependencies: ["CLibEdit"],
      linkerSettings: [.linkedLibrary("tinfo", .when(platforms: [.linux]))]),
    .systemLibrary(
      name: "CLibChafa", pkgConfig: "chafa",
      providers: [.apt(["libchafa-dev"]), .brew(["chafa"])]),
    // libchafa without GLib's types.
    .target(name: "CChafa", dependencies: ["CLibChafa"]),
    // libpng without longjmp, which Swift cannot import; its zlib brings the checksum of chunks.
    .target(
      name: "CPNG", dependencies: ["CLibPNG"], linkerSettings: [.linkedLibrary("z")]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    .systemLibrary(
      name: "COpenJPEG", pkgConfig: "libopenjp2",
      providers: [.apt(["libopenjp2-7-dev"]), .brew(["openjpeg"])]),
    // No pkgConfig: Debian 12's libzmq.pc names folders of other packages.
    .systemLibrary(
      name: "CZeroMQ", providers: [.apt(["libzmq3-dev"]), .brew(["zeromq"])]),
    // C++ behind a C header. No pkgConfig: Debian 12's dcmtk.pc asks for a package
    // (sndfile) that libdcmtk-dev does not bring.
    .target(
      name: "CDCMTK",
      linkerSettings: ["dcmjpls", "dcmjpeg", "dcmimgle", "dcmdata", "oflog", "ofstd"]
        .map { .linkedLibrary($0) }),

    // The inner loops of the convolution engine, once for each instruction set.
    .target(name: "CKernels"),

    // MARK: - Numbers and pictures
    library("Fingerprints", ["CCrypto"]),
    library("Ledgers", ["Fingerprints"]),
    library("Tensors", ["CKernels", "CMalloc", "COpenBLAS", "Fingerprints"]),
    library("Tomography", ["CFFTW", "CKernels", "Tensors"]),
    library("CT", ["CDCMTK", "COpenJPEG", "Fingerprints", "Tensors", "Tomography"]),
    .target(
      name: "Figures",
      dependencies: ["CCairo", "CChafa", "CGIF", "CPNG", "CT", "Fingerprints", "Tensors", heap],
      resources: ["fixed9x15", "fixed9x15-bold"].map { .embedInCode("Fonts/\($0).txt") },
      swiftSettings: strict),

    // MARK: - Learning
    library("Operations", ["Tensors", "Tomography"]),
    library("Networks", ["Operations", "Tensors"]),
    library("GradientFlows", ["Networks", "Operations", "Tensors"]),
    library(
      "Training",
      ["CT", "GradientFlows", "Networks", "Operations", "Tensors", "Tomography"]),

    // MARK: - Language
    library("CommandLanguage", [collections]),
    library(
      "Transcripts", ["CArchive", "CommandLanguage", "Fingerprints", "Ledgers", "LineEditing"]),
    // The templates are compiled in, so that the program stays one file.
    .target(
      name: "Handouts",
      dependencies: [
        "CommandLanguage", "Figures", "Fingerprints", "Transcripts",
        .product(name: "Mustache", package: "swift-mustache"),
      ],
      resources: ["html.mustache", "css", "js", "markdown.mustache"].map {
        .embedInCode("Templates/handout.\($0)")
      },
      swiftSettings: strict),
    library("LineEditing", ["CEdit", "CommandLanguage"]),
    library("Jupyter", ["CZeroMQ", "CommandLanguage", "Fingerprints", "LineEditing"]),

    // MARK: - Program
    library(
      "Commands",
      [
        "CommandLanguage", "Training", "GradientFlows", "Networks", "Operations", "Figures", "CT",
        "Tensors", "Tomography", "Fingerprints", "Ledgers",
      ]),
    .executableTarget(
      name: "backflow",
      dependencies: [
        "CT", "Commands", "CommandLanguage", "Transcripts", "Handouts", "Jupyter", "LineEditing",
        "Figures", "Fingerprints", "Training", "GradientFlows", "Networks", "Tensors", "Ledgers",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // MARK: - Tests
    .target(
      name: "TestSupport",
      dependencies: [
        "CommandLanguage", "Figures", "Ledgers", "Networks", "Tensors", "Transcripts",
      ],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(of: "Tensors", []),
    tests(of: "Ledgers", []),
    tests(of: "CT", ["Tensors", "Fingerprints"]),
    tests(of: "Figures", ["CT", "Tensors"]),
    tests(of: "Tomography", ["Tensors"]),
    tests(of: "Operations", ["Tensors", "Tomography"]),
    tests(of: "Networks", ["Operations", "Tensors"]),
    tests(of: "GradientFlows", ["Networks", "Operations", "Tensors"]),
    tests(
      of: "Training", ["CT", "GradientFlows", "Networks", "Operations", "Tensors", "Tomography"]),
    tests(of: "CommandLanguage", []),
    tests(of: "LineEditing", ["CommandLanguage"]),
    tests(of: "Jupyter", ["CommandLanguage", "Fingerprints"]),
    tests(of: "Transcripts", ["CommandLanguage", "Ledgers", "Tensors"]),
    tests(of: "Handouts", ["CommandLanguage", "Figures", "Fingerprints", "Transcripts"]),
    tests(
      of: "Commands",
      ["CommandLanguage", "CT", "Figures", "Transcripts", "Tensors", "Fingerprints", "Ledgers"]),
    // What a layer and an operation from outside need.
    .testTarget(
      name: "RecipeTests",
      dependencies: [
        "CommandLanguage", "Commands", "GradientFlows", "Networks", "Operations", "Tensors",
      ],
      swiftSettings: strict),
    // The program as its caller sees it; needs the executable built beside the tests.
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "backflow", "CommandLanguage", "Commands", "Figures", "Jupyter", "Ledgers", "TestSupport",
        "Transcripts",
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
