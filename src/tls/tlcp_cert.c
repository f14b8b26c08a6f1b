/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate and CertificateRequest of TLCP: two certificates a party, one that signs and comes
 * first, one that encrypts and may stand anywhere behind it (GB/T 38636-2020 6.4.5.3, GM/T 0015).
 * Both are checked to a root, each for its own purpose.
 */
#include <string.h>

#include "tls/tlcp_hs.h"

hf_err hf_tlcp_send_chain(struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_bytes der[HF_CHAIN_MAX];
	struct hf_writer w = { 0 };
	struct hf_cert enc;
	size_t n = 0;
	hf_err e;

	for (size_t i = 0; i < cfg->n_chain; i++) {
		der[n++] = cfg->chain[i];
		if (i == 0 && cfg->tlcp->enc_key != NULL)
			der[n++] = cfg->tlcp->enc_cert;
	}
	if (n > 1 && cfg->tlcp->enc_key != NULL) {
		HF_TRY(hf_cert_parse(&enc, der[1].p, der[1].len, &t->why));
		if (memcmp(&enc.key, &cfg->tlcp->enc_key->pub, sizeof(enc.key)) != 0)
			return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
				hf_fail(&t->why, HF_ERR_ARG,
					"own encryption certificate is not that of the key"));
	}

	w.cap = hf_tlcp_cert_list_len(der, n);
	w.p = hf_mem_new(cfg->mem, w.cap);
	if (w.p == NULL)
		return HF_ERR_NO_MEMORY;
	hf_tlcp_cert_list_emit(&w, der, n);
	e = hf_wr_done(&w);
	if (e == HF_OK)
		e = hf_tlcp_send_msg(t, w.p, w.len);
	hf_mem_free(cfg->mem, w.p);
	return e;
}

hf_err hf_tlcp_send_request(struct hf_tls *t)
{
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	hf_tlcp_cert_request_emit(&w, t->cfg->roots, t->cfg->n_roots);
	HF_TRY(hf_wr_done(&w));
	return hf_tlcp_send_msg(t, msg, w.len);
}

/* The place of the encryption certificate; 0: none. */
static size_t find_enc(const struct hf_tls_presented *p)
{
	for (size_t i = 1; i < p->n; i++) {
		const struct hf_cert *c = &p->cert[i];

		if (!c->is_ca && c->has_key_usage && (c->key_usage & HF_KU_ENCRYPT) != 0 &&
			(c->key_usage & HF_KU_DIGITAL_SIGNATURE) == 0)
			return i;
	}
	return 0;
}

/* The two certificates are of one party, and their keys of different use. NULL: no fault. */
static const char *two_fault(
	const struct hf_tls *t, const struct hf_cert *sign, const struct hf_cert *enc)
{
	if (memcmp(&sign->key, &enc->key, sizeof(enc->key)) == 0)
		return "peer signs and encrypts with the same key";
	if (!hf_bytes_eq(sign->subject, enc->subject) && !t->cfg->tlcp->any_subject)
		return "peer's encryption certificate is of another subject";
	return NULL;
}

/* Both are believed by now: are they of one party? NULL: no fault. */
static const char *party_fault(
	const struct hf_tls *t, const struct hf_cert *sign, const struct hf_cert *enc)
{
	const struct hf_identity *a = &sign->identity;
	const struct hf_identity *b = &enc->identity;
	bool is_one = true;

	if (sign->has_identity && enc->has_identity)
		is_one = a->role == b->role && a->level == b->level &&
			 strcmp(a->domain, b->domain) == 0 && strcmp(a->id, b->id) == 0;
	if (t->cfg->tlcp->any_subject || (is_one && hf_bytes_eq(sign->issuer, enc->issuer)))
		return NULL;
	return "peer's encryption certificate is of another party or another CA";
}

/* A server always has one: it decrypts with it, or agrees on a key. */
static const char *lack_fault(const struct hf_tls *t, const struct hf_tlcp_suite *suite)
{
	if (t->cfg->role == HF_TLS_SERVER && !suite->kx->is_ephemeral)
		return NULL;
	return "peer shows no encryption certificate";
}

static hf_err refuse_for(struct hf_tls *t, const char *fault)
{
	if (fault == NULL)
		return HF_OK;
	return hf_tls_die(
		t, HF_ALERT_BAD_CERTIFICATE, hf_fail(&t->why, HF_ERR_DENIED, "%s", fault));
}

void hf_tlcp_ask_chain(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_cert_list list;
	struct hf_tls_presented p;
	size_t at;

	if (hf_tlcp_cert_list_parse(&list, m->body, m->len) != HF_OK ||
		!hf_tls_peer_read(&p, list.der, list.n))
		return;
	hf_tls_peer_ask(t, &p, 0);
	at = find_enc(&p);
	if (at != 0)
		hf_tls_peer_ask(t, &p, at);
}

hf_err hf_tlcp_take_chain(struct hf_tls *t, const struct hf_tlcp_cert_list *list)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	const char *name = hs->name.len > 0 ? (const char *)hs->name.p : NULL;
	struct hf_tls_presented p;
	struct hf_bytes enc;
	size_t at;

	HF_TRY(hf_tls_peer_parse(t, &p, list->der, list->n));
	HF_TRY(hf_tls_peer_check(t, &p, name));
	at = find_enc(&p);
	if (at == 0) {
		HF_TRY(refuse_for(t, lack_fault(t, t->tlcp->suite)));
		return hf_tls_peer_keep(t, &p);
	}
	HF_TRY(refuse_for(t, two_fault(t, &p.cert[0], &p.cert[at])));
	HF_TRY(hf_tls_peer_check_enc(t, &p, at));
	HF_TRY(refuse_for(t, party_fault(t, &p.cert[0], &p.cert[at])));
	HF_TRY(hf_tls_peer_keep(t, &p));
	enc = hf_tls_peer_der(t, at);
	HF_TRY(hf_cert_parse(&hs->peer_enc, enc.p, enc.len, &t->why));
	hs->has_peer_enc = true;
	return HF_OK;
}

bool hf_tlcp_peer_is_still_good(
	struct hf_tls *t, const struct hf_tlcp_suite *suite, const struct hf_tlcp_cert_list *list)
{
	const struct hf_buf *name = &t->tlcp->hs->name;
	struct hf_tls_presented p;
	size_t at;

	if (!hf_tls_peer_reparse(&p, list->der, list->n) ||
		!hf_tls_peer_is_good(t, &p, name->len > 0 ? (const char *)name->p : NULL))
		return false;
	at = find_enc(&p);
	if (at == 0)
		return lack_fault(t, suite) == NULL;
	return two_fault(t, &p.cert[0], &p.cert[at]) == NULL &&
	       hf_tls_peer_enc_is_good(t, &p, at) &&
	       party_fault(t, &p.cert[0], &p.cert[at]) == NULL;
}

hf_err hf_tlcp_peer_take_again(struct hf_tls *t, const struct hf_tlcp_cert_list *list)
{
	struct hf_tls_presented p;

	if (list->n == 0)
		return HF_OK;
	return hf_tls_peer_reparse(&p, list->der, list->n) ? hf_tls_peer_keep(t, &p)
							   : HF_ERR_INTERNAL;
}
