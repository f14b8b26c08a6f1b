/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer would refuse is found here, where the file can be named. */
#include "bin/common/staple.h"

#include <string.h>

#include "os/file.h"
#include "os/heap.h"
#include "pki/ocsp.h"

/* By one that may have issued it: two CAs may bear one name. */
static hf_err ask(const struct hf_ocsp *o, const struct hf_cert *cert, const struct hf_cert *ca,
	uint64_t now_s, struct hf_errinfo *ei)
{
	struct hf_ocsp_single single = { 0 };
	struct hf_cert delegate = { 0 };

	if (!hf_bytes_eq(cert->issuer, ca->subject) || !hf_ocsp_has(o, cert, ca, &single))
		return HF_ERR_NOT_FOUND;
	HF_TRY(hf_ocsp_verify_sig(o, ca, now_s, &delegate, ei));
	if (single.status == HF_OCSP_REVOKED)
		return hf_fail(ei, HF_ERR_REVOKED, "it says that our certificate is revoked");
	if (single.status != HF_OCSP_GOOD)
		return hf_fail(ei, HF_ERR_DENIED, "it says that our certificate is not known");
	if (now_s < single.this_update_s ||
		(single.next_update_s != 0 && now_s > single.next_update_s))
		return hf_fail(
			ei, HF_ERR_STALE, "past its end, or from the future; fetch it again");
	return HF_OK;
}

static hf_err place(
	size_t *at, const struct hf_ocsp *o, const struct staple_own *own, struct hf_errinfo *ei)
{
	hf_err e = HF_ERR_NOT_FOUND;

	for (size_t i = 0; e == HF_ERR_NOT_FOUND && i < own->n_chain; i++) {
		*at = i;
		for (size_t k = i + 1; e == HF_ERR_NOT_FOUND && k < own->n_chain; k++)
			e = ask(o, &own->chain[i], &own->chain[k], own->now_s, ei);
		for (size_t k = 0; e == HF_ERR_NOT_FOUND && k < own->n_roots; k++)
			e = ask(o, &own->chain[i], &own->roots[k], own->now_s, ei);
	}
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_DENIED, "it is about no certificate of ours");
	return e;
}

hf_err staple_load(struct hf_buf *out, size_t *at, const char *path, const struct staple_own *own,
	struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	struct hf_ocsp o;
	hf_err e;

	hf_buf_init(out, hf_os_mem(), HF_OCSP_DER_MAX);
	HF_TRY(hf_file_load(out, path, ei));
	e = hf_ocsp_parse(&o, out->p, out->len, &why);
	if (e == HF_OK)
		e = place(at, &o, own, &why);
	if (e == HF_OK)
		return HF_OK;
	return hf_fail(ei, e, "%s: status of our certificate: %s", path,
		why.text[0] != '\0' ? why.text : hf_err_text(e));
}
