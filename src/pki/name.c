/* SPDX-License-Identifier: Apache-2.0 */
/* Names and identities. */
#include "pki/name.h"

#include <stdio.h>
#include <string.h>

#include "codec/der.h"
#include "pki/oid.h"

static const char *const uri_scheme = "hufu:";

static const struct {
	enum hf_role role;
	const char *name;
} roles[] = {
	{ HF_ROLE_HUB, "hub" },
	{ HF_ROLE_EDGE, "edge" },
	{ HF_ROLE_DEVICE, "device" },
	{ HF_ROLE_PUBLISHER, "publisher" },
	{ HF_ROLE_DIRECTOR, "director" },
	{ HF_ROLE_AUDIT, "audit" },
	{ HF_ROLE_OPERATOR, "operator" },
};

static const struct {
	enum hf_oid oid;
	const char *name;
} attributes[] = {
	{ HF_OID_CN, "CN" },
	{ HF_OID_C, "C" },
	{ HF_OID_L, "L" },
	{ HF_OID_ST, "ST" },
	{ HF_OID_O, "O" },
	{ HF_OID_OU, "OU" },
};

struct attribute {
	struct hf_bytes type;
	struct hf_bytes value;
};

/* AttributeTypeAndValue; the value is a string of some kind, whose bytes are all that counts. */
static struct attribute take_attribute(struct hf_der *set)
{
	struct hf_der seq = hf_der_enter(set, HF_DER_SEQUENCE);
	struct attribute a;
	uint8_t tag;

	a.type = hf_der_oid(&seq);
	a.value = hf_der_any(&seq, &tag);
	hf_der_leave(set, &seq);
	return a;
}

bool hf_name_is_valid(struct hf_bytes name)
{
	struct hf_der d = hf_der_over(name.p, name.len);
	struct hf_der rdns = hf_der_enter(&d, HF_DER_SEQUENCE);

	while (hf_der_more(&rdns)) {
		struct hf_der set = hf_der_enter(&rdns, HF_DER_SET);

		do {
			(void)take_attribute(&set);
		} while (hf_der_more(&set));
		hf_der_leave(&rdns, &set);
	}
	hf_der_leave(&d, &rdns);
	return name.len <= HF_NAME_DER_MAX && hf_der_done(&d) == HF_OK;
}

static void text_attribute(struct hf_writer *w, const struct attribute *a)
{
	enum hf_oid oid = hf_oid_find(a->type);
	const char *name = "?";

	for (size_t i = 0; i < HF_COUNT(attributes); i++)
		if (attributes[i].oid == oid)
			name = attributes[i].name;
	if (w->len > 0)
		hf_wr_str(w, ", ");
	hf_wr_str(w, name);
	hf_wr_u8(w, '=');
	for (size_t i = 0; i < a->value.len; i++) {
		uint8_t c = a->value.p[i];

		hf_wr_u8(w, c >= ' ' && c <= '~' ? c : '?');
	}
}

void hf_name_text(char out[HF_NAME_TEXT], struct hf_bytes name)
{
	struct hf_der d = hf_der_over(name.p, name.len);
	struct hf_der rdns = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_writer w = { .p = (uint8_t *)out, .cap = HF_NAME_TEXT - 1 };

	while (hf_der_more(&rdns)) {
		struct hf_der set = hf_der_enter(&rdns, HF_DER_SET);

		while (hf_der_more(&set)) {
			struct attribute a = take_attribute(&set);

			text_attribute(&w, &a);
		}
		hf_der_leave(&rdns, &set);
	}
	if (w.len == 0)
		hf_wr_str(&w, "(no name)");
	out[w.len] = '\0';
}

static void put_attribute(struct hf_writer *w, enum hf_oid type, uint8_t tag, const char *s)
{
	size_t set;
	size_t seq;

	if (s == NULL)
		return;
	set = hf_der_open(w, HF_DER_SET);
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(type));
	hf_der_put(w, tag, s, strlen(s));
	hf_der_close(w, seq);
	hf_der_close(w, set);
}

void hf_name_emit(struct hf_writer *w, const char *country, const char *org, const char *cn)
{
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	put_attribute(w, HF_OID_C, HF_DER_PRINTABLE, country);
	put_attribute(w, HF_OID_O, HF_DER_UTF8, org);
	put_attribute(w, HF_OID_CN, HF_DER_UTF8, cn);
	hf_der_close(w, seq);
}

const char *hf_role_name(enum hf_role role)
{
	for (size_t i = 0; i < HF_COUNT(roles); i++)
		if (roles[i].role == role)
			return roles[i].name;
	return NULL;
}

static bool is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool hf_id_is_valid(const char *s)
{
	size_t len = 0;

	while (len <= HF_ID_MAX && is_id_char(s[len]))
		len++;
	return len > 0 && len <= HF_ID_MAX && s[len] == '\0';
}

/* Takes key off the front of the text and then the value up to ';' or the end, which it ends. */
static bool take_field(char value[HF_ID_MAX + 1], struct hf_bytes *text, const char *key)
{
	size_t key_len = strlen(key);
	size_t len = 0;

	if (text->len < key_len || memcmp(text->p, key, key_len) != 0)
		return false;
	text->p += key_len;
	text->len -= key_len;
	while (len < text->len && text->p[len] != ';') {
		if (len == HF_ID_MAX)
			return false;
		value[len] = (char)text->p[len];
		len++;
	}
	value[len] = '\0';
	text->p += len;
	text->len -= len;
	return hf_id_is_valid(value);
}

hf_err hf_identity_parse(struct hf_identity *out, struct hf_bytes uri)
{
	struct hf_identity id = { 0 };
	char role[HF_ID_MAX + 1];
	char level[HF_ID_MAX + 1];

	if (!take_field(role, &uri, "hufu:role=") || !take_field(level, &uri, ";level=") ||
		!take_field(id.domain, &uri, ";domain=") || !take_field(id.id, &uri, ";id=") ||
		uri.len != 0)
		return HF_ERR_FORMAT;
	for (size_t i = 0; i < HF_COUNT(roles); i++)
		if (strcmp(roles[i].name, role) == 0)
			id.role = roles[i].role;
	if (id.role == 0 || level[1] != '\0' || level[0] < '1' || level[0] > '3')
		return HF_ERR_FORMAT;
	id.level = (enum hf_level)(level[0] - '0');
	*out = id;
	return HF_OK;
}

hf_err hf_identity_emit(char out[HF_URI_MAX], const struct hf_identity *id)
{
	const char *role = hf_role_name(id->role);

	if (role == NULL || id->level < HF_L1 || id->level > HF_L3 || !hf_id_is_valid(id->domain) ||
		!hf_id_is_valid(id->id))
		return HF_ERR_ARG;
	(void)snprintf(out, HF_URI_MAX, "%srole=%s;level=%d;domain=%s;id=%s", uri_scheme, role,
		(int)id->level, id->domain, id->id);
	return HF_OK;
}
