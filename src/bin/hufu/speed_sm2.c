/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of SM2. Digests are ready: they stand at the beginning of the data. */
#include "base/attr.h"
#include "crypto/sm2.h"
#include "speed.h"

static bool sign(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_sig sig;

	(void)row;
	return hf_sm2_sign_digest(&sig, &s->sm2[0], s->in, &s->rng) == HF_OK;
}

static bool sign_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_sign_job jobs[HUFU_SPEED_SM2_N];
	struct hf_sm2_sig sig[HUFU_SPEED_SM2_N];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_sm2_sign_job){ .key = &s->sm2[i], .e = s->in, .sig = &sig[i] };
	return hf_sm2_sign_batch(jobs, row->n, &s->rng) == HF_OK;
}

static bool verify(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return hf_sm2_verify_digest(&s->sm2[0].pub, s->in, &s->sig[0]) == HF_OK;
}

static bool verify_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_verify_job jobs[HUFU_SPEED_SM2_N];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_sm2_verify_job){
			.pub = &s->sm2[i].pub, .e = s->in, .sig = &s->sig[i]
		};
	return hf_sm2_verify_batch(jobs, row->n) == HF_OK;
}

static bool ecdh(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return hf_sm2_ecdh(s->out, &s->sm2[0], &s->sm2[1].pub) == HF_OK;
}

static bool ecdh_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_ecdh_job jobs[HUFU_SPEED_SM2_N];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_sm2_ecdh_job){ .key = &s->sm2[i],
			.peer = &s->sm2[(i + 1) % HUFU_SPEED_SM2_N].pub,
			.x = s->out + i * HF_SM2_LEN };
	return hf_sm2_ecdh_batch(jobs, row->n) == HF_OK;
}

/* A private value is drawn and its point computed. */
static bool key_pair(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_key key;
	uint8_t d[HF_SM2_LEN];

	(void)row;
	if (hf_rng_fill(&s->rng, d, sizeof(d)) != HF_OK)
		return false;
	d[0] &= 0x7f; /* below n - 1 */
	return hf_sm2_key_from_private(&key, d) == HF_OK;
}

/* The same, and the pairwise consistency test. */
static bool key_pair_tested(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_key key;

	(void)row;
	return hf_sm2_key_new(&key, &s->rng) == HF_OK;
}

/* With the test of each pair. */
static bool key_pair_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm2_key keys[HUFU_SPEED_SM2_N];
	struct hf_sm2_key_job jobs[HUFU_SPEED_SM2_N];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_sm2_key_job){ .key = &keys[i] };
	return hf_sm2_key_new_batch(jobs, row->n, &s->rng) == HF_OK;
}

enum {
	PLAIN_LEN = 32,
};

static bool encrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return hf_sm2_encrypt(s->out, &s->sm2[0].pub, s->in, PLAIN_LEN, &s->rng) == HF_OK;
}

static bool decrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return hf_sm2_decrypt(s->out, &s->sm2[0], s->sm2_cipher, sizeof(s->sm2_cipher)) == HF_OK;
}

static const struct hufu_speed_row rows[] = {
	{ "SM2 sign", 0, 1, sign },
	{ "SM2 sign", 0, 8, sign_batch },
	{ "SM2 sign", 0, 64, sign_batch },
	{ "SM2 verify", 0, 1, verify },
	{ "SM2 verify", 0, 8, verify_batch },
	{ "SM2 verify", 0, 64, verify_batch },
	{ "SM2 ECDH", 0, 1, ecdh },
	{ "SM2 ECDH", 0, 8, ecdh_batch },
	{ "SM2 ECDH", 0, 64, ecdh_batch },
	{ "SM2 key pair", 0, 1, key_pair },
	{ "SM2 key, tested", 0, 1, key_pair_tested },
	{ "SM2 key, tested", 0, 8, key_pair_batch },
	{ "SM2 key, tested", 0, 64, key_pair_batch },
	{ "SM2 encrypt 32 B", 0, 1, encrypt },
	{ "SM2 decrypt 32 B", 0, 1, decrypt },
};

const struct hufu_speed_row *hufu_speed_sm2(size_t *n)
{
	*n = HF_COUNT(rows);
	return rows;
}
