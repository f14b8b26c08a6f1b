/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 with GFNI and AVX-512. The mathematics of a round is in sm4_x86_gfni512.h.
 *
 * One CBC chain waits for itself: it has the round of the shortest way. It lies in the lowest word
 * of 128-bit registers and stays in the domain from block to block; input and output pass the maps
 * beside the chain.
 *
 * XTS multiplies the tweaks of four blocks by x^8 at once: the bytes move one place up, and byte 15
 * comes back into bytes 0 and 1 times 1 + x + x^2 + x^7, by two matrices of GFNI; which ones is all
 * that the order of the bits changes.
 *
 * Preconditions: HF_CPU_AVX512 and HF_CPU_GFNI. Constant time: no look-up, no branch on data; all
 * instructions have fixed latency. Tails are masked loads and stores: no byte beyond the blocks is
 * touched. Measured on a Zen 5 server core at 4.4 GHz: 16 KiB of CTR 7.8 GB/s, 21 times the C
 * reference; CBC decryption 7.5 and XTS 6.9 GB/s (5 and 4 as made of ECB); one CBC chain 0.22 GB/s,
 * 6 times; 16 chains 3.1 GB/s, 9 times.
 */
#include "crypto/sm4/sm4_kernel.h"

#include "base/endian.h"
#include "crypto/module.h"
#include "crypto/sm4/sm4_x86_gfni512.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP = HF_SM4_512_GROUP,
	WIDE = HF_SM4_512_WIDE,
};

/* The round keys of 16 lanes, one a lane. */
struct schedule_lanes {
	__m512i d[HF_SM4_ROUNDS];
	__m512i first;
	__m512i last[4];
};

static void schedule_of_lanes(struct schedule_lanes *s, const struct hf_sm4_lane *lanes, size_t n)
{
	const __m512i round = _mm512_set1_epi8(HF_SM4_ROUND_BYTE);
	uint32_t z[HF_SM4_ROUNDS][GROUP] = { { 0 } };
	__m512i g[HF_SM4_ROUNDS + 4];

	for (size_t i = 0; i < n; i++)
		for (size_t r = 0; r < HF_SM4_ROUNDS; r++) /* where the words of block i go */
			z[r][i % 4 * 4 + i / 4] = lanes[i].rk[r];
	for (size_t i = 0; i < 3; i++)
		g[i] = _mm512_setzero_si512();
	for (size_t r = 0; r < HF_SM4_ROUNDS; r++)
		g[r + 3] = _mm512_ternarylogic_epi32(
			hf_sm4_512_key_in(_mm512_loadu_si512(z[r])), g[r + 1], g[r + 2], 0x96);
	s->first = g[3];
	g[HF_SM4_ROUNDS + 3] = _mm512_setzero_si512();
	for (size_t r = 0; r < HF_SM4_ROUNDS; r++)
		s->d[r] = _mm512_ternarylogic_epi32(g[r], g[r + 4], round, 0x96);
	memcpy(s->last, g + HF_SM4_ROUNDS, sizeof(s->last));
	hf_wipe(z, sizeof(z));
	hf_wipe(g, sizeof(g));
}

/* n <= 16 * n_groups blocks of ECB. */
static HF_ALWAYS_INLINE void ecb_groups(const struct hf_sm4_domain_keys *s, uint8_t *out,
	const uint8_t *in, size_t n, const size_t n_groups)
{
	const __m512i first = _mm512_set1_epi32((int)s->first);
	__m512i y[WIDE][4];
	__m512i blocks[4];

	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			blocks[j] = hf_sm4_512_load(in, n, GROUP * g + 4 * j);
		hf_sm4_512_in(y[g], blocks, first);
	}
	hf_sm4_512_rounds(s, y, n_groups);
	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		hf_sm4_512_out_of(s, blocks, y[g]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			hf_sm4_512_store(out, n, GROUP * g + 4 * j, blocks[j]);
	}
}

static void ecb_gfni(
	const uint32_t rk[HF_SM4_ROUNDS], uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;

	hf_sm4_512_schedule(&s, rk);
	for (; n_blocks >= WIDE * GROUP; n_blocks -= WIDE * GROUP) {
		ecb_groups(&s, out, in, WIDE * GROUP, WIDE);
		out += WIDE * GROUP * BLOCK;
		in += WIDE * GROUP * BLOCK;
	}
	if (n_blocks > 2 * GROUP)
		ecb_groups(&s, out, in, n_blocks, WIDE);
	else if (n_blocks > GROUP)
		ecb_groups(&s, out, in, n_blocks, 2);
	else if (n_blocks > 0)
		ecb_groups(&s, out, in, n_blocks, 1);
	hf_wipe(&s, sizeof(s));
}

static HF_ALWAYS_INLINE void ctr_groups(const struct hf_sm4_domain_keys *s,
	const struct hf_sm4_512_counter *c, uint8_t *out, const uint8_t *in, size_t n,
	const size_t n_groups)
{
	__m512i y[WIDE][4];
	__m512i blocks[4];

	hf_sm4_512_counters(s, c, y, n_groups);
	hf_sm4_512_rounds(s, y, n_groups);
	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		hf_sm4_512_out_of(s, blocks, y[g]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++) {
			size_t at = GROUP * g + 4 * j;

			hf_sm4_512_store(out, n, at,
				_mm512_xor_si512(blocks[j], hf_sm4_512_load(in, n, at)));
		}
	}
}

static void ctr32_gfni(const uint32_t rk[HF_SM4_ROUNDS], uint8_t counter[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	struct hf_sm4_512_counter c;

	hf_sm4_512_schedule(&s, rk);
	c = hf_sm4_512_counter_of(hf_sm4_512_load16(counter), hf_get_be32(counter + 12));
	hf_put_be32(counter + 12, c.c + (uint32_t)n_blocks);

	for (; n_blocks >= WIDE * GROUP; n_blocks -= WIDE * GROUP) {
		ctr_groups(&s, &c, out, in, WIDE * GROUP, WIDE);
		out += WIDE * GROUP * BLOCK;
		in += WIDE * GROUP * BLOCK;
		c.c += WIDE * GROUP;
	}
	if (n_blocks > 2 * GROUP)
		ctr_groups(&s, &c, out, in, n_blocks, WIDE);
	else if (n_blocks > GROUP)
		ctr_groups(&s, &c, out, in, n_blocks, 2);
	else if (n_blocks > 0)
		ctr_groups(&s, &c, out, in, n_blocks, 1);
	hf_wipe(&s, sizeof(s));
}

/* One chain: the words y and the S-box input t, each in the lowest place of a register. */
struct chain {
	__m128i y[4];
	__m128i t;
};

/* Round i of four: y[i] becomes the new word, t the input of the next S-box. */
static HF_ALWAYS_INLINE void chain_round(struct chain *c, const size_t i, const uint32_t *d)
{
	__m128i q = _mm_gf2p8affineinv_epi64_epi8(c->t, _mm_set1_epi64x(HF_SM4_GFNI_Q), 0);
	__m128i e;
	__m128i p;
	__m128i y = _mm_xor_si128(c->y[i], _mm_set1_epi32((int)*d));
	__m128i rest = _mm_ternarylogic_epi32(y, c->y[(i + 2) % 4], c->y[(i + 3) % 4], 0x96);
	__m128i e1;
	__m128i e2;

	HF_FORGET_VECTOR(c->t); /* q, e and p are wanted in this order */
	e = _mm_gf2p8affineinv_epi64_epi8(c->t, _mm_set1_epi64x(HF_SM4_GFNI_E), 0);
	HF_FORGET_VECTOR(c->t);
	p = _mm_gf2p8affineinv_epi64_epi8(c->t, _mm_set1_epi64x(HF_SM4_GFNI_P), 0);
	q = _mm_shuffle_epi8(q, hf_sm4_512_turn(3));
	e1 = _mm_shuffle_epi8(e, hf_sm4_512_turn(1));
	e2 = _mm_shuffle_epi8(e, hf_sm4_512_turn(2));
	HF_FORGET_VECTOR(rest);
	rest = _mm_ternarylogic_epi32(rest, p, q, 0x96);
	HF_FORGET_VECTOR(rest);
	c->t = _mm_ternarylogic_epi32(rest, e1, e2, 0x96);
	y = _mm_ternarylogic_epi32(y, p, q, 0x96);
	c->y[i] = _mm_ternarylogic_epi32(y, e1, e2, 0x96);
}

/* A block's words in the domain, apart. */
static HF_ALWAYS_INLINE void words_of(__m128i y[4], __m128i block)
{
	y[0] = _mm_gf2p8affine_epi64_epi8(_mm_shuffle_epi8(block, hf_sm4_512_byte_swap()),
		_mm_set1_epi64x(HF_SM4_GFNI_IN), 0);
	y[1] = _mm_shuffle_epi32(y[0], 0x55);
	y[2] = _mm_shuffle_epi32(y[0], 0xaa);
	y[3] = _mm_shuffle_epi32(y[0], 0xff);
}

static HF_ALWAYS_INLINE __m128i block_of(const __m128i y[4])
{
	__m128i v =
		_mm_unpacklo_epi64(_mm_unpacklo_epi32(y[0], y[1]), _mm_unpacklo_epi32(y[2], y[3]));

	v = _mm_gf2p8affine_epi64_epi8(v, _mm_set1_epi64x(HF_SM4_GFNI_BACK), 0);
	return _mm_shuffle_epi8(v, hf_sm4_512_byte_swap());
}

static void cbc_gfni(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	struct chain c;
	__m128i last[4]; /* the last ciphertext block, in the domain */

	hf_sm4_512_schedule(&s, rk);
	words_of(last, hf_sm4_512_load16(iv));
	for (size_t n = n_blocks; n > 0; n--) {
		words_of(c.y, hf_sm4_512_load16(in));
		c.y[3] = _mm_xor_si128(c.y[3], _mm_cvtsi32_si128((int)s.first));
		HF_UNROLL
		for (size_t i = 0; i < 4; i++) {
			HF_FORGET_VECTOR(c.y[i]);
			c.y[i] = _mm_xor_si128(c.y[i], last[i]);
		}
		c.t = _mm_ternarylogic_epi32(c.y[1], c.y[2], c.y[3], 0x96);
		HF_UNROLL
		for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
			HF_UNROLL
			for (size_t i = 0; i < 4; i++)
				chain_round(&c, i, &s.d[r + i]);
		}
		HF_UNROLL
		for (size_t i = 0; i < 4; i++)
			last[i] = _mm_xor_si128(c.y[3 - i], _mm_cvtsi32_si128((int)s.last[3 - i]));
		in += BLOCK;
		if (out != NULL) {
			hf_sm4_512_store16(out, block_of(last));
			out += BLOCK;
		}
	}
	if (n_blocks > 0)
		hf_sm4_512_store16(iv, block_of(last));
	hf_wipe(&s, sizeof(s));
}

/* Block `at` of the lanes, of which n are busy, and zero of the others. */
static HF_ALWAYS_INLINE void lanes_load(
	__m512i blocks[4], const struct hf_sm4_lane *lanes, size_t n, size_t at)
{
	HF_UNROLL
	for (size_t j = 0; j < 4; j++) {
		__m128i b[4];

		HF_UNROLL
		for (size_t l = 0; l < 4; l++)
			b[l] = 4 * j + l < n ? hf_sm4_512_load16(lanes[4 * j + l].in + at)
					     : _mm_setzero_si128();
		blocks[j] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set_m128i(b[1], b[0])),
			_mm256_set_m128i(b[3], b[2]), 1);
	}
}

/* Where block i goes: out + at; NULL: nowhere. */
static HF_ALWAYS_INLINE void lanes_store(
	const struct hf_sm4_lane *lanes, size_t n, size_t at, const __m512i blocks[4])
{
	HF_UNROLL
	for (size_t j = 0; j < 4; j++) {
		__m128i b[4] = { _mm512_castsi512_si128(blocks[j]),
			_mm512_extracti32x4_epi32(blocks[j], 1),
			_mm512_extracti32x4_epi32(blocks[j], 2),
			_mm512_extracti32x4_epi32(blocks[j], 3) };

		HF_UNROLL
		for (size_t l = 0; l < 4; l++)
			if (4 * j + l < n && lanes[4 * j + l].out != NULL)
				hf_sm4_512_store16(lanes[4 * j + l].out + at, b[l]);
	}
}

/* As cbc_gfni(): the chains stay in the domain. */
static void cbc_lanes_gfni(const struct hf_sm4_lane *lanes, size_t n, size_t n_blocks)
{
	const struct hf_sm4_512_quick c = hf_sm4_512_quick_set();
	const __m512i zero = _mm512_setzero_si512();
	const __m512i zeros[4] = { zero, zero, zero, zero };
	struct hf_sm4_lane ends[GROUP];
	struct schedule_lanes s;
	__m512i last[4]; /* the last ciphertext blocks, in the domain */
	__m512i blocks[4];

	schedule_of_lanes(&s, lanes, n);
	for (size_t i = 0; i < n; i++)
		ends[i] = (struct hf_sm4_lane){ NULL, NULL, lanes[i].iv, lanes[i].iv };
	lanes_load(blocks, ends, n, 0);
	hf_sm4_512_in(last, blocks, zero);
	for (size_t at = 0; at < n_blocks * BLOCK; at += BLOCK) {
		__m512i y[4];
		__m512i t;

		lanes_load(blocks, lanes, n, at);
		hf_sm4_512_in(y, blocks, s.first);
		HF_UNROLL
		for (size_t i = 0; i < 4; i++)
			y[i] = _mm512_xor_si512(y[i], last[i]);
		t = _mm512_ternarylogic_epi32(y[1], y[2], y[3], 0x96);
		for (size_t r = 0; r < HF_SM4_ROUNDS; r += 4) {
			HF_UNROLL
			for (size_t i = 0; i < 4; i++)
				hf_sm4_512_quick_word(y, &t, i, s.d[r + i], &c);
		}
		HF_UNROLL
		for (size_t i = 0; i < 4; i++)
			last[i] = _mm512_xor_si512(y[3 - i], s.last[3 - i]);
		hf_sm4_512_out(
			blocks, (const __m512i[4]){ last[3], last[2], last[1], last[0] }, zeros);
		lanes_store(lanes, n, at, blocks);
	}
	if (n_blocks > 0)
		lanes_store(ends, n, 0, blocks);
	hf_wipe(&s, sizeof(s));
}

/*
 * n <= 16 * n_groups blocks of CBC decryption. The ciphertext before a block is read when the
 * block is written, so writing goes from the end: out may be in.
 */
static HF_ALWAYS_INLINE void cbc_decrypt_groups(const struct hf_sm4_domain_keys *s, __m128i *iv,
	uint8_t *out, const uint8_t *in, size_t n, const size_t n_groups)
{
	const __m512i first = _mm512_set1_epi32((int)s->first);
	__m128i next = hf_sm4_512_load16(in + (n - 1) * BLOCK);
	__m512i y[WIDE][4];
	__m512i blocks[4];
	__m512i before;

	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			blocks[j] = hf_sm4_512_load(in, n, GROUP * g + 4 * j);
		hf_sm4_512_in(y[g], blocks, first);
	}
	hf_sm4_512_rounds(s, y, n_groups);
	HF_UNROLL
	for (size_t g = n_groups; g-- > 0;) {
		hf_sm4_512_out_of(s, blocks, y[g]);
		HF_UNROLL
		for (size_t j = 4; j-- > 0;) {
			size_t at = GROUP * g + 4 * j;

			if (at > 0)
				before = hf_sm4_512_load(in - BLOCK, n, at);
			else
				before = _mm512_inserti32x4(
					_mm512_maskz_loadu_epi64(
						hf_sm4_512_mask(n, 0) & 0xfc, in - BLOCK),
					*iv, 0);
			hf_sm4_512_store(out, n, at, _mm512_xor_si512(blocks[j], before));
		}
	}
	*iv = next;
}

static void cbc_decrypt_gfni(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	struct hf_sm4_domain_keys s;
	__m128i before = hf_sm4_512_load16(iv);

	hf_sm4_512_schedule(&s, rk);
	for (; n_blocks >= WIDE * GROUP; n_blocks -= WIDE * GROUP) {
		cbc_decrypt_groups(&s, &before, out, in, WIDE * GROUP, WIDE);
		out += WIDE * GROUP * BLOCK;
		in += WIDE * GROUP * BLOCK;
	}
	if (n_blocks > 2 * GROUP)
		cbc_decrypt_groups(&s, &before, out, in, n_blocks, WIDE);
	else if (n_blocks > GROUP)
		cbc_decrypt_groups(&s, &before, out, in, n_blocks, 2);
	else if (n_blocks > 0)
		cbc_decrypt_groups(&s, &before, out, in, n_blocks, 1);
	hf_sm4_512_store16(iv, before);
	hf_wipe(&s, sizeof(s));
}

/* The tweaks of the next eight blocks, and how they are multiplied by x^8. */
struct tweaks {
	__m512i t[2];
	__m512i matrices; /* for bytes 0 and 1 in turn */
};

/* T * x in the lowest lane, over 128 bits; only the first tweaks of a unit are made so. */
static HF_ALWAYS_INLINE __m128i times_x(__m128i t, enum hf_xts_order order)
{
	const __m128i mirror = _mm_set1_epi64x(HF_SM4_GFNI_MIRROR);
	__m128i carry;

	if (order == HF_XTS_GB)
		t = _mm_gf2p8affine_epi64_epi8(t, mirror, 0);
	carry = _mm_shuffle_epi32(_mm_srai_epi32(t, 31), 0x13);
	carry = _mm_and_si128(carry, _mm_setr_epi32(0x87, 0, 1, 0));
	t = _mm_xor_si128(_mm_slli_epi64(t, 1), carry);
	if (order == HF_XTS_GB)
		t = _mm_gf2p8affine_epi64_epi8(t, mirror, 0);
	return t;
}

static HF_ALWAYS_INLINE void tweaks_start(
	struct tweaks *w, const uint8_t tweak[BLOCK], enum hf_xts_order order)
{
	const bool gb = order == HF_XTS_GB;
	const long long m0 = (long long)(gb ? HF_SM4_XTS_GB_0 : HF_SM4_XTS_IEEE_0);
	const long long m1 = (long long)(gb ? HF_SM4_XTS_GB_1 : HF_SM4_XTS_IEEE_1);
	__m128i t[8];

	t[0] = hf_sm4_512_load16(tweak);
	for (size_t i = 1; i < 8; i++)
		t[i] = times_x(t[i - 1], order);
	for (size_t i = 0; i < 2; i++) {
		w->t[i] = _mm512_castsi128_si512(t[4 * i]);
		w->t[i] = _mm512_inserti32x4(w->t[i], t[4 * i + 1], 1);
		w->t[i] = _mm512_inserti32x4(w->t[i], t[4 * i + 2], 2);
		w->t[i] = _mm512_inserti32x4(w->t[i], t[4 * i + 3], 3);
	}
	w->matrices = _mm512_broadcast_i32x4(_mm_set_epi64x(m1, m0));
}

static HF_ALWAYS_INLINE __m512i times_x8(__m512i t, __m512i matrices)
{
	const __m512i spread = _mm512_broadcast_i32x4(
		_mm_setr_epi8(15, -1, -1, -1, -1, -1, -1, -1, 15, -1, -1, -1, -1, -1, -1, -1));
	const __m512i gather = _mm512_broadcast_i32x4(
		_mm_setr_epi8(0, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
	__m512i back = _mm512_gf2p8affine_epi64_epi8(_mm512_shuffle_epi8(t, spread), matrices, 0);

	return _mm512_xor_si512(_mm512_bslli_epi128(t, 1), _mm512_shuffle_epi8(back, gather));
}

/* n <= 16 * n_groups blocks of XTS; their tweaks stay in mask. */
static HF_ALWAYS_INLINE void xts_groups(const struct hf_sm4_domain_keys *s, struct tweaks *w,
	__m512i mask[WIDE * 4], uint8_t *out, const uint8_t *in, size_t n, const size_t n_groups)
{
	const __m512i first = _mm512_set1_epi32((int)s->first);
	__m512i y[WIDE][4];
	__m512i blocks[4];

	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		HF_UNROLL
		for (size_t j = 0; j < 4; j++) {
			mask[4 * g + j] = w->t[j % 2];
			w->t[j % 2] = times_x8(w->t[j % 2], w->matrices);
			blocks[j] = _mm512_xor_si512(
				mask[4 * g + j], hf_sm4_512_load(in, n, GROUP * g + 4 * j));
		}
		hf_sm4_512_in(y[g], blocks, first);
	}
	hf_sm4_512_rounds(s, y, n_groups);
	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		hf_sm4_512_out_of(s, blocks, y[g]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			hf_sm4_512_store(out, n, GROUP * g + 4 * j,
				_mm512_xor_si512(blocks[j], mask[4 * g + j]));
	}
}

static void xts_gfni(const uint32_t rk[HF_SM4_ROUNDS], uint8_t tweak[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n_blocks, enum hf_xts_order order)
{
	struct hf_sm4_domain_keys s;
	struct tweaks w;
	__m512i mask[WIDE * 4];
	size_t n_groups = n_blocks % (WIDE * GROUP) > 2 * GROUP ? WIDE : 2;

	hf_sm4_512_schedule(&s, rk);
	tweaks_start(&w, tweak, order);
	for (; n_blocks >= WIDE * GROUP; n_blocks -= WIDE * GROUP) {
		xts_groups(&s, &w, mask, out, in, WIDE * GROUP, WIDE);
		out += WIDE * GROUP * BLOCK;
		in += WIDE * GROUP * BLOCK;
	}
	if (n_blocks > 2 * GROUP)
		xts_groups(&s, &w, mask, out, in, n_blocks, WIDE);
	else if (n_blocks > 0)
		xts_groups(&s, &w, mask, out, in, n_blocks, 2);
	/* The next tweak is among those made for the last blocks, or the first behind them. */
	if (n_blocks > 0 && n_blocks < n_groups * GROUP)
		memcpy(tweak, (const uint8_t *)mask + BLOCK * n_blocks, BLOCK);
	else
		hf_sm4_512_store16(tweak, _mm512_castsi512_si128(w.t[0]));
	hf_wipe(&s, sizeof(s));
	hf_wipe(mask, sizeof(mask));
}

const struct hf_sm4_kernel hf_sm4_kernel_gfni_avx512 = {
	.name = "gfni_avx512",
	.needs = HF_CPU_AVX512 | HF_CPU_GFNI,
	.ecb = ecb_gfni,
	.ctr32 = ctr32_gfni,
	.cbc = cbc_gfni,
	.cbc_lanes = cbc_lanes_gfni,
	.cbc_decrypt = cbc_decrypt_gfni,
	.xts = xts_gfni,
};
