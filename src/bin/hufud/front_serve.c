/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links that come in. Until its handshake is over a link shares its context with all others that
 * are not open; then it has one of its own, which lives until on_close.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "os/file.h"

enum {
	CLOSE_MS = 3 * 1000,
	BUSY_SPAN_MS = 60 * 1000, /* one line of each kind in this time */
};

_Static_assert((int)HF_SERVE_SITE_LEN == (int)HF_LINK_SITE_LEN, "one is copied to the other");

static void pump(void *ctx)
{
	struct front_incoming *in = ctx;

	hf_link_pump(in->k.link);
}

static void cut(void *ctx)
{
	struct front_incoming *in = ctx;

	hf_link_abort(in->k.link, HF_ERR_REVOKED);
}

hf_err front_serve_session(struct front_incoming *in, struct hf_h2 **h,
	const struct hf_serve_peer *peer, const struct front_peer *who)
{
	struct front *f = in->k.f;
	struct hf_errinfo ei = { 0 };
	hf_err e;

	HF_TRY(front_record_open(&in->k, who));
	e = hf_serve_begin(&in->session, h, f->serve, peer, front_now(f), &ei);
	if (e == HF_OK)
		return HF_OK;
	hufud_log_err(&f->child.log, "not-served", &ei);
	return HF_ERR_DENIED;
}

static void on_open(void *ctx, struct hf_link *l)
{
	struct front *f = ((struct front_incoming *)ctx)->k.f;
	struct front_incoming *in = hf_mem_new(f->env.mem, sizeof(*in));
	const struct front_peer who = front_peer_of(l);
	struct hf_serve_peer peer = {
		.cert = who.cert,
		.is_self_signed = who.is_self_signed,
		.address = hf_link_address(l),
		.pump = pump,
		.cut = cut,
		.ctx = in,
	};
	struct hf_h2 *h = NULL;
	hf_err e;

	if (in == NULL) {
		hf_link_abort(l, HF_ERR_NO_MEMORY);
		return;
	}
	hf_link_site(peer.site, l);
	front_link_init(&in->k, f, hf_link_address(l));
	in->k.link = l;
	hf_link_ctx_set(l, in);
	e = front_serve_session(in, &h, &peer, &who);
	if (e == HF_OK)
		hf_link_attach(l, h);
	else if (!in->k.is_open)
		hf_link_abort(l, e); /* else, without a session, the link ends by itself */
}

static void on_sign(void *ctx, struct hf_link *l, const struct hf_tls_cv *cv)
{
	front_sign(((struct front_incoming *)ctx)->k.f, l, cv);
}

static void on_close(void *ctx, struct hf_link *l, hf_err e, const struct hf_errinfo *why)
{
	struct front_incoming *in = ctx;
	struct front *f = in->k.f;
	struct front_link refused;

	if (in == &f->lobby) {
		front_link_init(&refused, f, hf_link_address(l));
		front_record_close(&refused, e, why);
		return;
	}
	if (in->session != NULL)
		hf_serve_session_end(in->session);
	front_record_close(&in->k, e, why);
	hf_mem_free(f->env.mem, in);
}

/* Counts who was turned away, and whether to say so: a flood must not fill the log. */
static bool may_say(struct front *f, struct front_busy *b, uint64_t n)
{
	bool is_first = b->n == 0;

	b->n += n;
	if (!is_first && front_now(f) - b->said_ms < BUSY_SPAN_MS)
		return false;
	b->said_ms = front_now(f);
	return true;
}

void front_serve_turned_away(struct front *f, uint64_t n, hf_err e)
{
	struct hufud_line line;

	if (!may_say(f, &f->busy_links, n))
		return;
	hufud_line_begin(&line, &f->child.log, "link-turned-away");
	hufud_line_str(&line, "error", hf_err_name(e));
	hufud_line_num(&line, "so_far", f->busy_links.n);
	hufud_line_end(&line);
}

static void on_refused(void *ctx, hf_err e)
{
	front_serve_turned_away(((struct front_incoming *)ctx)->k.f, 1, e);
}

static void on_busy(void *ctx)
{
	struct front *f = ctx;
	struct hufud_line line;

	if (!may_say(f, &f->busy_requests, 1))
		return;
	hufud_line_begin(&line, &f->child.log, "request-turned-away");
	hufud_line_num(&line, "so_far", f->busy_requests.n);
	hufud_line_end(&line);
}

static void on_channel(void *ctx, uint64_t serial)
{
	struct front *f = ctx;
	struct hufud_line line;

	hufud_line_begin(&line, &f->child.log, "channel");
	hufud_line_num(&line, "serial", serial);
	hufud_line_end(&line);
}

/* The port that was free for a front that was killed: whoever found it then finds it again. */
static uint16_t read_port(struct front *f)
{
	char path[HF_PATH_MAX];
	struct hf_buf text;
	unsigned long port = 0;

	hf_buf_init(&text, f->env.mem, 16);
	if (hf_path_join(path, f->child.config.data, "front.port", NULL) == HF_OK &&
		hf_file_load(&text, path, NULL) == HF_OK && hf_buf_put(&text, "", 1) == HF_OK)
		port = strtoul((const char *)text.p, NULL, 10);
	hf_buf_clear(&text);
	return port > UINT16_MAX ? 0 : (uint16_t)port;
}

/* For scripts: the port that was free. */
static hf_err write_port(struct front *f, uint16_t port, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	char text[16];
	int n = snprintf(text, sizeof(text), "%u\n", (unsigned)port);

	HF_TRY(hf_path_join(path, f->child.config.data, "front.port", ei));
	return hf_file_replace(path, 0644, text, (size_t)n, ei);
}

static hf_err listen_at(struct front *f, uint16_t port, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &f->child.config;
	struct hf_listener_config config = {
		.link = { .loop = f->loop,
			.mem = f->env.mem,
			.tls = &f->member.server,
			.limits = hf_link_limits_default,
			.calls = { .on_open = on_open, .on_sign = on_sign, .on_close = on_close },
			.ctx = &f->lobby },
		.address = c->address,
		.port = port,
		.max_links = c->max_links,
		.max_opening = c->max_links / 2,
		.on_refused = on_refused,
	};

	if (c->workers > 1)
		return front_gate_new(f, port, ei);
	config.link.limits.idle_ms = c->idle_ms;
	config.link.limits.close_ms = CLOSE_MS;
	return hf_listener_new(&f->listener, &config, ei);
}

struct front_serve_numbers front_serve_numbers(const struct front *f)
{
	struct front_serve_numbers n = { 0 };

	if (f->gate != NULL)
		return front_gate_numbers(f->gate);
	if (f->listener == NULL)
		return n;
	n.port = hf_listener_port(f->listener);
	n.links = n.worker_links[0] = hf_listener_n_links(f->listener);
	n.refused = hf_listener_n_refused(f->listener);
	n.n_workers = 1;
	return n;
}

static hf_err begin_listening(struct front *f, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &f->child.config;
	struct hf_errinfo first = { 0 };
	struct hufud_line line;
	uint16_t port;
	hf_err e = HF_ERR_EXISTS;

	if (c->port == 0)
		e = listen_at(f, read_port(f), &first);
	if (e != HF_OK)
		e = listen_at(f, c->port, ei);
	if (e == HF_ERR_STATE && first.code != HF_OK) /* it was not the port */
		return hf_fail_sys(ei, first.code, first.sys, "%s", first.text);
	HF_TRY(e);
	port = front_serve_numbers(f).port;
	HF_TRY(write_port(f, port, ei));
	hufud_line_begin(&line, &f->child.log, "listening");
	hufud_line_str(&line, "address", c->address);
	hufud_line_num(&line, "port", port);
	hufud_line_num(&line, "workers", c->workers);
	hufud_line_end(&line);
	return HF_OK;
}

hf_err front_serve_begin(struct front *f, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &f->child.config;
	struct hf_serve_config config = {
		.node = &f->node,
		.up = c->role == HF_ROLE_EDGE ? &f->up : NULL,
		.crls = f->crls,
		.limits = hf_h2_limits_default,
		.max_sessions = c->max_links,
		.max_intakes = c->max_intakes,
		.max_files = f->max_files,
		.on_busy = on_busy,
		.on_channel = on_channel,
		.ctx = f,
	};

	if (c->address == NULL || f->serve != NULL)
		return HF_OK;
	f->lobby.k.f = f;
	config.limits.max_streams = c->max_streams;
	HF_TRY(hf_serve_new(&f->serve, &config, ei));
	return begin_listening(f, ei);
}

void front_serve_end(struct front *f)
{
	char path[HF_PATH_MAX];

	if (f->listener == NULL && f->gate == NULL)
		return;
	if (f->listener != NULL)
		hf_listener_close(f->listener);
	f->listener = NULL;
	front_gate_stop(f);
	if (hf_path_join(path, f->child.config.data, "front.port", NULL) == HF_OK)
		(void)!hf_file_delete(path, NULL);
}
