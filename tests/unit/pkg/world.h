/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small domain for tests: keys of every role, two devices, a package of two files in memory, and
 * the statements about it. Change a field of the world, issue again, ask again.
 */
#ifndef TEST_PKG_WORLD_H
#define TEST_PKG_WORLD_H

#include "test.h"

#include <stdio.h>

#include "base/endian.h"
#include "crypto/module.h"
#include "pkg/bundle.h"
#include "pkg/pkg_reader.h"
#include "pkg/pkg_writer.h"
#include "pkg/planner.h"
#include "pkg/trust.h"
#include "pkg/upload.h"

#define NOW UINT64_C(1800000000)
#define DAY UINT64_C(86400)

enum who { ROOT_A, ROOT_B, PUB_A, PUB_B, PUB_C, DIRECTOR, DEVICE, FOREIGN, HUB, STRANGER, N_WHO };

enum { STORE_MAX = 64, CONFIG_LEN = 300, SMALL = 1000, BIG = 200 * 1024, CUT = 64 << 10 };

struct stored {
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	uint8_t *bytes;
	size_t len;
};

struct world {
	struct test_rng rng_state;
	struct hf_rng rng;
	struct hf_sm2_key keys[N_WHO];
	struct hf_local_key local[N_WHO];
	struct hf_signer signers[N_WHO];
	struct hf_decrypter device_key;
	struct hf_trust_device device;
	const char *tags[2];

	uint8_t *config; /* file 0 */
	uint8_t *model;  /* file 1 */
	size_t model_len;

	uint8_t k_dom[HF_KDOM_LEN];
	uint8_t cek[HF_CEK_LEN];
	uint8_t salt[HF_PKG_SALT_LEN];
	bool no_dedupe;
	enum hf_codec_use codec;
	struct hf_pkg_scope scope;
	struct hf_pkg_writer *writer;
	struct hf_pkg_body body;
	struct stored store[STORE_MAX];
	size_t n_stored;
	struct hf_buf pack;

	struct hf_root root;
	struct hf_manifest manifest;
	struct hf_channel channel;
	struct hf_channel_release entry;
	struct hf_grant_context grant;
	enum who grant_to;
	unsigned n_publishers;
	enum who channel_by;
	enum who grant_by;
	struct hf_buf root_obj;
	struct hf_buf manifest_obj;
	struct hf_buf channel_obj;
	struct hf_buf grant_obj;
	struct hf_trust_query query;
	unsigned n_persisted;
	struct hf_trust_state persisted;
};

static inline struct hf_bytes bytes_of(const struct hf_buf *b)
{
	return (struct hf_bytes){ b->p, b->len };
}

static inline hf_err world_pack_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;

	return hf_buf_put(&w->pack, bytes, len);
}

static inline void world_keep(struct world *w, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	const uint8_t *bytes, size_t len)
{
	struct stored *s = &w->store[w->n_stored];

	assert_true(w->n_stored < STORE_MAX);
	s->kind = kind;
	memcpy(s->name, name, HF_SM3_LEN);
	s->bytes = malloc(len == 0 ? 1 : len);
	assert_non_null(s->bytes);
	memcpy(s->bytes, bytes, len);
	s->len = len;
	w->n_stored++;
}

static inline hf_err world_pack_done(void *ctx, const uint8_t id[HF_SM3_LEN], uint32_t len)
{
	struct world *w = ctx;

	assert_int_equal(w->pack.len, len);
	world_keep(w, HF_OBJECT_PACK, id, w->pack.p, w->pack.len);
	hf_buf_reset(&w->pack);
	return HF_OK;
}

static inline hf_err world_page(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	const uint8_t *bytes, size_t len)
{
	world_keep(ctx, kind, name, bytes, len);
	return HF_OK;
}

static inline struct stored *world_find(
	struct world *w, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	for (size_t i = 0; i < w->n_stored; i++)
		if (w->store[i].kind == kind && memcmp(w->store[i].name, name, HF_SM3_LEN) == 0)
			return &w->store[i];
	return NULL;
}

static inline struct stored *world_first(struct world *w, enum hf_object kind)
{
	for (size_t i = 0; i < w->n_stored; i++)
		if (w->store[i].kind == kind)
			return &w->store[i];
	return NULL;
}

/* A source of pages over the store. */
static inline hf_err world_get_page(
	void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN], uint8_t *out, size_t *len)
{
	struct stored *s = world_find(ctx, kind, name);

	if (s == NULL)
		return HF_ERR_NOT_FOUND;
	if (s->len > *len)
		return HF_ERR_LIMIT;
	memcpy(out, s->bytes, s->len);
	*len = s->len;
	return HF_OK;
}

static inline struct hf_pkg_source world_source(struct world *w)
{
	return (struct hf_pkg_source){ world_get_page, w };
}

/* A safetensors file with two small tensors and a long one. */
static inline void world_files(struct world *w)
{
	char json[512];
	int n = snprintf(json, sizeof(json),
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
		"\"b\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]},"
		"\"c\":{\"dtype\":\"BF16\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}",
		SMALL, SMALL, SMALL, SMALL, 2 * SMALL, BIG / 2, 2 * SMALL, 2 * SMALL + BIG);

	w->model_len = 8 + (size_t)n + 2 * SMALL + BIG;
	w->model = malloc(w->model_len);
	w->config = malloc(CONFIG_LEN);
	assert_true(w->model != NULL && w->config != NULL);
	hf_put_le64(w->model, (uint64_t)n);
	memcpy(w->model + 8, json, (size_t)n);
	assert_ok(hf_rng_fill(&w->rng, w->model + 8 + n, 2 * SMALL + BIG));
	memset(w->config, 'x', CONFIG_LEN);
}

static inline void world_seal_file(struct world *w, const char *path, uint16_t format,
	const uint8_t *bytes, size_t len, const struct hf_chunk_keys *keys)
{
	struct hf_pkg_file f = { .len = len, .format = format };
	struct hf_model_map map = { 0 };
	struct hf_planner planner;
	struct hf_codec codec = { 0 };
	struct hf_cut cut;
	uint64_t head_len = 0;
	enum hf_model_format found = hf_model_sniff(&head_len, bytes, len < 16 ? len : 16, len);

	(void)snprintf(f.path, sizeof(f.path), "%s", path);
	assert_ok(hf_model_map_parse(
		&map, found, bytes, (size_t)head_len, 1 << 20, len, w->pack.mem, NULL));
	assert_ok(hf_codec_init(&codec, w->pack.mem, w->codec, hf_planner_chunk_max(CUT)));
	assert_ok(hf_planner_init(&planner, &map, len, CUT));
	assert_ok(hf_pkg_writer_file(w->writer, &f));
	while (hf_planner_next(&planner, &cut)) {
		struct hf_sealed s = { .chunk = { .tensor = cut.tensor, .offset = cut.offset } };

		s.ct_cap = cut.len + HF_CHUNK_TAG_LEN;
		s.ct = malloc(s.ct_cap);
		assert_non_null(s.ct);
		assert_ok(hf_chunk_seal(&s, keys, &codec, bytes + cut.offset, cut.len));
		assert_ok(hf_pkg_writer_chunk(w->writer, &s));
		free(s.ct);
	}
	hf_codec_clear(&codec);
	hf_model_map_clear(&map);
}

static inline void world_unpack(struct world *w)
{
	hf_pkg_writer_free(w->writer);
	w->writer = NULL;
	for (size_t i = 0; i < w->n_stored; i++)
		free(w->store[i].bytes);
	w->n_stored = 0;
}

/* Seals both files under the world's keys and scope. */
static inline void world_seal(struct world *w)
{
	struct hf_pkg_writer_config config = { .mem = &test_mem,
		.sink = { world_pack_data, world_pack_done, world_page, w },
		.scope = w->scope,
		.pack_max = 128 << 10 };
	struct hf_chunk_keys keys;

	world_unpack(w);
	memcpy(config.cek, w->cek, HF_CEK_LEN);
	memcpy(config.salt, w->salt, HF_PKG_SALT_LEN);
	assert_ok(hf_chunk_keys_init(&keys, w->k_dom, &w->scope, w->no_dedupe ? w->salt : NULL));
	assert_ok(hf_pkg_writer_new(&w->writer, &config));
	world_seal_file(w, "config.json", HF_MODEL_UNKNOWN, w->config, CONFIG_LEN, &keys);
	world_seal_file(
		w, "model.safetensors", HF_MODEL_SAFETENSORS, w->model, w->model_len, &keys);
	assert_ok(hf_pkg_writer_finish(w->writer, &w->body));
	hf_chunk_keys_clear(&keys);
}

static inline void world_sign(struct world *w, struct hf_buf *out, enum hf_object kind,
	struct hf_buf *content, const enum who *by, size_t n)
{
	const struct hf_signer *signers[N_WHO];

	for (size_t i = 0; i < n; i++)
		signers[i] = &w->signers[by[i]];
	hf_buf_clear(out);
	assert_ok(hf_object_sign(out, kind, bytes_of(content), signers, n, NULL));
	hf_buf_clear(content);
}

static inline void world_issue_root(struct world *w, struct hf_buf *out, const struct hf_root *root,
	const enum who *by, size_t n)
{
	struct hf_buf content;

	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_root_emit(&content, root, NULL));
	world_sign(w, out, HF_OBJECT_ROOT, &content, by, n);
}

static inline void world_issue_manifest(struct world *w)
{
	static const enum who by[] = { PUB_A, PUB_B, PUB_C };
	struct hf_buf content;

	hf_buf_init(&content, &test_mem, 1 << 20);
	w->manifest.body = w->body;
	w->manifest.body.has_marks = w->manifest.level == HF_L3;
	assert_ok(hf_manifest_emit(&content, &w->manifest, NULL));
	world_sign(w, &w->manifest_obj, HF_OBJECT_MANIFEST, &content, by, w->n_publishers);
	w->query.manifest = bytes_of(&w->manifest_obj);
}

static inline void world_issue_channel(struct world *w)
{
	struct hf_buf content;
	struct hf_buf list;

	hf_buf_init(&content, &test_mem, 1 << 20);
	hf_buf_init(&list, &test_mem, 1 << 20);
	assert_ok(hf_channel_release_put(&list, &w->entry));
	w->channel.releases = bytes_of(&list);
	assert_ok(hf_channel_emit(&content, &w->channel, NULL));
	world_sign(w, &w->channel_obj, HF_OBJECT_CHANNEL, &content, &w->channel_by, 1);
	hf_buf_clear(&list);
	w->query.channel = bytes_of(&w->channel_obj);
}

static inline void world_issue_grant(struct world *w)
{
	struct hf_cms_party to = { .pub = w->keys[w->grant_to].pub };
	struct hf_grant_keys keys;
	struct hf_buf content;

	hf_buf_init(&content, &test_mem, 1 << 20);
	hf_grant_keys_init(&keys, &test_mem);
	memcpy(keys.cek, w->cek, HF_CEK_LEN);
	assert_ok(hf_grant_emit(&content, &w->grant, &keys, &to, &w->rng, NULL));
	world_sign(w, &w->grant_obj, HF_OBJECT_GRANT, &content, &w->grant_by, 1);
	hf_grant_keys_clear(&keys);
	w->query.grant = bytes_of(&w->grant_obj);
}

/* Names the manifest in channel and grant, and issues both. */
static inline void world_issue_rest(struct world *w)
{
	hf_object_name(w->entry.manifest, w->manifest_obj.p, w->manifest_obj.len);
	memcpy(w->grant.manifest, w->entry.manifest, HF_SM3_LEN);
	world_issue_channel(w);
	world_issue_grant(w);
}

static inline void world_issue(struct world *w)
{
	world_issue_manifest(w);
	world_issue_rest(w);
}

static inline hf_err world_persist(
	void *ctx, const struct hf_trust_state *state, const struct hf_root *root)
{
	struct world *w = ctx;

	assert_true(root->version == state->root_version);
	w->n_persisted++;
	w->persisted = *state;
	return HF_OK;
}

static inline void world_roles(struct world *w)
{
	w->root = (struct hf_root){ .domain = "plant-7",
		.version = 1,
		.issued_s = NOW - 10 * DAY,
		.expires_s = NOW + 365 * DAY };
	w->root.roles[HF_ROOT_ROOT] = (struct hf_key_set){
		.keys = { w->keys[ROOT_A].pub, w->keys[ROOT_B].pub }, .n = 2, .threshold = 2
	};
	w->root.roles[HF_ROOT_PUBLISHER] = (struct hf_key_set){
		.keys = { w->keys[PUB_A].pub, w->keys[PUB_B].pub, w->keys[PUB_C].pub },
		.n = 3,
		.threshold = 1
	};
	w->root.roles[HF_ROOT_DIRECTOR] = hf_key_set_one(&w->keys[DIRECTOR].pub);
	w->root.roles[HF_ROOT_POLICY] = hf_key_set_one(&w->keys[ROOT_A].pub);
}

static inline void world_statements(struct world *w)
{
	w->manifest = (struct hf_manifest){ .domain = "plant-7",
		.lineage = "digits",
		.version = "1.4.2",
		.epoch = 1,
		.release = 7,
		.floor = 5,
		.level = HF_L1,
		.created_s = NOW - DAY,
		.expires_s = NOW + 20 * DAY };
	w->channel = (struct hf_channel){ .domain = "plant-7",
		.serial = 100,
		.root_version = 1,
		.issued_s = NOW - 3600,
		.expires_s = NOW + 2 * DAY };
	w->entry = (struct hf_channel_release){
		.lineage = "digits", .release = 7, .floor = 5, .level = HF_L1
	};
	w->grant = (struct hf_grant_context){ .domain = "plant-7",
		.lineage = "digits",
		.epoch = 1,
		.release = 7,
		.recipient = "dev-1",
		.issued_s = NOW - 60,
		.not_after_s = NOW + 30 * DAY,
		.level = HF_L1,
		.may_travel = true };
	memset(w->grant.cert, 0xd1, HF_SM3_LEN);
	w->grant_to = DEVICE;
	w->n_publishers = 1;
	w->channel_by = DIRECTOR;
	w->grant_by = DIRECTOR;
}

static inline void world_query(struct world *w)
{
	w->tags[0] = "arch=arm64";
	w->tags[1] = "npu=x1";
	w->device_key = hf_decrypter_local(&w->local[DEVICE]);
	w->device = (struct hf_trust_device){ .id = "dev-1",
		.level = HF_L1,
		.hardware_class = 3,
		.hardware = w->tags,
		.n_hardware = 2,
		.enc = { .pub = w->keys[DEVICE].pub },
		.key = &w->device_key };
	memset(w->device.enc_cert, 0xd1, HF_SM3_LEN);
	w->query = (struct hf_trust_query){ .domain = "plant-7",
		.lineage = "digits",
		.now_s = NOW,
		.is_grant_online = true,
		.root = w->root,
		.device = &w->device,
		.persist = world_persist,
		.persist_ctx = w };
	w->query.state.root_version = 1;
	w->query.state.channel_serial = 100;
	w->query.state.floor = 6;
}

static inline struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_ok(hf_module_start(0));
	w->rng = test_rng(&w->rng_state, 20260101);
	for (unsigned i = 0; i < N_WHO; i++) {
		assert_ok(hf_sm2_key_new(&w->keys[i], &w->rng));
		w->local[i] = (struct hf_local_key){ &w->keys[i], &w->rng };
		w->signers[i] = hf_signer_local(&w->local[i]);
	}
	hf_buf_init(&w->pack, &test_mem, HF_PACK_MAX);
	hf_buf_init(&w->root_obj, &test_mem, 1 << 20);
	hf_buf_init(&w->manifest_obj, &test_mem, 1 << 20);
	hf_buf_init(&w->channel_obj, &test_mem, 1 << 20);
	hf_buf_init(&w->grant_obj, &test_mem, 1 << 20);
	assert_ok(hf_rng_fill(&w->rng, w->k_dom, HF_KDOM_LEN));
	assert_ok(hf_rng_fill(&w->rng, w->cek, HF_CEK_LEN));
	assert_ok(hf_rng_fill(&w->rng, w->salt, HF_PKG_SALT_LEN));
	w->codec = HF_CODEC_ENCODE;
	world_files(w);
	world_roles(w);
	world_statements(w);
	w->manifest.body.suite = HF_SUITE_SM4_GCM;
	hf_manifest_scope(&w->scope, &w->manifest);
	world_seal(w);
	world_query(w);
	world_issue_root(w, &w->root_obj, &w->root, (const enum who[]){ ROOT_A, ROOT_B }, 2);
	world_issue(w);
	return w;
}

static inline void world_free(struct world *w)
{
	world_unpack(w);
	hf_buf_clear(&w->pack);
	hf_buf_clear(&w->root_obj);
	hf_buf_clear(&w->manifest_obj);
	hf_buf_clear(&w->channel_obj);
	hf_buf_clear(&w->grant_obj);
	free(w->config);
	free(w->model);
	free(w);
}

/* What the trust says about the world as it is; nothing is kept. */
static inline hf_err world_ask(struct world *w, enum hf_trust_step *failed, struct hf_errinfo *ei)
{
	struct hf_trust_result r;
	hf_err e = hf_trust_run(&r, &w->query, HF_TRUST_COMMITMENT, &test_mem, ei);

	if (failed != NULL)
		*failed = r.failed;
	hf_trust_clear(&r);
	return e;
}

/* Asserts that a step refuses with a code. */
#define assert_refused(w, code, step) \
	do { \
		enum hf_trust_step failed_; \
		assert_err(world_ask((w), &failed_, NULL), (code)); \
		assert_string_equal(hf_trust_step_name(failed_), hf_trust_step_name(step)); \
	} while (0)

/* The index keys of the world's package. */
static inline void world_index_keys(struct world *w, struct hf_index_keys *keys)
{
	assert_ok(hf_index_keys_open(keys, &w->body, w->cek, &w->scope));
}

static inline struct hf_pkg_reader *world_reader(struct world *w, bool is_public)
{
	struct hf_pkg_source source = world_source(w);
	struct hf_index_keys keys;
	struct hf_pkg_reader *r = NULL;

	world_index_keys(w, &keys);
	assert_ok(hf_pkg_reader_new(&r, &w->body, is_public ? NULL : &keys, &source, &test_mem));
	hf_index_keys_clear(&keys);
	return r;
}

/* Opens chunk i out of its pack in the store. */
static inline hf_err world_open_chunk(struct world *w, const struct hf_chunk *chunk,
	const struct hf_place *place, uint8_t *out, size_t out_cap)
{
	struct stored *pack = world_find(w, HF_OBJECT_PACK, place->pack_id);
	struct hf_codec codec = { 0 };
	struct hf_opening o = {
		.scope = &w->scope, .place = place, .chunk = chunk, .out = out, .out_cap = out_cap
	};
	hf_err e;

	if (pack == NULL || pack->len < (size_t)place->offset + place->len)
		return HF_ERR_TRUNCATED;
	o.ct = pack->bytes + place->offset;
	o.ct_len = place->len;
	assert_ok(hf_codec_init(&codec, &test_mem, HF_CODEC_DECODE, hf_planner_chunk_max(CUT)));
	e = hf_chunk_open(&o, &codec);
	hf_codec_clear(&codec);
	return e;
}

/* Reads [offset, offset + len) of a file as a device does. */
static inline hf_err world_read(
	struct world *w, uint32_t file, uint64_t offset, uint64_t len, uint8_t *out)
{
	struct hf_pkg_reader *r = world_reader(w, false);
	struct hf_bytes rest = w->body.files;
	struct hf_pkg_file f;
	struct hf_pkg_part part;
	uint8_t *plain = malloc(hf_planner_chunk_max(CUT));
	hf_err e = HF_OK;

	assert_non_null(plain);
	for (uint32_t i = 0; i <= file; i++)
		assert_ok(hf_pkg_file_take(&f, &rest));
	while (e == HF_OK && len > 0) {
		e = hf_pkg_reader_find(r, &part, file, &f, offset, len, NULL);
		if (e == HF_OK)
			e = world_open_chunk(
				w, &part.chunk, &part.place, plain, hf_planner_chunk_max(CUT));
		if (e != HF_OK)
			break;
		memcpy(out, plain + part.skip, part.take);
		out += part.take;
		offset += part.take;
		len -= part.take;
	}
	free(plain);
	hf_pkg_reader_free(r);
	return e;
}

#endif
