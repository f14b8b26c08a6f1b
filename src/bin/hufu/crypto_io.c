/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_io.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/tty.h"

enum {
	STDIN = 0,
	STDOUT = 1,
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
	HF_TRY(hf_file_open(&in->fd, path,
		HF_FILE_READ | HF_FILE_FOLLOW | HF_FILE_SEQUENTIAL | HF_FILE_WAIT, 0, ei));
	if (hf_file_fstat(&st, in->fd, NULL) == HF_OK && st.is_file)
		in->size = st.size;
	return HF_OK;
}

/* A read from a terminal or a pipe may wait for ever: a signal comes first. */
static hf_err await(const struct hufu_in *in, struct hf_errinfo *ei)
{
	if (in->bar == NULL || in->bar->stop_fd < 0)
		return HF_OK;
	if (hf_file_await(in->fd, in->bar->stop_fd) == HF_ERR_AGAIN &&
		hufu_progress_is_stopped(in->bar))
		return hf_fail(ei, HF_ERR_STATE, "stopped; nothing was written");
	return HF_OK;
}

hf_err hufu_in_read(struct hufu_in *in, uint8_t *p, size_t cap, size_t *got, struct hf_errinfo *ei)
{
	size_t n = 1;

	*got = 0;
	while (*got < cap && n > 0) {
		HF_TRY(await(in, ei));
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

/* A file with a key is not replaced by what the key made, by whatever name it is called. */
static hf_err is_no_key(const struct hufu_args *a, const char *path, struct hf_errinfo *ei)
{
	static const char *const keys[] = { "key", "key-file", "ephemeral", "peer",
		"peer-ephemeral", "passphrase-file" };

	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		const char *key = hufu_arg(a, keys[i]);

		if (key != NULL && hf_file_is_same(key, path))
			return hf_fail(ei, HF_ERR_ARG,
				"%s: is the file of --%s; it is not replaced", path, keys[i]);
	}
	return HF_OK;
}

/* What has the name now: nothing (HF_OK), a file that may go, or something else to write to. */
static hf_err look_at(struct hufu_out *out, const struct hufu_args *a, const char *path,
	unsigned how, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	hf_err e = hf_file_stat(&st, path, NULL);

	if (e == HF_ERR_NOT_FOUND)
		return HF_OK;
	if (e == HF_OK && st.is_file && out->may_replace)
		return is_no_key(a, path, ei);
	if (e == HF_OK && st.is_file)
		return hf_fail(ei, HF_ERR_EXISTS,
			"%s is there already; --force writes a new one in its place", path);
	HF_TRY(hf_file_open(&out->fd, path, HF_FILE_PUT | HF_FILE_FOLLOW | HF_FILE_WAIT, 0, ei));
	HF_TRY(hf_file_fstat(&st, out->fd, ei));
	if (st.is_file)
		return hf_fail(ei, HF_ERR_EXISTS,
			"%s is a link to a file; name the file itself with -o", path);
	return open_direct(out, how, ei);
}

static hf_err open_draft(
	struct hufu_out *out, const char *path, unsigned mode, struct hf_errinfo *ei)
{
	const char *slash = strrchr(path, '/');
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e;

	if (path[0] == '\0' || (slash != NULL && slash[1] == '\0'))
		return hf_fail(ei, HF_ERR_ARG, "'%.100s' is no name for a file", path);
	e = hf_draft_open(&out->draft, path, mode, &why);
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "%s: cannot be made: %s", path,
			why.sys != 0 ? strerror(why.sys) : hf_err_text(e));
	out->fd = out->draft.fd;
	out->is_draft = true;
	return HF_OK;
}

hf_err hufu_out_open_at(struct hufu_out *out, const struct hufu_args *a, const char *path,
	unsigned how, struct hf_errinfo *ei)
{
	*out = HUFU_OUT_EMPTY;
	out->may_replace = hufu_has(a, "force");
	if (is_standard(path)) {
		out->name = "standard output";
		out->fd = STDOUT;
		return open_direct(out, how, ei);
	}
	out->name = path;
	HF_TRY(look_at(out, a, path, how, ei));
	if (out->fd >= 0)
		return HF_OK;
	return open_draft(out, path,
		(how & HUFU_OUT_SECRET) != 0 ? HUFU_MODE_SECRET
					     : HUFU_MODE_PUBLIC & ~hf_file_umask(),
		ei);
}

hf_err hufu_out_open(
	struct hufu_out *out, const struct hufu_args *a, unsigned how, struct hf_errinfo *ei)
{
	return hufu_out_open_at(out, a, hufu_arg(a, "out"), how, ei);
}

/* A draft has no name yet that a message could tell. */
static hf_err put(const struct hufu_out *out, const uint8_t *p, size_t len, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e = hf_file_write(out->fd, p, len, out->is_draft ? &why : ei);

	if (e != HF_OK && out->is_draft)
		(void)hf_fail_sys(
			ei, e, why.sys, "cannot write %s: %s", out->name, strerror(why.sys));
	return e;
}

hf_err hufu_out_write(struct hufu_out *out, const uint8_t *p, size_t len, struct hf_errinfo *ei)
{
	hf_err e;

	if (!out->is_held)
		return put(out, p, len, ei);
	e = hf_buf_put(&out->held, p, len);
	if (e == HF_ERR_LIMIT)
		return hf_fail(ei, e,
			"%s: more than %d MiB cannot be held back until the tag is checked; give "
			"-o FILE",
			out->name, HUFU_HELD_MAX >> 20);
	return e;
}

hf_err hufu_out_differ(const struct hufu_args *a, const char *second, struct hf_errinfo *ei)
{
	const char *first = hufu_arg(a, "out");

	if (second == NULL)
		return HF_OK;
	first = is_standard(first) ? "/dev/stdout" : first;
	if (!hf_file_is_same(first, is_standard(second) ? "/dev/stdout" : second))
		return HF_OK;
	return hf_fail(ei, HF_ERR_ARG, "%s: two outputs cannot go to one file", second);
}

hf_err hufu_out_commit(struct hufu_out *out, struct hf_errinfo *ei)
{
	if (!out->is_draft)
		return out->is_held ? put(out, out->held.p, out->held.len, ei) : HF_OK;
	return hf_draft_commit(&out->draft, out->name, out->may_replace, ei);
}

void hufu_out_close(struct hufu_out *out)
{
	struct hf_errinfo why = { .code = HF_OK };

	if (out->fd != STDOUT && !out->is_draft)
		hf_file_close(&out->fd);
	if (hf_draft_close(&out->draft, &why) != HF_OK)
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
	HF_TRY(hufu_out_open(&j->out, a, how, ei));
	j->piece = hf_mem_new(hf_os_mem(), HUFU_PIECE);
	j->made = hf_mem_new(hf_os_mem(), HUFU_PIECE + HUFU_MADE_MORE);
	if (j->piece == NULL || j->made == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for the pieces of the text");
	/* A write to a pipe may wait for ever; there a signal simply ends it all. */
	if (!j->out.is_draft)
		return HF_OK;
	j->in.bar = &j->bar;
	return hufu_progress_can_stop(&j->bar, ei);
}

hf_err hufu_job_read(struct hufu_job *j, uint8_t *p, size_t cap, size_t *got, struct hf_errinfo *ei)
{
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
