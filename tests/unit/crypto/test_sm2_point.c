/* SPDX-License-Identifier: Apache-2.0 */
/* Points and multiples against libcrypto's generic curve code, and the corners of the group law. */
/* uses: libcrypto */
#include "test.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_mul.h"

static EC_GROUP *group;
static BN_CTX *ctx;

static int setup(void **state)
{
	(void)state;
	group = EC_GROUP_new_by_curve_name(NID_sm2);
	ctx = BN_CTX_new();
	return group && ctx ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	return 0;
}

/* 65 bytes, or one zero byte for infinity: as libcrypto writes them. */
static size_t ours(uint8_t out[65], const struct hf_pt *p)
{
	struct hf_pt_affine a;

	if (hf_pt_is_infinite(p)) {
		assert_true(hf_fp_zero(&p->x));
		assert_false(hf_fp_zero(&p->y));
		out[0] = 0;
		return 1;
	}
	hf_pt_affine(&a, p);
	assert_true(hf_pt_on_curve(&a));
	out[0] = 4;
	hf_fp_put(out + 1, &a.x);
	hf_fp_put(out + 33, &a.y);
	return 65;
}

static void expect(const struct hf_pt *got, const EC_POINT *want)
{
	uint8_t a[65];
	uint8_t b[65];
	size_t b_len =
		EC_POINT_point2oct(group, want, POINT_CONVERSION_UNCOMPRESSED, b, sizeof(b), ctx);

	assert_int_equal(ours(a, got), b_len);
	assert_memory_equal(a, b, b_len);
}

static void expect_same(const struct hf_pt *a, const struct hf_pt *b)
{
	uint8_t x[65];
	uint8_t y[65];
	size_t len = ours(x, a);

	assert_int_equal(ours(y, b), len);
	assert_memory_equal(x, y, len);
}

static BIGNUM *bn(const uint64_t k[4])
{
	uint8_t bytes[32];

	hf_w256_put(bytes, k);
	return BN_bin2bn(bytes, 32, NULL);
}

/* Scalars where windows, carries and the order turn. */
static size_t scalar(uint64_t k[4], size_t i)
{
	static const uint64_t fixed[][4] = {
		{ 0 },
		{ 1 },
		{ 2 },
		{ 3 },
		{ 16 },
		{ 17 },
		{ 31 },
		{ 32 },
		{ 33 },
		{ 63 },
		{ 64 },
		{ UINT64_MAX },
		{ 0, 1 },
		{ UINT64_MAX, UINT64_MAX },
		{ 0, 0, 0, 0x8000000000000000 },
		{ 0x5555555555555555, 0x5555555555555555, 0x5555555555555555, 0x5555555555555555 },
		{ 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa },
		{ 0x53bbf40939d54121, 0x7203df6b21c6052b, UINT64_MAX, 0xfffffffeffffffff },
		{ 0x53bbf40939d54122, 0x7203df6b21c6052b, UINT64_MAX, 0xfffffffeffffffff },
		{ 0x53bbf40939d54123, 0x7203df6b21c6052b, UINT64_MAX, 0xfffffffeffffffff },
		{ 0x53bbf40939d54124, 0x7203df6b21c6052b, UINT64_MAX, 0xfffffffeffffffff },
		{ 0xa9ddfa049ceaa092, 0xb901efb590e30295, UINT64_MAX, 0x7fffffff7fffffff },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
	};
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 77 + i);
	uint8_t bytes[32];

	if (i < HF_COUNT(fixed)) {
		memcpy(k, fixed[i], sizeof(fixed[i]));
	} else {
		assert_ok(hf_rng_fill(&rng, bytes, 32));
		hf_w256_get(k, bytes);
	}
	return HF_COUNT(fixed) + 25;
}

static void multiples_agree_with_libcrypto(void **state)
{
	EC_POINT *p = EC_POINT_new(group);
	EC_POINT *want = EC_POINT_new(group);
	uint64_t k[4];
	uint64_t s[4];
	struct hf_pt base;
	struct hf_pt got;

	(void)state;
	(void)scalar(k, 100);
	hf_pt_mul_base(&base, k);
	BIGNUM *b = bn(k);
	assert_true(EC_POINT_mul(group, p, b, NULL, NULL, ctx));
	BN_free(b);
	expect(&base, p);

	for (size_t i = 0; i < scalar(k, i); i++) {
		BIGNUM *x = bn(k);
		BIGNUM *y;

		assert_true(EC_POINT_mul(group, want, x, NULL, NULL, ctx));
		hf_pt_mul_base(&got, k);
		expect(&got, want);

		assert_true(EC_POINT_mul(group, want, NULL, p, x, ctx));
		hf_pt_mul(&got, k, &base);
		expect(&got, want);
		hf_pt_mul_public(&got, k, &base);
		expect(&got, want);

		(void)scalar(s, (i * 7 + 3) % 40);
		y = bn(s);
		assert_true(EC_POINT_mul(group, want, y, p, x, ctx));
		hf_pt_mul_two_public(&got, s, k, &base);
		expect(&got, want);
		BN_free(x);
		BN_free(y);
	}
	EC_POINT_free(p);
	EC_POINT_free(want);
}

static void both_terms_may_cancel_or_be_equal(void **state)
{
	uint64_t k[4];
	uint64_t one[4] = { 1 };
	struct hf_pt p;
	struct hf_pt neg;
	struct hf_pt got;
	struct hf_pt want;

	(void)state;
	(void)scalar(k, 50);
	hf_pt_mul_base(&p, k);
	hf_pt_mul_two_public(&got, k, one, &p);
	hf_pt_double(&want, &p, 1);
	expect_same(&got, &want);
	hf_pt_neg_if(&neg, hf_ct_bit(1), &p);
	hf_pt_mul_two_public(&got, k, one, &neg);
	assert_true(hf_pt_is_infinite(&got));
	hf_pt_mul(&got, k, &hf_pt_infinity);
	assert_true(hf_pt_is_infinite(&got));
	hf_pt_mul_public(&got, k, &hf_pt_infinity);
	assert_true(hf_pt_is_infinite(&got));
}

/* Every pair out of O, P, -P, 2P, -2P, 3P: complete formulas know no exception. */
static void additions_are_complete(void **state)
{
	struct hf_pt m[7]; /* m[i] = [i - 3] P */
	struct hf_pt p;
	struct hf_pt got;
	uint64_t k[4];

	(void)state;
	(void)scalar(k, 60);
	hf_pt_mul_base(&p, k);
	for (int i = -3; i <= 3; i++) {
		uint64_t n[4] = { (uint64_t)(i < 0 ? -i : i) };

		hf_pt_mul_public(&m[i + 3], n, &p);
		hf_pt_neg_if(&m[i + 3], hf_ct_bit(i < 0), &m[i + 3]);
	}
	for (int i = -3; i <= 3; i++) {
		for (int j = -3; j <= 3; j++) {
			struct hf_pt_affine a;

			if (i + j < -3 || i + j > 3)
				continue;
			hf_pt_add(&got, &m[i + 3], &m[j + 3]);
			expect_same(&got, &m[i + j + 3]);
			if (j == 0)
				continue;
			hf_pt_affine(&a, &m[j + 3]);
			hf_pt_add_affine(&got, &m[i + 3], &a);
			expect_same(&got, &m[i + j + 3]);
		}
	}
}

static void doublings_agree_with_additions(void **state)
{
	struct hf_pt p;
	struct hf_pt sum;
	struct hf_pt got;
	uint64_t k[4];

	(void)state;
	(void)scalar(k, 61);
	hf_pt_mul_base(&p, k);
	sum = p;
	for (unsigned n = 0; n < 12; n++) {
		hf_pt_double(&got, &p, n);
		expect_same(&got, &sum);
		hf_pt_add(&sum, &sum, &sum);
		hf_pt_double(&got, &hf_pt_infinity, n);
		assert_true(hf_pt_is_infinite(&got));
		assert_false(hf_fp_zero(&got.y));
		hf_pt_add(&got, &got, &p);
		expect_same(&got, &p);
	}
}

static void public_keys_off_the_curve_are_refused(void **state)
{
	struct hf_sm2_pub pub;
	struct hf_sm2_pub bad;
	struct hf_pt_affine a;
	struct hf_pt p;
	uint64_t k[4];

	(void)state;
	(void)scalar(k, 62);
	hf_pt_mul_base(&p, k);
	hf_pt_affine(&a, &p);
	hf_pt_to_pub(&pub, &a);
	assert_ok(hf_pt_from_pub(&p, &pub));
	for (int i = 0; i < 512; i++) {
		bad = pub;
		(i < 256 ? bad.x : bad.y)[i % 256 / 8] ^= (uint8_t)(1 << i % 8);
		assert_err(hf_pt_from_pub(&p, &bad), HF_ERR_FORMAT);
	}
	memset(&bad, 0, sizeof(bad));
	assert_err(hf_pt_from_pub(&p, &bad), HF_ERR_FORMAT);
}

/* x < 2^256 - p with a point: x + p would be the same point, and must not be. */
static void coordinates_of_p_or_more_are_refused(void **state)
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };
	struct hf_sm2_pub pub;
	int found = 0;

	(void)state;
	for (uint64_t x = 1; x < 20; x++) {
		uint64_t plain[4] = { x };
		uint8_t bytes[32];
		struct hf_pt_affine a;
		struct hf_pt t;
		struct hf_fp fx;

		hf_w256_put(bytes, plain);
		(void)hf_fp_get(&fx, bytes);
		if (!hf_pt_find_y(&a, &fx, 0))
			continue;
		found++;
		hf_pt_to_pub(&pub, &a);
		assert_ok(hf_pt_from_pub(&t, &pub));
		(void)hf_w256_add(plain, plain, p);
		hf_w256_put(pub.x, plain);
		assert_err(hf_pt_from_pub(&t, &pub), HF_ERR_FORMAT);
	}
	assert_true(found > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multiples_agree_with_libcrypto),
		cmocka_unit_test(both_terms_may_cancel_or_be_equal),
		cmocka_unit_test(additions_are_complete),
		cmocka_unit_test(doublings_agree_with_additions),
		cmocka_unit_test(public_keys_off_the_curve_are_refused),
		cmocka_unit_test(coordinates_of_p_or_more_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
