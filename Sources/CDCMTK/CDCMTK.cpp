#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "CDCMTK.h"
#include "Saving.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcistrmf.h"
#include "dcmtk/dcmdata/dcpath.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"
#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/oflog/appender.h"
#include "dcmtk/oflog/oflog.h"
#include "dcmtk/oflog/spi/logevent.h"

namespace {

/// The stack that nested sequences may use, in bytes: about 90 levels. Secondary threads have
/// stacks of 512 KiB on some systems; DCMTK takes about 1.4 KiB a level.
constexpr ptrdiff_t stackBudget = 128 * 1024;

/// The longest value in bytes that is shown as text; longer ones are bulk data.
constexpr Uint32 longestText = 4096;

/// A file stream that ends early: when its parser has recursed too deep, has read too much, or is
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
    const offile_off_t count = DcmInputFileStream::read(buffer, length);
    // An element of a few bytes takes some hundred in memory, and about four readings.
    total += static_cast<uint64_t>(count) + 64;
    if (total > limits.bytes) tooLarge = true;
    return count;
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

/// The first complaint of the decoders on this thread, since it was last cleared.
thread_local std::string complaint;

/// Keeps the first complaint of the decoders, which would otherwise go to the terminal.
class ComplaintAppender : public dcmtk::log4cplus::Appender {
 public:
  ~ComplaintAppender() override { destructorImpl(); }
  void close() override { closed = true; }

 protected:
  void append(const dcmtk::log4cplus::spi::InternalLoggingEvent &event) override {
    const std::string text(event.getMessage().c_str());
    for (const char *harmless : harmlessComplaints) {
      if (text.find(harmless) != std::string::npos) return;
    }
    if (complaint.empty()) complaint = text;
  }

 private:
  /// Warnings that do not concern the pixel values.
  static constexpr const char *harmlessComplaints[] = {
      "unknown JFIF revision", "Unknown Adobe color transform",
      "Invalid SOS parameters for sequential JPEG", "planar configuration", "color model",
      "PhotometricInterpretation"};
};

/// Registers the decoders and keeps the logger from the terminal, once for the process.
bool prepare() {
  static const bool dictionary = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    for (const char *name : {"dcmtk.dcmjpeg", "dcmtk.dcmjpls"}) {
      OFLogger logger = OFLog::getLogger(name);
      logger.setLogLevel(OFLogger::WARN_LOG_LEVEL);
      logger.setAdditivity(false);
      logger.addAppender(dcmtk::log4cplus::SharedAppenderPtr(new ComplaintAppender));
    }
    // Standard attributes written as UN have the VR of the dictionary, also the pixel data.
    dcmEnableUnknownVRConversion.set(OFTrue);
    // The group of the meta header ends where another group begins, whatever length it states.
    dcmIgnoreFileMetaInformationGroupLength.set(OFTrue);
    DJDecoderRegistration::registerCodecs();
    DJLSDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
    return static_cast<bool>(dcmDataDict.isDictionaryLoaded());
  }();
  return dictionary;
}

void explain(char *message, size_t capacity, const char *text) {
  if (message && capacity > 0) std::snprintf(message, capacity, "%s", text);
}

/// Runs `body` and turns an exception into `failure`, since none may reach Swift.
template <typename Body>
cdcmtk_status contained(cdcmtk_status failure, Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return CDCMTK_NO_MEMORY;
  } catch (...) {
    return failure;
  }
}

}  // namespace

struct cdcmtk_file {
  DcmFileFormat format;
};

namespace {

/// Whether `path` holds nothing but zeros from `start` on, and at least one.
bool endsInZeros(const char *path, offile_off_t start) {
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path, "rb"), std::fclose);
  if (!file || fseeko(file.get(), start, SEEK_SET) != 0) return false;
  char buffer[4096];
  bool hasAny = false;
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    hasAny = true;
    if (std::any_of(buffer, buffer + count, [](char byte) { return byte != 0; })) return false;
  }
  return hasAny;
}

/// Parses the bytes of `stream`.
cdcmtk_status parse(
    cdcmtk_file &file, GuardedStream &stream, char *message, size_t capacity) {
  if (stream.status().bad()) {
    explain(message, capacity, stream.status().text());
    return CDCMTK_UNREADABLE;
  }
  // Without a preamble, without a meta header, and with one that names no transfer syntax, DCMTK
  // guesses the encoding from the first elements.
  file.format.setReadMode(ERM_autoDetect);
  file.format.transferInit();
  OFCondition result = file.format.read(stream);
  file.format.transferEnd();
  explain(message, capacity, result.text());
  if (stream.tooDeep) return CDCMTK_TOO_DEEP;
  if (stream.tooLarge) return CDCMTK_TOO_LARGE;
  if (stream.stopped) return CDCMTK_STOPPED;
  OFString syntax;
  file.format.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, syntax);
  if (!syntax.empty() && DcmXfer(syntax.c_str()).getXfer() == EXS_Unknown) {
    explain(message, capacity, syntax.c_str());
    return CDCMTK_UNKNOWN_SYNTAX;
  }
  if (result == EC_StreamNotifyClient || result == EC_EndOfStream || result == EC_InvalidStream) {
    return CDCMTK_TRUNCATED;
  }
  return result.good() ? CDCMTK_OK : CDCMTK_CORRUPT;
}

}  // namespace

cdcmtk_file *cdcmtk_open(
    const char *path, const cdcmtk_limits *limits, cdcmtk_status *status, char *message,
    size_t capacity) {
  std::unique_ptr<cdcmtk_file> file;
  *status = contained(CDCMTK_CORRUPT, [&] {
    if (!prepare()) return CDCMTK_NO_DICTIONARY;
    file = std::make_unique<cdcmtk_file>();
    GuardedStream stream{OFFilename(path), *limits};
    const cdcmtk_status first = parse(*file, stream, message, capacity);
    // Some exporters fill the last block of a file with zeros, which are no elements.
    if (first != CDCMTK_TRUNCATED) return first;
    offile_off_t end = stream.tell();
    if (!endsInZeros(path, end)) {
      end = stream.lastElement;
      if (!endsInZeros(path, end)) return first;
    }
    file = std::make_unique<cdcmtk_file>();
    GuardedStream shorter{OFFilename(path), *limits};
    shorter.end = end;
    return parse(*file, shorter, message, capacity);
  });
  return *status == CDCMTK_OK ? file.release() : nullptr;
}

const char *cdcmtk_transfer_syntax(cdcmtk_file *file) {
  try {
    const char *uid = DcmXfer(file->format.getDataset()->getOriginalXfer()).getXferID();
    return uid ? uid : "";
  } catch (...) {
    return "";
  }
}

cdcmtk_file *cdcmtk_create(void) {
  try {
    prepare();
    return new cdcmtk_file;
  } catch (...) {
    return nullptr;
  }
}

void cdcmtk_close(cdcmtk_file *file) { delete file; }

namespace {

using Visitor = void (*)(void *, const cdcmtk_element *);

/// Whether values of this VR have a short textual form: strings and single numbers.
bool isTextual(const DcmVR &vr) {
  switch (vr.getEVR()) {
    case EVR_US: case EVR_SS: case EVR_xs: case EVR_UL: case EVR_SL: case EVR_UV: case EVR_SV:
    case EVR_FL: case EVR_FD: case EVR_AT:
      return true;
    default:
      return vr.isaString();
  }
}

void visit(DcmItem &item, int32_t depth, int32_t index, void *context, Visitor visitor) {
  for (DcmObject *next = item.nextInContainer(nullptr); next; next = item.nextInContainer(next)) {
    DcmElement *element = OFstatic_cast(DcmElement *, next);
    DcmTag tag = element->getTag();
    const DcmEVR vr = tag.getEVR();
    DcmSequenceOfItems *sequence = nullptr;
    if (element->ident() == EVR_SQ) sequence = OFstatic_cast(DcmSequenceOfItems *, element);

    cdcmtk_element shown{};
    shown.group = tag.getGroup();
    shown.element = tag.getElement();
    DcmVR shownVR(vr == EVR_PixelData ? EVR_OW : vr);
    shown.vr = shownVR.getValidVRName();
    shown.keyword = tag.getTagName();
    shown.depth = depth;
    shown.item = index;
    shown.length = element->getLengthField();

    const bool isTable = tag == DCM_LUTData;
    const bool hasText = tag.getGroup() != 0x7fe0 && isTextual(shownVR);
    OFString text;
    Uint16 *words = nullptr;
    if (!sequence) {
      if (isTable && element->getUint16Array(words).good() && words) {
        shown.bytes = reinterpret_cast<const uint8_t *>(words);
        shown.length = element->getLength();
      } else if (hasText && shown.length <= longestText &&
                 element->getOFStringArray(text, OFFalse).good()) {
        shown.text = text.c_str();
      }
    }
    visitor(context, &shown);
    if (!sequence) continue;
    int32_t i = 0;
    for (DcmObject *inner = sequence->nextInContainer(nullptr); inner;
         inner = sequence->nextInContainer(inner)) {
      visit(*OFstatic_cast(DcmItem *, inner), depth + 1, i++, context, visitor);
    }
  }
}

/// The element that holds the image: integers, or one of the two kinds of real numbers.
DcmElement *pixelElement(DcmDataset &dataset, char &kind) {
  DcmElement *element = nullptr;
  kind = 'i';
  if (dataset.findAndGetElement(DCM_PixelData, element).good()) {
    // A damaged file may give the tag another representation, and DCMTK then another class.
    return dynamic_cast<DcmPixelData *>(element);
  }
  kind = 'f';
  if (dataset.findAndGetElement(DCM_FloatPixelData, element).good()) return element;
  kind = 'd';
  if (dataset.findAndGetElement(DCM_DoubleFloatPixelData, element).good()) return element;
  return nullptr;
}

}  // namespace

cdcmtk_status cdcmtk_visit(cdcmtk_file *file, void *context, Visitor visitor) {
  return contained(CDCMTK_CORRUPT, [&] {
    visit(*file->format.getMetaInfo(), 0, 0, context, visitor);
    visit(*file->format.getDataset(), 0, 0, context, visitor);
    return CDCMTK_OK;
  });
}

namespace {

/// The fragments of `element` in the file, the offset table first; NULL for native pixel data.
DcmPixelSequence *fragmentSequence(DcmElement *element) {
  DcmPixelData *pixels = dynamic_cast<DcmPixelData *>(element);
  if (!pixels) return nullptr;
  E_TransferSyntax syntax;
  const DcmRepresentationParameter *parameter = nullptr;
  DcmPixelSequence *sequence = nullptr;
  pixels->getOriginalRepresentationKey(syntax, parameter);
  if (!DcmXfer(syntax).isEncapsulated()) return nullptr;
  if (pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).bad()) return nullptr;
  // Some writers end with an empty fragment.
  for (unsigned long last = sequence->card(); last-- > 2;) {
    DcmPixelItem *fragment = nullptr;
    if (sequence->getItem(fragment, last).bad() || fragment->getLengthField() > 0) break;
    if (sequence->remove(fragment, last).bad()) break;
    delete fragment;
  }
  return sequence;
}

}  // namespace

cdcmtk_status cdcmtk_stored_length(cdcmtk_file *file, uint64_t *length, bool *compressed) {
  return contained(CDCMTK_CORRUPT, [&] {
    char kind;
    DcmElement *element = pixelElement(*file->format.getDataset(), kind);
    if (!element) return CDCMTK_NO_PIXELS;
    DcmPixelSequence *fragments = fragmentSequence(element);
    *compressed = fragments != nullptr;
    *length = fragments ? 0 : element->getLengthField();
    for (unsigned long i = 1; fragments && i < fragments->card(); i++) {
      DcmPixelItem *fragment = nullptr;
      if (fragments->getItem(fragment, i).good()) *length += fragment->getLengthField();
    }
    return CDCMTK_OK;
  });
}

cdcmtk_status cdcmtk_fragment(
    cdcmtk_file *file, size_t index, const uint8_t **bytes, size_t *length, size_t *count) {
  return contained(CDCMTK_CORRUPT, [&] {
    char kind;
    DcmElement *element = pixelElement(*file->format.getDataset(), kind);
    if (!element) return CDCMTK_NO_PIXELS;
    DcmPixelSequence *fragments = fragmentSequence(element);
    if (!fragments) return CDCMTK_UNDECODABLE;
    *count = fragments->card() > 0 ? fragments->card() - 1 : 0;
    DcmPixelItem *fragment = nullptr;
    Uint8 *octets = nullptr;
    if (index >= *count || fragments->getItem(fragment, index + 1).bad()) {
      return CDCMTK_UNDECODABLE;
    }
    *length = fragment->getLengthField();
    if (*length > 0 && (fragment->getUint8Array(octets).bad() || !octets)) {
      return CDCMTK_TRUNCATED;
    }
    *bytes = octets;
    return CDCMTK_OK;
  });
}

cdcmtk_status cdcmtk_fragment_head(
    cdcmtk_file *file, size_t index, uint8_t *bytes, size_t capacity, size_t *length,
    size_t *count) {
  return contained(CDCMTK_CORRUPT, [&] {
    char kind;
    DcmElement *element = pixelElement(*file->format.getDataset(), kind);
    if (!element) return CDCMTK_NO_PIXELS;
    DcmPixelSequence *fragments = fragmentSequence(element);
    if (!fragments) return CDCMTK_UNDECODABLE;
    *count = fragments->card() > 0 ? fragments->card() - 1 : 0;
    DcmPixelItem *fragment = nullptr;
    if (index >= *count || fragments->getItem(fragment, index + 1).bad()) {
      return CDCMTK_UNDECODABLE;
    }
    *length = std::min<size_t>(capacity, fragment->getLengthField());
    if (*length == 0) return CDCMTK_OK;
    return fragment->getPartialValue(bytes, 0, static_cast<Uint32>(*length)).good()
               ? CDCMTK_OK
               : CDCMTK_TRUNCATED;
  });
}

cdcmtk_status cdcmtk_frame(
    cdcmtk_file *file, uint32_t frame, void *samples, uint32_t length, char *kind, char *message,
    size_t capacity) {
  return contained(CDCMTK_UNDECODABLE, [&] {
    DcmDataset &dataset = *file->format.getDataset();
    DcmElement *element = pixelElement(dataset, *kind);
    if (!element) return CDCMTK_NO_PIXELS;
    OFCondition result = EC_Normal;
    if (fragmentSequence(element)) {
      // Decoders write frames of even length.
      std::vector<uint8_t> even(length % 2 ? length + 1 : 0);
      void *target = even.empty() ? samples : even.data();
      Uint32 fragment = 0;
      OFString model;
      complaint.clear();
      result = OFstatic_cast(DcmPixelData *, element)
                   ->getUncompressedFrame(
                       &dataset, frame, fragment, target, length + length % 2, model);
      if (!even.empty()) std::copy_n(even.begin(), length, static_cast<uint8_t *>(samples));
      if (result.good() && !complaint.empty()) {
        explain(message, capacity, complaint.c_str());
        return CDCMTK_UNDECODABLE;
      }
    } else {
      const uint64_t start = static_cast<uint64_t>(frame) * length;
      if (start + length > element->getLengthField()) return CDCMTK_TRUNCATED;
      result = element->getPartialValue(samples, static_cast<Uint32>(start), length);
    }
    explain(message, capacity, result.text());
    return result.good() ? CDCMTK_OK : CDCMTK_UNDECODABLE;
  });
}

cdcmtk_status cdcmtk_put(cdcmtk_file *file, uint16_t group, uint16_t element, const char *text) {
  return contained(CDCMTK_UNWRITABLE, [&] {
    DcmDataset &dataset = *file->format.getDataset();
    DcmTag tag(group, element);
    if (tag.getEVR() == EVR_xs) tag.setVR(EVR_US);
    OFCondition result = dataset.putAndInsertString(tag, text);
    return result.good() ? CDCMTK_OK : CDCMTK_UNWRITABLE;
  });
}

cdcmtk_status cdcmtk_put_path(cdcmtk_file *file, const char *assignment) {
  return contained(CDCMTK_UNWRITABLE, [&] {
    DcmPathProcessor processor;
    OFCondition result = processor.applyPathWithValue(file->format.getDataset(), assignment);
    return result.good() ? CDCMTK_OK : CDCMTK_UNWRITABLE;
  });
}

cdcmtk_status cdcmtk_put_samples(cdcmtk_file *file, const uint16_t *samples, size_t count) {
  return contained(CDCMTK_UNWRITABLE, [&] {
    OFCondition result = file->format.getDataset()->putAndInsertUint16Array(
        DcmTag(DCM_PixelData, EVR_OW), samples, static_cast<unsigned long>(count));
    return result.good() ? CDCMTK_OK : CDCMTK_UNWRITABLE;
  });
}

cdcmtk_status cdcmtk_save(cdcmtk_file *file, const char *path, char *message, size_t capacity) {
  return contained(CDCMTK_UNWRITABLE, [&] {
    if (!prepare()) return CDCMTK_NO_DICTIONARY;
    const std::string reason = saveWhole(file->format, path);
    explain(message, capacity, reason.c_str());
    return reason.empty() ? CDCMTK_OK : CDCMTK_UNWRITABLE;
  });
}
