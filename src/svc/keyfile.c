/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/keyfile.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/wipe.h"
#include "os/clock.h"
#include "os/file.h"

enum { CONTEXT_MAX = 256 };

/* Sorted lines, as the format asks. */
static hf_err context_of(char text[CONTEXT_MAX], const struct hf_keyfile *f, struct hf_errinfo *ei)
{
	int n = snprintf(text, CONTEXT_MAX, "owner=%s\npurpose=%s\n", f->owner, f->purpose);

	if (n < 0 || n >= CONTEXT_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the owner's name is too long", f->path);
	return HF_OK;
}

hf_err hf_keyfile_write(const struct hf_env *env, const struct hf_keyfile *f, const uint8_t *secret,
	size_t len, struct hf_errinfo *ei)
{
	char context[CONTEXT_MAX];
	uint8_t blob[HF_BLOB_OVERHEAD + CONTEXT_MAX + 256];
	size_t blob_len = sizeof(blob);
	struct hf_blob_info info = {
		.key_version = 1,
		.tier = f->tier,
		.level = 3,
		.usage = f->usage,
		.not_before = hf_clock_wall_s(),
		.not_after = UINT64_MAX,
		.context = context,
	};
	hf_err e;

	HF_TRY(context_of(context, f, ei));
	info.context_len = strlen(context);
	HF_TRY(hf_rng_fill(&env->rng, info.key_id, sizeof(info.key_id)));
	e = hf_blob_wrap(blob, &blob_len, &info, f->seed, secret, len, &env->rng);
	if (e != HF_OK)
		return hf_fail(ei, e, "%s: wrapping the key failed: %s", f->path, hf_err_text(e));
	return hf_file_replace(f->path, 0600, blob, blob_len, ei);
}

hf_err hf_keyfile_read(const struct hf_env *env, const struct hf_keyfile *f, uint8_t *secret,
	size_t len, struct hf_errinfo *ei)
{
	char context[CONTEXT_MAX];
	struct hf_buf blob;
	size_t got = len;
	hf_err e;

	HF_TRY(context_of(context, f, ei));
	hf_buf_init(&blob, env->mem, HF_BLOB_MAX);
	e = hf_file_load(&blob, f->path, ei);
	if (e == HF_OK) {
		e = hf_blob_unwrap(secret, &got, f->seed, context, blob.p, blob.len);
		if (e == HF_OK && got != len)
			e = HF_ERR_FORMAT;
		if (e != HF_OK)
			(void)hf_fail(ei, e,
				"%s: this key does not open; it is altered, of another owner, or "
				"wrapped "
				"for another machine or root seed",
				f->path);
	}
	if (e != HF_OK)
		hf_wipe(secret, len);
	hf_buf_clear(&blob);
	return e;
}

hf_err hf_keyfile_write_sm2(const struct hf_env *env, const struct hf_keyfile *f,
	const struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	return hf_keyfile_write(env, f, key->d, sizeof(key->d), ei);
}

hf_err hf_keyfile_read_sm2(const struct hf_env *env, const struct hf_keyfile *f,
	struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	uint8_t d[HF_SM2_LEN];
	hf_err e = hf_keyfile_read(env, f, d, sizeof(d), ei);

	if (e == HF_OK) {
		e = hf_sm2_key_from_private(key, d);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: holds no SM2 private key", f->path);
	}
	hf_wipe(d, sizeof(d));
	return e;
}
