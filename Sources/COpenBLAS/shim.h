// OpenBLAS from Debian's libopenblas-dev: cblas_sgemm, cblas_dgemm and the openblas_… settings.
#include <cblas.h>
