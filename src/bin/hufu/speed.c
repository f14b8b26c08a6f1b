/* SPDX-License-Identifier: Apache-2.0 */
#include "speed.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "os/clock.h"
#include "os/entropy.h"

enum {
	SAMPLE_NS =
		3 * 1000 * 1000, /* short: the best of many meets a moment when nobody disturbs */
};

static const struct hufu_speed_row *(*const families[])(size_t *n) = {
	hufu_speed_sm4,
	hufu_speed_sm3,
	hufu_speed_sm2,
};

const struct hufu_speed_row *hufu_speed_row_at(size_t i)
{
	for (size_t f = 0; f < HF_COUNT(families); f++) {
		size_t n = 0;
		const struct hufu_speed_row *rows = families[f](&n);

		if (i < n)
			return rows + i;
		i -= n;
	}
	return NULL;
}

static hf_err make_sm2(struct hufu_speed *s)
{
	for (size_t i = 0; i < HUFU_SPEED_SM2_N; i++) {
		HF_TRY(hf_sm2_key_new(&s->sm2[i], &s->rng));
		HF_TRY(hf_sm2_sign_digest(&s->sig[i], &s->sm2[i], s->in, &s->rng));
	}
	return hf_sm2_encrypt(s->sm2_cipher, &s->sm2[0].pub, s->in,
		sizeof(s->sm2_cipher) - HF_SM2_CIPHER_OVERHEAD, &s->rng);
}

hf_err hufu_speed_init(struct hufu_speed *s)
{
	struct hf_rng entropy = hf_os_rng();
	uint8_t xts[HF_XTS_KEY_LEN];

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < sizeof(s->in); i++)
		s->in[i] = (uint8_t)(i * 7 + (i >> 8));
	memcpy(s->key, s->in + 3, sizeof(s->key));
	memcpy(s->iv, s->in + 5, sizeof(s->iv));
	hf_sm4_init(&s->sm4, s->key);
	HF_TRY(hf_gcm_init(&s->gcm, s->key));
	memcpy(xts, s->key, sizeof(s->key));
	memcpy(xts + sizeof(s->key), s->in + 64, sizeof(s->key));
	hf_xts_init(&s->xts, xts, HF_XTS_IEEE);
	hf_hmac_init(&s->hmac, s->key, sizeof(s->key));
	HF_TRY(hf_drbg_init(&s->drbg, &entropy, NULL, NULL, "speed", 5));
	s->rng = hf_drbg_rng(&s->drbg);
	return make_sm2(s);
}

void hufu_speed_clear(struct hufu_speed *s)
{
	hf_wipe(s, sizeof(*s));
}

double hufu_speed_sample(
	hufu_speed_fn *run, struct hufu_speed *s, const struct hufu_speed_row *row, size_t n)
{
	uint64_t from = hf_clock_cpu_ns();
	uint64_t took;
	uint64_t done = 0;

	/* Twice as many between two looks at the clock, so that these cost nothing in the end. */
	for (uint64_t calls = 1;; calls *= 2) {
		for (uint64_t i = 0; i < calls; i++)
			if (!run(s, row))
				return 0;
		done += calls;
		took = hf_clock_cpu_ns() - from;
		if (took >= SAMPLE_NS)
			break;
	}
	return (double)done * (double)n * 1e9 / (double)took;
}

const char *hufu_speed_unit(const struct hufu_speed_row *row)
{
	return row->len > 0 ? "GB/s" : "k/s";
}

double hufu_speed_value(const struct hufu_speed_row *row, double rate)
{
	return row->len > 0 ? rate * (double)row->len / 1e9 : rate / 1e3;
}

void hufu_speed_size_text(char *text, size_t cap, const struct hufu_speed_row *row)
{
	char len[24] = "";
	char n[24] = "";

	if (row->len > 0 && row->len % 1024 == 0)
		(void)snprintf(len, sizeof(len), "%zu KiB", row->len / 1024);
	else if (row->len > 0)
		(void)snprintf(len, sizeof(len), "%zu B", row->len);
	if (row->n > 1)
		(void)snprintf(n, sizeof(n), "%sx %zu", row->len > 0 ? " " : "", row->n);
	(void)snprintf(text, cap, "%s%s", len, n);
}
