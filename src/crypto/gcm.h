/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-GCM: GB/T 36624-2018 mechanism 5, NIST SP 800-38D, RFC 8998. Tags of 16 bytes (4..16 may be
 * asked for by the standard's tests); nonces of 12 bytes in the house, other lengths supported.
 * One message is at most 2^36 - 32 bytes; a (key, nonce) pair must never meet two messages. Here
 * the caller gives the nonces and answers for that, and for the number of messages under a key;
 * seq.h has keys that make their nonces and count.
 */
#ifndef HF_CRYPTO_GCM_H
#define HF_CRYPTO_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm4.h"

enum {
	HF_GCM_NONCE_LEN = 12,
	HF_GCM_TAG_LEN = 16,
	HF_GCM_POWERS = 16,   /* powers of H that kernels may keep */
	HF_GCM_STITCHED = 40, /* words of a key schedule that kernels may keep */
};

#define HF_GCM_MESSAGE_MAX ((UINT64_C(1) << 36) - 32) /* bytes */

/* Key schedule and powers of the hash key. Read-only after init; may be shared by threads. */
struct hf_gcm_key {
	struct hf_sm4_key sm4;
	uint64_t h[HF_GCM_POWERS][2];       /* H^1.., in the form the chosen GHASH kernel wants */
	uint32_t stitched[HF_GCM_STITCHED]; /* round keys as the chosen GCM kernel wants them */
};

HF_MUST_USE hf_err hf_gcm_init(struct hf_gcm_key *k, const uint8_t key[HF_SM4_KEY_LEN]);
void hf_gcm_clear(struct hf_gcm_key *k);

/* Everything that one AEAD call is about. out may be exactly in. */
struct hf_aead {
	const uint8_t *nonce;
	size_t nonce_len; /* GCM: 1..2^16, 12 in the house; CCM: 7..13 */
	const uint8_t *aad;
	size_t aad_len;
	const uint8_t *in;
	size_t in_len; /* bytes of in and of out */
	uint8_t *out;
	uint8_t *tag; /* seal: written; open: read */
	size_t tag_len;
};

/* HF_ERR_ARG: a length that the mode does not have. HF_ERR_LIMIT: message too long. */
HF_MUST_USE hf_err hf_gcm_seal(const struct hf_gcm_key *k, const struct hf_aead *a);

/* HF_ERR_AUTH: wrong tag; out has been zeroed. Other errors as hf_gcm_seal. */
HF_MUST_USE hf_err hf_gcm_open(const struct hf_gcm_key *k, const struct hf_aead *a);

/* A message in pieces. Feed all additional data, then all text; each piece of any length. */
struct hf_gcm {
	const struct hf_gcm_key *key; /* borrowed */
	uint8_t counter[16];
	uint8_t mask[16];   /* E(J0), what the tag is XORed with */
	uint8_t hash[16];   /* GHASH so far */
	uint8_t stream[16]; /* unused key stream of a part block */
	uint8_t part[16];   /* bytes of a block not yet hashed */
	uint64_t aad_len;
	uint64_t text_len;
};

HF_MUST_USE hf_err hf_gcm_start(
	struct hf_gcm *g, const struct hf_gcm_key *k, const uint8_t *nonce, size_t nonce_len);
HF_MUST_USE hf_err hf_gcm_aad(struct hf_gcm *g, const uint8_t *aad, size_t len);
HF_MUST_USE hf_err hf_gcm_encrypt(struct hf_gcm *g, uint8_t *out, const uint8_t *in, size_t len);

/* The plaintext must not be used before hf_gcm_verify() has said HF_OK. */
HF_MUST_USE hf_err hf_gcm_decrypt(struct hf_gcm *g, uint8_t *out, const uint8_t *in, size_t len);
HF_MUST_USE hf_err hf_gcm_tag(struct hf_gcm *g, uint8_t *tag, size_t tag_len);
HF_MUST_USE hf_err hf_gcm_verify(struct hf_gcm *g, const uint8_t *tag, size_t tag_len);
void hf_gcm_end(struct hf_gcm *g); /* wipes */

/* One of many independent messages (batch interface). */
struct hf_gcm_job {
	const struct hf_gcm_key *key;
	struct hf_aead a;
	hf_err result; /* written: HF_OK or why this one failed */
};

/* Seals or opens n messages. Returns HF_OK if all did; else the first failure in order. */
HF_MUST_USE hf_err hf_gcm_seal_batch(struct hf_gcm_job *jobs, size_t n);
HF_MUST_USE hf_err hf_gcm_open_batch(struct hf_gcm_job *jobs, size_t n);

#endif
