/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge passes on, device to edge to hub: with a real hub behind it, and with one whose
 * answers are the test's to choose.
 */
#include "serve_world.h"

#include "os/heap.h"
#include "pkg/receipt.h"

static struct served s; /* hub */
static struct served e; /* edge */
static struct node dev;
static struct node dev2;
static struct node edge;
static struct goods *one;
static struct wire *up_wire; /* edge to hub; NULL: there is none */
static struct hf_upstream up;

static const struct hf_h2 *up_pumped; /* the last one */

static void up_pump(void *ctx, const struct hf_h2 *h)
{
	(void)ctx; /* world_run() looks at everybody anyway */
	up_pumped = h;
}

static struct hf_h2 *up_session(void *ctx)
{
	(void)ctx;
	return up_wire == NULL ? NULL : up_wire->client;
}

static hf_err up_want(void *ctx, const struct hf_wanted *w)
{
	(void)ctx;
	(void)w;
	return HF_ERR_NOT_FOUND;
}

static hf_err up_read(void *ctx, const struct hf_wanted *w, uint8_t *out)
{
	(void)ctx;
	(void)w;
	(void)out;
	return HF_ERR_AGAIN;
}

static hf_err up_pack_len(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t *len)
{
	(void)ctx;
	(void)name;
	(void)len;
	return HF_ERR_NOT_FOUND;
}

static void start_edge(void)
{
	served_open(&e, &edge, "edge-1", HF_ROLE_EDGE);
	up = (struct hf_upstream){ up_session, up_pump, up_want, up_read, up_pack_len, NULL };
	e.config.up = &up;
	served_start(&e);
}

static int make(void **state)
{
	struct wire *w;

	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	served_start(&s);
	serve_join(&s, &dev, "dev-1", HF_ROLE_DEVICE);
	serve_join(&s, &dev2, "dev-2", HF_ROLE_DEVICE);
	serve_join(&s, &edge, "edge-1", HF_ROLE_EDGE);
	one = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 3, .floor = 2 });
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	publish(w, one);
	wire_end(w);
	start_edge();
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	served_stop(&e);
	served_stop(&s);
	goods_free(one);
	node_stop(&dev);
	node_stop(&dev2);
	node_stop(&edge);
	world_delete();
	return 0;
}

/* A device at the edge, and the edge's way to the hub. */
static struct wire *through_edge(const char *dir)
{
	up_wire = wire_of(s.serve, edge.dir);
	return wire_of(e.serve, dir);
}

static void end_both(struct wire *w)
{
	wire_end(w);
	if (up_wire != NULL)
		wire_end(up_wire);
	up_wire = NULL;
}

static void the_whole_life_of_a_device_goes_through_an_edge(void **state)
{
	char body[16 << 10];
	struct joining j;
	struct node n;
	struct wire *w;
	struct goods *g;
	struct hf_buf channel = buf_new();
	struct hf_buf grant = buf_new();
	struct hf_buf receipt = buf_new();
	struct ask a;

	(void)state;
	up_wire = wire_of(s.serve, edge.dir);
	w = newcomer(&e, &j, &n, "dev-5", HF_ROLE_DEVICE);
	enroll_body(body, &j);
	ask_init(&a, HF_HTTP_POST, "/v1/enroll");
	a.call.body = (const uint8_t *)body;
	a.call.body_len = strlen(body);
	assert_int_equal(ask_run(&a, w), 200);
	become_member(&n, &j, &a.answer);
	ask_clear(&a);
	joining_clear(&j);
	wire_end(w);

	w = wire_of(e.serve, n.dir);
	ask_init(&a, HF_HTTP_GET, "/v1/channels/current");
	assert_int_equal(ask_run(&a, w), 200);
	assert_string_equal(a.answer.head.content_type, HF_TYPE_DER);
	assert_ok(hf_buf_put(&channel, a.answer.body, a.answer.len));
	ask_clear(&a);
	assert_int_equal(post_grant(w, one->name, &n, &grant), 200);
	assert_ok(hf_key_activate(client(&n), "digits", bytes_of(&channel),
		bytes_of(&one->statement), bytes_of(&grant), &receipt, fresh()));
	assert_int_equal(status_of(w, HF_HTTP_POST, "/v1/receipts", receipt.p, receipt.len), 200);
	g = goods_uploaded(&n, 1, 20);
	put_all(w, g);
	assert_int_equal(put_pack(w, g, 0), 200);
	assert_int_equal(post_name(w, "/v1/uploads", "upload", g->name), 200);
	assert_true(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
	assert_false(is_stored(&e, HF_OBJECT_PACK, g->packs[0].name)); /* an edge keeps none */
	goods_free(g);
	hf_buf_clear(&channel);
	hf_buf_clear(&grant);
	hf_buf_clear(&receipt);
	end_both(w);
	node_stop(&n);
}

static void inventories_go_through_an_edge(void **state)
{
	struct wire *w = through_edge(dev.dir);
	uint8_t nonce[HF_RECEIPT_NONCE_LEN];
	struct hf_buf inventory = buf_new();
	char hex[64] = { 0 };
	size_t len = 0;
	struct ask a;

	(void)state;
	ask_init(&a, HF_HTTP_GET, "/v1/inventory");
	assert_int_equal(ask_run(&a, w), 200);
	assert_int_equal(
		sscanf((const char *)a.answer.body, "{\"nonce\":\"%32[0-9a-f]\"}", hex), 1);
	ask_clear(&a);
	assert_ok(hf_hex_parse(nonce, sizeof(nonce), &len, hex, strlen(hex)));
	assert_ok(hf_key_sign_inventory(client(&dev), nonce, &inventory, fresh()));
	assert_int_equal(
		status_of(w, HF_HTTP_POST, "/v1/inventory", inventory.p, inventory.len), 200);
	assert_int_equal(
		status_of(w, HF_HTTP_POST, "/v1/inventory", inventory.p, inventory.len), 409);
	hf_buf_clear(&inventory);
	end_both(w);
}

static void refusals_of_the_hub_come_back_as_they_are(void **state)
{
	struct wire *w = through_edge(dev.dir);
	struct goods *g = goods_uploaded(&dev, 50, 3);
	struct ask a;

	(void)state;
	g->packs[0].bytes.p[70000] ^= 1;
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	assert_int_equal(put_pack(w, g, 0), 401);
	ask_init(&a, HF_HTTP_POST, "/v1/uploads");
	a.call.body = (const uint8_t *)"{\"upload\":1}";
	a.call.body_len = 12;
	assert_int_equal(ask_run(&a, w), 400);
	assert_string_equal(a.answer.head.content_type, HF_TYPE_JSON);
	assert_non_null(strstr((const char *)a.answer.body, "\"error\":\"format\""));
	assert_non_null(strstr((const char *)a.answer.body, "body: upload:"));
	ask_clear(&a);
	assert_int_equal(unfinished(&s), 0);
	goods_free(g);
	end_both(w);
}

static void an_edge_lets_devices_ask_for_themselves_only(void **state)
{
	struct wire *w = through_edge(dev.dir);
	uint64_t asked = stats_of(&s).n_requests;
	uint64_t here = stats_of(&e).n_requests;
	struct joining j;
	struct joining k;
	struct node n;
	struct node m;
	struct wire *v;
	char body[16 << 10];

	(void)state;
	assert_int_equal(post_grant(w, one->name, &dev2, NULL), 403);
	assert_int_equal(post_json(w, "/v1/grants", "{}"), 400);
	assert_int_equal(post_json(w, "/v1/releases", "{}"), 404);
	v = newcomer(&e, &j, &n, "dev-6", HF_ROLE_DEVICE);
	wire_end(newcomer(&e, &k, &m, "dev-7", HF_ROLE_DEVICE));
	enroll_body(body, &k); /* requests of another key than the link's */
	assert_int_equal(post_json(v, "/v1/enroll", body), 401);
	assert_int_equal(stats_of(&s).n_requests, asked); /* the hub was not troubled */
	assert_int_equal(stats_of(&e).n_requests, here + 4);
	joining_clear(&j);
	joining_clear(&k);
	node_stop(&n);
	node_stop(&m);
	wire_end(v);
	end_both(w);
}

/* What the hub knows about a bad enrolment it tells neither a newcomer nor an edge, who passes it
 * on. */
static void a_newcomer_behind_an_edge_hears_no_more_than_a_code(void **state)
{
	struct wire *up_end = through_edge(dev.dir);
	struct joining j;
	struct node n;
	struct wire *w = newcomer(&e, &j, &n, "dev-9", HF_ROLE_DEVICE);
	char body[16 << 10];
	struct ask a;

	(void)state;
	make_token(&j, "dev-10", "device", DAY); /* for somebody else */
	enroll_body(body, &j);
	ask_init(&a, HF_HTTP_POST, "/v1/enroll");
	a.call.body = (const uint8_t *)body;
	a.call.body_len = strlen(body);
	assert_int_equal(ask_run(&a, w), 403);
	assert_null(strstr((const char *)a.answer.body, "dev-10"));
	ask_clear(&a);
	wire_end(w);
	joining_clear(&j);
	node_stop(&n);
	end_both(up_end);
}

static void without_a_way_to_the_hub_it_is_502(void **state)
{
	struct wire *w = wire_of(e.serve, dev.dir);
	struct goods *g = goods_uploaded(&dev, 60, 1);

	(void)state;
	assert_null(up_wire);
	assert_int_equal(status_of(w, HF_HTTP_GET, "/v1/channels/current", NULL, 0), 502);
	assert_int_equal(post_grant(w, one->name, &dev, NULL), 502);
	assert_int_equal(put_statement(w, g), 502);
	assert_int_equal(post_name(w, "/v1/uploads", "upload", g->name), 502);
	assert_int_equal(status_of(w, HF_HTTP_GET, "/v1/inventory", NULL, 0), 502);
	goods_free(g);
	wire_end(w);
}

/* A body of so many bytes, as far as it may go yet. */
struct stream_body {
	size_t at;
	size_t until;
	size_t len;
	const uint8_t *bytes; /* NULL: zeros */
};

static hf_err body_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct stream_body *b = ctx;
	size_t left = b->until - b->at;

	if (left == 0 && b->at < b->len)
		return HF_ERR_AGAIN;
	*len = left < cap ? left : cap;
	if (b->bytes == NULL)
		memset(out, 0, *len);
	else
		memcpy(out, b->bytes + b->at, *len);
	b->at += *len;
	*is_end = b->at == b->len;
	return HF_OK;
}

static void begin_put(struct ask *a, struct wire *w, const struct goods *g, struct stream_body *b)
{
	struct hf_http_source source = { body_read, NULL, b, UINT64_MAX };
	char path[128];
	int32_t stream;

	object_url(path, HF_OBJECT_PACK, g->packs[0].name);
	ask_init(a, HF_HTTP_PUT, path);
	ask_field(a, HF_FIELD_FOR, g->path);
	ask_field(a, HF_FIELD_CHUNK, "0");
	a->call.source = &source;
	assert_ok(hf_h2_call(w->client, &stream, &a->call, wire_now_ms));
	a->call.source = NULL;
	world_run();
}

static void a_hub_that_dies_in_the_middle_is_502(void **state)
{
	struct wire *w = through_edge(dev.dir);
	struct goods *g = goods_uploaded(&dev, 70, 20);
	struct stream_body b = { 0, 500 * 1000, g->packs[0].bytes.len, g->packs[0].bytes.p };
	struct ask a;

	(void)state;
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	begin_put(&a, w, g, &b);
	assert_int_equal(unfinished(&s), 1);
	wire_end(up_wire);
	up_wire = NULL;
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_ok(a.answer.e);
	assert_int_equal(a.answer.status, 502);
	assert_int_equal(unfinished(&s), 0);
	ask_clear(&a);
	wire_end(w);
	/* and from where it was it goes on, over another link */
	w = through_edge(dev.dir);
	assert_int_equal(put_pack(w, g, 0), 201);
	goods_free(g);
	end_both(w);
}

/* What began over one session goes on over it, whatever the next request would take. */
static void another_way_to_the_hub_does_not_stop_what_is_under_way(void **state)
{
	struct wire *w = through_edge(dev.dir);
	struct wire *first = up_wire;
	struct goods *g = goods_uploaded(&dev, 75, 20);
	struct stream_body b = { 0, 500 * 1000, g->packs[0].bytes.len, g->packs[0].bytes.p };
	struct ask a;

	(void)state;
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	begin_put(&a, w, g, &b);
	up_wire = wire_of(s.serve, edge.dir);
	assert_int_equal(status_of(w, HF_HTTP_GET, "/v1/channels/current", NULL, 0), 200);
	assert_ptr_equal(up_pumped, up_wire->client);
	b.until = b.len;
	hf_h2_resume(w->client, 5);
	world_run();
	assert_ptr_equal(up_pumped, first->client);
	assert_int_equal(a.answer.status, 201);
	ask_clear(&a);
	goods_free(g);
	wire_end(first);
	end_both(w);
}

static void a_device_that_goes_away_ends_it_at_the_hub(void **state)
{
	struct wire *w = through_edge(dev.dir);
	struct goods *g = goods_uploaded(&dev, 71, 20);
	struct stream_body b = { 0, 500 * 1000, g->packs[0].bytes.len, g->packs[0].bytes.p };
	struct ask a;

	(void)state;
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	begin_put(&a, w, g, &b);
	assert_int_equal(unfinished(&s), 1);
	wire_end(w);
	world_run();
	assert_int_equal(unfinished(&s), 0);
	assert_int_equal(hf_h2_n_streams(up_wire->client), 0);
	ask_clear(&a);
	goods_free(g);
	wire_end(up_wire);
	up_wire = NULL;
}

static void the_server_may_go_before_its_way_to_the_hub(void **state)
{
	struct wire *w = through_edge(dev.dir);
	struct goods *g = goods_uploaded(&dev, 72, 20);
	struct stream_body b = { 0, 500 * 1000, g->packs[0].bytes.len, g->packs[0].bytes.p };
	struct ask a;

	(void)state;
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	begin_put(&a, w, g, &b);
	wire_end(w); /* nothing runs: the hub's session has not heard of it */
	hf_serve_free(e.serve);
	hf_node_close(&e.node);
	wire_end(up_wire);
	up_wire = NULL;
	start_edge();
	ask_clear(&a);
	goods_free(g);
}

/* The correlation ids of an event in a log. */
struct traces {
	uint16_t event;
	uint8_t wanted[16];
	unsigned n;
};

static hf_err count_trace(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	struct traces *t = ctx;

	(void)actor;
	(void)subject;
	if (r->event == t->event && memcmp(r->trace_id, t->wanted, sizeof(t->wanted)) == 0)
		t->n++;
	return HF_OK;
}

static unsigned traces_in(struct node *n, const char *key, struct traces *t)
{
	struct hf_sm2_pub pub = log_key(n->dir, key);
	struct hf_journal_report report;
	char id[HF_AUDIT_LOG_ID_MAX];

	node_stop(n);
	(void)snprintf(id, sizeof(id), "plant-7/%s/audit", n->config.id);
	t->n = 0;
	assert_ok(hf_journal_verify(&world_env, test_path(n->dir, "audit"), id, &pub, count_trace,
		t, &report, fresh()));
	assert_ok(node_start(n));
	return t->n;
}

static void the_correlation_id_stands_in_both_logs(void **state)
{
	static const char id[] = "00112233445566778899aabbccddeeff";
	struct wire *w = through_edge(dev.dir);
	struct traces t = { .event = HF_EV_MODEL_REFUSED };
	struct ask a;
	size_t len = 0;
	char json[128];

	(void)state;
	assert_ok(hf_hex_parse(t.wanted, sizeof(t.wanted), &len, id, strlen(id)));
	/* refused by the hub */
	(void)snprintf(json, sizeof(json), "{\"upload\":\"%s\"}", strchr(one->path, '/') + 1);
	ask_init(&a, HF_HTTP_POST, "/v1/uploads");
	ask_field(&a, HF_FIELD_REQUEST, id);
	a.call.body = (const uint8_t *)json;
	a.call.body_len = strlen(json);
	assert_int_equal(ask_run(&a, w), 409);
	ask_clear(&a);
	assert_int_equal(traces_in(&hub, "audit", &t), 1);
	/* refused by the edge */
	ask_init(&a, HF_HTTP_POST, "/v1/releases");
	ask_clear(&a);
	ask_init(&a, HF_HTTP_PUT, "/v1/enroll");
	ask_field(&a, HF_FIELD_REQUEST, id);
	assert_int_equal(ask_run(&a, w), 405);
	ask_clear(&a);
	t.event = HF_EV_REQUEST_REFUSED;
	assert_int_equal(traces_in(&edge, "sign", &t), 1);
	assert_int_equal(traces_in(&hub, "audit", &t), 0);
	end_both(w);
}

/* A hub of the test's own: a long answer, and a body that it does not take. */
struct fake {
	struct stream_body answer;
	size_t taken;
	unsigned n_requests;
	bool holds_back;
	bool is_silent;
	struct hf_h2 *h;
	int32_t stream;
};

static struct fake fake;

static void fake_get(void *ctx, const struct hf_http_request *q)
{
	struct fake *f = ctx;
	struct hf_http_source source = { body_read, NULL, &f->answer, UINT64_MAX };
	const struct hf_http_reply reply = {
		.status = 200, .content_type = HF_TYPE_DER, .source = &source
	};

	f->n_requests++;
	f->stream = q->stream;
	if (!f->is_silent)
		assert_ok(hf_h2_reply(q->h, q->stream, &reply));
}

static void fake_put(void *ctx, const struct hf_http_request *q)
{
	struct fake *f = ctx;

	f->n_requests++;
	f->stream = q->stream;
}

static hf_err fake_put_body(
	void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	struct fake *f = ctx;

	(void)bytes;
	f->taken += len;
	if (is_end)
		assert_ok(hf_h2_reply(f->h, stream, &(struct hf_http_reply){ .status = 201 }));
	return f->holds_back ? HF_ERR_AGAIN : HF_OK;
}

static const struct hf_http_route fake_routes[] = {
	{ HF_HTTP_GET, HF_API_CHANNEL, HF_PEER_EDGE, 0, fake_get, NULL },
	{ HF_HTTP_PUT, HF_API_OBJECT, HF_PEER_EDGE, 64 << 20, fake_put, fake_put_body },
};

/* A device at an edge whose memory is counted, and the fake hub behind. */
static struct wire *through_edge_to_fake(struct hf_heap *heap, struct hf_env *env)
{
	struct hf_h2_server server = { .mem = hf_os_mem(),
		.limits = hf_h2_limits_default,
		.routes = fake_routes,
		.n_routes = HF_COUNT(fake_routes),
		.peer = HF_PEER_EDGE,
		.ctx = &fake };
	struct hf_h2_client config = { &heap->mem, hf_h2_limits_default, "hub.example" };
	struct wire *w = wires;

	served_stop(&e);
	hf_heap_init(heap, 256 << 20);
	*env = world_env;
	env->mem = &heap->mem;
	start_edge();
	hf_serve_free(e.serve);
	e.node.env = env;
	served_start(&e);
	fake = (struct fake){ .holds_back = false };
	while (w->is_used)
		w++;
	*w = (struct wire){ .is_used = true };
	assert_ok(hf_h2_server_new(&w->server, &server, wire_now_ms));
	assert_ok(hf_h2_client_new(&w->client, &config, wire_now_ms));
	fake.h = w->server;
	up_wire = w;
	return wire_of(e.serve, dev.dir);
}

static void end_fake(struct wire *w)
{
	wire_end(w);
	hf_h2_free(up_wire->client);
	hf_h2_free(up_wire->server);
	*up_wire = (struct wire){ .is_used = false };
	up_wire = NULL;
	served_stop(&e);
	start_edge();
}

enum { BIG = 6 << 20, BOUND = 3 << 20 /* a window, and what holds it */ };

static void a_device_that_reads_slowly_costs_a_bounded_number_of_bytes(void **state)
{
	struct hf_env env;
	struct hf_heap heap;
	struct wire *w = through_edge_to_fake(&heap, &env);
	size_t before = hf_heap_used(&heap);
	struct ask a;

	(void)state;
	fake.answer = (struct stream_body){ 0, BIG, BIG, NULL };
	ask_init(&a, HF_HTTP_GET, "/v1/channels/current");
	a.call.body_max = BIG;
	w->is_stuck = true; /* it hears nothing of the answer */
	ask_begin(&a, w);
	assert_int_equal(fake.n_requests, 1);
	assert_in_range(fake.answer.at, 1 << 20, BIG / 2); /* the hub was held back */
	assert_in_range(hf_heap_used(&heap) - before, 0, BOUND);
	w->is_stuck = false;
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_ok(a.answer.e);
	assert_int_equal(a.answer.status, 200);
	assert_int_equal(a.answer.len, BIG);
	assert_in_range(hf_heap_peak(&heap) - before, 0, 2 * BOUND);
	ask_clear(&a);
	end_fake(w);
}

static void a_hub_that_takes_slowly_costs_a_bounded_number_of_bytes(void **state)
{
	struct hf_env env;
	struct hf_heap heap;
	struct wire *w = through_edge_to_fake(&heap, &env);
	size_t before = hf_heap_used(&heap);
	struct stream_body b = { 0, 20 << 20, 20 << 20, NULL };
	struct ask a;

	(void)state;
	fake.holds_back = true;
	begin_put(&a, w, one, &b);
	assert_int_equal(fake.n_requests, 1);
	assert_in_range(fake.taken, 1 << 19, 1 << 20); /* one window of the hub's */
	assert_in_range(b.at, fake.taken, 4 << 20);    /* the device was held back */
	assert_in_range(hf_heap_used(&heap) - before, 0, BOUND);
	assert_int_equal(a.answer.n_done, 0);
	fake.holds_back = false;
	hf_h2_credit(fake.h, fake.stream);
	world_run();
	assert_int_equal(fake.taken, 20 << 20);
	assert_int_equal(a.answer.n_done, 1);
	assert_int_equal(a.answer.status, 201);
	assert_in_range(hf_heap_peak(&heap) - before, 0, 2 * BOUND);
	ask_clear(&a);
	end_fake(w);
}

static void an_answer_that_breaks_off_is_never_whole(void **state)
{
	struct hf_env env;
	struct hf_heap heap;
	struct wire *w = through_edge_to_fake(&heap, &env);
	struct ask a;

	(void)state;
	fake.answer = (struct stream_body){ 0, 1000, BIG, NULL };
	ask_init(&a, HF_HTTP_GET, "/v1/channels/current");
	a.call.body_max = BIG;
	ask_begin(&a, w);
	assert_int_equal(a.answer.n_done, 0);
	hf_h2_free(up_wire->client);
	up_wire->is_cut = true;
	up_wire->client = NULL;
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_true(a.answer.e != HF_OK);
	ask_clear(&a);
	end_fake(w);
}

static void a_hub_that_says_nothing_is_504(void **state)
{
	struct hf_env env;
	struct hf_heap heap;
	struct wire *w = through_edge_to_fake(&heap, &env);
	struct ask a;

	(void)state;
	fake.is_silent = true;
	ask_init(&a, HF_HTTP_GET, "/v1/channels/current");
	ask_begin(&a, w);
	assert_int_equal(a.answer.n_done, 0);
	hf_h2_tick(up_wire->client, hf_clock_mono_ms() + hf_h2_limits_default.stall_ms + 1);
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_int_equal(a.answer.status, 504);
	ask_clear(&a);
	end_fake(w);
}

static void calls_to_the_hub_are_a_bounded_number(void **state)
{
	enum { N = 65 };
	struct hf_env env;
	struct hf_heap heap;
	struct wire *w = through_edge_to_fake(&heap, &env);
	struct wire *v = wire_of(e.serve, dev.dir);
	struct ask *asks = calloc(N, sizeof(*asks));

	(void)state;
	assert_non_null(asks);
	fake.is_silent = true;
	for (unsigned i = 0; i < N; i++) {
		ask_init(&asks[i], HF_HTTP_GET, "/v1/channels/current");
		ask_begin(&asks[i], i < N - 1 ? w : v);
	}
	assert_int_equal(fake.n_requests, N - 1);
	assert_int_equal(asks[N - 1].answer.n_done, 1);
	assert_int_equal(asks[N - 1].answer.status, 429);
	wire_end(v);
	wire_end(w);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(asks[i].answer.n_done, 1);
		ask_clear(&asks[i]);
	}
	free(asks);
	end_fake(wire_of(e.serve, dev.dir));
}

static unsigned unended_begin(struct unended *u, struct wire *w, size_t len)
{
	uint8_t name[HF_SM3_LEN] = { 7 };
	char path[128];

	object_url(path, HF_OBJECT_UPLOAD, name);
	u->source = (struct hf_http_source){ unended_read, NULL, u, UINT64_MAX };
	u->left = len;
	ask_init(&u->a, HF_HTTP_PUT, path);
	u->a.call.source = &u->source;
	ask_begin(&u->a, w);
	ask_clear(&u->a);
	return u->a.answer.n_done == 0 ? 0 : u->a.answer.status;
}

/* The hub takes nothing: what waits for it at the edge is of one device an eighth of 64 MiB. */
static void what_waits_for_the_hub_is_bounded(void **state)
{
	static struct unended u[11];
	struct wire *w[3];
	struct wire *of_other;

	(void)state;
	served_stop(&e);
	up_wire = NULL;
	served_open(&e, &edge, "edge-1", HF_ROLE_EDGE);
	e.config.up = &up;
	e.config.max_sessions = 16;
	served_start(&e);
	for (size_t i = 0; i < HF_COUNT(w); i++)
		w[i] = wire_of(e.serve, dev.dir);
	of_other = wire_of(e.serve, dev2.dir);
	up_wire = wire_of(s.serve, edge.dir);
	up_wire->is_cut = true;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(unended_begin(&u[i], w[i / 4], 1 << 20), 0);
	assert_int_equal(unended_begin(&u[8], w[2], 1 << 20), 429);
	assert_int_equal(unended_begin(&u[9], of_other, 1 << 20), 0);
	wire_end(w[0]); /* what waited for it is free again */
	assert_int_equal(unended_begin(&u[10], w[2], 1 << 20), 0);
	wire_end(w[1]);
	wire_end(w[2]);
	wire_end(of_other);
	wire_end(up_wire);
	up_wire = NULL;
	served_stop(&e);
	start_edge();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_life_of_a_device_goes_through_an_edge),
		cmocka_unit_test(inventories_go_through_an_edge),
		cmocka_unit_test(refusals_of_the_hub_come_back_as_they_are),
		cmocka_unit_test(an_edge_lets_devices_ask_for_themselves_only),
		cmocka_unit_test(a_newcomer_behind_an_edge_hears_no_more_than_a_code),
		cmocka_unit_test(without_a_way_to_the_hub_it_is_502),
		cmocka_unit_test(a_hub_that_dies_in_the_middle_is_502),
		cmocka_unit_test(another_way_to_the_hub_does_not_stop_what_is_under_way),
		cmocka_unit_test(a_device_that_goes_away_ends_it_at_the_hub),
		cmocka_unit_test(the_server_may_go_before_its_way_to_the_hub),
		cmocka_unit_test(the_correlation_id_stands_in_both_logs),
		cmocka_unit_test(a_device_that_reads_slowly_costs_a_bounded_number_of_bytes),
		cmocka_unit_test(a_hub_that_takes_slowly_costs_a_bounded_number_of_bytes),
		cmocka_unit_test(an_answer_that_breaks_off_is_never_whole),
		cmocka_unit_test(a_hub_that_says_nothing_is_504),
		cmocka_unit_test(calls_to_the_hub_are_a_bounded_number),
		cmocka_unit_test(what_waits_for_the_hub_is_bounded),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
