/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 with GFNI and AVX-512: what the kernels of the plain modes and of GCM share.
 *
 * Mathematics. GF2P8AFFINEINVQB inverts in AES's field and applies a matrix. SM4's S-box is an
 * inversion in another field between two equal affine maps, and the fields are isomorphic. All
 * state stays in the image of the first map and the isomorphism (x' = IN * x, bytewise), so that a
 * round has one stage of GFNI: p and q are already what the linear layer L makes of a byte for its
 * own place and for the place three bytes up, and p + q is what it makes for the two places
 * between. tools/gen-sm4-fields.py derives and proves the matrices. With R for the turn of a word
 * by one byte, a round adds
 *     p + R(p + q) + R^2(p + q) + R^3 q = u + R u + R^2 u    where u = p + R q,
 * three shuffles and one sum less than the left side as it stands.
 *
 * Round keys are those of sm4_domain.h: d is added where an instruction of three inputs has a place
 * free.
 *
 * Layout: 16 blocks (a group) in four registers, word w of all blocks in register w; up to four
 * groups are in flight, whose chains of dependences overlap. Where one or two groups must not wait,
 * a round is written for the shortest way from one S-box to the next instead: with e = p + q the
 * next S-box input is t' = ((y_0 + d + y_2 + y_3) + p + R^3 q) + R e + R^2 e, inversion, shuffle,
 * two sums of three. 9 cycles a round instead of 13 on Zen 5, for 12 instructions instead of 9.
 */
#ifndef HF_CRYPTO_SM4_SM4_X86_GFNI512_H
#define HF_CRYPTO_SM4_SM4_X86_GFNI512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/sm4.h"
#include "crypto/sm4/sm4_domain.h"
#include "crypto/sm4/sm4_fields.h"

enum {
	HF_SM4_512_GROUP = 16, /* blocks in four registers */
	HF_SM4_512_WIDE = 4,   /* groups in flight */
};

/* Every byte of one 32-bit word moves n places up (towards the more significant end). */
static HF_ALWAYS_INLINE __m128i hf_sm4_512_turn(unsigned n)
{
	const __m128i identity =
		_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i place = _mm_sub_epi8(identity, _mm_set1_epi8((char)n));

	return _mm_or_si128(_mm_and_si128(place, _mm_set1_epi8(3)),
		_mm_andnot_si128(_mm_set1_epi8(3), identity));
}

static HF_ALWAYS_INLINE __m128i hf_sm4_512_byte_swap(void)
{
	return _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

static HF_ALWAYS_INLINE __m128i hf_sm4_512_load16(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static HF_ALWAYS_INLINE void hf_sm4_512_store16(void *p, __m128i v)
{
	_mm_storeu_si128((__m128i *)p, v);
}

/* 16 round keys into the domain, with the constant of the S-box's input. */
static HF_ALWAYS_INLINE __m512i hf_sm4_512_key_in(__m512i rk)
{
	__m512i z = _mm512_gf2p8affine_epi64_epi8(rk, _mm512_set1_epi64(HF_SM4_GFNI_IN), 0);

	return _mm512_xor_si512(z, _mm512_set1_epi8(HF_SM4_KEY_BYTE));
}

static inline void hf_sm4_512_schedule(
	struct hf_sm4_domain_keys *s, const uint32_t rk[HF_SM4_ROUNDS])
{
	uint32_t z[HF_SM4_ROUNDS];

	_mm512_storeu_si512(z, hf_sm4_512_key_in(_mm512_loadu_si512(rk)));
	_mm512_storeu_si512(z + 16, hf_sm4_512_key_in(_mm512_loadu_si512(rk + 16)));
	hf_sm4_domain_schedule(s, z);
	hf_wipe(z, sizeof(z));
}

/* Matrices and shuffles of a round. */
struct hf_sm4_512_round {
	__m512i p;
	__m512i q;
	__m512i turn1;
	__m512i turn2;
};

static HF_ALWAYS_INLINE struct hf_sm4_512_round hf_sm4_512_round_set(void)
{
	return (struct hf_sm4_512_round){
		_mm512_set1_epi64(HF_SM4_GFNI_P),
		_mm512_set1_epi64(HF_SM4_GFNI_Q),
		_mm512_broadcast_i32x4(hf_sm4_512_turn(1)),
		_mm512_broadcast_i32x4(hf_sm4_512_turn(2)),
	};
}

/* The new first word of a group: GB/T 32907-2016 6.1 in the domain. 0x96 is XOR of three. */
static HF_ALWAYS_INLINE __m512i hf_sm4_512_word(
	__m512i y0, __m512i y1, __m512i y2, __m512i y3, __m512i d, const struct hf_sm4_512_round *c)
{
	__m512i t = _mm512_ternarylogic_epi32(y1, y2, y3, 0x96);
	__m512i p = _mm512_gf2p8affineinv_epi64_epi8(t, c->p, 0);
	__m512i q = _mm512_gf2p8affineinv_epi64_epi8(t, c->q, 0);
	__m512i u = _mm512_xor_si512(p, _mm512_shuffle_epi8(q, c->turn1));

	y0 = _mm512_ternarylogic_epi32(y0, u, d, 0x96);
	return _mm512_ternarylogic_epi32(
		y0, _mm512_shuffle_epi8(u, c->turn1), _mm512_shuffle_epi8(u, c->turn2), 0x96);
}

/* Matrices and shuffles of a round that must not wait. */
struct hf_sm4_512_quick {
	__m512i p;
	__m512i q;
	__m512i e;
	__m512i turn1;
	__m512i turn2;
	__m512i turn3;
};

static HF_ALWAYS_INLINE struct hf_sm4_512_quick hf_sm4_512_quick_set(void)
{
	return (struct hf_sm4_512_quick){
		_mm512_set1_epi64(HF_SM4_GFNI_P),
		_mm512_set1_epi64(HF_SM4_GFNI_Q),
		_mm512_set1_epi64(HF_SM4_GFNI_E),
		_mm512_broadcast_i32x4(hf_sm4_512_turn(1)),
		_mm512_broadcast_i32x4(hf_sm4_512_turn(2)),
		_mm512_broadcast_i32x4(hf_sm4_512_turn(3)),
	};
}

/* Round i of four: y[i] becomes the new word; t is its S-box input and becomes the next one. */
static HF_ALWAYS_INLINE void hf_sm4_512_quick_word(
	__m512i y[4], __m512i *t, const size_t i, __m512i d, const struct hf_sm4_512_quick *c)
{
	__m512i q = _mm512_gf2p8affineinv_epi64_epi8(*t, c->q, 0);
	__m512i y0 = _mm512_xor_si512(y[i], d);
	__m512i rest = _mm512_ternarylogic_epi32(y0, y[(i + 2) % 4], y[(i + 3) % 4], 0x96);
	__m512i e;
	__m512i e1;
	__m512i e2;
	__m512i p;

	HF_FORGET_VECTOR(*t); /* q, e and p are wanted in this order */
	e = _mm512_gf2p8affineinv_epi64_epi8(*t, c->e, 0);
	HF_FORGET_VECTOR(*t);
	p = _mm512_gf2p8affineinv_epi64_epi8(*t, c->p, 0);
	q = _mm512_shuffle_epi8(q, c->turn3);
	e1 = _mm512_shuffle_epi8(e, c->turn1);
	e2 = _mm512_shuffle_epi8(e, c->turn2);
	HF_FORGET_VECTOR(rest);
	rest = _mm512_ternarylogic_epi32(rest, p, q, 0x96);
	HF_FORGET_VECTOR(rest);
	*t = _mm512_ternarylogic_epi32(rest, e1, e2, 0x96);
	y0 = _mm512_ternarylogic_epi32(y0, p, q, 0x96);
	y[i] = _mm512_ternarylogic_epi32(y0, e1, e2, 0x96);
}

/* Four rounds of n_groups <= WIDE groups, the constant known to the compiler. */
static HF_ALWAYS_INLINE void hf_sm4_512_four_rounds(const uint32_t d[4],
	__m512i y[HF_SM4_512_WIDE][4], const size_t n_groups, const struct hf_sm4_512_round *c)
{
	HF_UNROLL
	for (size_t i = 0; i < 4; i++) {
		__m512i di = _mm512_set1_epi32((int)d[i]);

		HF_UNROLL
		for (size_t g = 0; g < n_groups; g++)
			y[g][i] = hf_sm4_512_word(y[g][i], y[g][(i + 1) % 4], y[g][(i + 2) % 4],
				y[g][(i + 3) % 4], di, c);
	}
}

static HF_ALWAYS_INLINE void hf_sm4_512_quick_rounds(
	const struct hf_sm4_domain_keys *s, __m512i y[HF_SM4_512_WIDE][4], const size_t n_groups)
{
	const struct hf_sm4_512_quick c = hf_sm4_512_quick_set();
	__m512i t[2];

	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++)
		t[g] = _mm512_ternarylogic_epi32(y[g][1], y[g][2], y[g][3], 0x96);
	for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
		HF_UNROLL
		for (size_t i = 0; i < 4; i++) {
			__m512i d = _mm512_set1_epi32((int)s->d[r + i]);

			HF_UNROLL
			for (size_t g = 0; g < n_groups; g++)
				hf_sm4_512_quick_word(y[g], &t[g], i, d, &c);
		}
	}
}

/* All rounds. */
static HF_ALWAYS_INLINE void hf_sm4_512_rounds(
	const struct hf_sm4_domain_keys *s, __m512i y[HF_SM4_512_WIDE][4], const size_t n_groups)
{
	const struct hf_sm4_512_round c = hf_sm4_512_round_set();

	if (n_groups <= 2) {
		hf_sm4_512_quick_rounds(s, y, n_groups);
		return;
	}
	for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4)
		hf_sm4_512_four_rounds(s->d + r, y, n_groups, &c);
}

/* Transposes the 4 x 4 words in each 128-bit lane. */
static HF_ALWAYS_INLINE void hf_sm4_512_transpose(__m512i v[4])
{
	__m512i a = _mm512_unpacklo_epi32(v[0], v[1]);
	__m512i b = _mm512_unpackhi_epi32(v[0], v[1]);
	__m512i c = _mm512_unpacklo_epi32(v[2], v[3]);
	__m512i d = _mm512_unpackhi_epi32(v[2], v[3]);

	v[0] = _mm512_unpacklo_epi64(a, c);
	v[1] = _mm512_unpackhi_epi64(a, c);
	v[2] = _mm512_unpacklo_epi64(b, d);
	v[3] = _mm512_unpackhi_epi64(b, d);
}

/*
 * Four registers of blocks into the domain, words apart, key `first` added. Block 4 * j + l is lane
 * l of register j.
 */
static HF_ALWAYS_INLINE void hf_sm4_512_in(__m512i y[4], const __m512i blocks[4], __m512i first)
{
	const __m512i swap = _mm512_broadcast_i32x4(hf_sm4_512_byte_swap());

	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		y[j] = _mm512_gf2p8affine_epi64_epi8(
			_mm512_shuffle_epi8(blocks[j], swap), _mm512_set1_epi64(HF_SM4_GFNI_IN), 0);
	hf_sm4_512_transpose(y);
	y[3] = _mm512_xor_si512(y[3], first);
}

/* And back, keys `last` added, in the order X35, X34, X33, X32 (the reverse transformation R). */
static HF_ALWAYS_INLINE void hf_sm4_512_out(
	__m512i blocks[4], const __m512i y[4], const __m512i last[4])
{
	const __m512i swap = _mm512_broadcast_i32x4(hf_sm4_512_byte_swap());

	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		blocks[j] = _mm512_xor_si512(y[3 - j], last[3 - j]);
	hf_sm4_512_transpose(blocks);
	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		blocks[j] = _mm512_shuffle_epi8(_mm512_gf2p8affine_epi64_epi8(blocks[j],
							_mm512_set1_epi64(HF_SM4_GFNI_BACK), 0),
			swap);
}

static HF_ALWAYS_INLINE void hf_sm4_512_out_of(
	const struct hf_sm4_domain_keys *s, __m512i blocks[4], const __m512i y[4])
{
	__m512i last[4];

	HF_UNROLL
	for (size_t j = 0; j < 4; j++)
		last[j] = _mm512_set1_epi32((int)s->last[j]);
	hf_sm4_512_out(blocks, y, last);
}

/* Which 64-bit halves of blocks belong to the register at block `at`, of n in all. */
static HF_ALWAYS_INLINE __mmask8 hf_sm4_512_mask(size_t n, size_t at)
{
	if (n >= at + 4)
		return 0xff;
	return n <= at ? 0 : (__mmask8)((1u << 2 * (n - at)) - 1);
}

static HF_ALWAYS_INLINE __m512i hf_sm4_512_load(const uint8_t *in, size_t n, size_t at)
{
	return _mm512_maskz_loadu_epi64(hf_sm4_512_mask(n, at), in + at * HF_SM4_BLOCK_LEN);
}

static HF_ALWAYS_INLINE void hf_sm4_512_store(uint8_t *out, size_t n, size_t at, __m512i v)
{
	_mm512_mask_storeu_epi64(out + at * HF_SM4_BLOCK_LEN, hf_sm4_512_mask(n, at), v);
}

/* A counter block: its first three words in the domain, in a register, and the last as a number. */
struct hf_sm4_512_counter {
	__m128i nonce;
	uint32_t c;
};

/* block: the bytes of the counter block. */
static HF_ALWAYS_INLINE struct hf_sm4_512_counter hf_sm4_512_counter_of(__m128i block, uint32_t c)
{
	return (struct hf_sm4_512_counter){
		_mm_gf2p8affine_epi64_epi8(_mm_shuffle_epi8(block, hf_sm4_512_byte_swap()),
			_mm_set1_epi64x(HF_SM4_GFNI_IN), 0),
		c,
	};
}

/* n_groups groups of counter blocks from c on, ready for the rounds. */
static HF_ALWAYS_INLINE void hf_sm4_512_counters(const struct hf_sm4_domain_keys *s,
	const struct hf_sm4_512_counter *c, __m512i y[HF_SM4_512_WIDE][4], const size_t n_groups)
{
	/* Word of block 4 * j + l at place 4 * l + j, as hf_sm4_512_in() would put it. */
	const __m512i place =
		_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);

	const __m512i nonce[3] = {
		_mm512_broadcastd_epi32(c->nonce),
		_mm512_broadcastd_epi32(_mm_shuffle_epi32(c->nonce, 0x55)),
		_mm512_broadcastd_epi32(_mm_shuffle_epi32(c->nonce, 0xaa)),
	};

	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		uint32_t at = c->c + (uint32_t)(HF_SM4_512_GROUP * g);
		__m512i v = _mm512_add_epi32(_mm512_set1_epi32((int)at), place);

		HF_UNROLL
		for (size_t j = 0; j < 3; j++)
			y[g][j] = nonce[j];
		v = _mm512_gf2p8affine_epi64_epi8(v, _mm512_set1_epi64(HF_SM4_GFNI_IN), 0);
		y[g][3] = _mm512_xor_si512(v, _mm512_set1_epi32((int)s->first));
	}
}

#endif
