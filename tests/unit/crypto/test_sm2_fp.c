/* SPDX-License-Identifier: Apache-2.0 */
/* Field and scalar arithmetic of SM2 against BIGNUM of libcrypto, on edges and at random. */
/* uses: libcrypto */
#include "test.h"

#include <openssl/bn.h>

#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_fp.h"

#define P_HEX "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF"
#define N_HEX "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123"

enum { N_RANDOM = 300 };

/* Values on which carries and reductions turn; each below 2^256. */
static const char *const edges[] = {
	"0",
	"1",
	"2",
	"FFFFFFFF",
	"FFFFFFFFFFFFFFFF",
	"10000000000000000",
	"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
	"100000000000000000000000000000000",
	"100000000FFFFFFFFFFFFFFFF00000001",
	"7FFFFFFF7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF800000007FFFFFFFFFFFFFFF",
	"8000000000000000000000000000000000000000000000000000000000000000",
	"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54122",
	N_HEX,
	"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54124",
	"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFD",
	"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFE",
	P_HEX,
	"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF000000010000000000000000",
	"FFFFFFFF00000000000000000000000000000000FFFFFFFF0000000000000001",
	"FFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFF0000000000000000",
	"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
};

struct oracle {
	BN_CTX *ctx;
	BIGNUM *m;
	BIGNUM *a;
	BIGNUM *b;
	BIGNUM *want;
};

static void oracle_init(struct oracle *o, const char *modulus)
{
	*o = (struct oracle){ .ctx = BN_CTX_new(), .a = BN_new(), .b = BN_new(), .want = BN_new() };
	assert_true(BN_hex2bn(&o->m, modulus) > 0);
}

static void oracle_clear(struct oracle *o)
{
	BN_free(o->m);
	BN_free(o->a);
	BN_free(o->b);
	BN_free(o->want);
	BN_CTX_free(o->ctx);
}

static void edge_bytes(uint8_t out[32], size_t i)
{
	BIGNUM *t = NULL;

	assert_true(BN_hex2bn(&t, edges[i]) > 0);
	assert_int_equal(BN_bn2binpad(t, out, 32), 32);
	BN_free(t);
}

static void expect(const struct oracle *o, const uint8_t got[32])
{
	uint8_t want[32];

	assert_int_equal(BN_bn2binpad(o->want, want, 32), 32);
	assert_memory_equal(got, want, 32);
}

static void check_fp_pair(struct oracle *o, const uint8_t x[32], const uint8_t y[32])
{
	struct hf_fp a;
	struct hf_fp b;
	struct hf_fp r;
	uint8_t out[32];
	hf_ct_mask ok = hf_fp_get(&a, x);

	(void)hf_fp_get(&b, y);
	BN_bin2bn(x, 32, o->a);
	BN_bin2bn(y, 32, o->b);
	assert_int_equal(ok != 0, BN_cmp(o->a, o->m) < 0);

	BN_mod_add(o->want, o->a, o->b, o->m, o->ctx);
	hf_fp_add(&r, &a, &b);
	hf_fp_put(out, &r);
	expect(o, out);

	BN_mod_sub(o->want, o->a, o->b, o->m, o->ctx);
	hf_fp_sub(&r, &a, &b);
	hf_fp_put(out, &r);
	expect(o, out);

	BN_mod_mul(o->want, o->a, o->b, o->m, o->ctx);
	hf_fp_mul(&r, &a, &b);
	hf_fp_put(out, &r);
	expect(o, out);

	BN_mod_sqr(o->want, o->a, o->m, o->ctx);
	hf_fp_sqr(&r, &a);
	hf_fp_put(out, &r);
	expect(o, out);

	/* Fully reduced: equal numbers have equal limbs. */
	hf_fp_sub(&r, &a, &a);
	assert_true(hf_fp_zero(&r));
}

static void check_fn_pair(struct oracle *o, const uint8_t x[32], const uint8_t y[32])
{
	struct hf_fn a;
	struct hf_fn b;
	struct hf_fn r;
	uint8_t out[32];

	hf_fn_get(&a, x);
	hf_fn_get(&b, y);
	BN_bin2bn(x, 32, o->a);
	BN_bin2bn(y, 32, o->b);

	BN_mod_add(o->want, o->a, o->b, o->m, o->ctx);
	hf_fn_add(&r, &a, &b);
	hf_fn_put(out, &r);
	expect(o, out);

	BN_mod_sub(o->want, o->a, o->b, o->m, o->ctx);
	hf_fn_sub(&r, &a, &b);
	hf_fn_put(out, &r);
	expect(o, out);

	BN_mod_mul(o->want, o->a, o->b, o->m, o->ctx);
	hf_fn_mul(&r, &a, &b);
	hf_fn_put(out, &r);
	expect(o, out);
}

static void check_all_pairs(
	const char *modulus, void (*check)(struct oracle *, const uint8_t *, const uint8_t *))
{
	struct oracle o;
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, 1);
	uint8_t x[32];
	uint8_t y[32];

	oracle_init(&o, modulus);
	for (size_t i = 0; i < HF_COUNT(edges); i++) {
		edge_bytes(x, i);
		for (size_t j = 0; j < HF_COUNT(edges); j++) {
			edge_bytes(y, j);
			check(&o, x, y);
		}
		for (int j = 0; j < 20; j++) {
			assert_ok(hf_rng_fill(&rng, y, 32));
			check(&o, x, y);
			check(&o, y, x);
		}
	}
	for (int i = 0; i < N_RANDOM; i++) {
		assert_ok(hf_rng_fill(&rng, x, 32));
		assert_ok(hf_rng_fill(&rng, y, 32));
		check(&o, x, y);
	}
	oracle_clear(&o);
}

static void field_agrees_with_bignum(void **state)
{
	(void)state;
	check_all_pairs(P_HEX, check_fp_pair);
}

static void scalars_agree_with_bignum(void **state)
{
	(void)state;
	check_all_pairs(N_HEX, check_fn_pair);
}

/* Products of raw limbs near p: the last subtraction must happen, and must happen once. */
static void largest_limbs_stay_reduced(void **state)
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };
	struct hf_fp a = { { HF_FP_P0 - 1, HF_FP_P1, HF_FP_P2, HF_FP_P3 } };
	struct hf_fp r;
	struct hf_fp s;

	(void)state;
	for (int i = 0; i < 64; i++) {
		hf_fp_mul(&r, &a, &a);
		hf_fp_sqr(&s, &a);
		assert_true(hf_fp_same(&r, &s));
		assert_true(hf_w256_less(r.v, p));
		a.v[i % 4] -= (uint64_t)1 << i;
	}
}

static void inverses_multiply_to_one(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 2);
	uint8_t x[32];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(edges) + 2000; i++) {
		struct hf_fp a;
		struct hf_fp r;
		struct hf_fn b;
		struct hf_fn s;

		if (i < HF_COUNT(edges))
			edge_bytes(x, i);
		else
			assert_ok(hf_rng_fill(&rng, x, 32));
		(void)hf_fp_get(&a, x);
		hf_fp_inv(&r, &a);
		hf_fp_mul(&r, &r, &a);
		assert_true(hf_fp_same(&r, hf_fp_zero(&a) ? &a : &hf_fp_one));
		hf_fn_get(&b, x);
		hf_fn_inv(&s, &b);
		hf_fn_mul(&s, &s, &b);
		assert_true(hf_w256_same(s.v, hf_fn_zero(&b) ? b.v : hf_fn_one.v));
	}
}

static void root_of_a_square_is_found_and_of_others_refused(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 3);
	struct oracle o;
	uint8_t x[32];

	(void)state;
	oracle_init(&o, P_HEX);
	for (int i = 0; i < 40; i++) {
		struct hf_fp a;
		struct hf_fp r;
		struct hf_fp sq;
		hf_ct_mask ok;

		assert_ok(hf_rng_fill(&rng, x, 32));
		(void)hf_fp_get(&a, x);
		ok = hf_fp_sqrt(&r, &a);
		BN_bin2bn(x, 32, o.a);
		assert_int_equal(ok != 0, BN_kronecker(o.a, o.m, o.ctx) >= 0);
		hf_fp_sqr(&sq, &r);
		assert_int_equal(hf_fp_same(&sq, &a) != 0, ok != 0);
	}
	oracle_clear(&o);
}

/* A generator that plays a list of 32-byte blocks, the last again and again. */
struct script {
	const uint8_t *blocks;
	size_t n;
	size_t next;
};

static hf_err script_fill(void *ctx, uint8_t *out, size_t len)
{
	struct script *s = ctx;

	assert_int_equal(len, 32);
	memcpy(out, s->blocks + 32 * (s->next < s->n ? s->next : s->n - 1), 32);
	s->next++;
	return HF_OK;
}

static hf_err fails(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0, len);
	return HF_ERR_SELF_TEST;
}

static void draws_again_what_is_out_of_range(void **state)
{
	uint8_t blocks[5][32] = { { 0 } };
	struct script s = { blocks[0], 5, 0 };
	struct hf_rng rng = { script_fill, &s };
	uint64_t k[4];

	(void)state;
	hf_w256_put(blocks[1], hf_fn_n);
	memset(blocks[2], 0xff, 32);
	hf_w256_put(blocks[3], hf_fn_n_minus_1);
	blocks[4][31] = 1;
	assert_ok(hf_fn_draw(k, hf_fn_n, &rng));
	assert_int_equal(s.next, 4);
	assert_memory_equal(k, hf_fn_n_minus_1, 32);
	s.next = 0;
	assert_ok(hf_fn_draw(k, hf_fn_n_minus_1, &rng));
	assert_int_equal(s.next, 5);
	assert_int_equal(k[0], 1);
}

static void a_broken_generator_ends_in_an_error(void **state)
{
	uint8_t zero[32] = { 0 };
	struct script s = { zero, 1, 0 };
	struct hf_rng stuck = { script_fill, &s };
	struct hf_rng failing = { fails, NULL };
	uint64_t k[4] = { 1, 2, 3, 4 };

	(void)state;
	assert_err(hf_fn_draw(k, hf_fn_n, &stuck), HF_ERR_ENTROPY);
	assert_int_equal(s.next, HF_FN_DRAWS_MAX);
	assert_true(hf_w256_zero(k));
	k[0] = 1;
	assert_err(hf_fn_draw(k, hf_fn_n, &failing), HF_ERR_ENTROPY);
	assert_true(hf_w256_zero(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_agrees_with_bignum),
		cmocka_unit_test(scalars_agree_with_bignum),
		cmocka_unit_test(largest_limbs_stay_reduced),
		cmocka_unit_test(inverses_multiply_to_one),
		cmocka_unit_test(root_of_a_square_is_found_and_of_others_refused),
		cmocka_unit_test(draws_again_what_is_out_of_range),
		cmocka_unit_test(a_broken_generator_ends_in_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
