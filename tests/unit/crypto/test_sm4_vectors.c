/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 against the vector files: every case is passed or skipped by the name of its mode, none is
 * forgotten, and each file must give at least the number of passed cases written here.
 */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/endian.h"
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/module.h"
#include "crypto/sm4.h"

enum {
	LINE = 1 << 16,
	FIELDS = 16,
};

struct field {
	char name[32];
	char *text;
	uint8_t *bytes; /* exactly len of them, so that a byte too far is seen */
	size_t len;
};

struct vector {
	struct field f[FIELDS];
	size_t n;
};

struct tally {
	unsigned passed;
	unsigned skipped;
};

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static const struct field *find(const struct vector *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->f[i].name, name) == 0)
			return &v->f[i];
	return NULL;
}

static const struct field *need(const struct vector *v, const char *name)
{
	const struct field *f = find(v, name);

	if (f == NULL)
		fail_msg("%s: no %s", v->f[0].text, name);
	return f;
}

static bool is(const struct vector *v, const char *name, const char *text)
{
	const struct field *f = find(v, name);

	return f != NULL && strcmp(f->text, text) == 0;
}

static bool is_text(const char *name)
{
	static const char *const ends[] = { "Id", "Text", "Count", "Bits" };
	size_t len = strlen(name);

	for (size_t i = 0; i < HF_COUNT(ends); i++) {
		size_t n = strlen(ends[i]);

		if (len >= n && strcmp(name + len - n, ends[i]) == 0)
			return true;
	}
	return false;
}

static void add_field(struct vector *v, char *line)
{
	struct field *f = &v->f[v->n];
	char *eq = strchr(line, '=');

	assert_true(v->n < FIELDS);
	assert_non_null(eq);
	v->n++;
	assert_true((size_t)(eq - line) < sizeof(f->name));
	(void)snprintf(f->name, sizeof(f->name), "%.*s", (int)(eq - line) - 1, line);
	f->text = strdup(eq[1] == ' ' ? eq + 2 : eq + 1);
	f->bytes = NULL;
	f->len = 0;
	if (!is_text(f->name))
		f->bytes = test_hex(f->text, &f->len);
}

static void vector_clear(struct vector *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->f[i].text);
		free(v->f[i].bytes);
	}
	v->n = 0;
}

/* Runs every block of the file; run says whether it knew what to do with it. */
static struct tally each(const char *file, bool (*run)(const struct vector *))
{
	char *line = malloc(LINE);
	char path[512];
	struct vector v = { .n = 0 };
	struct tally t = { 0, 0 };
	FILE *f;
	bool more = true;

	(void)snprintf(path, sizeof(path), "%s/vectors/%s", TEST_DATA, file);
	f = fopen(path, "r");
	assert_non_null(f);
	while (more) {
		more = fgets(line, LINE, f) != NULL;
		if (more)
			line[strcspn(line, "\r\n")] = '\0';
		if (more && line[0] == '#')
			continue;
		if (more && line[0] != '\0') {
			add_field(&v, line);
			continue;
		}
		if (v.n > 0 && run(&v))
			t.passed++;
		else if (v.n > 0)
			t.skipped++;
		vector_clear(&v);
	}
	(void)fclose(f);
	free(line);
	print_message("%s: %u passed, %u skipped\n", file, t.passed, t.skipped);
	return t;
}

static void expect_bytes(const struct vector *v, const uint8_t *got, const struct field *want)
{
	if (want->len > 0 && memcmp(got, want->bytes, want->len) != 0)
		fail_msg("%s: wrong %s", v->f[0].text, want->name);
}

static bool run_block(const struct vector *v)
{
	const struct field *plain = need(v, "Plaintext");
	const struct field *rounds = find(v, "RoundsCount");
	const struct field *round_keys = find(v, "RoundKeys");
	unsigned long n = rounds != NULL ? strtoul(rounds->text, NULL, 10) : 1;
	struct hf_sm4_key k;
	uint8_t b[16];

	hf_sm4_init(&k, need(v, "Key")->bytes);
	for (size_t i = 0; round_keys != NULL && i < HF_SM4_ROUNDS; i++)
		assert_int_equal(k.rk[i], hf_get_be32(round_keys->bytes + 4 * i));
	memcpy(b, plain->bytes, 16);
	for (unsigned long i = 0; i < n; i++)
		assert_ok(hf_sm4_ecb_encrypt(&k, b, b, 1));
	expect_bytes(v, b, need(v, "Ciphertext"));
	if (n == 1) {
		assert_ok(hf_sm4_ecb_decrypt(&k, b, b, 1));
		expect_bytes(v, b, plain);
	}
	return true;
}

static hf_err run_mode(const struct vector *v, uint8_t *out, const struct field *in, bool encrypt)
{
	const struct field *iv = find(v, "Iv");
	struct hf_sm4_key k;
	uint8_t chain[16] = { 0 };

	hf_sm4_init(&k, need(v, "Key")->bytes);
	if (iv != NULL)
		memcpy(chain, iv->bytes, 16);
	if (is(v, "ModeText", "CTR"))
		return hf_sm4_ctr(&k, chain, out, in->bytes, in->len);
	assert_int_equal(in->len % 16, 0);
	if (is(v, "ModeText", "CBC"))
		return (encrypt ? hf_sm4_cbc_encrypt : hf_sm4_cbc_decrypt)(
			&k, chain, out, in->bytes, in->len / 16);
	return (encrypt ? hf_sm4_ecb_encrypt : hf_sm4_ecb_decrypt)(
		&k, out, in->bytes, in->len / 16);
}

static bool run_modes(const struct vector *v)
{
	/* Modes of GB/T 17964-2021 that nothing in the house uses. */
	static const char *const absent[] = { "CFB", "OFB", "BC", "OFBNLF", "HCTR" };
	const struct field *plain = need(v, "Plaintext");
	const struct field *cipher = need(v, "Ciphertext");
	uint8_t *out = malloc(plain->len);

	for (size_t i = 0; i < HF_COUNT(absent); i++)
		if (is(v, "ModeText", absent[i])) {
			free(out);
			return false;
		}
	if (!is(v, "ModeText", "ECB") && !is(v, "ModeText", "CBC") && !is(v, "ModeText", "CTR"))
		fail_msg("%s: unknown mode", v->f[0].text);
	assert_int_equal(plain->len, cipher->len);
	assert_ok(run_mode(v, out, plain, true));
	expect_bytes(v, out, cipher);
	assert_ok(run_mode(v, out, cipher, false));
	expect_bytes(v, out, plain);
	free(out);
	return true;
}

static hf_err seal(const struct vector *v, const struct hf_aead *a, bool ccm)
{
	struct hf_sm4_key k;
	struct hf_gcm_key g;

	if (ccm) {
		hf_sm4_init(&k, need(v, "Key")->bytes);
		return hf_ccm_seal(&k, a);
	}
	assert_ok(hf_gcm_init(&g, need(v, "Key")->bytes));
	return hf_gcm_seal(&g, a);
}

static hf_err open_sealed(const struct vector *v, const struct hf_aead *a, bool ccm)
{
	struct hf_sm4_key k;
	struct hf_gcm_key g;

	if (ccm) {
		hf_sm4_init(&k, need(v, "Key")->bytes);
		return hf_ccm_open(&k, a);
	}
	assert_ok(hf_gcm_init(&g, need(v, "Key")->bytes));
	return hf_gcm_open(&g, a);
}

/* ResultText invalid: opening must fail; otherwise both directions must give the vector. */
static bool run_aead(const struct vector *v, bool ccm)
{
	const struct field *nonce = need(v, "Nonce");
	const struct field *aad = need(v, "Aad");
	const struct field *plain = need(v, "Plaintext");
	const struct field *cipher = need(v, "Ciphertext");
	const struct field *tag = need(v, "Tag");
	bool bad = is(v, "ResultText", "invalid");
	uint8_t *out = malloc(cipher->len + 1);
	uint8_t *made = malloc(tag->len + 1);
	struct hf_aead a = { nonce->bytes, nonce->len, aad->bytes, aad->len, cipher->bytes,
		cipher->len, out, tag->bytes, tag->len };
	hf_err e = open_sealed(v, &a, ccm);

	if (bad && e == HF_OK)
		fail_msg("%s: opened", v->f[0].text);
	if (!bad) {
		if (e != HF_OK)
			fail_msg("%s: refused (%s)", v->f[0].text, hf_err_name(e));
		expect_bytes(v, out, plain);
		a.in = plain->bytes;
		a.tag = made;
		assert_ok(seal(v, &a, ccm));
		expect_bytes(v, out, cipher);
		expect_bytes(v, made, tag);
	}
	free(out);
	free(made);
	return true;
}

static bool run_either(const struct vector *v)
{
	if (!is(v, "ModeText", "GCM") && !is(v, "ModeText", "CCM"))
		fail_msg("%s: unknown mode", v->f[0].text);
	return run_aead(v, is(v, "ModeText", "CCM"));
}

static bool run_gcm(const struct vector *v)
{
	return run_aead(v, false);
}

static bool run_ccm(const struct vector *v)
{
	return run_aead(v, true);
}

static void expect_tally(struct tally t, unsigned passed, unsigned skipped)
{
	assert_true(t.passed >= passed);
	assert_true(t.skipped <= skipped);
}

static void passes_the_block_examples_of_the_standard(void **state)
{
	(void)state;
	expect_tally(each("sm4_block.txt", run_block), 3, 0);
}

static void passes_the_modes_that_the_house_has(void **state)
{
	(void)state;
	expect_tally(each("sm4_modes.txt", run_modes), 12, 13);
}

static void passes_gcm_and_ccm_of_standards_and_rfc_8998(void **state)
{
	(void)state;
	expect_tally(each("sm4_aead.txt", run_either), 35, 0);
}

static void passes_wycheproof_gcm(void **state)
{
	(void)state;
	expect_tally(each("wycheproof_sm4_gcm.txt", run_gcm), 104, 0);
}

static void passes_wycheproof_ccm(void **state)
{
	(void)state;
	expect_tally(each("wycheproof_sm4_ccm.txt", run_ccm), 184, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_the_block_examples_of_the_standard),
		cmocka_unit_test(passes_the_modes_that_the_house_has),
		cmocka_unit_test(passes_gcm_and_ccm_of_standards_and_rfc_8998),
		cmocka_unit_test(passes_wycheproof_gcm),
		cmocka_unit_test(passes_wycheproof_ccm),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
