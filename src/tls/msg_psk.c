/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys on the wire: the extensions of RFC 8446 4.2.9 and 4.2.11, NewSessionTicket. */
#include "base/rd.h"
#include "tls/ext.h"
#include "tls/msg.h"

enum { BINDER_MIN = 32 }; /* RFC 8446 4.2.11 */

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

static struct hf_tls_offered take_identity(struct hf_reader *r)
{
	struct hf_tls_offered o = { .identity = take(r, hf_rd_u16(r)) };

	o.age = hf_rd_u32(r);
	return o;
}

hf_err hf_tls_psk_parse(struct hf_tls_client_hello *h, struct hf_reader *r)
{
	struct hf_bytes identities = take(r, hf_rd_u16(r));
	struct hf_bytes binders = take(r, hf_rd_u16(r));
	struct hf_reader ids = { .p = identities.p, .left = identities.len };
	struct hf_reader bs = { .p = binders.p, .left = binders.len };

	HF_TRY(hf_rd_done(r));
	if (ids.left == 0 || bs.left == 0)
		return HF_ERR_FORMAT;
	while (ids.left > 0 && bs.left > 0) {
		struct hf_tls_offered o = take_identity(&ids);
		size_t len = hf_rd_u8(&bs);

		if (ids.is_short || o.identity.len == 0 || len < BINDER_MIN ||
			hf_rd_take(&bs, len) == NULL)
			return HF_ERR_FORMAT;
	}
	if (ids.left > 0 || bs.left > 0)
		return HF_ERR_UNSUPPORTED; /* RFC 8446 4.2.11: as many of the one as of the other */

	h->has_psk = true;
	h->identities = identities;
	h->binders = binders;
	return HF_OK;
}

bool hf_tls_offered_get(struct hf_tls_offered *out, const struct hf_tls_client_hello *h, size_t i)
{
	struct hf_reader ids = { .p = h->identities.p, .left = h->identities.len };
	struct hf_reader bs = { .p = h->binders.p, .left = h->binders.len };
	struct hf_tls_offered o = { .age = 0 };

	for (size_t k = 0; k <= i; k++) {
		if (ids.left == 0)
			return false;
		o = take_identity(&ids);
		o.binder = take(&bs, hf_rd_u8(&bs));
	}
	*out = o;
	return true;
}

hf_err hf_tls_modes_parse(struct hf_tls_client_hello *h, struct hf_reader *r)
{
	struct hf_reader list = hf_rd_sub(r, hf_rd_u8(r));
	unsigned modes = 0;

	HF_TRY(hf_rd_done(r));
	if (list.left == 0)
		return HF_ERR_FORMAT;
	while (list.left > 0) {
		unsigned mode = hf_rd_u8(&list);

		modes |= mode < 2 ? 1U << mode : 0; /* others are for others */
	}

	h->has_modes = true;
	h->modes = modes;
	return HF_OK;
}

void hf_tls_modes_emit(struct hf_writer *w, unsigned modes)
{
	size_t ext, list;

	hf_wr_u16(w, HF_TLS_EXT_PSK_MODES);
	ext = hf_wr_open(w, 2);
	list = hf_wr_open(w, 1);
	if ((modes & HF_TLS_PSK_DHE_KE) != 0)
		hf_wr_u8(w, 1);
	if ((modes & HF_TLS_PSK_KE) != 0)
		hf_wr_u8(w, 0);
	hf_wr_close(w, list, 1);
	hf_wr_close(w, ext, 2);
}

void hf_tls_psk_emit(struct hf_writer *w, struct hf_bytes identity, uint32_t age)
{
	static const uint8_t binder[HF_SM3_LEN];
	size_t ext, list;

	hf_wr_u16(w, HF_TLS_EXT_PSK);
	ext = hf_wr_open(w, 2);
	list = hf_wr_open(w, 2);
	hf_wr_u16(w, (uint16_t)identity.len);
	hf_wr_put(w, identity.p, identity.len);
	hf_wr_u32(w, age);
	hf_wr_close(w, list, 2);
	hf_wr_u16(w, 1 + sizeof(binder));
	hf_wr_u8(w, sizeof(binder));
	hf_wr_put(w, binder, sizeof(binder));
	hf_wr_close(w, ext, 2);
}

hf_err hf_tls_ticket_parse(struct hf_tls_ticket *out, const uint8_t *in, size_t len)
{
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_ext_walk w = { 0 };
	struct hf_tls_ticket t = { 0 };

	t.life_s = hf_rd_u32(&r);
	t.age_add = hf_rd_u32(&r);
	t.nonce = take(&r, hf_rd_u8(&r));
	t.ticket = take(&r, hf_rd_u16(&r));
	w.list = hf_rd_sub(&r, hf_rd_u16(&r));
	HF_TRY(hf_rd_done(&r));
	if (t.ticket.len == 0)
		return HF_ERR_FORMAT;
	while (hf_tls_ext_next(&w))
		continue; /* RFC 8446 4.6.1: unknown ones are ignored; so is early_data, by us */
	HF_TRY(w.err);

	*out = t;
	return HF_OK;
}

void hf_tls_ticket_emit(struct hf_writer *w, const struct hf_tls_ticket *t)
{
	size_t body;

	hf_wr_u8(w, HF_TLS_MSG_TICKET);
	body = hf_wr_open(w, 3);
	hf_wr_u32(w, t->life_s);
	hf_wr_u32(w, t->age_add);
	hf_wr_u8(w, (uint8_t)t->nonce.len);
	hf_wr_put(w, t->nonce.p, t->nonce.len);
	hf_wr_u16(w, (uint16_t)t->ticket.len);
	hf_wr_put(w, t->ticket.p, t->ticket.len);
	hf_wr_u16(w, 0); /* no extensions: no early data, ever */
	hf_wr_close(w, body, 3);
}
