/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of a tunnel: the pump between its two sockets. Bytes move until a socket would
 * wait; what is waited for then is only what could move next, so a face that takes nothing holds
 * back the other one:
 *
 *	plain -> scratch -> TLS out -> SM       read only when TLS out is empty
 *	SM -> scratch -> TLS plain -> plain     read only when TLS plain is empty
 *
 * The timer is set when a state begins and looks for itself, when it fires, how late it really is:
 * moving bytes only notes the time.
 */
#include <stdio.h>
#include <string.h>

#include "net/tunnel_inner.h"
#include "os/clock.h"
#include "os/file.h"
#include "tls/alert.h"

enum { PUMP_MAX = 1024 * 1024 }; /* bytes moved before others have their turn */

static void pump(struct tunnel_link *l);
static void shaken(struct tunnel_link *l);

/* --- sockets --- */

static void free_poll(uv_handle_t *handle)
{
	const struct hf_mem *mem = handle->data;

	hf_mem_free(mem, handle);
}

void hf_tunnel_face_close(struct tunnel_face *f, bool is_reset)
{
	if (f->poll != NULL) {
		f->poll->data = (void *)(uintptr_t)f->link->t->config.mem;
		uv_close((uv_handle_t *)f->poll, free_poll);
		f->poll = NULL;
	}
	if (is_reset)
		hf_sock_reset(&f->fd);
	else
		hf_file_close(&f->fd);
}

hf_err hf_tunnel_face_open(struct tunnel_face *f, int fd)
{
	struct hf_tunnel *t = f->link->t;
	uv_poll_t *poll = hf_mem_new(t->config.mem, sizeof(*poll));

	*f = (struct tunnel_face){ .link = f->link, .fd = fd, .can_write = true };
	if (poll == NULL || uv_poll_init(hf_loop_uv(t->config.loop), poll, fd) != 0) {
		hf_mem_free(t->config.mem, poll);
		return HF_ERR_NO_MEMORY;
	}
	poll->data = f;
	f->poll = poll;
	return HF_OK;
}

static void flush(struct tunnel_link *l);

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct tunnel_face *f = poll->data;
	struct tunnel_link *l = f->link;

	if (status < 0) { /* libuv has stopped it */
		f->is_broken = true;
		f->events = 0;
		f->can_read = f->can_write = true;
	}
	f->can_read |= (events & UV_READABLE) != 0;
	f->can_write |= (events & UV_WRITABLE) != 0;
	switch (l->state) {
	case TUNNEL_HEADER: hf_tunnel_header_ready(l); break;
	case TUNNEL_DIAL: hf_tunnel_dial_ready(l); break;
	case TUNNEL_SHAKE:
	case TUNNEL_OPEN: pump(l); break;
	case TUNNEL_FLUSH: flush(l); break;
	default: break;
	}
}

void hf_tunnel_face_wait(struct tunnel_face *f, int events)
{
	if (f->poll == NULL || f->is_broken || f->events == events)
		return;
	f->events = events;
	if (events == 0)
		(void)uv_poll_stop(f->poll);
	else
		(void)uv_poll_start(f->poll, events, on_poll);
}

/* --- the end --- */

static void on_timer_closed(uv_handle_t *handle)
{
	hf_tunnel_forget(handle->data);
}

void hf_tunnel_link_die(struct tunnel_link *l)
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
static void flush(struct tunnel_link *l)
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
	do
		e = hf_sock_read(f->fd, scratch, LOOP_SCRATCH, &n, NULL);
	while (e == HF_OK && n == LOOP_SCRATCH);
	if (e == HF_OK || e == HF_ERR_AGAIN) {
		hf_tunnel_face_wait(f, UV_READABLE);
		return;
	}
over:
	hf_tunnel_link_die(l);
}

void hf_tunnel_link_fail(
	struct tunnel_link *l, hf_err e, enum hf_tunnel_number number, const char *text)
{
	const uint8_t *bytes = NULL;

	if (l->state >= TUNNEL_FLUSH)
		return;
	l->err = e;
	(void)hf_fail(&l->why, e, "%s", text);
	if (number != HF_TUNNEL_NUMBERS)
		tunnel_count(l->t, number, 1);
	l->state = TUNNEL_FLUSH;
	hf_tunnel_opening_end(l);
	hf_tunnel_dial_clear(l);
	hf_tunnel_face_close(&l->plain, true);
	if (l->sm.fd < 0 || l->sm.is_broken || !l->has_tls || hf_tls_out(&l->tls, &bytes) == 0) {
		hf_tunnel_link_die(l);
		return;
	}
	l->end_ms = tunnel_now(l) + TUNNEL_FLUSH_MS;
	hf_tunnel_link_arm(l);
	flush(l);
}

/* The SM link failed; a client may have another server that does better. */
static void tls_failed(struct tunnel_link *l, hf_err e)
{
	const struct hf_errinfo *why = hf_tls_why(&l->tls);
	const char *text = why->text[0] != '\0' ? why->text : hf_err_text(e);
	enum hf_tunnel_number number = HF_TUNNEL_BAD_HANDSHAKE;

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
static void sm_broke(struct tunnel_link *l, int sys)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "the SM link broke off: %s", uv_strerror(-sys));
	if (l->state == TUNNEL_SHAKE && !l->t->is_server)
		hf_tunnel_dial_failed(l, text);
	else
		hf_tunnel_link_fail(l, HF_ERR_NET,
			l->was_open ? HF_TUNNEL_TRUNCATED : HF_TUNNEL_BAD_HANDSHAKE, text);
}

static void plain_broke(struct tunnel_link *l, int sys)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "the plain connection broke off: %s", uv_strerror(-sys));
	(void)hf_tls_refuse(&l->tls, HF_ALERT_INTERNAL_ERROR, HF_ERR_NET, text);
	hf_tunnel_link_fail(l, HF_ERR_NET, HF_TUNNEL_RESET, text);
}

/* --- SM -> plain --- */

static size_t plain_waiting(const struct tunnel_link *l)
{
	const uint8_t *bytes = NULL;

	return l->header.len - l->header_at + hf_tls_plain(&l->tls, &bytes);
}

/* One piece to the plain socket. HF_ERR_AGAIN: it takes none. The caller looks at the state. */
static hf_err put_plain(struct tunnel_link *l, const uint8_t *bytes, size_t len, size_t *put)
{
	int sys = 0;
	hf_err e = hf_sock_write(l->plain.fd, bytes, len, put, &sys);

	if (e == HF_ERR_NET)
		plain_broke(l, sys);
	if (e != HF_OK || *put < len)
		l->plain.can_write = false;
	return e;
}

static size_t push_plain(struct tunnel_link *l)
{
	const uint8_t *bytes = NULL;
	size_t moved = 0;
	size_t n;

	while (l->state == TUNNEL_OPEN && l->plain.can_write && l->header_at < l->header.len) {
		n = l->header.len - l->header_at;
		if (put_plain(l, l->header.p + l->header_at, n, &n) == HF_OK)
			l->header_at += n;
	}
	if (l->header.len > 0 && l->header_at == l->header.len) {
		hf_buf_clear(&l->header);
		l->header_at = 0;
	}
	while (l->state == TUNNEL_OPEN && l->plain.can_write &&
		(n = hf_tls_plain(&l->tls, &bytes)) > 0) {
		if (put_plain(l, bytes, n, &n) != HF_OK)
			break;
		hf_tls_took(&l->tls, n);
		moved += n;
	}
	l->opened += moved;
	if (moved > 0)
		tunnel_count(l->t, HF_TUNNEL_BYTES_OPENED, moved);
	return moved;
}

/* close_notify was read and all before it is delivered: the plain side hears it, too. */
static void hear_close(struct tunnel_link *l)
{
	uint8_t byte;
	size_t n;

	if (l->state != TUNNEL_OPEN || l->heard_close || plain_waiting(l) > 0)
		return;
	if (hf_tls_read(&l->tls, &n, &byte, 1) != HF_ERR_CLOSED)
		return;
	l->heard_close = true;
	hf_sock_shut(l->plain.fd);
	l->plain.is_shut = true;
}

/* Bytes of the SM link to TLS, and on; how many it took. */
static size_t feed(struct tunnel_link *l, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	size_t moved;

	do {
		size_t used = 0;
		hf_err e = hf_tls_feed(&l->tls, &used, bytes + at, len - at, tunnel_now(l));

		at += used;
		if (e != HF_OK) {
			/* What came before the failure is not worth delivering: a reset follows. */
			tls_failed(l, e);
			return len;
		}
		if (l->state == TUNNEL_SHAKE && hf_tls_is_open(&l->tls)) {
			shaken(l);
			if (l->state != TUNNEL_OPEN)
				break;
		}
		if (l->state == TUNNEL_OPEN && !l->t->is_server)
			hf_tunnel_session_keep(l);
		moved = used + (l->state == TUNNEL_OPEN ? push_plain(l) : 0);
	} while (moved > 0 && at < len && (l->state == TUNNEL_OPEN || l->state == TUNNEL_SHAKE));
	return at;
}

static void keep(struct tunnel_link *l, struct hf_buf *buf, const uint8_t *bytes, size_t len)
{
	if (len > 0 && l->state < TUNNEL_FLUSH && hf_buf_put(buf, bytes, len) != HF_OK)
		hf_tunnel_link_fail(l, HF_ERR_NO_MEMORY, HF_TUNNEL_NUMBERS, "out of memory");
}

static void sm_ended(struct tunnel_link *l)
{
	hf_err e = hf_tls_eof(&l->tls);

	l->sm.is_eof = true;
	l->sm.can_read = false;
	if (e != HF_ERR_CLOSED)
		tls_failed(l, e);
}

static bool is_moving(const struct tunnel_link *l)
{
	return l->state == TUNNEL_SHAKE || l->state == TUNNEL_OPEN;
}

/* What comes now would only have to be kept. */
static bool waits_for_sm2(const struct tunnel_link *l)
{
	return (hf_tls_wants(&l->tls) & HF_WANT_SM2) != 0;
}

static size_t pull_sm(struct tunnel_link *l)
{
	uint8_t *scratch = l->t->config.loop->scratch;
	const uint8_t *bytes = NULL;
	size_t used = 0;
	size_t n = 0;
	int sys = 0;
	hf_err e;

	if (waits_for_sm2(l))
		return 0;
	if (l->from_sm.len > 0) {
		used = feed(l, l->from_sm.p, l->from_sm.len);
		if (l->state < TUNNEL_FLUSH)
			hf_buf_drop(&l->from_sm, used);
		return used;
	}
	if (!l->sm.can_read || l->sm.is_eof || hf_tls_plain(&l->tls, &bytes) > 0)
		return 0;
	e = hf_sock_read(l->sm.fd, scratch, LOOP_SCRATCH, &n, &sys);
	if (e == HF_ERR_CLOSED) {
		sm_ended(l);
		return 0;
	}
	if (e == HF_ERR_NET) {
		sm_broke(l, sys);
		return 0;
	}
	/* A short read took all there was; what comes next is told. */
	l->sm.can_read = e == HF_OK && (n == LOOP_SCRATCH || l->sm.is_broken);
	if (n > 0) {
		used = feed(l, scratch, n);
		keep(l, &l->from_sm, scratch + used, n - used);
	}
	return n;
}

/* --- plain -> SM --- */

static size_t push_sm(struct tunnel_link *l)
{
	const uint8_t *bytes = NULL;
	size_t moved = 0;
	size_t n;
	int sys = 0;

	while (is_moving(l) && l->sm.can_write && (n = hf_tls_out(&l->tls, &bytes)) > 0) {
		size_t len = n;
		hf_err e = hf_sock_write(l->sm.fd, bytes, len, &n, &sys);

		if (e == HF_ERR_NET) {
			sm_broke(l, sys);
			return moved;
		}
		l->sm.can_write = e == HF_OK && n == len;
		hf_tls_sent(&l->tls, n);
		moved += n;
	}
	if (is_moving(l) && l->said_close && !l->sm.is_shut && hf_tls_out(&l->tls, &bytes) == 0) {
		hf_sock_shut(l->sm.fd);
		l->sm.is_shut = true;
	}
	return moved;
}

/* How many TLS took. */
static size_t seal(struct tunnel_link *l, const uint8_t *bytes, size_t len)
{
	size_t used = 0;
	hf_err e = hf_tls_write(&l->tls, &used, bytes, len);

	l->sealed += used;
	tunnel_count(l->t, HF_TUNNEL_BYTES_SEALED, used);
	if (e != HF_OK)
		tls_failed(l, e);
	return used;
}

static void say_close(struct tunnel_link *l)
{
	hf_err e = hf_tls_close(&l->tls);

	l->said_close = true;
	if (e != HF_OK)
		tls_failed(l, e);
}

static size_t pull_plain(struct tunnel_link *l)
{
	uint8_t *scratch = l->t->config.loop->scratch;
	const uint8_t *bytes = NULL;
	size_t used = 0;
	size_t n = 0;
	int sys = 0;
	hf_err e;

	if (l->state != TUNNEL_OPEN || l->said_close || hf_tls_out(&l->tls, &bytes) > 0)
		return 0;
	if (l->to_sm.len > 0) {
		used = seal(l, l->to_sm.p, l->to_sm.len);
		if (l->state == TUNNEL_OPEN)
			hf_buf_drop(&l->to_sm, used);
		return used;
	}
	if (l->plain.is_eof) {
		say_close(l);
		return 1;
	}
	if (!l->plain.can_read)
		return 0;
	e = hf_sock_read(l->plain.fd, scratch, LOOP_SCRATCH, &n, &sys);
	if (e == HF_ERR_NET) {
		plain_broke(l, sys);
		return 0;
	}
	l->plain.can_read = e == HF_OK && (n == LOOP_SCRATCH || l->plain.is_broken);
	if (e == HF_ERR_CLOSED) {
		l->plain.is_eof = true;
		return 1;
	}
	if (n > 0) {
		used = seal(l, scratch, n);
		keep(l, &l->to_sm, scratch + used, n - used);
	}
	return n;
}

/* --- the pump --- */

static void settle(struct tunnel_link *l)
{
	const uint8_t *bytes = NULL;
	size_t out = hf_tls_out(&l->tls, &bytes);
	bool is_open = l->state == TUNNEL_OPEN;
	int sm = 0;
	int plain = 0;

	if (l->heard_close && l->sm.is_shut) { /* both directions have ended */
		hf_tunnel_link_die(l);
		return;
	}
	if (!l->sm.is_eof && l->from_sm.len == 0 && plain_waiting(l) == 0)
		sm |= UV_READABLE;
	if (out > 0 || l->to_sm.len > 0)
		sm |= UV_WRITABLE;
	if (is_open && !l->plain.is_eof && l->to_sm.len == 0 && out == 0)
		plain |= UV_READABLE;
	if (is_open && (plain_waiting(l) > 0 || l->from_sm.len > 0))
		plain |= UV_WRITABLE;
	hf_tunnel_face_wait(&l->sm, sm);
	hf_tunnel_face_wait(&l->plain, plain);
	hf_loop_wait(l->t->config.loop, &l->waiter);
}

static void pump(struct tunnel_link *l)
{
	size_t total = 0;
	size_t moved;

	do {
		moved = pull_sm(l);
		if (l->state == TUNNEL_OPEN)
			moved += push_plain(l);
		if (is_moving(l))
			moved += pull_plain(l);
		if (is_moving(l))
			moved += push_sm(l);
		if (is_moving(l))
			hear_close(l);
		total += moved;
		/* A broken socket is not waited for: what it still has is taken now. */
	} while (moved > 0 && is_moving(l) &&
		 (total < PUMP_MAX || l->sm.is_broken || l->plain.is_broken));
	if (!is_moving(l))
		return;
	if (total > 0) {
		l->moved_ms = tunnel_now(l);
		if (l->is_trimmed) {
			l->is_trimmed = false;
			hf_tunnel_link_arm(l);
		}
	}
	settle(l);
}

/* SM2 operations of the handshake are done. */
static void on_jobs_done(void *ctx)
{
	struct tunnel_link *l = ctx;

	if (l->state != TUNNEL_SHAKE)
		return;
	(void)feed(l, l->t->config.loop->scratch, 0);
	if (is_moving(l))
		pump(l);
}

/* --- time --- */

static uint64_t deadline(const struct tunnel_link *l)
{
	uint64_t at = l->end_ms;
	uint32_t idle_ms = l->t->config.limits.idle_ms;

	if (is_moving(l) && hf_tls_deadline(&l->tls) < at)
		at = hf_tls_deadline(&l->tls);
	if (l->state != TUNNEL_OPEN)
		return at;
	if (idle_ms > 0 && l->moved_ms + idle_ms < at)
		at = l->moved_ms + idle_ms;
	if (!l->is_trimmed && l->moved_ms + TUNNEL_TRIM_MS < at)
		at = l->moved_ms + TUNNEL_TRIM_MS;
	return at;
}

static void on_idle(struct tunnel_link *l)
{
	(void)hf_tls_refuse(&l->tls, HF_ALERT_USER_CANCELED, HF_ERR_TIMEOUT, "idle for too long");
	hf_tunnel_link_fail(l, HF_ERR_TIMEOUT, HF_TUNNEL_TIMED_OUT, "idle for too long");
}

static void on_open_timer(struct tunnel_link *l, uint64_t now)
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
	struct tunnel_link *l = timer->data;
	uint64_t now = tunnel_now(l);
	size_t used = 0;
	hf_err e;

	if (now >= l->end_ms) {
		if (l->state == TUNNEL_WAIT)
			hf_tunnel_dial(l);
		else if (l->state == TUNNEL_FLUSH)
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
	if (is_moving(l) && now >= hf_tls_deadline(&l->tls)) {
		e = hf_tls_feed(&l->tls, &used, NULL, 0, now);
		if (e != HF_OK)
			tls_failed(l, e);
		else
			pump(l);
	}
	if (l->state < TUNNEL_DEAD)
		hf_tunnel_link_arm(l);
}

void hf_tunnel_link_arm(struct tunnel_link *l)
{
	uint64_t now = tunnel_now(l);
	uint64_t at = deadline(l);

	if (at == UINT64_MAX)
		(void)uv_timer_stop(&l->timer);
	else
		(void)uv_timer_start(&l->timer, on_timer, at > now ? at - now : 0, 0);
}

/* --- the beginning --- */

static void begin_tls(struct tunnel_link *l)
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
		tls_failed(l, e);
		return;
	}
	hf_tunnel_link_arm(l);
	pump(l);
}

static void open_link(struct tunnel_link *l)
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

/* The handshake is over: who is it? Nobody has been told of the connection behind it so far. */
static void shaken(struct tunnel_link *l)
{
	struct hf_errinfo why = { 0 };
	hf_err e =
		l->t->config.calls.on_peer(l->t->config.ctx, hf_tls_peer(&l->tls), l->peer, &why);

	hf_loop_shaken(l->t->config.loop, &l->waiter);
	if (e != HF_OK) {
		(void)hf_tls_refuse(&l->tls, HF_ALERT_ACCESS_DENIED, e, why.text);
		hf_tunnel_link_fail(l, e, HF_TUNNEL_REFUSED_ACCESS, why.text);
		return;
	}
	if (l->t->is_server) {
		/* What TLS has still to say, a session ticket say, goes out meanwhile. */
		(void)push_sm(l);
		if (is_moving(l)) {
			hf_tunnel_face_wait(&l->sm, 0);
			hf_tunnel_dial(l);
		}
		return;
	}
	hf_tunnel_dial_good(l);
	open_link(l);
	hf_tunnel_session_opened(l);
}

void hf_tunnel_link_connected(struct tunnel_link *l)
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
	pump(l);
}

void hf_tunnel_link_go(struct tunnel_link *l)
{
	if (l->t->is_server)
		begin_tls(l);
	else
		hf_tunnel_dial(l);
}

void hf_tunnel_link_begin(struct tunnel_link *l)
{
	l->waiter = (struct loop_waiter){ .tls = &l->tls, .go_on = on_jobs_done, .ctx = l };
	if (!hf_tunnel_is_front(l->t, &l->from)) {
		hf_tunnel_link_go(l);
		return;
	}
	l->state = TUNNEL_HEADER;
	l->end_ms = tunnel_now(l) + l->t->config.tls->limits.handshake_ms;
	hf_tunnel_link_arm(l);
	hf_tunnel_face_wait(tunnel_accepted(l), UV_READABLE);
}
