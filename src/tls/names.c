/* SPDX-License-Identifier: Apache-2.0 */
/* The names that hellos carry, in both protocols: the host that is asked for, and ALPN. */
#include "tls/ext.h"
#include "tls/hs.h"

hf_err hf_tls_keep_sni(struct hf_tls *t, struct hf_bytes name)
{
	if (name.len == 0)
		return HF_OK;
	HF_TRY(hf_buf_put(&t->sni, name.p, name.len));
	return hf_buf_put(&t->sni, "", 1);
}

/* RFC 7301 3.2: our order decides; offered names without a common one end the handshake. */
hf_err hf_tls_choose_alpn(struct hf_tls *t, struct hf_bytes list)
{
	if (t->cfg->n_alpn == 0)
		return HF_OK;
	for (size_t i = 0; i < t->cfg->n_alpn; i++) {
		if (hf_tls_alpn_has(list, hf_bytes_str(t->cfg->alpn[i]))) {
			t->has_alpn = true;
			t->alpn = (uint8_t)i;
			return HF_OK;
		}
	}
	return hf_tls_die(t, HF_ALERT_NO_APPLICATION_PROTOCOL,
		hf_fail(&t->why, HF_ERR_UNSUPPORTED, "no application protocol in common"));
}

hf_err hf_tls_accept_alpn(struct hf_tls *t, struct hf_bytes name)
{
	for (size_t i = 0; i < t->cfg->n_alpn && !t->has_alpn; i++) {
		t->has_alpn = hf_bytes_eq(name, hf_bytes_str(t->cfg->alpn[i]));
		t->alpn = (uint8_t)i;
	}
	if (!t->has_alpn)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server chose an application protocol that was not offered"));
	return HF_OK;
}
