#pragma once

#include <string>

/// The first complaint of the decoders on this thread, since it was last cleared.
extern thread_local std::string complaint;

/// Registers the decoders and keeps the logger from the terminal, once for the process.
///
/// Says whether DCMTK's data dictionary is there.
bool prepareDecoders();
