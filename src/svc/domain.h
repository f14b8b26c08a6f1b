/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain is born (F1): root seed behind its slots, root CA, issuing CA, trust root, and the
 * parties that a domain needs at once. All of it lies in one folder, which is there whole or not:
 *
 *	root.slots  root-ca.key root-role.key   what the holders of the shares guard
 *	hub/        the hub's data folder, ready to start: a party, its CA, director and audit keys
 *	publisher/  the publisher's folder: a party; publisher-2/ … where more signatures are needed
 */
#ifndef HF_SVC_DOMAIN_H
#define HF_SVC_DOMAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "keys/shamir.h"
#include "keys/slots.h"
#include "policy/policy.h"
#include "svc/env.h"

enum { HF_DOMAIN_PUBLISHERS_MAX = 8 };

struct hf_domain_spec {
	const char *dir;  /* must not exist */
	const char *name; /* of the domain, as it stands in certificates */
	const char *hub;  /* id of the hub */
	unsigned n_publishers;
	uint8_t threshold; /* of the shares */
	uint8_t n_shares;
	const void *passphrase; /* a passphrase slot besides, or NULL */
	size_t passphrase_len;
	enum hf_level level; /* of the parties' certificates */
};

/*
 * Makes the domain and gives its shares (spec->n_shares of them); the caller hands them out and
 * wipes them. HF_ERR_EXISTS: dir is there. HF_ERR_ARG: a name or a number that cannot be.
 */
HF_MUST_USE hf_err hf_domain_init(const struct hf_env *env, const struct hf_domain_spec *spec,
	struct hf_share *shares, struct hf_errinfo *ei);

/* Reads <dir>/root.slots. */
HF_MUST_USE hf_err hf_domain_slots(
	struct hf_slots *s, const struct hf_env *env, const char *dir, struct hf_errinfo *ei);

#endif
