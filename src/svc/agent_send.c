/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes up besides uploads: receipts, which lie in <data>/outbox/receipts until the hub has
 * them, one file each, in the order of their names; and the inventory, over a nonce of the hub,
 * after each activation and once a day.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/api.h"
#include "os/dir.h"
#include "os/file.h"
#include "svc/agent_inner.h"
#include "svc/api_json.h"

enum {
	ANSWER_MAX = 4096,
	RECEIPTS_MAX = 1 << 16, /* files that are looked at */
	DAY_MS = 24 * 3600 * 1000,
};

static const char receipts_dir[] = "outbox/receipts";

static bool is_receipt(const char *name)
{
	size_t len = strspn(name, "0123456789abcdef");

	return len == 16 && strcmp(name + len, ".der") == 0;
}

/* The first receipt that waits, and how many do. */
static hf_err see_receipt(void *ctx, const char *name)
{
	struct agent_send *s = ctx;

	if (!is_receipt(name))
		return HF_OK;
	if (s->n_receipts++ == 0)
		(void)snprintf(s->receipt_file, sizeof(s->receipt_file), "%s", name);
	return HF_OK;
}

static hf_err receipts_list(struct hf_agent *a, struct hf_errinfo *ei)
{
	char dir[HF_PATH_MAX];

	a->send.n_receipts = 0;
	HF_TRY(hf_path_join(dir, a->node->dir, receipts_dir, ei));
	return hf_dir_list(a->mem, dir, RECEIPTS_MAX, see_receipt, &a->send, ei);
}

/* What a kill left beside a receipt that it kept from being written. */
static hf_err draft_delete(void *ctx, const char *name)
{
	const struct hf_agent *a = ctx;
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];

	if (name[0] != '.')
		return HF_OK;
	HF_TRY(hf_path_join(dir, a->node->dir, receipts_dir, NULL));
	HF_TRY(hf_path_join(path, dir, name, NULL));
	(void)!hf_file_delete(path, NULL);
	return HF_OK;
}

hf_err hf_agent_send_init(struct hf_agent *a, struct hf_errinfo *ei)
{
	static const char *const dirs[] = { "outbox", receipts_dir, "outbox/refused" };
	char dir[HF_PATH_MAX];

	hf_agent_ask_init(a, &a->send.receipt);
	hf_agent_ask_init(a, &a->send.inventory);
	hf_buf_init(&a->send.statement, a->mem, hf_object_max(HF_OBJECT_INVENTORY));
	for (size_t i = 0; i < HF_COUNT(dirs); i++) {
		HF_TRY(hf_path_join(dir, a->node->dir, dirs[i], ei));
		HF_TRY(hf_dir_make(dir, 0700, ei));
	}
	HF_TRY(hf_path_join(dir, a->node->dir, receipts_dir, ei));
	HF_TRY(hf_dir_list(a->mem, dir, RECEIPTS_MAX, draft_delete, a, ei));
	return receipts_list(a, ei);
}

hf_err hf_agent_receipt_put(struct hf_agent *a, struct hf_bytes receipt, struct hf_errinfo *ei)
{
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	char name[32];
	uint64_t number = 0;

	HF_TRY(hf_meta_counter_next(a->node->meta, &number, "receipts", ei));
	(void)snprintf(name, sizeof(name), "%016" PRIx64 ".der", number);
	HF_TRY(hf_path_join(dir, a->node->dir, receipts_dir, ei));
	HF_TRY(hf_path_join(path, dir, name, ei));
	HF_TRY(hf_file_replace(path, 0600, receipt.p, receipt.len, ei));
	a->is_due = true;
	return receipts_list(a, ei);
}

static void aside_record(struct hf_agent *a, const char *file)
{
	const struct agent_note note = {
		.event = HF_EV_MODEL_RECEIPT, .reason = HF_ERR_DENIED, .code = file
	};

	(void)!hf_agent_record(a, &note, NULL);
}

void hf_agent_put_aside(struct hf_agent *a, const char *dir, const char *file)
{
	char from_dir[HF_PATH_MAX];
	char from[HF_PATH_MAX];
	char to_dir[HF_PATH_MAX];
	char to[HF_PATH_MAX];

	if (hf_path_join(from_dir, a->node->dir, dir, NULL) != HF_OK ||
		hf_path_join(from, from_dir, file, NULL) != HF_OK ||
		hf_path_join(to_dir, a->node->dir, "outbox/refused", NULL) != HF_OK ||
		hf_path_join(to, to_dir, file, NULL) != HF_OK)
		return;
	/* Where it cannot be moved it stays, and is refused again. */
	if (hf_file_rename(from, to, NULL) == HF_OK) {
		(void)!hf_dir_sync_above(to, NULL);
		(void)!hf_dir_sync_above(from, NULL);
	}
}

static hf_err receipt_post(struct hf_agent *a)
{
	struct agent_call call = { .what = "receipt",
		.method = HF_HTTP_POST,
		.path = HF_API_RECEIPTS,
		.type = HF_TYPE_DER,
		.answer_max = ANSWER_MAX };
	struct hf_buf receipt;
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	hf_err e = HF_OK;

	HF_TRY(hf_path_join(dir, a->node->dir, receipts_dir, NULL));
	HF_TRY(hf_path_join(path, dir, a->send.receipt_file, NULL));
	hf_buf_init(&receipt, a->mem, hf_object_max(HF_OBJECT_RECEIPT));
	if (a->send.receipt.state == ASK_FREE)
		e = hf_file_load(&receipt, path, NULL);
	call.body = (struct hf_bytes){ receipt.p, receipt.len };
	if (e == HF_OK)
		e = hf_agent_ask_run(&a->send.receipt, &call, NULL);
	hf_buf_clear(&receipt);
	if (e == HF_OK)
		e = hf_file_delete(path, NULL);
	if (e == HF_OK)
		(void)!hf_dir_sync_above(path, NULL); /* else it is sent twice, which is as once */
	return e;
}

static void receipts_run(struct hf_agent *a)
{
	struct agent_send *s = &a->send;
	hf_err e;

	if (s->n_receipts == 0 || a->now_ms < s->receipt_retry.at)
		return;
	e = receipt_post(a);
	if (e == HF_ERR_AGAIN)
		return;
	hf_agent_ask_clear(&s->receipt);
	if (hf_agent_is_final(e)) {
		hf_agent_put_aside(a, receipts_dir, s->receipt_file);
		aside_record(a, s->receipt_file);
	}
	if (e == HF_OK || hf_agent_is_final(e))
		s->receipt_retry = (struct agent_retry){ 0 };
	else
		hf_agent_retry_fail(a, &s->receipt_retry, e);
	(void)!receipts_list(a, NULL);
	a->is_due = true;
}

/* First a nonce, then the statement over it. HF_OK: the hub has it. */
static hf_err inventory_post(struct hf_agent *a)
{
	struct agent_send *s = &a->send;
	struct agent_call call = { .what = "inventory",
		.method = HF_HTTP_GET,
		.path = HF_API_INVENTORY,
		.answer_max = ANSWER_MAX };
	uint8_t nonce[HF_API_NONCE_LEN];

	if (s->statement.len == 0) {
		HF_TRY(hf_agent_ask_run(&s->inventory, &call, NULL));
		HF_TRY(hf_api_nonce_parse(nonce,
			(struct hf_bytes){ s->inventory.body.p, s->inventory.body.len }, NULL));
		hf_agent_ask_clear(&s->inventory);
		HF_TRY(hf_key_sign_inventory(a->node->keys, nonce, &s->statement, NULL));
	}
	call.method = HF_HTTP_POST;
	call.type = HF_TYPE_DER;
	call.body = (struct hf_bytes){ s->statement.p, s->statement.len };
	return hf_agent_ask_run(&s->inventory, &call, NULL);
}

static void inventory_run(struct hf_agent *a)
{
	struct agent_send *s = &a->send;
	uint64_t due = s->inventory_at;
	hf_err e;

	/* An edge runs nothing. Without a channel there is nothing to say either. */
	if (hf_agent_is_edge(a) || !a->has_channel || a->now_ms < due ||
		a->now_ms < s->inventory_retry.at)
		return;
	e = inventory_post(a);
	if (e == HF_ERR_AGAIN)
		return;
	hf_agent_ask_clear(&s->inventory);
	hf_buf_reset(&s->statement);
	if (e != HF_OK) {
		hf_agent_retry_fail(a, &s->inventory_retry, e);
		return;
	}
	s->inventory_retry = (struct agent_retry){ 0 };
	s->inventory_at = a->now_ms + DAY_MS;
}

void hf_agent_send_run(struct hf_agent *a)
{
	receipts_run(a);
	inventory_run(a);
	hf_agent_push_run(a);
}

static void later(const struct hf_agent *a, uint64_t *at, uint64_t other)
{
	if (other > a->now_ms && other < *at)
		*at = other;
}

uint64_t hf_agent_send_deadline(const struct hf_agent *a)
{
	const struct agent_send *s = &a->send;
	uint64_t at = hf_agent_push_deadline(a);

	if (s->n_receipts > 0)
		later(a, &at, s->receipt_retry.at);
	if (!hf_agent_is_edge(a) && a->has_channel) {
		later(a, &at, s->inventory_retry.at);
		later(a, &at, s->inventory_at);
	}
	return at;
}

void hf_agent_send_clear(struct hf_agent *a)
{
	hf_agent_push_clear(a);
	hf_agent_ask_end(&a->send.receipt);
	hf_agent_ask_end(&a->send.inventory);
	hf_buf_clear(&a->send.statement);
}
