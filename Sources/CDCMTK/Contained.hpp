#pragma once

#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "CDCMTK.h"

#include <cstdio>
#include <new>

#include "dcmtk/dcmdata/dcfilefo.h"

struct cdcmtk_file {
  DcmFileFormat format;
};

/// Writes `text` where the caller of a function wants to read what failed.
inline void explain(char *message, size_t capacity, const char *text) {
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
