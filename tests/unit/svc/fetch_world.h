/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release in memory and sources that give it, honest and other ones, over HTTP/2 sessions in
 * memory and in simulated time. What each source sends is counted.
 */
#ifndef TEST_FETCH_WORLD_H
#define TEST_FETCH_WORLD_H

#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "crypto/module.h"
#include "crypto/tree.h"
#include "http/api.h"
#include "os/cpu.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/index.h"
#include "pkg/pkg_writer.h"
#include "pkg/table.h"
#include "svc/fetch.h"
#include "tmp.h"

enum {
	STORED_MAX = 512,
	PEERS = 3,
	BODIES = 64,
	STEP_MS = 10,
};

enum manner { HONEST, LIAR, ENDLESS, SILENT, REFUSES, LACKS, CUT };

struct stored {
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	uint8_t *bytes;
	size_t len;
};

/* What a child and the test both see. */
struct seen {
	uint64_t pack_bytes; /* that came out of the sessions */
};

struct release {
	struct stored store[STORED_MAX];
	size_t n_stored;
	struct hf_buf pack;
	struct hf_buf manifest;
	uint8_t name[HF_SM3_LEN];
	uint64_t sealed_len;
	uint32_t chunk_max; /* sealed */
	uint32_t n_chunks;
	uint32_t n_packs;
	uint32_t n_pages;
	/* how to make it */
	uint64_t seed; /* of the first chunk's bytes; the others follow */
	uint32_t pack_max;
	bool is_repeated; /* every page has the chunks of the first one */
	const char *lineage;
	uint64_t number;
	bool is_mute;         /* does not say where packs of the base are listed whole */
	struct release *base; /* chunks below `from` are pointed to, the others are in it too */
	uint32_t changed;     /* with a base: every so many chunks one is new */
};

struct world;

/* A body that is being sent. */
struct body {
	bool is_used;
	bool is_dry;
	struct peer *peer;
	struct stored *object;
	uint64_t at;
	uint64_t end;
	int32_t stream;
};

struct peer {
	struct world *w;
	unsigned no;
	enum manner manner;
	enum manner page_manner;
	uint16_t cost;
	uint64_t rate; /* bytes a second; 0: no limit */
	uint64_t budget;
	struct hf_h2 *server;
	struct hf_h2 *client;
	struct body bodies[BODIES];
	uint64_t sent; /* bytes of packs */
	uint64_t n_asked;
};

struct world {
	struct release *release;
	struct hf_env env;
	struct hf_node node;
	char dir[TEST_PATH_MAX];
	struct peer peers[PEERS];
	struct hf_fetch *f;
	struct hf_fetch_config config;
	uint64_t now;
	struct seen *seen;
	bool is_over;
	hf_err end;
	struct hf_errinfo why;
	unsigned n_news;
	unsigned n_told;
	unsigned told_no;
	hf_err told;
	unsigned n_failed; /* sources that are not out for it */
	unsigned failed_no;
	hf_err failed;
};

static inline void release_keep(struct release *r, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], const uint8_t *bytes, size_t len)
{
	struct stored *s = &r->store[r->n_stored++];

	assert_true(r->n_stored < STORED_MAX);
	s->kind = kind;
	memcpy(s->name, name, HF_SM3_LEN);
	s->bytes = malloc(len + 1);
	assert_non_null(s->bytes);
	memcpy(s->bytes, bytes, len);
	s->len = len;
}

static inline hf_err release_pack_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct release *r = ctx;

	return hf_buf_put(&r->pack, bytes, len);
}

static inline struct stored *release_find(
	struct release *r, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	for (size_t i = 0; i < r->n_stored; i++)
		if (r->store[i].kind == kind && memcmp(r->store[i].name, name, HF_SM3_LEN) == 0)
			return &r->store[i];
	return NULL;
}

static inline hf_err release_pack_done(void *ctx, const uint8_t id[HF_SM3_LEN], uint32_t len)
{
	struct release *r = ctx;

	(void)len;
	if (release_find(r, HF_OBJECT_PACK, id) == NULL)
		release_keep(r, HF_OBJECT_PACK, id, r->pack.p, r->pack.len);
	hf_buf_reset(&r->pack);
	r->n_packs++;
	return HF_OK;
}

static inline hf_err release_page(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	const uint8_t *bytes, size_t len)
{
	release_keep(ctx, kind, name, bytes, len);
	return HF_OK;
}

static inline void release_sign(struct release *r, const struct hf_pkg_body *body)
{
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, 77);
	struct hf_manifest m = { .epoch = 1,
		.release = r->number,
		.level = HF_L1,
		.created_s = 1800000000,
		.expires_s = 1800000000 + 86400,
		.body = *body };
	struct hf_sm2_key key;
	struct hf_local_key local = { .key = &key, .rng = &rng };
	struct hf_signer signer = hf_signer_local(&local);
	const struct hf_signer *signers[] = { &signer };
	struct hf_buf content;

	(void)snprintf(m.domain, sizeof(m.domain), "plant-7");
	(void)snprintf(m.lineage, sizeof(m.lineage), "%s", r->lineage);
	assert_ok(hf_sm2_key_new(&key, &rng));
	hf_buf_init(&content, &test_mem, hf_object_max(HF_OBJECT_MANIFEST));
	hf_buf_init(&r->manifest, &test_mem, hf_object_max(HF_OBJECT_MANIFEST));
	assert_ok(hf_manifest_emit(&content, &m, NULL));
	assert_ok(hf_object_sign(&r->manifest, HF_OBJECT_MANIFEST,
		(struct hf_bytes){ content.p, content.len }, signers, 1, NULL));
	hf_object_name(r->name, r->manifest.p, r->manifest.len);
	release_keep(r, HF_OBJECT_MANIFEST, r->name, r->manifest.p, r->manifest.len);
	hf_buf_clear(&content);
	hf_sm2_key_clear(&key);
}

/* Points to the chunk in the base, if it is there; false: it is new. */
static inline bool release_point(
	struct release *r, struct hf_pkg_writer *w, const struct hf_sealed *s)
{
	for (size_t i = 0; r->base != NULL && i < r->base->n_stored; i++) {
		const struct stored *o = &r->base->store[i];
		struct hf_table_page t;
		struct hf_place place;

		if (o->kind != HF_OBJECT_TABLE)
			continue;
		assert_ok(hf_table_page_parse(&t, o->bytes, o->len));
		for (uint32_t k = 0; k < t.n_entries; k++) {
			hf_table_page_get(&t, k, &place);
			if (memcmp(place.cid, s->cid, HF_SM3_LEN) != 0)
				continue;
			assert_ok(hf_pkg_writer_known(w, s, &place));
			return true;
		}
	}
	return false;
}

/* Names all table pages of the base, and has its objects too, as a hub does. */
static inline void release_lean(struct release *r, struct hf_pkg_writer *w)
{
	static uint8_t pages[STORED_MAX * HF_SM3_LEN];
	size_t len = 0;

	for (size_t i = 0; i < r->base->n_stored; i++) {
		const struct stored *o = &r->base->store[i];

		if (o->kind == HF_OBJECT_TABLE || o->kind == HF_OBJECT_PACK)
			release_keep(r, o->kind, o->name, o->bytes, o->len);
		if (o->kind != HF_OBJECT_TABLE || r->is_mute)
			continue;
		memcpy(pages + len, o->name, HF_SM3_LEN);
		len += HF_SM3_LEN;
	}
	assert_ok(hf_pkg_writer_lean(w, (struct hf_bytes){ pages, len },
		(struct hf_bytes){ NULL, 0 }, r->base->chunk_max - HF_CHUNK_TAG_LEN));
}

/* n chunks of len bytes; those below `from` have the bytes that every release has there. */
static inline void release_make(struct release *r, uint32_t n, uint32_t len, uint32_t from)
{
	struct hf_pkg_writer_config config = { .mem = &test_mem,
		.sink = { release_pack_data, release_pack_done, release_page, r },
		.scope = { .suite = HF_SUITE_SM4_GCM, .release = r->number },
		.pack_max = r->pack_max };
	struct hf_pkg_file file = { .len = (uint64_t)n * len };
	uint8_t k_dom[HF_KDOM_LEN] = { 1 };
	uint8_t *plain = malloc(len);
	uint8_t *ct = malloc(len + HF_CHUNK_TAG_LEN);
	struct hf_pkg_writer *w = NULL;
	struct hf_chunk_keys keys;
	struct hf_codec codec;
	struct hf_pkg_body body;
	struct test_rng state;
	struct hf_rng rng;

	hf_buf_init(&r->pack, &test_mem, HF_PACK_MAX);
	hf_pkg_domain_id(config.scope.domain_id, "plant-7", r->lineage, 1);
	config.salt[0] = (uint8_t)r->number;
	(void)snprintf(file.path, sizeof(file.path), "model.bin");
	assert_ok(hf_codec_init(&codec, &test_mem, HF_CODEC_ENCODE_NONE, len));
	assert_ok(hf_chunk_keys_init(&keys, k_dom, &config.scope, NULL));
	assert_ok(hf_pkg_writer_new(&w, &config));
	assert_ok(hf_pkg_writer_file(w, &file));
	for (uint32_t i = 0; i < n; i++) {
		struct hf_sealed s = { .ct = ct, .ct_cap = len + HF_CHUNK_TAG_LEN };

		if (r->changed != 0)
			from = i % r->changed == 0 ? i : n;
		rng = test_rng(&state, (i < from ? 1 : r->seed) * 100000 +
					       (r->is_repeated ? i % HF_PAGE_ENTRIES : i));
		assert_ok(hf_rng_fill(&rng, plain, len));
		s.chunk.offset = (uint64_t)i * len;
		s.chunk.tensor = HF_CHUNK_NO_TENSOR;
		assert_ok(hf_chunk_seal(&s, &keys, &codec, plain, len));
		if (!release_point(r, w, &s))
			assert_ok(hf_pkg_writer_chunk(w, &s));
	}
	if (r->base != NULL)
		release_lean(r, w);
	assert_ok(hf_pkg_writer_finish(w, &body));
	r->sealed_len = body.sealed_len;
	r->n_chunks = n;
	r->n_pages = body.n_pages;
	r->chunk_max = body.chunk_max + HF_CHUNK_TAG_LEN;
	release_sign(r, &body);
	hf_pkg_writer_free(w);
	hf_chunk_keys_clear(&keys);
	hf_codec_clear(&codec);
	free(plain);
	free(ct);
}

static inline void release_clear(struct release *r)
{
	for (size_t i = 0; i < r->n_stored; i++)
		free(r->store[i].bytes);
	hf_buf_clear(&r->pack);
	hf_buf_clear(&r->manifest);
	memset(r, 0, sizeof(*r));
}

static inline hf_err body_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct body *b = ctx;
	struct peer *p = b->peer;
	bool is_pack = b->object->kind == HF_OBJECT_PACK;
	enum manner manner = is_pack ? p->manner : p->page_manner;
	uint64_t left = b->end - b->at;

	if (manner == SILENT || (p->rate != 0 && p->budget == 0)) {
		b->is_dry = true;
		return HF_ERR_AGAIN;
	}
	if (manner == ENDLESS)
		left = cap;
	if (left > cap)
		left = cap;
	if (p->rate != 0 && left > p->budget)
		left = p->budget;
	for (uint64_t i = 0; i < left; i++)
		out[i] = b->at + i < b->object->len ? b->object->bytes[b->at + i] : 0x55;
	if (manner == LIAR && left > 0)
		out[left / 2] ^= 0x40;
	p->budget -= p->rate != 0 ? left : 0;
	b->at += left;
	*len = (size_t)left;
	*is_end = manner != ENDLESS && b->at == b->end;
	if (is_pack) {
		p->sent += left;
		p->w->seen->pack_bytes += left;
	}
	return HF_OK;
}

static inline void body_close(void *ctx)
{
	struct body *b = ctx;

	b->is_used = false;
}

static inline void peer_get(void *ctx, const struct hf_http_request *q)
{
	struct hf_http_reply reply = { .status = 200, .content_type = HF_TYPE_BYTES };
	struct hf_http_source source = { .read = body_read, .close = body_close };
	struct peer *p = ctx;
	struct hf_range range;
	enum hf_object kind = HF_OBJECT_PACK;
	uint8_t name[HF_SM3_LEN];
	struct body *b = NULL;
	struct stored *s;
	enum manner manner;

	assert_ok(hf_object_path_parse(&kind, name, q->head->path + strlen("/v1/objects/"),
		strlen(q->head->path) - strlen("/v1/objects/")));
	manner = kind == HF_OBJECT_PACK ? p->manner : p->page_manner;
	s = release_find(p->w->release, kind, name);
	p->n_asked++;
	if (s == NULL || manner == LACKS) {
		hf_h2_reply_error(q->h, q->stream, HF_ERR_NOT_FOUND, "not here");
		return;
	}
	if (manner == REFUSES) {
		hf_h2_reply_error(q->h, q->stream, HF_ERR_INTERNAL, "no");
		return;
	}
	range = (struct hf_range){ 0, s->len - 1, s->len };
	if (q->head->has_range) {
		assert_int_equal(kind, HF_OBJECT_PACK);
		assert_true(q->head->range.last < s->len);
		range.first = q->head->range.first;
		range.last = q->head->range.last;
		range.total += manner == CUT ? 1 : 0; /* another pack than that of the table */
		reply.status = 206;
		reply.range = &range;
	}
	for (size_t i = 0; i < BODIES && b == NULL; i++)
		if (!p->bodies[i].is_used)
			b = &p->bodies[i];
	assert_non_null(b);
	*b = (struct body){ true, false, p, s, range.first, range.last + 1, q->stream };
	source.ctx = b;
	source.len = manner == ENDLESS ? UINT64_MAX : b->end - b->at;
	reply.source = &source;
	assert_ok(hf_h2_reply(q->h, q->stream, &reply));
}

static inline void world_pump(void *ctx, unsigned source)
{
	struct world *w = ctx;

	assert_true(w->peers[source].client != NULL);
}

static inline void world_on_chunks(void *ctx, struct hf_fetch *f)
{
	struct world *w = ctx;

	(void)f;
	w->n_news++;
}

static inline void world_on_source(
	void *ctx, struct hf_fetch *f, unsigned source, bool is_out, hf_err why)
{
	struct world *w = ctx;

	(void)f;
	if (!is_out) {
		w->n_failed++;
		w->failed_no = source;
		w->failed = why;
		return;
	}
	w->n_told++;
	w->told_no = source;
	w->told = why;
}

static inline void world_on_end(
	void *ctx, struct hf_fetch *f, hf_err e, const struct hf_errinfo *why)
{
	struct world *w = ctx;

	(void)f;
	assert_false(w->is_over); /* once */
	w->is_over = true;
	w->end = e;
	w->why = *why;
}

static inline void world_open_store(struct world *w, uint64_t quota)
{
	char path[TEST_PATH_MAX + 16];

	w->node.env = &w->env;
	w->node.blobs.lock = -1;
	(void)snprintf(w->node.dir, sizeof(w->node.dir), "%s", w->dir);
	(void)snprintf(path, sizeof(path), "%s/resume", w->dir);
	assert_ok(hf_dir_make(path, 0700, NULL));
	(void)snprintf(path, sizeof(path), "%s/objects", w->dir);
	assert_ok(hf_blobs_init(&w->node.blobs, &test_mem, path, quota, NULL));
}

static inline void world_init(struct world *w, struct release *r)
{
	static struct test_rng state;

	memset(w, 0, sizeof(*w));
	w->release = r;
	w->env.mem = &test_mem;
	w->env.rng = test_rng(&state, 5);
	w->now = 1000;
	test_tmp_make(w->dir);
	world_open_store(w, UINT64_MAX);
	w->seen = test_shared(sizeof(*w->seen));
	for (unsigned i = 0; i < PEERS; i++)
		w->peers[i] = (struct peer){ .w = w, .no = i };
	w->config = (struct hf_fetch_config){
		.node = &w->node,
		.has_index = true,
		.max_requests = 4,
		.max_per_source = 4,
		.on_chunks = world_on_chunks,
		.on_source = world_on_source,
		.on_end = world_on_end,
		.pump = world_pump,
		.ctx = w,
	};
}

static inline void peer_up(struct peer *p)
{
	static const struct hf_http_route routes[] = {
		{ HF_HTTP_GET, HF_API_OBJECT, HF_PEER_MEMBER, 0, peer_get, NULL },
	};
	struct hf_h2_server server = { .mem = &test_mem,
		.limits = hf_h2_limits_default,
		.routes = routes,
		.n_routes = 1,
		.peer = HF_PEER_DEVICE,
		.ctx = p };
	struct hf_h2_client client = { &test_mem, hf_h2_limits_default, "hub.example" };

	client.limits.window = 64 * 1024;
	assert_ok(hf_h2_server_new(&p->server, &server, p->w->now));
	assert_ok(hf_h2_client_new(&p->client, &client, p->w->now));
	assert_ok(hf_fetch_source_up(p->w->f, p->no, p->client, HF_SOURCE_HUB, p->cost, p->w->now));
}

/* The line is cut; the fetch hears of it before or after the session was freed. */
static inline void peer_down(struct peer *p, bool is_told_first)
{
	if (p->client == NULL)
		return;
	if (is_told_first)
		hf_fetch_source_down(p->w->f, p->no, p->w->now);
	hf_h2_free(p->client);
	p->client = NULL;
	if (!is_told_first)
		hf_fetch_source_down(p->w->f, p->no, p->w->now);
	hf_h2_free(p->server);
	p->server = NULL;
}

static inline void world_begin(struct world *w, unsigned n_peers)
{
	w->config.manifest = (struct hf_bytes){ w->release->manifest.p, w->release->manifest.len };
	w->is_over = false;
	assert_ok(hf_fetch_new(&w->f, &w->config, w->now, NULL));
	for (unsigned i = 0; i < n_peers; i++)
		peer_up(&w->peers[i]);
}

static inline void world_end(struct world *w)
{
	for (unsigned i = 0; i < PEERS; i++)
		peer_down(&w->peers[i], i % 2 == 0);
	hf_fetch_free(w->f);
	w->f = NULL;
}

static inline void world_clear(struct world *w)
{
	world_end(w);
	hf_blobs_clear(&w->node.blobs);
	test_tmp_delete(w->dir);
}

/* A whole life: other than the store, nothing is left of the one before. */
static inline void world_again(struct world *w, unsigned n_peers)
{
	world_end(w);
	hf_blobs_clear(&w->node.blobs);
	world_open_store(w, UINT64_MAX);
	world_begin(w, n_peers);
}

static inline size_t move(struct world *w, struct hf_h2 *from, struct hf_h2 *to)
{
	const uint8_t *bytes = NULL;
	size_t len = hf_h2_out(from, &bytes);
	size_t used = 0;
	uint8_t *exact;

	if (len == 0)
		return 0;
	exact = malloc(len);
	assert_non_null(exact);
	memcpy(exact, bytes, len);
	hf_h2_sent(from, len);
	assert_ok(hf_h2_feed(to, &used, exact, len, w->now));
	free(exact);
	return len;
}

static inline size_t peer_move(struct peer *p)
{
	if (p->client == NULL)
		return 0;
	return move(p->w, p->client, p->server) + move(p->w, p->server, p->client);
}

static inline void peer_step(struct peer *p)
{
	if (p->client == NULL)
		return;
	if (p->rate != 0)
		p->budget = p->rate * STEP_MS / 1000;
	hf_h2_tick(p->client, p->w->now);
	hf_h2_tick(p->server, p->w->now);
	for (size_t i = 0; i < BODIES; i++) {
		struct body *b = &p->bodies[i];

		if (!b->is_used || !b->is_dry)
			continue;
		b->is_dry = false;
		hf_h2_resume(p->server, b->stream);
	}
}

/* Everything that happens at this moment. */
static inline void world_settle(struct world *w)
{
	size_t n;

	do {
		n = 0;
		while (hf_fetch_deadline(w->f) <= w->now) {
			hf_fetch_tick(w->f, w->now);
			n++;
			assert_true(n < 100000);
			if (w->is_over)
				break;
		}
		for (unsigned i = 0; i < PEERS; i++)
			n += peer_move(&w->peers[i]);
	} while (n > 0);
}

/* Until the fetch is over (true) or ms have passed. */
static inline bool world_run(struct world *w, uint64_t ms)
{
	uint64_t until = w->now + ms;

	for (;;) {
		world_settle(w);
		if (w->is_over || w->now >= until)
			return w->is_over;
		w->now += STEP_MS;
		for (unsigned i = 0; i < PEERS; i++)
			peer_step(&w->peers[i]);
	}
}

/* Runs until so many bytes of packs have come. */
static inline void world_run_bytes(struct world *w, uint64_t bytes)
{
	for (unsigned n = 0; w->seen->pack_bytes < bytes; n++) {
		assert_true(n < 100000);
		assert_false(world_run(w, STEP_MS));
	}
}

/* Every object of the release is in the store, as it was made, and nothing is left over. */
static inline void world_is_whole(struct world *w, bool has_index)
{
	struct hf_objects objects = hf_folder_objects(w->node.blobs.dir);
	char id[2 * HF_SM3_LEN + 1];
	char path[TEST_PATH_MAX + sizeof(id) + 16];

	for (size_t i = 0; i < w->release->n_stored; i++) {
		const struct stored *s = &w->release->store[i];
		bool is_wanted =
			s->kind != HF_OBJECT_MANIFEST && (s->kind != HF_OBJECT_INDEX || has_index);
		size_t len = s->len + 1;
		uint8_t *got;

		if (!is_wanted)
			continue;
		got = malloc(len);
		assert_non_null(got);
		assert_ok(objects.load(objects.ctx, s->kind, s->name, got, &len, NULL));
		assert_int_equal(len, s->len);
		assert_memory_equal(got, s->bytes, s->len);
		free(got);
	}
	(void)snprintf(path, sizeof(path), "%s/objects/part", w->dir);
	assert_int_equal(test_dir_count(path), 0);
	hf_hex_emit(id, w->release->name, HF_SM3_LEN);
	(void)snprintf(path, sizeof(path), "%s/resume/%s", w->dir, id);
	assert_int_equal(access(path, F_OK), -1);
}

static inline struct hf_xfer_progress world_progress(const struct world *w)
{
	struct hf_xfer_progress p;

	hf_fetch_progress(w->f, &p, w->now);
	return p;
}

#endif
