/// The factor by which a small picture is enlarged: it becomes at least 256 pixels wide, as long as
/// it stays below 4096 rows.
package func magnification(width: Int, height: Int) -> Int {
  max(1, min((255 + width) / max(1, width), 4096 / max(1, height)))
}
