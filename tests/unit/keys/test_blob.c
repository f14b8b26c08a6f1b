/* SPDX-License-Identifier: Apache-2.0 */
/* A wrapped key opens under one seed, in one context, unaltered; and in no other way. */
#include "test.h"

#include "crypto/module.h"
#include "keys/blob.h"

static const char context[] = "device=d1\nkey=sig\n";
static const uint8_t seed[HF_KEY_SEED_LEN] = { 1, 2, 3 };
static const uint8_t plain[] = "thirty-two bytes of a private key";

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static size_t wrap(uint8_t *out, size_t room)
{
	struct hf_blob_info info = {
		.key_version = 3,
		.tier = 2,
		.level = 1,
		.usage = HF_KEY_SIGN,
		.not_before = 5,
		.not_after = 9,
		.context = context,
		.context_len = sizeof(context) - 1,
	};
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 7);

	assert_ok(hf_blob_wrap(out, &room, &info, seed, plain, sizeof(plain), &rng));
	return room;
}

static void opens_what_it_wrapped(void **state)
{
	uint8_t blob[HF_BLOB_MAX];
	size_t len = wrap(blob, sizeof(blob));
	uint8_t out[sizeof(plain)];
	size_t out_len = sizeof(out);
	struct hf_blob_info info = { 0 };

	(void)state;
	assert_int_equal(len, HF_BLOB_OVERHEAD + sizeof(context) - 1 + sizeof(plain));
	assert_ok(hf_blob_unwrap(out, &out_len, seed, context, blob, len));
	assert_int_equal(out_len, sizeof(plain));
	assert_memory_equal(out, plain, sizeof(plain));
	assert_ok(hf_blob_parse(&info, blob, len));
	assert_int_equal(info.key_version, 3);
	assert_int_equal(info.not_after, 9);
	assert_int_equal(info.context_len, sizeof(context) - 1);
}

static void refuses_every_altered_byte(void **state)
{
	uint8_t blob[HF_BLOB_MAX];
	size_t len = wrap(blob, sizeof(blob));

	(void)state;
	for (size_t i = 0; i < len; i++) {
		uint8_t out[sizeof(plain)];
		size_t out_len = sizeof(out);

		blob[i] ^= 0x40;
		assert_int_not_equal(
			hf_blob_unwrap(out, &out_len, seed, context, blob, len), HF_OK);
		for (size_t k = 0; k < sizeof(out); k++)
			assert_int_equal(out[k], 0);
		blob[i] ^= 0x40;
	}
}

static void refuses_every_shorter_and_every_longer_blob(void **state)
{
	uint8_t blob[HF_BLOB_MAX];
	size_t len = wrap(blob, sizeof(blob));
	uint8_t out[sizeof(plain)];
	struct hf_blob_info info = { .tier = 42 };

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		size_t out_len = sizeof(out);

		assert_int_not_equal(
			hf_blob_unwrap(out, &out_len, seed, context, blob, cut), HF_OK);
		assert_int_not_equal(hf_blob_parse(&info, blob, cut), HF_OK);
	}
	blob[len] = 0;
	assert_err(hf_blob_parse(&info, blob, len + 1), HF_ERR_FORMAT);
	assert_int_equal(info.tier, 42);
}

static void refuses_another_seed_and_another_context(void **state)
{
	uint8_t blob[HF_BLOB_MAX];
	size_t len = wrap(blob, sizeof(blob));
	uint8_t other[HF_KEY_SEED_LEN] = { 1, 2, 4 };
	uint8_t out[sizeof(plain)];
	size_t out_len = sizeof(out);

	(void)state;
	assert_err(hf_blob_unwrap(out, &out_len, other, context, blob, len), HF_ERR_AUTH);
	out_len = sizeof(out);
	assert_err(hf_blob_unwrap(out, &out_len, seed, "device=d2\nkey=sig\n", blob, len),
		HF_ERR_AUTH);
	out_len = sizeof(plain) - 1;
	assert_err(hf_blob_unwrap(out, &out_len, seed, context, blob, len), HF_ERR_LIMIT);
}

static void refuses_what_the_format_cannot_hold(void **state)
{
	static uint8_t big[HF_BLOB_MAX];
	struct hf_blob_info info = { .context = context, .context_len = sizeof(context) - 1 };
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 7);
	uint8_t out[64];
	size_t out_len = sizeof(out);

	(void)state;
	assert_err(
		hf_blob_wrap(out, &out_len, &info, seed, plain, sizeof(plain), &rng), HF_ERR_LIMIT);
	out_len = sizeof(big);
	assert_err(hf_blob_wrap(big, &out_len, &info, seed, big, HF_BLOB_PLAIN_MAX + 1, &rng),
		HF_ERR_LIMIT);
}

/* A flag that this version does not know may change what the rest means. */
static void refuses_flags_that_it_does_not_know(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 16; bit++) {
		struct hf_blob_info info = { .flags = (uint16_t)(1 << bit),
			.context = context,
			.context_len = sizeof(context) - 1 };
		struct test_rng r;
		struct hf_rng rng = test_rng(&r, 7);
		uint8_t blob[HF_BLOB_MAX];
		size_t len = sizeof(blob);
		uint8_t out[sizeof(plain)];
		size_t out_len = sizeof(out);

		assert_ok(hf_blob_wrap(blob, &len, &info, seed, plain, sizeof(plain), &rng));
		assert_err(hf_blob_parse(&info, blob, len), HF_ERR_UNSUPPORTED);
		assert_err(hf_blob_unwrap(out, &out_len, seed, context, blob, len),
			HF_ERR_UNSUPPORTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_what_it_wrapped),
		cmocka_unit_test(refuses_every_altered_byte),
		cmocka_unit_test(refuses_every_shorter_and_every_longer_blob),
		cmocka_unit_test(refuses_another_seed_and_another_context),
		cmocka_unit_test(refuses_what_the_format_cannot_hold),
		cmocka_unit_test(refuses_flags_that_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
