/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys, what both ends do with them: binders, and what of a link may be resumed. */
#include <string.h>

#include "base/wipe.h"
#include "tls/hs.h"
#include "tls/keysched.h"
#include "tls/peer.h"
#include "tls/resume.h"

enum { CERTS_LEN_MAX = 4096 }; /* of a chain that goes into a ticket */

/* RFC 8446 4.2.11.2: a Finished over what came before the binders, a retry included. */
hf_err hf_tls_binder(const struct hf_tls *t, uint8_t out[HF_SM3_LEN],
	const uint8_t early[HF_SM3_LEN], bool is_external, struct hf_bytes hello)
{
	struct hf_sm3 fork = t->hs->transcript;
	uint8_t hash[HF_SM3_LEN];
	uint8_t key[HF_SM3_LEN];
	hf_err e;

	hf_sm3_feed(&fork, hello.p, hello.len);
	hf_sm3_done(&fork, hash);
	e = hf_tls_binder_key(key, early, is_external);
	if (e == HF_OK)
		e = hf_tls_finished(out, key, hash);
	hf_wipe(key, sizeof(key));
	return e;
}

static bool is_root(const struct hf_tls *t, struct hf_bytes der)
{
	for (size_t i = 0; i < t->cfg->n_roots; i++) {
		if (hf_bytes_eq(der, t->cfg->roots[i].der))
			return true;
	}
	return false;
}

/* What is needed to check the peer again; a root that we have ourselves need not travel. */
static bool describe_peer(const struct hf_tls *t, struct hf_tls_resume *r)
{
	size_t len = 0;

	for (size_t i = 0; i < t->n_peer; i++) {
		struct hf_bytes der = hf_tls_peer_der(t, i);

		if (t->cfg->root_pin == NULL && is_root(t, der))
			continue;
		r->cert[r->n_certs++] = der;
		len += der.len;
	}
	return len <= CERTS_LEN_MAX && (r->n_certs > 0 || t->cfg->role == HF_TLS_SERVER);
}

bool hf_tls_describe(const struct hf_tls *t, struct hf_tls_resume *r)
{
	const char *alpn = hf_tls_alpn(t);

	*r = (struct hf_tls_resume){
		.suite = t->tx.suite->number,
		.level = t->cfg->level,
		.life_s = (uint32_t)hf_policy(HF_ROW_TICKET_LIFE, t->cfg->level),
		.made_s = hf_tls_wall_s(t),
		.first_s = t->first_s,
	};
	if (t->sni.len > 0)
		r->name = (struct hf_bytes){ t->sni.p, t->sni.len - 1 };
	if (alpn != NULL)
		r->alpn = hf_bytes_str(alpn);
	/* Who let itself in by its own word says it again, and a given key costs nothing to use. */
	return !t->is_self_signed && t->psk == 0 && describe_peer(t, r);
}

bool hf_tls_peer_is_still_good(struct hf_tls *t, const struct hf_tls_resume *r)
{
	const struct hf_buf *name = &t->hs->name;
	struct hf_tls_presented p;

	return hf_tls_peer_reparse(&p, r->cert, r->n_certs) &&
	       hf_tls_peer_is_good(t, &p, name->len > 0 ? (const char *)name->p : NULL);
}

hf_err hf_tls_peer_take_again(struct hf_tls *t, const struct hf_tls_resume *r)
{
	struct hf_tls_presented p;

	if (r->n_certs == 0)
		return HF_OK;
	return hf_tls_peer_reparse(&p, r->cert, r->n_certs) ? hf_tls_peer_keep(t, &p)
							    : HF_ERR_INTERNAL;
}
