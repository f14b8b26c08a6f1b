/* SPDX-License-Identifier: Apache-2.0 */
/* Which files go into a package: folders, their links, names that cannot stand beside each other.
 */
#include "test.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/attr.h"
#include "crypto/module.h"
#include "os/cpu.h"
#include "os/file.h"
#include "svc/input_list.h"
#include "tmp.h"

static char dir[TEST_PATH_MAX];

static int start(void **state)
{
	(void)state;
	assert_ok(hf_module_start(hf_os_cpu()));
	return 0;
}

static int make(void **state)
{
	(void)state;
	test_tmp_make(dir);
	assert_int_equal(mkdir(test_path(dir, "m"), 0755), 0);
	return 0;
}

static int delete (void **state)
{
	(void)state;
	test_tmp_delete(dir);
	return 0;
}

static void put(const char *name)
{
	test_file_put(test_path(dir, name), "x", 1);
}

static void folder(const char *name)
{
	assert_int_equal(mkdir(test_path(dir, name), 0755), 0);
}

static hf_err list_of(
	struct hf_input_list *out, struct hf_errinfo *ei, size_t n, const char *const *paths)
{
	struct hf_input_list_spec spec = { .paths = paths, .n_paths = n };

	return hf_input_list_make(out, &test_mem, &spec, ei);
}

static void assert_names(const struct hf_input_list *list, size_t n, const char *const *names)
{
	assert_int_equal(list->n_files, n);
	for (size_t i = 0; i < n; i++) {
		int fd = -1;

		assert_string_equal(list->files[i].name, names[i]);
		assert_ok(hf_listed_open(&fd, &list->files[i], NULL));
		hf_file_close(&fd);
	}
}

/* Of the folder m. */
static void refused(hf_err expected, const char *text)
{
	char path[TEST_PATH_MAX];
	const char *paths[] = { path };
	struct hf_input_list list = { .n_files = 42 };
	struct hf_errinfo ei = { .code = HF_OK };

	(void)snprintf(path, sizeof(path), "%s", test_path(dir, "m"));
	assert_err(list_of(&list, &ei, 1, paths), expected);
	assert_int_equal(list.n_files, 42);
	assert_int_equal(ei.code, expected);
	if (strstr(ei.text, text) == NULL)
		fail_msg("'%s' is not in '%s'", text, ei.text);
}

static void a_folder_is_its_files_by_their_paths_below_it(void **state)
{
	static const char *const names[] = { ".hidden", "config.json", "tok/a/vocab", "tok/merges",
		"top.bin" };
	char m[TEST_PATH_MAX];
	char top[TEST_PATH_MAX];
	const char *paths[] = { m, top };
	struct hf_input_list list;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s/", test_path(dir, "m"));
	(void)snprintf(top, sizeof(top), "%s", test_path(dir, "top.bin"));
	put("m/config.json");
	put("m/.hidden");
	folder("m/tok");
	folder("m/tok/a");
	folder("m/empty");
	put("m/tok/merges");
	put("m/tok/a/vocab");
	put("top.bin");
	assert_ok(list_of(&list, NULL, 2, paths));
	assert_names(&list, HF_COUNT(names), names);
	hf_input_list_clear(&list);
	/* The folder that is named may be a link itself. */
	assert_int_equal(symlink("m", test_path(dir, "link")), 0);
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "link"));
	assert_ok(list_of(&list, NULL, 2, paths));
	assert_names(&list, HF_COUNT(names), names);
	hf_input_list_clear(&list);
}

static void a_link_within_the_folder_is_the_file_it_leads_to(void **state)
{
	static const char *const names[] = { "blobs/1", "model", "sub/again" };
	char m[TEST_PATH_MAX];
	const char *paths[] = { m };
	struct hf_input_list list;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "m"));
	folder("m/blobs");
	folder("m/sub");
	put("m/blobs/1");
	assert_int_equal(symlink("blobs/1", test_path(dir, "m/model")), 0);
	assert_int_equal(symlink("../model", test_path(dir, "m/sub/again")), 0);
	assert_ok(list_of(&list, NULL, 1, paths));
	assert_names(&list, HF_COUNT(names), names);
	hf_input_list_clear(&list);
}

static void refuses_links_that_lead_anywhere_else(void **state)
{
	char target[TEST_PATH_MAX];

	(void)state;
	put("secret");
	put("m/good");
	assert_int_equal(symlink("../secret", test_path(dir, "m/out")), 0);
	refused(HF_ERR_PERMISSION, "out of the folder");
	assert_int_equal(unlink(test_path(dir, "m/out")), 0);
	assert_int_equal(symlink("/etc/passwd", test_path(dir, "m/out")), 0);
	refused(HF_ERR_PERMISSION, "out of the folder");
	assert_int_equal(unlink(test_path(dir, "m/out")), 0);
	assert_int_equal(symlink("nowhere", test_path(dir, "m/out")), 0);
	refused(HF_ERR_NOT_FOUND, "leads nowhere");
	assert_int_equal(unlink(test_path(dir, "m/out")), 0);
	assert_int_equal(symlink("out", test_path(dir, "m/out")), 0);
	refused(HF_ERR_PERMISSION, "leads nowhere"); /* round and round */
	assert_int_equal(unlink(test_path(dir, "m/out")), 0);
	assert_int_equal(symlink(".", test_path(dir, "m/out")), 0);
	refused(HF_ERR_PERMISSION, "out of the folder");
	assert_int_equal(unlink(test_path(dir, "m/out")), 0);
	folder("m/sub");
	assert_int_equal(symlink("sub", test_path(dir, "m/out")), 0);
	refused(HF_ERR_ARG, "no file");
	assert_int_equal(unlink(test_path(dir, "m/out")), 0);
	/* A folder whose name begins like that of this one is another. */
	folder("mm");
	put("mm/f");
	(void)snprintf(target, sizeof(target), "%s", test_path(dir, "mm/f"));
	assert_int_equal(symlink(target, test_path(dir, "m/out")), 0);
	refused(HF_ERR_PERMISSION, "out of the folder");
}

static void refuses_what_is_neither_file_nor_folder(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s;

	(void)state;
	refused(HF_ERR_ARG, "no file in this folder");
	put("m/good");
	assert_int_equal(mkfifo(test_path(dir, "m/pipe"), 0600), 0);
	refused(HF_ERR_ARG, "neither file nor folder");
	assert_int_equal(unlink(test_path(dir, "m/pipe")), 0);
	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s", test_path(dir, "m/socket")) <
		(int)sizeof(a.sun_path)) {
		s = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(bind(s, (const struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(close(s), 0);
		refused(HF_ERR_ARG, "neither file nor folder");
		assert_int_equal(unlink(test_path(dir, "m/socket")), 0);
	}
	if (mknod(test_path(dir, "m/device"), S_IFCHR | 0600, 0) == 0)
		refused(HF_ERR_ARG, "neither file nor folder");
}

static void refuses_names_that_exclude_each_other(void **state)
{
	static const char *const pairs[][2] = {
		{ "Config.json", "config.json" },
		{ "\xc3\xa9", "e\xcc\x81" },
		{ "\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab" },
	};
	char name[TEST_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(pairs); i++) {
		for (size_t k = 0; k < 2; k++) {
			(void)snprintf(name, sizeof(name), "m/%s", pairs[i][k]);
			put(name);
		}
		refused(HF_ERR_ARG, "one name");
		for (size_t k = 0; k < 2; k++) {
			(void)snprintf(name, sizeof(name), "m/%s", pairs[i][k]);
			assert_int_equal(unlink(test_path(dir, name)), 0);
		}
	}
	/* Two folders, and a file beside a folder. */
	folder("m/Tok");
	folder("m/tok");
	put("m/Tok/a");
	put("m/tok/b");
	refused(HF_ERR_ARG, "one name");
	assert_int_equal(unlink(test_path(dir, "m/tok/b")), 0);
	assert_int_equal(rmdir(test_path(dir, "m/tok")), 0);
	put("m/tok");
	refused(HF_ERR_ARG, "one name");
}

static void refuses_names_that_no_package_has(void **state)
{
	static const char *const bad[] = { "m/a:b", "m/a\\b", "m/a\x01", "m/\xff" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		put(bad[i]);
		refused(HF_ERR_ARG, "no name for a file of a package");
		assert_int_equal(unlink(test_path(dir, bad[i])), 0);
	}
}

static void refuses_the_same_name_from_two_operands(void **state)
{
	char a[TEST_PATH_MAX];
	char b[TEST_PATH_MAX];
	const char *paths[] = { a, b };
	struct hf_input_list list;
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	folder("n");
	put("m/x");
	put("n/x");
	(void)snprintf(a, sizeof(a), "%s", test_path(dir, "m"));
	(void)snprintf(b, sizeof(b), "%s", test_path(dir, "n"));
	assert_err(list_of(&list, &ei, 2, paths), HF_ERR_ARG);
	assert_non_null(strstr(ei.text, "two files are called 'x'"));
	/* A file and the folder of another: "x" and "x/y". */
	assert_int_equal(unlink(test_path(dir, "n/x")), 0);
	folder("n/x");
	put("n/x/y");
	ei.code = HF_OK;
	assert_err(list_of(&list, &ei, 2, paths), HF_ERR_ARG);
	assert_non_null(strstr(ei.text, "one name"));
}

static void refuses_a_folder_with_keys(void **state)
{
	char m[TEST_PATH_MAX];
	char keys[TEST_PATH_MAX];
	const char *paths[] = { m };
	const char *forbidden[] = { keys };
	struct hf_input_list_spec spec = {
		.paths = paths, .n_paths = 1, .keys = forbidden, .n_keys = 1
	};
	struct hf_input_list list;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "m"));
	(void)snprintf(keys, sizeof(keys), "%s", test_path(dir, "m/sub/publisher"));
	folder("m/sub");
	folder("m/sub/publisher");
	put("m/good");
	assert_err(hf_input_list_make(&list, &test_mem, &spec, NULL), HF_ERR_DENIED);
	(void)snprintf(keys, sizeof(keys), "%s", test_path(dir, "m"));
	assert_err(hf_input_list_make(&list, &test_mem, &spec, NULL), HF_ERR_DENIED);
}

static void bounds_depth_and_number(void **state)
{
	char name[TEST_PATH_MAX] = "m";
	char m[TEST_PATH_MAX];
	const char *paths[] = { m };
	struct hf_input_list list;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "m"));
	for (unsigned i = 1; i < HF_INPUT_DEPTH_MAX; i++) {
		strcat(name, "/d");
		folder(name);
	}
	strcat(name, "/f");
	put(name);
	assert_ok(list_of(&list, NULL, 1, paths));
	assert_int_equal(list.n_files, 1);
	hf_input_list_clear(&list);
	name[strlen(name) - 1] = 'd';
	folder(name);
	refused(HF_ERR_LIMIT, "deeper than 16");
	assert_err(list_of(&list, NULL, 0, paths), HF_ERR_ARG);
	assert_err(list_of(&list, NULL, HF_INPUTS_MAX + 1, paths), HF_ERR_ARG);
}

static void bounds_the_number_of_files(void **state)
{
	char name[32];
	char m[TEST_PATH_MAX];
	const char *paths[] = { m };
	struct hf_input_list list;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "m"));
	folder("m/sub");
	for (unsigned i = 0; i < HF_INPUT_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "m/%s%u", i % 2 == 0 ? "sub/" : "", i);
		put(name);
	}
	assert_ok(list_of(&list, NULL, 1, paths));
	assert_int_equal(list.n_files, HF_INPUT_FILES_MAX);
	hf_input_list_clear(&list);
	put("m/sub/more");
	refused(HF_ERR_LIMIT, "more than 4096");
}

/* Somebody puts a link in the place of a folder after it was looked at. */
static void a_folder_that_becomes_a_link_is_not_followed(void **state)
{
	char m[TEST_PATH_MAX];
	const char *paths[] = { m };
	struct hf_input_list list;
	int fd = -1;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "m"));
	folder("m/sub");
	folder("other");
	put("m/sub/f");
	put("other/f");
	assert_ok(list_of(&list, NULL, 1, paths));
	assert_int_equal(unlink(test_path(dir, "m/sub/f")), 0);
	assert_int_equal(symlink("../../other/f", test_path(dir, "m/sub/f")), 0);
	assert_err(hf_listed_open(&fd, &list.files[0], NULL), HF_ERR_PERMISSION);
	assert_int_equal(unlink(test_path(dir, "m/sub/f")), 0);
	assert_int_equal(rmdir(test_path(dir, "m/sub")), 0);
	assert_int_equal(symlink("../other", test_path(dir, "m/sub")), 0);
	assert_err(hf_listed_open(&fd, &list.files[0], NULL), HF_ERR_PERMISSION);
	assert_int_equal(fd, -1);
	hf_input_list_clear(&list);
}

static void frees_everything_when_memory_runs_out(void **state)
{
	char m[TEST_PATH_MAX];
	const char *paths[] = { m };
	struct hf_input_list list;
	unsigned n = 0;
	hf_err e;

	(void)state;
	(void)snprintf(m, sizeof(m), "%s", test_path(dir, "m"));
	folder("m/sub");
	put("m/sub/a");
	put("m/b");
	do {
		test_mem_fail_at(++n);
		e = list_of(&list, NULL, 1, paths);
		test_mem_fail_at(0);
		assert_true(e == HF_OK || e == HF_ERR_NO_MEMORY);
	} while (e != HF_OK && n < 100);
	assert_ok(e);
	assert_true(n > 5);
	hf_input_list_clear(&list);
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(a_folder_is_its_files_by_their_paths_below_it),
		IN_DIR(a_link_within_the_folder_is_the_file_it_leads_to),
		IN_DIR(refuses_links_that_lead_anywhere_else),
		IN_DIR(refuses_what_is_neither_file_nor_folder),
		IN_DIR(refuses_names_that_exclude_each_other),
		IN_DIR(refuses_names_that_no_package_has),
		IN_DIR(refuses_the_same_name_from_two_operands),
		IN_DIR(refuses_a_folder_with_keys),
		IN_DIR(bounds_depth_and_number),
		IN_DIR(bounds_the_number_of_files),
		IN_DIR(a_folder_that_becomes_a_link_is_not_followed),
		IN_DIR(frees_everything_when_memory_runs_out),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
