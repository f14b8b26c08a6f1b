/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts sealed chunks together: packs, table and index pages, and at the end the body for a manifest
 * or an upload. Chunks come in order, from whatever sealed them; memory is one page of each kind
 *and 64 bytes a page (hf_pkg_writer_free wipes it).
 *
 *	new -> { file -> chunk* }* -> base* -> finish -> free
 */
#ifndef HF_PKG_PKG_WRITER_H
#define HF_PKG_PKG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "pkg/body.h"
#include "pkg/chunk.h"
#include "pkg/object.h"

/* Where the bytes go. A failure ends the writer. All get ctx; bytes are borrowed. */
struct hf_pkg_sink {
	/* Appends to the pack that is open; the first call opens one. */
	hf_err (*pack_data)(void *ctx, const uint8_t *bytes, size_t len);
	/* The open pack is complete: this is its name. */
	hf_err (*pack_done)(void *ctx, const uint8_t id[HF_SM3_LEN], uint32_t len);
	/* A whole page. kind: HF_OBJECT_TABLE or HF_OBJECT_INDEX. */
	hf_err (*page)(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
		const uint8_t *bytes, size_t len);
	void *ctx;
};

struct hf_pkg_writer_config {
	const struct hf_mem *mem;
	struct hf_pkg_sink sink;
	struct hf_pkg_scope scope;
	uint8_t cek[HF_CEK_LEN];       /* random; wipe it after new */
	uint8_t salt[HF_PKG_SALT_LEN]; /* random, fresh at each sealing */
	uint32_t pack_max;             /* 0: HF_PACK_MAX */
};

struct hf_pkg_writer;

/* HF_ERR_ARG: pack_max above HF_PACK_MAX. */
HF_MUST_USE hf_err hf_pkg_writer_new(
	struct hf_pkg_writer **out, const struct hf_pkg_writer_config *config);

/* Wipes. NULL is accepted. */
void hf_pkg_writer_free(struct hf_pkg_writer *w);

/*
 * Begins a file; its chunks follow. path, len, format and is_executable are read, the chunk numbers
 * are the writer's. HF_ERR_STATE: chunks of the last file are missing, or paths do not ascend.
 */
HF_MUST_USE hf_err hf_pkg_writer_file(struct hf_pkg_writer *w, const struct hf_pkg_file *f);

/*
 * The next chunk of the file, as hf_chunk_seal() left it. HF_ERR_STATE: not at the place where the
 * last one ended, or beyond the file.
 */
HF_MUST_USE hf_err hf_pkg_writer_chunk(struct hf_pkg_writer *w, const struct hf_sealed *s);

/*
 * As hf_pkg_writer_chunk, of a chunk whose sealed bytes lie in a pack of an earlier release already
 * (same cid); only its place is noted.
 */
HF_MUST_USE hf_err hf_pkg_writer_known(
	struct hf_pkg_writer *w, const struct hf_sealed *s, const struct hf_place *place);

/*
 * A chunk of an earlier release that chunks of this one are XORed with: not one of the last file,
 * but behind it. HF_ERR_STATE: it needs a base itself; a file is not complete.
 */
HF_MUST_USE hf_err hf_pkg_writer_base(
	struct hf_pkg_writer *w, const struct hf_sealed *s, const struct hf_place *place);

/*
 * What body.bases says besides; borrowed until the body is. chunk_max: of the releases whose packs
 * are pointed to. Without this a release stands alone.
 */
HF_MUST_USE hf_err hf_pkg_writer_lean(
	struct hf_pkg_writer *w, struct hf_bytes pages, struct hf_bytes steps, uint32_t chunk_max);

/* Ends packs and pages and gives the body, borrowed from the writer. HF_ERR_STATE: as _file. */
HF_MUST_USE hf_err hf_pkg_writer_finish(struct hf_pkg_writer *w, struct hf_pkg_body *body);

#endif
