/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 Hash_DRBG, GM/T 0105-2021: security strength 128 bits from at least 32 bytes of entropy,
 * reseed after 2^20 requests or 600 s (level 1). Not thread-safe: one generator a thread.
 */
#ifndef HF_CRYPTO_DRBG_H
#define HF_CRYPTO_DRBG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "crypto/health.h"

enum {
	HF_DRBG_SEED_LEN = 55,          /* bytes of V and of C: 440 bits */
	HF_DRBG_OUT_MAX = 32,           /* bytes of one generate call in GM/T 0105 */
	HF_DRBG_ENTROPY_MIN = 32,       /* bytes */
	HF_DRBG_INPUT_MAX = 1024,       /* bytes of any single input */
	HF_DRBG_REQUESTS_MAX = 1 << 20, /* generate calls between reseeds, level 1 */
	HF_DRBG_RESEED_MS = 600 * 1000, /* ms between reseeds, level 1 */
};

struct hf_drbg {
	uint8_t v[HF_DRBG_SEED_LEN];
	uint8_t c[HF_DRBG_SEED_LEN];
	uint64_t n_requests;           /* since the last seed, from 1 */
	uint64_t seeded_ms;            /* clock at the last seed */
	struct hf_health health;       /* of the source of seeds */
	struct hf_rng entropy;         /* where seeds come from; fill NULL: seeds are handed in */
	uint64_t (*now_ms)(void *ctx); /* monotonic; NULL: no limit by time */
	void *now_ctx;
};

/* The mechanism itself, with every input handed in (known-answer tests use it so). */
HF_MUST_USE hf_err hf_drbg_instantiate(struct hf_drbg *d, const uint8_t *entropy,
	size_t entropy_len, const uint8_t *nonce, size_t nonce_len, const uint8_t *personal,
	size_t personal_len);
/* HF_ERR_STATE: it was never instantiated, or cleared. */
HF_MUST_USE hf_err hf_drbg_reseed(struct hf_drbg *d, const uint8_t *entropy, size_t entropy_len,
	const uint8_t *additional, size_t additional_len);

/* At most HF_DRBG_OUT_MAX bytes. HF_ERR_STATE: a reseed is due. */
HF_MUST_USE hf_err hf_drbg_generate(struct hf_drbg *d, uint8_t *out, size_t out_len,
	const uint8_t *additional, size_t additional_len);

/*
 * A generator that seeds and reseeds itself from entropy. now_ms may be NULL.
 * HF_ERR_ENTROPY: the source failed, or did not pass its health tests (health.h) or gave the same
 * block twice in a row; the latter two end in the module's error state.
 */
HF_MUST_USE hf_err hf_drbg_init(struct hf_drbg *d, const struct hf_rng *entropy,
	uint64_t (*now_ms)(void *ctx), void *now_ctx, const void *personal, size_t personal_len);

/* Any number of bytes, as many generate calls as that takes, reseeding when due. */
HF_MUST_USE hf_err hf_drbg_fill(struct hf_drbg *d, uint8_t *out, size_t out_len);

/* The generator as an hf_rng; d must outlive it. */
struct hf_rng hf_drbg_rng(struct hf_drbg *d);

/* Wipes V and C. Accepts { 0 }. */
void hf_drbg_clear(struct hf_drbg *d);

#endif
