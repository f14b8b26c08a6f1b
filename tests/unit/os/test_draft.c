/* SPDX-License-Identifier: Apache-2.0 */
/* A file has its name when it is complete, takes none that is taken, and leaves nothing else. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/draft.h"
#include "os/file.h"
#include "tmp.h"

typedef hf_err open_fn(struct hf_draft *d, const char *path, unsigned mode, struct hf_errinfo *ei);

static open_fn *const ways[] = { hf_draft_open, hf_draft_open_named };

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

static void begin(struct hf_draft *d, size_t way, const char *path, unsigned mode)
{
	assert_ok(ways[way](d, path, mode, NULL));
	assert_ok(hf_file_write(d->fd, "new", 3, NULL));
}

static void assert_holds(const char *path, const char *text)
{
	struct hf_buf b;

	hf_buf_init(&b, &test_mem, 100);
	assert_ok(hf_file_load(&b, path, NULL));
	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.p, text, b.len);
	hf_buf_clear(&b);
}

static void gets_its_name_and_exactly_its_mode_at_the_end(void **state)
{
	const char *path = test_path(dir, "f");
	struct hf_file_stat st;
	struct hf_draft d;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&d, i, path, 0646);
		assert_err(hf_file_stat(&st, path, NULL), HF_ERR_NOT_FOUND);
		assert_ok(hf_draft_commit(&d, path, false, NULL));
		assert_ok(hf_draft_close(&d, NULL));
		assert_ok(hf_file_stat(&st, path, NULL));
		assert_int_equal(st.mode, 0646);
		assert_int_equal(st.n_links, 1);
		assert_holds(path, "new");
		assert_int_equal(test_dir_count(dir), 1);
		assert_ok(hf_file_delete(path, NULL));
	}
}

static void what_was_given_up_is_gone(void **state)
{
	struct hf_draft d;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&d, i, test_path(dir, "f"), 0600);
		assert_ok(hf_draft_close(&d, NULL));
		assert_int_equal(test_dir_count(dir), 0);
		assert_ok(hf_draft_close(&d, NULL));
	}
}

static void has_no_name_before_where_that_can_be(void **state)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct hf_draft d;

	(void)state;
	if (fd < 0)
		skip();
	(void)close(fd);
	begin(&d, 0, test_path(dir, "f"), 0600);
	assert_int_equal(test_dir_count(dir), 0);
	assert_ok(hf_draft_close(&d, NULL));
}

static void takes_no_name_that_somebody_took_meanwhile(void **state)
{
	const char *path = test_path(dir, "f");
	struct hf_errinfo ei = { 0 };
	struct hf_draft d;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&d, i, path, 0600);
		test_file_put(path, "theirs", 6);
		assert_err(hf_draft_commit(&d, path, false, &ei), HF_ERR_EXISTS);
		assert_non_null(strstr(ei.text, path));
		assert_ok(hf_draft_close(&d, NULL));
		assert_holds(path, "theirs");
		assert_int_equal(test_dir_count(dir), 1);
		/* A link without an end is a name, too. */
		assert_ok(hf_file_delete(path, NULL));
		assert_int_equal(symlink("nowhere", path), 0);
		begin(&d, i, path, 0600);
		assert_err(hf_draft_commit(&d, path, false, NULL), HF_ERR_EXISTS);
		assert_ok(hf_draft_close(&d, NULL));
		assert_ok(hf_file_delete(path, NULL));
		assert_int_equal(test_dir_count(dir), 0);
	}
}

static void replaces_what_may_be_replaced(void **state)
{
	const char *path = test_path(dir, "f");
	struct hf_draft d;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		test_file_put(path, "old and longer", 14);
		begin(&d, i, path, 0600);
		assert_holds(path, "old and longer");
		assert_ok(hf_draft_commit(&d, path, true, NULL));
		assert_ok(hf_draft_close(&d, NULL));
		assert_holds(path, "new");
		assert_int_equal(test_dir_count(dir), 1);
	}
}

static void a_directory_in_the_place_stays_and_no_temporary(void **state)
{
	const char *path = test_path(dir, "d");
	struct hf_draft d;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		begin(&d, i, path, 0600);
		assert_err(hf_draft_commit(&d, path, true, NULL), HF_ERR_IO);
		assert_ok(hf_draft_close(&d, NULL));
		assert_int_equal(test_dir_count(dir), 1);
	}
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
	struct hf_errinfo ei = { 0 };
	struct hf_draft d;

	(void)state;
	assert_err(hf_draft_open(&d, test_path(dir, "no/f"), 0600, &ei), HF_ERR_NOT_FOUND);
	assert_int_equal(ei.sys, ENOENT);
	assert_int_equal(d.fd, -1);
	assert_ok(hf_draft_close(&d, NULL));
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(gets_its_name_and_exactly_its_mode_at_the_end),
		IN_DIR(what_was_given_up_is_gone),
		IN_DIR(has_no_name_before_where_that_can_be),
		IN_DIR(takes_no_name_that_somebody_took_meanwhile),
		IN_DIR(replaces_what_may_be_replaced),
		IN_DIR(a_directory_in_the_place_stays_and_no_temporary),
		IN_DIR(a_place_that_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
