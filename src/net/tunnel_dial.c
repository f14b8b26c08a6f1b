/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From targets to a connection: each target once, the best first, and all addresses of its name. A
 * target that failed is left in peace for a while, ever longer and never for the same time; only
 * when all of them are is the first to come back waited for.
 */
#include <stdio.h>
#include <string.h>

#include "net/tunnel_inner.h"
#include "tls/alert.h"

enum {
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 30 * 1000,
	DOUBLINGS_MAX = 12,
	BUSY_MS = 20, /* a unix socket whose queue is full is asked again */
};

static void try_address(struct hf_tunnel_link *l, const struct hf_sock_addr *to);

static struct tunnel_face *dialled(struct hf_tunnel_link *l)
{
	return l->t->is_server ? &l->plain : &l->sm;
}

static const struct hf_tunnel_target *target_of(const struct hf_tunnel_link *l)
{
	return &l->t->config.targets[l->target];
}

void hf_tunnel_dial_clear(struct hf_tunnel_link *l)
{
	if (l->lookup != NULL) {
		l->lookup->link = NULL;
		(void)uv_cancel((uv_req_t *)&l->lookup->req);
		l->lookup = NULL;
	}
	uv_freeaddrinfo(l->found);
	l->found = l->trying = NULL;
}

/* Half of the time for certain, the other half by chance: those who lost it together come apart. */
static uint64_t backoff_ms(const struct hf_tunnel_link *l, unsigned n_failed)
{
	const struct hf_rng *rng = l->t->config.tls->rng;
	uint64_t ms = BACKOFF_MIN_MS;
	uint16_t r = 0;

	for (unsigned i = 1; i < n_failed && i < DOUBLINGS_MAX; i++)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	if (hf_rng_fill(rng, (uint8_t *)&r, sizeof(r)) != HF_OK)
		r = 0;
	return ms / 2 + ms / 2 * r / UINT16_MAX;
}

void hf_tunnel_dial_good(struct hf_tunnel_link *l)
{
	struct tunnel_upstream *u = &l->t->upstream[l->target];

	u->n_failed = 0;
	u->not_before_ms = 0;
	hf_tunnel_dial_clear(l);
}

static void give_up(struct hf_tunnel_link *l, const char *why)
{
	char text[HF_ERRINFO_TEXT];

	(void)snprintf(text, sizeof(text), "%s: %s", target_of(l)->text, why);
	if (l->t->is_server)
		(void)hf_tls_refuse(&l->tls, HF_ALERT_INTERNAL_ERROR, HF_ERR_NET, "no target");
	hf_tunnel_link_fail(l, HF_ERR_NET, HF_TUNNEL_BAD_TARGET, text);
}

void hf_tunnel_dial_failed(struct hf_tunnel_link *l, const char *why)
{
	struct tunnel_upstream *u = &l->t->upstream[l->target];
	uint64_t now = tunnel_now(l);

	hf_tunnel_session_failed(l);
	/* What failed before it was known to have failed says nothing new. */
	if (now >= u->not_before_ms) {
		u->n_failed++;
		u->not_before_ms = now + backoff_ms(l, u->n_failed);
	}
	hf_tunnel_dial_clear(l);
	hf_tunnel_face_close(dialled(l), false);
	if (!l->t->is_server && l->has_tls) {
		hf_tls_clear(&l->tls);
		l->has_tls = false;
		hf_buf_clear(&l->from_sm);
	}
	l->tried |= UINT32_C(1) << l->target;
	if (l->tried == (UINT32_C(1) << l->t->config.n_targets) - 1)
		give_up(l, why);
	else
		hf_tunnel_dial(l);
}

/* The first that is not in disgrace, else the one whose disgrace ends first. */
static void choose(struct hf_tunnel_link *l, uint64_t now)
{
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < l->t->config.n_targets; i++) {
		uint64_t at = l->t->upstream[i].not_before_ms;

		if ((l->tried & UINT32_C(1) << i) != 0)
			continue;
		if (at <= now) {
			l->target = i;
			return;
		}
		if (at < soonest) {
			soonest = at;
			l->target = i;
		}
	}
}

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct tunnel_lookup *lookup = req->data;
	struct hf_tunnel_link *l = lookup->link;
	struct hf_sock_addr to = { 0 };

	hf_mem_free(lookup->mem, lookup);
	if (l == NULL) {
		uv_freeaddrinfo(found);
		return;
	}
	l->lookup = NULL;
	if (status != 0) {
		hf_tunnel_dial_failed(l, uv_strerror(status));
		return;
	}
	l->found = l->trying = found;
	to.len = (socklen_t)found->ai_addrlen;
	memcpy(&to.addr, found->ai_addr, found->ai_addrlen);
	try_address(l, &to);
}

static void look_up(struct hf_tunnel_link *l)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct hf_mem *mem = l->t->config.mem;
	struct tunnel_lookup *lookup = hf_mem_new(mem, sizeof(*lookup));
	char service[8];

	if (lookup == NULL) {
		hf_tunnel_dial_failed(l, "out of memory");
		return;
	}
	*lookup = (struct tunnel_lookup){ .link = l, .mem = mem };
	lookup->req.data = lookup;
	(void)snprintf(service, sizeof(service), "%u", (unsigned)target_of(l)->port);
	if (uv_getaddrinfo(hf_loop_uv(l->t->config.loop), &lookup->req, on_found,
		    target_of(l)->host, service, &hints) != 0) {
		hf_mem_free(mem, lookup);
		hf_tunnel_dial_failed(l, "its name cannot be looked up");
		return;
	}
	l->lookup = lookup;
}

static void try_next(struct hf_tunnel_link *l, const char *why)
{
	struct hf_sock_addr to = { 0 };

	if (l->trying == NULL || l->trying->ai_next == NULL) {
		hf_tunnel_dial_failed(l, why);
		return;
	}
	hf_tunnel_face_close(dialled(l), false);
	l->trying = l->trying->ai_next;
	to.len = (socklen_t)l->trying->ai_addrlen;
	memcpy(&to.addr, l->trying->ai_addr, l->trying->ai_addrlen);
	try_address(l, &to);
}

static void try_address(struct hf_tunnel_link *l, const struct hf_sock_addr *to)
{
	struct hf_errinfo why = { 0 };
	int fd = -1;
	hf_err e = hf_sock_connect(&fd, to, &why);

	if (e == HF_OK && hf_tunnel_face_open(dialled(l), fd) != HF_OK) {
		hf_tunnel_face_close(dialled(l), false);
		(void)hf_fail(&why, HF_ERR_NO_MEMORY, "out of memory");
		e = HF_ERR_NO_MEMORY;
	}
	if (e == HF_OK) {
		dialled(l)->can_write = false;
		hf_tunnel_face_wait(dialled(l), UV_WRITABLE);
	} else if (e == HF_ERR_AGAIN &&
		   tunnel_now(l) - l->dial_ms < l->t->config.limits.connect_ms) {
		l->state = TUNNEL_WAIT;
		l->end_ms = tunnel_now(l) + BUSY_MS;
		hf_tunnel_link_arm(l);
	} else {
		try_next(l, why.text);
	}
}

void hf_tunnel_dial_ready(struct hf_tunnel_link *l)
{
	struct hf_errinfo why = { 0 };
	struct tunnel_face *f = dialled(l);

	if (f->fd < 0 || (!f->can_write && !f->is_broken))
		return;
	if (hf_sock_connected(f->fd, &why) != HF_OK) {
		try_next(l, why.text);
		return;
	}
	hf_tunnel_face_wait(f, 0);
	hf_tunnel_link_connected(l);
}

void hf_tunnel_dial(struct hf_tunnel_link *l)
{
	const struct hf_tunnel_target *target;
	struct hf_sock_addr to = { 0 };
	uint64_t now = tunnel_now(l);
	uint64_t at;
	hf_err e;

	if (l->dial_ms == 0)
		l->dial_ms = now;
	choose(l, now);
	target = target_of(l);
	at = l->t->upstream[l->target].not_before_ms;
	if (at > now && at - now > l->t->config.limits.connect_ms) {
		give_up(l, "failed before, and it is not time to try again");
		return;
	}
	if (at > now) {
		l->state = TUNNEL_WAIT;
		l->end_ms = at;
		hf_tunnel_link_arm(l);
		return;
	}
	l->state = TUNNEL_DIAL;
	l->end_ms = now + l->t->config.limits.connect_ms;
	hf_tunnel_link_arm(l);
	if (target->path != NULL)
		e = hf_sock_addr_unix(&to, target->path);
	else
		e = hf_sock_addr_ip(&to, target->host, target->port);
	if (e == HF_OK)
		try_address(l, &to);
	else if (target->path == NULL)
		look_up(l);
	else
		hf_tunnel_dial_failed(l, "the path of the socket is too long");
}
