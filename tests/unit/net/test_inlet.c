/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions over a socket pair: a server's inlet, and a client's, or a socket that does as it likes.
 */
#include "net_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/inlet.h"

struct inner {
	struct hf_inlet *i; /* NULL: gone */
	struct hf_h2 *h;
	unsigned n_close;
	hf_err err;
	struct hf_errinfo why;
};

struct pair {
	struct world w;
	struct inner hub;
	struct inner device;
	int raw; /* instead of the device's */
};

static void on_close(void *ctx, hf_err e, const struct hf_errinfo *why)
{
	struct inner *in = ctx;

	in->n_close++;
	in->i = NULL;
	in->h = NULL;
	in->err = e;
	in->why = *why;
}

static void inner_new(struct pair *p, struct inner *in, int fd)
{
	const struct hf_inlet_config config = { .loop = p->w.loop,
		.mem = &test_mem,
		.limits = p->w.limits,
		.on_close = on_close,
		.ctx = in };

	assert_ok(hf_inlet_new(&in->i, &config, fd, NULL));
}

static void hub_new(struct pair *p, int fd)
{
	const struct hf_h2_server server = { .mem = &test_mem,
		.limits = p->w.h2,
		.routes = net_routes,
		.n_routes = HF_COUNT(net_routes),
		.peer = HF_PEER_DEVICE,
		.ctx = &p->w.api,
		.on_close = api_over };

	inner_new(p, &p->hub, fd);
	assert_ok(hf_h2_server_new(&p->hub.h, &server, hf_loop_now_ms(p->w.loop)));
	hf_inlet_attach(p->hub.i, p->hub.h);
}

static void device_new(struct pair *p, int fd)
{
	const struct hf_h2_client client = { &test_mem, p->w.h2, "hub.example" };

	inner_new(p, &p->device, fd);
	assert_ok(hf_h2_client_new(&p->device.h, &client, hf_loop_now_ms(p->w.loop)));
	hf_inlet_attach(p->device.i, p->device.h);
}

/* Change limits between the two. */
static void pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	world_init(&p->w);
	p->raw = -1;
}

static void pair_begin(struct pair *p, bool is_raw)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	hub_new(p, fds[0]);
	if (is_raw)
		p->raw = fds[1];
	else
		device_new(p, fds[1]);
}

static void pair_clear(struct pair *p)
{
	if (p->device.i != NULL)
		hf_inlet_close(p->device.i);
	if (p->raw >= 0)
		(void)close(p->raw);
	world_clear(&p->w);
	assert_int_equal(p->hub.n_close, 1);
	assert_null(p->hub.i);
}

static void call_begin(struct pair *p, struct answer *a, struct hf_http_call call)
{
	call.on_done = answer_done;
	call.ctx = a;
	call.body_max = UINT64_MAX;
	assert_ok(hf_h2_call(p->device.h, &a->stream, &call, hf_loop_now_ms(p->w.loop)));
	hf_inlet_pump(p->device.i);
}

static void get_begin(struct pair *p, struct answer *a, const char *path)
{
	call_begin(p, a,
		(struct hf_http_call){
			.method = HF_HTTP_GET, .path = path, .on_body = answer_body });
}

static void bodies_go_both_ways(void **state)
{
	struct answer got = { 0 };
	struct answer put = { 0 };
	struct pair p;
	struct hf_http_source source;

	(void)state;
	pair_init(&p);
	pair_begin(&p, false);
	source = body_source(&p.w.api, 9 << 20);
	get_begin(&p, &got, "/v1/objects/pack/8388608");
	call_begin(&p, &put,
		(struct hf_http_call){
			.method = HF_HTTP_PUT, .path = "/v1/objects/pack/1", .source = &source });
	net_until(&p.w, got.n_done == 1 && put.n_done == 1);
	assert_ok(got.err);
	assert_int_equal(got.len, 8 << 20);
	assert_false(got.is_wrong || p.w.api.is_wrong);
	assert_int_equal(put.status, 201);
	assert_int_equal(p.w.api.taken, 9 << 20);
	pair_clear(&p);
	assert_int_equal(p.hub.err, HF_ERR_CLOSED);
	assert_int_equal(p.device.err, HF_ERR_CLOSED);
}

static void who_does_not_read_is_not_read_ahead_for(void **state)
{
	struct answer a = { .hold_at = 1 };
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_begin(&p, false);
	get_begin(&p, &a, "/v1/objects/pack/104857600");
	net_until(&p.w, a.is_held);
	net_run_ms(&p.w, 50);
	assert_true(p.w.api.produced < 16 << 20);
	hf_h2_cancel(p.device.h, a.stream);
	hf_inlet_pump(p.device.i);
	pair_clear(&p);
}

static void closing_lets_streams_end(void **state)
{
	struct answer a = { 0 };
	struct pair p;

	(void)state;
	pair_init(&p);
	p.w.limits.close_ms = PATIENCE_MS;
	pair_begin(&p, false);
	get_begin(&p, &a, "/v1/objects/pack/4194304");
	net_until(&p.w, p.w.api.n_requests == 1);
	hf_inlet_close(p.hub.i);
	hf_inlet_close(p.hub.i); /* twice is once */
	net_until(&p.w, p.hub.n_close == 1 && p.device.n_close == 1);
	assert_int_equal(a.n_done, 1);
	assert_ok(a.err);
	assert_int_equal(a.len, 4 << 20);
	assert_int_equal(p.hub.err, HF_ERR_CLOSED);
	pair_clear(&p);
}

static void the_end_of_the_socket_ends_all(void **state)
{
	struct answer a = { 0 };
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_begin(&p, false);
	get_begin(&p, &a, "/v1/objects/pack/104857600");
	net_until(&p.w, a.len > 0);
	hf_inlet_abort(p.hub.i, HF_ERR_REVOKED);
	net_until(&p.w, p.hub.n_close == 1 && p.device.n_close == 1);
	assert_int_equal(p.hub.err, HF_ERR_REVOKED);
	assert_int_equal(p.device.err, HF_ERR_CLOSED);
	assert_int_equal(a.n_done, 1);
	assert_int_equal(a.err, HF_ERR_CLOSED);
	assert_int_equal(p.w.api.n_over, 1);
	pair_clear(&p);
}

static void what_is_no_http_is_told_so(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: hub\r\n\r\n";
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_begin(&p, true);
	assert_int_equal(write(p.raw, text, sizeof(text)), sizeof(text));
	(void)shutdown(p.raw, SHUT_WR);
	net_until(&p.w, p.hub.n_close == 1);
	assert_int_equal(p.hub.err, HF_ERR_FORMAT);
	pair_clear(&p);
}

static void who_says_nothing_goes_and_who_is_busy_does_not(void **state)
{
	struct answer a = { .hold_at = 1 };
	struct pair p;

	(void)state;
	for (int how = 0; how < 3; how++) {
		pair_init(&p);
		p.w.limits.idle_ms = 60;
		p.w.limits.close_ms = 60;
		pair_begin(&p, how == 1);
		if (how == 2) { /* busy is not idle */
			get_begin(&p, &a, "/v1/objects/pack/104857600");
			net_until(&p.w, a.is_held);
			net_run_ms(&p.w, 150);
			assert_int_equal(p.hub.n_close, 0);
			hf_h2_cancel(p.device.h, a.stream);
			hf_inlet_pump(p.device.i);
		}
		net_until(&p.w, p.hub.n_close == 1); /* how 1: although it never answers */
		assert_int_equal(p.hub.err, HF_ERR_CLOSED);
		pair_clear(&p);
	}
}

static void a_session_that_comes_too_late_is_freed(void **state)
{
	const struct hf_h2_client client = { &test_mem, hf_h2_limits_default, "hub.example" };
	struct pair p;
	int fds[2];

	(void)state;
	pair_init(&p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	inner_new(&p, &p.hub, fds[0]);
	hf_inlet_abort(p.hub.i, HF_ERR_DENIED);
	assert_ok(hf_h2_client_new(&p.hub.h, &client, hf_loop_now_ms(p.w.loop)));
	hf_inlet_attach(p.hub.i, p.hub.h);
	p.raw = fds[1];
	net_until(&p.w, p.hub.n_close == 1);
	assert_int_equal(p.hub.err, HF_ERR_DENIED);
	pair_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_go_both_ways),
		cmocka_unit_test(who_does_not_read_is_not_read_ahead_for),
		cmocka_unit_test(closing_lets_streams_end),
		cmocka_unit_test(the_end_of_the_socket_ends_all),
		cmocka_unit_test(what_is_no_http_is_told_so),
		cmocka_unit_test(who_says_nothing_goes_and_who_is_busy_does_not),
		cmocka_unit_test(a_session_that_comes_too_late_is_freed),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, net_start, NULL);
}
