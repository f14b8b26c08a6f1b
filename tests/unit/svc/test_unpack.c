/* SPDX-License-Identifier: Apache-2.0 */
/* Opened releases as files: all or none, nothing overwritten, nothing outside of the folder. */
#include "svc_fixture.h"

#include "base/attr.h"

enum { FILE_LEN = 3 * FIX_CUT + 100 };

/* The domain and a bundle of three files. */
static int setup(void **state)
{
	struct fix *f = fix_new(20260103);
	struct hf_seal_result result;
	struct fix_seal s;

	fix_random_file(f, "a.bin", FILE_LEN);
	fix_random_file(f, "b.bin", 10);
	fix_random_file(f, "c.bin", FILE_LEN);
	fix_seal_init(&s, f, "three.hufu");
	fix_seal_add(&s, f, "a.bin");
	fix_seal_add(&s, f, "b.bin");
	fix_seal_add(&s, f, "c.bin");
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
	*state = f;
	return 0;
}

static void opens_into_a_folder_that_is_there(void **state)
{
	struct fix *f = *state;
	char dir[TEST_PATH_MAX];

	fix_path(dir, f->tmp, "there");
	assert_int_equal(mkdir(dir, 0700), 0);
	test_file_put(test_path(f->tmp, "there/mine"), "1", 1);
	assert_ok(fix_open(f, test_path(f->tmp, "three.hufu"), dir, NULL));
	assert_int_equal(test_dir_count(dir), 4);
	fix_assert_same(test_path(f->tmp, "a.bin"), test_path(f->tmp, "there/a.bin"));
	fix_assert_same(test_path(f->tmp, "b.bin"), test_path(f->tmp, "there/b.bin"));
	fix_assert_same(test_path(f->tmp, "c.bin"), test_path(f->tmp, "there/c.bin"));
	test_tmp_delete(dir);
}

static void never_overwrites_a_file(void **state)
{
	struct fix *f = *state;
	char dir[TEST_PATH_MAX];
	struct hf_errinfo ei = { .code = HF_OK };
	uint8_t *bytes;
	size_t len = 0;

	fix_path(dir, f->tmp, "mine");
	assert_int_equal(mkdir(dir, 0700), 0);
	test_file_put(test_path(dir, "c.bin"), "mine", 4);
	assert_err(fix_open(f, test_path(f->tmp, "three.hufu"), dir, &ei), HF_ERR_EXISTS);
	assert_non_null(strstr(ei.text, "mine/c.bin"));
	assert_int_equal(test_dir_count(dir), 1);
	bytes = fix_load(test_path(dir, "c.bin"), &len);
	assert_int_equal(len, 4);
	free(bytes);
	/* A link that leads nowhere is a file that is there, too. */
	assert_int_equal(unlink(test_path(dir, "c.bin")), 0);
	assert_int_equal(symlink("/nowhere/at/all", test_path(dir, "c.bin")), 0);
	assert_err(fix_open(f, test_path(f->tmp, "three.hufu"), dir, NULL), HF_ERR_EXISTS);
	assert_int_equal(test_dir_count(dir), 1);
	test_tmp_delete(dir);
}

/* The last file is altered: the first two had been opened by then. */
static void one_bad_file_takes_all_others_with_it(void **state)
{
	struct fix *f = *state;
	char dir[TEST_PATH_MAX];
	struct box_member *pack;
	struct box b;

	fix_path(dir, f->tmp, "bad");
	box_load(&b, f, test_path(f->tmp, "three.hufu"));
	pack = box_find(&b, HF_OBJECT_PACK);
	pack->bytes[pack->len - 1] ^= 1;
	box_save(&b, test_path(f->tmp, "bad.hufu"));
	box_free(&b);
	fix_assert_refused(f, test_path(f->tmp, "bad.hufu"), HF_ERR_AUTH);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_err(fix_open(f, test_path(f->tmp, "bad.hufu"), dir, NULL), HF_ERR_AUTH);
	assert_int_equal(test_dir_count(dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* The same three files under other names, in ascending order. */
static void rename_files(struct hf_manifest *m, void *ctx)
{
	const char *const *names = ctx;
	static struct hf_buf list;
	struct hf_bytes rest = m->body.files;
	struct hf_pkg_file f;

	hf_buf_clear(&list);
	hf_buf_init(&list, &test_mem, 1 << 20);
	for (size_t i = 0; hf_pkg_file_take(&f, &rest) == HF_OK; i++) {
		(void)snprintf(f.path, sizeof(f.path), "%s", names[i]);
		assert_ok(hf_pkg_file_put(&list, &f));
	}
	m->body.files = (struct hf_bytes){ list.p, list.len };
}

static void files_in_folders_get_their_folders(void **state)
{
	static const char *const names[] = { "a", "d/e/f.bin", "d/g" };
	struct fix *f = *state;
	char dir[TEST_PATH_MAX];
	const void *ctx = names;
	struct box b;

	fix_path(dir, f->tmp, "tree");
	box_load(&b, f, test_path(f->tmp, "three.hufu"));
	fix_reissue(f, &b, 1, rename_files, (void *)(uintptr_t)ctx);
	box_save(&b, test_path(f->tmp, "tree.hufu"));
	box_free(&b);
	assert_ok(fix_open(f, test_path(f->tmp, "tree.hufu"), dir, NULL));
	fix_assert_same(test_path(f->tmp, "a.bin"), test_path(dir, "a"));
	fix_assert_same(test_path(f->tmp, "b.bin"), test_path(dir, "d/e/f.bin"));
	fix_assert_same(test_path(f->tmp, "c.bin"), test_path(dir, "d/g"));
	assert_int_equal(test_dir_count(dir), 2);
	test_tmp_delete(dir);
}

/* "a" and "a/b" cannot both be: what has got its name loses it again. */
static void names_that_exclude_each_other_leave_nothing(void **state)
{
	static const char *const names[] = { "a", "a/b", "c" };
	struct fix *f = *state;
	const void *ctx = names;
	struct box b;
	struct hf_errinfo ei = { .code = HF_OK };
	char dir[TEST_PATH_MAX];

	fix_path(dir, f->tmp, "clash");
	box_load(&b, f, test_path(f->tmp, "three.hufu"));
	fix_reissue(f, &b, 1, rename_files, (void *)(uintptr_t)ctx);
	box_save(&b, test_path(f->tmp, "clash.hufu"));
	box_free(&b);
	assert_int_not_equal(fix_open(f, test_path(f->tmp, "clash.hufu"), dir, &ei), HF_OK);
	assert_int_not_equal(ei.code, HF_OK);
	assert_false(fix_exists(dir));
}

/* Folders that were made go again, those that were there stay; a link is no folder. */
static void what_cannot_be_placed_leaves_no_folder(void **state)
{
	static const char *const names[] = { "d/e/f", "mine/new/g", "z/h" };
	struct fix *f = *state;
	const void *ctx = names;
	struct hf_errinfo ei = { .code = HF_OK };
	struct box b;
	char dir[TEST_PATH_MAX];

	fix_path(dir, f->tmp, "folders");
	box_load(&b, f, test_path(f->tmp, "three.hufu"));
	fix_reissue(f, &b, 1, rename_files, (void *)(uintptr_t)ctx);
	box_save(&b, test_path(f->tmp, "folders.hufu"));
	box_free(&b);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkdir(test_path(dir, "mine"), 0700), 0);
	assert_int_equal(mkdir(test_path(f->tmp, "elsewhere"), 0700), 0);
	assert_int_equal(symlink("../elsewhere", test_path(dir, "z")), 0);
	assert_err(fix_open(f, test_path(f->tmp, "folders.hufu"), dir, &ei), HF_ERR_EXISTS);
	assert_non_null(strstr(ei.text, "/z: "));
	assert_int_equal(test_dir_count(dir), 2);
	assert_int_equal(test_dir_count(test_path(dir, "mine")), 0);
	assert_int_equal(test_dir_count(test_path(f->tmp, "elsewhere")), 0);
	assert_int_equal(unlink(test_path(dir, "z")), 0);
	assert_ok(fix_open(f, test_path(f->tmp, "folders.hufu"), dir, NULL));
	fix_assert_same(test_path(f->tmp, "c.bin"), test_path(dir, "z/h"));
	test_tmp_delete(dir);
}

static void zeros_take_no_space(void **state)
{
	enum { LEN = 8 << 20 };
	struct fix *f = *state;
	struct hf_seal_result result;
	struct fix_seal s;
	struct stat st;
	char dir[TEST_PATH_MAX];
	uint8_t *bytes = calloc(1, LEN);

	fix_path(dir, f->tmp, "sparse");
	assert_non_null(bytes);
	bytes[0] = 1;
	bytes[LEN / 2 + 5] = 2;
	bytes[LEN - 1] = 3;
	test_file_put(test_path(f->tmp, "sparse.bin"), bytes, LEN);
	fix_seal_init(&s, f, "sparse.hufu");
	fix_seal_add(&s, f, "sparse.bin");
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
	assert_ok(fix_open(f, s.out, dir, NULL));
	fix_assert_same(s.file[0], test_path(dir, "sparse.bin"));
	assert_int_equal(stat(test_path(dir, "sparse.bin"), &st), 0);
	assert_true(st.st_blocks * 512 < 1 << 20);
	test_tmp_delete(dir);
	free(bytes);
}

/* In a child: opens to a folder where that cannot end well. */
static int open_there(struct fix *f)
{
	struct hf_errinfo ei = { .code = HF_OK };
	hf_err e =
		fix_open(f, test_path(f->tmp, "three.hufu"), test_path(f->tmp, "disk/opened"), &ei);

	if (test_dir_count(test_path(f->tmp, "disk")) != 0)
		return 1;
	if (ei.code != e || strstr(ei.text, "disk/opened") == NULL)
		return 2;
	return e == HF_ERR_FULL ? 10 : e == HF_ERR_PERMISSION ? 11 : 3;
}

static int on_a_full_disk(void *ctx)
{
	struct fix *f = ctx;

	return test_small_disk(test_path(f->tmp, "disk"), 300) ? open_there(f) : 77;
}

static void a_full_disk_leaves_nothing(void **state)
{
	struct fix *f = *state;
	int code;

	assert_int_equal(mkdir(test_path(f->tmp, "disk"), 0755), 0);
	code = test_child(on_a_full_disk, f);
	assert_int_equal(rmdir(test_path(f->tmp, "disk")), 0);
	if (code == 77)
		skip();
	assert_int_equal(code, 10);
}

/* The hub's keys must be readable for the child: it makes its own domain. */
static int without_permission(void *ctx)
{
	struct fix *f = ctx;

	if (!test_drop_root())
		return 77;
	fix_make(f);
	fix_seal_random(f, "three.bin", FILE_LEN, "three.hufu");
	return open_there(f);
}

static void a_folder_without_write_permission_is_named(void **state)
{
	struct fix f;
	int code;

	(void)state;
	fix_begin(&f, 4);
	assert_int_equal(mkdir(test_path(f.tmp, "disk"), 0555), 0);
	assert_int_equal(chmod(f.tmp, 0777), 0);
	code = test_child(without_permission, &f);
	test_tmp_delete(f.tmp);
	if (code == 77)
		skip();
	assert_int_equal(code, 11);
}

static void each_failed_allocation_leaves_nothing(void **state)
{
	struct fix *f = *state;
	char dir[TEST_PATH_MAX];
	struct hf_bundle_file b;
	struct hf_objects objects;
	struct hf_release r;
	struct hf_party hub;
	struct hf_grant_context context;
	struct hf_deposit_keys keys;
	struct hf_index_keys index;
	struct hf_pkg_scope scope;
	struct box box;
	unsigned n = 0;
	hf_err e;

	fix_path(dir, f->tmp, "memory");
	box_load(&box, f, test_path(f->tmp, "three.hufu"));
	fix_deposit_keys(f, &box, &context, &keys);
	box_free(&box);
	assert_ok(hf_party_open(&hub, &f->env, f->hub, NULL));
	assert_ok(hf_bundle_file_open(&b, &f->env, test_path(f->tmp, "three.hufu"), NULL));
	objects = hf_bundle_file_objects(&b);
	assert_ok(hf_release_load(&r, &f->env, &objects, NULL, &hub.root, NULL));
	hf_manifest_scope(&scope, &r.manifest);
	assert_ok(hf_index_keys_open(&index, &r.manifest.body, keys.cek, &scope));
	do {
		test_mem_fail_at(++n);
		e = hf_unpack(&f->env, &r, &index, dir, NULL, NULL);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
	} while (n < 100 && !fix_exists(dir));
	assert_int_equal(e, HF_OK);
	assert_true(n > 3);
	test_tmp_delete(dir);
	hf_deposit_keys_clear(&keys);
	hf_release_clear(&r);
	hf_bundle_file_close(&b);
	hf_party_clear(&hub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_into_a_folder_that_is_there),
		cmocka_unit_test(never_overwrites_a_file),
		cmocka_unit_test(one_bad_file_takes_all_others_with_it),
		cmocka_unit_test(files_in_folders_get_their_folders),
		cmocka_unit_test(names_that_exclude_each_other_leave_nothing),
		cmocka_unit_test(what_cannot_be_placed_leaves_no_folder),
		cmocka_unit_test(zeros_take_no_space),
		cmocka_unit_test(a_full_disk_leaves_nothing),
		cmocka_unit_test(a_folder_without_write_permission_is_named),
		cmocka_unit_test(each_failed_allocation_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, fix_group_teardown);
}
