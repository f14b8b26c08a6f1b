/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token, printed as "hufu1-" and hexadecimal:
 *   u8 version 1  id (16)  u8 level  u64 not after  root CA SM3 (32)  u8 length  role
 *   u8 length  device  MAC (32) = HMAC-SM3(token key, "hufu/token/1" || all before)
 */
#include "keys/token.h"

#include <string.h>

#include "base/ct.h"
#include "base/hex.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypto/hmac.h"
#include "policy/policy.h"

enum {
	TOKEN_VERSION = 1,
	TOKEN_BYTES_MAX =
		1 + HF_TOKEN_ID_LEN + 1 + 8 + HF_SM3_LEN + 2 * (1 + HF_TOKEN_NAME_MAX) + HF_SM3_LEN,
};

static const char token_prefix[] = "hufu1-";

_Static_assert(sizeof(token_prefix) + 2 * TOKEN_BYTES_MAX <= HF_TOKEN_TEXT_MAX, "token text");

bool hf_device_name_is_valid(const char *name)
{
	size_t n = 0;

	for (; name[n] != '\0'; n++) {
		char c = name[n];
		bool is_alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (n == HF_TOKEN_NAME_MAX || !(is_alnum || (n > 0 && (c == '-' || c == '.'))))
			return false;
	}
	return n > 0;
}

static void token_mac(uint8_t mac[HF_SM3_LEN], const uint8_t *body, size_t body_len,
	const uint8_t token_key[HF_KEY_SEED_LEN])
{
	static const char label[] = "hufu/token/1";
	struct hf_hmac m;

	hf_hmac_init(&m, token_key, HF_KEY_SEED_LEN);
	hf_hmac_feed(&m, label, sizeof(label) - 1);
	hf_hmac_feed(&m, body, body_len);
	hf_hmac_done(&m, mac);
}

static void put_name(struct hf_writer *w, const char *name)
{
	hf_wr_u8(w, (uint8_t)strlen(name));
	hf_wr_str(w, name);
}

hf_err hf_token_emit(char text[HF_TOKEN_TEXT_MAX], const struct hf_token *t,
	const uint8_t token_key[HF_KEY_SEED_LEN])
{
	uint8_t bytes[TOKEN_BYTES_MAX];
	uint8_t mac[HF_SM3_LEN];
	struct hf_writer w = { .p = bytes, .cap = sizeof(bytes) };

	if (!hf_device_name_is_valid(t->device) || !hf_device_name_is_valid(t->role) ||
		!hf_level_is(t->level))
		return HF_ERR_ARG;
	hf_wr_u8(&w, TOKEN_VERSION);
	hf_wr_put(&w, t->id, sizeof(t->id));
	hf_wr_u8(&w, t->level);
	hf_wr_u64(&w, t->not_after);
	hf_wr_put(&w, t->root_ca, sizeof(t->root_ca));
	put_name(&w, t->role);
	put_name(&w, t->device);
	token_mac(mac, bytes, w.len, token_key);
	hf_wr_put(&w, mac, sizeof(mac));
	HF_TRY(hf_wr_done(&w));
	memcpy(text, token_prefix, sizeof(token_prefix));
	hf_hex_emit(text + sizeof(token_prefix) - 1, bytes, w.len);
	return HF_OK;
}

/* A length-prefixed name into a terminated string; an unusable one makes the reader short. */
static void get_name(char *out, struct hf_reader *r)
{
	size_t len = hf_rd_u8(r);

	if (len > HF_TOKEN_NAME_MAX)
		r->is_short = true;
	else
		hf_rd_copy(r, (uint8_t *)out, len);
}

/* Body length is told so that the MAC over it can be checked. */
static hf_err token_read(
	struct hf_token *t, uint8_t *bytes, size_t *body_len, const char *text, size_t text_len)
{
	size_t skip = sizeof(token_prefix) - 1;
	struct hf_token out = { 0 };
	struct hf_reader r = { .p = bytes };
	uint8_t version;

	if (text_len < skip || memcmp(text, token_prefix, skip) != 0)
		return HF_ERR_FORMAT;
	HF_TRY(hf_hex_parse(bytes, TOKEN_BYTES_MAX, &r.left, text + skip, text_len - skip));
	*body_len = r.left;
	version = hf_rd_u8(&r);
	hf_rd_copy(&r, out.id, sizeof(out.id));
	out.level = hf_rd_u8(&r);
	out.not_after = hf_rd_u64(&r);
	hf_rd_copy(&r, out.root_ca, sizeof(out.root_ca));
	get_name(out.role, &r);
	get_name(out.device, &r);
	*body_len -= r.left;
	(void)hf_rd_take(&r, HF_SM3_LEN);
	HF_TRY(hf_rd_done(&r));
	if (version != TOKEN_VERSION)
		return HF_ERR_UNSUPPORTED;
	if (!hf_device_name_is_valid(out.device) || !hf_device_name_is_valid(out.role) ||
		!hf_level_is(out.level))
		return HF_ERR_FORMAT;
	*t = out;
	return HF_OK;
}

hf_err hf_token_parse(struct hf_token *t, const char *text, size_t text_len)
{
	uint8_t bytes[TOKEN_BYTES_MAX] = { 0 };
	size_t body_len = 0;

	return token_read(t, bytes, &body_len, text, text_len);
}

hf_err hf_token_check(struct hf_token *t, const char *text, size_t text_len,
	const uint8_t token_key[HF_KEY_SEED_LEN], uint64_t now_s)
{
	uint8_t bytes[TOKEN_BYTES_MAX] = { 0 };
	uint8_t mac[HF_SM3_LEN];
	struct hf_token out = { 0 };
	size_t body_len = 0;

	HF_TRY(token_read(&out, bytes, &body_len, text, text_len));
	token_mac(mac, bytes, body_len, token_key);
	if (!hf_ct_eq(mac, bytes + body_len, sizeof(mac)))
		return HF_ERR_AUTH;
	if (now_s > out.not_after)
		return HF_ERR_EXPIRED;
	*t = out;
	return HF_OK;
}
