/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key schedule of the kernels whose state lies in the image of the S-box's first affine map.
 *
 * Round keys leave the rounds' chain of dependences: with y_i = x'_i + g_i, where g_0 = g_1 = g_2 =
 * 0 and g_{i+3} = z_i + g_{i+1} + g_{i+2} (z_i the round key in the domain), the S-box input is
 * y_{i+1} + y_{i+2} + y_{i+3} without a key, and d_i = g_i + g_{i+4} is added where the chain has
 * room. g_35 can be chosen: 0.
 */
#ifndef HF_CRYPTO_SM4_SM4_DOMAIN_H
#define HF_CRYPTO_SM4_SM4_DOMAIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "crypto/sm4.h"
#include "crypto/sm4/sm4_fields.h"

/* Round keys for y. */
struct hf_sm4_domain_keys {
	uint32_t d[HF_SM4_ROUNDS]; /* with the constant of the S-box's output */
	uint32_t first;            /* g_3, added to the last word of the input */
	uint32_t last[4];          /* g_32 .. g_35, added to the output's words */
};

/* z: the round keys in the domain, with the constant of the S-box's input. */
static inline void hf_sm4_domain_schedule(
	struct hf_sm4_domain_keys *s, const uint32_t z[HF_SM4_ROUNDS])
{
	const uint32_t round = HF_SM4_ROUND_BYTE * 0x01010101u;
	uint32_t g[4] = { 0, 0, 0, z[0] }; /* g_r .. g_{r+3}, g_i in place i % 4 */

	s->first = z[0];
	HF_UNROLL
	for (size_t r = 0; r < HF_SM4_ROUNDS; r++) {
		uint32_t next = 0; /* g_{r+4} */

		if (r + 1 < HF_SM4_ROUNDS)
			next = z[r + 1] ^ g[(r + 2) % 4] ^ g[(r + 3) % 4];
		s->d[r] = g[r % 4] ^ next ^ round;
		g[r % 4] = next;
	}
	memcpy(s->last, g, sizeof(s->last));
}

#endif
