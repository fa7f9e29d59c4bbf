// mallopt and its parameters, which Swift's Glibc module does not export.
#if __linux__
#include <malloc.h>
#endif
