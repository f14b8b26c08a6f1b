/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists of a node. A hub has them of its key process, and looks there every two seconds,
 * so that a revocation takes effect at once; an edge or a device asks its control sources as often
 * as for the channel. A list is signed by the CA, so it does not matter who hands it on.
 *
 * Where the level demands a fresh list and there is none (at first, and after a long silence), a
 * link to a source opens without it: nothing but the list is asked for on it, then the peer is
 * looked up, and only then the agent gets the session.
 */
#include <inttypes.h>
#include <stdio.h>

#include "front.h"
#include "http/api.h"
#include "os/clock.h"

enum {
	HUB_LOOK_MS = 2 * 1000,
	RETRY_MS = 30 * 1000,
	ANSWER_MS = 60 * 1000,
};

static unsigned level_of(const struct front *f)
{
	return (unsigned)f->child.config.level;
}

/* Links look at the newest lists from their next message on. */
static void show(struct front *f)
{
	struct hf_tls_config *const configs[] = { &f->member.client, &f->member.late,
		&f->member.server };
	const struct hf_crls_view *before = f->view;

	f->view = hf_crls_hold(f->crls);
	for (size_t i = 0; i < HF_COUNT(configs); i++) {
		configs[i]->crls = f->view->crls;
		configs[i]->n_crls = f->view->n_crls;
	}
	hf_crls_unhold(before);
	front_gate_show(f);
}

/* HF_OK, or why the peer of an open link must go. */
static hf_err check_peer(const struct front_source *s, unsigned level, struct hf_errinfo *ei)
{
	const struct front *f = s->link.f;
	const struct hf_cert *peer = hf_tls_peer(hf_link_tls(s->link.link));

	return hf_crls_check(f->crls, peer, level, hf_clock_wall_s(), ei);
}

/* Who is on the list now goes, on either side. */
static void sweep(struct front *f)
{
	for (size_t i = 0; i < f->child.config.n_upstreams; i++) {
		struct front_source *s = &f->sources[i];

		if (s->h != NULL && check_peer(s, 0, NULL) != HF_OK)
			hf_link_abort(s->link.link, HF_ERR_REVOKED);
	}
	if (f->serve != NULL)
		hf_serve_sweep(f->serve);
}

static uint64_t number_of(const struct front *f)
{
	const struct hf_crl *crl = hf_crls_get(f->crls, &f->node.party.issuing_ca);

	return crl == NULL ? 0 : crl->number;
}

static hf_err take(struct front *f, struct hf_bytes der)
{
	struct hf_errinfo ei = { 0 };
	struct hufud_line line;
	hf_err e = hf_crls_take(f->crls, der, hf_clock_wall_s(), &ei);

	if (e == HF_ERR_EXISTS)
		return HF_OK;
	if (e != HF_OK) {
		hufud_log_err(&f->child.log, "revocations-refused", &ei);
		return e;
	}
	hufud_line_begin(&line, &f->child.log, "revocations");
	hufud_line_num(&line, "number", number_of(f));
	hufud_line_end(&line);
	show(f);
	return HF_OK;
}

/* --- a hub --- */

static hf_err look_at_keyd(struct front *f, bool *is_new, struct hf_errinfo *ei)
{
	struct hf_buf der;
	hf_err e;

	hf_buf_init(&der, f->env.mem, HF_CRL_DER_MAX);
	e = hf_key_revocations(&f->keys, number_of(f), &der, ei);
	*is_new = e == HF_OK && der.len > 0;
	if (*is_new)
		e = take(f, (struct hf_bytes){ der.p, der.len });
	hf_buf_clear(&der);
	return e;
}

static void hub_tick(struct front *f, uint64_t now_ms)
{
	struct hf_errinfo ei = { 0 };
	bool is_new = false;

	if (look_at_keyd(f, &is_new, &ei) != HF_OK) {
		hufud_log_err(&f->child.log, "no-revocations", &ei);
		f->crl_ms = now_ms + RETRY_MS;
		return;
	}
	f->crl_ms = now_ms + HUB_LOOK_MS;
	if (is_new)
		sweep(f);
}

/* --- an edge, a device --- */

bool front_crl_is_fresh(const struct front *f)
{
	return hf_crls_check(f->crls, &f->node.party.sign, level_of(f), hf_clock_wall_s(), NULL) !=
	       HF_ERR_STALE;
}

/* The peer of a late link is known to be good, or not. */
static void decide(struct front_source *s)
{
	struct front *f = s->link.f;
	struct hf_errinfo ei = { 0 };
	hf_err e;

	s->is_late = false;
	e = check_peer(s, level_of(f), &ei);
	if (e == HF_OK) {
		front_dial_up(s);
		return;
	}
	hufud_log_err(&f->child.log, "source-refused", &ei);
	hf_link_abort(s->link.link, e);
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct front_source *s = ctx;
	struct front *f = s->link.f;
	struct hf_errinfo ei = { 0 };
	bool is_new = false;

	(void)stream;
	s->is_asking = false;
	if (e == HF_OK)
		e = hf_api_answer(head->status, body, body_len, &ei);
	if (e == HF_OK && body_len > 0) {
		uint64_t before = number_of(f);

		e = take(f, (struct hf_bytes){ body, body_len });
		is_new = number_of(f) != before;
	}
	f->crl_ms = front_now(f) + (e == HF_OK ? f->child.config.poll_ms : RETRY_MS);
	f->is_swept = f->is_swept && !is_new;
	s->is_answered = true;
}

/* Asks one source; false: it cannot be asked now. */
static bool ask(struct front_source *s)
{
	struct front *f = s->link.f;
	struct hf_http_field have = { .name = HF_FIELD_HAVE };
	const struct hf_http_call call = { .method = HF_HTTP_GET,
		.path = HF_API_CRL,
		.fields = &have,
		.n_fields = 1,
		.body_max = HF_CRL_DER_MAX,
		.timeout_ms = ANSWER_MS,
		.on_done = on_done,
		.ctx = s };

	(void)snprintf(have.value, sizeof(have.value), "%" PRIu64, number_of(f));
	if (hf_h2_call(s->h, &s->crl_stream, &call, front_now(f)) != HF_OK)
		return false;
	s->is_asking = true;
	return true;
}

void front_crl_source_open(struct front_source *s)
{
	struct front *f = s->link.f;

	s->is_answered = false;
	if (!s->is_late) {
		if (f->crls != NULL && f->child.config.upstreams[s->no].is_control)
			f->crl_ms = front_now(f); /* it may know more */
		front_dial_up(s);
		return;
	}
	if (!f->child.config.upstreams[s->no].is_control || !ask(s))
		s->is_answered = true; /* then it is decided by what we have */
}

void front_crl_source_ending(struct front_source *s)
{
	if (s->is_asking)
		hf_h2_cancel(s->h, s->crl_stream);
	s->is_asking = false;
	s->is_answered = false;
	s->h = NULL;
}

/* The first control source that is open. */
static void ask_one(struct front *f)
{
	for (size_t i = 0; i < f->child.config.n_upstreams; i++) {
		struct front_source *s = &f->sources[i];

		if (!s->is_up || s->is_asking || !f->child.config.upstreams[i].is_control)
			continue;
		if (ask(s)) {
			f->crl_ms = front_now(f) + ANSWER_MS;
			hf_link_pump(s->link.link);
			return;
		}
	}
	f->crl_ms = UINT64_MAX; /* until one comes */
}

static void member_tick(struct front *f, uint64_t now_ms)
{
	for (size_t i = 0; i < f->child.config.n_upstreams; i++) {
		struct front_source *s = &f->sources[i];

		if (!s->is_answered)
			continue;
		s->is_answered = false;
		if (s->is_late && s->h != NULL)
			decide(s);
	}
	if (now_ms >= f->crl_ms)
		ask_one(f);
	if (!f->is_swept) {
		f->is_swept = true;
		sweep(f);
	}
}

/* --- both --- */

/* A list came by plain HTTP: of our CA, like those that nodes hand on. */
static void on_fetched(void *ctx)
{
	struct front *f = ctx;

	show(f);
	sweep(f);
}

static hf_err begin_fetch(struct front *f, struct hf_errinfo *ei)
{
	const struct hf_party *p = &f->node.party;
	const struct crl_fetch_config config = { .plan = f->child.config.plan,
		.loop = f->loop,
		.env = &f->env,
		.log = &f->child.log,
		.crls = f->crls,
		.on_new = on_fetched,
		.ctx = f };

	if (!revocation_has(&config.plan))
		return HF_OK;
	HF_TRY(crl_fetch_new(&f->fetch, &config, ei));
	crl_fetch_from(f->fetch, &p->sign);
	crl_fetch_from(f->fetch, &p->issuing_ca);
	crl_fetch_from(f->fetch, &p->root_ca);
	crl_fetch_begin(f->fetch);
	return HF_OK;
}

hf_err front_crl_begin(struct front *f, struct hf_errinfo *ei)
{
	char dir[HF_PATH_MAX];
	bool is_new = false;

	HF_TRY(hf_path_join(dir, f->child.config.data, "crls", ei));
	HF_TRY(hf_crls_new(&f->crls, &f->env, dir, ei));
	HF_TRY(hf_crls_trust(f->crls, &f->node.party.issuing_ca, ei));
	HF_TRY(hf_crls_trust(f->crls, &f->node.party.root_ca, ei));
	f->is_swept = true;
	show(f);
	if (f->child.config.role == HF_ROLE_HUB)
		HF_TRY(look_at_keyd(f, &is_new, ei));
	f->crl_ms = front_now(f);
	return begin_fetch(f, ei);
}

void front_crl_stop(struct front *f)
{
	crl_fetch_end(f->fetch);
	f->fetch = NULL;
}

void front_crl_end(struct front *f)
{
	hf_crls_unhold(f->view);
	f->view = NULL;
	hf_crls_free(f->crls);
	f->crls = NULL;
}

void front_crl_tick(struct front *f, uint64_t now_ms)
{
	if (f->crls == NULL)
		return;
	if (f->child.config.role != HF_ROLE_HUB)
		member_tick(f, now_ms);
	else if (now_ms >= f->crl_ms)
		hub_tick(f, now_ms);
}

uint64_t front_crl_deadline(const struct front *f)
{
	if (f->crls == NULL)
		return UINT64_MAX;
	if (!f->is_swept)
		return 0;
	for (size_t i = 0; i < f->child.config.n_upstreams; i++)
		if (f->sources[i].is_answered)
			return 0;
	return f->crl_ms;
}
