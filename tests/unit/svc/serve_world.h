/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers and their peers in one process: the domain of keyd_world.h, nodes on its folders, and
 * wires, each a client's session and a server's, whose bytes go from one to the other until nothing
 * moves. Requests are made by hand, so that a test can do what no client of ours does.
 */
#ifndef TEST_SERVE_WORLD_H
#define TEST_SERVE_WORLD_H

#include "keyd_world.h"

#include <jansson.h>

#include "base/hex.h"
#include "codec/base64.h"
#include "http/api.h"
#include "pkg/pkg_reader.h"
#include "pkg/pkg_writer.h"
#include "pkg/upload.h"
#include "pki/csr.h"
#include "svc/push.h"
#include "svc/serve.h"

enum { WIRES_MAX = 24, ANSWER_MAX = 1 << 20, PACKS_MAX = 8, MODEL_LEN = 700 * 1024 };

/* A link without sockets. */
struct wire {
	struct hf_h2 *client;
	struct hf_h2 *server;
	struct hf_serve_session *session;
	struct hf_cert cert; /* of the client */
	bool is_used;
	bool is_stuck; /* the client reads nothing */
	bool is_cut;
};

static struct wire wires[WIRES_MAX];
static uint64_t wire_now_ms;

static inline void wire_pump(void *ctx)
{
	(void)ctx; /* world_run() looks at everybody anyway */
}

static inline struct hf_serve_config serve_config(struct hf_node *node)
{
	struct hf_serve_config c = {
		.node = node, .limits = hf_h2_limits_default, .max_sessions = 8, .max_intakes = 4
	};

	return c;
}

/* Where wires come from; 0: each from elsewhere. */
static uint8_t wire_site;

/* The party of a folder on the client's end; "" is a newcomer with cert. */
static inline struct wire *wire_new(
	struct hf_serve *s, const char *dir, struct hf_bytes self_signed)
{
	struct hf_h2_client config = { world_env.mem, hf_h2_limits_default, "hub.example" };
	struct hf_serve_peer peer = {
		.is_self_signed = dir == NULL, .address = "192.0.2.7:4000", .pump = wire_pump
	};
	char path[3 * TEST_PATH_MAX];
	struct wire *w = wires;

	while (w->is_used)
		w++;
	assert_true(w < wires + WIRES_MAX);
	*w = (struct wire){ .is_used = true };
	if (dir == NULL) {
		assert_ok(hf_cert_copy(
			&w->cert, world_env.mem, self_signed.p, self_signed.len, NULL));
	} else {
		(void)snprintf(path, sizeof(path), "%s/certs/sign.crt", dir);
		assert_ok(hf_cert_load(&w->cert, &world_env, path, NULL));
	}
	peer.cert = &w->cert;
	peer.site[0] = wire_site != 0 ? wire_site : (uint8_t)(1 + w - wires);
	assert_ok(hf_serve_begin(&w->session, &w->server, s, &peer, wire_now_ms, fresh()));
	assert_ok(hf_h2_client_new(&w->client, &config, wire_now_ms));
	return w;
}

static inline struct wire *wire_of(struct hf_serve *s, const char *dir)
{
	return wire_new(s, dir, (struct hf_bytes){ NULL, 0 });
}

/* The link breaks: both sessions end, as a link frees them. */
static inline void wire_end(struct wire *w)
{
	hf_h2_free(w->client);
	hf_h2_free(w->server);
	hf_serve_session_end(w->session);
	hf_cert_clear(&w->cert);
	*w = (struct wire){ .is_used = false };
}

static inline size_t wire_move(struct hf_h2 *from, struct hf_h2 *to)
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
	(void)!hf_h2_feed(to, &used, exact, len, wire_now_ms);
	free(exact);
	return len;
}

/* Until nothing moves any more. */
static inline void world_run(void)
{
	size_t moved;

	do {
		moved = 0;
		for (struct wire *w = wires; w < wires + WIRES_MAX; w++) {
			if (!w->is_used || w->is_cut)
				continue;
			moved += wire_move(w->client, w->server);
			if (!w->is_stuck)
				moved += wire_move(w->server, w->client);
		}
	} while (moved > 0);
}

/* What a test sees of one answer. */
struct answer {
	unsigned n_done;
	hf_err e;
	unsigned status;
	struct hf_http_head head;
	uint8_t *body; /* with a terminator; NULL before the end */
	size_t len;
};

static inline void answer_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct answer *a = ctx;

	(void)stream;
	a->n_done++;
	a->e = e;
	if (head != NULL) {
		a->head = *head;
		a->status = head->status;
	}
	a->body = calloc(1, body_len + 1);
	assert_non_null(a->body);
	if (body_len > 0)
		memcpy(a->body, body, body_len);
	a->len = body_len;
}

/* A request in the making. */
struct ask {
	struct hf_http_call call;
	struct hf_http_field fields[3];
	char path[256];
	struct answer answer;
};

static inline void ask_init(struct ask *a, enum hf_http_method method, const char *path)
{
	memset(a, 0, sizeof(*a));
	(void)snprintf(a->path, sizeof(a->path), "%s", path);
	a->call = (struct hf_http_call){ .method = method,
		.path = a->path,
		.fields = a->fields,
		.body_max = ANSWER_MAX,
		.on_done = answer_done,
		.ctx = &a->answer };
}

static inline void ask_field(struct ask *a, const char *name, const char *value)
{
	struct hf_http_field *f = &a->fields[a->call.n_fields++];

	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	(void)snprintf(f->value, sizeof(f->value), "%s", value);
}

static inline void ask_begin(struct ask *a, struct wire *w)
{
	int32_t stream = 0;

	assert_ok(hf_h2_call(w->client, &stream, &a->call, wire_now_ms));
	world_run();
}

/* The answer's status, or 0 where there is none; its body stays in a until ask_clear(). */
static inline unsigned ask_run(struct ask *a, struct wire *w)
{
	ask_begin(a, w);
	assert_int_equal(a->answer.n_done, 1);
	return a->answer.e == HF_OK ? a->answer.status : 0;
}

static inline void ask_clear(struct ask *a)
{
	free(a->answer.body);
}

/* One request whose answer is its status alone. */
static inline unsigned status_of(
	struct wire *w, enum hf_http_method method, const char *path, const void *body, size_t len)
{
	struct ask a;
	unsigned status;

	ask_init(&a, method, path);
	a.call.body = body;
	a.call.body_len = len;
	status = ask_run(&a, w);
	ask_clear(&a);
	return status;
}

static inline unsigned post_json(struct wire *w, const char *path, const char *json)
{
	return status_of(w, HF_HTTP_POST, path, json, strlen(json));
}

/* {"member":"<hex>"} to path. */
static inline unsigned post_name(
	struct wire *w, const char *path, const char *member, const uint8_t name[HF_SM3_LEN])
{
	char hex[2 * HF_SM3_LEN + 1];
	char json[256];

	hf_hex_emit(hex, name, HF_SM3_LEN);
	(void)snprintf(json, sizeof(json), "{\"%s\":\"%s\"}", member, hex);
	return post_json(w, path, json);
}

static inline void object_url(char out[128], enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	char path[HF_OBJECT_PATH_MAX];

	hf_object_path(path, kind, name);
	(void)snprintf(out, 128, "/v1/objects/%s", path);
}

/* An object on its way in: what it says it belongs to (statement NULL: nothing). */
struct putting {
	enum hf_object kind;
	const uint8_t *name;
	struct hf_bytes bytes;
	const char *statement; /* "manifest/<hex>" */
	const char *chunk;     /* of a pack */
};

static inline unsigned put_object(struct wire *w, const struct putting *p)
{
	char path[128];
	struct ask a;
	unsigned status;

	object_url(path, p->kind, p->name);
	ask_init(&a, HF_HTTP_PUT, path);
	a.call.body = p->bytes.p;
	a.call.body_len = p->bytes.len;
	if (p->statement != NULL)
		ask_field(&a, HF_FIELD_FOR, p->statement);
	if (p->chunk != NULL)
		ask_field(&a, HF_FIELD_CHUNK, p->chunk);
	status = ask_run(&a, w);
	ask_clear(&a);
	return status;
}

/* Objects of one statement, in memory, to be sent as they are or altered. */
struct goods {
	enum hf_object kind; /* of the statement */
	uint8_t name[HF_SM3_LEN];
	char path[HF_OBJECT_PATH_MAX]; /* "manifest/<hex>" */
	struct hf_buf statement;
	struct hf_buf deposit;
	uint8_t deposit_name[HF_SM3_LEN];
	struct hf_pkg_body body; /* borrows from statement */
	struct hf_buf pages[16]; /* table, index, table, … */
	size_t n_pages;
	struct {
		uint8_t name[HF_SM3_LEN];
		struct hf_buf bytes;
		char chunk[24];
	} packs[PACKS_MAX];
	size_t n_packs;
	char bundle[TEST_PATH_MAX + 128];
};

static inline const uint8_t *page_name(const struct goods *g, size_t i)
{
	const uint8_t *names = i % 2 == 0 ? g->body.table_pages.p : g->body.index_pages.p;

	return names + i / 2 * HF_SM3_LEN;
}

static inline void goods_packs(struct goods *g, const struct hf_objects *o)
{
	struct hf_pkg_source pages = hf_objects_pages(o);
	struct hf_pkg_reader *reader = NULL;
	struct hf_place place;

	assert_ok(hf_pkg_reader_new(&reader, &g->body, NULL, &pages, world_env.mem));
	for (uint64_t i = 0; i < g->body.n_chunks; i++) {
		uint8_t *room = NULL;

		assert_ok(hf_pkg_reader_place(reader, i, &place, NULL));
		if (place.offset != 0)
			continue;
		assert_true(g->n_packs < PACKS_MAX);
		memcpy(g->packs[g->n_packs].name, place.pack_id, HF_SM3_LEN);
		(void)snprintf(
			g->packs[g->n_packs].chunk, sizeof(g->packs[0].chunk), "%u", (unsigned)i);
		g->packs[g->n_packs].bytes = buf_new();
		assert_ok(hf_buf_room(&g->packs[g->n_packs].bytes, &room, place.pack_len));
		assert_ok(o->read_at(o->ctx, place.pack_id, room, place.pack_len, 0, NULL));
		g->n_packs++;
	}
	hf_pkg_reader_free(reader);
}

/* Reads body, pages and packs; the statement is there. */
static inline void goods_read(struct goods *g, const struct hf_objects *o)
{
	hf_object_name(g->name, g->statement.p, g->statement.len);
	hf_object_path(g->path, g->kind, g->name);
	g->n_pages = 2 * (size_t)g->body.n_pages;
	assert_true(g->n_pages <= 16);
	for (size_t i = 0; i < g->n_pages; i++) {
		g->pages[i] = buf_new();
		assert_ok(hf_objects_load(&g->pages[i], o,
			i % 2 == 0 ? HF_OBJECT_TABLE : HF_OBJECT_INDEX, page_name(g, i), NULL));
	}
	goods_packs(g, o);
}

/* How a test's release differs from the usual one. */
struct sealing {
	const char *lineage;
	uint64_t release;
	uint64_t floor;
	enum hf_level level;
	uint64_t life_s;
	const char *party; /* folder below domain/, or NULL: "publisher" */
	uint8_t seed;      /* of the model's bytes */
	const char *base;  /* bundle of an earlier release, whose first chunk alone is another */
};

static inline void seal_bundle(char out[TEST_PATH_MAX + 128], const struct sealing *s)
{
	char publisher[TEST_PATH_MAX + 64];
	char file[TEST_PATH_MAX + 32];
	const char *parties[] = { publisher };
	const char *files[] = { file };
	struct hf_seal_result result;
	uint8_t *model = malloc(MODEL_LEN);
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, s->seed);
	struct hf_seal_spec spec = { .parties = parties,
		.n_parties = 1,
		.files = files,
		.n_files = 1,
		.out = out,
		.lineage = s->lineage,
		.version = "",
		.epoch = 1,
		.release = s->release,
		.floor = s->floor,
		.level = s->level == 0 ? HF_L1 : s->level,
		.life_s = s->life_s == 0 ? 60 * DAY : s->life_s,
		.cut = 64 << 10,
		.bases = &s->base,
		.n_bases = s->base == NULL ? 0 : 1 };

	assert_non_null(model);
	assert_ok(hf_rng_fill(&rng, model, MODEL_LEN));
	for (size_t i = 0; s->base != NULL && i < 64 << 10; i++)
		model[i] ^= model[i + (64 << 10)];
	(void)snprintf(publisher, sizeof(publisher), "%s/domain/%s", world_dir,
		s->party == NULL ? "publisher" : s->party);
	(void)snprintf(file, sizeof(file), "%s/weights.bin", world_dir);
	(void)snprintf(out, TEST_PATH_MAX + 128, "%s/%s-%u-%u.hufu", world_dir, s->lineage,
		(unsigned)s->release, (unsigned)s->seed);
	test_file_put(file, model, MODEL_LEN);
	assert_ok(hf_seal(&world_env, &spec, &result, fresh()));
	free(model);
}

/* Seals a model of 700 KiB: eleven chunks in one pack. */
static inline struct goods *goods_sealed(const struct sealing *s)
{
	struct goods *g = calloc(1, sizeof(*g));
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	struct hf_bytes content;
	struct hf_manifest m;
	uint8_t name[HF_SM3_LEN];

	assert_non_null(g);
	g->kind = HF_OBJECT_MANIFEST;
	seal_bundle(g->bundle, s);
	assert_ok(hf_bundle_file_open(&bundle, &world_env, g->bundle, NULL));
	objects = hf_bundle_file_objects(&bundle);
	g->statement = buf_new();
	g->deposit = buf_new();
	assert_ok(hf_objects_only(name, &objects, HF_OBJECT_MANIFEST, NULL));
	assert_ok(hf_objects_load(&g->statement, &objects, HF_OBJECT_MANIFEST, name, NULL));
	assert_ok(hf_objects_only(g->deposit_name, &objects, HF_OBJECT_DEPOSIT, NULL));
	assert_ok(hf_objects_load(&g->deposit, &objects, HF_OBJECT_DEPOSIT, g->deposit_name, NULL));
	assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST, bytes_of(&g->statement), NULL));
	assert_ok(hf_manifest_parse(&m, content, NULL));
	g->body = m.body;
	goods_read(g, &objects);
	hf_bundle_file_close(&bundle);
	return g;
}

/* Packs and pages of an upload, as the writer makes them. */
struct upload_sink {
	struct hf_buf pack;
	struct goods *g;
};

static inline hf_err upload_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct upload_sink *u = ctx;

	return hf_buf_put(&u->pack, bytes, len);
}

static inline hf_err upload_pack(void *ctx, const uint8_t id[HF_SM3_LEN], uint32_t len)
{
	struct upload_sink *u = ctx;
	struct goods *g = u->g;

	assert_int_equal(u->pack.len, len);
	assert_int_equal(g->n_packs, 0); /* all chunks are in one */
	memcpy(g->packs[0].name, id, HF_SM3_LEN);
	(void)snprintf(g->packs[0].chunk, sizeof(g->packs[0].chunk), "0");
	g->packs[0].bytes = buf_new();
	g->n_packs = 1;
	return hf_buf_put(&g->packs[0].bytes, u->pack.p, u->pack.len);
}

static inline hf_err upload_page(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	const uint8_t *bytes, size_t len)
{
	struct upload_sink *u = ctx;
	size_t i = kind == HF_OBJECT_TABLE ? 0 : 1;

	(void)name;
	u->g->n_pages = 2;
	u->g->pages[i] = buf_new();
	return hf_buf_put(&u->g->pages[i], bytes, len);
}

/* Chunks of random bytes as the one file of an upload. */
static inline void upload_chunks(
	struct hf_pkg_writer *w, const struct hf_chunk_keys *keys, unsigned n_chunks)
{
	enum { LEN = 64 << 10 };
	struct hf_pkg_file f = { .path = "step-100.bin", .len = (uint64_t)n_chunks * LEN };
	struct hf_codec codec = { 0 };
	uint8_t *plain = malloc(LEN);

	assert_non_null(plain);
	assert_ok(hf_codec_init(&codec, world_env.mem, HF_CODEC_ENCODE, LEN));
	assert_ok(hf_pkg_writer_file(w, &f));
	for (unsigned i = 0; i < n_chunks; i++) {
		struct hf_sealed s = { .chunk = { .tensor = HF_CHUNK_NO_TENSOR,
					       .offset = (uint64_t)i * LEN } };

		s.ct_cap = LEN + HF_CHUNK_TAG_LEN;
		s.ct = malloc(s.ct_cap);
		assert_non_null(s.ct);
		assert_ok(hf_rng_fill(&world_env.rng, plain, LEN));
		assert_ok(hf_chunk_seal(&s, keys, &codec, plain, LEN));
		assert_ok(hf_pkg_writer_chunk(w, &s));
		free(s.ct);
	}
	hf_codec_clear(&codec);
	free(plain);
}

/* What a device sends up: so many chunks of 64 KiB, signed by its key process. */
static inline struct goods *goods_uploaded(struct node *n, uint64_t counter, unsigned n_chunks)
{
	struct goods *g = calloc(1, sizeof(*g));
	struct upload_sink sink = { buf_new(), g };
	struct hf_pkg_writer_config config = { .mem = world_env.mem,
		.sink = { upload_data, upload_pack, upload_page, &sink } };
	struct hf_upload u = { .domain = "plant-7",
		.counter = counter,
		.kind = HF_UPLOAD_INCREMENT,
		.level = HF_L1,
		.created_s = world_now,
		.lineage = "digits",
		.release = 3,
		.recipient = "hub-1" };
	struct hf_cms_party to = { .pub = world_hub.enc.key, .cert = &world_hub.enc };
	struct node user = as_user(n, n->uid);
	struct hf_pkg_writer *w = NULL;
	struct hf_buf content = buf_new();
	struct hf_chunk_keys keys;
	struct hf_bytes inner;
	uint8_t k_dom[HF_KDOM_LEN];

	assert_non_null(g);
	g->kind = HF_OBJECT_UPLOAD;
	(void)snprintf(u.device, sizeof(u.device), "%s", n->config.id);
	hf_cert_fingerprint(u.cert, &world_hub.enc);
	assert_ok(hf_rng_fill(&world_env.rng, u.id, sizeof(u.id)));
	assert_ok(hf_rng_fill(&world_env.rng, k_dom, sizeof(k_dom)));
	assert_ok(hf_rng_fill(&world_env.rng, config.cek, sizeof(config.cek)));
	assert_ok(hf_rng_fill(&world_env.rng, config.salt, sizeof(config.salt)));
	u.body.suite = HF_SUITE_SM4_GCM;
	hf_upload_scope(&config.scope, &u);
	assert_ok(hf_chunk_keys_init(&keys, k_dom, &config.scope, NULL));
	assert_ok(hf_pkg_writer_new(&w, &config));
	upload_chunks(w, &keys, n_chunks);
	assert_ok(hf_pkg_writer_finish(w, &u.body));
	assert_ok(hf_upload_emit(&content, &u, config.cek, &to, &world_env.rng, NULL));
	g->statement = buf_new();
	g->deposit = buf_new();
	assert_ok(hf_key_sign_upload(client(&user), bytes_of(&content), &g->statement, fresh()));
	assert_ok(hf_object_peek(&inner, HF_OBJECT_UPLOAD, bytes_of(&g->statement), NULL));
	assert_ok(hf_upload_parse(&u, inner, NULL));
	g->body = u.body;
	hf_object_name(g->name, g->statement.p, g->statement.len);
	hf_object_path(g->path, g->kind, g->name);
	hf_chunk_keys_clear(&keys);
	hf_pkg_writer_free(w);
	hf_buf_clear(&content);
	hf_buf_clear(&sink.pack);
	return g;
}

static inline void goods_free(struct goods *g)
{
	if (g == NULL)
		return;
	hf_buf_clear(&g->statement);
	hf_buf_clear(&g->deposit);
	for (size_t i = 0; i < g->n_pages; i++)
		hf_buf_clear(&g->pages[i]);
	for (size_t i = 0; i < g->n_packs; i++)
		hf_buf_clear(&g->packs[i].bytes);
	free(g);
}

static inline unsigned put_statement(struct wire *w, const struct goods *g)
{
	return put_object(
		w, &(struct putting){ g->kind, g->name, bytes_of(&g->statement), NULL, NULL });
}

static inline unsigned put_deposit(struct wire *w, const struct goods *g)
{
	return put_object(w, &(struct putting){ HF_OBJECT_DEPOSIT, g->deposit_name,
				     bytes_of(&g->deposit), NULL, NULL });
}

static inline unsigned put_page(struct wire *w, const struct goods *g, size_t i)
{
	return put_object(w, &(struct putting){ i % 2 == 0 ? HF_OBJECT_TABLE : HF_OBJECT_INDEX,
				     page_name(g, i), bytes_of(&g->pages[i]), g->path, NULL });
}

static inline unsigned put_pack(struct wire *w, const struct goods *g, size_t i)
{
	return put_object(w, &(struct putting){ HF_OBJECT_PACK, g->packs[i].name,
				     bytes_of(&g->packs[i].bytes), g->path, g->packs[i].chunk });
}

/* Everything but the POST that ends it. */
static inline void put_all(struct wire *w, const struct goods *g)
{
	assert_int_equal(put_statement(w, g), 201);
	if (g->kind == HF_OBJECT_MANIFEST)
		assert_int_equal(put_deposit(w, g), 201);
	for (size_t i = 0; i < g->n_pages; i++)
		assert_int_equal(put_page(w, g, i), 201);
	for (size_t i = 0; i < g->n_packs; i++)
		assert_int_equal(put_pack(w, g, i), 201);
}

static inline void publish(struct wire *w, const struct goods *g)
{
	put_all(w, g);
	assert_int_equal(post_name(w, "/v1/releases", "manifest", g->name), 200);
}

/* A node on a folder of the world, and its server. */
struct served {
	struct hf_node node;
	struct hf_serve *serve;
	struct hf_serve_config config;
	struct hf_grant_rule rules[2];
};

static inline void served_open(struct served *s, struct node *n, const char *id, enum hf_role role)
{
	const struct hf_node_config config = { .dir = n->dir,
		.id = id,
		.role = role,
		.level = HF_L2,
		.quota = UINT64_MAX,
		.channel_life_s = 10 * DAY,
		.rules = s->rules,
		.n_rules = 2 };

	s->rules[0] = (struct hf_grant_rule){ "digits", "dev-*" };
	s->rules[1] = (struct hf_grant_rule){ "other", "dev-2" };
	assert_ok(hf_node_open(&s->node, &world_env, &config, client(n), fresh()));
	s->config = serve_config(&s->node);
}

static inline void served_start(struct served *s)
{
	assert_ok(hf_serve_new(&s->serve, &s->config, fresh()));
}

static inline void served_stop(struct served *s)
{
	for (struct wire *w = wires; w < wires + WIRES_MAX; w++)
		if (w->is_used)
			wire_end(w);
	hf_serve_free(s->serve);
	s->serve = NULL;
	hf_node_close(&s->node);
}

static inline struct hf_serve_stats stats_of(const struct served *s)
{
	struct hf_serve_stats stats;

	hf_serve_stats_get(s->serve, &stats);
	return stats;
}

/* {"token":TOKEN,"sign_csr":…,"enc_csr":…} of somebody who wants to join. */
static inline void enroll_body(char out[16 << 10], const struct joining *j)
{
	char sign[HF_BASE64_LEN(HF_CSR_DER_MAX) + 1] = { 0 };
	char enc[HF_BASE64_LEN(HF_CSR_DER_MAX) + 1] = { 0 };

	(void)hf_base64_emit(sign, j->sign_csr.p, j->sign_csr.len, HF_BASE64_STD);
	(void)hf_base64_emit(enc, j->enc_csr.p, j->enc_csr.len, HF_BASE64_STD);
	(void)snprintf(out, 16 << 10, "{\"token\":\"%s\",\"sign_csr\":\"%s\",\"enc_csr\":\"%s\"}",
		j->token, sign, enc);
}

/* A member of an answer, which is base64 of DER. */
static inline void take_der(struct hf_buf *out, const struct answer *a, const char *member)
{
	json_t *json = json_loadb((const char *)a->body, a->len, 0, NULL);
	const char *text;
	uint8_t *der = malloc(64 << 10);
	size_t len = 0;

	assert_non_null(json);
	assert_non_null(der);
	text = json_string_value(json_object_get(json, member));
	assert_non_null(text);
	assert_ok(hf_base64_parse(der, 64 << 10, &len, text, strlen(text), HF_BASE64_STD));
	*out = buf_new();
	assert_ok(hf_buf_put(out, der, len));
	free(der);
	json_decref(json);
}

/* A newcomer that has its requests and a token, and its wire. */
static inline struct wire *newcomer(
	struct served *s, struct joining *j, struct node *n, const char *id, enum hf_role role)
{
	joining_init(j);
	node_init(n, id, id, role);
	assert_ok(node_start(n));
	make_token(j, id, hf_role_name(role), DAY);
	join_ask(j, n);
	return wire_new(s->serve, NULL, bytes_of(&j->self_signed));
}

/* Takes the answer of an enrolment: the node is a member then. */
static inline void become_member(struct node *n, struct joining *j, const struct answer *a)
{
	static const char *const names[] = { "sign_cert", "enc_cert", "issuing_ca", "root_ca",
		"hub_enc", "root" };
	struct hf_buf der[HF_COUNT(names)];
	struct hf_token t;

	for (size_t i = 0; i < HF_COUNT(names); i++)
		take_der(&der[i], a, names[i]);
	j->papers = (struct hf_enrolled){ bytes_of(&der[0]), bytes_of(&der[1]), bytes_of(&der[2]),
		bytes_of(&der[3]), bytes_of(&der[4]), bytes_of(&der[5]) };
	assert_ok(hf_token_parse(&t, j->token, strlen(j->token)));
	memcpy(j->root_ca_sm3, t.root_ca, sizeof(j->root_ca_sm3));
	assert_ok(join_finish(j, n));
	for (size_t i = 0; i < HF_COUNT(names); i++)
		hf_buf_clear(&der[i]);
}

/* Enrols over a wire of its own, from nothing to a member. */
static inline void serve_join(struct served *s, struct node *n, const char *id, enum hf_role role)
{
	char body[16 << 10];
	struct joining j;
	struct wire *w = newcomer(s, &j, n, id, role);
	struct ask a;

	enroll_body(body, &j);
	ask_init(&a, HF_HTTP_POST, "/v1/enroll");
	a.call.body = (const uint8_t *)body;
	a.call.body_len = strlen(body);
	assert_int_equal(ask_run(&a, w), 200);
	become_member(n, &j, &a.answer);
	ask_clear(&a);
	joining_clear(&j);
	wire_end(w);
}

/* The encryption certificate of a member, DER. */
static inline struct hf_buf enc_cert_of(const struct node *n)
{
	struct hf_buf out = buf_new();
	struct hf_party p;

	assert_ok(hf_party_open(&p, &world_env, n->dir, NULL));
	assert_ok(hf_buf_put(&out, p.enc.der.p, p.enc.der.len));
	hf_party_clear(&p);
	return out;
}

/* {"manifest":…,"enc_cert":…} */
static inline void grant_body(
	char out[16 << 10], const uint8_t manifest[HF_SM3_LEN], const struct hf_buf *cert)
{
	char text[HF_BASE64_LEN(HF_CERT_DER_MAX) + 1] = { 0 };
	char hex[2 * HF_SM3_LEN + 1];

	hf_hex_emit(hex, manifest, HF_SM3_LEN);
	(void)hf_base64_emit(text, cert->p, cert->len, HF_BASE64_STD);
	(void)snprintf(out, 16 << 10, "{\"manifest\":\"%s\",\"enc_cert\":\"%s\"}", hex, text);
}

/* Asks for a grant; it is appended to out, which may be NULL. */
static inline unsigned post_grant(struct wire *w, const uint8_t manifest[HF_SM3_LEN],
	const struct node *n, struct hf_buf *out)
{
	struct hf_buf cert = enc_cert_of(n);
	char body[16 << 10];
	unsigned status;
	struct ask a;

	grant_body(body, manifest, &cert);
	ask_init(&a, HF_HTTP_POST, "/v1/grants");
	a.call.body = (const uint8_t *)body;
	a.call.body_len = strlen(body);
	status = ask_run(&a, w);
	if (status == 200 && out != NULL)
		assert_ok(hf_buf_put(out, a.answer.body, a.answer.len));
	ask_clear(&a);
	hf_buf_clear(&cert);
	return status;
}

/* Records of an event in the hub's log so far, and the last of them. */
static inline struct counting hub_count(enum hf_audit_event event)
{
	struct counting c;

	node_stop(&hub);
	c = log_count(&hub, event);
	assert_ok(node_start(&hub));
	return c;
}

/* Files on their way in, or left over from it. */
static inline size_t unfinished(const struct served *s)
{
	return test_dir_count(test_path(s->node.dir, "objects/temp")) +
	       test_dir_count(test_path(s->node.dir, "objects/part"));
}

static inline bool is_stored(
	const struct served *s, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	char path[HF_OBJECT_PATH_MAX + 16];
	char object[HF_OBJECT_PATH_MAX];
	struct hf_file_stat st;

	hf_object_path(object, kind, name);
	(void)snprintf(path, sizeof(path), "objects/%s", object);
	return hf_file_stat(&st, test_path(s->node.dir, path), NULL) == HF_OK;
}

/* A body that has so many bytes for now, and then nothing, but goes on. */
struct unended {
	struct hf_http_source source;
	struct ask a;
	size_t left;
};

static inline hf_err unended_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct unended *u = ctx;

	(void)is_end;
	*len = u->left < cap ? u->left : cap;
	memset(out, 'x', *len);
	u->left -= *len;
	return *len == 0 ? HF_ERR_AGAIN : HF_OK;
}

#endif
