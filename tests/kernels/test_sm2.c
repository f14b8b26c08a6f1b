/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every SM2 kernel that this processor can run, the reference among them: its field against the
 * reference on operands where carries turn; its multiples of points against libcrypto's generic
 * curve code, at random and at the corners of the group; and the speed of all of them.
 */
/* uses: libcrypto */
#include "test.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "crypto/module.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_kernel.h"
#include "crypto/sm2/sm2_mul.h"
#include "kernels.h"

#ifndef N_CASES
#define N_CASES 2000
#endif

enum {
	N_FIELD = 20000,
	BENCH_RUNS = 7,
};

static EC_GROUP *group;
static BN_CTX *ctx;
static struct test_rng state_of_rng;
static struct hf_rng rng;

static int set_up(void **state)
{
	(void)state;
	group = EC_GROUP_new_by_curve_name(NID_sm2);
	ctx = BN_CTX_new();
	rng = test_rng(&state_of_rng, 20264);
	if (group == NULL || ctx == NULL)
		return -1;
	return hf_module_start(test_cpu()) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	return 0;
}

/* The kernels that can run here, from the first after *i on. */
static const struct hf_sm2_kernel *next_kernel(size_t *i)
{
	for (;; (*i)++) {
		const struct hf_sm2_kernel *k = hf_sm2_kernel_at(*i);

		if (k == NULL)
			return NULL;
		if ((k->needs & ~test_cpu()) == 0) {
			(*i)++;
			return k;
		}
		print_message("%s: not on this processor\n", k->name);
	}
}

static void fill(uint64_t v[4])
{
	uint8_t bytes[32];

	assert_ok(hf_rng_fill(&rng, bytes, sizeof(bytes)));
	hf_w256_get(v, bytes);
}

/* --- the field ------------------------------------------------------------------------------- */

/*
 * Below p; every limb is 0, 1, 2^32 - 1, 2^32, 2^63, the limb of p, near it, all ones or random, by
 * turns that the generator chooses.
 */
static void field_operand(struct hf_fp *a)
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };

	do {
		uint64_t random[4];

		fill(random);
		for (size_t i = 0; i < 4; i++) {
			const uint64_t limbs[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 32,
				UINT64_C(1) << 63, p[i] - 1, p[i], p[i] + 1, UINT64_MAX, random[i],
				random[i], random[i] };

			a->v[i] = limbs[test_rng_below(&state_of_rng, HF_COUNT(limbs))];
		}
	} while (hf_w256_less(a->v, p) == 0);
}

static void check_field(const struct hf_sm2_kernel *k, const struct hf_fp *a, const struct hf_fp *b)
{
	const struct hf_sm2_kernel *c = &hf_sm2_kernel_c;
	struct hf_fp got;
	struct hf_fp want;

	k->fp_mul(&got, a, b);
	c->fp_mul(&want, a, b);
	assert_memory_equal(&got, &want, sizeof(got));
	k->fp_sqr(&got, a);
	c->fp_sqr(&want, a);
	assert_memory_equal(&got, &want, sizeof(got));
	k->fp_add(&got, a, b);
	c->fp_add(&want, a, b);
	assert_memory_equal(&got, &want, sizeof(got));
	k->fp_sub(&got, a, b);
	c->fp_sub(&want, a, b);
	assert_memory_equal(&got, &want, sizeof(got));
	k->fp_half(&got, a);
	c->fp_half(&want, a);
	assert_memory_equal(&got, &want, sizeof(got));
}

/* Differences, by the plain operations of the reference. */
static void check_differences(const struct hf_sm2_kernel *k, const struct hf_fp *a,
	const struct hf_fp *b, const struct hf_fp *c, const struct hf_fp *d)
{
	const struct hf_sm2_kernel *ref = &hf_sm2_kernel_c;
	struct hf_fp got;
	struct hf_fp ab;
	struct hf_fp t;

	ref->fp_mul(&ab, a, b);
	ref->fp_mul(&t, c, d);
	ref->fp_sub(&t, &ab, &t);
	k->fp_mul_less_mul(&got, a, b, c, d);
	assert_memory_equal(&got, &t, sizeof(got));
	ref->fp_sqr(&t, c);
	ref->fp_sub(&t, &ab, &t);
	k->fp_mul_less_sqr(&got, a, b, c);
	assert_memory_equal(&got, &t, sizeof(got));
	ref->fp_sub(&t, a, b);
	ref->fp_sub(&t, &t, b);
	k->fp_sub_twice(&got, a, b);
	assert_memory_equal(&got, &t, sizeof(got));
}

static void check_field_in_place(
	const struct hf_sm2_kernel *k, const struct hf_fp *a, const struct hf_fp *b)
{
	struct hf_fp t[6] = { *a, *b, *a, *a, *b, *a };
	struct hf_fp want[6];

	k->fp_mul(&want[0], a, b);
	k->fp_mul(&want[1], a, b);
	k->fp_sqr(&want[2], a);
	k->fp_add(&want[3], a, b);
	k->fp_sub(&want[4], a, b);
	k->fp_half(&want[5], a);
	k->fp_mul(&t[0], &t[0], b);
	k->fp_mul(&t[1], a, &t[1]);
	k->fp_sqr(&t[2], &t[2]);
	k->fp_add(&t[3], &t[3], b);
	k->fp_sub(&t[4], a, &t[4]);
	k->fp_half(&t[5], &t[5]);
	assert_memory_equal(t, want, sizeof(t));
}

static void fields_equal_the_reference(void **state)
{
	static const struct hf_fp edges[] = {
		{ { 0 } },
		{ { 1 } },
		{ { 0, 1 } },
		{ { 0, 0, 1 } },
		{ { 0, 0, 0, 1 } },
		{ { HF_FP_P0 - 1, HF_FP_P1, HF_FP_P2, HF_FP_P3 } },
		{ { HF_FP_P0, HF_FP_P1 - 1, HF_FP_P2, HF_FP_P3 } },
		{ { 0, 0, 0, HF_FP_P3 } },
		{ { UINT64_MAX, UINT64_MAX, UINT64_MAX, HF_FP_P3 - 1 } },
		{ { UINT64_MAX, 0, UINT64_MAX, 0 } },
		{ { 0, UINT64_MAX, 0, HF_FP_P3 } },
	};
	enum { N = HF_COUNT(edges) };
	const struct hf_sm2_kernel *k;
	struct hf_fp a;
	struct hf_fp b;
	struct hf_fp c;
	struct hf_fp d;

	(void)state;
	for (size_t at = 0; (k = next_kernel(&at)) != NULL;) {
		for (size_t i = 0; i < N * N; i++)
			check_field(k, &edges[i / N], &edges[i % N]);
		for (size_t i = 0; i < N * N * N * N; i++)
			check_differences(k, &edges[i % N], &edges[i / N % N],
				&edges[i / N / N % N], &edges[i / N / N / N]);
		for (size_t i = 0; i < N_FIELD; i++) {
			field_operand(&a);
			field_operand(&b);
			field_operand(&c);
			field_operand(&d);
			check_field(k, &a, &b);
			check_differences(k, &a, &b, &c, &d);
			check_field_in_place(k, &a, &b);
		}
	}
}

/* --- points ---------------------------------------------------------------------------------- */

static BIGNUM *bn(const uint64_t k[4])
{
	uint8_t bytes[32];

	hf_w256_put(bytes, k);
	return BN_bin2bn(bytes, 32, NULL);
}

/* What libcrypto says a point is: coordinates, or infinity. */
struct known {
	bool is_infinite;
	uint8_t xy[64];
};

static void known_from(struct known *k, const EC_POINT *p)
{
	uint8_t out[65];

	memset(k, 0, sizeof(*k));
	k->is_infinite = EC_POINT_is_at_infinity(group, p) == 1;
	if (k->is_infinite)
		return;
	assert_int_equal(
		EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, out, sizeof(out), ctx),
		sizeof(out));
	memcpy(k->xy, out + 1, sizeof(k->xy));
}

static void expect(const struct hf_pt *got, const struct known *want)
{
	struct hf_pt_affine a;
	uint8_t xy[64];

	assert_int_equal(hf_pt_is_infinite(got) != 0, want->is_infinite);
	if (want->is_infinite) {
		assert_true(hf_fp_zero(&got->x));
		assert_false(hf_fp_zero(&got->y));
		return;
	}
	hf_pt_affine(&a, got);
	hf_fp_put(xy, &a.x);
	hf_fp_put(xy + 32, &a.y);
	assert_memory_equal(xy, want->xy, sizeof(xy));
}

static void affine_of(struct hf_pt_affine *a, const struct known *p)
{
	assert_true(hf_fp_get(&a->x, p->xy));
	assert_true(hf_fp_get(&a->y, p->xy + 32));
	assert_true(hf_pt_on_curve(a));
}

/* [k] G, [k] p and [s] G + [k] p by every kernel. k < n. *p becomes [k] p if that is finite. */
static void check_case(EC_POINT *p, const uint64_t s[4], const uint64_t k[4])
{
	EC_POINT *q = EC_POINT_new(group);
	const struct hf_sm2_kernel *kernel;
	struct hf_pt_affine a;
	struct known base;
	struct known here;
	struct known one;
	struct known two;
	struct hf_pt got;
	BIGNUM *bs = bn(s);
	BIGNUM *bk = bn(k);

	known_from(&here, p);
	affine_of(&a, &here);
	assert_true(EC_POINT_mul(group, q, bk, NULL, NULL, ctx));
	known_from(&base, q);
	assert_true(EC_POINT_mul(group, q, bs, p, bk, ctx));
	known_from(&two, q);
	assert_true(EC_POINT_mul(group, q, NULL, p, bk, ctx));
	known_from(&one, q);

	for (size_t at = 0; (kernel = next_kernel(&at)) != NULL;) {
		kernel->mul_base(&got, k);
		expect(&got, &base);
		kernel->mul(&got, k, &a);
		expect(&got, &one);
		kernel->mul_two(&got, s, k, &a);
		expect(&got, &two);
	}
	if (!one.is_infinite)
		assert_true(EC_POINT_copy(p, q));
	BN_free(bs);
	BN_free(bk);
	EC_POINT_free(q);
}

static void random_multiples_agree_with_libcrypto(void **state)
{
	EC_POINT *p = EC_POINT_dup(EC_GROUP_get0_generator(group), group);

	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		uint64_t s[4];
		uint64_t k[4];

		fill(s);
		do
			fill(k);
		while (hf_w256_less(k, hf_fn_n) == 0);
		check_case(p, s, k);
	}
	EC_POINT_free(p);
}

/* n + change, or change alone; change is small. */
static void near_order(uint64_t k[4], int change, bool is_n)
{
	const uint64_t size[4] = { (uint64_t)(change < 0 ? -change : change) };
	const uint64_t zero[4] = { 0 };

	if (change < 0)
		(void)hf_w256_sub(k, is_n ? hf_fn_n : zero, size);
	else
		(void)hf_w256_add(k, is_n ? hf_fn_n : zero, size);
}

/* Scalars where windows, carries and the order turn; k < n. False: there is no case i. */
static bool edge_scalar(uint64_t k[4], size_t i)
{
	static const uint64_t fixed[][4] = {
		/* Half of n, down and up, and where the top window of G meets its exception. */
		{ 0xa9ddfa049ceaa091, 0xb901efb590e30295, UINT64_MAX, 0x7fffffff7fffffff },
		{ 0xa9ddfa049ceaa092, 0xb901efb590e30295, UINT64_MAX, 0x7fffffff7fffffff },
		{ 0xac440bf6c62abedd, 0x8dfc2094de39fad4, 0, 0xe000000100000000 },
		{ 0xac440bf6c62abedd, 0x8dfc2094de39fad4, 0, 1 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, 0xfffffffe00000000 },
		{ 0x5555555555555555, 0x5555555555555555, 0x5555555555555555, 0x5555555555555555 },
		{ 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa },
		{ 0, 0, 0, 0x8000000000000000 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x7fffffffffffffff },
	};
	enum { SMALL = 70, POWERS = 255 };

	if (i < SMALL) {
		near_order(k, (int)i, false);
		return true;
	}
	i -= SMALL;
	if (i < SMALL) {
		near_order(k, -1 - (int)i, true);
		return true;
	}
	i -= SMALL;
	if (i < POWERS) {
		memset(k, 0, 32);
		k[i / 64] = UINT64_C(1) << i % 64;
		return true;
	}
	i -= POWERS;
	if (i < HF_COUNT(fixed))
		memcpy(k, fixed[i], sizeof(fixed[i]));
	return i < HF_COUNT(fixed);
}

static void edge_scalars_agree_with_libcrypto(void **state)
{
	const EC_POINT *g = EC_GROUP_get0_generator(group);
	uint64_t k[4];
	uint64_t s[4];

	(void)state;
	for (size_t i = 0; edge_scalar(k, i); i++) {
		EC_POINT *p = EC_POINT_dup(g, group);

		/* On G itself, where both terms of mul_two() meet, on -G, and on another point. */
		if (!edge_scalar(s, i + 70))
			(void)edge_scalar(s, i % 140);
		check_case(p, k, k);
		assert_true(EC_POINT_copy(p, g));
		assert_true(EC_POINT_invert(group, p, ctx));
		check_case(p, k, k);
		assert_true(EC_POINT_copy(p, g));
		assert_true(EC_POINT_invert(group, p, ctx));
		check_case(p, s, k);
		EC_POINT_free(p);
	}
}

/*
 * The one scalar whose last addition would be of equal points, n - 6, and what it is exchanged for;
 * 0, whose last terms are opposite; and their neighbours: on points that are not G.
 */
static void scalars_whose_last_terms_meet_are_multiplied_right(void **state)
{
	static const int changes[] = { 0, 3, 5, 6, 7, 9, 12 };
	EC_POINT *p = EC_POINT_dup(EC_GROUP_get0_generator(group), group);

	(void)state;
	for (size_t i = 0; i < 16 * HF_COUNT(changes); i++) {
		int change = changes[i % HF_COUNT(changes)];
		uint64_t s[4];
		uint64_t k[4];

		fill(s);
		near_order(k, change, false);
		check_case(p, s, k);
		if (change == 0)
			continue;
		near_order(k, -change, true);
		check_case(p, s, k);
	}
	EC_POINT_free(p);
}

/* Each odd digit in all windows of five bits, below a top one of 1 and of 3. */
static void digits_all_alike_agree_with_libcrypto(void **state)
{
	enum { BITS = 255, WINDOW = 5, TOP = 2 };
	EC_POINT *p = EC_POINT_dup(EC_GROUP_get0_generator(group), group);

	(void)state;
	for (uint64_t i = 0; i < (TOP << WINDOW) - 1; i++) { /* all ones are above 2 n */
		uint64_t k[4] = { 0, 0, 0, i >> WINDOW << 63 };
		uint64_t one[4] = { 1 };
		uint64_t top;

		for (unsigned bit = 0; bit < BITS; bit++)
			k[bit / 64] |= (i >> bit % WINDOW & 1) << bit % 64;
		top = hf_w256_add(k, k, k);
		(void)hf_w256_add(k, k, one);
		if (top != 0 || hf_w256_less(k, hf_fn_n) == 0)
			(void)hf_w256_sub(k, k, hf_fn_n);
		assert_true(hf_w256_less(k, hf_fn_n));
		check_case(p, k, k);
	}
	EC_POINT_free(p);
}

/* s + t j modulo n for small j, of any s and t below n. */
static void combine(uint64_t k[4], const uint64_t s[4], const uint64_t t[4], int j)
{
	const uint64_t size[4] = { (uint64_t)(j < 0 ? -j : j) };
	struct hf_fn a;
	struct hf_fn b;
	struct hf_fn c;

	hf_fn_from(&a, s);
	hf_fn_from(&b, t);
	hf_fn_from(&c, size);
	hf_fn_mul(&b, &b, &c);
	if (j < 0)
		hf_fn_sub(&a, &a, &b);
	else
		hf_fn_add(&a, &a, &b);
	hf_fn_plain(k, &a);
}

static void same_point(const struct hf_pt *a, const struct hf_pt *b)
{
	struct hf_pt_affine x;
	struct hf_pt_affine y;

	assert_int_equal(hf_pt_is_infinite(a) != 0, hf_pt_is_infinite(b) != 0);
	hf_pt_affine(&x, a);
	hf_pt_affine(&y, b);
	assert_true(hf_fp_same(&x.x, &y.x) & hf_fp_same(&x.y, &y.y));
}

/*
 * p = [j] G for small j and small or large scalars: inside, sums of the two terms are equal,
 * opposite and infinite at every window.
 */
static void terms_that_meet_are_added_right(void **state)
{
	static const int multiples[] = { 1, -1, 2, -2, 3, 5, -7, 16, -17, 31, 32, -33, 64 };
	static const int changes[] = { 0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 32, 33, 62, 63, 64 };
	const struct hf_sm2_kernel *kernel;

	(void)state;
	for (size_t at = 0; (kernel = next_kernel(&at)) != NULL;)
		for (size_t i = 0; i < HF_COUNT(multiples); i++) {
			static const uint64_t zero[4] = { 0 };
			const uint64_t one[4] = { 1 };
			struct hf_pt_affine p;
			uint64_t k[4];
			struct hf_pt t;

			combine(k, zero, one, multiples[i]);
			kernel->mul_base(&t, k);
			hf_pt_affine(&p, &t);
			for (size_t j = 0; j < 4 * HF_COUNT(changes) * HF_COUNT(changes); j++) {
				size_t of_s = j / 4 % HF_COUNT(changes);
				size_t of_t = j / 4 / HF_COUNT(changes);
				uint64_t s[4];
				uint64_t u[4];
				struct hf_pt got;
				struct hf_pt want;

				near_order(s, j % 2 ? -1 - changes[of_s] : changes[of_s], j % 2);
				near_order(u, j / 2 % 2 ? -1 - changes[of_t] : changes[of_t],
					j / 2 % 2);
				combine(k, s, u, multiples[i]);
				kernel->mul_two(&got, s, u, &p);
				hf_sm2_kernel_c.mul_base(&want, k);
				same_point(&got, &want);
			}
		}
}

/* Small x, 0 among them where the curve has it, and x near p. */
static void points_of_extreme_coordinates_agree_with_libcrypto(void **state)
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };
	size_t found = 0;

	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		uint64_t x[4] = { i / 2 };
		EC_POINT *point = EC_POINT_new(group);
		BIGNUM *bx;
		uint64_t s[4];
		uint64_t k[4];

		if (i % 2 != 0) {
			x[0]++;
			(void)hf_w256_sub(x, p, x);
		}
		bx = bn(x);
		if (EC_POINT_set_compressed_coordinates(group, point, bx, (int)(i / 2 % 2), ctx)) {
			found++;
			fill(s);
			fill(k);
			k[3] >>= 1;
			check_case(point, s, k);
		}
		BN_free(bx);
		EC_POINT_free(point);
	}
	assert_true(found > 10);
}

/* --- the choice, and speed ------------------------------------------------------------------- */

static void choice_obeys_the_processor(void **state)
{
	(void)state;
	assert_ptr_equal(hf_sm2_choose(0), &hf_sm2_kernel_c);
	for (size_t i = 0; hf_sm2_kernel_at(i) != NULL; i++) {
		const struct hf_sm2_kernel *k = hf_sm2_kernel_at(i);

		if ((k->needs & ~test_cpu()) == 0)
			assert_ptr_equal(hf_sm2_choose(k->needs), k);
	}
}

static void print_speed(const struct hf_sm2_kernel *k, const char *what, double rate)
{
	/* TEST_RATE() counts bytes in GB/s: one a call makes 1e-9 calls. */
	print_message("sm2 %-6s %-8s %8.1f k/s  %8.0f cycles\n", k->name, what, rate * 1e6,
		test_ghz() / rate);
}

static void kernel_speed(const struct hf_sm2_kernel *kernel)
{
	static const uint64_t k[4] = { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
		0x5851f42d4c957f2d };
	struct hf_pt_affine p;
	double best[3] = { 0 };
	struct hf_pt r;
	double rate;

	hf_sm2_kernel_c.mul_base(&r, k);
	hf_pt_affine(&p, &r);
	for (size_t run = 0; run < BENCH_RUNS; run++) {
		TEST_RATE(rate, 1, kernel->mul_base(&r, k));
		best[0] = rate > best[0] ? rate : best[0];
		TEST_RATE(rate, 1, kernel->mul(&r, k, &p));
		best[1] = rate > best[1] ? rate : best[1];
		TEST_RATE(rate, 1, kernel->mul_two(&r, k, hf_fn_n_minus_1, &p));
		best[2] = rate > best[2] ? rate : best[2];
	}
	print_speed(kernel, "base", best[0]);
	print_speed(kernel, "point", best[1]);
	print_speed(kernel, "two", best[2]);
}

static void speed(void **state)
{
	const struct hf_sm2_kernel *kernel;

	(void)state;
	for (size_t at = 0; (kernel = next_kernel(&at)) != NULL;)
		kernel_speed(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_equal_the_reference),
		cmocka_unit_test(random_multiples_agree_with_libcrypto),
		cmocka_unit_test(edge_scalars_agree_with_libcrypto),
		cmocka_unit_test(scalars_whose_last_terms_meet_are_multiplied_right),
		cmocka_unit_test(digits_all_alike_agree_with_libcrypto),
		cmocka_unit_test(terms_that_meet_are_added_right),
		cmocka_unit_test(points_of_extreme_coordinates_agree_with_libcrypto),
		cmocka_unit_test(choice_obeys_the_processor),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
