/* SPDX-License-Identifier: Apache-2.0 */
/* Links of a loop that have their SM2 operations done together. */
#include "net_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/jobs.h"

enum { MANY = 150 }; /* more than one batch takes */

/* A client that waits for its key pair; what it is told. */
struct client {
	struct hf_loop *loop;
	struct hf_tls tls;
	struct loop_waiter waiter;
	struct client *ends; /* another one, when it goes on */
	unsigned n_again;    /* so many times it begins anew then */
	unsigned n_told;
};

static struct client clients[MANY];

static void client_begin(struct client *c, const struct hf_tls_config *cfg)
{
	const struct hf_tls_start how = { .now_s = hf_clock_wall_s(), .defer_sm2 = true };

	assert_ok(hf_tls_init(&c->tls, cfg, &how));
	assert_int_equal(hf_tls_wants(&c->tls), HF_WANT_SM2);
	hf_loop_wait(c->loop, &c->waiter);
}

static void client_end(struct client *c)
{
	hf_loop_shaken(c->loop, &c->waiter);
	hf_tls_clear(&c->tls);
}

static void client_go_on(void *ctx)
{
	struct client *c = ctx;
	const uint8_t *out;
	size_t used;

	c->n_told++;
	assert_ok(hf_tls_feed(&c->tls, &used, NULL, 0, 1));
	assert_true(hf_tls_out(&c->tls, &out) > 0); /* its hello */
	if (c->ends != NULL)
		client_end(c->ends);
	if (c->n_again > 0) {
		const struct hf_tls_config *cfg = c->tls.cfg;

		c->n_again--;
		hf_tls_clear(&c->tls);
		client_begin(c, cfg);
	}
}

static void clients_begin(struct world *w, size_t n)
{
	memset(clients, 0, sizeof(clients));
	for (size_t i = 0; i < n; i++) {
		struct client *c = &clients[i];

		c->loop = w->loop;
		c->waiter = (struct loop_waiter){ .tls = &c->tls, .go_on = client_go_on, .ctx = c };
		client_begin(c, &w->device);
	}
}

static void everyone_goes_on_once_and_the_loop_is_free(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	clients_begin(&w, MANY);
	hf_loop_wait(w.loop, &clients[3].waiter); /* twice is once */
	assert_false(hf_loop_step(w.loop));       /* there is nothing more to wait for */
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(clients[i].n_told, 1);
		client_end(&clients[i]);
	}
	world_clear(&w);
}

static void who_ends_another_harms_nobody_else(void **state)
{
	static const size_t ended[] = { 1, 0, 2, 4, 5 };
	struct world w;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(ended); i++) {
		world_init(&w);
		clients_begin(&w, 6);
		clients[0].ends = &clients[ended[i]];
		assert_false(hf_loop_step(w.loop));
		for (size_t k = 0; k < 6; k++) {
			assert_int_equal(clients[k].n_told, k == 0 || k != ended[i] ? 1 : 0);
			client_end(&clients[k]);
		}
		world_clear(&w);
	}
}

static void who_asks_again_has_the_next_turn(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	clients_begin(&w, 3);
	clients[1].n_again = 2;
	for (unsigned turn = 1; turn <= 3; turn++) {
		assert_int_equal(hf_loop_step(w.loop), turn < 3);
		assert_int_equal(clients[0].n_told, 1);
		assert_int_equal(clients[1].n_told, turn);
	}
	for (size_t i = 0; i < 3; i++)
		client_end(&clients[i]);
	world_clear(&w);
}

static void few_do_it_themselves(void **state)
{
	struct loop_waiter few[4] = { 0 };
	struct world w;

	(void)state;
	world_init(&w);
	w.loop->crowd = 3;
	assert_false(hf_loop_shake(w.loop, &few[0]));
	assert_false(hf_loop_shake(w.loop, &few[1]));
	assert_false(hf_loop_shake(w.loop, &few[1])); /* the same one: its next target */
	assert_true(hf_loop_shake(w.loop, &few[2]));
	hf_loop_shaken(w.loop, &few[0]);
	hf_loop_shaken(w.loop, &few[0]);
	assert_true(hf_loop_shake(w.loop, &few[3]));
	hf_loop_shaken(w.loop, &few[1]);
	assert_false(hf_loop_shake(w.loop, &few[3]));
	world_clear(&w);
}

static bool is_waiting(const struct end *e)
{
	const struct hf_tls *t = e->l != NULL ? hf_link_tls(e->l) : NULL;

	return t != NULL && t->jobs != NULL && (hf_tls_wants(t) & HF_WANT_SM2) != 0;
}

static void a_link_may_end_while_it_waits(void **state)
{
	struct end dev[3];
	struct world w;

	(void)state;
	for (int how = 0; how < 3; how++) {
		world_init(&w);
		w.limits.close_ms = 100;
		world_listen(&w);
		for (size_t i = 0; i < HF_COUNT(dev); i++)
			world_dial(&w, &dev[i]);
		net_until(&w, is_waiting(&dev[1]));
		if (how == 0)
			hf_link_abort(dev[1].l, HF_ERR_TIMEOUT);
		else if (how == 1)
			hf_link_close(dev[1].l);
		else
			hf_listener_close(w.listener);
		net_until(&w, (how == 2 || (dev[0].n_open == 1 && dev[2].n_open == 1)) &&
				      dev[1].n_close == 1);
		if (how == 2)
			w.listener = NULL;
		else
			assert_int_equal(dev[1].n_open, 0);
		for (size_t i = 0; i < HF_COUNT(dev); i++)
			if (dev[i].l != NULL)
				hf_link_abort(dev[i].l, HF_ERR_TIMEOUT);
		world_clear(&w);
		for (size_t i = 0; i < w.n_ends; i++)
			assert_int_equal(w.ends[i].n_close, 1);
	}
}

static hf_err sign_wrong(void *ctx, const uint8_t e[HF_SM3_LEN], struct hf_sm2_sig *sig)
{
	const struct hf_signer *good = ctx;
	hf_err err = good->sign_digest(good->ctx, e, sig);

	sig->s[31] ^= 1;
	return err;
}

/* Length of the first n records. */
static size_t records_len(const uint8_t *bytes, size_t len, unsigned n)
{
	size_t at = 0;

	for (unsigned i = 0; i < n && at + HF_TLS_HEAD_LEN <= len; i++)
		at += HF_TLS_HEAD_LEN + hf_tls_head_get(bytes + at).len;
	return at < len ? at : len;
}

/* A peer that sends so many records of its last flight, and nothing more, not even a goodbye. */
static hf_err end_after(unsigned n_records, bool is_open, bool is_wrong)
{
	struct hf_tls_start how = { .now_s = hf_clock_wall_s(), .now_ms = 1 };
	struct hf_signer wrong = { sign_wrong, &net_dom.device.signer, net_dom.device.signer.pub,
		NULL };
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct patience patience;
	struct world w;
	struct hf_tls t;
	uint8_t in[16384];
	const uint8_t *out;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t used;
	ssize_t n;

	world_init(&w);
	world_listen(&w);
	if (is_wrong)
		w.device.signer = &wrong;
	addr.sin_port = htons(hf_listener_port(w.listener));
	assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	assert_ok(hf_tls_init(&t, &w.device, &how));
	patience = patience_begin(&w);
	for (;;) {
		size_t len = hf_tls_out(&t, &out);

		if (hf_tls_is_open(&t))
			len = records_len(out, len, n_records);
		assert_int_equal(send(fd, out, len, 0), (ssize_t)len);
		hf_tls_sent(&t, len);
		if (hf_tls_is_open(&t))
			break;
		while ((n = recv(fd, in, sizeof(in), MSG_DONTWAIT)) < 0)
			patience_step(&patience, "an answer");
		assert_true(n > 0);
		assert_ok(hf_tls_feed(&t, &used, in, (size_t)n, 1));
		assert_int_equal(used, n);
	}
	(void)close(fd);
	while (w.n_ends == 0 || w.ends[0].n_close == 0)
		patience_step(&patience, "the end");
	patience_end(&patience);
	assert_int_equal(w.ends[0].n_open, is_open);
	hf_tls_clear(&t);
	world_clear(&w);
	return w.ends[0].err;
}

static void what_came_before_the_end_counts(void **state)
{
	(void)state;
	assert_int_equal(end_after(3, true, false), HF_ERR_NET);
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(end_after(n, false, false), HF_ERR_NET);
	assert_int_equal(end_after(1, false, true), HF_ERR_NET);
	assert_int_equal(end_after(2, false, true), HF_ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everyone_goes_on_once_and_the_loop_is_free),
		cmocka_unit_test(who_ends_another_harms_nobody_else),
		cmocka_unit_test(who_asks_again_has_the_next_turn),
		cmocka_unit_test(few_do_it_themselves),
		cmocka_unit_test(a_link_may_end_while_it_waits),
		cmocka_unit_test(what_came_before_the_end_counts),
	};

	return cmocka_run_group_tests(tests, net_start, NULL);
}
