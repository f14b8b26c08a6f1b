/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/* A client against any server: hello, retry, the encrypted flight, and what comes afterwards. */
#include "tls_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct pair *p = tls_fuzz_options(len > 0 ? data[0] : 0);

	pair_start(p);
	must(p->c.err == HF_OK);
	play(&p->c, &tls_fuzz_wire, data, len);
	/* Only somebody with the server's key gets this far, and then it is the server. */
	if (hf_tls_is_open(&p->c.t))
		must(hf_tls_peer(&p->c.t) != NULL && hf_tls_peer(&p->c.t)->has_identity);
	pair_clear(p);
	return 0;
}
