/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as HTTP statuses. Several failures share a status; the JSON body has the exact code. */
#include "http/api.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "codec/json.h"

enum { TEXT_MAX = 2 * HF_ERRINFO_TEXT }; /* bytes of a peer's text, still escaped, that are read */

static const struct {
	hf_err e;
	unsigned status;
} statuses[] = {
	/* The first row of a status is what the status means on the way back. */
	{ HF_OK, 200 },
	{ HF_ERR_FORMAT, 400 },
	{ HF_ERR_ARG, 400 },
	{ HF_ERR_TRUNCATED, 400 },
	{ HF_ERR_AUTH, 401 },
	{ HF_ERR_DENIED, 403 },
	{ HF_ERR_REVOKED, 403 },
	{ HF_ERR_EXPIRED, 403 },
	{ HF_ERR_PURPOSE, 403 },
	{ HF_ERR_NOT_FOUND, 404 },
	{ HF_ERR_UNSUPPORTED, 405 },
	{ HF_ERR_TIMEOUT, 504 }, /* what we waited for did not come */
	{ HF_ERR_TIMEOUT, 408 },
	{ HF_ERR_STATE, 409 },
	{ HF_ERR_EXISTS, 409 },
	{ HF_ERR_ROLLBACK, 409 },
	{ HF_ERR_STALE, 409 },
	{ HF_ERR_LIMIT, 413 },
	{ HF_ERR_UNSUPPORTED, 415 },
	{ HF_ERR_FORMAT, 416 },
	{ HF_ERR_AGAIN, 429 },
	{ HF_ERR_LIMIT, 431 },
	{ HF_ERR_NET, 502 },
	{ HF_ERR_AGAIN, 503 },
	{ HF_ERR_FULL, 507 },
};

unsigned hf_api_status(hf_err e)
{
	for (size_t i = 0; i < HF_COUNT(statuses); i++)
		if (statuses[i].e == e)
			return statuses[i].status;
	return 500;
}

hf_err hf_api_err(unsigned status)
{
	for (size_t i = 0; i < HF_COUNT(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].e;
	return status >= 200 && status < 300 ? HF_OK : HF_ERR_NET;
}

/* Whether a number is one of our codes (and no success). */
static bool is_code(uint64_t number)
{
	static const uint16_t codes[] = {
#define CODE(name, number, log, text) (number),
		HF_ERR_LIST(CODE)
#undef CODE
	};

	for (size_t i = 0; i < HF_COUNT(codes); i++)
		if (codes[i] == number)
			return number != HF_OK;
	return false;
}

static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

/* Reads the error object; unknown members are passed over. */
static hf_err read_answer(uint64_t *code, char text[TEXT_MAX], const uint8_t *body, size_t body_len)
{
	struct hf_json_token key;
	struct hf_json_token value;
	struct hf_json j;

	hf_json_init(&j, body, body_len, 4);
	HF_TRY(hf_json_want(&j, &key, HF_JSON_OBJECT));
	for (;;) {
		HF_TRY(hf_json_next(&j, &key));
		if (key.kind == HF_JSON_OBJECT_END)
			return hf_json_want(&j, &key, HF_JSON_END);
		HF_TRY(hf_json_next(&j, &value));
		if (hf_json_is(&key, "code"))
			HF_TRY(hf_json_u64(code, &value));
		else if (hf_json_is(&key, "text") && value.text.len < TEXT_MAX)
			HF_TRY(hf_json_text(text, TEXT_MAX, NULL, &value));
		else
			HF_TRY(hf_json_skip(&j, &value));
	}
}

hf_err hf_api_answer(unsigned status, const uint8_t *body, size_t body_len, struct hf_errinfo *ei)
{
	hf_err e = hf_api_err(status);
	char text[TEXT_MAX] = "";
	uint64_t code = 0;

	if (e == HF_OK)
		return HF_OK;
	if (body_len == 0 || read_answer(&code, text, body, body_len) != HF_OK)
		return hf_fail(ei, e, "%s (status %u)", hf_err_text(e), status);
	if (is_code(code))
		e = (hf_err)code;
	make_printable(text);
	return hf_fail(ei, e, "%s", text[0] != '\0' ? text : hf_err_text(e));
}
