/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifest ::= SEQUENCE { "hufu-manifest", 1, domain, lineage, version UTF8String, epoch, release,
 *	floor, level INTEGER, created, expires GeneralizedTime, Body,
 *	dependencies SEQUENCE OF SEQUENCE { lineage, release, manifest OCTET STRING },
 *	hardware SEQUENCE OF UTF8String }
 */
#include "pkg/manifest.h"

#include <string.h>

#include "pkg/statement.h"

enum { DEPENDENCY_ROOM = 160 };

/* Tags are what a command line and a report can show: "arch=arm64". */
static bool tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	if (len == 0 || len > HF_HARDWARE_TAG_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (tag[i] <= 0x20 || tag[i] >= 0x7f)
			return false;
	return true;
}

hf_err hf_dependency_put(struct hf_buf *list, const struct hf_dependency *dep)
{
	struct hf_statement s;

	if (!hf_id_is_valid(dep->lineage) || dep->release == 0)
		return HF_ERR_ARG;
	HF_TRY(hf_element_begin(&s, list, DEPENDENCY_ROOM));
	hf_der_put_utf8(&s.w, dep->lineage);
	hf_der_put_u64(&s.w, dep->release);
	hf_field_put_sm3(&s.w, dep->manifest);
	return hf_statement_end(&s);
}

hf_err hf_dependency_take(struct hf_dependency *dep, struct hf_bytes *rest)
{
	struct hf_dependency v = { 0 };
	struct hf_der list;
	struct hf_der d;

	HF_TRY(hf_element_take(&list, &d, rest));
	hf_field_take_id(&d, v.lineage);
	v.release = hf_der_u64(&d);
	hf_field_take_sm3(&d, v.manifest);
	if (v.release == 0)
		hf_der_fail(&d, HF_ERR_FORMAT);
	HF_TRY(hf_element_left(&list, &d, rest));
	*dep = v;
	return HF_OK;
}

hf_err hf_hardware_put(struct hf_buf *list, const char *tag)
{
	uint8_t element[HF_HARDWARE_TAG_MAX + 8];
	struct hf_writer w = { .p = element, .cap = sizeof(element) };

	if (!tag_is_valid(tag))
		return HF_ERR_ARG;
	hf_der_put_utf8(&w, tag);
	HF_TRY(hf_wr_done(&w));
	return hf_buf_put(list, element, w.len);
}

hf_err hf_hardware_take(char tag[HF_HARDWARE_TAG_MAX + 1], struct hf_bytes *rest)
{
	char v[HF_HARDWARE_TAG_MAX + 1];
	struct hf_der d = hf_der_over(rest->p, rest->len);

	if (rest->len == 0)
		return HF_ERR_NOT_FOUND;
	hf_field_take_text(&d, v, sizeof(v));
	if (d.err != HF_OK)
		return d.err;
	if (!tag_is_valid(v))
		return HF_ERR_FORMAT;
	memcpy(tag, v, sizeof(v));
	*rest = (struct hf_bytes){ d.p, d.left };
	return HF_OK;
}

/* Counts the elements of both lists, and so checks every one. */
static hf_err check_lists(struct hf_manifest *m)
{
	struct hf_bytes rest = m->dependencies;
	struct hf_dependency dep;
	char tag[HF_HARDWARE_TAG_MAX + 1];
	hf_err e;

	for (m->n_dependencies = 0; (e = hf_dependency_take(&dep, &rest)) == HF_OK;)
		if (++m->n_dependencies > HF_MANIFEST_DEPS_MAX)
			return HF_ERR_LIMIT;
	if (e != HF_ERR_NOT_FOUND)
		return e;
	rest = m->hardware;
	for (m->n_hardware = 0; (e = hf_hardware_take(tag, &rest)) == HF_OK;)
		if (++m->n_hardware > HF_MANIFEST_HARDWARE_MAX)
			return HF_ERR_LIMIT;
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

/* What makes a manifest contradict itself. */
static bool is_sound(const struct hf_manifest *m)
{
	return m->epoch > 0 && m->release > 0 && m->floor <= m->release &&
	       m->expires_s > m->created_s;
}

hf_err hf_manifest_emit(struct hf_buf *out, const struct hf_manifest *m, struct hf_errinfo *ei)
{
	struct hf_manifest check = *m;
	struct hf_statement s;
	hf_err e;

	if (!is_sound(m) || !hf_id_is_valid(m->domain) || !hf_id_is_valid(m->lineage) ||
		!hf_level_is((uint64_t)m->level) || check_lists(&check) != HF_OK)
		return hf_fail(ei, HF_ERR_ARG, "manifest: fields contradict each other");
	HF_TRY(hf_statement_begin(&s, out, HF_OBJECT_MANIFEST,
		HF_STATEMENT_ROOM + hf_pkg_body_room(&m->body) + m->dependencies.len +
			m->hardware.len));
	hf_der_put_utf8(&s.w, m->domain);
	hf_der_put_utf8(&s.w, m->lineage);
	hf_der_put_utf8(&s.w, m->version);
	hf_der_put_u64(&s.w, m->epoch);
	hf_der_put_u64(&s.w, m->release);
	hf_der_put_u64(&s.w, m->floor);
	hf_der_put_u64(&s.w, (uint64_t)m->level);
	hf_der_put_gtime(&s.w, m->created_s);
	hf_der_put_gtime(&s.w, m->expires_s);
	hf_pkg_body_put(&s.w, &m->body);
	hf_field_put_list(&s.w, m->dependencies);
	hf_field_put_list(&s.w, m->hardware);
	e = hf_statement_end(&s);
	return hf_statement_fail(ei, HF_OBJECT_MANIFEST, e);
}

hf_err hf_manifest_parse(struct hf_manifest *m, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_MANIFEST);
	struct hf_manifest v = { 0 };

	hf_field_take_id(&s, v.domain);
	hf_field_take_id(&s, v.lineage);
	hf_field_take_text(&s, v.version, sizeof(v.version));
	v.epoch = hf_der_u64(&s);
	v.release = hf_der_u64(&s);
	v.floor = hf_der_u64(&s);
	hf_field_take_level(&s, &v.level);
	hf_field_take_time(&s, &v.created_s);
	hf_field_take_time(&s, &v.expires_s);
	hf_pkg_body_take(&s, &v.body);
	v.dependencies = hf_der_take(&s, HF_DER_SEQUENCE);
	v.hardware = hf_der_take(&s, HF_DER_SEQUENCE);
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK && !is_sound(&v))
		hf_der_fail(&d, HF_ERR_FORMAT);
	if (hf_der_done(&d) == HF_OK)
		hf_der_fail(&d, check_lists(&v));
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, HF_OBJECT_MANIFEST, hf_der_done(&d));
	*m = v;
	return HF_OK;
}

void hf_manifest_scope(struct hf_pkg_scope *scope, const struct hf_manifest *m)
{
	scope->suite = m->body.suite;
	scope->release = m->release;
	hf_pkg_domain_id(scope->domain_id, m->domain, m->lineage, m->epoch);
}
