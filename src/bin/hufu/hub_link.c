/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life: connect -> open (session, push begins) -> push ends -> link closes -> over. Whatever goes
 * wrong first is what is told; a link that ends tells more than the push that it took along.
 */
#include "hub_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "http/api.h"
#include "net/link.h"
#include "net/loop.h"
#include "os/clock.h"
#include "pki/status.h"
#include "svc/push.h"

enum {
	LOOK_MS = 100, /* how often it is asked whether the user wants to stop */
	CRL_MS = 60 * 1000,
};

struct hub_link {
	const struct hufu_hub_push *what;
	struct hf_buf *answer;
	struct hf_errinfo *ei;
	char host[HUFU_HOST_MAX];
	uint16_t port;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_bytes chain[2];
	struct hf_tls_config tls;
	struct hf_identity_want want;
	struct hf_loop *loop;
	struct hf_link *link;
	struct hf_h2 *h;
	struct hf_push *push;
	uv_timer_t timer;
	bool is_done; /* the hub has answered */
	bool is_over; /* the link is gone */
	hf_err e;
};

hf_err hufu_host_port(
	char host[HUFU_HOST_MAX], uint16_t *port, const char *text, struct hf_errinfo *ei)
{
	const char *colon = strrchr(text, ':');
	const char *first = text;
	char *end = NULL;
	unsigned long n;
	size_t len;

	if (colon == NULL)
		goto bad;
	len = (size_t)(colon - text);
	if (text[0] == '[') {
		if (len < 3 || text[len - 1] != ']')
			goto bad;
		first++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		goto bad;
	}
	n = strtoul(colon + 1, &end, 10);
	if (len == 0 || len >= HUFU_HOST_MAX || colon[1] < '0' || colon[1] > '9' || *end != '\0' ||
		n == 0 || n > 65535)
		goto bad;
	memcpy(host, first, len);
	host[len] = '\0';
	*port = (uint16_t)n;
	return HF_OK;
bad:
	return hf_fail(
		ei, HF_ERR_ARG, "'%.64s': a hub is HOST:PORT, or [ADDRESS]:PORT for IPv6", text);
}

/* Notes the first failure. */
static void fail(struct hub_link *l, hf_err e, const char *text)
{
	if (l->e == HF_OK)
		l->e = hf_fail(l->ei, e, "%s: %s", l->what->hub, text);
}

static void pump(void *ctx)
{
	const struct hub_link *l = ctx;

	if (l->link != NULL)
		hf_link_pump(l->link);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct hub_link *l = ctx;

	hufu_progress_show(l->what->bar, done, total);
}

static void on_end(
	void *ctx, hf_err e, const struct hf_errinfo *why, const uint8_t *body, size_t body_len)
{
	struct hub_link *l = ctx;

	if (e == HF_OK) {
		l->is_done = true;
		e = hf_buf_put(l->answer, body, body_len);
	}
	if (e != HF_OK && e != HF_ERR_CLOSED)
		fail(l, e, why->text[0] != '\0' ? why->text : hf_err_text(e));
	hf_link_close(l->link);
}

static hf_err begin_push(struct hub_link *l, struct hf_errinfo *why)
{
	const struct hufu_hub_push *what = l->what;
	struct hf_push_config config = { .env = what->env,
		.h = l->h,
		.objects = what->release->objects,
		.kind = HF_OBJECT_MANIFEST,
		.pump = pump,
		.on_progress = on_progress,
		.on_end = on_end,
		.ctx = l };

	memcpy(config.name, what->release->name, sizeof(config.name));
	return hf_push_new(&l->push, &config, hf_loop_now_ms(l->loop), why);
}

/* The list is the hub's word about itself, but signed by the CA, and fresh or not. */
static hf_err check_hub(const struct hub_link *l, struct hf_bytes der, struct hf_errinfo *why)
{
	const struct hf_party *p = l->what->party;
	struct hf_crl crl;
	struct hf_status_query q = { .crls = &crl,
		.n_crls = 1,
		.now_s = hf_clock_wall_s(),
		.need = true,
		.age_max_s = hf_policy(HF_ROW_REVOCATION_AGE, p->identity.level),
		.n_verifies = 1 };

	HF_TRY(hf_crl_parse(&crl, der.p, der.len, why));
	return hf_status_check(&q, hf_tls_peer(hf_link_tls(l->link)), &p->issuing_ca, why);
}

static void on_crl(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct hub_link *l = ctx;
	struct hf_errinfo why = { .code = HF_OK };

	(void)stream;
	if (e == HF_OK)
		e = hf_api_answer(head->status, body, body_len, &why);
	if (e == HF_OK)
		e = check_hub(l, (struct hf_bytes){ body, body_len }, &why);
	if (e == HF_OK)
		e = begin_push(l, &why);
	if (e == HF_OK)
		return;
	fail(l, e, why.text[0] != '\0' ? why.text : hf_err_text(e));
	hf_link_close(l->link);
}

/* Nothing but the list is asked for before it says that the hub is good. */
static hf_err begin(struct hub_link *l, struct hf_errinfo *why)
{
	const struct hf_http_call call = { .method = HF_HTTP_GET,
		.path = HF_API_CRL,
		.body_max = HF_CRL_DER_MAX,
		.timeout_ms = CRL_MS,
		.on_done = on_crl,
		.ctx = l };
	int32_t stream;

	if (hf_policy(HF_ROW_REVOCATION_AGE, l->what->party->identity.level) == HF_POLICY_NONE)
		return begin_push(l, why);
	return hf_h2_call(l->h, &stream, &call, hf_loop_now_ms(l->loop));
}

static void on_open(void *ctx, struct hf_link *link)
{
	struct hub_link *l = ctx;
	const struct hf_h2_client client = {
		.mem = l->what->env->mem, .limits = hf_h2_limits_default, .authority = l->host
	};
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e = hf_h2_client_new(&l->h, &client, hf_loop_now_ms(l->loop));

	l->link = link;
	if (e == HF_OK) {
		hf_link_attach(link, l->h);
		e = begin(l, &why);
	}
	if (e == HF_OK)
		return;
	fail(l, e, why.text[0] != '\0' ? why.text : hf_err_text(e));
	hf_link_abort(link, e);
}

static void on_close(void *ctx, struct hf_link *link, hf_err e, const struct hf_errinfo *why)
{
	struct hub_link *l = ctx;

	(void)link;
	l->link = NULL;
	l->is_over = true;
	if (l->is_done)
		return;
	if (e == HF_OK || e == HF_ERR_CLOSED)
		e = HF_ERR_NET;
	fail(l, e, why->text[0] != '\0' ? why->text : "the hub closed the link");
}

static void on_timer(uv_timer_t *timer)
{
	struct hub_link *l = timer->data;

	if (l->link == NULL || !hufu_progress_is_stopped(l->what->bar))
		return;
	fail(l, HF_ERR_CLOSED, "stopped; the same command goes on where it was");
	hf_link_abort(l->link, HF_ERR_CLOSED);
}

static void tls_init(struct hub_link *l)
{
	static const char *const alpn[] = { HF_ALPN_H2 };
	const struct hufu_hub_push *what = l->what;
	const struct hf_party *p = what->party;

	l->local = (struct hf_local_key){ .key = what->key, .rng = &what->env->rng };
	l->signer = hf_signer_local(&l->local);
	l->chain[0] = p->sign.der;
	l->chain[1] = p->issuing_ca.der;
	hf_tls_config_init(&l->tls, HF_TLS_CLIENT, p->identity.level);
	l->tls.need_crl = false; /* it is asked for on the link */
	l->tls.mem = what->env->mem;
	l->tls.rng = &what->env->rng;
	l->tls.chain = l->chain;
	l->tls.n_chain = HF_COUNT(l->chain);
	l->tls.signer = &l->signer;
	l->tls.roots = &p->root_ca;
	l->tls.n_roots = 1;
	l->tls.alpn = alpn;
	l->tls.n_alpn = HF_COUNT(alpn);
	/* An operation runs at the level of the release: the hub must be good for it. */
	l->want = (struct hf_identity_want){ .roles = HF_ROLE_HUB,
		.level = what->release->manifest.level,
		.domain = p->identity.domain };
}

static hf_err run(struct hub_link *l)
{
	const struct hf_link_config config = { .loop = l->loop,
		.mem = l->what->env->mem,
		.tls = &l->tls,
		.limits = hf_link_limits_default,
		.calls = { .on_open = on_open, .on_close = on_close },
		.ctx = l };

	if (uv_timer_init(hf_loop_uv(l->loop), &l->timer) != 0 ||
		uv_timer_start(&l->timer, on_timer, LOOK_MS, LOOK_MS) != 0)
		return hf_fail(l->ei, HF_ERR_INTERNAL, "no timer");
	l->timer.data = l;
	HF_TRY(hf_link_connect(&l->link, &config, l->host, l->port, &l->want, l->ei));
	while (!l->is_over && hf_loop_step(l->loop))
		;
	return l->e;
}

hf_err hufu_hub_push(struct hf_buf *answer, const struct hufu_hub_push *what, struct hf_errinfo *ei)
{
	struct hub_link l = { .what = what, .answer = answer, .ei = ei };
	hf_err e;

	HF_TRY(hufu_host_port(l.host, &l.port, what->hub, ei));
	tls_init(&l);
	e = hf_loop_new(&l.loop, what->env->mem, ei);
	if (e == HF_OK)
		e = run(&l);
	hf_push_free(l.push);
	hf_loop_free(l.loop);
	return e;
}
