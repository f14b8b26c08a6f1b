/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles as files: only objects get in, nothing is ever endless, nothing half-written stays. */
#include "svc_fixture.h"

#include "base/attr.h"

/* A folder, an environment, no domain. */
static int setup(void **state)
{
	struct fix *f = malloc(sizeof(*f));

	assert_non_null(f);
	fix_begin(f, 5);
	*state = f;
	return 0;
}

/* Two objects of made-up content and a pack, as a box. */
static void make_box(struct box *b)
{
	static const uint8_t table[700] = "a table";
	static const uint8_t root[1] = "r";
	static const uint8_t pack[HF_TAR_BLOCK_LEN] = "a pack";
	uint8_t name[HF_SM3_LEN];

	b->n = 0;
	hf_object_name(name, table, sizeof(table));
	(void)box_add(b, HF_OBJECT_TABLE, name, table, sizeof(table));
	hf_object_name(name, root, sizeof(root));
	(void)box_add(b, HF_OBJECT_ROOT, name, root, sizeof(root));
	memset(name, 0x99, sizeof(name));
	(void)box_add(b, HF_OBJECT_PACK, name, pack, sizeof(pack));
}

static hf_err try_open(struct fix *f, const char *path, struct hf_errinfo *ei)
{
	struct hf_bundle_file b;
	hf_err e = hf_bundle_file_open(&b, &f->env, path, ei);

	if (e == HF_OK)
		hf_bundle_file_close(&b);
	else
		assert_int_equal(b.fd, -1);
	return e;
}

static void gives_every_object_that_is_in_it(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "good.hufu");
	struct hf_bundle_file file;
	struct hf_objects o;
	uint8_t out[1024];
	struct box b;

	make_box(&b);
	box_save(&b, path);
	assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
	assert_int_equal(file.n_members, 3);
	o = hf_bundle_file_objects(&file);
	for (size_t i = 0; i < b.n; i++) {
		const struct box_member *m = &b.m[i];
		size_t len = sizeof(out);

		if (m->kind == HF_OBJECT_PACK) {
			assert_ok(o.read_at(o.ctx, m->name, out, 100, 3, NULL));
			assert_memory_equal(out, m->bytes + 3, 100);
			continue;
		}
		assert_ok(o.load(o.ctx, m->kind, m->name, out, &len, NULL));
		assert_int_equal(len, m->len);
		assert_memory_equal(out, m->bytes, len);
	}
	assert_ok(hf_objects_check(&o, &test_mem, NULL));
	hf_bundle_file_close(&file);
	box_free(&b);
}

static void reads_nothing_outside_of_an_object(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "bounds.hufu");
	struct hf_bundle_file file;
	struct hf_objects o;
	uint8_t out[1024];
	struct box_member *pack;
	struct box_member *table;
	struct box b;
	size_t len = 699;

	make_box(&b);
	box_save(&b, path);
	pack = box_find(&b, HF_OBJECT_PACK);
	table = box_find(&b, HF_OBJECT_TABLE);
	assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
	o = hf_bundle_file_objects(&file);
	assert_ok(o.read_at(o.ctx, pack->name, out, pack->len, 0, NULL));
	assert_err(o.read_at(o.ctx, pack->name, out, pack->len, 1, NULL), HF_ERR_TRUNCATED);
	assert_err(o.read_at(o.ctx, pack->name, out, 1, pack->len, NULL), HF_ERR_TRUNCATED);
	assert_err(o.read_at(o.ctx, pack->name, out, 1, UINT64_MAX, NULL), HF_ERR_TRUNCATED);
	assert_err(o.read_at(o.ctx, table->name, out, 1, 0, NULL), HF_ERR_NOT_FOUND);
	assert_err(o.load(o.ctx, HF_OBJECT_TABLE, table->name, out, &len, NULL), HF_ERR_LIMIT);
	len = sizeof(out);
	assert_err(o.load(o.ctx, HF_OBJECT_INDEX, table->name, out, &len, NULL), HF_ERR_NOT_FOUND);
	hf_bundle_file_close(&file);
	box_free(&b);
}

static void an_object_that_is_not_what_its_name_says_is_found(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "names.hufu");
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_bundle_file file;
	struct hf_objects o;
	struct box b;

	make_box(&b);
	box_find(&b, HF_OBJECT_ROOT)->bytes[0] ^= 1;
	box_save(&b, path);
	assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
	o = hf_bundle_file_objects(&file);
	assert_err(hf_objects_check(&o, &test_mem, &ei), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, "root"));
	hf_bundle_file_close(&file);
	box_free(&b);
}

static void the_same_object_twice_is_refused(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "twice.hufu");
	struct box_member *m;
	struct box b;

	make_box(&b);
	m = box_find(&b, HF_OBJECT_TABLE);
	(void)box_add(&b, m->kind, m->name, m->bytes, m->len);
	box_save(&b, path);
	assert_err(try_open(f, path, NULL), HF_ERR_FORMAT);
	box_free(&b);
}

static void what_is_no_bundle_is_named_and_refused(void **state)
{
	static const uint8_t noise[2048] = "not a tar";
	static const uint8_t zero[4096] = { 0 };
	struct fix *f = *state;
	struct hf_errinfo ei = { .code = HF_OK };
	const char *path = test_path(f->tmp, "none.hufu");

	test_file_put(path, noise, sizeof(noise));
	assert_err(try_open(f, path, &ei), HF_ERR_FORMAT);
	assert_non_null(strstr(ei.text, "none.hufu"));
	assert_non_null(strstr(ei.text, "not a whole bundle"));
	test_file_put(path, zero, sizeof(zero));
	assert_err(try_open(f, path, NULL), HF_ERR_FORMAT);
	test_file_put(path, zero, 0);
	assert_err(try_open(f, path, NULL), HF_ERR_TRUNCATED);
	assert_err(try_open(f, f->tmp, NULL), HF_ERR_ARG);
	assert_err(try_open(f, test_path(f->tmp, "absent"), NULL), HF_ERR_NOT_FOUND);
}

/* The bytes of a good bundle, which is also at path; free() them. */
static uint8_t *bundle_bytes(const char *path, size_t *len)
{
	struct box b;

	make_box(&b);
	box_save(&b, path);
	box_free(&b);
	return fix_load(path, len);
}

/* The header of the first member, which can be given another name, type or size. */
static void patch_header(uint8_t *block, size_t at, const char *text, size_t len)
{
	unsigned sum = 0;

	memcpy(block + at, text, len);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < HF_TAR_BLOCK_LEN; i++)
		sum += block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", sum);
	block[155] = ' ';
}

static void assert_patched_is_refused(
	struct fix *f, size_t at, const char *text, size_t text_len, hf_err expected)
{
	const char *path = test_path(f->tmp, "patched.hufu");
	uint8_t *all;
	size_t len = 0;

	all = bundle_bytes(path, &len);
	patch_header(all + HF_BUNDLE_START_LEN, at, text, text_len);
	test_file_put(path, all, len);
	assert_err(try_open(f, path, NULL), expected);
	free(all);
}

static void nothing_but_objects_gets_in(void **state)
{
	struct fix *f = *state;

	assert_patched_is_refused(f, 0, "../etc/passwd\0", 14, HF_ERR_FORMAT);
	assert_patched_is_refused(f, 0, "/etc/passwd\0", 12, HF_ERR_FORMAT);
	assert_patched_is_refused(f, 0, "Table", 5, HF_ERR_FORMAT);
	assert_patched_is_refused(f, 6, "A", 1, HF_ERR_FORMAT);
	assert_patched_is_refused(f, 156, "1", 1, HF_ERR_FORMAT);     /* hard link */
	assert_patched_is_refused(f, 156, "2", 1, HF_ERR_FORMAT);     /* symbolic link */
	assert_patched_is_refused(f, 156, "5", 1, HF_ERR_FORMAT);     /* folder */
	assert_patched_is_refused(f, 156, "g", 1, HF_ERR_FORMAT);     /* global pax header */
	assert_patched_is_refused(f, 345, "../..", 5, HF_ERR_FORMAT); /* before the name, for tar */
}

/* The first member is shorter than its block. */
static void what_fills_blocks_is_zeros(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "filled.hufu");
	size_t at = HF_TAR_BLOCK_LEN + strlen(HF_BUNDLE_TEXT);
	uint8_t *all;
	size_t len = 0;

	all = bundle_bytes(path, &len);
	for (; at < HF_BUNDLE_START_LEN; at += 97) {
		all[at] = 1;
		test_file_put(path, all, len);
		assert_err(try_open(f, path, NULL), HF_ERR_FORMAT);
		all[at] = 0;
	}
	free(all);
}

static void endless_objects_are_refused_before_they_are_read(void **state)
{
	struct fix *f = *state;

	assert_patched_is_refused(f, 124, "77777777777", 11, HF_ERR_LIMIT); /* 8 GiB of table */
	assert_patched_is_refused(f, 124, "00000400001", 11, HF_ERR_LIMIT); /* 128 KiB and one */
	assert_patched_is_refused(f, 124, "00000400000", 11, HF_ERR_TRUNCATED);
	assert_patched_is_refused(f, 124, "9", 1, HF_ERR_FORMAT);
	assert_patched_is_refused(f, 124, "\x80\0\0\0\0\0\0\0\0\0\0\1", 12, HF_ERR_FORMAT);
}

/* A member of 2^63 bytes and more by a pax header. */
static void endless_objects_by_a_pax_header_are_refused_too(void **state)
{
	static const char *const sizes[] = { "9223372036854775807", "18446744073709551615",
		"18446744073709551616", "99999999999999999999999" };
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "pax.hufu");

	for (size_t i = 0; i < HF_COUNT(sizes); i++) {
		uint8_t all[HF_BUNDLE_START_LEN + HF_BUNDLE_HEAD_MAX];
		uint8_t name[HF_SM3_LEN] = { 1 };
		uint8_t *pax = all + HF_BUNDLE_START_LEN;
		char size[16];
		int n;

		hf_bundle_start_emit(all);
		assert_int_equal(hf_bundle_head_emit(pax, HF_OBJECT_PACK, name, UINT64_C(1) << 40),
			HF_BUNDLE_HEAD_MAX);
		memset(pax + HF_TAR_BLOCK_LEN, 0, HF_TAR_BLOCK_LEN);
		n = (int)strlen(sizes[i]) + 9;
		assert_int_equal(
			snprintf((char *)pax + HF_TAR_BLOCK_LEN, 64, "%d size=%s\n", n, sizes[i]),
			n);
		(void)snprintf(size, sizeof(size), "%011o", (unsigned)n);
		patch_header(pax, 124, size, 11);
		test_file_put(path, all, sizeof(all));
		assert_err(try_open(f, path, NULL), HF_ERR_LIMIT);
	}
}

static void cut_at_any_byte_it_is_no_bundle(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "cut.hufu");
	uint8_t *all;
	size_t len = 0;

	all = bundle_bytes(path, &len);
	for (size_t at = 0; at < len; at += at % 512 < 2 || at % 512 > 509 ? 1 : 169) {
		test_file_put(path, all, at);
		assert_err(try_open(f, path, NULL), HF_ERR_TRUNCATED);
	}
	free(all);
}

static void nothing_may_stand_behind_the_end(void **state)
{
	static const size_t more[] = { 1, 511, 512, 9728 };
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "longer.hufu");
	uint8_t *all;
	size_t len = 0;

	all = bundle_bytes(path, &len);
	for (size_t i = 0; i < 2 * HF_COUNT(more); i++) {
		size_t longer = len + more[i / 2];
		uint8_t *bytes = calloc(1, longer);

		assert_non_null(bytes);
		memcpy(bytes, all, len);
		bytes[longer - 1] = (uint8_t)(i % 2); /* zeros, too */
		test_file_put(path, bytes, longer);
		assert_err(try_open(f, path, NULL), HF_ERR_FORMAT);
		free(bytes);
	}
	free(all);
}

static void a_header_with_any_altered_byte_is_refused(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "header.hufu");
	uint8_t *all;
	size_t len = 0;

	all = bundle_bytes(path, &len);
	for (size_t at = 0; at < HF_TAR_BLOCK_LEN; at++) {
		all[HF_BUNDLE_START_LEN + at] ^= 0x08;
		test_file_put(path, all, len);
		assert_err(try_open(f, path, NULL), HF_ERR_FORMAT);
		all[HF_BUNDLE_START_LEN + at] ^= 0x08;
	}
	free(all);
}

/* Writes one pack of len bytes and a table; gives what the step said that failed. */
static hf_err write_out(struct fix *f, const char *path, size_t len, struct hf_errinfo *ei)
{
	static const uint8_t bytes[4096] = { 7 };
	struct hf_bundle_out out;
	struct hf_pkg_sink sink = hf_bundle_out_sink(&out);
	uint8_t id[HF_SM3_LEN] = { 9 };
	hf_err e = hf_bundle_out_begin(&out, &f->env, path, ei);

	for (size_t at = 0; e == HF_OK && at < len; at += sizeof(bytes))
		e = sink.pack_data(sink.ctx, bytes, sizeof(bytes));
	if (e == HF_OK)
		e = sink.pack_done(sink.ctx, id, (uint32_t)len);
	if (e == HF_OK)
		e = hf_bundle_out_put(&out, HF_OBJECT_TABLE, (struct hf_bytes){ bytes, 100 });
	if (e == HF_OK)
		e = hf_bundle_out_finish(&out);
	hf_bundle_out_clear(&out);
	return e;
}

static void what_is_written_can_be_read_again(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "written.hufu");
	uint8_t id[HF_SM3_LEN] = { 9 };
	uint8_t out[10];
	struct hf_bundle_file file;
	struct hf_objects o;

	assert_ok(write_out(f, path, 64 << 10, NULL));
	assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
	assert_int_equal(file.n_members, 2);
	o = hf_bundle_file_objects(&file);
	assert_ok(o.read_at(o.ctx, id, out, sizeof(out), 4096 - 1, NULL));
	assert_int_equal(out[1], 7);
	assert_ok(hf_objects_check(&o, &test_mem, NULL));
	hf_bundle_file_close(&file);
	assert_err(write_out(f, path, 4096, NULL), HF_ERR_EXISTS);
	assert_int_equal(unlink(path), 0);
}

static void equal_packs_are_written_once(void **state)
{
	static const uint8_t bytes[4096] = { 7 };
	static const uint8_t order[] = { 1, 2, 1, 1, 3, 2 };
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "equal.hufu");
	struct hf_bundle_file file;
	struct hf_bundle_out out;
	struct hf_pkg_sink sink = hf_bundle_out_sink(&out);
	uint8_t id[HF_SM3_LEN] = { 0 };

	assert_ok(hf_bundle_out_begin(&out, &f->env, path, NULL));
	for (size_t i = 0; i < HF_COUNT(order); i++) {
		id[0] = order[i];
		for (uint8_t n = 0; n < order[i]; n++)
			assert_ok(sink.pack_data(sink.ctx, bytes, sizeof(bytes)));
		assert_ok(sink.pack_done(sink.ctx, id, (uint32_t)order[i] * sizeof(bytes)));
	}
	assert_ok(hf_bundle_out_finish(&out));
	hf_bundle_out_clear(&out);
	assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
	assert_int_equal(file.n_members, 3);
	/* Nothing is left behind the end. */
	assert_int_equal(file.len,
		HF_BUNDLE_START_LEN + 3 * HF_TAR_BLOCK_LEN + 6 * sizeof(bytes) + HF_BUNDLE_END_LEN);
	hf_bundle_file_close(&file);
	assert_int_equal(unlink(path), 0);
}

static void what_is_not_finished_disappears(void **state)
{
	struct fix *f = *state;
	const char *path = test_path(f->tmp, "unfinished.hufu");
	size_t before = test_dir_count(f->tmp);
	struct hf_bundle_out out = HF_BUNDLE_OUT_EMPTY;

	hf_bundle_out_clear(&out);
	assert_ok(hf_bundle_out_begin(&out, &f->env, path, NULL));
	assert_int_equal(test_dir_count(f->tmp), before + 1);
	assert_false(fix_exists(path));
	hf_bundle_out_clear(&out);
	assert_int_equal(test_dir_count(f->tmp), before);
}

/* In a child; what happens on a disk of so few KiB. */
static int write_there(struct fix *f)
{
	struct hf_errinfo ei = { .code = HF_OK };
	hf_err e = write_out(f, test_path(f->tmp, "disk/x.hufu"), 1 << 20, &ei);

	if (test_dir_count(test_path(f->tmp, "disk")) != 0 || ei.code != e)
		return 1;
	return e == HF_ERR_FULL ? 10 : e == HF_ERR_PERMISSION ? 11 : 3;
}

static int on_a_full_disk(void *ctx)
{
	struct fix *f = ctx;

	return test_small_disk(test_path(f->tmp, "disk"), 256) ? write_there(f) : 77;
}

static int without_permission(void *ctx)
{
	return test_drop_root() ? write_there(ctx) : 77;
}

static int at_the_file_limit(void *ctx)
{
	test_limit_files(100 << 10);
	return write_there(ctx);
}

static void a_full_disk_leaves_nothing(void **state)
{
	struct fix *f = *state;
	const char *disk = test_path(f->tmp, "disk");
	int full;
	int limited;
	int denied;

	assert_int_equal(mkdir(disk, 0755), 0);
	assert_int_equal(chmod(f->tmp, 0755), 0);
	limited = test_child(at_the_file_limit, f);
	full = test_child(on_a_full_disk, f);
	assert_int_equal(chmod(disk, 0555), 0);
	denied = test_child(without_permission, f);
	assert_int_equal(rmdir(disk), 0);
	assert_int_equal(limited, 10);
	assert_true(full == 10 || full == 77);
	assert_true(denied == 11 || denied == 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_every_object_that_is_in_it),
		cmocka_unit_test(reads_nothing_outside_of_an_object),
		cmocka_unit_test(an_object_that_is_not_what_its_name_says_is_found),
		cmocka_unit_test(the_same_object_twice_is_refused),
		cmocka_unit_test(what_is_no_bundle_is_named_and_refused),
		cmocka_unit_test(nothing_but_objects_gets_in),
		cmocka_unit_test(what_fills_blocks_is_zeros),
		cmocka_unit_test(endless_objects_are_refused_before_they_are_read),
		cmocka_unit_test(endless_objects_by_a_pax_header_are_refused_too),
		cmocka_unit_test(cut_at_any_byte_it_is_no_bundle),
		cmocka_unit_test(nothing_may_stand_behind_the_end),
		cmocka_unit_test(a_header_with_any_altered_byte_is_refused),
		cmocka_unit_test(what_is_written_can_be_read_again),
		cmocka_unit_test(equal_packs_are_written_once),
		cmocka_unit_test(what_is_not_finished_disappears),
		cmocka_unit_test(a_full_disk_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, fix_group_teardown);
}
