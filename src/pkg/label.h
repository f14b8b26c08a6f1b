/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels that start every hash, KDF and AAD input of a package: 16 bytes, ASCII, padded with
 * zeros. No label is used in two places, so no input of one place is one of another.
 */
#ifndef HF_PKG_LABEL_H
#define HF_PKG_LABEL_H

#include "pkg/object.h"

/* Character arrays of HF_LABEL_LEN bytes: the literals are padded by their terminators. */
#define HF_LABEL_DOMAIN  "hufu-domain-v1\0"     /* SM3: domain id */
#define HF_LABEL_PID_KEY "hufu-pidkey-v1\0"     /* HKDF info: key of the pid */
#define HF_LABEL_PID     "hufu-pid-v1\0\0\0\0"  /* HMAC: pid */
#define HF_LABEL_CHUNK   "hufu-ck-v1\0\0\0\0\0" /* HKDF info: chunk key and nonce */
#define HF_LABEL_AAD     "hufu-chunk-v1\0\0"    /* AAD of a chunk */
#define HF_LABEL_INDEX   "hufu-index-v1\0\0"    /* HKDF info: index key and base nonce */
#define HF_LABEL_COMMIT  "hufu-commit-v1\0"     /* HKDF info: commitment */
#define HF_LABEL_PAGE    "hufu-page-v1\0\0\0"   /* AAD of an index page */
#define HF_LABEL_PACK    "hufu-pack-v1\0\0\0"   /* SM3: id of a pack */
#define HF_LABEL_TABLE   "hufu-table-v1\0\0"    /* SM3: table root */
#define HF_LABEL_UPLOAD  "hufu-upload-v1\0"     /* SM3: domain id of an upload */

_Static_assert(sizeof(HF_LABEL_DOMAIN) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_PID_KEY) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_PID) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_CHUNK) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_AAD) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_INDEX) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_COMMIT) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_PAGE) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_PACK) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_TABLE) == HF_LABEL_LEN, "labels are 16 bytes");
_Static_assert(sizeof(HF_LABEL_UPLOAD) == HF_LABEL_LEN, "labels are 16 bytes");

#endif
