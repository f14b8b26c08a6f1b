/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/* A session that was put away, and what a ticket holds: what is read is what is written. */
#include "tls_input.h"

#include "tls/resume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_tls_session *s = NULL;
	struct hf_buf b;

	must(hf_module_start(0) == HF_OK);
	if (hf_tls_session_parse(&s, &test_mem, data, len) != HF_OK) {
		must(s == NULL);
		return 0;
	}
	hf_buf_init(&b, &test_mem, HF_TLS_SESSION_EMIT_MAX);
	must(hf_tls_session_emit(&b, s) == HF_OK);
	must(b.len == len && memcmp(b.p, data, len) == 0);
	must(hf_tls_resume_len(&s->r) == len - 1);
	(void)hf_tls_session_is_fit(s, NOW_S);
	hf_buf_clear(&b);
	hf_tls_session_free(s);
	return 0;
}
