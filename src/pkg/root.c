/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root ::= SEQUENCE { "hufu-root", 1, domain UTF8String, version INTEGER, issued, expires
 *	GeneralizedTime, SEQUENCE OF Role }              -- the four roles in their order
 * Role ::= SEQUENCE { role ENUMERATED-as-INTEGER, threshold INTEGER, keys SEQUENCE OF OCTET STRING
 *}
 */
#include "pkg/root.h"

#include <string.h>

#include "pkg/statement.h"

enum { ROLE_ROOM = 64, KEY_ROOM = HF_SM2_POINT_LEN + 8 };

static bool key_eq(const struct hf_sm2_pub *a, const struct hf_sm2_pub *b)
{
	return memcmp(a->x, b->x, sizeof(a->x)) == 0 && memcmp(a->y, b->y, sizeof(a->y)) == 0;
}

/* Keys differ (TUF 5: a key counts once, whatever it is called), threshold 1 .. n. */
static bool set_is_sound(const struct hf_key_set *set)
{
	if (set->n == 0 || set->n > HF_ROLE_KEYS_MAX || set->threshold == 0 ||
		set->threshold > set->n)
		return false;
	for (unsigned i = 0; i < set->n; i++)
		for (unsigned j = 0; j < i; j++)
			if (key_eq(&set->keys[i], &set->keys[j]))
				return false;
	return true;
}

static bool is_sound(const struct hf_root *root)
{
	for (unsigned i = 0; i < HF_ROOT_ROLES; i++)
		if (!set_is_sound(&root->roles[i]))
			return false;
	return root->version > 0 && root->expires_s > root->issued_s;
}

static void put_role(struct hf_writer *w, unsigned role, const struct hf_key_set *set)
{
	size_t mark = hf_der_open(w, HF_DER_SEQUENCE);
	uint8_t point[HF_SM2_POINT_LEN];
	size_t keys;

	hf_der_put_u64(w, role);
	hf_der_put_u64(w, set->threshold);
	keys = hf_der_open(w, HF_DER_SEQUENCE);
	for (unsigned i = 0; i < set->n; i++) {
		hf_sm2_pub_emit(point, &set->keys[i]);
		hf_der_put_octets(w, point, sizeof(point));
	}
	hf_der_close(w, keys);
	hf_der_close(w, mark);
}

static void take_role(struct hf_der *d, unsigned role, struct hf_key_set *set)
{
	struct hf_der s = hf_der_enter(d, HF_DER_SEQUENCE);
	struct hf_der keys;

	if (hf_der_u64(&s) != role)
		hf_der_fail(&s, HF_ERR_FORMAT);
	set->threshold = (unsigned)hf_field_take_max(&s, HF_ROLE_KEYS_MAX);
	keys = hf_der_enter(&s, HF_DER_SEQUENCE);
	while (hf_der_more(&keys)) {
		struct hf_bytes point = hf_der_octets(&keys);

		if (set->n == HF_ROLE_KEYS_MAX)
			hf_der_fail(&keys, HF_ERR_LIMIT);
		else if (keys.err == HF_OK && point.len != HF_SM2_POINT_LEN)
			hf_der_fail(&keys, HF_ERR_FORMAT);
		else if (keys.err == HF_OK)
			hf_der_fail(
				&keys, hf_sm2_pub_parse(&set->keys[set->n++], point.p, point.len));
	}
	hf_der_leave(&s, &keys);
	hf_der_leave(d, &s);
}

hf_err hf_root_emit(struct hf_buf *out, const struct hf_root *root, struct hf_errinfo *ei)
{
	struct hf_statement s;
	size_t room = HF_STATEMENT_ROOM;
	size_t mark;
	hf_err e;

	if (!is_sound(root) || !hf_id_is_valid(root->domain))
		return hf_fail(ei, HF_ERR_ARG, "root: fields contradict each other");
	for (unsigned i = 0; i < HF_ROOT_ROLES; i++)
		room += ROLE_ROOM + root->roles[i].n * KEY_ROOM;
	HF_TRY(hf_statement_begin(&s, out, HF_OBJECT_ROOT, room));
	hf_der_put_utf8(&s.w, root->domain);
	hf_der_put_u64(&s.w, root->version);
	hf_der_put_gtime(&s.w, root->issued_s);
	hf_der_put_gtime(&s.w, root->expires_s);
	mark = hf_der_open(&s.w, HF_DER_SEQUENCE);
	for (unsigned i = 0; i < HF_ROOT_ROLES; i++)
		put_role(&s.w, i, &root->roles[i]);
	hf_der_close(&s.w, mark);
	e = hf_statement_end(&s);
	return hf_statement_fail(ei, HF_OBJECT_ROOT, e);
}

hf_err hf_root_parse(struct hf_root *root, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_ROOT);
	struct hf_root v = { 0 };
	struct hf_der roles;

	hf_field_take_id(&s, v.domain);
	v.version = hf_der_u64(&s);
	hf_field_take_time(&s, &v.issued_s);
	hf_field_take_time(&s, &v.expires_s);
	roles = hf_der_enter(&s, HF_DER_SEQUENCE);
	for (unsigned i = 0; i < HF_ROOT_ROLES; i++)
		take_role(&roles, i, &v.roles[i]);
	hf_der_leave(&s, &roles);
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK && !is_sound(&v))
		hf_der_fail(&d, HF_ERR_FORMAT);
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, HF_OBJECT_ROOT, hf_der_done(&d));
	*root = v;
	return HF_OK;
}

hf_err hf_root_open_first(struct hf_root *root, struct hf_bytes in, struct hf_errinfo *ei)
{
	struct hf_bytes content = { 0 };
	struct hf_root v;

	HF_TRY(hf_object_peek(&content, HF_OBJECT_ROOT, in, ei));
	HF_TRY(hf_root_parse(&v, content, ei));
	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_ROOT, in, &v.roles[HF_ROOT_ROOT], ei));
	*root = v;
	return HF_OK;
}

/* TUF 5.3.4 and 5.3.5: thresholds of the old and of the new keys, version exactly one more. */
hf_err hf_root_open_next(
	struct hf_root *out, const struct hf_root *cur, struct hf_bytes in, struct hf_errinfo *ei)
{
	struct hf_bytes content = { 0 };
	struct hf_root v;

	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_ROOT, in, &cur->roles[HF_ROOT_ROOT], ei));
	HF_TRY(hf_root_parse(&v, content, ei));
	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_ROOT, in, &v.roles[HF_ROOT_ROOT], ei));
	if (strcmp(v.domain, cur->domain) != 0)
		return hf_fail(
			ei, HF_ERR_DENIED, "root: of domain %s, not of %s", v.domain, cur->domain);
	if (v.version != cur->version + 1)
		return hf_fail(ei, HF_ERR_ROLLBACK, "root: version %llu does not follow %llu",
			(unsigned long long)v.version, (unsigned long long)cur->version);
	*out = v;
	return HF_OK;
}
