/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of TLCP that a link leaves behind or takes up, the same for both ends. It is good for
 * links like the one that it comes from alone: the same certificates and roots of ours, the same
 * level, suite, host name and application protocol, and a peer whose certificates hold today. What
 * does not fit is not offered, and not taken up: the full handshake that follows says why.
 */
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "tls/resume.h"
#include "tls/tlcp_hs.h"

/* What a client asks for, which it knows before it is answered; what a server chose. */
static void bind_alpn(struct hf_sm3 *s, const struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;

	if (cfg->role == HF_TLS_SERVER && t->has_alpn)
		hf_tls_bind(s, hf_bytes_str(cfg->alpn[t->alpn]));
	if (cfg->role == HF_TLS_SERVER || !cfg->tlcp->extensions)
		return;
	for (size_t i = 0; i < cfg->n_alpn; i++)
		hf_tls_bind(s, hf_bytes_str(cfg->alpn[i]));
}

void hf_tlcp_bound(
	const struct hf_tls *t, const struct hf_tlcp_suite *suite, uint8_t out[HF_SM3_LEN])
{
	const struct hf_buf *name = t->cfg->role == HF_TLS_SERVER ? &t->sni : &t->tlcp->hs->name;
	uint8_t code[2];
	struct hf_sm3 s;

	hf_put_be16(code, suite->code);
	hf_sm3_init(&s);
	hf_tls_bind_config(&s, t->cfg);
	hf_tls_bind(&s, (struct hf_bytes){ code, sizeof(code) });
	hf_tls_bind(&s, (struct hf_bytes){ name->p, name->len });
	bind_alpn(&s, t);
	hf_sm3_done(&s, out);
}

static void list_of(struct hf_tlcp_cert_list *list, const struct hf_tlcp_session *s)
{
	list->n = s->n_certs;
	for (size_t i = 0; i < list->n; i++)
		list->der[i] = hf_tlcp_session_cert(s, i);
}

bool hf_tlcp_session_fits(struct hf_tls *t, const struct hf_tlcp_session *s)
{
	const struct hf_tlcp_suite *suite = hf_tlcp_suite_find(s->suite);
	struct hf_tlcp_cert_list list;
	uint8_t bound[HF_SM3_LEN];

	if (suite == NULL || s->protocol != HF_TLS_TLCP || s->level != t->cfg->level ||
		!hf_tlcp_can_resume(t) || !hf_tlcp_suite_is_on(t->cfg, suite) ||
		t->now_s < s->made_s ||
		t->now_s - s->made_s >= hf_policy(HF_ROW_TICKET_LIFE, t->cfg->level))
		return false;
	hf_tlcp_bound(t, suite, bound);
	if (memcmp(bound, s->bound, sizeof(bound)) != 0)
		return false;
	if (s->n_certs == 0)
		return t->cfg->role == HF_TLS_SERVER && !t->cfg->require_client_cert;
	list_of(&list, s);
	return hf_tlcp_peer_is_still_good(t, suite, &list);
}

hf_err hf_tlcp_session_take_up(struct hf_tls *t, const struct hf_tlcp_session *from)
{
	struct hf_tlcp_session *s = &t->tlcp->session;
	struct hf_tlcp_cert_list list;

	t->tlcp->suite = hf_tlcp_suite_find(from->suite);
	t->tlcp->is_resumed = true;
	s->id_len = from->id_len;
	memcpy(s->id, from->id, sizeof(s->id));
	memcpy(s->master, from->master, sizeof(s->master));
	memcpy(s->bound, from->bound, sizeof(s->bound));
	s->made_s = from->made_s;
	list_of(&list, from);
	return hf_tlcp_peer_take_again(t, &list);
}

bool hf_tlcp_session_describe(const struct hf_tls *t, struct hf_tlcp_session *out)
{
	*out = t->tlcp->session;
	out->protocol = HF_TLS_TLCP;
	out->suite = t->tlcp->suite->code;
	out->level = t->cfg->level;
	out->n_certs = t->n_peer;
	memcpy(out->cert_len, t->peer_len, sizeof(out->cert_len));
	out->der = t->peer_der.p;
	out->der_len = t->peer_der.len;
	/* Who let itself in by its own word says it again. */
	return out->id_len > 0 && hf_tlcp_can_resume(t) && !t->is_self_signed;
}
