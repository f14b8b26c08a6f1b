/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump. Bytes move until nothing moves any more; then the timer is set and reading is switched
 * on or off. Callbacks of the engines may call into the link: such calls only leave a mark, and
 * the pump goes round once more.
 */
#include <string.h>

#include "net/link_inner.h"

enum {
	WRITE_MAX = 64 * 1024,  /* bytes handed to libuv at a time */
	PUMP_MAX = 1024 * 1024, /* bytes moved before other links have their turn */
};

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
	e = hf_h2_feed(l->h2, &used, bytes, len, hf_link_now(l));
	hf_tls_took(&l->tls, len);
	if (e != HF_OK)
		hf_link_fail(l, e, "the peer broke the rules of HTTP/2");
	return len;
}

static void became_open(struct hf_link *l)
{
	l->state = LINK_OPEN;
	l->end_ms = UINT64_MAX;
	hf_loop_shaken(l->config.loop, &l->waiter);
	l->config.calls.on_open(l->config.ctx, l);
	if (l->state == LINK_OPEN && l->h2 == NULL)
		hf_link_fail(l, HF_ERR_DENIED, "nobody wanted to talk with this peer");
}

/* Bytes of the socket to TLS, and on; how many it took. */
static size_t move_in(struct hf_link *l, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	size_t moved;

	do {
		size_t used = 0;
		hf_err e = hf_tls_feed(&l->tls, &used, bytes + at, len - at, hf_link_now(l));

		if (e != HF_OK) {
			hf_link_tls_failed(l, e);
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
	l->moved_ms = hf_link_now(l);
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
	l->moved_ms = hf_link_now(l);
	l->stuck_ms = UINT64_MAX;
	return (size_t)n;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct hf_link *l = handle->data;

	(void)wanted;
	*buf = uv_buf_init((char *)l->config.loop->scratch, LOOP_SCRATCH);
}

void hf_link_jobs_done(void *link)
{
	struct hf_link *l = link;

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
		hf_link_jobs_done(l);
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
	l->moved_ms = hf_link_now(l);
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
		l->end_ms = hf_link_now(l) + l->config.limits.close_ms;
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
			hf_link_note(l, hf_tls_error(&l->tls), "TLS cannot close");
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
		l->stuck_ms = hf_link_now(l);
}

static void settle(struct hf_link *l)
{
	if (l->h2 != NULL && hf_h2_error(l->h2) == HF_ERR_TIMEOUT)
		hf_link_die(l, HF_ERR_TIMEOUT, "the peer does not answer any more");
	if (l->state == LINK_OPEN && l->h2 != NULL && hf_h2_error(l->h2) != HF_OK)
		hf_link_fail(l, hf_h2_error(l->h2), hf_err_text(hf_h2_error(l->h2)));
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
