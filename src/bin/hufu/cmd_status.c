/* SPDX-License-Identifier: Apache-2.0 */
/* hufu status: what the node of this machine says of itself. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "cmd.h"
#include "os/heap.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "view.h"

/* Members of an object that are shown, in this order; what is not there is passed over. */
struct member {
	const char *name;
	enum { TEXT, NUMBER, LENGTH, SWITCH } kind;
};

static void show_members(
	struct hufu_view *v, const json_t *object, const struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(object, members[i].name);

		if (members[i].kind == TEXT && json_is_string(value))
			hufu_view_str(v, members[i].name, json_string_value(value));
		else if (members[i].kind == SWITCH && json_is_boolean(value))
			hufu_view_bool(v, members[i].name, json_is_true(value));
		else if (members[i].kind == LENGTH && json_is_integer(value))
			hufu_view_len(v, members[i].name, (uint64_t)json_integer_value(value));
		else if (members[i].kind == NUMBER && json_is_integer(value))
			hufu_view_u64(v, members[i].name, (uint64_t)json_integer_value(value));
	}
}

static void show_object(struct hufu_view *v, const json_t *root, const char *name,
	const struct member *members, size_t n)
{
	const json_t *object = json_object_get(root, name);

	if (!json_is_object(object))
		return;
	hufu_view_object(v, name);
	show_members(v, object, members, n);
	hufu_view_end(v);
}

static void show_rows(struct hufu_view *v, const json_t *root, const char *name,
	const struct member *members, size_t n)
{
	const json_t *list = json_object_get(root, name);

	if (json_array_size(list) == 0)
		return;
	hufu_view_list(v, name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		hufu_view_row(v);
		show_members(v, json_array_get(list, i), members, n);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

/* For people; a script gets the node's own words. */
static void show(struct hufu_view *v, const json_t *root)
{
	static const struct member head[] = { { "id", TEXT }, { "role", TEXT }, { "level", NUMBER },
		{ "domain", TEXT }, { "member", SWITCH }, { "version", TEXT } };
	static const struct member keys[] = { { "state", TEXT }, { "root_version", NUMBER },
		{ "channel_serial", NUMBER }, { "records", NUMBER }, { "head_size", NUMBER } };
	static const struct member channel[] = { { "serial", NUMBER }, { "age_ms", NUMBER },
		{ "error", TEXT }, { "text", TEXT } };
	static const struct member lineage[] = { { "name", TEXT }, { "step", TEXT },
		{ "release", NUMBER }, { "bytes_done", LENGTH }, { "bytes", LENGTH },
		{ "bytes_twice", LENGTH }, { "tries", NUMBER }, { "error", TEXT },
		{ "text", TEXT } };
	static const struct member source[] = { { "name", TEXT }, { "kind", TEXT },
		{ "up", SWITCH }, { "error", TEXT }, { "text", TEXT } };
	static const struct member serve[] = { { "port", NUMBER }, { "links", NUMBER },
		{ "sessions", NUMBER }, { "requests", NUMBER }, { "refused", NUMBER },
		{ "bytes_out", LENGTH }, { "bytes_in", LENGTH }, { "hits", NUMBER },
		{ "misses", NUMBER } };
	static const struct member uploads[] = { { "waiting", NUMBER }, { "done", NUMBER } };
	static const struct member tail[] = { { "receipts_waiting", NUMBER } };

	show_members(v, root, head, HF_COUNT(head));
	show_object(v, root, "keys", keys, HF_COUNT(keys));
	show_object(v, root, "channel", channel, HF_COUNT(channel));
	show_rows(v, root, "lineages", lineage, HF_COUNT(lineage));
	show_rows(v, root, "sources", source, HF_COUNT(source));
	show_object(v, root, "serve", serve, HF_COUNT(serve));
	show_object(v, root, "uploads", uploads, HF_COUNT(uploads));
	show_members(v, root, tail, HF_COUNT(tail));
}

static hf_err print(const struct hf_buf *answer, bool is_json, struct hf_errinfo *ei)
{
	struct hufu_view v;
	json_t *root;

	if (is_json) {
		printf("%.*s\n", (int)answer->len, (const char *)answer->p);
		return HF_OK;
	}
	root = json_loadb((const char *)answer->p, answer->len, 0, NULL);
	if (root == NULL)
		return hf_fail(ei, HF_ERR_FORMAT, "the node's status is not readable");
	hufu_view_begin(&v, false);
	show(&v, root);
	json_decref(root);
	return hufu_view_done(&v, ei);
}

int hufu_run_status(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_local_question q = { .what = "status" };
	struct hf_buf answer;
	hf_err e;

	hf_buf_init(&answer, hf_os_mem(), HF_LOCAL_MESSAGE_MAX);
	e = hf_local_ask(&answer, hf_os_mem(), hf_local_dir(hufu_arg(a, "node")), &q, ei);
	if (e == HF_OK)
		e = print(&answer, hufu_has(a, "json"), ei);
	hf_buf_clear(&answer);
	return hufu_exit(e, ei);
}
