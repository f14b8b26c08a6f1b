/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump. Bytes move until nothing moves any more; then the timer is set and reading is switched
 * on or off. Callbacks of the engines may call into the link: such calls only leave a mark, and
 * the pump goes round once more.
 */
#include <stdio.h>
#include <string.h>

#include "net/link_inner.h"
#include "os/clock.h"

enum {
	WRITE_MAX = 64 * 1024,  /* bytes handed to libuv at a time */
	PUMP_MAX = 1024 * 1024, /* bytes moved before other links have their turn */
};

const struct hf_link_limits hf_link_limits_default = {
	.connect_ms = 10 * 1000,
	.idle_ms = 5 * 60 * 1000,
	.close_ms = 5 * 1000,
	.stall_ms = 2 * 60 * 1000,
	.out_max = 128 * 1024,
};

static uint64_t link_now(const struct hf_link *l)
{
	return hf_loop_now_ms(l->config.loop);
}

static void link_free(struct hf_link *l)
{
	const struct hf_mem *mem = l->config.mem;

	if (l->config.calls.on_ending != NULL)
		l->config.calls.on_ending(l->config.ctx, l);
	hf_h2_free(l->h2);
	l->h2 = NULL;
	if (l->config.calls.on_close != NULL)
		l->config.calls.on_close(l->config.ctx, l, l->err, &l->why);
	if (l->listener != NULL)
		hf_listener_forget(l->listener, l);
	hf_loop_shaken(l->config.loop, &l->waiter);
	hf_tls_clear(&l->tls);
	hf_buf_clear(&l->in);
	hf_mem_free(mem, l->writing);
	if (l->dial != NULL)
		uv_freeaddrinfo(l->dial->found);
	hf_mem_free(mem, l->dial);
	hf_mem_free(mem, l);
}

void hf_link_unbusy(struct hf_link *l)
{
	if (--l->n_busy == 0)
		link_free(l);
}

static void on_closed(uv_handle_t *handle)
{
	hf_link_unbusy(handle->data);
}

static void note(struct hf_link *l, hf_err e, const char *text)
{
	if (l->err != HF_OK)
		return;
	l->err = e;
	(void)hf_fail(&l->why, e, "%s: %s",
		l->address[0] == '\0' && l->dial != NULL ? l->dial->host : l->address, text);
}

void hf_link_die(struct hf_link *l, hf_err e, const char *text)
{
	note(l, e, text);
	if (l->state == LINK_DEAD)
		return;
	l->state = LINK_DEAD;
	if (l->listener != NULL)
		hf_listener_left(l->listener, l);
	if (l->dial != NULL)
		(void)uv_cancel((uv_req_t *)&l->dial->lookup);
	if (l->dial == NULL || !l->dial->is_swapping) /* else it is being closed already */
		uv_close((uv_handle_t *)&l->tcp, on_closed);
	uv_close((uv_handle_t *)&l->timer, on_closed);
}

/* A failure that the peer should still hear of: what the engines have to say goes out first. */
static void link_fail(struct hf_link *l, hf_err e, const char *text)
{
	note(l, e, text);
	if (l->state >= LINK_CLOSING)
		return;
	l->state = LINK_CLOSING;
	l->end_ms = link_now(l) + l->config.limits.close_ms;
}

static void tls_failed(struct hf_link *l, hf_err e)
{
	const struct hf_errinfo *why = hf_tls_why(&l->tls);

	link_fail(l, e, why->text[0] != '\0' ? why->text : hf_err_text(e));
}

/* While closing in an orderly way, streams still end; after a failure nothing is heard any more. */
static bool is_listening(const struct hf_link *l)
{
	return l->state < LINK_CLOSING ||
	       (l->state == LINK_CLOSING && l->err == HF_OK && !l->said_close);
}

/* Plaintext to the session; how many bytes. */
static size_t move_plain(struct hf_link *l)
{
	const uint8_t *bytes = NULL;
	size_t len = hf_tls_plain(&l->tls, &bytes);
	size_t used = 0;
	hf_err e;

	if (len == 0 || l->state == LINK_DEAD)
		return 0;
	if (l->h2 == NULL) {
		/* Nobody reads: the link is closing, or was never given a session. */
		hf_tls_took(&l->tls, len);
		return len;
	}
	e = hf_h2_feed(l->h2, &used, bytes, len, link_now(l));
	hf_tls_took(&l->tls, len);
	if (e != HF_OK)
		link_fail(l, e, "the peer broke the rules of HTTP/2");
	return len;
}

static void became_open(struct hf_link *l)
{
	l->state = LINK_OPEN;
	l->end_ms = UINT64_MAX;
	hf_loop_shaken(l->config.loop, &l->waiter);
	l->config.calls.on_open(l->config.ctx, l);
	if (l->state == LINK_OPEN && l->h2 == NULL)
		link_fail(l, HF_ERR_DENIED, "nobody wanted to talk with this peer");
}

/* Bytes of the socket to TLS, and on; how many it took. */
static size_t move_in(struct hf_link *l, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	size_t moved;

	do {
		size_t used = 0;
		hf_err e = hf_tls_feed(&l->tls, &used, bytes + at, len - at, link_now(l));

		if (e != HF_OK) {
			tls_failed(l, e);
			return len;
		}
		at += used;
		if (l->state == LINK_HANDSHAKE && hf_tls_is_open(&l->tls))
			became_open(l);
		moved = used + move_plain(l);
	} while (moved > 0 && at < len && is_listening(l));
	return at;
}

static void ask_signature(struct hf_link *l)
{
	struct hf_tls_cv cv;

	if (l->is_signing || (hf_tls_wants(&l->tls) & HF_WANT_SIGN) == 0)
		return;
	l->is_signing = true;
	if (l->config.calls.on_sign == NULL || hf_tls_sign_get(&l->tls, &cv) != HF_OK) {
		hf_link_signed(l, NULL, HF_ERR_INTERNAL);
		return;
	}
	l->config.calls.on_sign(l->config.ctx, l, &cv);
}

/* What TLS would not take before. */
static size_t move_kept(struct hf_link *l)
{
	size_t n;

	if (l->in.len == 0 || !is_listening(l))
		return 0;
	n = move_in(l, l->in.p, l->in.len);
	hf_buf_drop(&l->in, n);
	return n;
}

/* The session's bytes into records, as long as not too much waits; how many. */
static size_t move_session(struct hf_link *l)
{
	const uint8_t *bytes = NULL;
	size_t moved = 0;

	while (l->h2 != NULL && l->state != LINK_DEAD && !l->said_close) {
		size_t used = 0;
		size_t len;

		if (hf_tls_out(&l->tls, &bytes) >= l->config.limits.out_max)
			break;
		len = hf_h2_out(l->h2, &bytes);
		if (len == 0 || hf_tls_write(&l->tls, &used, bytes, len) != HF_OK || used == 0)
			break;
		hf_h2_sent(l->h2, used);
		moved += used;
	}
	return moved;
}

static void on_written(uv_write_t *req, int status)
{
	struct hf_link *l = req->data;

	hf_mem_free(l->config.mem, l->writing);
	l->writing = NULL;
	l->moved_ms = link_now(l);
	l->stuck_ms = UINT64_MAX;
	if (status != 0)
		hf_link_die(l, HF_ERR_NET, uv_strerror(status));
	else
		hf_link_pump(l);
	hf_link_unbusy(l);
}

/* The socket is full: a copy waits in libuv until it is not. */
static void write_later(struct hf_link *l, const uint8_t *bytes, size_t len)
{
	uv_buf_t buf;

	if (len > WRITE_MAX)
		len = WRITE_MAX;
	l->writing = hf_mem_new(l->config.mem, len);
	if (l->writing == NULL) {
		hf_link_die(l, HF_ERR_NO_MEMORY, "out of memory");
		return;
	}
	memcpy(l->writing, bytes, len);
	l->writing_len = len;
	hf_tls_sent(&l->tls, len);
	buf = uv_buf_init((char *)l->writing, (unsigned)len);
	l->write.data = l;
	if (uv_write(&l->write, (uv_stream_t *)&l->tcp, &buf, 1, on_written) != 0) {
		hf_link_die(l, HF_ERR_NET, "cannot send");
		return;
	}
	l->n_busy++;
}

/* Records to the socket; how many bytes it took at once. */
static size_t move_out(struct hf_link *l)
{
	const uint8_t *bytes = NULL;
	size_t len = hf_tls_out(&l->tls, &bytes);
	union {
		const uint8_t *in;
		char *out;
	} u = { .in = bytes }; /* libuv has no const; it only reads */
	uv_buf_t buf;
	int n;

	if (len == 0 || l->writing != NULL || l->state == LINK_DEAD)
		return 0;
	buf = uv_buf_init(u.out, (unsigned)(len > WRITE_MAX ? WRITE_MAX : len));
	n = uv_try_write((uv_stream_t *)&l->tcp, &buf, 1);
	if (n == UV_EAGAIN) {
		write_later(l, bytes, len);
		return 0;
	}
	if (n < 0) {
		hf_link_die(l, HF_ERR_NET, uv_strerror(n));
		return 0;
	}
	hf_tls_sent(&l->tls, (size_t)n);
	l->moved_ms = link_now(l);
	l->stuck_ms = UINT64_MAX;
	return (size_t)n;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct hf_link *l = handle->data;

	(void)wanted;
	*buf = uv_buf_init((char *)l->config.loop->scratch, LOOP_SCRATCH);
}

/* Its SM2 operations are done. */
static void on_jobs_done(void *ctx)
{
	struct hf_link *l = ctx;

	if (is_listening(l)) {
		l->is_pumping = true;
		(void)move_in(l, l->config.loop->scratch, 0);
		l->is_pumping = false;
	}
	hf_link_pump(l);
}

static void on_read_end(struct hf_link *l, ssize_t n)
{
	hf_err e;

	/* What came before the end counts first. */
	while (is_listening(l) && hf_loop_hurry(&l->waiter))
		on_jobs_done(l);
	e = n == UV_EOF ? hf_tls_eof(&l->tls) : HF_ERR_NET;
	l->is_eof = true;
	if (l->is_lingering)
		hf_link_die(l, HF_ERR_CLOSED, "closed");
	else if (n != UV_EOF)
		hf_link_die(l, HF_ERR_NET, uv_strerror((int)n));
	else if (e == HF_ERR_CLOSED)
		hf_link_die(l, e, "closed by the peer");
	else /* whoever cut it: the bytes so far were good, the way was not */
		hf_link_die(l, e == HF_ERR_TRUNCATED ? HF_ERR_NET : e, "the connection broke off");
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct hf_link *l = stream->data;
	const uint8_t *bytes = (const uint8_t *)buf->base;
	size_t used = 0;

	if (n == 0 || l->state == LINK_DEAD)
		return;
	if (n < 0) {
		on_read_end(l, n);
		return;
	}
	l->moved_ms = link_now(l);
	if (l->in.len == 0 && is_listening(l)) {
		l->is_pumping = true;
		used = move_in(l, bytes, (size_t)n);
		l->is_pumping = false;
	}
	if (used < (size_t)n && is_listening(l) &&
		hf_buf_put(&l->in, bytes + used, (size_t)n - used) != HF_OK)
		hf_link_die(l, HF_ERR_LIMIT, "more bytes than can be kept");
	hf_link_pump(l);
}

/* Reading stops while TLS takes nothing or too much waits to be sent: the peer is held back. */
static void set_reading(struct hf_link *l)
{
	const uint8_t *bytes = NULL;
	bool want = l->in.len == 0 && !l->is_signing && !l->is_eof &&
		    hf_tls_out(&l->tls, &bytes) + (l->writing != NULL ? l->writing_len : 0) <
			    l->config.limits.out_max;

	if (want == l->is_reading)
		return;
	l->is_reading = want;
	if (!want)
		(void)uv_read_stop((uv_stream_t *)&l->tcp);
	else if (uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read) != 0)
		hf_link_die(l, HF_ERR_NET, "cannot read");
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	struct hf_link *l = req->data;

	if (status != 0)
		hf_link_die(l, HF_ERR_NET, uv_strerror(status));
	hf_link_unbusy(l);
}

/*
 * Everything is sent. Closing the socket now would reset it while the peer's last bytes are on
 * their way, and a reset takes along what the peer has not read yet: so only our direction ends,
 * and the peer's is read, and thrown away, until it ends too or close_ms is over.
 */
static void linger(struct hf_link *l)
{
	l->is_lingering = true;
	hf_buf_clear(&l->in);
	l->is_signing = false;
	if (l->end_ms == UINT64_MAX)
		l->end_ms = link_now(l) + l->config.limits.close_ms;
	l->shutdown.data = l;
	if (uv_shutdown(&l->shutdown, (uv_stream_t *)&l->tcp, on_shutdown) == 0)
		l->n_busy++;
	else
		hf_link_die(l, HF_ERR_CLOSED, "closed");
}

/* Says the last words, once the streams have ended, and goes when they are sent. */
static void finish_closing(struct hf_link *l)
{
	const uint8_t *bytes = NULL;

	if (l->is_lingering || (l->h2 != NULL && l->err == HF_OK && !hf_h2_is_over(l->h2)))
		return;
	if (l->h2 != NULL && !l->said_close && hf_h2_out(l->h2, &bytes) > 0 &&
		hf_tls_error(&l->tls) == HF_OK)
		return;
	if (!l->said_close) {
		l->said_close = true;
		/* Where TLS has failed it has put its alert there instead. */
		if (hf_tls_close(&l->tls) != HF_OK && l->err == HF_OK)
			note(l, hf_tls_error(&l->tls), "TLS cannot close");
		(void)move_out(l);
	}
	if (l->state != LINK_DEAD && hf_tls_out(&l->tls, &bytes) == 0 && l->writing == NULL)
		linger(l);
}

/* What the peer does not take ends the link: its streams can end only by bytes that go out. */
static void watch_out(struct hf_link *l)
{
	const uint8_t *bytes = NULL;

	if (l->writing == NULL && hf_tls_out(&l->tls, &bytes) == 0)
		l->stuck_ms = UINT64_MAX;
	else if (l->stuck_ms == UINT64_MAX)
		l->stuck_ms = link_now(l);
}

static uint64_t stall_end(const struct hf_link *l)
{
	return l->stuck_ms == UINT64_MAX ? UINT64_MAX : l->stuck_ms + l->config.limits.stall_ms;
}

static void settle(struct hf_link *l)
{
	if (l->state == LINK_OPEN && l->h2 != NULL && hf_h2_error(l->h2) != HF_OK)
		link_fail(l, hf_h2_error(l->h2), hf_err_text(hf_h2_error(l->h2)));
	if (l->state == LINK_OPEN && l->h2 != NULL && hf_h2_is_over(l->h2))
		hf_link_close(l);
	if (l->state == LINK_CLOSING)
		finish_closing(l);
	if (l->state == LINK_DEAD)
		return;
	if (l->state == LINK_OPEN && l->h2 != NULL && hf_h2_n_streams(l->h2) == 0)
		hf_tls_trim(&l->tls);
	watch_out(l);
	set_reading(l);
	if (is_listening(l))
		hf_loop_wait(l->config.loop, &l->waiter);
	hf_link_arm(l);
}

void hf_link_pump(struct hf_link *l)
{
	size_t moved;
	size_t total = 0;

	if (l->is_pumping) {
		l->pump_again = true;
		return;
	}
	if (l->state == LINK_CONNECTING || l->state == LINK_DEAD)
		return;
	l->is_pumping = true;
	do {
		l->pump_again = false;
		ask_signature(l);
		moved = move_kept(l) + move_session(l) + move_out(l);
		total += moved;
	} while ((moved > 0 || l->pump_again) && total < PUMP_MAX && l->state != LINK_DEAD);
	l->is_pumping = false;
	l->has_more = total >= PUMP_MAX;
	settle(l);
}

static uint64_t idle_end(const struct hf_link *l)
{
	if (l->state != LINK_OPEN || l->config.limits.idle_ms == 0)
		return UINT64_MAX;
	if (l->h2 != NULL && hf_h2_n_streams(l->h2) > 0)
		return UINT64_MAX;
	return l->moved_ms + l->config.limits.idle_ms;
}

static void on_timer(uv_timer_t *timer)
{
	struct hf_link *l = timer->data;
	uint64_t now = link_now(l);
	size_t used = 0;
	hf_err e = HF_OK;

	if (now >= l->end_ms) {
		hf_link_die(l, l->state == LINK_CLOSING ? HF_ERR_CLOSED : HF_ERR_TIMEOUT,
			l->state == LINK_CLOSING ? "closed before its streams ended"
						 : "no connection in time");
		return;
	}
	if (l->state == LINK_CONNECTING)
		return;
	if (now >= stall_end(l)) {
		hf_link_die(l, HF_ERR_TIMEOUT, "the peer takes nothing of what is sent");
		return;
	}
	if (now >= idle_end(l))
		hf_link_close(l);
	if (l->state == LINK_DEAD)
		return;
	l->is_pumping = true; /* callbacks of the session must find it at rest */
	e = hf_tls_feed(&l->tls, &used, NULL, 0, now);
	if (e != HF_OK)
		tls_failed(l, e);
	if (l->h2 != NULL)
		hf_h2_tick(l->h2, now);
	l->is_pumping = false;
	hf_link_pump(l);
}

void hf_link_arm(struct hf_link *l)
{
	uint64_t now = link_now(l);
	uint64_t at = l->end_ms < idle_end(l) ? l->end_ms : idle_end(l);

	if (stall_end(l) < at)
		at = stall_end(l);
	if (l->has_more)
		at = now;
	if (l->state != LINK_CONNECTING && hf_tls_deadline(&l->tls) < at)
		at = hf_tls_deadline(&l->tls);
	if (l->h2 != NULL && hf_h2_deadline(l->h2) < at)
		at = hf_h2_deadline(l->h2);
	if (at == UINT64_MAX)
		(void)uv_timer_stop(&l->timer);
	else
		(void)uv_timer_start(&l->timer, on_timer, at > now ? at - now : 0, 0);
}

void hf_link_name(struct hf_link *l, const struct sockaddr *addr)
{
	char text[HF_LINK_ADDRESS_TEXT - 10] = "";
	unsigned port = 0;

	if (addr->sa_family == AF_INET6)
		port = ((const struct sockaddr_in6 *)(const void *)addr)->sin6_port;
	else
		port = ((const struct sockaddr_in *)(const void *)addr)->sin_port;
	(void)uv_ip_name(addr, text, sizeof(text));
	(void)snprintf(
		l->address, sizeof(l->address), "[%s]:%u", text, (unsigned)ntohs((uint16_t)port));
}

hf_err hf_link_new(struct hf_link **out, const struct hf_link_config *config, struct hf_errinfo *ei)
{
	uv_loop_t *uv = hf_loop_uv(config->loop);
	struct hf_link *l = hf_mem_new(config->mem, sizeof(*l));

	if (l == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "link: out of memory");
	l->config = *config;
	l->end_ms = UINT64_MAX;
	l->moved_ms = link_now(l);
	l->stuck_ms = UINT64_MAX;
	hf_buf_init(&l->in, config->mem, LOOP_SCRATCH);
	/* Neither can fail: no socket is made yet. */
	(void)uv_tcp_init(uv, &l->tcp);
	(void)uv_timer_init(uv, &l->timer);
	l->tcp.data = l;
	l->timer.data = l;
	l->waiter = (struct loop_waiter){ .tls = &l->tls, .go_on = on_jobs_done, .ctx = l };
	l->n_busy = 2;
	*out = l;
	return HF_OK;
}

void hf_link_begin(struct hf_link *l)
{
	struct hf_tls_start start = {
		.server_name = l->dial != NULL ? l->dial->host : NULL,
		.want = l->dial != NULL && l->dial->has_want ? &l->dial->want : NULL,
		.session = l->dial != NULL ? l->config.session : NULL,
		.now_s = hf_clock_wall_s(),
		.now_ms = link_now(l),
		.defer_sm2 = hf_loop_shake(l->config.loop, &l->waiter),
	};
	hf_err e;

	(void)uv_tcp_nodelay(&l->tcp, 1);
	l->moved_ms = start.now_ms;
	l->end_ms = UINT64_MAX; /* from here on the handshake's own limit holds */
	l->state = LINK_HANDSHAKE;
	e = hf_tls_init(&l->tls, l->config.tls, &start);
	if (e != HF_OK)
		tls_failed(l, e);
	hf_link_pump(l);
}

void hf_link_attach(struct hf_link *l, struct hf_h2 *h)
{
	l->h2 = h;
	if (l->listener != NULL)
		hf_listener_opened(l->listener, l);
}

struct hf_h2 *hf_link_h2(struct hf_link *l)
{
	return l->h2;
}

void hf_link_signed(struct hf_link *l, const struct hf_sm2_sig *sig, hf_err why)
{
	hf_err e;

	if (!l->is_signing || l->state == LINK_DEAD)
		return;
	l->is_signing = false;
	e = sig != NULL ? hf_tls_sign_done(&l->tls, sig) : hf_tls_sign_failed(&l->tls, why);
	if (e != HF_OK)
		tls_failed(l, e);
	hf_link_pump(l);
}

void hf_link_close(struct hf_link *l)
{
	if (l->state >= LINK_CLOSING)
		return;
	if (l->state == LINK_CONNECTING) {
		hf_link_die(l, HF_ERR_CLOSED, "closed before it was open");
		return;
	}
	l->state = LINK_CLOSING;
	l->end_ms = link_now(l) + l->config.limits.close_ms;
	if (l->h2 != NULL)
		hf_h2_shutdown(l->h2);
	hf_link_pump(l);
}

void hf_link_abort(struct hf_link *l, hf_err e)
{
	hf_link_die(l, e, "given up");
}

const struct hf_tls *hf_link_tls(const struct hf_link *l)
{
	return &l->tls;
}

struct hf_tls_session *hf_link_session_take(struct hf_link *l)
{
	return hf_tls_session_take(&l->tls);
}

const char *hf_link_address(const struct hf_link *l)
{
	return l->address;
}

void hf_link_site(uint8_t out[HF_LINK_SITE_LEN], const struct hf_link *l)
{
	memset(out, 0, HF_LINK_SITE_LEN);
	if (l->origin != NULL)
		memcpy(out, l->origin->address, HF_LINK_SITE_LEN);
}

void *hf_link_ctx(const struct hf_link *l)
{
	return l->config.ctx;
}

void hf_link_ctx_set(struct hf_link *l, void *ctx)
{
	l->config.ctx = ctx;
}
