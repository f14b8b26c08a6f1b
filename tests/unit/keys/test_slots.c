/* SPDX-License-Identifier: Apache-2.0 */
/* The root seed opens by each of its slots, and by nothing else. */
#include "test.h"

#include "crypto/module.h"
#include "keys/slots.h"

static const uint8_t seed[HF_KEY_SEED_LEN] = { 9, 8, 7 };
static const char passphrase[] = "correct horse battery";

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static void fill(struct hf_slots *s, struct hf_share shares[5])
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 11);

	assert_ok(hf_slots_init(s, seed, &rng));
	assert_ok(hf_slots_add_shamir(s, shares, 3, 5, seed, &rng));
	assert_ok(hf_slots_add_passphrase(s, passphrase, strlen(passphrase), seed, &rng));
}

static void each_slot_opens_the_seed_after_a_file_round_trip(void **state)
{
	struct hf_slots s = { 0 };
	struct hf_slots back = { 0 };
	struct hf_share shares[5];
	uint8_t file[HF_SLOTS_FILE_MAX];
	uint8_t out[HF_KEY_SEED_LEN] = { 0 };
	size_t len = sizeof(file);

	(void)state;
	fill(&s, shares);
	assert_ok(hf_slots_emit(file, &len, &s));
	assert_ok(hf_slots_parse(&back, file, len));
	assert_ok(hf_slots_open_shares(out, &back, shares + 1, 3, NULL));
	assert_memory_equal(out, seed, sizeof(seed));
	memset(out, 0, sizeof(out));
	assert_ok(hf_slots_open_passphrase(out, &back, passphrase, strlen(passphrase), NULL));
	assert_memory_equal(out, seed, sizeof(seed));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(hf_slots_parse(&back, file, cut), HF_OK);
	assert_err(hf_slots_parse(&back, file, len + 1), HF_ERR_FORMAT);
}

static void refuses_a_wrong_passphrase_and_foreign_shares(void **state)
{
	struct hf_slots s = { 0 };
	struct hf_share shares[5];
	struct hf_share foreign[5];
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 99);
	uint8_t out[HF_KEY_SEED_LEN] = { 42 };
	struct hf_errinfo ei = { 0 };

	(void)state;
	fill(&s, shares);
	assert_err(hf_slots_open_passphrase(out, &s, "wrong passphrase", 16, &ei), HF_ERR_AUTH);
	assert_string_equal(ei.text, "key slots: the passphrase opens no slot of this file");
	assert_ok(hf_shamir_split(foreign, 3, 5, seed, &rng));
	assert_err(hf_slots_open_shares(out, &s, foreign, 3, NULL), HF_ERR_AUTH);
	shares[0].y[0] ^= 1;
	assert_err(hf_slots_open_shares(out, &s, shares, 3, NULL), HF_ERR_AUTH);
	assert_int_equal(out[0], 42);
}

static void refuses_a_short_passphrase(void **state)
{
	struct hf_slots s = { 0 };
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);

	(void)state;
	assert_err(hf_slots_add_passphrase(&s, "1234567", 7, seed, &rng), HF_ERR_ARG);
	assert_int_equal(s.n_slots, 0);
}

static void every_purpose_gets_a_secret_of_its_own(void **state)
{
	uint8_t wrap[HF_KEY_SEED_LEN];
	uint8_t token[HF_KEY_SEED_LEN];
	uint8_t kek[HF_KEY_SEED_LEN];
	uint8_t other[HF_KEY_SEED_LEN];

	(void)state;
	assert_ok(hf_root_derive(wrap, seed, "wrap"));
	assert_ok(hf_root_derive(token, seed, "token"));
	assert_memory_not_equal(wrap, token, sizeof(wrap));
	assert_ok(hf_device_kek(kek, seed, "board-1", 7));
	assert_ok(hf_device_kek(other, seed, "board-2", 7));
	assert_memory_not_equal(kek, other, sizeof(kek));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_opens_the_seed_after_a_file_round_trip),
		cmocka_unit_test(refuses_a_wrong_passphrase_and_foreign_shares),
		cmocka_unit_test(refuses_a_short_passphrase),
		cmocka_unit_test(every_purpose_gets_a_secret_of_its_own),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
