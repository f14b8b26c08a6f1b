/* SPDX-License-Identifier: Apache-2.0 */
/* State goes forward only: torn, altered, cut and killed at every step. */
#include "test.h"

#include <stdio.h>

#include "crash.h"
#include "os/file.h"
#include "store/crc32c.h"
#include "store/state.h"
#include "tmp.h"

static char dir[TEST_PATH_MAX];

static int make(void **state)
{
	(void)state;
	test_tmp_make(dir);
	return 0;
}

static int delete (void **state)
{
	(void)state;
	test_tmp_delete(dir);
	return 0;
}

/* Enough of a digest for a test: a check sum over a key and the bytes, eight times. */
static hf_err mac_compute(
	void *ctx, uint8_t out[HF_STATE_DIGEST_LEN], const uint8_t *bytes, size_t len)
{
	uint32_t crc = hf_crc32c(hf_crc32c(0, ctx, 1), bytes, len);

	for (size_t i = 0; i < HF_STATE_DIGEST_LEN; i++)
		out[i] = (uint8_t)(crc >> (i % 4 * 8));
	return HF_OK;
}

static hf_err open_with(struct hf_state *s, struct hf_buf *b, char k)
{
	struct hf_state_mac mac = { mac_compute, &k };
	hf_err e;

	hf_buf_init(b, &test_mem, HF_STATE_LEN_MAX);
	e = hf_state_init(s, &test_mem, test_path(dir, "trust"), &mac, b, NULL);
	s->mac.ctx = NULL; /* k is gone */
	return e;
}

static char test_key = 'k';

static hf_err open_state(struct hf_state *s, struct hf_buf *b)
{
	hf_err e = open_with(s, b, test_key);

	s->mac.ctx = &test_key;
	return e;
}

static void save_n(unsigned n)
{
	struct hf_state s;
	struct hf_buf b;
	hf_err e = open_state(&s, &b);

	assert_true(e == HF_OK || e == HF_ERR_NOT_FOUND);
	hf_buf_clear(&b);
	for (unsigned i = 0; i < n; i++) {
		char text[32];
		int len = snprintf(text, sizeof(text), "serial %u", (unsigned)s.generation + 1);

		assert_ok(hf_state_save(&s, text, (size_t)len, NULL));
	}
}

static void assert_serial(uint64_t serial, bool is_recovered)
{
	char text[32];
	struct hf_state s;
	struct hf_buf b;
	int len = snprintf(text, sizeof(text), "serial %u", (unsigned)serial);

	assert_ok(open_state(&s, &b));
	assert_int_equal(s.generation, serial);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, text, b.len);
	assert_int_equal(s.is_recovered, is_recovered);
	hf_buf_clear(&b);
}

static void nothing_is_not_found_and_another_key_is_refused(void **state)
{
	struct hf_state s;
	struct hf_buf b;

	(void)state;
	assert_err(open_state(&s, &b), HF_ERR_NOT_FOUND);
	assert_int_equal(s.generation, 0);
	for (unsigned i = 1; i < 6; i++) {
		save_n(1);
		assert_serial(i, false);
		assert_err(open_with(&s, &b, 'x'), HF_ERR_AUTH);
		assert_err(hf_state_save(&s, "x", 1, NULL), HF_ERR_AUTH);
	}
	save_n(3);
	assert_serial(8, false);
}

static size_t slot_bytes(uint8_t out[200], const char *name)
{
	size_t len = 0;
	int fd = -1;

	assert_ok(hf_file_open(&fd, test_path(dir, name), HF_FILE_READ, 0, NULL));
	assert_ok(hf_file_read(fd, out, 200, &len, NULL));
	hf_file_close(&fd);
	return len;
}

static void a_torn_newest_slot_leaves_the_older_one(void **state)
{
	uint8_t whole[200];
	uint8_t bad[201];
	size_t len;

	(void)state;
	save_n(4); /* a holds 3, b holds 4 */
	len = slot_bytes(whole, "trust.b");
	for (size_t at = 0; at < len; at++) {
		test_file_put(test_path(dir, "trust.b"), whole, at);
		assert_serial(3, true);
		memcpy(bad, whole, len);
		bad[at] ^= 0x20;
		test_file_put(test_path(dir, "trust.b"), bad, len);
		assert_serial(3, true);
	}
	memcpy(bad, whole, len);
	bad[len] = 0;
	test_file_put(test_path(dir, "trust.b"), bad, len + 1);
	assert_serial(3, true);
	save_n(1); /* goes over the torn one, not over the good one */
	assert_serial(4, false);
}

static void two_bad_slots_are_refused(void **state)
{
	struct hf_state s;
	struct hf_buf b;

	(void)state;
	save_n(2);
	test_file_put(test_path(dir, "trust.a"), "x", 1);
	assert_serial(2, true);
	test_file_put(test_path(dir, "trust.b"), "", 0);
	assert_err(open_state(&s, &b), HF_ERR_AUTH);
	assert_ok(hf_file_delete(test_path(dir, "trust.a"), NULL));
	assert_err(open_state(&s, &b), HF_ERR_AUTH);
}

static int save_on_a_full_disk(void *ctx)
{
	static const uint8_t big[4000];
	struct hf_state s;
	struct hf_buf b;

	(void)ctx;
	if (open_state(&s, &b) != HF_OK)
		return 1;
	hf_buf_clear(&b);
	test_limit_files(2000);
	if (hf_state_save(&s, big, sizeof(big), NULL) != HF_ERR_FULL)
		return 2;
	return hf_state_save(&s, big, 1, NULL) == HF_ERR_FULL ? 0 : 3; /* sticky */
}

static void a_full_disk_keeps_the_newest_content(void **state)
{
	struct hf_state s;
	struct hf_buf b;

	(void)state;
	save_n(4);
	assert_int_equal(test_child(save_on_a_full_disk, NULL), 0);
	assert_serial(4, false);
	assert_ok(open_state(&s, &b));
	assert_err(hf_state_save(&s, &s, HF_STATE_LEN_MAX + 1, NULL), HF_ERR_LIMIT);
	hf_buf_clear(&b);
}

/* Saves five times; after each it tells through a file outside how far it is. */
static int save_five(void *ctx)
{
	struct hf_state s;
	struct hf_buf b;
	hf_err e = open_state(&s, &b);

	if (e != HF_OK && e != HF_ERR_NOT_FOUND)
		return 1;
	for (unsigned i = 1; i <= 5; i++) {
		char text[32];
		int len = snprintf(text, sizeof(text), "serial %u", i);

		if (hf_state_save(&s, text, (size_t)len, NULL) != HF_OK)
			return 2;
		*(volatile unsigned *)ctx = i; /* shared memory: the promise that was made */
	}
	return 0;
}

static void what_was_saved_survives_a_crash_at_any_step(void **state)
{
	volatile unsigned *promised = test_shared(sizeof(*promised));

	(void)state;
	for (int how = TEST_KILL; how <= TEST_POWER_CUT; how++) {
		int made = 0;

		for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
			struct hf_state s;
			struct hf_buf b;
			hf_err e;

			(void)delete (NULL);
			test_tmp_make(dir);
			*promised = 0;
			made = test_crash_at(n, how, dir, save_five, (void *)(uintptr_t)promised);
			if (made == TEST_CRASH_UNABLE)
				skip();
			e = open_state(&s, &b);
			assert_true(e == HF_OK || (e == HF_ERR_NOT_FOUND && *promised == 0));
			assert_in_range(s.generation, *promised, *promised + 1);
			hf_buf_clear(&b);
			if (s.generation > 0)
				assert_serial(s.generation, s.is_recovered);
			assert_true(n < 100);
		}
		assert_int_equal(*promised, 5);
	}
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(nothing_is_not_found_and_another_key_is_refused),
		IN_DIR(a_torn_newest_slot_leaves_the_older_one),
		IN_DIR(two_bad_slots_are_refused),
		IN_DIR(a_full_disk_keeps_the_newest_content),
		IN_DIR(what_was_saved_survives_a_crash_at_any_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
