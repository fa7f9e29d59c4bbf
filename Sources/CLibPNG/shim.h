// libpng from Debian's libpng-dev; the C target CPNG wraps it.
#include <png.h>
