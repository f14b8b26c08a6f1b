/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the weights of a leak to what each site says. Only the two variants are used, whatever they
 * were made of: their middle and half their difference. Four views look at the weights, because
 * attacks differ; all are traced, and count as looks (mark_trace.h).
 */
#ifndef HF_WMARK_MARK_READ_H
#define HF_WMARK_MARK_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum hf_mark_view {
	HF_MARK_GAIN,  /* a gain of the tensor taken out, far weights cut */
	HF_MARK_ERASE, /* only weights near both variants */
	HF_MARK_SIGN,  /* only weights whose sign the mark decides, and only their sign */
	HF_MARK_GRID,  /* of a quantised leak, only weights whose rounding the mark can decide */
	HF_MARK_VIEWS,
};

/* The site weights of one tensor, site after site. */
struct hf_mark_suspect {
	const float *variant[2];
	const float *w;    /* of the leak; NaN: not there */
	const float *step; /* of its quantisation, a weight; NULL: not quantised */
	uint32_t n_s;      /* weights of a site */
	size_t first_site; /* in the reading */
	size_t n_sites;
};

/* What the sites of all tensors say so far. */
struct hf_mark_reading {
	enum hf_mark_view view;
	double *sum;    /* a site: weighted difference */
	double *weight; /* a site */
	size_t n_sites;
	const struct hf_mem *mem;
};

/* HF_ERR_NO_MEMORY. HF_ERR_ARG: no site, or too many. End it with hf_mark_reading_clear(). */
HF_MUST_USE hf_err hf_mark_reading_init(struct hf_mark_reading *r, enum hf_mark_view view,
	size_t n_sites, const struct hf_mem *mem);
void hf_mark_reading_clear(struct hf_mark_reading *r); /* accepts { 0 } */

/*
 * Adds a tensor. A grid view of a tensor without steps reads nothing. HF_ERR_ARG: sites outside of
 * the reading. HF_ERR_NO_MEMORY: nothing was added.
 */
HF_MUST_USE hf_err hf_mark_reading_add(struct hf_mark_reading *r, const struct hf_mark_suspect *s);

/*
 * What n_sites sites say: -1 and +1 are the variants, NaN is nothing. *noise: of a site, as
 * hf_mark_trace() wants it for this view. HF_ERR_NOT_FOUND: no site can be read; y is all NaN.
 */
HF_MUST_USE hf_err hf_mark_reading_done(const struct hf_mark_reading *r, double *y, double *noise);

#endif
