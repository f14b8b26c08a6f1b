/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/* Parses any bytes as a certificate and uses all it says, as a root of itself too. */
#include <stdlib.h>

#include "crypto/module.h"
#include "pki/chain.h"
#include "pki/dist_point.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_chain_query q = { .n_intermediates = 1, .n_roots = 1, .now_s = 1790000000 };
	struct hf_errinfo ei = { 0 };
	char text[HF_NAME_TEXT];
	char uri[HF_URI_MAX];
	struct hf_bytes where = { 0 };
	struct hf_cert c;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_cert_parse(&c, data, len, &ei) != HF_OK) {
		if (ei.text[0] == '\0')
			abort();
		return 0;
	}
	hf_name_text(text, c.subject);
	(void)hf_cert_has_dns(&c, "server.example");
	(void)hf_cert_has_ip(&c, data, 4);
	if (c.has_identity && hf_identity_emit(uri, &c.identity) != HF_OK)
		abort();
	for (size_t i = 0; hf_dist_points_uri(&where, c.crl_points, i); i++)
		if (where.p < data || where.p + where.len > data + len)
			abort();
	(void)hf_dist_points_uri(&where, c.fresh_points, 1);
	q.leaf = &c;
	q.intermediates = &c;
	q.roots = &c;
	if (hf_chain_check(NULL, &q, NULL) == HF_OK) /* a certificate does not vouch for itself */
		abort();
	return 0;
}
