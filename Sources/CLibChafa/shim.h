// The library chafa from Debian's libchafa-dev, which draws pictures with characters and sixels.
#include <chafa.h>
