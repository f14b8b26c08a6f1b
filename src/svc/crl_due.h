/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to fetch which list of what is revoked: the places where lists lie, and the time at which
 * each is looked at again. No clock and no network: time comes in. A list is looked for every so
 * often, and before its end; after failures ever less often, and by chance, so that those who lost
 * a server together do not come back together.
 */
#ifndef HF_SVC_CRL_DUE_H
#define HF_SVC_CRL_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "http/url.h"

enum {
	HF_CRL_PLACES_MAX = 32,
	HF_CRL_DUE_RETRY_MS = 10 * 1000,      /* after the first failure, about */
	HF_CRL_DUE_RETRY_MAX_MS = 600 * 1000, /* after many */
	HF_CRL_DUE_SOON_MS = 60 * 1000,       /* not sooner again because of a list's end */
};

struct hf_crl_place {
	char text[HF_URL_MAX + 1]; /* as it was given */
	struct hf_url url;
	uint64_t next_ms;
	unsigned n_fails; /* in a row */
};

struct hf_crl_due {
	const struct hf_rng *rng;
	uint64_t every_ms; /* > 0 */
	struct hf_crl_place place[HF_CRL_PLACES_MAX];
	size_t n;
};

/*
 * One more place, to be looked at at once. HF_ERR_EXISTS: it is there already. HF_ERR_LIMIT: too
 * many. Others as hf_url_parse().
 */
HF_MUST_USE hf_err hf_crl_due_add(struct hf_crl_due *d, const char *url, size_t url_len);

/* The place that is due, the longest first; false: none is. */
bool hf_crl_due_next(const struct hf_crl_due *d, uint64_t now_ms, size_t *at);

/* When one is; UINT64_MAX: never. */
uint64_t hf_crl_due_deadline(const struct hf_crl_due *d);

/* What lies there is good until end_ms (UINT64_MAX: for ever), by the clock of now_ms. */
void hf_crl_due_good(struct hf_crl_due *d, size_t at, uint64_t end_ms, uint64_t now_ms);
void hf_crl_due_failed(struct hf_crl_due *d, size_t at, uint64_t now_ms);

#endif
