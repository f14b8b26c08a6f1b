/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics for the operator: one line of key=value on standard error, written at once so that
 * lines of several processes do not mix. Values with blanks are quoted; bytes that are not
 * printable ASCII are escaped; a value is cut at 255 bytes. No secret ever comes here.
 */
#ifndef HF_BIN_COMMON_LOG_H
#define HF_BIN_COMMON_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HUFUD_LOG_LINE = 1024 };

struct hufud_log {
	const char *process; /* "supervisor", "keyd", "front" */
	const char *node;    /* NULL: not known yet */
};

/* A line in the making; begin, any number of members, end. */
struct hufud_line {
	char text[HUFUD_LOG_LINE];
	size_t len;
};

void hufud_line_begin(struct hufud_line *l, const struct hufud_log *log, const char *event);
void hufud_line_str(struct hufud_line *l, const char *key, const char *value); /* NULL: left out */
void hufud_line_num(struct hufud_line *l, const char *key, uint64_t value);
void hufud_line_err(struct hufud_line *l, const struct hf_errinfo *ei); /* error= and text= */
void hufud_line_end(struct hufud_line *l);

/* A whole line about a failure. */
void hufud_log_err(const struct hufud_log *log, const char *event, const struct hf_errinfo *ei);

/* A whole line without members, or with one. */
void hufud_log_event(
	const struct hufud_log *log, const char *event, const char *key, const char *value);

#endif
