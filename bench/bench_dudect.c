/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the time of an operation tell its secret? Each is measured many times with one and the same
 * secret and with random ones, in random order, and Welch's t-test says whether the two means
 *differ:
 *
 *	t = (m0 - m1) / sqrt(v0 / n0 + v1 / n1)
 *
 * once over all times and once over those below each of some percentiles, since the slow ones are
 *the system's. |t| above 10 means that they do; up to 4.5 nothing is seen; between them more
 *measurements would decide. The last row leaks on purpose and must be seen. HUFU_DUDECT_MS: time
 *for each row.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/ct.h"
#include "bench.h"
#include "crypto/ccm.h"
#include "crypto/drbg.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/sm2.h"
#include "crypto/sm4.h"
#include "os/clock.h"
#include "os/entropy.h"

enum {
	SECRET_LEN = 32,
	TEXT_LEN = 512,
	PILOT = 2000, /* measurements that only say where the percentiles are */
	DEFAULT_MS = 1500,
	CLASSES = 2,
};

static const double crops[] = { 1, 0.99, 0.95, 0.9, 0.75, 0.5 };

#define SEEN_ABOVE   10.0
#define UNSEEN_BELOW 4.5

/* What the operations work on; all but secret and key is the same for both classes. */
struct subject {
	uint8_t secret[SECRET_LEN];
	uint8_t fixed[SECRET_LEN];
	uint8_t text[TEXT_LEN];
	uint8_t out[TEXT_LEN + HF_SM2_CIPHER_OVERHEAD];
	uint8_t nonce[HF_GCM_NONCE_LEN];
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_sm2_key key; /* its private value is secret */
	struct hf_sm2_pub peer;
	struct hf_rng rng; /* the same bytes every time */
};

struct welch {
	double n;
	double mean;
	double m2; /* sum of squares of the differences from the mean */
};

static hf_err same_bytes(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x35, len);
	return HF_OK;
}

static bool run_sm4(struct subject *s)
{
	struct hf_sm4_key k;

	hf_sm4_init(&k, s->secret);
	return hf_sm4_ecb_encrypt(&k, s->out, s->text, 4) == HF_OK;
}

static bool run_gcm(struct subject *s)
{
	struct hf_aead a = { s->nonce, sizeof(s->nonce), NULL, 0, s->text, TEXT_LEN, s->out, s->tag,
		sizeof(s->tag) };
	struct hf_gcm_key k;

	return hf_gcm_init(&k, s->secret) == HF_OK && hf_gcm_seal(&k, &a) == HF_OK;
}

static bool run_ccm(struct subject *s)
{
	struct hf_aead a = { s->nonce, sizeof(s->nonce), NULL, 0, s->text, TEXT_LEN, s->out, s->tag,
		sizeof(s->tag) };
	struct hf_sm4_key k;

	hf_sm4_init(&k, s->secret);
	return hf_ccm_seal(&k, &a) == HF_OK;
}

static bool run_hmac(struct subject *s)
{
	hf_hmac_sm3(s->out, s->secret, SECRET_LEN, s->text, 64);
	return true;
}

static bool run_kdf(struct subject *s)
{
	return hf_sm2_kdf(s->out, 96, s->secret, SECRET_LEN) == HF_OK;
}

static bool run_drbg(struct subject *s)
{
	struct hf_drbg d = { .n_requests = 0 };

	return hf_drbg_instantiate(&d, s->secret, SECRET_LEN, s->text, 16, NULL, 0) == HF_OK &&
	       hf_drbg_generate(&d, s->out, HF_DRBG_OUT_MAX, NULL, 0) == HF_OK;
}

static bool run_pair(struct subject *s)
{
	struct hf_sm2_key k;

	return hf_sm2_key_from_private(&k, s->key.d) == HF_OK;
}

static bool run_sign(struct subject *s)
{
	struct hf_sm2_sig sig;

	return hf_sm2_sign_digest(&sig, &s->key, s->text, &s->rng) == HF_OK;
}

static bool run_ecdh(struct subject *s)
{
	return hf_sm2_ecdh(s->out, &s->key, &s->peer) == HF_OK;
}

/* The ciphertext is of another key: refused, after all the work. */
static bool run_decrypt(struct subject *s)
{
	uint8_t plain[64];

	return hf_sm2_decrypt(plain, &s->key, s->out, sizeof(plain) + HF_SM2_CIPHER_OVERHEAD) ==
	       HF_ERR_AUTH;
}

static bool run_equal(struct subject *s)
{
	(void)hf_ct_eq(s->secret, s->fixed, SECRET_LEN);
	return true;
}

/* Ends at the first difference. */
static bool run_leak(struct subject *s)
{
	volatile unsigned same = 0;

	for (unsigned round = 0; round < 8; round++)
		for (size_t i = 0; i < SECRET_LEN && s->secret[i] == s->fixed[i]; i++)
			same++;
	return true;
}

static const struct row {
	const char *name;
	bool (*run)(struct subject *s);
	bool needs_cipher; /* in out */
} rows[] = {
	{ "sm4 key and blocks", run_sm4, false },
	{ "sm4-gcm seal", run_gcm, false },
	{ "sm4-ccm seal", run_ccm, false },
	{ "hmac-sm3", run_hmac, false },
	{ "sm2 kdf", run_kdf, false },
	{ "drbg", run_drbg, false },
	{ "sm2 key pair", run_pair, false },
	{ "sm2 sign", run_sign, false },
	{ "sm2 ecdh", run_ecdh, false },
	{ "sm2 decrypt", run_decrypt, true },
	{ "comparison", run_equal, false },
	{ "leak on purpose", run_leak, false },
};

static void add(struct welch *w, double x)
{
	double off = x - w->mean;

	w->n++;
	w->mean += off / w->n;
	w->m2 += off * (x - w->mean);
}

static double t_of(const struct welch w[CLASSES])
{
	double v;

	if (w[0].n < 100 || w[1].n < 100)
		return 0;
	v = w[0].m2 / (w[0].n - 1) / w[0].n + w[1].m2 / (w[1].n - 1) / w[1].n;
	return v <= 0 ? 0 : fabs(w[0].mean - w[1].mean) / sqrt(v);
}

/* A new secret, fixed or random; the same work is done for both. Returns its class. */
static unsigned draw(struct subject *s)
{
	uint8_t random[SECRET_LEN + 1];
	unsigned class;

	bench_need(hf_entropy_fill(random, sizeof(random)) == HF_OK, "entropy");
	class = random[SECRET_LEN] & 1;
	hf_ct_pick_bytes(hf_ct_bit(class), s->secret, random, s->fixed, SECRET_LEN);
	memcpy(s->key.d, s->secret, SECRET_LEN);
	s->key.d[0] &= 0x7f; /* below n - 1, and not 0 */
	s->key.d[SECRET_LEN - 1] |= 1;
	return class;
}

static double measure(const struct row *r, struct subject *s)
{
	uint64_t from = hf_clock_mono_ns();
	bool ok = r->run(s);
	uint64_t to = hf_clock_mono_ns();

	bench_need(ok, r->name);
	return (double)(to - from);
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The largest |t| of a row. */
static double run_row(const struct row *r, struct subject *s, uint64_t ms, uint64_t *n)
{
	static double pilot[PILOT];
	struct welch w[HF_COUNT(crops)][CLASSES] = { { { 0, 0, 0 } } };
	double limit[HF_COUNT(crops)];
	uint64_t until;
	double worst = 0;

	for (size_t i = 0; i < PILOT; i++) {
		(void)draw(s);
		pilot[i] = measure(r, s);
	}
	qsort(pilot, PILOT, sizeof(pilot[0]), by_time);
	for (size_t i = 0; i < HF_COUNT(crops); i++)
		limit[i] = crops[i] >= 1 ? INFINITY : pilot[(size_t)(crops[i] * PILOT)];
	until = hf_clock_mono_ms() + ms;
	for (*n = 0; hf_clock_mono_ms() < until; (*n)++) {
		unsigned class = draw(s);
		double time = measure(r, s);

		for (size_t i = 0; i < HF_COUNT(crops); i++)
			if (time <= limit[i])
				add(&w[i][class], time);
	}
	for (size_t i = 0; i < HF_COUNT(crops); i++)
		worst = fmax(worst, t_of(w[i]));
	return worst;
}

int main(void)
{
	const char *text = getenv("HUFU_DUDECT_MS");
	uint64_t ms = text == NULL ? DEFAULT_MS : strtoull(text, NULL, 10);
	static struct subject s;
	struct hf_sm2_key other;
	struct hf_rng system = hf_os_rng();
	bool is_bad = false;

	bench_start(bench_cpu());
	s.rng = (struct hf_rng){ same_bytes, NULL };
	bench_need(hf_sm2_key_new(&other, &system) == HF_OK, "key pair");
	s.peer = other.pub;
	memset(s.fixed, 0x5a, sizeof(s.fixed));
	printf("%-20s %12s %9s\n", "", "measurements", "|t|");
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		bool must_leak = rows[i].run == run_leak;
		uint64_t n = 0;
		double t;

		if (rows[i].needs_cipher)
			bench_need(hf_sm2_encrypt(s.out, &other.pub, s.text, 64, &system) == HF_OK,
				"encryption");
		t = run_row(&rows[i], &s, ms, &n);
		printf("%-20s %12llu %9.2f  %s\n", rows[i].name, (unsigned long long)n, t,
			t > SEEN_ABOVE     ? "the secret is seen"
			: t > UNSEEN_BELOW ? "unclear, measure longer"
					   : "nothing is seen");
		is_bad |= must_leak ? t <= SEEN_ABOVE : t > SEEN_ABOVE;
	}
	hf_sm2_key_clear(&other);
	return is_bad ? 1 : 0;
}
