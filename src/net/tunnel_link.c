/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection of a tunnel: how it begins, what time it has, how it fails and ends.
 *
 * The timer is set when a state begins and looks for itself, when it fires, how late it really is:
 * moving bytes only notes the time.
 */
#include <stdio.h>

#include "net/tunnel_inner.h"
#include "os/clock.h"
#include "tls/alert.h"

enum { IGNORED_MAX = 1024 * 1024 }; /* bytes that are read and thrown away at the end */

/* --- the end --- */

static void on_timer_closed(uv_handle_t *handle)
{
	hf_tunnel_forget(handle->data);
}

void hf_tunnel_link_die(struct hf_tunnel_link *l)
{
	struct hf_tunnel *t = l->t;

	l->state = TUNNEL_DEAD;
	hf_tunnel_opening_end(l);
	hf_tunnel_dial_clear(l);
	hf_tunnel_face_close(&l->plain, l->err != HF_OK);
	hf_tunnel_face_close(&l->sm, false);
	hf_tunnel_tell(l, HF_TUNNEL_IS_OVER);
	hf_loop_shaken(t->config.loop, &l->waiter);
	if (l->has_tls)
		hf_tls_clear(&l->tls);
	l->has_tls = false;
	hf_buf_clear(&l->to_sm);
	hf_buf_clear(&l->from_sm);
	hf_buf_clear(&l->header);
	hf_tunnel_gate_leave(t->config.gate, l->origin);
	l->origin = NULL;
	(void)atomic_fetch_sub_explicit(&t->config.numbers->links, 1, memory_order_relaxed);
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

/*
 * Last words go out, then our direction ends, and the peer's is read and thrown away until it ends
 * too: closing at once would reset the connection, and a reset takes along what the peer has not
 * read yet.
 */
void hf_tunnel_link_flush(struct hf_tunnel_link *l)
{
	struct tunnel_face *f = &l->sm;
	uint8_t *scratch = l->t->config.loop->scratch;
	const uint8_t *bytes = NULL;
	size_t n = 0;
	hf_err e = HF_OK;

	while (!f->is_shut && (n = hf_tls_out(&l->tls, &bytes)) > 0) {
		e = hf_sock_write(f->fd, bytes, n, &n, NULL);
		if (e == HF_ERR_AGAIN) {
			hf_tunnel_face_wait(f, UV_WRITABLE);
			return;
		}
		if (e != HF_OK)
			goto over;
		hf_tls_sent(&l->tls, n);
	}
	if (!f->is_shut)
		hf_sock_shut(f->fd);
	f->is_shut = true;
	e = hf_sock_read(f->fd, scratch, LOOP_SCRATCH, &n, NULL); /* others have their turn, too */
	l->n_ignored += e == HF_OK ? n : 0;
	if (l->n_ignored > IGNORED_MAX)
		goto over;
	if (e == HF_OK || e == HF_ERR_AGAIN) {
		hf_tunnel_face_wait(f, UV_READABLE);
		return;
	}
over:
	hf_tunnel_link_die(l);
}

void hf_tunnel_link_fail(
	struct hf_tunnel_link *l, hf_err e, enum hf_tunnel_number number, const char *text)
{
	const uint8_t *bytes = NULL;

	if (l->state >= TUNNEL_FLUSH)
		return;
	l->err = e;
	(void)hf_fail(&l->why, e, "%s", text);
	if (number != HF_TUNNEL_NUMBERS)
		tunnel_count(l->t, number, 1);
	l->state = TUNNEL_FLUSH;
	hf_tunnel_opening_begin(l); /* whoever needs its place need not wait for its last words */
	hf_tunnel_dial_clear(l);
	hf_tunnel_face_close(&l->plain, true);
	if (l->sm.fd < 0 || l->sm.is_broken || !l->has_tls || hf_tls_out(&l->tls, &bytes) == 0) {
		hf_tunnel_link_die(l);
		return;
	}
	l->end_ms = tunnel_now(l) + TUNNEL_FLUSH_MS;
	hf_tunnel_link_arm(l);
	hf_tunnel_link_flush(l);
}

/* The SM link failed; a client may have another server that does better. */
void hf_tunnel_tls_failed(struct hf_tunnel_link *l, hf_err e)
{
	const struct hf_errinfo *why = hf_tls_why(&l->tls);
	enum hf_tunnel_number number = HF_TUNNEL_BAD_HANDSHAKE;
	char text[HF_ERRINFO_TEXT]; /* TLS may be cleared before it is told */

	(void)snprintf(text, sizeof(text), "%s", why->text[0] != '\0' ? why->text : hf_err_text(e));
	hf_tunnel_session_failed(l);
	if (l->state == TUNNEL_SHAKE && !l->t->is_server &&
		(e == HF_ERR_TRUNCATED || e == HF_ERR_TIMEOUT || e == HF_ERR_NET)) {
		hf_tunnel_dial_failed(l, text);
		return;
	}
	if (e == HF_ERR_TIMEOUT)
		number = HF_TUNNEL_TIMED_OUT;
	else if (l->was_open)
		number = e == HF_ERR_TRUNCATED ? HF_TUNNEL_TRUNCATED : HF_TUNNEL_BAD_LINK;
	hf_tunnel_link_fail(l, e, number, text);
}

/* The socket of the SM link broke: as good as a truncated stream. */
void hf_tunnel_sm_broke(struct hf_tunnel_link *l, int sys)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "the SM link broke off: %s", uv_strerror(-sys));
	if (l->state == TUNNEL_SHAKE && !l->t->is_server)
		hf_tunnel_dial_failed(l, text);
	else
		hf_tunnel_link_fail(l, HF_ERR_NET,
			l->was_open ? HF_TUNNEL_TRUNCATED : HF_TUNNEL_BAD_HANDSHAKE, text);
}

void hf_tunnel_plain_broke(struct hf_tunnel_link *l, int sys)
{
	char text[96];

	if (l->t->config.calls.on_face != NULL) { /* whoever had it says what that means */
		hf_tunnel_face_wait(&l->plain, 0);
		l->plain.is_broken = l->plain.is_eof = true;
		return;
	}
	(void)snprintf(text, sizeof(text), "the plain connection broke off: %s", uv_strerror(-sys));
	(void)hf_tls_refuse(&l->tls, HF_ALERT_INTERNAL_ERROR, HF_ERR_NET, text);
	hf_tunnel_link_fail(l, HF_ERR_NET, HF_TUNNEL_RESET, text);
}

/* --- time --- */

static uint64_t deadline(const struct hf_tunnel_link *l)
{
	uint64_t at = l->end_ms;
	uint32_t idle_ms = l->t->config.limits.idle_ms;

	if (tunnel_is_moving(l) && hf_tls_deadline(&l->tls) < at)
		at = hf_tls_deadline(&l->tls);
	if (l->state != TUNNEL_OPEN)
		return at;
	if (idle_ms > 0 && l->moved_ms + idle_ms < at)
		at = l->moved_ms + idle_ms;
	if (!l->is_trimmed && l->moved_ms + TUNNEL_TRIM_MS < at)
		at = l->moved_ms + TUNNEL_TRIM_MS;
	return at;
}

static void on_idle(struct hf_tunnel_link *l)
{
	(void)hf_tls_refuse(&l->tls, HF_ALERT_USER_CANCELED, HF_ERR_TIMEOUT, "idle for too long");
	hf_tunnel_link_fail(l, HF_ERR_TIMEOUT, HF_TUNNEL_TIMED_OUT, "idle for too long");
}

static void on_open_timer(struct hf_tunnel_link *l, uint64_t now)
{
	uint32_t idle_ms = l->t->config.limits.idle_ms;

	if (idle_ms > 0 && now >= l->moved_ms + idle_ms) {
		on_idle(l);
	} else if (!l->is_trimmed && now >= l->moved_ms + TUNNEL_TRIM_MS) {
		l->is_trimmed = true;
		hf_tls_trim(&l->tls);
		if (l->to_sm.len == 0)
			hf_buf_clear(&l->to_sm);
		if (l->from_sm.len == 0)
			hf_buf_clear(&l->from_sm);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct hf_tunnel_link *l = timer->data;
	uint64_t now = tunnel_now(l);
	size_t used = 0;
	hf_err e;

	if (now >= l->end_ms) {
		if (l->state == TUNNEL_WAIT)
			hf_tunnel_dial(l);
		else if (l->state == TUNNEL_FLUSH || l->is_finishing)
			hf_tunnel_link_die(l);
		else if (l->state == TUNNEL_DIAL)
			hf_tunnel_dial_failed(l, "no connection in time");
		else
			hf_tunnel_link_fail(l, HF_ERR_TIMEOUT, HF_TUNNEL_TIMED_OUT,
				"its PROXY header did not come in time");
		return;
	}
	if (l->state == TUNNEL_OPEN)
		on_open_timer(l, now);
	if (tunnel_is_moving(l) && now >= hf_tls_deadline(&l->tls)) {
		e = hf_tls_feed(&l->tls, &used, NULL, 0, now);
		if (e != HF_OK)
			hf_tunnel_tls_failed(l, e);
		else
			hf_tunnel_pump(l);
	}
	if (l->state < TUNNEL_DEAD)
		hf_tunnel_link_arm(l);
}

void hf_tunnel_link_arm(struct hf_tunnel_link *l)
{
	uint64_t now = tunnel_now(l);
	uint64_t at = deadline(l);

	if (at == UINT64_MAX)
		(void)uv_timer_stop(&l->timer);
	else
		(void)uv_timer_start(&l->timer, on_timer, at > now ? at - now : 0, 0);
}

/* --- the beginning --- */

static void begin_tls(struct hf_tunnel_link *l)
{
	const struct hf_tunnel_target *target = &l->t->config.targets[l->target];
	struct hf_tls_start start = {
		.server_name = l->t->is_server ? NULL : target->server_name,
		.want = l->t->is_server ? NULL : target->want,
		.now_s = hf_clock_wall_s(),
		.now_ms = tunnel_now(l),
		.defer_sm2 = hf_loop_shake(l->t->config.loop, &l->waiter),
	};
	hf_err e;

	l->state = TUNNEL_SHAKE;
	l->end_ms = UINT64_MAX; /* the handshake has a limit of its own */
	l->has_tls = true;
	if (!l->t->is_server)
		hf_tunnel_session_offer(l, &start);
	e = hf_tls_init(&l->tls, l->t->config.tls, &start);
	if (e != HF_OK) {
		hf_tunnel_tls_failed(l, e);
		return;
	}
	hf_tunnel_link_arm(l);
	hf_tunnel_pump(l);
}

static void open_link(struct hf_tunnel_link *l)
{
	l->state = TUNNEL_OPEN;
	l->was_open = true;
	l->end_ms = UINT64_MAX;
	l->moved_ms = tunnel_now(l);
	hf_tunnel_opening_end(l);
	tunnel_count(l->t, HF_TUNNEL_OPENED, 1);
	if (hf_tls_is_resumed(&l->tls) || hf_tlcp_is_resumed(&l->tls))
		tunnel_count(l->t, HF_TUNNEL_RESUMED, 1);
	hf_tunnel_tell(l, HF_TUNNEL_IS_OPEN);
	hf_tunnel_link_arm(l);
}

/* The plain face is ours: given, not dialled. */
static void take_face(struct hf_tunnel_link *l)
{
	const struct hf_tunnel_who who = { l, &l->tls, &l->from };
	int fd = -1;
	hf_err e = l->t->config.calls.on_face(l->t->config.ctx, &who, &fd, &l->face);

	if (e == HF_OK)
		e = hf_tunnel_face_open(&l->plain, fd);
	if (e != HF_OK) {
		(void)hf_tls_refuse(&l->tls, HF_ALERT_INTERNAL_ERROR, e, "it cannot be served now");
		hf_tunnel_link_fail(l, e, HF_TUNNEL_BAD_TARGET, "it cannot be served now");
		return;
	}
	open_link(l);
}

static unsigned alert_of(hf_err e)
{
	if (e == HF_ERR_REVOKED)
		return HF_ALERT_CERTIFICATE_REVOKED;
	return e == HF_ERR_STALE ? HF_ALERT_CERTIFICATE_UNKNOWN : HF_ALERT_ACCESS_DENIED;
}

/* The handshake is over: who is it? Nobody has been told of the connection behind it so far. */
void hf_tunnel_link_shaken(struct hf_tunnel_link *l)
{
	struct hf_errinfo why = { 0 };
	hf_err e =
		l->t->config.calls.on_peer(l->t->config.ctx, hf_tls_peer(&l->tls), l->peer, &why);

	hf_loop_shaken(l->t->config.loop, &l->waiter);
	if (e != HF_OK) {
		(void)hf_tls_refuse(&l->tls, alert_of(e), e, why.text);
		hf_tunnel_link_fail(l, e, HF_TUNNEL_REFUSED_ACCESS, why.text);
		return;
	}
	if (l->t->config.calls.on_face != NULL) {
		take_face(l);
		return;
	}
	if (l->t->is_server) {
		/* What TLS has still to say, a session ticket say, goes out meanwhile. */
		(void)hf_tunnel_push_sm(l);
		if (tunnel_is_moving(l)) {
			hf_tunnel_face_wait(&l->sm, 0);
			hf_tunnel_dial(l);
		}
		return;
	}
	hf_tunnel_dial_good(l);
	open_link(l);
	hf_tunnel_session_opened(l);
}

void hf_tunnel_finish(struct hf_tunnel_link *l, hf_err e)
{
	if (l->state != TUNNEL_OPEN || l->is_finishing)
		return;
	l->is_finishing = true;
	if (e != HF_OK) { /* no last words: nothing of it may look like an end */
		l->err = e;
		(void)hf_fail(&l->why, e, "given up");
		hf_tunnel_link_die(l);
		return;
	}
	l->end_ms = tunnel_now(l) + TUNNEL_FLUSH_MS;
	hf_tunnel_link_arm(l);
	hf_tunnel_pump(l);
}

void hf_tunnel_link_connected(struct hf_tunnel_link *l)
{
	if (!l->t->is_server) {
		begin_tls(l);
		return;
	}
	hf_tunnel_dial_good(l);
	open_link(l);
	if (l->t->config.sends_proxy && hf_tunnel_header_put(l) != HF_OK) {
		hf_tunnel_link_fail(l, HF_ERR_NO_MEMORY, HF_TUNNEL_NUMBERS, "out of memory");
		return;
	}
	l->sm.can_read = true; /* what came meanwhile was not told */
	hf_tunnel_pump(l);
}

void hf_tunnel_link_go(struct hf_tunnel_link *l)
{
	if (l->t->is_server)
		begin_tls(l);
	else
		hf_tunnel_dial(l);
}

void hf_tunnel_link_begin(struct hf_tunnel_link *l)
{
	l->waiter = (struct loop_waiter){ .tls = &l->tls, .go_on = hf_tunnel_jobs_done, .ctx = l };
	if (!hf_tunnel_is_front(l->t, &l->from)) {
		hf_tunnel_link_go(l);
		return;
	}
	l->state = TUNNEL_HEADER;
	l->end_ms = tunnel_now(l) + l->t->config.tls->limits.handshake_ms;
	hf_tunnel_link_arm(l);
	hf_tunnel_face_wait(tunnel_accepted(l), UV_READABLE);
}
