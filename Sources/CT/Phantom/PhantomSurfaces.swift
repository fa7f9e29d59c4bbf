/// The surfaces that several organs of one slice need, as distances of every pixel in mm.
struct PhantomSurfaces {
  let skin: [Float]
  let muscle: [Float]
  /// The inside of the ribs.
  let cavity: [Float]
  /// The sac of the heart; a large distance outside the chest.
  let heart: [Float]
  /// The two lungs; a large distance outside the chest.
  let lungs: [Float]

  init(_ build: PhantomBuild, of slice: PhantomSlice) {
    skin = slice.field { build.skin($0) }
    let skin = skin
    let nowhere: Float = 1000
    muscle = slice.field(at: { skin[$0] < 0 ? build.muscle($1) : nowhere })
    cavity = slice.field(at: { skin[$0] < 0 ? build.cavity($1) : nowhere })
    let cavity = cavity
    heart = slice.field(at: { cavity[$0] < 0 ? build.heartSac($1) : nowhere })
    lungs = slice.field(
      at: { index, place in
        guard cavity[index] < 2 else { return nowhere }
        let right = place.x < 30 ? build.lung(place, .right) : nowhere
        return place.x > -30 ? min(right, build.lung(place, .left)) : right
      })
  }
}
