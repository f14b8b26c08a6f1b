/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/objects.h"

#include <string.h>

static hf_err check_name(enum hf_object kind, const uint8_t name[HF_SM3_LEN], const uint8_t *object,
	size_t len, struct hf_errinfo *ei)
{
	uint8_t got[HF_SM3_LEN];

	hf_object_name(got, object, len);
	if (memcmp(got, name, sizeof(got)) != 0)
		return hf_fail(ei, HF_ERR_AUTH,
			"%s: altered, its bytes are not those of its name; get it again",
			hf_object_kind(kind));
	return HF_OK;
}

hf_err hf_objects_load(struct hf_buf *out, const struct hf_objects *o, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], struct hf_errinfo *ei)
{
	size_t len = hf_object_max(kind);
	uint8_t *room = hf_mem_room(out->mem, len);
	hf_err e;

	if (room == NULL)
		return HF_ERR_NO_MEMORY;
	e = o->load(o->ctx, kind, name, room, &len, ei);
	if (e == HF_OK)
		e = check_name(kind, name, room, len, ei);
	if (e == HF_OK)
		e = hf_buf_put(out, room, len);
	hf_mem_free(out->mem, room); /* nothing in it is secret */
	return e;
}

struct check {
	const struct hf_objects *o;
	enum hf_object kind;
	struct hf_buf object;
	struct hf_errinfo *ei;
};

static hf_err check_one(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct check *c = ctx;

	(void)len;
	hf_buf_reset(&c->object);
	return hf_objects_load(&c->object, c->o, c->kind, name, c->ei);
}

hf_err hf_objects_check(const struct hf_objects *o, const struct hf_mem *mem, struct hf_errinfo *ei)
{
	struct check c = { .o = o, .ei = ei };
	hf_err e = HF_OK;

	for (unsigned kind = 1; e == HF_OK && kind <= HF_OBJECT_KINDS; kind++) {
		c.kind = (enum hf_object)kind;
		if (c.kind == HF_OBJECT_PACK)
			continue;
		hf_buf_init(&c.object, mem, hf_object_max(c.kind));
		e = o->each(o->ctx, c.kind, check_one, &c, ei);
		hf_buf_clear(&c.object);
	}
	return e;
}

struct only {
	uint8_t name[HF_SM3_LEN];
	unsigned n;
};

static hf_err count(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct only *only = ctx;

	(void)len;
	memcpy(only->name, name, HF_SM3_LEN);
	only->n++;
	return HF_OK;
}

hf_err hf_objects_only(uint8_t name[HF_SM3_LEN], const struct hf_objects *o, enum hf_object kind,
	struct hf_errinfo *ei)
{
	struct only only = { .n = 0 };

	HF_TRY(o->each(o->ctx, kind, count, &only, ei));
	if (only.n == 0)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "there is no %s in it", hf_object_kind(kind));
	if (only.n > 1)
		return hf_fail(ei, HF_ERR_FORMAT, "there are %u %ss in it, name the one you mean",
			only.n, hf_object_kind(kind));
	memcpy(name, only.name, HF_SM3_LEN);
	return HF_OK;
}

static hf_err page(
	void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN], uint8_t *out, size_t *len)
{
	const struct hf_objects *o = ctx;

	return o->load(o->ctx, kind, name, out, len, NULL);
}

struct hf_pkg_source hf_objects_pages(const struct hf_objects *o)
{
	/* The callback takes what it gave; it never writes through it. */
	union {
		const struct hf_objects *in;
		void *ctx;
	} u = { .in = o };

	return (struct hf_pkg_source){ .page = page, .ctx = u.ctx };
}

static hf_err joined_load(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	uint8_t *out, size_t *len, struct hf_errinfo *ei)
{
	const struct hf_objects_set *s = ctx;
	size_t room = *len;
	hf_err e = HF_ERR_NOT_FOUND;

	for (size_t i = 0; i < s->n && e == HF_ERR_NOT_FOUND; i++) {
		*len = room;
		e = s->of[i].load(s->of[i].ctx, kind, name, out, len, i + 1 == s->n ? ei : NULL);
	}
	return e;
}

static hf_err joined_read_at(void *ctx, const uint8_t pack[HF_SM3_LEN], uint8_t *out, size_t len,
	uint64_t offset, struct hf_errinfo *ei)
{
	const struct hf_objects_set *s = ctx;
	hf_err e = HF_ERR_NOT_FOUND;

	for (size_t i = 0; i < s->n && e == HF_ERR_NOT_FOUND; i++)
		e = s->of[i].read_at(
			s->of[i].ctx, pack, out, len, offset, i + 1 == s->n ? ei : NULL);
	return e;
}

static hf_err joined_each(void *ctx, enum hf_object kind,
	hf_err (*visit)(void *visit_ctx, const uint8_t name[HF_SM3_LEN], uint64_t len),
	void *visit_ctx, struct hf_errinfo *ei)
{
	const struct hf_objects_set *s = ctx;

	for (size_t i = 0; i < s->n; i++)
		HF_TRY(s->of[i].each(s->of[i].ctx, kind, visit, visit_ctx, ei));
	return HF_OK;
}

struct hf_objects hf_objects_joined(struct hf_objects_set *set)
{
	return (struct hf_objects){
		.load = joined_load, .read_at = joined_read_at, .each = joined_each, .ctx = set
	};
}
