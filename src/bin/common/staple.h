/* SPDX-License-Identifier: Apache-2.0 */
/* Files with the status of our own certificates (OCSP responses, DER), which links show beside
 * them. */
#ifndef HF_BIN_COMMON_STAPLE_H
#define HF_BIN_COMMON_STAPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/cert.h"

/* What a file is compared with: what is shown, and what may have issued it. */
struct staple_own {
	const struct hf_cert *chain; /* leaf first */
	size_t n_chain;
	const struct hf_cert *roots;
	size_t n_roots;
	uint64_t now_s;
};

/*
 * Loads a response and says which certificate of the chain it is about. HF_ERR_DENIED: about none.
 * HF_ERR_AUTH and others as hf_ocsp_verify_sig(). HF_ERR_REVOKED: it says so. HF_ERR_STALE: past
 * its end. ei names the file; the caller ends *out with hf_buf_clear() whatever was returned.
 */
HF_MUST_USE hf_err staple_load(struct hf_buf *out, size_t *at, const char *path,
	const struct staple_own *own, struct hf_errinfo *ei);

#endif
