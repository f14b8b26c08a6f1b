/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upload ::= SEQUENCE { "hufu-upload", 1, Said, envelope OCTET STRING }
 * Said   ::= SEQUENCE { "hufu-upload", 1, domain, device UTF8String, id OCTET STRING, counter,
 *kind, level INTEGER, created GeneralizedTime, lineage UTF8String (may be empty), release INTEGER,
 *	recipient UTF8String, cert OCTET STRING, Body }
 *
 * The envelope holds the content key alone and authenticates the DER of Said.
 */
#include "pkg/upload.h"

#include <string.h>

#include "base/endian.h"
#include "pkg/label.h"
#include "pkg/statement.h"

static void feed_text(struct hf_sm3 *s, const char *text)
{
	uint8_t len[2];

	hf_put_be16(len, (uint16_t)strlen(text));
	hf_sm3_feed(s, len, sizeof(len));
	hf_sm3_feed(s, text, strlen(text));
}

void hf_upload_scope(struct hf_pkg_scope *scope, const struct hf_upload *u)
{
	struct hf_sm3 s;

	scope->suite = HF_SUITE_SM4_GCM;
	scope->release = 0;
	hf_sm3_init(&s);
	hf_sm3_feed(&s, HF_LABEL_UPLOAD, HF_LABEL_LEN);
	feed_text(&s, u->domain);
	feed_text(&s, u->device);
	hf_sm3_feed(&s, u->id, sizeof(u->id));
	hf_sm3_done(&s, scope->domain_id);
}

static bool is_sound(const struct hf_upload *u)
{
	bool has_lineage = u->lineage[0] != '\0';

	return u->kind >= HF_UPLOAD_INCREMENT && u->kind <= HF_UPLOAD_OTHER &&
	       has_lineage == (u->release != 0) && (!has_lineage || hf_id_is_valid(u->lineage)) &&
	       !u->body.bases.has;
}

static hf_err emit_said(struct hf_buf *out, const struct hf_upload *u)
{
	struct hf_statement s;

	if (!is_sound(u) || !hf_id_is_valid(u->domain) || !hf_id_is_valid(u->device) ||
		!hf_id_is_valid(u->recipient) || !hf_level_is((uint64_t)u->level))
		return HF_ERR_ARG;
	HF_TRY(hf_statement_begin(
		&s, out, HF_OBJECT_UPLOAD, HF_STATEMENT_ROOM + hf_pkg_body_room(&u->body)));
	hf_der_put_utf8(&s.w, u->domain);
	hf_der_put_utf8(&s.w, u->device);
	hf_der_put_octets(&s.w, u->id, sizeof(u->id));
	hf_der_put_u64(&s.w, u->counter);
	hf_der_put_u64(&s.w, (uint64_t)u->kind);
	hf_der_put_u64(&s.w, (uint64_t)u->level);
	hf_der_put_gtime(&s.w, u->created_s);
	hf_der_put_utf8(&s.w, u->lineage);
	hf_der_put_u64(&s.w, u->release);
	hf_der_put_utf8(&s.w, u->recipient);
	hf_field_put_sm3(&s.w, u->cert);
	hf_pkg_body_put(&s.w, &u->body);
	return hf_statement_end(&s);
}

hf_err hf_upload_emit(struct hf_buf *out, const struct hf_upload *u, const uint8_t cek[HF_CEK_LEN],
	const struct hf_cms_party *to, const struct hf_rng *rng, struct hf_errinfo *ei)
{
	struct hf_buf said;
	struct hf_buf envelope;
	struct hf_statement s;
	hf_err e;

	hf_buf_init(&said, out->mem, hf_object_max(HF_OBJECT_UPLOAD));
	hf_buf_init(&envelope, out->mem, HF_CMS_OVERHEAD + HF_CEK_LEN);
	e = hf_statement_fail(ei, HF_OBJECT_UPLOAD, emit_said(&said, u));
	if (e != HF_OK)
		goto out;
	e = hf_cms_envelope_seal(&envelope, to, (struct hf_bytes){ said.p, said.len },
		(struct hf_bytes){ cek, HF_CEK_LEN }, rng, ei);
	if (e != HF_OK)
		goto out;
	e = hf_statement_begin(
		&s, out, HF_OBJECT_UPLOAD, HF_STATEMENT_ROOM + said.len + envelope.len);
	if (e != HF_OK)
		goto out;
	hf_der_put_raw(&s.w, (struct hf_bytes){ said.p, said.len });
	hf_der_put_octets(&s.w, envelope.p, envelope.len);
	e = hf_statement_fail(ei, HF_OBJECT_UPLOAD, hf_statement_end(&s));
out:
	hf_buf_clear(&envelope);
	hf_buf_clear(&said);
	return e;
}

static hf_err parse_said(struct hf_upload *u)
{
	struct hf_der d = hf_der_over(u->bound.p, u->bound.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_UPLOAD);

	hf_field_take_id(&s, u->domain);
	hf_field_take_id(&s, u->device);
	hf_field_take_bytes(&s, u->id, sizeof(u->id));
	u->counter = hf_der_u64(&s);
	u->kind = (enum hf_upload_kind)hf_field_take_max(&s, HF_UPLOAD_OTHER);
	hf_field_take_level(&s, &u->level);
	hf_field_take_time(&s, &u->created_s);
	hf_field_take_text(&s, u->lineage, sizeof(u->lineage));
	u->release = hf_der_u64(&s);
	hf_field_take_id(&s, u->recipient);
	hf_field_take_sm3(&s, u->cert);
	hf_pkg_body_take(&s, &u->body);
	hf_der_leave(&d, &s);
	HF_TRY(hf_der_done(&d));
	return is_sound(u) ? HF_OK : HF_ERR_FORMAT;
}

hf_err hf_upload_parse(struct hf_upload *u, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_UPLOAD);
	struct hf_upload v = { 0 };

	v.bound = hf_der_raw(&s);
	v.envelope = hf_der_octets(&s);
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK)
		hf_der_fail(&d, parse_said(&v));
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, HF_OBJECT_UPLOAD, hf_der_done(&d));
	*u = v;
	return HF_OK;
}

hf_err hf_upload_unwrap(struct hf_grant_keys *keys, const struct hf_upload *u,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei)
{
	struct hf_buf plain;
	hf_err e;

	hf_buf_init(&plain, keys->sites.mem, HF_CEK_LEN);
	e = hf_cms_envelope_open(&plain, u->envelope, u->bound, self, key, ei);
	if (e == HF_OK && plain.len != HF_CEK_LEN)
		e = hf_fail(ei, HF_ERR_FORMAT, "upload: the envelope holds no content key");
	if (e == HF_OK)
		memcpy(keys->cek, plain.p, HF_CEK_LEN);
	hf_buf_clear(&plain);
	return e;
}
