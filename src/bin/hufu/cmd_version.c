/* SPDX-License-Identifier: Apache-2.0 */
/* hufu version: what runs here. */
#include <stdio.h>

#include "cmd.h"
#include "crypto/module.h"

/* Each primitive and the kernel that was chosen for it. */
static void print_kernels(const char *before, const char *between, const char *after)
{
	struct hf_kernel_info k;
	const char *lead = "";

	for (size_t i = 0; hf_module_kernel_at(&k, i); i++) {
		if (!k.is_chosen)
			continue;
		printf("%s%s%s%s%s%s", lead, before, k.primitive, between, k.name, after);
		lead = *before == '\0' ? ", " : ",";
	}
}

int hufu_run_version(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *state = hf_module_state_name(hf_module()->state);

	(void)ei;
	if (hufu_has(a, "json")) {
		printf("{\"version\":\"%s\",\"module\":\"%s\",\"kernels\":{", HUFU_VERSION, state);
		print_kernels("\"", "\":\"", "\"");
		printf("}}\n");
	} else {
		printf("hufu %s\nmodule %s; kernels: ", HUFU_VERSION, state);
		print_kernels("", " ", "");
		printf("\n");
	}
	return 0;
}
