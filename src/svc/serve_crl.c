/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domain's revocation list, as a hub and an edge hand it on, and what it means for the links
 * that are open already.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "svc/crls.h"
#include "svc/serve_inner.h"

/* The number of the list that the asker has; 0: none, or it does not say. */
static uint64_t have_of(const struct hf_http_request *q)
{
	const char *text = hf_serve_field(q->head, HF_FIELD_HAVE);
	char *end = NULL;
	unsigned long long have;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	have = strtoull(text, &end, 10);
	return *end == '\0' ? have : 0;
}

void hf_serve_on_crl(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	const struct hf_serve *s = session->serve;
	struct hf_errinfo ei = { .code = HF_OK };
	const struct hf_crl *crl = NULL;
	struct serve_req r;

	hf_serve_req_init(&r, session, q);
	if (s->config.crls != NULL)
		crl = hf_crls_get(s->config.crls, &s->node->party.issuing_ca);
	if (crl == NULL)
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED,
			hf_fail(&ei, HF_ERR_NOT_FOUND, "there is no revocation list here yet"),
			&ei);
	else if (crl->number == have_of(q))
		hf_serve_reply(&r, 200, HF_TYPE_CRL, (struct hf_bytes){ 0 });
	else
		hf_serve_reply(&r, 200, HF_TYPE_CRL, crl->der);
}

hf_err hf_serve_check_revoked(
	const struct hf_serve *s, const struct hf_cert *cert, struct hf_errinfo *ei)
{
	if (s->config.crls == NULL)
		return HF_OK;
	return hf_crls_check(s->config.crls, cert, 0, hf_clock_wall_s(), ei);
}

static void sweep(struct hf_serve *s, struct hf_serve_session *const *bucket)
{
	struct hf_serve_session *session = *bucket;

	while (session != NULL) {
		const struct hf_serve_peer *peer = &session->peer;

		if (session->is_cut || peer->is_self_signed || peer->cut == NULL ||
			hf_serve_check_revoked(s, peer->cert, NULL) == HF_OK) {
			session = session->next;
			continue;
		}
		session->is_cut = true;
		peer->cut(peer->ctx); /* may end sessions: look from the front again */
		session = *bucket;
	}
}

void hf_serve_sweep(struct hf_serve *s)
{
	for (size_t i = 0; i < HF_COUNT(s->sessions); i++)
		sweep(s, &s->sessions[i]);
}
