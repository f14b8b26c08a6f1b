/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_args.h"

#include <string.h>

#include "codec/utf8.h"
#include "pkg/manifest.h"

enum { DAY_S = 86400, DAYS_DEFAULT = 365, DAYS_MAX = 36500 };

/* Longest life that the level allows, in days, at most the usual one. */
static uint64_t days_default(enum hf_level level)
{
	uint64_t most = hf_policy(HF_ROW_PACKAGE_EXPIRY, level) / DAY_S;

	return most < DAYS_DEFAULT ? most : DAYS_DEFAULT;
}

static hf_err read_lists(struct hf_seal_spec *spec, struct hufu_seal_lists *lists,
	const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *one;
	size_t at = 0;

	spec->parties = lists->parties;
	while ((one = hufu_arg_next(a, "as", &at)) != NULL) {
		if (spec->n_parties == HF_SEAL_PARTIES_MAX)
			return hf_fail(
				ei, HF_ERR_ARG, "more than %d publishers", HF_SEAL_PARTIES_MAX);
		lists->parties[spec->n_parties++] = one;
	}
	spec->bases = lists->bases;
	at = 0;
	while ((one = hufu_arg_next(a, "base", &at)) != NULL) {
		if (spec->n_bases == HF_BASE_BUNDLES_MAX)
			return hf_fail(ei, HF_ERR_ARG, "--base: at most %d", HF_BASE_BUNDLES_MAX);
		lists->bases[spec->n_bases++] = one;
	}
	return HF_OK;
}

hf_err hufu_seal_args(struct hf_seal_spec *spec, struct hufu_seal_lists *lists,
	const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *version = hufu_arg(a, "version");
	uint64_t level = HF_L1;
	uint64_t days = 0;

	HF_TRY(read_lists(spec, lists, a, ei));
	spec->files = a->arg;
	spec->n_files = a->n_args;
	spec->lineage = hufu_arg(a, "lineage");
	spec->version = version == NULL ? "" : version;
	if (spec->n_parties == 0)
		return hf_fail(ei, HF_ERR_ARG, "--as is missing: the folder of a publisher");
	if (spec->lineage == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--lineage is missing: which model is this?");
	if (!hufu_has(a, "release"))
		return hf_fail(ei, HF_ERR_ARG, "--release is missing: a counter, from 1");
	if (strlen(spec->version) > HF_MANIFEST_NAME_MAX)
		return hf_fail(ei, HF_ERR_ARG, "--version: at most %d bytes", HF_MANIFEST_NAME_MAX);
	if (!hf_utf8_is_valid((const uint8_t *)spec->version, strlen(spec->version)))
		return hf_fail(ei, HF_ERR_ARG, "--version: not in UTF-8");
	HF_TRY(hufu_arg_u64(a, "release", 0, 1, UINT64_MAX, &spec->release, ei));
	HF_TRY(hufu_arg_u64(a, "floor", 0, 0, spec->release, &spec->floor, ei));
	HF_TRY(hufu_arg_u64(a, "epoch", 1, 1, UINT64_MAX, &spec->epoch, ei));
	HF_TRY(hufu_arg_u64(a, "level", HF_L1, HF_L1, HF_L3, &level, ei));
	spec->level = (enum hf_level)level;
	HF_TRY(hufu_arg_u64(a, "expires", days_default(spec->level), 1, DAYS_MAX, &days, ei));
	spec->life_s = days * DAY_S;
	spec->no_dedupe = hufu_has(a, "no-dedupe");
	spec->no_compress = hufu_has(a, "no-compress");
	return HF_OK;
}

void hufu_show_notes(struct hufu_view *v, const struct hf_inputs_notes *n)
{
	if (n->n_pickles > 0) {
		hufu_view_str(v, "warning",
			"pickles are programs: whoever loads one runs it; sealed as opaque bytes");
		hufu_view_u64(v, "pickles", n->n_pickles);
		hufu_view_str(v, "first_pickle", n->pickle);
	}
	if (n->n_strange > 0) {
		hufu_view_u64(v, "models_not_understood", n->n_strange);
		hufu_view_str(v, "first_not_understood", n->strange);
	}
	if (n->n_missing > 0) {
		hufu_view_u64(v, "tensors_in_missing_files", n->n_missing);
		hufu_view_str(v, "first_missing_file", n->missing);
	}
}

void hufu_view_savings(struct hufu_view *v, const struct hf_seal_result *r)
{
	hufu_view_len(v, "new_len", r->totals.new_len);
	hufu_view_len(v, "saved_by_dedupe", r->totals.known_len);
	hufu_view_len(v, "saved_by_codec", r->totals.coded_len);
	if (r->has_base)
		hufu_view_len(v, "without_base_len", r->packs_len);
}
