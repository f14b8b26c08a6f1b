/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump between the two sockets of a connection. Bytes move until a socket would wait; what is
 * waited for then is only what could move next, so a face that takes nothing holds back the other
 * one:
 *
 *	plain -> scratch -> TLS out -> SM       read only when TLS out is empty
 *	SM -> scratch -> TLS plain -> plain     read only when TLS plain is empty
 */
#include "net/tunnel_inner.h"

enum { PUMP_MAX = 1024 * 1024 }; /* bytes moved before others have their turn */

/* --- SM -> plain --- */

static size_t plain_waiting(const struct hf_tunnel_link *l)
{
	const uint8_t *bytes = NULL;

	return l->header.len - l->header_at + hf_tls_plain(&l->tls, &bytes);
}

/* One piece to the plain socket. HF_ERR_AGAIN: it takes none. The caller looks at the state. */
static hf_err put_plain(struct hf_tunnel_link *l, const uint8_t *bytes, size_t len, size_t *put)
{
	int sys = 0;
	hf_err e = hf_sock_write(l->plain.fd, bytes, len, put, &sys);

	if (e == HF_ERR_NET)
		hf_tunnel_plain_broke(l, sys);
	if (e != HF_OK || *put < len)
		l->plain.can_write = false;
	return e;
}

static size_t push_plain(struct hf_tunnel_link *l)
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
static void hear_close(struct hf_tunnel_link *l)
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

/* A key elsewhere signs; true: something can go on. */
static bool sign(struct hf_tunnel_link *l)
{
	const struct hf_tunnel_calls *calls = &l->t->config.calls;
	struct hf_sm2_sig sig;
	struct hf_tls_cv cv;
	hf_err e;

	if (calls->on_sign == NULL || l->state != TUNNEL_SHAKE ||
		(hf_tls_wants(&l->tls) & HF_WANT_SIGN) == 0)
		return false;
	e = hf_tls_sign_get(&l->tls, &cv);
	if (e == HF_OK)
		e = calls->on_sign(l->t->config.ctx, &cv, &sig);
	e = e == HF_OK ? hf_tls_sign_done(&l->tls, &sig) : hf_tls_sign_failed(&l->tls, e);
	if (e != HF_OK)
		hf_tunnel_tls_failed(l, e);
	return e == HF_OK;
}

/* Bytes of the SM link to TLS, and on; how many it took. */
static size_t feed(struct hf_tunnel_link *l, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	size_t moved;

	do {
		size_t used = 0;
		hf_err e = hf_tls_feed(&l->tls, &used, bytes + at, len - at, tunnel_now(l));

		at += used;
		if (e != HF_OK) {
			/* What came before the failure is not worth delivering: a reset follows. */
			hf_tunnel_tls_failed(l, e);
			return len;
		}
		if (sign(l))
			used++; /* with it more can be taken */
		if (l->state == TUNNEL_SHAKE && hf_tls_is_open(&l->tls)) {
			hf_tunnel_link_shaken(l);
			if (l->state != TUNNEL_OPEN)
				break;
		}
		if (l->state == TUNNEL_OPEN && !l->t->is_server)
			hf_tunnel_session_keep(l);
		moved = used + (l->state == TUNNEL_OPEN ? push_plain(l) : 0);
	} while (moved > 0 && at < len && (l->state == TUNNEL_OPEN || l->state == TUNNEL_SHAKE));
	return at;
}

static void keep(struct hf_tunnel_link *l, struct hf_buf *buf, const uint8_t *bytes, size_t len)
{
	if (len > 0 && l->state < TUNNEL_FLUSH && hf_buf_put(buf, bytes, len) != HF_OK)
		hf_tunnel_link_fail(l, HF_ERR_NO_MEMORY, HF_TUNNEL_NUMBERS, "out of memory");
}

static void sm_ended(struct hf_tunnel_link *l)
{
	hf_err e = hf_tls_eof(&l->tls);

	l->sm.is_eof = true;
	l->sm.can_read = false;
	if (e != HF_ERR_CLOSED)
		hf_tunnel_tls_failed(l, e);
}

/* What comes now would only have to be kept. */
static bool waits_for_sm2(const struct hf_tunnel_link *l)
{
	return (hf_tls_wants(&l->tls) & HF_WANT_SM2) != 0;
}

static size_t pull_sm(struct hf_tunnel_link *l)
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
		hf_tunnel_sm_broke(l, sys);
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

size_t hf_tunnel_push_sm(struct hf_tunnel_link *l)
{
	const uint8_t *bytes = NULL;
	size_t moved = 0;
	size_t n;
	int sys = 0;

	while (tunnel_is_moving(l) && l->sm.can_write && (n = hf_tls_out(&l->tls, &bytes)) > 0) {
		size_t len = n;
		hf_err e = hf_sock_write(l->sm.fd, bytes, len, &n, &sys);

		if (e == HF_ERR_NET) {
			hf_tunnel_sm_broke(l, sys);
			return moved;
		}
		l->sm.can_write = e == HF_OK && n == len;
		hf_tls_sent(&l->tls, n);
		moved += n;
	}
	if (tunnel_is_moving(l) && l->said_close && !l->sm.is_shut &&
		hf_tls_out(&l->tls, &bytes) == 0) {
		hf_sock_shut(l->sm.fd);
		l->sm.is_shut = true;
	}
	return moved;
}

/* How many TLS took. */
static size_t seal(struct hf_tunnel_link *l, const uint8_t *bytes, size_t len)
{
	size_t used = 0;
	hf_err e = hf_tls_write(&l->tls, &used, bytes, len);

	l->sealed += used;
	tunnel_count(l->t, HF_TUNNEL_BYTES_SEALED, used);
	if (e != HF_OK)
		hf_tunnel_tls_failed(l, e);
	return used;
}

static void say_close(struct hf_tunnel_link *l)
{
	hf_err e = hf_tls_close(&l->tls);

	l->said_close = true;
	if (e != HF_OK)
		hf_tunnel_tls_failed(l, e);
}

static size_t pull_plain(struct hf_tunnel_link *l)
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
		/* A face that was given may have been given up: hf_tunnel_finish() tells. */
		if (l->t->config.calls.on_face != NULL && !l->is_finishing)
			return 0;
		say_close(l);
		return 1;
	}
	if (!l->plain.can_read)
		return 0;
	e = hf_sock_read(l->plain.fd, scratch, LOOP_SCRATCH, &n, &sys);
	if (e == HF_ERR_NET) {
		hf_tunnel_plain_broke(l, sys);
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

static void settle(struct hf_tunnel_link *l)
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

void hf_tunnel_pump(struct hf_tunnel_link *l)
{
	size_t total = 0;
	size_t moved;

	do {
		moved = pull_sm(l);
		if (l->state == TUNNEL_OPEN)
			moved += push_plain(l);
		if (tunnel_is_moving(l))
			moved += pull_plain(l);
		if (tunnel_is_moving(l))
			moved += hf_tunnel_push_sm(l);
		if (tunnel_is_moving(l))
			hear_close(l);
		total += moved;
		/* A broken socket is not waited for: what it still has is taken now. */
	} while (moved > 0 && tunnel_is_moving(l) &&
		 (total < PUMP_MAX || l->sm.is_broken || l->plain.is_broken));
	if (!tunnel_is_moving(l))
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

void hf_tunnel_jobs_done(void *ctx)
{
	struct hf_tunnel_link *l = ctx;

	if (l->state != TUNNEL_SHAKE)
		return;
	(void)feed(l, l->t->config.loop->scratch, 0);
	if (tunnel_is_moving(l))
		hf_tunnel_pump(l);
}
