#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "Saving.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <unistd.h>

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcostrma.h"
#include "dcmtk/dcmdata/dcwcache.h"

namespace {

/// Collects the bytes that DCMTK writes in memory.
class Collector : public DcmConsumer {
 public:
  std::string bytes;

  OFBool good() const override { return OFTrue; }
  OFCondition status() const override { return EC_Normal; }
  OFBool isFlushed() const override { return OFTrue; }
  offile_off_t avail() const override { return std::numeric_limits<offile_off_t>::max(); }
  offile_off_t write(const void *buffer, offile_off_t length) override {
    bytes.append(static_cast<const char *>(buffer), static_cast<size_t>(length));
    return length;
  }
  void flush() override {}
};

class CollectingStream : public DcmOutputStream {
 public:
  explicit CollectingStream(Collector *collector) : DcmOutputStream(collector) {}
};

std::string lastReason() {
  std::string text = std::strerror(errno);
  for (char &letter : text) letter = static_cast<char>(std::tolower(letter));
  return text;
}

}  // namespace

std::string saveWhole(DcmFileFormat &format, const char *path) {
  Collector collector;
  CollectingStream stream(&collector);
  DcmWriteCache cache;
  format.transferInit();
  const OFCondition result = format.write(
      stream, EXS_LittleEndianExplicit, EET_UndefinedLength, &cache, EGL_recalcGL);
  format.transferEnd();
  if (result.bad()) return result.text();

  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return lastReason();
  std::string reason;
  const std::string &bytes = collector.bytes;
  for (size_t done = 0; done < bytes.size() && reason.empty();) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) reason = lastReason();
    done += count > 0 ? static_cast<size_t>(count) : 0;
  }
  if (close(file) != 0 && reason.empty()) reason = lastReason();
  return reason;
}
