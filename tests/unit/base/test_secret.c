/* SPDX-License-Identifier: Apache-2.0 */
/* Short secrets: no longer than they can be, and gone when they are cleared. */
#include "test.h"

#include "base/secret.h"
#include "base/wipe.h"

static const struct hf_secret empty;

static void refuses_what_is_too_long_and_keeps_what_it_had(void **state)
{
	uint8_t bytes[HF_SECRET_MAX + 1];
	struct hf_secret s;

	(void)state;
	memset(bytes, 3, sizeof(bytes));
	assert_ok(hf_secret_copy(&s, bytes, HF_SECRET_MAX));
	assert_err(hf_secret_init(&s, HF_SECRET_MAX + 1), HF_ERR_LIMIT);
	assert_err(hf_secret_copy(&s, bytes, sizeof(bytes)), HF_ERR_LIMIT);
	assert_err(hf_secret_copy(&s, bytes, SIZE_MAX), HF_ERR_LIMIT);
	assert_int_equal(s.len, HF_SECRET_MAX);
	assert_memory_equal(s.b, bytes, HF_SECRET_MAX);
}

static void a_shorter_secret_leaves_nothing_of_a_longer_one(void **state)
{
	uint8_t bytes[HF_SECRET_MAX];
	struct hf_secret s;

	(void)state;
	memset(bytes, 3, sizeof(bytes));
	assert_ok(hf_secret_copy(&s, bytes, sizeof(bytes)));
	assert_ok(hf_secret_copy(&s, bytes, 2));
	assert_int_equal(s.len, 2);
	for (size_t i = 0; i < HF_SECRET_MAX; i++)
		assert_int_equal(s.b[i], i < 2 ? 3 : 0);
	assert_ok(hf_secret_init(&s, 5));
	assert_int_equal(s.len, 5);
	assert_memory_equal(s.b, empty.b, sizeof(s.b));
	assert_ok(hf_secret_copy(&s, NULL, 0));
	assert_int_equal(s.len, 0);
}

static void clearing_leaves_nothing(void **state)
{
	struct hf_secret s;

	(void)state;
	assert_ok(hf_secret_copy(&s, "a secret", 8));
	hf_secret_clear(&s);
	assert_memory_equal(&s, &empty, sizeof(s));
	hf_secret_clear(&s);
}

static void wiping_reaches_every_byte_and_no_other(void **state)
{
	uint8_t b[20];

	(void)state;
	for (size_t len = 0; len <= 16; len++) {
		memset(b, 0xaa, sizeof(b));
		hf_wipe(b + 2, len);
		for (size_t i = 0; i < sizeof(b); i++)
			assert_int_equal(b[i], i >= 2 && i < 2 + len ? 0 : 0xaa);
	}
	hf_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_too_long_and_keeps_what_it_had),
		cmocka_unit_test(a_shorter_secret_leaves_nothing_of_a_longer_one),
		cmocka_unit_test(clearing_leaves_nothing),
		cmocka_unit_test(wiping_reaches_every_byte_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
