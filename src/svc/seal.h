/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing a release: files in, one bundle out, with manifest (signed by every publisher given) and
 * deposit (for the hub). All cores work on chunks; memory does not grow with the model.
 */
#ifndef HF_SVC_SEAL_H
#define HF_SVC_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/object.h"
#include "policy/policy.h"
#include "svc/env.h"
#include "svc/inputs.h"
#include "svc/work.h"

enum {
	HF_SEAL_PARTIES_MAX = 8,
};

struct hf_seal_spec {
	const char *const *parties; /* folders of publishers; the first one keeps K_dom */
	size_t n_parties;
	const char *const *files; /* paths of files and folders (svc/input_list.h) */
	size_t n_files;
	const char *out; /* bundle to be written; must not exist */
	const char *lineage;
	const char *version; /* for people; may be "" */
	uint64_t epoch;      /* of K_dom, from 1 */
	uint64_t release;    /* counter, from 1 */
	uint64_t floor;      /* once active, nothing below may run */
	enum hf_level level;
	uint64_t life_s;  /* until the manifest expires */
	bool no_dedupe;   /* share no chunk with any other release */
	bool no_compress; /* never zstd */
	uint32_t cut;     /* bytes; 0: the usual 1 MiB */
	/* Bundles of earlier releases (svc/base.h): what is in them is not in this one again. */
	const char *const *bases;
	size_t n_bases;
	bool may_go_without; /* a base that cannot be one is none, and no failure */
	struct hf_work_progress progress;
};

struct hf_seal_result {
	uint8_t manifest[HF_SM3_LEN];
	uint64_t expires_s;
	uint64_t n_chunks;
	uint64_t plain_len;
	uint64_t sealed_len;
	struct hf_inputs_totals totals;
	bool has_base;
	uint64_t packs_len; /* what one who has nothing fetches */
	struct hf_inputs_notes notes;
};

/*
 * HF_ERR_ARG: a name or a number that cannot be. HF_ERR_DENIED: the level asks for more (the text
 * names the row). HF_ERR_EXISTS: out is there. Nothing is left behind on failure.
 */
HF_MUST_USE hf_err hf_seal(const struct hf_env *env, const struct hf_seal_spec *spec,
	struct hf_seal_result *result, struct hf_errinfo *ei);

#endif
