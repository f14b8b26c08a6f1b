/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service in one loop: accepting, and the life of the whole. A connection for which there is no
 * place is accepted and reset, so that the peer knows and the queue does not fill; who connects and
 * gets no further takes no place that others need.
 */
#include <string.h>

#include "net/tunnel_inner.h"
#include "os/clock.h"
#include "tls/alert.h"

enum {
	ACCEPTS_MAX = 64, /* connections taken before others have their turn */
	PAUSE_MS = 50,
};

static void free_if_over(struct hf_tunnel *t)
{
	struct hf_tunnel_calls calls = t->config.calls;
	void *ctx = t->config.ctx;

	if (t->n_handles > 0 || t->n_links > 0)
		return;
	for (size_t i = 0; i < HF_TUNNEL_TARGETS_MAX; i++)
		hf_tunnel_session_clear(&t->upstream[i]);
	hf_mem_free(t->config.mem, t);
	calls.on_gone(ctx);
}

void hf_tunnel_tell(struct hf_tunnel_link *l, int kind)
{
	struct hf_tunnel *t = l->t;
	char from[HF_SOCK_TEXT];
	struct hf_tunnel_event ev = {
		.kind = kind,
		.id = l->id,
		.from = from,
		.peer = l->peer,
		.target = l->was_open && t->config.n_targets > 0 ? t->config.targets[l->target].text
								 : "",
		.was_open = l->was_open,
		.err = l->err,
		.why = &l->why,
		.addr = &l->from,
		.face = l->face,
		.sealed = l->sealed,
		.opened = l->opened,
		.ms = tunnel_now(l) - l->begin_ms,
	};

	if (t->config.calls.on_event == NULL)
		return;
	hf_sock_addr_text(from, &l->from);
	t->config.calls.on_event(t->config.ctx, &ev);
}

void hf_tunnel_opening_begin(struct hf_tunnel_link *l)
{
	struct hf_tunnel *t = l->t;

	if (l->is_opening)
		return;
	l->is_opening = true;
	l->younger = NULL; /* it may have been here before */
	l->older = t->youngest;
	if (t->youngest != NULL)
		t->youngest->younger = l;
	else
		t->oldest = l;
	t->youngest = l;
	t->n_opening++;
	hf_tunnel_gate_opening(t->config.gate, l->origin, true);
}

void hf_tunnel_opening_end(struct hf_tunnel_link *l)
{
	struct hf_tunnel *t = l->t;

	if (!l->is_opening)
		return;
	l->is_opening = false;
	*(l->older != NULL ? &l->older->younger : &t->oldest) = l->younger;
	*(l->younger != NULL ? &l->younger->older : &t->youngest) = l->older;
	t->n_opening--;
	hf_tunnel_gate_opening(t->config.gate, l->origin, false);
}

void hf_tunnel_forget(struct hf_tunnel_link *l)
{
	struct hf_tunnel *t = l->t;

	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		t->links = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	hf_mem_free(t->config.mem, l);
	t->n_links--;
	free_if_over(t);
}

/* The oldest that is not open, of one address (NULL: of that which has most). NULL: all are. */
static struct hf_tunnel_link *find_oldest(struct hf_tunnel *t, const struct tunnel_origin *of)
{
	struct hf_tunnel_link *found = NULL;
	uint32_t most = 0;

	for (struct hf_tunnel_link *l = t->oldest; l != NULL; l = l->younger) {
		uint32_t n = hf_tunnel_gate_n_opening(t->config.gate, l->origin);

		if (n > most && (of == NULL || of == l->origin)) {
			most = n;
			found = l;
		}
	}
	return found;
}

static void evict(struct hf_tunnel_link *l)
{
	hf_tunnel_link_fail(l, HF_ERR_LIMIT, HF_TUNNEL_REFUSED_LIMIT,
		"its place was needed: too many connections do not open");
	if (l->state != TUNNEL_DEAD)
		hf_tunnel_link_die(l);
}

static hf_err find_place(
	struct hf_tunnel *t, struct tunnel_origin **origin, const struct hf_sock_addr *from)
{
	const struct hf_tunnel_limits *limits = &t->config.limits;
	uint32_t max = limits->max_opening > 0 ? limits->max_opening : limits->max_links;
	struct hf_tunnel_link *goes;
	hf_err e;

	if (t->n_opening >= max && (goes = find_oldest(t, NULL)) != NULL)
		evict(goes);
	*origin = NULL;
	if (hf_tunnel_is_front(t, from))
		from = NULL;
	e = hf_tunnel_gate_enter(t->config.gate, origin, from, limits);
	/* An address that has all it may have takes nobody else's place. */
	if (e != HF_ERR_LIMIT || (goes = find_oldest(t, *origin)) == NULL)
		return e;
	evict(goes);
	return hf_tunnel_gate_enter(t->config.gate, origin, from, limits);
}

hf_err hf_tunnel_place_move(struct hf_tunnel_link *l)
{
	const struct hf_tunnel_limits *limits = &l->t->config.limits;
	struct hf_tunnel_gate *g = l->t->config.gate;
	struct tunnel_origin *to = NULL;
	struct hf_tunnel_link *goes;
	hf_err e;

	/* It is still one of those that are not open, there instead of here. */
	hf_tunnel_gate_opening(g, l->origin, false);
	e = hf_tunnel_gate_move(g, &to, l->origin, &l->from, limits);
	if (e == HF_ERR_LIMIT && (goes = find_oldest(l->t, to)) != NULL) {
		evict(goes);
		e = hf_tunnel_gate_move(g, &to, l->origin, &l->from, limits);
	}
	if (e == HF_OK)
		l->origin = to;
	hf_tunnel_gate_opening(g, l->origin, true);
	return e;
}

static void refuse(struct hf_tunnel *t, int fd, const struct hf_sock_addr *from, hf_err e)
{
	struct hf_errinfo why = { 0 };
	char text[HF_SOCK_TEXT];
	const struct hf_tunnel_event ev = { .kind = HF_TUNNEL_IS_REFUSED,
		.from = text,
		.peer = "",
		.target = "",
		.err = e,
		.why = &why,
		.addr = from };

	hf_sock_reset(&fd);
	tunnel_count(t, HF_TUNNEL_REFUSED_LIMIT, 1);
	if (t->config.calls.on_event == NULL)
		return;
	(void)hf_fail(&why, e, "%s", e == HF_ERR_LIMIT ? "too many connections" : hf_err_text(e));
	hf_sock_addr_text(text, from);
	t->config.calls.on_event(t->config.ctx, &ev);
}

static void add(
	struct hf_tunnel *t, int fd, const struct hf_sock_addr *from, struct tunnel_origin *origin)
{
	const struct hf_mem *mem = t->config.mem;
	struct hf_tunnel_link *l = hf_mem_new(mem, sizeof(*l));

	if (l == NULL) {
		hf_tunnel_gate_leave(t->config.gate, origin);
		refuse(t, fd, from, HF_ERR_NO_MEMORY);
		return;
	}
	l->t = t;
	l->origin = origin;
	l->from = *from;
	l->id = t->next_id++;
	l->begin_ms = l->moved_ms = tunnel_now(l);
	l->end_ms = UINT64_MAX;
	l->sm = (struct tunnel_face){ .link = l, .fd = -1 };
	l->plain = l->sm;
	hf_buf_init(&l->to_sm, mem, LOOP_SCRATCH);
	hf_buf_init(&l->from_sm, mem, LOOP_SCRATCH);
	hf_buf_init(&l->header, mem, HF_PROXY2_MAX);
	(void)uv_timer_init(hf_loop_uv(t->config.loop), &l->timer); /* cannot fail */
	l->timer.data = l;
	l->next = t->links;
	if (t->links != NULL)
		t->links->prev = l;
	t->links = l;
	t->n_links++;
	(void)atomic_fetch_add_explicit(&t->config.numbers->links, 1, memory_order_relaxed);
	hf_tunnel_opening_begin(l);
	if (hf_sock_name(&l->to, fd) != HF_OK)
		l->to = (struct hf_sock_addr){ 0 };
	if (hf_tunnel_face_open(tunnel_accepted(l), fd) != HF_OK) {
		hf_tunnel_link_fail(l, HF_ERR_NO_MEMORY, HF_TUNNEL_NUMBERS, "cannot wait for it");
		return;
	}
	hf_tunnel_link_begin(l);
}

static void on_pause_over(uv_timer_t *timer);
static void on_connection(uv_poll_t *poll, int status, int events);

static void listen_again(struct hf_tunnel *t)
{
	if (!t->is_stopped)
		(void)uv_poll_start(&t->accept, UV_READABLE, on_connection);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct hf_tunnel *t = poll->data;
	struct hf_sock_addr from;
	struct tunnel_origin *origin = NULL;
	int fd = -1;
	hf_err e = HF_OK;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_MAX && !t->is_stopped; i++) {
		e = hf_sock_accept(&fd, &from, t->config.listen_fd);
		if (e != HF_OK)
			break;
		tunnel_count(t, HF_TUNNEL_ACCEPTED, 1);
		e = find_place(t, &origin, &from);
		if (e == HF_OK)
			add(t, fd, &from, origin);
		else
			refuse(t, fd, &from, e);
		e = HF_OK;
	}
	if (t->is_stopped || e == HF_OK || e == HF_ERR_AGAIN)
		return;
	/* Connections wait in the queue until there is a descriptor again. */
	(void)uv_poll_stop(&t->accept);
	(void)uv_timer_start(&t->pause, on_pause_over, PAUSE_MS, 0);
}

static void on_pause_over(uv_timer_t *timer)
{
	listen_again(timer->data);
}

hf_err hf_tunnel_new(
	struct hf_tunnel **out, const struct hf_tunnel_config *config, struct hf_errinfo *ei)
{
	struct hf_tunnel *t = hf_mem_new(config->mem, sizeof(*t));
	uv_loop_t *uv = hf_loop_uv(config->loop);
	int rc;

	if (t == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "tunnel: out of memory");
	t->config = *config;
	t->is_server = config->tls->role == HF_TLS_SERVER;
	rc = uv_poll_init(uv, &t->accept, config->listen_fd);
	if (rc != 0) {
		hf_mem_free(config->mem, t);
		return hf_fail_sys(ei, HF_ERR_IO, -rc, "tunnel: %s", uv_strerror(rc));
	}
	(void)uv_timer_init(uv, &t->pause);
	t->accept.data = t;
	t->pause.data = t;
	t->n_handles = 2;
	listen_again(t);
	*out = t;
	return HF_OK;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_tunnel *t = handle->data;

	t->n_handles--;
	free_if_over(t);
}

void hf_tunnel_stop(struct hf_tunnel *t)
{
	if (t->is_stopped)
		return;
	t->is_stopped = true;
	uv_close((uv_handle_t *)&t->accept, on_closed);
	uv_close((uv_handle_t *)&t->pause, on_closed);
}

void hf_tunnel_sweep(struct hf_tunnel *t, const struct hf_crl *crls, size_t n_crls)
{
	uint64_t now_s = hf_clock_wall_s();

	for (struct hf_tunnel_link *l = t->links; l != NULL; l = l->next) {
		struct hf_errinfo why = { 0 };
		hf_err e;

		if (!l->has_tls || l->state >= TUNNEL_FLUSH)
			continue;
		e = hf_tls_recheck(&l->tls, crls, n_crls, now_s, &why);
		if (e == HF_OK)
			continue;
		(void)hf_tls_refuse(&l->tls, HF_ALERT_CERTIFICATE_REVOKED, e, why.text);
		hf_tunnel_link_fail(l, e, HF_TUNNEL_REVOKED, why.text);
	}
}

void hf_tunnel_abort(struct hf_tunnel *t)
{
	for (struct hf_tunnel_link *l = t->links; l != NULL; l = l->next) {
		hf_tunnel_link_fail(
			l, HF_ERR_CLOSED, HF_TUNNEL_NUMBERS, "given up: the program ends");
		if (l->state != TUNNEL_DEAD)
			hf_tunnel_link_die(l);
	}
}
