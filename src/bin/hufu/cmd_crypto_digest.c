/* SPDX-License-Identifier: Apache-2.0 */
/* hufu crypto sm3, hmac and mac: digests and tags, printed as openssl prints them. */
#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "cmd_crypto.h"
#include "crypto/hmac.h"
#include "crypto/sm3.h"
#include "crypto/sm4_mac.h"
#include "crypto_io.h"
#include "crypto_keys.h"
#include "os/heap.h"
#include "view.h"

enum { TAG_MAX = HF_SM3_LEN };

const struct hufu_opt hufu_opts_crypto_sm3[] = {
	{ "raw", NULL, "write the 32 bytes themselves, of one input" },
	{ "out", "FILE", "or -o: where to write with --raw (standard output)" },
	{ "force", NULL, "write in place of a file that is there" },
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_hmac[] = {
	HUFU_OPTS_KEY,
	{ "verify", "HEX", "compare with this tag: exit code 5 if it is another" },
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_mac[] = {
	{ "kind", "NAME", "cmac, gmac, cbc-mac, emac, retail, macdes, lmac, trcbc, cbcr (cmac)" },
	{ "padding", "1|2|3", "method of GB/T 15852.1, for the kinds that have a choice (2)" },
	{ "iv", "HEX", "gmac: the nonce, never twice under one key (required there)" },
	HUFU_OPTS_KEY,
	{ "verify", "HEX", "compare with this tag: exit code 5 if it is another" },
	{ NULL, NULL, NULL },
};

/* A sum over an input; ctx is its state. */
struct sum {
	hf_err (*feed)(void *ctx, const uint8_t *p, size_t len);
	void *ctx;
};

static hf_err sum_input(const struct sum *s, const char *path, struct hf_errinfo *ei)
{
	uint8_t *piece = hf_mem_new(hf_os_mem(), HUFU_PIECE);
	struct hufu_in in = HUFU_IN_EMPTY;
	size_t n = HUFU_PIECE;
	hf_err e = HF_OK;

	if (piece == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for a piece of the input");
	e = hufu_in_open(&in, path, ei);
	while (e == HF_OK && n == HUFU_PIECE) {
		e = hufu_in_read(&in, piece, HUFU_PIECE, &n, ei);
		if (e == HF_OK)
			e = s->feed(s->ctx, piece, n);
	}
	hufu_in_close(&in);
	hf_wipe(piece, HUFU_PIECE);
	hf_mem_free(hf_os_mem(), piece);
	return e;
}

static void print_tag(const char *name, const char *path, const uint8_t *tag, size_t len)
{
	char hex[2 * TAG_MAX + 1];

	hf_hex_emit(hex, tag, len);
	hufu_line(stdout, "%s(%s)= %s", name,
		path == NULL || strcmp(path, "-") == 0 ? "stdin" : path, hex);
}

static hf_err feed_sm3(void *ctx, const uint8_t *p, size_t len)
{
	hf_sm3_feed(ctx, p, len);
	return HF_OK;
}

static hf_err digest_of(uint8_t digest[HF_SM3_LEN], const char *path, struct hf_errinfo *ei)
{
	struct hf_sm3 s;
	struct sum sum = { feed_sm3, &s };

	hf_sm3_init(&s);
	HF_TRY(sum_input(&sum, path, ei));
	hf_sm3_done(&s, digest);
	return HF_OK;
}

static hf_err write_raw(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hufu_out out = HUFU_OUT_EMPTY;
	uint8_t digest[HF_SM3_LEN];
	hf_err e;

	if (a->n_args > 1)
		return hf_fail(ei, HF_ERR_ARG, "--raw takes one input");
	e = digest_of(digest, a->n_args == 0 ? NULL : a->arg[0], ei);
	if (e == HF_OK)
		e = hufu_out_open(&out, a, 0, ei);
	if (e == HF_OK)
		e = hufu_out_write(&out, digest, sizeof(digest), ei);
	if (e == HF_OK)
		e = hufu_out_commit(&out, ei);
	hufu_out_close(&out);
	return e;
}

int hufu_run_crypto_sm3(const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint8_t digest[HF_SM3_LEN];
	size_t n = a->n_args == 0 ? 1 : a->n_args;
	hf_err e = HF_OK;

	if (hufu_has(a, "raw"))
		return hufu_exit(write_raw(a, ei), ei);
	if (hufu_has(a, "out"))
		return hufu_exit(hf_fail(ei, HF_ERR_ARG, "--out needs --raw"), ei);
	for (size_t i = 0; e == HF_OK && i < n; i++) {
		const char *path = a->n_args == 0 ? NULL : a->arg[i];

		e = digest_of(digest, path, ei);
		if (e == HF_OK)
			print_tag("SM3", path, digest, sizeof(digest));
	}
	return hufu_exit(e, ei);
}

/* Prints the tag, or compares it with --verify. */
static hf_err finish(const struct hufu_args *a, const char *name, const char *path,
	const uint8_t *tag, size_t len, struct hf_errinfo *ei)
{
	uint8_t given[TAG_MAX];
	size_t given_len = 0;

	if (!hufu_has(a, "verify")) {
		print_tag(name, path, tag, len);
		return HF_OK;
	}
	HF_TRY(hufu_hex_get(a, "verify", given, HF_SM4_MAC_LEN_MIN, len, &given_len, ei));
	if (!hf_ct_eq(given, tag, given_len))
		return hf_fail(ei, HF_ERR_AUTH, "%s: the tag is not that of this text and key",
			path == NULL ? "standard input" : path);
	hufu_line(stdout, "%s(%s): right", name, path == NULL ? "stdin" : path);
	return HF_OK;
}

static hf_err feed_hmac(void *ctx, const uint8_t *p, size_t len)
{
	hf_hmac_feed(ctx, p, len);
	return HF_OK;
}

int hufu_run_crypto_hmac(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *path = a->n_args == 0 ? NULL : a->arg[0];
	struct hf_hmac m;
	struct sum sum = { feed_hmac, &m };
	uint8_t tag[HF_SM3_LEN];
	struct hf_buf key;
	hf_err e;

	hf_buf_init(&key, hf_os_mem(), HUFU_KEY_FILE_MAX);
	e = hufu_key_get_any(a, &key, ei);
	if (e == HF_OK) {
		hf_hmac_init(&m, key.p, key.len);
		e = sum_input(&sum, path, ei);
		hf_hmac_done(&m, tag);
	}
	if (e == HF_OK)
		e = finish(a, "HMAC-SM3", path, tag, sizeof(tag), ei);
	hf_buf_clear(&key);
	hf_wipe(tag, sizeof(tag));
	return hufu_exit(e, ei);
}

/* --- the MACs of SM4 ------------------------------------------------------------------------- */

static const struct mac_row {
	const char *name;
	const char *shown;
	enum hf_sm4_mac_kind kind;
} mac_rows[] = {
	{ "cmac", "SM4-CMAC", HF_SM4_CMAC },
	{ "cbc-mac", "SM4-CBC-MAC", HF_SM4_CBC_MAC },
	{ "emac", "SM4-EMAC", HF_SM4_EMAC },
	{ "retail", "SM4-RETAIL-MAC", HF_SM4_RETAIL },
	{ "macdes", "SM4-MACDES", HF_SM4_MACDES },
	{ "lmac", "SM4-LMAC", HF_SM4_LMAC },
	{ "trcbc", "SM4-TRCBC", HF_SM4_TRCBC },
	{ "cbcr", "SM4-CBCR", HF_SM4_CBCR },
};

static hf_err feed_mac(void *ctx, const uint8_t *p, size_t len)
{
	return hf_sm4_mac_feed(ctx, p, len);
}

static hf_err feed_gmac(void *ctx, const uint8_t *p, size_t len)
{
	return hf_gcm_aad(ctx, p, len);
}

static hf_err run_gmac(const struct hufu_args *a, const char *path, struct hf_errinfo *ei)
{
	uint8_t raw[HF_SM4_KEY_LEN] = { 0 };
	uint8_t tag[HF_GCM_TAG_LEN];
	uint8_t nonce[64];
	size_t nonce_len = 0;
	struct hf_gcm_key key = { 0 };
	struct hf_gcm g = { .key = NULL };
	struct sum sum = { feed_gmac, &g };
	hf_err e;

	HF_TRY(hufu_hex_get(a, "iv", nonce, 1, sizeof(nonce), &nonce_len, ei));
	if (nonce_len == 0)
		return hf_fail(ei, HF_ERR_ARG, "gmac needs --iv: a nonce, never used before");
	e = hufu_key_get(a, raw, sizeof(raw), ei);
	if (e == HF_OK)
		e = hf_gcm_init(&key, raw);
	if (e == HF_OK)
		e = hf_gcm_start(&g, &key, nonce, nonce_len);
	if (e == HF_OK)
		e = sum_input(&sum, path, ei);
	if (e == HF_OK)
		e = hf_gcm_tag(&g, tag, sizeof(tag));
	if (e == HF_OK)
		e = finish(a, "SM4-GMAC", path, tag, sizeof(tag), ei);
	hf_gcm_end(&g);
	hf_gcm_clear(&key);
	hf_wipe(raw, sizeof(raw));
	return e;
}

/* Padding 3 begins with the length, so that must be known: only a file has one. */
static hf_err message_len(uint64_t *len, const char *path, struct hf_errinfo *ei)
{
	struct hufu_in in = HUFU_IN_EMPTY;

	HF_TRY(hufu_in_open(&in, path, ei));
	*len = in.size;
	hufu_in_close(&in);
	if (*len == 0)
		return hf_fail(ei, HF_ERR_ARG,
			"--padding 3 begins with the length: it needs a file that is not empty");
	return HF_OK;
}

static hf_err run_mac(const struct hufu_args *a, const struct mac_row *row, const char *path,
	struct hf_errinfo *ei)
{
	bool is_own =
		row->kind == HF_SM4_CMAC || row->kind == HF_SM4_TRCBC || row->kind == HF_SM4_CBCR;
	size_t tag_len = row->kind == HF_SM4_TRCBC ? HF_SM4_MAC_LEN / 2 : HF_SM4_MAC_LEN;
	size_t key_len = hf_sm4_mac_key_len(row->kind);
	uint8_t raw[HF_SM4_MAC_KEY_MAX] = { 0 };
	uint8_t tag[HF_SM4_MAC_LEN];
	struct hf_sm4_mac_key key = { .kind = row->kind };
	struct hf_sm4_mac m = { .key = NULL };
	struct sum sum = { feed_mac, &m };
	uint64_t pad = 0;
	uint64_t len = 0;
	hf_err e;

	HF_TRY(hufu_arg_u64(a, "padding", is_own ? 0 : 2, 1, 3, &pad, ei));
	if (is_own && pad != 0)
		return hf_fail(ei, HF_ERR_ARG, "%s has a padding of its own", row->name);
	if (pad == HF_SM4_PAD_LEN)
		HF_TRY(message_len(&len, path, ei));
	e = hufu_key_get(a, raw, key_len, ei);
	if (e == HF_OK)
		e = hf_sm4_mac_key_init(&key, row->kind, (enum hf_sm4_mac_pad)pad, raw, key_len);
	if (e == HF_OK)
		e = hf_sm4_mac_start(&m, &key, len);
	if (e == HF_OK)
		e = sum_input(&sum, path, ei);
	if (e == HF_OK)
		e = hf_sm4_mac_done(&m, tag, tag_len);
	if (e == HF_OK)
		e = finish(a, row->shown, path, tag, tag_len, ei);
	hf_sm4_mac_end(&m);
	hf_sm4_mac_key_clear(&key);
	hf_wipe(raw, sizeof(raw));
	return e;
}

int hufu_run_crypto_mac(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *path = a->n_args == 0 ? NULL : a->arg[0];
	const char *name = hufu_has(a, "kind") ? hufu_arg(a, "kind") : "cmac";

	if (strcmp(name, "gmac") == 0)
		return hufu_exit(run_gmac(a, path, ei), ei);
	if (hufu_has(a, "iv"))
		return hufu_exit(hf_fail(ei, HF_ERR_ARG, "--iv: only gmac has a nonce"), ei);
	for (size_t i = 0; i < HF_COUNT(mac_rows); i++)
		if (strcmp(mac_rows[i].name, name) == 0)
			return hufu_exit(run_mac(a, &mac_rows[i], path, ei), ei);
	return hufu_exit(
		hf_fail(ei, HF_ERR_ARG, "--kind: there is no '%.40s'; --help lists them", name),
		ei);
}
