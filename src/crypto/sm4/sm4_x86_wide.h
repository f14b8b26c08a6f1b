/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of an SM4 kernel on the vectors of sm4_x86_vec.h. A kernel's file includes this
 * once and names them in its table.
 *
 * Layout: a group is four vectors, word w of all its blocks in vector w. Eight groups are in
 * flight: their words do not fit into 16 registers, but loads and stores are cheap beside chains of
 * dependences that do not overlap. With 2, 4, 8 groups CTR of 16 KiB ran at 1.8, 3.0, 3.8 GB/s with
 * GFNI and AVX2, at 0.78, 1.4, 1.8 with AES-NI and AVX2 (Zen 5). Parts go through a buffer, which
 * is wiped.
 */
#ifndef HF_CRYPTO_SM4_SM4_X86_WIDE_H
#define HF_CRYPTO_SM4_SM4_X86_WIDE_H

#include "crypto/sm4/sm4_kernel.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm4/sm4_domain.h"
#include "crypto/sm4/sm4_x86_vec.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP_LEN = 4 * HF_SM4_VEC_LEN,
	GROUP = GROUP_LEN / BLOCK, /* blocks */
	WIDE = 8,                  /* groups in flight */
	LANE_GROUPS = HF_SM4_LANES / GROUP,
};

static void schedule_of(struct hf_sm4_domain_keys *s, const uint32_t rk[HF_SM4_ROUNDS])
{
	const hf_sm4_vec add = hf_sm4_vec_words(HF_SM4_KEY_BYTE * 0x01010101u);
	uint32_t z[HF_SM4_ROUNDS];

	for (size_t i = 0; i < HF_SM4_ROUNDS; i += HF_SM4_VEC_LEN / 4)
		hf_sm4_vec_store(
			z + i, HF_SM4_VEC_XOR(hf_sm4_to_domain(hf_sm4_vec_load(rk + i)), add));
	hf_sm4_domain_schedule(s, z);
	hf_wipe(z, sizeof(z));
}

/* All rounds of n_groups groups, the constant known to the compiler; last keys added. */
static HF_ALWAYS_INLINE void rounds(
	const struct hf_sm4_domain_keys *s, hf_sm4_vec y[][4], const size_t n_groups)
{
	for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
		HF_UNROLL
		for (size_t i = 0; i < 4; i++) {
			HF_UNROLL
			for (size_t g = 0; g < n_groups; g++) {
				hf_sm4_vec t = hf_sm4_vec_xor3(
					y[g][(i + 1) % 4], y[g][(i + 2) % 4], y[g][(i + 3) % 4]);

				y[g][i] = HF_SM4_VEC_XOR(y[g][i], hf_sm4_vec_words(s->d[r + i]));
				y[g][i] = hf_sm4_add_to_word(y[g][i], t);
			}
		}
	}
	HF_UNROLL
	for (size_t i = 0; i < 4; i++) {
		HF_UNROLL
		for (size_t g = 0; g < n_groups; g++)
			y[g][i] = HF_SM4_VEC_XOR(y[g][i], hf_sm4_vec_words(s->last[i]));
	}
}

/* Transposes the 4 x 4 words in each 128-bit lane. */
static HF_ALWAYS_INLINE void transpose(hf_sm4_vec v[4])
{
	hf_sm4_vec a = HF_SM4_VEC_LO32(v[0], v[1]);
	hf_sm4_vec b = HF_SM4_VEC_HI32(v[0], v[1]);
	hf_sm4_vec c = HF_SM4_VEC_LO32(v[2], v[3]);
	hf_sm4_vec d = HF_SM4_VEC_HI32(v[2], v[3]);

	v[0] = HF_SM4_VEC_LO64(a, c);
	v[1] = HF_SM4_VEC_HI64(a, c);
	v[2] = HF_SM4_VEC_LO64(b, d);
	v[3] = HF_SM4_VEC_HI64(b, d);
}

/* A group of blocks into the domain, words apart. */
static HF_ALWAYS_INLINE void words_in(hf_sm4_vec y[4], const uint8_t in[GROUP_LEN])
{
	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		y[j] = hf_sm4_to_domain(HF_SM4_VEC_SHUFFLE(hf_sm4_vec_load(in + HF_SM4_VEC_LEN * j),
			hf_sm4_vec_repeat(hf_sm4_byte_swap)));
	transpose(y);
}

/* And back, in the order X35, X34, X33, X32 (the reverse transformation R). */
static HF_ALWAYS_INLINE void words_out(hf_sm4_vec blocks[4], const hf_sm4_vec y[4])
{
	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		blocks[j] = y[3 - j];
	transpose(blocks);
	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		blocks[j] = HF_SM4_VEC_SHUFFLE(
			hf_sm4_from_domain(blocks[j]), hf_sm4_vec_repeat(hf_sm4_byte_swap));
}

static HF_ALWAYS_INLINE void ecb_groups(
	const struct hf_sm4_domain_keys *s, uint8_t *out, const uint8_t *in, const size_t n_groups)
{
	const hf_sm4_vec first = hf_sm4_vec_words(s->first);
	hf_sm4_vec y[WIDE][4];
	hf_sm4_vec blocks[4];

	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		words_in(y[g], in + GROUP_LEN * g);
		y[g][3] = HF_SM4_VEC_XOR(y[g][3], first);
	}
	rounds(s, y, n_groups);
	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		words_out(blocks, y[g]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			hf_sm4_vec_store(out + GROUP_LEN * g + HF_SM4_VEC_LEN * j, blocks[j]);
	}
}

static HF_NOINLINE void ecb_8(const struct hf_sm4_domain_keys *s, uint8_t *out, const uint8_t *in)
{
	ecb_groups(s, out, in, WIDE);
}

static HF_NOINLINE void ecb_4(const struct hf_sm4_domain_keys *s, uint8_t *out, const uint8_t *in)
{
	ecb_groups(s, out, in, 4);
}

static HF_NOINLINE void ecb_2(const struct hf_sm4_domain_keys *s, uint8_t *out, const uint8_t *in)
{
	ecb_groups(s, out, in, 2);
}

static HF_NOINLINE void ecb_1(const struct hf_sm4_domain_keys *s, uint8_t *out, const uint8_t *in)
{
	ecb_groups(s, out, in, 1);
}

/* n <= WIDE * GROUP blocks in place, in a buffer with room for WIDE * GROUP. */
static void ecb_rest(const struct hf_sm4_domain_keys *s, uint8_t *b, size_t n)
{
	if (n <= GROUP)
		ecb_1(s, b, b);
	else if (n <= 2 * GROUP)
		ecb_2(s, b, b);
	else if (n <= 4 * GROUP)
		ecb_4(s, b, b);
	else
		ecb_8(s, b, b);
}

static void ecb_blocks(
	const uint32_t rk[HF_SM4_ROUNDS], uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	uint8_t b[WIDE * GROUP_LEN] = { 0 };

	schedule_of(&s, rk);
	for (; n_blocks >= WIDE * GROUP; n_blocks -= WIDE * GROUP) {
		ecb_8(&s, out, in);
		out += WIDE * GROUP_LEN;
		in += WIDE * GROUP_LEN;
	}
	if (n_blocks > 0) {
		memcpy(b, in, n_blocks * BLOCK);
		ecb_rest(&s, b, n_blocks);
		memcpy(out, b, n_blocks * BLOCK);
		hf_wipe(b, sizeof(b));
	}
	hf_wipe(&s, sizeof(s));
}

/* A counter block: its first three words in the domain, and the last as a number. */
struct counter {
	uint32_t nonce[3];
	uint32_t c;
};

static HF_NOINLINE void ctr_8(const struct hf_sm4_domain_keys *s, const struct counter *c,
	uint8_t *out, const uint8_t *in)
{
	const hf_sm4_vec first = hf_sm4_vec_words(s->first);
	hf_sm4_vec y[WIDE][4];
	hf_sm4_vec blocks[4];

	HF_UNROLL
	for (size_t g = 0; g < WIDE; g++) {
		hf_sm4_vec v = HF_SM4_VEC_ADD(
			hf_sm4_vec_words(c->c + (uint32_t)(GROUP * g)), hf_sm4_vec_places());

		HF_UNROLL
		for (size_t j = 0; j < 3; j++)
			y[g][j] = hf_sm4_vec_words(c->nonce[j]);
		y[g][3] = HF_SM4_VEC_XOR(hf_sm4_to_domain(v), first);
	}
	rounds(s, y, WIDE);
	HF_UNROLL
	for (size_t g = 0; g < WIDE; g++) {
		words_out(blocks, y[g]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++) {
			size_t at = GROUP_LEN * g + HF_SM4_VEC_LEN * j;

			hf_sm4_vec_store(
				out + at, HF_SM4_VEC_XOR(blocks[j], hf_sm4_vec_load(in + at)));
		}
	}
}

static void xor_blocks(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t at = 0; at < n * BLOCK; at += BLOCK)
		hf_sm4_store16(
			out + at, _mm_xor_si128(hf_sm4_load16(a + at), hf_sm4_load16(b + at)));
}

/* n < WIDE * GROUP blocks, from counter on. */
static void ctr_rest(const struct hf_sm4_domain_keys *s, const uint8_t counter[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n)
{
	uint32_t c = hf_get_be32(counter + 12);
	uint8_t b[WIDE * GROUP_LEN] = { 0 };

	for (size_t i = 0; i < n; i++) {
		memcpy(b + BLOCK * i, counter, 12);
		hf_put_be32(b + BLOCK * i + 12, c++);
	}
	ecb_rest(s, b, n);
	for (size_t i = 0; i < n; i++)
		hf_sm4_store16(out + BLOCK * i,
			_mm_xor_si128(hf_sm4_load16(in + BLOCK * i), hf_sm4_load16(b + BLOCK * i)));
	hf_wipe(b, sizeof(b));
}

static void ctr32_blocks(const uint32_t rk[HF_SM4_ROUNDS], uint8_t counter[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	struct counter c;
	uint32_t words[HF_SM4_VEC_LEN / 4];

	schedule_of(&s, rk);
	hf_sm4_vec_store(words, hf_sm4_to_domain(HF_SM4_VEC_SHUFFLE(hf_sm4_vec_repeat(counter),
					hf_sm4_vec_repeat(hf_sm4_byte_swap))));
	memcpy(c.nonce, words, sizeof(c.nonce));
	c.c = hf_get_be32(counter + 12);

	for (; n_blocks >= WIDE * GROUP; n_blocks -= WIDE * GROUP) {
		ctr_8(&s, &c, out, in);
		out += WIDE * GROUP_LEN;
		in += WIDE * GROUP_LEN;
		c.c += WIDE * GROUP;
	}
	hf_put_be32(counter + 12, c.c);
	if (n_blocks > 0) {
		ctr_rest(&s, counter, out, in, n_blocks);
		hf_put_be32(counter + 12, c.c + (uint32_t)n_blocks);
	}
	hf_wipe(&s, sizeof(s));
}

/* XORs the ciphertext before each block from the end, so that out may be in. */
static void unchain(uint8_t *out, const uint8_t *plain, const uint8_t *in, __m128i iv, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		__m128i before = i > 0 ? hf_sm4_load16(in + (i - 1) * BLOCK) : iv;

		hf_sm4_store16(
			out + i * BLOCK, _mm_xor_si128(hf_sm4_load16(plain + i * BLOCK), before));
	}
}

static void cbc_decrypt_blocks(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	uint8_t plain[WIDE * GROUP_LEN] = { 0 };
	__m128i before = hf_sm4_load16(iv);

	schedule_of(&s, rk);
	while (n_blocks > 0) {
		size_t n = n_blocks < WIDE * GROUP ? n_blocks : WIDE * GROUP;
		__m128i next = hf_sm4_load16(in + (n - 1) * BLOCK);

		if (n == WIDE * GROUP) {
			ecb_8(&s, plain, in);
		} else {
			memcpy(plain, in, n * BLOCK);
			ecb_rest(&s, plain, n);
		}
		unchain(out, plain, in, before, n);
		before = next;
		in += n * BLOCK;
		out += n * BLOCK;
		n_blocks -= n;
	}
	hf_sm4_store16(iv, before);
	hf_wipe(&s, sizeof(s));
	hf_wipe(plain, sizeof(plain));
}

/*
 * T * x, T as a number of 128 bits whose bit 0 is the coefficient of x^0 (IEEE), or whose bit 127
 * is (GB): then it is the bytes backwards.
 */
static HF_ALWAYS_INLINE __m128i times_x_ieee(__m128i t)
{
	__m128i carry = _mm_shuffle_epi32(_mm_srai_epi32(t, 31), 0x13);

	carry = _mm_and_si128(carry, _mm_setr_epi32(0x87, 0, 1, 0));
	return _mm_xor_si128(_mm_slli_epi64(t, 1), carry);
}

static HF_ALWAYS_INLINE __m128i times_x_gb(__m128i t)
{
	__m128i carry = _mm_shuffle_epi32(_mm_slli_epi64(t, 63), 0x4e);

	carry = _mm_and_si128(
		_mm_srai_epi32(carry, 31), _mm_setr_epi32(0, (int)0x80000000, 0, (int)0xe1000000));
	return _mm_xor_si128(_mm_srli_epi64(t, 1), carry);
}

/* The tweaks of n blocks from t on; returns the next. */
static __m128i tweaks(uint8_t *out, __m128i t, size_t n, enum hf_xts_order order)
{
	const __m128i backwards =
		_mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);

	if (order == HF_XTS_IEEE) {
		for (size_t i = 0; i < n; i++) {
			hf_sm4_store16(out + BLOCK * i, t);
			t = times_x_ieee(t);
		}
		return t;
	}
	t = _mm_shuffle_epi8(t, backwards);
	for (size_t i = 0; i < n; i++) {
		hf_sm4_store16(out + BLOCK * i, _mm_shuffle_epi8(t, backwards));
		t = times_x_gb(t);
	}
	return _mm_shuffle_epi8(t, backwards);
}

static void xts_blocks(const uint32_t rk[HF_SM4_ROUNDS], uint8_t tweak[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks, enum hf_xts_order order)
{
	struct hf_sm4_domain_keys s;
	uint8_t mask[WIDE * GROUP_LEN];
	uint8_t b[WIDE * GROUP_LEN] = { 0 };
	__m128i t = hf_sm4_load16(tweak);

	schedule_of(&s, rk);
	while (n_blocks > 0) {
		size_t n = n_blocks < WIDE * GROUP ? n_blocks : WIDE * GROUP;

		t = tweaks(mask, t, n, order);
		xor_blocks(b, in, mask, n);
		ecb_rest(&s, b, n);
		xor_blocks(out, b, mask, n);
		in += n * BLOCK;
		out += n * BLOCK;
		n_blocks -= n;
	}
	hf_sm4_store16(tweak, t);
	hf_wipe(&s, sizeof(s));
	hf_wipe(mask, sizeof(mask));
	hf_wipe(b, sizeof(b));
}

/* A block's words in the domain, each in the lowest place of a register. */
static HF_ALWAYS_INLINE void chain_words(__m128i y[4], __m128i block)
{
	block = _mm_shuffle_epi8(block, hf_sm4_load16(hf_sm4_byte_swap));
	y[0] = hf_sm4_vec_first(hf_sm4_to_domain(hf_sm4_vec_all(block)));
	y[1] = _mm_shuffle_epi32(y[0], 0x55);
	y[2] = _mm_shuffle_epi32(y[0], 0xaa);
	y[3] = _mm_shuffle_epi32(y[0], 0xff);
}

static HF_ALWAYS_INLINE __m128i chain_block(const __m128i y[4])
{
	__m128i v =
		_mm_unpacklo_epi64(_mm_unpacklo_epi32(y[0], y[1]), _mm_unpacklo_epi32(y[2], y[3]));

	v = hf_sm4_vec_first(hf_sm4_from_domain(hf_sm4_vec_all(v)));
	return _mm_shuffle_epi8(v, hf_sm4_load16(hf_sm4_byte_swap));
}

/*
 * Round i of four on one chain: y[i] becomes the new word, t the next S-box input. What does not
 * come out of the S-box last is added before.
 */
static HF_ALWAYS_INLINE void chain_round(__m128i y[4], __m128i *t, const size_t i, uint32_t d)
{
	__m128i word = _mm_xor_si128(y[i], _mm_set1_epi32((int)d));
	__m128i rest = _mm_xor_si128(_mm_xor_si128(y[(i + 2) % 4], y[(i + 3) % 4]), word);
	__m128i beside;
	__m128i late;

	hf_sm4_chain_sums(&beside, &late, *t);
	HF_FORGET_VECTOR(rest);
	HF_FORGET_VECTOR(late);
	rest = _mm_xor_si128(rest, beside);
	HF_FORGET_VECTOR(rest);
	*t = _mm_xor_si128(rest, late);
	y[i] = _mm_xor_si128(_mm_xor_si128(word, beside), late);
}

/* The chain stays in the domain from block to block; the maps lie beside it. */
static void cbc_blocks(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	__m128i last[4]; /* the last ciphertext block, in the domain */

	schedule_of(&s, rk);
	chain_words(last, hf_sm4_load16(iv));
	for (size_t n = n_blocks; n > 0; n--) {
		__m128i y[4];
		__m128i t;

		chain_words(y, hf_sm4_load16(in));
		y[3] = _mm_xor_si128(y[3], _mm_cvtsi32_si128((int)s.first));
		HF_UNROLL
		for (size_t i = 0; i < 4; i++) {
			HF_FORGET_VECTOR(y[i]);
			y[i] = _mm_xor_si128(y[i], last[i]);
		}
		t = _mm_xor_si128(_mm_xor_si128(y[1], y[2]), y[3]);
		for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
			HF_UNROLL
			for (size_t i = 0; i < 4; i++)
				chain_round(y, &t, i, s.d[r + i]);
		}
		HF_UNROLL
		for (size_t i = 0; i < 4; i++)
			last[i] = _mm_xor_si128(y[3 - i], _mm_cvtsi32_si128((int)s.last[3 - i]));
		in += BLOCK;
		if (out != NULL) {
			hf_sm4_store16(out, chain_block(last));
			out += BLOCK;
		}
	}
	if (n_blocks > 0)
		hf_sm4_store16(iv, chain_block(last));
	hf_wipe(&s, sizeof(s));
}

/* Round keys of 16 lanes, one a lane, where words_in() puts their blocks. */
struct lane_keys {
	uint32_t d[HF_SM4_ROUNDS][HF_SM4_LANES];
	uint32_t first[HF_SM4_LANES];
	uint32_t last[4][HF_SM4_LANES];
};

static void lane_schedule(struct lane_keys *s, const struct hf_sm4_lane *lanes, size_t n)
{
	enum { PER_VEC = HF_SM4_VEC_LEN / BLOCK };
	struct hf_sm4_domain_keys one;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < n; i++) {
		size_t in_group = i % GROUP;
		size_t at = i - in_group + in_group % PER_VEC * 4 + in_group / PER_VEC;

		schedule_of(&one, lanes[i].rk);
		for (size_t r = 0; r < HF_SM4_ROUNDS; r++)
			s->d[r][at] = one.d[r];
		s->first[at] = one.first;
		for (size_t j = 0; j < 4; j++)
			s->last[j][at] = one.last[j];
	}
	hf_wipe(&one, sizeof(one));
}

/* One block of each chain, all in `chain`. */
static void lanes_step(const struct lane_keys *s, uint8_t chain[HF_SM4_LANES * BLOCK])
{
	hf_sm4_vec y[LANE_GROUPS][4];
	hf_sm4_vec blocks[4];

	HF_UNROLL
	for (size_t g = 0; g < LANE_GROUPS; g++) {
		words_in(y[g], chain + GROUP_LEN * g);
		y[g][3] = HF_SM4_VEC_XOR(y[g][3], hf_sm4_vec_load(s->first + GROUP * g));
	}
	for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
		HF_UNROLL
		for (size_t i = 0; i < 4; i++) {
			HF_UNROLL
			for (size_t g = 0; g < LANE_GROUPS; g++) {
				hf_sm4_vec t = hf_sm4_vec_xor3(
					y[g][(i + 1) % 4], y[g][(i + 2) % 4], y[g][(i + 3) % 4]);

				y[g][i] = HF_SM4_VEC_XOR(
					y[g][i], hf_sm4_vec_load(s->d[r + i] + GROUP * g));
				y[g][i] = hf_sm4_add_to_word(y[g][i], t);
			}
		}
	}
	HF_UNROLL
	for (size_t g = 0; g < LANE_GROUPS; g++) {
		HF_UNROLL
		for (size_t i = 0; i < 4; i++)
			y[g][i] = HF_SM4_VEC_XOR(y[g][i], hf_sm4_vec_load(s->last[i] + GROUP * g));
		words_out(blocks, y[g]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			hf_sm4_vec_store(chain + GROUP_LEN * g + HF_SM4_VEC_LEN * j, blocks[j]);
	}
}

static void cbc_lanes_blocks(const struct hf_sm4_lane *lanes, size_t n, size_t n_blocks)
{
	struct lane_keys s;
	uint8_t chain[HF_SM4_LANES * BLOCK] = { 0 };

	if (n > HF_SM4_LANES)
		n = HF_SM4_LANES; /* there are never more, but compilers do not know */
	lane_schedule(&s, lanes, n);
	for (size_t i = 0; i < n; i++)
		memcpy(chain + BLOCK * i, lanes[i].iv, BLOCK);
	for (size_t at = 0; at < n_blocks * BLOCK; at += BLOCK) {
		for (size_t i = 0; i < n; i++)
			hf_sm4_store16(
				chain + BLOCK * i, _mm_xor_si128(hf_sm4_load16(chain + BLOCK * i),
							   hf_sm4_load16(lanes[i].in + at)));
		lanes_step(&s, chain);
		for (size_t i = 0; i < n; i++)
			if (lanes[i].out != NULL)
				memcpy(lanes[i].out + at, chain + BLOCK * i, BLOCK);
	}
	for (size_t i = 0; i < n; i++)
		memcpy(lanes[i].iv, chain + BLOCK * i, BLOCK);
	hf_wipe(&s, sizeof(s));
	hf_wipe(chain, sizeof(chain));
}

#endif
