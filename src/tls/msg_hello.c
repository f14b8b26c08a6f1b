/* SPDX-License-Identifier: Apache-2.0 */
/* ClientHello, ServerHello and HelloRetryRequest (RFC 8446 4.1), and the extensions in them. */
#include "tls/msg.h"

#include <string.h>

#include "base/rd.h"
#include "tls/ext.h"
#include "tls/record.h"

const uint8_t hf_tls_retry_random[HF_TLS_RANDOM_LEN] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61,
	0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

/* RFC 8446 4.2.8: entries of group and point, no group twice; only curveSM2 interests us. */
static hf_err key_shares(struct hf_tls_client_hello *h, struct hf_reader *r)
{
	struct hf_reader list = hf_rd_sub(r, hf_rd_u16(r));

	HF_TRY(hf_rd_done(r));
	while (list.left > 0) {
		uint16_t group = hf_rd_u16(&list);
		struct hf_bytes point = take(&list, hf_rd_u16(&list));

		if (list.is_short || point.len == 0)
			return HF_ERR_FORMAT;
		if (group != HF_TLS_CURVE_SM2)
			continue;
		if (h->share.len > 0)
			return HF_ERR_FORMAT;
		h->share = point;
	}
	h->has_shares = true;
	return HF_OK;
}

static hf_err versions(struct hf_tls_client_hello *h, struct hf_reader *r)
{
	struct hf_reader list = hf_rd_sub(r, hf_rd_u8(r));

	HF_TRY(hf_rd_done(r));
	if (list.left == 0 || list.left % 2 != 0)
		return HF_ERR_FORMAT;
	while (list.left > 0)
		h->has_13 |= hf_rd_u16(&list) == HF_TLS_VERSION_13;
	h->has_versions = true;
	return HF_OK;
}

static hf_err cookie(struct hf_bytes *out, struct hf_reader *r)
{
	struct hf_bytes c = take(r, hf_rd_u16(r));

	HF_TRY(hf_rd_done(r));
	if (c.len == 0)
		return HF_ERR_FORMAT;
	*out = c;
	return HF_OK;
}

static hf_err client_ext(struct hf_tls_client_hello *h, uint16_t type, struct hf_reader *data)
{
	switch (type) {
	case HF_TLS_EXT_SERVER_NAME: return hf_tls_server_name_parse(&h->name, data);
	case HF_TLS_EXT_STATUS: return hf_tls_status_ask_parse(&h->asks_status, data);
	case HF_TLS_EXT_GROUPS:
		h->has_groups = true;
		return hf_tls_list16_has(&h->has_sm2, data, HF_TLS_CURVE_SM2);
	case HF_TLS_EXT_SIG_ALGS:
		h->has_sigs = true;
		return hf_tls_list16_has(&h->has_sm2sig, data, HF_TLS_SM2SIG_SM3);
	case HF_TLS_EXT_ALPN: h->has_alpn = true; return hf_tls_alpn_parse(&h->alpn, data);
	case HF_TLS_EXT_VERSIONS: return versions(h, data);
	case HF_TLS_EXT_COOKIE: h->has_cookie = true; return cookie(&h->cookie, data);
	case HF_TLS_EXT_KEY_SHARE: return key_shares(h, data);
	case HF_TLS_EXT_RECORD_LIMIT:
		h->has_limit = true;
		h->limit = hf_rd_u16(data);
		return hf_rd_done(data);
	case HF_TLS_EXT_EARLY_DATA: h->has_early = true; return hf_rd_done(data);
	case HF_TLS_EXT_PSK_MODES: return hf_tls_modes_parse(h, data);
	case HF_TLS_EXT_PSK: return hf_tls_psk_parse(h, data);
	default: return HF_OK; /* RFC 8446 4.1.2: what a server does not know it ignores */
	}
}

static hf_err suites(unsigned *set, struct hf_reader list)
{
	unsigned found = 0;

	if (list.left < 2 || list.left % 2 != 0)
		return HF_ERR_FORMAT;
	while (list.left > 0) {
		const struct hf_tls_suite *s = hf_tls_suite_of(hf_rd_u16(&list));

		found |= s == NULL ? 0 : s->bit;
	}
	*set = found;
	return HF_OK;
}

hf_err hf_tls_client_hello_parse(struct hf_tls_client_hello *out, const uint8_t *in, size_t len)
{
	struct hf_tls_client_hello h = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { 0 };
	struct hf_reader suite_list;
	struct hf_bytes compression;
	hf_err e = HF_OK;

	(void)hf_rd_u16(&r); /* legacy_version; supported_versions decides (RFC 8446 4.2.1) */
	h.random = hf_rd_take(&r, HF_TLS_RANDOM_LEN);
	h.session = take(&r, hf_rd_u8(&r));
	suite_list = hf_rd_sub(&r, hf_rd_u16(&r));
	compression = take(&r, hf_rd_u8(&r));
	h.fixed = (struct hf_bytes){ in, len - r.left };
	if (r.left > 0) /* before TLS 1.2, extensions could be missing altogether */
		w.list = hf_rd_sub(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));
	if (h.session.len > HF_TLS_SESSION_MAX || compression.len == 0)
		return HF_ERR_FORMAT;
	HF_TRY(suites(&h.suites, suite_list));
	h.has_null_only = compression.len == 1 && compression.p[0] == 0;

	while (e == HF_OK && hf_tls_ext_next(&w)) {
		/* RFC 8446 4.2.11: pre_shared_key is the last one. */
		h.is_psk_misplaced |= w.type == HF_TLS_EXT_PSK && w.list.left > 0;
		e = client_ext(&h, w.type, &w.data);
	}
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

static void ext_close(struct hf_writer *w, size_t mark)
{
	hf_wr_close(w, mark, 2);
}

static void put_share(struct hf_writer *w, const struct hf_sm2_pub *pub)
{
	uint8_t point[HF_SM2_POINT_LEN];

	hf_sm2_pub_emit(point, pub);
	hf_wr_u16(w, HF_TLS_CURVE_SM2);
	hf_wr_u16(w, sizeof(point));
	hf_wr_put(w, point, sizeof(point));
}

static void put_cookie(struct hf_writer *w, struct hf_bytes c)
{
	size_t ext;

	if (c.len == 0)
		return;
	ext = ext_open(w, HF_TLS_EXT_COOKIE);
	hf_wr_u16(w, (uint16_t)c.len);
	hf_wr_put(w, c.p, c.len);
	ext_close(w, ext);
}

static void put_names(struct hf_writer *w, const struct hf_tls_hello_spec *spec)
{
	size_t ext = ext_open(w, HF_TLS_EXT_SERVER_NAME);
	size_t list = hf_wr_open(w, 2);

	hf_wr_u8(w, 0); /* host_name */
	hf_wr_u16(w, (uint16_t)spec->name.len);
	hf_wr_put(w, spec->name.p, spec->name.len);
	hf_wr_close(w, list, 2);
	ext_close(w, ext);
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
	ext_close(w, ext);
}

static void put_list16(struct hf_writer *w, enum hf_tls_ext type, uint16_t value)
{
	size_t ext = ext_open(w, type);

	hf_wr_u16(w, 2);
	hf_wr_u16(w, value);
	ext_close(w, ext);
}

static void put_limit(struct hf_writer *w, uint16_t limit)
{
	size_t ext;

	if (limit == 0)
		return;
	ext = ext_open(w, HF_TLS_EXT_RECORD_LIMIT);
	hf_wr_u16(w, limit);
	ext_close(w, ext);
}

static void put_shares(struct hf_writer *w, const struct hf_sm2_pub *share)
{
	size_t ext = ext_open(w, HF_TLS_EXT_KEY_SHARE);
	size_t list = hf_wr_open(w, 2);

	if (share != NULL)
		put_share(w, share);
	hf_wr_close(w, list, 2);
	ext_close(w, ext);
}

void hf_tls_client_hello_emit(struct hf_writer *w, const struct hf_tls_hello_spec *spec)
{
	size_t body, list, all, ext;

	hf_wr_u8(w, HF_TLS_MSG_CLIENT_HELLO);
	body = hf_wr_open(w, 3);
	hf_wr_u16(w, 0x0303);
	hf_wr_put(w, spec->random, HF_TLS_RANDOM_LEN);
	hf_wr_u8(w, (uint8_t)spec->session.len);
	hf_wr_put(w, spec->session.p, spec->session.len);
	list = hf_wr_open(w, 2);
	for (size_t i = 0; hf_tls_suite_at(i) != NULL; i++) {
		if ((hf_tls_suite_at(i)->bit & spec->suites) != 0)
			hf_wr_u16(w, hf_tls_suite_at(i)->number);
	}
	hf_wr_close(w, list, 2);
	hf_wr_u8(w, 1); /* compression: null only */
	hf_wr_u8(w, 0);

	all = hf_wr_open(w, 2);
	if (spec->name.len > 0)
		put_names(w, spec);
	if (!spec->no_share_list)
		put_list16(w, HF_TLS_EXT_GROUPS, HF_TLS_CURVE_SM2); /* RFC 8998 3.1 */
	put_list16(w, HF_TLS_EXT_SIG_ALGS, HF_TLS_SM2SIG_SM3);      /* RFC 8998 3.2.1 */
	if (spec->n_alpn > 0)
		put_alpn(w, spec->alpn, spec->n_alpn);
	if (spec->ask_status)
		hf_tls_status_ask_emit(w, true);
	ext = ext_open(w, HF_TLS_EXT_VERSIONS);
	hf_wr_u8(w, 2);
	hf_wr_u16(w, HF_TLS_VERSION_13);
	ext_close(w, ext);
	put_cookie(w, spec->cookie);
	put_limit(w, spec->limit);
	if (!spec->no_share_list)
		put_shares(w, spec->share);
	if (spec->modes != 0)
		hf_tls_modes_emit(w, spec->modes);
	if (spec->identity.len > 0) /* RFC 8446 4.2.11: the last one */
		hf_tls_psk_emit(w, spec->identity, spec->age);
	hf_wr_close(w, all, 2);
	hf_wr_close(w, body, 3);
}

static hf_err server_ext(struct hf_tls_server_hello *h, uint16_t type, struct hf_reader *data)
{
	switch (type) {
	case HF_TLS_EXT_VERSIONS: h->selected = hf_rd_u16(data); return hf_rd_done(data);
	case HF_TLS_EXT_KEY_SHARE:
		h->has_share = true;
		h->group = hf_rd_u16(data);
		if (!h->is_retry)
			h->share = take(data, hf_rd_u16(data));
		return hf_rd_done(data);
	case HF_TLS_EXT_COOKIE:
		if (h->is_retry) {
			h->has_cookie = true;
			return cookie(&h->cookie, data);
		}
		h->has_other = true;
		return HF_OK;
	case HF_TLS_EXT_PSK:
		if (!h->is_retry) {
			h->has_psk = true;
			h->psk = hf_rd_u16(data);
			return hf_rd_done(data);
		}
		h->has_other = true;
		return HF_OK;
	default: h->has_other = true; return HF_OK;
	}
}

hf_err hf_tls_server_hello_parse(struct hf_tls_server_hello *out, const uint8_t *in, size_t len)
{
	struct hf_tls_server_hello h = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { 0 };
	hf_err e = HF_OK;

	h.version = hf_rd_u16(&r);
	h.random = hf_rd_take(&r, HF_TLS_RANDOM_LEN);
	h.session = take(&r, hf_rd_u8(&r));
	h.suite = hf_rd_u16(&r);
	h.compression = hf_rd_u8(&r);
	if (r.left > 0) /* TLS 1.2 may leave them out; that is refused as such, not as garbage */
		w.list = hf_rd_sub(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));
	if (h.session.len > HF_TLS_SESSION_MAX)
		return HF_ERR_FORMAT;
	h.is_retry = memcmp(h.random, hf_tls_retry_random, HF_TLS_RANDOM_LEN) == 0;

	while (e == HF_OK && hf_tls_ext_next(&w))
		e = server_ext(&h, w.type, &w.data);
	HF_TRY(e);
	HF_TRY(w.err);

	*out = h;
	return HF_OK;
}

/* What both forms have before their last extensions; gives the marks to close. */
static void server_begin(struct hf_writer *w, const uint8_t *random,
	const struct hf_tls_server_spec *spec, size_t *body, size_t *all)
{
	size_t ext;

	hf_wr_u8(w, HF_TLS_MSG_SERVER_HELLO);
	*body = hf_wr_open(w, 3);
	hf_wr_u16(w, 0x0303);
	hf_wr_put(w, random, HF_TLS_RANDOM_LEN);
	hf_wr_u8(w, (uint8_t)spec->session.len);
	hf_wr_put(w, spec->session.p, spec->session.len);
	hf_wr_u16(w, spec->suite);
	hf_wr_u8(w, 0);
	*all = hf_wr_open(w, 2);
	ext = ext_open(w, HF_TLS_EXT_VERSIONS);
	hf_wr_u16(w, HF_TLS_VERSION_13);
	ext_close(w, ext);
}

void hf_tls_server_hello_emit(struct hf_writer *w, const struct hf_tls_server_spec *spec)
{
	size_t body, all, ext;

	server_begin(w, spec->random, spec, &body, &all);
	if (spec->share != NULL) {
		ext = ext_open(w, HF_TLS_EXT_KEY_SHARE);
		put_share(w, spec->share);
		ext_close(w, ext);
	}
	if (spec->has_psk) {
		ext = ext_open(w, HF_TLS_EXT_PSK);
		hf_wr_u16(w, spec->psk);
		ext_close(w, ext);
	}
	hf_wr_close(w, all, 2);
	hf_wr_close(w, body, 3);
}

void hf_tls_retry_emit(struct hf_writer *w, const struct hf_tls_server_spec *spec)
{
	size_t body, all, ext;

	server_begin(w, hf_tls_retry_random, spec, &body, &all);
	ext = ext_open(w, HF_TLS_EXT_KEY_SHARE);
	hf_wr_u16(w, HF_TLS_CURVE_SM2);
	ext_close(w, ext);
	put_cookie(w, spec->cookie);
	hf_wr_close(w, all, 2);
	hf_wr_close(w, body, 3);
}
