/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "base/rd.h"
#include "base/wr.h"
#include "codec/base64.h"

enum {
	KEY_ID_LEN = 4,
	SIG_BYTES = KEY_ID_LEN + HF_SM2_SIG_LEN,
	SIG_TEXT_LEN = HF_BASE64_LEN(SIG_BYTES),
	ROOT_TEXT_LEN = HF_BASE64_LEN(HF_SM3_LEN),
};

static const char sig_mark[] = "\xe2\x80\x94 "; /* em dash and blank, as signed notes have it */
static const char sig_type[] = "\xffhufu-sm2-v1";

static void key_id(uint8_t out[KEY_ID_LEN], const char *id, const struct hf_sm2_pub *pub)
{
	uint8_t point[HF_SM2_POINT_LEN];
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm3 h;

	hf_sm2_pub_emit(point, pub);
	hf_sm3_init(&h);
	hf_sm3_feed(&h, id, strlen(id));
	hf_sm3_feed(&h, "\n", 1);
	hf_sm3_feed(&h, sig_type, sizeof(sig_type) - 1);
	hf_sm3_feed(&h, point, sizeof(point));
	hf_sm3_done(&h, digest);
	memcpy(out, digest, KEY_ID_LEN);
}

/* The three lines that are signed. */
static void put_text(struct hf_writer *w, const struct hf_audit_head *head)
{
	char size[24];
	char root[ROOT_TEXT_LEN];

	(void)snprintf(size, sizeof(size), "%" PRIu64, head->size);
	hf_wr_str(w, head->id);
	hf_wr_str(w, "\n");
	hf_wr_str(w, size);
	hf_wr_str(w, "\n");
	hf_wr_put(w, root, hf_base64_emit(root, head->root, sizeof(head->root), HF_BASE64_STD));
	hf_wr_str(w, "\n");
}

hf_err hf_audit_head_emit(uint8_t out[HF_AUDIT_HEAD_MAX], size_t *len,
	const struct hf_audit_head *head, const struct hf_signer *signer)
{
	struct hf_writer w = { .p = out, .cap = HF_AUDIT_HEAD_MAX };
	uint8_t sig[SIG_BYTES];
	char text[SIG_TEXT_LEN];
	struct hf_sm2_sig s = { { 0 }, { 0 } };

	put_text(&w, head);
	HF_TRY(hf_signer_sign(
		&s, signer, HF_SM2_ID_DEFAULT, sizeof(HF_SM2_ID_DEFAULT) - 1, out, w.len));
	key_id(sig, head->id, &signer->pub);
	memcpy(sig + KEY_ID_LEN, s.r, HF_SM2_LEN);
	memcpy(sig + KEY_ID_LEN + HF_SM2_LEN, s.s, HF_SM2_LEN);
	hf_wr_str(&w, "\n");
	hf_wr_str(&w, sig_mark);
	hf_wr_str(&w, head->id);
	hf_wr_str(&w, " ");
	hf_wr_put(&w, text, hf_base64_emit(text, sig, sizeof(sig), HF_BASE64_STD));
	hf_wr_str(&w, "\n");
	HF_TRY(hf_wr_done(&w));
	*len = w.len;
	return HF_OK;
}

/* The bytes up to the next newline, which is skipped; NULL if there is none. */
static const char *take_line(struct hf_reader *r, size_t *len)
{
	const uint8_t *end = r->left == 0 ? NULL : memchr(r->p, '\n', r->left);
	const char *line = (const char *)r->p;

	if (end == NULL)
		return NULL;
	*len = (size_t)(end - r->p);
	(void)hf_rd_take(r, *len + 1);
	return line;
}

/* Decimal without leading zeros. */
static hf_err parse_size(uint64_t *out, const char *text, size_t len)
{
	uint64_t v = 0;

	if (len == 0 || len > 19 || (text[0] == '0' && len > 1))
		return HF_ERR_FORMAT;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return HF_ERR_FORMAT;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	*out = v;
	return HF_OK;
}

static hf_err parse_text(struct hf_audit_head *out, struct hf_reader *r)
{
	size_t len = 0;
	size_t root_len = 0;
	const char *line = take_line(r, &len);

	if (line == NULL || len == 0 || len >= sizeof(out->id) || memchr(line, '\0', len) != NULL)
		return HF_ERR_FORMAT;
	memcpy(out->id, line, len);
	line = take_line(r, &len);
	if (line == NULL)
		return HF_ERR_FORMAT;
	HF_TRY(parse_size(&out->size, line, len));
	line = take_line(r, &len);
	if (line == NULL)
		return HF_ERR_FORMAT;
	HF_TRY(hf_base64_parse(out->root, sizeof(out->root), &root_len, line, len, HF_BASE64_STD));
	return root_len == sizeof(out->root) ? HF_OK : HF_ERR_FORMAT;
}

/* The signature line: mark, the log's own name, blank, base64. */
static hf_err parse_sig(uint8_t sig[SIG_BYTES], const char *id, struct hf_reader *r)
{
	char want[sizeof(sig_mark) + HF_AUDIT_LOG_ID_MAX + 1];
	size_t len = 0;
	size_t sig_len = 0;
	size_t at = (size_t)snprintf(want, sizeof(want), "%s%s ", sig_mark, id);
	const char *line = take_line(r, &len);

	if (line == NULL || len != 0)
		return HF_ERR_FORMAT;
	line = take_line(r, &len);
	if (line == NULL || len <= at || memcmp(line, want, at) != 0)
		return HF_ERR_FORMAT;
	HF_TRY(hf_base64_parse(sig, SIG_BYTES, &sig_len, line + at, len - at, HF_BASE64_STD));
	if (sig_len != SIG_BYTES)
		return HF_ERR_FORMAT;
	return hf_rd_done(r);
}

hf_err hf_audit_head_parse(
	struct hf_audit_head *head, const uint8_t *in, size_t in_len, const struct hf_sm2_pub *pub)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_audit_head out = { .size = 0 };
	uint8_t sig[SIG_BYTES];
	uint8_t want[KEY_ID_LEN];
	struct hf_sm2_sig s;
	size_t text_len;

	if (in_len > HF_AUDIT_HEAD_MAX)
		return HF_ERR_LIMIT;
	HF_TRY(parse_text(&out, &r));
	text_len = in_len - r.left;
	HF_TRY(parse_sig(sig, out.id, &r));
	key_id(want, out.id, pub);
	if (!hf_ct_eq(want, sig, KEY_ID_LEN))
		return HF_ERR_AUTH;
	memcpy(s.r, sig + KEY_ID_LEN, HF_SM2_LEN);
	memcpy(s.s, sig + KEY_ID_LEN + HF_SM2_LEN, HF_SM2_LEN);
	HF_TRY(hf_sm2_verify(
		pub, HF_SM2_ID_DEFAULT, sizeof(HF_SM2_ID_DEFAULT) - 1, in, text_len, &s));
	*head = out;
	return HF_OK;
}
