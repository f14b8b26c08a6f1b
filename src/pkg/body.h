/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What manifest and upload have in common: which files, how many chunks, which pages, and how the
 * content key is recognised. Lists stay DER and are walked (hf_pkg_file_take), so that a body of
 * any size is read without memory; they were checked as a whole while parsing.
 */
#ifndef HF_PKG_BODY_H
#define HF_PKG_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"
#include "codec/der.h"
#include "crypto/sm3.h"
#include "pki/name.h"

enum {
	HF_SUITE_SM4_GCM = 1, /* SM4-GCM, SM3, SM2; the only suite of this version */
	HF_CEK_LEN = 32,      /* content key of a package */
	HF_KDOM_LEN = 32,     /* K_dom: per domain, lineage and epoch */
	HF_PKG_SALT_LEN = 32,
	HF_PKG_FILES_MAX = 4096,
	HF_PKG_PATH_MAX = 512,      /* bytes of a file's path, without terminator */
	HF_PKG_PAGES_MAX = 1 << 15, /* table pages: 2^25 chunks, 32 TiB at 1 MiB */
	HF_PAGE_ENTRIES = 1024,     /* entries of every page but the last one */
	HF_PACK_MAX = 64 << 20,     /* bytes of a pack */
	HF_PKG_STEPS_MAX = 16,      /* earlier releases that a manifest says something about */
	HF_CHUNK_TAG_LEN = 16,
	HF_CHUNK_SEALED_MAX = 16 << 20, /* bytes of a sealed chunk, tag included */
	HF_CHUNK_PLAIN_MAX = HF_CHUNK_SEALED_MAX - HF_CHUNK_TAG_LEN,
};

/*
 * What a chunk's key and additional data are bound to. Of a release: domain, lineage, epoch; so
 * equal chunks of two releases are the same sealed bytes.
 */
struct hf_pkg_scope {
	uint16_t suite;
	uint8_t domain_id[HF_SM3_LEN]; /* hf_pkg_domain_id() */
	uint64_t release;              /* release counter; enters the index pages only */
};

/* SM3(label "hufu-domain-v1" || u16 length || domain || u16 length || lineage || u64 epoch). */
void hf_pkg_domain_id(
	uint8_t out[HF_SM3_LEN], const char *domain, const char *lineage, uint64_t epoch);

/* One file of a package. Paths are relative, '/'-separated, strict UTF-8 (hf_pkg_path_is_valid). */
struct hf_pkg_file {
	char path[HF_PKG_PATH_MAX + 1];
	uint64_t len; /* plaintext bytes */
	uint64_t first_chunk;
	uint64_t n_chunks;
	uint16_t format; /* enum hf_model_format */
	bool is_executable;
};

/* No empty, "." or ".." component, no leading '/', no backslash, ':', control character or NUL. */
bool hf_pkg_path_is_valid(struct hf_bytes path);

/*
 * What a release takes from earlier ones of its lineage; all zero in one that stands alone. It may
 * list single chunks of their packs; the pages here list those packs whole, so that who has none of
 * it can bring and check them.
 */
struct hf_pkg_bases {
	bool has;
	uint64_t n_chunks;     /* the last chunks: of no file, what others are XORed with */
	struct hf_bytes pages; /* digests of table pages of earlier releases, 32 bytes each */
	struct hf_bytes steps; /* Step elements; see hf_pkg_step_take */
	uint32_t n_pages;
	uint32_t n_steps;
};

/* Who has this earlier release fetches so many bytes of packs. */
struct hf_pkg_step {
	uint64_t release;
	uint8_t manifest[HF_SM3_LEN];
	uint64_t bytes;
};

struct hf_pkg_body {
	uint16_t suite;
	uint64_t n_chunks;
	uint64_t plain_len;    /* sum over all files */
	uint64_t sealed_len;   /* sum over all chunks, tags included */
	uint32_t chunk_max;    /* longest plaintext of a chunk */
	struct hf_bytes files; /* File elements in ascending order of path; see hf_pkg_file_take */
	size_t n_files;
	uint8_t table_root[HF_SM3_LEN];
	struct hf_bytes table_pages; /* n_pages digests of 32 bytes */
	struct hf_bytes index_pages; /* n_pages digests of 32 bytes */
	uint32_t n_pages;
	uint8_t salt[HF_PKG_SALT_LEN];  /* of this sealing: index key, nonce and commitment */
	uint8_t commitment[HF_SM3_LEN]; /* to the content key */
	bool has_marks;
	uint8_t marks[HF_SM3_LEN]; /* Merkle root of the 2m site keys */
	struct hf_pkg_bases bases;
};

/* Appends one File element to a list. HF_ERR_ARG: a path that is not valid. */
HF_MUST_USE hf_err hf_pkg_file_put(struct hf_buf *files, const struct hf_pkg_file *f);

/*
 * Walks body.files: *rest starts as body.files and moves on. HF_ERR_NOT_FOUND: no further file.
 */
HF_MUST_USE hf_err hf_pkg_file_take(struct hf_pkg_file *f, struct hf_bytes *rest);

/* The same for the list of steps. HF_ERR_ARG: release 0. HF_ERR_NOT_FOUND: no further one. */
HF_MUST_USE hf_err hf_pkg_step_put(struct hf_buf *steps, const struct hf_pkg_step *step);
HF_MUST_USE hf_err hf_pkg_step_take(struct hf_pkg_step *step, struct hf_bytes *rest);

/* SM3(label "hufu-table-v1" || u64 counts || page digests): what body.table_root must be. */
void hf_pkg_table_root(uint8_t out[HF_SM3_LEN], const struct hf_pkg_body *body);

/* The body as one DER element. Room needed: hf_pkg_body_room(). */
size_t hf_pkg_body_room(const struct hf_pkg_body *body);
void hf_pkg_body_put(struct hf_writer *w, const struct hf_pkg_body *body);

/*
 * Reads it as the next element; the reader remembers a failure. Checked here: bounds, table root,
 * number of pages against chunks, paths valid, strictly ascending, chunk ranges without gap.
 */
void hf_pkg_body_take(struct hf_der *d, struct hf_pkg_body *body);

#endif
