/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest: what a publisher says about one release. Signed by a threshold of publisher keys of
 * the trust root. Lists stay DER and are walked with the _take functions.
 */
#ifndef HF_PKG_MANIFEST_H
#define HF_PKG_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "pkg/body.h"
#include "pkg/object.h"
#include "policy/policy.h"

enum {
	HF_MANIFEST_NAME_MAX = 127, /* bytes of the human version */
	HF_MANIFEST_DEPS_MAX = 64,
	HF_MANIFEST_HARDWARE_MAX = 64,
	HF_HARDWARE_TAG_MAX = 63,
};

/* A release that must be there too: base model, adapter, tokenizer. */
struct hf_dependency {
	char lineage[HF_ID_MAX + 1];
	uint64_t release;             /* exactly this one */
	uint8_t manifest[HF_SM3_LEN]; /* name of its manifest */
};

struct hf_manifest {
	char domain[HF_ID_MAX + 1];
	char lineage[HF_ID_MAX + 1];
	char version[HF_MANIFEST_NAME_MAX + 1]; /* for people; decides nothing; may be empty */
	uint64_t epoch;                         /* of K_dom */
	uint64_t release;                       /* counter, 1.. */
	uint64_t floor;                         /* once active, nothing below may run; <= release */
	enum hf_level level;
	uint64_t created_s;
	uint64_t expires_s; /* last second of validity; > created_s */
	struct hf_pkg_body body;
	struct hf_bytes dependencies; /* Dependency elements */
	size_t n_dependencies;
	struct hf_bytes hardware; /* UTF8String elements, "arch=arm64": a device must have all */
	size_t n_hardware;
};

/* Appends one element to a list. HF_ERR_ARG: not a valid lineage, tag, or release 0. */
HF_MUST_USE hf_err hf_dependency_put(struct hf_buf *list, const struct hf_dependency *dep);
HF_MUST_USE hf_err hf_hardware_put(struct hf_buf *list, const char *tag);

/* Walk the lists; *rest starts as the list. HF_ERR_NOT_FOUND: no further element. */
HF_MUST_USE hf_err hf_dependency_take(struct hf_dependency *dep, struct hf_bytes *rest);
HF_MUST_USE hf_err hf_hardware_take(char tag[HF_HARDWARE_TAG_MAX + 1], struct hf_bytes *rest);

/* Appends the DER content, not signed. HF_ERR_ARG: the manifest contradicts itself or a limit. */
HF_MUST_USE hf_err hf_manifest_emit(
	struct hf_buf *out, const struct hf_manifest *m, struct hf_errinfo *ei);

/* Reads DER content, of which *m borrows. Checks form and limits, not who signed nor when. */
HF_MUST_USE hf_err hf_manifest_parse(
	struct hf_manifest *m, struct hf_bytes content, struct hf_errinfo *ei);

/* What the chunks of this release are bound to. */
void hf_manifest_scope(struct hf_pkg_scope *scope, const struct hf_manifest *m);

#endif
