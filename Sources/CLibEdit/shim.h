// The line editor libedit from Debian's libedit-dev; the C target CEdit wraps it.
#include <histedit.h>
