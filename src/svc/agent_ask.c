/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of an agent need: requests to a control source, when to try again, records. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "http/api.h"
#include "svc/agent_inner.h"
#include "svc/attrs.h"

enum { ASK_TIMEOUT_MS = 30 * 1000 };

bool hf_agent_control(const struct hf_agent *a, unsigned *source)
{
	bool is_found = false;

	for (unsigned i = 0; i < a->config.n_sources; i++) {
		const struct agent_source *s = &a->sources[i];

		if (s->h == NULL || s->is_stale || !a->config.sources[i].is_control)
			continue;
		if (!is_found || s->avoid <= a->now_ms)
			*source = i;
		is_found = true;
		if (s->avoid <= a->now_ms)
			return true;
	}
	return is_found;
}

bool hf_agent_avoid(struct hf_agent *a, unsigned source, uint64_t ms)
{
	unsigned other = 0;

	if (a->sources[source].avoid < a->now_ms + ms)
		a->sources[source].avoid = a->now_ms + ms;
	return hf_agent_control(a, &other) && a->sources[other].avoid <= a->now_ms;
}

void hf_agent_ask_init(struct hf_agent *a, struct agent_ask *q)
{
	*q = (struct agent_ask){ .a = a, .next = a->asks };
	hf_buf_init(&q->body, a->mem, 0);
	a->asks = q;
}

void hf_agent_ask_clear(struct agent_ask *q)
{
	struct agent_source *s = &q->a->sources[q->source];

	if (q->state == ASK_BUSY && s->h != NULL) {
		hf_h2_cancel(s->h, q->stream);
		s->is_dirty = true;
	}
	hf_buf_clear(&q->body);
	q->state = ASK_FREE;
}

void hf_agent_ask_end(struct agent_ask *q)
{
	struct agent_ask **at;

	if (q->a == NULL)
		return;
	hf_agent_ask_clear(q);
	for (at = &q->a->asks; *at != q; at = &(*at)->next)
		;
	*at = q->next;
	q->a = NULL;
}

static void ask_failed(struct agent_ask *q, hf_err e, const char *text)
{
	q->e = hf_fail(&q->why, e == HF_ERR_CLOSED ? HF_ERR_NET : e, "%s: %s",
		q->a->config.sources[q->source].name, text);
	q->is_broken = q->e != HF_ERR_NET;
	(void)hf_agent_avoid(q->a, q->source, AGENT_AVOID_MS);
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct agent_ask *q = ctx;

	(void)stream;
	q->state = ASK_DONE;
	q->a->is_due = true;
	if (e != HF_OK) {
		ask_failed(q, e, e == HF_ERR_CLOSED ? "the link ended" : hf_err_text(e));
		return;
	}
	q->e = hf_api_answer(head->status, body, body_len, &q->why);
	if (q->e == HF_ERR_AGAIN)
		q->e = HF_ERR_NET; /* busy: a failure like others */
	if (q->e == HF_OK)
		q->e = hf_buf_put(&q->body, body, body_len);
	else if (head->status >= 500)
		(void)hf_agent_avoid(q->a, q->source, AGENT_AVOID_MS);
}

static hf_err ask_begin(struct agent_ask *q, const struct agent_call *c)
{
	struct hf_agent *a = q->a;
	struct hf_http_field field;
	struct hf_http_call call = { .method = c->method,
		.path = c->path,
		.content_type = c->type,
		.fields = &field,
		.n_fields = 1,
		.body = c->body.p,
		.body_len = c->body.len,
		.body_max = c->answer_max,
		.timeout_ms = ASK_TIMEOUT_MS,
		.on_done = on_done,
		.ctx = q };

	if (!hf_agent_control(a, &q->source))
		return HF_ERR_AGAIN;
	HF_TRY(hf_rng_fill(&a->node->env->rng, q->trace, sizeof(q->trace)));
	(void)snprintf(field.name, sizeof(field.name), "%s", HF_FIELD_REQUEST);
	hf_hex_emit(field.value, q->trace, sizeof(q->trace));
	q->why = (struct hf_errinfo){ .code = HF_OK };
	q->what = c->what;
	q->is_broken = false;
	q->body.max = c->answer_max;
	q->state = ASK_BUSY;
	if (hf_h2_call(a->sources[q->source].h, &q->stream, &call, a->now_ms) != HF_OK) {
		q->state = ASK_DONE;
		ask_failed(q, HF_ERR_NET, "the link takes no request");
		return q->e;
	}
	a->sources[q->source].is_dirty = true;
	return HF_ERR_AGAIN;
}

void hf_agent_ask_blame(struct agent_ask *q, hf_err e, const struct agent_lineage *l)
{
	const struct agent_note note = { .event = HF_EV_SOURCE_FAILED,
		.reason = e,
		.source = q->a->config.sources[q->source].name,
		.lineage = l == NULL ? NULL : l->name,
		.release = l == NULL ? 0 : l->target.release,
		.manifest = l == NULL ? NULL : l->target.manifest,
		.code = q->what,
		.trace = q->trace };

	(void)!hf_agent_record(q->a, &note, NULL);
}

bool hf_agent_ask_elsewhere(struct agent_ask *q)
{
	struct hf_agent *a = q->a;

	hf_agent_ask_clear(q);
	if (!hf_agent_avoid(a, q->source, AGENT_AVOID_MS))
		return false;
	a->is_due = true;
	return true;
}

hf_err hf_agent_ask_run(struct agent_ask *q, const struct agent_call *call, struct hf_errinfo *ei)
{
	hf_err e = HF_ERR_AGAIN;

	if (q->state == ASK_FREE)
		e = ask_begin(q, call);
	if (q->state != ASK_DONE)
		return e;
	if (q->is_broken)
		hf_agent_ask_blame(q, q->e, NULL);
	if (q->e != HF_OK)
		return hf_fail(
			ei, q->e, "%s", q->why.code != HF_OK ? q->why.text : hf_err_text(q->e));
	return HF_OK;
}

void hf_agent_asks_lost(struct hf_agent *a, unsigned source)
{
	for (struct agent_ask *q = a->asks; q != NULL; q = q->next) {
		if (q->state != ASK_BUSY || q->source != source)
			continue;
		hf_h2_cancel(a->sources[source].h, q->stream);
		q->state = ASK_DONE;
		ask_failed(q, HF_ERR_NET, "the link ended");
		a->is_due = true;
	}
}

bool hf_agent_is_refusal(hf_err e)
{
	return hf_err_exit(e) == hf_err_exit(HF_ERR_AUTH);
}

void hf_agent_retry_fail(struct hf_agent *a, struct agent_retry *r, hf_err e)
{
	uint64_t ms = hf_agent_is_refusal(e) ? AGENT_REFUSED_MS : AGENT_RETRY_MS;
	uint8_t random = 0;

	ms <<= r->n < 16 ? r->n : 16;
	if (ms > AGENT_RETRY_MAX_MS)
		ms = AGENT_RETRY_MAX_MS;
	/* Without randomness retries are only less spread. */
	(void)!hf_rng_fill(&a->node->env->rng, &random, sizeof(random));
	r->n++;
	r->at = a->now_ms + ms / 2 + ms / 2 * random / UINT8_MAX;
}

hf_err hf_agent_record(struct hf_agent *a, const struct agent_note *note, struct hf_errinfo *ei)
{
	struct hf_attrs attrs = { .len = 0 };
	char subject[HF_AUDIT_NAME_MAX];
	struct hf_audit_event_in in = { .event = note->event,
		.result = note->reason == HF_OK               ? HF_RESULT_OK
			  : hf_agent_is_refusal(note->reason) ? HF_RESULT_DENIED
							      : HF_RESULT_FAIL,
		.level = (uint8_t)a->node->config.level,
		.actor = a->actor,
		.reason = note->reason };

	if (note->source != NULL) {
		(void)snprintf(subject, sizeof(subject), "source:%.100s", note->source);
		in.subject = subject;
	}
	if (note->trace != NULL)
		memcpy(in.trace_id, note->trace, sizeof(in.trace_id));
	hf_attrs_text(&attrs, HF_ATTR_MODEL, note->lineage);
	hf_attrs_u64(&attrs, HF_ATTR_RELEASE, note->release);
	hf_attrs_put(
		&attrs, HF_ATTR_MANIFEST, note->manifest, note->manifest != NULL ? HF_SM3_LEN : 0);
	hf_attrs_u64(&attrs, HF_ATTR_BYTES, note->bytes);
	hf_attrs_text(&attrs, HF_ATTR_CODE, note->code);
	if (attrs.e != HF_OK)
		return hf_fail(ei, attrs.e, "audit: a record is too long");
	in.attrs = attrs.bytes;
	in.attrs_len = attrs.len;
	return hf_node_audit(a->node, &in, ei);
}

void hf_agent_why(char why[HF_ERRINFO_TEXT], const struct hf_errinfo *ei, hf_err e)
{
	(void)snprintf(why, HF_ERRINFO_TEXT, "%s", ei->code != HF_OK ? ei->text : hf_err_text(e));
}
