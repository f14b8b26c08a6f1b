/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "codec/pem.h"
#include "crypto/sm4.h"
#include "keyring.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "os/tty.h"
#include "pki/cert.h"
#include "pki/pkcs8.h"
#include "pki/spki.h"

/* The value of a hexadecimal digit, found without a branch or an index; *good loses its bits. */
static unsigned nibble(uint8_t c, hf_ct_mask *good)
{
	uint64_t digit = (uint64_t)c - '0';
	uint64_t letter = (uint64_t)(c | 0x20) - 'a';
	hf_ct_mask is_digit = hf_ct_less(digit, 10);
	hf_ct_mask is_letter = hf_ct_less(letter, 6);

	*good &= is_digit | is_letter;
	return (unsigned)hf_ct_pick(is_digit, digit, (letter + 10) & 0xf) & 0xf;
}

/* Secret hexadecimal: the time depends on its length alone. */
static bool secret_hex(uint8_t *out, const uint8_t *text, size_t len)
{
	hf_ct_mask good = ~(hf_ct_mask)0;

	for (size_t i = 0; i < len; i++) {
		unsigned high = nibble(text[2 * i], &good);

		out[i] = (uint8_t)(high << 4 | nibble(text[2 * i + 1], &good));
	}
	return hf_ct_declassify(good);
}

/* Where the key is: exactly one of the two options. */
static hf_err key_source(
	const struct hufu_args *a, const char **file, const char **value, struct hf_errinfo *ei)
{
	const char *name = hufu_arg(a, "key-env");

	HF_TRY(hf_process_harden(ei));
	*file = hufu_arg(a, "key-file");
	*value = name == NULL ? NULL : getenv(name);
	if (hufu_has(a, "key-hex"))
		return hf_fail(ei, HF_ERR_ARG,
			"--key-hex: a key on the command line is seen by every user of this "
			"machine; put it in a file and give --key-file");
	if ((*file == NULL) == (name == NULL))
		return hf_fail(ei, HF_ERR_ARG, "give the key with --key-file or with --key-env");
	if (name != NULL && *value == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--key-env: there is no variable %s", name);
	return HF_OK;
}

static size_t without_newline(const uint8_t *p, size_t len)
{
	if (len > 0 && p[len - 1] == '\n')
		len--;
	return len > 0 && p[len - 1] == '\r' ? len - 1 : len;
}

/*
 * A key of two SM4 keys is as long as one in hexadecimal. Bytes that are nothing but digits are no
 * random key.
 */
static bool is_short_hex(uint8_t *key, size_t len, const struct hf_buf *b)
{
	return len == 2 * HF_SM4_KEY_LEN && secret_hex(key, b->p, HF_SM4_KEY_LEN);
}

static hf_err key_of_bytes(
	uint8_t *key, size_t len, const struct hf_buf *b, const char *path, struct hf_errinfo *ei)
{
	if (b->len == len && is_short_hex(key, len, b))
		return hf_fail(ei, HF_ERR_FORMAT,
			"%s: holds a key of %d bytes in hexadecimal; one of %zu bytes is needed",
			path, HF_SM4_KEY_LEN, len);
	if (b->len == len) {
		memcpy(key, b->p, len);
		return HF_OK;
	}
	if (without_newline(b->p, b->len) == 2 * len && secret_hex(key, b->p, len))
		return HF_OK;
	return hf_fail(ei, HF_ERR_FORMAT,
		"%s: must hold a key of %zu bytes, or the same in hexadecimal", path, len);
}

hf_err hufu_key_get(const struct hufu_args *a, uint8_t *key, size_t len, struct hf_errinfo *ei)
{
	const char *file = NULL;
	const char *value = NULL;
	struct hf_buf b;
	hf_err e;

	HF_TRY(key_source(a, &file, &value, ei));
	if (value != NULL) {
		if (strlen(value) == 2 * len && secret_hex(key, (const uint8_t *)value, len))
			return HF_OK;
		return hf_fail(ei, HF_ERR_FORMAT, "%s: must hold a key of %zu bytes in hexadecimal",
			hufu_arg(a, "key-env"), len);
	}
	hf_buf_init(&b, hf_os_mem(), HUFU_KEY_FILE_MAX);
	e = hf_file_load_input(&b, file, ei);
	if (e == HF_OK)
		e = key_of_bytes(key, len, &b, file, ei);
	hf_buf_clear(&b);
	return e;
}

hf_err hufu_key_get_any(const struct hufu_args *a, struct hf_buf *key, struct hf_errinfo *ei)
{
	const char *file = NULL;
	const char *value = NULL;
	uint8_t *room = NULL;
	size_t len;

	HF_TRY(key_source(a, &file, &value, ei));
	if (value == NULL) {
		HF_TRY(hf_file_load_input(key, file, ei));
		return key->len > 0 ? HF_OK
				    : hf_fail(ei, HF_ERR_FORMAT, "%s: is empty, no key", file);
	}
	len = strlen(value) / 2;
	HF_TRY(hf_buf_room(key, &room, len));
	if (len == 0 || strlen(value) % 2 != 0 || !secret_hex(room, (const uint8_t *)value, len))
		return hf_fail(ei, HF_ERR_FORMAT, "%s: must hold a key in hexadecimal",
			hufu_arg(a, "key-env"));
	return HF_OK;
}

static hf_err ask_again(const struct hf_buf *first, struct hf_errinfo *ei)
{
	struct hf_buf again;
	hf_err e;

	hf_buf_init(&again, hf_os_mem(), HUFU_PASSPHRASE_MAX);
	e = hf_tty_passphrase(&again, "the same again: ", ei);
	if (e == HF_OK && (again.len != first->len || !hf_ct_eq(again.p, first->p, first->len)))
		e = hf_fail(ei, HF_ERR_ARG, "the two passphrases differ; nothing was written");
	hf_buf_clear(&again);
	return e;
}

/* Two passphrases, of which one would be passed over. */
static hf_err one_passphrase(const struct hufu_args *a, struct hf_errinfo *ei)
{
	if (hufu_has(a, "passphrase-file") && hufu_has(a, "passphrase-env"))
		return hf_fail(ei, HF_ERR_ARG, "either --passphrase-file or --passphrase-env");
	return HF_OK;
}

hf_err hufu_passphrase_get(
	const struct hufu_args *a, struct hf_buf *out, bool is_new, struct hf_errinfo *ei)
{
	const char *name = hufu_arg(a, "passphrase-env");
	const char *value = name == NULL ? NULL : getenv(name);
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e;

	HF_TRY(one_passphrase(a, ei));
	if (hufu_has(a, "passphrase-file"))
		return hufu_passphrase_load(out, hufu_arg(a, "passphrase-file"), ei);
	if (name != NULL && (value == NULL || value[0] == '\0'))
		return hf_fail(ei, HF_ERR_ARG, "--passphrase-env: there is nothing in %s", name);
	if (value != NULL)
		return hf_buf_put(out, value, strlen(value));
	e = hf_tty_passphrase(
		out, is_new ? "passphrase for the new key: " : "passphrase of the key: ", &why);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_ARG, "a passphrase is needed: give --passphrase-file%s",
			is_new ? ", or --no-passphrase for a key in the clear" : "");
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "%s", why.text);
	if (is_new && out->len == 0)
		return hf_fail(ei, HF_ERR_ARG, "an empty passphrase protects nothing");
	return is_new ? ask_again(out, ei) : HF_OK;
}

/* Loads the file an option names. */
static hf_err load(
	const struct hufu_args *a, const char *option, struct hf_buf *b, struct hf_errinfo *ei)
{
	const char *path = hufu_arg(a, option);

	if (path == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--%s is missing: a key file", option);
	return hf_file_load_input(b, path, ei);
}

hf_err hufu_private_get(const struct hufu_args *a, const char *option, struct hf_sm2_key *key,
	struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_bytes empty = { NULL, 0 };
	struct hf_buf pass;
	struct hf_buf b;
	hf_err e;

	HF_TRY(one_passphrase(a, ei));
	hf_buf_init(&pass, hf_os_mem(), HUFU_PASSPHRASE_MAX);
	hf_buf_init(&b, hf_os_mem(), HUFU_KEY_FILE_MAX);
	e = hf_process_harden(ei);
	if (e == HF_OK)
		e = load(a, option, &b, ei);
	if (e != HF_OK)
		goto out;
	e = hf_pkcs8_read(key, (struct hf_bytes){ b.p, b.len }, empty, &why);
	if (e == HF_ERR_AUTH) { /* encrypted */
		e = hufu_passphrase_get(a, &pass, false, ei);
		if (e != HF_OK)
			goto out;
		why = (struct hf_errinfo){ .code = HF_OK };
		e = hf_pkcs8_read(key, (struct hf_bytes){ b.p, b.len },
			(struct hf_bytes){ pass.p, pass.len }, &why);
	}
	if (e == HF_ERR_LIMIT) /* of another algorithm: RSA */
		why = (struct hf_errinfo){ .text = "too long for a private key of SM2" };
	if (e == HF_ERR_LIMIT || e == HF_ERR_NOT_FOUND)
		e = HF_ERR_FORMAT;
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%.120s: %s", hufu_arg(a, option),
			why.text[0] != '\0' ? why.text : hf_err_text(e));
out:
	hf_buf_clear(&pass);
	hf_buf_clear(&b);
	return e;
}

static hf_err cert_key(
	struct hf_sm2_pub *pub, const uint8_t *der, size_t len, struct hf_errinfo *ei)
{
	struct hf_cert c;

	HF_TRY(hf_cert_parse(&c, der, len, ei));
	*pub = c.key;
	return HF_OK;
}

/* The first key or certificate of PEM text. */
static hf_err pem_key(struct hf_sm2_pub *pub, struct hf_bytes text, struct hf_errinfo *ei)
{
	uint8_t der[HF_CERT_DER_MAX];
	struct hf_pem_block block;
	size_t len = 0;
	hf_err e;

	while ((e = hf_pem_next(&block, &text)) == HF_OK) {
		bool is_cert = strcmp(block.label, "CERTIFICATE") == 0;

		if (!is_cert && strcmp(block.label, "PUBLIC KEY") != 0)
			continue;
		HF_TRY(hf_pem_decode(der, sizeof(der), &len, &block));
		return is_cert ? cert_key(pub, der, len, ei) : hf_spki_parse(pub, der, len);
	}
	return e;
}

hf_err hufu_public_get(const struct hufu_args *a, const char *option, struct hf_sm2_pub *pub,
	struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_buf b;
	hf_err e;

	hf_buf_init(&b, hf_os_mem(), HUFU_KEY_FILE_MAX);
	e = load(a, option, &b, ei);
	if (e == HF_OK) {
		if (b.len == HF_SPKI_LEN && b.p[0] != '-')
			e = hf_spki_parse(pub, b.p, b.len);
		else
			e = pem_key(pub, (struct hf_bytes){ b.p, b.len }, &why);
		if (e != HF_OK)
			(void)hf_fail(ei, e == HF_ERR_NOT_FOUND ? HF_ERR_FORMAT : e, "%.120s: %s",
				hufu_arg(a, option),
				why.text[0] != '\0' ? why.text : "no public key of SM2 in it");
		if (e == HF_ERR_NOT_FOUND)
			e = HF_ERR_FORMAT;
	}
	hf_buf_clear(&b);
	return e;
}

hf_err hufu_hex_get(const struct hufu_args *a, const char *option, uint8_t *out, size_t min,
	size_t max, size_t *len, struct hf_errinfo *ei)
{
	const char *text = hufu_arg(a, option);

	*len = 0;
	if (text == NULL)
		return HF_OK;
	if (hf_hex_parse(out, max, len, text, strlen(text)) == HF_OK && *len >= min)
		return HF_OK;
	if (min == max)
		return hf_fail(
			ei, HF_ERR_ARG, "--%s: must be %zu bytes in hexadecimal", option, min);
	return hf_fail(
		ei, HF_ERR_ARG, "--%s: must be %zu to %zu bytes in hexadecimal", option, min, max);
}
