/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of the randomness tests of GM/T 0005: P and Q of a sequence, to the digits given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/heap.h"
#include "random/euler.h"
#include "random/random.h"
#include "vec_run.h"

enum { DECIMALS_MAX = 12 };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool begins_with(const char *text, const char *name)
{
	while (*name != '\0')
		if (lower(*text++) != *name++)
			return false;
	return true;
}

/* The number behind "m=" in "m=4"; 0: it is not given. */
static uint32_t param(const char *text, const char *name)
{
	const char *at = text == NULL ? NULL : strstr(text, name);

	return at == NULL ? 0 : (uint32_t)strtoul(at + strlen(name), NULL, 10);
}

/* The test and which of its values it is about; skipped if it is none of ours. */
static struct hf_random_item item_of(struct vec_run *r, unsigned *part)
{
	const char *name = vec_text(r, "TestText");
	const char *params = vec_text(r, "ParamText");
	struct hf_random_item item = { HF_RANDOM_TESTS, 0, param(params, "Q=") };

	for (unsigned t = 0; name != NULL && t < HF_RANDOM_TESTS; t++)
		if (begins_with(name, hf_random_name((enum hf_random_test)t)))
			item.test = (enum hf_random_test)t;
	if (name == NULL || item.test == HF_RANDOM_TESTS) {
		vec_skip(r, "no randomness test '%.40s'", name == NULL ? "" : name);
		return item;
	}
	item.m = param(params, "m=") + param(params, "k=") + param(params, "d=") +
		 param(params, "L=");
	*part = strstr(name, "P2") != NULL || strstr(name, "of 0") != NULL ||
		strstr(name, "backward") != NULL;
	if (*part >= hf_random_n_values(item.test))
		vec_fail(r, "%s has one value", hf_random_name(item.test));
	return item;
}

/* The bits, from Data or of a sequence that is computed; false: the case is settled. */
static bool bits_of(struct vec_run *r, struct hf_bits *b)
{
	struct hf_bytes data = vec_want(r, "Data");
	bool is_e = vec_text_is(r, "SequenceText", "e");
	size_t n = (size_t)vec_number(
		r, "BitsCount", 8 * data.len, is_e ? HF_EULER_MAX : HF_RANDOM_BITS_MAX);
	size_t ones = 0;
	uint64_t *w;

	if (!vec_has(r, "Data") && !is_e)
		vec_fail(r, "no field Data, and SequenceText is not e");
	if (!vec_is_open(r))
		return false;
	if (!is_e && n > 8 * data.len)
		vec_fail(r, "BitsCount is more than Data has");
	w = (uint64_t *)(void *)vec_room(r, HF_BITS_WORDS(n) * sizeof(*w));
	if (w == NULL || !vec_is_open(r))
		return false;
	if (is_e) {
		*b = hf_euler_bits(w, n);
		return true;
	}
	*b = hf_bits_load(w, data.p, n);
	for (size_t i = 0; i < data.len; i++)
		ones += hf_bits_ones(data.p[i]);
	vec_check(r, ones == hf_bits_count(b, 0, n), "Data has ones behind BitsCount bits");
	return vec_is_open(r);
}

/* Compares with the decimals of a text field, if the case has it. */
static void expect_decimal(struct vec_run *r, const char *name, double got)
{
	const char *want = vec_text(r, name);
	const char *dot = want == NULL ? NULL : strchr(want, '.');
	size_t decimals = dot == NULL ? 0 : strlen(dot + 1);
	char text[32];
	char why[VEC_WHY_MAX];

	if (want == NULL)
		return;
	if (decimals > DECIMALS_MAX) {
		vec_skip(r, "%s has more than %d decimals", name, DECIMALS_MAX);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.*f", (int)decimals, got);
	(void)snprintf(why, sizeof(why), "%s: got %s, the vector has %.20s", name, text, want);
	vec_check(r, strcmp(text, want) == 0, why);
}

void vec_run_random(struct vec_run *r)
{
	struct hf_random_value values[HF_RANDOM_VALUES_MAX] = { { 0, 0 } };
	struct hf_random work = { 0 };
	struct hf_bits b;
	unsigned part = 0;
	struct hf_random_item item = item_of(r, &part);
	hf_err e;

	if (!vec_is_open(r) || !bits_of(r, &b))
		return;
	e = hf_random_init(&work, hf_os_mem());
	if (e == HF_OK)
		e = hf_random_run(&work, &item, &b, values);
	hf_random_clear(&work);
	if (e == HF_ERR_ARG)
		vec_fail(r, "the test has no such parameter, or the sequence is too short for it");
	if (vec_is_open(r) && vec_ok(r, hf_random_name(item.test), e)) {
		expect_decimal(r, "PText", values[part].p);
		expect_decimal(r, "QText", values[part].q);
	}
}
