/* SPDX-License-Identifier: Apache-2.0 */
/* ClientHello and ServerHello of TLCP (GB/T 38636-2020 6.4.5.2), with the extensions of GM/T
 * 0024-2023. */
#include "base/rd.h"
#include "tls/ext.h"
#include "tls/tlcp_msg.h"
#include "tls/tlcp_record.h"

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

static hf_err client_ext(struct hf_tlcp_client_hello *h, uint16_t type, struct hf_reader *data)
{
	switch (type) {
	case HF_TLS_EXT_SERVER_NAME: return hf_tls_server_name_parse(&h->name, data);
	case HF_TLS_EXT_ALPN: h->has_alpn = true; return hf_tls_alpn_parse(&h->alpn, data);
	default: return HF_OK; /* what a server does not know it ignores */
	}
}

hf_err hf_tlcp_client_hello_parse(struct hf_tlcp_client_hello *out, const uint8_t *in, size_t len)
{
	struct hf_tlcp_client_hello h = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { 0 };
	struct hf_bytes compression;
	hf_err e = HF_OK;

	h.version = hf_rd_u16(&r);
	h.random = hf_rd_take(&r, HF_TLS_RANDOM_LEN);
	h.session = take(&r, hf_rd_u8(&r));
	h.suites = take(&r, hf_rd_u16(&r));
	compression = take(&r, hf_rd_u8(&r));
	if (r.left > 0) /* before GM/T 0024-2023 there were none */
		w.list = hf_rd_sub(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));
	if (h.session.len > HF_TLS_SESSION_MAX || compression.len == 0 || h.suites.len < 2 ||
		h.suites.len % 2 != 0)
		return HF_ERR_FORMAT;
	for (size_t i = 0; i < compression.len; i++)
		h.has_null |= compression.p[i] == 0;

	while (e == HF_OK && hf_tls_ext_next(&w))
		e = client_ext(&h, w.type, &w.data);
	HF_TRY(e);
	HF_TRY(w.err);

	*out = h;
	return HF_OK;
}

static size_t ext_open(struct hf_writer *w, enum hf_tls_ext type)
{
	hf_wr_u16(w, (uint16_t)type);
	return hf_wr_open(w, 2);
}

static void put_name(struct hf_writer *w, struct hf_bytes name)
{
	size_t ext = ext_open(w, HF_TLS_EXT_SERVER_NAME);
	size_t list = hf_wr_open(w, 2);

	hf_wr_u8(w, 0); /* host_name */
	hf_wr_u16(w, (uint16_t)name.len);
	hf_wr_put(w, name.p, name.len);
	hf_wr_close(w, list, 2);
	hf_wr_close(w, ext, 2);
}

static void put_alpn(struct hf_writer *w, const char *const *alpn, size_t n)
{
	size_t ext = ext_open(w, HF_TLS_EXT_ALPN);
	size_t list = hf_wr_open(w, 2);

	for (size_t i = 0; i < n; i++) {
		size_t name = hf_wr_open(w, 1);

		hf_wr_str(w, alpn[i]);
		hf_wr_close(w, name, 1);
	}
	hf_wr_close(w, list, 2);
	hf_wr_close(w, ext, 2);
}

void hf_tlcp_client_hello_emit(struct hf_writer *w, const struct hf_tlcp_hello_spec *spec)
{
	size_t body, all;

	hf_wr_u8(w, HF_TLS_MSG_CLIENT_HELLO);
	body = hf_wr_open(w, 3);
	hf_wr_u16(w, HF_TLCP_VERSION);
	hf_wr_put(w, spec->random, HF_TLS_RANDOM_LEN);
	hf_wr_u8(w, (uint8_t)spec->session.len);
	hf_wr_put(w, spec->session.p, spec->session.len);
	hf_wr_u16(w, (uint16_t)(2 * spec->n_suites));
	for (size_t i = 0; i < spec->n_suites; i++)
		hf_wr_u16(w, spec->suites[i]);
	hf_wr_u8(w, 1); /* compression: null only */
	hf_wr_u8(w, 0);
	if (spec->name.len > 0 || spec->n_alpn > 0) {
		all = hf_wr_open(w, 2);
		if (spec->name.len > 0)
			put_name(w, spec->name);
		if (spec->n_alpn > 0)
			put_alpn(w, spec->alpn, spec->n_alpn);
		hf_wr_close(w, all, 2);
	}
	hf_wr_close(w, body, 3);
}

/* RFC 7301 3.1: the answer is a list of exactly one name. */
static hf_err alpn_answer(struct hf_tlcp_server_hello *h, struct hf_reader *data)
{
	struct hf_bytes list = { 0 };

	HF_TRY(hf_tls_alpn_parse(&list, data));
	if ((size_t)list.p[0] + 1 != list.len)
		return HF_ERR_FORMAT;
	h->has_alpn = true;
	h->alpn = (struct hf_bytes){ list.p + 1, list.len - 1 };
	return HF_OK;
}

hf_err hf_tlcp_server_hello_parse(struct hf_tlcp_server_hello *out, const uint8_t *in, size_t len)
{
	struct hf_tlcp_server_hello h = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { 0 };
	hf_err e = HF_OK;

	h.version = hf_rd_u16(&r);
	h.random = hf_rd_take(&r, HF_TLS_RANDOM_LEN);
	h.session = take(&r, hf_rd_u8(&r));
	h.suite = hf_rd_u16(&r);
	h.compression = hf_rd_u8(&r);
	if (r.left > 0)
		w.list = hf_rd_sub(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));
	if (h.session.len > HF_TLS_SESSION_MAX)
		return HF_ERR_FORMAT;
	while (e == HF_OK && hf_tls_ext_next(&w)) {
		/* Servers in the field answer what nobody asked; it changes nothing. */
		if (w.type == HF_TLS_EXT_ALPN)
			e = alpn_answer(&h, &w.data);
	}
	HF_TRY(e);
	HF_TRY(w.err);

	*out = h;
	return HF_OK;
}

void hf_tlcp_server_hello_emit(struct hf_writer *w, const uint8_t random[HF_TLS_RANDOM_LEN],
	struct hf_bytes session, uint16_t suite, const char *alpn)
{
	size_t body, all;

	hf_wr_u8(w, HF_TLS_MSG_SERVER_HELLO);
	body = hf_wr_open(w, 3);
	hf_wr_u16(w, HF_TLCP_VERSION);
	hf_wr_put(w, random, HF_TLS_RANDOM_LEN);
	hf_wr_u8(w, (uint8_t)session.len);
	hf_wr_put(w, session.p, session.len);
	hf_wr_u16(w, suite);
	hf_wr_u8(w, 0);
	if (alpn != NULL) {
		all = hf_wr_open(w, 2);
		put_alpn(w, &alpn, 1);
		hf_wr_close(w, all, 2);
	}
	hf_wr_close(w, body, 3);
}
