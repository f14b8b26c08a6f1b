/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of the SM4 kernels without AVX-512, by the flags of the file: of 32 bytes with AVX2, of
 * 16 without; and the round of SM4 on them, with GFNI or with AES-NI.
 *
 * GFNI: the mathematics is that of sm4_x86_gfni512.h, u = p + R q and then u + R u + R^2 u.
 *
 * AES-NI: the inversion is AES's S-box, by AESENCLAST with a zero key; its affine map is undone by
 * the linear maps p and q that follow, each the sum of two look-ups by nibble (PSHUFB, a look-up
 * within a register). AESENCLAST also shifts the rows; u stays shifted, and the three shuffles of
 * the sum shift it back. Without VAES, AESENCLAST takes 16 bytes.
 */
#ifndef HF_CRYPTO_SM4_SM4_X86_VEC_H
#define HF_CRYPTO_SM4_SM4_X86_VEC_H

#include <immintrin.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypto/sm4/sm4_fields.h"

/* A linear map on bytes: the images of the low and of the high nibbles. */
struct hf_sm4_map {
	uint8_t low[16];
	uint8_t high[16];
};

static HF_ALWAYS_INLINE __m128i hf_sm4_load16(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static HF_ALWAYS_INLINE void hf_sm4_store16(void *p, __m128i v)
{
	_mm_storeu_si128((__m128i *)p, v);
}

#if defined(__AVX2__)

enum { HF_SM4_VEC_LEN = 32 };
typedef __m256i hf_sm4_vec;

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

static HF_ALWAYS_INLINE void hf_sm4_vec_store(void *p, hf_sm4_vec v)
{
	_mm256_storeu_si256((__m256i *)p, v);
}

/* The same 16 bytes in every lane. */
static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_all(__m128i v)
{
	return _mm256_broadcastsi128_si256(v);
}

static HF_ALWAYS_INLINE __m128i hf_sm4_vec_first(hf_sm4_vec v)
{
	return _mm256_castsi256_si128(v);
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_words(uint32_t w)
{
	return _mm256_set1_epi32((int)w);
}

/* Word of block (lanes * j + l) of a group at place 4 * l + j: its number. */
static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_places(void)
{
	return _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
}

#define HF_SM4_VEC_XOR(a, b)     _mm256_xor_si256(a, b)
#define HF_SM4_VEC_AND(a, b)     _mm256_and_si256(a, b)
#define HF_SM4_VEC_ADD(a, b)     _mm256_add_epi32(a, b)
#define HF_SM4_VEC_SHUFFLE(a, m) _mm256_shuffle_epi8(a, m)
#define HF_SM4_VEC_HIGH(a)       _mm256_srli_epi16(a, 4)
#define HF_SM4_VEC_LO32(a, b)    _mm256_unpacklo_epi32(a, b)
#define HF_SM4_VEC_HI32(a, b)    _mm256_unpackhi_epi32(a, b)
#define HF_SM4_VEC_LO64(a, b)    _mm256_unpacklo_epi64(a, b)
#define HF_SM4_VEC_HI64(a, b)    _mm256_unpackhi_epi64(a, b)

#else

enum { HF_SM4_VEC_LEN = 16 };
typedef __m128i hf_sm4_vec;

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_load(const void *p)
{
	return hf_sm4_load16(p);
}

static HF_ALWAYS_INLINE void hf_sm4_vec_store(void *p, hf_sm4_vec v)
{
	hf_sm4_store16(p, v);
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_all(__m128i v)
{
	return v;
}

static HF_ALWAYS_INLINE __m128i hf_sm4_vec_first(hf_sm4_vec v)
{
	return v;
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_words(uint32_t w)
{
	return _mm_set1_epi32((int)w);
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_places(void)
{
	return _mm_setr_epi32(0, 1, 2, 3);
}

#define HF_SM4_VEC_XOR(a, b)     _mm_xor_si128(a, b)
#define HF_SM4_VEC_AND(a, b)     _mm_and_si128(a, b)
#define HF_SM4_VEC_ADD(a, b)     _mm_add_epi32(a, b)
#define HF_SM4_VEC_SHUFFLE(a, m) _mm_shuffle_epi8(a, m)
#define HF_SM4_VEC_HIGH(a)       _mm_srli_epi16(a, 4)
#define HF_SM4_VEC_LO32(a, b)    _mm_unpacklo_epi32(a, b)
#define HF_SM4_VEC_HI32(a, b)    _mm_unpackhi_epi32(a, b)
#define HF_SM4_VEC_LO64(a, b)    _mm_unpacklo_epi64(a, b)
#define HF_SM4_VEC_HI64(a, b)    _mm_unpackhi_epi64(a, b)

#endif

/* 16 bytes in memory, in every lane. */
static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_repeat(const uint8_t p[16])
{
	return hf_sm4_vec_all(hf_sm4_load16(p));
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_vec_xor3(hf_sm4_vec a, hf_sm4_vec b, hf_sm4_vec c)
{
	return HF_SM4_VEC_XOR(HF_SM4_VEC_XOR(a, b), c);
}

static const uint8_t hf_sm4_byte_swap[16] = { 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13,
	12 };

#if defined(__GFNI__)

/* Every byte of a word n places up. */
static const uint8_t hf_sm4_turn[4][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14 },
	{ 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13 },
	{ 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12 },
};

#if defined(__AVX2__)
#define HF_SM4_VEC_MATRIX(m)        _mm256_set1_epi64x((long long)(m))
#define HF_SM4_VEC_AFFINE(x, m)     _mm256_gf2p8affine_epi64_epi8(x, HF_SM4_VEC_MATRIX(m), 0)
#define HF_SM4_VEC_AFFINE_INV(x, m) _mm256_gf2p8affineinv_epi64_epi8(x, HF_SM4_VEC_MATRIX(m), 0)
#else
#define HF_SM4_VEC_MATRIX(m)        _mm_set1_epi64x((long long)(m))
#define HF_SM4_VEC_AFFINE(x, m)     _mm_gf2p8affine_epi64_epi8(x, HF_SM4_VEC_MATRIX(m), 0)
#define HF_SM4_VEC_AFFINE_INV(x, m) _mm_gf2p8affineinv_epi64_epi8(x, HF_SM4_VEC_MATRIX(m), 0)
#endif

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_to_domain(hf_sm4_vec x)
{
	return HF_SM4_VEC_AFFINE(x, HF_SM4_GFNI_IN);
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_from_domain(hf_sm4_vec x)
{
	return HF_SM4_VEC_AFFINE(x, HF_SM4_GFNI_BACK);
}

/* What the S-box input t adds to a word: L(S(t)) in the domain but for the constant. */
static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_add_to_word(hf_sm4_vec y, hf_sm4_vec t)
{
	hf_sm4_vec turn1 = hf_sm4_vec_repeat(hf_sm4_turn[1]);
	hf_sm4_vec turn2 = hf_sm4_vec_repeat(hf_sm4_turn[2]);
	hf_sm4_vec p = HF_SM4_VEC_AFFINE_INV(t, HF_SM4_GFNI_P);
	hf_sm4_vec q = HF_SM4_VEC_AFFINE_INV(t, HF_SM4_GFNI_Q);
	hf_sm4_vec u = HF_SM4_VEC_XOR(p, HF_SM4_VEC_SHUFFLE(q, turn1));

	return HF_SM4_VEC_XOR(
		hf_sm4_vec_xor3(y, u, HF_SM4_VEC_SHUFFLE(u, turn1)), HF_SM4_VEC_SHUFFLE(u, turn2));
}

/* The three sums of bytes that one chain wants: p + R^3 q beside, then R e and R^2 e. */
static HF_ALWAYS_INLINE void hf_sm4_chain_sums(__m128i *beside, __m128i *late, __m128i t)
{
	__m128i q = _mm_gf2p8affineinv_epi64_epi8(t, _mm_set1_epi64x(HF_SM4_GFNI_Q), 0);
	__m128i e = _mm_gf2p8affineinv_epi64_epi8(t, _mm_set1_epi64x(HF_SM4_GFNI_E), 0);
	__m128i p = _mm_gf2p8affineinv_epi64_epi8(t, _mm_set1_epi64x(HF_SM4_GFNI_P), 0);

	*beside = _mm_xor_si128(p, _mm_shuffle_epi8(q, hf_sm4_load16(hf_sm4_turn[3])));
	*late = _mm_xor_si128(_mm_shuffle_epi8(e, hf_sm4_load16(hf_sm4_turn[1])),
		_mm_shuffle_epi8(e, hf_sm4_load16(hf_sm4_turn[2])));
}

#else

static const struct hf_sm4_map hf_sm4_map_in = { HF_SM4_IN_LOW, HF_SM4_IN_HIGH };
static const struct hf_sm4_map hf_sm4_map_back = { HF_SM4_BACK_LOW, HF_SM4_BACK_HIGH };
static const struct hf_sm4_map hf_sm4_map_p = { HF_SM4_P_LOW, HF_SM4_P_HIGH };
static const struct hf_sm4_map hf_sm4_map_q = { HF_SM4_Q_LOW, HF_SM4_Q_HIGH };
static const struct hf_sm4_map hf_sm4_map_e = { HF_SM4_E_LOW, HF_SM4_E_HIGH };

/* Undoes ShiftRows and moves every byte of a word n places up. */
static const uint8_t hf_sm4_turn[4][16] = {
	{ 0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3 },
	{ 7, 0, 13, 10, 11, 4, 1, 14, 15, 8, 5, 2, 3, 12, 9, 6 },
	{ 10, 7, 0, 13, 14, 11, 4, 1, 2, 15, 8, 5, 6, 3, 12, 9 },
	{ 13, 10, 7, 0, 1, 14, 11, 4, 5, 2, 15, 8, 9, 6, 3, 12 },
};

/* Moves one place up what stays shifted. */
static const uint8_t hf_sm4_turn_rows[16] = { 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14, 3, 0, 1,
	2 };

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_low_nibbles(hf_sm4_vec x)
{
	return HF_SM4_VEC_AND(x, hf_sm4_vec_words(0x0f0f0f0f));
}

/* The map on the bytes whose nibbles are given. */
static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_look_up(
	const struct hf_sm4_map *m, hf_sm4_vec low, hf_sm4_vec high)
{
	return HF_SM4_VEC_XOR(HF_SM4_VEC_SHUFFLE(hf_sm4_vec_repeat(m->low), low),
		HF_SM4_VEC_SHUFFLE(hf_sm4_vec_repeat(m->high), high));
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_to_domain(hf_sm4_vec x)
{
	return hf_sm4_look_up(
		&hf_sm4_map_in, hf_sm4_low_nibbles(x), hf_sm4_low_nibbles(HF_SM4_VEC_HIGH(x)));
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_from_domain(hf_sm4_vec x)
{
	return hf_sm4_look_up(
		&hf_sm4_map_back, hf_sm4_low_nibbles(x), hf_sm4_low_nibbles(HF_SM4_VEC_HIGH(x)));
}

/* AES's S-box and ShiftRows. */
static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_aes(hf_sm4_vec t)
{
#if !defined(__AVX2__)
	return _mm_aesenclast_si128(t, _mm_setzero_si128());
#elif defined(__VAES__)
	return _mm256_aesenclast_epi128(t, _mm256_setzero_si256());
#else
	const __m128i zero = _mm_setzero_si128();
	__m128i low = _mm_aesenclast_si128(_mm256_castsi256_si128(t), zero);
	__m128i high = _mm_aesenclast_si128(_mm256_extracti128_si256(t, 1), zero);

	return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
#endif
}

static HF_ALWAYS_INLINE hf_sm4_vec hf_sm4_add_to_word(hf_sm4_vec y, hf_sm4_vec t)
{
	hf_sm4_vec s = hf_sm4_aes(t);
	hf_sm4_vec low = hf_sm4_low_nibbles(s);
	hf_sm4_vec high = hf_sm4_low_nibbles(HF_SM4_VEC_HIGH(s));
	hf_sm4_vec p = hf_sm4_look_up(&hf_sm4_map_p, low, high);
	hf_sm4_vec q = hf_sm4_look_up(&hf_sm4_map_q, low, high);
	hf_sm4_vec u =
		HF_SM4_VEC_XOR(p, HF_SM4_VEC_SHUFFLE(q, hf_sm4_vec_repeat(hf_sm4_turn_rows)));

	return HF_SM4_VEC_XOR(
		HF_SM4_VEC_XOR(y, HF_SM4_VEC_SHUFFLE(u, hf_sm4_vec_repeat(hf_sm4_turn[0]))),
		HF_SM4_VEC_XOR(HF_SM4_VEC_SHUFFLE(u, hf_sm4_vec_repeat(hf_sm4_turn[1])),
			HF_SM4_VEC_SHUFFLE(u, hf_sm4_vec_repeat(hf_sm4_turn[2]))));
}

/* The map on 16 bytes, moved n places up. */
static HF_ALWAYS_INLINE __m128i hf_sm4_chain_part(
	const struct hf_sm4_map *m, __m128i low, __m128i high)
{
	return _mm_xor_si128(_mm_shuffle_epi8(hf_sm4_load16(m->low), low),
		_mm_shuffle_epi8(hf_sm4_load16(m->high), high));
}

static HF_ALWAYS_INLINE void hf_sm4_chain_sums(__m128i *beside, __m128i *late, __m128i t)
{
	const __m128i nibble = _mm_set1_epi8(0x0f);
	__m128i s = _mm_aesenclast_si128(t, _mm_setzero_si128());
	__m128i low = _mm_and_si128(s, nibble);
	__m128i high = _mm_and_si128(_mm_srli_epi16(s, 4), nibble);
	__m128i e = hf_sm4_chain_part(&hf_sm4_map_e, low, high);
	__m128i p = hf_sm4_chain_part(&hf_sm4_map_p, low, high);
	__m128i q = hf_sm4_chain_part(&hf_sm4_map_q, low, high);

	*beside = _mm_xor_si128(_mm_shuffle_epi8(p, hf_sm4_load16(hf_sm4_turn[0])),
		_mm_shuffle_epi8(q, hf_sm4_load16(hf_sm4_turn[3])));
	*late = _mm_xor_si128(_mm_shuffle_epi8(e, hf_sm4_load16(hf_sm4_turn[1])),
		_mm_shuffle_epi8(e, hf_sm4_load16(hf_sm4_turn[2])));
}

#endif

#endif
