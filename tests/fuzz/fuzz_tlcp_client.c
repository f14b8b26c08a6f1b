/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/* A client of TLCP against any server: the full handshake, a resumed one, and what follows. */
#include "tlcp_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_session session = { 0 };
	struct tlcp_pair *t = tlcp_fuzz_pair(&session, len > 0 ? data[0] : 0);

	pair_start(&t->p);
	must(t->p.c.err == HF_OK);
	play(&t->p.c, &tlcp_fuzz_wire, data, len);
	/* Only somebody with the server's keys gets this far, and then it is the server. */
	if (hf_tls_is_open(&t->p.c.t))
		must(hf_tls_peer(&t->p.c.t) != NULL && hf_tls_peer(&t->p.c.t)->has_identity);
	pair_clear(&t->p);
	fuzz_session_clear(&session);
	return 0;
}
