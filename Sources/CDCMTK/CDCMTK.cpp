#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "Contained.hpp"
#include "Decoders.hpp"
#include "GuardedStream.hpp"
#include "Saving.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcpath.h"

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
  if (result == EC_MemoryExhausted) return CDCMTK_NO_MEMORY;
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
    if (!prepareDecoders()) return CDCMTK_NO_DICTIONARY;
    file = std::make_unique<cdcmtk_file>();
    GuardedStream stream{OFFilename(path), *limits};
    const cdcmtk_status first = parse(*file, stream, message, capacity);
    // Some exporters fill the last block of a file with zeros, which are no elements. Positions in
    // inflated data say nothing of the file.
    if (first != CDCMTK_TRUNCATED || stream.isDeflated) return first;
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
    prepareDecoders();
    return new cdcmtk_file;
  } catch (...) {
    return nullptr;
  }
}

void cdcmtk_close(cdcmtk_file *file) { delete file; }

namespace {

/// The longest value in bytes that is shown as text; longer ones are bulk data.
constexpr Uint32 longestText = 4096;

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

}  // namespace

cdcmtk_status cdcmtk_visit(cdcmtk_file *file, void *context, Visitor visitor) {
  return contained(CDCMTK_CORRUPT, [&] {
    visit(*file->format.getMetaInfo(), 0, 0, context, visitor);
    visit(*file->format.getDataset(), 0, 0, context, visitor);
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
    if (!prepareDecoders()) return CDCMTK_NO_DICTIONARY;
    const std::string reason = saveWhole(file->format, path);
    explain(message, capacity, reason.c_str());
    return reason.empty() ? CDCMTK_OK : CDCMTK_UNWRITABLE;
  });
}
