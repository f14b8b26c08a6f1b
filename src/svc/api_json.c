/* SPDX-License-Identifier: Apache-2.0 */
/* A body is an object; a table says which members it must have and where their values go. */
#include "svc/api_json.h"

#include <stdbool.h>
#include <string.h>

#include "base/hex.h"
#include "codec/base64.h"
#include "codec/json.h"

enum {
	DEPTH_MAX = 4,
	TEXT_MAX = HF_BASE64_LEN(HF_CERT_DER_MAX) + 1, /* the longest value of a member */
};

enum member_kind { MEMBER_TEXT, MEMBER_DIGEST, MEMBER_DER };

struct member {
	const char *name;
	enum member_kind kind;
	void *out;
	size_t cap;  /* bytes of out */
	size_t *len; /* of DER */
	bool is_there;
};

/* 64 lower-case hexadecimal digits: one digest has one form. */
static hf_err take_digest(uint8_t *out, const char *text, size_t text_len)
{
	size_t len = 0;

	if (text_len != 2 * HF_SM3_LEN || strspn(text, "0123456789abcdef") != text_len)
		return HF_ERR_FORMAT;
	return hf_hex_parse(out, HF_SM3_LEN, &len, text, text_len);
}

static hf_err take_value(struct member *m, const struct hf_json_token *t)
{
	char text[TEXT_MAX];
	size_t len = 0;

	HF_TRY(hf_json_text(text, sizeof(text), &len, t));
	switch (m->kind) {
	case MEMBER_DIGEST: return take_digest(m->out, text, len);
	case MEMBER_DER: return hf_base64_parse(m->out, m->cap, m->len, text, len, HF_BASE64_STD);
	case MEMBER_TEXT: break;
	}
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
		{ "manifest", MEMBER_DIGEST, out->manifest, HF_SM3_LEN, NULL, false },
		{ "enc_cert", MEMBER_DER, out->enc_cert, sizeof(out->enc_cert), &out->enc_cert_len,
			false },
	};

	return parse(members, HF_COUNT(members), body, ei);
}

hf_err hf_api_name_parse(
	uint8_t out[HF_SM3_LEN], const char *member, struct hf_bytes body, struct hf_errinfo *ei)
{
	struct member members[] = {
		{ member, MEMBER_DIGEST, out, HF_SM3_LEN, NULL, false },
	};

	return parse(members, HF_COUNT(members), body, ei);
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
