/* SPDX-License-Identifier: Apache-2.0 */
/* The pump of an inlet. What the socket does not take stays in the session until it does. */
#include "net/inlet.h"

#include <string.h>

#include "net/loop_inner.h"
#include "os/file.h"
#include "os/sock.h"

enum { PUMP_MAX = 1024 * 1024 }; /* bytes moved before others have their turn */

enum inlet_state { INLET_NEW, INLET_OPEN, INLET_CLOSING, INLET_DEAD };

struct hf_inlet {
	struct hf_inlet_config config;
	enum inlet_state state;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned n_busy; /* handles that libuv still holds */
	struct hf_h2 *h2;
	int events; /* waited for */
	bool can_write;
	bool is_pumping;
	bool pump_again;
	bool has_more;     /* the pump stopped to let others have their turn */
	bool is_lingering; /* all is sent; waiting for the other end's end */
	uint64_t end_ms;   /* of the state; UINT64_MAX: none */
	uint64_t moved_ms;
	uint64_t stuck_ms; /* since when the other end takes nothing; UINT64_MAX: it does */
	hf_err err;        /* first cause */
	struct hf_errinfo why;
};

static uint64_t inlet_now(const struct hf_inlet *i)
{
	return hf_loop_now_ms(i->config.loop);
}

static void unbusy(struct hf_inlet *i)
{
	const struct hf_mem *mem = i->config.mem;

	if (--i->n_busy > 0)
		return;
	hf_h2_free(i->h2);
	i->h2 = NULL;
	i->config.on_close(i->config.ctx, i->err, &i->why);
	hf_mem_free(mem, i);
}

static void on_closed(uv_handle_t *handle)
{
	unbusy(handle->data);
}

static void note(struct hf_inlet *i, hf_err e, const char *text)
{
	if (i->err != HF_OK)
		return;
	i->err = e;
	(void)hf_fail(&i->why, e, "%s", text);
}

static void die(struct hf_inlet *i, hf_err e, const char *text)
{
	note(i, e, text);
	if (i->state == INLET_DEAD)
		return;
	i->state = INLET_DEAD;
	uv_close((uv_handle_t *)&i->poll, on_closed);
	uv_close((uv_handle_t *)&i->timer, on_closed);
	hf_file_close(&i->fd);
}

/* The other end should still hear of it: what the session has to say goes out first. */
static void fail(struct hf_inlet *i, hf_err e, const char *text)
{
	note(i, e, text);
	if (i->state >= INLET_CLOSING)
		return;
	i->state = INLET_CLOSING;
	i->end_ms = inlet_now(i) + i->config.limits.close_ms;
}

/* Bytes of the session to the socket; how many it took. */
static size_t move_out(struct hf_inlet *i)
{
	const uint8_t *bytes = NULL;
	size_t put = 0;
	size_t len;
	hf_err e;

	if (!i->can_write || i->is_lingering || i->state == INLET_DEAD)
		return 0;
	len = hf_h2_out(i->h2, &bytes);
	if (len == 0)
		return 0;
	e = hf_sock_write(i->fd, bytes, len, &put, NULL);
	if (e == HF_ERR_NET) { /* why is known to whoever is the other end */
		die(i, HF_ERR_CLOSED, "closed");
		return 0;
	}
	i->can_write = e == HF_OK && put == len;
	if (i->stuck_ms == UINT64_MAX || put > 0)
		i->stuck_ms = i->can_write ? UINT64_MAX : inlet_now(i);
	if (put == 0)
		return 0;
	hf_h2_sent(i->h2, put);
	i->moved_ms = inlet_now(i);
	return put;
}

/* True: there may be more. */
static bool read_some(struct hf_inlet *i)
{
	uint8_t *scratch = i->config.loop->scratch;
	size_t used = 0;
	size_t n = 0;
	hf_err e = hf_sock_read(i->fd, scratch, LOOP_SCRATCH, &n, NULL);

	if (e == HF_ERR_AGAIN)
		return false;
	if (e != HF_OK) {
		die(i, HF_ERR_CLOSED, "closed");
		return false;
	}
	i->moved_ms = inlet_now(i);
	if (i->is_lingering || i->err != HF_OK)
		return true;
	i->is_pumping = true; /* callbacks of the session must find it at rest */
	e = hf_h2_feed(i->h2, &used, scratch, n, inlet_now(i));
	i->is_pumping = false;
	if (e != HF_OK)
		fail(i, e, "the peer broke the rules of HTTP/2");
	return i->state != INLET_DEAD;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct hf_inlet *i = poll->data;

	if (i->state == INLET_DEAD)
		return;
	if (status != 0) { /* broken, and not waited for any more: what it still has is taken now */
		while (read_some(i))
			;
		die(i, HF_ERR_CLOSED, "closed");
		return;
	}
	i->can_write |= (events & UV_WRITABLE) != 0;
	if ((events & UV_READABLE) != 0)
		(void)read_some(i);
	hf_inlet_pump(i);
}

/*
 * What comes is read also while nothing can be sent: else two ends that both have much to say wait
 * for each other for ever. What it leaves behind in memory the session bounds.
 */
static void wait_for(struct hf_inlet *i)
{
	int events = i->can_write || i->is_lingering ? UV_READABLE : UV_READABLE | UV_WRITABLE;

	if (events == i->events)
		return;
	i->events = events;
	if (uv_poll_start(&i->poll, events, on_poll) != 0)
		die(i, HF_ERR_NET, "cannot wait for it");
}

/* Everything is sent: only our direction ends, and what still comes is thrown away. */
static void finish_closing(struct hf_inlet *i)
{
	const uint8_t *bytes = NULL;

	if (i->is_lingering || hf_h2_out(i->h2, &bytes) > 0)
		return;
	if (i->err == HF_OK && !hf_h2_is_over(i->h2))
		return;
	i->is_lingering = true;
	i->stuck_ms = UINT64_MAX;
	hf_sock_shut(i->fd);
}

static uint64_t idle_end(const struct hf_inlet *i)
{
	if (i->state != INLET_OPEN || i->config.limits.idle_ms == 0 || hf_h2_n_streams(i->h2) > 0)
		return UINT64_MAX;
	return i->moved_ms + i->config.limits.idle_ms;
}

static uint64_t stall_end(const struct hf_inlet *i)
{
	return i->stuck_ms == UINT64_MAX ? UINT64_MAX : i->stuck_ms + i->config.limits.stall_ms;
}

static void on_timer(uv_timer_t *timer)
{
	struct hf_inlet *i = timer->data;
	uint64_t now = inlet_now(i);

	if (now >= i->end_ms) {
		die(i, HF_ERR_CLOSED, "closed before its streams ended");
		return;
	}
	if (now >= stall_end(i)) {
		die(i, HF_ERR_TIMEOUT, "the peer takes nothing of what is sent");
		return;
	}
	if (now >= idle_end(i))
		hf_inlet_close(i);
	if (i->state == INLET_DEAD)
		return;
	i->is_pumping = true;
	hf_h2_tick(i->h2, now);
	i->is_pumping = false;
	hf_inlet_pump(i);
}

static void arm(struct hf_inlet *i)
{
	uint64_t now = inlet_now(i);
	uint64_t at = i->end_ms < idle_end(i) ? i->end_ms : idle_end(i);

	if (stall_end(i) < at)
		at = stall_end(i);
	if (hf_h2_deadline(i->h2) < at)
		at = hf_h2_deadline(i->h2);
	if (i->has_more)
		at = now;
	if (at == UINT64_MAX)
		(void)uv_timer_stop(&i->timer);
	else
		(void)uv_timer_start(&i->timer, on_timer, at > now ? at - now : 0, 0);
}

static void settle(struct hf_inlet *i)
{
	if (i->state == INLET_OPEN && hf_h2_error(i->h2) != HF_OK)
		fail(i, hf_h2_error(i->h2), hf_err_text(hf_h2_error(i->h2)));
	if (i->state == INLET_OPEN && hf_h2_is_over(i->h2))
		hf_inlet_close(i);
	if (i->state == INLET_CLOSING)
		finish_closing(i);
	if (i->state == INLET_DEAD)
		return;
	wait_for(i);
	if (i->state != INLET_DEAD)
		arm(i);
}

void hf_inlet_pump(struct hf_inlet *i)
{
	size_t total = 0;
	size_t moved;

	if (i->is_pumping) {
		i->pump_again = true;
		return;
	}
	if (i->state == INLET_NEW || i->state == INLET_DEAD)
		return;
	i->is_pumping = true;
	do {
		i->pump_again = false;
		moved = move_out(i);
		total += moved;
	} while ((moved > 0 || i->pump_again) && total < PUMP_MAX && i->state != INLET_DEAD);
	i->is_pumping = false;
	i->has_more = total >= PUMP_MAX;
	if (i->state != INLET_DEAD)
		settle(i);
}

void hf_inlet_close(struct hf_inlet *i)
{
	if (i->state == INLET_NEW)
		die(i, HF_ERR_CLOSED, "closed");
	if (i->state != INLET_OPEN)
		return;
	i->state = INLET_CLOSING;
	i->end_ms = inlet_now(i) + i->config.limits.close_ms;
	hf_h2_shutdown(i->h2);
	hf_inlet_pump(i);
}

void hf_inlet_abort(struct hf_inlet *i, hf_err e)
{
	die(i, e, "given up");
}

void hf_inlet_attach(struct hf_inlet *i, struct hf_h2 *h)
{
	i->h2 = h;
	if (i->state != INLET_NEW)
		return;
	i->state = INLET_OPEN;
	hf_inlet_pump(i);
}

hf_err hf_inlet_new(
	struct hf_inlet **out, const struct hf_inlet_config *config, int fd, struct hf_errinfo *ei)
{
	struct hf_inlet *i = hf_mem_new(config->mem, sizeof(*i));
	uv_loop_t *uv = hf_loop_uv(config->loop);
	int rc;

	if (i == NULL) {
		hf_file_close(&fd);
		return hf_fail(ei, HF_ERR_NO_MEMORY, "link: out of memory");
	}
	i->config = *config;
	i->fd = fd;
	i->can_write = true;
	i->end_ms = UINT64_MAX;
	i->stuck_ms = UINT64_MAX;
	i->moved_ms = inlet_now(i);
	rc = uv_poll_init(uv, &i->poll, fd);
	if (rc != 0) {
		hf_file_close(&fd);
		hf_mem_free(config->mem, i);
		return hf_fail_sys(ei, HF_ERR_NO_MEMORY, -rc, "link: %s", uv_strerror(rc));
	}
	(void)uv_timer_init(uv, &i->timer); /* cannot fail */
	i->poll.data = i;
	i->timer.data = i;
	i->n_busy = 2;
	*out = i;
	return HF_OK;
}
