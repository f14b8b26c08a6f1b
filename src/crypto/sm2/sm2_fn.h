/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars of SM2: integers modulo the order n of the base point (GB/T 32918.5-2017 2), in
 * Montgomery's form, fully reduced. Everything here takes the same time for all values.
 */
#ifndef HF_CRYPTO_SM2_SM2_FN_H
#define HF_CRYPTO_SM2_SM2_FN_H

#include <stdint.h>

#include "base/ct.h"
#include "base/err.h"
#include "base/rng.h"
#include "crypto/sm2/sm2_w256.h"

enum {
	HF_FN_DRAWS_MAX = 64, /* draws before the generator counts as broken: 2^-32 chance each */
};

struct hf_fn {
	uint64_t v[4];
};

extern const struct hf_fn hf_fn_one;      /* 1 */
extern const uint64_t hf_fn_n[4];         /* n as plain limbs */
extern const uint64_t hf_fn_n_minus_1[4]; /* private keys are below it: 1 .. n - 2 */

/* r = a + b, a - b, a * b, 1 / a (0 gives 0). r may be a or b. */
void hf_fn_add(struct hf_fn *r, const struct hf_fn *a, const struct hf_fn *b);
void hf_fn_sub(struct hf_fn *r, const struct hf_fn *a, const struct hf_fn *b);
void hf_fn_mul(struct hf_fn *r, const struct hf_fn *a, const struct hf_fn *b);
void hf_fn_inv(struct hf_fn *r, const struct hf_fn *a);

static inline hf_ct_mask hf_fn_zero(const struct hf_fn *a)
{
	return hf_w256_zero(a->v);
}

/* Between plain limbs and the form of this header. Any 256-bit value is taken modulo n. */
void hf_fn_from(struct hf_fn *r, const uint64_t plain[4]);
void hf_fn_plain(uint64_t plain[4], const struct hf_fn *a);

/* The same from and to 32 bytes, the highest first. */
void hf_fn_get(struct hf_fn *r, const uint8_t bytes[32]);
void hf_fn_put(uint8_t bytes[32], const struct hf_fn *a);

/* Set if 1 <= plain < limit. */
hf_ct_mask hf_fn_in_range(const uint64_t plain[4], const uint64_t limit[4]);

/*
 * A number of 1 .. limit - 1, each as likely as any other: 32 bytes at a time are drawn, and drawn
 * again when out of range. HF_ERR_ENTROPY: the generator failed, or HF_FN_DRAWS_MAX draws were out
 * of range. On failure plain is zero.
 */
HF_MUST_USE hf_err hf_fn_draw(uint64_t plain[4], const uint64_t limit[4], const struct hf_rng *rng);

#endif
