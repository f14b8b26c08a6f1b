/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links to our sources: one each, made anew when it is lost, after 1 s, 2 s .. 30 s and a random
 * part, so that a thousand devices do not come back in the same instant. A link that comes back
 * resumes the one before: no signature, no certificates on the way.
 */
#include <string.h>

#include "base/endian.h"
#include "front.h"

enum {
	BACKOFF_MIN_MS = 1000,
	BACKOFF_MAX_MS = 30 * 1000,
	BACKOFF_DOUBLINGS = 5,
	STEADY_MS = 10 * 1000, /* open this long: the next failure is a first one */
	CLOSE_MS = 3 * 1000,
};

static struct front_tls *tls_now(struct front *f)
{
	return f->member.is_there ? &f->member : &f->newcomer;
}

/* A quarter more or less of ms. */
static uint64_t jitter(struct front *f, uint64_t ms)
{
	uint8_t r[2] = { 0 };

	(void)!hf_rng_fill(&f->env.rng, r, sizeof(r));
	return ms - ms / 4 + ms / 2 * hf_get_be16(r) / 65536;
}

static void put_off(struct front_source *s)
{
	struct front *f = s->link.f;
	unsigned n = s->n_fails < BACKOFF_DOUBLINGS ? s->n_fails : BACKOFF_DOUBLINGS;
	uint64_t ms = (uint64_t)BACKOFF_MIN_MS << n;

	s->n_fails++;
	s->next_ms = front_now(f) + jitter(f, ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS);
}

static void on_open(void *ctx, struct hf_link *l)
{
	struct front_source *s = ctx;
	struct front *f = s->link.f;
	const struct hf_h2_client client = {
		.mem = f->env.mem,
		.limits = hf_h2_limits_default,
		.authority = f->child.config.upstreams[s->no].name,
	};
	const struct front_peer peer = front_peer_of(l);
	struct hf_h2 *h = NULL;
	hf_err e;

	s->link.link = l;
	s->link.address = hf_link_address(l);
	e = front_record_open(&s->link, &peer);
	if (e == HF_OK)
		e = hf_h2_client_new(&h, &client, front_now(f));
	if (e != HF_OK) {
		hf_link_abort(l, e);
		return;
	}
	hf_link_attach(l, h);
	s->h = h;
	front_crl_source_open(s);
}

void front_dial_up(struct front_source *s)
{
	struct front *f = s->link.f;

	s->is_up = true;
	hf_agent_source_up(f->agent, s->no, s->h, front_now(f));
}

static void on_sign(void *ctx, struct hf_link *l, const struct hf_tls_cv *cv)
{
	struct front_source *s = ctx;

	front_sign(s->link.f, l, cv);
}

/* The agent lets go of the session while it is still there. */
static void on_ending(void *ctx, struct hf_link *l)
{
	struct front_source *s = ctx;
	struct hf_tls_session *session = hf_link_session_take(l);

	if (session != NULL) {
		hf_tls_session_free(s->session);
		s->session = session;
	}
	front_crl_source_ending(s);
	if (!s->is_up)
		return;
	s->is_up = false;
	hf_agent_source_down(s->link.f->agent, s->no, front_now(s->link.f));
}

static void on_close(void *ctx, struct hf_link *l, hf_err e, const struct hf_errinfo *why)
{
	struct front_source *s = ctx;
	struct front *f = s->link.f;

	s->link.link = l;
	s->link.address = hf_link_address(l);
	front_record_close(&s->link, e, why);
	s->why = *why;
	s->link.link = NULL;
	if (s->link.is_open && front_now(f) - s->link.opened_ms >= STEADY_MS)
		s->n_fails = 0;
	if (s->next_ms != 0) /* 0: at once, as a member now */
		put_off(s);
}

static void dial(struct front *f, struct front_source *s)
{
	const struct hufud_upstream *u = &f->child.config.upstreams[s->no];
	struct front_tls *tls = tls_now(f);
	bool is_late = tls == &f->member && !front_crl_is_fresh(f);
	struct hf_link_config config = {
		.loop = f->loop,
		.mem = f->env.mem,
		.tls = is_late ? &tls->late : &tls->client,
		.limits = hf_link_limits_default,
		.calls = { on_open, on_sign, on_ending, on_close },
		.ctx = s,
		.session = s->session,
	};
	struct hf_errinfo ei = { 0 };
	struct hf_link *l = NULL;

	config.limits.idle_ms = 0; /* the server decides how long it keeps us */
	config.limits.close_ms = CLOSE_MS;
	front_link_init(&s->link, f, ""); /* not known yet */
	s->link.is_ours = true;
	s->is_late = is_late;
	s->next_ms = UINT64_MAX;
	if (hf_link_connect(&l, &config, u->host, u->port, &tls->want[u->kind], &ei) != HF_OK) {
		hufud_log_err(&f->child.log, "cannot-connect", &ei);
		put_off(s);
		return;
	}
	s->link.link = l;
}

void front_dial_init(struct front *f)
{
	for (unsigned i = 0; i < f->child.config.n_upstreams; i++) {
		f->sources[i].no = i;
		f->sources[i].link.f = f;
	}
}

void front_dial_tick(struct front *f, uint64_t now_ms)
{
	if (f->is_stopping || !tls_now(f)->is_there)
		return;
	for (size_t i = 0; i < f->child.config.n_upstreams; i++)
		if (f->sources[i].link.link == NULL && now_ms >= f->sources[i].next_ms)
			dial(f, &f->sources[i]);
}

uint64_t front_dial_deadline(const struct front *f)
{
	uint64_t at = UINT64_MAX;

	if (f->is_stopping || (!f->member.is_there && !f->newcomer.is_there))
		return at;
	for (size_t i = 0; i < f->child.config.n_upstreams; i++)
		if (f->sources[i].link.link == NULL && f->sources[i].next_ms < at)
			at = f->sources[i].next_ms;
	return at;
}

void front_dial_end(struct front *f, bool at_once)
{
	for (size_t i = 0; i < f->child.config.n_upstreams; i++) {
		struct front_source *s = &f->sources[i];

		if (at_once) {
			s->next_ms = 0;
			s->n_fails = 0;
		}
		if (s->link.link != NULL)
			hf_link_close(s->link.link);
	}
}

void front_dial_pump(void *ctx, unsigned source)
{
	struct front *f = ctx;

	if (source < f->child.config.n_upstreams && f->sources[source].is_up)
		hf_link_pump(f->sources[source].link.link);
}

void front_dial_forget(struct front *f)
{
	for (size_t i = 0; i < HUFUD_UPSTREAMS_MAX; i++) {
		hf_tls_session_free(f->sources[i].session);
		f->sources[i].session = NULL;
	}
}
