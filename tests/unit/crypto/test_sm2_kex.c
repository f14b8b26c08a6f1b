/* SPDX-License-Identifier: Apache-2.0 */
/* Key exchange of SM2: both sides agree, and any change on one side parts them. */
#include "test.h"

#include "crypto/module.h"
#include "crypto/sm2.h"
#include "crypto/sm2/sm2_fn.h"

static int setup(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

struct pairs {
	struct hf_sm2_key a;
	struct hf_sm2_key b;
	struct hf_sm2_key ra;
	struct hf_sm2_key rb;
};

struct result {
	uint8_t key[48];
	uint8_t self[32];
	uint8_t peer[32];
};

static void make(struct pairs *p, struct hf_sm2_kex *x, struct hf_sm2_kex *y, uint64_t seed)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, seed);

	assert_ok(hf_sm2_key_new(&p->a, &rng));
	assert_ok(hf_sm2_key_new(&p->b, &rng));
	assert_ok(hf_sm2_key_new(&p->ra, &rng));
	assert_ok(hf_sm2_key_new(&p->rb, &rng));
	*x = (struct hf_sm2_kex){ true, &p->a, &p->ra, "alice", 5, &p->b.pub, &p->rb.pub, "bob",
		3 };
	*y = (struct hf_sm2_kex){ false, &p->b, &p->rb, "bob", 3, &p->a.pub, &p->ra.pub, "alice",
		5 };
}

static struct result run(const struct hf_sm2_kex *x)
{
	struct result r = { { 0 }, { 0 }, { 0 } };

	assert_ok(hf_sm2_kex_key(r.key, sizeof(r.key), r.self, r.peer, x));
	return r;
}

static void both_sides_agree(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct pairs p;
		struct hf_sm2_kex x;
		struct hf_sm2_kex y;
		struct result a;
		struct result b;
		uint8_t short_key[5];

		make(&p, &x, &y, seed);
		a = run(&x);
		b = run(&y);
		assert_memory_equal(a.key, b.key, sizeof(a.key));
		assert_memory_equal(a.self, b.peer, 32);
		assert_memory_equal(a.peer, b.self, 32);
		assert_memory_not_equal(a.self, a.peer, 32);
		assert_ok(hf_sm2_kex_key(short_key, 5, NULL, NULL, &y));
		assert_memory_equal(short_key, a.key, 5);
	}
}

static void any_change_on_one_side_parts_them(void **state)
{
	struct pairs p;
	struct pairs q;
	struct hf_sm2_kex x;
	struct hf_sm2_kex y;
	struct hf_sm2_kex ignored;
	struct hf_sm2_kex t[7];
	struct result want;

	(void)state;
	make(&q, &x, &ignored, 99);
	make(&p, &x, &y, 98);
	want = run(&x);
	for (size_t i = 0; i < HF_COUNT(t); i++)
		t[i] = y;
	t[0].self = &q.b;
	t[1].self_r = &q.rb;
	t[2].peer = &q.a.pub;
	t[3].peer_r = &q.ra.pub;
	t[4].self_id = "bab";
	t[5].peer_id_len = 4;
	t[6].is_initiator = true;
	for (size_t i = 0; i < HF_COUNT(t); i++) {
		struct result got = run(&t[i]);

		assert_memory_not_equal(got.key, want.key, sizeof(want.key));
		assert_memory_not_equal(got.peer, want.self, 32);
	}
}

static void keys_off_the_curve_and_bad_calls_are_refused(void **state)
{
	struct pairs p;
	struct hf_sm2_kex x;
	struct hf_sm2_kex y;
	struct hf_sm2_pub off;
	struct hf_sm2_key zero = { { 0 }, { { 0 }, { 0 } } };
	static uint8_t id[HF_SM2_ID_MAX + 1];
	uint8_t key[16];
	uint8_t s[32];

	(void)state;
	make(&p, &x, &y, 97);
	off = p.a.pub;
	off.x[9] ^= 4;
	y.peer = &off;
	assert_err(hf_sm2_kex_key(key, 16, NULL, NULL, &y), HF_ERR_FORMAT);
	y.peer = &p.a.pub;
	y.peer_r = &off;
	assert_err(hf_sm2_kex_key(key, 16, NULL, NULL, &y), HF_ERR_FORMAT);
	y.peer_r = &p.ra.pub;
	assert_err(hf_sm2_kex_key(key, 16, s, NULL, &y), HF_ERR_ARG);
	y.self = &zero;
	assert_err(hf_sm2_kex_key(key, 16, NULL, NULL, &y), HF_ERR_ARG);
	y.self = &p.b;
	y.self_id = id;
	y.self_id_len = sizeof(id);
	assert_err(hf_sm2_kex_key(key, 16, NULL, NULL, &y), HF_ERR_LIMIT);
}

/* A peer that picks its static key as -[x'] R makes the shared point infinite: 6.1 A7, B6. */
static void a_peer_that_forces_infinity_is_refused(void **state)
{
	struct pairs p;
	struct hf_sm2_kex x;
	struct hf_sm2_kex y;
	struct hf_sm2_key evil;
	struct hf_fn d;
	struct hf_fn r;
	struct hf_fn zero = { { 0 } };
	uint64_t half[4];
	uint8_t bytes[32];
	uint8_t key[16];

	(void)state;
	make(&p, &x, &y, 96);
	hf_w256_get(half, p.ra.pub.x);
	half[1] |= (uint64_t)1 << 63;
	half[2] = 0;
	half[3] = 0;
	hf_fn_from(&d, half);
	hf_fn_get(&r, p.ra.d);
	hf_fn_mul(&d, &d, &r);
	hf_fn_sub(&d, &zero, &d);
	hf_fn_put(bytes, &d);
	assert_ok(hf_sm2_key_from_private(&evil, bytes));
	y.peer = &evil.pub;
	assert_err(hf_sm2_kex_key(key, 16, NULL, NULL, &y), HF_ERR_AUTH);
	x.self = &evil; /* and t = 0 on its own side */
	assert_err(hf_sm2_kex_key(key, 16, NULL, NULL, &x), HF_ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(any_change_on_one_side_parts_them),
		cmocka_unit_test(keys_off_the_curve_and_bad_calls_are_refused),
		cmocka_unit_test(a_peer_that_forces_infinity_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
