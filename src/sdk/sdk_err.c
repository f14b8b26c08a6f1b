/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes of the public headers are ours under another name: the assertions keep them equal. The
 * module starts when the library is loaded, before a thread could use it.
 */
#include "sdk/sdk_err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hufu/version.h>

#include "base/attr.h"
#include "crypto/module.h"
#include "os/cpu.h"
#include "svc/work.h"

#define SAME(name, number, log, text) \
	_Static_assert((int)HUFU_##name == (number), "public and inner codes are the same");
#define HUFU_ERR_OK                       HUFU_OK
#define SAME_ERR(name, number, log, text) SAME(ERR_##name, number, log, text)
HF_ERR_LIST(SAME_ERR)
#undef SAME_ERR
#undef HUFU_ERR_OK
#undef SAME

_Static_assert((int)HUFU_ERROR_TEXT == (int)HF_ERRINFO_TEXT, "texts have the same room");

HF_CONSTRUCTOR static void start(void)
{
	uint32_t cpu = hf_os_cpu();

	/* A list with an unknown name rules nothing out. */
	(void)!hf_os_cpu_limit(&cpu, secure_getenv("HUFU_CPU"), NULL);
	(void)!hf_module_start(cpu); /* every call asks hf_sdk_start() how it went */
}

hf_err hf_sdk_start(struct hf_errinfo *ei)
{
	hf_err e = hf_module_check();

	if (e != HF_OK)
		return hf_fail(ei, e, "the cryptographic module failed its self-test '%s'; %s",
			hf_module()->failed, hf_module_advice());
	return HF_OK;
}

unsigned hf_sdk_workers(void)
{
	unsigned n = hf_os_cpu_count();

	return n < HF_WORK_SLOTS_MAX ? n : HF_WORK_SLOTS_MAX;
}

int hf_sdk_result(hf_err e, const struct hf_errinfo *ei, struct hufu_error *error)
{
	if (e == HF_OK || error == NULL)
		return (int)e;
	error->code = (int)e;
	error->sys = ei->sys;
	(void)snprintf(error->text, sizeof(error->text), "%s",
		ei->text[0] != '\0' ? ei->text : hf_err_text(e));
	return (int)e;
}

HF_EXPORT const char *hufu_err_name(int code)
{
	return hf_err_name((hf_err)code);
}

HF_EXPORT const char *hufu_err_text(int code)
{
	return hf_err_text((hf_err)code);
}

HF_EXPORT const char *hufu_version(void)
{
	return HUFU_VERSION;
}
