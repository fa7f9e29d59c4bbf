// PNG in memory, through libpng.
//
// Why a shim: libpng reports errors by longjmp, which Swift cannot import and must never cross, and
// its simplified API has no text chunks. Every function here catches libpng's errors, returns false
// and leaves a sentence in `message`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPNG_MESSAGE_SIZE 160

/// The format of a picture: the part of PNG's IHDR that this shim reads and writes.
typedef struct {
  uint32_t width;
  uint32_t height;
  /// The number of samples in a pixel: 1 is grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha (2 and 4
  /// are read only).
  int channels;
  /// The number of bits in a sample, 8 or 16.
  int depth;
} cpng_format;

/// A text chunk: tEXt in Latin-1, or iTXt when `utf8`.
typedef struct {
  const char *keyword;
  const char *text;
  bool utf8;
} cpng_text;

/// Encodes samples (row-major, interleaved, in the CPU's byte order; bytes when `depth` is 8) with
/// `count` text chunks. On success `*bytes`, to be freed by `cpng_free`, holds `*size` bytes. Once
/// `is_over`, which may be null, returns true, it fails.
bool cpng_encode(cpng_format format, const void *samples, const cpng_text *texts, int count,
                 bool (*is_over)(void), uint8_t **bytes, size_t *size,
                 char message[CPNG_MESSAGE_SIZE]);

/// A PNG that was opened for reading.
typedef struct cpng_reader cpng_reader;

/// Reads the header of a PNG in `bytes`, which must outlive the reader. Palettes count as RGB,
/// samples below 8 bits as 8 bits. Returns null, with a message, when it is no readable PNG.
cpng_reader *cpng_open(const uint8_t *bytes, size_t size, cpng_format *format,
                       char message[CPNG_MESSAGE_SIZE]);

/// Decodes every pixel and the end of the file into `samples`, which must hold
/// width · height · channels samples of `depth` bits.
bool cpng_read(cpng_reader *reader, void *samples, char message[CPNG_MESSAGE_SIZE]);

/// The text chunks seen so far (all of them after `cpng_read`); they live as long as the reader.
int cpng_text_count(const cpng_reader *reader);
cpng_text cpng_text_at(const cpng_reader *reader, int index);

void cpng_close(cpng_reader *reader);
void cpng_free(uint8_t *bytes);

/// The checksum of a chunk's type and data: CRC-32, by zlib.
uint32_t cpng_crc(const uint8_t *bytes, size_t size);

/// The version of libpng at run time, such as 1.6.39.
const char *cpng_version(void);
