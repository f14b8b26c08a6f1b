/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bulk of each mode, inside the module. Every function takes whole units (blocks; for CFB8 and
 * CFB1 bytes), leaves in chain what the next unit depends on, and allows out to be exactly in.
 * The module's state has been checked.
 */
#ifndef HF_CRYPTO_MODES_MODES_H
#define HF_CRYPTO_MODES_MODES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "crypto/sm4.h"

enum { HF_MODES_GROUP = 64 }; /* blocks that go through the parallel kernel at once */

/* The signature of the services in sm4.h, so that one table holds all; these return HF_OK. */
typedef hf_err hf_modes_bulk(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n);

hf_modes_bulk hf_modes_bc_encrypt;
hf_modes_bulk hf_modes_bc_decrypt;
hf_modes_bulk hf_modes_ofb;
hf_modes_bulk hf_modes_ofbnlf_encrypt;
hf_modes_bulk hf_modes_ofbnlf_decrypt;
hf_modes_bulk hf_modes_cfb_encrypt;
hf_modes_bulk hf_modes_cfb_decrypt;
hf_modes_bulk hf_modes_cfb8_encrypt;
hf_modes_bulk hf_modes_cfb8_decrypt;
hf_modes_bulk hf_modes_cfb1_encrypt;
hf_modes_bulk hf_modes_cfb1_decrypt;

/* out = a ^ b, len bytes, by words; out may be exactly a or b. */
static inline void hf_modes_xor(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len)
{
	uint64_t x;
	uint64_t y;

	for (; len >= sizeof(x); len -= sizeof(x)) {
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		x ^= y;
		memcpy(out, &x, sizeof(x));
		out += sizeof(x);
		a += sizeof(x);
		b += sizeof(x);
	}
	for (; len > 0; len--)
		*out++ = (uint8_t)(*a++ ^ *b++);
}

#endif
