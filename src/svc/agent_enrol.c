/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A newcomer becomes a member: token and requests go to the hub, what comes back goes to the key
 * process, which compares it with the root CA that the token names. The links of before are those
 * of a newcomer; they are of no more use.
 */
#include <string.h>

#include "base/wipe.h"
#include "http/api.h"
#include "svc/agent_inner.h"
#include "svc/api_json.h"

hf_err hf_agent_enrol_init(struct hf_agent *a, struct hf_errinfo *ei)
{
	const char *token = a->config.token;
	struct hf_token t;

	if (a->node->is_member)
		return HF_OK;
	if (token == NULL)
		return hf_fail(ei, HF_ERR_STATE,
			"%s: not a member of a domain; configure an enrolment token (hufu domain "
			"token)",
			a->node->dir);
	if (strlen(token) >= sizeof(a->token) || hf_token_parse(&t, token, strlen(token)) != HF_OK)
		return hf_fail(ei, HF_ERR_FORMAT, "token: not an enrolment token");
	if (strcmp(t.device, a->node->config.id) != 0 ||
		strcmp(t.role, hf_role_name(a->node->config.role)) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "token: for %s %s, this is %s %s", t.role,
			t.device, hf_role_name(a->node->config.role), a->node->config.id);
	memcpy(a->token, token, strlen(token) + 1);
	memcpy(a->root_ca, t.root_ca, sizeof(a->root_ca));
	return HF_OK;
}

/* Asks the hub. The requests are made anew each time: the keys stay the same. */
static hf_err enrol_ask(struct hf_agent *a, struct hf_errinfo *ei)
{
	struct agent_call call = { .what = "enrolment",
		.method = HF_HTTP_POST,
		.path = HF_API_ENROLL,
		.type = HF_TYPE_JSON,
		.answer_max = HF_API_ENROLLED_MAX };
	struct hf_buf sign_csr;
	struct hf_buf enc_csr;
	struct hf_buf self_signed;
	struct hf_buf body;
	unsigned source;
	hf_err e;

	if (a->enrol.state != ASK_FREE)
		return hf_agent_ask_run(&a->enrol, &call, ei);
	if (!hf_agent_control(a, &source))
		return HF_ERR_AGAIN;
	hf_buf_init(&sign_csr, a->mem, HF_CSR_DER_MAX);
	hf_buf_init(&enc_csr, a->mem, HF_CSR_DER_MAX);
	hf_buf_init(&self_signed, a->mem, HF_CERT_DER_MAX);
	hf_buf_init(&body, a->mem, HF_API_ENROLL_MAX);
	e = hf_key_newcomer(a->node->keys, &sign_csr, &enc_csr, &self_signed, ei);
	if (e == HF_OK)
		e = hf_api_enroll_emit(&body, a->token,
			(struct hf_bytes){ sign_csr.p, sign_csr.len },
			(struct hf_bytes){ enc_csr.p, enc_csr.len });
	if (e == HF_OK) {
		call.body = (struct hf_bytes){ body.p, body.len };
		e = hf_agent_ask_run(&a->enrol, &call, ei);
	}
	hf_buf_clear(&sign_csr);
	hf_buf_clear(&enc_csr);
	hf_buf_clear(&self_signed);
	hf_buf_clear(&body);
	return e;
}

static struct hf_bytes bytes_of(const struct hf_buf *b)
{
	return (struct hf_bytes){ b->p, b->len };
}

static hf_err enrol_take(struct hf_agent *a, struct hf_errinfo *ei)
{
	struct hf_api_enrolled in;
	hf_err e;

	hf_api_enrolled_init(&in, a->mem);
	e = hf_api_enrolled_parse(&in, bytes_of(&a->enrol.body), ei);
	if (e == HF_OK) {
		const struct hf_enrolled papers = { .sign_cert = bytes_of(&in.sign_cert),
			.enc_cert = bytes_of(&in.enc_cert),
			.issuing_ca = bytes_of(&in.issuing_ca),
			.root_ca = bytes_of(&in.root_ca),
			.hub_enc = bytes_of(&in.hub_enc),
			.root = bytes_of(&in.root) };

		e = hf_key_enrolled(a->node->keys, &papers, a->root_ca, ei);
	}
	if (e == HF_OK)
		e = hf_node_reload(a->node, ei);
	hf_api_enrolled_clear(&in);
	return e;
}

static void enrol_done(struct hf_agent *a)
{
	hf_wipe(a->token, sizeof(a->token));
	a->enrol_retry = (struct agent_retry){ 0 };
	a->err = HF_OK;
	a->why[0] = '\0';
	a->is_joining = true;
	a->is_due = true;
	for (size_t i = 0; i < a->config.n_sources; i++)
		a->sources[i].is_stale = a->sources[i].h != NULL;
}

/* The hub's word, which says no more than that; what the key process refuses, it records itself. */
static void enrol_refused(struct hf_agent *a, hf_err e, struct hf_errinfo *ei)
{
	const char *source = a->config.sources[a->enrol.source].name;
	const struct agent_note note = {
		.event = HF_EV_ENROL_REFUSED, .reason = e, .source = source, .trace = a->enrol.trace
	};
	struct hf_errinfo said = *ei;

	(void)!hf_agent_record(a, &note, NULL);
	ei->code = HF_OK;
	(void)hf_fail(ei, e, "%.64s: refuses the token: %.100s; the hub's audit log says why",
		source, said.text);
}

void hf_agent_enrol_run(struct hf_agent *a)
{
	struct hf_errinfo ei = { .code = HF_OK };
	hf_err e;

	if (a->now_ms < a->enrol_retry.at)
		return;
	e = enrol_ask(a, &ei);
	if (e == HF_ERR_AGAIN)
		return;
	if (e == HF_OK) {
		e = enrol_take(a, &ei);
	} else if (hf_agent_is_refusal(e)) {
		enrol_refused(a, e, &ei);
	}
	if (e == HF_OK) {
		hf_agent_ask_clear(&a->enrol);
		enrol_done(a);
		return;
	}
	if (hf_agent_ask_elsewhere(&a->enrol))
		return;
	a->err = e;
	hf_agent_why(a->why, &ei, e);
	hf_agent_retry_fail(a, &a->enrol_retry, e);
}

uint64_t hf_agent_enrol_deadline(const struct hf_agent *a)
{
	return a->enrol_retry.at > a->now_ms ? a->enrol_retry.at : UINT64_MAX;
}
