/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trust root of a domain: which keys may say what. Root N+1 is signed by thresholds of N and of
 * N+1 (TUF 5.3). A device starts from a root it was given at enrolment and walks on from there.
 */
#ifndef HF_PKG_ROOT_H
#define HF_PKG_ROOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "pkg/object.h"

enum { HF_ROOT_WALK_MAX = 1024 }; /* roots that one update may walk */

enum hf_root_role {
	HF_ROOT_ROOT,      /* signs roots */
	HF_ROOT_PUBLISHER, /* signs manifests and deposits */
	HF_ROOT_DIRECTOR,  /* signs channels and grants */
	HF_ROOT_POLICY,    /* signs exceptions; none in this version */
	HF_ROOT_ROLES,
};

struct hf_root {
	char domain[HF_ID_MAX + 1];
	uint64_t version; /* 1.. */
	uint64_t issued_s;
	uint64_t expires_s;
	struct hf_key_set roles[HF_ROOT_ROLES];
};

HF_MUST_USE hf_err hf_root_emit(
	struct hf_buf *out, const struct hf_root *root, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_root_parse(
	struct hf_root *root, struct hf_bytes content, struct hf_errinfo *ei);

/*
 * A root that is trusted because of where it came from: only its own threshold is checked.
 * HF_ERR_AUTH: not signed by its own root keys.
 */
HF_MUST_USE hf_err hf_root_open_first(
	struct hf_root *root, struct hf_bytes in, struct hf_errinfo *ei);

/*
 * The successor of cur. HF_ERR_AUTH: a threshold is missing. HF_ERR_ROLLBACK: not version + 1.
 * HF_ERR_DENIED: another domain. Expiry is not checked: only the last root's counts.
 * out may be cur; it is unchanged on failure.
 */
HF_MUST_USE hf_err hf_root_open_next(
	struct hf_root *out, const struct hf_root *cur, struct hf_bytes in, struct hf_errinfo *ei);

#endif
