/* SPDX-License-Identifier: Apache-2.0 */
/* A path grows with each mapping and list that begins, and shrinks with its end. */
#include "bin/common/yaml_walk.h"

#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/attr.h"

enum { DEPTH_MAX = 16 }; /* no configuration is as deep */

struct level {
	bool is_list;
	bool has_key; /* a value comes next, not a key */
	size_t n;     /* entries of the list so far */
	size_t path_len;
	struct yaml_spot key;
};

struct walk {
	yaml_visit visit;
	void *ctx;
	struct level level[DEPTH_MAX];
	size_t depth;
	unsigned n_documents;
	char path[YAML_PATH_MAX];
};

static struct yaml_spot spot_of(const yaml_event_t *e)
{
	return (struct yaml_spot){ (unsigned)e->start_mark.line + 1,
		(unsigned)e->start_mark.column + 1 };
}

static bool is_nothing(const yaml_event_t *e)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (e->type != YAML_SCALAR_EVENT || !e->data.scalar.plain_implicit ||
		e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < HF_COUNT(words); i++)
		if (strcmp((const char *)e->data.scalar.value, words[i]) == 0)
			return true;
	return false;
}

/* The path of what begins; false: it is a key. */
static bool name_value(struct walk *w, const yaml_event_t *e)
{
	struct level *top = w->depth > 0 ? &w->level[w->depth - 1] : NULL;
	char *end = w->path;
	size_t room = sizeof(w->path);

	if (top == NULL) {
		w->path[0] = '\0';
		return true;
	}
	if (!top->is_list && top->has_key) {
		top->has_key = false;
		return true;
	}
	end += top->path_len;
	room -= top->path_len;
	if (top->is_list) {
		(void)snprintf(end, room, "[%zu]", ++top->n);
		return true;
	}
	(void)snprintf(end, room, "%s%s", top->path_len > 0 ? "." : "",
		e->type == YAML_SCALAR_EVENT ? (const char *)e->data.scalar.value : "?");
	top->has_key = true;
	top->key = spot_of(e);
	return false;
}

static bool begin_value(struct walk *w, const yaml_event_t *e)
{
	const struct level *top = w->depth > 0 ? &w->level[w->depth - 1] : NULL;
	bool is_list = e->type == YAML_SEQUENCE_START_EVENT;
	struct yaml_value v = { .path = w->path, .at = spot_of(e), .is_nothing = is_nothing(e) };

	if (name_value(w, e)) {
		if (top != NULL && !top->is_list)
			v.key = top->key;
		if (!w->visit(w->ctx, &v))
			return false;
	}
	if (!is_list && e->type != YAML_MAPPING_START_EVENT)
		return true;
	if (w->depth == DEPTH_MAX)
		return false;
	w->level[w->depth++] = (struct level){ .is_list = is_list, .path_len = strlen(w->path) };
	return true;
}

static bool step(struct walk *w, const yaml_event_t *e)
{
	const struct yaml_value next = { .path = "", .at = spot_of(e), .is_next_document = true };

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++w->n_documents == 1)
			return true;
		(void)w->visit(w->ctx, &next);
		return false;
	case YAML_SCALAR_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT: return begin_value(w, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT: w->depth--; return true;
	case YAML_STREAM_END_EVENT: return false;
	default: return true;
	}
}

void yaml_walk(const char *text, size_t len, yaml_visit visit, void *ctx)
{
	struct walk w = { .visit = visit, .ctx = ctx };
	yaml_parser_t parser;
	yaml_event_t e;
	bool goes_on = true;

	if (len == 0 || yaml_parser_initialize(&parser) == 0)
		return;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (goes_on && yaml_parser_parse(&parser, &e) != 0) {
		goes_on = step(&w, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
}
