/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcyaml tells what is wrong in log lines, innermost place first:
 *
 *	Load: Invalid ENUM value: foo
 *	Load: Backtrace:
 *	  in mapping field 'kind' (line: 3, column: 30)
 *	  in sequence entry '1' (line: 3, column: 5)
 *	  in mapping field 'upstreams' (line: 3, column: 3)
 *
 * They are collected here into one line. What it takes without a word is looked for before: a key
 * whose value is nothing, and a document behind the first. Values whose meaning it does not know
 * are placed by a walk over the text.
 */
#include "bin/common/yaml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "bin/common/yaml_walk.h"

enum {
	PARTS_MAX = 6, /* of a place */
	PART_MAX = 40,
};

/* What libcyaml said about one failure. */
struct fault {
	char what[160];
	char part[PARTS_MAX][PART_MAX]; /* innermost first; "[2]" for the second entry */
	size_t n_parts;
	unsigned line; /* of the innermost; 0: not told */
	unsigned column;
};

static void fault_place(struct fault *f, const char *text)
{
	char name[PART_MAX];
	unsigned line = 0;
	unsigned column = 0;
	bool is_entry = strncmp(text, "in sequence entry '", 19) == 0;
	bool is_field = strncmp(text, "in mapping field '", 18) == 0;
	const char *end = strrchr(text, '(');
	const char *quote = strchr(text, '\'');
	size_t len;

	if (end == NULL || sscanf(end, "(line: %u, column: %u)", &line, &column) != 2)
		return;
	if (f->line == 0) {
		f->line = line;
		f->column = column;
	}
	if ((!is_entry && !is_field) || f->n_parts == PARTS_MAX || quote == NULL)
		return;
	len = strcspn(quote + 1, "'");
	if (len >= sizeof(name))
		return;
	memcpy(name, quote + 1, len);
	name[len] = '\0';
	(void)snprintf(f->part[f->n_parts], PART_MAX, is_entry ? "[%.30s]" : "%.38s", name);
	f->n_parts++;
}

static void on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args) HF_PRINTF(3, 0);

static void on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct fault *f = ctx;
	char line[256];
	const char *text = line;

	(void)level;
	(void)vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(text, "Load: ", 6) == 0)
		text += 6;
	text += strspn(text, " ");
	if (strncmp(text, "in ", 3) == 0)
		fault_place(f, text);
	else if (f->what[0] == '\0' && strcmp(text, "Backtrace:") != 0)
		(void)snprintf(f->what, sizeof(f->what), "%s", text);
}

static cyaml_err_t load(
	void **out, const cyaml_schema_value_t *top, const struct yaml_text *t, struct fault *f)
{
	const cyaml_config_t config = {
		.log_fn = (cyaml_log_fn_t)on_log, /* libcyaml does not say that it formats */
		.log_ctx = f,
		.log_level = CYAML_LOG_WARNING,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS, /* nothing here is worth repeating */
	};
	cyaml_data_t *data = NULL;
	cyaml_err_t e;

	*out = NULL;
	if (t->len == 0)
		return CYAML_OK; /* libyaml takes no empty text */

	e = cyaml_load_data((const uint8_t *)t->text, t->len, &config, top, &data, NULL);
	*out = data;
	return e;
}

/* "upstreams[2].kind" */
static void place_text(char *out, size_t cap, const struct fault *f)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = f->n_parts; i > 0 && len < cap; i--) {
		const char *part = f->part[i - 1];
		const char *dot = len > 0 && part[0] != '[' ? "." : "";
		int n = snprintf(out + len, cap - len, "%s%s", dot, part);

		len += n > 0 ? (size_t)n : 0;
	}
}

const struct yaml_setting *yaml_setting_at(const struct yaml_schema *schema, const char *key)
{
	char plain[YAML_PATH_MAX];
	size_t len = 0;

	for (const char *p = key; *p != '\0' && len + 1 < sizeof(plain); p++) {
		if (*p == '[')
			p += strcspn(p, "]");
		else
			plain[len++] = *p;
	}
	plain[len] = '\0';
	for (size_t i = 0; i < schema->n_settings; i++)
		if (strcmp(schema->settings[i].key, plain) == 0)
			return &schema->settings[i];
	return NULL;
}

/* The row of a key, or of what it stands in; NULL: nothing is known. */
static const struct yaml_setting *row_near(const struct yaml_schema *schema, const char *place)
{
	const struct yaml_setting *row = yaml_setting_at(schema, place);
	const char *dot = strrchr(place, '.');
	char above[YAML_PATH_MAX];

	if (row != NULL || dot == NULL)
		return row;
	(void)snprintf(above, sizeof(above), "%.*s", (int)(dot - place), place);
	return yaml_setting_at(schema, above);
}

static hf_err refuse(const struct yaml_text *t, const struct fault *f, const char *place,
	const char *what, struct hf_errinfo *ei)
{
	const struct yaml_setting *row = row_near(t->schema, place);
	const char *colon = place[0] != '\0' ? ": " : "";

	if (row == NULL)
		return hf_fail(ei, HF_ERR_ARG, "%s:%u:%u: %s%s%s", t->path, f->line, f->column,
			place, colon, what);
	return hf_fail(ei, HF_ERR_ARG, "%s:%u:%u: %s%s%s; allowed: %s", t->path, f->line, f->column,
		place, colon, what, row->help);
}

/* The fields of the mapping at a place of the schema; NULL: it is none. */
static const cyaml_schema_field_t *fields_at(const struct yaml_schema *schema, const char *place)
{
	const cyaml_schema_field_t *fields = schema->top->mapping.fields;

	while (*place != '\0') {
		size_t len = strcspn(place, ".[");
		const cyaml_schema_field_t *f = fields;
		const cyaml_schema_value_t *v;

		while (f->key != NULL && (strlen(f->key) != len || memcmp(f->key, place, len) != 0))
			f++;
		if (f->key == NULL)
			return NULL;
		v = f->value.type == CYAML_SEQUENCE ? f->value.sequence.entry : &f->value;
		if (v->type != CYAML_MAPPING)
			return NULL;
		fields = v->mapping.fields;
		place += len;
		place += *place == '[' ? strcspn(place, "]") + 1 : 0;
		place += *place == '.' ? 1 : 0;
	}
	return fields;
}

/* Looks for a value, or what it stands in. */
struct search {
	const char *path;
	size_t best_len;
	struct yaml_spot at;
	struct yaml_spot key;
};

static bool look(void *ctx, const struct yaml_value *v)
{
	struct search *s = ctx;
	size_t len = strlen(v->path);

	if (v->is_next_document)
		return false;
	if (strncmp(v->path, s->path, len) != 0 || (len > 0 && len <= s->best_len) ||
		(len > 0 && s->path[len] != '\0' && s->path[len] != '.' && s->path[len] != '['))
		return true;
	s->best_len = len;
	s->at = v->at;
	s->key = s->path[len] == '\0' ? v->key : v->at;
	return s->path[len] != '\0';
}

static struct search find(const struct yaml_text *t, const char *path)
{
	struct search s = { .path = path, .at = { 1, 1 }, .key = { 1, 1 } };

	yaml_walk(t->text, t->len, look, &s);
	return s;
}

static hf_err refuse_key(
	const struct yaml_text *t, const struct fault *f, const char *key, struct hf_errinfo *ei)
{
	char place[PARTS_MAX * PART_MAX];
	char whole[YAML_PATH_MAX];
	char keys[200] = "";
	size_t len = 0;
	const cyaml_schema_field_t *fields;
	struct yaml_spot at;

	place_text(place, sizeof(place), f);
	fields = fields_at(t->schema, place);
	for (; fields != NULL && fields->key != NULL && len < sizeof(keys); fields++) {
		int n = snprintf(
			keys + len, sizeof(keys) - len, "%s%s", len > 0 ? ", " : "", fields->key);

		len += n > 0 ? (size_t)n : 0;
	}
	(void)snprintf(whole, sizeof(whole), "%s%s%s", place, place[0] != '\0' ? "." : "", key);
	at = find(t, whole).key;
	return hf_fail(ei, HF_ERR_ARG, "%s:%u:%u: %s%s%.40s: unknown key; allowed: %s", t->path,
		at.line, at.column, place, place[0] != '\0' ? "." : "", key, keys);
}

/* What libcyaml said about a value, in words of ours. */
static void value_words(char *out, size_t cap, const char *said)
{
	static const char invalid[] = " value: ";
	static const char length[] = "STRING length ";
	const char *value = strstr(said, invalid);
	const char *quote;

	if (strncmp(said, length, strlen(length)) == 0) {
		(void)snprintf(out, cap, "the value is too %s",
			said[strlen(length)] == '<' ? "short" : "long");
	} else if (value != NULL) {
		value += strlen(invalid);
		quote = value[0] == '\'' ? "" : "'";
		(void)snprintf(out, cap, "%s%s%s is not allowed here", quote, value, quote);
	} else {
		(void)snprintf(out, cap, "%s", said);
		out[0] = (char)(tolower)((unsigned char)out[0]);
	}
}

/* The innermost key is the one that was read before the end of its mapping was. */
static hf_err refuse_missing(
	const struct yaml_text *t, struct fault *f, const char *key, struct hf_errinfo *ei)
{
	char place[PARTS_MAX * PART_MAX];

	if (f->n_parts > 0)
		memmove(f->part, f->part + 1, (--f->n_parts) * sizeof(f->part[0]));
	place_text(place, sizeof(place), f);
	(void)snprintf(place + strlen(place), sizeof(place) - strlen(place), "%s%s",
		place[0] != '\0' ? "." : "", key);
	return refuse(t, f, place, "the key is missing", ei);
}

/* Turns what libcyaml said into one line of ours. */
static hf_err explain(
	const struct yaml_text *t, struct fault *f, cyaml_err_t rc, struct hf_errinfo *ei)
{
	static const char unknown[] = "Unexpected key: ";
	static const char missing[] = "Missing required mapping field: ";
	static const char syntax[] = "libyaml: ";
	char place[PARTS_MAX * PART_MAX];
	char what[200];

	if (rc == CYAML_ERR_OOM)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "%s: out of memory", t->path);
	if (f->line == 0)
		f->line = f->column = 1;
	if (strncmp(f->what, syntax, strlen(syntax)) == 0)
		return hf_fail(ei, HF_ERR_FORMAT, "%s:%u:%u: what follows is no YAML: %s", t->path,
			f->line, f->column, f->what + strlen(syntax));
	if (strncmp(f->what, unknown, strlen(unknown)) == 0)
		return refuse_key(t, f, f->what + strlen(unknown), ei);
	if (strncmp(f->what, missing, strlen(missing)) == 0)
		return refuse_missing(t, f, f->what + strlen(missing), ei);
	value_words(what, sizeof(what), f->what);
	place_text(place, sizeof(place), f);
	return refuse(t, f, place, what, ei);
}

/* What libcyaml would take for a word, or not look at. */
struct scan {
	const struct yaml_text *text;
	struct hf_errinfo *ei;
	hf_err err;
};

static bool scan_value(void *ctx, const struct yaml_value *v)
{
	struct scan *s = ctx;
	struct fault f = { .line = v->at.line, .column = v->at.column };

	if (v->is_next_document)
		s->err = hf_fail(s->ei, HF_ERR_ARG,
			"%s:%u:%u: a second document begins here; allowed: one", s->text->path,
			f.line, f.column);
	else if (v->is_nothing && v->path[0] != '\0')
		s->err = refuse(s->text, &f, v->path, "no value is given", s->ei);
	return s->err == HF_OK;
}

hf_err yaml_load(void **out, const struct yaml_text *t, struct hf_errinfo *ei)
{
	struct scan s = { t, ei, HF_OK };
	struct fault f = { .line = 0 };
	void *raw = NULL;
	cyaml_err_t rc;

	yaml_walk(t->text, t->len, scan_value, &s);
	if (s.err != HF_OK)
		return s.err;
	rc = load(&raw, t->schema->top, t, &f);
	if (rc != CYAML_OK)
		return explain(t, &f, rc, ei);
	if (raw == NULL)
		return hf_fail(ei, HF_ERR_ARG, "%s: is empty; %s says what it needs", t->path,
			t->schema->manual);
	*out = raw;
	return HF_OK;
}

void yaml_free(const struct yaml_schema *schema, void *raw)
{
	const cyaml_config_t config = { .mem_fn = cyaml_mem };

	if (raw != NULL)
		(void)cyaml_free(&config, schema->top, raw, 0);
}

hf_err yaml_refuse(
	const struct yaml_text *t, const char *key, const char *what, struct hf_errinfo *ei)
{
	struct yaml_spot at = find(t, key).at;
	struct fault f = { .line = at.line, .column = at.column };

	return refuse(t, &f, key, what, ei);
}
