// libarchive from Debian's libarchive-dev.
#include <archive.h>
#include <archive_entry.h>

// Constants for macros with casts, which Swift cannot import.
static const __LA_MODE_T carchive_regular = AE_IFREG;
static const __LA_MODE_T carchive_folder = AE_IFDIR;
