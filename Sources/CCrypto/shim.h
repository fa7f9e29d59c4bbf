// OpenSSL's libcrypto from Debian's libssl-dev (libdcmtk-dev brings it): SHA-256 only.
#include <openssl/evp.h>
#include <openssl/sha.h>
