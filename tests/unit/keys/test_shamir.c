/* SPDX-License-Identifier: Apache-2.0 */
/* Any threshold of shares brings the secret back; fewer, mixed, doubled or mistyped ones do not. */
#include "test.h"

#include "crypto/module.h"
#include "keys/shamir.h"

enum { N = 5, T = 3 };

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static void split(struct hf_share shares[N], uint8_t secret[HF_SHARE_SECRET_LEN], uint64_t seed)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, seed);

	assert_ok(hf_rng_fill(&rng, secret, HF_SHARE_SECRET_LEN));
	assert_ok(hf_shamir_split(shares, T, N, secret, &rng));
}

static void every_three_of_five_bring_it_back(void **state)
{
	struct hf_share s[N];
	uint8_t secret[HF_SHARE_SECRET_LEN];

	(void)state;
	split(s, secret, 1);
	for (int a = 0; a < N; a++)
		for (int b = 0; b < N; b++)
			for (int c = 0; c < N; c++) {
				struct hf_share pick[T] = { s[a], s[b], s[c] };
				uint8_t out[HF_SHARE_SECRET_LEN] = { 0 };

				if (a == b || b == c || a == c)
					continue;
				assert_ok(hf_shamir_join(out, pick, T, NULL));
				assert_memory_equal(out, secret, sizeof(out));
			}
}

static void two_of_five_are_told_to_bring_more(void **state)
{
	struct hf_share s[N];
	uint8_t secret[HF_SHARE_SECRET_LEN];
	uint8_t out[HF_SHARE_SECRET_LEN] = { 42 };
	struct hf_errinfo ei = { 0 };

	(void)state;
	split(s, secret, 2);
	assert_err(hf_shamir_join(out, s, 2, &ei), HF_ERR_STATE);
	assert_string_equal(ei.text, "2 of 3 shares: bring more custodians");
	assert_int_equal(out[0], 42);
	s[0].threshold = s[1].threshold = 2; /* a lie about the threshold gives a wrong secret */
	assert_ok(hf_shamir_join(out, s, 2, NULL));
	assert_memory_not_equal(out, secret, sizeof(out));
}

static void refuses_shares_of_two_sets_and_one_share_twice(void **state)
{
	struct hf_share s[N];
	struct hf_share other[N];
	uint8_t secret[HF_SHARE_SECRET_LEN];
	uint8_t out[HF_SHARE_SECRET_LEN];

	(void)state;
	split(s, secret, 3);
	split(other, secret, 4);
	struct hf_share mixed[T] = { s[0], s[1], other[2] };
	struct hf_share twice[T] = { s[0], s[1], s[1] };

	assert_err(hf_shamir_join(out, mixed, T, NULL), HF_ERR_FORMAT);
	assert_err(hf_shamir_join(out, twice, T, NULL), HF_ERR_FORMAT);
}

static void refuses_thresholds_that_make_no_sense(void **state)
{
	struct hf_share s[HF_SHARES_MAX + 1];
	uint8_t secret[HF_SHARE_SECRET_LEN] = { 0 };
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);

	(void)state;
	assert_err(hf_shamir_split(s, 1, 3, secret, &rng), HF_ERR_ARG);
	assert_err(hf_shamir_split(s, 4, 3, secret, &rng), HF_ERR_ARG);
	assert_err(hf_shamir_split(s, 3, HF_SHARES_MAX + 1, secret, &rng), HF_ERR_ARG);
}

static void a_printed_share_reads_back_and_a_mistyped_one_does_not(void **state)
{
	struct hf_share s[N];
	struct hf_share back = { 0 };
	uint8_t secret[HF_SHARE_SECRET_LEN];
	char text[HF_SHARE_TEXT_MAX];

	(void)state;
	split(s, secret, 5);
	hf_share_emit(text, &s[3]);
	assert_ok(hf_share_parse(&back, text, strlen(text), NULL));
	assert_memory_equal(&back, &s[3], sizeof(back));
	for (size_t i = sizeof("HUFU-SHARE-4"); i < strlen(text); i++) {
		char was = text[i];

		text[i] = was == '0' ? '1' : '0';
		assert_int_not_equal(hf_share_parse(&back, text, strlen(text), NULL), HF_OK);
		text[i] = was;
	}
	for (size_t cut = 0; cut < strlen(text); cut++)
		assert_int_not_equal(hf_share_parse(&back, text, cut, NULL), HF_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_three_of_five_bring_it_back),
		cmocka_unit_test(two_of_five_are_told_to_bring_more),
		cmocka_unit_test(refuses_shares_of_two_sets_and_one_share_twice),
		cmocka_unit_test(refuses_thresholds_that_make_no_sense),
		cmocka_unit_test(a_printed_share_reads_back_and_a_mistyped_one_does_not),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
