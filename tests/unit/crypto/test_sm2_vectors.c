/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/vectors/sm2_*.txt: the examples of GB/T 32918.5 and computed ones. Only the recommended
 * curve is there to be tested; the examples on fp256-example and fp192-example (GB/T 32918.2, .3
 * and .4 Annex A) are skipped by their CurveText, and how many is asserted.
 */
#include "test.h"

#include <stdio.h>

#include "base/hex.h"
#include "crypto/module.h"
#include "crypto/sm2.h"

enum {
	FILE_MAX = 65536,
	FIELDS_MAX = 32,
	VALUE_MAX = 1024,
};

/* A file of blocks of "Name = value" lines; blank lines part the blocks, # begins a comment. */
struct vectors {
	char text[FILE_MAX];
	char *next;
	const char *name[FIELDS_MAX];
	const char *value[FIELDS_MAX];
	size_t n;
};

static void vectors_open(struct vectors *v, const char *file)
{
	FILE *f = fopen(file, "r");
	size_t len;

	assert_non_null(f);
	len = fread(v->text, 1, sizeof(v->text) - 1, f);
	assert_true(len > 0 && len < sizeof(v->text) - 1);
	(void)fclose(f);
	v->text[len] = 0;
	v->next = v->text;
}

/* The next block that has fields; false at the end. */
static bool vectors_next(struct vectors *v)
{
	v->n = 0;
	while (*v->next != 0) {
		char *line = v->next;
		char *end = line + strcspn(line, "\n");
		char *eq;

		v->next = *end == 0 ? end : end + 1;
		*end = 0;
		if (line == end && v->n > 0)
			return true;
		if (line == end || *line == '#')
			continue;
		eq = strstr(line, " =");
		assert_non_null(eq);
		assert_true(v->n < FIELDS_MAX);
		*eq = 0;
		v->name[v->n] = line;
		v->value[v->n++] = eq[2] == ' ' ? eq + 3 : eq + 2;
	}
	return v->n > 0;
}

static const char *text_of(const struct vectors *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->name[i], name) == 0)
			return v->value[i];
	return NULL;
}

struct bytes {
	uint8_t b[VALUE_MAX];
	size_t len;
};

static struct bytes get(const struct vectors *v, const char *name)
{
	struct bytes r = { .len = 0 };
	const char *s = text_of(v, name);

	if (s == NULL)
		fail_msg("%s has no %s", text_of(v, "Id"), name);
	assert_ok(hf_hex_parse(r.b, sizeof(r.b), &r.len, s, strlen(s)));
	return r;
}

static void expect(const struct vectors *v, const char *name, const uint8_t *got, size_t len)
{
	struct bytes want = get(v, name);

	if (want.len != len || memcmp(want.b, got, len) != 0)
		fail_msg("%s: %s differs", text_of(v, "Id"), name);
}

static bool is_our_curve(const struct vectors *v)
{
	return strcmp(text_of(v, "CurveText"), "sm2p256v1") == 0;
}

static bool is_valid(const struct vectors *v)
{
	return strcmp(text_of(v, "ResultText"), "valid") == 0;
}

/* Plays the nonce of the example, once. */
static hf_err give_k(void *ctx, uint8_t *out, size_t len)
{
	struct bytes *k = ctx;

	assert_int_equal(len, k->len);
	memcpy(out, k->b, len);
	k->len = 0;
	return HF_OK;
}

static struct hf_sm2_key key_of(const struct vectors *v, const char *name)
{
	struct bytes d = get(v, name);
	struct hf_sm2_key key;

	assert_int_equal(d.len, HF_SM2_LEN);
	assert_ok(hf_sm2_key_from_private(&key, d.b));
	return key;
}

static void check_signing(const struct vectors *v)
{
	struct hf_sm2_key key = key_of(v, "PrivateKey");
	struct bytes id = get(v, "UserId");
	struct bytes m = get(v, "Msg");
	struct bytes k = get(v, "K");
	struct hf_rng rng = { give_k, &k };
	struct hf_sm2_sig sig;
	uint8_t out[HF_SM2_SIG_DER_MAX];

	expect(v, "PublicX", key.pub.x, HF_SM2_LEN);
	expect(v, "PublicY", key.pub.y, HF_SM2_LEN);
	assert_ok(hf_sm2_z(out, &key.pub, id.b, id.len));
	expect(v, "Za", out, HF_SM3_LEN);
	assert_ok(hf_sm2_digest(out, &key.pub, id.b, id.len, m.b, m.len));
	expect(v, "E", out, HF_SM3_LEN);
	assert_ok(hf_sm2_sign(&sig, &key, id.b, id.len, m.b, m.len, &rng));
	expect(v, "R", sig.r, HF_SM2_LEN);
	expect(v, "S", sig.s, HF_SM2_LEN);
	expect(v, "SigDer", out, hf_sm2_sig_emit_der(out, &sig));
}

/* As a receiver does: parse the signature, then verify it. */
static hf_err receive(const struct vectors *v)
{
	struct bytes id = get(v, "UserId");
	struct bytes m = get(v, "Msg");
	struct bytes x = get(v, "PublicX");
	struct bytes y = get(v, "PublicY");
	struct hf_sm2_pub pub;
	struct hf_sm2_sig sig;

	memcpy(pub.x, x.b, HF_SM2_LEN);
	memcpy(pub.y, y.b, HF_SM2_LEN);
	if (text_of(v, "SigDer") != NULL) {
		struct bytes der = get(v, "SigDer");

		HF_TRY(hf_sm2_sig_parse_der(&sig, der.b, der.len));
	} else {
		struct bytes r = get(v, "R");
		struct bytes s = get(v, "S");

		if (r.len != HF_SM2_LEN || s.len != HF_SM2_LEN)
			return HF_ERR_FORMAT;
		memcpy(sig.r, r.b, HF_SM2_LEN);
		memcpy(sig.s, s.b, HF_SM2_LEN);
	}
	return hf_sm2_verify(&pub, id.b, id.len, m.b, m.len, &sig);
}

static void signatures_are_those_of_the_standard(void **state)
{
	static struct vectors v;
	size_t n_valid = 0;
	size_t n_invalid = 0;
	size_t n_skipped = 0;

	(void)state;
	vectors_open(&v, TEST_DATA "/vectors/sm2_sign.txt");
	while (vectors_next(&v)) {
		if (text_of(&v, "Id") == NULL)
			continue;
		if (!is_our_curve(&v)) {
			n_skipped++;
			continue;
		}
		if (is_valid(&v)) {
			n_valid++;
			check_signing(&v);
			assert_ok(receive(&v));
		} else {
			n_invalid++;
			assert_int_not_equal(receive(&v), HF_OK);
		}
	}
	assert_int_equal(n_valid, 6);
	assert_int_equal(n_invalid, 19);
	assert_int_equal(n_skipped, 1);
}

static void check_encryption(const struct vectors *v)
{
	struct hf_sm2_key key = key_of(v, "PrivateKey");
	struct bytes m = get(v, "Msg");
	struct bytes k = get(v, "K");
	struct bytes der = get(v, "CipherDer");
	struct hf_rng rng = { give_k, &k };
	uint8_t raw[VALUE_MAX] = { 4 };
	uint8_t out[VALUE_MAX];
	size_t raw_len = m.len + HF_SM2_CIPHER_OVERHEAD;
	size_t out_len = sizeof(out);

	assert_ok(hf_sm2_encrypt(raw + 1, &key.pub, m.b, m.len, &rng));
	expect(v, "CipherC1C3C2", raw, raw_len + 1);
	assert_ok(hf_sm2_cipher_emit_der(out, &out_len, raw + 1, raw_len));
	expect(v, "CipherDer", out, out_len);

	memset(raw, 0, sizeof(raw));
	raw_len = sizeof(raw);
	assert_ok(hf_sm2_cipher_parse_der(raw, &raw_len, der.b, der.len));
	assert_ok(hf_sm2_decrypt(out, &key, raw, raw_len));
	expect(v, "Msg", out, raw_len - HF_SM2_CIPHER_OVERHEAD);
}

static void ciphertexts_are_those_of_the_standard(void **state)
{
	static struct vectors v;
	size_t n_valid = 0;
	size_t n_invalid = 0;
	size_t n_skipped = 0;

	(void)state;
	vectors_open(&v, TEST_DATA "/vectors/sm2_enc.txt");
	while (vectors_next(&v)) {
		if (!is_our_curve(&v)) {
			n_skipped++;
		} else if (is_valid(&v)) {
			n_valid++;
			check_encryption(&v);
		} else {
			struct hf_sm2_key key = key_of(&v, "PrivateKey");
			struct bytes c = get(&v, "CipherC1C3C2");
			uint8_t out[VALUE_MAX];

			/* The raw form is without the 04, as a reader of that form takes it off. */
			n_invalid++;
			assert_err(hf_sm2_decrypt(out, &key, c.b + 1, c.len - 1), HF_ERR_AUTH);
		}
	}
	assert_int_equal(n_valid, 5);
	assert_int_equal(n_invalid, 7);
	assert_int_equal(n_skipped, 2);
}

static void check_side(const struct vectors *v, bool is_a)
{
	struct hf_sm2_key d[2] = { key_of(v, "Da"), key_of(v, "Db") };
	struct hf_sm2_key r[2] = { key_of(v, "Ra"), key_of(v, "Rb") };
	struct bytes id[2] = { get(v, "IdA"), get(v, "IdB") };
	size_t self = is_a ? 0 : 1;
	size_t peer = 1 - self;
	struct hf_sm2_kex x = { is_a, &d[self], &r[self], id[self].b, id[self].len, &d[peer].pub,
		&r[peer].pub, id[peer].b, id[peer].len };
	size_t len = get(v, "Key").len;
	uint8_t key[64];
	uint8_t s_self[HF_SM3_LEN];
	uint8_t s_peer[HF_SM3_LEN];

	assert_int_equal(strtoul(text_of(v, "KeyBits"), NULL, 10), 8 * len);
	assert_true(len <= sizeof(key));
	expect(v, "PaX", d[0].pub.x, HF_SM2_LEN);
	expect(v, "RbY", r[1].pub.y, HF_SM2_LEN);
	assert_ok(hf_sm2_kex_key(key, len, s_self, s_peer, &x));
	expect(v, "Key", key, len);
	expect(v, "S1", is_a ? s_peer : s_self, HF_SM3_LEN);
	expect(v, "S2", is_a ? s_self : s_peer, HF_SM3_LEN);
}

static void exchanged_keys_are_those_of_the_standard(void **state)
{
	static struct vectors v;
	size_t n = 0;
	size_t n_skipped = 0;

	(void)state;
	vectors_open(&v, TEST_DATA "/vectors/sm2_kex.txt");
	while (vectors_next(&v)) {
		if (!is_our_curve(&v)) {
			n_skipped++;
			continue;
		}
		n++;
		check_side(&v, true);
		check_side(&v, false);
	}
	assert_int_equal(n, 2);
	assert_int_equal(n_skipped, 2);
}

static int setup(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_the_standard),
		cmocka_unit_test(ciphertexts_are_those_of_the_standard),
		cmocka_unit_test(exchanged_keys_are_those_of_the_standard),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
