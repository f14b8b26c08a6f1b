/* SPDX-License-Identifier: Apache-2.0 */
/* Name -> address after address -> request -> answer -> told. The timer stands over all of it. */
#include "net/fetch.h"

#include <stdio.h>
#include <string.h>

#include "http/get.h"
#include "net/loop_inner.h"
#include "os/file.h"
#include "os/sock.h"

/* A name is being looked up; outlives a fetch that ends meanwhile. */
struct lookup {
	uv_getaddrinfo_t req;
	struct hf_fetch *fetch; /* NULL: it has ended */
	const struct hf_mem *mem;
};

struct hf_fetch {
	struct hf_fetch_config config;
	uv_timer_t timer;
	uv_poll_t *poll; /* NULL: there is no socket */
	int fd;
	struct lookup *lookup;
	struct addrinfo *found;
	struct addrinfo *trying;
	char request[HF_GET_REQUEST_MAX];
	size_t request_len;
	size_t sent;
	bool is_connected;
	bool is_over;
	struct hf_get get;
	hf_err err;
	struct hf_errinfo why;
};

static void try_address(struct hf_fetch *f, const struct hf_sock_addr *to);

static void free_poll(uv_handle_t *handle)
{
	const struct hf_mem *mem = handle->data;

	hf_mem_free(mem, handle);
}

static void close_socket(struct hf_fetch *f)
{
	if (f->poll != NULL) {
		f->poll->data = (void *)(uintptr_t)f->config.mem;
		uv_close((uv_handle_t *)f->poll, free_poll);
		f->poll = NULL;
	}
	hf_file_close(&f->fd);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct hf_fetch *f = handle->data;
	const struct hf_mem *mem = f->config.mem;

	hf_mem_free(mem, f);
}

static void end(struct hf_fetch *f)
{
	close_socket(f);
	if (f->lookup != NULL) {
		f->lookup->fetch = NULL;
		(void)uv_cancel((uv_req_t *)&f->lookup->req);
		f->lookup = NULL;
	}
	uv_freeaddrinfo(f->found);
	f->found = f->trying = NULL;
	hf_get_clear(&f->get);
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

/* In a round of its own, so that whoever begins a fetch is never called by it. */
static void on_over(uv_timer_t *timer)
{
	struct hf_fetch *f = timer->data;
	struct hf_get *g = &f->get;
	bool is_good = f->err == HF_OK;

	f->config.on_done(f->config.ctx, f->err, is_good ? g->body.p : NULL,
		is_good ? g->body.len : 0, &f->why);
	end(f);
}

static void finish(struct hf_fetch *f, hf_err e, const char *text)
{
	if (f->is_over)
		return;
	f->is_over = true;
	f->err = e;
	if (e != HF_OK && f->why.code == HF_OK)
		(void)hf_fail(&f->why, e, "%s", text);
	close_socket(f);
	(void)uv_timer_start(&f->timer, on_over, 0, 0);
}

static void on_timeout(uv_timer_t *timer)
{
	finish(timer->data, HF_ERR_TIMEOUT, "no whole answer in time");
}

/* --- the answer --- */

static void receive(struct hf_fetch *f)
{
	uint8_t *scratch = f->config.loop->scratch;
	size_t n = 0;
	hf_err e;

	do {
		e = hf_sock_read(f->fd, scratch, LOOP_SCRATCH, &n, NULL);
		if (e == HF_OK)
			e = hf_get_feed(&f->get, scratch, n, &f->why);
	} while (e == HF_OK && n == LOOP_SCRATCH && !hf_get_is_over(&f->get));
	if (e == HF_ERR_CLOSED)
		e = hf_get_eof(&f->get, &f->why);
	if (e == HF_ERR_AGAIN || (e == HF_OK && !hf_get_is_over(&f->get)))
		return;
	finish(f, e, "the connection broke");
}

static void send_request(struct hf_fetch *f)
{
	size_t n = 0;
	hf_err e = hf_sock_write(
		f->fd, (const uint8_t *)f->request + f->sent, f->request_len - f->sent, &n, NULL);

	if (e != HF_OK && e != HF_ERR_AGAIN)
		finish(f, e, "the connection broke");
	else
		f->sent += n;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void wait(struct hf_fetch *f)
{
	bool is_writing = !f->is_connected || f->sent < f->request_len;

	if (!f->is_over && f->poll != NULL &&
		uv_poll_start(f->poll, is_writing ? UV_WRITABLE : UV_READABLE, on_poll) != 0)
		finish(f, HF_ERR_NET, "cannot wait for it");
}

/* --- the connection --- */

static void try_next(struct hf_fetch *f, const char *why)
{
	struct hf_sock_addr to = { 0 };

	close_socket(f);
	if (f->trying == NULL || f->trying->ai_next == NULL) {
		finish(f, HF_ERR_NET, why);
		return;
	}
	f->trying = f->trying->ai_next;
	to.len = (socklen_t)f->trying->ai_addrlen;
	memcpy(&to.addr, f->trying->ai_addr, f->trying->ai_addrlen);
	try_address(f, &to);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct hf_fetch *f = poll->data;
	struct hf_errinfo why = { 0 };

	(void)events;
	(void)status; /* whatever broke, the next call tells */
	if (!f->is_connected) {
		if (hf_sock_connected(f->fd, &why) != HF_OK) {
			try_next(f, why.text);
			return;
		}
		f->is_connected = true;
	}
	if (f->sent < f->request_len)
		send_request(f);
	else
		receive(f);
	wait(f);
}

static hf_err open_socket(struct hf_fetch *f, const struct hf_sock_addr *to, struct hf_errinfo *ei)
{
	HF_TRY(hf_sock_connect(&f->fd, to, ei));
	f->poll = hf_mem_new(f->config.mem, sizeof(*f->poll));
	if (f->poll == NULL || uv_poll_init(hf_loop_uv(f->config.loop), f->poll, f->fd) != 0) {
		hf_mem_free(f->config.mem, f->poll);
		f->poll = NULL;
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	}
	f->poll->data = f;
	return HF_OK;
}

static void try_address(struct hf_fetch *f, const struct hf_sock_addr *to)
{
	struct hf_errinfo why = { 0 };

	if (open_socket(f, to, &why) != HF_OK)
		try_next(f, why.text);
	else
		wait(f);
}

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct lookup *lookup = req->data;
	struct hf_fetch *f = lookup->fetch;
	struct hf_sock_addr to = { 0 };

	hf_mem_free(lookup->mem, lookup);
	if (f == NULL) {
		uv_freeaddrinfo(found);
		return;
	}
	f->lookup = NULL;
	f->found = f->trying = found;
	if (f->is_over)
		return;
	if (status != 0) {
		finish(f, HF_ERR_NET, uv_strerror(status));
		return;
	}
	to.len = (socklen_t)found->ai_addrlen;
	memcpy(&to.addr, found->ai_addr, found->ai_addrlen);
	try_address(f, &to);
}

static void look_up(struct hf_fetch *f)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct lookup *lookup = hf_mem_new(f->config.mem, sizeof(*lookup));
	char service[8];

	if (lookup == NULL) {
		finish(f, HF_ERR_NO_MEMORY, "out of memory");
		return;
	}
	*lookup = (struct lookup){ .fetch = f, .mem = f->config.mem };
	lookup->req.data = lookup;
	(void)snprintf(service, sizeof(service), "%u", (unsigned)f->config.url.port);
	if (uv_getaddrinfo(hf_loop_uv(f->config.loop), &lookup->req, on_found, f->config.url.host,
		    service, &hints) != 0) {
		hf_mem_free(f->config.mem, lookup);
		finish(f, HF_ERR_NET, "its name cannot be looked up");
		return;
	}
	f->lookup = lookup;
}

hf_err hf_fetch_begin(
	struct hf_fetch **out, const struct hf_fetch_config *config, struct hf_errinfo *ei)
{
	struct hf_fetch *f = hf_mem_new(config->mem, sizeof(*f));
	struct hf_sock_addr to = { 0 };

	if (f == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	f->config = *config;
	f->fd = -1;
	f->request_len = hf_get_request(f->request, &config->url, config->accept);
	hf_get_init(&f->get, config->mem, config->body_max);
	(void)uv_timer_init(hf_loop_uv(config->loop), &f->timer); /* cannot fail */
	f->timer.data = f;
	*out = f;
	(void)uv_timer_start(&f->timer, on_timeout, config->timeout_ms, 0);
	if (hf_sock_addr_ip(&to, config->url.host, config->url.port) == HF_OK)
		try_address(f, &to);
	else
		look_up(f);
	return HF_OK;
}

void hf_fetch_cancel(struct hf_fetch *f)
{
	f->is_over = true;
	end(f);
}
