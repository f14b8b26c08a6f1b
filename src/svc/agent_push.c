/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: each <data>/outbox/<name>.hufu is a bundle with one upload. They go up one after the
 * other, in the order of their names; what the hub has is deleted, what it will never take is moved
 * to outbox/refused. One that fails otherwise is tried again later and holds up no other.
 */
#include <stdio.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"
#include "svc/agent_inner.h"

enum {
	FILES_MAX = 1 << 16,
	LOOK_MS = 60 * 1000,
};

static const char outbox[] = "outbox";
static const char ending[] = ".hufu";

static bool is_bundle(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > sizeof(ending) - 1 &&
	       len < sizeof(((struct agent_send *)NULL)->upload_file) &&
	       strcmp(name + len - (sizeof(ending) - 1), ending) == 0;
}

/* The first bundle behind the one of last time, or the first of all. */
struct outbox_look {
	const char *after;
	char first[256];
	char next[256];
	uint64_t n;
};

static hf_err see_bundle(void *ctx, const char *name)
{
	struct outbox_look *look = ctx;

	if (!is_bundle(name))
		return HF_OK;
	look->n++;
	if (look->first[0] == '\0')
		(void)snprintf(look->first, sizeof(look->first), "%s", name);
	if (look->next[0] == '\0' && strcmp(name, look->after) > 0)
		(void)snprintf(look->next, sizeof(look->next), "%s", name);
	return HF_OK;
}

/* Counts, and chooses. */
static void outbox_list(struct hf_agent *a)
{
	struct agent_send *s = &a->send;
	struct outbox_look look = { .after = s->upload_file };
	char dir[HF_PATH_MAX];

	s->look_at = a->now_ms + LOOK_MS;
	if (hf_path_join(dir, a->node->dir, outbox, NULL) != HF_OK ||
		hf_dir_list(a->mem, dir, FILES_MAX, see_bundle, &look, NULL) != HF_OK)
		return;
	s->n_uploads = look.n;
	if (look.n > 0)
		(void)snprintf(s->upload_file, sizeof(s->upload_file), "%s",
			look.next[0] != '\0' ? look.next : look.first);
}

static void on_end(
	void *ctx, hf_err e, const struct hf_errinfo *why, const uint8_t *body, size_t body_len)
{
	struct hf_agent *a = ctx;

	(void)why;
	(void)body;
	(void)body_len;
	a->send.is_pushed = true;
	a->send.push_err = e;
	a->is_due = true;
}

static void pump(void *ctx)
{
	struct hf_agent *a = ctx;

	a->sources[a->send.push_source].is_dirty = true;
}

static hf_err push_begin(struct hf_agent *a, struct hf_errinfo *ei)
{
	struct agent_send *s = &a->send;
	struct hf_push_config config = { .env = a->node->env,
		.objects = &s->objects,
		.kind = HF_OBJECT_UPLOAD,
		.h = a->sources[s->push_source].h,
		.pump = pump,
		.on_end = on_end,
		.ctx = a };
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];

	HF_TRY(hf_path_join(dir, a->node->dir, outbox, ei));
	HF_TRY(hf_path_join(path, dir, s->upload_file, ei));
	HF_TRY(hf_bundle_file_open(&s->bundle, a->node->env, path, ei));
	s->objects = hf_bundle_file_objects(&s->bundle);
	HF_TRY(hf_objects_only(config.name, &s->objects, HF_OBJECT_UPLOAD, ei));
	memcpy(s->upload, config.name, sizeof(s->upload));
	s->is_pushed = false;
	return hf_push_new(&s->push, &config, a->now_ms, ei);
}

void hf_agent_push_clear(struct hf_agent *a)
{
	hf_push_free(a->send.push);
	a->send.push = NULL;
	hf_bundle_file_close(&a->send.bundle);
}

static void upload_delete(struct hf_agent *a)
{
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];

	if (hf_path_join(dir, a->node->dir, outbox, NULL) != HF_OK ||
		hf_path_join(path, dir, a->send.upload_file, NULL) != HF_OK)
		return;
	/* Still there after a crash, it is sent again: the hub has it, and says so. */
	if (hf_file_delete(path, NULL) == HF_OK)
		(void)!hf_dir_sync_above(path, NULL);
}

static void push_over(struct hf_agent *a, hf_err e)
{
	struct agent_send *s = &a->send;
	const struct agent_note note = { .event = HF_EV_MODEL_UPLOAD,
		.reason = e,
		.source = a->config.sources[s->push_source].name,
		.manifest = s->upload,
		.bytes = s->bundle.len,
		.code = s->upload_file };

	hf_agent_push_clear(a);
	if (e == HF_OK || hf_agent_is_final(e))
		(void)!hf_agent_record(a, &note, NULL);
	if (e == HF_OK) {
		upload_delete(a);
		s->n_uploads_done++;
	} else if (hf_agent_is_final(e)) {
		hf_agent_put_aside(a, outbox, s->upload_file);
	}
	if (e == HF_OK || hf_agent_is_final(e))
		s->push_retry = (struct agent_retry){ 0 };
	else
		hf_agent_retry_fail(a, &s->push_retry, e);
	s->look_at = a->now_ms;
	a->is_due = true;
}

void hf_agent_push_run(struct hf_agent *a)
{
	struct agent_send *s = &a->send;
	struct hf_errinfo ei = { .code = HF_OK };
	hf_err e;

	if (s->push != NULL) {
		if (s->is_pushed)
			push_over(a, s->push_err);
		return;
	}
	if (a->now_ms >= s->look_at)
		outbox_list(a);
	if (s->n_uploads == 0 || a->now_ms < s->push_retry.at ||
		!hf_agent_control(a, &s->push_source))
		return;
	e = push_begin(a, &ei);
	if (e != HF_OK)
		push_over(a, e == HF_ERR_TRUNCATED ? HF_ERR_FORMAT : e);
}

void hf_agent_push_lost(struct hf_agent *a, unsigned source)
{
	struct agent_send *s = &a->send;

	if (s->push == NULL || s->is_pushed || s->push_source != source)
		return;
	s->is_pushed = true;
	s->push_err = HF_ERR_NET;
	hf_push_free(s->push); /* cancels on a session that is still there */
	s->push = NULL;
	hf_agent_push_clear(a);
	hf_agent_retry_fail(a, &s->push_retry, HF_ERR_NET);
	a->is_due = true;
}

uint64_t hf_agent_push_deadline(const struct hf_agent *a)
{
	const struct agent_send *s = &a->send;
	uint64_t at = s->look_at;

	if (s->push != NULL)
		return UINT64_MAX;
	if (s->n_uploads > 0 && s->push_retry.at > a->now_ms && s->push_retry.at < at)
		at = s->push_retry.at;
	return at;
}
