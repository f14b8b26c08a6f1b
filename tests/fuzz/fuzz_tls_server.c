/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/* A server that requires a certificate, against any client. */
#include "tls_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct pair *p = tls_fuzz_options(len > 0 ? data[0] : 0);

	pair_start(p);
	must(p->s.err == HF_OK);
	play(&p->s, &tls_fuzz_wire, data, len);
	if (hf_tls_is_open(&p->s.t))
		must(hf_tls_peer(&p->s.t) != NULL && hf_tls_peer(&p->s.t)->has_identity);
	pair_clear(p);
	return 0;
}
