/* SPDX-License-Identifier: Apache-2.0 */
/* Directories: what is deleted with them, and whose they are. */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/dir.h"

static void make_file(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

static void deletes_a_tree_but_follows_no_link(void **state)
{
	char top[] = "/tmp/hufu-tree-XXXXXX";
	char path[128];
	char target[128];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(top));
	(void)snprintf(path, sizeof(path), "%s/a/b/c", top);
	assert_ok(hf_dir_make(path, 0700, NULL));
	(void)snprintf(path, sizeof(path), "%s/a/b/file", top);
	make_file(path);
	(void)snprintf(target, sizeof(target), "%s/keep", top);
	make_file(target);
	(void)snprintf(path, sizeof(path), "%s/a/link", top);
	assert_int_equal(symlink(target, path), 0);
	(void)snprintf(path, sizeof(path), "%s/a", top);
	assert_ok(hf_dir_delete_all(&test_mem, path, NULL));
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(stat(target, &st), 0);
	assert_ok(hf_dir_delete_all(&test_mem, top, NULL));
}

static void refuses_a_tree_that_is_too_deep_or_missing(void **state)
{
	char top[] = "/tmp/hufu-tree-XXXXXX";
	char path[128];

	(void)state;
	assert_non_null(mkdtemp(top));
	(void)snprintf(path, sizeof(path), "%s/1/2/3/4/5/6/7/8/9/10", top);
	assert_ok(hf_dir_make(path, 0700, NULL));
	assert_err(hf_dir_delete_all(&test_mem, top, NULL), HF_ERR_LIMIT);
	(void)snprintf(path, sizeof(path), "%s/1/2/3", top);
	assert_ok(hf_dir_delete_all(&test_mem, path, NULL));
	assert_ok(hf_dir_delete_all(&test_mem, top, NULL));
	assert_err(hf_dir_delete_all(&test_mem, top, NULL), HF_ERR_NOT_FOUND);
}

static void a_directory_that_others_may_write_to_is_not_ours(void **state)
{
	char top[] = "/tmp/hufu-own-XXXXXX";
	char path[128];

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_ok(hf_dir_check_own(top, NULL));
	for (unsigned mode = 0; mode < 01000; mode++) {
		assert_int_equal(chmod(top, (mode_t)(mode | 0700)), 0);
		assert_int_equal(
			hf_dir_check_own(top, NULL), (mode & 022) == 0 ? HF_OK : HF_ERR_PERMISSION);
	}
	assert_int_equal(chmod(top, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/file", top);
	make_file(path);
	assert_err(hf_dir_check_own(path, NULL), HF_ERR_PERMISSION);
	if (geteuid() == 0) {
		assert_int_equal(chown(top, 65534, 65534), 0);
		assert_err(hf_dir_check_own(top, NULL), HF_ERR_PERMISSION);
	}
	assert_ok(hf_dir_delete_all(&test_mem, top, NULL));
	assert_err(hf_dir_check_own(top, NULL), HF_ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deletes_a_tree_but_follows_no_link),
		cmocka_unit_test(refuses_a_tree_that_is_too_deep_or_missing),
		cmocka_unit_test(a_directory_that_others_may_write_to_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
