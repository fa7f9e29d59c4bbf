#pragma once

// DCMTK behind a C header: parsing, decompressing and writing DICOM files.
//
// Swift cannot import DCMTK's C++ classes without C++ interoperability, which spreads to every
// importer. These functions hand over what stands in a file and nothing more: which values are
// sound, and what they mean, is decided in Swift. No C++ exception leaves this library, and nothing
// of DCMTK's own logging reaches the terminal.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Why a call failed.
typedef enum {
  CDCMTK_OK = 0,
  /// The file cannot be opened for reading.
  CDCMTK_UNREADABLE,
  /// The file ends before the data it announces.
  CDCMTK_TRUNCATED,
  /// The file contradicts the encoding it announces.
  CDCMTK_CORRUPT,
  /// The meta header names no transfer syntax that DCMTK knows; the message is the one it names.
  CDCMTK_UNKNOWN_SYNTAX,
  /// Sequences are nested deeper than the stack of a thread allows.
  CDCMTK_TOO_DEEP,
  /// DCMTK's data dictionary is not installed, so VRs and names are unknown.
  CDCMTK_NO_DICTIONARY,
  /// There are no pixel data.
  CDCMTK_NO_PIXELS,
  /// The pixel data cannot be decompressed.
  CDCMTK_UNDECODABLE,
  /// A value cannot be stored or the file cannot be written.
  CDCMTK_UNWRITABLE,
  /// Memory ran out.
  CDCMTK_NO_MEMORY,
  /// The file holds more, once inflated, than may be read.
  CDCMTK_TOO_LARGE,
  /// Reading was stopped as the caller asked.
  CDCMTK_STOPPED
} cdcmtk_status;

/// A DICOM file in memory: its meta header and its data set. Pixel data stay on disk until decoded.
typedef struct cdcmtk_file cdcmtk_file;

/// What `cdcmtk_visit` shows of one element. Pointers hold until the visitor returns.
typedef struct {
  uint16_t group, element;
  /// The VR, such as "DS".
  const char *vr;
  /// The keyword of the data dictionary, such as "RescaleSlope"; "Unknown Tag & Data" without one.
  const char *keyword;
  /// 0 for elements of the file, 1 for those in items of a sequence, and so on.
  int32_t depth;
  /// The index of the item that holds the element, when `depth` > 0.
  int32_t item;
  /// The values as text, separated by backslashes; NULL for bulk data and sequences.
  const char *text;
  /// The bytes of lookup tables stored as words, in the byte order of this machine; else NULL.
  const uint8_t *bytes;
  /// The length of the value in the file, in bytes.
  uint32_t length;
} cdcmtk_element;

/// What ends a parse before the file does.
typedef struct {
  /// The bytes that may be read from a file; a deflated one can become a thousand times as long.
  uint64_t bytes;
  /// Asked again and again, on the thread that parses; NULL when nothing stops it.
  bool (*should_stop)(void *context);
  void *context;
} cdcmtk_limits;

/// Parses the file at `path`; NULL on failure, with the reason in `status` and `message`.
///
/// Files without preamble, meta header or transfer syntax are read with the encoding that their
/// first elements show; zeros after the last element are left out. DCMTK's parser recurses into sequences; this one stops, with `CDCMTK_TOO_DEEP`, when nesting has
/// used a fixed part of the calling thread's stack.
cdcmtk_file *cdcmtk_open(
    const char *path, const cdcmtk_limits *limits, cdcmtk_status *status, char *message,
    size_t capacity);

/// The transfer syntax in which the data set was read, also where the file names none; empty when
/// it is not known.
const char *cdcmtk_transfer_syntax(cdcmtk_file *file);

/// An empty data set to fill and save, because DCMTK's constructors cannot be called from Swift.
cdcmtk_file *cdcmtk_create(void);

/// Frees a file and everything handed out from it; NULL is allowed.
void cdcmtk_close(cdcmtk_file *file);

/// Calls `visitor` for every element in file order, sequences before their items.
///
/// One walk replaces a getter for each type and each level of nesting.
cdcmtk_status cdcmtk_visit(
    cdcmtk_file *file, void *context,
    void (*visitor)(void *context, const cdcmtk_element *element));

/// The length of the pixel data in the file as they are stored there, native or compressed.
///
/// It is checked against the size the header announces before anything is decompressed.
cdcmtk_status cdcmtk_stored_length(cdcmtk_file *file, uint64_t *length, bool *compressed);

/// One fragment of compressed pixel data, from 0; for encodings that DCMTK cannot decode.
///
/// `count` becomes the number of fragments. The bytes belong to the file.
cdcmtk_status cdcmtk_fragment(
    cdcmtk_file *file, size_t index, const uint8_t **bytes, size_t *length, size_t *count);

/// The first bytes of a fragment, at most `capacity` of them, read without the rest.
///
/// The header of a compressed image can be compared before anything is decompressed. `count` becomes
/// the number of fragments.
cdcmtk_status cdcmtk_fragment_head(
    cdcmtk_file *file, size_t index, uint8_t *bytes, size_t capacity, size_t *length,
    size_t *count);

/// Reads the samples of one frame, from 0, decompressed and in this machine's byte order.
///
/// `length` is that of a frame in bytes. `kind` becomes 'i' for integers as the header describes
/// them, 'f' for Float, 'd' for Double. Whatever DCMTK's decoders complain of is an error, since
/// they go on with made-up pixels. DCMTK's image class is not used: it pads short data and ignores a
/// bad rescale silently.
cdcmtk_status cdcmtk_frame(
    cdcmtk_file *file, uint32_t frame, void *samples, uint32_t length, char *kind, char *message,
    size_t capacity);

/// Sets the value of an element, given as text with backslashes between values, for any VR.
///
/// Numbers that are signed or not as the pixels are (PixelPaddingValue) are unsigned.
cdcmtk_status cdcmtk_put(cdcmtk_file *file, uint16_t group, uint16_t element, const char *text);

/// Sets an element inside sequences, such as "(0008,2112)[0].(0008,1155)=1.2.3"; what the path names
/// is made if need be.
cdcmtk_status cdcmtk_put_path(cdcmtk_file *file, const char *assignment);

/// Sets native 16-bit pixel data, which have no textual form.
cdcmtk_status cdcmtk_put_samples(cdcmtk_file *file, const uint16_t *samples, size_t count);

/// Writes the file in explicit VR little endian, with its meta header.
cdcmtk_status cdcmtk_save(cdcmtk_file *file, const char *path, char *message, size_t capacity);

#ifdef __cplusplus
}
#endif
