/* SPDX-License-Identifier: Apache-2.0 */
/* Samples become seeds: they are counted without a branch on any of them. */
#include "crypto/health.h"

#include "base/ct.h"
#include "crypto/fault.h"
#include "crypto/module.h"

/* SP 800-90B 4.4.1. Set: too many in a row. */
static hf_ct_mask count_run(struct hf_health *h, uint64_t sample)
{
	hf_ct_mask same = hf_ct_same(sample, h->last) & hf_ct_nonzero(h->n_run);

	h->n_run = hf_ct_pick(same, h->n_run, 0) + 1;
	h->last = sample;
	return ~hf_ct_less(h->n_run, HF_HEALTH_REPETITIONS);
}

/* 4.4.2. Set: too many of one kind in the window. */
static hf_ct_mask count_window(struct hf_health *h, uint64_t sample)
{
	if (h->n_window == 0) {
		h->first = sample;
		h->n_same = 0;
	}
	h->n_same += hf_ct_same(sample, h->first) & 1;
	h->n_window = (h->n_window + 1) % HF_HEALTH_WINDOW;
	return ~hf_ct_less(h->n_same, HF_HEALTH_PROPORTION);
}

hf_err hf_health_feed(struct hf_health *h, const uint8_t *in, size_t len)
{
	hf_ct_mask repeats = 0;
	hf_ct_mask crowds = 0;

	for (size_t i = 0; i < len; i++) {
		repeats |= count_run(h, in[i]);
		crowds |= count_window(h, in[i]);
	}
	HF_FAULT("entropy repetition", repeats);
	HF_FAULT("entropy proportion", crowds);
	if (hf_ct_declassify(repeats))
		(void)hf_module_fail("entropy repetition");
	else if (hf_ct_declassify(crowds))
		(void)hf_module_fail("entropy proportion");
	else
		return HF_OK;
	return HF_ERR_ENTROPY;
}
