/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle (.hufu) is a plain tar (POSIX ustar, pax for sizes of 8 GiB and more) whose members are
 * objects: `tar tf model.hufu` lists them. The first member is a short text that names the format.
 * The reader takes nothing else: no links, no folders, no other names, nothing twice in a row.
 */
#ifndef HF_PKG_BUNDLE_H
#define HF_PKG_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm3.h"
#include "pkg/object.h"

enum {
	HF_TAR_BLOCK_LEN = 512,
	HF_BUNDLE_HEAD_MAX = 3 * HF_TAR_BLOCK_LEN, /* pax header, its body, header */
	HF_BUNDLE_START_LEN = 2 * HF_TAR_BLOCK_LEN,
	HF_BUNDLE_END_LEN = 2 * HF_TAR_BLOCK_LEN,
};

/* Name of the first member, and its content. */
#define HF_BUNDLE_MARK "hufu-bundle"
#define HF_BUNDLE_TEXT "hufu bundle 1: sealed AI model package, see docs/formats/bundle.md\n"

/* The first member with header and padding. */
void hf_bundle_start_emit(uint8_t out[HF_BUNDLE_START_LEN]);

/* What stands before a member's len bytes; returns its length. mtime is 0: bundles are equal. */
size_t hf_bundle_head_emit(uint8_t out[HF_BUNDLE_HEAD_MAX], enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], uint64_t len);

/* Zero bytes that follow a member of len bytes. */
size_t hf_bundle_padding(uint64_t len);

struct hf_bundle_source {
	/* Reads exactly len bytes at offset. */
	hf_err (*read_at)(void *ctx, uint8_t *out, size_t len, uint64_t offset);
	void *ctx;
	uint64_t len; /* of the whole bundle */
};

struct hf_bundle_member {
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	uint64_t offset; /* of its bytes in the bundle */
	uint64_t len;
};

struct hf_bundle {
	struct hf_bundle_source source;
	uint64_t at; /* next header */
	bool is_begun;
};

void hf_bundle_init(struct hf_bundle *b, const struct hf_bundle_source *source);

/*
 * The next member; its bytes are not read. HF_ERR_NOT_FOUND: the bundle ended in an orderly way.
 * HF_ERR_TRUNCATED, HF_ERR_FORMAT: it did not, or is no bundle. HF_ERR_LIMIT: longer than its kind
 * may be. Failures of read_at.
 */
HF_MUST_USE hf_err hf_bundle_next(
	struct hf_bundle *b, struct hf_bundle_member *out, struct hf_errinfo *ei);

#endif
