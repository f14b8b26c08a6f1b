/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SM3 kernels share that hash many messages with SSE or AVX2: place i of every register
 * belongs to message i, so the rounds are the standard's, on LANES states at once.
 *
 * The file that includes this defines before it VEC, the type of a register of LANES words; how its
 * width names intrinsics, VEC_OP(op) those of words and bytes, VEC_BITS(op) those of the whole
 * register; vec_repeat (16 bytes as often as they fit) and vec_rows (rows to columns, as many as
 * LANES).
 *
 * There is no instruction that rotates: a rotation is two shifts and an OR, except by eight places,
 * which is one shuffle of bytes: P1(x) = x + ((x + (x <<< 8)) <<< 15). P0 lies on the path from
 * round to round and is written for few steps, not for few instructions: the four shifts at once,
 * then XORs in pairs. The latest term of a sum (E, then SS1) is added last.
 *
 * There are 16 registers: the words of the expanded message are in memory, with two groups of
 * messages in flight the states too. What the compiler makes of that hangs on the loop around
 * groups(), so each file keeps the one that it is fastest with: a loop in common cost SSE4.1 half
 * as much time again.
 */
#ifndef HF_CRYPTO_SM3_SM3_X86_LANES_H
#define HF_CRYPTO_SM3_SM3_X86_LANES_H

#include <immintrin.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/sm3/sm3_kernel.h"

enum {
	WORDS = 16, /* of a block, and of the expanded message that are at hand */
	GROUPS = 2, /* of LANES messages in flight, at most */
};

static HF_ALWAYS_INLINE VEC vec_load(const void *p)
{
	return VEC_BITS(loadu)((const VEC *)p);
}

static HF_ALWAYS_INLINE void vec_store(void *p, VEC v)
{
	VEC_BITS(storeu)((VEC *)p, v);
}

static HF_ALWAYS_INLINE VEC vec_set(uint32_t x)
{
	return VEC_OP(set1_epi32)((int)x);
}

static HF_ALWAYS_INLINE VEC vec_add(VEC x, VEC y)
{
	return VEC_OP(add_epi32)(x, y);
}

static HF_ALWAYS_INLINE VEC vec_xor(VEC x, VEC y)
{
	return VEC_BITS(xor)(x, y);
}

static HF_ALWAYS_INLINE VEC vec_and(VEC x, VEC y)
{
	return VEC_BITS(and)(x, y);
}

static HF_ALWAYS_INLINE VEC vec_or(VEC x, VEC y)
{
	return VEC_BITS(or)(x, y);
}

static HF_ALWAYS_INLINE VEC vec_shl(VEC x, const int n)
{
	return VEC_OP(slli_epi32)(x, n);
}

static HF_ALWAYS_INLINE VEC vec_shr(VEC x, const int n)
{
	return VEC_OP(srli_epi32)(x, n);
}

static HF_ALWAYS_INLINE VEC vec_rol8(VEC x)
{
	const VEC up =
		vec_repeat(_mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));

	return VEC_OP(shuffle_epi8)(x, up);
}

static HF_ALWAYS_INLINE VEC vec_load_be(const uint8_t *p)
{
	const VEC swap =
		vec_repeat(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));

	return VEC_OP(shuffle_epi8)(vec_load(p), swap);
}

static HF_ALWAYS_INLINE VEC rol(VEC x, const int n)
{
	return vec_or(vec_shl(x, n), vec_shr(x, 32 - n));
}

static HF_ALWAYS_INLINE VEC xor3(VEC x, VEC y, VEC z)
{
	return vec_xor(vec_xor(x, y), z);
}

/* P0, in few steps. */
static HF_ALWAYS_INLINE VEC p0_soon(VEC x)
{
	VEC pair9 = vec_xor(vec_shl(x, 9), x);
	VEC pair17 = vec_xor(vec_shl(x, 17), vec_shr(x, 15));

	return vec_xor(vec_xor(pair9, vec_shr(x, 23)), pair17);
}

/* P0, in few instructions. */
static HF_ALWAYS_INLINE VEC p0(VEC x)
{
	return vec_xor(x, rol(vec_xor(x, vec_rol8(x)), 9));
}

static HF_ALWAYS_INLINE VEC p1(VEC x)
{
	return vec_xor(x, rol(vec_xor(x, vec_rol8(x)), 15));
}

static HF_ALWAYS_INLINE VEC majority(VEC x, VEC y, VEC z)
{
	return vec_or(vec_and(x, vec_or(y, z)), vec_and(y, z));
}

static HF_ALWAYS_INLINE VEC choose(VEC x, VEC y, VEC z)
{
	return vec_xor(vec_and(vec_xor(y, z), x), z);
}

/* W_j into the place of W_{j-16}: W_j stands at j mod 16. GB/T 32905-2016 5.3.2 */
static HF_ALWAYS_INLINE void expand(VEC w[WORDS], const size_t j)
{
	VEC x = xor3(w[j % 16], w[(j + 7) % 16], rol(w[(j + 13) % 16], 15));

	w[j % 16] = xor3(p1(x), rol(w[(j + 3) % 16], 7), w[(j + 10) % 16]);
}

/* Round i mod 16, as one_round() of sm3_c.c. is_alone: no other group fills its waits. 5.3.3 */
static HF_ALWAYS_INLINE void one_round(VEC v[8], const VEC w[WORDS], VEC t, const size_t i,
	const bool is_early, const bool is_alone)
{
	VEC *a = v + (0 - i) % 4;
	VEC *b = v + (1 - i) % 4;
	VEC *c = v + (2 - i) % 4;
	VEC *d = v + (3 - i) % 4;
	VEC *e = a + 4;
	VEC *f = b + 4;
	VEC *g = c + 4;
	VEC *h = d + 4;
	VEC ff = is_early ? xor3(*b, *c, *a) : majority(*a, *b, *c);
	VEC gg = is_early ? xor3(*f, *g, *e) : choose(*e, *f, *g);
	VEC a12 = rol(*a, 12);
	VEC ss1 = vec_add(a12, t);
	VEC tt1 = vec_add(*d, vec_xor(w[i % 16], w[(i + 4) % 16]));
	VEC tt2 = vec_add(*h, w[i % 16]);

	if (is_alone)
		HF_FORGET_VECTOR(ss1);
	ss1 = rol(vec_add(ss1, *e), 7);
	tt1 = vec_add(tt1, ff);
	tt2 = vec_add(tt2, gg);
	if (is_alone) {
		HF_FORGET_VECTOR(tt1);
		HF_FORGET_VECTOR(tt2);
	}
	*d = vec_add(tt1, vec_xor(ss1, a12));
	tt2 = vec_add(tt2, ss1);
	*h = is_alone ? p0_soon(tt2) : p0(tt2);
	*b = rol(*b, 9);
	*f = rol(*f, 19);
}

static HF_ALWAYS_INLINE void step(VEC v[GROUPS][8], VEC w[GROUPS][WORDS], uint32_t t,
	const size_t i, const bool is_early, const size_t n_groups)
{
	HF_UNROLL
	for (size_t g = 0; g < n_groups; g++) {
		if (!is_early || i >= 12)
			expand(w[g], i + 4);
		one_round(v[g], w[g], vec_set(t), i, is_early, n_groups == 1);
	}
}

static HF_ALWAYS_INLINE void rounds(VEC v[GROUPS][8], VEC w[GROUPS][WORDS], const size_t n_groups)
{
	HF_UNROLL
	for (size_t i = 0; i < 16; i++)
		step(v, w, hf_sm3_t[i], i, true, n_groups);
	for (size_t j = 16; j < HF_SM3_ROUNDS; j += 16) {
		HF_UNROLL
		for (size_t i = 0; i < 16; i++)
			step(v, w, hf_sm3_t[j + i], i, false, n_groups);
	}
}

/* One block of each message: word j of all of them into w[j]. */
static HF_ALWAYS_INLINE void load_words(VEC w[WORDS], const uint8_t *const from[LANES], size_t at)
{
	HF_UNROLL
	for (size_t j = 0; j < WORDS; j += LANES) {
		VEC t[LANES];

		HF_UNROLL
		for (size_t i = 0; i < LANES; i++)
			t[i] = vec_load_be(from[i] + at + 4 * j);
		vec_rows(t);
		HF_UNROLL
		for (size_t i = 0; i < LANES; i++)
			w[j + i] = t[i];
	}
}

/* The states of a group to registers, and back those that there are. */
static HF_ALWAYS_INLINE void load_states(VEC v[8], const uint32_t *h, size_t n)
{
	HF_UNROLL
	for (size_t j = 0; j < 8; j += LANES) {
		HF_UNROLL
		for (size_t i = 0; i < LANES; i++)
			v[j + i] = vec_load(h + 8 * (i < n ? i : 0) + j);
		vec_rows(v + j);
	}
}

static HF_ALWAYS_INLINE void store_states(uint32_t *h, VEC v[8], size_t n)
{
	HF_UNROLL
	for (size_t j = 0; j < 8; j += LANES) {
		vec_rows(v + j);
		HF_UNROLL
		for (size_t i = 0; i < LANES; i++)
			if (i < n)
				vec_store(h + 8 * i + j, v[j + i]);
	}
}

/* n messages in n_groups groups; those that are missing are copies of the first. */
static HF_ALWAYS_INLINE void groups(
	uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks, const size_t n_groups)
{
	const uint8_t *from[GROUPS * LANES];
	VEC v[GROUPS][8];
	VEC w[GROUPS][WORDS];

	for (size_t i = 0; i < LANES * n_groups; i++)
		from[i] = in[i < n ? i : 0];
	load_states(v[0], h, n);
	if (n_groups > 1)
		load_states(v[1], h + 8 * LANES, n - LANES);
	for (size_t at = 0; at < HF_SM3_BLOCK_LEN * n_blocks; at += HF_SM3_BLOCK_LEN) {
		VEC old[GROUPS][8];

		HF_UNROLL
		for (size_t g = 0; g < n_groups; g++) {
			load_words(w[g], from + g * LANES, at);
			HF_UNROLL
			for (size_t i = 0; i < 8; i++)
				old[g][i] = v[g][i];
		}
		rounds(v, w, n_groups);
		HF_UNROLL
		for (size_t g = 0; g < n_groups; g++) {
			HF_UNROLL
			for (size_t i = 0; i < 8; i++)
				v[g][i] = vec_xor(v[g][i], old[g][i]);
		}
	}
	store_states(h, v[0], n);
	if (n_groups > 1)
		store_states(h + 8 * LANES, v[1], n - LANES);
	hf_wipe(w, n_groups * sizeof(w[0]));
}

#endif
