/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of SM3. */
#include "base/attr.h"
#include "crypto/sm3.h"
#include "crypto/tree.h"
#include "speed.h"

static bool sm3(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	hf_sm3(s->out, s->in, row->len);
	return true;
}

static bool lanes(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const uint8_t *in[HF_SM3_LANES_MAX];

	for (size_t i = 0; i < row->n; i++)
		in[i] = s->in + i * row->len;
	hf_sm3_lanes(s->out, NULL, 0, in, row->len, row->n);
	return true;
}

static bool hmac(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_hmac m = s->hmac;

	hf_hmac_feed(&m, s->in, row->len);
	hf_hmac_done(&m, s->out);
	return true;
}

static bool hmac_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_hmac_job jobs[HUFU_SPEED_SM3_N];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_hmac_job){ &s->hmac, s->in + i * row->len, row->len,
			s->out + i * HF_SM3_LEN };
	hf_hmac_batch(jobs, row->n);
	return true;
}

static bool tree(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	hf_tree_sm3(s->out, s->in, row->len);
	return true;
}

static const struct hufu_speed_row rows[] = {
	{ "SM3", 16384, 1, sm3 },
	{ "SM3", 1024, 1, sm3 },
	{ "SM3", 16, 1, sm3 },
	{ "SM3 lanes", 4096, 4, lanes },
	{ "SM3 lanes", 4096, 8, lanes },
	{ "SM3 lanes", 4096, 16, lanes },
	{ "SM3 lanes", 4096, 32, lanes },
	{ "HMAC-SM3", 100, 1, hmac },
	{ "HMAC-SM3", 100, 64, hmac_batch },
	{ "tree-SM3", HUFU_SPEED_DATA, 1, tree },
};

const struct hufu_speed_row *hufu_speed_sm3(size_t *n)
{
	*n = HF_COUNT(rows);
	return rows;
}
