/* SPDX-License-Identifier: Apache-2.0 */
/* A push against a small hub in memory: what arrives, in what order, and how it ends. */
#include "../pkg/world.h"

#include "base/hex.h"
#include "http/api.h"
#include "svc/push.h"

enum { LOG_MAX = 256, ENDS_MAX = 4, PUT_MAX = 64 << 20 };

/* What the hub does to whom. */
enum rude { NOTHING, REFUSE, GARBLED };

struct coming {
	int32_t stream;
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	struct hf_buf bytes;
};

struct hub {
	struct hf_h2 *h;
	struct stored store[STORE_MAX];
	size_t n_stored;
	struct coming coming[8];
	char log[LOG_MAX][HF_OBJECT_PATH_MAX + 8]; /* "PUT table/...", in order */
	size_t n_log;
	char request[HF_HTTP_VALUE_MAX];
	char statement[HF_OBJECT_PATH_MAX]; /* what pages and packs said they belong to */
	uint64_t chunks[LOG_MAX];           /* of packs, as they came */
	size_t n_packs;
	size_t rude_at; /* number of the request, from 1 */
	enum rude rude;
};

struct end {
	unsigned n;
	hf_err e;
	struct hf_errinfo why;
	char body[256];
};

struct scene {
	struct world *w;
	struct hf_env env;
	struct hf_objects objects;
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	struct hub hub;
	struct hf_h2 *client;
	struct hf_push *push;
	struct end end;
	unsigned n_pumps;
	uint64_t done;
	uint64_t total;
	size_t fail_read_at; /* bytes of a pack that can be read; 0: all */
	size_t max_streams;
};

static struct stored *hub_find(struct hub *hub, enum hf_object kind, const uint8_t *name)
{
	for (size_t i = 0; i < hub->n_stored; i++)
		if (hub->store[i].kind == kind && memcmp(hub->store[i].name, name, HF_SM3_LEN) == 0)
			return &hub->store[i];
	return NULL;
}

static void hub_keep(
	struct hub *hub, enum hf_object kind, const uint8_t *name, const uint8_t *bytes, size_t len)
{
	struct stored *s = &hub->store[hub->n_stored];

	if (hub_find(hub, kind, name) != NULL)
		return;
	assert_true(hub->n_stored < STORE_MAX);
	hub->n_stored++;
	s->kind = kind;
	memcpy(s->name, name, HF_SM3_LEN);
	s->bytes = malloc(len == 0 ? 1 : len);
	assert_non_null(s->bytes);
	memcpy(s->bytes, bytes, len);
	s->len = len;
}

/* Notes the request; true: it has been answered rudely already. */
static bool hub_note(
	struct hub *hub, const struct hf_http_request *q, const char *what, const char *object)
{
	const char *request = NULL;

	assert_true(hub->n_log < LOG_MAX);
	(void)snprintf(hub->log[hub->n_log++], sizeof(hub->log[0]), "%s %s", what, object);
	for (size_t i = 0; i < q->head->n_fields; i++)
		if (strcmp(q->head->fields[i].name, HF_FIELD_REQUEST) == 0)
			request = q->head->fields[i].value;
	assert_non_null(request);
	assert_int_equal(strlen(request), 32);
	if (hub->request[0] == '\0')
		memcpy(hub->request, request, sizeof(hub->request));
	assert_string_equal(hub->request, request);
	if (hub->n_log != hub->rude_at || hub->rude == NOTHING)
		return false;
	if (hub->rude == REFUSE) {
		hf_h2_reply_error(q->h, q->stream, HF_ERR_ROLLBACK, "no room\nfor \"this\"");
	} else {
		struct hf_http_reply reply = {
			.status = 507, .body = (const uint8_t *)"{\"code\":", .body_len = 8
		};

		assert_ok(hf_h2_reply(q->h, q->stream, &reply));
	}
	return true;
}

static void object_of(const struct hf_http_request *q, enum hf_object *kind, uint8_t *name,
	char path[HF_OBJECT_PATH_MAX])
{
	assert_int_equal(q->head->n_segments, 4);
	(void)snprintf(
		path, HF_OBJECT_PATH_MAX, "%s/%s", q->head->segments[2], q->head->segments[3]);
	assert_ok(hf_object_path_parse(kind, name, path, strlen(path)));
}

static const char *field_of(const struct hf_http_request *q, const char *name)
{
	for (size_t i = 0; i < q->head->n_fields; i++)
		if (strcmp(q->head->fields[i].name, name) == 0)
			return q->head->fields[i].value;
	return NULL;
}

static void head_object(void *ctx, const struct hf_http_request *q)
{
	struct hub *hub = ctx;
	char path[HF_OBJECT_PATH_MAX];
	uint8_t name[HF_SM3_LEN];
	enum hf_object kind;

	object_of(q, &kind, name, path);
	assert_true(kind == HF_OBJECT_PACK || kind == HF_OBJECT_TABLE || kind == HF_OBJECT_INDEX);
	if (hub_note(hub, q, "HEAD", path))
		return;
	assert_ok(hf_h2_reply(q->h, q->stream,
		&(struct hf_http_reply){
			.status = hub_find(hub, kind, name) != NULL ? 200 : 404 }));
}

/* A page or a pack says for what it comes, and only these do. */
static void check_fields(struct hub *hub, const struct hf_http_request *q, enum hf_object kind)
{
	const char *statement = field_of(q, HF_FIELD_FOR);
	const char *chunk = field_of(q, HF_FIELD_CHUNK);
	bool is_part = kind == HF_OBJECT_PACK || kind == HF_OBJECT_TABLE || kind == HF_OBJECT_INDEX;

	assert_true((statement != NULL) == is_part);
	assert_true((chunk != NULL) == (kind == HF_OBJECT_PACK));
	if (statement != NULL)
		assert_string_equal(statement, hub->statement);
	else if (kind != HF_OBJECT_DEPOSIT)
		(void)snprintf(hub->statement, sizeof(hub->statement), "%s/%s",
			q->head->segments[2], q->head->segments[3]);
	if (chunk != NULL)
		hub->chunks[hub->n_packs++] = strtoull(chunk, NULL, 10);
	assert_string_equal(q->head->content_type, is_part ? HF_TYPE_BYTES : HF_TYPE_DER);
}

static void put_object(void *ctx, const struct hf_http_request *q)
{
	struct hub *hub = ctx;
	char path[HF_OBJECT_PATH_MAX];
	struct coming *c = NULL;

	for (size_t i = 0; i < HF_COUNT(hub->coming) && c == NULL; i++)
		if (hub->coming[i].stream == 0)
			c = &hub->coming[i];
	assert_non_null(c);
	object_of(q, &c->kind, c->name, path);
	check_fields(hub, q, c->kind);
	if (hub_note(hub, q, "PUT", path))
		return;
	/* Packs come one after the other. */
	for (size_t i = 0; i < HF_COUNT(hub->coming) && c->kind == HF_OBJECT_PACK; i++)
		assert_false(hub->coming[i].stream != 0 && hub->coming[i].kind == HF_OBJECT_PACK);
	c->stream = q->stream;
	hf_buf_init(&c->bytes, &test_mem, PUT_MAX);
}

static hf_err put_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	struct hub *hub = ctx;

	for (size_t i = 0; i < HF_COUNT(hub->coming); i++) {
		struct coming *c = &hub->coming[i];
		bool is_there;

		if (c->stream != stream)
			continue;
		HF_TRY(hf_buf_put(&c->bytes, bytes, len));
		if (!is_end)
			return HF_OK;
		is_there = hub_find(hub, c->kind, c->name) != NULL;
		hub_keep(hub, c->kind, c->name, c->bytes.p, c->bytes.len);
		return hf_h2_reply(
			hub->h, stream, &(struct hf_http_reply){ .status = is_there ? 200 : 201 });
	}
	return HF_OK;
}

static void post_end(void *ctx, const struct hf_http_request *q)
{
	static const char answer[] = "{\"lineage\":\"digits\",\"release\":7,\"serial\":101}";
	struct hub *hub = ctx;
	char body[128];

	if (hub_note(hub, q, "POST", q->head->segments[1]))
		return;
	/* {"manifest":"<hex>"} for "manifest/<hex>" */
	(void)snprintf(body, sizeof(body), "{\"%.*s\":\"%s\"}", (int)strcspn(hub->statement, "/"),
		hub->statement, strchr(hub->statement, '/') + 1);
	assert_int_equal(q->body_len, strlen(body));
	assert_memory_equal(q->body, body, q->body_len);
	assert_ok(hf_h2_reply(q->h, q->stream,
		&(struct hf_http_reply){ .status = 200,
			.content_type = HF_TYPE_JSON,
			.body = (const uint8_t *)answer,
			.body_len = sizeof(answer) - 1 }));
}

static void hub_on_close(void *ctx, int32_t stream, hf_err why)
{
	struct hub *hub = ctx;

	(void)why;
	for (size_t i = 0; i < HF_COUNT(hub->coming); i++) {
		if (hub->coming[i].stream != stream)
			continue;
		hf_buf_clear(&hub->coming[i].bytes);
		hub->coming[i].stream = 0;
	}
}

static const struct hf_http_route routes[] = {
	{ HF_HTTP_HEAD, HF_API_OBJECT, HF_PEER_PUBLISHER, 0, head_object, NULL },
	{ HF_HTTP_PUT, HF_API_OBJECT, HF_PEER_PUBLISHER, PUT_MAX, put_object, put_body },
	{ HF_HTTP_POST, HF_API_RELEASES, HF_PEER_PUBLISHER, 1000, post_end, NULL },
	{ HF_HTTP_POST, HF_API_UPLOADS, HF_PEER_PUBLISHER, 1000, post_end, NULL },
};

/* Objects of the world's store. */
static hf_err store_load(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	uint8_t *out, size_t *len, struct hf_errinfo *ei)
{
	struct scene *s = ctx;
	struct stored *o = world_find(s->w, kind, name);

	if (o == NULL)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "%s is missing", hf_object_kind(kind));
	assert_true(o->len <= *len);
	memcpy(out, o->bytes, o->len);
	*len = o->len;
	return HF_OK;
}

static hf_err store_read_at(void *ctx, const uint8_t pack[HF_SM3_LEN], uint8_t *out, size_t len,
	uint64_t offset, struct hf_errinfo *ei)
{
	struct scene *s = ctx;
	struct stored *o = world_find(s->w, HF_OBJECT_PACK, pack);

	if (o == NULL)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "the pack is missing");
	assert_true(offset + len <= o->len);
	if (s->fail_read_at > 0 && offset + len > s->fail_read_at)
		return hf_fail(ei, HF_ERR_IO, "the disk is broken");
	memcpy(out, o->bytes + offset, len);
	return HF_OK;
}

static hf_err store_each(void *ctx, enum hf_object kind,
	hf_err (*visit)(void *visit_ctx, const uint8_t name[HF_SM3_LEN], uint64_t len),
	void *visit_ctx, struct hf_errinfo *ei)
{
	struct scene *s = ctx;

	(void)ei;
	for (size_t i = 0; i < s->w->n_stored; i++)
		if (s->w->store[i].kind == kind)
			HF_TRY(visit(visit_ctx, s->w->store[i].name, s->w->store[i].len));
	return HF_OK;
}

static void keep_signed(struct scene *s, enum hf_object kind, struct hf_buf *content, enum who by)
{
	uint8_t name[HF_SM3_LEN];
	struct hf_buf object;

	hf_buf_init(&object, &test_mem, 1 << 20);
	world_sign(s->w, &object, kind, content, &by, 1);
	hf_object_name(name, object.p, object.len);
	world_keep(s->w, kind, name, object.p, object.len);
	if (kind == s->kind)
		memcpy(s->name, name, sizeof(name));
	hf_buf_clear(&object);
}

static void keep_deposit(struct scene *s, const uint8_t manifest[HF_SM3_LEN])
{
	struct world *w = s->w;
	struct hf_cms_party to = { .pub = w->keys[HUB].pub };
	struct hf_grant_context c = w->grant;
	struct hf_deposit_keys keys;
	struct hf_buf content;

	memcpy(c.manifest, manifest, HF_SM3_LEN);
	(void)snprintf(c.recipient, sizeof(c.recipient), "hub-1");
	c.may_travel = false;
	hf_deposit_keys_init(&keys, &test_mem);
	memcpy(keys.cek, w->cek, HF_CEK_LEN);
	memcpy(keys.k_dom, w->k_dom, HF_KDOM_LEN);
	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_deposit_emit(&content, &c, &keys, &to, &w->rng, NULL));
	keep_signed(s, HF_OBJECT_DEPOSIT, &content, PUB_A);
	hf_deposit_keys_clear(&keys);
}

static void keep_release(struct scene *s)
{
	static const uint8_t other[HF_SM3_LEN] = { 1 };
	struct world *w = s->w;

	hf_object_name(s->name, w->manifest_obj.p, w->manifest_obj.len);
	world_keep(w, HF_OBJECT_MANIFEST, s->name, w->manifest_obj.p, w->manifest_obj.len);
	keep_deposit(s, other);
	keep_deposit(s, s->name);
}

static void keep_upload(struct scene *s)
{
	struct world *w = s->w;
	struct hf_cms_party to = { .pub = w->keys[HUB].pub };
	struct hf_upload u = { .domain = "plant-7",
		.device = "dev-1",
		.counter = 3,
		.kind = HF_UPLOAD_INCREMENT,
		.level = HF_L1,
		.created_s = NOW,
		.recipient = "hub-1",
		.body = w->body };
	struct hf_buf content;

	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_upload_emit(&content, &u, w->cek, &to, &w->rng, NULL));
	keep_signed(s, HF_OBJECT_UPLOAD, &content, DEVICE);
}

static void connect_hub(struct scene *s)
{
	struct hf_h2_server server = { .mem = &test_mem,
		.limits = hf_h2_limits_default,
		.routes = routes,
		.n_routes = HF_COUNT(routes),
		.peer = HF_PEER_PUBLISHER,
		.ctx = &s->hub,
		.on_close = hub_on_close };
	struct hf_h2_client client = { &test_mem, hf_h2_limits_default, "hub-1" };

	server.limits.max_streams = (uint32_t)s->max_streams;
	client.limits.max_streams = (uint32_t)s->max_streams;
	server.limits.window = 16 * 1024;
	assert_ok(hf_h2_server_new(&s->hub.h, &server, 1000));
	assert_ok(hf_h2_client_new(&s->client, &client, 1000));
	s->hub.request[0] = '\0';
}

static void disconnect_hub(struct scene *s)
{
	hf_h2_free(s->client);
	hf_h2_free(s->hub.h);
	s->client = NULL;
	s->hub.h = NULL;
}

static struct scene *scene_new(enum hf_object kind)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->w = world_new();
	s->kind = kind;
	s->env = (struct hf_env){ .mem = &test_mem, .rng = s->w->rng };
	s->objects = (struct hf_objects){
		.load = store_load, .read_at = store_read_at, .each = store_each, .ctx = s
	};
	s->max_streams = 64;
	if (kind == HF_OBJECT_MANIFEST)
		keep_release(s);
	else
		keep_upload(s);
	connect_hub(s);
	return s;
}

static void scene_free(struct scene *s)
{
	hf_push_free(s->push);
	disconnect_hub(s);
	for (size_t i = 0; i < s->hub.n_stored; i++)
		free(s->hub.store[i].bytes);
	world_free(s->w);
	free(s);
}

static void on_pump(void *ctx)
{
	((struct scene *)ctx)->n_pumps++;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct scene *s = ctx;

	assert_true(done >= s->done && done <= total);
	s->done = done;
	s->total = total;
}

static void on_end(
	void *ctx, hf_err e, const struct hf_errinfo *why, const uint8_t *body, size_t body_len)
{
	struct scene *s = ctx;

	s->end.n++;
	s->end.e = e;
	s->end.why = *why;
	assert_true(body_len < sizeof(s->end.body));
	if (body_len > 0)
		memcpy(s->end.body, body, body_len);
	s->end.body[body_len] = '\0';
}

static hf_err begin(struct scene *s, struct hf_errinfo *ei)
{
	struct hf_push_config config = { .env = &s->env,
		.objects = &s->objects,
		.kind = s->kind,
		.h = s->client,
		.pump = on_pump,
		.on_progress = on_progress,
		.on_end = on_end,
		.ctx = s };

	memcpy(config.name, s->name, sizeof(config.name));
	memset(&s->end, 0, sizeof(s->end));
	s->done = 0;
	return hf_push_new(&s->push, &config, 1000, ei);
}

static bool move(struct hf_h2 *from, struct hf_h2 *to)
{
	const uint8_t *bytes = NULL;
	size_t len = hf_h2_out(from, &bytes);
	size_t used = 0;

	if (len == 0)
		return false;
	assert_ok(hf_h2_feed(to, &used, bytes, len, 1000));
	assert_int_equal(used, len);
	hf_h2_sent(from, len);
	return true;
}

/* Until nothing moves, or the hub has seen this many requests. */
static void run_until(struct scene *s, size_t n_requests)
{
	bool moved = true;

	while (moved && s->hub.n_log < n_requests)
		moved = move(s->client, s->hub.h) | move(s->hub.h, s->client);
}

static void run(struct scene *s)
{
	run_until(s, SIZE_MAX);
}

static void push(struct scene *s)
{
	struct hf_errinfo ei = { .code = HF_OK };

	assert_ok(begin(s, &ei));
	run(s);
}

/* The hub has exactly the objects that belong to the statement. */
static void assert_arrived(struct scene *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->w->n_stored; i++) {
		const struct stored *o = &s->w->store[i];
		struct stored *there = hub_find(&s->hub, o->kind, o->name);

		if (there == NULL)
			continue;
		n++;
		assert_int_equal(there->len, o->len);
		assert_memory_equal(there->bytes, o->bytes, o->len);
	}
	assert_int_equal(n, s->hub.n_stored);
	assert_int_equal(n, s->w->n_stored - (s->kind == HF_OBJECT_MANIFEST ? 1 : 0));
}

static size_t count_log(const struct scene *s, const char *beginning)
{
	size_t n = 0;

	for (size_t i = 0; i < s->hub.n_log; i++)
		n += strncmp(s->hub.log[i], beginning, strlen(beginning)) == 0;
	return n;
}

static void a_release_arrives_whole_and_in_order(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);
	static const char *const order[] = { "PUT manifest/", "PUT deposit/", "HEAD table/",
		"HEAD index/", "PUT table/", "PUT index/", "HEAD pack/" };

	(void)state;
	push(s);
	assert_int_equal(s->end.n, 1);
	assert_ok(s->end.e);
	assert_string_equal(s->end.body, "{\"lineage\":\"digits\",\"release\":7,\"serial\":101}");
	assert_int_equal(s->n_pumps, 1);
	assert_arrived(s);
	for (size_t i = 0; i < HF_COUNT(order); i++)
		assert_memory_equal(s->hub.log[i], order[i], strlen(order[i]));
	assert_string_equal(s->hub.log[s->hub.n_log - 1], "POST releases");
	assert_int_equal(s->done, s->w->body.sealed_len);
	assert_int_equal(s->total, s->w->body.sealed_len);
	scene_free(s);
}

static void a_pack_says_its_first_chunk(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);
	struct hf_pkg_reader *r = world_reader(s->w, true);
	struct hf_place place;

	(void)state;
	push(s);
	assert_true(s->hub.n_packs > 1);
	for (size_t i = 0; i < s->hub.n_packs; i++) {
		assert_ok(hf_pkg_reader_place(r, s->hub.chunks[i], &place, NULL));
		assert_int_equal(place.offset, 0);
		assert_int_equal(place.pack, i);
	}
	hf_pkg_reader_free(r);
	scene_free(s);
}

static void an_upload_arrives_without_a_deposit(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_UPLOAD);

	(void)state;
	push(s);
	assert_int_equal(s->end.n, 1);
	assert_ok(s->end.e);
	assert_arrived(s);
	assert_memory_equal(s->hub.log[0], "PUT upload/", 11);
	assert_int_equal(count_log(s, "PUT deposit/"), 0);
	assert_string_equal(s->hub.log[s->hub.n_log - 1], "POST uploads");
	scene_free(s);
}

static void what_is_there_is_not_sent_again(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);

	(void)state;
	push(s);
	hf_push_free(s->push);
	s->push = NULL;
	s->hub.n_log = 0;
	s->hub.request[0] = '\0';
	push(s);
	assert_ok(s->end.e);
	assert_int_equal(count_log(s, "PUT pack/"), 0);
	assert_int_equal(count_log(s, "PUT table/"), 0);
	assert_int_equal(count_log(s, "PUT index/"), 0);
	assert_int_equal(count_log(s, "PUT manifest/"), 1);
	assert_int_equal(s->done, s->w->body.sealed_len);
	scene_free(s);
}

static void two_packs_of_equal_chunks_are_sent_once(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_UPLOAD);
	struct world *w = s->w;
	struct hf_pkg_writer_config config = { .mem = &test_mem,
		.sink = { world_pack_data, world_pack_done, world_page, w },
		.scope = w->scope,
		.pack_max = CUT + 1000 };
	struct hf_chunk_keys keys;

	(void)state;
	world_unpack(w);
	assert_ok(hf_chunk_keys_init(&keys, w->k_dom, &w->scope, NULL));
	assert_ok(hf_pkg_writer_new(&w->writer, &config));
	for (char i = 'a'; i < 'e'; i++)
		world_seal_file(w, (const char[]){ i, '\0' }, HF_MODEL_UNKNOWN,
			w->model + w->model_len - CUT, CUT, &keys);
	assert_ok(hf_pkg_writer_finish(w->writer, &w->body));
	hf_chunk_keys_clear(&keys);
	keep_upload(s);
	push(s);
	assert_ok(s->end.e);
	assert_int_equal(s->w->body.n_chunks, 4);
	assert_int_equal(count_log(s, "PUT pack/"), 1);
	assert_int_equal(count_log(s, "HEAD pack/"), 4);
	assert_int_equal(s->done, s->w->body.sealed_len);
	scene_free(s);
}

static void a_lost_connection_ends_it_once_and_a_new_push_goes_on(void **state)
{
	size_t n_all;
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);

	(void)state;
	push(s);
	n_all = s->hub.n_log;
	scene_free(s);
	for (size_t n = 1; n < n_all; n++) {
		size_t n_packs;

		s = scene_new(HF_OBJECT_MANIFEST);
		assert_ok(begin(s, NULL));
		run_until(s, n);
		disconnect_hub(s);
		assert_int_equal(s->end.n, 1);
		assert_int_equal(s->end.e, HF_ERR_CLOSED);
		assert_non_null(strstr(s->end.why.text, "connection ended"));
		hf_push_lost(s->push);
		hf_push_free(s->push);
		n_packs = count_log(s, "PUT pack/");
		connect_hub(s);
		push(s);
		assert_ok(s->end.e);
		assert_arrived(s);
		assert_true(count_log(s, "PUT pack/") <= n_packs + s->hub.n_packs);
		scene_free(s);
	}
}

static void a_refusal_of_any_request_ends_it_with_the_words_of_the_hub(void **state)
{
	size_t n_all = 2;

	(void)state;
	for (size_t n = 1; n <= n_all; n++) {
		struct scene *s = scene_new(HF_OBJECT_MANIFEST);
		bool is_head;

		push(s);
		n_all = s->hub.n_log;
		scene_free(s);
		s = scene_new(HF_OBJECT_MANIFEST);
		s->hub.rude_at = n;
		s->hub.rude = REFUSE;
		push(s);
		is_head = strncmp(s->hub.log[n - 1], "HEAD", 4) == 0;
		assert_int_equal(s->end.n, 1);
		/* An answer to HEAD has no body, so no exact code and no words. */
		assert_int_equal(s->end.e, is_head ? HF_ERR_STATE : HF_ERR_ROLLBACK);
		if (!is_head)
			assert_non_null(strstr(s->end.why.text, "refused: no room for \"this\""));
		assert_int_equal(count_log(s, "POST"), n == n_all ? 1 : 0);
		assert_int_equal(hf_h2_n_streams(s->client), 0);
		scene_free(s);
	}
}

static void an_answer_without_words_is_told_by_its_status(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);

	(void)state;
	s->hub.rude_at = 1;
	s->hub.rude = GARBLED;
	push(s);
	assert_int_equal(s->end.e, HF_ERR_FULL);
	assert_non_null(strstr(s->end.why.text, "507"));
	assert_non_null(strstr(s->end.why.text, "manifest/"));
	scene_free(s);
}

static void refuses_to_begin_without_what_belongs_to_it(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);
	struct hf_errinfo ei = { .code = HF_OK };
	struct stored *o;

	(void)state;
	s->kind = HF_OBJECT_TABLE;
	assert_err(begin(s, NULL), HF_ERR_ARG);
	s->kind = HF_OBJECT_MANIFEST;
	s->name[0] ^= 1;
	assert_err(begin(s, NULL), HF_ERR_NOT_FOUND);
	s->name[0] ^= 1;
	world_find(s->w, HF_OBJECT_MANIFEST, s->name)->bytes[100] ^= 1;
	assert_err(begin(s, &ei), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, "not those of its name"));
	world_find(s->w, HF_OBJECT_MANIFEST, s->name)->bytes[100] ^= 1;
	/* Only the deposit of another release is left. */
	o = &s->w->store[s->w->n_stored - 1];
	assert_int_equal(o->kind, HF_OBJECT_DEPOSIT);
	o->kind = HF_OBJECT_GRANT;
	ei = (struct hf_errinfo){ .code = HF_OK };
	assert_err(begin(s, &ei), HF_ERR_NOT_FOUND);
	assert_non_null(strstr(ei.text, "no deposit"));
	assert_int_equal(s->end.n, 0);
	assert_int_equal(hf_h2_n_streams(s->client), 0);
	scene_free(s);
}

static void a_page_that_is_missing_or_altered_ends_it(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);

	(void)state;
	world_first(s->w, HF_OBJECT_INDEX)->kind = HF_OBJECT_GRANT;
	push(s);
	assert_int_equal(s->end.e, HF_ERR_NOT_FOUND);
	assert_non_null(strstr(s->end.why.text, "index is missing"));
	scene_free(s);
	s = scene_new(HF_OBJECT_MANIFEST);
	world_first(s->w, HF_OBJECT_TABLE)->bytes[30] ^= 1;
	push(s);
	assert_int_equal(s->end.e, HF_ERR_AUTH);
	assert_non_null(strstr(s->end.why.text, "table: altered"));
	assert_int_equal(count_log(s, "PUT pack/"), 0);
	scene_free(s);
}

static void a_pack_that_cannot_be_read_ends_it_with_the_cause(void **state)
{
	static const size_t at[] = { 1, 10000, 60000 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(at); i++) {
		struct scene *s = scene_new(HF_OBJECT_UPLOAD);

		s->fail_read_at = at[i];
		push(s);
		assert_int_equal(s->end.n, 1);
		assert_int_equal(s->end.e, HF_ERR_IO);
		assert_string_equal(s->end.why.text, "the disk is broken");
		assert_int_equal(count_log(s, "POST"), 0);
		scene_free(s);
	}
}

static void a_push_that_is_freed_says_nothing_and_leaves_the_session(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		struct scene *s = scene_new(HF_OBJECT_MANIFEST);

		assert_ok(begin(s, NULL));
		run_until(s, n);
		hf_push_free(s->push);
		s->push = NULL;
		run(s);
		assert_int_equal(s->end.n, 0);
		assert_int_equal(hf_h2_n_streams(s->client), 0);
		s->hub.request[0] = '\0';
		push(s);
		assert_ok(s->end.e);
		assert_arrived(s);
		scene_free(s);
	}
	hf_push_free(NULL);
}

static void a_closing_session_refuses_at_the_beginning(void **state)
{
	struct scene *s = scene_new(HF_OBJECT_MANIFEST);
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	hf_h2_shutdown(s->client);
	assert_err(begin(s, &ei), HF_ERR_CLOSED);
	assert_non_null(strstr(ei.text, "manifest/"));
	assert_int_equal(s->end.n, 0);
	scene_free(s);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 400; n++) {
		struct scene *s = scene_new(HF_OBJECT_UPLOAD);
		hf_err e;

		test_mem_fail_at(n);
		e = begin(s, NULL);
		test_mem_fail_at(0);
		if (e == HF_OK) {
			scene_free(s);
			assert_true(n > 4);
			return;
		}
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_null(s->push);
		assert_int_equal(s->end.n, 0);
		scene_free(s);
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_arrives_whole_and_in_order),
		cmocka_unit_test(a_pack_says_its_first_chunk),
		cmocka_unit_test(an_upload_arrives_without_a_deposit),
		cmocka_unit_test(what_is_there_is_not_sent_again),
		cmocka_unit_test(two_packs_of_equal_chunks_are_sent_once),
		cmocka_unit_test(a_lost_connection_ends_it_once_and_a_new_push_goes_on),
		cmocka_unit_test(a_refusal_of_any_request_ends_it_with_the_words_of_the_hub),
		cmocka_unit_test(an_answer_without_words_is_told_by_its_status),
		cmocka_unit_test(refuses_to_begin_without_what_belongs_to_it),
		cmocka_unit_test(a_page_that_is_missing_or_altered_ends_it),
		cmocka_unit_test(a_pack_that_cannot_be_read_ends_it_with_the_cause),
		cmocka_unit_test(a_push_that_is_freed_says_nothing_and_leaves_the_session),
		cmocka_unit_test(a_closing_session_refuses_at_the_beginning),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
