/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's sessions, one a target: what a server gave last is offered to it the next time. A
 * server that does not take it goes through a full handshake; one with which the handshake fails is
 * not offered it again.
 */
#include "net/tunnel_inner.h"

void hf_tunnel_session_clear(struct tunnel_upstream *u)
{
	hf_tls_session_free(u->session);
	u->session = NULL;
	hf_tlcp_session_clear(&u->tlcp_session);
}

void hf_tunnel_session_offer(struct hf_tunnel_link *l, struct hf_tls_start *start)
{
	struct tunnel_upstream *u = &l->t->upstream[l->target];

	/* The link copies them: others may offer them, or put newer ones here, meanwhile. */
	start->session = u->session;
	start->tlcp_session = u->tlcp_session.id_len > 0 ? &u->tlcp_session : NULL;
	l->offers = start->session != NULL || start->tlcp_session != NULL;
}

void hf_tunnel_session_opened(struct hf_tunnel_link *l)
{
	struct tunnel_upstream *u = &l->t->upstream[l->target];
	struct hf_tlcp_session s;

	l->offers = false;
	if (hf_tlcp_session_get(&l->tls, &s) != HF_OK)
		return; /* not of TLCP, or the server gave none */
	hf_tlcp_session_clear(&u->tlcp_session);
	u->tlcp_session = s;
}

void hf_tunnel_session_keep(struct hf_tunnel_link *l)
{
	struct tunnel_upstream *u = &l->t->upstream[l->target];
	struct hf_tls_session *s = hf_tls_session_take(&l->tls);

	if (s == NULL)
		return;
	hf_tls_session_free(u->session);
	u->session = s;
}

void hf_tunnel_session_failed(struct hf_tunnel_link *l)
{
	if (l->state == TUNNEL_SHAKE && l->offers)
		hf_tunnel_session_clear(&l->t->upstream[l->target]);
	l->offers = false;
}
