/* SPDX-License-Identifier: Apache-2.0 */
/* A set bit means that the data is there, wherever the power fails. */
#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "crash.h"
#include "os/file.h"
#include "store/resume.h"
#include "tmp.h"

enum { CHUNKS = 12, CHUNK_LEN = 100 };

static const uint8_t key[HF_RESUME_KEY_LEN] = { 1, 2, 3 };
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

static struct hf_resume *open_bits(uint64_t n_bits)
{
	struct hf_resume *r = NULL;

	assert_ok(hf_resume_new(&r, &test_mem, test_path(dir, "bits"), key, n_bits, false, NULL));
	return r;
}

static void commit_some(uint64_t n_bits, uint64_t from, uint64_t step)
{
	struct hf_resume *r = open_bits(n_bits);

	for (uint64_t i = from; i < n_bits; i += step)
		assert_ok(hf_resume_mark(r, i));
	assert_ok(hf_resume_commit(r, NULL, 0, NULL));
	hf_resume_free(r);
}

static void only_committed_bits_are_remembered(void **state)
{
	struct hf_resume *r = open_bits(10000);

	(void)state;
	assert_err(hf_resume_mark(r, 10000), HF_ERR_ARG);
	assert_ok(hf_resume_mark(r, 0));
	assert_ok(hf_resume_mark(r, 9999));
	assert_ok(hf_resume_mark(r, 9999));
	assert_int_equal(hf_resume_count(r), 2);
	assert_ok(hf_resume_commit(r, NULL, 0, NULL));
	assert_ok(hf_resume_mark(r, 5000));
	assert_true(hf_resume_has(r, 5000));
	hf_resume_free(r);
	r = open_bits(10000);
	assert_int_equal(hf_resume_count(r), 2);
	assert_true(hf_resume_has(r, 0) && hf_resume_has(r, 9999));
	assert_false(hf_resume_has(r, 5000) || hf_resume_has(r, 10000));
	assert_int_equal(hf_resume_missing(r, 0), 1);
	assert_int_equal(hf_resume_missing(r, 9999), 10000);
	hf_resume_free(r);
}

static void bits_of_another_layout_are_forgotten(void **state)
{
	uint8_t other[HF_RESUME_KEY_LEN];
	struct hf_resume *r = NULL;

	(void)state;
	for (size_t at = 0; at < sizeof(key); at++) {
		commit_some(100, 0, 1);
		memcpy(other, key, sizeof(key));
		other[at] ^= 1;
		assert_ok(hf_resume_new(
			&r, &test_mem, test_path(dir, "bits"), other, 100, false, NULL));
		assert_int_equal(hf_resume_count(r), 0);
		hf_resume_free(r);
	}
	commit_some(100, 0, 1);
	r = open_bits(101);
	assert_int_equal(hf_resume_count(r), 0);
	hf_resume_free(r);
	commit_some(100, 0, 1);
	assert_ok(hf_resume_new(&r, &test_mem, test_path(dir, "bits"), key, 100, true, NULL));
	assert_int_equal(hf_resume_count(r), 0);
	hf_resume_free(r);
	assert_err(hf_resume_new(&r, &test_mem, test_path(dir, "bits"), key, 0, false, NULL),
		HF_ERR_LIMIT);
	assert_err(hf_resume_new(&r, &test_mem, test_path(dir, "bits"), key, HF_RESUME_BITS_MAX + 1,
			   false, NULL),
		HF_ERR_LIMIT);
}

/* A file cut or altered anywhere never gives a bit that was not set. */
static void a_torn_file_only_loses_bits(void **state)
{
	enum { BITS = 5000, FILE_LEN = 3 * 512 };
	uint8_t whole[FILE_LEN];
	uint8_t torn[FILE_LEN];
	int fd = -1;

	(void)state;
	commit_some(BITS, 1, 2);
	assert_ok(hf_file_open(&fd, test_path(dir, "bits"), HF_FILE_READ, 0, NULL));
	assert_ok(hf_file_pread(fd, whole, FILE_LEN, 0, NULL));
	hf_file_close(&fd);
	for (size_t at = 0; at <= FILE_LEN; at += at < 560 ? 1 : 37) {
		struct hf_resume *r;

		test_file_put(test_path(dir, "bits"), whole, at);
		r = open_bits(BITS);
		assert_true(hf_resume_count(r) <= BITS / 2);
		for (uint64_t i = 0; i < BITS; i += 2)
			assert_false(hf_resume_has(r, i));
		hf_resume_free(r);
		if (at == FILE_LEN)
			break;
		memcpy(torn, whole, FILE_LEN);
		torn[at] ^= 0x10;
		test_file_put(test_path(dir, "bits"), torn, FILE_LEN);
		r = open_bits(BITS);
		assert_true(hf_resume_count(r) < BITS / 2);
		for (uint64_t i = 0; i < BITS; i += 2)
			assert_false(hf_resume_has(r, i));
		hf_resume_free(r);
	}
}

static void a_failed_sync_takes_the_marks_back_for_good(void **state)
{
	struct hf_resume *r = open_bits(100);
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_ok(hf_resume_mark(r, 1));
	assert_ok(hf_resume_commit(r, NULL, 0, NULL));
	assert_ok(hf_resume_mark(r, 2));
	assert_true(hf_resume_commit(r, pipes, 1, NULL) != HF_OK); /* a pipe cannot be synced */
	assert_false(hf_resume_has(r, 2));
	assert_int_equal(hf_resume_count(r), 1);
	assert_true(hf_resume_commit(r, NULL, 0, NULL) != HF_OK);
	hf_resume_free(r);
	r = open_bits(100);
	assert_int_equal(hf_resume_count(r), 1);
	hf_resume_free(r);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	assert_ok(hf_resume_delete(test_path(dir, "bits"), NULL));
	assert_ok(hf_resume_delete(test_path(dir, "bits"), NULL));
}

static void chunk_bytes(uint8_t out[CHUNK_LEN], unsigned i)
{
	memset(out, 'A' + (int)i, CHUNK_LEN);
}

/* Fetches chunks and commits after every third, as a transfer does. */
static int transfer(void *ctx)
{
	uint8_t bytes[CHUNK_LEN];
	struct hf_resume *r = NULL;
	int fd = -1;

	if (hf_file_open(&fd, test_path(dir, "data"), HF_FILE_WRITE | HF_FILE_CREATE, 0600, NULL) !=
			HF_OK ||
		hf_resume_new(&r, &test_mem, test_path(dir, "bits"), key, CHUNKS, false, NULL) !=
			HF_OK)
		return 1;
	for (unsigned i = 0; i < CHUNKS; i++) {
		unsigned at = (i * 5) % CHUNKS; /* out of order */

		chunk_bytes(bytes, at);
		if (hf_file_pwrite(fd, bytes, CHUNK_LEN, (uint64_t)at * CHUNK_LEN, NULL) != HF_OK ||
			hf_resume_mark(r, at) != HF_OK)
			return 2;
		if (i % 3 == 2 && hf_resume_commit(r, &fd, 1, NULL) != HF_OK)
			return 3;
		if (i % 3 == 2)
			*(volatile uint64_t *)ctx = i + 1; /* the promise that was made */
	}
	return 0;
}

static void every_set_bit_has_its_data_after_a_crash_at_any_step(void **state)
{
	volatile uint64_t *promised = test_shared(sizeof(*promised));

	(void)state;
	for (int how = TEST_KILL; how <= TEST_POWER_CUT; how++) {
		uint64_t most = 0;
		int made = 0;

		for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
			uint8_t should[CHUNK_LEN];
			uint8_t found[CHUNK_LEN];
			struct hf_resume *r;
			int fd = -1;

			(void)delete (NULL);
			test_tmp_make(dir);
			*promised = 0;
			made = test_crash_at(n, how, dir, transfer, (void *)(uintptr_t)promised);
			if (made == TEST_CRASH_UNABLE)
				skip();
			assert_ok(hf_file_open(&fd, test_path(dir, "data"),
				HF_FILE_WRITE | HF_FILE_CREATE, 0600, NULL));
			r = open_bits(CHUNKS);
			for (unsigned i = 0; i < CHUNKS; i++) {
				if (!hf_resume_has(r, i))
					continue;
				chunk_bytes(should, i);
				assert_ok(hf_file_pread(
					fd, found, CHUNK_LEN, (uint64_t)i * CHUNK_LEN, NULL));
				assert_memory_equal(found, should, CHUNK_LEN);
			}
			assert_true(hf_resume_count(r) >= *promised);
			assert_true(hf_resume_count(r) >= most); /* later never means less */
			most = hf_resume_count(r);
			hf_resume_free(r);
			hf_file_close(&fd);
			assert_true(n < 100);
		}
		assert_int_equal(most, CHUNKS);
	}
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(only_committed_bits_are_remembered),
		IN_DIR(bits_of_another_layout_are_forgotten),
		IN_DIR(a_torn_file_only_loses_bits),
		IN_DIR(a_failed_sync_takes_the_marks_back_for_good),
		IN_DIR(every_set_bit_has_its_data_after_a_crash_at_any_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
