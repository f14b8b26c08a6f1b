/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a link: how it begins, what time it has, how it fails and ends. */
#include <stdio.h>

#include "net/link_inner.h"
#include "os/clock.h"

const struct hf_link_limits hf_link_limits_default = {
	.connect_ms = 10 * 1000,
	.idle_ms = 5 * 60 * 1000,
	.close_ms = 5 * 1000,
	.stall_ms = 2 * 60 * 1000,
	.out_max = 128 * 1024,
};

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

void hf_link_note(struct hf_link *l, hf_err e, const char *text)
{
	if (l->err != HF_OK)
		return;
	l->err = e;
	(void)hf_fail(&l->why, e, "%s: %s",
		l->address[0] == '\0' && l->dial != NULL ? l->dial->host : l->address, text);
}

void hf_link_die(struct hf_link *l, hf_err e, const char *text)
{
	hf_link_note(l, e, text);
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

void hf_link_fail(struct hf_link *l, hf_err e, const char *text)
{
	hf_link_note(l, e, text);
	if (l->state >= LINK_CLOSING)
		return;
	l->state = LINK_CLOSING;
	l->end_ms = hf_link_now(l) + l->config.limits.close_ms;
}

void hf_link_tls_failed(struct hf_link *l, hf_err e)
{
	const struct hf_errinfo *why = hf_tls_why(&l->tls);

	hf_link_fail(l, e, why->text[0] != '\0' ? why->text : hf_err_text(e));
}

static uint64_t stall_end(const struct hf_link *l)
{
	return l->stuck_ms == UINT64_MAX ? UINT64_MAX : l->stuck_ms + l->config.limits.stall_ms;
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
	uint64_t now = hf_link_now(l);
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
		hf_link_tls_failed(l, e);
	if (l->h2 != NULL)
		hf_h2_tick(l->h2, now);
	l->is_pumping = false;
	hf_link_pump(l);
}

void hf_link_arm(struct hf_link *l)
{
	uint64_t now = hf_link_now(l);
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

void hf_link_address_of(char out[HF_LINK_ADDRESS_TEXT], const struct sockaddr *addr)
{
	char text[HF_LINK_ADDRESS_TEXT - 10] = "";
	unsigned port = 0;

	if (addr->sa_family == AF_INET6)
		port = ((const struct sockaddr_in6 *)(const void *)addr)->sin6_port;
	else
		port = ((const struct sockaddr_in *)(const void *)addr)->sin_port;
	(void)uv_ip_name(addr, text, sizeof(text));
	(void)snprintf(out, HF_LINK_ADDRESS_TEXT, "[%s]:%u", text, (unsigned)ntohs((uint16_t)port));
}

hf_err hf_link_new(struct hf_link **out, const struct hf_link_config *config, struct hf_errinfo *ei)
{
	uv_loop_t *uv = hf_loop_uv(config->loop);
	struct hf_link *l = hf_mem_new(config->mem, sizeof(*l));

	if (l == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "link: out of memory");
	l->config = *config;
	l->end_ms = UINT64_MAX;
	l->moved_ms = hf_link_now(l);
	l->stuck_ms = UINT64_MAX;
	hf_buf_init(&l->in, config->mem, LOOP_SCRATCH);
	/* Neither can fail: no socket is made yet. */
	(void)uv_tcp_init(uv, &l->tcp);
	(void)uv_timer_init(uv, &l->timer);
	l->tcp.data = l;
	l->timer.data = l;
	l->waiter = (struct loop_waiter){ .tls = &l->tls, .go_on = hf_link_jobs_done, .ctx = l };
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
		.now_ms = hf_link_now(l),
		.defer_sm2 = hf_loop_shake(l->config.loop, &l->waiter),
	};
	hf_err e;

	(void)uv_tcp_nodelay(&l->tcp, 1);
	l->moved_ms = start.now_ms;
	l->end_ms = UINT64_MAX; /* from here on the handshake's own limit holds */
	l->state = LINK_HANDSHAKE;
	e = hf_tls_init(&l->tls, l->config.tls, &start);
	if (e != HF_OK)
		hf_link_tls_failed(l, e);
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
		hf_link_tls_failed(l, e);
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
	l->end_ms = hf_link_now(l) + l->config.limits.close_ms;
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
