/* SPDX-License-Identifier: Apache-2.0 */
/* The product's side of bench_light.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "crypto/gcm.h"
#include "crypto/sm3.h"
#include "crypto/tree.h"
#include "light.h"

static bool sign(struct light *l)
{
	return hf_sm2_sign_digest(&l->sig, &l->sm2, l->digest, &l->rng) == HF_OK;
}

static bool verify(struct light *l)
{
	return hf_sm2_verify_digest(&l->sm2.pub, l->digest, &l->sig) == HF_OK;
}

static bool decrypt(struct light *l)
{
	return hf_sm2_decrypt(l->secret, &l->sm2, l->cipher, sizeof(l->cipher)) == HF_OK;
}

static bool gcm(struct light *l)
{
	struct hf_gcm_key k;
	struct hf_aead a = { .nonce = l->nonce,
		.nonce_len = sizeof(l->nonce),
		.in = l->in,
		.in_len = LIGHT_TEXT,
		.out = l->out,
		.tag = l->tag,
		.tag_len = sizeof(l->tag) };
	bool ok = hf_gcm_init(&k, l->key) == HF_OK && hf_gcm_seal(&k, &a) == HF_OK;

	hf_gcm_clear(&k);
	return ok;
}

static bool sm3(struct light *l)
{
	hf_sm3(l->digest, l->in, LIGHT_TEXT);
	return true;
}

static bool tree(struct light *l)
{
	hf_tree_sm3(l->digest, l->in, LIGHT_TEXT);
	return true;
}

/* One chunk in place: a nonce of its own, its tree-SM3 into the list that is signed. */
static bool seal_chunk(struct light *l, const struct hf_gcm_key *k, struct hf_sm3 *list,
	uint32_t index, size_t len)
{
	uint8_t nonce[12];
	uint8_t cid[HF_SM3_LEN];
	struct hf_aead a = { .nonce = nonce,
		.nonce_len = sizeof(nonce),
		.in = l->in,
		.in_len = len,
		.out = l->in,
		.tag = l->tag,
		.tag_len = sizeof(l->tag) };

	memcpy(nonce, l->nonce, sizeof(nonce));
	hf_put_be32(nonce + 8, hf_get_be32(nonce + 8) ^ index);
	if (hf_gcm_seal(k, &a) != HF_OK)
		return false;
	hf_tree_sm3(cid, l->in, len);
	hf_sm3_feed(list, cid, sizeof(cid));
	return true;
}

static bool seal_files(struct light *l, FILE *to, FILE *from)
{
	struct hf_gcm_key k;
	struct hf_sm3 list;
	size_t len;
	bool ok = hf_gcm_init(&k, l->key) == HF_OK;

	hf_sm3_init(&list);
	for (uint32_t i = 0; ok && (len = fread(l->in, 1, LIGHT_TEXT, from)) > 0; i++)
		ok = seal_chunk(l, &k, &list, i, len) && fwrite(l->in, len, 1, to) == 1 &&
		     fwrite(l->tag, sizeof(l->tag), 1, to) == 1;
	hf_gcm_clear(&k);
	hf_sm3_done(&list, l->digest);
	return ok && ferror(from) == 0 && sign(l) && fwrite(&l->sig, sizeof(l->sig), 1, to) == 1;
}

static bool seal(struct light *l, const char *to, const char *from)
{
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	bool ok = in != NULL && out != NULL && seal_files(l, out, in);

	if (in != NULL)
		(void)fclose(in);
	if (out != NULL)
		ok &= fclose(out) == 0;
	return ok;
}

const struct light_side light_ours = { "hufu " HUFU_VERSION, sign, verify, decrypt, gcm, sm3, tree,
	seal };
