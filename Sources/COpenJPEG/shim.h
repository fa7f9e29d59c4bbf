// OpenJPEG from Debian's libopenjp2-7-dev.
#include <openjpeg.h>
