/* SPDX-License-Identifier: Apache-2.0 */
/* Names, texts and exit codes of hf_err, and the record of a first cause. */
#include "base/err.h"

#include <stddef.h>
#include <stdio.h>

#define HF_ERR_OK HF_OK /* so that the list can be walked with one prefix */

#define CHECK(name, code, word, text) _Static_assert(HF_ERR_##name == (code), "err.h lists differ");
HF_ERR_LIST(CHECK)
#undef CHECK

struct err_row {
	hf_err code;
	const char *name;
	const char *text;
};

static const struct err_row err_rows[] = {
#define ROW(name, code, word, text) { HF_ERR_##name, word, text },
	HF_ERR_LIST(ROW)
#undef ROW
};

const char *hf_err_text(hf_err e)
{
	for (size_t i = 0; i < HF_COUNT(err_rows); i++)
		if (err_rows[i].code == e)
			return err_rows[i].text;
	return "unknown error";
}

const char *hf_err_name(hf_err e)
{
	for (size_t i = 0; i < HF_COUNT(err_rows); i++)
		if (err_rows[i].code == e)
			return err_rows[i].name;
	return "unknown";
}

int hf_err_exit(hf_err e)
{
	int class = ((int)e >> 8) & 0xff;

	return class == 0 ? 0 : class + 1;
}

HF_PRINTF(4, 0)
static void fail_record(struct hf_errinfo *ei, hf_err code, int sys, const char *fmt, va_list ap)
{
	if (ei == NULL || ei->code != HF_OK)
		return;
	ei->code = code;
	ei->sys = sys;
	(void)vsnprintf(ei->text, sizeof(ei->text), fmt, ap);
}

hf_err hf_fail(struct hf_errinfo *ei, hf_err code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_record(ei, code, 0, fmt, ap);
	va_end(ap);
	return code;
}

hf_err hf_fail_sys(struct hf_errinfo *ei, hf_err code, int sys, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_record(ei, code, sys, fmt, ap);
	va_end(ap);
	return code;
}
