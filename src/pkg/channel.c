/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channel ::= SEQUENCE { "hufu-channel", 1, domain UTF8String, serial, rootVersion, revocation
 *	INTEGER, issued, expires GeneralizedTime, SEQUENCE OF Release }
 * Release ::= SEQUENCE { lineage UTF8String, release, floor, level INTEGER, manifest OCTET STRING }
 */
#include "pkg/channel.h"

#include <string.h>

#include "pkg/statement.h"

enum { RELEASE_ROOM = 192 };

hf_err hf_channel_release_put(struct hf_buf *list, const struct hf_channel_release *release)
{
	struct hf_statement s;

	if (!hf_id_is_valid(release->lineage) || release->release == 0 ||
		release->floor > release->release || !hf_level_is((uint64_t)release->level))
		return HF_ERR_ARG;
	HF_TRY(hf_element_begin(&s, list, RELEASE_ROOM));
	hf_der_put_utf8(&s.w, release->lineage);
	hf_der_put_u64(&s.w, release->release);
	hf_der_put_u64(&s.w, release->floor);
	hf_der_put_u64(&s.w, (uint64_t)release->level);
	hf_field_put_sm3(&s.w, release->manifest);
	return hf_statement_end(&s);
}

hf_err hf_channel_release_take(struct hf_channel_release *release, struct hf_bytes *rest)
{
	struct hf_channel_release v = { 0 };
	struct hf_der list;
	struct hf_der d;

	HF_TRY(hf_element_take(&list, &d, rest));
	hf_field_take_id(&d, v.lineage);
	v.release = hf_der_u64(&d);
	v.floor = hf_der_u64(&d);
	hf_field_take_level(&d, &v.level);
	hf_field_take_sm3(&d, v.manifest);
	if (v.release == 0 || v.floor > v.release)
		hf_der_fail(&d, HF_ERR_FORMAT);
	HF_TRY(hf_element_left(&list, &d, rest));
	*release = v;
	return HF_OK;
}

hf_err hf_channel_find(
	struct hf_channel_release *release, const struct hf_channel *c, const char *lineage)
{
	struct hf_bytes rest = c->releases;
	struct hf_channel_release v;
	hf_err e;

	while ((e = hf_channel_release_take(&v, &rest)) == HF_OK) {
		if (strcmp(v.lineage, lineage) == 0) {
			*release = v;
			return HF_OK;
		}
	}
	return e;
}

/* Each lineage at most once (Uptane 5.4.4.6): they ascend strictly. */
static hf_err check_releases(struct hf_channel *c)
{
	struct hf_bytes rest = c->releases;
	struct hf_channel_release v;
	char last[HF_ID_MAX + 1] = "";
	hf_err e;

	for (c->n_releases = 0; (e = hf_channel_release_take(&v, &rest)) == HF_OK;) {
		if (++c->n_releases > HF_CHANNEL_RELEASES_MAX)
			return HF_ERR_LIMIT;
		if (strcmp(last, v.lineage) >= 0)
			return HF_ERR_FORMAT;
		memcpy(last, v.lineage, sizeof(last));
	}
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

static bool is_sound(const struct hf_channel *c)
{
	return c->serial > 0 && c->root_version > 0 && c->expires_s > c->issued_s;
}

hf_err hf_channel_emit(struct hf_buf *out, const struct hf_channel *c, struct hf_errinfo *ei)
{
	struct hf_channel check = *c;
	struct hf_statement s;
	hf_err e;

	if (!is_sound(c) || !hf_id_is_valid(c->domain) || check_releases(&check) != HF_OK)
		return hf_fail(ei, HF_ERR_ARG, "channel: fields contradict each other");
	HF_TRY(hf_statement_begin(&s, out, HF_OBJECT_CHANNEL, HF_STATEMENT_ROOM + c->releases.len));
	hf_der_put_utf8(&s.w, c->domain);
	hf_der_put_u64(&s.w, c->serial);
	hf_der_put_u64(&s.w, c->root_version);
	hf_der_put_u64(&s.w, c->revocation);
	hf_der_put_gtime(&s.w, c->issued_s);
	hf_der_put_gtime(&s.w, c->expires_s);
	hf_field_put_list(&s.w, c->releases);
	e = hf_statement_end(&s);
	return hf_statement_fail(ei, HF_OBJECT_CHANNEL, e);
}

hf_err hf_channel_parse(struct hf_channel *c, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_CHANNEL);
	struct hf_channel v = { 0 };

	hf_field_take_id(&s, v.domain);
	v.serial = hf_der_u64(&s);
	v.root_version = hf_der_u64(&s);
	v.revocation = hf_der_u64(&s);
	hf_field_take_time(&s, &v.issued_s);
	hf_field_take_time(&s, &v.expires_s);
	v.releases = hf_der_take(&s, HF_DER_SEQUENCE);
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK && !is_sound(&v))
		hf_der_fail(&d, HF_ERR_FORMAT);
	if (hf_der_done(&d) == HF_OK)
		hf_der_fail(&d, check_releases(&v));
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, HF_OBJECT_CHANNEL, hf_der_done(&d));
	*c = v;
	return HF_OK;
}
