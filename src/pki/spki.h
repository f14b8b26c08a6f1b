/* SPDX-License-Identifier: Apache-2.0 */
/* SubjectPublicKeyInfo of an SM2 key (GM/T 0015, RFC 5480), and key identifiers. */
#ifndef HF_PKI_SPKI_H
#define HF_PKI_SPKI_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "codec/der.h"
#include "crypto/sm2.h"

enum {
	HF_SPKI_LEN = 91,        /* bytes of every SubjectPublicKeyInfo of an SM2 key */
	HF_SPKI_KEY_ID_LEN = 20, /* bytes of a subject key identifier that we make */
};

/* PEM label "PUBLIC KEY". HF_ERR_UNSUPPORTED: another kind of key. HF_ERR_FORMAT: no valid point.
 */
HF_MUST_USE hf_err hf_spki_parse(struct hf_sm2_pub *pub, const uint8_t *in, size_t in_len);

/* Takes it as the next element of a larger structure; its failure is the reader's. */
void hf_spki_take(struct hf_der *d, struct hf_sm2_pub *pub);
void hf_spki_put(struct hf_writer *w, const struct hf_sm2_pub *pub);

/* The first 20 bytes of SM3(04 || X || Y): RFC 7093 2 method 1 with SM3. */
void hf_key_id(uint8_t out[HF_SPKI_KEY_ID_LEN], const struct hf_sm2_pub *pub);

#endif
