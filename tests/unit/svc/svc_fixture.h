/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain on a disk for tests, what is sealed in it, and bundles taken apart: each member can be
 * altered, renamed, dropped or signed anew before the bundle is put together again.
 */
#ifndef TEST_SVC_FIXTURE_H
#define TEST_SVC_FIXTURE_H

#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/endian.h"
#include "crypto/module.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/file.h"
#include "pkg/grant.h"
#include "svc/bundle_file.h"
#include "svc/domain.h"
#include "svc/release.h"
#include "svc/seal.h"
#include "svc/unpack.h"
#include "tmp.h"

enum { FIX_SHARES = 5, FIX_THRESHOLD = 3, FIX_DAY = 86400, FIX_CUT = 64 << 10, BOX_MAX = 64 };

/* A domain with two publishers. */
struct fix {
	char tmp[TEST_PATH_MAX]; /* everything lies in here */
	char domain[TEST_PATH_MAX];
	char hub[TEST_PATH_MAX];
	char publisher[TEST_PATH_MAX];
	char second[TEST_PATH_MAX];
	struct test_rng rng_state;
	struct hf_env env; /* no pool: work is done by the caller */
	struct hf_share shares[FIX_SHARES];
	uint8_t wrap[HF_KEY_SEED_LEN]; /* what wraps the hub's keys */
};

static inline void fix_path(char out[TEST_PATH_MAX], const char *dir, const char *name)
{
	assert_true(snprintf(out, TEST_PATH_MAX, "%s/%s", dir, name) < TEST_PATH_MAX);
}

static inline struct hf_domain_spec fix_domain_spec(const struct fix *f)
{
	return (struct hf_domain_spec){ .dir = f->domain,
		.name = "plant-7",
		.hub = "hub-1",
		.n_publishers = 2,
		.threshold = FIX_THRESHOLD,
		.n_shares = FIX_SHARES,
		.level = HF_L3 };
}

/* Somewhere to make a domain, and an environment. */
static inline void fix_begin(struct fix *f, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	assert_ok(hf_module_start(hf_os_cpu()));
	test_tmp_make(f->tmp);
	f->env.mem = &test_mem;
	f->env.rng = test_rng(&f->rng_state, seed);
	fix_path(f->domain, f->tmp, "domain");
	fix_path(f->hub, f->domain, "hub");
	fix_path(f->publisher, f->domain, "publisher");
	fix_path(f->second, f->domain, "publisher-2");
}

static inline void fix_make(struct fix *f)
{
	struct hf_domain_spec spec = fix_domain_spec(f);
	uint8_t seed[HF_KEY_SEED_LEN];
	struct hf_slots slots;

	assert_ok(hf_domain_init(&f->env, &spec, f->shares, NULL));
	assert_ok(hf_domain_slots(&slots, &f->env, f->hub, NULL));
	assert_ok(hf_slots_open_shares(seed, &slots, f->shares, FIX_THRESHOLD, NULL));
	assert_ok(hf_root_derive(f->wrap, seed, "wrap"));
}

static inline struct fix *fix_new(uint64_t seed)
{
	struct fix *f = malloc(sizeof(*f));

	assert_non_null(f);
	fix_begin(f, seed);
	fix_make(f);
	return f;
}

static inline void fix_free(struct fix *f)
{
	test_tmp_delete(f->tmp);
	free(f);
}

/* One domain for all tests of a program. */
static inline int fix_group_setup(void **state)
{
	*state = fix_new(20260101);
	return 0;
}

static inline int fix_group_teardown(void **state)
{
	fix_free(*state);
	return 0;
}

/* Random bytes as a file in the fixture's folder. */
static inline void fix_random_file(struct fix *f, const char *name, size_t len)
{
	uint8_t *bytes = malloc(len == 0 ? 1 : len);

	assert_non_null(bytes);
	assert_ok(hf_rng_fill(&f->env.rng, bytes, len));
	test_file_put(test_path(f->tmp, name), bytes, len);
	free(bytes);
}

/* The file's bytes; free() them. */
static inline uint8_t *fix_load(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *len), *len);
	(void)close(fd);
	return bytes;
}

static inline bool fix_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static inline void fix_assert_same(const char *a, const char *b)
{
	size_t a_len = 0;
	size_t b_len = 0;
	uint8_t *x = fix_load(a, &a_len);
	uint8_t *y = fix_load(b, &b_len);

	assert_int_equal(a_len, b_len);
	assert_memory_equal(x, y, a_len);
	free(x);
	free(y);
}

/* What most tests seal: one file, one publisher, lineage "digits", release 7. */
struct fix_seal {
	const char *parties[2];
	const char *files[4];
	char file[4][TEST_PATH_MAX];
	char out[TEST_PATH_MAX];
	struct hf_seal_spec spec;
};

static inline void fix_seal_init(struct fix_seal *s, const struct fix *f, const char *out)
{
	memset(s, 0, sizeof(*s));
	s->parties[0] = f->publisher;
	s->parties[1] = f->second;
	fix_path(s->out, f->tmp, out);
	for (unsigned i = 0; i < 4; i++)
		s->files[i] = s->file[i];
	s->spec = (struct hf_seal_spec){ .parties = s->parties,
		.n_parties = 1,
		.files = s->files,
		.out = s->out,
		.lineage = "digits",
		.version = "1.4.2",
		.epoch = 1,
		.release = 7,
		.floor = 5,
		.level = HF_L1,
		.life_s = (uint64_t)30 * FIX_DAY,
		.cut = FIX_CUT };
}

static inline void fix_seal_add(struct fix_seal *s, const struct fix *f, const char *name)
{
	fix_path(s->file[s->spec.n_files++], f->tmp, name);
}

/* Seals one file of random bytes into <tmp>/<out>. */
static inline void fix_seal_random(struct fix *f, const char *name, size_t len, const char *out)
{
	struct hf_seal_result result;
	struct fix_seal s;

	fix_random_file(f, name, len);
	fix_seal_init(&s, f, out);
	fix_seal_add(&s, f, name);
	assert_ok(hf_seal(&f->env, &s.spec, &result, NULL));
}

/* What the hub does with a bundle: everything that `hufu open` checks, then the files. */
static inline hf_err fix_open(
	struct fix *f, const char *bundle, const char *dir, struct hf_errinfo *ei)
{
	struct hf_bundle_file b = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	struct hf_release r = { .objects = NULL };
	struct hf_party hub;
	struct hf_sm2_key key = { .d = { 0 } };
	struct hf_local_key local = { .key = &key, .rng = &f->env.rng };
	struct hf_decrypter decrypter;
	struct hf_index_keys keys;
	hf_err e;

	assert_ok(hf_party_open(&hub, &f->env, f->hub, NULL));
	assert_ok(hf_party_key(&f->env, &hub, "enc", f->wrap, &key, NULL));
	decrypter = hf_decrypter_local(&local);
	e = hf_bundle_file_open(&b, &f->env, bundle, ei);
	objects = hf_bundle_file_objects(&b);
	if (e == HF_OK)
		e = hf_release_load(&r, &f->env, &objects, NULL, &hub.root, ei);
	if (e == HF_OK)
		e = hf_release_rows(&r, hf_clock_wall_s(), ei);
	if (e == HF_OK)
		e = hf_release_deposit_keys(&f->env, &r, &hub, &decrypter, &keys, ei);
	if (e == HF_OK)
		e = hf_unpack(&f->env, &r, &keys, dir, NULL, ei);
	hf_release_clear(&r);
	hf_bundle_file_close(&b);
	hf_party_clear(&hub);
	hf_sm2_key_clear(&key);
	return e;
}

/* What everybody with the trust root can check. */
static inline hf_err fix_verify(struct fix *f, const char *bundle, struct hf_errinfo *ei)
{
	struct hf_bundle_file b = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	struct hf_release r = { .objects = NULL };
	struct hf_pkg_totals totals;
	struct hf_party party;
	hf_err e;

	assert_ok(hf_party_open(&party, &f->env, f->publisher, NULL));
	e = hf_bundle_file_open(&b, &f->env, bundle, ei);
	objects = hf_bundle_file_objects(&b);
	if (e == HF_OK)
		e = hf_release_load(&r, &f->env, &objects, NULL, &party.root, ei);
	if (e == HF_OK)
		e = hf_release_verify(&f->env, &r, NULL, &totals, ei);
	hf_release_clear(&r);
	hf_bundle_file_close(&b);
	hf_party_clear(&party);
	return e;
}

/* Opening is refused with a code, and nothing is left behind. */
static inline void fix_assert_refused(struct fix *f, const char *bundle, hf_err expected)
{
	struct hf_errinfo ei = { .code = HF_OK };
	const char *dir = test_path(f->tmp, "refused");
	hf_err e = fix_open(f, bundle, dir, &ei);

	if (e != expected)
		print_error("%s, not %s: %s\n", hf_err_name(e), hf_err_name(expected), ei.text);
	assert_int_equal(e, expected);
	assert_int_equal(ei.code, expected);
	assert_true(ei.text[0] != '\0');
	assert_false(fix_exists(dir));
}

/* A bundle taken apart. */
struct box {
	struct box_member {
		enum hf_object kind;
		uint8_t name[HF_SM3_LEN];
		uint8_t *bytes;
		size_t len;
	} m[BOX_MAX];
	size_t n;
};

static inline struct box_member *box_add(struct box *b, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], const uint8_t *bytes, size_t len)
{
	struct box_member *m = &b->m[b->n++];

	assert_true(b->n <= BOX_MAX);
	m->kind = kind;
	memcpy(m->name, name, HF_SM3_LEN);
	m->bytes = malloc(len + 1);
	assert_non_null(m->bytes);
	memcpy(m->bytes, bytes, len);
	m->len = len;
	return m;
}

static inline void box_load(struct box *b, const struct fix *f, const char *path)
{
	struct hf_bundle_file file;
	size_t len = 0;
	uint8_t *all = fix_load(path, &len);

	b->n = 0;
	assert_ok(hf_bundle_file_open(&file, &f->env, path, NULL));
	for (size_t i = 0; i < file.n_members; i++) {
		const struct hf_bundle_member *m = &file.members[i];

		(void)box_add(b, m->kind, m->name, all + m->offset, (size_t)m->len);
	}
	hf_bundle_file_close(&file);
	free(all);
}

static inline void box_free(struct box *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->m[i].bytes);
	b->n = 0;
}

static inline struct box_member *box_find(struct box *b, enum hf_object kind)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->m[i].kind == kind)
			return &b->m[i];
	fail_msg("no %s in the bundle", hf_object_kind(kind));
	return NULL;
}

static inline void box_drop(struct box *b, struct box_member *m)
{
	free(m->bytes);
	*m = b->m[--b->n];
}

/* Gives the member the name of its bytes again, as somebody who alters it would. */
static inline void box_rename(struct box_member *m)
{
	hf_object_name(m->name, m->bytes, m->len);
}

/* Puts other bytes into the place of a member, named by their digest. */
static inline void box_replace(struct box_member *m, struct hf_bytes object)
{
	free(m->bytes);
	m->bytes = malloc(object.len + 1);
	assert_non_null(m->bytes);
	memcpy(m->bytes, object.p, object.len);
	m->len = object.len;
	box_rename(m);
}

static inline void box_save(const struct box *b, const char *path)
{
	static const uint8_t zero[HF_BUNDLE_END_LEN];
	uint8_t head[HF_BUNDLE_HEAD_MAX];
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	hf_bundle_start_emit(head);
	assert_int_equal(fwrite(head, 1, HF_BUNDLE_START_LEN, f), HF_BUNDLE_START_LEN);
	for (size_t i = 0; i < b->n; i++) {
		const struct box_member *m = &b->m[i];
		size_t n = hf_bundle_head_emit(head, m->kind, m->name, m->len);

		assert_int_equal(fwrite(head, 1, n, f), n);
		assert_int_equal(fwrite(m->bytes, 1, m->len, f), m->len);
		n = hf_bundle_padding(m->len);
		assert_int_equal(fwrite(zero, 1, n, f), n);
	}
	assert_int_equal(fwrite(zero, 1, sizeof(zero), f), sizeof(zero));
	assert_int_equal(fclose(f), 0);
}

/* Signs content as publishers of the fixture (n_signers of them: 1 or 2). */
static inline void fix_sign(struct fix *f, struct hf_buf *object, enum hf_object kind,
	struct hf_bytes content, size_t n_signers)
{
	const char *dirs[2] = { f->publisher, f->second };
	struct hf_sm2_key key[2];
	struct hf_local_key local[2];
	struct hf_signer signer[2];
	const struct hf_signer *signers[2];

	for (size_t i = 0; i < n_signers; i++) {
		uint8_t seed[HF_KEY_SEED_LEN];
		struct hf_party p;

		assert_ok(hf_party_open(&p, &f->env, dirs[i], NULL));
		assert_ok(hf_party_seed(&f->env, dirs[i], false, seed, NULL));
		assert_ok(hf_party_key(&f->env, &p, "sign", seed, &key[i], NULL));
		local[i] = (struct hf_local_key){ &key[i], &f->env.rng };
		signer[i] = hf_signer_local(&local[i]);
		signers[i] = &signer[i];
		hf_party_clear(&p);
	}
	assert_ok(hf_object_sign(object, kind, content, signers, n_signers, NULL));
}

/* The keys that the deposit in the box carries; the context that it is bound to. */
static inline void fix_deposit_keys(struct fix *f, struct box *b, struct hf_grant_context *context,
	struct hf_deposit_keys *keys)
{
	const struct box_member *m = box_find(b, HF_OBJECT_DEPOSIT);
	struct hf_sm2_key key;
	struct hf_local_key local = { .key = &key, .rng = &f->env.rng };
	struct hf_decrypter decrypter;
	struct hf_cms_party self;
	struct hf_bytes content;
	struct hf_party hub;
	struct hf_grant g;

	assert_ok(hf_party_open(&hub, &f->env, f->hub, NULL));
	assert_ok(hf_party_key(&f->env, &hub, "enc", f->wrap, &key, NULL));
	decrypter = hf_decrypter_local(&local);
	self = (struct hf_cms_party){ .pub = hub.enc.key, .cert = &hub.enc };
	assert_ok(hf_object_peek(
		&content, HF_OBJECT_DEPOSIT, (struct hf_bytes){ m->bytes, m->len }, NULL));
	assert_ok(hf_grant_parse(&g, HF_OBJECT_DEPOSIT, content, NULL));
	hf_deposit_keys_init(keys, &test_mem);
	assert_ok(hf_deposit_unwrap(keys, &g, &self, &decrypter, NULL));
	*context = g.context;
	hf_party_clear(&hub);
}

/* Seals these keys to the hub and puts the deposit in the place of the one in the box. */
static inline void fix_put_deposit(struct fix *f, struct box *b,
	const struct hf_grant_context *context, const struct hf_deposit_keys *keys)
{
	struct hf_buf content;
	struct hf_buf object;
	struct hf_party hub;
	struct hf_cms_party to;

	hf_buf_init(&content, &test_mem, 1 << 20);
	hf_buf_init(&object, &test_mem, 1 << 20);
	assert_ok(hf_party_open(&hub, &f->env, f->hub, NULL));
	to = (struct hf_cms_party){ .pub = hub.enc.key, .cert = &hub.enc };
	assert_ok(hf_deposit_emit(&content, context, keys, &to, &f->env.rng, NULL));
	fix_sign(f, &object, HF_OBJECT_DEPOSIT, (struct hf_bytes){ content.p, content.len }, 1);
	box_replace(box_find(b, HF_OBJECT_DEPOSIT), (struct hf_bytes){ object.p, object.len });
	hf_party_clear(&hub);
	hf_buf_clear(&content);
	hf_buf_clear(&object);
}

/*
 * A publisher changes its manifest: change() edits it, n_signers sign it, and the deposit is made
 * for it. Everything is genuine but what was changed.
 */
static inline void fix_reissue(struct fix *f, struct box *b, size_t n_signers,
	void (*change)(struct hf_manifest *m, void *ctx), void *ctx)
{
	struct box_member *member = box_find(b, HF_OBJECT_MANIFEST);
	struct hf_grant_context context;
	struct hf_deposit_keys keys;
	struct hf_manifest m;
	struct hf_bytes content;
	struct hf_buf changed;
	struct hf_buf object;

	fix_deposit_keys(f, b, &context, &keys);
	hf_buf_init(&changed, &test_mem, 1 << 20);
	hf_buf_init(&object, &test_mem, 1 << 20);
	assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST,
		(struct hf_bytes){ member->bytes, member->len }, NULL));
	assert_ok(hf_manifest_parse(&m, content, NULL));
	change(&m, ctx);
	assert_ok(hf_manifest_emit(&changed, &m, NULL));
	fix_sign(f, &object, HF_OBJECT_MANIFEST, (struct hf_bytes){ changed.p, changed.len },
		n_signers);
	box_replace(member, (struct hf_bytes){ object.p, object.len });
	memcpy(context.manifest, member->name, HF_SM3_LEN);
	fix_put_deposit(f, b, &context, &keys);
	hf_deposit_keys_clear(&keys);
	hf_buf_clear(&changed);
	hf_buf_clear(&object);
}

#endif
