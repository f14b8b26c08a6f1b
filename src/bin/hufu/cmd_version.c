/* SPDX-License-Identifier: Apache-2.0 */
/* hufu version: what runs here. */
#include <stdio.h>

#include "cmd.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"

int hufu_run_version(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const struct hf_module *m = hf_module();
	const char *state = m->state == HF_MODULE_READY ? "ready" : "error";

	(void)ei;
	if (hufu_has(a, "json"))
		printf("{\"version\":\"%s\",\"module\":\"%s\",\"kernels\":{\"sm3\":\"%s\",\"sm4\":"
		       "\"%s\","
		       "\"ghash\":\"%s\",\"sm2_batch\":\"%s\"}}\n",
			HUFU_VERSION, state, m->sm3->name, m->sm4->name, m->ghash->name,
			m->sm2_batch->name);
	else
		printf("hufu %s\nmodule %s; kernels: sm3 %s, sm4 %s, ghash %s, sm2 batch %s\n",
			HUFU_VERSION, state, m->sm3->name, m->sm4->name, m->ghash->name,
			m->sm2_batch->name);
	return 0;
}
