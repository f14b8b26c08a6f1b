/* SPDX-License-Identifier: Apache-2.0 */
/* uses: sqlite3 */
/* Rows go in and come out; numbers that only rise do; a crash leaves what was promised. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash.h"
#include "store/meta.h"
#include "tmp.h"

static char dir[TEST_PATH_MAX];
static struct hf_meta *meta;

static int make(void **state)
{
	(void)state;
	test_tmp_make(dir);
	return hf_meta_new(&meta, &test_mem, test_path(dir, "db"), NULL) == HF_OK ? 0 : -1;
}

static int delete (void **state)
{
	(void)state;
	hf_meta_free(meta);
	meta = NULL;
	test_tmp_delete(dir);
	return 0;
}

static void sql(const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(test_path(dir, "db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_file_that_is_none_or_newer_is_refused(void **state)
{
	struct hf_errinfo ei = { 0 };
	struct hf_meta *m = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(stat(test_path(dir, "db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	sql("PRAGMA user_version = 2");
	assert_err(hf_meta_new(&m, &test_mem, test_path(dir, "db"), &ei), HF_ERR_UNSUPPORTED);
	assert_non_null(strstr(ei.text, "version 2"));
	test_file_put(
		test_path(dir, "text"), "this is no database, whatever its name says, no", 48);
	assert_err(hf_meta_new(&m, &test_mem, test_path(dir, "text"), NULL), HF_ERR_FORMAT);
	assert_int_equal(symlink("db", test_path(dir, "link")), 0);
	assert_true(hf_meta_new(&m, &test_mem, test_path(dir, "link"), NULL) != HF_OK);
	memset(&ei, 0, sizeof(ei));
	assert_err(hf_meta_new(&m, &test_mem, test_path(dir, "text/db"), &ei), HF_ERR_NOT_FOUND);
	assert_non_null(strstr(ei.text, "text/db"));
	test_mem_fail_at(1);
	assert_err(hf_meta_new(&m, &test_mem, test_path(dir, "db2"), NULL), HF_ERR_NO_MEMORY);
	test_mem_fail_at(0);
	assert_null(m);
}

static void opening_again_keeps_everything(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_ok(hf_meta_counter_raise(meta, "n", 7, NULL));
	hf_meta_free(meta);
	assert_ok(hf_meta_new(&meta, &test_mem, test_path(dir, "db"), NULL));
	assert_ok(hf_meta_counter_get(meta, &v, "n", NULL));
	assert_int_equal(v, 7);
}

struct seen {
	size_t n;
	char text[400];
	hf_err answer;
};

static hf_err see_object(void *ctx, const struct hf_meta_object *row)
{
	struct seen *s = ctx;

	s->n++;
	(void)snprintf(s->text + strlen(s->text), 40, "%s/%s %u;", row->kind, row->id,
		(unsigned)row->size);
	return s->answer;
}

static void objects_come_oldest_first_and_bounded(void **state)
{
	struct hf_meta_object rows[] = { { "pack", "b", 2, 20 }, { "pack", "a", 1, 30 },
		{ "table", "a", 3, 10 }, { "pack", "c", 4, 10 } };
	struct hf_meta_object again = { "pack", "b", 99, 1 };
	struct hf_meta_object odd = { "x'; DROP TABLE objects; --", "\"", 5, 1 };
	struct seen s = { 0 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		assert_ok(hf_meta_object_put(meta, &rows[i], NULL));
	assert_ok(hf_meta_object_put(meta, &again, NULL));
	assert_ok(hf_meta_object_list(meta, "pack", 10, see_object, &s, NULL));
	assert_string_equal(s.text, "pack/c 4;pack/b 2;pack/a 1;");
	s = (struct seen){ 0 };
	assert_ok(hf_meta_object_list(meta, "pack", 2, see_object, &s, NULL));
	assert_int_equal(s.n, 2);
	s = (struct seen){ .answer = HF_ERR_STATE };
	assert_err(hf_meta_object_list(meta, "pack", 9, see_object, &s, NULL), HF_ERR_STATE);
	assert_int_equal(s.n, 1);
	assert_ok(hf_meta_object_put(meta, &odd, NULL));
	s = (struct seen){ 0 };
	assert_ok(hf_meta_object_list(meta, odd.kind, 9, see_object, &s, NULL));
	assert_int_equal(s.n, 1);
	assert_ok(hf_meta_object_delete(meta, "pack", "c", NULL));
	assert_err(hf_meta_object_delete(meta, "pack", "c", NULL), HF_ERR_NOT_FOUND);
}

static void values_that_cannot_be_kept_are_refused(void **state)
{
	char name[HF_META_NAME_MAX + 2];
	struct hf_meta_object row = { "pack", "a", (uint64_t)INT64_MAX + 1, 1 };
	struct seen s = { 0 };
	uint64_t v = 42;

	(void)state;
	assert_err(hf_meta_object_put(meta, &row, NULL), HF_ERR_LIMIT);
	row.size = INT64_MAX;
	row.id = NULL;
	assert_err(hf_meta_object_put(meta, &row, NULL), HF_ERR_ARG);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	row.id = name;
	assert_err(hf_meta_object_put(meta, &row, NULL), HF_ERR_LIMIT);
	assert_ok(hf_meta_object_list(meta, "pack", 9, see_object, &s, NULL));
	assert_int_equal(s.n, 0);
	assert_ok(hf_meta_counter_raise(meta, "n", INT64_MAX, NULL));
	assert_err(hf_meta_counter_next(meta, &v, "n", NULL), HF_ERR_LIMIT);
	assert_int_equal(v, 42);
}

static hf_err see_release(void *ctx, const struct hf_meta_release *row)
{
	struct seen *s = ctx;

	(void)snprintf(s->text + strlen(s->text), 60, "%s:%u=%s,%u,%s;", row->lineage,
		(unsigned)row->release, row->manifest, (unsigned)row->floor, row->deposit);
	return HF_OK;
}

static void a_release_number_is_given_once(void **state)
{
	struct hf_meta_release r = { "cat", 1, "m1", 2, 10, 1, NULL };
	struct seen s = { 0 };

	(void)state;
	assert_ok(hf_meta_release_put(meta, &r, NULL));
	r.manifest = "other";
	assert_err(hf_meta_release_put(meta, &r, NULL), HF_ERR_EXISTS);
	assert_ok(hf_meta_release_put(
		meta, &(struct hf_meta_release){ "cat", 2, "m2", 2, 9, 1, "d2" }, NULL));
	assert_ok(hf_meta_release_put(
		meta, &(struct hf_meta_release){ "ant", 5, "a5", 1, 9, 4, "" }, NULL));
	assert_ok(hf_meta_release_list(meta, "cat", 1, see_release, &s, NULL));
	assert_ok(hf_meta_release_list(meta, NULL, 9, see_release, &s, NULL));
	assert_string_equal(s.text, "cat:2=m2,1,d2;ant:5=a5,4,;cat:2=m2,1,d2;cat:1=m1,1,;");
}

static hf_err see_device(void *ctx, const struct hf_meta_device *row)
{
	struct seen *s = ctx;

	s->n++;
	(void)snprintf(s->text, sizeof(s->text), "%s %u %u %.*s %zu", row->id, (unsigned)row->level,
		(unsigned)row->state, (int)row->sign_cert.len, (const char *)row->sign_cert.p,
		row->enc_cert.len);
	return HF_OK;
}

static void devices_are_replaced_and_change_state(void **state)
{
	struct hf_meta_device d = { "d1", 2, 1, 100, hf_bytes_str("cert"), { NULL, 0 } };
	struct seen s = { 0 };

	(void)state;
	assert_err(hf_meta_device_get(meta, "d1", see_device, &s, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_meta_device_state(meta, "d1", 3, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_meta_device_put(meta, &d, NULL));
	assert_ok(hf_meta_device_state(meta, "d1", 3, NULL));
	assert_ok(hf_meta_device_get(meta, "d1", see_device, &s, NULL));
	assert_string_equal(s.text, "d1 2 3 cert 0");
	d.id = "d2";
	assert_ok(hf_meta_device_put(meta, &d, NULL));
	s.n = 0;
	assert_ok(hf_meta_device_list(meta, 9, see_device, &s, NULL));
	assert_int_equal(s.n, 2);
}

static void a_token_belongs_to_the_first_key(void **state)
{
	struct hf_bytes a = hf_bytes_str("key a");
	struct hf_bytes b = hf_bytes_str("key b");

	(void)state;
	assert_err(hf_meta_token_use(meta, "t", a, 50, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_meta_token_put(meta, "t", 100, 1, NULL));
	assert_err(hf_meta_token_put(meta, "t", 100, 1, NULL), HF_ERR_EXISTS);
	assert_err(hf_meta_token_use(meta, "t", (struct hf_bytes){ 0 }, 50, NULL), HF_ERR_ARG);
	assert_err(hf_meta_token_use(meta, "t", a, 101, NULL), HF_ERR_EXPIRED);
	assert_ok(hf_meta_token_use(meta, "t", a, 100, NULL));
	assert_ok(hf_meta_token_use(meta, "t", a, 50, NULL));
	assert_err(hf_meta_token_use(meta, "t", b, 50, NULL), HF_ERR_DENIED);
	assert_ok(hf_meta_token_put(meta, "spent", 100, 0, NULL));
	assert_err(hf_meta_token_use(meta, "spent", a, 50, NULL), HF_ERR_DENIED);
	assert_ok(hf_meta_begin(meta, NULL)); /* a refusal left no transaction open */
	hf_meta_rollback(meta);
}

static hf_err see_signed(void *ctx, const struct hf_meta_signed *row)
{
	struct seen *s = ctx;

	(void)snprintf(s->text + strlen(s->text), 40, "%s %u %.*s;", row->id, (unsigned)row->time_s,
		(int)row->der.len, (const char *)row->der.p);
	return HF_OK;
}

static void grants_and_receipts_are_found_by_device(void **state)
{
	struct hf_meta_signed g = { "g1", "d", "m", 100, hf_bytes_str("one") };
	struct seen s = { 0 };

	(void)state;
	assert_err(hf_meta_grant_get(meta, "d", "m", see_signed, &s, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_meta_grant_put(meta, &g, NULL));
	assert_err(hf_meta_grant_put(meta, &g, NULL), HF_ERR_EXISTS);
	g = (struct hf_meta_signed){ "g2", "d", "m", 90, hf_bytes_str("two") };
	assert_ok(hf_meta_grant_put(meta, &g, NULL));
	assert_ok(hf_meta_grant_get(meta, "d", "m", see_signed, &s, NULL));
	assert_string_equal(s.text, "g1 100 one;");
	assert_err(hf_meta_grant_get(meta, "x", "m", see_signed, &s, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_meta_receipt_put(meta, &g, NULL));
	g.id = "r2";
	g.time_s = 95;
	assert_ok(hf_meta_receipt_put(meta, &g, NULL));
	s = (struct seen){ 0 };
	assert_ok(hf_meta_receipt_list(meta, "d", 9, see_signed, &s, NULL));
	assert_string_equal(s.text, "r2 95 two;g2 90 two;");
}

static hf_err see_serial(void *ctx, const struct hf_meta_serial *row)
{
	*(uint64_t *)ctx = row->serial;
	return HF_OK;
}

typedef hf_err put_fn(struct hf_meta *, const struct hf_meta_serial *, struct hf_errinfo *);
typedef hf_err get_fn(
	struct hf_meta *, const char *, hf_meta_serial_fn *, void *, struct hf_errinfo *);

static void serials_never_go_back(void **state)
{
	put_fn *const put[] = { hf_meta_channel_put, hf_meta_inventory_put };
	get_fn *const get[] = { hf_meta_channel_get, hf_meta_inventory_get };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hf_meta_serial c = { "main", 5, hf_bytes_str("five") };
		uint64_t serial = 0;

		assert_err(get[i](meta, "main", see_serial, &serial, NULL), HF_ERR_NOT_FOUND);
		assert_ok(put[i](meta, &c, NULL));
		assert_ok(put[i](meta, &c, NULL)); /* the very same again */
		c.der = hf_bytes_str("FIVE");
		assert_err(put[i](meta, &c, NULL), HF_ERR_ROLLBACK);
		c.serial = 4;
		assert_err(put[i](meta, &c, NULL), HF_ERR_ROLLBACK);
		assert_ok(get[i](meta, "main", see_serial, &serial, NULL));
		assert_int_equal(serial, 5);
		c.serial = 6;
		assert_ok(put[i](meta, &c, NULL));
	}
}

static hf_err see_upload(void *ctx, const struct hf_meta_upload *row)
{
	struct seen *s = ctx;

	(void)snprintf(s->text + strlen(s->text), 40, "%s %u;", row->id, (unsigned)row->state);
	return HF_OK;
}

static void uploads_and_counters(void **state)
{
	struct hf_meta_upload up = { "u1", "d", 10, 1, 100 };
	struct seen s = { 0 };
	uint64_t v = 1;

	(void)state;
	assert_ok(hf_meta_upload_put(meta, &up, NULL));
	up.state = 2;
	assert_ok(hf_meta_upload_put(meta, &up, NULL));
	assert_ok(hf_meta_upload_list(meta, NULL, 9, see_upload, &s, NULL));
	assert_ok(hf_meta_upload_list(meta, "x", 9, see_upload, &s, NULL));
	assert_err(hf_meta_upload_get(meta, "u2", see_upload, &s, NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_meta_upload_get(meta, "u1", see_upload, &s, NULL));
	assert_string_equal(s.text, "u1 2;u1 2;");
	assert_ok(hf_meta_counter_get(meta, &v, "n", NULL));
	assert_int_equal(v, 0);
	assert_ok(hf_meta_counter_next(meta, &v, "n", NULL));
	assert_ok(hf_meta_counter_next(meta, &v, "n", NULL));
	assert_int_equal(v, 2);
	assert_err(hf_meta_counter_raise(meta, "n", 1, NULL), HF_ERR_ROLLBACK);
	assert_ok(hf_meta_counter_raise(meta, "n", 2, NULL));
}

static void a_transaction_is_all_or_nothing(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_err(hf_meta_commit(meta, NULL), HF_ERR_STATE);
	assert_ok(hf_meta_begin(meta, NULL));
	assert_err(hf_meta_begin(meta, NULL), HF_ERR_STATE);
	assert_ok(hf_meta_counter_raise(meta, "n", 9, NULL));
	hf_meta_rollback(meta);
	assert_ok(hf_meta_counter_get(meta, &v, "n", NULL));
	assert_int_equal(v, 0);
}

static int write_on_a_full_disk(void *ctx)
{
	static uint8_t big[300000];
	struct hf_meta_device d = { "d", 1, 1, 1, { big, sizeof(big) }, { NULL, 0 } };
	uint64_t v = 0;

	(void)ctx;
	/* A connection of its own: one must not be carried across fork. */
	if (!test_small_disk(dir, 400))
		return 77;
	if (hf_meta_new(&meta, &test_mem, test_path(dir, "db"), NULL) != HF_OK)
		return 1;
	if (hf_meta_device_put(meta, &d, NULL) != HF_ERR_FULL)
		return 2;
	if (hf_meta_counter_next(meta, &v, "n", NULL) != HF_OK)
		return 3;
	return v == 1 ? 0 : 4;
}

static void a_full_disk_is_told_and_the_rest_goes_on(void **state)
{
	int code;

	(void)state;
	hf_meta_free(meta);
	meta = NULL;
	code = test_child(write_on_a_full_disk, NULL);
	if (code == 77)
		skip();
	assert_int_equal(code, 0);
}

static int count_to_three(void *ctx)
{
	struct hf_meta *m = NULL;
	uint64_t v = 0;

	if (hf_meta_new(&m, &test_mem, test_path(dir, "db"), NULL) != HF_OK)
		return 1;
	for (unsigned i = 0; i < 3; i++) {
		if (hf_meta_counter_next(m, &v, "n", NULL) != HF_OK)
			return 2;
		*(volatile uint64_t *)ctx = v;
	}
	return 0;
}

static void what_was_committed_survives_a_crash_at_any_step(void **state)
{
	volatile uint64_t *promised = test_shared(sizeof(*promised));

	(void)state;
	for (int how = TEST_KILL; how <= TEST_POWER_CUT; how++) {
		int made = 0;

		for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
			uint64_t v = 0;

			(void)delete (NULL);
			test_tmp_make(dir);
			*promised = 0;
			made = test_crash_at(
				n, how, dir, count_to_three, (void *)(uintptr_t)promised);
			if (made == TEST_CRASH_UNABLE)
				skip();
			assert_ok(hf_meta_new(&meta, &test_mem, test_path(dir, "db"), NULL));
			assert_ok(hf_meta_counter_get(meta, &v, "n", NULL));
			assert_in_range(v, *promised, *promised + 1);
			assert_true(n < 500);
		}
		assert_int_equal(*promised, 3);
	}
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make, delete)
	const struct CMUnitTest tests[] = {
		IN_DIR(a_file_that_is_none_or_newer_is_refused),
		IN_DIR(opening_again_keeps_everything),
		IN_DIR(objects_come_oldest_first_and_bounded),
		IN_DIR(values_that_cannot_be_kept_are_refused),
		IN_DIR(a_release_number_is_given_once),
		IN_DIR(devices_are_replaced_and_change_state),
		IN_DIR(a_token_belongs_to_the_first_key),
		IN_DIR(grants_and_receipts_are_found_by_device),
		IN_DIR(serials_never_go_back),
		IN_DIR(uploads_and_counters),
		IN_DIR(a_transaction_is_all_or_nothing),
		IN_DIR(a_full_disk_is_told_and_the_rest_goes_on),
		IN_DIR(what_was_committed_survives_a_crash_at_any_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
