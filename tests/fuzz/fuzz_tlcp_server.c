/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/* A server of both protocols against any client that begins as one of TLCP. */
#include "tlcp_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_session session = { 0 };
	struct tlcp_pair *t = tlcp_fuzz_pair(&session, len > 0 ? data[0] : 0);

	pair_start(&t->p);
	must(t->p.s.err == HF_OK);
	play(&t->p.s, &tlcp_fuzz_wire, data, len);
	if (hf_tls_is_open(&t->p.s.t) && t->p.s.cfg.require_client_cert)
		must(hf_tls_peer(&t->p.s.t) != NULL && hf_tls_peer(&t->p.s.t)->has_identity);
	pair_clear(&t->p);
	fuzz_session_clear(&session);
	return 0;
}
