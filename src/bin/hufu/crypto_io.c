/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_io.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/wipe.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/tty.h"

enum {
	STDIN = 0,
	STDOUT = 1,
	TAIL_LEN = 8, /* random bytes in the name of a temporary file */
};

static bool is_standard(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

hf_err hufu_in_open(struct hufu_in *in, const char *path, struct hf_errinfo *ei)
{
	struct hf_file_stat st;

	*in = HUFU_IN_EMPTY;
	if (is_standard(path)) {
		in->name = "standard input";
		in->fd = STDIN;
		return HF_OK;
	}
	in->name = path;
	HF_TRY(hf_file_open(
		&in->fd, path, HF_FILE_READ | HF_FILE_FOLLOW | HF_FILE_SEQUENTIAL, 0, ei));
	if (hf_file_fstat(&st, in->fd, NULL) == HF_OK && st.is_file)
		in->size = st.size;
	return HF_OK;
}

hf_err hufu_in_read(struct hufu_in *in, uint8_t *p, size_t cap, size_t *got, struct hf_errinfo *ei)
{
	size_t n = 1;

	*got = 0;
	while (*got < cap && n > 0) {
		HF_TRY(hf_file_read(in->fd, p + *got, cap - *got, &n, ei));
		*got += n;
	}
	return HF_OK;
}

hf_err hufu_in_load(struct hufu_in *in, struct hf_buf *out, struct hf_errinfo *ei)
{
	uint8_t block[16384];
	size_t n = sizeof(block);
	hf_err e = HF_OK;

	while (e == HF_OK && n == sizeof(block)) {
		e = hufu_in_read(in, block, sizeof(block), &n, ei);
		if (e == HF_OK)
			e = hf_buf_put(out, block, n);
		if (e == HF_ERR_LIMIT)
			(void)hf_fail(ei, e, "%s: longer than the %zu bytes that are taken at once",
				in->name, out->max);
	}
	hf_wipe(block, sizeof(block));
	return e;
}

void hufu_in_close(struct hufu_in *in)
{
	if (in->fd != STDIN)
		hf_file_close(&in->fd);
	*in = HUFU_IN_EMPTY;
}

/* An output that cannot be replaced by a file of the same name. */
static hf_err open_direct(struct hufu_out *out, unsigned how, struct hf_errinfo *ei)
{
	if ((how & HUFU_OUT_TEXT) == 0 && hf_tty_is(out->fd))
		return hf_fail(ei, HF_ERR_ARG, "%s is a terminal and these are bytes; give -o FILE",
			out->name);
	out->is_held = (how & HUFU_OUT_HELD) != 0;
	hf_buf_init(&out->held, hf_os_mem(), HUFU_HELD_MAX);
	return HF_OK;
}

/* What has the name now: nothing (HF_OK), a file that may go, or something else to write to. */
static hf_err look_at(
	struct hufu_out *out, const char *path, bool force, unsigned how, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	hf_err e = hf_file_stat(&st, path, NULL);

	if (e == HF_ERR_NOT_FOUND || (e == HF_OK && st.is_file && force))
		return HF_OK;
	if (e == HF_OK && st.is_file)
		return hf_fail(ei, HF_ERR_EXISTS,
			"%s is there already; --force writes a new one in its place", path);
	HF_TRY(hf_file_open(&out->fd, path, HF_FILE_WRITE | HF_FILE_FOLLOW, 0, ei));
	HF_TRY(hf_file_fstat(&st, out->fd, ei));
	if (st.is_file)
		return hf_fail(ei, HF_ERR_EXISTS,
			"%s is a link to a file; name the file itself with -o", path);
	return open_direct(out, how, ei);
}

static hf_err open_temp(struct hufu_out *out, const char *path, unsigned mode,
	const struct hf_env *env, struct hf_errinfo *ei)
{
	const char *slash = strrchr(path, '/');
	int above_len = slash == NULL ? 0 : (int)(slash - path) + 1;
	struct hf_errinfo why = { .code = HF_OK };
	uint8_t tail[TAIL_LEN];
	char hex[2 * TAIL_LEN + 1];
	hf_err e;

	if (path[above_len] == '\0' || strlen(path) > HUFU_PATH_MAX - 64)
		return hf_fail(ei, HF_ERR_ARG, "'%.100s' is no name for a file", path);
	HF_TRY(hf_rng_fill(&env->rng, tail, sizeof(tail)));
	hf_hex_emit(hex, tail, sizeof(tail));
	(void)snprintf(out->temp, sizeof(out->temp), "%.*s.%.200s.tmp-%s", above_len, path,
		path + above_len, hex);
	e = hf_file_open(&out->fd, out->temp, HF_FILE_WRITE | HF_FILE_NEW, mode, &why);
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "%s: cannot be made: %s", path,
			why.sys != 0 ? strerror(why.sys) : hf_err_text(e));
	out->is_temp = true;
	return HF_OK;
}

hf_err hufu_out_open_at(struct hufu_out *out, const char *path, bool force, unsigned how,
	const struct hf_env *env, struct hf_errinfo *ei)
{
	*out = HUFU_OUT_EMPTY;
	if (is_standard(path)) {
		out->name = "standard output";
		out->fd = STDOUT;
		return open_direct(out, how, ei);
	}
	out->name = path;
	HF_TRY(look_at(out, path, force, how, ei));
	if (out->fd >= 0)
		return HF_OK;
	return open_temp(out, path,
		(how & HUFU_OUT_SECRET) != 0 ? HUFU_MODE_SECRET : HUFU_MODE_PUBLIC, env, ei);
}

hf_err hufu_out_open(struct hufu_out *out, const struct hufu_args *a, unsigned how,
	const struct hf_env *env, struct hf_errinfo *ei)
{
	return hufu_out_open_at(out, hufu_arg(a, "out"), hufu_has(a, "force"), how, env, ei);
}

hf_err hufu_out_write(struct hufu_out *out, const uint8_t *p, size_t len, struct hf_errinfo *ei)
{
	hf_err e;

	if (!out->is_held)
		return hf_file_write(out->fd, p, len, ei);
	e = hf_buf_put(&out->held, p, len);
	if (e == HF_ERR_LIMIT)
		return hf_fail(ei, e,
			"%s: more than %d MiB cannot be held back until the tag is checked; give "
			"-o FILE",
			out->name, HUFU_HELD_MAX >> 20);
	return e;
}

hf_err hufu_out_differ(const char *a, const char *b, struct hf_errinfo *ei)
{
	if (a == NULL || b == NULL || strcmp(a, b) != 0)
		return HF_OK;
	return hf_fail(ei, HF_ERR_ARG, "%s: two outputs cannot go to one file", a);
}

hf_err hufu_out_commit(struct hufu_out *out, struct hf_errinfo *ei)
{
	if (!out->is_temp)
		return out->is_held ? hf_file_write(out->fd, out->held.p, out->held.len, ei)
				    : HF_OK;
	HF_TRY(hf_file_sync(out->fd, ei));
	HF_TRY(hf_file_rename(out->temp, out->name, ei));
	out->is_temp = false;
	return hf_dir_sync_above(out->name, ei);
}

void hufu_out_close(struct hufu_out *out)
{
	struct hf_errinfo why = { .code = HF_OK };

	if (out->fd != STDOUT)
		hf_file_close(&out->fd);
	if (out->is_temp && hf_file_delete(out->temp, &why) != HF_OK)
		fprintf(stderr, "hufu: %s, delete it\n", why.text);
	hf_buf_clear(&out->held);
	*out = HUFU_OUT_EMPTY;
}

hf_err hufu_job_begin(struct hufu_job *j, const struct hufu_args *a, const char *input,
	unsigned how, struct hf_errinfo *ei)
{
	memset(j, 0, sizeof(*j));
	j->a = a;
	j->in = HUFU_IN_EMPTY;
	j->out = HUFU_OUT_EMPTY;
	hufu_progress_init(&j->bar, a->cmd->name, hufu_has(a, "quiet"));
	HF_TRY(hf_env_init(&j->env, 0, ei));
	HF_TRY(hufu_in_open(&j->in, input, ei));
	HF_TRY(hufu_out_open(&j->out, a, how, &j->env, ei));
	j->piece = hf_mem_new(hf_os_mem(), HUFU_PIECE);
	j->made = hf_mem_new(hf_os_mem(), HUFU_PIECE + HUFU_MADE_MORE);
	if (j->piece == NULL || j->made == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for the pieces of the text");
	/* A read from a terminal or a pipe may wait for ever; there a signal simply ends it all. */
	return j->in.size > 0 && j->out.is_temp ? hufu_progress_can_stop(&j->bar, ei) : HF_OK;
}

hf_err hufu_job_read(struct hufu_job *j, uint8_t *p, size_t cap, size_t *got, struct hf_errinfo *ei)
{
	if (hufu_progress_is_stopped(&j->bar))
		return hf_fail(ei, HF_ERR_STATE, "stopped; nothing was written");
	HF_TRY(hufu_in_read(&j->in, p, cap, got, ei));
	j->done += *got;
	hufu_progress_show(&j->bar, j->done, j->in.size);
	return HF_OK;
}

static void free_piece(uint8_t *p, size_t len)
{
	if (p != NULL)
		hf_wipe(p, len);
	hf_mem_free(hf_os_mem(), p);
}

void hufu_job_end(struct hufu_job *j)
{
	hufu_progress_end(&j->bar);
	free_piece(j->piece, HUFU_PIECE);
	free_piece(j->made, HUFU_PIECE + HUFU_MADE_MORE);
	hufu_in_close(&j->in);
	hufu_out_close(&j->out);
	hf_env_clear(&j->env);
	j->piece = NULL;
	j->made = NULL;
}
