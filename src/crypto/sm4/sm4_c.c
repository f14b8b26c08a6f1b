/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 in plain C: the reference that every other kernel is checked against.
 *
 * Bit-sliced: the S-box is a circuit on bit planes (sm4_sbox.h), so nothing secret is ever an
 * index. 16 blocks at once fill 64-bit planes. One 32-bit word of the state of 16 blocks is eight
 * planes; in plane j, bit 16 * b + lane(block) is bit j of byte b (b = 0: least significant) of
 * that block's word. So a rotation of the word by 8 is a rotation of every plane by 16, and a
 * rotation by 2 is a renaming of planes plus that.
 *
 * One block alone (CBC, MAC) stays in ordinary words: only the four bytes that enter the S-box are
 * spread to planes.
 */
#include "crypto/sm4/sm4_kernel.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm4/sm4_sbox.h"
#include "crypto/sm4/sm4_word.h"

enum {
	SLICE = 16, /* blocks in a slice */
	SLICE_LEN = SLICE * HF_SM4_BLOCK_LEN,
};

/* The round keys as planes: the same for all 16 lanes, or each lane its own. */
struct plane_keys {
	uint64_t p[HF_SM4_ROUNDS][8];
};

static inline uint64_t rotl64(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/* Exchanges the bits of x selected by mask with those n places higher. */
static inline uint64_t delta_swap(uint64_t x, uint64_t mask, unsigned n)
{
	uint64_t t = (x ^ (x >> n)) & mask;

	return x ^ t ^ (t << n);
}

/* Transposes: word i, bit j of each byte <-> word j, bit i of each byte. Its own inverse. */
static inline void transpose(uint64_t p[8])
{
	static const uint64_t mask[3] = { 0x5555555555555555, 0x3333333333333333,
		0x0f0f0f0f0f0f0f0f };

	for (unsigned s = 0; s < 3; s++) {
		unsigned n = 1u << s;

		for (unsigned i = 0; i < 8; i++) {
			uint64_t t;

			if ((i & n) != 0)
				continue;
			t = ((p[i] >> n) ^ p[i + n]) & mask[s];
			p[i + n] ^= t;
			p[i] ^= t << n;
		}
	}
}

/* One word of each of 16 blocks to eight planes, and back. */
static inline void planes_of_words(uint64_t p[8], const uint32_t v[SLICE])
{
	for (size_t k = 0; k < 8; k++) {
		p[k] = (uint64_t)v[k + 8] << 32 | v[k];
		p[k] = delta_swap(p[k], 0x00000000ffff0000, 16);
		p[k] = delta_swap(p[k], 0x0000ff000000ff00, 8);
	}
	transpose(p);
}

static inline void words_of_planes(uint32_t v[SLICE], uint64_t p[8])
{
	transpose(p);
	for (size_t k = 0; k < 8; k++) {
		uint64_t x = delta_swap(p[k], 0x0000ff000000ff00, 8);

		x = delta_swap(x, 0x00000000ffff0000, 16);
		v[k] = (uint32_t)x;
		v[k + 8] = (uint32_t)(x >> 32);
	}
}

/* The same key in all lanes: each bit of a round key fills the 16 bits of its byte. */
static void keys_of_one(struct plane_keys *pk, const uint32_t rk[HF_SM4_ROUNDS])
{
	for (size_t r = 0; r < HF_SM4_ROUNDS; r++)
		for (unsigned j = 0; j < 8; j++) {
			uint64_t x = (rk[r] >> j) & 0x01010101;

			x = (x | x << 16) & 0x0000ffff0000ffff;
			x = (x | x << 8) & 0x00ff00ff00ff00ff;
			pk->p[r][j] = (x << 16) - x;
		}
}

static void keys_of_lanes(struct plane_keys *pk, const struct hf_sm4_lane *lanes, size_t n)
{
	uint32_t v[SLICE] = { 0 };

	for (size_t r = 0; r < HF_SM4_ROUNDS; r++) {
		for (size_t i = 0; i < n; i++)
			v[i] = lanes[i].rk[r];
		planes_of_words(pk->p[r], v);
	}
	hf_wipe(v, sizeof(v));
}

/* x0 ^= L(S(x1 ^ x2 ^ x3 ^ k)), GB/T 32907-2016 6.1 and 6.2, on 16 blocks. */
static inline void round_planes(uint64_t x0[8], const uint64_t x1[8], const uint64_t x2[8],
	const uint64_t x3[8], const uint64_t k[8])
{
	uint64_t t[8];
	uint64_t u[8];

	for (size_t j = 0; j < 8; j++)
		t[j] = x1[j] ^ x2[j] ^ x3[j] ^ k[j];
	hf_sm4_sbox_planes(t);

	/* L(B) = B ^ B<<<24 ^ (B ^ B<<<8 ^ B<<<16)<<<2 */
	for (size_t j = 0; j < 8; j++)
		u[j] = t[j] ^ rotl64(t[j], 16) ^ rotl64(t[j], 32);
	for (size_t j = 0; j < 2; j++)
		x0[j] ^= t[j] ^ rotl64(t[j], 48) ^ rotl64(u[j + 6], 16);
	for (size_t j = 2; j < 8; j++)
		x0[j] ^= t[j] ^ rotl64(t[j], 48) ^ u[j - 2];
}

/* Encrypts a slice. out may be in. */
static void encrypt_slice(
	const struct plane_keys *pk, uint8_t out[SLICE_LEN], const uint8_t in[SLICE_LEN])
{
	uint64_t x[4][8];
	uint32_t v[SLICE];

	for (size_t w = 0; w < 4; w++) {
		for (size_t i = 0; i < SLICE; i++)
			v[i] = hf_get_be32(in + 16 * i + 4 * w);
		planes_of_words(x[w], v);
	}

	for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
		round_planes(x[0], x[1], x[2], x[3], pk->p[r]);
		round_planes(x[1], x[2], x[3], x[0], pk->p[r + 1]);
		round_planes(x[2], x[3], x[0], x[1], pk->p[r + 2]);
		round_planes(x[3], x[0], x[1], x[2], pk->p[r + 3]);
	}

	/* The output is X35, X34, X33, X32 (the reverse transformation R). */
	for (size_t w = 0; w < 4; w++) {
		words_of_planes(v, x[3 - w]);
		for (size_t i = 0; i < SLICE; i++)
			hf_put_be32(out + 16 * i + 4 * w, v[i]);
	}
	hf_wipe(x, sizeof(x));
	hf_wipe(v, sizeof(v));
}

/* Encrypts one block. out may be in. */
static void encrypt_one(const uint32_t rk[HF_SM4_ROUNDS], uint8_t out[HF_SM4_BLOCK_LEN],
	const uint8_t in[HF_SM4_BLOCK_LEN])
{
	uint32_t x[4];

	for (size_t w = 0; w < 4; w++)
		x[w] = hf_get_be32(in + 4 * w);
	for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
		x[0] ^= hf_sm4_word_t(x[1] ^ x[2] ^ x[3] ^ rk[r]);
		x[1] ^= hf_sm4_word_t(x[2] ^ x[3] ^ x[0] ^ rk[r + 1]);
		x[2] ^= hf_sm4_word_t(x[3] ^ x[0] ^ x[1] ^ rk[r + 2]);
		x[3] ^= hf_sm4_word_t(x[0] ^ x[1] ^ x[2] ^ rk[r + 3]);
	}
	for (size_t w = 0; w < 4; w++)
		hf_put_be32(out + 4 * w, x[3 - w]);
}

static void ecb_c(
	const uint32_t rk[HF_SM4_ROUNDS], uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	struct plane_keys pk;
	uint8_t last[SLICE_LEN];

	if (n_blocks <= 1) {
		if (n_blocks == 1)
			encrypt_one(rk, out, in);
		return;
	}

	keys_of_one(&pk, rk);
	for (; n_blocks >= SLICE; n_blocks -= SLICE) {
		encrypt_slice(&pk, out, in);
		out += SLICE_LEN;
		in += SLICE_LEN;
	}
	if (n_blocks > 0) {
		memset(last, 0, sizeof(last));
		memcpy(last, in, n_blocks * HF_SM4_BLOCK_LEN);
		encrypt_slice(&pk, last, last);
		memcpy(out, last, n_blocks * HF_SM4_BLOCK_LEN);
		hf_wipe(last, sizeof(last));
	}
	hf_wipe(&pk, sizeof(pk));
}

static void ctr32_c(const uint32_t rk[HF_SM4_ROUNDS], uint8_t counter[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	enum { MANY = 8 * SLICE }; /* so that the planes of the key are made once for a good deal */
	uint8_t stream[MANY * HF_SM4_BLOCK_LEN];
	uint32_t c = hf_get_be32(counter + 12);

	while (n_blocks > 0) {
		size_t n = n_blocks < MANY ? n_blocks : MANY;
		size_t len = n * HF_SM4_BLOCK_LEN;

		for (size_t i = 0; i < n; i++) {
			memcpy(stream + 16 * i, counter, 12);
			hf_put_be32(stream + 16 * i + 12, c++);
		}
		ecb_c(rk, stream, stream, n);
		for (size_t i = 0; i < len; i++)
			out[i] = (uint8_t)(in[i] ^ stream[i]);
		in += len;
		out += len;
		n_blocks -= n;
	}
	hf_put_be32(counter + 12, c);
	hf_wipe(stream, sizeof(stream));
}

static void cbc_c(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	for (; n_blocks > 0; n_blocks--) {
		for (size_t i = 0; i < HF_SM4_BLOCK_LEN; i++)
			iv[i] ^= in[i];
		encrypt_one(rk, iv, iv);
		in += HF_SM4_BLOCK_LEN;
		if (out != NULL) {
			memcpy(out, iv, HF_SM4_BLOCK_LEN);
			out += HF_SM4_BLOCK_LEN;
		}
	}
}

static void cbc_lanes_c(const struct hf_sm4_lane *lanes, size_t n, size_t n_blocks)
{
	struct plane_keys pk = { 0 };
	uint8_t chain[SLICE_LEN] = { 0 };

	keys_of_lanes(&pk, lanes, n);
	for (size_t i = 0; i < n; i++)
		memcpy(chain + 16 * i, lanes[i].iv, HF_SM4_BLOCK_LEN);
	for (size_t at = 0; at < n_blocks * HF_SM4_BLOCK_LEN; at += HF_SM4_BLOCK_LEN) {
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < HF_SM4_BLOCK_LEN; j++)
				chain[16 * i + j] ^= lanes[i].in[at + j];
		encrypt_slice(&pk, chain, chain);
		for (size_t i = 0; i < n; i++)
			if (lanes[i].out != NULL)
				memcpy(lanes[i].out + at, chain + 16 * i, HF_SM4_BLOCK_LEN);
	}
	for (size_t i = 0; i < n; i++)
		memcpy(lanes[i].iv, chain + 16 * i, HF_SM4_BLOCK_LEN);
	hf_wipe(&pk, sizeof(pk));
	hf_wipe(chain, sizeof(chain));
}

const struct hf_sm4_kernel hf_sm4_kernel_c = {
	.name = "c",
	.needs = 0,
	.ecb = ecb_c,
	.ctr32 = ctr32_c,
	.cbc = cbc_c,
	.cbc_lanes = cbc_lanes_c,
};
