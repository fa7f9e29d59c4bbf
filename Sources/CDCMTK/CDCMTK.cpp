#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "CDCMTK.h"
#include "Saving.hpp"

#include <cstdio>
#include <memory>
#include <new>

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcistrmf.h"
#include "dcmtk/dcmdata/dcpath.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"
#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/oflog/oflog.h"

namespace {

/// The stack that nested sequences may use, in bytes: about 90 levels. Secondary threads have
/// stacks of 512 KiB on some systems; DCMTK takes about 1.4 KiB a level.
constexpr ptrdiff_t stackBudget = 128 * 1024;

/// Values longer than this are not shown as text; they are bulk data.
constexpr Uint32 longestText = 4096;

/// A file stream that ends when the parser reading from it has recursed too deep.
///
/// Every level of DCMTK's recursion reads from the stream, so the stream sees how far the stack has
/// grown since the parse began. This holds for every encoding, deflated ones too.
class GuardedStream : public DcmInputFileStream {
 public:
  explicit GuardedStream(const OFFilename &path)
      : DcmInputFileStream(path), base(static_cast<char *>(__builtin_frame_address(0))) {}

  bool tooDeep = false;

  OFBool good() const override { return !tooDeep && DcmInputFileStream::good(); }
  OFCondition status() const override {
    return tooDeep ? EC_InvalidStream : DcmInputFileStream::status();
  }
  offile_off_t avail() override { return guard() ? DcmInputFileStream::avail() : 0; }
  offile_off_t read(void *buffer, offile_off_t length) override {
    return guard() ? DcmInputFileStream::read(buffer, length) : 0;
  }

 private:
  char *base;

  bool guard() {
    ptrdiff_t used = base - static_cast<char *>(__builtin_frame_address(0));
    if (used > stackBudget || used < -stackBudget) tooDeep = true;
    return !tooDeep;
  }
};

/// Registers the decoders and silences the logger, once for the process.
bool prepare() {
  static const bool dictionary = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
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

/// Runs `body`; an exception becomes `failure`, since none may reach Swift.
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

cdcmtk_file *cdcmtk_open(const char *path, cdcmtk_status *status, char *message, size_t capacity) {
  std::unique_ptr<cdcmtk_file> file;
  *status = contained(CDCMTK_CORRUPT, [&] {
    if (!prepare()) return CDCMTK_NO_DICTIONARY;
    file = std::make_unique<cdcmtk_file>();
    GuardedStream stream{OFFilename(path)};
    if (stream.status().bad()) {
      explain(message, capacity, stream.status().text());
      return CDCMTK_UNREADABLE;
    }
    file->format.setReadMode(ERM_fileOnly);
    file->format.transferInit();
    OFCondition result = file->format.read(stream);
    file->format.transferEnd();
    explain(message, capacity, result.text());
    if (stream.tooDeep) return CDCMTK_TOO_DEEP;
    if (result == EC_FileMetaInfoHeaderMissing) {
      OFString syntax;
      file->format.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, syntax);
      explain(message, capacity, syntax.c_str());
      return CDCMTK_UNKNOWN_SYNTAX;
    }
    if (result == EC_StreamNotifyClient || result == EC_EndOfStream || result == EC_InvalidStream) {
      return CDCMTK_TRUNCATED;
    }
    return result.good() ? CDCMTK_OK : CDCMTK_CORRUPT;
  });
  return *status == CDCMTK_OK ? file.release() : nullptr;
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

/// The fragments of `element` as they stand in the file, the offset table first; NULL for native
/// pixel data.
DcmPixelSequence *fragmentSequence(DcmElement *element) {
  DcmPixelData *pixels = dynamic_cast<DcmPixelData *>(element);
  if (!pixels) return nullptr;
  E_TransferSyntax syntax;
  const DcmRepresentationParameter *parameter = nullptr;
  DcmPixelSequence *sequence = nullptr;
  pixels->getOriginalRepresentationKey(syntax, parameter);
  if (!DcmXfer(syntax).isEncapsulated()) return nullptr;
  return pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).good() ? sequence
                                                                                    : nullptr;
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
    if (fragment->getUint8Array(octets).bad() || !octets) return CDCMTK_TRUNCATED;
    *bytes = octets;
    *length = fragment->getLength();
    return CDCMTK_OK;
  });
}

cdcmtk_status cdcmtk_decode(
    cdcmtk_file *file, cdcmtk_samples *samples, char *message, size_t capacity) {
  return contained(CDCMTK_UNDECODABLE, [&] {
    DcmDataset &dataset = *file->format.getDataset();
    DcmElement *element = pixelElement(dataset, samples->kind);
    if (!element) return CDCMTK_NO_PIXELS;
    OFCondition result = EC_Normal;
    if (samples->kind == 'i') {
      // Only this image: others in sequences, such as icons, are nobody's concern.
      DcmStack stack;
      stack.push(&dataset);
      stack.push(element);
      result = OFstatic_cast(DcmPixelData *, element)
                   ->chooseRepresentation(EXS_LittleEndianExplicit, nullptr, stack);
      explain(message, capacity, result.text());
      if (result.bad()) return CDCMTK_UNDECODABLE;
    }
    if (samples->kind == 'f') {
      Float32 *reals = nullptr;
      result = element->getFloat32Array(reals);
      samples->samples = reals;
    } else if (samples->kind == 'd') {
      Float64 *reals = nullptr;
      result = element->getFloat64Array(reals);
      samples->samples = reals;
    } else {
      Uint16 *words = nullptr;
      Uint8 *octets = nullptr;
      // Words where the VR is OW, bytes where it is OB; DCMTK refuses the other.
      result = element->getUint16Array(words);
      samples->samples = words;
      if (result.bad()) {
        result = element->getUint8Array(octets);
        samples->samples = octets;
      }
    }
    explain(message, capacity, result.text());
    if (result.bad() || !samples->samples) return CDCMTK_UNDECODABLE;
    samples->length = element->getLength();
    return CDCMTK_OK;
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
