/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: bad names, links, a full disk, a quota, a death at every step. */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash.h"
#include "os/dir.h"
#include "os/file.h"
#include "store/blob.h"
#include "tmp.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char dir[TEST_PATH_MAX];
static struct hf_blobs blobs = { .lock = -1 };

static int make(void **state)
{
	(void)state;
	test_tmp_make(dir);
	return hf_blobs_init(&blobs, &test_mem, dir, 1000, NULL) == HF_OK ? 0 : -1;
}

static int delete (void **state)
{
	(void)state;
	hf_blobs_clear(&blobs);
	test_tmp_delete(dir);
	return 0;
}

static void put(const char *kind, const char *id, const char *text)
{
	struct hf_blob_put p;

	assert_ok(hf_blob_begin(&p, &blobs, kind, id, NULL));
	assert_ok(hf_blob_write(&p, text, strlen(text), NULL));
	assert_ok(hf_blob_commit(&p, NULL));
}

static void names_that_are_none_never_reach_a_path(void **state)
{
	static const char *const kinds[] = { "", ".", "..", "../x", "a/b", "Pack", "pack1", "part",
		"temp", "lock", "pack ", "abcdefghijklmnopq" };
	char id[80];
	struct hf_blob_put p;
	uint64_t size = 42;
	bool resumed;
	int fd = -1;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		assert_false(hf_blob_is_kind(kinds[i]));
		assert_err(hf_blob_begin(&p, &blobs, kinds[i], ID_A, NULL), HF_ERR_ARG);
		assert_err(hf_blob_fill(&p, &blobs, kinds[i], ID_A, 1, &resumed, NULL), HF_ERR_ARG);
		assert_err(hf_blob_delete(&blobs, kinds[i], ID_A, NULL), HF_ERR_ARG);
	}
	for (size_t at = 0; at < HF_BLOB_ID_LEN; at++) {
		static const char bad[] = { '/', '.', '\0', 'A', 'g', ' ', '\n', (char)0xff };

		for (size_t i = 0; i < sizeof(bad); i++) {
			(void)strcpy(id, ID_A);
			id[at] = bad[i];
			assert_err(hf_blob_open(&blobs, &fd, &size, "pack", id, NULL), HF_ERR_ARG);
		}
	}
	assert_false(hf_blob_is_id(ID_A "a"));
	assert_false(hf_blob_is_id("../../../../etc/passwd"));
	assert_int_equal(size, 42);
	assert_int_equal(test_dir_count(dir), 3); /* lock part temp */
}

static void an_object_is_there_after_commit_and_not_before(void **state)
{
	struct hf_blob_put p;
	struct hf_file_stat st;
	uint64_t size = 0;
	uint8_t got[5];
	int fd = -1;

	(void)state;
	assert_err(hf_blob_size(&blobs, &size, "pack", ID_A, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_blob_begin(&p, &blobs, "pack", ID_A, NULL));
	assert_ok(hf_blob_write(&p, "he", 2, NULL));
	assert_err(hf_blob_size(&blobs, &size, "pack", ID_A, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_blob_write(&p, "llo", 3, NULL));
	assert_ok(hf_blob_commit(&p, NULL));
	assert_err(hf_blob_commit(&p, NULL), HF_ERR_STATE);
	assert_err(hf_blob_begin(&p, &blobs, "pack", ID_A, NULL), HF_ERR_EXISTS);
	assert_ok(hf_blob_open(&blobs, &fd, &size, "pack", ID_A, NULL));
	assert_int_equal(size, 5);
	assert_ok(hf_file_pread(fd, got, 5, 0, NULL));
	assert_memory_equal(got, "hello", 5);
	assert_ok(hf_file_fstat(&st, fd, NULL));
	assert_int_equal(st.mode, 0444);
	assert_ok(hf_file_stat(&st, test_path(dir, "pack"), NULL));
	assert_int_equal(st.mode, 0755); /* readers of other users find it ... */
	assert_ok(hf_file_stat(&st, test_path(dir, "temp"), NULL));
	assert_int_equal(st.mode, 0700); /* ... but not what is on its way in */
	assert_int_equal(blobs.used, 5);
	assert_ok(hf_blob_delete(&blobs, "pack", ID_A, NULL));
	assert_err(hf_blob_delete(&blobs, "pack", ID_A, NULL), HF_ERR_NOT_FOUND);
	assert_int_equal(blobs.used, 0);
	assert_ok(hf_file_pread(fd, got, 5, 0, NULL)); /* who has it open goes on */
	hf_file_close(&fd);
}

static void the_quota_is_a_full_disk(void **state)
{
	static const uint8_t bytes[1001];
	struct hf_blob_put p;
	bool resumed;

	(void)state;
	assert_ok(hf_blob_begin(&p, &blobs, "pack", ID_A, NULL));
	assert_err(hf_blob_write(&p, bytes, 1001, NULL), HF_ERR_FULL);
	assert_ok(hf_blob_write(&p, bytes, 1000, NULL));
	assert_err(hf_blob_write(&p, bytes, 1, NULL), HF_ERR_FULL);
	hf_blob_drop(&p);
	hf_blob_drop(&p);
	assert_int_equal(blobs.used, 0);
	assert_err(hf_blob_fill(&p, &blobs, "pack", ID_A, 1001, &resumed, NULL), HF_ERR_FULL);
	assert_int_equal(blobs.used, 0);
	assert_int_equal(test_dir_count(test_path(dir, "part")), 0);
}

static int put_on_a_full_disk(void *ctx)
{
	static const uint8_t bytes[600];
	struct hf_blob_put p;
	hf_err e;

	(void)ctx;
	test_limit_files(500);
	if (hf_blob_begin(&p, &blobs, "pack", ID_B, NULL) != HF_OK)
		return 1;
	e = hf_blob_write(&p, bytes, sizeof(bytes), NULL);
	hf_blob_drop(&p);
	return e == HF_ERR_FULL && blobs.used == 0 ? 0 : 2;
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_int_equal(test_child(put_on_a_full_disk, NULL), 0);
	assert_int_equal(test_dir_count(test_path(dir, "temp")), 0);
	assert_int_equal(test_dir_count(test_path(dir, "pack")), 0);
}

static void a_link_in_the_place_of_anything_is_refused(void **state)
{
	char link[TEST_PATH_MAX + 100];
	struct hf_blob_put p;
	uint64_t size;
	bool resumed;
	int fd = -1;

	(void)state;
	put("pack", ID_A, "x");
	(void)snprintf(link, sizeof(link), "%s/pack/%s", dir, ID_B);
	assert_int_equal(symlink(ID_A, link), 0);
	assert_err(hf_blob_open(&blobs, &fd, &size, "pack", ID_B, NULL), HF_ERR_PERMISSION);
	assert_err(hf_blob_size(&blobs, &size, "pack", ID_B, NULL), HF_ERR_PERMISSION);
	assert_err(hf_blob_begin(&p, &blobs, "pack", ID_B, NULL), HF_ERR_EXISTS);
	assert_int_equal(symlink("/tmp", test_path(dir, "table")), 0);
	assert_err(hf_blob_begin(&p, &blobs, "table", ID_B, NULL), HF_ERR_PERMISSION);
	(void)snprintf(link, sizeof(link), "%s/part/index-%s", dir, ID_B);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_err(hf_blob_fill(&p, &blobs, "index", ID_B, 5, &resumed, NULL), HF_ERR_PERMISSION);
}

static void what_is_left_of_an_object_is_told_and_deleted(void **state)
{
	struct hf_blob_put p;
	uint64_t size = 0;
	uint64_t disk_size = 0;
	bool resumed = false;

	(void)state;
	assert_err(
		hf_blob_part_size(&blobs, &size, &disk_size, "pack", ID_A, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_blob_part_delete(&blobs, "pack", ID_A, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_blob_part_delete(&blobs, "../pack", ID_A, NULL), HF_ERR_ARG);
	assert_ok(hf_blob_fill(&p, &blobs, "pack", ID_A, 900, &resumed, NULL));
	hf_blob_pause(&p);
	assert_ok(hf_blob_part_size(&blobs, &size, &disk_size, "pack", ID_A, NULL));
	assert_int_equal(size, 900);
	assert_int_equal(disk_size, 0);
	assert_int_equal(blobs.used, 900);
	assert_ok(hf_blob_part_delete(&blobs, "pack", ID_A, NULL));
	assert_int_equal(blobs.used, 0);
	assert_ok(hf_blob_fill(&p, &blobs, "pack", ID_A, 900, &resumed, NULL));
	assert_false(resumed);
	hf_blob_drop(&p);
}

static void a_filled_object_survives_a_restart(void **state)
{
	struct hf_blob_put p;
	uint64_t size = 0;
	uint8_t got[4];
	bool resumed = true;
	int fd = -1;

	(void)state;
	assert_ok(hf_blob_fill(&p, &blobs, "pack", ID_A, 900, &resumed, NULL));
	assert_false(resumed);
	assert_ok(hf_file_pwrite(p.fd, "tail", 4, 896, NULL));
	hf_blob_pause(&p);
	assert_int_equal(blobs.used, 900);
	hf_blobs_clear(&blobs);
	assert_ok(hf_blobs_init(&blobs, &test_mem, dir, 1000, NULL));
	assert_int_equal(blobs.used, 900);
	assert_ok(hf_blob_fill(&p, &blobs, "pack", ID_A, 900, &resumed, NULL));
	assert_true(resumed);
	hf_blob_pause(&p);
	assert_ok(hf_blob_fill(&p, &blobs, "pack", ID_A, 800, &resumed, NULL));
	assert_false(resumed); /* another size: another object */
	hf_blob_pause(&p);
	assert_ok(hf_blob_fill(&p, &blobs, "pack", ID_A, 900, &resumed, NULL));
	assert_false(resumed);
	assert_ok(hf_blob_commit(&p, NULL));
	assert_ok(hf_blob_open(&blobs, &fd, &size, "pack", ID_A, NULL));
	assert_ok(hf_file_pread(fd, got, 4, 896, NULL));
	assert_memory_equal(got, "\0\0\0\0", 4); /* nothing of the old one shines through */
	hf_file_close(&fd);
	assert_int_equal(blobs.used, 900);
}

static hf_err count_one(void *ctx, const char *id, uint64_t size)
{
	*(uint64_t *)ctx += size;
	return hf_blob_delete(&blobs, "pack", id, NULL);
}

static void lists_and_deletes_as_it_goes(void **state)
{
	struct hf_blobs second = { .lock = -1 };
	uint64_t sum = 0;

	(void)state;
	put("pack", ID_A, "x");
	put("pack", ID_B, "yy");
	put("table", ID_B, "zzz");
	test_file_put(test_path(dir, "pack/README"), "?", 1);
	assert_err(hf_blobs_init(&second, &test_mem, dir, 1000, NULL), HF_ERR_AGAIN);
	assert_ok(hf_blob_list(&blobs, "pack", count_one, &sum, NULL));
	assert_int_equal(sum, 3);
	assert_ok(hf_blob_list(&blobs, "none", count_one, &sum, NULL));
	assert_int_equal(blobs.used, 3);
	assert_err(hf_blob_list(&blobs, "..", count_one, &sum, NULL), HF_ERR_ARG);
	/* One that became longer behind our back cannot take away what others count. */
	put("table", ID_A, "x");
	assert_int_equal(chmod(test_path(dir, "table/" ID_A), 0600), 0);
	assert_int_equal(truncate(test_path(dir, "table/" ID_A), 1000000), 0);
	assert_ok(hf_blob_delete(&blobs, "table", ID_A, NULL));
	assert_int_equal(blobs.used, 0);
	put("table", ID_A, "x");
}

static int put_hello(void *ctx)
{
	struct hf_blobs b = { .lock = -1 };
	struct hf_blob_put p;

	(void)ctx;
	if (hf_blobs_init(&b, &test_mem, dir, 1000, NULL) != HF_OK ||
		hf_blob_begin(&p, &b, "pack", ID_A, NULL) != HF_OK ||
		hf_blob_write(&p, "he", 2, NULL) != HF_OK ||
		hf_blob_write(&p, "llo", 3, NULL) != HF_OK)
		return 1;
	return hf_blob_commit(&p, NULL) == HF_OK ? 0 : 2;
}

static void a_crash_at_any_step_leaves_all_or_nothing(void **state)
{
	(void)state;
	for (int how = TEST_KILL; how <= TEST_POWER_CUT; how++) {
		int made = 0;

		for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
			uint64_t size = 0;
			hf_err e;

			(void)delete (NULL);
			test_tmp_make(dir);
			made = test_crash_at(n, how, dir, put_hello, NULL);
			if (made == TEST_CRASH_UNABLE)
				skip();
			assert_ok(hf_blobs_init(&blobs, &test_mem, dir, 1000, NULL));
			e = hf_blob_size(&blobs, &size, "pack", ID_A, NULL);
			assert_true(e == HF_ERR_NOT_FOUND || (e == HF_OK && size == 5));
			assert_int_equal(blobs.used, size);
			assert_int_equal(test_dir_count(test_path(dir, "temp")), 0);
			assert_true(made != TEST_CRASH_DONE || size == 5);
			assert_true(n < 100 && (made == TEST_CRASH_DONE || n > 0));
		}
	}
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(names_that_are_none_never_reach_a_path),
		IN_DIR(an_object_is_there_after_commit_and_not_before),
		IN_DIR(the_quota_is_a_full_disk),
		IN_DIR(a_full_disk_leaves_nothing_behind),
		IN_DIR(a_link_in_the_place_of_anything_is_refused),
		IN_DIR(what_is_left_of_an_object_is_told_and_deleted),
		IN_DIR(a_filled_object_survives_a_restart),
		IN_DIR(lists_and_deletes_as_it_goes),
		IN_DIR(a_crash_at_any_step_leaves_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
