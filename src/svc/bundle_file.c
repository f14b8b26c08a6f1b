/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The length and the name of a pack are known only when it ends, so its header is written last,
 * over a block that was left free. Packs are far below the 8 GiB where tar needs a longer header.
 * A pack that turns out to be there already (a model of zeros has many equal ones) is given up, and
 * what comes next is written over it.
 */
#include "svc/bundle_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"

static hf_err read_at(void *ctx, uint8_t *out, size_t len, uint64_t offset)
{
	const struct hf_bundle_file *b = ctx;

	return hf_file_pread(b->fd, out, len, offset, NULL);
}

static int member_order(const void *a, const void *b)
{
	const struct hf_bundle_member *x = a;
	const struct hf_bundle_member *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(x->name, y->name, sizeof(x->name));
}

static hf_err add_member(struct hf_bundle_file *b, const struct hf_bundle_member *m)
{
	if (b->n_members == b->cap) {
		size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
		struct hf_bundle_member *more;

		if (cap > HF_BUNDLE_MEMBERS_MAX)
			return HF_ERR_LIMIT;
		more = hf_mem_array(b->mem, cap, sizeof(*more));
		if (more == NULL)
			return HF_ERR_NO_MEMORY;
		if (b->n_members > 0)
			memcpy(more, b->members, b->n_members * sizeof(*more));
		hf_mem_free(b->mem, b->members);
		b->members = more;
		b->cap = cap;
	}
	b->members[b->n_members++] = *m;
	return HF_OK;
}

static hf_err read_members(struct hf_bundle_file *b, struct hf_errinfo *ei)
{
	struct hf_bundle_source source = { .read_at = read_at, .ctx = b, .len = b->len };
	struct hf_bundle_member m;
	struct hf_bundle walk;
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e;

	hf_bundle_init(&walk, &source);
	for (;;) {
		e = hf_bundle_next(&walk, &m, &why);
		if (e == HF_OK)
			e = add_member(b, &m);
		if (e != HF_OK)
			break;
	}
	if (e != HF_ERR_NOT_FOUND)
		return hf_fail(ei, e, "%s: not a whole bundle: %s", b->path,
			why.text[0] != '\0' ? why.text : hf_err_text(e));
	if (b->n_members > 1)
		qsort(b->members, b->n_members, sizeof(*b->members), member_order);
	for (size_t i = 1; i < b->n_members; i++)
		if (member_order(&b->members[i - 1], &b->members[i]) == 0)
			return hf_fail(ei, HF_ERR_FORMAT, "%s: the same object twice", b->path);
	return HF_OK;
}

hf_err hf_bundle_file_open(
	struct hf_bundle_file *b, const struct hf_env *env, const char *path, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	hf_err e;

	*b = HF_BUNDLE_FILE_EMPTY;
	b->mem = env->mem;
	if (strlen(path) >= sizeof(b->path))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", path);
	memcpy(b->path, path, strlen(path) + 1);
	HF_TRY(hf_file_open(&b->fd, path, HF_FILE_READ | HF_FILE_FOLLOW, 0, ei));
	e = hf_file_fstat(&st, b->fd, ei);
	b->len = st.size;
	if (e == HF_OK)
		e = read_members(b, ei);
	if (e != HF_OK)
		hf_bundle_file_close(b);
	return e;
}

void hf_bundle_file_close(struct hf_bundle_file *b)
{
	hf_file_close(&b->fd);
	if (b->mem != NULL)
		hf_mem_free(b->mem, b->members);
	*b = HF_BUNDLE_FILE_EMPTY;
}

static const struct hf_bundle_member *find(
	const struct hf_bundle_file *b, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	struct hf_bundle_member key = { .kind = kind };

	memcpy(key.name, name, sizeof(key.name));
	if (b->n_members == 0)
		return NULL;
	return bsearch(&key, b->members, b->n_members, sizeof(key), member_order);
}

static hf_err missing(const struct hf_bundle_file *b, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], struct hf_errinfo *ei)
{
	char path[HF_OBJECT_PATH_MAX];

	hf_object_path(path, kind, name);
	return hf_fail(ei, HF_ERR_NOT_FOUND, "%s: %s is missing", b->path, path);
}

static hf_err bundle_load(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	uint8_t *out, size_t *len, struct hf_errinfo *ei)
{
	const struct hf_bundle_file *b = ctx;
	const struct hf_bundle_member *m = find(b, kind, name);

	if (m == NULL)
		return missing(b, kind, name, ei);
	if (m->len > *len)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: a %s of %llu bytes", b->path,
			hf_object_kind(kind), (unsigned long long)m->len);
	HF_TRY(hf_file_pread(b->fd, out, (size_t)m->len, m->offset, ei));
	*len = (size_t)m->len;
	return HF_OK;
}

static hf_err bundle_read_at(void *ctx, const uint8_t pack[HF_SM3_LEN], uint8_t *out, size_t len,
	uint64_t offset, struct hf_errinfo *ei)
{
	const struct hf_bundle_file *b = ctx;
	const struct hf_bundle_member *m = find(b, HF_OBJECT_PACK, pack);

	if (m == NULL)
		return missing(b, HF_OBJECT_PACK, pack, ei);
	if (offset > m->len || len > m->len - offset)
		return hf_fail(
			ei, HF_ERR_TRUNCATED, "%s: a pack is shorter than its table says", b->path);
	return hf_file_pread(b->fd, out, len, m->offset + offset, ei);
}

static hf_err bundle_each(void *ctx, enum hf_object kind,
	hf_err (*visit)(void *visit_ctx, const uint8_t name[HF_SM3_LEN], uint64_t len),
	void *visit_ctx, struct hf_errinfo *ei)
{
	const struct hf_bundle_file *b = ctx;

	(void)ei;
	for (size_t i = 0; i < b->n_members; i++)
		if (b->members[i].kind == kind)
			HF_TRY(visit(visit_ctx, b->members[i].name, b->members[i].len));
	return HF_OK;
}

struct hf_objects hf_bundle_file_objects(struct hf_bundle_file *b)
{
	return (struct hf_objects){
		.load = bundle_load, .read_at = bundle_read_at, .each = bundle_each, .ctx = b
	};
}

static hf_err out_write(struct hf_bundle_out *b, const void *bytes, size_t len)
{
	HF_TRY(hf_file_pwrite(b->fd, bytes, len, b->at, b->ei));
	b->at += len;
	return HF_OK;
}

static hf_err out_padding(struct hf_bundle_out *b, uint64_t len)
{
	static const uint8_t zero[HF_TAR_BLOCK_LEN];

	return out_write(b, zero, hf_bundle_padding(len));
}

hf_err hf_bundle_out_begin(
	struct hf_bundle_out *b, const struct hf_env *env, const char *path, struct hf_errinfo *ei)
{
	uint8_t start[HF_BUNDLE_START_LEN];
	uint8_t random[4];
	char hex[2 * sizeof(random) + 1];
	struct hf_file_stat st;

	*b = HF_BUNDLE_OUT_EMPTY;
	b->ei = ei;
	hf_buf_init(&b->packs, env->mem, (size_t)HF_BUNDLE_MEMBERS_MAX * HF_SM3_LEN);
	if (hf_file_stat(&st, path, NULL) == HF_OK)
		return hf_fail(ei, HF_ERR_EXISTS, "%s: already there; choose another name", path);
	HF_TRY(hf_rng_fill(&env->rng, random, sizeof(random)));
	hf_hex_emit(hex, random, sizeof(random));
	if (snprintf(b->path, sizeof(b->path), "%s", path) >= (int)sizeof(b->path) ||
		snprintf(b->part, sizeof(b->part), "%s.part-%s", path, hex) >= (int)sizeof(b->part))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", path);
	HF_TRY(hf_file_open(&b->fd, b->part, HF_FILE_WRITE | HF_FILE_NEW, 0644, ei));
	hf_bundle_start_emit(start);
	return out_write(b, start, sizeof(start));
}

static hf_err pack_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct hf_bundle_out *b = ctx;

	if (!b->has_pack) {
		b->has_pack = true;
		b->pack_at = b->at;
		b->at += HF_TAR_BLOCK_LEN;
	}
	return out_write(b, bytes, len);
}

static bool has_pack(const struct hf_bundle_out *b, const uint8_t id[HF_SM3_LEN])
{
	for (size_t at = 0; at < b->packs.len; at += HF_SM3_LEN)
		if (memcmp(b->packs.p + at, id, HF_SM3_LEN) == 0)
			return true;
	return false;
}

static hf_err pack_done(void *ctx, const uint8_t id[HF_SM3_LEN], uint32_t len)
{
	struct hf_bundle_out *b = ctx;
	uint8_t head[HF_BUNDLE_HEAD_MAX];

	b->has_pack = false;
	if (has_pack(b, id)) {
		b->at = b->pack_at;
		return HF_OK;
	}
	if (hf_bundle_head_emit(head, HF_OBJECT_PACK, id, len) != HF_TAR_BLOCK_LEN)
		return HF_ERR_INTERNAL;
	HF_TRY(hf_buf_put(&b->packs, id, HF_SM3_LEN));
	HF_TRY(hf_file_pwrite(b->fd, head, HF_TAR_BLOCK_LEN, b->pack_at, b->ei));
	return out_padding(b, len);
}

static hf_err put_named(struct hf_bundle_out *b, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], struct hf_bytes object)
{
	uint8_t head[HF_BUNDLE_HEAD_MAX];

	HF_TRY(out_write(b, head, hf_bundle_head_emit(head, kind, name, object.len)));
	HF_TRY(out_write(b, object.p, object.len));
	return out_padding(b, object.len);
}

static hf_err page(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	const uint8_t *bytes, size_t len)
{
	return put_named(ctx, kind, name, (struct hf_bytes){ bytes, len });
}

struct hf_pkg_sink hf_bundle_out_sink(struct hf_bundle_out *b)
{
	return (struct hf_pkg_sink){
		.pack_data = pack_data, .pack_done = pack_done, .page = page, .ctx = b
	};
}

hf_err hf_bundle_out_put(struct hf_bundle_out *b, enum hf_object kind, struct hf_bytes object)
{
	uint8_t name[HF_SM3_LEN];

	hf_object_name(name, object.p, object.len);
	return put_named(b, kind, name, object);
}

hf_err hf_bundle_out_finish(struct hf_bundle_out *b)
{
	static const uint8_t end[HF_BUNDLE_END_LEN];

	HF_TRY(out_write(b, end, sizeof(end)));
	/* A pack that was given up may reach farther. */
	HF_TRY(hf_file_resize(b->fd, b->at, b->ei));
	HF_TRY(hf_file_sync(b->fd, b->ei));
	HF_TRY(hf_file_rename(b->part, b->path, b->ei));
	b->part[0] = '\0';
	return hf_dir_sync_above(b->path, b->ei);
}

void hf_bundle_out_clear(struct hf_bundle_out *b)
{
	hf_file_close(&b->fd);
	if (b->part[0] != '\0')
		(void)!hf_file_delete(b->part, NULL);
	hf_buf_clear(&b->packs);
	*b = HF_BUNDLE_OUT_EMPTY;
}
