/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of manifests and uploads.
 *
 *	Body ::= SEQUENCE { suite, chunks, plainLength, sealedLength, chunkMax INTEGER,
 *		files SEQUENCE OF File, tableRoot, tablePages, indexPages, salt, commitment
 *		OCTET STRING, marks [0] OPTIONAL, bases [1] Bases OPTIONAL }
 *	Bases ::= SEQUENCE { chunks INTEGER, pages OCTET STRING, steps SEQUENCE OF SEQUENCE {
 *		release INTEGER, manifest OCTET STRING, bytes INTEGER } }
 *	File ::= SEQUENCE { path UTF8String, length, firstChunk, chunks, format INTEGER,
 *		executable BOOLEAN }
 */
#include "pkg/body.h"

#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "codec/utf8.h"
#include "pkg/label.h"
#include "pkg/statement.h"

enum { FILE_ROOM = HF_PKG_PATH_MAX + 80, STEP_ROOM = 80, FORMAT_MAX = 0xffff };

/* Constructed: what is in it are elements. */
#define TAG_BASES ((uint8_t)HF_DER_CTX_SEQ(1))

static void feed_text(struct hf_sm3 *s, const char *text)
{
	uint8_t len[2];

	hf_put_be16(len, (uint16_t)strlen(text));
	hf_sm3_feed(s, len, sizeof(len));
	hf_sm3_feed(s, text, strlen(text));
}

static void feed_u64(struct hf_sm3 *s, uint64_t v)
{
	uint8_t b[8];

	hf_put_be64(b, v);
	hf_sm3_feed(s, b, sizeof(b));
}

void hf_pkg_domain_id(
	uint8_t out[HF_SM3_LEN], const char *domain, const char *lineage, uint64_t epoch)
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, HF_LABEL_DOMAIN, HF_LABEL_LEN);
	feed_text(&s, domain);
	feed_text(&s, lineage);
	feed_u64(&s, epoch);
	hf_sm3_done(&s, out);
}

/* One component of a path. */
static bool component_is_valid(const uint8_t *p, size_t len)
{
	if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f || p[i] == '\\' || p[i] == ':')
			return false;
	return true;
}

bool hf_pkg_path_is_valid(struct hf_bytes path)
{
	size_t start = 0;

	if (path.len == 0 || path.len > HF_PKG_PATH_MAX || !hf_utf8_is_valid(path.p, path.len))
		return false;
	for (size_t i = 0; i <= path.len; i++) {
		if (i < path.len && path.p[i] != '/')
			continue;
		if (!component_is_valid(path.p + start, i - start))
			return false;
		start = i + 1;
	}
	return true;
}

hf_err hf_pkg_file_put(struct hf_buf *files, const struct hf_pkg_file *f)
{
	struct hf_statement s;

	if (!hf_pkg_path_is_valid(hf_bytes_str(f->path)))
		return HF_ERR_ARG;
	HF_TRY(hf_element_begin(&s, files, FILE_ROOM));
	hf_der_put_utf8(&s.w, f->path);
	hf_der_put_u64(&s.w, f->len);
	hf_der_put_u64(&s.w, f->first_chunk);
	hf_der_put_u64(&s.w, f->n_chunks);
	hf_der_put_u64(&s.w, f->format);
	hf_der_put_bool(&s.w, f->is_executable);
	return hf_statement_end(&s);
}

hf_err hf_pkg_file_take(struct hf_pkg_file *f, struct hf_bytes *rest)
{
	struct hf_pkg_file v = { 0 };
	struct hf_der list;
	struct hf_der d;

	HF_TRY(hf_element_take(&list, &d, rest));
	hf_field_take_text(&d, v.path, sizeof(v.path));
	v.len = hf_der_u64(&d);
	v.first_chunk = hf_der_u64(&d);
	v.n_chunks = hf_der_u64(&d);
	v.format = (uint16_t)hf_field_take_max(&d, FORMAT_MAX);
	v.is_executable = hf_der_bool(&d);
	if (d.err == HF_OK && !hf_pkg_path_is_valid(hf_bytes_str(v.path)))
		hf_der_fail(&d, HF_ERR_FORMAT);
	HF_TRY(hf_element_left(&list, &d, rest));
	*f = v;
	return HF_OK;
}

hf_err hf_pkg_step_put(struct hf_buf *steps, const struct hf_pkg_step *step)
{
	struct hf_statement s;

	if (step->release == 0)
		return HF_ERR_ARG;
	HF_TRY(hf_element_begin(&s, steps, STEP_ROOM));
	hf_der_put_u64(&s.w, step->release);
	hf_field_put_sm3(&s.w, step->manifest);
	hf_der_put_u64(&s.w, step->bytes);
	return hf_statement_end(&s);
}

hf_err hf_pkg_step_take(struct hf_pkg_step *step, struct hf_bytes *rest)
{
	struct hf_pkg_step v = { 0 };
	struct hf_der list;
	struct hf_der d;

	HF_TRY(hf_element_take(&list, &d, rest));
	v.release = hf_der_u64(&d);
	hf_field_take_sm3(&d, v.manifest);
	v.bytes = hf_der_u64(&d);
	if (d.err == HF_OK && v.release == 0)
		hf_der_fail(&d, HF_ERR_FORMAT);
	HF_TRY(hf_element_left(&list, &d, rest));
	*step = v;
	return HF_OK;
}

void hf_pkg_table_root(uint8_t out[HF_SM3_LEN], const struct hf_pkg_body *body)
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, HF_LABEL_TABLE, HF_LABEL_LEN);
	feed_u64(&s, body->n_chunks);
	feed_u64(&s, body->plain_len);
	feed_u64(&s, body->sealed_len);
	feed_u64(&s, body->n_pages);
	hf_sm3_feed(&s, body->table_pages.p, body->table_pages.len);
	hf_sm3_done(&s, out);
}

size_t hf_pkg_body_room(const struct hf_pkg_body *body)
{
	return HF_STATEMENT_ROOM + body->files.len + body->table_pages.len + body->index_pages.len +
	       body->bases.pages.len + body->bases.steps.len;
}

static void put_bases(struct hf_writer *w, const struct hf_pkg_bases *b)
{
	size_t mark = hf_der_open(w, TAG_BASES);

	hf_der_put_u64(w, b->n_chunks);
	hf_der_put_octets(w, b->pages.p, b->pages.len);
	hf_field_put_list(w, b->steps);
	hf_der_close(w, mark);
}

void hf_pkg_body_put(struct hf_writer *w, const struct hf_pkg_body *body)
{
	size_t mark = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put_u64(w, body->suite);
	hf_der_put_u64(w, body->n_chunks);
	hf_der_put_u64(w, body->plain_len);
	hf_der_put_u64(w, body->sealed_len);
	hf_der_put_u64(w, body->chunk_max);
	hf_field_put_list(w, body->files);
	hf_field_put_sm3(w, body->table_root);
	hf_der_put_octets(w, body->table_pages.p, body->table_pages.len);
	hf_der_put_octets(w, body->index_pages.p, body->index_pages.len);
	hf_der_put_octets(w, body->salt, HF_PKG_SALT_LEN);
	hf_field_put_sm3(w, body->commitment);
	hf_field_put_opt_sm3(w, 0, body->has_marks, body->marks);
	if (body->bases.has)
		put_bases(w, &body->bases);
	hf_der_close(w, mark);
}

/* Paths ascend strictly (so none stands twice), chunk ranges follow each other, lengths add up. */
static hf_err check_files(struct hf_pkg_body *body)
{
	struct hf_bytes rest = body->files;
	struct hf_pkg_file f = { 0 };
	char last[HF_PKG_PATH_MAX + 1] = "";
	uint64_t plain_len = 0;
	uint64_t at = 0;
	hf_err e;

	for (body->n_files = 0; (e = hf_pkg_file_take(&f, &rest)) == HF_OK; body->n_files++) {
		if (body->n_files == HF_PKG_FILES_MAX)
			return HF_ERR_LIMIT;
		if (strcmp(last, f.path) >= 0 || f.first_chunk != at)
			return HF_ERR_FORMAT;
		if ((f.len == 0) != (f.n_chunks == 0) || f.n_chunks > f.len)
			return HF_ERR_FORMAT;
		HF_TRY(hf_add_u64(&plain_len, plain_len, f.len));
		HF_TRY(hf_add_u64(&at, at, f.n_chunks));
		memcpy(last, f.path, sizeof(last));
	}
	if (e != HF_ERR_NOT_FOUND)
		return e;
	if (body->n_files == 0 || at != body->n_chunks - body->bases.n_chunks ||
		plain_len != body->plain_len)
		return HF_ERR_FORMAT;
	return HF_OK;
}

/* Steps go from the newest release to older ones. */
static hf_err check_bases(struct hf_pkg_body *body)
{
	struct hf_pkg_bases *b = &body->bases;
	struct hf_bytes rest = b->steps;
	struct hf_pkg_step step = { .release = UINT64_MAX };
	uint64_t last = UINT64_MAX;
	hf_err e;

	if (b->pages.len % HF_SM3_LEN != 0 || b->n_chunks > body->n_chunks)
		return HF_ERR_FORMAT;
	if (b->pages.len / HF_SM3_LEN > HF_PKG_PAGES_MAX)
		return HF_ERR_LIMIT;
	b->n_pages = (uint32_t)(b->pages.len / HF_SM3_LEN);
	for (b->n_steps = 0; (e = hf_pkg_step_take(&step, &rest)) == HF_OK; b->n_steps++) {
		if (b->n_steps == HF_PKG_STEPS_MAX)
			return HF_ERR_LIMIT;
		if (step.release >= last)
			return HF_ERR_FORMAT;
		last = step.release;
	}
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

static hf_err check_counts(struct hf_pkg_body *body)
{
	uint8_t root[HF_SM3_LEN];
	uint64_t n_pages = (body->n_chunks + HF_PAGE_ENTRIES - 1) / HF_PAGE_ENTRIES;

	if (body->suite != HF_SUITE_SM4_GCM)
		return HF_ERR_UNSUPPORTED;
	if (body->n_chunks > (uint64_t)HF_PKG_PAGES_MAX * HF_PAGE_ENTRIES)
		return HF_ERR_LIMIT;
	if (body->table_pages.len != n_pages * HF_SM3_LEN ||
		body->index_pages.len != n_pages * HF_SM3_LEN)
		return HF_ERR_FORMAT;
	body->n_pages = (uint32_t)n_pages;
	if (body->sealed_len < body->n_chunks * HF_CHUNK_TAG_LEN ||
		body->sealed_len > body->n_chunks * HF_CHUNK_SEALED_MAX ||
		body->plain_len > body->n_chunks * (uint64_t)body->chunk_max)
		return HF_ERR_FORMAT;
	hf_pkg_table_root(root, body);
	return memcmp(root, body->table_root, HF_SM3_LEN) == 0 ? HF_OK : HF_ERR_FORMAT;
}

static void take_bases(struct hf_der *d, struct hf_pkg_bases *b)
{
	struct hf_der s = hf_der_enter(d, TAG_BASES);

	b->n_chunks = hf_der_u64(&s);
	b->pages = hf_der_octets(&s);
	b->steps = hf_der_take(&s, HF_DER_SEQUENCE);
	hf_der_leave(d, &s);
}

void hf_pkg_body_take(struct hf_der *d, struct hf_pkg_body *body)
{
	struct hf_der s = hf_der_enter(d, HF_DER_SEQUENCE);

	*body = (struct hf_pkg_body){ 0 };
	body->suite = (uint16_t)hf_field_take_max(&s, 0xffff);
	body->n_chunks = hf_der_u64(&s);
	body->plain_len = hf_der_u64(&s);
	body->sealed_len = hf_der_u64(&s);
	body->chunk_max = (uint32_t)hf_field_take_max(&s, HF_CHUNK_PLAIN_MAX);
	body->files = hf_der_take(&s, HF_DER_SEQUENCE);
	hf_field_take_sm3(&s, body->table_root);
	body->table_pages = hf_der_octets(&s);
	body->index_pages = hf_der_octets(&s);
	hf_field_take_bytes(&s, body->salt, HF_PKG_SALT_LEN);
	hf_field_take_sm3(&s, body->commitment);
	hf_field_take_opt_sm3(&s, 0, &body->has_marks, body->marks);
	body->bases.has = hf_der_is(&s, TAG_BASES);
	if (body->bases.has)
		take_bases(&s, &body->bases);
	hf_der_leave(d, &s);
	if (d->err == HF_OK)
		hf_der_fail(d, check_counts(body));
	if (d->err == HF_OK)
		hf_der_fail(d, check_bases(body));
	if (d->err == HF_OK)
		hf_der_fail(d, check_files(body));
}
