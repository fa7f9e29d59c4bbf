// The drawing library cairo from Debian's libcairo2-dev.
#include <cairo.h>
