/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the path from a certificate to a trusted root and checks it (RFC 5280 6.1, the part that
 * GM/T 0015 certificates use): signatures, validity, basic constraints, path length, key usage,
 * names, revocation, and whether the leaf is who it should be.
 */
#ifndef HF_PKI_CHAIN_H
#define HF_PKI_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/ocsp.h"

enum {
	HF_CHAIN_MAX = 6,           /* certificates of a path, leaf and root included */
	HF_CHAIN_CERTS_MAX = 32,    /* intermediates that may be offered */
	HF_CHAIN_VERIFIES_MAX = 32, /* signatures that one search may check */
};

/* No limit on the age of a revocation list, besides its own nextUpdate. */
#define HF_CHAIN_ANY_AGE UINT64_MAX

enum hf_purpose {
	HF_PURPOSE_SERVER,  /* link: digitalSignature; serverAuth if it has an EKU */
	HF_PURPOSE_CLIENT,  /* link: digitalSignature; clientAuth if it has an EKU */
	HF_PURPOSE_SIGN,    /* objects: digitalSignature or nonRepudiation */
	HF_PURPOSE_ENCRYPT, /* envelopes: keyEncipherment, dataEncipherment or keyAgreement */
};

/* What the leaf must be. Fields left empty do not matter. */
struct hf_identity_want {
	unsigned roles; /* set of enum hf_role, one of which it must have; 0: any, or none at all */
	enum hf_level level; /* at least */
	const char *domain;
	const char *id;
	const char *dns;   /* a host name it must carry */
	const uint8_t *ip; /* an address it must carry */
	size_t ip_len;
};

struct hf_chain_query {
	const struct hf_cert *leaf;
	const struct hf_cert *intermediates; /* offered by the peer or from a store; untrusted */
	size_t n_intermediates;
	const struct hf_cert *roots; /* trusted; their own signatures are not checked */
	size_t n_roots;
	const struct hf_crl *crls; /* untrusted; used when their signature holds */
	size_t n_crls;
	const struct hf_ocsp *staples; /* likewise: answers about certificates of the path */
	size_t n_staples;
	enum hf_purpose purpose;
	uint64_t now_s;
	bool need_crl;          /* every certificate below a root needs a fresh list or answer */
	uint64_t crl_age_max_s; /* with need_crl: thisUpdate at most this long ago */
	struct hf_identity_want want;
	/* How a signature of a certificate is checked; NULL: by hf_sm2_verify_digest(). */
	hf_err (*verify)(void *ctx, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
		const struct hf_sm2_sig *sig);
	void *ctx;
};

/* The path that was found: path[0] is the leaf, path[n - 1] the root. Borrowed from the query. */
struct hf_chain {
	const struct hf_cert *path[HF_CHAIN_MAX];
	size_t n;
};

/*
 * HF_ERR_AUTH: no path to a root, or a signature is wrong. HF_ERR_EXPIRED: outside its validity.
 * HF_ERR_PURPOSE: not made for this use. HF_ERR_DENIED: not who it should be. HF_ERR_REVOKED: by a
 * list or an answer. HF_ERR_STALE: need_crl, and neither is there or fresh. HF_ERR_LIMIT: too much
 * offered, or the path is too long. ei names the certificate (serial, subject) and the reason. out
 * may be NULL; it is unchanged on failure.
 */
HF_MUST_USE hf_err hf_chain_check(
	struct hf_chain *out, const struct hf_chain_query *q, struct hf_errinfo *ei);

#endif
