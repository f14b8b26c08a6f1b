/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the links of a service go by: lists of what is revoked, from files and fetched, as one array
 * that never changes. Another one takes its place when a list comes; it lives as long as somebody
 * holds it, in whatever thread.
 */
#ifndef HF_BIN_HUFU_TUNNEL_LISTS_H
#define HF_BIN_HUFU_TUNNEL_LISTS_H

#include <stdatomic.h>

#include "base/err.h"
#include "svc/crls.h"
#include "tunnel_keys.h"

/* The lists that a service's files hold. */
struct tunnel_files {
	atomic_uint refs;
	struct hf_crl crls[TUNNEL_CRLS_MAX];
	size_t n;
};

struct tunnel_lists {
	atomic_uint refs;
	struct tunnel_files *files;
	const struct hf_crls_view *view; /* of what was fetched; NULL: nothing is */
	size_t n;
	struct hf_crl crls[]; /* borrow from both */
};

/* Takes the lists out of the keys that they were loaded with. */
HF_MUST_USE hf_err tunnel_files_new(struct tunnel_files **out, struct tunnel_keys *k);
void tunnel_files_unref(struct tunnel_files *f); /* accepts NULL */

/*
 * HF_ERR_ROLLBACK: the newest list of an issuer that next has is older than the newest of it that
 * have has. ei says which.
 */
HF_MUST_USE hf_err tunnel_files_follow(
	const struct tunnel_files *next, const struct tunnel_files *have, struct hf_errinfo *ei);

/* Of files, and of a view of fetched ones (NULL: none). One holder. */
HF_MUST_USE hf_err tunnel_lists_new(
	struct tunnel_lists **out, struct tunnel_files *files, const struct hf_crls *fetched);
struct tunnel_lists *tunnel_lists_ref(struct tunnel_lists *l);
void tunnel_lists_unref(struct tunnel_lists *l); /* accepts NULL */

#endif
