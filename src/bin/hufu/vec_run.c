/* SPDX-License-Identifier: Apache-2.0 */
#include "vec_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "os/heap.h"

enum { SHOWN = 16 }; /* bytes of a wrong value that a message shows */

void vec_run_init(struct vec_run *r, const struct vec_file *file, const struct vec_alg *alg)
{
	memset(r, 0, sizeof(*r));
	r->file = file;
	r->alg = alg;
	r->c = &file->c;
}

static bool result_is_known(const struct vec_run *r)
{
	return vec_must_accept(r) || vec_text_is(r, "ResultText", "invalid") ||
	       vec_text_is(r, "ResultText", "acceptable");
}

static void vec_fail_result(struct vec_run *r)
{
	vec_fail(r, "ResultText is none of valid, invalid and acceptable");
}

/* For runners that only compare: what was refuted is what ResultText says of it. */
static void judge(struct vec_run *r)
{
	if (!result_is_known(r))
		vec_fail_result(r);
	if (vec_must_accept(r) || r->is_judged)
		return;
	if (vec_is_open(r) && vec_text_is(r, "ResultText", "invalid"))
		vec_fail(r, "all of it came out as it stands there, and it says invalid");
	else if (r->is_refuted)
		r->outcome = VEC_PASSED;
}

void vec_run_end(struct vec_run *r)
{
	for (size_t i = 0; i < r->n_rooms; i++)
		hf_mem_free(hf_os_mem(), r->room[i]);
	r->n_rooms = 0;
	if (vec_is_open(r) && r->n_compared == 0)
		vec_fail(r, "no field in it that says what must come out");
	judge(r);
	if (vec_is_open(r))
		r->outcome = VEC_PASSED;
}

/* Records that the case is wrong, unless something was found before. */
static void refute(struct vec_run *r, const char *fmt, ...) HF_PRINTF(2, 3);

HF_PRINTF(3, 0)
static void settle(struct vec_run *r, enum vec_outcome outcome, const char *fmt, va_list ap)
{
	if (!vec_is_open(r))
		return;
	r->outcome = outcome;
	(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
}

void vec_fail(struct vec_run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	settle(r, VEC_FAILED, fmt, ap);
	va_end(ap);
}

static void refute(struct vec_run *r, const char *fmt, ...)
{
	va_list ap;

	r->is_refuted = r->is_refuted || vec_is_open(r);
	va_start(ap, fmt);
	settle(r, VEC_FAILED, fmt, ap);
	va_end(ap);
}

void vec_skip(struct vec_run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	settle(r, VEC_SKIPPED, fmt, ap);
	va_end(ap);
}

bool vec_has(const struct vec_run *r, const char *name)
{
	return vec_find(r->c, name) != NULL;
}

struct hf_bytes vec_want(const struct vec_run *r, const char *name)
{
	const struct vec_field *f = vec_find(r->c, name);

	return f == NULL ? (struct hf_bytes){ NULL, 0 } : f->value;
}

struct hf_bytes vec_need(struct vec_run *r, const char *name)
{
	if (!vec_has(r, name))
		vec_fail(r, "no field %s", name);
	return vec_want(r, name);
}

const char *vec_text(const struct vec_run *r, const char *name)
{
	const struct vec_field *f = vec_find(r->c, name);

	return f == NULL || f->kind != VEC_TEXT ? NULL : (const char *)f->value.p;
}

bool vec_text_is(const struct vec_run *r, const char *name, const char *text)
{
	const char *t = vec_text(r, name);

	return t != NULL && strcmp(t, text) == 0;
}

uint64_t vec_number(struct vec_run *r, const char *name, uint64_t fallback, uint64_t max)
{
	const struct vec_field *f = vec_find(r->c, name);

	if (f == NULL)
		return fallback;
	if (f->number > max) {
		vec_skip(r, "%s is more than %" PRIu64, name, max);
		return fallback;
	}
	return f->number;
}

uint8_t *vec_room(struct vec_run *r, size_t len)
{
	uint8_t *p = NULL;

	if (r->n_rooms < VEC_ROOMS_MAX)
		p = hf_mem_new(hf_os_mem(), len == 0 ? 1 : len);
	if (p == NULL)
		vec_fail(r, "no memory for %zu bytes", len);
	else
		r->room[r->n_rooms++] = p;
	return p;
}

static void hex_of(char text[2 * SHOWN + 4], const uint8_t *p, size_t len)
{
	hf_hex_emit(text, p, len < SHOWN ? len : SHOWN);
	if (len > SHOWN)
		memcpy(text + 2 * SHOWN, "...", 4);
}

void vec_expect(struct vec_run *r, const char *name, const uint8_t *got, size_t len)
{
	const struct vec_field *f = vec_find(r->c, name);
	char is[2 * SHOWN + 4] = "";
	char should[2 * SHOWN + 4] = "";
	size_t at = 0;

	if (f == NULL || !vec_is_open(r))
		return;
	r->n_compared++;
	if (f->value.len != len) {
		refute(r, "%s: got %zu bytes, the vector has %zu", name, len, f->value.len);
		return;
	}
	while (at < len && got[at] == f->value.p[at])
		at++;
	if (at == len)
		return;
	at = len <= SHOWN ? 0 : at;
	hex_of(is, got + at, len - at);
	hex_of(should, f->value.p + at, len - at);
	refute(r, "%s: got %s from byte %zu, the vector has %s", name, is, at, should);
}

bool vec_ok(struct vec_run *r, const char *what, hf_err e)
{
	if (e == HF_ERR_ARG || e == HF_ERR_LIMIT)
		refute(r, "%s: refused, an input is not of a length or value that is allowed",
			what);
	else if (e != HF_OK)
		refute(r, "%s: %s", what, hf_err_text(e));
	return e == HF_OK;
}

void vec_check(struct vec_run *r, bool holds, const char *what)
{
	r->n_compared++;
	if (!holds)
		refute(r, "%s", what);
}

bool vec_must_accept(const struct vec_run *r)
{
	return !vec_has(r, "ResultText") || vec_text_is(r, "ResultText", "valid");
}

void vec_verdict(struct vec_run *r, const char *what, bool accepted)
{
	bool must_refuse = vec_text_is(r, "ResultText", "invalid");

	if (!result_is_known(r)) {
		vec_fail_result(r);
		return;
	}
	r->is_judged = true;
	r->n_compared++;
	if (accepted && must_refuse)
		vec_fail(r, "%s: accepted, the vector says invalid", what);
	if (!accepted && vec_must_accept(r))
		vec_fail(r, "%s: refused, the vector says valid", what);
}

bool vec_has_len(struct vec_run *r, const char *name, struct hf_bytes b, size_t len)
{
	if (b.len == len)
		return true;
	if (vec_is_open(r))
		vec_verdict(r, name, false);
	return false;
}

bool vec_big(const struct vec_run *r, const char *name, uint8_t *out, size_t len)
{
	struct hf_bytes b = vec_want(r, name);

	while (b.len > len && b.p[0] == 0) {
		b.p++;
		b.len--;
	}
	if (!vec_has(r, name) || b.len > len)
		return false;
	memset(out, 0, len - b.len);
	if (b.len > 0)
		memcpy(out + len - b.len, b.p, b.len);
	return true;
}

static hf_err give_nonce(void *ctx, uint8_t *out, size_t len)
{
	struct vec_nonce *n = ctx;

	if (n->is_used || len != sizeof(n->b)) {
		memset(out, 0, len);
		return HF_ERR_ENTROPY;
	}
	memcpy(out, n->b, len);
	n->is_used = true;
	return HF_OK;
}

struct hf_rng vec_nonce_rng(struct vec_nonce *n)
{
	n->is_used = false;
	return (struct hf_rng){ give_nonce, n };
}
