/* SPDX-License-Identifier: Apache-2.0 */
/* What hufu seal and hufu publish are told about a release. */
#ifndef HF_BIN_HUFU_SEAL_ARGS_H
#define HF_BIN_HUFU_SEAL_ARGS_H

#include "base/err.h"
#include "cmd.h"
#include "svc/seal.h"
#include "view.h"

/* Storage of what a spec points to. */
struct hufu_seal_lists {
	const char *parties[HF_SEAL_PARTIES_MAX];
	const char *bases[HF_BASE_BUNDLES_MAX];
};

/* Reads everything but --out. HF_ERR_ARG: something is missing or cannot be; ei names the option.
 */
HF_MUST_USE hf_err hufu_seal_args(struct hf_seal_spec *spec, struct hufu_seal_lists *lists,
	const struct hufu_args *a, struct hf_errinfo *ei);

/* What is new, and what dedupe and codecs saved. */
void hufu_view_savings(struct hufu_view *v, const struct hf_seal_result *r);

/* What whoever seals these files should be told about them. */
void hufu_show_notes(struct hufu_view *v, const struct hf_inputs_notes *n);

#endif
