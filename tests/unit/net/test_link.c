/* SPDX-License-Identifier: Apache-2.0 */
/* Links over loopback with everything real but the certificates: who may talk, how much, how long.
 */
#include "net_fixture.h"

#include "net/link_inner.h"

static void both_ends_know_each_other_and_talk(void **state)
{
	struct world w;
	struct end dev;
	struct answer a = { 0 };

	(void)state;
	world_init(&w);
	world_listen(&w);
	world_open(&w, &dev);
	assert_string_equal(dev.peer, "hub-1");
	assert_string_equal(w.ends[0].peer, "dev-7");
	assert_string_equal(hf_tls_alpn(hf_link_tls(dev.l)), "h2");
	assert_int_equal(strncmp(hf_link_address(w.ends[0].l), "[127.0.0.1]:", 12), 0);
	assert_int_equal(hf_listener_n_links(w.listener), 1);
	assert_ok(ask_echo(&dev, &a, "hello"));
	net_until(&w, a.n_done == 1);
	assert_ok(a.err);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.text, "hello");
	hf_link_close(dev.l);
	hf_link_close(dev.l); /* twice is once */
	net_until(&w, dev.n_close == 1 && w.ends[0].n_close == 1);
	assert_int_equal(dev.err, HF_ERR_CLOSED);
	assert_int_equal(w.ends[0].err, HF_ERR_CLOSED);
	assert_int_equal(dev.n_ending, 1);
	assert_true(dev.had_session && w.ends[0].had_session);
	assert_int_equal(hf_listener_n_links(w.listener), 0);
	world_clear(&w);
}

static void a_name_is_looked_up(void **state)
{
	struct addrinfo *found = NULL;
	struct world w;
	struct end dev;

	(void)state;
	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		skip(); /* a system without /etc/hosts */
	freeaddrinfo(found);
	world_init(&w);
	world_listen(&w);
	assert_ok(world_connect(&w, &dev, "localhost", hf_listener_port(w.listener)));
	net_until(&w, dev.n_open == 1 || dev.n_close == 1);
	assert_int_equal(dev.n_open, 1);
	assert_int_equal(strncmp(hf_link_address(dev.l), "[127.0.0.1]:", 12), 0);
	hf_link_abort(dev.l, HF_ERR_STATE);
	net_until(&w, dev.n_close == 1);
	assert_int_equal(dev.err, HF_ERR_STATE);
	world_clear(&w);
}

static void every_address_of_a_name_is_tried(void **state)
{
	struct world w;
	struct end dev;
	struct sockaddr_in dead, alive;
	struct addrinfo second = { .ai_addr = (struct sockaddr *)&alive };
	struct addrinfo first = { .ai_addr = (struct sockaddr *)&dead, .ai_next = &second };
	struct hf_listener *gone;
	uint16_t port;

	(void)state;
	world_init(&w);
	world_listen(&w);
	gone = w.listener;
	port = hf_listener_port(gone);
	assert_int_equal(uv_ip4_addr("127.0.0.1", port, &dead), 0);
	world_listen(&w);
	hf_listener_close(gone);
	net_run_ms(&w, 20);
	assert_int_equal(uv_ip4_addr("127.0.0.1", hf_listener_port(w.listener), &alive), 0);
	assert_ok(world_connect(&w, &dev, "127.0.0.1", port));
	dev.l->dial->trying = &first; /* as if a name had these two */
	net_until(&w, dev.n_open + dev.n_close > 0);
	assert_int_equal(dev.n_open, 1);
	hf_link_abort(dev.l, HF_ERR_STATE);
	net_until(&w, dev.n_close == 1);
	second.ai_addr = (struct sockaddr *)&dead;
	assert_ok(world_connect(&w, &dev, "127.0.0.1", port));
	dev.l->dial->trying = &first;
	net_until(&w, dev.n_close == 1);
	assert_int_equal(dev.err, HF_ERR_NET);
	world_clear(&w);
}

static void large_bodies_come_whole_both_ways(void **state)
{
	enum { LEN = 8 << 20 };
	struct world w;
	struct end dev;
	struct answer get = { 0 };
	struct answer put = { 0 };
	struct api source = { 0 };

	(void)state;
	world_init(&w);
	w.h2.window = 64 * 1024;
	w.limits.out_max = 32 * 1024;
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &get, LEN));
	assert_ok(ask_put(&dev, &put, &source, LEN));
	net_until(&w, get.n_done == 1 && put.n_done == 1);
	assert_ok(get.err);
	assert_ok(put.err);
	assert_int_equal(get.len, LEN);
	assert_int_equal(w.api.taken, LEN);
	assert_int_equal(put.status, 201);
	assert_false(get.is_wrong || w.api.is_wrong);
	world_clear(&w);
	assert_int_equal(dev.n_close, 1);
}

static void a_reader_that_waits_holds_the_sender_back(void **state)
{
	enum { LEN = 32 << 20, HOLD = 100000 };
	struct world w;
	struct end dev;
	struct answer a = { .hold_at = HOLD };
	uint64_t produced;

	(void)state;
	world_init(&w);
	w.h2.window = 128 * 1024;
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &a, LEN));
	net_until(&w, a.is_held);
	net_run_ms(&w, 100);
	produced = w.api.produced;
	assert_true(produced <= HOLD + 2 * 128 * 1024);
	net_run_ms(&w, 50);
	assert_int_equal(w.api.produced, produced);
	a.hold_at = 0;
	hf_h2_credit(hf_link_h2(dev.l), a.stream);
	hf_link_pump(dev.l);
	net_until(&w, a.n_done == 1);
	assert_ok(a.err);
	assert_int_equal(a.len, LEN);
	assert_false(a.is_wrong);
	world_clear(&w);
}

/* Windows as wide as they may be: then it is the queue of the link that bounds what waits. */
static void what_waits_for_a_deaf_peer_is_bounded(void **state)
{
	enum { LEN = 64 << 20, SOCKETS = 24 << 20 };
	struct world w;
	struct end dev;
	struct answer a[6] = { { 0 } };
	const uint8_t *bytes;

	(void)state;
	world_init(&w);
	w.h2.window = 16 << 20;
	w.h2.stall_ms = 60000;
	world_listen(&w);
	world_open(&w, &dev);
	for (size_t i = 0; i < HF_COUNT(a); i++)
		assert_ok(ask_get(&dev, &a[i], LEN));
	net_until(&w, w.api.n_requests == HF_COUNT(a));
	/* The device goes deaf: its socket is read no more, and its link does not notice. */
	(void)uv_read_stop((uv_stream_t *)&dev.l->tcp);
	net_run_ms(&w, 300);
	assert_true(w.api.produced < SOCKETS);
	assert_true(hf_tls_out(hf_link_tls(w.ends[0].l), &bytes) < 2 * w.limits.out_max);
	hf_link_abort(dev.l, HF_ERR_STATE);
	world_clear(&w);
	assert_int_equal(a[0].n_done, 1);
	assert_int_not_equal(a[0].err, HF_OK);
}

/* A peer that asks and then reads nothing must not hold streams, and what they hold, for ever. */
static void a_deaf_peer_is_let_go(void **state)
{
	enum { LEN = 64 << 20 };
	struct world w;
	struct end dev;
	struct answer a = { 0 };

	(void)state;
	world_init(&w);
	w.h2.window = 16 << 20;
	w.h2.stall_ms = 100;
	w.limits.stall_ms = 200;
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &a, LEN));
	net_until(&w, w.api.n_requests == 1);
	(void)uv_read_stop((uv_stream_t *)&dev.l->tcp);
	net_until(&w, w.ends[0].n_close == 1);
	assert_int_equal(w.ends[0].err, HF_ERR_TIMEOUT);
	assert_int_equal(w.api.n_over, 1);
	hf_link_abort(dev.l, HF_ERR_STATE);
	world_clear(&w);
}

static void a_peer_that_dies_in_a_body_ends_the_call(void **state)
{
	struct world w;
	struct end dev;
	struct answer a = { .hold_at = 1 };

	(void)state;
	world_init(&w);
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &a, 100 << 20));
	net_until(&w, a.is_held);
	hf_link_abort(w.ends[0].l, HF_ERR_STATE);
	net_until(&w, dev.n_close == 1 && w.ends[0].n_close == 1);
	assert_int_equal(a.n_done, 1);
	assert_int_not_equal(a.err, HF_OK);
	assert_int_equal(dev.err, HF_ERR_NET);
	assert_int_equal(w.ends[0].err, HF_ERR_STATE);
	assert_int_equal(w.api.n_over, 1);
	assert_non_null(strstr(dev.why.text, "127.0.0.1"));
	world_clear(&w);
}

static void a_close_lets_open_streams_end(void **state)
{
	enum { LEN = 4 << 20 };
	struct world w;
	struct end dev;
	struct answer a = { 0 };
	struct answer late = { 0 };

	(void)state;
	world_init(&w);
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &a, LEN));
	net_until(&w, a.len > 0);
	hf_link_close(w.ends[0].l);
	net_until(&w, dev.n_close == 1 && w.ends[0].n_close == 1);
	assert_int_equal(a.n_done, 1);
	assert_ok(a.err);
	assert_int_equal(a.len, LEN);
	assert_int_equal(dev.err, HF_ERR_CLOSED);
	assert_int_equal(w.ends[0].err, HF_ERR_CLOSED);
	world_open(&w, &dev);
	hf_link_close(dev.l);
	assert_int_equal(ask_echo(&dev, &late, "too late"), HF_ERR_CLOSED);
	world_clear(&w);
}

/* A stream that never ends does not keep a link that should close. */
static void a_close_does_not_wait_for_ever(void **state)
{
	struct world w;
	struct end dev;
	struct answer a = { .hold_at = 1 };

	(void)state;
	world_init(&w);
	w.limits.close_ms = 100;
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &a, 100 << 20));
	net_until(&w, a.is_held);
	hf_link_close(w.ends[0].l);
	net_until(&w, dev.n_close == 1 && w.ends[0].n_close == 1);
	assert_int_equal(a.n_done, 1);
	assert_int_not_equal(a.err, HF_OK);
	world_clear(&w);
}

static void another_root_is_refused_and_the_server_hears_it(void **state)
{
	struct world w;
	struct end dev;

	(void)state;
	world_init(&w);
	w.device.roots = &net_dom.other_ca.cert;
	world_listen(&w);
	world_dial(&w, &dev);
	net_until(&w, dev.n_close == 1 && w.n_ends == 1 && w.ends[0].n_close == 1);
	assert_int_equal(dev.err, HF_ERR_AUTH);
	assert_int_equal(dev.n_open + w.ends[0].n_open, 0);
	assert_int_equal(w.ends[0].err, HF_ERR_DENIED);
	assert_int_equal(w.ends[0].n_ending, 1);
	assert_false(w.ends[0].had_session);
	world_clear(&w);
}

static void a_server_of_another_role_or_domain_is_refused(void **state)
{
	static const struct hf_identity_want wants[] = {
		{ .roles = HF_ROLE_EDGE, .domain = "plant" },
		{ .roles = HF_ROLE_HUB, .domain = "other" },
		{ .roles = HF_ROLE_HUB, .level = HF_L3, .domain = "plant" },
		{ .roles = HF_ROLE_HUB, .domain = "plant", .id = "hub-2" },
	};

	(void)state;
	for (size_t i = 0; i < HF_COUNT(wants); i++) {
		struct world w;
		struct end dev;

		world_init(&w);
		w.want = wants[i];
		world_listen(&w);
		world_dial(&w, &dev);
		net_until(&w, dev.n_close == 1);
		assert_int_equal(dev.err, HF_ERR_DENIED);
		assert_int_equal(dev.n_open, 0);
		world_clear(&w);
	}
}

static void a_client_without_certificate_or_of_another_ca_is_refused(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		struct world w;
		struct end dev;

		world_init(&w);
		w.device.n_chain = how == 0 ? 0 : 1;
		w.device.chain = net_dom.lonely_chain;
		w.device.signer = &net_dom.lonely.signer;
		world_listen(&w);
		world_dial(&w, &dev);
		/* The client is open before the server has judged it: TLS 1.3 is so. */
		net_until(&w, dev.n_close == 1 && w.n_ends == 1 && w.ends[0].n_close == 1);
		assert_int_equal(w.ends[0].n_open, 0);
		assert_int_equal(w.ends[0].err, HF_ERR_AUTH);
		assert_int_equal(dev.err, HF_ERR_DENIED);
		world_clear(&w);
	}
}

static void a_newcomer_is_let_in_marked_and_pins_the_root(void **state)
{
	uint8_t pin[HF_SM3_LEN];

	(void)state;
	hf_sm3(pin, net_dom.ca.cert.der.p, net_dom.ca.cert.der.len);
	for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
		struct world w;
		struct end dev;

		world_init(&w);
		pin[0] ^= (uint8_t)is_wrong;
		w.hub.enrol = true;
		w.device.n_roots = 0;
		w.device.root_pin = pin;
		w.device.chain = net_dom.lonely_chain;
		w.device.n_chain = 1;
		w.device.signer = &net_dom.lonely.signer;
		world_listen(&w);
		world_dial(&w, &dev);
		if (is_wrong != 0) {
			net_until(&w, dev.n_close == 1);
			assert_int_equal(dev.err, HF_ERR_AUTH);
			assert_int_equal(dev.n_open, 0);
		} else {
			net_until(&w, dev.n_open == 1 && w.n_ends == 1 && w.ends[0].n_open == 1);
			assert_true(w.ends[0].is_self_signed);
		}
		world_clear(&w);
	}
}

static void what_is_no_tls_is_refused_and_not_answered(void **state)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: hub\r\n\r\n";
	static const char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n";
	static const char zeros[64] = { 0 };
	static const struct {
		const char *bytes;
		size_t len;
	} says[] = { { http, sizeof(http) - 1 }, { ssh, sizeof(ssh) - 1 }, { zeros, 64 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8 } };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(says); i++) {
		struct world w;
		struct raw r;

		world_init(&w);
		world_listen(&w);
		raw_dial(&r, &w, says[i].bytes, says[i].len);
		net_until(&w, r.is_over);
		assert_int_equal(r.n_got, 0);
		raw_close(&r);
		net_until(&w, w.n_ends == 1 && w.ends[0].n_close == 1);
		assert_int_equal(w.ends[0].n_open, 0);
		assert_int_equal(w.ends[0].err, HF_ERR_FORMAT);
		assert_non_null(strstr(w.ends[0].why.text, "does not speak TLS"));
		assert_non_null(strstr(w.ends[0].why.text, "[127.0.0.1]:"));
		world_clear(&w);
	}
}

/* Half a record is not an answer either: the handshake's own time ends it. */
static void a_silent_peer_is_let_go(void **state)
{
	static const char *const says[] = { "", "\x16", "\x16\x03\x01\x02" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(says); i++) {
		struct world w;
		struct raw r;

		world_init(&w);
		w.hub.limits.handshake_ms = 60;
		w.limits.close_ms = 60;
		world_listen(&w);
		raw_dial(&r, &w, says[i], strlen(says[i]));
		net_until(&w, w.n_ends == 1 && w.ends[0].n_close == 1);
		assert_int_equal(w.ends[0].err, HF_ERR_TIMEOUT);
		raw_close(&r);
		world_clear(&w);
	}
}

static void a_listener_takes_no_more_than_it_should(void **state)
{
	struct world w;
	struct end dev[3];
	struct raw r;

	(void)state;
	world_init(&w);
	w.max_links = 2;
	world_listen(&w);
	world_open(&w, &dev[0]);
	world_open(&w, &dev[1]);
	raw_dial(&r, &w, "", 0);
	net_until(&w, r.is_over);
	raw_close(&r);
	assert_int_equal(hf_listener_n_refused(w.listener), 1);
	assert_int_equal(w.refused, HF_ERR_LIMIT);
	assert_int_equal(w.n_ends, 2);
	world_dial(&w, &dev[2]);
	net_until(&w, dev[2].n_close == 1);
	assert_int_equal(hf_listener_n_refused(w.listener), 2);
	hf_link_close(dev[0].l);
	net_until(&w, dev[0].n_close == 1 && hf_listener_n_links(w.listener) == 1);
	world_open(&w, &dev[2]);
	assert_int_equal(hf_listener_n_links(w.listener), 2);
	world_clear(&w);
}

static void is_silent(struct raw *r, struct world *w, const char *from)
{
	uint32_t n = hf_listener_n_links(w->listener);

	raw_dial_from(r, w, from, "", 0);
	net_until(w, r->is_connected && hf_listener_n_links(w->listener) > n);
}

/* Four places, two for one address: who needs one takes it from the greediest. */
static void links_that_do_not_open_keep_nobody_out(void **state)
{
	struct answer a = { 0 };
	struct world w;
	struct raw r[5];
	struct end dev;

	(void)state;
	world_init(&w);
	w.max_links = 5;
	w.max_opening = 4;
	world_listen(&w);
	is_silent(&r[0], &w, "127.0.0.3");
	is_silent(&r[1], &w, "127.0.0.2");
	is_silent(&r[2], &w, "127.0.0.2");
	is_silent(&r[3], &w, "127.0.0.4");
	world_dial(&w, &dev); /* the oldest of who has two goes */
	net_until(&w, dev.n_open == 1 && r[1].is_over && w.n_ends == 2 &&
			      w.ends[0].n_open + w.ends[1].n_open == 1);
	assert_int_equal((w.ends[0].n_open == 0 ? &w.ends[0] : &w.ends[1])->err, HF_ERR_LIMIT);
	assert_false(r[0].is_over || r[2].is_over || r[3].is_over);
	raw_close(&r[1]);
	net_until(&w, r[1].is_gone && hf_listener_n_links(w.listener) == 4);
	is_silent(&r[1], &w, "127.0.0.2");
	/* Its share is used up: the next one of its own takes the place of its oldest. */
	raw_dial_from(&r[4], &w, "127.0.0.2", "", 0);
	net_until(&w, r[2].is_over);
	assert_false(r[0].is_over || r[1].is_over || r[3].is_over || r[4].is_over);
	/* A link that is open has its place for good. */
	assert_ok(ask_echo(&dev, &a, "here"));
	net_until(&w, a.n_done == 1);
	assert_string_equal(a.text, "here");
	assert_int_equal(hf_listener_n_refused(w.listener), 2);
	for (size_t i = 0; i < HF_COUNT(r); i++)
		raw_close(&r[i]);
	world_clear(&w);
}

static void an_idle_link_is_closed_and_a_busy_one_is_not(void **state)
{
	struct world w;
	struct end dev;
	struct answer a = { .hold_at = 1 };

	(void)state;
	world_init(&w);
	w.limits.idle_ms = 80;
	world_listen(&w);
	world_open(&w, &dev);
	assert_ok(ask_get(&dev, &a, 100 << 20));
	net_until(&w, a.is_held);
	net_run_ms(&w, 200);
	assert_int_equal(dev.n_close, 0);
	hf_h2_cancel(hf_link_h2(dev.l), a.stream);
	hf_link_pump(dev.l);
	net_until(&w, dev.n_close == 1 && w.ends[0].n_close == 1);
	assert_int_equal(dev.err, HF_ERR_CLOSED);
	assert_int_equal(w.ends[0].err, HF_ERR_CLOSED);
	world_clear(&w);
}

static void a_signature_may_come_later(void **state)
{
	struct world w;
	struct end dev;
	struct answer a = { 0 };

	(void)state;
	world_init(&w);
	w.hub.signer = NULL;
	w.device.signer = NULL;
	world_listen(&w);
	world_dial(&w, &dev);
	net_until(&w, w.n_ends == 1 && w.ends[0].n_sign == 1);
	net_run_ms(&w, 50);
	assert_int_equal(w.ends[0].n_sign, 1);
	end_sign(&w.ends[0], &net_dom.hub);
	net_until(&w, dev.n_sign == 1);
	net_run_ms(&w, 50);
	assert_int_equal(w.ends[0].n_open, 0);
	end_sign(&dev, &net_dom.device);
	net_until(&w, dev.n_open == 1 && w.ends[0].n_open == 1);
	assert_ok(ask_echo(&dev, &a, "signed"));
	net_until(&w, a.n_done == 1);
	assert_string_equal(a.text, "signed");
	hf_link_signed(dev.l, NULL, HF_ERR_AUTH); /* nobody asked */
	assert_int_equal(dev.n_close, 0);
	world_clear(&w);
}

static void a_signature_that_never_comes_ends_the_link(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct world w;
		struct end dev;

		world_init(&w);
		w.hub.signer = NULL;
		w.hub.limits.handshake_ms = 200;
		w.limits.close_ms = 60;
		world_listen(&w);
		world_dial(&w, &dev);
		net_until(&w, w.n_ends == 1 && w.ends[0].n_sign == 1);
		if (how == 0)
			hf_link_signed(w.ends[0].l, NULL, HF_ERR_NET);
		else if (how == 1) /* by the wrong key */
			end_sign(&w.ends[0], &net_dom.device);
		else if (how == 2)
			hf_link_abort(dev.l, HF_ERR_STATE);
		net_until(&w, dev.n_close == 1 && w.ends[0].n_close == 1);
		assert_int_equal(dev.n_open + w.ends[0].n_open, 0);
		if (how == 0)
			assert_int_equal(w.ends[0].err, HF_ERR_NET);
		if (how == 1)
			assert_int_equal(dev.err, HF_ERR_AUTH);
		if (how == 3)
			assert_int_equal(w.ends[0].err, HF_ERR_TIMEOUT);
		world_clear(&w);
	}
}

static void a_link_that_nobody_wants_is_ended(void **state)
{
	struct world w;
	struct end dev;

	(void)state;
	world_init(&w);
	w.attaches = false;
	world_listen(&w);
	world_dial(&w, &dev);
	net_until(&w, dev.n_close == 1 && w.n_ends == 1 && w.ends[0].n_close == 1);
	assert_int_equal(w.ends[0].n_open, 1);
	assert_int_equal(w.ends[0].err, HF_ERR_DENIED);
	world_clear(&w);
}

static void nobody_there_is_told_with_the_address(void **state)
{
	struct world w;
	struct end dev;
	uint16_t port;

	(void)state;
	world_init(&w);
	world_listen(&w);
	port = hf_listener_port(w.listener);
	hf_listener_close(w.listener);
	w.listener = NULL;
	net_run_ms(&w, 20);
	assert_ok(world_connect(&w, &dev, "127.0.0.1", port));
	net_until(&w, dev.n_close == 1);
	assert_int_equal(dev.err, HF_ERR_NET);
	assert_non_null(strstr(dev.why.text, "[127.0.0.1]:"));
	assert_ok(world_connect(&w, &dev, "no-such-host.invalid", port));
	net_until(&w, dev.n_close == 1);
	assert_int_equal(dev.err, HF_ERR_NET);
	assert_non_null(strstr(dev.why.text, "no-such-host.invalid"));
	assert_int_equal(world_connect(&w, &dev, "", port), HF_ERR_ARG);
	world_clear(&w);
}

static void a_link_may_be_given_up_at_any_moment(void **state)
{
	struct world w;
	struct end dev;

	(void)state;
	world_init(&w);
	w.limits.close_ms = 100;
	world_listen(&w);
	/* While connecting, and at once. */
	world_dial(&w, &dev);
	hf_link_close(dev.l);
	net_until(&w, dev.n_close == 1);
	assert_int_equal(dev.err, HF_ERR_CLOSED);
	world_dial(&w, &dev);
	hf_link_abort(dev.l, HF_ERR_TIMEOUT);
	hf_link_abort(dev.l, HF_ERR_STATE); /* the first cause is the cause */
	net_until(&w, dev.n_close == 1);
	assert_int_equal(dev.err, HF_ERR_TIMEOUT);
	/* In the handshake. */
	w.device.signer = NULL;
	world_dial(&w, &dev);
	net_until(&w, dev.n_sign == 1);
	hf_link_close(dev.l);
	net_until(&w, dev.n_close == 1);
	assert_int_not_equal(dev.err, HF_OK);
	world_clear(&w);
	for (size_t i = 0; i < w.n_ends; i++)
		assert_int_equal(w.ends[i].n_close, 1);
}

static void an_address_to_listen_at_may_be_wrong(void **state)
{
	struct world w;
	struct hf_listener *s = NULL;
	struct hf_listener_config c = { .max_links = 1 };
	struct hf_errinfo ei = { 0 };

	(void)state;
	world_init(&w);
	world_listen(&w);
	c.link.loop = w.loop;
	c.link.mem = &test_mem;
	c.link.tls = &w.hub;
	c.address = "hub.example";
	assert_int_equal(hf_listener_new(&s, &c, &ei), HF_ERR_ARG);
	assert_non_null(strstr(ei.text, "hub.example"));
	c.address = "127.0.0.1";
	c.port = hf_listener_port(w.listener);
	ei = (struct hf_errinfo){ 0 };
	assert_int_equal(hf_listener_new(&s, &c, &ei), HF_ERR_EXISTS);
	assert_non_null(strstr(ei.text, "127.0.0.1"));
	assert_null(s);
	world_clear(&w);
}

static void many_links_at_once_all_get_theirs(void **state)
{
	enum { N = 40, LEN = 300000 };
	static struct end dev[N];
	static struct answer a[N];
	struct world w;
	size_t n_done = 0;

	(void)state;
	memset(a, 0, sizeof(a));
	world_init(&w);
	world_listen(&w);
	for (size_t i = 0; i < N; i++)
		world_dial(&w, &dev[i]);
	for (size_t i = 0; i < N; i++) {
		net_until(&w, dev[i].n_open == 1);
		assert_ok(ask_get(&dev[i], &a[i], LEN + i));
	}
	net_until(&w, hf_listener_n_links(w.listener) == N);
	for (size_t i = 0; i < N; i++) {
		net_until(&w, a[i].n_done == 1);
		n_done += a[i].err == HF_OK && a[i].len == LEN + i && !a[i].is_wrong;
	}
	assert_int_equal(n_done, N);
	world_clear(&w);
}

/* Whatever cannot be allocated: a link ends with one on_close, and nothing is lost or left. */
static void every_allocation_may_fail(void **state)
{
	enum { MORE_THAN_THERE_ARE = 140 };
	bool is_whole = false;

	(void)state;
	for (unsigned n = 1; n <= MORE_THAN_THERE_ARE; n++) {
		struct world w;
		struct end dev;
		struct answer a = { 0 };
		bool is_there;

		world_init(&w);
		w.limits.close_ms = 50;
		world_listen(&w);
		test_mem_fail_at(n);
		is_there =
			world_connect(&w, &dev, "127.0.0.1", hf_listener_port(w.listener)) == HF_OK;
		net_until(&w, !is_there || dev.n_open == 1 || dev.n_close == 1);
		if (is_there && dev.n_close == 0 && hf_link_h2(dev.l) != NULL &&
			ask_echo(&dev, &a, "x") == HF_OK)
			net_until(&w, a.n_done == 1);
		is_whole = a.n_done == 1 && a.err == HF_OK;
		test_mem_fail_at(0);
		world_clear(&w);
		assert_int_equal(dev.n_close, is_there);
		for (size_t i = 0; i < w.n_ends; i++)
			assert_int_equal(w.ends[i].n_close, 1);
	}
	assert_true(is_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_know_each_other_and_talk),
		cmocka_unit_test(a_name_is_looked_up),
		cmocka_unit_test(every_address_of_a_name_is_tried),
		cmocka_unit_test(large_bodies_come_whole_both_ways),
		cmocka_unit_test(a_reader_that_waits_holds_the_sender_back),
		cmocka_unit_test(what_waits_for_a_deaf_peer_is_bounded),
		cmocka_unit_test(a_deaf_peer_is_let_go),
		cmocka_unit_test(a_peer_that_dies_in_a_body_ends_the_call),
		cmocka_unit_test(a_close_lets_open_streams_end),
		cmocka_unit_test(a_close_does_not_wait_for_ever),
		cmocka_unit_test(another_root_is_refused_and_the_server_hears_it),
		cmocka_unit_test(a_server_of_another_role_or_domain_is_refused),
		cmocka_unit_test(a_client_without_certificate_or_of_another_ca_is_refused),
		cmocka_unit_test(a_newcomer_is_let_in_marked_and_pins_the_root),
		cmocka_unit_test(what_is_no_tls_is_refused_and_not_answered),
		cmocka_unit_test(a_silent_peer_is_let_go),
		cmocka_unit_test(a_listener_takes_no_more_than_it_should),
		cmocka_unit_test(links_that_do_not_open_keep_nobody_out),
		cmocka_unit_test(an_idle_link_is_closed_and_a_busy_one_is_not),
		cmocka_unit_test(a_signature_may_come_later),
		cmocka_unit_test(a_signature_that_never_comes_ends_the_link),
		cmocka_unit_test(a_link_that_nobody_wants_is_ended),
		cmocka_unit_test(nobody_there_is_told_with_the_address),
		cmocka_unit_test(a_link_may_be_given_up_at_any_moment),
		cmocka_unit_test(an_address_to_listen_at_may_be_wrong),
		cmocka_unit_test(many_links_at_once_all_get_theirs),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, net_start, NULL);
}
