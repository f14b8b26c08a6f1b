/* SPDX-License-Identifier: Apache-2.0 */
/* hufu policy show: the level table, as every engine sees it. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "policy/policy.h"

static void print_json(void)
{
	printf("{\"rows\":[");
	for (int row = 0; row < HF_ROW_COUNT; row++) {
		const struct hf_policy_entry *e = hf_policy_entry((enum hf_policy_row)row);

		printf("%s\n{\"name\":\"%s\",\"text\":\"%s\"", row == 0 ? "" : ",", e->name,
			e->text);
		for (int level = HF_L1; level <= HF_L3; level++) {
			uint64_t v = e->value[level - 1];

			if (v == HF_POLICY_NONE)
				printf(",\"l%d\":null", level);
			else if (e->unit == HF_UNIT_BOOL)
				printf(",\"l%d\":%s", level, v == 0 ? "false" : "true");
			else
				printf(",\"l%d\":%" PRIu64, level, v);
		}
		printf("}");
	}
	printf("\n]}\n");
}

static void print_table(void)
{
	char text[3][24];

	printf("%-23s %-10s %-10s %-10s %s\n", "row", "L1", "L2", "L3", "what it demands");
	for (int row = 0; row < HF_ROW_COUNT; row++) {
		const struct hf_policy_entry *e = hf_policy_entry((enum hf_policy_row)row);

		for (int level = HF_L1; level <= HF_L3; level++)
			hf_policy_text(text[level - 1], sizeof(text[0]), (enum hf_policy_row)row,
				(enum hf_level)level);
		printf("%-23s %-10s %-10s %-10s %s\n", e->name, text[0], text[1], text[2], e->text);
	}
}

int hufu_run_policy_show(const struct hufu_args *a, struct hf_errinfo *ei)
{
	(void)ei;
	if (hufu_has(a, "json"))
		print_json();
	else
		print_table();
	return 0;
}
