// FFTW from Debian's libfftw3-dev, in double precision.
#include <fftw3.h>

// Constants that Swift does not import as numbers of the right type.
static const unsigned cfftw_estimate = FFTW_ESTIMATE;
