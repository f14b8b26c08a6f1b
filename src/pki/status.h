/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has its issuer revoked a certificate? One look-up over everything that is at hand: complete
 * lists, delta lists and stapled answers. Used by pki/chain.c for every certificate below a root.
 */
#ifndef HF_PKI_STATUS_H
#define HF_PKI_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/ocsp.h"

enum { HF_STATUS_CRLS_MAX = 64, HF_STATUS_STAPLES_MAX = 8 };

struct hf_status_query {
	const struct hf_crl *crls;     /* untrusted; used when their signature holds */
	size_t n_crls;                 /* <= HF_STATUS_CRLS_MAX */
	const struct hf_ocsp *staples; /* likewise */
	size_t n_staples;              /* <= HF_STATUS_STAPLES_MAX */
	uint64_t now_s;
	bool need;           /* something fresh must say that it is not revoked */
	uint64_t age_max_s;  /* with need: thisUpdate at most this long ago */
	unsigned n_verifies; /* signatures that may still be checked; counted down */
};

/* "certificate 91020304 of CN=leaf": for messages. */
enum { HF_CERT_TEXT = 2 * HF_CERT_SERIAL_MAX + 112 };
void hf_cert_text(char out[HF_CERT_TEXT], const struct hf_cert *cert);

/*
 * HF_ERR_REVOKED. HF_ERR_STALE: need, and nothing fresh. HF_ERR_LIMIT: too many signatures.
 * HF_ERR_LIMIT is returned rather than a list left unread, which could be the one that matters.
 */
HF_MUST_USE hf_err hf_status_check(struct hf_status_query *q, const struct hf_cert *cert,
	const struct hf_cert *issuer, struct hf_errinfo *ei);

#endif
