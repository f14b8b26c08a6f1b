/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a leak names. For eight assumed coalitions the channel is fitted and every recipient scored;
 * whoever lies under the limit of any is named, the others are looked at again with what is now
 * known, up to four times. The limit is family-wise: over all recipients, all assumptions, rounds
 * and views, 10^-9 that an innocent one is named, whatever was done to the leak.
 */
#ifndef HF_WMARK_MARK_TRACE_H
#define HF_WMARK_MARK_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "wmark/mark_read.h"
#include "wmark/mark_score.h"

enum {
	HF_MARK_ASSUMED = 8, /* coalitions: 1, 2, 3, 4, 6, 8, 12, 20 */
	HF_MARK_ROUNDS = 4,
	HF_MARK_NAMED_MAX = 64,
};

#define HF_MARK_FAMILY_LOG10 (-9.0) /* innocents named: at most so often, in all */
#define HF_MARK_EVIDENCE_LOG10 \
	(-38.6) /* one person's own probability: less than guessing 128 bits */

enum hf_mark_verdict {
	HF_MARK_NOT_ESTABLISHED,
	HF_MARK_ACCUSED,  /* log10 p + log10 of all looks <= HF_MARK_FAMILY_LOG10 */
	HF_MARK_EVIDENCE, /* and log10 p <= HF_MARK_EVIDENCE_LOG10 */
};

/* "evidence", "accused", "not established". */
const char *hf_mark_verdict_text(enum hf_mark_verdict v);

/* What was read of a leak, site by site. */
struct hf_mark_leak {
	const double *y;    /* -1 and +1: pure variants; NaN: not readable */
	const uint8_t *cls; /* class of the site */
	size_t n_sites;
	double noise; /* of a site, above 0; see mark_read.h */
};

struct hf_mark_named {
	size_t who; /* index of the code word */
	unsigned round;
	unsigned assumed;      /* coalition under which p was least */
	double log10_p;        /* bound for this recipient and assumption alone */
	double log10_p_family; /* times recipients and looks */
	enum hf_mark_verdict verdict;
};

struct hf_mark_trace {
	struct hf_mark_named named[HF_MARK_NAMED_MAX]; /* by round, then log10_p */
	size_t n_named;
	unsigned n_rounds;    /* that were run */
	size_t n_read;        /* sites that could be read */
	unsigned coalition;   /* estimate: what fits best (likelihood less parameters), no less than
				 n_named; who mix whole sites can look like one */
	double log10_p_limit; /* named at or below this */
};

/*
 * n_registered: recipients among whom the leak is sought, at least words->n. n_looks: views, rounds
 * and assumptions of all traces of this leak; HF_MARK_VIEWS * HF_MARK_ASSUMED * HF_MARK_ROUNDS when
 * each view is traced once. best_log10, words->n values or NULL: each recipient's least log10 p
 * over all rounds, to the accuracy of float above -3. HF_ERR_ARG: no site, more than
 * HF_MARK_SITES_MAX, a class out of range, words shorter than n_sites, noise not above 0,
 * n_registered or n_looks too small. HF_ERR_LIMIT: more named than there is room for: words are not
 * what recipients hold. On failure *out is unchanged, best_log10 may be anything.
 */
HF_MUST_USE hf_err hf_mark_trace(struct hf_mark_trace *out, double *best_log10,
	const struct hf_mark_leak *leak, const struct hf_mark_words *words, uint64_t n_registered,
	uint64_t n_looks, const struct hf_mem *mem);

#endif
