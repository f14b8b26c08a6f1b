/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SM3, GM/T 0042-2015 (RFC 2104 with SM3). 32-byte tag, keys of any length. */
#ifndef HF_CRYPTO_HMAC_H
#define HF_CRYPTO_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sm3.h"

/* A keyed state. Keep one after init and copy it for each message: the pads are hashed once. */
struct hf_hmac {
	struct hf_sm3 inner;
	struct hf_sm3 outer;
};

void hf_hmac_init(struct hf_hmac *m, const void *key, size_t key_len);
void hf_hmac_feed(struct hf_hmac *m, const void *in, size_t len);

/* Writes the tag and wipes the state. */
void hf_hmac_done(struct hf_hmac *m, uint8_t tag[HF_SM3_LEN]);

/* One of many messages (batch interface); keys may differ. */
struct hf_hmac_job {
	const struct hf_hmac
		*keyed; /* with the beginning of the message, if it was fed; unchanged */
	const void *in; /* what is left of it */
	size_t len;
	uint8_t *tag; /* 32 bytes, written; may overlap this job's in, and no other's */
};

/* Tags of n messages of any lengths; kernels with lanes work on many at once. */
void hf_hmac_batch(const struct hf_hmac_job *jobs, size_t n);

/* Tag of one message. */
void hf_hmac_sm3(
	uint8_t tag[HF_SM3_LEN], const void *key, size_t key_len, const void *in, size_t len);

#endif
