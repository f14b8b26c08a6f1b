/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/* Parses any bytes as a status response and asks it about a certificate that it may name. */
#include <stdlib.h>

#include "crypto/module.h"
#include "pki/cert.h"
#include "pki/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_ocsp_single single = { 0 };
	struct hf_cert cert = { .serial = { data, 2 } };
	struct hf_cert delegate;
	struct hf_ocsp o;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_ocsp_parse(&o, data, len, NULL) != HF_OK)
		return 0;
	if (o.n_singles == 0 || o.n_singles > HF_OCSP_SINGLES_MAX ||
		o.n_certs > HF_OCSP_CERTS_MAX || (o.by_name.len > 0 && o.by_key.len > 0))
		abort();
	if (hf_ocsp_has(&o, &cert, &cert, &single))
		abort(); /* there is no such issuer */
	if (hf_ocsp_verify_sig(&o, &cert, 0, &delegate, NULL) == HF_OK)
		abort();
	return 0;
}
