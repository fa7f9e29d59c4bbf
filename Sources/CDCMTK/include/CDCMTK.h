#pragma once

// DCMTK behind a C header: parsing, decompressing and writing DICOM files.
//
// Swift cannot import DCMTK's C++ classes without C++ interoperability, which spreads to every
// importer. These functions only return the contents of a file: Swift decides which values are
// valid, and what they mean. No C++ exception leaves this library, and nothing of DCMTK's own
// logging reaches the terminal.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The result of a call: success, or the reason of a failure.
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
  /// The inflated file is larger than the limit.
  CDCMTK_TOO_LARGE,
  /// Reading was stopped as the caller asked.
  CDCMTK_STOPPED
} cdcmtk_status;

/// A DICOM file in memory: its meta header and its data set. Pixel data stay on disk until decoded.
typedef struct cdcmtk_file cdcmtk_file;

/// The description of one element for the visitor. Pointers are valid until it returns.
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

/// Limits that end a parse early.
typedef struct {
  /// The number of bytes that may be read from a file; a deflated one can grow a thousand times.
  uint64_t bytes;
  /// Called often, on the thread that parses; NULL when nothing stops it.
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

/// Returns the transfer syntax in which the data set was read, also where the file names none;
/// empty when it is not known.
const char *cdcmtk_transfer_syntax(cdcmtk_file *file);

/// Makes an empty data set to fill and save, since DCMTK's constructors cannot be called from
/// Swift.
cdcmtk_file *cdcmtk_create(void);

/// Frees a file and all memory returned from it; NULL is allowed.
void cdcmtk_close(cdcmtk_file *file);

/// Calls `visitor` for every element in file order, sequences before their items.
///
/// One walk replaces a getter for each type and each level of nesting.
cdcmtk_status cdcmtk_visit(
    cdcmtk_file *file, void *context,
    void (*visitor)(void *context, const cdcmtk_element *element));

/// Returns the length of the pixel data as stored in the file, native or compressed.
///
/// It is checked against the size the header announces before anything is decompressed.
cdcmtk_status cdcmtk_stored_length(cdcmtk_file *file, uint64_t *length, bool *compressed);

/// Returns one fragment of compressed pixel data, from 0; for encodings that DCMTK cannot decode.
///
/// `count` becomes the number of fragments. The bytes belong to the file.
cdcmtk_status cdcmtk_fragment(
    cdcmtk_file *file, size_t index, const uint8_t **bytes, size_t *length, size_t *count);

/// Reads the first bytes of a fragment, at most `capacity` of them.
///
/// The header of a compressed image can be compared before anything is decompressed. `count` becomes
/// the number of fragments.
cdcmtk_status cdcmtk_fragment_head(
    cdcmtk_file *file, size_t index, uint8_t *bytes, size_t capacity, size_t *length,
    size_t *count);

/// Reads the samples of one frame, from 0, decompressed and in this machine's byte order.
///
/// `length` is that of a frame in bytes. `kind` becomes 'i' for integers as the header describes
/// them, 'f' for Float, 'd' for Double. Any complaint of DCMTK's decoders is an error, since they
/// go on with made-up pixels. DCMTK's image class is not used: it pads short data and ignores a bad
/// rescale silently.
cdcmtk_status cdcmtk_frame(
    cdcmtk_file *file, uint32_t frame, void *samples, uint32_t length, char *kind, char *message,
    size_t capacity);

/// Sets the value of an element, given as text with backslashes between values, for any VR.
///
/// Numbers whose sign depends on the pixels (PixelPaddingValue) are taken as unsigned.
cdcmtk_status cdcmtk_put(cdcmtk_file *file, uint16_t group, uint16_t element, const char *text);

/// Sets an element inside sequences, such as "(0008,2112)[0].(0008,1155)=1.2.3"; missing items of
/// the path are made.
cdcmtk_status cdcmtk_put_path(cdcmtk_file *file, const char *assignment);

/// Sets native 16-bit pixel data, which have no textual form.
cdcmtk_status cdcmtk_put_samples(cdcmtk_file *file, const uint16_t *samples, size_t count);

/// Writes the file in explicit VR little endian, with its meta header.
cdcmtk_status cdcmtk_save(cdcmtk_file *file, const char *path, char *message, size_t capacity);

#ifdef __cplusplus
}
#endif
