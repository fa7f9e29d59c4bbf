#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "Contained.hpp"
#include "Decoders.hpp"

#include <algorithm>
#include <vector>

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"

namespace {

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

/// Finds the fragment number `index` of a compressed image, and how many there are.
cdcmtk_status fragmentAt(
    cdcmtk_file *file, size_t index, DcmPixelItem *&fragment, size_t &count) {
  char kind;
  DcmElement *element = pixelElement(*file->format.getDataset(), kind);
  if (!element) return CDCMTK_NO_PIXELS;
  DcmPixelSequence *fragments = fragmentSequence(element);
  if (!fragments) return CDCMTK_UNDECODABLE;
  count = fragments->card() > 0 ? fragments->card() - 1 : 0;
  const bool exists = index < count && fragments->getItem(fragment, index + 1).good();
  return exists ? CDCMTK_OK : CDCMTK_UNDECODABLE;
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
    DcmPixelItem *fragment = nullptr;
    const cdcmtk_status found = fragmentAt(file, index, fragment, *count);
    if (found != CDCMTK_OK) return found;
    Uint8 *octets = nullptr;
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
    DcmPixelItem *fragment = nullptr;
    const cdcmtk_status found = fragmentAt(file, index, fragment, *count);
    if (found != CDCMTK_OK) return found;
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
