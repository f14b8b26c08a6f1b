/* SPDX-License-Identifier: Apache-2.0 */
/* The log loses nothing that was synced, and tells what it cuts off. */
#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "crash.h"
#include "os/file.h"
#include "store/crc32c.h"
#include "store/seglog.h"
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

static hf_err try_open(struct hf_seglog **log, struct hf_seglog_torn *torn, bool is_read_only)
{
	const struct hf_seglog_config config = { dir, HF_SEGLOG_SEGMENT_MIN, is_read_only };

	return hf_seglog_new(log, &test_mem, &config, torn, NULL);
}

static struct hf_seglog *open_log(struct hf_seglog_torn *torn)
{
	struct hf_seglog_torn ignored;
	struct hf_seglog *log = NULL;

	assert_ok(try_open(&log, torn != NULL ? torn : &ignored, false));
	return log;
}

/* Record i: its number as text, filled up to a length that differs. */
static size_t record_bytes(uint8_t out[400], uint64_t i)
{
	size_t len = 20 + (size_t)(i * 37 % 300);

	memset(out, 'a' + (int)(i % 26), len);
	(void)snprintf((char *)out, 20, "%llu", (unsigned long long)i);
	return len;
}

static void append(struct hf_seglog *log, unsigned n)
{
	uint8_t bytes[400];

	for (unsigned i = 0; i < n; i++) {
		uint64_t record = 0;
		size_t len = record_bytes(bytes, hf_seglog_next(log));

		assert_ok(hf_seglog_append(log, &record, bytes, len, NULL));
		assert_int_equal(record + 1, hf_seglog_next(log));
	}
}

static void assert_records(struct hf_seglog *log, uint64_t from, uint64_t to)
{
	struct hf_seglog_reader r;
	uint8_t should[400];
	struct hf_buf b;

	hf_buf_init(&b, &test_mem, 400);
	assert_ok(hf_seglog_seek(&r, log, from, NULL));
	for (uint64_t i = from; i < to; i++) {
		size_t len = record_bytes(should, i);

		hf_buf_reset(&b);
		assert_ok(hf_seglog_read(&r, &b, NULL));
		assert_int_equal(b.len, len);
		assert_memory_equal(b.p, should, len);
	}
	assert_err(hf_seglog_read(&r, &b, NULL), HF_ERR_AGAIN);
	hf_seglog_reader_clear(&r);
	hf_buf_clear(&b);
}

static void the_check_sum_is_that_of_the_standard(void **state)
{
	uint8_t zeros[32] = { 0 };

	(void)state;
	assert_int_equal(hf_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(hf_crc32c(0, zeros, 32), 0x8a9136aa); /* RFC 3720 B.4 */
	assert_int_equal(hf_crc32c(hf_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void refuses_records_that_cannot_be(void **state)
{
	static const uint8_t big[HF_SEGLOG_SEGMENT_MIN];
	const struct hf_seglog_config small = { dir, HF_SEGLOG_SEGMENT_MIN - 1, false };
	struct hf_seglog_torn torn;
	struct hf_seglog *log = open_log(NULL);
	struct hf_seglog *second = NULL;
	struct hf_seglog_reader r;
	const size_t most = HF_SEGLOG_SEGMENT_MIN - HF_SEGLOG_HEAD_LEN - HF_SEGLOG_FRAME_LEN;
	uint64_t record = 42;

	(void)state;
	assert_err(hf_seglog_new(&second, &test_mem, &small, &torn, NULL), HF_ERR_ARG);
	assert_err(try_open(&second, &torn, false), HF_ERR_AGAIN);
	assert_err(hf_seglog_append(log, &record, "", 0, NULL), HF_ERR_ARG);
	assert_err(hf_seglog_append(log, &record, big, most + 1, NULL), HF_ERR_LIMIT);
	assert_err(hf_seglog_seek(&r, log, 1, NULL), HF_ERR_NOT_FOUND);
	assert_int_equal(record, 42);
	assert_ok(hf_seglog_append(log, &record, big, most, NULL));
	assert_ok(hf_seglog_append(log, &record, big, most, NULL));
	assert_int_equal(record, 1);
	hf_seglog_free(log);
}

static void reads_from_any_record_over_many_segments(void **state)
{
	struct hf_seglog_torn torn;
	struct hf_seglog *log = open_log(NULL);
	struct hf_seglog *reader = NULL;

	(void)state;
	append(log, 100);
	assert_int_equal(hf_seglog_next(log), 100);
	assert_true(hf_seglog_synced(log) < 100);
	assert_ok(hf_seglog_sync(log, NULL));
	assert_int_equal(hf_seglog_synced(log), 100);
	assert_true(test_dir_count(dir) > 4);
	for (uint64_t from = 0; from <= 100; from++)
		assert_records(log, from, 100);
	assert_ok(try_open(&reader, &torn, true)); /* beside the writer */
	assert_records(reader, 50, 100);
	hf_seglog_free(reader);
	hf_seglog_free(log);
	log = open_log(&torn);
	assert_int_equal(torn.n_bytes, 0);
	append(log, 10);
	assert_records(log, 0, 110);
	hf_seglog_free(log);
}

static void drops_whole_segments_only(void **state)
{
	struct hf_seglog *log = open_log(NULL);
	struct hf_seglog_reader r;
	uint64_t first;

	(void)state;
	append(log, 100);
	assert_ok(hf_seglog_drop(log, 50, NULL));
	first = hf_seglog_first(log);
	assert_true(first > 0 && first <= 50);
	assert_err(hf_seglog_seek(&r, log, first - 1, NULL), HF_ERR_NOT_FOUND);
	assert_records(log, first, 100);
	hf_seglog_free(log);
	log = open_log(NULL);
	assert_int_equal(hf_seglog_first(log), first);
	assert_ok(hf_seglog_drop(log, UINT64_MAX, NULL)); /* the last segment stays */
	append(log, 1);
	assert_records(log, hf_seglog_first(log), 101);
	hf_seglog_free(log);
}

static size_t load(uint8_t *out, size_t cap, const char *name)
{
	size_t len = 0;
	int fd = -1;

	assert_ok(hf_file_open(&fd, test_path(dir, name), HF_FILE_READ, 0, NULL));
	assert_ok(hf_file_read(fd, out, cap, &len, NULL));
	hf_file_close(&fd);
	return len;
}

static const char segment_0[] = "0000000000000000.seg";

static void a_tail_torn_at_any_byte_is_cut_and_kept(void **state)
{
	uint8_t whole[4096];
	uint8_t kept[4096];
	struct hf_seglog *log = open_log(NULL);
	size_t before;
	size_t len;

	(void)state;
	append(log, 3);
	hf_seglog_free(log);
	before = load(whole, sizeof(whole), segment_0);
	log = open_log(NULL);
	append(log, 1);
	hf_seglog_free(log);
	len = load(whole, sizeof(whole), segment_0);
	for (size_t at = before; at < len; at++) {
		struct hf_seglog_torn torn;

		test_file_put(test_path(dir, segment_0), whole, at);
		log = open_log(&torn);
		assert_int_equal(torn.n_bytes, at - before);
		assert_int_equal(torn.record, 3);
		assert_records(log, 0, 3);
		append(log, 1);
		assert_records(log, 0, 4);
		hf_seglog_free(log);
		if (at > before) {
			assert_int_equal(load(kept, sizeof(kept), torn.kept), at - before);
			assert_memory_equal(kept, whole + before, at - before);
		}
		whole[at] ^= 1; /* altered in the last frame: cut likewise */
		test_file_put(test_path(dir, segment_0), whole, len);
		whole[at] ^= 1;
		log = open_log(&torn);
		assert_int_equal(torn.n_bytes, len - before);
		assert_int_equal(hf_seglog_next(log), 3);
		hf_seglog_free(log);
	}
}

static void a_missing_or_altered_segment_is_refused(void **state)
{
	uint8_t bytes[4096];
	struct hf_seglog_torn torn;
	struct hf_seglog *log = open_log(NULL);
	struct hf_seglog_reader r;
	struct hf_buf b;
	size_t len;

	(void)state;
	append(log, 100);
	hf_seglog_free(log);
	len = load(bytes, sizeof(bytes), segment_0);
	for (size_t at = 0; at < HF_SEGLOG_HEAD_LEN; at++) {
		bytes[at] ^= 1;
		test_file_put(test_path(dir, segment_0), bytes, len);
		assert_err(try_open(&log, &torn, false), HF_ERR_FORMAT);
		test_file_put(test_path(dir, segment_0), bytes, at);
		assert_err(try_open(&log, &torn, true), HF_ERR_FORMAT);
		bytes[at] ^= 1;
	}
	hf_buf_init(&b, &test_mem, 4096);
	for (size_t at = HF_SEGLOG_HEAD_LEN; at < HF_SEGLOG_HEAD_LEN + 28; at++) {
		bytes[at] ^= 0x40;
		test_file_put(test_path(dir, segment_0), bytes, len);
		bytes[at] ^= 0x40;
		log = open_log(NULL);
		assert_ok(hf_seglog_seek(&r, log, 0, NULL));
		assert_err(hf_seglog_read(&r, &b, NULL), HF_ERR_FORMAT);
		assert_int_equal(b.len, 0);
		hf_seglog_reader_clear(&r);
		hf_seglog_free(log);
	}
	hf_buf_clear(&b);
	assert_ok(hf_file_delete(test_path(dir, "0000000000000001.seg"), NULL));
	assert_err(try_open(&log, &torn, false), HF_ERR_FORMAT);
}

static int append_on_a_full_disk(void *ctx)
{
	static const uint8_t big[1000];
	struct hf_seglog *log = ctx;
	uint64_t record = 0;

	test_limit_files(1500);
	if (hf_seglog_append(log, &record, big, 1000, NULL) != HF_OK ||
		hf_seglog_append(log, &record, big, 1000, NULL) != HF_ERR_FULL)
		return 1;
	return hf_seglog_append(log, &record, big, 100, NULL) == HF_OK ? 0 : 2;
}

static void the_log_goes_on_after_a_full_disk(void **state)
{
	struct hf_seglog_torn torn;
	struct hf_seglog *log = open_log(NULL);

	(void)state;
	assert_int_equal(test_child(append_on_a_full_disk, log), 0);
	hf_seglog_free(log);
	log = open_log(&torn);
	assert_int_equal(torn.n_bytes, 0);
	assert_int_equal(hf_seglog_next(log), 2);
	hf_seglog_free(log);
}

/* Appends over a rotation and syncs now and then; tells what it was promised. */
static int append_and_sync(void *ctx)
{
	uint8_t bytes[400];
	struct hf_seglog_torn torn;
	struct hf_seglog *log = NULL;
	uint64_t record = 0;

	if (try_open(&log, &torn, false) != HF_OK)
		return 1;
	for (uint64_t i = 0; i < 30; i++) {
		size_t len = record_bytes(bytes, i);

		if (hf_seglog_append(log, &record, bytes, len, NULL) != HF_OK)
			return 2;
		if (i % 4 == 3 && hf_seglog_sync(log, NULL) != HF_OK)
			return 3;
		*(volatile uint64_t *)ctx = hf_seglog_synced(log);
	}
	return 0;
}

static void what_was_synced_survives_a_crash_at_any_step(void **state)
{
	volatile uint64_t *promised = test_shared(sizeof(*promised));

	(void)state;
	for (int how = TEST_KILL; how <= TEST_POWER_CUT; how++) {
		int made = 0;

		for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
			struct hf_seglog *log;

			(void)delete (NULL);
			test_tmp_make(dir);
			*promised = 0;
			made = test_crash_at(
				n, how, dir, append_and_sync, (void *)(uintptr_t)promised);
			if (made == TEST_CRASH_UNABLE)
				skip();
			log = open_log(NULL);
			assert_true(hf_seglog_next(log) >= *promised);
			assert_records(log, 0, hf_seglog_next(log));
			hf_seglog_free(log);
			assert_true(n < 200);
		}
		assert_int_equal(*promised, 28);
	}
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_check_sum_is_that_of_the_standard),
		IN_DIR(refuses_records_that_cannot_be),
		IN_DIR(reads_from_any_record_over_many_segments),
		IN_DIR(drops_whole_segments_only),
		IN_DIR(a_tail_torn_at_any_byte_is_cut_and_kept),
		IN_DIR(a_missing_or_altered_segment_is_refused),
		IN_DIR(the_log_goes_on_after_a_full_disk),
		IN_DIR(what_was_synced_survives_a_crash_at_any_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
