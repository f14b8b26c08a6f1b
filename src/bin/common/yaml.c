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
 * They are collected here into one line. Values whose meaning libcyaml does not know are placed by
 * loading the text once more with a schema that allows nothing at that key.
 */
#include "bin/common/yaml.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

enum {
	PARTS_MAX = 6, /* of a place */
	PART_MAX = 40,
	FIELDS_MAX = 24, /* of a mapping */
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

/* What may stand there; NULL: nothing is known. */
static const char *allowed_at(const struct yaml_schema *schema, const char *place)
{
	char plain[PARTS_MAX * PART_MAX];
	size_t len = 0;

	for (const char *p = place; *p != '\0' && len + 1 < sizeof(plain); p++) {
		if (*p == '[')
			p += strcspn(p, "]");
		else
			plain[len++] = *p;
	}
	plain[len] = '\0';
	for (size_t i = 0; i < schema->n_allowed; i++)
		if (strcmp(schema->allowed[i].key, plain) == 0)
			return schema->allowed[i].text;
	return NULL;
}

static hf_err refuse(const struct yaml_text *t, const struct fault *f, const char *place,
	const char *what, struct hf_errinfo *ei)
{
	const char *may = allowed_at(t->schema, place);
	const char *colon = place[0] != '\0' ? ": " : "";

	if (may == NULL)
		return hf_fail(ei, HF_ERR_ARG, "%s:%u:%u: %s%s%s", t->path, f->line, f->column,
			place, colon, what);
	return hf_fail(ei, HF_ERR_ARG, "%s:%u:%u: %s%s%s; allowed: %s", t->path, f->line, f->column,
		place, colon, what, may);
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

/*
 * An unknown key is found after the last thing that was read, whose place is known: the next place
 * where its name stands as a key, comments left out.
 */
static void find_key(struct fault *f, const struct yaml_text *t, const char *key)
{
	size_t key_len = strlen(key);
	unsigned line = 1;
	unsigned column = 1;
	bool is_comment = false;

	for (size_t i = 0; i + key_len < t->len; i++, column++) {
		char before = i > 0 ? t->text[i - 1] : '\n';

		if (t->text[i] == '#' && isspace((unsigned char)before))
			is_comment = true;
		if (!is_comment && (line > f->line || (line == f->line && column >= f->column)) &&
			memcmp(t->text + i, key, key_len) == 0 && strchr(" \t\n{,\"'-?", before) &&
			strchr(" \t\n:\"'", t->text[i + key_len])) {
			f->line = line;
			f->column = column;
			return;
		}
		if (t->text[i] == '\n') {
			line++;
			column = 0;
			is_comment = false;
		}
	}
}

static hf_err refuse_key(
	const struct yaml_text *t, struct fault *f, const char *key, struct hf_errinfo *ei)
{
	char place[PARTS_MAX * PART_MAX];
	char keys[200] = "";
	size_t len = 0;
	const cyaml_schema_field_t *fields;

	place_text(place, sizeof(place), f);
	fields = fields_at(t->schema, place);
	for (; fields != NULL && fields->key != NULL && len < sizeof(keys); fields++) {
		int n = snprintf(
			keys + len, sizeof(keys) - len, "%s%s", len > 0 ? ", " : "", fields->key);

		len += n > 0 ? (size_t)n : 0;
	}
	find_key(f, t, key);
	return hf_fail(ei, HF_ERR_ARG, "%s:%u:%u: %s%s%.40s: unknown key; allowed: %s", t->path,
		f->line, f->column, place, place[0] != '\0' ? "." : "", key, keys);
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

hf_err yaml_load(void **out, const struct yaml_text *t, struct hf_errinfo *ei)
{
	struct fault f = { .line = 0 };
	void *raw = NULL;
	cyaml_err_t rc = load(&raw, t->schema->top, t, &f);

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

/* A copy of the schema in which one key allows nothing. */
struct narrow {
	cyaml_schema_field_t top[FIELDS_MAX];
	cyaml_schema_field_t below[FIELDS_MAX];
	cyaml_schema_value_t schema;
};

/* Copies fields and gives the one named by the first len bytes of name; NULL: there is none. */
static cyaml_schema_field_t *copy_fields(cyaml_schema_field_t to[FIELDS_MAX],
	const cyaml_schema_field_t *from, const char *name, size_t len)
{
	cyaml_schema_field_t *found = NULL;
	size_t n = 0;

	for (; from[n].key != NULL && n + 1 < FIELDS_MAX; n++) {
		to[n] = from[n];
		if (strlen(from[n].key) == len && memcmp(from[n].key, name, len) == 0)
			found = &to[n];
	}
	to[n] = from[n];
	return found;
}

static void narrow_init(struct narrow *n, const cyaml_schema_value_t *top, const char *key)
{
	size_t len = strcspn(key, ".[");
	cyaml_schema_field_t *f = copy_fields(n->top, top->mapping.fields, key, len);

	n->schema = *top;
	n->schema.mapping.fields = n->top;
	key += len;
	if (f != NULL && *key == '[') {
		/* The entries before are good: so it is the first that is one too many. */
		f->value.sequence.max = (uint32_t)strtoul(key + 1, NULL, 10) - 1;
		return;
	}
	if (f != NULL && *key == '.') {
		const cyaml_schema_field_t *fields = f->value.mapping.fields;

		f->value.mapping.fields = n->below;
		f = copy_fields(n->below, fields, key + 1, strlen(key + 1));
	}
	if (f != NULL)
		f->value = (cyaml_schema_value_t){ .type = CYAML_ENUM,
			.flags = CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
			.data_size = sizeof(int) };
}

/*
 * A key below an entry of a list: looked for behind the place of the entry, and before that of the
 * next one.
 */
static void find_below(struct fault *f, const struct yaml_text *t, const char *key)
{
	const struct fault entry = *f;
	struct fault next = { .line = 0 };
	char place[PARTS_MAX * PART_MAX];
	char part[PART_MAX];
	void *raw = NULL;
	struct narrow n;
	const char *open = strchr(key, '[');
	const char *rest = strchr(key, ']');

	if (open == NULL || rest == NULL || rest[1] != '.')
		return;
	(void)snprintf(place, sizeof(place), "%.*s[%lu]", (int)(open - key), key,
		strtoul(open + 1, NULL, 10) + 1);
	narrow_init(&n, t->schema->top, place);
	if (load(&raw, &n.schema, t, &next) == CYAML_OK) {
		yaml_free(t->schema, raw);
		next.line = UINT_MAX;
	}
	for (rest++; *rest == '.'; rest += strcspn(rest, ".")) {
		rest++;
		(void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(rest, ".["), rest);
		find_key(f, t, part);
	}
	if (f->line >= next.line)
		*f = entry;
}

hf_err yaml_refuse(
	const struct yaml_text *t, const char *key, const char *what, struct hf_errinfo *ei)
{
	struct fault f = { .line = 0 };
	void *raw = NULL;
	struct narrow n;

	narrow_init(&n, t->schema->top, key);
	if (load(&raw, &n.schema, t, &f) == CYAML_OK) {
		yaml_free(t->schema, raw); /* the key is not there at all */
		f.line = f.column = 1;
	} else {
		find_below(&f, t, key);
	}
	return refuse(t, &f, key, what, ei);
}
