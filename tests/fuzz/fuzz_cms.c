/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/*
 * Parses any bytes as a signed message and as an envelope, with a key that nobody signs with and
 * a decrypter that always gives the same content key.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/module.h"
#include "pki/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void *get(void *ctx, size_t len)
{
	(void)ctx;
	return malloc(len == 0 ? 1 : len);
}

static void put(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static hf_err decrypt(void *ctx, uint8_t *out, const uint8_t *raw, size_t raw_len)
{
	(void)ctx;
	(void)raw;
	memset(out, 7, raw_len - HF_SM2_CIPHER_OVERHEAD);
	return HF_OK;
}

static void try_signed(const uint8_t *data, size_t len, const struct hf_cms_party *key)
{
	struct hf_cms_result res = { 0 };
	struct hf_bytes content = { 0 };
	struct hf_cms_signed m;
	struct hf_cert cert;

	if (hf_cms_parse(&m, data, len, NULL) != HF_OK)
		return;
	if (m.is_detached)
		content = (struct hf_bytes){ data, len };
	for (size_t i = 0; hf_cms_cert(&cert, &m, i) != HF_ERR_NOT_FOUND; i++)
		if (i > HF_CMS_SIGNERS_MAX)
			abort();
	if (hf_cms_verify(&res, &m, content, key, 1, 1, NULL) == HF_OK && res.n_keys != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t d[HF_SM2_LEN] = { 1, 2, 3 };
	const struct hf_mem mem = { get, put, NULL };
	struct hf_decrypter decrypter = { .decrypt = decrypt };
	struct hf_cms_party party = { 0 };
	struct hf_sm2_key key;
	struct hf_buf out;

	if (hf_module_start(0) != HF_OK || hf_sm2_key_from_private(&key, d) != HF_OK)
		abort();
	party.pub = key.pub;
	try_signed(data, len, &party);
	hf_buf_init(&out, &mem, 1 << 16);
	if (hf_cms_envelope_open(&out, (struct hf_bytes){ data, len }, (struct hf_bytes){ 0 },
		    &party, &decrypter, NULL) != HF_OK &&
		out.len != 0)
		abort();
	hf_buf_clear(&out);
	return 0;
}
