#pragma once

#include <string>

class DcmFileFormat;

/// Writes a file and says what failed, in the system's words; empty when all of it is on the disk.
///
/// DCMTK's own `saveFile` does not look whether the last of its buffer was written, so that a full
/// disk leaves half a file without an error.
std::string saveWhole(DcmFileFormat &format, const char *path);
