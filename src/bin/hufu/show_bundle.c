/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: what lies in them, every statement in full, and where the chunks lie. */
#include <stdio.h>

#include "os/heap.h"
#include "pkg/manifest.h"
#include "pkg/pkg_reader.h"
#include "pkg/upload.h"
#include "show.h"
#include "svc/bundle_file.h"

struct showing {
	struct hufu_view *v;
	const struct hf_objects *objects;
	enum hf_object kind;
	struct hf_buf object;
	bool with_chunks;
	struct hf_errinfo *ei;
};

static void show_members(struct hufu_view *v, const struct hf_bundle_file *b)
{
	hufu_view_list(v, "members");
	for (unsigned kind = 1; kind <= HF_OBJECT_KINDS; kind++) {
		uint64_t n = 0;
		uint64_t len = 0;

		for (size_t i = 0; i < b->n_members; i++) {
			if (b->members[i].kind == (enum hf_object)kind) {
				n++;
				len += b->members[i].len;
			}
		}
		if (n == 0)
			continue;
		hufu_view_row(v);
		hufu_view_str(v, "kind", hf_object_kind((enum hf_object)kind));
		hufu_view_u64(v, "count", n);
		hufu_view_len(v, "len", len);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

/* Where each chunk of a body lies. */
static hf_err show_chunks(struct showing *s, const struct hf_pkg_body *body)
{
	struct hf_pkg_source pages = hf_objects_pages(s->objects);
	struct hf_pkg_reader *reader = NULL;
	struct hf_place place;
	hf_err e = hf_pkg_reader_new(&reader, body, NULL, &pages, hf_os_mem());

	if (e != HF_OK)
		return hf_fail(s->ei, e, "%s", hf_err_text(e));
	hufu_view_list(s->v, "places");
	for (uint64_t i = 0; e == HF_OK && i < body->n_chunks; i++) {
		e = hf_pkg_reader_place(reader, i, &place, s->ei);
		if (e != HF_OK)
			break;
		hufu_view_row(s->v);
		hufu_view_u64(s->v, "chunk", i);
		hufu_view_hex(s->v, "pack", place.pack_id, HF_SM3_LEN);
		hufu_view_u64(s->v, "offset", place.offset);
		hufu_view_u64(s->v, "len", place.len);
		hufu_view_hex(s->v, "cid", place.cid, HF_SM3_LEN);
		hufu_view_end(s->v);
	}
	hufu_view_end(s->v);
	hf_pkg_reader_free(reader);
	return e;
}

/* Chunks of a manifest or of an upload; other statements have none. */
static hf_err show_body(struct showing *s, struct hf_bytes object)
{
	struct hf_bytes content;
	struct hf_manifest m;
	struct hf_upload u;

	if (!s->with_chunks || (s->kind != HF_OBJECT_MANIFEST && s->kind != HF_OBJECT_UPLOAD))
		return HF_OK;
	HF_TRY(hf_object_peek(&content, s->kind, object, s->ei));
	if (s->kind == HF_OBJECT_MANIFEST) {
		HF_TRY(hf_manifest_parse(&m, content, s->ei));
		return show_chunks(s, &m.body);
	}
	HF_TRY(hf_upload_parse(&u, content, s->ei));
	return show_chunks(s, &u.body);
}

static hf_err show_one(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct showing *s = ctx;
	struct hf_bytes object;

	(void)len;
	hf_buf_reset(&s->object);
	HF_TRY(hf_objects_load(&s->object, s->objects, s->kind, name, s->ei));
	object = (struct hf_bytes){ s->object.p, s->object.len };
	hufu_view_object(s->v, NULL);
	hufu_view_str(s->v, "kind", hf_object_kind(s->kind));
	HF_TRY(hufu_show_statement(s->v, s->kind, object, s->ei));
	HF_TRY(show_body(s, object));
	hufu_view_end(s->v);
	return HF_OK;
}

hf_err hufu_show_bundle(
	struct hufu_view *v, const char *path, bool with_chunks, struct hf_errinfo *ei)
{
	const struct hf_env env = { .mem = hf_os_mem() };
	struct hf_bundle_file b;
	struct hf_objects objects;
	struct showing s = { .v = v, .objects = &objects, .with_chunks = with_chunks, .ei = ei };
	hf_err e = HF_OK;

	HF_TRY(hf_bundle_file_open(&b, &env, path, ei));
	objects = hf_bundle_file_objects(&b);
	hufu_view_str(v, "kind", "bundle");
	hufu_view_len(v, "len", b.len);
	show_members(v, &b);
	hufu_view_list(v, "statements");
	for (unsigned kind = HF_OBJECT_MANIFEST; e == HF_OK && kind <= HF_OBJECT_KINDS; kind++) {
		s.kind = (enum hf_object)kind;
		hf_buf_init(&s.object, hf_os_mem(), hf_object_max(s.kind));
		e = objects.each(objects.ctx, s.kind, show_one, &s, ei);
		hf_buf_clear(&s.object);
	}
	hufu_view_end(v);
	hf_bundle_file_close(&b);
	return e;
}
