/* SPDX-License-Identifier: Apache-2.0 */
/* The level table and the words of a refusal. */
#include "policy/policy.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A3: one table, enforced by code. */
static const struct hf_policy_entry policy_table[HF_ROW_COUNT] = {
#define ENTRY(row, name_, unit_, l1, l2, l3, text_) \
	[HF_ROW_##row] = { name_, text_, HF_UNIT_##unit_, { (l1), (l2), (l3) } },
	HF_POLICY_ROWS(ENTRY)
#undef ENTRY
};

const struct hf_policy_entry *hf_policy_entry(enum hf_policy_row row)
{
	assert(row < HF_ROW_COUNT);
	return &policy_table[row];
}

uint64_t hf_policy(enum hf_policy_row row, enum hf_level level)
{
	assert(row < HF_ROW_COUNT && hf_level_is(level));
	return policy_table[row].value[level - HF_L1];
}

bool hf_level_is(uint64_t number)
{
	return number >= HF_L1 && number <= HF_L3;
}

enum hf_level hf_level_max(enum hf_level a, enum hf_level b)
{
	return a > b ? a : b;
}

static void text_seconds(char *text, size_t cap, uint64_t s)
{
	if (s >= 7 * 86400 && s % 86400 == 0)
		(void)snprintf(text, cap, "%" PRIu64 " d", s / 86400);
	else if (s >= 3600 && s % 3600 == 0)
		(void)snprintf(text, cap, "%" PRIu64 " h", s / 3600);
	else if (s > 60 && s % 60 == 0)
		(void)snprintf(text, cap, "%" PRIu64 " min", s / 60);
	else
		(void)snprintf(text, cap, "%" PRIu64 " s", s);
}

void hf_policy_text(char *text, size_t cap, enum hf_policy_row row, enum hf_level level)
{
	uint64_t v = hf_policy(row, level);

	if (v == HF_POLICY_NONE) {
		(void)snprintf(text, cap, "no limit");
		return;
	}
	switch (policy_table[row].unit) {
	case HF_UNIT_BOOL: (void)snprintf(text, cap, "%s", v != 0 ? "yes" : "no"); break;
	case HF_UNIT_SECONDS: text_seconds(text, cap, v); break;
	case HF_UNIT_BYTES: (void)snprintf(text, cap, "%" PRIu64 " GiB", v >> 30); break;
	case HF_UNIT_CLASS: (void)snprintf(text, cap, "A..%c", (char)('A' + v - 1)); break;
	case HF_UNIT_COUNT: (void)snprintf(text, cap, "%" PRIu64, v); break;
	}
}

hf_err hf_policy_refuse(
	struct hf_errinfo *ei, enum hf_policy_row row, enum hf_level level, const char *fmt, ...)
{
	char why[160];
	char demand[24];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	hf_policy_text(demand, sizeof(demand), row, level);
	return hf_fail(ei, HF_ERR_DENIED, "policy %s at L%d (%s): %s", policy_table[row].name,
		(int)level, demand, why);
}
