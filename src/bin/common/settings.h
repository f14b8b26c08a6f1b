/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a configuration says to what it means: numbers, times, sizes and paths, by a constant
 * table of the program. A value that is not allowed is told with its place and what is allowed.
 */
#ifndef HF_BIN_COMMON_SETTINGS_H
#define HF_BIN_COMMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bin/common/yaml.h"
#include "svc/party.h"

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	SETTINGS_KEY_MAX = 96,
};

struct settings {
	struct yaml_text text;
	struct hf_errinfo *ei;
	char entry[SETTINGS_KEY_MAX]; /* "services[2]": keys are those of it; empty: of the file */
};

/* The fields of ei stay the caller's; path may name no file ("command line"). */
void settings_init(struct settings *s, const struct yaml_schema *schema, const char *path,
	const char *text, size_t text_len, struct hf_errinfo *ei);

/* The keys that follow are those of entry i (from 0) of a list; NULL: of the file again. */
void settings_enter(struct settings *s, const char *list, size_t i);

/*
 * Records that the value of a key is not allowed and returns HF_ERR_ARG. key: of the entry that was
 * entered; empty: the entry itself. what: a few words.
 */
hf_err settings_refuse(const struct settings *s, const char *key, const char *what);
hf_err settings_refuse_value(const struct settings *s, const char *key, const char *value);
hf_err settings_no_memory(const struct settings *s);

/*
 * A quantity as its row in the table has it. text NULL: the key is not there, *out stays as it is,
 * the default.
 */
HF_MUST_USE hf_err settings_u64(
	const struct settings *s, uint64_t *out, const char *key, const char *text);
HF_MUST_USE hf_err settings_u32(
	const struct settings *s, uint32_t *out, const char *key, const char *text);
HF_MUST_USE hf_err settings_u16(
	const struct settings *s, uint16_t *out, const char *key, const char *text);

/* A path as it is, or below the folder of the file. */
HF_MUST_USE hf_err settings_path(
	const struct settings *s, char out[HF_PATH_MAX], const char *key, const char *text);

/* Digits in the system of ten, no sign, no zero in front, nothing behind. */
bool settings_number_parse(uint64_t *out, const char *text, uint64_t max);

#endif
