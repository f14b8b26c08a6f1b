/* SPDX-License-Identifier: Apache-2.0 */
/* A body is an object; a table says which members it must have and where their values go. */
#include "svc/api_json.h"

#include <stdbool.h>
#include <string.h>

#include "base/hex.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "pkg/object.h"

enum {
	DEPTH_MAX = 4,
	TEXT_MAX = HF_BASE64_LEN(HF_CERT_DER_MAX) + 1, /* the longest value of a member */
};

enum member_kind { MEMBER_TEXT, MEMBER_HEX, MEMBER_DER, MEMBER_BUF };

struct member {
	const char *name;
	enum member_kind kind;
	void *out;
	size_t cap;  /* bytes of out */
	size_t *len; /* of DER */
	bool is_there;
};

/* Exactly len bytes in lower-case hexadecimal digits: one value has one form. */
static hf_err take_hex(uint8_t *out, size_t len, const char *text, size_t text_len)
{
	size_t n = 0;

	if (text_len != 2 * len || strspn(text, "0123456789abcdef") != text_len)
		return HF_ERR_FORMAT;
	return hf_hex_parse(out, len, &n, text, text_len);
}

/* Base64 into a buffer, as long as it may be. */
static hf_err take_buf(struct hf_buf *out, const struct hf_json_token *t)
{
	char *text = hf_mem_new(out->mem, t->text.len + 1);
	uint8_t *room = NULL;
	size_t text_len = 0;
	size_t len = 0;
	hf_err e = HF_ERR_NO_MEMORY;

	if (text != NULL)
		e = hf_json_text(text, t->text.len + 1, &text_len, t);
	if (e == HF_OK)
		e = hf_buf_room(out, &room, text_len / 4 * 3);
	if (e == HF_OK)
		e = hf_base64_parse(room, text_len / 4 * 3, &len, text, text_len, HF_BASE64_STD);
	if (e == HF_OK)
		out->len = len;
	hf_mem_free(out->mem, text);
	return e;
}

static hf_err take_value(struct member *m, const struct hf_json_token *t)
{
	char text[TEXT_MAX];
	size_t len = 0;

	if (m->kind == MEMBER_BUF)
		return take_buf(m->out, t);
	HF_TRY(hf_json_text(text, sizeof(text), &len, t));
	if (m->kind == MEMBER_HEX)
		return take_hex(m->out, m->cap, text, len);
	if (m->kind == MEMBER_DER)
		return hf_base64_parse(m->out, m->cap, m->len, text, len, HF_BASE64_STD);
	if (len >= m->cap)
		return HF_ERR_LIMIT;
	memcpy(m->out, text, len + 1);
	return HF_OK;
}

static struct member *find(struct member *members, size_t n, const struct hf_json_token *key)
{
	for (size_t i = 0; i < n; i++)
		if (hf_json_is(key, members[i].name))
			return &members[i];
	return NULL;
}

/* Key and value of one member; HF_ERR_NOT_FOUND: the object ends. */
static hf_err take_member(
	struct hf_json *j, struct member *members, size_t n, struct hf_errinfo *ei)
{
	struct hf_json_token t = { .kind = HF_JSON_END };
	struct member *m;
	hf_err e;

	HF_TRY(hf_json_next(j, &t));
	if (t.kind == HF_JSON_OBJECT_END)
		return HF_ERR_NOT_FOUND;
	m = find(members, n, &t);
	HF_TRY(hf_json_next(j, &t));
	if (m == NULL)
		return hf_json_skip(j, &t);
	e = m->is_there ? HF_ERR_FORMAT : take_value(m, &t);
	m->is_there = true;
	if (e != HF_OK)
		return hf_fail(ei, e, "body: %s: %s", m->name, hf_err_text(e));
	return HF_OK;
}

static hf_err parse(struct member *members, size_t n, struct hf_bytes body, struct hf_errinfo *ei)
{
	struct hf_json_token t = { .kind = HF_JSON_END };
	struct hf_json j;
	hf_err e;

	hf_json_init(&j, body.p, body.len, DEPTH_MAX);
	e = hf_json_want(&j, &t, HF_JSON_OBJECT);
	while (e == HF_OK)
		e = take_member(&j, members, n, ei);
	if (e == HF_ERR_NOT_FOUND)
		e = hf_json_want(&j, &t, HF_JSON_END);
	if (e != HF_OK)
		return hf_fail(ei, e, "body: not the JSON object that is asked for");
	for (size_t i = 0; i < n; i++)
		if (!members[i].is_there)
			return hf_fail(ei, HF_ERR_FORMAT, "body: %s is missing", members[i].name);
	return HF_OK;
}

hf_err hf_api_enroll_parse(struct hf_api_enroll *out, struct hf_bytes body, struct hf_errinfo *ei)
{
	struct member members[] = {
		{ "token", MEMBER_TEXT, out->token, sizeof(out->token), NULL, false },
		{ "sign_csr", MEMBER_DER, out->sign_csr, sizeof(out->sign_csr), &out->sign_csr_len,
			false },
		{ "enc_csr", MEMBER_DER, out->enc_csr, sizeof(out->enc_csr), &out->enc_csr_len,
			false },
	};

	return parse(members, HF_COUNT(members), body, ei);
}

hf_err hf_api_grant_parse(struct hf_api_grant *out, struct hf_bytes body, struct hf_errinfo *ei)
{
	struct member members[] = {
		{ "manifest", MEMBER_HEX, out->manifest, HF_SM3_LEN, NULL, false },
		{ "enc_cert", MEMBER_DER, out->enc_cert, sizeof(out->enc_cert), &out->enc_cert_len,
			false },
	};

	return parse(members, HF_COUNT(members), body, ei);
}

hf_err hf_api_name_parse(
	uint8_t out[HF_SM3_LEN], const char *member, struct hf_bytes body, struct hf_errinfo *ei)
{
	struct member members[] = {
		{ member, MEMBER_HEX, out, HF_SM3_LEN, NULL, false },
	};

	return parse(members, HF_COUNT(members), body, ei);
}

void hf_api_enrolled_init(struct hf_api_enrolled *out, const struct hf_mem *mem)
{
	hf_buf_init(&out->sign_cert, mem, HF_CERT_DER_MAX + 2);
	hf_buf_init(&out->enc_cert, mem, HF_CERT_DER_MAX + 2);
	hf_buf_init(&out->issuing_ca, mem, HF_CERT_DER_MAX + 2);
	hf_buf_init(&out->root_ca, mem, HF_CERT_DER_MAX + 2);
	hf_buf_init(&out->hub_enc, mem, HF_CERT_DER_MAX + 2);
	hf_buf_init(&out->root, mem, hf_object_max(HF_OBJECT_ROOT) + 2);
}

void hf_api_enrolled_clear(struct hf_api_enrolled *out)
{
	hf_buf_clear(&out->sign_cert);
	hf_buf_clear(&out->enc_cert);
	hf_buf_clear(&out->issuing_ca);
	hf_buf_clear(&out->root_ca);
	hf_buf_clear(&out->hub_enc);
	hf_buf_clear(&out->root);
}

hf_err hf_api_enrolled_parse(
	struct hf_api_enrolled *out, struct hf_bytes body, struct hf_errinfo *ei)
{
	struct member members[] = {
		{ "sign_cert", MEMBER_BUF, &out->sign_cert, 0, NULL, false },
		{ "enc_cert", MEMBER_BUF, &out->enc_cert, 0, NULL, false },
		{ "issuing_ca", MEMBER_BUF, &out->issuing_ca, 0, NULL, false },
		{ "root_ca", MEMBER_BUF, &out->root_ca, 0, NULL, false },
		{ "hub_enc", MEMBER_BUF, &out->hub_enc, 0, NULL, false },
		{ "root", MEMBER_BUF, &out->root, 0, NULL, false },
	};

	return parse(members, HF_COUNT(members), body, ei);
}

hf_err hf_api_nonce_parse(
	uint8_t out[HF_API_NONCE_LEN], struct hf_bytes body, struct hf_errinfo *ei)
{
	struct member members[] = {
		{ "nonce", MEMBER_HEX, out, HF_API_NONCE_LEN, NULL, false },
	};

	return parse(members, HF_COUNT(members), body, ei);
}

hf_err hf_api_enroll_emit(
	struct hf_buf *out, const char *token, struct hf_bytes sign_csr, struct hf_bytes enc_csr)
{
	struct hf_json_wr j = hf_json_wr(out);

	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "token");
	hf_json_wr_str(&j, token);
	hf_api_der_put(&j, "sign_csr", sign_csr, out->mem);
	hf_api_der_put(&j, "enc_csr", enc_csr, out->mem);
	hf_json_wr_end(&j);
	return hf_json_wr_done(&j);
}

hf_err hf_api_grant_emit(
	struct hf_buf *out, const uint8_t manifest[HF_SM3_LEN], struct hf_bytes enc_cert)
{
	struct hf_json_wr j = hf_json_wr(out);

	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "manifest");
	hf_json_wr_hex(&j, manifest, HF_SM3_LEN);
	hf_api_der_put(&j, "enc_cert", enc_cert, out->mem);
	hf_json_wr_end(&j);
	return hf_json_wr_done(&j);
}

void hf_api_der_put(
	struct hf_json_wr *j, const char *key, struct hf_bytes der, const struct hf_mem *mem)
{
	char *text = hf_mem_new(mem, HF_BASE64_LEN(der.len) + 1);
	size_t len;

	if (text == NULL) {
		if (j->err == HF_OK)
			j->err = HF_ERR_NO_MEMORY;
		return;
	}
	len = hf_base64_emit(text, der.p, der.len, HF_BASE64_STD);
	hf_json_wr_key(j, key);
	hf_json_wr_text(j, (struct hf_bytes){ (const uint8_t *)text, len });
	hf_mem_free(mem, text);
}
