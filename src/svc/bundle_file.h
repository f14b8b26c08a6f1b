/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles (.hufu) as files: reading one as a set of objects, writing one front to back. */
#ifndef HF_SVC_BUNDLE_FILE_H
#define HF_SVC_BUNDLE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/bundle.h"
#include "pkg/pkg_writer.h"
#include "svc/env.h"
#include "svc/objects.h"
#include "svc/party.h"

enum { HF_BUNDLE_MEMBERS_MAX = 1 << 20 };

struct hf_bundle_file {
	int fd;
	const struct hf_mem *mem;
	struct hf_bundle_member *members;
	size_t n_members;
	size_t cap;
	uint64_t len; /* of the file */
	char path[HF_PATH_MAX];
};

#define HF_BUNDLE_FILE_EMPTY ((struct hf_bundle_file){ .fd = -1 })

/* Opens and reads all headers. HF_ERR_FORMAT, HF_ERR_TRUNCATED: no whole bundle. */
HF_MUST_USE hf_err hf_bundle_file_open(struct hf_bundle_file *b, const struct hf_env *env,
	const char *path, struct hf_errinfo *ei);
void hf_bundle_file_close(struct hf_bundle_file *b);

/* The bundle as a source of objects; b must outlive it. */
struct hf_objects hf_bundle_file_objects(struct hf_bundle_file *b);

/* A bundle being written to <path>.part-<random>; it appears under its name when it is whole. */
struct hf_bundle_out {
	int fd;
	char path[HF_PATH_MAX];
	char part[HF_PATH_MAX];
	uint64_t at;      /* end of the file */
	uint64_t pack_at; /* header of the open pack */
	bool has_pack;
	struct hf_buf packs; /* names of the packs that are in it */
	struct hf_errinfo *ei;
};

#define HF_BUNDLE_OUT_EMPTY ((struct hf_bundle_out){ .fd = -1 })

/* HF_ERR_EXISTS: path is there already. */
HF_MUST_USE hf_err hf_bundle_out_begin(
	struct hf_bundle_out *b, const struct hf_env *env, const char *path, struct hf_errinfo *ei);

/* Takes packs and pages from a package writer. Equal packs are written once. */
struct hf_pkg_sink hf_bundle_out_sink(struct hf_bundle_out *b);

/* Adds one whole object. */
HF_MUST_USE hf_err hf_bundle_out_put(
	struct hf_bundle_out *b, enum hf_object kind, struct hf_bytes object);

/* Makes it durable and gives it its name. */
HF_MUST_USE hf_err hf_bundle_out_finish(struct hf_bundle_out *b);

/* Closes; deletes what was not finished. Accepts HF_BUNDLE_OUT_EMPTY. */
void hf_bundle_out_clear(struct hf_bundle_out *b);

#endif
