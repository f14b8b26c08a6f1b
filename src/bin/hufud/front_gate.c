/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links that come in, on all cores: threads with a loop and a listening socket each do everything
 * that is TLS, handshakes and records, and hand what is inside to the main thread, where sessions
 * are (docs/decisions/0008-serving-on-all-cores.md):
 *
 *	peer <--TLS--> lane (thread) <--socket pair, HTTP/2 in the plain--> inlet (main thread)
 *
 *  1. A lane knows nothing but TLS: no sessions, no objects. What links share is the main thread's.
 *  2. Between threads go gate links: made by a lane, told to the main thread when the link is open
 *     and when it is over, freed by the main thread after it was told that it is over.
 *  3. Locks are held for a look, never while bytes move; only who wants a signature waits for the
 *     key process, as everybody does.
 *
 * Life of a link: on_face (lane) -> opened (main) -> its session ends, or its TLS does, and the
 * other side hears of it by the end of the socket pair -> both are over -> recorded, freed.
 */
#include <string.h>

#include "front.h"
#include "net/inlet.h"
#include "net/tunnel.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sock.h"

enum {
	BACKLOG = 4096, /* as many as the system allows */
	CLOSE_MS = 3 * 1000,
	END_MS = 4 * 1000,   /* for links that are there when we stop */
	REFUSALS_MAX = 1024, /* told one by one, and not looked at yet */
	OPENING_SHARE = 2,   /* one of so many parts of the links need not be open */
};

enum order { GO_ON, STOP, ABORT };

struct lane;

/* Stapled status as a lane shows it: a copy of its own, since the main thread's comes and goes. */
struct lane_staples {
	struct hf_buf buf[FRONT_CHAIN_MAX];
	struct hf_bytes at[FRONT_CHAIN_MAX];
};

/* A link as both threads know it. */
struct gate_link {
	struct lane *lane;
	struct gate_link *next_opened; /* news for the main thread */
	struct gate_link *next_over;
	struct gate_link *next_finish; /* and for the lane */
	struct hf_tunnel_link *tunnel; /* the lane's */
	int fd;                        /* inner end of the socket pair; the main thread's */
	char address[HF_LINK_ADDRESS_TEXT];
	uint8_t site[HF_SERVE_SITE_LEN];
	struct hf_cert cert;
	struct front_peer who;
	bool was_open;
	bool is_over;      /* told to the main thread; under the lock */
	hf_err finish_err; /* likewise: how the session ended, HF_OK for an orderly end */
	hf_err err;        /* how its TLS ended; HF_OK: in an orderly way */
	struct hf_errinfo why;
	/* The main thread's, once it is open: */
	struct gate_link *prev;
	struct gate_link *next;
	struct front_incoming in;
	struct hf_inlet *inlet; /* NULL: not any more */
	bool has_heard;         /* that its TLS is over */
	hf_err inner_err;       /* how its session ended */
	struct hf_errinfo inner_why;
};

struct lane {
	struct front_gate *gate;
	uv_thread_t thread;
	bool has_thread;
	struct hf_env env;
	struct hf_loop *loop;
	uv_async_t wake;
	struct hf_tls_config tls;
	struct hf_tunnel *tunnel; /* NULL: it is over */
	struct hf_tunnel_numbers numbers;
	int listen_fd;
	struct gate_link *finish; /* under the lock */
	enum order order;         /* likewise */
	bool has_wake;            /* likewise */
	/* Revocation lists: the main thread holds them, also for this one. Under the lock, too. */
	const struct hf_crls_view *view;      /* that its links look at */
	const struct hf_crls_view *next_view; /* NULL: none newer */
	const struct hf_crls_view *old_view;  /* not needed any more */
	struct lane_staples *staples;         /* that its links show */
	struct lane_staples *next_staples;    /* NULL: none newer; under the lock */
	atomic_bool is_over;
};

struct front_gate {
	struct front *f;
	uint16_t port;
	struct hf_tunnel_gate *places;
	struct lane *lanes;
	unsigned n_lanes;
	uv_async_t news;
	uv_timer_t end;
	bool is_stopping;
	bool is_closed;          /* its handles are */
	uint64_t n_turned_away;  /* of n_refused */
	struct gate_link *links; /* that are open */
	struct hf_tls_once once; /* tickets that were used */
	uv_mutex_t lock;
	/* Under the lock. The last one told is the first: order among links does not matter. */
	struct gate_link *opened;
	struct gate_link *over;
	uint32_t n_refusals; /* links among them that never opened */
	uint64_t n_unsaid;   /* and those that were not told */
	uint64_t n_refused;  /* no place: connections that were never a link */
};

/* --- lanes: what a tunnel calls, on its thread --- */

/* The handshake has seen to it that there is a certificate, and that it is good. */
static hf_err on_peer(
	void *ctx, const struct hf_cert *peer, char name[HF_TUNNEL_PEER], struct hf_errinfo *ei)
{
	(void)ctx;
	name[0] = '\0';
	if (peer == NULL)
		return hf_fail(ei, HF_ERR_DENIED, "the peer showed no certificate");
	return HF_OK;
}

static hf_err on_sign(void *ctx, const struct hf_tls_cv *cv, struct hf_sm2_sig *sig)
{
	struct front *f = ((struct lane *)ctx)->gate->f;
	struct hf_errinfo ei = { 0 };
	hf_err e = hf_key_sign_link(&f->keys, cv, sig, &ei);

	if (e != HF_OK)
		hufud_log_err(&f->child.log, "cannot-sign", &ei);
	return e;
}

static struct gate_link *link_new(struct lane *lane, const struct hf_sock_addr *from)
{
	struct gate_link *gl = hf_mem_new(lane->env.mem, sizeof(*gl));

	if (gl == NULL)
		return NULL;
	gl->lane = lane;
	gl->fd = -1;
	hf_link_address_of(gl->address, (const struct sockaddr *)&from->addr);
	hf_link_site_of(gl->site, &from->addr);
	return gl;
}

static void link_free(struct gate_link *gl)
{
	hf_file_close(&gl->fd);
	hf_cert_clear(&gl->cert);
	hf_mem_free(gl->lane->env.mem, gl);
}

static hf_err fill(struct gate_link *gl, const struct hf_tunnel_who *who)
{
	const struct hf_cert *cert = hf_tls_peer(who->tls);

	gl->tunnel = who->link;
	gl->was_open = true;
	gl->who.is_self_signed = hf_tls_is_self_signed(who->tls);
	gl->who.is_resumed = hf_tls_is_resumed(who->tls);
	HF_TRY(hf_cert_copy(&gl->cert, gl->lane->env.mem, cert->der.p, cert->der.len, NULL));
	gl->who.cert = &gl->cert;
	return HF_OK;
}

static hf_err on_face(void *ctx, const struct hf_tunnel_who *who, int *fd, void **face)
{
	struct lane *lane = ctx;
	struct front_gate *g = lane->gate;
	struct gate_link *gl = link_new(lane, who->from);
	uv_os_sock_t pair[2];

	_Static_assert((int)HF_SERVE_SITE_LEN == (int)HF_LINK_SITE_LEN, "one is the other");
	if (gl == NULL)
		return HF_ERR_NO_MEMORY;
	if (fill(gl, who) != HF_OK ||
		uv_socketpair(SOCK_STREAM, 0, pair, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE) != 0) {
		link_free(gl);
		return HF_ERR_LIMIT;
	}
	gl->fd = pair[0];
	*fd = pair[1];
	*face = gl;
	uv_mutex_lock(&g->lock);
	gl->next_opened = g->opened;
	g->opened = gl;
	uv_mutex_unlock(&g->lock);
	(void)uv_async_send(&g->news);
	return HF_OK;
}

/* A link that never opened; NULL: one of too many, which is only counted. */
static struct gate_link *refusal(struct lane *lane, const struct hf_tunnel_event *ev)
{
	struct front_gate *g = lane->gate;
	struct gate_link *gl = NULL;
	bool is_one_of_many;

	uv_mutex_lock(&g->lock);
	is_one_of_many = g->n_refusals >= REFUSALS_MAX;
	g->n_refusals += is_one_of_many ? 0 : 1;
	uv_mutex_unlock(&g->lock);
	if (!is_one_of_many)
		gl = link_new(lane, ev->addr);
	if (gl != NULL)
		return gl;
	uv_mutex_lock(&g->lock);
	g->n_refusals -= is_one_of_many ? 0 : 1;
	g->n_unsaid++;
	uv_mutex_unlock(&g->lock);
	return NULL;
}

static void on_event(void *ctx, const struct hf_tunnel_event *ev)
{
	struct lane *lane = ctx;
	struct front_gate *g = lane->gate;
	struct gate_link *gl = ev->face;
	struct gate_link **at = &lane->finish;

	if (ev->kind == HF_TUNNEL_IS_OPEN)
		return;
	if (ev->kind == HF_TUNNEL_IS_REFUSED) {
		uv_mutex_lock(&g->lock);
		g->n_refused++;
		uv_mutex_unlock(&g->lock);
	} else if (gl == NULL) {
		gl = refusal(lane, ev);
	}
	if (ev->kind == HF_TUNNEL_IS_OVER && gl != NULL) {
		/* Whoever cut it: the bytes so far were good, the way was not. */
		gl->err = ev->err == HF_ERR_TRUNCATED ? HF_ERR_NET : ev->err;
		(void)hf_fail(&gl->why, gl->err, "%s: %s", gl->address,
			ev->err == HF_ERR_TRUNCATED ? "the connection broke off" : ev->why->text);
		uv_mutex_lock(&g->lock);
		gl->is_over = true;
		while (*at != NULL && *at != gl)
			at = &(*at)->next_finish;
		if (*at == gl)
			*at = gl->next_finish;
		gl->next_over = g->over;
		g->over = gl;
		uv_mutex_unlock(&g->lock);
	}
	(void)uv_async_send(&g->news);
}

static void on_gone(void *ctx)
{
	struct lane *lane = ctx;

	lane->tunnel = NULL;
	uv_mutex_lock(&lane->gate->lock);
	lane->has_wake = false;
	uv_mutex_unlock(&lane->gate->lock);
	uv_close((uv_handle_t *)&lane->wake, NULL);
}

/* Links look at it from their next message on. Under the lock. */
static void take_view(struct lane *lane)
{
	if (lane->next_view == NULL)
		return;
	lane->old_view = lane->view; /* none was left: they are given one by one */
	lane->view = lane->next_view;
	lane->next_view = NULL;
	lane->tls.crls = lane->view->crls;
	lane->tls.n_crls = lane->view->n_crls;
}

static void staples_free(const struct hf_mem *mem, struct lane_staples *s)
{
	for (size_t i = 0; s != NULL && i < FRONT_CHAIN_MAX; i++)
		hf_buf_clear(&s->buf[i]);
	hf_mem_free(mem, s);
}

/* No link is in the middle of showing the old ones: they are put into a message at once. */
static void take_staples(struct lane *lane)
{
	if (lane->next_staples == NULL)
		return;
	staples_free(lane->env.mem, lane->staples);
	lane->staples = lane->next_staples;
	lane->next_staples = NULL;
	lane->tls.staples = lane->staples->at;
}

static void on_wake(uv_async_t *async)
{
	struct lane *lane = async->data;
	struct front_gate *g = lane->gate;
	struct gate_link *gl;
	struct gate_link *next;
	enum order order;

	/* None of them is over: only this thread says so, and takes it from the list then. */
	uv_mutex_lock(&g->lock);
	gl = lane->finish;
	lane->finish = NULL;
	order = lane->order;
	take_view(lane);
	take_staples(lane);
	uv_mutex_unlock(&g->lock);
	for (; gl != NULL; gl = next) {
		next = gl->next_finish; /* once it is over it is the main thread's */
		hf_tunnel_finish(gl->tunnel, gl->finish_err);
	}
	if (order != GO_ON && lane->tunnel != NULL) {
		hf_tunnel_stop(lane->tunnel);
		hf_file_close(&lane->listen_fd); /* nobody waits in its queue for nothing */
	}
	if (order == ABORT && lane->tunnel != NULL)
		hf_tunnel_abort(lane->tunnel);
}

static void work(void *ctx)
{
	struct lane *lane = ctx;

	hf_loop_run(lane->loop);
	lane->is_over = true;
	(void)uv_async_send(&lane->gate->news);
}

/* --- the main thread --- */

/* Nobody is behind it any more. */
static void finish(struct gate_link *gl)
{
	struct front_gate *g = gl->lane->gate;

	uv_mutex_lock(&g->lock);
	if (!gl->is_over) {
		gl->finish_err = gl->inner_err == HF_ERR_CLOSED ? HF_OK : gl->inner_err;
		gl->next_finish = gl->lane->finish;
		gl->lane->finish = gl;
		(void)uv_async_send(&gl->lane->wake); /* the lane lives as long as its links */
	}
	uv_mutex_unlock(&g->lock);
}

static void close_if_over(struct front_gate *g)
{
	bool has_news;

	for (unsigned i = 0; i < g->n_lanes; i++)
		if (g->lanes[i].has_thread && !g->lanes[i].is_over)
			return;
	/* What a lane told last may have come behind the news that were just looked at. */
	uv_mutex_lock(&g->lock);
	has_news = g->opened != NULL || g->over != NULL;
	uv_mutex_unlock(&g->lock);
	if (!g->is_stopping || g->is_closed || g->links != NULL || has_news)
		return;
	g->is_closed = true;
	uv_close((uv_handle_t *)&g->news, NULL);
	uv_close((uv_handle_t *)&g->end, NULL);
}

/*
 * Both sides are over. That the session's socket ended says nothing: how, the other side knows.
 * Whatever else ended the session came first.
 */
static void end_link(struct gate_link *gl)
{
	struct front_gate *g = gl->lane->gate;
	const struct hf_errinfo *why = &gl->why;
	hf_err e = gl->err;

	if (gl->inner_err != HF_ERR_CLOSED && gl->inner_err != HF_ERR_NET) {
		e = gl->inner_err;
		why = &gl->inner_why;
	} else if (e == HF_OK) {
		e = HF_ERR_CLOSED;
		why = &gl->inner_why;
	}
	*(gl->prev != NULL ? &gl->prev->next : &g->links) = gl->next;
	if (gl->next != NULL)
		gl->next->prev = gl->prev;
	front_record_close(&gl->in.k, e, why);
	link_free(gl);
	close_if_over(g);
}

static void on_inlet_close(void *ctx, hf_err e, const struct hf_errinfo *why)
{
	struct gate_link *gl = ctx;

	gl->inlet = NULL;
	gl->inner_err = e;
	gl->inner_why = (struct hf_errinfo){ 0 };
	(void)hf_fail(&gl->inner_why, e, "%s: %s", gl->address, why->text);
	if (gl->in.session != NULL)
		hf_serve_session_end(gl->in.session);
	gl->in.session = NULL;
	if (gl->has_heard)
		end_link(gl);
	else
		finish(gl);
}

static void pump(void *ctx)
{
	hf_inlet_pump(((struct gate_link *)ctx)->inlet);
}

static void cut(void *ctx)
{
	hf_inlet_abort(((struct gate_link *)ctx)->inlet, HF_ERR_REVOKED);
}

static void take_opened(struct gate_link *gl)
{
	struct front_gate *g = gl->lane->gate;
	struct front *f = g->f;
	struct hf_inlet_config config = { .loop = f->loop,
		.mem = f->env.mem,
		.limits = hf_link_limits_default,
		.on_close = on_inlet_close,
		.ctx = gl };
	struct hf_serve_peer peer = { .cert = &gl->cert,
		.is_self_signed = gl->who.is_self_signed,
		.address = gl->address,
		.pump = pump,
		.cut = cut,
		.ctx = gl };
	struct hf_h2 *h = NULL;
	struct hf_errinfo ei = { 0 };
	hf_err e;

	gl->next = g->links;
	if (g->links != NULL)
		g->links->prev = gl;
	g->links = gl;
	memcpy(peer.site, gl->site, sizeof(peer.site));
	config.limits.idle_ms = f->child.config.idle_ms;
	config.limits.close_ms = CLOSE_MS;
	front_link_init(&gl->in.k, f, gl->address);
	e = hf_inlet_new(&gl->inlet, &config, gl->fd, &ei);
	gl->fd = -1;
	if (e != HF_OK) {
		on_inlet_close(gl, e, &ei);
		return;
	}
	/* Since its handshake there may have been a newer list, and a sweep that did not see it. */
	e = hf_crls_check(f->crls, &gl->cert, 0, hf_clock_wall_s(), &ei);
	if (e == HF_OK)
		e = front_serve_session(&gl->in, &h, &peer, &gl->who);
	if (e != HF_OK)
		hf_inlet_abort(gl->inlet, e);
	else
		hf_inlet_attach(gl->inlet, h);
	if (e == HF_OK && g->is_stopping && gl->inlet != NULL)
		hf_inlet_close(gl->inlet);
}

static void take_over(struct gate_link *gl)
{
	struct front_link refused;

	if (gl->was_open) {
		gl->has_heard = true;
		if (gl->inlet == NULL)
			end_link(gl);
		return;
	}
	front_link_init(&refused, gl->lane->gate->f, gl->address);
	front_record_close(&refused, gl->err, &gl->why);
	link_free(gl);
}

static void on_news(uv_async_t *async)
{
	struct front_gate *g = async->data;
	struct gate_link *opened;
	struct gate_link *over;
	struct gate_link *next;
	uint64_t n_refused;

	uv_mutex_lock(&g->lock);
	opened = g->opened;
	over = g->over;
	g->opened = g->over = NULL;
	g->n_refusals = 0;
	g->f->n_refused_unrecorded += g->n_unsaid;
	g->n_unsaid = 0;
	n_refused = g->n_refused;
	uv_mutex_unlock(&g->lock);
	if (n_refused > g->n_turned_away)
		front_serve_turned_away(g->f, n_refused - g->n_turned_away, HF_ERR_LIMIT);
	g->n_turned_away = n_refused;
	for (; opened != NULL; opened = next) {
		next = opened->next_opened;
		take_opened(opened);
	}
	for (; over != NULL; over = next) {
		next = over->next_over;
		take_over(over);
	}
	close_if_over(g);
}

void front_gate_show(struct front *f)
{
	struct front_gate *g = f->gate;

	for (unsigned i = 0; g != NULL && i < g->n_lanes; i++) {
		struct lane *lane = &g->lanes[i];

		uv_mutex_lock(&g->lock);
		hf_crls_unhold(lane->next_view);
		hf_crls_unhold(lane->old_view);
		lane->old_view = NULL;
		lane->next_view = hf_crls_hold(f->crls);
		if (lane->has_wake)
			(void)uv_async_send(&lane->wake);
		uv_mutex_unlock(&g->lock);
	}
}

/* NULL: out of memory; the lane goes on with what it has. */
static struct lane_staples *staples_copy(const struct front *f)
{
	const struct hf_bytes *from = f->member.staples;
	struct lane_staples *s = hf_mem_new(f->env.mem, sizeof(*s));

	for (size_t i = 0; s != NULL && i < FRONT_CHAIN_MAX; i++) {
		hf_buf_init(&s->buf[i], f->env.mem, from[i].len);
		if (from[i].len > 0 && hf_buf_put(&s->buf[i], from[i].p, from[i].len) != HF_OK) {
			staples_free(f->env.mem, s);
			return NULL;
		}
		s->at[i] = (struct hf_bytes){ s->buf[i].p, s->buf[i].len };
	}
	return s;
}

void front_gate_show_staples(struct front *f)
{
	struct front_gate *g = f->gate;

	for (unsigned i = 0; g != NULL && i < g->n_lanes; i++) {
		struct lane *lane = &g->lanes[i];
		struct lane_staples *s = staples_copy(f);

		if (s == NULL)
			continue;
		uv_mutex_lock(&g->lock);
		staples_free(f->env.mem, lane->next_staples);
		lane->next_staples = s;
		if (lane->has_wake)
			(void)uv_async_send(&lane->wake);
		uv_mutex_unlock(&g->lock);
	}
}

static void order_all(struct front_gate *g, enum order order)
{
	for (unsigned i = 0; i < g->n_lanes; i++) {
		uv_mutex_lock(&g->lock);
		g->lanes[i].order = order;
		if (g->lanes[i].has_wake)
			(void)uv_async_send(&g->lanes[i].wake);
		uv_mutex_unlock(&g->lock);
	}
}

static void on_end(uv_timer_t *timer)
{
	order_all(timer->data, ABORT);
}

/* --- life --- */

static hf_err take_once(
	void *ctx, const uint8_t id[HF_TLS_TICKET_ID_LEN], uint64_t until_s, uint64_t now_s)
{
	struct front_gate *g = ctx;
	hf_err e;

	uv_mutex_lock(&g->lock);
	e = g->once.take_once(g->once.ctx, id, until_s, now_s);
	uv_mutex_unlock(&g->lock);
	return e;
}

/* A socket a lane; the first one alone finds out whether somebody else listens there. */
static hf_err open_sockets(struct front_gate *g, uint16_t port, struct hf_errinfo *ei)
{
	const char *address = g->f->child.config.address;
	struct hf_errinfo why = { 0 };
	struct hf_sock_addr at;
	int probe = -1;
	hf_err e;

	if (hf_sock_addr_ip(&at, address, port) != HF_OK)
		return hf_fail(ei, HF_ERR_ARG, "listen %s: not an IPv4 or IPv6 address", address);
	e = hf_sock_listen(&probe, &at, false, 1, &why);
	if (e == HF_OK)
		e = hf_sock_name(&at, probe);
	hf_file_close(&probe);
	for (unsigned i = 0; e == HF_OK && i < g->n_lanes; i++)
		e = hf_sock_listen(&g->lanes[i].listen_fd, &at, true, BACKLOG, &why);
	g->port = hf_sock_port(&at);
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "listen [%s]:%u: %s", address, (unsigned)port,
			uv_strerror(uv_translate_sys_error(why.sys)));
	return HF_OK;
}

static hf_err lane_begin(struct lane *lane, struct hf_errinfo *ei)
{
	struct front_gate *g = lane->gate;
	const struct hufud_config *c = &g->f->child.config;
	struct hf_tunnel_config config = { .mem = g->f->env.mem,
		.tls = &lane->tls,
		.listen_fd = lane->listen_fd,
		.limits = { .max_links = c->max_links,
			.max_opening = c->max_links / OPENING_SHARE / g->n_lanes },
		.gate = g->places,
		.numbers = &lane->numbers,
		.calls = { .on_peer = on_peer,
			.on_face = on_face,
			.on_sign = on_sign,
			.on_event = on_event,
			.on_gone = on_gone },
		.ctx = lane };

	if (config.limits.max_opening == 0)
		config.limits.max_opening = 1;
	HF_TRY(hf_env_init(&lane->env, 0, ei));
	HF_TRY(hf_loop_new(&lane->loop, g->f->env.mem, ei));
	lane->tls = g->f->member.server;
	lane->tls.rng = &lane->env.rng;
	lane->tls.staples = NULL;
	lane->next_view = hf_crls_hold(g->f->crls);
	take_view(lane);
	lane->next_staples = staples_copy(g->f);
	take_staples(lane);
	if (uv_async_init(hf_loop_uv(lane->loop), &lane->wake, on_wake) != 0)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no loop for a worker");
	lane->wake.data = lane;
	lane->has_wake = true;
	config.loop = lane->loop;
	HF_TRY(hf_tunnel_new(&lane->tunnel, &config, ei));
	if (uv_thread_create(&lane->thread, work, lane) != 0)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no thread for a worker");
	lane->has_thread = true;
	return HF_OK;
}

/* Before there are handles: what fails here may be tried again. */
static hf_err gate_open(struct front_gate *g, uint16_t port, struct hf_errinfo *ei)
{
	struct front *f = g->f;

	g->lanes = hf_mem_array(f->env.mem, f->child.config.workers, sizeof(*g->lanes));
	if (g->lanes == NULL || hf_tunnel_gate_new(&g->places, f->env.mem) != HF_OK)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "listen: out of memory");
	g->n_lanes = f->child.config.workers;
	for (unsigned i = 0; i < g->n_lanes; i++) {
		g->lanes[i].gate = g;
		g->lanes[i].listen_fd = -1;
	}
	HF_TRY(open_sockets(g, port, ei));
	if (uv_async_init(hf_loop_uv(f->loop), &g->news, on_news) != 0)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "listen: out of memory");
	(void)uv_timer_init(hf_loop_uv(f->loop), &g->end); /* cannot fail */
	g->news.data = g;
	g->end.data = g;
	return HF_OK;
}

static void lane_free(struct lane *lane)
{
	if (!lane->has_thread && lane->tunnel != NULL) {
		hf_tunnel_stop(lane->tunnel);
		hf_loop_run(lane->loop);
	}
	if (lane->has_thread)
		(void)uv_thread_join(&lane->thread);
	hf_loop_free(lane->loop);
	hf_file_close(&lane->listen_fd);
	hf_crls_unhold(lane->view);
	hf_crls_unhold(lane->next_view);
	hf_crls_unhold(lane->old_view);
	staples_free(lane->gate->f->env.mem, lane->staples);
	staples_free(lane->gate->f->env.mem, lane->next_staples);
	if (lane->env.mem != NULL)
		hf_env_clear(&lane->env);
}

static void gate_free(struct front_gate *g)
{
	const struct hf_mem *mem = g->f->env.mem;

	for (unsigned i = 0; i < g->n_lanes; i++)
		lane_free(&g->lanes[i]);
	hf_tunnel_gate_free(g->places);
	hf_mem_free(mem, g->lanes);
	uv_mutex_destroy(&g->lock);
	hf_mem_free(mem, g);
}

hf_err front_gate_new(struct front *f, uint16_t port, struct hf_errinfo *ei)
{
	struct front_gate *g = hf_mem_new(f->env.mem, sizeof(*g));
	hf_err e;

	if (f->gate != NULL) /* something else than its sockets failed: it ends with the loop */
		return hf_fail(ei, HF_ERR_STATE, "listen: no threads");
	if (g == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "listen: out of memory");
	g->f = f;
	if (uv_mutex_init(&g->lock) != 0) {
		hf_mem_free(f->env.mem, g);
		return hf_fail(ei, HF_ERR_NO_MEMORY, "listen: out of memory");
	}
	e = gate_open(g, port, ei);
	if (e != HF_OK) {
		gate_free(g);
		return e;
	}
	f->gate = g;
	g->once = f->member.tickets.once;
	if (g->once.take_once != NULL)
		f->member.tickets.once = (struct hf_tls_once){ take_once, g };
	for (unsigned i = 0; e == HF_OK && i < g->n_lanes; i++)
		e = lane_begin(&g->lanes[i], ei);
	return e;
}

void front_gate_stop(struct front *f)
{
	struct front_gate *g = f->gate;
	struct gate_link *next;

	if (g == NULL || g->is_stopping)
		return;
	g->is_stopping = true;
	order_all(g, STOP);
	for (struct gate_link *gl = g->links; gl != NULL; gl = next) {
		next = gl->next;
		if (gl->inlet != NULL)
			hf_inlet_close(gl->inlet);
	}
	(void)uv_timer_start(&g->end, on_end, END_MS, 0);
	(void)uv_async_send(&g->news);
}

void front_gate_free(struct front *f)
{
	if (f->gate != NULL)
		gate_free(f->gate);
	f->gate = NULL;
}

struct front_serve_numbers front_gate_numbers(const struct front_gate *g)
{
	struct front_serve_numbers n = { .port = g->port, .n_workers = g->n_lanes };

	for (unsigned i = 0; i < g->n_lanes; i++) {
		const struct hf_tunnel_numbers *from = &g->lanes[i].numbers;

		n.worker_links[i] = atomic_load_explicit(&from->links, memory_order_relaxed);
		n.links += n.worker_links[i];
		n.refused += atomic_load_explicit(
			&from->n[HF_TUNNEL_REFUSED_LIMIT], memory_order_relaxed);
	}
	return n;
}
