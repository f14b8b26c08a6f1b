/* SPDX-License-Identifier: Apache-2.0 */
/* native: it reads its own memory by the map of the system */
/* label: slow */
/*
 * After each service: no key material is left anywhere in the memory of the process. Secrets are
 * remembered under a mask, so that the search does not find what it searches for in its own notes;
 * whatever a service, its kernels or the compiler left on the stack, in the heap or in data is
 * found, as eight bytes in a row of a key, of round keys, of a hash key, of a keyed state, of a
 * nonce or a private key in either order of bytes.
 */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/ccm.h"
#include "crypto/drbg.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/module.h"
#include "crypto/seq.h"
#include "crypto/sm2.h"
#include "crypto/sm4.h"
#include "crypto/xts.h"
#include "kernels.h"

enum {
	WINDOW = 8, /* bytes of a secret that must not be found */
	NOTES_MAX = 512,
	FILTER_BITS = 16,
	TEXT_LEN = 1300,
	JOBS = 19,
};

#define MASK UINT64_C(0x5ca1ab1e0ddba11d)

/* Windows of secrets, each XOR MASK. */
static uint64_t notes[NOTES_MAX];
static size_t n_notes;
static uint8_t filter[1 << FILTER_BITS]; /* by a sum of the window: is there any note? */

static size_t sum_of(uint64_t masked)
{
	return (size_t)(masked * 0x9e3779b97f4a7c15u >> (64 - FILTER_BITS));
}

static void note_window(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	x ^= MASK;
	if (x == MASK || n_notes == NOTES_MAX)
		return;
	notes[n_notes++] = x;
	filter[sum_of(x)] = 1;
}

/* Remembers a secret; numbers also in the other order of bytes. */
static void note(const void *secret, size_t len, bool is_number)
{
	const uint8_t *p = secret;
	uint8_t turned[WINDOW];

	for (size_t i = 0; i + WINDOW <= len; i += WINDOW) {
		note_window(p + i);
		for (size_t j = 0; j < WINDOW; j++)
			turned[j] = p[i + WINDOW - 1 - j];
		if (is_number)
			note_window(turned);
	}
	hf_wipe(turned, sizeof(turned));
}

static void forget_notes(void)
{
	hf_wipe(notes, sizeof(notes));
	memset(filter, 0, sizeof(filter));
	n_notes = 0;
}

/* Windows found in one piece of memory. */
static size_t search(const uint8_t *from, const uint8_t *to)
{
	size_t n = 0;

	for (const uint8_t *p = from; p + WINDOW <= to; p++) {
		uint64_t x;

		memcpy(&x, p, sizeof(x));
		x ^= MASK;
		if (filter[sum_of(x)] == 0)
			continue;
		for (size_t i = 0; i < n_notes; i++) {
			if (notes[i] != x)
				continue;
			n++;
			(void)fprintf(stderr, "note %zu at %p\n", i, (const void *)p);
		}
	}
	return n;
}

/* Windows found in all memory that can be written. */
static size_t search_all(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	uintptr_t from;
	uintptr_t to;
	char mode[8];
	char line[512];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, mode) == 3 &&
			mode[0] == 'r' && mode[1] == 'w' && strstr(line, "[v") == NULL)
			n += search((const uint8_t *)from, (const uint8_t *)to);
	(void)fclose(f);
	return n;
}

/* Secret bytes of a test, which ends them with hf_wipe(). */
static void draw(uint64_t seed, void *out, size_t len, bool is_number)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, seed);

	assert_ok(hf_rng_fill(&rng, out, len));
	note(out, len, is_number);
	hf_wipe(&r, sizeof(r));
}

/* A generator whose bytes are remembered: nonces of signatures, private keys. */
static hf_err fill_noted(void *ctx, uint8_t *out, size_t len)
{
	draw((*(uint64_t *)ctx)++, out, len, true);
	return HF_OK;
}

static uint8_t text[TEXT_LEN];
static uint8_t out[TEXT_LEN + HF_SM2_CIPHER_OVERHEAD];

static HF_NOINLINE void use_sm4(void)
{
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t iv[HF_SM4_BLOCK_LEN] = { 0 };
	uint8_t ivs[JOBS][HF_SM4_BLOCK_LEN] = { { 0 } };
	struct hf_sm4_cbc_job jobs[JOBS];
	struct hf_sm4_key k;

	draw(1, key, sizeof(key), true);
	hf_sm4_init(&k, key);
	note(k.rk, sizeof(k.rk), true);
	assert_ok(hf_sm4_ecb_encrypt(&k, out, text, TEXT_LEN / 16));
	assert_ok(hf_sm4_ecb_decrypt(&k, out, text, TEXT_LEN / 16));
	assert_ok(hf_sm4_cbc_encrypt(&k, iv, out, text, 9));
	assert_ok(hf_sm4_cbc_decrypt(&k, iv, out, text, TEXT_LEN / 16));
	assert_ok(hf_sm4_ctr(&k, iv, out, text, TEXT_LEN));
	for (size_t i = 0; i < JOBS; i++)
		jobs[i] = (struct hf_sm4_cbc_job){ &k, ivs[i], out + 32 * i, text + 32 * i, 2 };
	assert_ok(hf_sm4_cbc_encrypt_batch(jobs, JOBS));
	hf_sm4_clear(&k);
	hf_wipe(key, sizeof(key));
}

static HF_NOINLINE void use_xts(void)
{
	uint8_t key[HF_XTS_KEY_LEN];
	uint8_t tweak[HF_XTS_TWEAK_LEN] = { 1 };
	struct hf_xts_key k;

	draw(2, key, sizeof(key), true);
	hf_xts_init(&k, key, HF_XTS_GB);
	note(k.data.rk, sizeof(k.data.rk), true);
	note(k.tweak.rk, sizeof(k.tweak.rk), true);
	assert_ok(hf_xts_encrypt(&k, tweak, out, text, TEXT_LEN));
	assert_ok(hf_xts_decrypt(&k, tweak, out, out, TEXT_LEN));
	hf_xts_clear(&k);
	hf_wipe(key, sizeof(key));
}

static HF_NOINLINE void use_aead(void)
{
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t nonce[HF_GCM_NONCE_LEN] = { 0 };
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_aead a = { nonce, sizeof(nonce), text, 70, text, TEXT_LEN, out, tag, 16 };
	struct hf_gcm_key g;
	struct hf_gcm s;

	draw(3, key, sizeof(key), true);
	assert_ok(hf_gcm_init(&g, key));
	note(g.sm4.rk, sizeof(g.sm4.rk), true);
	note(g.h, sizeof(g.h), true);
	assert_ok(hf_gcm_seal(&g, &a));
	assert_ok(hf_gcm_start(&s, &g, nonce, sizeof(nonce)));
	assert_ok(hf_gcm_encrypt(&s, out, text, 33));
	assert_ok(hf_gcm_tag(&s, tag, sizeof(tag)));
	hf_gcm_end(&s);
	assert_err(hf_gcm_open(&g, &a), HF_ERR_AUTH);
	assert_ok(hf_ccm_seal(&g.sm4, &a));
	a.in = out;
	assert_ok(hf_ccm_open(&g.sm4, &a));
	hf_gcm_clear(&g);
	hf_wipe(key, sizeof(key));
}

static HF_NOINLINE void use_seq(void)
{
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t iv[HF_GCM_NONCE_LEN] = { 0 };
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_aead a = { NULL, 0, text, 70, text, TEXT_LEN, out, tag, 16 };
	struct hf_gcm_seq g;
	struct hf_ccm_seq c;

	draw(29, key, sizeof(key), true);
	assert_ok(hf_gcm_seq_init(&g, key, iv, 2));
	assert_ok(hf_ccm_seq_init(&c, key, iv, 2));
	note(g.key.sm4.rk, sizeof(g.key.sm4.rk), true);
	note(g.key.h, sizeof(g.key.h), true);
	assert_ok(hf_gcm_seq_seal(&g, &a));
	assert_err(hf_gcm_seq_open(&g, &a), HF_ERR_AUTH);
	assert_ok(hf_ccm_seq_seal(&c, &a));
	assert_err(hf_ccm_seq_open(&c, &a), HF_ERR_AUTH);
	hf_gcm_seq_clear(&g);
	hf_ccm_seq_clear(&c);
	hf_wipe(key, sizeof(key));
}

static HF_NOINLINE void use_hmac(void)
{
	uint8_t key[HF_SM3_LEN];
	uint8_t tag[HF_SM3_LEN];
	uint8_t okm[80];
	struct hf_hmac m;

	draw(4, key, sizeof(key), true);
	hf_hmac_init(&m, key, sizeof(key));
	note(m.inner.h, sizeof(m.inner.h), true);
	note(m.outer.h, sizeof(m.outer.h), true);
	hf_hmac_feed(&m, text, TEXT_LEN);
	hf_hmac_done(&m, tag);
	hf_hmac_sm3(tag, key, sizeof(key), text, TEXT_LEN);
	assert_ok(hf_hkdf(okm, sizeof(okm), key, sizeof(key), text, 40, "info", 4));
	note(okm, sizeof(okm), true);
	hf_tlcp_prf(okm, sizeof(okm), key, sizeof(key), "key expansion", text, 64);
	note(okm, sizeof(okm), true);
	assert_ok(hf_sm2_kdf(okm, sizeof(okm), key, sizeof(key)));
	note(okm, sizeof(okm), true);
	assert_ok(hf_pbkdf2(okm, sizeof(okm), key, sizeof(key), text, 16, 3));
	note(okm, sizeof(okm), true);
	hf_wipe(okm, sizeof(okm));
	hf_wipe(tag, sizeof(tag));
	hf_wipe(key, sizeof(key));
}

static HF_NOINLINE void use_drbg(void)
{
	uint64_t seed = 50;
	struct hf_rng source = { fill_noted, &seed };
	struct hf_drbg d;
	uint8_t bytes[100];

	assert_ok(hf_drbg_init(&d, &source, NULL, NULL, "who", 3));
	note(d.v, sizeof(d.v), true);
	note(d.c, sizeof(d.c), true);
	assert_ok(hf_drbg_fill(&d, bytes, sizeof(bytes)));
	note(bytes, sizeof(bytes), true);
	note(d.v, sizeof(d.v), true);
	hf_drbg_clear(&d);
	hf_wipe(bytes, sizeof(bytes));
}

static HF_NOINLINE void use_sm2(void)
{
	uint64_t seed = 60;
	struct hf_rng rng = { fill_noted, &seed };
	struct hf_sm2_key a;
	struct hf_sm2_key b;
	struct hf_sm2_sig sig;
	struct hf_sm2_kex x = { true, &a, &b, "id", 2, &b.pub, &a.pub, "id", 2 };
	uint8_t shared[HF_SM2_LEN];

	assert_ok(hf_sm2_key_new(&a, &rng));
	assert_ok(hf_sm2_key_new(&b, &rng));
	note(a.d, sizeof(a.d), true);
	assert_ok(hf_sm2_sign(&sig, &a, "id", 2, text, 40, &rng));
	assert_ok(hf_sm2_ecdh(shared, &a, &b.pub));
	note(shared, sizeof(shared), true);
	assert_ok(hf_sm2_kex_key(shared, sizeof(shared), NULL, NULL, &x));
	note(shared, sizeof(shared), true);
	assert_ok(hf_sm2_encrypt(out, &a.pub, text, 60, &rng));
	assert_ok(hf_sm2_decrypt(out + 200, &a, out, 60 + HF_SM2_CIPHER_OVERHEAD));
	hf_wipe(shared, sizeof(shared));
	hf_sm2_key_clear(&a);
	hf_sm2_key_clear(&b);
}

static HF_NOINLINE void use_sm2_batch(void)
{
	static struct hf_sm2_key keys[JOBS];
	static struct hf_sm2_sig sigs[JOBS];
	static uint8_t shared[JOBS][HF_SM2_LEN];
	uint64_t seed = 70;
	struct hf_rng rng = { fill_noted, &seed };
	struct hf_sm2_key_job make[JOBS];
	struct hf_sm2_sign_job sign[JOBS];
	struct hf_sm2_ecdh_job ecdh[JOBS];

	for (size_t i = 0; i < JOBS; i++) {
		make[i] = (struct hf_sm2_key_job){ &keys[i], HF_OK };
		sign[i] = (struct hf_sm2_sign_job){ &keys[i], text, &sigs[i], HF_OK };
		ecdh[i] = (struct hf_sm2_ecdh_job){ &keys[i], &keys[0].pub, shared[i], HF_OK };
	}
	assert_ok(hf_sm2_key_new_batch(make, JOBS, &rng));
	assert_ok(hf_sm2_sign_batch(sign, JOBS, &rng));
	assert_ok(hf_sm2_ecdh_batch(ecdh, JOBS));
	for (size_t i = 0; i < JOBS; i++) {
		note(shared[i], sizeof(shared[i]), true);
		hf_sm2_key_clear(&keys[i]);
	}
	hf_wipe(shared, sizeof(shared));
}

/* One that does not clear up: the search must find it. */
static HF_NOINLINE void use_and_leave(void)
{
	static uint8_t left[16];
	uint8_t key[16];

	draw(9, key, sizeof(key), false);
	memcpy(left, key, sizeof(left));
	hf_wipe(key, sizeof(key));
	assert_int_not_equal(search_all(), 0);
	hf_wipe(left, sizeof(left));
}

static const struct {
	const char *name;
	void (*use)(void);
} services[] = {
	{ "sm4", use_sm4 },
	{ "xts", use_xts },
	{ "gcm and ccm", use_aead },
	{ "sequences", use_seq },
	{ "hmac and derivations", use_hmac },
	{ "drbg", use_drbg },
	{ "sm2", use_sm2 },
	{ "sm2 batches", use_sm2_batch },
};

static size_t n_left(uint32_t cpu)
{
	size_t all = 0;

	assert_ok(hf_module_start(cpu));
	for (size_t i = 0; i < HF_COUNT(services); i++) {
		size_t n;

		forget_notes();
		services[i].use();
		n = search_all();
		if (n > 0)
			print_message("%s, cpu %" PRIx32 ": %zu pieces of secrets left\n",
				services[i].name, cpu, n);
		all += n;
	}
	forget_notes();
	hf_module_zeroize();
	return all;
}

static void nothing_is_left_of_secrets(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* they keep copies */
#endif
	assert_int_equal(n_left(test_cpu()) + n_left(0), 0);
}

static void what_is_left_is_found(void **state)
{
	(void)state;
	forget_notes();
	use_and_leave();
	assert_int_equal(search_all(), 0);
	forget_notes();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_is_found),
		cmocka_unit_test(nothing_is_left_of_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
