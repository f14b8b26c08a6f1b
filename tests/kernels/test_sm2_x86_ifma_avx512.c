/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic under the AVX-512 IFMA kernel of SM2 against libcrypto's big numbers, on limbs
 * that random points hardly ever have: all zeros, all ones, and next to these. All of it keeps the
 * bounds that sm2_x86_ifma.h states.
 */
/* uses: libcrypto */
#include "test.h"

#include <openssl/bn.h>

#include "crypto/sm2/sm2_x86_ifma.h"
#include "kernels.h"

enum {
	TESTS = 40000,
	LANES = 8,
	LIMBS = HF_X8_LIMBS,
};

#define LIMB_MAX ((UINT64_C(1) << HF_X8_BITS) - 1)

struct fixture {
	struct test_rng rng;
	BIGNUM *modulus[2]; /* p, n */
	BIGNUM *inverse[2]; /* of R = 2^260 */
	BIGNUM *a;
	BIGNUM *b;
	BIGNUM *r;
	BIGNUM *want;
	BN_CTX *ctx;
};

/* Lane `lane` of a, whose limbs may be negative. */
static void get(BIGNUM *r, const struct hf_x8 *a, size_t lane)
{
	BIGNUM *t = BN_new();

	BN_zero(r);
	for (size_t i = LIMBS; i-- > 0;) {
		int64_t w[LANES];

		_mm512_storeu_si512(w, a->v[i]);
		assert_true(BN_lshift(r, r, HF_X8_BITS));
		assert_true(BN_set_word(t, (uint64_t)(w[lane] < 0 ? -w[lane] : w[lane])));
		assert_true(w[lane] < 0 ? BN_sub(r, r, t) : BN_add(r, r, t));
	}
	BN_free(t);
}

static bool is_carried(const struct hf_x8 *a, size_t lane)
{
	for (size_t i = 0; i < LIMBS; i++) {
		uint64_t w[LANES];

		_mm512_storeu_si512(w, a->v[i]);
		if (w[lane] > LIMB_MAX)
			return false;
	}
	return true;
}

static uint64_t some_limb(struct test_rng *rng)
{
	uint64_t r = test_rng_below(rng, UINT64_MAX);

	switch (test_rng_below(rng, 6)) {
	case 0: return 0;
	case 1: return LIMB_MAX;
	case 2: return r % 16;
	case 3: return LIMB_MAX - r % 16;
	case 4: return UINT64_C(1) << r % HF_X8_BITS;
	default: return r & LIMB_MAX;
	}
}

/* Carried, and below 2^260. */
static void some(struct hf_x8 *a, struct test_rng *rng)
{
	for (size_t i = 0; i < LIMBS; i++) {
		uint64_t w[LANES];

		for (size_t lane = 0; lane < LANES; lane++)
			w[lane] = some_limb(rng);
		a->v[i] = _mm512_loadu_si512(w);
	}
}

/* got is a b / R modulo m, and not more than a b / R + m; carried if that is below 2^260. */
static void check_product(struct fixture *f, const struct hf_x8 *got, size_t lane, size_t m)
{
	get(f->r, got, lane);
	assert_false(BN_is_negative(f->r));
	assert_true(BN_mul(f->want, f->a, f->b, f->ctx));
	assert_true(BN_rshift(f->want, f->want, 260));
	assert_true(BN_add(f->want, f->want, f->modulus[m]));
	assert_true(BN_cmp(f->r, f->want) <= 0);
	if (BN_num_bits(f->want) <= 260)
		assert_true(is_carried(got, lane));

	assert_true(BN_mod_mul(f->want, f->a, f->b, f->modulus[m], f->ctx));
	assert_true(BN_mod_mul(f->want, f->want, f->inverse[m], f->modulus[m], f->ctx));
	assert_true(BN_nnmod(f->r, f->r, f->modulus[m], f->ctx));
	assert_int_equal(BN_cmp(f->r, f->want), 0);
}

static void products_and_squares_are_right(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < TESTS; i++) {
		size_t lane = i % LANES;
		struct hf_x8 a;
		struct hf_x8 b;
		struct hf_x8 got[4];

		some(&a, &f->rng);
		some(&b, &f->rng);
		got[0] = hf_fp8_mul(a, b);
		got[1] = hf_fn8_mul(a, b);
		got[2] = hf_fp8_sqr(a);
		got[3] = hf_fn8_sqr(a);
		get(f->a, &a, lane);
		get(f->b, &b, lane);
		check_product(f, &got[0], lane, 0);
		check_product(f, &got[1], lane, 1);
		get(f->b, &a, lane);
		check_product(f, &got[2], lane, 0);
		check_product(f, &got[3], lane, 1);
	}
}

/* The largest sums and differences that are folded: 16 p + a - 8 b, and 9 a. */
static void folded_numbers_are_the_same_and_small(void **state)
{
	static const struct hf_x1 p16 = HF_X1_16P;
	struct fixture *f = *state;

	for (size_t i = 0; i < TESTS; i++) {
		size_t lane = i % LANES;
		struct hf_x8 a;
		struct hf_x8 b;
		struct hf_x8 got;

		some(&a, &f->rng);
		some(&b, &f->rng);
		/* b below 2^257: 8 b below 16 p. */
		b.v[4] = _mm512_srli_epi64(b.v[4], 4);
		if (i % 2 == 0) {
			for (size_t k = 0; k < 3; k++)
				b = hf_x8_sum(b, b);
			b = hf_x8_difference(hf_x8_sum(a, hf_x8_all(p16)), b);
		} else {
			b = a;
			for (size_t k = 0; k < 3; k++)
				b = hf_x8_sum(b, b);
			b = hf_x8_sum(b, a);
		}
		got = hf_fp8_fold(b);
		get(f->a, &b, lane);
		get(f->r, &got, lane);
		assert_false(BN_is_negative(f->r));
		assert_true(is_carried(&got, lane));
		assert_true(BN_set_word(f->want, 1));
		assert_true(BN_lshift(f->want, f->want, 234));
		assert_true(BN_add(f->want, f->want, f->modulus[0]));
		assert_true(BN_cmp(f->r, f->want) < 0);
		assert_true(BN_nnmod(f->a, f->a, f->modulus[0], f->ctx));
		assert_true(BN_nnmod(f->r, f->r, f->modulus[0], f->ctx));
		assert_int_equal(BN_cmp(f->a, f->r), 0);
	}
}

static void comparisons_and_bits_are_right(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < TESTS / 8; i++) {
		size_t lane = i % LANES;
		unsigned pos = (unsigned)test_rng_below(&f->rng, 253);
		struct hf_x8 a;
		struct hf_x8 b;
		struct hf_x8 t;
		uint64_t w[LANES];
		uint64_t want = 0;
		__mmask8 less;

		some(&a, &f->rng);
		some(&b, &f->rng);
		get(f->a, &a, lane);
		get(f->b, &b, lane);
		(void)hf_x8_sub(&less, a, b);
		assert_int_equal(less >> lane & 1, BN_cmp(f->a, f->b) < 0);
		t = hf_x8_settle(a, b);
		get(f->r, &t, lane);
		if (BN_cmp(f->a, f->b) >= 0)
			assert_true(BN_sub(f->a, f->a, f->b));
		assert_int_equal(BN_cmp(f->a, f->r), 0);
		assert_int_equal(hf_x8_same(a, b) >> lane & 1, 0);
		assert_int_equal(hf_x8_same(a, a), 0xff);
		assert_int_equal(hf_x8_zero(hf_x8_difference(a, a)), 0xff);

		_mm512_storeu_si512(w, hf_x8_bits(&b, pos, 7));
		for (unsigned k = 0; k < 7; k++)
			want |= (uint64_t)BN_is_bit_set(f->b, (int)(pos + k)) << k;
		assert_int_equal(w[lane], want);
	}
}

static int set_up(void **state)
{
	static const char *const moduli[2] = {
		"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF",
		"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123",
	};
	struct fixture *f = calloc(1, sizeof(*f));
	BIGNUM *r = BN_new();

	assert_non_null(f);
	(void)test_rng(&f->rng, 13);
	f->ctx = BN_CTX_new();
	assert_true(BN_set_bit(r, 260));
	for (size_t i = 0; i < 2; i++) {
		assert_true(BN_hex2bn(&f->modulus[i], moduli[i]) > 0);
		f->inverse[i] = BN_mod_inverse(NULL, r, f->modulus[i], f->ctx);
		assert_non_null(f->inverse[i]);
	}
	f->a = BN_new();
	f->b = BN_new();
	f->r = BN_new();
	f->want = r;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		BN_free(f->modulus[i]);
		BN_free(f->inverse[i]);
	}
	BN_free(f->a);
	BN_free(f->b);
	BN_free(f->r);
	BN_free(f->want);
	BN_CTX_free(f->ctx);
	free(f);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_and_squares_are_right),
		cmocka_unit_test(folded_numbers_are_the_same_and_small),
		cmocka_unit_test(comparisons_and_bits_are_right),
	};
	const uint32_t needs = HF_CPU_AVX512 | HF_CPU_AVX512_IFMA;

	if ((test_cpu() & needs) != needs) {
		print_message("not on this processor\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
