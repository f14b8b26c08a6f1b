/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-XTS. Block j of a unit is C_j = E(P_j ^ T_j) ^ T_j with T_0 = E'(tweak) under the second key
 * and T_{j+1} = T_j * x. A part block at the end steals what it lacks from the ciphertext before
 * it: that block is encrypted once more, filled up with the part, and its first bytes become the
 * end of the unit. So the last whole block uses the tweak after the part's place.
 *
 * x^128 = x^7 + x^2 + x + 1 in both orders: 0x87 into byte 0 where x^0 is the last bit of byte 0
 * (IEEE), 0xe1 where it is the first (GB).
 */
#include "crypto/xts.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm4/sm4_kernel.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP = 64, /* blocks whose tweaks are made at once */
};

/* A tweak as two words, such that multiplication by x is a shift of 128 bits. */
struct tweak {
	uint64_t a; /* bytes 0..7 */
	uint64_t b; /* bytes 8..15 */
};

static struct tweak tweak_get(const uint8_t in[BLOCK], enum hf_xts_order order)
{
	if (order == HF_XTS_IEEE)
		return (struct tweak){ hf_get_le64(in), hf_get_le64(in + 8) };
	return (struct tweak){ hf_get_be64(in), hf_get_be64(in + 8) };
}

static void tweak_put(uint8_t out[BLOCK], const struct tweak *t, enum hf_xts_order order)
{
	if (order == HF_XTS_IEEE) {
		hf_put_le64(out, t->a);
		hf_put_le64(out + 8, t->b);
	} else {
		hf_put_be64(out, t->a);
		hf_put_be64(out + 8, t->b);
	}
}

static void tweak_times_x(struct tweak *t, enum hf_xts_order order)
{
	uint64_t top;

	if (order == HF_XTS_IEEE) {
		top = hf_ct_bit(t->b >> 63);
		t->b = t->b << 1 | t->a >> 63;
		t->a = t->a << 1 ^ (top & 0x87);
	} else {
		top = hf_ct_bit(t->b);
		t->b = t->b >> 1 | t->a << 63;
		t->a = t->a >> 1 ^ (top & UINT64_C(0xe1) << 56);
	}
}

/* len is a multiple of 8. */
static void xor_words(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t x;
		uint64_t y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		x ^= y;
		memcpy(out + i, &x, 8);
	}
}

void hf_xts_blocks_of_ecb(const struct hf_sm4_kernel *kernel, const uint32_t rk[HF_SM4_ROUNDS],
	uint8_t tweak[BLOCK], uint8_t *out, const uint8_t *in, size_t n_blocks,
	enum hf_xts_order order)
{
	struct tweak t = tweak_get(tweak, order);
	uint8_t mask[GROUP * BLOCK];

	while (n_blocks > 0) {
		size_t n = n_blocks < GROUP ? n_blocks : GROUP;

		for (size_t i = 0; i < n; i++) {
			tweak_put(mask + BLOCK * i, &t, order);
			tweak_times_x(&t, order);
		}
		xor_words(out, in, mask, n * BLOCK);
		kernel->ecb(rk, out, out, n);
		xor_words(out, out, mask, n * BLOCK);
		in += n * BLOCK;
		out += n * BLOCK;
		n_blocks -= n;
	}
	tweak_put(tweak, &t, order);
	hf_wipe(&t, sizeof(t));
	hf_wipe(mask, sizeof(mask));
}

/* What one unit needs while it is worked on. */
struct unit {
	const struct hf_sm4_kernel *kernel;
	const uint32_t *rk; /* backwards to decrypt */
	enum hf_xts_order order;
	uint8_t tweak[BLOCK]; /* T of the next block */
};

static void blocks(struct unit *u, uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	if (u->kernel->xts != NULL)
		u->kernel->xts(u->rk, u->tweak, out, in, n_blocks, u->order);
	else
		hf_xts_blocks_of_ecb(u->kernel, u->rk, u->tweak, out, in, n_blocks, u->order);
}

/*
 * The last whole block and the part of part_len bytes behind it. Encryption takes the tweaks in
 * order; decryption must undo the second encryption first, and takes them the other way round.
 */
static void steal(struct unit *u, uint8_t *out, const uint8_t *in, size_t part_len, bool encrypt)
{
	uint8_t first[BLOCK];
	uint8_t second[BLOCK];
	uint8_t tweak[BLOCK];
	struct tweak t = tweak_get(u->tweak, u->order);

	memcpy(tweak, u->tweak, BLOCK);
	if (!encrypt) {
		tweak_times_x(&t, u->order);
		tweak_put(u->tweak, &t, u->order);
	}
	blocks(u, first, in, 1);
	memcpy(second, in + BLOCK, part_len);
	memcpy(second + part_len, first + part_len, BLOCK - part_len);
	if (!encrypt)
		memcpy(u->tweak, tweak, BLOCK);
	blocks(u, out, second, 1);
	memcpy(out + BLOCK, first, part_len);
	hf_wipe(first, sizeof(first));
	hf_wipe(second, sizeof(second));
	hf_wipe(tweak, sizeof(tweak));
	hf_wipe(&t, sizeof(t));
}

static hf_err run(const struct hf_xts_key *k, const uint8_t tweak[BLOCK], uint8_t *out,
	const uint8_t *in, size_t len, bool encrypt)
{
	struct unit u = { .kernel = hf_module()->sm4, .rk = k->data.rk, .order = k->order };
	uint32_t back[HF_SM4_ROUNDS];
	size_t part_len = len % BLOCK;
	size_t whole = len / BLOCK;

	if (len < HF_XTS_UNIT_MIN)
		return HF_ERR_ARG;
	if (len > HF_XTS_UNIT_MAX)
		return HF_ERR_LIMIT;
	if (!encrypt) {
		hf_sm4_keys_backwards(back, &k->data);
		u.rk = back;
	}
	u.kernel->ecb(k->tweak.rk, u.tweak, tweak, 1);
	HF_FAULT("sm4-xts", u.tweak[0]);
	if (part_len != 0)
		whole--;
	blocks(&u, out, in, whole);
	if (part_len != 0)
		steal(&u, out + whole * BLOCK, in + whole * BLOCK, part_len, encrypt);
	if (!encrypt)
		hf_wipe(back, sizeof(back));
	hf_wipe(u.tweak, sizeof(u.tweak));
	return HF_OK;
}

void hf_xts_init(struct hf_xts_key *k, const uint8_t key[HF_XTS_KEY_LEN], enum hf_xts_order order)
{
	hf_sm4_init(&k->data, key);
	hf_sm4_init(&k->tweak, key + HF_SM4_KEY_LEN);
	k->order = order;
}

void hf_xts_clear(struct hf_xts_key *k)
{
	hf_wipe(k, sizeof(*k));
}

void hf_xts_unit(uint8_t tweak[HF_XTS_TWEAK_LEN], uint64_t number)
{
	hf_put_le64(tweak, number);
	memset(tweak + 8, 0, 8);
}

hf_err hf_xts_encrypt(const struct hf_xts_key *k, const uint8_t tweak[HF_XTS_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len)
{
	HF_TRY(hf_module_check());
	return run(k, tweak, out, in, len, true);
}

hf_err hf_xts_decrypt(const struct hf_xts_key *k, const uint8_t tweak[HF_XTS_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len)
{
	HF_TRY(hf_module_check());
	return run(k, tweak, out, in, len, false);
}

/* GB/T 17964-2021 B.7, and what IEEE's order makes of the same: 56 bytes, both ways. */
bool hf_xts_selftest(void)
{
	static const uint8_t key[HF_XTS_KEY_LEN] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
		0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
		0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	static const uint8_t plain[56] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9,
		0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac,
		0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51, 0x30, 0xc8, 0x1c, 0x46, 0xa3,
		0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a, 0x52, 0xef, 0xf6, 0x9f, 0x24,
		0x45, 0xdf, 0x4f, 0x9b, 0x17 };
	static const uint8_t want_end[2][8] = {
		{ 0x90, 0x3b, 0xe7, 0xf9, 0x3a, 0x1b, 0x34, 0x79 },
		{ 0x27, 0xd1, 0x6c, 0x0d, 0xb6, 0xd2, 0xcf, 0xc7 },
	};
	struct hf_xts_key k;
	uint8_t tweak[HF_XTS_TWEAK_LEN];
	uint8_t text[sizeof(plain)];
	bool ok = true;

	for (size_t i = 0; i < sizeof(tweak); i++)
		tweak[i] = (uint8_t)(0xf0 + i);
	for (size_t i = 0; i < 2; i++) {
		hf_xts_init(&k, key, i == 0 ? HF_XTS_GB : HF_XTS_IEEE);
		ok &= run(&k, tweak, text, plain, sizeof(text), true) == HF_OK;
		ok &= hf_ct_eq(text + 48, want_end[i], sizeof(want_end[i]));
		ok &= run(&k, tweak, text, text, sizeof(text), false) == HF_OK;
		ok &= hf_ct_eq(text, plain, sizeof(plain));
	}
	return ok;
}
