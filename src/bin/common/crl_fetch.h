/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches lists of what is revoked by plain HTTP and gives them to the lists at hand (svc/crls.h),
 * one at a time, in the loop of its owner. Only the signature of a list counts, not where it came
 * from; a list that cannot be had leaves the one before, which ages.
 */
#ifndef HF_BIN_COMMON_CRL_FETCH_H
#define HF_BIN_COMMON_CRL_FETCH_H

#include "base/err.h"
#include "bin/common/log.h"
#include "net/loop.h"
#include "pki/cert.h"
#include "svc/crls.h"
#include "svc/env.h"

struct crl_fetch;

/* What the configuration says, for hufud and for tunnels. */
struct crl_fetch_plan {
	const char *const *urls;
	size_t n_urls;
	bool from_certificates;
	uint32_t every_ms;
	uint32_t timeout_ms;
};

struct crl_fetch_config {
	struct crl_fetch_plan plan;
	struct hf_loop *loop;
	const struct hf_env *env;
	const struct hufud_log *log;
	struct hf_crls *crls;      /* outlives it, as all the rest */
	void (*on_new)(void *ctx); /* there is a new view of crls */
	void *ctx;
};

/* Nothing is fetched yet. HF_ERR_ARG: a URL that is none; ei names it. */
HF_MUST_USE hf_err crl_fetch_new(
	struct crl_fetch **out, const struct crl_fetch_config *config, struct hf_errinfo *ei);

/* With from_certificates: what this one names as places of lists; others are passed over. */
void crl_fetch_from(struct crl_fetch *f, const struct hf_cert *cert);

void crl_fetch_begin(struct crl_fetch *f);

/* The loop goes on for a moment after it. NULL is accepted. */
void crl_fetch_end(struct crl_fetch *f);

#endif
