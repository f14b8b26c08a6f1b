/* SPDX-License-Identifier: Apache-2.0 */
/* The client against the server in memory, at any split, and the server against rude peers. */
#include "test.h"

#include <nghttp2/nghttp2.h>

#include "http/api.h"
#include "http/h2.h"

enum {
	OBJECT_LEN = 300 * 1000,
	BODY_MAX = 1000,
	UPLOAD_MAX = 500 * 1000,
	COLLECTED_MAX = 100 * 1000,
	LARGE_MAX = 2,
};

/* What a test sees of the server's side. */
struct node {
	unsigned n_requests;
	unsigned n_closed;
	hf_err closed_why;
	unsigned n_refused;
	hf_err refused_why;
	char refused_path[HF_HTTP_PATH_MAX];
	unsigned n_sources_closed;
	int32_t waiting; /* stream of a request that is answered later */
	size_t uploaded;
	bool is_uploaded;
	bool holds_back;
	size_t source_at;
	size_t source_end;
	bool source_is_dry;
	hf_err source_fails;
	struct hf_h2 *h;
	char kind[HF_HTTP_PATH_MAX]; /* third segment of the object asked for */
	hf_err reply_err;
	size_t kept;     /* memory of collected bodies */
	size_t kept_max; /* 0: no bound */
};

/* What a test sees of one answer. */
struct answer {
	unsigned n_heads;
	unsigned n_done;
	hf_err e;
	unsigned status;
	char type[HF_HTTP_TYPE_MAX];
	char field[HF_HTTP_VALUE_MAX];
	struct hf_range range;
	size_t streamed;
	bool is_wrong; /* a streamed byte was not the object's */
	bool holds_back;
	char body[4096];
	size_t body_len;
};

static uint8_t object_byte(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static hf_err source_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct node *n = ctx;
	size_t left = n->source_end - n->source_at;

	if (n->source_fails != HF_OK && n->source_at > OBJECT_LEN / 2)
		return n->source_fails;
	if (n->source_is_dry)
		return HF_ERR_AGAIN;
	*len = left < cap ? left : cap;
	for (size_t i = 0; i < *len; i++)
		out[i] = object_byte(n->source_at + i);
	n->source_at += *len;
	*is_end = n->source_at == n->source_end;
	return HF_OK;
}

static void source_close(void *ctx)
{
	struct node *n = ctx;

	n->n_sources_closed++;
}

static void get_object(void *ctx, const struct hf_http_request *q)
{
	struct hf_range range = { 0, OBJECT_LEN - 1, OBJECT_LEN };
	struct hf_http_reply reply = { .status = 200, .content_type = HF_TYPE_BYTES };
	struct hf_http_source source = { source_read, source_close, ctx, 0 };
	struct node *n = ctx;

	n->n_requests++;
	assert_int_equal(q->head->n_segments, 4);
	memcpy(n->kind, q->head->segments[2], strlen(q->head->segments[2]) + 1);
	if (q->head->has_range) {
		range.first = q->head->range.first;
		range.last = q->head->range.last;
		if (range.last >= OBJECT_LEN) {
			hf_h2_reply_error(q->h, q->stream, HF_ERR_FORMAT, "range beyond the end");
			return;
		}
		reply.status = 206;
		reply.range = &range;
	}
	n->source_at = range.first;
	n->source_end = range.last + 1;
	source.len = n->source_end - n->source_at;
	reply.source = &source;
	n->reply_err = hf_h2_reply(q->h, q->stream, &reply);
	assert_err(hf_h2_reply(q->h, q->stream, &(struct hf_http_reply){ .status = 200 }),
		HF_ERR_STATE);
}

static void post_echo(void *ctx, const struct hf_http_request *q)
{
	struct hf_http_field field = { "x-hufu-request", "" };
	struct hf_http_reply reply = {
		.status = 200,
		.content_type = HF_TYPE_JSON,
		.fields = &field,
		.n_fields = 1,
		.body = q->body,
		.body_len = q->body_len,
	};
	struct node *n = ctx;

	n->n_requests++;
	if (q->head->n_fields > 0)
		memcpy(field.value, q->head->fields[0].value, sizeof(field.value));
	n->reply_err = hf_h2_reply(q->h, q->stream, &reply);
}

static void post_later(void *ctx, const struct hf_http_request *q)
{
	struct node *n = ctx;

	n->n_requests++;
	n->waiting = q->stream;
	n->h = q->h;
}

static hf_err put_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	struct node *n = ctx;

	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], object_byte(n->uploaded + i));
	n->uploaded += len;
	n->is_uploaded = is_end;
	if (is_end)
		assert_ok(hf_h2_reply(n->h, stream, &(struct hf_http_reply){ .status = 201 }));
	return n->holds_back ? HF_ERR_AGAIN : HF_OK;
}

static void enroll(void *ctx, const struct hf_http_request *q)
{
	struct node *n = ctx;

	n->n_requests++;
	assert_ok(hf_h2_reply(q->h, q->stream, &(struct hf_http_reply){ .status = 204 }));
}

static void on_close(void *ctx, int32_t stream, hf_err why)
{
	struct node *n = ctx;

	(void)stream;
	n->n_closed++;
	n->closed_why = why;
}

static void on_refused(void *ctx, const struct hf_http_head *head, hf_err why)
{
	struct node *n = ctx;

	n->n_refused++;
	n->refused_why = why;
	memcpy(n->refused_path, head->path, sizeof(n->refused_path));
}

static hf_err on_keep(void *ctx, size_t before, size_t after)
{
	struct node *n = ctx;

	assert_true(before <= n->kept);
	if (after > before && n->kept_max > 0 && n->kept - before + after > n->kept_max)
		return HF_ERR_AGAIN;
	n->kept = n->kept - before + after;
	return HF_OK;
}

static const struct hf_http_route routes[] = {
	{ HF_HTTP_GET, HF_API_OBJECT, HF_PEER_MEMBER, 0, get_object, NULL },
	{ HF_HTTP_PUT, HF_API_OBJECT, HF_PEER_PUBLISHER, UPLOAD_MAX, post_later, put_body },
	{ HF_HTTP_POST, HF_API_RECEIPTS, HF_PEER_DEVICE, BODY_MAX, post_echo, NULL },
	{ HF_HTTP_POST, HF_API_GRANTS, HF_PEER_DEVICE, BODY_MAX, post_later, NULL },
	{ HF_HTTP_POST, HF_API_INVENTORY, HF_PEER_DEVICE, COLLECTED_MAX, post_later, NULL },
	{ HF_HTTP_POST, HF_API_ENROLL, HF_PEER_NEWCOMER, BODY_MAX, enroll, NULL },
};

struct pair {
	struct node node;
	struct hf_h2 *server;
	struct hf_h2 *client;
	uint64_t now;
	struct test_rng r;
	size_t split; /* longest piece; 0: as it comes */
	hf_err server_err;
	hf_err client_err;
};

static void pair_init(struct pair *p, uint32_t peer)
{
	struct hf_h2_server server = { .mem = &test_mem,
		.limits = hf_h2_limits_default,
		.routes = routes,
		.n_routes = HF_COUNT(routes),
		.peer = peer,
		.ctx = &p->node,
		.on_close = on_close,
		.on_refused = on_refused,
		.on_keep = on_keep,
		.max_large = LARGE_MAX };
	struct hf_h2_client client = { &test_mem, hf_h2_limits_default, "hub.example" };

	memset(p, 0, sizeof(*p));
	(void)test_rng(&p->r, 1);
	p->now = 5000;
	server.limits.max_streams = 4;
	server.limits.window = 16 * 1024;
	client.limits.window = 16 * 1024;
	assert_ok(hf_h2_server_new(&p->server, &server, p->now));
	assert_ok(hf_h2_client_new(&p->client, &client, p->now));
	p->node.h = p->server;
}

static void pair_clear(struct pair *p)
{
	hf_h2_free(p->client);
	hf_h2_free(p->server);
}

/* Moves bytes from one end to the other; how many. */
static size_t move(struct pair *p, struct hf_h2 *from, struct hf_h2 *to, hf_err *e)
{
	const uint8_t *bytes = NULL;
	size_t len = hf_h2_out(from, &bytes);
	size_t used = 0;
	uint8_t *exact;

	if (len == 0)
		return 0;
	if (p->split > 0 && len > p->split)
		len = 1 + test_rng_below(&p->r, p->split);
	exact = malloc(len);
	assert_non_null(exact);
	memcpy(exact, bytes, len);
	hf_h2_sent(from, len);
	if (*e == HF_OK) {
		*e = hf_h2_feed(to, &used, exact, len, p->now);
		if (*e == HF_OK)
			assert_int_equal(used, len);
	}
	free(exact);
	return len;
}

static void pair_run(struct pair *p)
{
	while (move(p, p->client, p->server, &p->server_err) +
			move(p, p->server, p->client, &p->client_err) >
		0)
		;
}

static hf_err on_head(void *ctx, int32_t stream, const struct hf_http_head *head)
{
	struct answer *a = ctx;

	(void)stream;
	(void)head;
	a->n_heads++;
	return HF_OK;
}

static hf_err on_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len)
{
	struct answer *a = ctx;

	(void)stream;
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != object_byte(a->range.first + a->streamed + i))
			a->is_wrong = true;
	a->streamed += len;
	return a->holds_back ? HF_ERR_AGAIN : HF_OK;
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct answer *a = ctx;

	(void)stream;
	a->n_done++;
	a->e = e;
	if (e == HF_OK)
		assert_non_null(head);
	if (head != NULL) {
		a->status = head->status;
		memcpy(a->type, head->content_type, sizeof(a->type));
		if (head->n_fields > 0)
			memcpy(a->field, head->fields[0].value, sizeof(a->field));
	}
	assert_true(body_len < sizeof(a->body));
	if (body_len > 0)
		memcpy(a->body, body, body_len);
	a->body_len = body_len;
}

static struct hf_http_call call_of(enum hf_http_method method, const char *path, struct answer *a)
{
	return (struct hf_http_call){
		.method = method,
		.path = path,
		.body_max = sizeof(a->body) - 1,
		.on_head = on_head,
		.on_done = on_done,
		.ctx = a,
	};
}

static struct answer ask(struct pair *p, const struct hf_http_call *call)
{
	struct answer *a = call->ctx;
	int32_t stream = 0;

	assert_ok(hf_h2_call(p->client, &stream, call, p->now));
	assert_true(stream > 0);
	pair_run(p);
	return *a;
}

static void refuses_limits_out_of_range(void **state)
{
	struct hf_h2_server c = {
		.mem = &test_mem, .limits = hf_h2_limits_default, .routes = routes, .n_routes = 1
	};
	struct hf_h2 *h = NULL;

	(void)state;
#define REFUSED(field, value) \
	do { \
		struct hf_h2_server bad = c; \
		bad.limits.field = (value); \
		assert_err(hf_h2_server_new(&h, &bad, 0), HF_ERR_ARG); \
		assert_null(h); \
	} while (0)
	REFUSED(max_streams, 0);
	REFUSED(max_streams, HF_H2_STREAMS_MAX + 1);
	REFUSED(header_max, 0);
	REFUSED(window, 1);
	REFUSED(window, 1u << 31);
	REFUSED(message_ms, 0);
	REFUSED(stall_ms, 0);
	REFUSED(control_burst, 0);
	REFUSED(control_rate, 0);
#undef REFUSED
}

static void every_allocation_may_fail(void **state)
{
	struct hf_h2_server c = {
		.mem = &test_mem, .limits = hf_h2_limits_default, .routes = routes, .n_routes = 1
	};
	struct hf_h2 *h = NULL;
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		hf_err e;

		test_mem_fail_at(n);
		e = hf_h2_server_new(&h, &c, 0);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_null(h);
	}
	assert_true(n > 4);
	hf_h2_free(h);
	hf_h2_free(NULL);
}

static void a_call_that_runs_out_of_memory_ends_and_leaks_nothing(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 60; n++) {
		struct answer a = { 0 };
		struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/receipts", &a);
		struct pair p;
		int32_t stream;
		hf_err e;

		pair_init(&p, HF_PEER_DEVICE);
		call.body = (const uint8_t *)"{}";
		call.body_len = 2;
		test_mem_fail_at(n);
		e = hf_h2_call(p.client, &stream, &call, p.now);
		if (e == HF_OK)
			pair_run(&p);
		test_mem_fail_at(0);
		pair_clear(&p);
		assert_int_equal(a.n_done, e == HF_OK);
	}
}

static void a_body_comes_back_with_its_fields_at_any_split(void **state)
{
	static const size_t splits[] = { 0, 1, 2, 3, 7, 64, 1000 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(splits); i++) {
		struct answer a = { 0 };
		struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/receipts", &a);
		struct hf_http_field field = { "x-hufu-request", "r-77" };
		struct pair p;

		pair_init(&p, HF_PEER_DEVICE);
		p.split = splits[i];
		call.content_type = HF_TYPE_JSON;
		call.fields = &field;
		call.n_fields = 1;
		call.body = (const uint8_t *)"{\"a\":1}";
		call.body_len = 7;
		(void)ask(&p, &call);
		assert_int_equal(a.n_done, 1);
		assert_ok(a.e);
		assert_int_equal(a.n_heads, 1);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.type, HF_TYPE_JSON);
		assert_string_equal(a.field, "r-77");
		assert_int_equal(a.body_len, 7);
		assert_memory_equal(a.body, "{\"a\":1}", 7);
		assert_ok(p.node.reply_err);
		assert_int_equal(p.node.n_requests, 1);
		assert_int_equal(p.node.n_closed, 1);
		assert_ok(p.node.closed_why);
		assert_int_equal(hf_h2_n_streams(p.client) + hf_h2_n_streams(p.server), 0);
		pair_clear(&p);
	}
}

static void a_range_of_an_object_is_streamed_through_small_windows(void **state)
{
	const struct hf_range range = { 1234, 250000, 0 };
	struct answer a = { .range = range };
	struct hf_http_call call = call_of(HF_HTTP_GET, "/v1/objects/pack/00ff", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	p.split = 5000;
	call.range = &range;
	call.on_body = on_body;
	call.body_max = OBJECT_LEN;
	(void)ask(&p, &call);
	assert_ok(a.e);
	assert_int_equal(a.status, 206);
	assert_int_equal(a.streamed, 250000 - 1234 + 1);
	assert_false(a.is_wrong);
	assert_string_equal(p.node.kind, "pack");
	assert_int_equal(p.node.n_sources_closed, 1);
	pair_clear(&p);
}

static void a_reader_that_holds_back_stops_the_sender(void **state)
{
	struct answer a = { .holds_back = true };
	struct hf_http_call call = call_of(HF_HTTP_GET, "/v1/objects/pack/00ff", &a);
	struct pair p;
	int32_t stream;
	size_t before;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	call.on_body = on_body;
	call.body_max = OBJECT_LEN;
	assert_ok(hf_h2_call(p.client, &stream, &call, p.now));
	pair_run(&p);
	assert_int_equal(a.n_done, 0);
	assert_int_equal(a.streamed, 16 * 1024); /* the window and not a byte more */
	assert_int_equal(p.node.source_at, 16 * 1024);
	while (a.n_done == 0) {
		before = a.streamed;
		hf_h2_credit(p.client, stream);
		pair_run(&p);
		assert_true(a.n_done == 1 || a.streamed > before);
	}
	assert_ok(a.e);
	assert_int_equal(a.streamed, OBJECT_LEN);
	assert_false(a.is_wrong);
	pair_clear(&p);
}

static void an_upload_is_streamed_and_answered_at_its_end(void **state)
{
	struct node from = { .source_end = 200000 };
	struct hf_http_source source = { source_read, source_close, &from, 200000 };
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_PUT, "/v1/objects/pack/00ff", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_PUBLISHER);
	call.source = &source;
	(void)ask(&p, &call);
	assert_ok(a.e);
	assert_int_equal(a.status, 201);
	assert_int_equal(p.node.uploaded, 200000);
	assert_true(p.node.is_uploaded);
	assert_int_equal(from.n_sources_closed, 1);
	pair_clear(&p);
}

static void an_endless_upload_is_refused_at_its_limit(void **state)
{
	struct node from = { .source_end = SIZE_MAX };
	struct hf_http_source source = { source_read, source_close, &from, UINT64_MAX };
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_PUT, "/v1/objects/pack/00ff", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_PUBLISHER);
	call.source = &source;
	(void)ask(&p, &call);
	assert_int_equal(a.status, 413);
	assert_ok(a.e);
	assert_true(p.node.uploaded <= UPLOAD_MAX);
	assert_true(from.source_at < UPLOAD_MAX + 100 * 1024);
	assert_int_equal(from.n_sources_closed, 1);
	assert_int_equal(hf_h2_n_streams(p.server), 0);
	pair_clear(&p);
}

static void a_body_above_the_route_limit_is_refused(void **state)
{
	uint8_t body[BODY_MAX + 1] = { 0 };
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/receipts", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	call.body = body;
	call.body_len = BODY_MAX;
	assert_int_equal(ask(&p, &call).status, 200);
	assert_int_equal(p.node.n_requests, 1);
	call.body_len = BODY_MAX + 1;
	assert_int_equal(ask(&p, &call).status, 413);
	assert_int_equal(p.node.n_requests, 1);
	assert_non_null(strstr(a.body, "\"error\":\"limit\""));
	assert_int_equal(p.node.n_refused, 1);
	assert_err(p.node.refused_why, HF_ERR_LIMIT);
	pair_clear(&p);
}

static void an_answer_above_the_call_limit_ends_the_call(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_GET, "/v1/objects/pack/00ff", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	(void)ask(&p, &call);
	assert_int_equal(a.n_done, 1);
	assert_err(a.e, HF_ERR_LIMIT);
	assert_int_equal(p.node.n_sources_closed, 1);
	assert_true(p.node.closed_why != HF_OK);
	pair_clear(&p);
}

static unsigned status_of(struct pair *p, enum hf_http_method method, const char *path)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(method, path, &a);

	(void)ask(p, &call);
	assert_int_equal(a.n_done, 1);
	assert_ok(a.e);
	assert_string_equal(a.type, HF_TYPE_JSON);
	a.body[a.body_len] = '\0';
	assert_non_null(strstr(a.body, "\"code\":"));
	return a.status;
}

static void unknown_paths_methods_and_peers_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v1/nothing"), 404);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v1/objects/pack"), 404);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v1/objects/pack/0/1"), 404);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v2/objects/pack/0"), 404);
	assert_int_equal(status_of(&p, HF_HTTP_DELETE, "/v1/receipts"), 405);
	assert_int_equal(status_of(&p, HF_HTTP_PUT, "/v1/objects/pack/00"), 403);
	assert_int_equal(status_of(&p, HF_HTTP_POST, "/v1/enroll"), 403);
	assert_int_equal(p.node.n_requests, 0);
	assert_int_equal(p.node.n_refused, 7); /* who keeps records hears of each */
	assert_err(p.node.refused_why, HF_ERR_DENIED);
	assert_string_equal(p.node.refused_path, "/v1/enroll");
	pair_clear(&p);
}

static void a_newcomer_may_enrol_and_nothing_else(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/enroll", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_NEWCOMER);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v1/objects/pack/00"), 403);
	assert_int_equal(status_of(&p, HF_HTTP_POST, "/v1/receipts"), 403);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v1/nothing"), 403);
	assert_int_equal(status_of(&p, HF_HTTP_GET, "/v1/enroll"), 403);
	assert_int_equal(p.node.n_requests, 0);
	assert_int_equal(ask(&p, &call).status, 204);
	assert_int_equal(p.node.n_requests, 1);
	pair_clear(&p);
}

static void a_client_does_not_ask_for_what_is_no_path(void **state)
{
	static const char *const bad[] = { "", "v1/time", "/", "//", "/v1//time", "/v1/time/",
		"/v1/../time", "/v1/./time", "/v1/%2e", "/v1/a b", "/v1/time?a b", "/v1/\xc3\xa4",
		"/1/2/3/4/5/6/7/8/9" };
	struct hf_http_field foreign = { "authorization", "x" };
	struct hf_http_field upper = { "x-hufu-A", "x" };
	struct hf_http_field line = { "x-hufu-a", "x\r\ny: z" };
	const struct hf_http_field *fields[] = { &foreign, &upper, &line };
	struct answer a = { 0 };
	struct pair p;
	int32_t stream;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		struct hf_http_call call = call_of(HF_HTTP_GET, bad[i], &a);

		assert_err(hf_h2_call(p.client, &stream, &call, p.now), HF_ERR_ARG);
	}
	for (size_t i = 0; i < HF_COUNT(fields); i++) {
		struct hf_http_call call = call_of(HF_HTTP_GET, "/v1/time", &a);

		call.fields = fields[i];
		call.n_fields = 1;
		assert_err(hf_h2_call(p.client, &stream, &call, p.now), HF_ERR_ARG);
	}
	assert_int_equal(a.n_done, 0);
	assert_int_equal(hf_h2_n_streams(p.client), 0);
	pair_clear(&p);
}

static void an_answer_may_come_later(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	(void)ask(&p, &call);
	assert_int_equal(a.n_done, 0);
	p.now += 20000;
	hf_h2_tick(p.server, p.now); /* the server's own slowness does not count */
	assert_ok(hf_h2_reply(p.server, p.node.waiting, &(struct hf_http_reply){ .status = 200 }));
	pair_run(&p);
	assert_int_equal(a.n_done, 1);
	assert_ok(a.e);
	assert_err(hf_h2_reply(p.server, p.node.waiting, &(struct hf_http_reply){ .status = 200 }),
		HF_ERR_NOT_FOUND);
	pair_clear(&p);
}

static void a_call_ends_at_its_timeout(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	call.timeout_ms = 3000;
	(void)ask(&p, &call);
	assert_int_equal(hf_h2_deadline(p.client), p.now + 3000);
	hf_h2_tick(p.client, p.now + 2999);
	pair_run(&p);
	assert_int_equal(a.n_done, 0);
	hf_h2_tick(p.client, p.now + 3000);
	pair_run(&p);
	assert_int_equal(a.n_done, 1);
	assert_err(a.e, HF_ERR_TIMEOUT);
	assert_int_equal(p.node.n_closed, 1);
	assert_int_equal(hf_h2_n_streams(p.server), 0);
	pair_clear(&p);
}

/* Takes what an end has to say to nobody; how many bytes. */
static size_t lose(struct hf_h2 *h)
{
	const uint8_t *bytes = NULL;
	size_t all = 0;
	size_t n;

	while ((n = hf_h2_out(h, &bytes)) > 0) {
		hf_h2_sent(h, n);
		all += n;
	}
	return all;
}

static void a_peer_that_falls_silent_is_asked_and_then_given_up(void **state)
{
	const uint32_t quiet = hf_h2_limits_default.quiet_ms;
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;
	size_t used = 0;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	(void)ask(&p, &call);
	assert_int_equal(hf_h2_deadline(p.client), p.now + quiet);
	hf_h2_tick(p.client, p.now + quiet - 1);
	assert_int_equal(lose(p.client), 0);
	hf_h2_tick(p.client, p.now + quiet);
	assert_true(lose(p.client) > 0);
	assert_int_equal(hf_h2_deadline(p.client), p.now + 2 * quiet);
	hf_h2_tick(p.client, p.now + 2 * quiet - 1);
	assert_ok(hf_h2_error(p.client));
	hf_h2_tick(p.client, p.now + 2 * quiet);
	assert_err(hf_h2_error(p.client), HF_ERR_TIMEOUT);
	assert_err(hf_h2_feed(p.client, &used, (const uint8_t *)"", 1, p.now), HF_ERR_TIMEOUT);
	pair_clear(&p);
	assert_int_equal(a.n_done, 1);
	assert_true(a.e != HF_OK);
}

static void a_peer_that_is_slow_but_there_is_waited_for(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	(void)ask(&p, &call);
	for (unsigned i = 0; i < 5; i++) {
		p.now += hf_h2_limits_default.quiet_ms;
		hf_h2_tick(p.client, p.now);
		pair_run(&p); /* the answer to PING */
	}
	assert_ok(hf_h2_error(p.client));
	assert_int_equal(a.n_done, 0);
	assert_ok(hf_h2_reply(p.server, p.node.waiting, &(struct hf_http_reply){ .status = 200 }));
	pair_run(&p);
	assert_int_equal(a.n_done, 1);
	assert_ok(a.e);
	pair_clear(&p);
}

static void who_asks_nothing_expects_nothing(void **state)
{
	const uint32_t quiet = hf_h2_limits_default.quiet_ms;
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	pair_run(&p);
	assert_int_equal(hf_h2_deadline(p.client), UINT64_MAX);
	p.now += 100 * quiet;
	hf_h2_tick(p.client, p.now);
	assert_int_equal(lose(p.client), 0);
	(void)ask(&p, &call); /* and now from the beginning */
	assert_int_equal(hf_h2_deadline(p.client), p.now + quiet);
	/* A server asks nobody: its own limits end what stays away. */
	hf_h2_tick(p.server, p.now + 3 * quiet);
	assert_ok(hf_h2_error(p.server));
	pair_clear(&p);
}

/* The question waits behind the body in every queue on the way. */
static void who_sends_a_body_waits_longer(void **state)
{
	const struct hf_h2_limits *l = &hf_h2_limits_default;
	struct node from = { .source_end = 100, .source_is_dry = true };
	struct hf_http_source source = { source_read, source_close, &from, 100 };
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/receipts", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	call.source = &source;
	(void)ask(&p, &call);
	hf_h2_tick(p.client, p.now + l->quiet_ms);
	assert_true(lose(p.client) > 0);
	hf_h2_tick(p.client, p.now + l->quiet_ms + l->stall_ms - 1);
	assert_ok(hf_h2_error(p.client));
	hf_h2_tick(p.client, p.now + l->quiet_ms + l->stall_ms);
	assert_err(hf_h2_error(p.client), HF_ERR_TIMEOUT);
	pair_clear(&p);
}

/* A server that allows no stream at all: nothing is sent, and the caller hears of it in time. */
static void a_server_that_lets_nothing_begin_cannot_keep_a_caller_waiting(void **state)
{
	/* SETTINGS: MAX_CONCURRENT_STREAMS 0 */
	static const uint8_t settings[] = { 0, 0, 6, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0,
		0 };
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct hf_h2_client client = { &test_mem, hf_h2_limits_default, "hub.example" };
	struct hf_h2 *h = NULL;
	const uint8_t *out = NULL;
	size_t used = 0;
	size_t n;
	int32_t stream = 0;

	(void)state;
	assert_ok(hf_h2_client_new(&h, &client, 5000));
	assert_ok(hf_h2_feed(h, &used, settings, sizeof(settings), 5000));
	call.timeout_ms = 3000;
	assert_ok(hf_h2_call(h, &stream, &call, 5000));
	while ((n = hf_h2_out(h, &out)) > 0)
		hf_h2_sent(h, n);
	hf_h2_tick(h, 8000);
	assert_int_equal(a.n_done, 1);
	assert_err(a.e, HF_ERR_TIMEOUT);
	hf_h2_tick(h, 80000);
	hf_h2_free(h);
	assert_int_equal(a.n_done, 1); /* once */
}

static void a_request_that_never_ends_is_given_up(void **state)
{
	struct node from = { .source_end = 100, .source_is_dry = true };
	struct hf_http_source source = { source_read, source_close, &from, 100 };
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/receipts", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	call.source = &source;
	(void)ask(&p, &call);
	assert_int_equal(hf_h2_n_streams(p.server), 1);
	p.now += hf_h2_limits_default.message_ms;
	assert_true(hf_h2_deadline(p.server) <= p.now);
	hf_h2_tick(p.server, p.now);
	pair_run(&p);
	assert_int_equal(hf_h2_n_streams(p.server), 0);
	assert_int_equal(p.node.n_requests, 0);
	assert_int_equal(a.n_done, 1);
	assert_true(a.e != HF_OK);
	assert_int_equal(from.n_sources_closed, 1);
	pair_clear(&p);
}

static void a_source_that_is_dry_goes_on_when_resumed(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_GET, "/v1/objects/pack/00ff", &a);
	struct pair p;
	int32_t stream;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	p.node.source_is_dry = true;
	call.on_body = on_body;
	call.body_max = OBJECT_LEN;
	assert_ok(hf_h2_call(p.client, &stream, &call, p.now));
	pair_run(&p);
	assert_int_equal(a.n_heads, 1);
	assert_int_equal(a.streamed, 0);
	p.node.source_is_dry = false;
	hf_h2_resume(p.server, 1);
	pair_run(&p);
	assert_ok(a.e);
	assert_int_equal(a.streamed, OBJECT_LEN);
	pair_clear(&p);
}

static void a_source_that_fails_breaks_the_answer(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_GET, "/v1/objects/pack/00ff", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	p.node.source_fails = HF_ERR_IO;
	call.on_body = on_body;
	call.body_max = OBJECT_LEN;
	(void)ask(&p, &call);
	assert_int_equal(a.n_done, 1);
	assert_true(a.e != HF_OK);
	assert_err(p.node.closed_why, HF_ERR_IO);
	assert_int_equal(p.node.n_sources_closed, 1);
	pair_clear(&p);
}

static void a_cancelled_call_is_silent(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;
	int32_t stream;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	assert_ok(hf_h2_call(p.client, &stream, &call, p.now));
	pair_run(&p);
	hf_h2_cancel(p.client, stream);
	hf_h2_cancel(p.client, stream);
	pair_run(&p);
	assert_int_equal(a.n_done, 0);
	assert_int_equal(p.node.n_closed, 1);
	assert_int_equal(hf_h2_n_streams(p.client) + hf_h2_n_streams(p.server), 0);
	pair_clear(&p);
}

static void shutdown_lets_open_streams_finish(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;
	int32_t stream;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	(void)ask(&p, &call);
	hf_h2_shutdown(p.server);
	pair_run(&p);
	assert_false(hf_h2_is_over(p.server));
	assert_err(hf_h2_call(p.client, &stream, &call, p.now), HF_ERR_CLOSED);
	assert_ok(hf_h2_reply(p.server, p.node.waiting, &(struct hf_http_reply){ .status = 200 }));
	pair_run(&p);
	assert_ok(a.e);
	assert_int_equal(a.n_done, 1);
	assert_true(hf_h2_is_over(p.server));
	assert_true(hf_h2_is_over(p.client));
	pair_clear(&p);
}

static void freeing_tells_everybody_who_waits(void **state)
{
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/grants", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	(void)ask(&p, &call);
	pair_clear(&p);
	assert_int_equal(a.n_done, 1);
	assert_err(a.e, HF_ERR_CLOSED);
	assert_int_equal(p.node.n_closed, 1);
	assert_err(p.node.closed_why, HF_ERR_CLOSED);
}

/* A request whose body has so many bytes for now, and then nothing, but goes on. */
struct unended {
	struct node from;
	struct hf_http_source source;
	struct hf_http_call call;
	struct answer a;
	int32_t stream;
	size_t left;
};

static hf_err unended_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct unended *u = ctx;

	(void)is_end;
	*len = u->left < cap ? u->left : cap;
	memset(out, 'x', *len);
	u->left -= *len;
	return *len == 0 ? HF_ERR_AGAIN : HF_OK;
}

static void unended_begin(struct unended *u, struct pair *p, const char *path, size_t len)
{
	memset(u, 0, sizeof(*u));
	u->source = (struct hf_http_source){ unended_read, NULL, u, UINT64_MAX };
	u->call = call_of(HF_HTTP_POST, path, &u->a);
	u->call.source = &u->source;
	u->left = len;
	assert_ok(hf_h2_call(p->client, &u->stream, &u->call, p->now));
	pair_run(p);
}

static void large_bodies_that_never_end_are_few(void **state)
{
	struct unended u[LARGE_MAX + 2];
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	for (size_t i = 0; i < LARGE_MAX; i++)
		unended_begin(&u[i], &p, "/v1/inventory", HF_H2_SMALL_BODY + 1);
	unended_begin(&u[2], &p, "/v1/inventory", HF_H2_SMALL_BODY); /* small ones go on */
	assert_int_equal(u[2].a.n_done, 0);
	unended_begin(&u[3], &p, "/v1/inventory", HF_H2_SMALL_BODY + 1);
	assert_int_equal(u[3].a.n_done, 1);
	assert_int_equal(u[3].a.status, 429);
	assert_int_equal(p.node.n_refused, 1);
	assert_err(p.node.refused_why, HF_ERR_AGAIN);
	assert_int_equal(p.node.n_requests, 0);
	/* One of them ends, and another one may come. */
	hf_h2_cancel(p.client, u[0].stream);
	pair_run(&p);
	unended_begin(&u[3], &p, "/v1/inventory", HF_H2_SMALL_BODY + 1);
	assert_int_equal(u[3].a.n_done, 0);
	pair_clear(&p);
	assert_int_equal(p.node.kept, 0);
}

static void a_body_that_may_not_be_kept_is_refused_for_now(void **state)
{
	struct unended u[2];
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	p.node.kept_max = 12 * 1024;
	unended_begin(&u[0], &p, "/v1/inventory", 8 * 1024);
	assert_true(p.node.kept >= 8 * 1024);
	unended_begin(&u[1], &p, "/v1/inventory", 8 * 1024);
	assert_int_equal(u[1].a.n_done, 1);
	assert_int_equal(u[1].a.status, 429);
	assert_int_equal(u[0].a.n_done, 0);
	assert_true(p.node.kept <= 8 * 1024); /* nothing of it is left */
	/* What never ends goes when its time is up, although nobody takes the answer. */
	p.now += hf_h2_limits_default.message_ms;
	hf_h2_tick(p.server, p.now);
	assert_int_equal(p.node.kept, 0);
	pair_clear(&p);
	assert_int_equal(p.node.kept, 0);
}

static void a_body_goes_when_its_handler_had_it(void **state)
{
	static uint8_t body[COLLECTED_MAX];
	struct answer a = { 0 };
	struct hf_http_call call = call_of(HF_HTTP_POST, "/v1/inventory", &a);
	struct pair p;

	(void)state;
	pair_init(&p, HF_PEER_DEVICE);
	call.body = body;
	call.body_len = sizeof(body);
	(void)ask(&p, &call);
	assert_int_equal(p.node.n_requests, 1);
	assert_int_equal(a.n_done, 0); /* it waits for its answer */
	assert_int_equal(p.node.kept, 0);
	pair_clear(&p);
}

/* A bare peer: what it sends is up to the test, byte by byte. */
struct rude {
	struct pair p;
	hf_err e;
};

static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void rude_send(struct rude *r, const void *bytes, size_t len)
{
	const uint8_t *out;
	size_t used = 0;
	size_t n;

	if (r->e == HF_OK)
		r->e = hf_h2_feed(r->p.server, &used, bytes, len, r->p.now);
	while ((n = hf_h2_out(r->p.server, &out)) > 0)
		hf_h2_sent(r->p.server, n);
}

static void rude_frame(struct rude *r, uint8_t type, uint8_t flags, uint32_t stream,
	const void *payload, size_t len)
{
	uint8_t head[9] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8),
		(uint8_t)stream };

	rude_send(r, head, sizeof(head));
	if (len > 0)
		rude_send(r, payload, len);
}

static void rude_init(struct rude *r)
{
	memset(r, 0, sizeof(*r));
	pair_init(&r->p, HF_PEER_DEVICE);
	rude_send(r, magic, sizeof(magic) - 1);
	rude_frame(r, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	assert_ok(r->e);
}

/* GET /v1/objects/pack/00 (HPACK: indexed GET and https, literal path and authority). */
static const uint8_t get_head[] = { 0x82, 0x87, 0x04, 19, '/', 'v', '1', '/', 'o', 'b', 'j', 'e',
	'c', 't', 's', '/', 'p', 'a', 'c', 'k', '/', '0', '0', 0x01, 1, 'h' };

static void refuses_what_is_no_http2(void **state)
{
	const char *http1 = "GET / HTTP/1.1\r\nHost: hub.example\r\n\r\n";
	struct rude r = { .e = HF_OK };

	(void)state;
	pair_init(&r.p, HF_PEER_DEVICE);
	rude_send(&r, http1, strlen(http1));
	assert_err(r.e, HF_ERR_FORMAT);
	rude_send(&r, magic, sizeof(magic) - 1);
	assert_err(r.e, HF_ERR_FORMAT);
	assert_true(hf_h2_is_over(r.p.server));
	pair_clear(&r.p);
}

static void ends_a_connection_that_resets_rapidly(void **state)
{
	const uint8_t cancel[4] = { 0, 0, 0, NGHTTP2_CANCEL };
	struct rude r;
	uint32_t n = 0;

	(void)state;
	rude_init(&r);
	for (; r.e == HF_OK && n < 10000; n++) {
		rude_frame(&r, NGHTTP2_HEADERS, 5, 2 * n + 1, get_head, sizeof(get_head));
		rude_frame(&r, NGHTTP2_RST_STREAM, 0, 2 * n + 1, cancel, 4);
		assert_true(hf_h2_n_streams(r.p.server) <= 4);
	}
	assert_err(r.e, HF_ERR_LIMIT);
	assert_in_range(n, 100, 600);
	assert_true(hf_h2_is_over(r.p.server));
	assert_int_equal(r.p.node.n_requests, r.p.node.n_closed);
	pair_clear(&r.p);
}

static void ends_a_connection_that_floods(void **state)
{
	static const struct {
		uint8_t type, flags, len;
		uint32_t stream;
	} floods[] = {
		{ NGHTTP2_SETTINGS, 0, 0, 0 },
		{ NGHTTP2_PING, 0, 8, 0 },
		{ NGHTTP2_PING, 1, 8, 0 },
		{ NGHTTP2_PRIORITY, 0, 5, 1 },
		{ NGHTTP2_DATA, 0, 0, 1 },
		{ NGHTTP2_WINDOW_UPDATE, 0, 4, 0 },
	};
	const uint8_t payload[8] = { 0, 0, 0, 3, 0 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(floods); i++) {
		struct rude r;
		unsigned n = 0;

		rude_init(&r);
		rude_frame(&r, NGHTTP2_HEADERS, 4, 1, get_head, sizeof(get_head));
		assert_ok(r.e);
		for (; r.e == HF_OK && n < 20000; n++)
			rude_frame(&r, floods[i].type, floods[i].flags, floods[i].stream, payload,
				floods[i].len);
		assert_err(r.e, HF_ERR_LIMIT);
		assert_true(n < 2000);
		pair_clear(&r.p);
	}
}

static void the_same_frames_at_a_calm_pace_are_no_flood(void **state)
{
	const uint8_t ping[8] = { 0 };
	struct rude r;

	(void)state;
	rude_init(&r);
	for (unsigned n = 0; n < 5000; n++) {
		r.p.now += 20;
		rude_frame(&r, NGHTTP2_PING, 0, 0, ping, 8);
	}
	assert_ok(r.e);
	pair_clear(&r.p);
}

static void a_head_above_the_limit_is_refused(void **state)
{
	/* One entry of 4000 bytes in the table, then one byte for each further copy of it. */
	uint8_t bomb[4096] = { 0x40, 1, 'a', 0x7f, 0xa1, 0x1e };
	uint8_t refs[4000];
	struct rude r;

	(void)state;
	memset(bomb + 6, 'x', 4000);
	memset(refs, 0xbe, sizeof(refs));
	rude_init(&r);
	rude_frame(&r, NGHTTP2_HEADERS, 0, 1, get_head, sizeof(get_head));
	rude_frame(&r, NGHTTP2_CONTINUATION, 0, 1, bomb, 4006);
	rude_frame(&r, NGHTTP2_CONTINUATION, 4, 1, refs, sizeof(refs));
	assert_int_equal(r.p.node.n_requests, 0);
	assert_int_equal(hf_h2_n_streams(r.p.server), 0);
	/* The connection lives on; many bombs end it. */
	for (uint32_t n = 1; r.e == HF_OK && n < 1000; n++) {
		rude_frame(&r, NGHTTP2_HEADERS, 0, 2 * n + 1, get_head, sizeof(get_head));
		rude_frame(&r, NGHTTP2_CONTINUATION, 4, 2 * n + 1, refs, sizeof(refs));
	}
	assert_err(r.e, HF_ERR_LIMIT);
	assert_int_equal(r.p.node.n_requests, 0);
	pair_clear(&r.p);
}

static void no_more_streams_than_the_limit(void **state)
{
	struct rude r;

	(void)state;
	rude_init(&r);
	for (uint32_t n = 0; n < 20; n++) {
		rude_frame(&r, NGHTTP2_HEADERS, 4, 2 * n + 1, get_head, sizeof(get_head));
		assert_true(hf_h2_n_streams(r.p.server) <= 4);
	}
	assert_int_equal(hf_h2_n_streams(r.p.server), 4);
	pair_clear(&r.p);
}

static void any_altered_byte_of_a_connection_is_survived(void **state)
{
	uint8_t whole[200];
	size_t len = 0;
	const uint8_t settings[9] = { 0, 0, 0, NGHTTP2_SETTINGS };
	const uint8_t headers[9] = { 0, 0, sizeof(get_head), NGHTTP2_HEADERS, 5, 0, 0, 0, 1 };

	(void)state;
	memcpy(whole, magic, sizeof(magic) - 1);
	len = sizeof(magic) - 1;
	memcpy(whole + len, settings, 9);
	memcpy(whole + len + 9, headers, 9);
	memcpy(whole + len + 18, get_head, sizeof(get_head));
	len += 18 + sizeof(get_head);
	for (size_t i = 0; i < len * 8; i++) {
		struct rude r = { .e = HF_OK };

		pair_init(&r.p, HF_PEER_DEVICE);
		whole[i / 8] ^= (uint8_t)(1 << i % 8);
		rude_send(&r, whole, len);
		whole[i / 8] ^= (uint8_t)(1 << i % 8);
		if (i / 8 < sizeof(magic) - 1)
			assert_err(r.e, HF_ERR_FORMAT);
		pair_clear(&r.p);
	}
}

static void statuses_and_failures_agree(void **state)
{
	(void)state;
	for (unsigned status = 400; status < 600; status++)
		assert_true(hf_api_err(status) != HF_OK);
	assert_ok(hf_api_err(200));
	assert_ok(hf_api_err(206));
	assert_err(hf_api_err(404), HF_ERR_NOT_FOUND);
	assert_err(hf_api_err(408), HF_ERR_TIMEOUT);
	assert_int_equal(hf_api_status(HF_ERR_TIMEOUT), 504); /* a gateway says it, no client */
	assert_int_equal(hf_api_status(HF_ERR_NOT_FOUND), 404);
	assert_int_equal(hf_api_status(HF_ERR_SELF_TEST), 500);
	assert_int_equal(hf_api_status(HF_ERR_AUTH), 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_limits_out_of_range),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_call_that_runs_out_of_memory_ends_and_leaks_nothing),
		cmocka_unit_test(a_body_comes_back_with_its_fields_at_any_split),
		cmocka_unit_test(a_range_of_an_object_is_streamed_through_small_windows),
		cmocka_unit_test(a_reader_that_holds_back_stops_the_sender),
		cmocka_unit_test(an_upload_is_streamed_and_answered_at_its_end),
		cmocka_unit_test(an_endless_upload_is_refused_at_its_limit),
		cmocka_unit_test(a_body_above_the_route_limit_is_refused),
		cmocka_unit_test(large_bodies_that_never_end_are_few),
		cmocka_unit_test(a_body_that_may_not_be_kept_is_refused_for_now),
		cmocka_unit_test(a_body_goes_when_its_handler_had_it),
		cmocka_unit_test(an_answer_above_the_call_limit_ends_the_call),
		cmocka_unit_test(unknown_paths_methods_and_peers_are_refused),
		cmocka_unit_test(a_newcomer_may_enrol_and_nothing_else),
		cmocka_unit_test(a_client_does_not_ask_for_what_is_no_path),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(a_call_ends_at_its_timeout),
		cmocka_unit_test(a_peer_that_falls_silent_is_asked_and_then_given_up),
		cmocka_unit_test(a_peer_that_is_slow_but_there_is_waited_for),
		cmocka_unit_test(who_asks_nothing_expects_nothing),
		cmocka_unit_test(who_sends_a_body_waits_longer),
		cmocka_unit_test(a_server_that_lets_nothing_begin_cannot_keep_a_caller_waiting),
		cmocka_unit_test(a_request_that_never_ends_is_given_up),
		cmocka_unit_test(a_source_that_is_dry_goes_on_when_resumed),
		cmocka_unit_test(a_source_that_fails_breaks_the_answer),
		cmocka_unit_test(a_cancelled_call_is_silent),
		cmocka_unit_test(shutdown_lets_open_streams_finish),
		cmocka_unit_test(freeing_tells_everybody_who_waits),
		cmocka_unit_test(refuses_what_is_no_http2),
		cmocka_unit_test(ends_a_connection_that_resets_rapidly),
		cmocka_unit_test(ends_a_connection_that_floods),
		cmocka_unit_test(the_same_frames_at_a_calm_pace_are_no_flood),
		cmocka_unit_test(a_head_above_the_limit_is_refused),
		cmocka_unit_test(no_more_streams_than_the_limit),
		cmocka_unit_test(any_altered_byte_of_a_connection_is_survived),
		cmocka_unit_test(statuses_and_failures_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
