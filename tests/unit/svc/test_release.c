/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on a sealed release, one test each: whoever carries a bundle may do anything to it and
 * gets nothing opened. In each case opening is refused with the right code and writes nothing.
 */
#include "svc_fixture.h"

#include "base/attr.h"
#include "pkg/pkg_writer.h"

enum { N_CHUNKS = 5, FILE_LEN = N_CHUNKS * FIX_CUT, SEALED_LEN = FIX_CUT + HF_CHUNK_TAG_LEN };

/* The domain and a bundle of one file of random bytes: five chunks of one length in one pack. */
static int setup(void **state)
{
	struct fix *f = fix_new(20260102);

	fix_seal_random(f, "model.bin", FILE_LEN, "model.hufu");
	*state = f;
	return 0;
}

static const char *path_of(const struct fix *f, const char *name)
{
	return test_path(f->tmp, name);
}

/* Puts the box together as "attack.hufu"; both opening and verifying refuse it. */
static void assert_attack_fails(struct fix *f, const struct box *b, hf_err expected)
{
	const char *path = path_of(f, "attack.hufu");

	box_save(b, path);
	fix_assert_refused(f, path, expected);
	assert_err(fix_verify(f, path, NULL), expected);
}

static void the_untouched_bundle_opens(void **state)
{
	struct fix *f = *state;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	box_save(&b, path_of(f, "attack.hufu"));
	assert_ok(fix_verify(f, path_of(f, "attack.hufu"), NULL));
	assert_ok(fix_open(f, path_of(f, "attack.hufu"), path_of(f, "opened"), NULL));
	fix_assert_same(path_of(f, "model.bin"), path_of(f, "opened/model.bin"));
	test_tmp_delete(path_of(f, "opened"));
	box_free(&b);
}

static void an_altered_byte_in_any_object_is_refused(void **state)
{
	static const enum hf_object kinds[] = { HF_OBJECT_MANIFEST, HF_OBJECT_TABLE,
		HF_OBJECT_INDEX, HF_OBJECT_PACK };
	struct fix *f = *state;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		struct box_member *m = box_find(&b, kinds[i]);

		for (unsigned n = 0; n < 20; n++) {
			size_t at = n == 0   ? 0
				    : n == 1 ? m->len - 1
					     : (size_t)test_rng_below(&f->rng_state, m->len);
			uint8_t bit = (uint8_t)(1 << test_rng_below(&f->rng_state, 8));

			m->bytes[at] ^= bit;
			assert_attack_fails(f, &b, HF_ERR_AUTH);
			m->bytes[at] ^= bit;
		}
	}
	box_free(&b);
}

static void an_altered_deposit_is_refused(void **state)
{
	struct fix *f = *state;
	struct box_member *m;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	m = box_find(&b, HF_OBJECT_DEPOSIT);
	for (size_t at = 0; at < m->len; at += 13) {
		m->bytes[at] ^= 0x10;
		box_save(&b, path_of(f, "attack.hufu"));
		fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_AUTH);
		m->bytes[at] ^= 0x10;
	}
	box_free(&b);
}

/* Altered and given the name of the altered bytes: only the signature is left to tell. */
static void an_altered_object_under_its_new_name_is_refused(void **state)
{
	static const enum hf_object kinds[] = { HF_OBJECT_MANIFEST, HF_OBJECT_DEPOSIT };
	struct fix *f = *state;
	struct hf_errinfo ei;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		struct box_member *m = box_find(&b, kinds[i]);
		unsigned n_auth = 0;

		for (size_t at = 0; at < m->len; at += 11) {
			hf_err e;

			m->bytes[at] ^= 0x04;
			box_rename(m);
			box_save(&b, path_of(f, "attack.hufu"));
			ei.code = HF_OK;
			e = fix_open(f, path_of(f, "attack.hufu"), path_of(f, "refused"), &ei);
			/* In a length or a tag it is no such object any more. */
			assert_true(e == HF_ERR_AUTH || e == HF_ERR_FORMAT ||
				    e == HF_ERR_TRUNCATED || e == HF_ERR_UNSUPPORTED);
			assert_int_equal(ei.code, e);
			assert_false(fix_exists(path_of(f, "refused")));
			n_auth += e == HF_ERR_AUTH;
			m->bytes[at] ^= 0x04;
		}
		box_rename(m);
		assert_true(n_auth > 10);
	}
	box_free(&b);
}

static void an_altered_root_in_the_bundle_is_refused(void **state)
{
	struct fix *f = *state;
	struct hf_bundle_file file;
	struct hf_objects objects;
	uint8_t name[HF_SM3_LEN];
	struct hf_root root;
	struct hf_buf object;
	struct box_member *m;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	m = box_find(&b, HF_OBJECT_ROOT);
	m->bytes[m->len / 2] ^= 1;
	box_save(&b, path_of(f, "attack.hufu"));
	assert_ok(hf_bundle_file_open(&file, &f->env, path_of(f, "attack.hufu"), NULL));
	objects = hf_bundle_file_objects(&file);
	assert_err(hf_objects_check(&objects, &test_mem, NULL), HF_ERR_AUTH);
	hf_buf_init(&object, &test_mem, 1 << 20);
	assert_ok(hf_objects_only(name, &objects, HF_OBJECT_ROOT, NULL));
	assert_err(hf_objects_load(&object, &objects, HF_OBJECT_ROOT, name, NULL), HF_ERR_AUTH);
	assert_int_equal(object.len, 0);
	assert_int_not_equal(
		hf_root_open_first(&root, (struct hf_bytes){ m->bytes, m->len }, NULL), HF_OK);
	hf_buf_clear(&object);
	hf_bundle_file_close(&file);
	box_free(&b);
}

static void a_bundle_cut_at_any_block_is_refused(void **state)
{
	struct fix *f = *state;
	size_t len = 0;
	uint8_t *all;

	fix_seal_random(f, "small.bin", 3000, "small.hufu");
	all = fix_load(path_of(f, "small.hufu"), &len);
	assert_int_equal(len % HF_TAR_BLOCK_LEN, 0);
	for (size_t at = 0; at < len; at += HF_TAR_BLOCK_LEN) {
		test_file_put(path_of(f, "attack.hufu"), all, at);
		fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_TRUNCATED);
		assert_err(fix_verify(f, path_of(f, "attack.hufu"), NULL), HF_ERR_TRUNCATED);
	}
	free(all);
}

/* Chunks of the pack: all of one length, so any of them fits into the place of any other. */
static uint8_t *chunk_in(const struct box_member *pack, size_t i)
{
	assert_int_equal(pack->len, N_CHUNKS * SEALED_LEN);
	return pack->bytes + i * SEALED_LEN;
}

static void chunks_in_another_order_are_refused(void **state)
{
	struct fix *f = *state;
	struct box_member *pack;
	struct box b;
	uint8_t *copy;

	box_load(&b, f, path_of(f, "model.hufu"));
	pack = box_find(&b, HF_OBJECT_PACK);
	copy = malloc(pack->len);
	assert_non_null(copy);
	memcpy(copy, pack->bytes, pack->len);
	for (size_t i = 0; i < N_CHUNKS; i++) { /* one further for everybody */
		uint8_t *to = chunk_in(pack, (i + 1) % N_CHUNKS);

		memcpy(to, copy + i * SEALED_LEN, SEALED_LEN);
	}
	assert_attack_fails(f, &b, HF_ERR_AUTH);
	free(copy);
	box_free(&b);
}

static void a_chunk_in_the_place_of_its_neighbour_is_refused(void **state)
{
	struct fix *f = *state;
	struct hf_errinfo ei = { .code = HF_OK };
	struct box_member *pack;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	pack = box_find(&b, HF_OBJECT_PACK);
	memcpy(chunk_in(pack, 3), chunk_in(pack, 2), SEALED_LEN);
	assert_attack_fails(f, &b, HF_ERR_AUTH);
	assert_err(fix_verify(f, path_of(f, "attack.hufu"), &ei), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, "chunk 3 in pack/"));
	box_free(&b);
}

static void two_chunks_that_changed_places_are_refused(void **state)
{
	struct fix *f = *state;
	struct box_member *pack;
	struct box b;
	uint8_t *first;
	uint8_t *last;

	box_load(&b, f, path_of(f, "model.hufu"));
	pack = box_find(&b, HF_OBJECT_PACK);
	first = chunk_in(pack, 0);
	last = chunk_in(pack, N_CHUNKS - 1);
	for (size_t i = 0; i < SEALED_LEN; i++) {
		uint8_t c = first[i];

		first[i] = last[i];
		last[i] = c;
	}
	assert_attack_fails(f, &b, HF_ERR_AUTH);
	box_free(&b);
}

static void a_pack_that_lost_its_last_chunk_is_refused(void **state)
{
	struct fix *f = *state;
	struct box_member *pack;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	pack = box_find(&b, HF_OBJECT_PACK);
	pack->len -= SEALED_LEN;
	assert_attack_fails(f, &b, HF_ERR_TRUNCATED);
	pack->len++;
	assert_attack_fails(f, &b, HF_ERR_TRUNCATED);
	box_free(&b);
}

static void the_pack_of_another_package_is_refused(void **state)
{
	struct fix *f = *state;
	struct box_member *theirs;
	struct box_member *ours;
	struct box other;
	struct box b;

	fix_seal_random(f, "other.bin", FILE_LEN, "other.hufu");
	box_load(&b, f, path_of(f, "model.hufu"));
	box_load(&other, f, path_of(f, "other.hufu"));
	ours = box_find(&b, HF_OBJECT_PACK);
	theirs = box_find(&other, HF_OBJECT_PACK);
	assert_int_equal(ours->len, theirs->len);
	memcpy(ours->bytes, theirs->bytes, ours->len);
	assert_attack_fails(f, &b, HF_ERR_AUTH);
	memcpy(ours->name, theirs->name, HF_SM3_LEN); /* under its own name ours is missing */
	assert_attack_fails(f, &b, HF_ERR_NOT_FOUND);
	assert_int_equal(unlink(path_of(f, "other.hufu")), 0);
	box_free(&other);
	box_free(&b);
}

static void a_missing_object_is_named(void **state)
{
	static const enum hf_object kinds[] = { HF_OBJECT_MANIFEST, HF_OBJECT_TABLE,
		HF_OBJECT_INDEX, HF_OBJECT_PACK, HF_OBJECT_DEPOSIT };
	struct fix *f = *state;

	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		struct box b;

		box_load(&b, f, path_of(f, "model.hufu"));
		box_drop(&b, box_find(&b, kinds[i]));
		box_save(&b, path_of(f, "attack.hufu"));
		fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_NOT_FOUND);
		if (kinds[i] != HF_OBJECT_DEPOSIT)
			assert_err(
				fix_verify(f, path_of(f, "attack.hufu"), NULL), HF_ERR_NOT_FOUND);
		box_free(&b);
	}
}

static void the_deposit_of_another_release_opens_nothing(void **state)
{
	struct fix *f = *state;
	struct box_member *theirs;
	struct box other;
	struct box b;

	fix_seal_random(f, "other.bin", FILE_LEN, "other.hufu");
	box_load(&b, f, path_of(f, "model.hufu"));
	box_load(&other, f, path_of(f, "other.hufu"));
	theirs = box_find(&other, HF_OBJECT_DEPOSIT);
	box_replace(
		box_find(&b, HF_OBJECT_DEPOSIT), (struct hf_bytes){ theirs->bytes, theirs->len });
	box_save(&b, path_of(f, "attack.hufu"));
	fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_NOT_FOUND);
	assert_int_equal(unlink(path_of(f, "other.hufu")), 0);
	box_free(&other);
	box_free(&b);
}

static void a_release_of_a_foreign_domain_is_refused(void **state)
{
	struct fix *f = *state;
	struct fix *other = fix_new(77);

	fix_seal_random(other, "model.bin", FILE_LEN, "model.hufu");
	fix_assert_refused(f, test_path(other->tmp, "model.hufu"), HF_ERR_AUTH);
	assert_err(fix_verify(f, test_path(other->tmp, "model.hufu"), NULL), HF_ERR_AUTH);
	fix_free(other);
}

static void no_change(struct hf_manifest *m, void *ctx)
{
	(void)m;
	(void)ctx;
}

static void other_domain(struct hf_manifest *m, void *ctx)
{
	(void)ctx;
	(void)snprintf(m->domain, sizeof(m->domain), "plant-8");
}

static void a_publisher_cannot_speak_for_another_domain(void **state)
{
	struct fix *f = *state;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	fix_reissue(f, &b, 1, other_domain, NULL);
	assert_attack_fails(f, &b, HF_ERR_DENIED);
	box_free(&b);
}

static void a_threshold_of_two_refuses_one_publisher(void **state)
{
	struct fix *f = *state;
	char path[TEST_PATH_MAX];
	struct hf_release r;
	struct hf_party hub;

	fix_path(path, f->tmp, "attack.hufu");
	for (size_t n = 1; n <= 2; n++) {
		struct hf_bundle_file file;
		struct hf_objects objects;
		struct box b;

		box_load(&b, f, path_of(f, "model.hufu"));
		fix_reissue(f, &b, n, no_change, NULL);
		box_save(&b, path);
		box_free(&b);
		assert_ok(hf_party_open(&hub, &f->env, f->hub, NULL));
		hub.root.roles[HF_ROOT_PUBLISHER].threshold = 2;
		assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
		objects = hf_bundle_file_objects(&file);
		assert_err(hf_release_load(&r, &f->env, &objects, NULL, &hub.root, NULL),
			n == 2 ? HF_OK : HF_ERR_AUTH);
		assert_int_equal(r.n_signed, n == 2 ? 2 : 0);
		hf_release_clear(&r);
		hf_bundle_file_close(&file);
		hf_party_clear(&hub);
	}
}

static void expire(struct hf_manifest *m, void *ctx)
{
	(void)ctx;
	m->created_s -= (uint64_t)2 * FIX_DAY;
	m->expires_s = m->created_s + FIX_DAY;
}

static void an_expired_release_is_refused(void **state)
{
	struct fix *f = *state;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	fix_reissue(f, &b, 1, expire, NULL);
	box_save(&b, path_of(f, "attack.hufu"));
	fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_EXPIRED);
	assert_ok(fix_verify(f, path_of(f, "attack.hufu"), NULL)); /* nothing was altered */
	box_free(&b);
}

/* A manifest of a level that its publisher should not have been able to make. */
struct wish {
	enum hf_level level;
	uint64_t life_s;
	bool has_marks;
};

static void grant_wish(struct hf_manifest *m, void *ctx)
{
	const struct wish *w = ctx;

	m->level = w->level;
	m->expires_s = m->created_s + w->life_s;
	m->body.has_marks = w->has_marks;
	memset(m->body.marks, 0x4d, sizeof(m->body.marks));
}

static void assert_row(
	struct fix *f, size_t n_signers, const struct wish *w, hf_err expected, const char *row)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct wish wish = *w;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	fix_reissue(f, &b, n_signers, grant_wish, &wish);
	box_save(&b, path_of(f, "attack.hufu"));
	box_free(&b);
	assert_err(fix_open(f, path_of(f, "attack.hufu"), path_of(f, "refused"), &ei), expected);
	assert_non_null(strstr(ei.text, row));
	assert_false(fix_exists(path_of(f, "refused")));
}

static void what_falls_short_of_its_level_is_refused_with_the_rows_name(void **state)
{
	struct fix *f = *state;
	struct wish w = { .level = HF_L2, .life_s = (uint64_t)91 * FIX_DAY };

	assert_row(f, 1, &w, HF_ERR_DENIED, "package.expiry");
	w = (struct wish){ .level = HF_L3, .life_s = (uint64_t)31 * FIX_DAY, .has_marks = true };
	assert_row(f, 2, &w, HF_ERR_DENIED, "package.expiry");
	w.life_s = (uint64_t)30 * FIX_DAY;
	assert_row(f, 1, &w, HF_ERR_DENIED, "package.signatures");
	assert_row(f, 2, &w, HF_ERR_DENIED, "package.memory-only");
	w.has_marks = false;
	assert_row(f, 2, &w, HF_ERR_DENIED, "package.marks");
}

static void a_second_content_key_is_not_the_one_that_was_committed_to(void **state)
{
	struct fix *f = *state;
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_grant_context context;
	struct hf_deposit_keys keys;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	fix_deposit_keys(f, &b, &context, &keys);
	keys.cek[31] ^= 1;
	fix_put_deposit(f, &b, &context, &keys);
	box_save(&b, path_of(f, "attack.hufu"));
	fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_AUTH);
	assert_err(fix_open(f, path_of(f, "attack.hufu"), path_of(f, "refused"), &ei), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, "commits to"));
	hf_deposit_keys_clear(&keys);
	box_free(&b);
}

/* Index pages of the same chunks under another content key, made by a package writer. */
struct forged {
	struct box *box;
	uint8_t index[HF_INDEX_PAGE_MAX];
	size_t index_len;
	uint8_t digest[HF_SM3_LEN];
};

static hf_err forged_data(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	(void)bytes;
	(void)len;
	return HF_OK;
}

static hf_err forged_pack(void *ctx, const uint8_t id[HF_SM3_LEN], uint32_t len)
{
	const struct forged *x = ctx;

	/* The same sealed bytes: what differs is only who can read where the keys are. */
	assert_memory_equal(box_find(x->box, HF_OBJECT_PACK)->name, id, HF_SM3_LEN);
	assert_int_equal(len, N_CHUNKS * SEALED_LEN);
	return HF_OK;
}

static hf_err forged_page(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	const uint8_t *bytes, size_t len)
{
	struct forged *x = ctx;

	if (kind == HF_OBJECT_INDEX) {
		memcpy(x->index, bytes, len);
		memcpy(x->digest, name, HF_SM3_LEN);
		x->index_len = len;
	}
	return HF_OK;
}

/* Seals the file once more under K_dom and salt of the release, but with another content key. */
static void forge_index(struct fix *f, struct forged *x, const struct hf_manifest *m,
	const struct hf_deposit_keys *keys)
{
	struct hf_pkg_writer_config config = { .mem = &test_mem,
		.sink = { forged_data, forged_pack, forged_page, x } };
	struct hf_pkg_file file = { .path = "model.bin", .len = FILE_LEN };
	struct hf_pkg_writer *w = NULL;
	struct hf_chunk_keys chunk_keys;
	struct hf_codec codec;
	struct hf_pkg_body body;
	size_t len = 0;
	uint8_t *plain = fix_load(path_of(f, "model.bin"), &len);
	uint8_t *ct = malloc(SEALED_LEN);

	assert_non_null(ct);
	hf_manifest_scope(&config.scope, m);
	memset(config.cek, 0xbb, sizeof(config.cek));
	memcpy(config.salt, m->body.salt, sizeof(config.salt));
	assert_ok(hf_chunk_keys_init(&chunk_keys, keys->k_dom, &config.scope, NULL));
	assert_ok(hf_codec_init(&codec, &test_mem, HF_CODEC_ENCODE, FIX_CUT));
	assert_ok(hf_pkg_writer_new(&w, &config));
	assert_ok(hf_pkg_writer_file(w, &file));
	for (uint64_t at = 0; at < FILE_LEN; at += FIX_CUT) {
		struct hf_sealed s = { .chunk = { .tensor = HF_CHUNK_NO_TENSOR, .offset = at },
			.ct = ct,
			.ct_cap = SEALED_LEN };

		assert_ok(hf_chunk_seal(&s, &chunk_keys, &codec, plain + at, FIX_CUT));
		assert_ok(hf_pkg_writer_chunk(w, &s));
	}
	assert_ok(hf_pkg_writer_finish(w, &body));
	assert_memory_not_equal(body.commitment, m->body.commitment, HF_SM3_LEN);
	hf_pkg_writer_free(w);
	hf_codec_clear(&codec);
	free(ct);
	free(plain);
}

static void put_forged(struct hf_manifest *m, void *ctx)
{
	struct forged *x = ctx;

	m->body.index_pages = (struct hf_bytes){ x->digest, sizeof(x->digest) };
}

static void two_content_keys_for_one_ciphertext_open_nothing(void **state)
{
	struct fix *f = *state;
	struct forged *x = calloc(1, sizeof(*x));
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_grant_context context;
	struct hf_deposit_keys keys;
	struct hf_manifest m;
	struct hf_bytes content;
	struct box_member *member;
	struct box b;

	assert_non_null(x);
	box_load(&b, f, path_of(f, "model.hufu"));
	x->box = &b;
	member = box_find(&b, HF_OBJECT_MANIFEST);
	assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST,
		(struct hf_bytes){ member->bytes, member->len }, NULL));
	assert_ok(hf_manifest_parse(&m, content, NULL));
	fix_deposit_keys(f, &b, &context, &keys);
	forge_index(f, x, &m, &keys);
	box_replace(box_find(&b, HF_OBJECT_INDEX), (struct hf_bytes){ x->index, x->index_len });

	/* The committed key does not open the forged pages … */
	fix_reissue(f, &b, 1, put_forged, x);
	box_save(&b, path_of(f, "attack.hufu"));
	fix_assert_refused(f, path_of(f, "attack.hufu"), HF_ERR_AUTH);

	/* … and the key that would is refused before it is tried. */
	fix_deposit_keys(f, &b, &context, &keys);
	memset(keys.cek, 0xbb, sizeof(keys.cek));
	fix_put_deposit(f, &b, &context, &keys);
	box_save(&b, path_of(f, "attack.hufu"));
	assert_err(fix_open(f, path_of(f, "attack.hufu"), path_of(f, "refused"), &ei), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, "commits to"));
	assert_false(fix_exists(path_of(f, "refused")));
	hf_deposit_keys_clear(&keys);
	box_free(&b);
	free(x);
}

static void two_manifests_in_one_bundle_must_be_told_apart(void **state)
{
	struct fix *f = *state;
	struct hf_errinfo ei = { .code = HF_OK };
	struct box_member *m;
	struct box other;
	struct box b;

	box_load(&b, f, path_of(f, "model.hufu"));
	box_load(&other, f, path_of(f, "model.hufu"));
	fix_reissue(f, &other, 2, no_change, NULL);
	m = box_find(&other, HF_OBJECT_MANIFEST);
	(void)box_add(&b, HF_OBJECT_MANIFEST, m->name, m->bytes, m->len);
	box_save(&b, path_of(f, "attack.hufu"));
	assert_err(fix_verify(f, path_of(f, "attack.hufu"), &ei), HF_ERR_FORMAT);
	assert_non_null(strstr(ei.text, "2 manifests"));
	box_free(&other);
	box_free(&b);
}

static void names_of_releases_are_read_strictly(void **state)
{
	static const char hex[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	uint8_t name[HF_SM3_LEN];
	char text[100];

	(void)state;
	assert_ok(hf_release_name_parse(name, hex, NULL));
	assert_int_equal(name[1], 0x11);
	(void)snprintf(text, sizeof(text), "manifest/%s", hex);
	assert_ok(hf_release_name_parse(name, text, NULL));
	(void)snprintf(text, sizeof(text), "table/%s", hex);
	assert_err(hf_release_name_parse(name, text, NULL), HF_ERR_ARG);
	(void)snprintf(text, sizeof(text), "%s0", hex);
	assert_err(hf_release_name_parse(name, text, NULL), HF_ERR_ARG);
	(void)snprintf(text, sizeof(text), "%.62s", hex);
	assert_err(hf_release_name_parse(name, text, NULL), HF_ERR_ARG);
	(void)snprintf(text, sizeof(text), "%.63sg", hex);
	assert_err(hf_release_name_parse(name, text, NULL), HF_ERR_ARG);
	assert_err(hf_release_name_parse(name, "", NULL), HF_ERR_ARG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_untouched_bundle_opens),
		cmocka_unit_test(an_altered_byte_in_any_object_is_refused),
		cmocka_unit_test(an_altered_deposit_is_refused),
		cmocka_unit_test(an_altered_object_under_its_new_name_is_refused),
		cmocka_unit_test(an_altered_root_in_the_bundle_is_refused),
		cmocka_unit_test(a_bundle_cut_at_any_block_is_refused),
		cmocka_unit_test(chunks_in_another_order_are_refused),
		cmocka_unit_test(a_chunk_in_the_place_of_its_neighbour_is_refused),
		cmocka_unit_test(two_chunks_that_changed_places_are_refused),
		cmocka_unit_test(a_pack_that_lost_its_last_chunk_is_refused),
		cmocka_unit_test(the_pack_of_another_package_is_refused),
		cmocka_unit_test(a_missing_object_is_named),
		cmocka_unit_test(the_deposit_of_another_release_opens_nothing),
		cmocka_unit_test(a_release_of_a_foreign_domain_is_refused),
		cmocka_unit_test(a_publisher_cannot_speak_for_another_domain),
		cmocka_unit_test(a_threshold_of_two_refuses_one_publisher),
		cmocka_unit_test(an_expired_release_is_refused),
		cmocka_unit_test(what_falls_short_of_its_level_is_refused_with_the_rows_name),
		cmocka_unit_test(a_second_content_key_is_not_the_one_that_was_committed_to),
		cmocka_unit_test(two_content_keys_for_one_ciphertext_open_nothing),
		cmocka_unit_test(two_manifests_in_one_bundle_must_be_told_apart),
		cmocka_unit_test(names_of_releases_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, setup, fix_group_teardown);
}
