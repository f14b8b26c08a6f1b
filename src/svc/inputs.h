/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on their way into a package: opened, put in order, cut where their tensors lie, and sealed
 * chunk by chunk on all workers. Memory does not grow with the files.
 */
#ifndef HF_SVC_INPUTS_H
#define HF_SVC_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model_map.h"
#include "pkg/chunk.h"
#include "pkg/pkg_writer.h"
#include "svc/base.h"
#include "svc/env.h"
#include "svc/input_list.h"
#include "svc/work.h"

struct hf_inputs_spec {
	const char *const *files; /* paths of files and folders (svc/input_list.h) */
	size_t n_files;           /* 1 .. HF_INPUTS_MAX */
	const char *const *keys;  /* folders whose content must not be in a package */
	size_t n_keys;
	bool is_look;                     /* nothing will be sealed */
	bool no_compress;                 /* never zstd */
	uint32_t cut;                     /* bytes, HF_CUT_MIN .. HF_CUT_MAX; 0: the usual 1 MiB */
	struct hf_base *base;             /* an earlier release, or NULL */
	struct hf_work_progress progress; /* of plaintext bytes */
};

struct hf_inputs;

/*
 * Opens all files and reads their headers; nothing is sealed yet. HF_ERR_LIMIT: a header that is
 * too long. HF_ERR_FORMAT: a model file that is damaged. Others as hf_input_list_make(). What spec
 * points to must outlive the inputs.
 */
HF_MUST_USE hf_err hf_inputs_new(struct hf_inputs **out, const struct hf_env *env,
	const struct hf_inputs_spec *spec, struct hf_errinfo *ei);

/* Closes and wipes. NULL is accepted. */
void hf_inputs_free(struct hf_inputs *in);

/* How many files there are, and one of them: its name in the package, and where its tensors lie. */
size_t hf_inputs_count(const struct hf_inputs *in);
const char *hf_inputs_get(
	const struct hf_model_map **map, const struct hf_inputs *in, size_t number);

/* Files of which whoever seals them should be told something; the names are those of the package.
 */
struct hf_inputs_notes {
	size_t n_pickles; /* programs for Python, sealed as opaque bytes */
	size_t n_strange; /* models with something this version does not know, cut as plain files */
	size_t n_files;
	size_t n_missing; /* tensors that lie in files which the package does not have (ONNX) */
	char pickle[HF_PKG_PATH_MAX + 1];  /* the first of them */
	char strange[HF_PKG_PATH_MAX + 1]; /* the first of them */
	char missing[HF_MODEL_NAME_MAX +
		     1]; /* the file of the first of them, as the model says it */
};

void hf_inputs_notes(struct hf_inputs_notes *out, const struct hf_inputs *in);

/* What sealing came to, in bytes. */
struct hf_inputs_totals {
	uint64_t new_len;   /* sealed, in packs of this release */
	uint64_t known_len; /* sealed, in packs of earlier ones: stored and sent already */
	uint64_t coded_len; /* what codecs took off the new ones */
};

void hf_inputs_totals(struct hf_inputs_totals *out, const struct hf_inputs *in);

/*
 * Hands all files with their sealed chunks to the writer, in order, and behind them the chunks of
 * the base that they are XORed with; the caller finishes it.
 */
HF_MUST_USE hf_err hf_inputs_seal(struct hf_inputs *in, const struct hf_chunk_keys *keys,
	struct hf_pkg_writer *writer, struct hf_errinfo *ei);

#endif
