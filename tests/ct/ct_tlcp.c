/* SPDX-License-Identifier: Apache-2.0 */
/* also: tls/tlcp_cbc.c tls/tlcp_record.c tls/record.c tls/keysched.c */
/* tables: sm3 sm4 */
/*
 * The CBC records of TLCP: keys, content, MAC and padding are secret, and so is which of the last
 * two was wrong. That a record was refused may become known, and of one that was not its length.
 */
#include "ct.h"
#include "tls/tlcp_record.h"

enum { ROOM = 512, MAC = 32, BLOCK = 16 };

static const struct hf_tlcp_keys *keys(const uint8_t b[3 * MAC])
{
	static struct hf_tlcp_keys k;

	k = (struct hf_tlcp_keys){ b, b + MAC, b + 2 * MAC };
	return &k;
}

/* A record over any bytes: what comes out of it is secret and, if nobody made it so, wrong. */
static int run_wrong(const uint8_t key[3 * MAC], size_t n, uint64_t *seed)
{
	struct hf_tlcp_dir d;
	uint8_t record[ROOM] = { HF_TLS_DATA, 1, 1, 0, 0 };
	uint8_t out[ROOM];
	size_t len = 0;

	CT_EXPECT(hf_tlcp_dir_set(&d, &hf_tlcp_cbc, keys(key), 0), HF_OK);
	record[3] = (uint8_t)(n >> 8);
	record[4] = (uint8_t)n;
	(void)ct_fill(seed, record + HF_TLS_HEAD_LEN, n);
	ct_public(record, sizeof(record));
	CT_EXPECT(hf_tlcp_open(&d, out, &len, record), HF_ERR_AUTH);
	return 0;
}

/* Sealed and opened, whole and with each of the three spoiled. */
static int run_right(const uint8_t key[3 * MAC], size_t n, uint64_t *seed)
{
	struct hf_rng rng = { ct_fill, seed };
	struct hf_tlcp_dir tx, rx;
	uint8_t text[ROOM], record[ROOM], out[ROOM];
	size_t len = 0, all;

	CT_EXPECT(hf_tlcp_dir_set(&tx, &hf_tlcp_cbc, keys(key), 0), HF_OK);
	rx = tx;
	all = hf_tlcp_sealed_len(&tx, n);
	(void)ct_fill(seed, text, sizeof(text));
	CT_EXPECT(hf_tlcp_seal(&tx, record, HF_TLS_DATA, text, n, &rng), HF_OK);
	ct_public(record, sizeof(record));
	CT_EXPECT(hf_tlcp_open(&rx, out, &len, record), HF_OK);
	if (len != n)
		return 1;
	rx.n = 0;
	record[all - BLOCK - 1] ^= 1; /* the padding */
	CT_EXPECT(hf_tlcp_open(&rx, out, &len, record), HF_ERR_AUTH);
	record[all - BLOCK - 1] ^= 1;
	record[all - 3 * BLOCK - 1] ^= 1; /* the MAC */
	CT_EXPECT(hf_tlcp_open(&rx, out, &len, record), HF_ERR_AUTH);
	record[all - 3 * BLOCK - 1] ^= 1;
	record[HF_TLS_HEAD_LEN] ^= 1; /* the content */
	if (n > 0)
		CT_EXPECT(hf_tlcp_open(&rx, out, &len, record), HF_ERR_AUTH);
	return 0;
}

int main(void)
{
	static const size_t bodies[] = { 80, 64, 320, 400 };
	static const size_t contents[] = { 51, 0, 3, 43, 200 };
	size_t step =
		getenv("CT_TRACE") == NULL ? 1 : 100; /* the tracer is slow: the first alone */
	uint64_t seed = ct_seed(12);
	uint8_t key[3 * MAC];

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, key, sizeof(key));
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i += step) {
		if (run_wrong(key, bodies[i], &seed) != 0)
			return 1;
	}
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i += step) {
		if (run_right(key, contents[i], &seed) != 0)
			return 1;
	}
	return 0;
}
