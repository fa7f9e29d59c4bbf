// giflib from Debian's libgif-dev.
#include <gif_lib.h>
