/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the commands of hufu crypto read and write. An input is a file or standard input. An output
 * is a draft (os/draft.h) that gets its name at the end, so that there is the whole or nothing; to
 * standard output, a pipe or a device it goes as it comes, unless it must not be
 * seen before the end: then it is held back, up to a limit.
 */
#ifndef HF_BIN_HUFU_CRYPTO_IO_H
#define HF_BIN_HUFU_CRYPTO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd.h"
#include "os/draft.h"
#include "progress.h"
#include "svc/env.h"

enum {
	HUFU_PIECE = 256 * 1024,  /* bytes read, ciphered and written in turn */
	HUFU_HELD_MAX = 64 << 20, /* bytes of a message that is needed, or held back, as a whole */
	HUFU_MODE_SECRET = 0600,  /* of files with keys and plaintext */
	HUFU_MODE_PUBLIC = 0666,  /* less the umask */
};

struct hufu_in {
	const char *name; /* for messages */
	int fd;
	uint64_t size;             /* of a file; 0 if it cannot be told */
	struct hufu_progress *bar; /* whose signals stop the reading; NULL: they end the process */
};

/* path NULL or "-": standard input. */
HF_MUST_USE hf_err hufu_in_open(struct hufu_in *in, const char *path, struct hf_errinfo *ei);

/* Fills cap bytes unless the input ends before. HF_ERR_STATE: stopped by a signal. */
HF_MUST_USE hf_err hufu_in_read(
	struct hufu_in *in, uint8_t *p, size_t cap, size_t *got, struct hf_errinfo *ei);

/* Appends all the rest. HF_ERR_LIMIT: more than out->max leaves room for; the text says why not. */
HF_MUST_USE hf_err hufu_in_load(struct hufu_in *in, struct hf_buf *out, struct hf_errinfo *ei);
void hufu_in_close(struct hufu_in *in);

struct hufu_out {
	const char *name; /* for messages */
	int fd;
	bool is_draft;
	bool may_replace; /* a file that has the name */
	bool is_held;
	struct hf_buf held;
	struct hf_draft draft;
};

#define HUFU_IN_EMPTY  ((struct hufu_in){ .fd = -1 })
#define HUFU_OUT_EMPTY ((struct hufu_out){ .fd = -1, .draft = { .fd = -1 } })

enum hufu_out_how {
	HUFU_OUT_SECRET = 1 << 0, /* a file gets mode 0600 */
	HUFU_OUT_TEXT = 1 << 1,   /* may go to a terminal */
	HUFU_OUT_HELD = 1 << 2,   /* nothing may be seen before hufu_out_commit() */
};

/*
 * The output that --out names, standard output without. HF_ERR_EXISTS: the file is there, and
 * --force is not given. HF_ERR_ARG: bytes for a terminal, or the file is one of the keys.
 */
HF_MUST_USE hf_err hufu_out_open(
	struct hufu_out *out, const struct hufu_args *a, unsigned how, struct hf_errinfo *ei);

/* The same for a path that another option names. */
HF_MUST_USE hf_err hufu_out_open_at(struct hufu_out *out, const struct hufu_args *a,
	const char *path, unsigned how, struct hf_errinfo *ei);
HF_MUST_USE hf_err hufu_out_write(
	struct hufu_out *out, const uint8_t *p, size_t len, struct hf_errinfo *ei);

/*
 * HF_ERR_ARG: --out and the second output, NULL if there is none, are one file, by whatever names,
 * and one would be lost.
 */
HF_MUST_USE hf_err hufu_out_differ(
	const struct hufu_args *a, const char *second, struct hf_errinfo *ei);

/* Makes it durable and gives it its name. HF_ERR_EXISTS: somebody has taken it meanwhile. */
HF_MUST_USE hf_err hufu_out_commit(struct hufu_out *out, struct hf_errinfo *ei);

/* Ends it. What was not committed is gone. Accepts an empty one. */
void hufu_out_close(struct hufu_out *out);

/* One command's work on one input and one output. */
struct hufu_job {
	const struct hufu_args *a;
	struct hf_env env;
	struct hufu_in in;
	struct hufu_out out;
	struct hufu_progress bar;
	uint64_t done;
	uint8_t *piece; /* HUFU_PIECE bytes, read */
	uint8_t *made;  /* HUFU_PIECE bytes and a few more, to be written */
};

enum { HUFU_MADE_MORE = 64 };

/*
 * Opens both ends; end it with hufu_job_end() whatever was returned. From then on a signal stops
 * the work on a file in an orderly way; a job with another output it ends as usual.
 */
HF_MUST_USE hf_err hufu_job_begin(struct hufu_job *j, const struct hufu_args *a, const char *input,
	unsigned how, struct hf_errinfo *ei);

/* The next piece; *got < cap only at the end. HF_ERR_STATE: stopped by a signal. */
HF_MUST_USE hf_err hufu_job_read(
	struct hufu_job *j, uint8_t *p, size_t cap, size_t *got, struct hf_errinfo *ei);
void hufu_job_end(struct hufu_job *j);

#endif
