/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements whose objects are coming in. What an intake holds is what the statement in the store
 * says, so forgetting one loses nothing but the name of its deposit; a bounded number is held.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "base/hex.h"
#include "os/clock.h"
#include "pkg/table.h"
#include "pkg/trust.h"
#include "svc/serve_inner.h"

enum { PARTS_MAX = 1 << 20 }; /* packs that a release lists in part */

/* The signing certificate of a device, from its row. */
struct device_look {
	struct hf_serve *serve;
	struct hf_cert cert;
	hf_err found;
};

static hf_err look_at_device(void *ctx, const struct hf_meta_device *row)
{
	struct device_look *d = ctx;

	if (row->state != SERVE_DEVICE_ENROLLED) {
		d->found = HF_ERR_REVOKED;
		return HF_OK;
	}
	d->found =
		hf_cert_copy(&d->cert, d->serve->mem, row->sign_cert.p, row->sign_cert.len, NULL);
	return HF_OK;
}

hf_err hf_serve_device_open(struct hf_bytes *content, struct hf_serve *s, const char *device,
	enum hf_object kind, struct hf_bytes object, struct hf_errinfo *ei)
{
	struct device_look d = { .serve = s };
	struct hf_key_set set;
	hf_err e = hf_meta_device_get(s->node->meta, device, look_at_device, &d, NULL);

	if (e == HF_OK)
		e = d.found;
	if (e == HF_OK && hf_clock_wall_s() > d.cert.not_after_s)
		e = HF_ERR_EXPIRED;
	if (e == HF_OK)
		e = hf_serve_check_revoked(s, &d.cert, NULL);
	if (e == HF_OK) {
		set = hf_key_set_one(&d.cert.key);
		e = hf_object_open(content, NULL, kind, object, &set, ei);
	} else if (e == HF_ERR_NOT_FOUND) {
		e = HF_ERR_AUTH; /* who is not ours has signed nothing */
	}
	hf_cert_clear(&d.cert);
	if (e != HF_OK)
		return hf_fail(ei, e, "%s: the certificate of %s: %s", hf_object_kind(kind), device,
			hf_err_text(e));
	return HF_OK;
}

hf_err hf_serve_speaks_for(
	const struct hf_serve_session *session, const char *device, struct hf_errinfo *ei)
{
	if (session->who == HF_PEER_EDGE || strcmp(session->identity.id, device) == 0)
		return HF_OK;
	return hf_fail(ei, HF_ERR_DENIED, "%s does not speak for %s", session->identity.id, device);
}

static hf_err check_domain(
	const struct hf_serve *s, enum hf_object kind, const char *domain, struct hf_errinfo *ei)
{
	if (strcmp(domain, s->node->party.identity.domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "%s: of domain %s, not of %s",
			hf_object_kind(kind), domain, s->node->party.identity.domain);
	return HF_OK;
}

static hf_err open_manifest(struct serve_intake *in, struct hf_serve *s, struct hf_errinfo *ei)
{
	struct hf_bytes object = { in->object.p, in->object.len };

	HF_TRY(hf_trust_manifest(&in->manifest, &in->n_signed, &s->node->party.root, object, ei));
	HF_TRY(check_domain(s, in->kind, in->manifest.domain, ei));
	in->body = &in->manifest.body;
	return HF_OK;
}

static hf_err open_upload(struct serve_intake *in, struct hf_serve *s, struct hf_errinfo *ei)
{
	struct hf_bytes object = { in->object.p, in->object.len };
	uint8_t cert[HF_SM3_LEN];
	struct hf_bytes content;

	/* Who claims to have signed, and then whether that is so. */
	HF_TRY(hf_object_peek(&content, in->kind, object, ei));
	HF_TRY(hf_upload_parse(&in->upload, content, ei));
	HF_TRY(hf_serve_device_open(&content, s, in->upload.device, in->kind, object, ei));
	HF_TRY(hf_upload_parse(&in->upload, content, ei));
	HF_TRY(check_domain(s, in->kind, in->upload.domain, ei));
	hf_cert_fingerprint(cert, &s->node->party.enc);
	if (strcmp(in->upload.recipient, s->node->party.identity.id) != 0 ||
		memcmp(in->upload.cert, cert, sizeof(cert)) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "upload: sealed to %s, not to this hub",
			in->upload.recipient);
	in->body = &in->upload.body;
	return HF_OK;
}

static hf_err open_statement(struct serve_intake *in, struct hf_serve *s, struct hf_errinfo *ei)
{
	uint8_t name[HF_SM3_LEN];

	hf_object_name(name, in->object.p, in->object.len);
	if (memcmp(name, in->name, sizeof(name)) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "%s: its bytes are not those of its name",
			hf_object_kind(in->kind));
	return in->kind == HF_OBJECT_MANIFEST ? open_manifest(in, s, ei) : open_upload(in, s, ei);
}

static void forget(struct serve_intake *in)
{
	hf_buf_clear(&in->object);
	memset(in, 0, sizeof(*in));
}

static struct serve_intake *find(
	struct hf_serve *s, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	for (uint32_t i = 0; i < s->config.max_intakes; i++)
		if (s->intakes[i].kind == kind && memcmp(s->intakes[i].name, name, HF_SM3_LEN) == 0)
			return &s->intakes[i];
	return NULL;
}

/*
 * A free place, or that of the one that nothing came for the longest time. NULL: all are busy.
 * Uploads have half of the places, and push out nothing but uploads: what devices send must not
 * hold up a release.
 */
static struct serve_intake *place(struct hf_serve *s, enum hf_object kind)
{
	struct serve_intake *oldest = NULL;
	struct serve_intake *unused = NULL;
	uint32_t n_uploads = 0;

	for (uint32_t i = 0; i < s->config.max_intakes; i++) {
		struct serve_intake *in = &s->intakes[i];

		n_uploads += in->kind == HF_OBJECT_UPLOAD;
		if ((int)in->kind == 0)
			unused = in;
		else if (in->n_puts == 0 &&
			 (kind == HF_OBJECT_MANIFEST || in->kind == HF_OBJECT_UPLOAD) &&
			 (oldest == NULL || in->used_ms < oldest->used_ms))
			oldest = in;
	}
	if (unused != NULL &&
		(kind == HF_OBJECT_MANIFEST || n_uploads < (s->config.max_intakes + 1) / 2))
		return unused;
	if (oldest != NULL)
		forget(oldest);
	return oldest;
}

/* What was looked at, before it has a place. */
static struct serve_intake stranger(
	const struct hf_serve *s, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	struct serve_intake in = { .kind = kind };

	memcpy(in.name, name, sizeof(in.name));
	hf_buf_init(&in.object, s->mem, hf_object_max(kind));
	return in;
}

/* Gives it a place: only what has proven to be what it says pushes out another. Ends in. */
static hf_err keep(struct serve_intake **out, struct hf_serve *s, struct serve_intake *in,
	struct hf_errinfo *ei)
{
	struct serve_intake *at = place(s, in->kind);

	if (at == NULL) {
		forget(in);
		return hf_fail(ei, HF_ERR_AGAIN, "too many statements are coming in, try again");
	}
	*at = *in;
	at->body = at->kind == HF_OBJECT_MANIFEST ? &at->manifest.body : &at->upload.body;
	*out = at;
	return HF_OK;
}

hf_err hf_serve_intake_begin(struct serve_intake **out, struct hf_serve *s, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], struct hf_bytes object, struct hf_errinfo *ei)
{
	struct serve_intake *known = find(s, kind, name);
	struct serve_intake in;
	hf_err e;

	if (known != NULL) {
		*out = known;
		return HF_OK;
	}
	in = stranger(s, kind, name);
	e = hf_buf_put(&in.object, object.p, object.len);
	if (e == HF_OK)
		e = open_statement(&in, s, ei);
	if (e != HF_OK) {
		forget(&in);
		return e;
	}
	in.used_ms = hf_clock_mono_ms();
	return keep(out, s, &in, ei);
}

hf_err hf_serve_intake_get(struct serve_intake **out, struct hf_serve *s, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], struct hf_errinfo *ei)
{
	struct serve_intake *known = find(s, kind, name);
	struct serve_intake in;
	hf_err e;

	if (known != NULL) {
		known->used_ms = hf_clock_mono_ms();
		*out = known;
		return HF_OK;
	}
	in = stranger(s, kind, name);
	e = hf_objects_load(&in.object, &s->objects, kind, name, NULL);
	if (e == HF_ERR_NOT_FOUND)
		e = hf_fail(ei, HF_ERR_STATE, "the %s has not come in: it comes first",
			hf_object_kind(kind));
	if (e == HF_OK)
		e = open_statement(&in, s, ei);
	if (e != HF_OK) {
		forget(&in);
		return e;
	}
	in.used_ms = hf_clock_mono_ms();
	return keep(out, s, &in, ei);
}

void hf_serve_intake_drop(struct serve_intake *in)
{
	if (in->n_puts == 0)
		forget(in);
}

bool hf_serve_intake_lists(
	const struct serve_intake *in, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	struct hf_bytes pages =
		kind == HF_OBJECT_TABLE ? in->body->table_pages : in->body->index_pages;

	for (size_t at = 0; at + HF_SM3_LEN <= pages.len; at += HF_SM3_LEN)
		if (memcmp(pages.p + at, name, HF_SM3_LEN) == 0)
			return true;
	return false;
}

static hf_err missing(enum hf_object kind, const uint8_t name[HF_SM3_LEN], struct hf_errinfo *ei)
{
	char path[HF_OBJECT_PATH_MAX];

	hf_object_path(path, kind, name);
	return hf_fail(ei, HF_ERR_STATE, "%s has not come in", path);
}

static hf_err is_there(struct hf_serve *s, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	uint64_t *size, struct hf_errinfo *ei)
{
	char id[SERVE_ID_TEXT];
	hf_err e;

	hf_hex_emit(id, name, HF_SM3_LEN);
	e = hf_blob_size(&s->node->blobs, size, hf_object_kind(kind), id, NULL);
	return e == HF_ERR_NOT_FOUND ? missing(kind, name, ei) : e;
}

/* What one look at all pages needs. */
struct whole {
	struct hf_serve *s;
	struct hf_buf page;
	struct hf_buf parts; /* names of packs that the statement lists in part */
};

/* The packs that one table page names. */
static hf_err check_packs(struct whole *w, const uint8_t *page, size_t len, struct hf_errinfo *ei)
{
	struct hf_serve *s = w->s;
	struct hf_table_page t;

	HF_TRY(hf_table_page_parse(&t, page, len));
	for (uint32_t i = 0; i < t.n_packs; i++) {
		const uint8_t *pack = t.packs + (size_t)i * HF_TABLE_PACK_LEN;
		uint64_t size = 0;

		HF_TRY(is_there(s, HF_OBJECT_PACK, pack, &size, ei));
		if (size != hf_get_be32(pack + HF_SM3_LEN))
			return hf_fail(ei, HF_ERR_FORMAT,
				"table page %" PRIu32 ": a pack is not as long as it says", t.page);
		if (!hf_table_pack_is_whole(&t, i))
			HF_TRY(hf_buf_put(&w->parts, pack, HF_SM3_LEN));
	}
	return HF_OK;
}

static hf_err check_pages(const struct serve_intake *in, struct whole *w, struct hf_errinfo *ei)
{
	struct hf_serve *s = w->s;

	for (uint32_t i = 0; i < in->body->n_pages; i++) {
		const uint8_t *table = in->body->table_pages.p + (size_t)i * HF_SM3_LEN;
		const uint8_t *index = in->body->index_pages.p + (size_t)i * HF_SM3_LEN;
		uint64_t size = 0;

		HF_TRY(is_there(s, HF_OBJECT_TABLE, table, &size, ei));
		HF_TRY(is_there(s, HF_OBJECT_INDEX, index, &size, ei));
		hf_buf_reset(&w->page);
		HF_TRY(hf_objects_load(&w->page, &s->objects, HF_OBJECT_TABLE, table, NULL));
		HF_TRY(check_packs(w, w->page.p, w->page.len, ei));
	}
	return HF_OK;
}

static int name_order(const void *a, const void *b)
{
	return memcmp(a, b, HF_SM3_LEN);
}

/* Each name once, in order; how many they are. */
static size_t sort_names(struct hf_buf *names)
{
	size_t n = 0;

	if (names->len > 0)
		qsort(names->p, names->len / HF_SM3_LEN, HF_SM3_LEN, name_order);
	for (size_t at = 0; at < names->len; at += HF_SM3_LEN)
		if (n == 0 ||
			memcmp(names->p + at, names->p + (n - 1) * HF_SM3_LEN, HF_SM3_LEN) != 0)
			memmove(names->p + n++ * HF_SM3_LEN, names->p + at, HF_SM3_LEN);
	return n;
}

/* Crosses out the packs that this page lists whole. */
static hf_err cross_out(struct whole *w, uint8_t *listed, size_t n)
{
	struct hf_table_page t;

	HF_TRY(hf_table_page_parse(&t, w->page.p, w->page.len));
	for (uint32_t i = 0; i < t.n_packs; i++) {
		const uint8_t *pack = t.packs + (size_t)i * HF_TABLE_PACK_LEN;
		const uint8_t *at = bsearch(pack, w->parts.p, n, HF_SM3_LEN, name_order);

		if (at != NULL && hf_table_pack_is_whole(&t, i))
			listed[(size_t)(at - w->parts.p) / HF_SM3_LEN] = 1;
	}
	return HF_OK;
}

/*
 * Whoever has nothing of earlier releases must be able to bring the packs that are listed in part:
 * a page of one of those, which the statement names, lists each of them whole.
 */
static hf_err check_bases(const struct serve_intake *in, struct whole *w, struct hf_errinfo *ei)
{
	const struct hf_pkg_bases *bases = &in->body->bases;
	size_t n = sort_names(&w->parts);
	uint8_t *listed = hf_mem_new(w->s->mem, n + 1);
	hf_err e = HF_OK;

	if (listed == NULL)
		return HF_ERR_NO_MEMORY;
	for (uint32_t i = 0; e == HF_OK && i < bases->n_pages; i++) {
		const uint8_t *name = bases->pages.p + (size_t)i * HF_SM3_LEN;
		uint64_t size = 0;

		e = is_there(w->s, HF_OBJECT_TABLE, name, &size, ei);
		hf_buf_reset(&w->page);
		if (e == HF_OK)
			e = hf_objects_load(&w->page, &w->s->objects, HF_OBJECT_TABLE, name, NULL);
		if (e == HF_OK && n > 0)
			e = cross_out(w, listed, n);
	}
	for (size_t i = 0; e == HF_OK && i < n; i++)
		if (listed[i] == 0)
			e = hf_fail(ei, HF_ERR_FORMAT,
				"a pack is listed in part, and by no earlier page whole");
	hf_mem_free(w->s->mem, listed);
	return e;
}

hf_err hf_serve_intake_whole(
	const struct serve_intake *in, struct hf_serve *s, struct hf_errinfo *ei)
{
	struct hf_pkg_source pages = hf_objects_pages(&s->objects);
	struct hf_pkg_reader *reader = NULL;
	struct hf_pkg_totals totals;
	struct whole w = { .s = s };
	hf_err e;

	hf_buf_init(&w.page, s->mem, hf_object_max(HF_OBJECT_TABLE));
	hf_buf_init(&w.parts, s->mem, PARTS_MAX * HF_SM3_LEN);
	e = check_pages(in, &w, ei);
	if (e == HF_OK)
		e = check_bases(in, &w, ei);
	hf_buf_clear(&w.page);
	hf_buf_clear(&w.parts);
	if (e == HF_OK)
		e = hf_pkg_reader_new(&reader, in->body, NULL, &pages, s->mem);
	if (e == HF_OK)
		e = hf_pkg_reader_verify(reader, &totals, ei);
	hf_pkg_reader_free(reader);
	if (e != HF_OK)
		return hf_fail(ei, e, "its objects are not all there: %s", hf_err_text(e));
	return HF_OK;
}

static uint64_t idle_end(const struct serve_intake *in)
{
	return (int)in->kind == 0 || in->n_puts > 0 ? UINT64_MAX : in->used_ms + SERVE_INTAKE_MS;
}

void hf_serve_intakes_tick(struct hf_serve *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->config.max_intakes; i++)
		if (now_ms >= idle_end(&s->intakes[i]))
			forget(&s->intakes[i]);
}

uint64_t hf_serve_intakes_deadline(const struct hf_serve *s)
{
	uint64_t at = UINT64_MAX;

	for (uint32_t i = 0; i < s->config.max_intakes; i++)
		if (idle_end(&s->intakes[i]) < at)
			at = idle_end(&s->intakes[i]);
	return at;
}
