/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the tests. */
#include "test.h"

#include "base/hex.h"

uint8_t *test_hex(const char *hex, size_t *len)
{
	size_t hex_len = strlen(hex);
	uint8_t *out = malloc(hex_len / 2 + (hex_len == 0));

	assert_non_null(out);
	assert_ok(hf_hex_parse(out, hex_len / 2, len, hex, hex_len));
	return out;
}

static unsigned fail_at;

void test_mem_fail_at(unsigned n)
{
	fail_at = n;
}

static void *test_get(void *ctx, size_t len)
{
	(void)ctx;
	if (fail_at > 0 && --fail_at == 0)
		return NULL;
	return malloc(len == 0 ? 1 : len);
}

static void test_put(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

const struct hf_mem test_mem = { test_get, test_put, NULL };

/* splitmix64: every seed gives a full-period sequence. */
static uint64_t next(struct test_rng *r)
{
	uint64_t z;

	r->state += 0x9e3779b97f4a7c15u;
	z = r->state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static hf_err test_fill(void *ctx, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(next(ctx) >> 32);
	return HF_OK;
}

struct hf_rng test_rng(struct test_rng *r, uint64_t seed)
{
	r->state = seed;
	return (struct hf_rng){ test_fill, r };
}

uint64_t test_rng_below(struct test_rng *r, uint64_t n)
{
	return next(r) % n;
}
