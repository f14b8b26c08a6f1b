/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant   ::= SEQUENCE { "hufu-grant",   1, Context, envelope OCTET STRING }
 * Deposit ::= SEQUENCE { "hufu-deposit", 1, Context, envelope OCTET STRING }
 * Context ::= SEQUENCE { kind, 1, domain, lineage UTF8String, epoch, release INTEGER,
 *	manifest OCTET STRING, recipient UTF8String, cert OCTET STRING, issued, notAfter
 *	GeneralizedTime, level INTEGER, mayTravel BOOLEAN }
 * GrantKeys   ::= SEQUENCE { cek OCTET STRING, sites OCTET STRING }            -- in the envelope
 * DepositKeys ::= SEQUENCE { cek, kDom OCTET STRING, salt [0] OPTIONAL, marks OCTET STRING }
 *
 * The envelope authenticates the DER of the context: its bytes cannot serve another grant.
 */
#include "pkg/grant.h"

#include <string.h>

#include "base/wipe.h"
#include "pkg/statement.h"

enum { CONTEXT_ROOM = HF_STATEMENT_ROOM, KEYS_ROOM = 256 };

void hf_grant_keys_init(struct hf_grant_keys *k, const struct hf_mem *mem)
{
	*k = (struct hf_grant_keys){ 0 };
	hf_buf_init(&k->sites, mem, HF_GRANT_SITES_MAX * HF_SITE_KEY_LEN);
}

void hf_grant_keys_clear(struct hf_grant_keys *k)
{
	hf_buf_clear(&k->sites);
	hf_wipe(k->cek, sizeof(k->cek));
}

void hf_deposit_keys_init(struct hf_deposit_keys *k, const struct hf_mem *mem)
{
	*k = (struct hf_deposit_keys){ 0 };
	hf_buf_init(&k->marks, mem, HF_DEPOSIT_MARKS_MAX);
}

void hf_deposit_keys_clear(struct hf_deposit_keys *k)
{
	hf_buf_clear(&k->marks);
	hf_wipe(k->cek, sizeof(k->cek));
	hf_wipe(k->k_dom, sizeof(k->k_dom));
	hf_wipe(k->salt, sizeof(k->salt));
	k->has_salt = false;
}

static bool context_is_sound(const struct hf_grant_context *c)
{
	return c->epoch > 0 && c->release > 0 && c->not_after_s > c->issued_s;
}

/* The context is a statement of its own kind, so that a deposit's never equals a grant's. */
static hf_err emit_context(
	struct hf_buf *out, enum hf_object kind, const struct hf_grant_context *c)
{
	struct hf_statement s;

	if (!context_is_sound(c) || !hf_id_is_valid(c->domain) || !hf_id_is_valid(c->lineage) ||
		!hf_id_is_valid(c->recipient) || !hf_level_is((uint64_t)c->level))
		return HF_ERR_ARG;
	HF_TRY(hf_statement_begin(&s, out, kind, CONTEXT_ROOM));
	hf_der_put_utf8(&s.w, c->domain);
	hf_der_put_utf8(&s.w, c->lineage);
	hf_der_put_u64(&s.w, c->epoch);
	hf_der_put_u64(&s.w, c->release);
	hf_field_put_sm3(&s.w, c->manifest);
	hf_der_put_utf8(&s.w, c->recipient);
	hf_field_put_sm3(&s.w, c->cert);
	hf_der_put_gtime(&s.w, c->issued_s);
	hf_der_put_gtime(&s.w, c->not_after_s);
	hf_der_put_u64(&s.w, (uint64_t)c->level);
	hf_der_put_bool(&s.w, c->may_travel);
	return hf_statement_end(&s);
}

static hf_err parse_context(struct hf_grant_context *c, enum hf_object kind, struct hf_bytes bound)
{
	struct hf_der d = hf_der_over(bound.p, bound.len);
	struct hf_der s = hf_statement_enter(&d, kind);

	hf_field_take_id(&s, c->domain);
	hf_field_take_id(&s, c->lineage);
	c->epoch = hf_der_u64(&s);
	c->release = hf_der_u64(&s);
	hf_field_take_sm3(&s, c->manifest);
	hf_field_take_id(&s, c->recipient);
	hf_field_take_sm3(&s, c->cert);
	hf_field_take_time(&s, &c->issued_s);
	hf_field_take_time(&s, &c->not_after_s);
	hf_field_take_level(&s, &c->level);
	c->may_travel = hf_der_bool(&s);
	hf_der_leave(&d, &s);
	HF_TRY(hf_der_done(&d));
	return context_is_sound(c) ? HF_OK : HF_ERR_FORMAT;
}

/* Context and sealed keys as one statement at the end of out. */
static hf_err emit_both(struct hf_buf *out, enum hf_object kind,
	const struct hf_grant_context *context, struct hf_bytes keys, const struct hf_cms_party *to,
	const struct hf_rng *rng, struct hf_errinfo *ei)
{
	struct hf_buf bound;
	struct hf_buf envelope;
	struct hf_statement s;
	hf_err e;

	hf_buf_init(&bound, out->mem, CONTEXT_ROOM);
	hf_buf_init(&envelope, out->mem, hf_object_max(kind));
	e = hf_statement_fail(ei, kind, emit_context(&bound, kind, context));
	if (e != HF_OK)
		goto out;
	e = hf_cms_envelope_seal(
		&envelope, to, (struct hf_bytes){ bound.p, bound.len }, keys, rng, ei);
	if (e != HF_OK)
		goto out;
	e = hf_statement_begin(&s, out, kind, HF_STATEMENT_ROOM + bound.len + envelope.len);
	if (e != HF_OK)
		goto out;
	hf_der_put_raw(&s.w, (struct hf_bytes){ bound.p, bound.len });
	hf_der_put_octets(&s.w, envelope.p, envelope.len);
	e = hf_statement_fail(ei, kind, hf_statement_end(&s));
out:
	hf_buf_clear(&envelope);
	hf_buf_clear(&bound);
	return e;
}

hf_err hf_grant_emit(struct hf_buf *out, const struct hf_grant_context *context,
	const struct hf_grant_keys *keys, const struct hf_cms_party *to, const struct hf_rng *rng,
	struct hf_errinfo *ei)
{
	struct hf_buf plain;
	struct hf_statement s;
	hf_err e;

	hf_buf_init(&plain, out->mem, KEYS_ROOM + keys->sites.len);
	e = hf_element_begin(&s, &plain, KEYS_ROOM + keys->sites.len);
	if (e != HF_OK)
		goto out;
	hf_der_put_octets(&s.w, keys->cek, HF_CEK_LEN);
	hf_der_put_octets(&s.w, keys->sites.p, keys->sites.len);
	e = hf_statement_end(&s);
	if (e != HF_OK)
		goto out;
	e = emit_both(out, HF_OBJECT_GRANT, context, (struct hf_bytes){ plain.p, plain.len }, to,
		rng, ei);
out:
	hf_buf_clear(&plain);
	return e;
}

hf_err hf_deposit_emit(struct hf_buf *out, const struct hf_grant_context *context,
	const struct hf_deposit_keys *keys, const struct hf_cms_party *to, const struct hf_rng *rng,
	struct hf_errinfo *ei)
{
	struct hf_buf plain;
	struct hf_statement s;
	hf_err e;

	hf_buf_init(&plain, out->mem, KEYS_ROOM + keys->marks.len);
	e = hf_element_begin(&s, &plain, KEYS_ROOM + keys->marks.len);
	if (e != HF_OK)
		goto out;
	hf_der_put_octets(&s.w, keys->cek, HF_CEK_LEN);
	hf_der_put_octets(&s.w, keys->k_dom, HF_KDOM_LEN);
	hf_field_put_opt_sm3(&s.w, 0, keys->has_salt, keys->salt);
	hf_der_put_octets(&s.w, keys->marks.p, keys->marks.len);
	e = hf_statement_end(&s);
	if (e != HF_OK)
		goto out;
	e = emit_both(out, HF_OBJECT_DEPOSIT, context, (struct hf_bytes){ plain.p, plain.len }, to,
		rng, ei);
out:
	hf_buf_clear(&plain);
	return e;
}

hf_err hf_grant_parse(
	struct hf_grant *g, enum hf_object kind, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, kind);
	struct hf_grant v = { 0 };

	v.bound = hf_der_raw(&s);
	v.envelope = hf_der_octets(&s);
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK)
		hf_der_fail(&d, parse_context(&v.context, kind, v.bound));
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, kind, hf_der_done(&d));
	*g = v;
	return HF_OK;
}

/* The content of the envelope; the caller clears plain. */
static hf_err open_envelope(struct hf_buf *plain, const struct hf_grant *g,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei)
{
	return hf_cms_envelope_open(plain, g->envelope, g->bound, self, key, ei);
}

/* The content of an envelope is authentic; if it does not read, its maker was wrong. */
static hf_err parse_grant_keys(struct hf_grant_keys *keys, struct hf_bytes plain)
{
	struct hf_der d = hf_der_over(plain.p, plain.len);
	struct hf_der s = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_bytes sites;

	hf_field_take_bytes(&s, keys->cek, HF_CEK_LEN);
	sites = hf_der_octets(&s);
	hf_der_leave(&d, &s);
	HF_TRY(hf_der_done(&d));
	if (sites.len % HF_SITE_KEY_LEN != 0)
		return HF_ERR_FORMAT;
	return hf_buf_put(&keys->sites, sites.p, sites.len);
}

hf_err hf_grant_unwrap(struct hf_grant_keys *keys, const struct hf_grant *g,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei)
{
	struct hf_buf plain;
	hf_err e;

	hf_buf_init(&plain, keys->sites.mem, hf_object_max(HF_OBJECT_GRANT));
	e = open_envelope(&plain, g, self, key, ei);
	if (e == HF_OK)
		e = hf_statement_fail(ei, HF_OBJECT_GRANT,
			parse_grant_keys(keys, (struct hf_bytes){ plain.p, plain.len }));
	if (e != HF_OK)
		hf_grant_keys_clear(keys);
	hf_buf_clear(&plain);
	return e;
}

static hf_err parse_deposit_keys(struct hf_deposit_keys *keys, struct hf_bytes plain)
{
	struct hf_der d = hf_der_over(plain.p, plain.len);
	struct hf_der s = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_bytes marks;

	hf_field_take_bytes(&s, keys->cek, HF_CEK_LEN);
	hf_field_take_bytes(&s, keys->k_dom, HF_KDOM_LEN);
	hf_field_take_opt_sm3(&s, 0, &keys->has_salt, keys->salt);
	marks = hf_der_octets(&s);
	hf_der_leave(&d, &s);
	HF_TRY(hf_der_done(&d));
	return hf_buf_put(&keys->marks, marks.p, marks.len);
}

hf_err hf_deposit_unwrap(struct hf_deposit_keys *keys, const struct hf_grant *g,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei)
{
	struct hf_buf plain;
	hf_err e;

	hf_buf_init(&plain, keys->marks.mem, hf_object_max(HF_OBJECT_DEPOSIT));
	e = open_envelope(&plain, g, self, key, ei);
	if (e == HF_OK)
		e = hf_statement_fail(ei, HF_OBJECT_DEPOSIT,
			parse_deposit_keys(keys, (struct hf_bytes){ plain.p, plain.len }));
	if (e != HF_OK)
		hf_deposit_keys_clear(keys);
	hf_buf_clear(&plain);
	return e;
}
