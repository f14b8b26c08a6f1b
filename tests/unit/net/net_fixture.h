/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub and a device on loopback in one event loop: certificates, both ends of links with what they
 * were told, an API with bodies of any length, and raw sockets for peers that do not play along.
 */
#ifndef HF_TEST_NET_FIXTURE_H
#define HF_TEST_NET_FIXTURE_H

#include "../pki/pki_fixture.h"

#include <signal.h>

#include "http/api.h"
#include "net/link.h"
#include "net/loop_inner.h"
#include "os/clock.h"
#include "os/cpu.h"

enum { PATIENCE_MS = 60000, ENDS_MAX = 80 };

static const char *const net_alpn[] = { HF_ALPN_H2 };

/* The parties; made once. */
static struct {
	struct party ca, other_ca, hub, device, lonely;
	struct hf_bytes hub_chain[2], device_chain[2], lonely_chain[1];
} net_dom;

static inline void net_issue(struct party *p, struct hf_cert_spec spec, const struct party *issuer)
{
	uint64_t now_s = hf_clock_wall_s();

	spec.not_before_s = now_s - DAY_S;
	spec.not_after_s = now_s + DAY_S;
	party_issue(p, &spec, issuer);
}

static inline int net_start(void **state)
{
	static const struct hf_identity hub = { HF_ROLE_HUB, HF_L1, "plant", "hub-1" };
	static const struct hf_identity dev = { HF_ROLE_DEVICE, HF_L1, "plant", "dev-7" };
	struct hf_cert_spec spec;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);          /* as os/signals.h does for programs */
	assert_ok(hf_module_start(hf_os_cpu())); /* much is moved here */
	party_init(&net_dom.ca, "CA");
	party_init(&net_dom.other_ca, "other CA");
	party_init(&net_dom.hub, "hub-1");
	party_init(&net_dom.device, "dev-7");
	party_init(&net_dom.lonely, "lonely");
	net_issue(&net_dom.ca, ca_spec(&net_dom.ca, &net_dom.ca), &net_dom.ca);
	net_issue(&net_dom.other_ca, ca_spec(&net_dom.other_ca, &net_dom.other_ca),
		&net_dom.other_ca);
	spec = party_spec(&net_dom.hub, &net_dom.ca);
	spec.identity = &hub;
	net_issue(&net_dom.hub, spec, &net_dom.ca);
	spec = party_spec(&net_dom.device, &net_dom.ca);
	spec.identity = &dev;
	net_issue(&net_dom.device, spec, &net_dom.ca);
	net_issue(&net_dom.lonely, party_spec(&net_dom.lonely, &net_dom.lonely), &net_dom.lonely);
	net_dom.hub_chain[0] = net_dom.hub.cert.der;
	net_dom.hub_chain[1] = net_dom.ca.cert.der;
	net_dom.device_chain[0] = net_dom.device.cert.der;
	net_dom.device_chain[1] = net_dom.ca.cert.der;
	net_dom.lonely_chain[0] = net_dom.lonely.cert.der;
	return 0;
}

struct world;

/* One end of a link, and what it was told. */
struct end {
	struct world *w;
	struct hf_link *l; /* NULL: gone, or never there */
	unsigned n_open;
	unsigned n_ending;
	unsigned n_close;
	hf_err err;
	struct hf_errinfo why;
	char peer[HF_ID_MAX + 1];
	bool is_self_signed;
	bool had_session; /* hf_link_h2() was there in on_ending */
	unsigned n_sign;
	struct hf_tls_cv cv;
};

/* The server's side of bodies: pattern bytes out of nothing, and a sink that checks them. */
struct api {
	struct world *w;
	uint64_t produced; /* bytes that sources gave so far */
	uint64_t taken;    /* bytes that came in by PUT */
	bool is_wrong;
	unsigned n_requests;
	unsigned n_over;
};

struct world {
	struct hf_loop *loop;
	struct hf_listener *listener;
	struct hf_rng rng;
	struct test_rng rng_state;
	struct hf_tls_config hub;
	struct hf_tls_config device;
	struct hf_identity_want want;
	struct hf_link_limits limits;
	struct hf_h2_limits h2;
	uint32_t max_links;
	uint32_t max_opening;      /* 0: max_links */
	hf_err refused;            /* of the last connection that was closed at once */
	bool attaches;             /* the hub gives a session to links that open */
	struct end ends[ENDS_MAX]; /* of the hub, in order of arrival in on_open or on_close */
	size_t n_ends;
	struct api api;
};

/* --- patience --- */

struct patience {
	struct hf_loop *loop;
	uv_timer_t *timer;
	uint64_t end_ms;
};

static inline void patience_tick(uv_timer_t *timer)
{
	(void)timer;
}

static inline void patience_free(uv_handle_t *timer)
{
	free(timer);
}

static inline struct patience patience_begin(struct world *w)
{
	struct patience p = { w->loop, malloc(sizeof(uv_timer_t)),
		hf_clock_mono_ms() + PATIENCE_MS };

	assert_non_null(p.timer);
	assert_int_equal(uv_timer_init(hf_loop_uv(p.loop), p.timer), 0);
	assert_int_equal(uv_timer_start(p.timer, patience_tick, 5, 5), 0);
	return p;
}

static inline void patience_step(struct patience *p, const char *what)
{
	(void)hf_loop_step(p->loop);
	if (hf_clock_mono_ms() > p->end_ms)
		fail_msg("never: %s", what);
}

static inline void patience_end(struct patience *p)
{
	uv_close((uv_handle_t *)p->timer, patience_free);
}

/* Runs the loop until what it waits for holds; a test that would hang fails instead. */
#define net_until(w, what) \
	do { \
		struct patience net_patience = patience_begin(w); \
		while (!(what)) \
			patience_step(&net_patience, #what); \
		patience_end(&net_patience); \
	} while (0)

static inline void net_run_ms(struct world *w, uint64_t ms)
{
	uint64_t end_ms = hf_clock_mono_ms() + ms;

	net_until(w, hf_clock_mono_ms() >= end_ms);
}

/* --- the API --- */

static inline uint8_t body_byte(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

struct body_source {
	struct api *api;
	uint64_t at;
	uint64_t len;
};

static inline hf_err body_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct body_source *s = ctx;
	uint64_t left = s->len - s->at;

	*len = left < cap ? (size_t)left : cap;
	for (size_t i = 0; i < *len; i++)
		out[i] = body_byte(s->at + i);
	s->at += *len;
	s->api->produced += *len;
	*is_end = s->at == s->len;
	return HF_OK;
}

static inline void body_close(void *ctx)
{
	free(ctx);
}

static inline struct hf_http_source body_source(struct api *api, uint64_t len)
{
	struct body_source *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	*s = (struct body_source){ api, 0, len };
	return (struct hf_http_source){ body_read, body_close, s, len };
}

/* GET /v1/objects/pack/<length> */
static inline void api_get(void *ctx, const struct hf_http_request *q)
{
	struct api *api = ctx;
	struct hf_http_source source = body_source(api, strtoull(q->head->segments[3], NULL, 10));
	struct hf_http_reply reply = {
		.status = 200, .content_type = HF_TYPE_BYTES, .source = &source
	};

	api->n_requests++;
	(void)!hf_h2_reply(q->h, q->stream, &reply);
}

static struct hf_h2 *put_session; /* of the last PUT */

static inline void api_put(void *ctx, const struct hf_http_request *q)
{
	struct api *api = ctx;

	api->n_requests++;
	put_session = q->h;
}

static inline hf_err api_put_body(
	void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	struct api *api = ctx;

	for (size_t i = 0; i < len; i++)
		api->is_wrong |= bytes[i] != body_byte(api->taken + i);
	api->taken += len;
	if (is_end)
		(void)!hf_h2_reply(put_session, stream, &(struct hf_http_reply){ .status = 201 });
	return HF_OK;
}

static inline void api_echo(void *ctx, const struct hf_http_request *q)
{
	struct api *api = ctx;
	struct hf_http_reply reply = { .status = 200,
		.content_type = HF_TYPE_JSON,
		.body = q->body,
		.body_len = q->body_len };

	api->n_requests++;
	(void)!hf_h2_reply(q->h, q->stream, &reply);
}

static inline void api_over(void *ctx, int32_t stream, hf_err why)
{
	struct api *api = ctx;

	(void)stream;
	(void)why;
	api->n_over++;
}

static const struct hf_http_route net_routes[] = {
	{ HF_HTTP_GET, HF_API_OBJECT, HF_PEER_MEMBER, 0, api_get, NULL },
	{ HF_HTTP_PUT, HF_API_OBJECT, HF_PEER_MEMBER, UINT64_C(1) << 30, api_put, api_put_body },
	{ HF_HTTP_POST, HF_API_RECEIPTS, HF_PEER_MEMBER, 4096, api_echo, NULL },
};

/* --- the ends --- */

static struct world *net_world; /* the context of incoming links until their first callback */

static inline struct end *end_of(void *ctx, struct hf_link *l)
{
	struct end *e = ctx;

	if (ctx == (void *)net_world) {
		assert_true(net_world->n_ends < ENDS_MAX);
		e = &net_world->ends[net_world->n_ends++];
		e->w = net_world;
		hf_link_ctx_set(l, e);
	}
	e->l = l;
	return e;
}

static inline struct end *end_on_open(void *ctx, struct hf_link *l)
{
	const struct hf_cert *peer = hf_tls_peer(hf_link_tls(l));
	struct end *e = end_of(ctx, l);

	e->n_open++;
	e->is_self_signed = hf_tls_is_self_signed(hf_link_tls(l));
	if (peer != NULL && peer->has_identity)
		memcpy(e->peer, peer->identity.id, sizeof(e->peer));
	return e;
}

static inline void hub_on_open(void *ctx, struct hf_link *l)
{
	struct end *e = end_on_open(ctx, l);
	struct hf_h2_server server = {
		.mem = &test_mem,
		.limits = e->w->h2,
		.routes = net_routes,
		.n_routes = HF_COUNT(net_routes),
		.peer = HF_PEER_DEVICE,
		.ctx = &e->w->api,
		.on_close = api_over,
	};
	struct hf_h2 *h = NULL;

	if (e->w->attaches && hf_h2_server_new(&h, &server, hf_loop_now_ms(e->w->loop)) == HF_OK)
		hf_link_attach(l, h);
}

static inline void device_on_open(void *ctx, struct hf_link *l)
{
	struct end *e = end_on_open(ctx, l);
	struct hf_h2_client client = { &test_mem, e->w->h2, "hub.example" };
	struct hf_h2 *h = NULL;

	if (hf_h2_client_new(&h, &client, hf_loop_now_ms(e->w->loop)) == HF_OK)
		hf_link_attach(l, h);
}

static inline void end_on_sign(void *ctx, struct hf_link *l, const struct hf_tls_cv *cv)
{
	struct end *end = end_of(ctx, l);

	end->n_sign++;
	end->cv = *cv;
}

/* Answers on_sign as the key process would. */
static inline void end_sign(struct end *e, const struct party *by)
{
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm2_sig sig;

	assert_ok(hf_tls_cv_digest(digest, &e->cv, &by->signer.pub));
	assert_ok(by->signer.sign_digest(by->signer.ctx, digest, &sig));
	hf_link_signed(e->l, &sig, HF_OK);
}

static inline void end_on_ending(void *ctx, struct hf_link *l)
{
	struct end *e = end_of(ctx, l);

	e->n_ending++;
	e->had_session = hf_link_h2(l) != NULL;
}

static inline void end_on_close(
	void *ctx, struct hf_link *l, hf_err err, const struct hf_errinfo *why)
{
	struct end *e = end_of(ctx, l);

	e->n_close++;
	e->l = NULL;
	e->err = err;
	e->why = *why;
}

/* --- the world --- */

/* Fills in everything; change it, then world_listen(). */
static inline void world_init(struct world *w)
{
	struct hf_errinfo ei = { 0 };

	memset(w, 0, sizeof(*w));
	net_world = w;
	w->api.w = w;
	w->rng = test_rng(&w->rng_state, 7);
	assert_ok(hf_loop_new(&w->loop, &test_mem, &ei));
	w->loop->crowd = 1; /* every link leaves its SM2 operations to the loop */
	hf_tls_config_init(&w->hub, HF_TLS_SERVER, HF_L1);
	hf_tls_config_init(&w->device, HF_TLS_CLIENT, HF_L1);
	w->hub.mem = w->device.mem = &test_mem;
	w->hub.rng = w->device.rng = &w->rng;
	w->hub.roots = w->device.roots = &net_dom.ca.cert;
	w->hub.n_roots = w->device.n_roots = 1;
	w->hub.chain = net_dom.hub_chain;
	w->device.chain = net_dom.device_chain;
	w->hub.n_chain = w->device.n_chain = 2;
	w->hub.signer = &net_dom.hub.signer;
	w->device.signer = &net_dom.device.signer;
	w->hub.alpn = w->device.alpn = net_alpn;
	w->hub.n_alpn = w->device.n_alpn = 1;
	w->want = (struct hf_identity_want){ .roles = HF_ROLE_HUB, .domain = "plant" };
	w->limits = hf_link_limits_default;
	w->limits.close_ms = 1000;
	w->h2 = hf_h2_limits_default;
	w->max_links = ENDS_MAX;
	w->attaches = true;
}

static inline void on_refused(void *ctx, hf_err e)
{
	struct world *w = ctx;

	w->refused = e;
}

static inline void world_listen(struct world *w)
{
	struct hf_errinfo ei = { 0 };
	struct hf_listener_config c = {
		.link = { .loop = w->loop,
			.mem = &test_mem,
			.tls = &w->hub,
			.limits = w->limits,
			.calls = { hub_on_open, end_on_sign, end_on_ending, end_on_close },
			.ctx = w },
		.address = "127.0.0.1",
		.max_links = w->max_links,
		.max_opening = w->max_opening,
		.on_refused = on_refused,
	};

	if (hf_listener_new(&w->listener, &c, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	assert_true(hf_listener_port(w->listener) > 0);
}

/* A link of the device; e gets what it is told. */
static inline hf_err world_connect(struct world *w, struct end *e, const char *host, uint16_t port)
{
	const struct hf_link_config c = { .loop = w->loop,
		.mem = &test_mem,
		.tls = &w->device,
		.limits = w->limits,
		.calls = { device_on_open, end_on_sign, end_on_ending, end_on_close },
		.ctx = e };
	struct hf_errinfo ei = { 0 };

	memset(e, 0, sizeof(*e));
	e->w = w;
	return hf_link_connect(&e->l, &c, host, port, &w->want, &ei);
}

static inline void world_dial(struct world *w, struct end *e)
{
	assert_ok(world_connect(w, e, "127.0.0.1", hf_listener_port(w->listener)));
}

/* A link that is open at both ends. */
static inline void world_open(struct world *w, struct end *e)
{
	size_t n = w->n_ends;

	world_dial(w, e);
	net_until(w, e->n_close > 0 || (e->n_open == 1 && w->n_ends > n && w->ends[n].n_open == 1));
	if (e->n_close > 0)
		fail_msg("closed: %s", e->why.text);
}

static inline void world_clear(struct world *w)
{
	if (w->listener != NULL)
		hf_listener_close(w->listener);
	hf_loop_run(w->loop);
	hf_loop_free(w->loop);
}

/* --- calls --- */

struct answer {
	unsigned n_done;
	hf_err err;
	unsigned status;
	uint64_t len;     /* streamed bytes */
	uint64_t hold_at; /* bytes after which the peer is held back; 0: never */
	int32_t stream;
	bool is_held;
	bool is_wrong;
	char text[64];
};

static inline hf_err answer_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len)
{
	struct answer *a = ctx;

	for (size_t i = 0; i < len; i++)
		a->is_wrong |= bytes[i] != body_byte(a->len + i);
	a->len += len;
	a->stream = stream;
	if (a->hold_at == 0 || a->len < a->hold_at)
		return HF_OK;
	a->is_held = true;
	return HF_ERR_AGAIN;
}

static inline void answer_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct answer *a = ctx;

	(void)stream;
	a->n_done++;
	a->err = e;
	a->status = head != NULL ? head->status : 0;
	if (body_len > 0 && body_len < sizeof(a->text))
		memcpy(a->text, body, body_len);
}

/* Begins a call on the link of e and has it sent. */
static inline hf_err ask(struct end *e, struct answer *a, struct hf_http_call call)
{
	hf_err err;

	call.on_done = answer_done;
	call.ctx = a;
	if (call.body_max == 0)
		call.body_max = UINT64_MAX;
	err = hf_h2_call(hf_link_h2(e->l), &a->stream, &call, hf_loop_now_ms(e->w->loop));
	hf_link_pump(e->l);
	return err;
}

static inline hf_err ask_echo(struct end *e, struct answer *a, const char *text)
{
	return ask(e, a,
		(struct hf_http_call){ .method = HF_HTTP_POST,
			.path = HF_API_RECEIPTS,
			.body = (const uint8_t *)text,
			.body_len = strlen(text),
			.body_max = sizeof(a->text) });
}

static inline hf_err ask_get(struct end *e, struct answer *a, uint64_t len)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/objects/pack/%llu", (unsigned long long)len);
	return ask(e, a,
		(struct hf_http_call){
			.method = HF_HTTP_GET, .path = path, .on_body = answer_body });
}

static inline hf_err ask_put(struct end *e, struct answer *a, struct api *source_of, uint64_t len)
{
	struct hf_http_source source = body_source(source_of, len);

	return ask(e, a,
		(struct hf_http_call){
			.method = HF_HTTP_PUT, .path = "/v1/objects/pack/1", .source = &source });
}

/* --- peers that speak no TLS --- */

struct raw {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	const char *say;
	size_t say_len;
	char got[512];
	size_t n_got;
	bool is_connected;
	bool is_over; /* the other end closed */
	bool is_gone; /* libuv has let go */
};

static inline void raw_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *buf)
{
	struct raw *r = h->data;

	(void)wanted;
	*buf = uv_buf_init(r->got + r->n_got, (unsigned)(sizeof(r->got) - r->n_got));
}

static inline void raw_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct raw *r = s->data;

	(void)buf;
	if (n > 0)
		r->n_got += (size_t)n;
	if (n < 0)
		r->is_over = true;
}

static inline void raw_connected(uv_connect_t *c, int status)
{
	struct raw *r = c->data;
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)r->say, (unsigned)r->say_len);

	assert_int_equal(status, 0);
	r->is_connected = true;
	assert_int_equal(uv_read_start((uv_stream_t *)&r->tcp, raw_alloc, raw_read), 0);
	if (r->say_len > 0)
		assert_int_equal(uv_write(&r->write, (uv_stream_t *)&r->tcp, &buf, 1, NULL), 0);
}

/* Connects to the listener from an address of its own, says it, and listens. */
static inline void raw_dial_from(
	struct raw *r, struct world *w, const char *from, const char *say, size_t say_len)
{
	struct sockaddr_in addr;

	memset(r, 0, sizeof(*r));
	r->say = say;
	r->say_len = say_len;
	r->tcp.data = r->connect.data = r;
	assert_int_equal(uv_tcp_init(hf_loop_uv(w->loop), &r->tcp), 0);
	assert_int_equal(uv_ip4_addr(from, 0, &addr), 0);
	assert_int_equal(uv_tcp_bind(&r->tcp, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", hf_listener_port(w->listener), &addr), 0);
	assert_int_equal(
		uv_tcp_connect(&r->connect, &r->tcp, (struct sockaddr *)&addr, raw_connected), 0);
}

static inline void raw_dial(struct raw *r, struct world *w, const char *say, size_t say_len)
{
	raw_dial_from(r, w, "127.0.0.1", say, say_len);
}

static inline void raw_gone(uv_handle_t *h)
{
	struct raw *r = h->data;

	r->is_gone = true;
}

static inline void raw_close(struct raw *r)
{
	uv_close((uv_handle_t *)&r->tcp, raw_gone);
}

#endif
