/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SM3: the pads as RFC 2104 writes them, keyed states that are copied, and no state left over.
 */
#include "test.h"

#include "crypto/hmac.h"
#include "crypto/module.h"

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

/* SM3(key ^ opad || SM3(key ^ ipad || in)), written down plainly. */
static void by_definition(
	uint8_t tag[HF_SM3_LEN], const uint8_t *key, size_t key_len, const uint8_t *in, size_t len)
{
	uint8_t block[HF_SM3_BLOCK_LEN] = { 0 };
	uint8_t pad[HF_SM3_BLOCK_LEN];
	struct hf_sm3 s;

	if (key_len > sizeof(block))
		hf_sm3(block, key, key_len);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x36;
	hf_sm3_init(&s);
	hf_sm3_feed(&s, pad, sizeof(pad));
	hf_sm3_feed(&s, in, len);
	hf_sm3_done(&s, tag);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x5c;
	hf_sm3_init(&s);
	hf_sm3_feed(&s, pad, sizeof(pad));
	hf_sm3_feed(&s, tag, HF_SM3_LEN);
	hf_sm3_done(&s, tag);
}

static void keys_of_every_length_are_padded_or_hashed(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 51);
	uint8_t in[100];
	uint8_t want[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
	for (size_t key_len = 0; key_len <= 200; key_len++) {
		uint8_t *key = malloc(key_len + (key_len == 0));

		assert_ok(hf_rng_fill(&rng, key, key_len));
		by_definition(want, key, key_len, in, key_len % sizeof(in));
		hf_hmac_sm3(got, key, key_len, in, key_len % sizeof(in));
		assert_memory_equal(got, want, sizeof(got));
		free(key);
	}
	/* A key and the same key with zero bytes behind it are one key, as long as it fits a block.
	 */
	hf_hmac_sm3(want, "key", 3, in, 5);
	hf_hmac_sm3(got, "key\0\0", 5, in, 5);
	assert_memory_equal(got, want, sizeof(got));
}

static void one_bit_of_key_or_message_changes_the_tag(void **state)
{
	uint8_t key[65] = { 1 };
	uint8_t in[65] = { 2 };
	uint8_t right[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];

	(void)state;
	hf_hmac_sm3(right, key, sizeof(key), in, sizeof(in));
	for (size_t bit = 0; bit < 8 * sizeof(key); bit++) {
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		hf_hmac_sm3(got, key, sizeof(key), in, sizeof(in));
		assert_memory_not_equal(got, right, sizeof(got));
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		hf_hmac_sm3(got, key, sizeof(key), in, sizeof(in));
		assert_memory_not_equal(got, right, sizeof(got));
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void a_keyed_state_serves_many_messages_and_is_gone_afterwards(void **state)
{
	static const struct hf_hmac nothing;
	struct hf_hmac keyed;
	uint8_t want[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];

	(void)state;
	hf_hmac_init(&keyed, "key", 3);
	for (size_t len = 0; len < 10; len++) {
		struct hf_hmac m = keyed;

		hf_hmac_sm3(want, "key", 3, "0123456789", len);
		for (size_t i = 0; i < len; i++)
			hf_hmac_feed(&m, &"0123456789"[i], 1);
		hf_hmac_feed(&m, NULL, 0);
		hf_hmac_done(&m, got);
		assert_memory_equal(got, want, sizeof(got));
		assert_memory_equal(&m, &nothing, sizeof(m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_length_are_padded_or_hashed),
		cmocka_unit_test(one_bit_of_key_or_message_changes_the_tag),
		cmocka_unit_test(a_keyed_state_serves_many_messages_and_is_gone_afterwards),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
