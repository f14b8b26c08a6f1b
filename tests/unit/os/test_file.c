/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories: what is missing, forbidden, full or in the way is told apart. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/file.h"
#include "os/heap.h"
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

static void a_missing_file_is_named_with_its_errno(void **state)
{
	const char *path = test_path(dir, "none");
	struct hf_errinfo ei = { 0 };
	struct hf_buf b;
	int fd = -1;

	(void)state;
	hf_buf_init(&b, &test_mem, 10);
	assert_err(hf_file_load(&b, path, &ei), HF_ERR_NOT_FOUND);
	assert_int_equal(ei.sys, ENOENT);
	assert_non_null(strstr(ei.text, path));
	assert_err(hf_file_open(&fd, path, HF_FILE_READ, 0, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_file_open(&fd, dir, HF_FILE_READ, 0, NULL), HF_ERR_ARG);
	assert_int_equal(fd, -1);
}

static void a_path_through_a_file_is_not_found(void **state)
{
	int fd = -1;

	(void)state;
	test_file_put(test_path(dir, "f"), "x", 1);
	assert_err(
		hf_file_open(&fd, test_path(dir, "f/g"), HF_FILE_READ, 0, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_file_replace(test_path(dir, "f/g"), 0600, "x", 1, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_dir_make(test_path(dir, "f/g/h"), 0700, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_dir_make(test_path(dir, "f"), 0700, NULL), HF_ERR_NOT_FOUND);
}

static void a_symbolic_link_is_refused_unless_asked_for(void **state)
{
	int fd = -1;

	(void)state;
	test_file_put(test_path(dir, "f"), "x", 1);
	assert_int_equal(symlink("f", test_path(dir, "link")), 0);
	assert_int_equal(symlink("nowhere", test_path(dir, "broken")), 0);
	assert_err(hf_file_open(&fd, test_path(dir, "link"), HF_FILE_WRITE, 0, NULL),
		HF_ERR_PERMISSION);
	assert_err(hf_file_open(
			   &fd, test_path(dir, "link"), HF_FILE_WRITE | HF_FILE_CREATE, 0600, NULL),
		HF_ERR_PERMISSION);
	assert_err(hf_file_open(&fd, test_path(dir, "broken"), HF_FILE_WRITE | HF_FILE_CREATE, 0600,
			   NULL),
		HF_ERR_PERMISSION);
	assert_ok(hf_file_open(&fd, test_path(dir, "link"), HF_FILE_FOLLOW, 0, NULL));
	hf_file_close(&fd);
}

static void loads_up_to_the_limit_and_not_one_byte_more(void **state)
{
	struct hf_errinfo ei = { 0 };
	struct hf_buf b;

	(void)state;
	test_file_put(test_path(dir, "f"), "0123456789", 10);
	hf_buf_init(&b, &test_mem, 11);
	assert_ok(hf_buf_put(&b, "a", 1));
	assert_ok(hf_file_load(&b, test_path(dir, "f"), NULL));
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.p, "a0123456789", 11);
	hf_buf_clear(&b);
	hf_buf_init(&b, &test_mem, 9);
	assert_err(hf_file_load(&b, test_path(dir, "f"), &ei), HF_ERR_LIMIT);
	assert_int_equal(b.len, 0);
	assert_non_null(strstr(ei.text, "9 bytes"));
	hf_buf_clear(&b);
}

static void replaces_with_the_mode_and_leaves_no_temporary(void **state)
{
	const char *path = test_path(dir, "f");
	struct hf_file_stat st;
	struct hf_buf b;

	(void)state;
	assert_ok(hf_file_replace(path, 0640, "old", 3, NULL));
	assert_ok(hf_file_replace(path, 0666, "newer", 5, NULL));
	assert_ok(hf_file_stat(&st, path, NULL));
	assert_int_equal(st.mode, 0666);
	assert_int_equal(st.size, 5);
	assert_true(st.is_file && !st.is_dir);
	assert_int_equal(test_dir_count(dir), 1);
	hf_buf_init(&b, &test_mem, 100);
	assert_ok(hf_file_load(&b, path, NULL));
	assert_memory_equal(b.p, "newer", 5);
	hf_buf_clear(&b);
}

static int replace_on_a_full_disk(void *ctx)
{
	static const uint8_t big[3000];
	struct hf_errinfo ei = { 0 };

	test_limit_files(2000);
	if (hf_file_replace(ctx, 0600, big, sizeof(big), &ei) != HF_ERR_FULL)
		return 1;
	return strstr(ei.text, ctx) == NULL && strstr(ei.text, "/.f.tmp") == NULL ? 2 : 0;
}

static void a_full_disk_keeps_the_old_content(void **state)
{
	char path[TEST_PATH_MAX + 4];
	struct hf_errinfo ei = { 0 };
	struct hf_buf b;
	int fd = -1;

	(void)state;
	(void)strcpy(path, test_path(dir, "f"));
	assert_ok(hf_file_replace(path, 0600, "old", 3, NULL));
	assert_int_equal(test_child(replace_on_a_full_disk, path), 0);
	assert_int_equal(test_dir_count(dir), 1);
	hf_buf_init(&b, &test_mem, 4000);
	assert_ok(hf_file_load(&b, path, NULL));
	assert_int_equal(b.len, 3);
	hf_buf_clear(&b);

	assert_ok(hf_file_open(&fd, "/dev/full", HF_FILE_WRITE, 0, NULL));
	assert_err(hf_file_write(fd, "x", 1, &ei), HF_ERR_FULL);
	assert_int_equal(ei.sys, ENOSPC);
	assert_non_null(strstr(ei.text, "/dev/full"));
	hf_file_close(&fd);
}

static int write_without_right(void *ctx)
{
	struct hf_errinfo ei = { 0 };
	int fd = -1;

	if (!test_drop_root())
		return 77;
	if (hf_file_replace(ctx, 0600, "x", 1, &ei) != HF_ERR_PERMISSION || ei.sys != EACCES)
		return 1;
	return hf_file_open(&fd, ctx, HF_FILE_READ, 0, NULL) == HF_ERR_PERMISSION ? 0 : 2;
}

static void a_missing_right_is_told_as_such(void **state)
{
	char path[TEST_PATH_MAX + 4];

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)strcpy(path, test_path(dir, "f"));
	test_file_put(path, "x", 1);
	assert_int_equal(chmod(dir, 0711), 0);
	assert_int_equal(test_child(write_without_right, path), 0);
}

static void reads_and_writes_at_offsets_beyond_four_gigabytes(void **state)
{
	const uint64_t far = 5000000000u;
	struct hf_file_stat st;
	uint8_t got[4];
	int fd = -1;

	(void)state;
	assert_ok(hf_file_open(&fd, test_path(dir, "f"), HF_FILE_WRITE | HF_FILE_NEW, 0600, NULL));
	assert_ok(hf_file_resize(fd, far + 4, NULL));
	assert_ok(hf_file_pwrite(fd, "abcd", 4, far, NULL));
	assert_ok(hf_file_sync(fd, NULL));
	assert_ok(hf_file_pread(fd, got, 4, far, NULL));
	assert_memory_equal(got, "abcd", 4);
	assert_ok(hf_file_fstat(&st, fd, NULL));
	assert_int_equal(st.size, far + 4);
	assert_true(st.disk_size < 1000000);
	assert_err(hf_file_pread(fd, got, 4, far + 1, NULL), HF_ERR_TRUNCATED);
	assert_err(hf_file_pread(fd, got, 4, UINT64_MAX - 2, NULL), HF_ERR_LIMIT);
	assert_err(hf_file_pwrite(fd, got, 4, INT64_MAX, NULL), HF_ERR_LIMIT);
	hf_file_close(&fd);
	assert_err(hf_file_open(&fd, test_path(dir, "f"), HF_FILE_WRITE | HF_FILE_NEW, 0, NULL),
		HF_ERR_EXISTS);
}

static int reserve_on_a_full_disk(void *ctx)
{
	test_limit_files(2000);
	return hf_file_reserve(*(int *)ctx, 100000, NULL) == HF_ERR_FULL ? 0 : 1;
}

static void reserves_space_or_says_full(void **state)
{
	struct hf_file_stat st;
	int fd = -1;

	(void)state;
	assert_ok(hf_file_open(&fd, test_path(dir, "f"), HF_FILE_WRITE | HF_FILE_NEW, 0600, NULL));
	assert_int_equal(test_child(reserve_on_a_full_disk, &fd), 0);
	assert_ok(hf_file_reserve(fd, 100000, NULL));
	assert_ok(hf_file_fstat(&st, fd, NULL));
	assert_true(st.disk_size >= 100000);
	hf_file_close(&fd);
}

static void a_lock_is_held_until_closed(void **state)
{
	struct hf_errinfo ei = { 0 };
	char pid[32];
	int a = -1;
	int b = -1;

	(void)state;
	assert_ok(hf_file_lock(&a, test_path(dir, "lock"), NULL));
	assert_err(hf_file_lock(&b, test_path(dir, "lock"), &ei), HF_ERR_AGAIN);
	(void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_non_null(strstr(ei.text, pid));
	assert_int_equal(b, -1);
	hf_file_close(&a);
	assert_ok(hf_file_lock(&b, test_path(dir, "lock"), NULL));
	hf_file_close(&b);
	hf_file_close(&b);
}

struct names {
	char text[100];
	hf_err answer;
};

static hf_err take_name(void *ctx, const char *name)
{
	struct names *n = ctx;

	(void)strcat(n->text, name);
	return n->answer;
}

static void makes_and_lists_directories(void **state)
{
	struct names n = { .answer = HF_OK };
	struct hf_file_stat st;
	uint64_t left = 0;

	(void)state;
	assert_ok(hf_dir_make(test_path(dir, "a//b/c/"), 0750, NULL));
	assert_ok(hf_dir_make(test_path(dir, "a/b"), 0700, NULL));
	assert_ok(hf_file_stat(&st, test_path(dir, "a/b"), NULL));
	assert_true(st.is_dir);
	assert_int_equal(st.mode, 0750);
	test_file_put(test_path(dir, "z"), "", 0);
	test_file_put(test_path(dir, "m"), "", 0);
	assert_ok(hf_dir_list(&test_mem, dir, 3, take_name, &n, NULL));
	assert_string_equal(n.text, "amz");
	assert_err(hf_dir_list(&test_mem, dir, 2, take_name, &n, NULL), HF_ERR_LIMIT);
	assert_string_equal(n.text, "amz");
	n.answer = HF_ERR_STATE;
	assert_err(hf_dir_list(&test_mem, dir, 3, take_name, &n, NULL), HF_ERR_STATE);
	assert_string_equal(n.text, "amza");
	assert_err(hf_dir_list(&test_mem, test_path(dir, "none"), 3, take_name, &n, NULL),
		HF_ERR_NOT_FOUND);
	assert_err(hf_dir_delete(test_path(dir, "a/b"), NULL), HF_ERR_EXISTS);
	assert_ok(hf_dir_delete(test_path(dir, "a/b/c"), NULL));
	assert_ok(hf_dir_free_bytes(&left, dir, NULL));
	assert_true(left > 0);
}

static void reads_a_file_front_to_back(void **state)
{
	uint8_t block[4];
	size_t got = 9;
	int fd = -1;

	(void)state;
	test_file_put(test_path(dir, "f"), "0123456", 7);
	assert_ok(hf_file_open(&fd, test_path(dir, "f"), HF_FILE_SEQUENTIAL, 0, NULL));
	assert_ok(hf_file_read(fd, block, 4, &got, NULL));
	assert_int_equal(got, 4);
	assert_ok(hf_file_read(fd, block, 4, &got, NULL));
	assert_int_equal(got, 3);
	assert_ok(hf_file_read(fd, block, 4, &got, NULL));
	assert_int_equal(got, 0);
	hf_file_close(&fd);
	assert_err(hf_file_read(-1, block, 4, &got, NULL), HF_ERR_IO);
}

/* Opens a fifo for writing as soon as somebody has it open, or waits in open, for reading. */
static void *feed(void *arg)
{
	int fd;

	while ((fd = open(arg, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0 && errno == ENXIO)
		(void)sched_yield();
	(void)!write(fd, "late", 4);
	(void)close(fd);
	return NULL;
}

static void *drain(void *arg)
{
	char got[5] = { 0 };
	int fd = open(arg, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, got, 4);

	(void)close(fd);
	return n == 4 && strcmp(got, "seen") == 0 ? arg : NULL;
}

static void a_fifo_of_a_user_waits_for_its_other_end(void **state)
{
	const char *path = test_path(dir, "fifo");
	struct hf_buf b;
	pthread_t other;
	void *has_seen = NULL;
	int fd = -1;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	hf_buf_init(&b, &test_mem, 10);
	/* Nobody writes: that of a server is empty. */
	assert_ok(hf_file_load(&b, path, NULL));
	assert_int_equal(b.len, 0);
	assert_int_equal(pthread_create(&other, NULL, feed, (void *)(uintptr_t)path), 0);
	assert_ok(hf_file_load_input(&b, path, NULL));
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(b.len, 4);
	hf_buf_clear(&b);
	assert_int_equal(pthread_create(&other, NULL, drain, (void *)(uintptr_t)path), 0);
	assert_ok(hf_file_open(&fd, path, HF_FILE_PUT | HF_FILE_WAIT, 0, NULL));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	assert_ok(hf_file_write(fd, "seen", 4, NULL));
	assert_int_equal(pthread_join(other, &has_seen), 0);
	assert_non_null(has_seen);
	hf_file_close(&fd);
}

static void waiting_ends_with_a_byte_or_a_stop(void **state)
{
	int in[2];
	int stop[2];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "x", 1), 1);
	assert_ok(hf_file_await(in[0], stop[0]));
	assert_int_equal(write(stop[1], "x", 1), 1);
	assert_err(hf_file_await(in[0], stop[0]), HF_ERR_AGAIN);
	(void)close(in[1]);
	(void)close(in[0]);
	(void)close(stop[0]);
	(void)close(stop[1]);
}

static void names_of_one_file_are_told(void **state)
{
	char here[TEST_PATH_MAX + 8];
	char none[TEST_PATH_MAX + 8];

	(void)state;
	(void)snprintf(here, sizeof(here), "%s/./f", dir);
	(void)snprintf(none, sizeof(none), "%s/./none", dir);
	test_file_put(test_path(dir, "f"), "x", 1);
	test_file_put(test_path(dir, "g"), "x", 1);
	assert_int_equal(link(here, test_path(dir, "hard")), 0);
	assert_int_equal(symlink("f", test_path(dir, "soft")), 0);
	assert_true(hf_file_is_same(here, test_path(dir, "f")));
	assert_true(hf_file_is_same(here, test_path(dir, "hard")));
	assert_true(hf_file_is_same(here, test_path(dir, "soft")));
	assert_true(hf_file_is_same(none, test_path(dir, "none")));
	assert_true(hf_file_is_same("none", "./none"));
	assert_false(hf_file_is_same(here, test_path(dir, "g")));
	assert_false(hf_file_is_same(here, none));
	assert_false(hf_file_is_same(none, test_path(dir, "nine")));
	assert_false(hf_file_is_same(none, "none"));
	assert_false(hf_file_is_same(test_path(dir, "no/x"), test_path(dir, "no/x")));
}

static void the_mask_of_the_process_is_asked_and_kept(void **state)
{
	mode_t before = umask(027);

	(void)state;
	assert_int_equal(hf_file_umask(), 027);
	assert_int_equal(umask(before), 027);
}

static void opens_below_a_folder_and_nowhere_else(void **state)
{
	static const char *const bad[] = { "", "/etc/passwd", "a/../../f", "..", "a//f", "a/" };
	char out[HF_FILE_PATH_MAX] = "as it was";
	int fd = -1;

	(void)state;
	assert_int_equal(mkdir(test_path(dir, "a"), 0755), 0);
	test_file_put(test_path(dir, "a/f"), "x", 1);
	assert_ok(hf_file_open_below(&fd, dir, "a/f", NULL));
	hf_file_close(&fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(hf_file_open_below(&fd, dir, bad[i], NULL), HF_ERR_ARG);
	assert_err(hf_file_open_below(&fd, dir, "a", NULL), HF_ERR_ARG);
	assert_err(hf_file_open_below(&fd, dir, "b/f", NULL), HF_ERR_NOT_FOUND);
	assert_int_equal(symlink("f", test_path(dir, "a/link")), 0);
	assert_int_equal(symlink("a", test_path(dir, "b")), 0);
	assert_int_equal(symlink("..", test_path(dir, "a/up")), 0);
	assert_err(hf_file_open_below(&fd, dir, "a/link", NULL), HF_ERR_PERMISSION);
	assert_err(hf_file_open_below(&fd, dir, "b/f", NULL), HF_ERR_PERMISSION);
	assert_int_equal(fd, -1);
	assert_err(hf_file_link_below(out, dir, "a/up", NULL), HF_ERR_PERMISSION);
	assert_err(hf_file_link_below(out, dir, "a/none", NULL), HF_ERR_NOT_FOUND);
	assert_string_equal(out, "as it was");
	assert_ok(hf_file_link_below(out, dir, "a/link", NULL));
	assert_string_equal(out, "a/f");
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(a_missing_file_is_named_with_its_errno),
		IN_DIR(a_path_through_a_file_is_not_found),
		IN_DIR(a_symbolic_link_is_refused_unless_asked_for),
		IN_DIR(loads_up_to_the_limit_and_not_one_byte_more),
		IN_DIR(replaces_with_the_mode_and_leaves_no_temporary),
		IN_DIR(a_full_disk_keeps_the_old_content),
		IN_DIR(a_missing_right_is_told_as_such),
		IN_DIR(reads_and_writes_at_offsets_beyond_four_gigabytes),
		IN_DIR(reserves_space_or_says_full),
		IN_DIR(a_lock_is_held_until_closed),
		IN_DIR(makes_and_lists_directories),
		IN_DIR(reads_a_file_front_to_back),
		IN_DIR(a_fifo_of_a_user_waits_for_its_other_end),
		IN_DIR(names_of_one_file_are_told),
		IN_DIR(opens_below_a_folder_and_nowhere_else),
		cmocka_unit_test(waiting_ends_with_a_byte_or_a_stop),
		cmocka_unit_test(the_mask_of_the_process_is_asked_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
