/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/*
 * Records of TLCP. The first byte chooses: 0, 1: the rest is content that is sealed (GCM, CBC),
 * opened again, and refused when a byte of the record is altered; 2, 3: the rest is the body of a
 * record from the wire; 4: the rest is what a CBC record decrypts to.
 */
#include "../support/test.h"

#include "base/endian.h"
#include "crypto/module.h"
#include "crypto/sm4_modes.h"
#include "tls/tlcp_record.h"

enum { BLOCK = 16, ROOM = HF_TLS_HEAD_LEN + HF_TLCP_CIPHER_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t mac[32] = { 1 }, key[16] = { 2 }, iv[16] = { 3 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct hf_tlcp_dir dir_of(unsigned which)
{
	struct hf_tlcp_keys k = { mac, key, iv };
	struct hf_tlcp_dir d;

	must(hf_tlcp_dir_set(&d, which % 2 == 0 ? &hf_tlcp_gcm : &hf_tlcp_cbc, &k, 0) == HF_OK);
	return d;
}

/* In memory of exactly the promised length. */
static hf_err open_copy(struct hf_tlcp_dir *d, const uint8_t *record, uint8_t **out, size_t *len)
{
	size_t n = hf_tls_head_get(record).len;
	uint8_t *copy = malloc(HF_TLS_HEAD_LEN + n);
	hf_err e;

	*out = malloc(n + (n == 0));
	memcpy(copy, record, HF_TLS_HEAD_LEN + n);
	e = hf_tlcp_open(d, *out, len, copy);
	must(e != HF_OK || *len <= n);
	free(copy);
	return e;
}

static void round_trip(unsigned which, const uint8_t *in, size_t len)
{
	static uint8_t record[ROOM];
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, 1);
	struct hf_tlcp_dir tx = dir_of(which);
	struct hf_tlcp_dir rx = dir_of(which);
	uint8_t *out;
	size_t got = 0, at;

	if (len > HF_TLS_PLAIN_MAX)
		return;
	must(hf_tlcp_seal(&tx, record, HF_TLS_DATA, in, len, &rng) == HF_OK);
	must(open_copy(&rx, record, &out, &got) == HF_OK);
	must(got == len && (len == 0 || memcmp(out, in, len) == 0));
	free(out);
	rx = dir_of(which);
	at = HF_TLS_HEAD_LEN + (len == 0 ? 0 : in[0] % hf_tls_head_get(record).len);
	record[at] ^= 0x20;
	must(open_copy(&rx, record, &out, &got) == HF_ERR_AUTH);
	free(out);
}

static void open_any(unsigned which, const uint8_t *in, size_t len)
{
	static uint8_t record[ROOM] = { HF_TLS_DATA, 1, 1 };
	struct hf_tlcp_dir d = dir_of(which);
	uint8_t *out;
	size_t got;

	if (len > HF_TLCP_CIPHER_MAX)
		return;
	hf_put_be16(record + 3, (uint16_t)len);
	memcpy(record + HF_TLS_HEAD_LEN, in, len);
	must(open_copy(&d, record, &out, &got) == HF_ERR_AUTH); /* nobody has the key */
	free(out);
}

/* The padding is the input's, and so is what stands for the MAC. */
static void open_text(const uint8_t *in, size_t len)
{
	static uint8_t record[ROOM] = { HF_TLS_DATA, 1, 1 };
	struct hf_tlcp_dir d = dir_of(1);
	struct hf_sm4_key k;
	uint8_t *out;
	size_t n = len - len % BLOCK, got;

	if (n == 0 || n > HF_TLCP_CIPHER_MAX - BLOCK)
		return;
	hf_sm4_init(&k, key);
	hf_put_be16(record + 3, (uint16_t)(BLOCK + n));
	must(hf_sm4_crypt(&k, HF_SM4_CBC, HF_SM4_ENCRYPT, record + HF_TLS_HEAD_LEN,
		     record + HF_TLS_HEAD_LEN + BLOCK, &n, (struct hf_bytes){ in, n }) == HF_OK);
	must(open_copy(&d, record, &out, &got) == HF_ERR_AUTH);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0 || hf_module_start(0) != HF_OK)
		return 0;
	switch (data[0] % 5) {
	case 0:
	case 1: round_trip(data[0] % 5, data + 1, len - 1); break;
	case 2:
	case 3: open_any(data[0] % 5, data + 1, len - 1); break;
	default: open_text(data + 1, len - 1); break;
	}
	return 0;
}
