/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domain's revocation list, signed by the issuing CA. The last list, in keys.db, is the record
 * of what is revoked: the next one is it, and what is added. Invariants:
 *
 * 1. Numbers are a counter in keys.db, raised durably before a list is signed: one may be skipped,
 *    none is given twice.
 * 2. A revocation is in the audit log before it is on a list, and on a durable list before anybody
 *    hears that it was done.
 * 3. What is taken over comes from a list that our own CA has signed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "pki/crl.h"
#include "svc/keyd_inner.h"

enum {
	LIFE_DEFAULT_S = 7 * 86400, /* of a list, where the level names no age */
	RENEW_PART = 6,             /* after this part of its life … */
	RENEW_MAX_S = 12 * 3600,    /* … and at the latest then */
	/* No certificate of the issuing CA lives this long: it has expired by then. */
	KEEP_S = 2 * 366 * 86400,
	ADDED_MAX = 2, /* a device has two certificates */
	WHAT_MAX = 64,
};

static const char row_name[] = "crl"; /* and of the counter */

/* The last list, and what goes onto the next one. */
struct revoking {
	struct hf_keyd *k;
	struct hf_key_ask *a;
	struct hf_buf der; /* of the last list */
	struct hf_crl last;
	bool has_last;
	struct hf_buf certs[ADDED_MAX]; /* of the device */
	uint8_t serials[ADDED_MAX][HF_CERT_SERIAL_MAX];
	struct hf_crl_entry added[ADDED_MAX];
	size_t n_added;
	struct hf_buf next; /* DER of the new list */
	uint64_t number;
};

static void revoking_init(struct revoking *r, struct hf_keyd *k, struct hf_key_ask *a)
{
	*r = (struct revoking){ .k = k, .a = a };
	hf_buf_init(&r->der, k->env->mem, HF_CRL_DER_MAX);
	hf_buf_init(&r->next, k->env->mem, HF_CRL_DER_MAX);
}

static void revoking_clear(struct revoking *r)
{
	hf_buf_clear(&r->der);
	hf_buf_clear(&r->next);
}

static hf_err copy_row(void *ctx, const struct hf_meta_serial *row)
{
	return hf_buf_put(ctx, row->der.p, row->der.len);
}

static hf_err load_last(struct revoking *r, struct hf_errinfo *ei)
{
	struct hf_keyd *k = r->k;
	hf_err e = hf_meta_channel_get(k->meta, row_name, copy_row, &r->der, NULL);

	if (e == HF_ERR_NOT_FOUND)
		return HF_OK;
	if (e == HF_OK)
		e = hf_crl_parse(&r->last, r->der.p, r->der.len, NULL);
	if (e == HF_OK)
		e = hf_crl_verify_sig(&r->last, &k->party.issuing_ca.key, NULL);
	if (e != HF_OK)
		return hf_fail(ei, e, "keys.db: the revocation list in it is not ours: %s",
			hf_err_text(e));
	r->has_last = true;
	return HF_OK;
}

static uint64_t life_of_list(const struct hf_keyd *k)
{
	uint64_t life_s = hf_policy(HF_ROW_REVOCATION_AGE, k->identity.level);

	return life_s == HF_POLICY_NONE ? LIFE_DEFAULT_S : life_s;
}

static void remember(struct hf_keyd *k, uint64_t number, uint64_t made_s)
{
	uint64_t part_s = life_of_list(k) / RENEW_PART;

	k->crl_number = number;
	k->crl_renew_s = made_s + (part_s < RENEW_MAX_S ? part_s : RENEW_MAX_S);
}

/* The entries of the last list that still matter, and the new ones. */
static size_t gather(const struct revoking *r, struct hf_crl_entry *out)
{
	struct hf_bytes rest = r->last.entries;
	struct hf_crl_entry x;
	size_t n = 0;

	while (r->has_last && hf_crl_entry_take(&x, &rest))
		if (r->a->now_s < x.revoked_s || r->a->now_s - x.revoked_s <= KEEP_S)
			out[n++] = x;
	for (size_t i = 0; i < r->n_added; i++)
		out[n++] = r->added[i];
	return n;
}

static hf_err build(struct revoking *r, struct hf_crl_entry *entries)
{
	struct hf_keyd *k = r->k;
	/* Times do not go back, whatever our clock does: such a list would be refused. */
	uint64_t now_s = r->a->now_s > r->last.this_update_s ? r->a->now_s : r->last.this_update_s;
	struct hf_crl_spec spec = { .issuer = k->party.issuing_ca.subject,
		.this_update_s = now_s,
		.next_update_s = now_s + life_of_list(k),
		.entries = entries };
	const struct hf_keyd_note note = { .event = HF_EV_SIGN,
		.tier = 1,
		.subject = "key:issuing-ca",
		.code = "revocation-list" };
	struct hf_meta_serial row = { .name = row_name };

	spec.n_entries = gather(r, entries);
	HF_TRY(hf_meta_counter_next(k->meta, &r->number, row_name, r->a->ei));
	spec.number = r->number;
	HF_TRY(hf_crl_build(&r->next, &spec, &k->ca, r->a->ei));
	HF_TRY(hf_keyd_note(k, r->a, &note, r->a->ei));
	row.serial = r->number;
	row.der = (struct hf_bytes){ r->next.p, r->next.len };
	HF_TRY(hf_meta_channel_put(k->meta, &row, r->a->ei));
	remember(k, r->number, now_s);
	return HF_OK;
}

static hf_err make_next(struct revoking *r)
{
	const struct hf_mem *mem = r->k->env->mem;
	struct hf_crl_entry *entries =
		hf_mem_array(mem, r->last.n_entries + ADDED_MAX, sizeof(*entries));
	hf_err e;

	if (entries == NULL)
		return hf_fail(r->a->ei, HF_ERR_NO_MEMORY, "no memory for a revocation list");
	e = build(r, entries);
	hf_mem_free(mem, entries);
	return e;
}

/* Onto the next list, unless it is on this one. */
static hf_err add_serial(struct revoking *r, struct hf_bytes serial, unsigned reason)
{
	uint8_t *copy = r->serials[r->n_added];

	if (serial.len == 0 || serial.len > HF_CERT_SERIAL_MAX)
		return HF_ERR_FORMAT;
	if (r->has_last && hf_crl_has(&r->last, serial, NULL))
		return HF_OK;
	memcpy(copy, serial.p, serial.len);
	r->added[r->n_added++] = (struct hf_crl_entry){ copy, serial.len, r->a->now_s, reason };
	return HF_OK;
}

/* What a row of a device gives. */
struct look {
	struct revoking *r;
	unsigned reason;
};

static hf_err look_at_device(void *ctx, const struct hf_meta_device *row)
{
	struct look *l = ctx;
	const struct hf_bytes ders[] = { row->sign_cert, row->enc_cert };
	struct hf_cert cert;

	for (size_t i = 0; i < HF_COUNT(ders); i++) {
		HF_TRY(hf_cert_parse(&cert, ders[i].p, ders[i].len, NULL));
		HF_TRY(add_serial(l->r, cert.serial, l->reason));
	}
	return HF_OK;
}

static hf_err add_hex(struct revoking *r, const char *what, unsigned reason)
{
	uint8_t bytes[HF_CERT_SERIAL_MAX];
	struct hf_bytes serial = { bytes, 0 };
	hf_err e = hf_hex_parse(bytes, sizeof(bytes), &serial.len, what, strlen(what));

	while (e == HF_OK && serial.len > 0 && serial.p[0] == 0) {
		serial.p++;
		serial.len--;
	}
	if (e == HF_OK)
		e = add_serial(r, serial, reason);
	if (e != HF_OK)
		return hf_fail(r->a->ei, HF_ERR_NOT_FOUND,
			"%.64s: no device of this domain, and no serial number in hex", what);
	return HF_OK;
}

/* RFC 5280 5.3.1: the reasons that are an end; a hold would need a way back. */
static hf_err check_reason(unsigned reason, struct hf_errinfo *ei)
{
	if (reason > HF_CRL_REASON_LAST || reason == 7 || reason == HF_CRL_REASON_HOLD ||
		reason == HF_CRL_REASON_REMOVE)
		return hf_fail(ei, HF_ERR_ARG, "reason %u: not one for a revocation", reason);
	return HF_OK;
}

static hf_err revoke(struct revoking *r, const char *what, unsigned reason)
{
	struct hf_keyd *k = r->k;
	struct hf_key_ask *a = r->a;
	const struct hf_keyd_note note = { .event = HF_EV_REVOKE,
		.tier = 2,
		.subject = a->subject,
		.code = hf_crl_reason_text(reason) };
	struct look l = { r, reason };
	bool is_device;
	hf_err e;

	HF_TRY(load_last(r, a->ei));
	e = hf_meta_device_get(k->meta, what, look_at_device, &l, NULL);
	is_device = e == HF_OK;
	if (e == HF_ERR_NOT_FOUND)
		e = add_hex(r, what, reason);
	if (e != HF_OK)
		return hf_fail(a->ei, e, "%.64s: %s", what, hf_err_text(e));
	if (r->n_added == 0)
		return hf_fail(a->ei, HF_ERR_EXISTS, "%.64s: is revoked already", what);
	HF_TRY(hf_keyd_note(k, a, &note, a->ei));
	HF_TRY(make_next(r));
	if (is_device)
		HF_TRY(hf_meta_device_state(k->meta, what, HF_KEYD_DEVICE_REVOKED, a->ei));
	hf_key_put_u64(&a->out, r->number);
	return HF_OK;
}

hf_err hf_keyd_revoke(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct revoking r;
	char what[WHAT_MAX];
	unsigned reason;
	hf_err e;

	hf_key_take_text(&a->in, what, sizeof(what));
	reason = hf_rd_u8(&a->in);
	HF_TRY(hf_key_ask_done(a));
	HF_TRY(hf_keyd_allow_uid(k, a, false));
	HF_TRY(check_reason(reason, a->ei));
	(void)snprintf(a->subject, sizeof(a->subject), "certificate:%s", what);
	revoking_init(&r, k, a);
	e = revoke(&r, what, reason);
	revoking_clear(&r);
	return e;
}

static hf_err answer_list(struct revoking *r, uint64_t have)
{
	struct hf_keyd *k = r->k;
	const struct hf_buf *der = &r->der;

	HF_TRY(load_last(r, r->a->ei));
	if (r->has_last)
		remember(k, r->last.number, r->last.this_update_s);
	if (!r->has_last || r->a->now_s >= k->crl_renew_s) {
		HF_TRY(make_next(r));
		der = &r->next;
	}
	hf_key_put_object(
		&r->a->out, (struct hf_bytes){ der->p, k->crl_number == have ? 0 : der->len });
	return HF_OK;
}

hf_err hf_keyd_revocations(struct hf_keyd *k, struct hf_key_ask *a)
{
	uint64_t have = hf_rd_u64(&a->in);
	struct revoking r;
	hf_err e;

	HF_TRY(hf_key_ask_done(a));
	if (k->crl_number != 0 && k->crl_number == have && a->now_s < k->crl_renew_s) {
		hf_key_put_object(&a->out, (struct hf_bytes){ 0 }); /* nothing new: no look */
		return HF_OK;
	}
	revoking_init(&r, k, a);
	e = answer_list(&r, have);
	revoking_clear(&r);
	return e;
}

hf_err hf_keyd_check_revoked(struct hf_keyd *k, const struct hf_cert *cert, struct hf_errinfo *ei)
{
	struct revoking r;
	hf_err e;

	revoking_init(&r, k, NULL);
	e = load_last(&r, ei);
	if (e == HF_OK && r.has_last && hf_crl_has(&r.last, cert->serial, NULL))
		e = hf_fail(ei, HF_ERR_REVOKED, "%s: its certificate is revoked",
			cert->has_identity ? cert->identity.id : "the device");
	revoking_clear(&r);
	return e;
}
