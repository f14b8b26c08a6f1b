/* SPDX-License-Identifier: Apache-2.0 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "crypto/hmac.h"
#include "crypto/module.h"
#include "crypto/sm3.h"

static void gives_zero_before_the_module_has_started(void **state)
{
	static const uint8_t zero[HF_SM3_LEN];
	uint8_t out[HF_SM3_LEN];

	(void)state;
	hf_sm3(out, "abc", 3);
	assert_memory_equal(out, zero, sizeof(out));
	assert_ok(hf_module_start(0));
}

static void agrees_with_libgcrypt_at_every_length_and_split(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 3);
	uint8_t in[300];
	uint8_t want[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
	for (size_t len = 0; len <= sizeof(in); len++) {
		gcry_md_hash_buffer(GCRY_MD_SM3, want, in, len);
		hf_sm3(got, in, len);
		assert_memory_equal(got, want, sizeof(got));
		for (size_t cut = 0; cut <= len; cut += 1 + len / 40) {
			struct hf_sm3 s;

			hf_sm3_init(&s);
			hf_sm3_feed(&s, in, cut);
			hf_sm3_feed(&s, in + cut, len - cut);
			hf_sm3_done(&s, got);
			assert_memory_equal(got, want, sizeof(got));
		}
	}
}

static void lanes_are_the_same_as_one_by_one(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 4);
	static uint8_t in[HF_SM3_LANES_MAX][4096];
	uint8_t prefix[HF_SM3_LANES_MAX][9];
	const uint8_t *ins[HF_SM3_LANES_MAX];
	const uint8_t *prefixes[HF_SM3_LANES_MAX];
	uint8_t got[HF_SM3_LANES_MAX * HF_SM3_LEN];

	(void)state;
	assert_ok(hf_rng_fill(&rng, in[0], sizeof(in)));
	assert_ok(hf_rng_fill(&rng, prefix[0], sizeof(prefix)));
	for (size_t n = 1; n <= HF_SM3_LANES_MAX; n++) {
		static const size_t lens[] = { 0, 1, 46, 47, 55, 63, 64, 65, 1000, 4096 };

		for (size_t i = 0; i < n; i++) {
			ins[i] = in[i];
			prefixes[i] = prefix[i];
		}
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			hf_sm3_lanes(got, prefixes, 9, ins, lens[j], n);
			for (size_t i = 0; i < n; i++) {
				struct hf_sm3 s;
				uint8_t want[HF_SM3_LEN];

				hf_sm3_init(&s);
				hf_sm3_feed(&s, prefix[i], 9);
				hf_sm3_feed(&s, in[i], lens[j]);
				hf_sm3_done(&s, want);
				assert_memory_equal(got + 32 * i, want, sizeof(want));
			}
			hf_sm3_lanes(got, NULL, 0, ins, lens[j], n);
			for (size_t i = 0; i < n; i++) {
				uint8_t want[HF_SM3_LEN];

				hf_sm3(want, in[i], lens[j]);
				assert_memory_equal(got + 32 * i, want, sizeof(want));
			}
		}
	}
}

static void hmac_agrees_with_libgcrypt(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 5);
	uint8_t key[150];
	uint8_t in[200];
	uint8_t got[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
	assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
	for (size_t key_len = 1; key_len <= sizeof(key); key_len++) {
		gcry_md_hd_t h;

		assert_int_equal(gcry_md_open(&h, GCRY_MD_SM3, GCRY_MD_FLAG_HMAC), 0);
		assert_int_equal(gcry_md_setkey(h, key, key_len), 0);
		gcry_md_write(h, in, sizeof(in));
		hf_hmac_sm3(got, key, key_len, in, sizeof(in));
		assert_memory_equal(got, gcry_md_read(h, GCRY_MD_SM3), sizeof(got));
		gcry_md_close(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zero_before_the_module_has_started),
		cmocka_unit_test(agrees_with_libgcrypt_at_every_length_and_split),
		cmocka_unit_test(lanes_are_the_same_as_one_by_one),
		cmocka_unit_test(hmac_agrees_with_libgcrypt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
