/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of a domain: what a CA of ours says, and for how long (GM/T 0015 double
 * certificates). */
#ifndef HF_SVC_ISSUE_H
#define HF_SVC_ISSUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/signer.h"
#include "svc/env.h"

enum hf_issue_kind {
	HF_ISSUE_ROOT_CA,
	HF_ISSUE_CA,
	HF_ISSUE_SIGN, /* links and objects; server and client */
	HF_ISSUE_ENC,
};

struct hf_issue {
	enum hf_issue_kind kind;
	struct hf_identity identity; /* CA kinds: only domain counts */
	struct hf_sm2_pub key;       /* of the subject */
	struct hf_bytes issuer;      /* Name of the issuer; empty: self-signed */
	uint64_t now_s;
	uint64_t life_s; /* 0: what policy allows a device of this level */
};

/* Appends the DER of the certificate to out. */
HF_MUST_USE hf_err hf_issue_cert(const struct hf_env *env, struct hf_buf *out,
	const struct hf_issue *what, const struct hf_signer *ca, struct hf_errinfo *ei);

#endif
