/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 hash, GB/T 32905-2016 (GM/T 0004-2012, ISO/IEC 10118-3). 32-byte digest, 64-byte blocks,
 * messages up to 2^61 - 1 bytes.
 */
#ifndef HF_CRYPTO_SM3_H
#define HF_CRYPTO_SM3_H

#include <stddef.h>
#include <stdint.h>

enum {
	HF_SM3_LEN = 32,       /* bytes of a digest */
	HF_SM3_BLOCK_LEN = 64, /* bytes of a block */
	HF_SM3_LANES_MAX = 32, /* messages that one call of hf_sm3_lanes() takes */
};

/* A hash in progress. Copy it by assignment to fork it. */
struct hf_sm3 {
	uint32_t h[8];
	uint64_t len; /* bytes fed so far */
	uint8_t block[HF_SM3_BLOCK_LEN];
};

void hf_sm3_init(struct hf_sm3 *s);
void hf_sm3_feed(struct hf_sm3 *s, const void *in, size_t len);

/* Writes the digest and wipes the state. */
void hf_sm3_done(struct hf_sm3 *s, uint8_t out[HF_SM3_LEN]);

/* Digest of one message. out may overlap in. */
void hf_sm3(uint8_t out[HF_SM3_LEN], const void *in, size_t len);

/*
 * Digests of n independent messages of the same length, n <= HF_SM3_LANES_MAX: out + 32 * i is the
 * digest of prefix[i] (prefix_len bytes, at most 64; may be NULL if 0) followed by in[i]. Lets a
 * kernel hash many messages at once; the result is the same as n calls of hf_sm3().
 */
void hf_sm3_lanes(uint8_t *out, const uint8_t *const prefix[], size_t prefix_len,
	const uint8_t *const in[], size_t in_len, size_t n);

/* One of many independent messages (batch interface). */
struct hf_sm3_job {
	const struct hf_sm3
		*from;  /* a hash in progress to go on from, unchanged; NULL: a new one */
	const void *in; /* the message, or what is left of it */
	size_t len;
	uint8_t *out; /* 32 bytes, written; may overlap this job's in, and no other's */
};

/* Digests of n messages of any lengths; kernels with lanes work on many at once. */
void hf_sm3_batch(const struct hf_sm3_job *jobs, size_t n);

#endif
