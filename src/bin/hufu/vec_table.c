/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which algorithm a case is of. If ModeText or AlgText names it, the first row that is called so
 * and whose fields it has; if none has them, the first that is called so, and the case is not
 * whole. If not, the first row with its fields whose word stands in the file's
 * name; then in the comments, from the latest back; then the first row with its fields that needs
 * no word.
 */
#include <string.h>

#include "base/attr.h"
#include "vec_run.h"

#define LATER "not in this version"
#define WHICH "neither the case nor its file says which mode; add ModeText"

static void run_unknown(struct vec_run *r)
{
	const char *name = vec_text(r, "ModeText");

	if (name == NULL)
		name = vec_text(r, "AlgText");
	if (name == NULL)
		vec_skip(r, "no algorithm of this version has these fields");
	else
		vec_skip(r, "no algorithm '%.40s' in this version", name);
}

/* clang-format off */
static const struct vec_alg algs[] = {
	/* Named by their text, or by fields that only they have. */
	{ "TLCP-TRACE",    NULL, "ServerKeyExchangeTbs", NULL, vec_run_tlcp, NULL },
	{ "TLCP-TRACE",    NULL, "PreMasterSecret KeyBlock", NULL, vec_run_tlcp, NULL },
	{ "TLCP-TRACE",    NULL, "PreMasterSecret MasterSecret", NULL, vec_run_tlcp, NULL },
	{ "TLS13-TRACE",   NULL, "ServerHello HandshakeSecret", NULL, vec_run_tls13, NULL },
	{ "RANDOMNESS",    NULL, "TestText PText", NULL, vec_run_random, NULL },
	{ "SM3-HASH-GM",   "SM3-HASH-GM", "Entropy", NULL, vec_run_drbg, NULL },
	{ "SM3-HASH-NIST", "SM3-HASH-NIST", "Entropy", NULL, NULL, "the variant of SP 800-90A: " LATER },
	{ "SM4-CTR-DRBG",  "SM4-CTR SM4-CTR-GM SM4-CTR-DRBG CTR-DRBG", "Entropy", NULL, vec_run_sm4_drbg,
	  NULL },
	{ "SM2-KEX",       "SM2-KEX SM2", "Da Ra", NULL, vec_run_sm2_kex, NULL },
	{ "SM2-KEX",       "SM2-KEX SM2", "Db Rb", NULL, vec_run_sm2_kex, NULL },
	{ "SM2-CURVE",     NULL, "CurveText P A B N", NULL, vec_run_sm2_curve, NULL },
	{ "SM2-ENC",       "SM2-ENC SM2", "CipherC1C3C2", NULL, vec_run_sm2_enc, NULL },
	{ "SM2-ENC",       "SM2-ENC SM2", "CipherDer", NULL, vec_run_sm2_enc, NULL },
	{ "SM2-ENC",       "SM2-ENC SM2", "CipherC1C2C3", NULL, vec_run_sm2_enc, NULL },
	{ "SM2-SIGN",      "SM2-SIGN SM2", "R S", NULL, vec_run_sm2_sign, NULL },
	{ "SM2-SIGN",      "SM2-SIGN SM2", "SigDer", NULL, vec_run_sm2_sign, NULL },
	{ "SM2-SIGN",      "SM2-SIGN SM2", "Sig", NULL, vec_run_sm2_sign, NULL },
	{ "KEY-FILE",      NULL, "PemText Der", NULL, vec_run_key_file, NULL },
	{ "TEST-KEY",      NULL, "PrivateKey PublicKey", NULL, vec_run_test_key, NULL },
	{ "TEST-KEY",      NULL, "PrivateKey PublicX PublicY", NULL, vec_run_test_key, NULL },

	/* Hash, HMAC, key derivation. */
	{ "SM3",           "SM3", "Digest", NULL, vec_run_sm3, NULL },
	{ "SM2-KDF",       "KDF SM2-KDF", "Z Out", NULL, vec_run_sm2_kdf, NULL },
	{ "HKDF-SM3",      "HKDF HKDF-SM3", "Ikm", NULL, vec_run_hkdf, NULL },
	{ "HKDF-EXPAND-LABEL", "HKDF-Expand-Label", "Secret LabelText Context", NULL,
	  vec_run_expand_label, NULL },
	{ "PBKDF2-SM3",    "PBKDF2 PBKDF2-HMAC-SM3", "Password Salt", NULL, vec_run_pbkdf2, NULL },
	{ "TLCP-PRF",      "PRF", "Secret LabelText Seed", NULL, vec_run_tlcp_prf, NULL },

	/* SM4 and its modes. */
	{ "SM4-CBC-MAC",   "CBC-MAC SM4-CBC-MAC", "Key Mac", "cbc-mac", vec_run_sm4_mac, NULL },
	{ "SM4-EMAC",      "EMAC SM4-EMAC", "Key Key2 Mac", "emac", vec_run_sm4_mac, NULL },
	{ "SM4-RETAIL-MAC", "RETAIL RETAIL-MAC ANSI-RETAIL-MAC SM4-RETAIL-MAC", "Key Key2 Mac", "retail",
	  vec_run_sm4_mac, NULL },
	{ "SM4-MACDES",    "MACDES SM4-MACDES", "Key Key2 Mac", "macdes", vec_run_sm4_mac, NULL },
	{ "SM4-CMAC",      "CMAC SM4-CMAC", "Key Mac", "cmac", vec_run_sm4_mac, NULL },
	{ "SM4-LMAC",      "LMAC SM4-LMAC", "Key Mac", "lmac", vec_run_sm4_mac, NULL },
	{ "SM4-TRCBC",     "TRCBC TRCBC-MAC SM4-TRCBC", "Key Mac", "trcbc", vec_run_sm4_mac, NULL },
	{ "SM4-CBCR",      "CBCR CBCR-MAC SM4-CBCR", "Key Mac", "cbcr", vec_run_sm4_mac, NULL },
	{ "SM4-MAC",       NULL, "Key Mac PadText", NULL, NULL,
	  "neither the case nor its file says which MAC; add AlgText" },
	{ "SM4-GMAC",      "GMAC SM4-GMAC", "Key Nonce Mac", "gmac", vec_run_sm4_gmac, NULL },
	{ "SM4-GMAC",      "GMAC SM4-GMAC", "Key Iv Mac", "gmac", vec_run_sm4_gmac, NULL },
	{ "HMAC-SM3",      "HMAC HMAC-SM3", "Key Msg Mac", NULL, vec_run_hmac, NULL },
	{ "SM4-GCM",       "GCM SM4-GCM GMAC SM4-GMAC", "Key Nonce Tag", "gcm", vec_run_sm4_gcm, NULL },
	{ "SM4-GCM",       "GCM SM4-GCM GMAC SM4-GMAC", "Key Iv Tag", "gcm", vec_run_sm4_gcm, NULL },
	{ "SM4-CCM",       "CCM SM4-CCM", "Key Nonce Tag", "ccm", vec_run_sm4_ccm, NULL },
	{ "SM4-CCM",       "CCM SM4-CCM", "Key Iv Tag", "ccm", vec_run_sm4_ccm, NULL },
	{ "SM4-AEAD",      NULL, "Key Nonce Tag", NULL, NULL, WHICH },
	{ "SM4-AEAD",      NULL, "Key Iv Tag", NULL, NULL, WHICH },
	{ "SM4-HCTR",      "HCTR SM4-HCTR", "HashKey Tweak", NULL, vec_run_sm4_hctr, NULL },
	{ "SM4-XTS",       "XTS SM4-XTS", "Key Tweak", NULL, vec_run_sm4_xts, NULL },
	{ "SM4-CBC",       "CBC SM4-CBC", "Key Iv Plaintext Ciphertext", "cbc", vec_run_sm4_mode, NULL },
	{ "SM4-CTR",       "CTR SM4-CTR", "Key Iv Plaintext Ciphertext", "ctr", vec_run_sm4_mode, NULL },
	{ "SM4-CFB",       "CFB CFB128 SM4-CFB SM4-CFB128", "Key Iv Plaintext Ciphertext", "cfb",
	  vec_run_sm4_mode, NULL },
	{ "SM4-OFB",       "OFB OFB128 SM4-OFB", "Key Iv Plaintext Ciphertext", "ofb", vec_run_sm4_mode,
	  NULL },
	{ "SM4-BC",        "BC SM4-BC", "Key Iv Plaintext Ciphertext", "bc", vec_run_sm4_mode, NULL },
	{ "SM4-OFBNLF",    "OFBNLF SM4-OFBNLF", "Key Iv Plaintext Ciphertext", "ofbnlf", vec_run_sm4_mode,
	  NULL },
	{ "SM4-MODE",      NULL, "Key Iv Plaintext Ciphertext", NULL, NULL, WHICH },
	{ "SM4-CFB8",      "CFB8 SM4-CFB8", "Key Iv Plaintext Ciphertext", NULL, vec_run_sm4_mode, NULL },
	{ "SM4-CFB1",      "CFB1 SM4-CFB1", "Key Iv Plaintext Ciphertext", NULL, vec_run_sm4_mode, NULL },
	{ "SM4-ECB",       "ECB SM4-ECB SM4", "Key Plaintext Ciphertext", NULL, vec_run_sm4_ecb, NULL },
	{ "unknown",       NULL, "", NULL, run_unknown, NULL },
};
/* clang-format on */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_letters(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/* Does the word stand in the text, with no letter beside it? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	size_t text_len = strlen(text);

	for (size_t i = 0; i + len <= text_len; i++)
		if ((i == 0 || !is_letter(text[i - 1])) && same_letters(text + i, word, len) &&
			!is_letter(text[i + len]))
			return true;
	return false;
}

/* Is name the word at list? The case of letters, and '-', '_' and blanks within, do not count. */
static bool is_called(const char *list, size_t len, const char *name)
{
	size_t i = 0;

	for (; *name != '\0'; name++) {
		if (strchr("-_ ", *name) != NULL)
			continue;
		while (i < len && list[i] == '-')
			i++;
		if (i == len || lower(list[i++]) != lower(*name))
			return false;
	}
	return i == len;
}

static bool in_list(const char *list, const char *name)
{
	while (*list != '\0') {
		size_t len = strcspn(list, " ");

		if (is_called(list, len, name))
			return true;
		list += len + (list[len] == ' ');
	}
	return false;
}

static bool has_fields(const struct vec_case *c, const char *fields)
{
	while (*fields != '\0') {
		char name[VEC_NAME_MAX + 1] = "";
		size_t len = strcspn(fields, " ");

		memcpy(name, fields, len < VEC_NAME_MAX ? len : VEC_NAME_MAX);
		if (vec_find(c, name) == NULL)
			return false;
		fields += len + (fields[len] == ' ');
	}
	return true;
}

/* The only algorithm whose fields the case has and whose word stands in the text; NULL: none. */
static const struct vec_alg *by_word(const struct vec_case *c, const char *text)
{
	const struct vec_alg *found = NULL;

	for (size_t i = 0; i < HF_COUNT(algs); i++) {
		const struct vec_alg *a = &algs[i];

		if (a->word == NULL || !has_fields(c, a->fields) || !has_word(text, a->word))
			continue;
		if (found != NULL && strcmp(found->name, a->name) != 0)
			return NULL;
		found = a;
	}
	return found;
}

static const struct vec_alg *by_name(const struct vec_case *c, const char *field)
{
	const struct vec_field *f = vec_find(c, field);

	for (size_t i = 0; f != NULL && i < HF_COUNT(algs); i++)
		if (algs[i].called != NULL && has_fields(c, algs[i].fields) &&
			in_list(algs[i].called, (const char *)f->value.p))
			return &algs[i];
	return NULL;
}

/* The first row that is called so, whatever fields the case has. */
static const struct vec_alg *called(const struct vec_case *c, const char *field)
{
	const struct vec_field *f = vec_find(c, field);

	for (size_t i = 0; f != NULL && i < HF_COUNT(algs); i++)
		if (algs[i].called != NULL && in_list(algs[i].called, (const char *)f->value.p))
			return &algs[i];
	return NULL;
}

/* A name that no row has is that of a cipher which is not here, whatever mode it is in. */
static bool names_another(const struct vec_case *c, const char *field)
{
	return vec_find(c, field) != NULL && called(c, field) == NULL;
}

bool vec_alg_lacks(const struct vec_alg *a, const struct vec_case *c)
{
	return !has_fields(c, a->fields);
}

const struct vec_alg *vec_alg_of(const struct vec_file *f)
{
	const struct vec_alg *found = by_name(&f->c, "ModeText");
	const char *remark;

	if (found == NULL)
		found = by_name(&f->c, "AlgText");
	if (names_another(&f->c, "AlgText") || names_another(&f->c, "ModeText"))
		return &algs[HF_COUNT(algs) - 1];
	if (found == NULL)
		found = called(&f->c, "ModeText");
	if (found == NULL)
		found = called(&f->c, "AlgText");
	if (found == NULL)
		found = by_word(&f->c, vec_file_base(f));
	for (size_t i = 0; found == NULL && (remark = vec_remark(f, i)) != NULL; i++)
		found = by_word(&f->c, remark);
	for (size_t i = 0; found == NULL && i < HF_COUNT(algs); i++)
		if (algs[i].word == NULL && has_fields(&f->c, algs[i].fields))
			found = &algs[i];
	return found;
}

const struct vec_alg *vec_alg_table(size_t *n)
{
	*n = HF_COUNT(algs);
	return algs;
}
