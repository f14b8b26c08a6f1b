/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds chunks: from the body of a checked manifest, over table pages (public) and index pages
 * (sealed), to the list of chunks, and from a range of a file to the chunks that hold it. Pages
 * come through a callback, are compared with their digests in the body before they are looked at,
 * and one of each kind is kept. Chunks themselves are opened with hf_chunk_open(), by as many
 * threads as the caller likes; a reader is used by one thread at a time.
 */
#ifndef HF_PKG_PKG_READER_H
#define HF_PKG_PKG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "pkg/body.h"
#include "pkg/chunk.h"
#include "pkg/index.h"
#include "pkg/object.h"

struct hf_pkg_source {
	/*
	 * Copies an object into out. *len: in: room, out: bytes. HF_ERR_LIMIT: longer than the
	 * room. kind: HF_OBJECT_TABLE or HF_OBJECT_INDEX.
	 */
	hf_err (*page)(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN], uint8_t *out,
		size_t *len);
	void *ctx;
};

struct hf_pkg_reader;

/*
 * body is borrowed (with what it borrows). keys: NULL for a public reader (cache, relay), which
 * knows places only; else copied.
 */
HF_MUST_USE hf_err hf_pkg_reader_new(struct hf_pkg_reader **out, const struct hf_pkg_body *body,
	const struct hf_index_keys *keys, const struct hf_pkg_source *source,
	const struct hf_mem *mem);

/* Wipes. NULL is accepted. */
void hf_pkg_reader_free(struct hf_pkg_reader *r);

/* Where chunk i lies. HF_ERR_AUTH: a page is not the one that was signed. HF_ERR_ARG: i too big. */
HF_MUST_USE hf_err hf_pkg_reader_place(
	struct hf_pkg_reader *r, uint64_t i, struct hf_place *place, struct hf_errinfo *ei);

/*
 * All about chunk i. HF_ERR_STATE: a public reader. HF_ERR_FORMAT: table and index contradict each
 * other or the body. The caller wipes *chunk.
 */
HF_MUST_USE hf_err hf_pkg_reader_chunk(struct hf_pkg_reader *r, uint64_t i, struct hf_chunk *chunk,
	struct hf_place *place, struct hf_errinfo *ei);

/*
 * All about the chunk that c is XORed with (c->base is not 0). Best asked of a second reader: base
 * chunks stand on other pages. HF_ERR_FORMAT: it is none, or of another length.
 */
HF_MUST_USE hf_err hf_pkg_reader_base(struct hf_pkg_reader *r, const struct hf_chunk *c,
	struct hf_chunk *base, struct hf_place *place, struct hf_errinfo *ei);

/* A chunk's part in a read of [offset, offset + len) of one file. */
struct hf_pkg_part {
	uint64_t chunk_no;
	struct hf_chunk chunk; /* secret */
	struct hf_place place;
	uint32_t skip; /* bytes of the plaintext before the range */
	uint32_t take; /* bytes that belong to the range */
};

/*
 * The part that holds byte `offset` of file number `file` (described by f), cut at the end of the
 * range. To read a range, ask again with offset + take until it is covered.
 * HF_ERR_ARG: the range is empty or leaves the file. Others as hf_pkg_reader_chunk.
 */
HF_MUST_USE hf_err hf_pkg_reader_find(struct hf_pkg_reader *r, struct hf_pkg_part *part,
	uint32_t file, const struct hf_pkg_file *f, uint64_t offset, uint64_t len,
	struct hf_errinfo *ei);

/* What hf_pkg_reader_verify() counted. */
struct hf_pkg_totals {
	uint64_t n_chunks;
	uint64_t plain_len; /* 0 from a public reader */
	uint64_t sealed_len;
	uint64_t n_packs;
};

/*
 * Walks all pages and checks that they are the signed ones, agree with each other and with the
 * totals of the body, and (unless public) that the chunks cover each file once, in order. Chunks
 * are not read. Errors as hf_pkg_reader_chunk.
 */
HF_MUST_USE hf_err hf_pkg_reader_verify(
	struct hf_pkg_reader *r, struct hf_pkg_totals *totals, struct hf_errinfo *ei);

#endif
