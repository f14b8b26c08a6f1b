/* SPDX-License-Identifier: Apache-2.0 */
/* The messages after the hellos: EncryptedExtensions, Certificate and its companions, KeyUpdate. */
#include "tls/msg.h"

#include "base/rd.h"
#include "tls/ext.h"

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

/* RFC 7301 3.1: the answer is a list of exactly one name. */
static hf_err alpn_answer(struct hf_tls_ee *out, struct hf_reader *r)
{
	struct hf_reader list = hf_rd_sub(r, hf_rd_u16(r));

	out->has_alpn = true;
	out->alpn = take(&list, hf_rd_u8(&list));
	HF_TRY(hf_rd_done(r));
	HF_TRY(hf_rd_done(&list));
	return out->alpn.len == 0 ? HF_ERR_FORMAT : HF_OK;
}

static hf_err ee_ext(struct hf_tls_ee *out, uint16_t type, struct hf_reader *data)
{
	bool has = false;

	switch (type) {
	case HF_TLS_EXT_SERVER_NAME: out->has_name = true; return hf_rd_done(data);
	case HF_TLS_EXT_GROUPS: return hf_tls_list16_has(&has, data, HF_TLS_CURVE_SM2);
	case HF_TLS_EXT_ALPN: return alpn_answer(out, data);
	case HF_TLS_EXT_RECORD_LIMIT:
		out->has_limit = true;
		out->limit = hf_rd_u16(data);
		return hf_rd_done(data);
	case HF_TLS_EXT_SIG_ALGS:
	case HF_TLS_EXT_VERSIONS:
	case HF_TLS_EXT_COOKIE:
	case HF_TLS_EXT_PSK_MODES:
	case HF_TLS_EXT_PSK:
	case HF_TLS_EXT_KEY_SHARE: out->has_misplaced = true; return HF_OK;
	default: out->has_other = true; return HF_OK;
	}
}

hf_err hf_tls_ee_parse(struct hf_tls_ee *out, const uint8_t *in, size_t len)
{
	struct hf_tls_ee ee = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { .list = hf_rd_sub(&r, hf_rd_u16(&r)) };
	hf_err e = HF_OK;

	HF_TRY(hf_rd_done(&r));
	while (e == HF_OK && hf_tls_ext_next(&w))
		e = ee_ext(&ee, w.type, &w.data);
	HF_TRY(e);
	HF_TRY(w.err);

	*out = ee;
	return HF_OK;
}

void hf_tls_ee_emit(struct hf_writer *w, const char *alpn, uint16_t limit)
{
	size_t body, all, ext, list, name;

	hf_wr_u8(w, HF_TLS_MSG_EE);
	body = hf_wr_open(w, 3);
	all = hf_wr_open(w, 2);
	if (alpn != NULL) {
		hf_wr_u16(w, HF_TLS_EXT_ALPN);
		ext = hf_wr_open(w, 2);
		list = hf_wr_open(w, 2);
		name = hf_wr_open(w, 1);
		hf_wr_str(w, alpn);
		hf_wr_close(w, name, 1);
		hf_wr_close(w, list, 2);
		hf_wr_close(w, ext, 2);
	}
	if (limit != 0) {
		hf_wr_u16(w, HF_TLS_EXT_RECORD_LIMIT);
		hf_wr_u16(w, 2);
		hf_wr_u16(w, limit);
	}
	hf_wr_close(w, all, 2);
	hf_wr_close(w, body, 3);
}

hf_err hf_tls_cert_request_parse(struct hf_tls_cert_request *out, const uint8_t *in, size_t len)
{
	struct hf_tls_cert_request cr = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { 0 };
	hf_err e = HF_OK;

	cr.context = take(&r, hf_rd_u8(&r));
	w.list = hf_rd_sub(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));
	while (e == HF_OK && hf_tls_ext_next(&w)) {
		if (w.type == HF_TLS_EXT_STATUS) {
			cr.asks_status = true; /* RFC 8446 4.4.2.1: empty */
			e = hf_rd_done(&w.data);
		}
		if (w.type != HF_TLS_EXT_SIG_ALGS)
			continue; /* RFC 8446 4.3.2: what a client does not know it ignores */
		cr.has_sigs = true;
		e = hf_tls_list16_has(&cr.has_sm2sig, &w.data, HF_TLS_SM2SIG_SM3);
	}
	HF_TRY(e);
	HF_TRY(w.err);

	*out = cr;
	return HF_OK;
}

void hf_tls_cert_request_emit(struct hf_writer *w, bool ask_status)
{
	size_t body, all;

	hf_wr_u8(w, HF_TLS_MSG_CERT_REQUEST);
	body = hf_wr_open(w, 3);
	hf_wr_u8(w, 0); /* context: empty in the handshake */
	all = hf_wr_open(w, 2);
	hf_wr_u16(w, HF_TLS_EXT_SIG_ALGS);
	hf_wr_u16(w, 4);
	hf_wr_u16(w, 2);
	hf_wr_u16(w, HF_TLS_SM2SIG_SM3); /* RFC 8998 3.2.1: this one alone */
	if (ask_status)
		hf_tls_status_ask_emit(w, false);
	hf_wr_close(w, all, 2);
	hf_wr_close(w, body, 3);
}

/* RFC 8446 4.4.2: the extensions of the entry that is next. */
static hf_err entry_exts(struct hf_tls_cert_list *c, struct hf_reader list)
{
	struct hf_tls_ext_walk w = { .list = list };
	hf_err e = HF_OK;

	while (e == HF_OK && hf_tls_ext_next(&w)) {
		if (w.type == HF_TLS_EXT_STATUS) {
			c->has_staple = true;
			e = hf_tls_status_parse(&c->staple[c->n], &w.data);
		} else {
			c->has_other = true;
		}
	}
	return e != HF_OK ? e : w.err;
}

hf_err hf_tls_cert_list_parse(struct hf_tls_cert_list *out, const uint8_t *in, size_t len)
{
	struct hf_tls_cert_list c = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_reader list;

	c.context = take(&r, hf_rd_u8(&r));
	list = hf_rd_sub(&r, hf_rd_u24(&r));
	HF_TRY(hf_rd_done(&r));
	while (list.left > 0) {
		struct hf_bytes der = take(&list, hf_rd_u24(&list));
		struct hf_reader exts = hf_rd_sub(&list, hf_rd_u16(&list));

		if (list.is_short)
			return HF_ERR_TRUNCATED;
		if (der.len == 0)
			return HF_ERR_FORMAT;
		if (c.n == HF_CHAIN_MAX)
			return HF_ERR_LIMIT;
		HF_TRY(entry_exts(&c, exts));
		c.der[c.n++] = der;
	}

	*out = c;
	return HF_OK;
}

size_t hf_tls_cert_list_len(const struct hf_bytes *der, const struct hf_bytes *staples, size_t n)
{
	size_t len = HF_TLS_MSG_HEAD_LEN + 1 + 3;

	for (size_t i = 0; i < n; i++)
		len += 3 + der[i].len + 2 + (staples == NULL ? 0 : hf_tls_status_len(staples[i]));
	return len;
}

void hf_tls_cert_list_emit(
	struct hf_writer *w, const struct hf_bytes *der, const struct hf_bytes *staples, size_t n)
{
	size_t body, list, exts;

	hf_wr_u8(w, HF_TLS_MSG_CERTIFICATE);
	body = hf_wr_open(w, 3);
	hf_wr_u8(w, 0);
	list = hf_wr_open(w, 3);
	for (size_t i = 0; i < n; i++) {
		hf_wr_u24(w, (uint32_t)der[i].len);
		hf_wr_put(w, der[i].p, der[i].len);
		exts = hf_wr_open(w, 2);
		if (staples != NULL)
			hf_tls_status_emit(w, staples[i]);
		hf_wr_close(w, exts, 2);
	}
	hf_wr_close(w, list, 3);
	hf_wr_close(w, body, 3);
}

hf_err hf_tls_cert_verify_parse(struct hf_tls_cert_verify *out, const uint8_t *in, size_t len)
{
	struct hf_tls_cert_verify v = { 0 };
	struct hf_reader r = { .p = in, .left = len };

	v.scheme = hf_rd_u16(&r);
	v.sig = take(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));

	*out = v;
	return HF_OK;
}

void hf_tls_cert_verify_emit(struct hf_writer *w, const struct hf_sm2_sig *sig)
{
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = hf_sm2_sig_emit_der(der, sig);
	size_t body;

	hf_wr_u8(w, HF_TLS_MSG_CERT_VERIFY);
	body = hf_wr_open(w, 3);
	hf_wr_u16(w, HF_TLS_SM2SIG_SM3);
	hf_wr_u16(w, (uint16_t)der_len);
	hf_wr_put(w, der, der_len);
	hf_wr_close(w, body, 3);
}

hf_err hf_tls_key_update_parse(bool *ask, const uint8_t *in, size_t len)
{
	struct hf_reader r = { .p = in, .left = len };
	uint8_t v = hf_rd_u8(&r);

	HF_TRY(hf_rd_done(&r));
	if (v > 1)
		return HF_ERR_UNSUPPORTED; /* RFC 8446 4.6.3: illegal_parameter */
	*ask = v == 1;
	return HF_OK;
}

void hf_tls_key_update_emit(struct hf_writer *w, bool ask)
{
	hf_wr_u8(w, HF_TLS_MSG_KEY_UPDATE);
	hf_wr_u24(w, 1);
	hf_wr_u8(w, ask ? 1 : 0);
}
