/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access lists: which certificates may use a service. A list is rules, one of which must hold; a
 * rule is conditions, all of which must. An empty list lets nobody in. It says nothing about
 * whether to believe the certificate: that was decided before (pki/chain.h).
 */
#ifndef HF_SVC_ACCESS_H
#define HF_SVC_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm3.h"
#include "pki/cert.h"

enum {
	HF_ACCESS_NAME = 128, /* room of a certificate's name, with its terminator */
};

/* Strings belong to the caller; "gw-*" stands for all that begins so, "*" for all. */
struct hf_access_rule {
	/* Its id, its common name, or one of its DNS names; "*": any, even if it has none. NULL:
	 * not asked for, like all that follows. */
	const char *name;
	const char *domain;
	unsigned roles;      /* set of enum hf_role; 0: not asked for */
	enum hf_level level; /* at least; 0: not asked for */
	bool has_digest;
	uint8_t digest[HF_SM3_LEN]; /* SM3 of the certificate */
};

/* HF_ERR_DENIED: no rule holds; ei says for whom. */
HF_MUST_USE hf_err hf_access_check(const struct hf_access_rule *rules, size_t n,
	const struct hf_cert *peer, struct hf_errinfo *ei);

/* What the holder of a certificate is called: id, else common name, else its whole subject. */
void hf_access_name(char out[HF_ACCESS_NAME], const struct hf_cert *peer);

/* True if a rule can hold for somebody: it has a condition, and patterns are well formed. */
bool hf_access_rule_is_valid(const struct hf_access_rule *rule);

#endif
