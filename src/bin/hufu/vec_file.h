/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of test vectors (docs/formats/vectors.md): blocks of "Name = value" lines, parted by blank
 * lines. A file is loaded as a whole and decoded in place, case after case, so what a field points
 * to stays valid until the next case is read.
 */
#ifndef HF_BIN_HUFU_VEC_FILE_H
#define HF_BIN_HUFU_VEC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
	VEC_FILE_MAX = 256 << 20, /* bytes of a file */
	VEC_FIELDS_MAX = 1024,    /* fields of a case */
	VEC_NAME_MAX = 64,        /* bytes of a name */
	VEC_REMARKS_MAX = 64,     /* comments that are kept, the latest ones */
};

enum vec_kind {
	VEC_HEX,    /* bytes */
	VEC_TEXT,   /* Id, TcId, ...Text */
	VEC_NUMBER, /* ...Count, ...Bits */
};

struct vec_field {
	const char *name; /* with its index, as in "Records[2]" */
	enum vec_kind kind;
	struct hf_bytes value; /* bytes, or text with a terminator behind it */
	uint64_t number;
};

struct vec_case {
	unsigned line; /* where its first field is */
	size_t n;
	struct vec_field f[VEC_FIELDS_MAX];
};

struct vec_file {
	const char *path;
	struct hf_buf buf;
	uint8_t *at; /* next byte to read, in buf */
	size_t left;
	unsigned line;                       /* last line read, from 1 */
	const char *remark[VEC_REMARKS_MAX]; /* ring of comments so far */
	size_t n_remarks;                    /* since the beginning */
	struct vec_case c;                   /* the case that was read last */
};

/*
 * Loads a file; end it with vec_file_close() whatever was returned. ei names the file.
 * HF_ERR_LIMIT: longer than VEC_FILE_MAX. Errors of hf_file_load.
 */
HF_MUST_USE hf_err vec_file_open(struct vec_file *f, const char *path, struct hf_errinfo *ei);
void vec_file_close(struct vec_file *f);

/*
 * Reads the next case into f->c. HF_ERR_NOT_FOUND: there is none (ei says nothing). HF_ERR_FORMAT,
 * HF_ERR_LIMIT: a line that is none of the format; ei names file and line. Nothing can be read
 * after a failure.
 */
HF_MUST_USE hf_err vec_file_next(struct vec_file *f, struct hf_errinfo *ei);

/* A field of a case, or NULL. */
const struct vec_field *vec_find(const struct vec_case *c, const char *name);

/*
 * The i-th comment counted back from where the file has been read to, 0 the latest; NULL when there
 * are no more.
 */
const char *vec_remark(const struct vec_file *f, size_t i);

/* The file's name without folders. */
const char *vec_file_base(const struct vec_file *f);

#endif
