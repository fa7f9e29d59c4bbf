#pragma once

#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "CDCMTK.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dcmtk/dcmdata/dcistrmf.h"

/// The stack that nested sequences may use, in bytes: about 90 levels. Secondary threads have
/// stacks of 512 KiB on some systems; DCMTK takes about 1.4 KiB a level.
inline constexpr ptrdiff_t stackBudget = 128 * 1024;

/// A file stream that ends early: when its parser has recursed too deep, asks for too much, or is
/// told to stop; or where only zeros follow.
///
/// Every level of DCMTK's recursion reads from the stream, so the stream sees how far the stack has
/// grown since the parse began, and how much a deflated file has become. Positions are those in the
/// data that DCMTK sees.
class GuardedStream : public DcmInputFileStream {
 public:
  GuardedStream(const OFFilename &path, const cdcmtk_limits &limits)
      : DcmInputFileStream(path),
        base(static_cast<char *>(__builtin_frame_address(0))),
        limits(limits) {}

  bool tooDeep = false, tooLarge = false, stopped = false;
  /// Whether the data are inflated as they are read.
  bool isDeflated = false;
  /// The position of the last element that the parser tried to read.
  offile_off_t lastElement = 0;
  /// The position where the stream ends; -1 for the end of the file.
  offile_off_t end = -1;

  OFBool good() const override { return !failed() && DcmInputFileStream::good(); }
  OFCondition status() const override {
    return failed() ? EC_InvalidStream : DcmInputFileStream::status();
  }
  OFBool eos() override { return (end >= 0 && tell() >= end) || DcmInputFileStream::eos(); }
  offile_off_t avail() override {
    if (!guard()) return 0;
    const offile_off_t all = DcmInputFileStream::avail();
    return end < 0 ? all : std::max<offile_off_t>(0, std::min(all, end - tell()));
  }
  void mark() override {
    lastElement = tell();
    DcmInputFileStream::mark();
  }
  offile_off_t read(void *buffer, offile_off_t length) override {
    if (!guard()) return 0;
    // The whole value of an inflated element is asked for at once. Its memory is not touched, and so
    // not taken, before the first byte is written.
    if (total > limits.bytes || static_cast<uint64_t>(length) > limits.bytes - total) {
      tooLarge = true;
      return 0;
    }
    const offile_off_t count = DcmInputFileStream::read(buffer, length);
    // An element of a few bytes takes some hundred in memory, and about four readings.
    total += static_cast<uint64_t>(count) + 64;
    return count;
  }
  OFCondition installCompressionFilter(E_StreamCompression type) override {
    isDeflated = true;
    return DcmInputFileStream::installCompressionFilter(type);
  }

 private:
  char *base;
  const cdcmtk_limits &limits;
  uint64_t total = 0;

  bool failed() const { return tooDeep || tooLarge || stopped; }

  bool guard() {
    ptrdiff_t used = base - static_cast<char *>(__builtin_frame_address(0));
    if (used > stackBudget || used < -stackBudget) tooDeep = true;
    if (limits.should_stop && limits.should_stop(limits.context)) stopped = true;
    return !failed();
  }
};
