/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command found, on standard output: described once, shown as indented text for people or as
 * one JSON value for scripts. Text that others have chosen is shown without control characters.
 *
 *	hufu_view_begin(&v, is_json);
 *	hufu_view_u64(&v, "release", 7);
 *	hufu_view_list(&v, "files");
 *	hufu_view_row(&v);                  one line of text
 *	hufu_view_str(&v, "path", "a.bin");
 *	hufu_view_end(&v);
 *	hufu_view_end(&v);
 *	e = hufu_view_done(&v, ei);
 */
#ifndef HF_BIN_HUFU_VIEW_H
#define HF_BIN_HUFU_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "codec/json_wr.h"

enum { HUFU_LINE_MAX = 8192 }; /* bytes of hufu_line(); more are cut off */

/*
 * Prints one line and its end. Names of files and other text that others have chosen may stand in
 * it: control characters are shown as \xNN.
 */
void hufu_line(FILE *out, const char *fmt, ...) HF_PRINTF(2, 3);

struct hufu_view {
	bool is_json;
	struct hf_json_wr json;
	struct hf_buf buf; /* what is not yet on standard output */
	unsigned depth;    /* of the text */
	bool in_row;
	bool has_field; /* the row has one already */
};

/* Opens the outermost object. */
void hufu_view_begin(struct hufu_view *v, bool is_json);

/* Closes it and writes what is left. HF_ERR_IO: standard output does not take it. */
HF_MUST_USE hf_err hufu_view_done(struct hufu_view *v, struct hf_errinfo *ei);

/* Gives it up: what is not yet on standard output never comes there. */
void hufu_view_drop(struct hufu_view *v);

/* key NULL: an element of a list. */
void hufu_view_object(struct hufu_view *v, const char *key);
void hufu_view_list(struct hufu_view *v, const char *key);
void hufu_view_row(struct hufu_view *v); /* an object of a list, as one line of text */
void hufu_view_end(struct hufu_view *v); /* of the innermost object, list or row */

void hufu_view_str(struct hufu_view *v, const char *key, const char *s);
void hufu_view_text(struct hufu_view *v, const char *key, struct hf_bytes s);
void hufu_view_u64(struct hufu_view *v, const char *key, uint64_t n);
void hufu_view_bool(struct hufu_view *v, const char *key, bool is);
void hufu_view_hex(struct hufu_view *v, const char *key, const uint8_t *bytes, size_t len);
void hufu_view_len(struct hufu_view *v, const char *key, uint64_t len);     /* bytes */
void hufu_view_time(struct hufu_view *v, const char *key, uint64_t time_s); /* ISO 8601, UTC */

#endif
