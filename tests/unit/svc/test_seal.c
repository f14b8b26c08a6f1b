/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing: what goes in comes out, what is shared and what is not, what is refused. */
#include "svc_fixture.h"

#include "base/attr.h"

/* A safetensors file: two small tensors and two long ones, half of each compressible. */
static void put_model(struct fix *f, const char *name)
{
	enum { SMALL = 1000, LONG = 300 << 10 };
	char json[512];
	int n = snprintf(json, sizeof(json),
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
		"\"b\":{\"dtype\":\"F32\",\"shape\":[5,50],\"data_offsets\":[%d,%d]},"
		"\"c\":{\"dtype\":\"BF16\",\"shape\":[%d],\"data_offsets\":[%d,%d]},"
		"\"d\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}",
		SMALL, SMALL, SMALL, 2 * SMALL, LONG / 2, 2 * SMALL, 2 * SMALL + LONG, LONG,
		2 * SMALL + LONG, 2 * SMALL + 2 * LONG);
	size_t len = 8 + (size_t)n + 2 * SMALL + 2 * LONG;
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	hf_put_le64(bytes, (uint64_t)n);
	memcpy(bytes + 8, json, (size_t)n);
	assert_ok(hf_rng_fill(&f->env.rng, bytes + 8 + n, len - 8 - (size_t)n));
	memset(bytes + len - LONG, 0x55, LONG);
	test_file_put(test_path(f->tmp, name), bytes, len);
	free(bytes);
}

/* Seals, verifies, opens, compares, and clears up. */
static void assert_round_trip(struct fix *f, struct fix_seal *s)
{
	struct hf_seal_result result;
	char dir[TEST_PATH_MAX];
	uint64_t total = 0;

	assert_ok(hf_seal(&f->env, &s->spec, &result, NULL));
	assert_ok(fix_verify(f, s->out, NULL));
	fix_path(dir, f->tmp, "opened");
	assert_ok(fix_open(f, s->out, dir, NULL));
	assert_int_equal(test_dir_count(dir), s->spec.n_files);
	for (size_t i = 0; i < s->spec.n_files; i++) {
		const char *name = strrchr(s->file[i], '/') + 1;
		struct stat st;

		fix_assert_same(s->file[i], test_path(dir, name));
		assert_int_equal(stat(test_path(dir, name), &st), 0);
		total += (uint64_t)st.st_size;
	}
	assert_int_equal(result.plain_len, total);
	assert_int_equal(unlink(s->out), 0);
	test_tmp_delete(dir);
}

static void gives_back_files_of_every_length_around_a_chunk(void **state)
{
	static const size_t lens[] = { 0, 1, 2, FIX_CUT - 1, FIX_CUT, FIX_CUT + 1, 2 * FIX_CUT - 1,
		2 * FIX_CUT, 2 * FIX_CUT + 1, 3 * FIX_CUT + 12345 };
	struct fix *f = *state;

	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		struct fix_seal s;

		fix_random_file(f, "plain.bin", lens[i]);
		fix_seal_init(&s, f, "plain.hufu");
		fix_seal_add(&s, f, "plain.bin");
		assert_round_trip(f, &s);
	}
}

static void gives_back_a_model_and_the_files_beside_it(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;

	put_model(f, "model.safetensors");
	fix_random_file(f, "empty", 0);
	fix_random_file(f, "one", 1);
	test_file_put(test_path(f->tmp, "config.json"), "{\"a\": 1}\n", 9);
	for (int no_compress = 0; no_compress < 2; no_compress++) {
		for (int no_dedupe = 0; no_dedupe < 2; no_dedupe++) {
			fix_seal_init(&s, f, "several.hufu");
			fix_seal_add(&s, f, "model.safetensors");
			fix_seal_add(&s, f, "one");
			fix_seal_add(&s, f, "empty");
			fix_seal_add(&s, f, "config.json");
			s.spec.no_compress = no_compress != 0;
			s.spec.no_dedupe = no_dedupe != 0;
			assert_round_trip(f, &s);
		}
	}
}

/* Pages of equal chunks end with equal packs. */
static void gives_back_a_file_of_many_equal_chunks(void **state)
{
	struct fix *f = *state;
	struct hf_seal_result result;
	struct fix_seal s;
	struct stat st;

	test_file_put(test_path(f->tmp, "zeros.bin"), "", 0);
	fix_seal_init(&s, f, "zeros.hufu");
	fix_seal_add(&s, f, "zeros.bin");
	assert_int_equal(truncate(s.file[0], (off_t)FIX_CUT * (2 * HF_PAGE_ENTRIES + 3)), 0);
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
	assert_int_equal(result.n_chunks, 2 * HF_PAGE_ENTRIES + 3);
	assert_ok(fix_verify(f, s.out, NULL));
	assert_ok(fix_open(f, s.out, test_path(f->tmp, "zeros"), NULL));
	assert_int_equal(stat(test_path(f->tmp, "zeros/zeros.bin"), &st), 0);
	assert_int_equal(st.st_size, (off_t)FIX_CUT * (2 * HF_PAGE_ENTRIES + 3));
	assert_int_equal(st.st_blocks, 0);
	test_tmp_delete(test_path(f->tmp, "zeros"));
	assert_int_equal(unlink(s.file[0]), 0);
}

static void an_executable_file_is_executable_again(void **state)
{
	struct fix *f = *state;
	struct hf_seal_result result;
	struct fix_seal s;
	struct stat st;
	char dir[TEST_PATH_MAX];

	test_file_put(test_path(f->tmp, "run.sh"), "#!/bin/sh\n", 10);
	test_file_put(test_path(f->tmp, "data"), "1", 1);
	assert_int_equal(chmod(test_path(f->tmp, "run.sh"), 0755), 0);
	fix_seal_init(&s, f, "exec.hufu");
	fix_seal_add(&s, f, "run.sh");
	fix_seal_add(&s, f, "data");
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
	fix_path(dir, f->tmp, "exec");
	assert_ok(fix_open(f, s.out, dir, NULL));
	assert_int_equal(stat(test_path(dir, "run.sh"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(test_path(dir, "data"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	test_tmp_delete(dir);
}

/* Sealed chunks of two bundles: how many packs they have in common. */
static size_t n_shared_packs(struct fix *f, const char *x, const char *y)
{
	struct box a;
	struct box b;
	size_t n = 0;

	box_load(&a, f, x);
	box_load(&b, f, y);
	for (size_t i = 0; i < a.n; i++)
		for (size_t k = 0; k < b.n; k++)
			n += a.m[i].kind == HF_OBJECT_PACK && b.m[k].kind == HF_OBJECT_PACK &&
			     a.m[i].len == b.m[k].len &&
			     memcmp(a.m[i].name, b.m[k].name, HF_SM3_LEN) == 0 &&
			     memcmp(a.m[i].bytes, b.m[k].bytes, a.m[i].len) == 0;
	box_free(&a);
	box_free(&b);
	return n;
}

static void threads_change_nothing_about_the_sealed_bytes(void **state)
{
	struct fix *f = *state;
	struct hf_seal_result result;
	struct fix_seal alone;
	struct fix_seal together;
	char dir[TEST_PATH_MAX];

	put_model(f, "model.safetensors");
	fix_seal_init(&alone, f, "alone.hufu");
	fix_seal_add(&alone, f, "model.safetensors");
	assert_ok(hf_seal(&f->env, &alone.spec, &result, NULL));
	assert_ok(hf_pool_new(&f->env.pool, &test_mem, 3, 16, NULL));
	fix_seal_init(&together, f, "together.hufu");
	fix_seal_add(&together, f, "model.safetensors");
	assert_ok(hf_seal(&f->env, &together.spec, &result, NULL));
	assert_int_equal(n_shared_packs(f, alone.out, together.out), 1);
	fix_path(dir, f->tmp, "threads");
	assert_ok(fix_open(f, alone.out, dir, NULL));
	fix_assert_same(alone.file[0], test_path(dir, "model.safetensors"));
	test_tmp_delete(dir);
	hf_pool_free(f->env.pool);
	f->env.pool = NULL;
	assert_ok(fix_open(f, together.out, dir, NULL));
	fix_assert_same(alone.file[0], test_path(dir, "model.safetensors"));
	test_tmp_delete(dir);
}

/* Seals the same file under a changed spec and tells whether the sealed chunks are the same. */
static bool is_same_when(struct fix *f, void (*change)(struct hf_seal_spec *spec))
{
	struct hf_seal_result result;
	struct fix_seal a;
	struct fix_seal b;
	bool is_same;

	fix_random_file(f, "shared.bin", 3 * FIX_CUT);
	fix_seal_init(&a, f, "shared-1.hufu");
	fix_seal_add(&a, f, "shared.bin");
	assert_ok(hf_seal(&f->env, &a.spec, &result, NULL));
	fix_seal_init(&b, f, "shared-2.hufu");
	fix_seal_add(&b, f, "shared.bin");
	change(&b.spec);
	assert_ok(hf_seal(&f->env, &b.spec, &result, NULL));
	is_same = n_shared_packs(f, a.out, b.out) == 1;
	assert_int_equal(unlink(a.out), 0);
	assert_int_equal(unlink(b.out), 0);
	return is_same;
}

static void next_release(struct hf_seal_spec *spec)
{
	spec->release = 8;
}

static void other_lineage(struct hf_seal_spec *spec)
{
	spec->lineage = "letters";
}

static void next_epoch(struct hf_seal_spec *spec)
{
	spec->epoch = 2;
}

static void salted(struct hf_seal_spec *spec)
{
	spec->no_dedupe = true;
}

static void equal_chunks_are_shared_within_a_lineage_and_nowhere_else(void **state)
{
	struct fix *f = *state;

	assert_true(is_same_when(f, next_release));
	assert_false(is_same_when(f, other_lineage));
	assert_false(is_same_when(f, next_epoch));
	assert_false(is_same_when(f, salted));
}

/* The first chunk of a bundle as its index has it. */
static void first_chunk(struct fix *f, const char *bundle, struct hf_chunk *c, struct hf_place *p)
{
	struct hf_bundle_file b;
	struct hf_objects objects;
	struct hf_pkg_source pages;
	struct hf_release r;
	struct hf_party party;
	struct hf_grant_context context;
	struct hf_deposit_keys keys;
	struct hf_index_keys index;
	struct hf_pkg_scope scope;
	struct hf_pkg_reader *reader = NULL;
	struct box box;

	box_load(&box, f, bundle);
	fix_deposit_keys(f, &box, &context, &keys);
	box_free(&box);
	assert_ok(hf_party_open(&party, &f->env, f->hub, NULL));
	assert_ok(hf_bundle_file_open(&b, &f->env, bundle, NULL));
	objects = hf_bundle_file_objects(&b);
	pages = hf_objects_pages(&objects);
	assert_ok(hf_release_load(&r, &f->env, &objects, NULL, &party.root, NULL));
	hf_manifest_scope(&scope, &r.manifest);
	assert_ok(hf_index_keys_open(&index, &r.manifest.body, keys.cek, &scope));
	assert_ok(hf_pkg_reader_new(&reader, &r.manifest.body, &index, &pages, &test_mem));
	assert_ok(hf_pkg_reader_chunk(reader, 0, c, p, NULL));
	hf_pkg_reader_free(reader);
	hf_release_clear(&r);
	hf_bundle_file_close(&b);
	hf_party_clear(&party);
	hf_deposit_keys_clear(&keys);
}

static void the_same_plaintext_under_two_encodings_gets_two_keys(void **state)
{
	struct fix *f = *state;
	struct hf_chunk c[3];
	struct hf_place p[3];
	uint8_t bytes[4096];

	memset(bytes, 'x', sizeof(bytes));
	test_file_put(test_path(f->tmp, "encoded.bin"), bytes, sizeof(bytes));
	for (size_t i = 0; i < 3; i++) {
		struct hf_seal_result result;
		struct fix_seal s;

		fix_seal_init(&s, f, "encoded.hufu");
		fix_seal_add(&s, f, "encoded.bin");
		s.spec.no_compress = i == 1;
		s.spec.release = 7 + i;
		assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
		first_chunk(f, s.out, &c[i], &p[i]);
		assert_int_equal(unlink(s.out), 0);
	}
	assert_int_equal(c[0].coding.id, HF_CODEC_ZSTD);
	assert_int_equal(c[1].coding.id, HF_CODEC_NONE);
	assert_memory_not_equal(c[0].key, c[1].key, sizeof(c[0].key));
	assert_memory_not_equal(c[0].nonce, c[1].nonce, sizeof(c[0].nonce));
	assert_memory_not_equal(p[0].cid, p[1].cid, HF_SM3_LEN);
	/* And under the same one the same, or nothing would be shared. */
	assert_memory_equal(c[0].key, c[2].key, sizeof(c[0].key));
	assert_memory_equal(p[0].cid, p[2].cid, HF_SM3_LEN);
}

/* A seal that fails with a code and a text, and leaves no file that was not there. */
static void assert_refused(
	struct fix *f, const struct hf_seal_spec *spec, hf_err expected, const char *text)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_seal_result result;
	size_t before = test_dir_count(f->tmp);
	hf_err e = hf_seal(&f->env, spec, &result, &ei);

	if (e != expected || strstr(ei.text, text) == NULL)
		print_error("%s: %s\n", hf_err_name(e), ei.text);
	assert_int_equal(e, expected);
	assert_int_equal(ei.code, expected);
	assert_non_null(strstr(ei.text, text));
	assert_int_equal(test_dir_count(f->tmp), before);
}

/* A good spec of one file, to be spoilt. */
static void good(struct fix_seal *s, struct fix *f)
{
	test_file_put(test_path(f->tmp, "good.bin"), "good", 4);
	fix_seal_init(s, f, "refused.hufu");
	fix_seal_add(s, f, "good.bin");
}

static void level_2_refuses_a_release_that_lives_too_long(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;
	struct hf_seal_result result;

	good(&s, f);
	s.spec.level = HF_L2;
	s.spec.life_s = (uint64_t)90 * FIX_DAY + 1;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "package.expiry");
	s.spec.life_s--;
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
	assert_int_equal(unlink(s.out), 0);
}

static void level_3_refuses_one_signature_and_missing_marks(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;

	good(&s, f);
	s.spec.level = HF_L3;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "package.signatures");
	s.spec.n_parties = 2;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "package.marks");
	s.spec.life_s = (uint64_t)31 * FIX_DAY;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "package.expiry");
}

static void refuses_parties_that_may_not_sign_this(void **state)
{
	struct fix *f = *state;
	struct fix *other = fix_new(99);
	struct fix_seal s;

	good(&s, f);
	s.parties[0] = f->hub;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "is a hub, not a publisher");
	s.parties[0] = f->publisher;
	s.parties[1] = f->publisher;
	s.spec.n_parties = 2;
	assert_refused(f, &s.spec, HF_ERR_ARG, "the same publisher twice");
	s.parties[1] = other->publisher;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "no publisher of domain plant-7");
	s.parties[1] = test_path(f->tmp, "nobody");
	assert_refused(f, &s.spec, HF_ERR_NOT_FOUND, "nobody");
	s.spec.n_parties = 0;
	assert_refused(f, &s.spec, HF_ERR_ARG, "publishers");
	fix_free(other);
}

static void a_publisher_of_level_1_cannot_seal_for_level_2(void **state)
{
	struct fix *f = *state;
	struct hf_domain_spec domain = fix_domain_spec(f);
	struct hf_share shares[FIX_SHARES];
	char publisher[TEST_PATH_MAX];
	struct fix_seal s;

	domain.dir = test_path(f->tmp, "low");
	domain.level = HF_L1;
	assert_ok(hf_domain_init(&f->env, &domain, shares, NULL));
	fix_path(publisher, f->tmp, "low/publisher");
	good(&s, f);
	s.parties[0] = publisher;
	s.spec.level = HF_L2;
	assert_refused(f, &s.spec, HF_ERR_DENIED, "may publish up to level 1");
	test_tmp_delete(test_path(f->tmp, "low"));
}

static void refuses_numbers_and_names_that_cannot_be(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;

	good(&s, f);
	s.spec.lineage = "../digits";
	assert_refused(f, &s.spec, HF_ERR_ARG, "lineage");
	good(&s, f);
	s.spec.release = 0;
	assert_refused(f, &s.spec, HF_ERR_ARG, "release");
	good(&s, f);
	s.spec.floor = 8;
	assert_refused(f, &s.spec, HF_ERR_ARG, "floor");
	good(&s, f);
	s.spec.life_s = 0;
	assert_refused(f, &s.spec, HF_ERR_ARG, "valid");
	good(&s, f);
	s.spec.epoch = 0;
	assert_refused(f, &s.spec, HF_ERR_ARG, "epoch");
	good(&s, f);
	s.spec.cut = 1;
	assert_refused(f, &s.spec, HF_ERR_ARG, "chunks");
	good(&s, f);
	s.spec.n_files = 0;
	assert_refused(f, &s.spec, HF_ERR_ARG, "files");
}

static void refuses_files_that_cannot_be_sealed(void **state)
{
	/* A header that promises a tensor which is not there, and one that is cut. */
	static const char hole[] = "\x3b\0\0\0\0\0\0\0"
				   "{\"a\":{\"dtype\":\"U8\",\"shape\":[9],"
				   "\"data_offsets\":[0,9]}}       1234";
	struct fix *f = *state;
	struct fix_seal s;

	good(&s, f);
	fix_path(s.file[0], f->tmp, "missing.bin");
	assert_refused(f, &s.spec, HF_ERR_NOT_FOUND, "missing.bin");
	fix_path(s.file[0], f->tmp, "domain");
	assert_refused(f, &s.spec, HF_ERR_DENIED, "private keys");
	assert_int_equal(mkfifo(test_path(f->tmp, "pipe"), 0600), 0);
	fix_path(s.file[0], f->tmp, "pipe");
	assert_refused(f, &s.spec, HF_ERR_ARG, "not a regular file");
	test_file_put(test_path(f->tmp, "bad:name"), "1", 1);
	fix_path(s.file[0], f->tmp, "bad:name");
	assert_refused(f, &s.spec, HF_ERR_ARG, "bad:name");
	test_file_put(test_path(f->tmp, "hole.safetensors"), hole, sizeof(hole) - 1);
	fix_path(s.file[0], f->tmp, "hole.safetensors");
	assert_refused(f, &s.spec, HF_ERR_FORMAT, "safetensors");
	assert_int_equal(mkdir(test_path(f->tmp, "sub"), 0700), 0);
	test_file_put(test_path(f->tmp, "sub/good.bin"), "2", 1);
	good(&s, f);
	fix_seal_add(&s, f, "sub/good.bin");
	assert_refused(f, &s.spec, HF_ERR_ARG, "two files are called 'good.bin'");
}

/* When the first file is sealed, somebody writes to the second one. */
static void grow_the_second(void *ctx, uint64_t done, uint64_t total)
{
	const struct fix *f = ctx;

	(void)done;
	(void)total;
	test_file_put(test_path(f->tmp, "second.bin"), "longer", 6);
}

static void refuses_a_file_that_changes_meanwhile(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;

	test_file_put(test_path(f->tmp, "first.bin"), "1", 1);
	test_file_put(test_path(f->tmp, "second.bin"), "2", 1);
	fix_seal_init(&s, f, "refused.hufu");
	fix_seal_add(&s, f, "first.bin");
	fix_seal_add(&s, f, "second.bin");
	s.spec.progress.show = grow_the_second;
	s.spec.progress.ctx = f;
	assert_refused(f, &s.spec, HF_ERR_STATE, "second.bin: was changed meanwhile");
}

static void never_overwrites_a_bundle(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;
	size_t len = 0;
	uint8_t *bytes;

	good(&s, f);
	test_file_put(s.out, "mine", 4);
	assert_refused(f, &s.spec, HF_ERR_EXISTS, "refused.hufu");
	bytes = fix_load(s.out, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(bytes, "mine", 4);
	free(bytes);
	assert_int_equal(unlink(s.out), 0);
}

static void refuses_a_lineage_key_that_was_altered(void **state)
{
	struct fix *f = *state;
	struct hf_seal_result result;
	struct fix_seal s;
	size_t len = 0;
	uint8_t *bytes;
	const char *path = test_path(f->publisher, "lineages/altered.1.kdom");

	good(&s, f);
	s.spec.lineage = "altered";
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
	assert_int_equal(unlink(s.out), 0);
	bytes = fix_load(path, &len);
	bytes[len - 1] ^= 1;
	test_file_put(path, bytes, len);
	assert_refused(f, &s.spec, HF_ERR_AUTH, "altered.1.kdom");
	free(bytes);
}

/* Cuts the input when the first chunks are through. */
static void cut_input(void *ctx, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	(void)!truncate(ctx, FIX_CUT);
}

static void a_file_that_shrinks_meanwhile_is_an_error(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;

	fix_random_file(f, "shrinks.bin", 5 * FIX_CUT);
	fix_seal_init(&s, f, "shrinks.hufu");
	fix_seal_add(&s, f, "shrinks.bin");
	s.spec.progress.show = cut_input;
	s.spec.progress.ctx = s.file[0];
	assert_refused(f, &s.spec, HF_ERR_TRUNCATED, "shrank");
}

static bool stop_at_the_third(void *ctx)
{
	unsigned *asked = ctx;

	return ++*asked == 3;
}

static void work_that_is_stopped_leaves_nothing(void **state)
{
	struct fix *f = *state;
	struct fix_seal s;
	unsigned asked = 0;

	fix_random_file(f, "stopped.bin", 5 * FIX_CUT);
	fix_seal_init(&s, f, "stopped.hufu");
	fix_seal_add(&s, f, "stopped.bin");
	s.spec.progress.is_stopped = stop_at_the_third;
	s.spec.progress.ctx = &asked;
	assert_refused(f, &s.spec, HF_ERR_CLOSED, "stopped");
	assert_int_equal(asked, 3);
}

/* In a child: seals 1 MiB to a folder where that cannot end well. */
static int seal_there(struct fix *f)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_seal_result result;
	struct fix_seal s;
	hf_err e;

	fix_seal_init(&s, f, "there/model.hufu");
	fix_seal_add(&s, f, "big.bin");
	e = hf_seal(&f->env, &s.spec, &result, &ei);
	if (test_dir_count(test_path(f->tmp, "there")) != 0)
		return 1;
	if (ei.code != e || strstr(ei.text, "model.hufu") == NULL)
		return 2;
	return e == HF_ERR_FULL ? 10 : e == HF_ERR_PERMISSION ? 11 : 3;
}

static int seal_on_a_full_disk(void *ctx)
{
	struct fix *f = ctx;

	return test_small_disk(test_path(f->tmp, "there"), 512) ? seal_there(f) : 77;
}

/* Keys must be the child's own, so the child makes a domain too. */
static int seal_without_permission(void *ctx)
{
	struct fix *f = ctx;

	if (!test_drop_root())
		return 77;
	fix_make(f);
	return seal_there(f);
}

static void a_full_disk_leaves_no_part_of_a_bundle(void **state)
{
	struct fix *f = *state;
	int code;

	fix_random_file(f, "big.bin", 1 << 20);
	assert_int_equal(mkdir(test_path(f->tmp, "there"), 0700), 0);
	code = test_child(seal_on_a_full_disk, f);
	(void)rmdir(test_path(f->tmp, "there"));
	if (code == 77)
		skip();
	assert_int_equal(code, 10);
}

static void a_folder_without_write_permission_is_named(void **state)
{
	struct fix f;
	int code;

	(void)state;
	fix_begin(&f, 3);
	fix_random_file(&f, "big.bin", 1 << 20);
	assert_int_equal(chmod(test_path(f.tmp, "big.bin"), 0644), 0);
	assert_int_equal(mkdir(test_path(f.tmp, "there"), 0555), 0);
	assert_int_equal(chmod(f.tmp, 0777), 0);
	code = test_child(seal_without_permission, &f);
	test_tmp_delete(f.tmp);
	if (code == 77)
		skip();
	assert_int_equal(code, 11);
}

static void each_failed_allocation_leaves_nothing(void **state)
{
	struct fix *f = *state;
	struct hf_seal_result result;
	struct fix_seal s;
	size_t before;
	unsigned n = 0;
	hf_err e;

	put_model(f, "model.safetensors");
	fix_seal_init(&s, f, "memory.hufu");
	fix_seal_add(&s, f, "model.safetensors");
	before = test_dir_count(f->tmp);
	do {
		test_mem_fail_at(++n);
		e = hf_seal(&f->env, &s.spec, &result, NULL);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_int_equal(test_dir_count(f->tmp), before);
	} while (n < 1000);
	assert_int_equal(e, HF_OK);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_files_of_every_length_around_a_chunk),
		cmocka_unit_test(gives_back_a_model_and_the_files_beside_it),
		cmocka_unit_test(gives_back_a_file_of_many_equal_chunks),
		cmocka_unit_test(an_executable_file_is_executable_again),
		cmocka_unit_test(threads_change_nothing_about_the_sealed_bytes),
		cmocka_unit_test(equal_chunks_are_shared_within_a_lineage_and_nowhere_else),
		cmocka_unit_test(the_same_plaintext_under_two_encodings_gets_two_keys),
		cmocka_unit_test(level_2_refuses_a_release_that_lives_too_long),
		cmocka_unit_test(level_3_refuses_one_signature_and_missing_marks),
		cmocka_unit_test(refuses_parties_that_may_not_sign_this),
		cmocka_unit_test(a_publisher_of_level_1_cannot_seal_for_level_2),
		cmocka_unit_test(refuses_numbers_and_names_that_cannot_be),
		cmocka_unit_test(refuses_files_that_cannot_be_sealed),
		cmocka_unit_test(never_overwrites_a_bundle),
		cmocka_unit_test(refuses_a_file_that_changes_meanwhile),
		cmocka_unit_test(refuses_a_lineage_key_that_was_altered),
		cmocka_unit_test(a_file_that_shrinks_meanwhile_is_an_error),
		cmocka_unit_test(work_that_is_stopped_leaves_nothing),
		cmocka_unit_test(a_full_disk_leaves_no_part_of_a_bundle),
		cmocka_unit_test(a_folder_without_write_permission_is_named),
		cmocka_unit_test(each_failed_allocation_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, fix_group_setup, fix_group_teardown);
}
