/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate revocation lists v2 with SM2-with-SM3 (GM/T 0015-2012, RFC 5280 5): complete lists of
 * their own issuer, and delta lists (5.2.4) that say what changed since a complete one. Indirect
 * and partitioned lists carry critical extensions that are not known here and are refused.
 */
#ifndef HF_PKI_CRL_H
#define HF_PKI_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/signer.h"

enum {
	HF_CRL_DER_MAX = 4 << 20, /* longest list that is read: about 100,000 entries */
	HF_CRL_REASON_HOLD = 6,   /* RFC 5280 5.3.1: the two reasons that are no end */
	HF_CRL_REASON_REMOVE = 8,
	HF_CRL_REASON_LAST = 10,
};

/* What a list says. All bytes point into der, which the caller keeps. */
struct hf_crl {
	struct hf_bytes der;
	struct hf_bytes tbs;
	struct hf_bytes issuer; /* Name, whole element */
	uint64_t this_update_s;
	uint64_t next_update_s;
	uint64_t number; /* 0: none */
	bool is_delta;
	uint64_t base;       /* of a delta: the list of this number, or a later one, and it */
	struct hf_bytes aki; /* empty: none */
	struct hf_bytes fresh_points; /* where deltas to it are: pki/dist_point.h; empty: none */
	struct hf_bytes entries;      /* content of revokedCertificates, checked */
	size_t n_entries;
	struct hf_sm2_sig sig;

	bool is_checked; /* the signature held under key; it is not computed again */
	struct hf_sm2_pub key;
	uint32_t *index; /* of an owned copy: where the entries begin, ascending by serial */
	uint8_t *own;    /* what der is in, when it is an owned copy */
	const struct hf_mem *mem;
};

struct hf_crl_entry {
	const uint8_t *serial;
	size_t serial_len;
	uint64_t revoked_s;
	unsigned reason; /* RFC 5280 5.3.1; 0: not written */
};

/*
 * Reads one list; *out borrows from in. HF_ERR_FORMAT, HF_ERR_TRUNCATED, HF_ERR_UNSUPPORTED,
 * HF_ERR_LIMIT as hf_cert_parse. On failure *out is unchanged.
 */
HF_MUST_USE hf_err hf_crl_parse(
	struct hf_crl *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/*
 * As hf_crl_parse, of a copy that the list owns and has sorted: hf_crl_has() takes as many steps as
 * the number of entries has bits. End it with hf_crl_clear().
 */
HF_MUST_USE hf_err hf_crl_copy(struct hf_crl *out, const struct hf_mem *mem, const uint8_t *in,
	size_t in_len, struct hf_errinfo *ei);

/* Accepts { 0 } and borrowed ones. */
void hf_crl_clear(struct hf_crl *crl);

/* HF_ERR_AUTH: not signed by this key. */
HF_MUST_USE hf_err hf_crl_verify_sig(
	const struct hf_crl *crl, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei);

/* As hf_crl_verify_sig, and remembers that it held, so that nobody need ask again. */
HF_MUST_USE hf_err hf_crl_check(
	struct hf_crl *crl, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei);

/* True if the serial is on the list; *entry (may be NULL) then says when and why. */
bool hf_crl_has(const struct hf_crl *crl, struct hf_bytes serial, struct hf_crl_entry *entry);

/* Takes one entry after another; begin with rest = crl->entries. False: there is none any more. */
bool hf_crl_entry_take(struct hf_crl_entry *out, struct hf_bytes *rest);

/* RFC 5280 5.2.4: the delta brings this complete list up to date. */
bool hf_crl_applies(const struct hf_crl *delta, const struct hf_crl *full);

/*
 * May next stand where have stood? Both complete, or both deltas, of one issuer. HF_ERR_ROLLBACK:
 * its number or its time goes back, or the number is the same over other bytes. HF_ERR_EXISTS: it
 * is the same list. HF_ERR_ARG: another issuer or kind.
 */
HF_MUST_USE hf_err hf_crl_follows(
	const struct hf_crl *next, const struct hf_crl *have, struct hf_errinfo *ei);

/* "key compromise"; "reason unknown" for a number that is none. Never NULL. */
const char *hf_crl_reason_text(unsigned reason);

struct hf_crl_spec {
	struct hf_bytes issuer; /* Name */
	uint64_t this_update_s;
	uint64_t next_update_s;
	uint64_t number; /* 1.. ; strictly rising */
	const struct hf_crl_entry *entries;
	size_t n_entries;
	uint64_t base; /* 0: a complete list; else of a delta: below number */
};

/* Appends the DER of a new list to out. PEM label "X509 CRL". Errors as hf_cert_build. */
HF_MUST_USE hf_err hf_crl_build(struct hf_buf *out, const struct hf_crl_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei);

#endif
