/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading out of single chunks. The one that was opened last is kept: most reads go on in it. No
 * more plaintext is held than of it and of the chunk that it is XORed with.
 */
#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/wipe.h"
#include "pkg/chunk.h"
#include "sdk/sdk_model.h"

void hf_sdk_reader_clear(struct hufu_model *m)
{
	struct hf_sdk_reader *r = &m->reader;
	size_t chunk_max = m->release.manifest.body.chunk_max;

	hf_pkg_reader_free(r->pages);
	hf_pkg_reader_free(r->base_pages);
	if (r->plain != NULL)
		hf_wipe(r->plain, chunk_max);
	if (r->base != NULL)
		hf_wipe(r->base, chunk_max);
	hf_mem_free(m->env.mem, r->base);
	hf_mem_free(m->env.mem, r->plain);
	hf_mem_free(m->env.mem, r->sealed);
	hf_codec_clear(&r->codec);
	memset(r, 0, sizeof(*r));
}

static hf_err reader_init(struct hufu_model *m, struct hf_errinfo *ei)
{
	struct hf_sdk_reader *r = &m->reader;
	const struct hf_pkg_body *body = &m->release.manifest.body;
	struct hf_pkg_source pages = hf_objects_pages(&m->objects);
	hf_err e;

	if (r->pages != NULL)
		return HF_OK;
	r->plain = hf_mem_new(m->env.mem, body->chunk_max);
	r->sealed = hf_mem_new(m->env.mem, (size_t)body->chunk_max + HF_CHUNK_TAG_LEN);
	e = r->plain == NULL || r->sealed == NULL
		    ? HF_ERR_NO_MEMORY
		    : hf_codec_init(&r->codec, m->env.mem, HF_CODEC_DECODE, body->chunk_max);
	if (e == HF_OK && body->bases.n_chunks > 0) {
		r->base = hf_mem_new(m->env.mem, body->chunk_max);
		e = r->base == NULL
			    ? HF_ERR_NO_MEMORY
			    : hf_pkg_reader_new(&r->base_pages, body, m->keys, &pages, m->env.mem);
	}
	if (e == HF_OK)
		e = hf_pkg_reader_new(&r->pages, body, m->keys, &pages, m->env.mem);
	if (e == HF_OK)
		return HF_OK;
	hf_sdk_reader_clear(m);
	return hf_sdk_no_memory(m, ei); /* nothing else can go wrong here */
}

/* One chunk out of its pack; no: the part that it is opened for. */
static hf_err unseal(
	struct hufu_model *m, struct hf_opening *opening, uint64_t no, struct hf_errinfo *ei)
{
	struct hf_sdk_reader *r = &m->reader;
	const struct hf_place *p = opening->place;
	size_t chunk_max = m->release.manifest.body.chunk_max;
	char pack[2 * HF_SM3_LEN + 1];
	hf_err e;

	opening->scope = &m->release.scope;
	opening->ct = r->sealed;
	opening->ct_len = p->len;
	opening->out_cap = chunk_max;
	e = p->len > chunk_max + HF_CHUNK_TAG_LEN ? HF_ERR_LIMIT : HF_OK;
	if (e == HF_OK)
		e = m->objects.read_at(
			m->objects.ctx, p->pack_id, r->sealed, p->len, p->offset, ei);
	if (e == HF_OK)
		e = hf_chunk_open(opening, &r->codec);
	if (e == HF_OK)
		return HF_OK;
	hf_hex_emit(pack, p->pack_id, HF_SM3_LEN);
	return hf_fail(ei, e, "chunk %" PRIu64 " in pack/%s: %s", no, pack,
		e == HF_ERR_AUTH ? "altered, it is not the one that was signed" : hf_err_text(e));
}

/* Opens what a chunk is XORed with. */
static hf_err open_base(struct hufu_model *m, const struct hf_pkg_part *part, struct hf_errinfo *ei)
{
	struct hf_chunk chunk = { 0 };
	struct hf_place place;
	struct hf_opening base = { .place = &place, .chunk = &chunk, .out = m->reader.base };
	hf_err e = hf_pkg_reader_base(m->reader.base_pages, &part->chunk, &chunk, &place, ei);

	if (e == HF_OK)
		e = unseal(m, &base, part->chunk_no, ei);
	hf_wipe(&chunk, sizeof(chunk));
	return e;
}

/* Opens the chunk of a part into plain, unless it lies there already. */
static hf_err open_part(struct hufu_model *m, const struct hf_pkg_part *part, struct hf_errinfo *ei)
{
	struct hf_sdk_reader *r = &m->reader;
	struct hf_opening opening = {
		.place = &part->place, .chunk = &part->chunk, .base = r->base, .out = r->plain
	};

	if (r->has_chunk && r->chunk_no == part->chunk_no)
		return HF_OK;
	r->has_chunk = false;
	if (part->chunk.base != 0)
		HF_TRY(open_base(m, part, ei));
	HF_TRY(unseal(m, &opening, part->chunk_no, ei));
	r->has_chunk = true;
	r->chunk_no = part->chunk_no;
	return HF_OK;
}

static hf_err read_parts(struct hufu_model *m, size_t number, uint64_t offset, uint8_t *out,
	size_t len, struct hf_errinfo *ei)
{
	const struct hf_pkg_file *f = &m->files[number].f;
	struct hf_pkg_part part;
	hf_err e = HF_OK;

	while (e == HF_OK && len > 0) {
		e = hf_pkg_reader_find(
			m->reader.pages, &part, (uint32_t)number, f, offset, len, ei);
		if (e != HF_OK)
			break;
		e = open_part(m, &part, ei);
		if (e == HF_OK)
			memcpy(out, m->reader.plain + part.skip, part.take);
		out += part.take;
		offset += part.take;
		len -= part.take;
		hf_wipe(&part, sizeof(part));
	}
	return e;
}

hf_err hf_sdk_model_read(struct hufu_model *m, size_t number, uint64_t offset, uint8_t *out,
	size_t len, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e;

	if (len == 0)
		return HF_OK;
	HF_TRY(reader_init(m, ei));
	e = read_parts(m, number, offset, out, len, &why);
	if (e == HF_OK)
		return HF_OK;
	hf_wipe(out, len);
	return hf_sdk_refuse(m, e, &why, ei);
}
