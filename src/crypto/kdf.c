/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/fault.h"
#include "crypto/hmac.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm3/sm3_kernel.h"

enum {
	HKDF_BLOCKS_MAX = 255, /* RFC 5869 2.3 */
	LABEL_INFO_MAX = 2 + 1 + 255 + 1 + 255,
};

void hf_hkdf_extract(
	uint8_t prk[HF_SM3_LEN], const void *salt, size_t salt_len, const void *ikm, size_t ikm_len)
{
	/* RFC 5869 2.2: no salt means HashLen zeros, which is what HMAC makes of an empty key. */
	hf_hmac_sm3(prk, salt, salt_len, ikm, ikm_len);
}

hf_err hf_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[HF_SM3_LEN], const void *info,
	size_t info_len)
{
	struct hf_hmac keyed;
	uint8_t t[HF_SM3_LEN];
	uint8_t counter = 1;

	HF_TRY(hf_module_check());
	if (out_len > (size_t)HKDF_BLOCKS_MAX * HF_SM3_LEN)
		return HF_ERR_ARG;
	hf_hmac_init(&keyed, prk, HF_SM3_LEN);
	for (size_t at = 0; at < out_len; counter++) {
		struct hf_hmac m = keyed;
		size_t n = out_len - at < HF_SM3_LEN ? out_len - at : HF_SM3_LEN;

		if (counter > 1)
			hf_hmac_feed(&m, t, sizeof(t));
		hf_hmac_feed(&m, info, info_len);
		hf_hmac_feed(&m, &counter, 1);
		hf_hmac_done(&m, t);
		HF_FAULT("hkdf-sm3", t[0]);
		memcpy(out + at, t, n);
		at += n;
	}
	hf_wipe(&keyed, sizeof(keyed));
	hf_wipe(t, sizeof(t));
	return hf_module_check_out(out, out_len);
}

/* Expansions side by side: block number of all that have one. */
struct hkdf_lanes {
	struct hf_hmac m[HF_SM3_LANES_MAX];
	uint8_t t[HF_SM3_LANES_MAX][HF_SM3_LEN];
	size_t n;
};

/* RFC 5869 2.3: T(number) = HMAC(PRK, T(number - 1) || info || number) */
static void hkdf_block(struct hkdf_lanes *l, const struct hf_hkdf_job *jobs, uint8_t number)
{
	struct hf_hmac_job hmac[HF_SM3_LANES_MAX];
	size_t at = (size_t)(number - 1) * HF_SM3_LEN;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (at >= jobs[i].out_len)
			continue;
		l->m[i] = *jobs[i].prk;
		if (number > 1)
			hf_hmac_feed(&l->m[i], l->t[i], HF_SM3_LEN);
		hf_hmac_feed(&l->m[i], jobs[i].info, jobs[i].info_len);
		hmac[n++] = (struct hf_hmac_job){ &l->m[i], &number, 1, l->t[i] };
	}
	hf_hmac_batch(hmac, n);
	for (size_t i = 0; i < l->n; i++)
		if (at < jobs[i].out_len)
			memcpy(jobs[i].out + at, l->t[i],
				jobs[i].out_len - at < HF_SM3_LEN ? jobs[i].out_len - at
								  : HF_SM3_LEN);
}

hf_err hf_hkdf_expand_batch(const struct hf_hkdf_job *jobs, size_t n)
{
	const struct hf_hkdf_job *first = jobs;
	struct hkdf_lanes l;
	size_t all = n;
	hf_err e = HF_OK;

	HF_TRY(hf_module_check());
	for (size_t i = 0; i < n; i++)
		if (jobs[i].out_len > (size_t)HKDF_BLOCKS_MAX * HF_SM3_LEN)
			return HF_ERR_ARG;
	for (; n > 0; jobs += l.n, n -= l.n) {
		size_t longest = 0;

		l.n = n < HF_SM3_LANES_MAX ? n : HF_SM3_LANES_MAX;
		for (size_t i = 0; i < l.n; i++)
			longest = jobs[i].out_len > longest ? jobs[i].out_len : longest;
		for (size_t at = 0; at < longest; at += HF_SM3_LEN)
			hkdf_block(&l, jobs, (uint8_t)(at / HF_SM3_LEN + 1));
	}
	hf_wipe(&l, sizeof(l));
	for (size_t i = 0; i < all; i++)
		e = hf_module_check_out(first[i].out, first[i].out_len);
	return e;
}

hf_err hf_hkdf(uint8_t *out, size_t out_len, const void *salt, size_t salt_len, const void *ikm,
	size_t ikm_len, const void *info, size_t info_len)
{
	uint8_t prk[HF_SM3_LEN];
	hf_err e;

	hf_hkdf_extract(prk, salt, salt_len, ikm, ikm_len);
	e = hf_hkdf_expand(out, out_len, prk, info, info_len);
	hf_wipe(prk, sizeof(prk));
	return e;
}

/* RFC 8446 7.1: HkdfLabel { u16 length; opaque label<7..255>; opaque context<0..255> } */
hf_err hf_hkdf_expand_label(uint8_t *out, size_t out_len, const uint8_t secret[HF_SM3_LEN],
	const char *label, const void *context, size_t context_len)
{
	uint8_t info[LABEL_INFO_MAX];
	uint8_t prk[HF_SM3_LEN];
	struct hf_writer w = { .p = info, .cap = sizeof(info) };
	size_t mark;
	hf_err e;

	if (out_len > UINT16_MAX)
		return HF_ERR_ARG;
	hf_wr_u16(&w, (uint16_t)out_len);
	mark = hf_wr_open(&w, 1);
	hf_wr_str(&w, "tls13 ");
	hf_wr_str(&w, label);
	hf_wr_close(&w, mark, 1);
	mark = hf_wr_open(&w, 1);
	hf_wr_put(&w, context, context_len);
	hf_wr_close(&w, mark, 1);
	if (hf_wr_done(&w) != HF_OK)
		return HF_ERR_ARG;
	memcpy(prk, secret, sizeof(prk));
	e = hf_hkdf_expand(out, out_len, prk, info, w.len);
	hf_wipe(prk, sizeof(prk));
	return e;
}

/*
 * Blocks of PBKDF2 in the lanes of SM3. Beyond the first iteration each hash of HMAC is one block,
 * 32 bytes and padding that never changes, on the state that its pad has left.
 */
struct pbkdf2_lanes {
	struct hf_hmac keyed[HF_SM3_LANES_MAX];
	uint8_t u[HF_SM3_LANES_MAX][HF_SM3_BLOCK_LEN];
	uint8_t f[HF_SM3_LANES_MAX][HF_SM3_LEN];
	uint32_t h[HF_SM3_LANES_MAX * 8];
	uint8_t *out[HF_SM3_LANES_MAX];
	size_t out_len[HF_SM3_LANES_MAX];
	size_t n;
};

/* A block of a job: U_1 is there. RFC 8018 5.2 */
static void pbkdf2_add(struct pbkdf2_lanes *l, const struct hf_pbkdf2_job *job,
	const struct hf_hmac *keyed, uint32_t number)
{
	struct hf_hmac m = *keyed;
	uint8_t be[4];
	uint8_t *u = l->u[l->n];
	size_t at = (size_t)(number - 1) * HF_SM3_LEN;

	hf_put_be32(be, number);
	hf_hmac_feed(&m, job->salt, job->salt_len);
	hf_hmac_feed(&m, be, sizeof(be));
	hf_hmac_done(&m, u);
	memcpy(l->f[l->n], u, HF_SM3_LEN);
	HF_FAULT("pbkdf2-sm3", l->f[l->n][0]);
	(void)hf_sm3_pad(u, HF_SM3_LEN, HF_SM3_BLOCK_LEN + HF_SM3_LEN);
	l->keyed[l->n] = *keyed;
	l->out[l->n] = job->out + at;
	l->out_len[l->n] = job->out_len - at < HF_SM3_LEN ? job->out_len - at : HF_SM3_LEN;
	l->n++;
}

/* One block of each lane from the state of its inner or outer pad, and the digest into its place.
 */
static void pbkdf2_hash(struct pbkdf2_lanes *l, const uint8_t *const in[], bool is_outer)
{
	for (size_t i = 0; i < l->n; i++)
		memcpy(l->h + 8 * i, is_outer ? l->keyed[i].outer.h : l->keyed[i].inner.h,
			HF_SM3_LEN);
	hf_module()->sm3->lanes(l->h, in, l->n, 1);
	for (size_t i = 0; i < l->n; i++)
		hf_sm3_emit(l->u[i], l->h + 8 * i);
}

/* The other iterations of the lanes that were added; they are empty afterwards. */
static void pbkdf2_run(struct pbkdf2_lanes *l, uint32_t iterations)
{
	const uint8_t *in[HF_SM3_LANES_MAX];

	if (l->n == 0)
		return;
	for (size_t i = 0; i < l->n; i++)
		in[i] = l->u[i];
	for (uint32_t c = 1; c < iterations; c++) {
		pbkdf2_hash(l, in, false);
		pbkdf2_hash(l, in, true);
		for (size_t i = 0; i < l->n; i++)
			for (size_t k = 0; k < HF_SM3_LEN; k++)
				l->f[i][k] ^= l->u[i][k];
	}
	for (size_t i = 0; i < l->n; i++)
		memcpy(l->out[i], l->f[i], l->out_len[i]);
	l->n = 0;
}

/* The blocks of one job; whenever the lanes are full they run. */
static void pbkdf2_job(struct pbkdf2_lanes *l, const struct hf_pbkdf2_job *job, uint32_t iterations)
{
	size_t n_blocks = (job->out_len + HF_SM3_LEN - 1) / HF_SM3_LEN;
	struct hf_hmac keyed;

	hf_hmac_init(&keyed, job->password, job->password_len);
	for (size_t i = 1; i <= n_blocks; i++) {
		if (l->n == HF_SM3_LANES_MAX)
			pbkdf2_run(l, iterations);
		pbkdf2_add(l, job, &keyed, (uint32_t)i);
	}
	hf_wipe(&keyed, sizeof(keyed));
}

hf_err hf_pbkdf2_batch(const struct hf_pbkdf2_job *jobs, size_t n, uint32_t iterations)
{
	struct pbkdf2_lanes l;
	hf_err e = HF_OK;

	HF_TRY(hf_module_check());
	if (iterations == 0)
		return HF_ERR_ARG;
	for (size_t i = 0; i < n; i++)
		if (jobs[i].out_len / HF_SM3_LEN >= UINT32_MAX)
			return HF_ERR_ARG;
	l.n = 0;
	for (size_t i = 0; i < n; i++)
		pbkdf2_job(&l, &jobs[i], iterations);
	pbkdf2_run(&l, iterations);
	hf_wipe(&l, sizeof(l));
	hf_wipe_stack();
	for (size_t i = 0; i < n; i++)
		e = hf_module_check_out(jobs[i].out, jobs[i].out_len);
	return e;
}

hf_err hf_pbkdf2(uint8_t *out, size_t out_len, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations)
{
	const struct hf_pbkdf2_job job = { password, password_len, salt, salt_len, out, out_len };

	return hf_pbkdf2_batch(&job, 1, iterations);
}

/* GB/T 38636-2020 6.5: A(0) = label + seed, A(i) = HMAC(A(i-1)), output HMAC(A(i) + A(0)). */
void hf_tlcp_prf(uint8_t *out, size_t out_len, const void *secret, size_t secret_len,
	const char *label, const void *seed, size_t seed_len)
{
	struct hf_hmac keyed;
	struct hf_hmac m;
	uint8_t a[HF_SM3_LEN];
	uint8_t t[HF_SM3_LEN];

	hf_hmac_init(&keyed, secret, secret_len);
	m = keyed;
	hf_hmac_feed(&m, label, strlen(label));
	hf_hmac_feed(&m, seed, seed_len);
	hf_hmac_done(&m, a);
	for (size_t at = 0; at < out_len;) {
		size_t n = out_len - at < HF_SM3_LEN ? out_len - at : HF_SM3_LEN;

		m = keyed;
		hf_hmac_feed(&m, a, sizeof(a));
		hf_hmac_feed(&m, label, strlen(label));
		hf_hmac_feed(&m, seed, seed_len);
		hf_hmac_done(&m, t);
		HF_FAULT("tlcp-prf", t[0]);
		memcpy(out + at, t, n);
		at += n;
		m = keyed;
		hf_hmac_feed(&m, a, sizeof(a));
		hf_hmac_done(&m, a);
	}
	hf_wipe(&keyed, sizeof(keyed));
	hf_wipe(a, sizeof(a));
	hf_wipe(t, sizeof(t));
}

/* The case 32918.5-C.2 of tests/vectors/sm3_kdf.txt; the next ones are cases of that file, too. */
bool hf_sm2_kdf_selftest(void)
{
	static const uint8_t z[64] = { 0x33, 0x5e, 0x18, 0xd7, 0x51, 0xe5, 0x1f, 0x04, 0x0e, 0x27,
		0xd4, 0x68, 0x13, 0x8b, 0x7a, 0xb1, 0xdc, 0x86, 0xad, 0x7f, 0x98, 0x1d, 0x7d, 0x41,
		0x62, 0x22, 0xfd, 0x6a, 0xb3, 0xed, 0x23, 0x0d, 0xab, 0x74, 0x3e, 0xbc, 0xfb, 0x22,
		0xd6, 0x4f, 0x7b, 0x6a, 0xb7, 0x91, 0xf7, 0x06, 0x58, 0xf2, 0x5b, 0x48, 0xfa, 0x93,
		0xe5, 0x40, 0x64, 0xfd, 0xbf, 0xbe, 0xd3, 0xf0, 0xbd, 0x84, 0x7a, 0xc9 };
	static const uint8_t want[19] = { 0x44, 0xe6, 0x0f, 0xdb, 0xf0, 0xba, 0xe8, 0x14, 0x37,
		0x66, 0x53, 0x74, 0xbe, 0xf2, 0x67, 0x49, 0x04, 0x6c, 0x9e };
	uint8_t out[sizeof(want)];

	return hf_sm2_kdf(out, sizeof(out), z, sizeof(z)) == HF_OK &&
	       hf_ct_eq(out, want, sizeof(want));
}

/* rfc5869-3, and label-key: what TLS 1.3 makes of the same. */
bool hf_hkdf_selftest(void)
{
	static const uint8_t want[42] = { 0xc8, 0xc9, 0x1a, 0x38, 0xae, 0x2f, 0xb3, 0xb0, 0x23,
		0xa7, 0xc3, 0x8c, 0xe9, 0xf0, 0x74, 0x8f, 0x28, 0x23, 0x0d, 0x59, 0xb6, 0xb9, 0x50,
		0xba, 0x3b, 0xa9, 0x49, 0xbf, 0x0d, 0x71, 0x3a, 0x57, 0x74, 0x81, 0x57, 0x78, 0x80,
		0x17, 0x41, 0xcb, 0x20, 0x34 };
	static const uint8_t want_key[16] = { 0x61, 0x23, 0x9c, 0xba, 0x00, 0x1a, 0xd7, 0x62, 0x6f,
		0x97, 0xe7, 0x9f, 0xe4, 0x61, 0x36, 0x8f };
	uint8_t in[HF_SM3_LEN];
	uint8_t out[sizeof(want)];

	memset(in, 0x0b, 22);
	if (hf_hkdf(out, sizeof(out), NULL, 0, in, 22, NULL, 0) != HF_OK ||
		!hf_ct_eq(out, want, sizeof(want)))
		return false;
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	return hf_hkdf_expand_label(out, sizeof(want_key), in, "key", NULL, 0) == HF_OK &&
	       hf_ct_eq(out, want_key, sizeof(want_key));
}

/* rfc6070-2 */
bool hf_pbkdf2_selftest(void)
{
	static const uint8_t want[20] = { 0xfe, 0xe7, 0x23, 0xa2, 0xbc, 0x96, 0x6e, 0x11, 0xdf,
		0xfb, 0x66, 0x13, 0x3f, 0x4e, 0x8d, 0xf5, 0x77, 0x38, 0x3c, 0x78 };
	uint8_t out[sizeof(want)];

	return hf_pbkdf2(out, sizeof(out), "password", 8, "salt", 4, 2) == HF_OK &&
	       hf_ct_eq(out, want, sizeof(want));
}

/* prf-master */
bool hf_tlcp_prf_selftest(void)
{
	static const uint8_t want[48] = { 0x4d, 0x1d, 0x87, 0x35, 0xe7, 0x69, 0xd5, 0x78, 0x5b,
		0x95, 0xda, 0x71, 0x31, 0x5e, 0x6f, 0x13, 0x54, 0xc8, 0xfe, 0x3d, 0xa8, 0xf5, 0x5e,
		0x9d, 0x2c, 0x27, 0xd6, 0x0d, 0xb7, 0x21, 0x76, 0xeb, 0xe8, 0xf3, 0x06, 0x15, 0x4e,
		0x21, 0xd8, 0x63, 0xf9, 0xb9, 0x4c, 0x78, 0x4e, 0x31, 0x85, 0x77 };
	uint8_t secret[48] = { 0x01, 0x01 };
	uint8_t seed[64];
	uint8_t out[sizeof(want)];

	for (unsigned i = 2; i < sizeof(secret); i++)
		secret[i] = (uint8_t)(i - 2);
	for (unsigned i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	hf_tlcp_prf(out, sizeof(out), secret, sizeof(secret), "master secret", seed, sizeof(seed));
	return hf_ct_eq(out, want, sizeof(want));
}
