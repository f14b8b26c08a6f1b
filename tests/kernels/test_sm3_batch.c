/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of SM3, HMAC and derivations on the kernel that the module chooses on this processor:
 * equal to one after another, which libgcrypt confirms, for any lengths, states and numbers of
 * messages; then their speed.
 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "base/attr.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "guard.h"
#include "kernels.h"

enum {
	N_MAX = 3 * HF_SM3_LANES_MAX + 1,
	LEN_MAX = 700,
	RUNS = 150,
	OUT_MAX = 40 * HF_SM3_LEN,
};

struct fixture {
	struct test_rng state;
	struct hf_rng rng;
	uint8_t data[N_MAX + LEN_MAX];
};

static int set_up(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	f->rng = test_rng(&f->state, 9);
	assert_non_null(gcry_check_version(NULL));
	assert_ok(hf_module_start(test_cpu()));
	assert_ok(hf_rng_fill(&f->rng, f->data, sizeof(f->data)));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* Short ones often, since what is special happens at the ends. */
static size_t some_len(struct fixture *f)
{
	uint64_t how = test_rng_below(&f->state, 3);

	return (size_t)test_rng_below(&f->state, how == 0 ? 10 : how == 1 ? 140 : LEN_MAX + 1);
}

static void hashes_of_any_lengths_and_beginnings(void **state)
{
	struct fixture *f = *state;
	struct hf_sm3 begun[4];
	struct hf_sm3 was[4];
	struct hf_sm3_job jobs[N_MAX];
	uint8_t got[N_MAX][HF_SM3_LEN];
	uint8_t want[HF_SM3_LEN];

	for (size_t i = 0; i < HF_COUNT(begun); i++) {
		hf_sm3_init(&begun[i]);
		hf_sm3_feed(&begun[i], f->data, i * 43);
	}
	memcpy(was, begun, sizeof(was));
	for (size_t run = 0; run < RUNS; run++) {
		size_t n = (size_t)test_rng_below(&f->state, N_MAX + 1);

		for (size_t i = 0; i < n; i++) {
			size_t which = (size_t)test_rng_below(&f->state, HF_COUNT(begun) + 1);

			jobs[i] =
				(struct hf_sm3_job){ which < HF_COUNT(begun) ? &begun[which] : NULL,
					f->data + i, some_len(f), got[i] };
		}
		hf_sm3_batch(jobs, n);
		for (size_t i = 0; i < n; i++) {
			struct hf_sm3 s;

			hf_sm3_init(&s);
			if (jobs[i].from != NULL)
				s = *jobs[i].from;
			hf_sm3_feed(&s, jobs[i].in, jobs[i].len);
			hf_sm3_done(&s, want);
			assert_memory_equal(got[i], want, sizeof(want));
			gcry_md_hash_buffer(GCRY_MD_SM3, want, jobs[i].in, jobs[i].len);
			if (jobs[i].from == NULL)
				assert_memory_equal(got[i], want, sizeof(want));
		}
	}
	assert_memory_equal(begun, was, sizeof(was));
}

/* One byte beyond a message or its digest would be seen. */
static void no_byte_beyond_a_message_is_touched(void **state)
{
	struct fixture *f = *state;
	struct test_guard in;
	struct test_guard out;

	test_guard_new(&in, LEN_MAX);
	test_guard_new(&out, HF_SM3_LEN);
	for (size_t len = 0; len <= LEN_MAX; len += 1 + len / 80) {
		uint8_t *p = test_guard_high(&in, len);
		uint8_t *q = test_guard_high(&out, HF_SM3_LEN);
		uint8_t want[HF_SM3_LEN];
		uint8_t other[HF_SM3_LEN];
		const struct hf_sm3_job jobs[] = { { NULL, p, len, q },
			{ NULL, f->data, 100, other } };

		assert_ok(hf_rng_fill(&f->rng, p, len));
		hf_sm3_batch(jobs, 2);
		hf_sm3(want, p, len);
		assert_memory_equal(q, want, sizeof(want));
	}
	test_guard_free(&in);
	test_guard_free(&out);
}

/* In the first half of runs the digest takes the place of the message. */
static void tags_of_any_lengths_and_keys(void **state)
{
	struct fixture *f = *state;
	static uint8_t text[N_MAX][LEN_MAX];
	struct hf_hmac keyed[3];
	struct hf_hmac_job jobs[N_MAX];
	uint8_t got[N_MAX][HF_SM3_LEN];
	uint8_t want[N_MAX][HF_SM3_LEN];

	for (size_t i = 0; i < HF_COUNT(keyed); i++) {
		hf_hmac_init(&keyed[i], f->data, 60 * i);
		hf_hmac_feed(&keyed[i], f->data, 11 * i);
	}
	for (size_t run = 0; run < RUNS; run++) {
		size_t n = (size_t)test_rng_below(&f->state, N_MAX + 1);

		for (size_t i = 0; i < n; i++) {
			struct hf_hmac m = keyed[i % HF_COUNT(keyed)];
			size_t len = some_len(f);

			memcpy(text[i], f->data + i, len);
			hf_hmac_feed(&m, text[i], len);
			hf_hmac_done(&m, want[i]);
			jobs[i] = (struct hf_hmac_job){ &keyed[i % HF_COUNT(keyed)], text[i], len,
				run < RUNS / 2 ? text[i] : got[i] };
		}
		hf_hmac_batch(jobs, n);
		for (size_t i = 0; i < n; i++)
			assert_memory_equal(jobs[i].tag, want[i], sizeof(want[i]));
	}
}

static void expansions_of_any_lengths(void **state)
{
	struct fixture *f = *state;
	static uint8_t got[N_MAX][OUT_MAX];
	uint8_t want[OUT_MAX];
	struct hf_hmac prk;
	struct hf_hkdf_job jobs[N_MAX];

	hf_hmac_init(&prk, f->data, HF_SM3_LEN);
	for (size_t run = 0; run < 20; run++) {
		size_t n = (size_t)test_rng_below(&f->state, N_MAX + 1);

		memset(got, 0xa5, sizeof(got));
		for (size_t i = 0; i < n; i++)
			jobs[i] = (struct hf_hkdf_job){ &prk, f->data + i, some_len(f), got[i],
				(size_t)test_rng_below(&f->state, i % 5 == 0 ? OUT_MAX : 50) };
		assert_ok(hf_hkdf_expand_batch(jobs, n));
		for (size_t i = 0; i < n; i++) {
			assert_ok(hf_hkdf_expand(
				want, jobs[i].out_len, f->data, jobs[i].info, jobs[i].info_len));
			assert_memory_equal(got[i], want, jobs[i].out_len);
			assert_int_equal(got[i][jobs[i].out_len], 0xa5);
		}
	}
	jobs[0].out_len = 32;
	jobs[1].out_len = 255 * HF_SM3_LEN + 1;
	memset(got[0], 0xa5, sizeof(got[0]));
	assert_err(hf_hkdf_expand_batch(jobs, 2), HF_ERR_ARG);
	assert_int_equal(got[0][0], 0xa5);
	assert_int_equal(got[0][31], 0xa5);
}

static void kdf_of_many_blocks(void **state)
{
	struct fixture *f = *state;
	uint8_t out[OUT_MAX];
	uint8_t want[HF_SM3_LEN];

	for (size_t len = 0; len < OUT_MAX; len += 1 + len / 20) {
		struct hf_sm3 s;
		uint8_t ct[4] = { 0 };

		memset(out, 0xa5, sizeof(out));
		assert_ok(hf_sm2_kdf(out, len, f->data, 64 + len % 9));
		assert_int_equal(out[len], 0xa5);
		for (size_t at = 0; at < len; at += HF_SM3_LEN) {
			ct[3]++;
			hf_sm3_init(&s);
			hf_sm3_feed(&s, f->data, 64 + len % 9);
			hf_sm3_feed(&s, ct, sizeof(ct));
			hf_sm3_done(&s, want);
			assert_memory_equal(
				out + at, want, len - at < HF_SM3_LEN ? len - at : HF_SM3_LEN);
		}
	}
}

static void passwords_side_by_side_equal_libgcrypt(void **state)
{
	struct fixture *f = *state;
	static uint8_t got[N_MAX][OUT_MAX];
	uint8_t want[OUT_MAX];
	struct hf_pbkdf2_job jobs[N_MAX];

	for (uint32_t iterations = 1; iterations < 12; iterations++) {
		size_t n = (size_t)test_rng_below(&f->state, N_MAX + 1);

		memset(got, 0xa5, sizeof(got));
		for (size_t i = 0; i < n; i++)
			jobs[i] = (struct hf_pbkdf2_job){ f->data + i, 1 + i, f->data + 2 * i,
				1 + i % 70, got[i], i == 3 ? OUT_MAX - 1 : 1 + i };
		assert_ok(hf_pbkdf2_batch(jobs, n, iterations));
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(
				gcry_kdf_derive(jobs[i].password, jobs[i].password_len,
					GCRY_KDF_PBKDF2, GCRY_MD_SM3, jobs[i].salt,
					jobs[i].salt_len, iterations, jobs[i].out_len, want),
				0);
			assert_memory_equal(got[i], want, jobs[i].out_len);
			assert_int_equal(got[i][jobs[i].out_len], 0xa5);
		}
	}
	jobs[0] = (struct hf_pbkdf2_job){ "pw", 2, "salt", 4, got[0], 32 };
	jobs[1] = jobs[0];
	jobs[1].out_len = SIZE_MAX;
	memset(got[0], 0xa5, sizeof(got[0]));
	assert_err(hf_pbkdf2_batch(jobs, 2, 1), HF_ERR_ARG);
	assert_err(hf_pbkdf2_batch(jobs, 1, 0), HF_ERR_ARG);
	assert_int_equal(got[0][0], 0xa5);
}

static void speed(void **state)
{
	struct fixture *f = *state;
	struct hf_hmac keyed;
	struct hf_hmac_job jobs[64];
	uint8_t tags[64][HF_SM3_LEN];
	uint8_t out[16 * HF_SM3_LEN];
	double one;
	double many;
	hf_err e = HF_OK;

	hf_hmac_init(&keyed, f->data, HF_SM3_LEN);
	for (size_t i = 0; i < HF_COUNT(jobs); i++)
		jobs[i] = (struct hf_hmac_job){ &keyed, f->data + i, 100, tags[i] };
	TEST_RATE(one, 1e6, hf_hmac_batch(jobs, 1));
	TEST_RATE(many, 64e6, hf_hmac_batch(jobs, 64));
	print_message("hmac-sm3 of 100 bytes on %s: %.0f k/s, 64 at once %.0f k/s\n",
		hf_module()->sm3->name, one, many);
	TEST_RATE(one, 1e6, e |= hf_pbkdf2(out, 32, "pw", 2, "salt", 4, 1000));
	TEST_RATE(many, 16e6, e |= hf_pbkdf2(out, sizeof(out), "pw", 2, "salt", 4, 1000));
	print_message(
		"pbkdf2-sm3 of 1000 iterations: %.2f k blocks/s, 16 at once %.2f k/s\n", one, many);
	assert_ok(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_of_any_lengths_and_beginnings),
		cmocka_unit_test(no_byte_beyond_a_message_is_touched),
		cmocka_unit_test(tags_of_any_lengths_and_keys),
		cmocka_unit_test(expansions_of_any_lengths),
		cmocka_unit_test(kdf_of_many_blocks),
		cmocka_unit_test(passwords_side_by_side_equal_libgcrypt),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
