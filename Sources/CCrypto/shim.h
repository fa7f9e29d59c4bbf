// OpenSSL's libcrypto from Debian's libssl-dev (libdcmtk-dev brings it): SHA-256 and its HMAC.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
