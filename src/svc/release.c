/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a byte of a model is checked and decrypted: verify_job and open_job below, through
 * hf_chunk_check() and hf_chunk_open() of pkg/chunk.h. A chunk is hashed and decrypted while it
 * lies in the cache, and not one byte of it leaves before its checks.
 */
#include "svc/release.h"

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/wipe.h"
#include "pkg/chunk.h"

enum { DAY_S = 86400 };

void hf_release_clear(struct hf_release *r)
{
	hf_buf_clear(&r->object);
	memset(r, 0, sizeof(*r));
}

hf_err hf_release_load(struct hf_release *r, const struct hf_env *env,
	const struct hf_objects *objects, const uint8_t *name, const struct hf_root *root,
	struct hf_errinfo *ei)
{
	hf_err e = HF_OK;

	memset(r, 0, sizeof(*r));
	r->objects = objects;
	hf_buf_init(&r->object, env->mem, hf_object_max(HF_OBJECT_MANIFEST));
	if (name != NULL)
		memcpy(r->name, name, sizeof(r->name));
	else
		e = hf_objects_only(r->name, objects, HF_OBJECT_MANIFEST, ei);
	if (e == HF_OK)
		e = hf_objects_load(&r->object, objects, HF_OBJECT_MANIFEST, r->name, ei);
	if (e == HF_OK)
		e = hf_trust_manifest(&r->manifest, &r->n_signed, root,
			(struct hf_bytes){ r->object.p, r->object.len }, ei);
	if (e == HF_OK && strcmp(r->manifest.domain, root->domain) != 0)
		e = hf_fail(ei, HF_ERR_DENIED, "manifest: of domain %s, the trust root is of %s",
			r->manifest.domain, root->domain);
	if (e == HF_OK)
		hf_manifest_scope(&r->scope, &r->manifest);
	else
		hf_release_clear(r);
	return e;
}

hf_err hf_release_rows(const struct hf_release *r, uint64_t now_s, struct hf_errinfo *ei)
{
	const struct hf_manifest *m = &r->manifest;

	if (m->expires_s - m->created_s > hf_policy(HF_ROW_PACKAGE_EXPIRY, m->level))
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_EXPIRY, m->level,
			"release %" PRIu64 " of %s is valid for %" PRIu64 " days", m->release,
			m->lineage, (m->expires_s - m->created_s) / DAY_S);
	if (r->n_signed < hf_policy(HF_ROW_PACKAGE_SIGNATURES, m->level))
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_SIGNATURES, m->level,
			"%u publisher key has signed", r->n_signed);
	if (!m->body.has_marks && hf_policy(HF_ROW_PACKAGE_MARKS, m->level) != 0)
		return hf_policy_refuse(
			ei, HF_ROW_PACKAGE_MARKS, m->level, "%s carries none", m->lineage);
	if (now_s > m->expires_s)
		return hf_fail(ei, HF_ERR_EXPIRED,
			"release %" PRIu64 " of %s has expired; ask its publisher for a newer one",
			m->release, m->lineage);
	return HF_OK;
}

/* A round of chunks. */
struct round {
	const struct hf_release *r;
	const struct hf_release_target *target;
	struct hf_work work;
	uint64_t first; /* chunk number of slot 0 */
	size_t file;    /* number of the file */
	struct hf_place place[HF_WORK_SLOTS_MAX];
	struct hf_chunk chunk[HF_WORK_SLOTS_MAX];
	struct hf_pkg_reader *bases; /* a second one, where there are some */
	struct hf_place base_place[HF_WORK_SLOTS_MAX];
	struct hf_chunk base_chunk[HF_WORK_SLOTS_MAX];
	hf_err result[HF_WORK_SLOTS_MAX];
};

/* Why a round failed, with the first chunk that did. */
static hf_err explain(const struct round *d, hf_err e, size_t n, struct hf_errinfo *ei)
{
	char pack[2 * HF_SM3_LEN + 1];

	for (size_t i = 0; i < n; i++) {
		if (d->result[i] == HF_OK)
			continue;
		hf_hex_emit(pack, d->place[i].pack_id, HF_SM3_LEN);
		return hf_fail(ei, d->result[i], "chunk %" PRIu64 " in pack/%s: %s", d->first + i,
			pack,
			d->result[i] == HF_ERR_AUTH ? "altered, it is not the one that was signed"
						    : hf_err_text(d->result[i]));
	}
	return e;
}

static hf_err verify_chunk(const struct round *d, size_t i)
{
	const struct hf_place *p = &d->place[i];
	const struct hf_objects *o = d->r->objects;
	uint8_t *ct = d->work.slot[i].sealed;

	if (p->len > d->work.plain_cap + HF_CHUNK_TAG_LEN)
		return HF_ERR_LIMIT;
	HF_TRY(o->read_at(o->ctx, p->pack_id, ct, p->len, p->offset, NULL));
	return hf_chunk_check(p, ct, p->len);
}

static hf_err verify_job(void *ctx, size_t i)
{
	struct round *d = ctx;

	d->result[i] = verify_chunk(d, i);
	return d->result[i];
}

/* One chunk out of its pack into out, over the slot's buffer of sealed bytes. */
static hf_err unseal(const struct round *d, struct hf_work_slot *slot, struct hf_opening *opening)
{
	const struct hf_place *p = opening->place;
	const struct hf_objects *o = d->r->objects;

	opening->scope = &d->r->scope;
	opening->ct = slot->sealed;
	opening->ct_len = p->len;
	opening->out_cap = d->work.plain_cap;
	if (p->len > d->work.plain_cap + HF_CHUNK_TAG_LEN)
		return HF_ERR_LIMIT;
	HF_TRY(o->read_at(o->ctx, p->pack_id, slot->sealed, p->len, p->offset, NULL));
	return hf_chunk_open(opening, &slot->codec);
}

static hf_err open_chunk(struct round *d, size_t i)
{
	struct hf_work_slot *slot = &d->work.slot[i];
	struct hf_opening base = {
		.place = &d->base_place[i], .chunk = &d->base_chunk[i], .out = slot->base
	};
	struct hf_opening opening = {
		.place = &d->place[i], .chunk = &d->chunk[i], .base = slot->base, .out = slot->plain
	};

	if (d->chunk[i].base != 0) {
		hf_err e = unseal(d, slot, &base);

		if (e != HF_OK) {
			d->place[i] = d->base_place[i]; /* that is the one to name */
			return e;
		}
	}
	HF_TRY(unseal(d, slot, &opening));
	return d->target->write(
		d->target->ctx, d->file, slot->plain, d->chunk[i].plain_len, d->chunk[i].offset);
}

static hf_err open_job(void *ctx, size_t i)
{
	struct round *d = ctx;

	d->result[i] = open_chunk(d, i);
	return d->result[i];
}

static hf_err verify_rounds(struct round *d, struct hf_pkg_reader *reader,
	const struct hf_work_progress *progress, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &d->r->manifest.body;
	uint64_t done = 0;

	for (uint64_t at = 0; at < body->n_chunks;) {
		size_t n = 0;
		hf_err e;

		d->first = at;
		memset(d->result, 0, sizeof(d->result));
		for (; n < d->work.n_slots && at < body->n_chunks; n++, at++) {
			HF_TRY(hf_pkg_reader_place(reader, at, &d->place[n], ei));
			done += d->place[n].len;
		}
		e = hf_work_run(&d->work, n, verify_job, d);
		if (e != HF_OK)
			return explain(d, e, n, ei);
		HF_TRY(hf_work_show(progress, done, body->sealed_len, ei));
	}
	return HF_OK;
}

/* A round with its buffers; the caller ends it with round_free(). */
static hf_err round_new(struct round **out, const struct hf_env *env, const struct hf_release *r,
	struct hf_errinfo *ei)
{
	struct round *d = hf_mem_new(env->mem, sizeof(*d));
	hf_err e;

	if (d == NULL) {
		(void)hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
		return HF_ERR_NO_MEMORY;
	}
	d->r = r;
	/* A package of empty files has no chunk at all. */
	e = hf_work_init(&d->work, env,
		r->manifest.body.chunk_max == 0 ? 1 : r->manifest.body.chunk_max, HF_CODEC_DECODE,
		r->manifest.body.bases.n_chunks > 0, ei);
	if (e != HF_OK) {
		hf_mem_free(env->mem, d);
		return e;
	}
	*out = d;
	return HF_OK;
}

static void round_free(const struct hf_env *env, struct round *d)
{
	if (d == NULL)
		return;
	hf_work_clear(&d->work);
	hf_pkg_reader_free(d->bases);
	hf_wipe(d, sizeof(*d));
	hf_mem_free(env->mem, d);
}

/* Index pages are sealed, but that they are the signed ones is for everybody to see. */
static hf_err verify_index(
	const struct hf_env *env, const struct hf_release *r, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &r->manifest.body;
	struct hf_buf page;
	hf_err e = HF_OK;

	hf_buf_init(&page, env->mem, hf_object_max(HF_OBJECT_INDEX));
	for (uint32_t i = 0; e == HF_OK && i < body->n_pages; i++) {
		hf_buf_reset(&page);
		e = hf_objects_load(&page, r->objects, HF_OBJECT_INDEX,
			body->index_pages.p + (size_t)i * HF_SM3_LEN, ei);
	}
	hf_buf_clear(&page);
	return e;
}

hf_err hf_release_verify(const struct hf_env *env, const struct hf_release *r,
	const struct hf_work_progress *progress, struct hf_pkg_totals *totals,
	struct hf_errinfo *ei)
{
	struct hf_pkg_source pages = hf_objects_pages(r->objects);
	struct hf_pkg_reader *reader = NULL;
	struct round *d = NULL;
	hf_err e;

	e = hf_pkg_reader_new(&reader, &r->manifest.body, NULL, &pages, env->mem);
	if (e == HF_OK)
		e = hf_pkg_reader_verify(reader, totals, ei);
	if (e == HF_OK)
		e = verify_index(env, r, ei);
	if (e == HF_OK)
		e = round_new(&d, env, r, ei);
	if (e == HF_OK)
		e = verify_rounds(d, reader, progress, ei);
	if (e != HF_OK)
		(void)hf_fail(ei, e, "verification failed: %s", hf_err_text(e));
	round_free(env, d);
	hf_pkg_reader_free(reader);
	return e;
}

static hf_err open_file(struct round *d, struct hf_pkg_reader *reader, const struct hf_pkg_file *f,
	uint64_t *done, const struct hf_work_progress *progress, struct hf_errinfo *ei)
{
	uint64_t end = f->first_chunk + f->n_chunks;

	for (uint64_t at = f->first_chunk; at < end;) {
		size_t n = 0;
		hf_err e;

		d->first = at;
		memset(d->result, 0, sizeof(d->result));
		for (; n < d->work.n_slots && at < end; n++, at++) {
			HF_TRY(hf_pkg_reader_chunk(reader, at, &d->chunk[n], &d->place[n], ei));
			*done += d->chunk[n].plain_len;
			if (d->chunk[n].file != d->file || d->chunk[n].offset >= f->len)
				return hf_fail(ei, HF_ERR_FORMAT,
					"chunk %" PRIu64 " belongs to another file", at);
			if (d->chunk[n].base != 0)
				HF_TRY(hf_pkg_reader_base(d->bases, &d->chunk[n], &d->base_chunk[n],
					&d->base_place[n], ei));
		}
		e = hf_work_run(&d->work, n, open_job, d);
		if (e != HF_OK)
			return explain(d, e, n, ei);
		HF_TRY(hf_work_show(progress, *done, d->r->manifest.body.plain_len, ei));
	}
	return HF_OK;
}

static hf_err open_files(struct round *d, struct hf_pkg_reader *reader,
	const struct hf_work_progress *progress, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &d->r->manifest.body;
	struct hf_bytes rest = body->files;
	struct hf_pkg_file f;
	uint64_t done = 0;
	hf_err e;

	for (size_t number = 0; number < body->n_files; number++) {
		HF_TRY(hf_pkg_file_take(&f, &rest));
		e = d->target->file(d->target->ctx, number, &f);
		if (e == HF_ERR_AGAIN)
			continue;
		if (e != HF_OK)
			return hf_fail(ei, e, "%s: %s", f.path, hf_err_text(e));
		d->file = number;
		HF_TRY(open_file(d, reader, &f, &done, progress, ei));
	}
	return HF_OK;
}

hf_err hf_release_open(const struct hf_env *env, const struct hf_release *r,
	const struct hf_index_keys *keys, const struct hf_release_target *target,
	const struct hf_work_progress *progress, struct hf_errinfo *ei)
{
	struct hf_pkg_source pages = hf_objects_pages(r->objects);
	struct hf_pkg_reader *reader = NULL;
	struct hf_pkg_totals totals;
	struct round *d = NULL;
	hf_err e;

	e = hf_pkg_reader_new(&reader, &r->manifest.body, keys, &pages, env->mem);
	/* Coverage of every file is checked before the first byte is given out. */
	if (e == HF_OK)
		e = hf_pkg_reader_verify(reader, &totals, ei);
	if (e == HF_OK)
		e = round_new(&d, env, r, ei);
	if (e == HF_OK && r->manifest.body.bases.n_chunks > 0)
		e = hf_pkg_reader_new(&d->bases, &r->manifest.body, keys, &pages, env->mem);
	if (e == HF_OK) {
		d->target = target;
		e = open_files(d, reader, progress, ei);
	}
	if (e != HF_OK)
		(void)hf_fail(ei, e, "opening failed: %s", hf_err_text(e));
	round_free(env, d);
	hf_pkg_reader_free(reader);
	return e;
}

struct deposit_search {
	const struct hf_release *r;
	const struct hf_root *root;
	struct hf_buf *found;
	struct hf_grant *deposit;
	bool is_found;
	hf_err last;
};

/* Is this deposit one for the release? Signatures are checked; foreign ones are passed over. */
static hf_err look_at_deposit(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct deposit_search *s = ctx;
	struct hf_bytes content;
	unsigned n_signed = 0;

	(void)len;
	if (s->is_found)
		return HF_OK;
	hf_buf_reset(s->found);
	s->last = hf_objects_load(s->found, s->r->objects, HF_OBJECT_DEPOSIT, name, NULL);
	if (s->last == HF_OK)
		s->last = hf_object_open(&content, &n_signed, HF_OBJECT_DEPOSIT,
			(struct hf_bytes){ s->found->p, s->found->len },
			&s->root->roles[HF_ROOT_PUBLISHER], NULL);
	if (s->last == HF_OK)
		s->last = hf_grant_parse(s->deposit, HF_OBJECT_DEPOSIT, content, NULL);
	s->is_found = s->last == HF_OK &&
		      memcmp(s->deposit->context.manifest, s->r->name, HF_SM3_LEN) == 0;
	return HF_OK;
}

hf_err hf_release_deposit(const struct hf_release *r, const struct hf_root *root,
	struct hf_buf *object, struct hf_grant *deposit, struct hf_errinfo *ei)
{
	struct deposit_search s = { .r = r, .root = root, .found = object, .deposit = deposit };

	HF_TRY(r->objects->each(r->objects->ctx, HF_OBJECT_DEPOSIT, look_at_deposit, &s, ei));
	if (!s.is_found)
		return hf_fail(ei, s.last == HF_OK ? HF_ERR_NOT_FOUND : s.last,
			"no deposit for this release that a publisher of the root has signed");
	return HF_OK;
}

hf_err hf_release_deposit_keys(const struct hf_env *env, const struct hf_release *r,
	const struct hf_party *hub, const struct hf_decrypter *key, struct hf_index_keys *keys,
	struct hf_errinfo *ei)
{
	struct hf_deposit_keys secret;
	struct hf_cms_party self = { .pub = hub->enc.key, .cert = &hub->enc };
	struct hf_buf object;
	struct hf_grant deposit;
	hf_err e;

	hf_deposit_keys_init(&secret, env->mem);
	hf_buf_init(&object, env->mem, hf_object_max(HF_OBJECT_DEPOSIT));
	e = hf_release_deposit(r, &hub->root, &object, &deposit, ei);
	if (e == HF_OK)
		e = hf_deposit_unwrap(&secret, &deposit, &self, key, ei);
	if (e == HF_OK) {
		e = hf_index_keys_open(keys, &r->manifest.body, secret.cek, &r->scope);
		if (e != HF_OK)
			(void)hf_fail(ei, e,
				"the deposit's content key is not the one that the manifest "
				"commits to");
	}
	hf_deposit_keys_clear(&secret);
	hf_buf_clear(&object);
	return e;
}

hf_err hf_release_name_parse(uint8_t name[HF_SM3_LEN], const char *text, struct hf_errinfo *ei)
{
	static const char prefix[] = "manifest/";
	size_t len = 0;

	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	if (hf_hex_parse(name, HF_SM3_LEN, &len, text, strlen(text)) != HF_OK || len != HF_SM3_LEN)
		return hf_fail(
			ei, HF_ERR_ARG, "'%s': the name of a release is 64 hex digits", text);
	return HF_OK;
}
