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
  name: "OrderedCollections", package: "swift-collections")

let package = Package(
  name: "backflow",
  products: [.executable(name: "backflow", targets: ["backflow"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    // MARK: - C libraries
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CLibPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CCairo", pkgConfig: "cairo",
      providers: [.apt(["libcairo2-dev"]), .brew(["cairo"])]),
    .systemLibrary(
      name: "CEdit", pkgConfig: "libedit",
      providers: [.apt(["libedit-dev"]), .brew(["libedit"])]),
    .systemLibrary(
      name: "CLibChafa", pkgConfig: "chafa",
      providers: [.apt(["libchafa-dev"]), .brew(["chafa"])]),
    // libchafa without GLib's types.
    .target(name: "CChafa", dependencies: ["CLibChafa"]),
    // libpng without longjmp, which Swift cannot import.
    .target(name: "CPNG", dependencies: ["CLibPNG"]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    .systemLibrary(
      name: "COpenJPEG", pkgConfig: "libopenjp2",
      providers: [.apt(["libopenjp2-7-dev"]), .brew(["openjpeg"])]),
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
    library("Tensors", ["CKernels", "CMalloc", "COpenBLAS", "Fingerprints"]),
    library("CT", ["CDCMTK", "COpenJPEG", "Fingerprints", "Tensors"]),
    library("Figures", ["CCairo", "CChafa", "CPNG", "Tensors", "Fingerprints"]),

    // MARK: - Learning
    library("Networks", ["Tensors"]),
    library("GradientFlows", ["Networks", "Tensors"]),
    library("Training", ["GradientFlows", "Networks", "Tensors"]),

    // MARK: - Language
    library("CommandLanguage", [collections]),
    library("Transcripts", ["CommandLanguage"]),
    library("LineEditing", ["CEdit", "CommandLanguage"]),

    // MARK: - Program
    library(
      "Commands",
      [
        "CommandLanguage", "Training", "GradientFlows", "Networks", "Figures", "CT", "Tensors",
        "Fingerprints",
      ]),
    .executableTarget(
      name: "backflow",
      dependencies: [
        "Commands", "CommandLanguage", "Transcripts", "LineEditing", "Figures", "Training",
        "GradientFlows", "Networks", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // MARK: - Tests
    .target(
      name: "TestSupport", dependencies: ["Networks", "Tensors"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(of: "Tensors", []),
    tests(of: "CT", ["Tensors", "Fingerprints"]),
    tests(of: "Figures", ["Tensors"]),
    tests(of: "Networks", ["Tensors"]),
    tests(of: "GradientFlows", ["Networks", "Tensors"]),
    tests(of: "Training", ["GradientFlows", "Networks", "Tensors"]),
    tests(of: "CommandLanguage", []),
    tests(of: "LineEditing", ["CommandLanguage"]),
    tests(of: "Transcripts", ["CommandLanguage"]),
    tests(
      of: "Commands",
      ["CommandLanguage", "CT", "Figures", "Transcripts", "Tensors", "Fingerprints"]),
    // The program as its caller sees it; needs the executable built beside the tests.
    .testTarget(
      name: "ProgramTests",
      dependencies: ["backflow", "CommandLanguage", "Commands", "Figures", "TestSupport"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
