/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-GCM in one piece with GFNI, VPCLMULQDQ and AVX-512. The mathematics of the parts is in
 * sm4_x86_gfni512.h and ghash_clmul.h.
 *
 * A message is one sequence of blocks on either side:
 *     cipher  E(J0)  E(J0 + 1)  ..  E(J0 + n)
 *     hash    X      c_1        ..  c_n          L
 * where X is the last block of additional data with the hash before it added, not multiplied yet,
 * and L are the lengths. So the mask of the tag costs no call of its own, and a pass of 64 blocks
 * hashes 64 blocks: those of the pass before when sealing, its own input when opening. Four
 * carry-less products for four blocks follow every other round; the rounds' instructions and the
 * products use different parts of the processor.
 *
 * What is left after the passes, up to 64 blocks and L, is one tail of one, two or four groups. A
 * message of up to 14 blocks is only that: one encryption long, with one reduction at the end.
 *
 * Preconditions: HF_CPU_AVX512, HF_CPU_GFNI, HF_CPU_VPCLMUL, HF_CPU_PCLMUL. Constant time as its
 * parts. Loads and stores of part blocks are masked. Measured on a Zen 5 server core at 4.4 GHz,
 * with 13 bytes of additional data: 16 KiB at 7.1 GB/s (the two kernels in turn: 4.9), 1 KiB at 4.2
 * (2.3), 16 bytes at 0.18 (0.045).
 */
#include "crypto/modes/gcm_kernel.h"

#include "base/endian.h"
#include "crypto/modes/ghash_x86_vpclmul512.h"
#include "crypto/module.h"
#include "crypto/sm4/sm4_x86_gfni512.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP = HF_SM4_512_GROUP,
	WIDE = HF_SM4_512_WIDE,
	PASS = WIDE * GROUP,     /* blocks */
	PASS_LEN = PASS * BLOCK, /* bytes */
	ALL = 0xff,              /* every lane of a register, as 64-bit halves */
	NOT_FIRST = 0xfc,        /* all but the first */
};

_Static_assert(sizeof(struct hf_sm4_domain_keys) <= sizeof(((struct hf_gcm_key *)0)->stitched),
	"the schedule has room in the key");

/* A message on its way. */
struct run {
	const struct hf_gcm_key *k;
	const struct hf_sm4_domain_keys *s;
	struct hf_sm4_512_counter c;
	__m128i acc; /* the hash so far as a number; at the beginning X */
};

static const struct hf_sm4_domain_keys *schedule_in(const struct hf_gcm_key *k)
{
	return (const struct hf_sm4_domain_keys *)(const void *)k->stitched;
}

/* A unit of 16 blocks into acc; `first` are the lanes of its first register that count. */
static HF_ALWAYS_INLINE __m128i hash_unit(
	const struct hf_gcm_key *k, __m128i acc, const uint8_t *in, __mmask8 first)
{
	struct hf_ghash_512 p = hf_ghash_512_zero();

	HF_UNROLL
	for (size_t at = 0; at < GROUP; at += 4) {
		__m512i x = _mm512_maskz_loadu_epi64(at == 0 ? first : ALL, in + at * BLOCK);

		x = hf_ghash_512_swap(x);
		if (at == 0)
			x = _mm512_xor_si512(x, _mm512_zextsi128_si512(acc));
		hf_ghash_512_add(&p, x, hf_ghash_512_powers(k, GROUP, at));
	}
	return hf_ghash_512_reduce(&p);
}

/* x * H. */
static HF_ALWAYS_INLINE __m128i hash_block(const struct hf_gcm_key *k, __m128i x)
{
	const __m128i zero = _mm_setzero_si128();
	struct hf_ghash_product p = { zero, zero, zero };

	hf_ghash_add_product(&p, x, hf_ghash_load(k->h[HF_GCM_POWERS - 1]));
	return hf_ghash_reduce(&p);
}

/* The 64 blocks of a pass. */
static __m128i hash_pass(const struct hf_gcm_key *k, __m128i acc, const uint8_t *in, __mmask8 first)
{
	for (size_t u = 0; u < WIDE; u++) {
		acc = hash_unit(k, acc, in + u * GROUP * BLOCK, first);
		first = ALL;
	}
	return acc;
}

/* All rounds of four groups, and 64 blocks of `hash` into acc. */
static HF_ALWAYS_INLINE __m128i rounds_and_hash(
	const struct run *r, __m512i y[WIDE][4], const uint8_t *hash, __mmask8 first)
{
	const struct hf_sm4_512_round c = hf_sm4_512_round_set();
	__m128i acc = r->acc;

	for (size_t u = 0; u < WIDE; u++) {
		struct hf_ghash_512 p = hf_ghash_512_zero();

		HF_UNROLL
		for (size_t i = 0; i < 8; i++) {
			__m512i d = _mm512_set1_epi32((int)r->s->d[8 * u + i]);
			size_t at = 2 * i;

			HF_UNROLL
			for (size_t g = 0; g < WIDE; g++)
				y[g][i % 4] = hf_sm4_512_word(y[g][i % 4], y[g][(i + 1) % 4],
					y[g][(i + 2) % 4], y[g][(i + 3) % 4], d, &c);
			if (i % 2 == 0) {
				__m512i x = _mm512_maskz_loadu_epi64(
					at == 0 ? first : ALL, hash + (GROUP * u + at) * BLOCK);

				x = hf_ghash_512_swap(x);
				if (at == 0)
					x = _mm512_xor_si512(x, _mm512_zextsi128_si512(acc));
				hf_ghash_512_add(&p, x, hf_ghash_512_powers(r->k, GROUP, at));
			}
		}
		acc = hf_ghash_512_reduce(&p);
		first = ALL;
	}
	return acc;
}

/* Puts the key stream of four groups on the text; `first` are the lanes that are text. */
static HF_ALWAYS_INLINE __m128i pass_out(
	const struct run *r, __m512i y[WIDE][4], uint8_t *out, const uint8_t *in, __mmask8 first)
{
	__m128i mask = _mm_setzero_si128();

	HF_UNROLL
	for (size_t g = 0; g < WIDE; g++) {
		__m512i stream[4];

		hf_sm4_512_out_of(r->s, stream, y[g]);
		if (g == 0)
			mask = _mm512_castsi512_si128(stream[0]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++) {
			size_t at = (GROUP * g + 4 * j) * BLOCK;
			__mmask8 m = at == 0 ? first : ALL;
			__m512i x = _mm512_maskz_loadu_epi64(m, in + at);

			_mm512_mask_storeu_epi64(out + at, m, _mm512_xor_si512(x, stream[j]));
		}
	}
	return mask;
}

/* A pass without anything to hash yet. Returns the first block of the key stream. */
static HF_NOINLINE __m128i pass_first(
	struct run *r, uint8_t *out, const uint8_t *in, __mmask8 first)
{
	__m512i y[WIDE][4];

	hf_sm4_512_counters(r->s, &r->c, y, WIDE);
	hf_sm4_512_rounds(r->s, y, WIDE);
	r->c.c += PASS;
	return pass_out(r, y, out, in, first);
}

/* A pass that hashes 64 blocks at `hash`, of whose first register the lanes hash_first count. */
static HF_NOINLINE __m128i pass_next(struct run *r, uint8_t *out, const uint8_t *in, __mmask8 first,
	const uint8_t *hash, __mmask8 hash_first)
{
	__m512i y[WIDE][4];

	hf_sm4_512_counters(r->s, &r->c, y, WIDE);
	r->acc = rounds_and_hash(r, y, hash, hash_first);
	r->c.c += PASS;
	return pass_out(r, y, out, in, first);
}

/*
 * n whole passes. `first` are the lanes of the very first register that are text, the others do not
 * exist in memory. Returns the first block of the key stream.
 */
static __m128i passes(
	struct run *r, uint8_t *out, const uint8_t *in, size_t n, __mmask8 first, bool seal)
{
	__m128i mask;
	__mmask8 hash_first = first;

	if (!seal)
		mask = pass_next(r, out, in, first, in, first);
	else
		mask = pass_first(r, out, in, first);
	for (size_t i = 1; i < n; i++) {
		uint8_t *o = out + i * PASS_LEN;
		const uint8_t *p = in + i * PASS_LEN;

		(void)pass_next(r, o, p, ALL, seal ? o - PASS_LEN : p, seal ? hash_first : ALL);
		hash_first = ALL;
	}
	if (seal)
		r->acc = hash_pass(r->k, r->acc, out + (n - 1) * PASS_LEN, hash_first);
	return mask;
}

/* What lies behind the passes: bytes `from` .. `to` of its lanes are text, then come the lengths.
 */
struct tail {
	uint8_t *out;
	const uint8_t *in;
	size_t from; /* 16 if the first lane is E(J0) and X, else 0 */
	size_t to;
	size_t n_lanes; /* with the lengths */
	__m128i lengths;
	bool seal;
};

/* Which of the 64 bytes from `at` on are text. */
static HF_ALWAYS_INLINE __mmask64 text_bytes(const struct tail *t, size_t at)
{
	uint64_t m;

	if (t->to <= at)
		return 0;
	m = t->to - at >= 64 ? UINT64_MAX : (UINT64_C(1) << (t->to - at)) - 1;
	return at == 0 && t->from != 0 ? m & ~UINT64_C(0xffff) : m;
}

/* The last block of the hash in its lane of the register at lane `at`, if it is there. */
static HF_ALWAYS_INLINE __m512i with_lengths(const struct tail *t, __m512i x, size_t at)
{
	size_t lane = t->n_lanes - 1 - at; /* huge if it is before */
	__mmask8 m = lane < 4 ? (__mmask8)(3u << 2 * lane) : 0;

	return _mm512_mask_xor_epi64(x, m, x, _mm512_broadcast_i32x4(t->lengths));
}

/* n_lanes <= 16 * n_groups. r->acc becomes the whole hash. Returns the first block of key stream.
 */
static HF_ALWAYS_INLINE __m128i tail_groups(
	struct run *r, const struct tail *t, const size_t n_groups)
{
	__m512i y[WIDE][4];
	__m128i mask = _mm_setzero_si128();

	hf_sm4_512_counters(r->s, &r->c, y, n_groups);
	hf_sm4_512_rounds(r->s, y, n_groups);
	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		struct hf_ghash_512 p = hf_ghash_512_zero();
		size_t lanes = t->n_lanes - GROUP * g;
		__m512i stream[4];

		if (g > 0 && t->n_lanes <= GROUP * g)
			break;
		if (lanes > GROUP)
			lanes = GROUP;
		hf_sm4_512_out_of(r->s, stream, y[g]);
		if (g == 0)
			mask = _mm512_castsi512_si128(stream[0]);
		HF_UNROLL
		for (size_t j = 0; j < 4; j++) {
			size_t at = GROUP * g + 4 * j;
			__mmask64 m = text_bytes(t, at * BLOCK);
			__m512i x = _mm512_maskz_loadu_epi8(m, t->in + at * BLOCK);
			__m512i c = _mm512_maskz_mov_epi8(m, _mm512_xor_si512(x, stream[j]));

			_mm512_mask_storeu_epi8(t->out + at * BLOCK, m, c);
			x = hf_ghash_512_swap(t->seal ? c : x);
			if (j == 0)
				x = _mm512_xor_si512(x, _mm512_zextsi128_si512(r->acc));
			x = with_lengths(t, x, at);
			hf_ghash_512_add(&p, x, hf_ghash_512_powers(r->k, lanes, 4 * j));
		}
		r->acc = hf_ghash_512_reduce(&p);
	}
	return mask;
}

static HF_NOINLINE __m128i tail_one(struct run *r, const struct tail *t)
{
	return tail_groups(r, t, 1);
}

static HF_NOINLINE __m128i tail_two(struct run *r, const struct tail *t)
{
	return tail_groups(r, t, 2);
}

static HF_NOINLINE __m128i tail_four(struct run *r, const struct tail *t)
{
	return tail_groups(r, t, WIDE);
}

/* X: all of the additional data, the last product not taken. */
static __m128i aad_of(const struct hf_gcm_key *k, const uint8_t *aad, size_t len)
{
	size_t whole = len == 0 ? 0 : (len - 1) / BLOCK;
	size_t rest = len - whole * BLOCK;
	__m128i acc = _mm_setzero_si128();

	if (len == 0)
		return acc;
	if (whole > 0)
		acc = hf_ghash_512_all(k, acc, aad, whole);
	return _mm_xor_si128(acc, hf_ghash_swap(_mm_maskz_loadu_epi8(
					  (__mmask16)((1u << rest) - 1), aad + whole * BLOCK)));
}

static void message_gfni(
	const struct hf_gcm_key *k, const struct hf_aead *a, uint8_t tag[HF_GCM_TAG_LEN], bool seal)
{
	struct run r = { .k = k, .s = schedule_in(k) };
	size_t n = (a->in_len / BLOCK + 1) / PASS; /* passes, with the lane of E(J0) */
	struct tail t = { .seal = seal };
	uint8_t none[BLOCK];
	__m128i mask;
	__m128i tail_mask;

	/* The first lane is E(J0)'s: what would lie there before the text is never touched. */
	t.in = (a->in_len > 0 ? a->in : none + BLOCK) - BLOCK;
	t.out = (a->in_len > 0 ? a->out : none + BLOCK) - BLOCK;
	t.from = BLOCK;
	t.to = BLOCK + a->in_len;
	t.lengths = _mm_set_epi64x((long long)a->aad_len * 8, (long long)a->in_len * 8);
	r.c = hf_sm4_512_counter_of(
		_mm_maskz_loadu_epi8((1u << HF_GCM_NONCE_LEN) - 1, a->nonce), 1);
	r.acc = aad_of(k, a->aad, a->aad_len);

	if (n > 0) {
		mask = passes(&r, t.out, t.in, n, NOT_FIRST, seal);
		t.in += n * PASS_LEN;
		t.out += n * PASS_LEN;
		t.from = 0;
		t.to -= n * PASS_LEN;
	}
	t.n_lanes = (t.to + BLOCK - 1) / BLOCK + 1;
	if (t.n_lanes <= GROUP)
		tail_mask = tail_one(&r, &t);
	else if (t.n_lanes <= 2 * GROUP)
		tail_mask = tail_two(&r, &t);
	else
		tail_mask = tail_four(&r, &t);
	if (t.n_lanes > PASS) /* a part block in the last lane */
		r.acc = hash_block(k, _mm_xor_si128(r.acc, t.lengths));
	if (n == 0)
		mask = tail_mask;
	hf_sm4_512_store16(tag, _mm_xor_si128(mask, hf_ghash_swap(r.acc)));
}

static void blocks_gfni(const struct hf_gcm_key *k, uint8_t counter[BLOCK], uint8_t hash[BLOCK],
	uint8_t *out, const uint8_t *in, size_t n_blocks, bool seal)
{
	struct run r = { .k = k, .s = schedule_in(k) };
	size_t n = n_blocks / PASS;
	size_t rest = n_blocks % PASS;

	r.acc = hf_ghash_swap(hf_ghash_load(hash));
	r.c = hf_sm4_512_counter_of(hf_sm4_512_load16(counter), hf_get_be32(counter + 12));
	hf_put_be32(counter + 12, r.c.c + (uint32_t)n_blocks);
	if (n > 0)
		(void)passes(&r, out, in, n, ALL, seal);
	out += n * PASS_LEN;
	in += n * PASS_LEN;
	if (rest > 0) {
		uint8_t at[BLOCK];

		memcpy(at, counter, BLOCK);
		hf_put_be32(at + 12, r.c.c);
		if (!seal)
			r.acc = hf_ghash_512_all(k, r.acc, in, rest);
		hf_sm4_kernel_gfni_avx512.ctr32(k->sm4.rk, at, out, in, rest);
		if (seal)
			r.acc = hf_ghash_512_all(k, r.acc, out, rest);
	}
	hf_sm4_512_store16(hash, hf_ghash_swap(r.acc));
}

static void init_gfni(struct hf_gcm_key *k)
{
	hf_sm4_512_schedule((struct hf_sm4_domain_keys *)(void *)k->stitched, k->sm4.rk);
}

const struct hf_gcm_kernel hf_gcm_kernel_gfni_vpclmul_avx512 = {
	.name = "gfni_vpclmul_avx512",
	.needs = HF_CPU_AVX512 | HF_CPU_GFNI | HF_CPU_VPCLMUL | HF_CPU_PCLMUL,
	.sm4 = &hf_sm4_kernel_gfni_avx512,
	.ghash = &hf_ghash_kernel_vpclmul,
	.init = init_gfni,
	.blocks = blocks_gfni,
	.message = message_gfni,
};
