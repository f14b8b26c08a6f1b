/* SPDX-License-Identifier: Apache-2.0 */
/* layer: svc */
/*
 * JSON bodies of the node API as its server reads them. What was taken is within its bounds, and
 * what the server writes of it is read again as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "os/heap.h"
#include "svc/api_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void need(int cond)
{
	if (!cond)
		abort();
}

/* Writes a grant's body as a client would and reads it. */
static void write_and_read(const struct hf_api_grant *grant)
{
	struct hf_api_grant again = { .enc_cert_len = 0 };
	struct hf_json_wr j;
	struct hf_buf body;

	hf_buf_init(&body, hf_os_mem(), 64 << 10);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_api_der_put(&j, "enc_cert", (struct hf_bytes){ grant->enc_cert, grant->enc_cert_len },
		hf_os_mem());
	hf_json_wr_key(&j, "manifest");
	hf_json_wr_hex(&j, grant->manifest, sizeof(grant->manifest));
	hf_json_wr_end(&j);
	need(hf_json_wr_done(&j) == HF_OK);
	need(hf_api_grant_parse(&again, (struct hf_bytes){ body.p, body.len }, NULL) == HF_OK);
	need(again.enc_cert_len == grant->enc_cert_len);
	need(memcmp(again.enc_cert, grant->enc_cert, again.enc_cert_len) == 0);
	need(memcmp(again.manifest, grant->manifest, sizeof(again.manifest)) == 0);
	hf_buf_clear(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_bytes body = { data, len };
	struct hf_api_enroll enroll;
	struct hf_api_grant grant;
	uint8_t name[HF_SM3_LEN];

	if (hf_api_enroll_parse(&enroll, body, &ei) == HF_OK) {
		need(memchr(enroll.token, '\0', sizeof(enroll.token)) != NULL);
		need(enroll.sign_csr_len <= sizeof(enroll.sign_csr));
		need(enroll.enc_csr_len <= sizeof(enroll.enc_csr));
	} else {
		need(ei.code != HF_OK && ei.text[0] != '\0'); /* each refusal says why */
	}
	if (hf_api_grant_parse(&grant, body, NULL) == HF_OK)
		write_and_read(&grant);
	(void)!hf_api_name_parse(name, "manifest", body, NULL);
	(void)!hf_api_name_parse(name, "upload", body, NULL);
	return 0;
}
