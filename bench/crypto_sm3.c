/* SPDX-License-Identifier: Apache-2.0 */
/* SM3 of others. They have one stream. */
#include <gcrypt.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "crypto.h"

struct sm3 {
	EVP_MD_CTX *md;
	gcry_md_hd_t hmac;
};

static void *start(struct hufu_speed *s)
{
	struct sm3 *p = calloc(1, sizeof(*p));

	bench_need(p != NULL, "memory");
	p->md = EVP_MD_CTX_new();
	bench_need(p->md != NULL, "openssl's SM3");
	bench_need(gcry_md_open(&p->hmac, GCRY_MD_SM3, GCRY_MD_FLAG_HMAC) == 0 &&
			   gcry_md_setkey(p->hmac, s->key, sizeof(s->key)) == 0,
		"libgcrypt's HMAC");
	return p;
}

static bool sm3_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	gcry_md_hash_buffer(GCRY_MD_SM3, s->out, s->in, row->len);
	return true;
}

static bool sm3_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	EVP_MD_CTX *md = ((struct sm3 *)s->beside)->md;

	return EVP_DigestInit_ex(md, EVP_sm3(), NULL) == 1 &&
	       EVP_DigestUpdate(md, s->in, row->len) == 1 &&
	       EVP_DigestFinal_ex(md, s->out, NULL) == 1;
}

static bool hmac_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm3 *p = s->beside;

	gcry_md_reset(p->hmac);
	gcry_md_write(p->hmac, s->in, row->len);
	memcpy(s->out, gcry_md_read(p->hmac, GCRY_MD_SM3), HF_SM3_LEN);
	return true;
}

static const struct crypto_peer peers[] = {
	{ "SM3", 0, HF_SM3_LEN, { sm3_gcrypt, sm3_openssl } },
	{ "SM3 lanes", 0, HF_SM3_LEN, { sm3_gcrypt, sm3_openssl } },
	{ "HMAC-SM3", 0, HF_SM3_LEN, { hmac_gcrypt } },
	{ "tree-SM3", 0, 0, { sm3_gcrypt, sm3_openssl } },
};

static const struct crypto_figure figures[] = {
	{ "SM3", 16384, 1, CRYPTO_AVX512, 0.47, CRYPTO_GCRYPT, 0.437 },
	/* Eight times one stream, three times with AVX2. */
	{ "SM3 lanes", 4096, 16, CRYPTO_AVX512, 3.8, CRYPTO_GCRYPT, 0.475 },
	{ "SM3 lanes", 4096, 16, CRYPTO_GFNI, 1.31, CRYPTO_GCRYPT, 0.437 },
	{ "SM3 lanes", 4096, 16, CRYPTO_AVX2, 1.31, CRYPTO_GCRYPT, 0.437 },
	/* Not slower than C. */
	{ "SM3", 16384, 1, CRYPTO_SSE, 0.35, CRYPTO_OPENSSL, 0.35 },
	{ "SM3", 16384, 1, CRYPTO_C, 0.35, CRYPTO_OPENSSL, 0.35 },
};

const struct crypto_family crypto_sm3 = {
	.start = start,
	.peers = peers,
	.n_peers = HF_COUNT(peers),
	.figures = figures,
	.n_figures = HF_COUNT(figures),
};
