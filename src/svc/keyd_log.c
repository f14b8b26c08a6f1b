/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log of a node. A newcomer writes audit-new/ under the name "new/<id>"; a member writes
 * audit/ under "<domain>/<id>/audit". The first record of a member that was a newcomer carries the
 * root over the newcomer's log, which is closed for good: so one log goes on in the other.
 */
#include "svc/keyd_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"

enum {
	ATTRS_ROOM = 1024,
	REFUSAL_SPAN_MS = 10 * 1000,
	REFUSALS_MAX = 200, /* records of refusals in one span; the rest is counted */
};

static const char newcomer_log[] = "audit-new";
static const char member_log[] = "audit";

/* Attributes of a record, one after another. */
struct attrs {
	uint8_t bytes[ATTRS_ROOM];
	size_t len;
	hf_err e;
};

static void put(struct attrs *a, uint16_t type, const void *value, size_t len)
{
	const struct hf_audit_attr attr = { type, value, len };

	if (a->e == HF_OK)
		a->e = hf_audit_attr_put(a->bytes, sizeof(a->bytes), &a->len, &attr);
}

static void put_text(struct attrs *a, uint16_t type, const char *text)
{
	if (text != NULL && text[0] != '\0')
		put(a, type, text, strlen(text));
}

static void put_digest(struct attrs *a, uint16_t type, const uint8_t *digest)
{
	if (digest != NULL)
		put(a, type, digest, HF_SM3_LEN);
}

static void put_number(struct attrs *a, uint16_t type, uint64_t v)
{
	uint8_t b[8];

	hf_put_be64(b, v);
	if (v != 0)
		put(a, type, b, sizeof(b));
}

hf_err hf_keyd_note(struct hf_keyd *k, const struct hf_key_ask *ask,
	const struct hf_keyd_note *note, struct hf_errinfo *ei)
{
	struct attrs a = { .len = 0 };
	struct hf_audit_event_in in = {
		.event = note->event,
		.result = note->result,
		.level = note->level != 0 ? note->level : (uint8_t)k->identity.level,
		.tier = note->tier,
		.actor = ask == NULL ? NULL : ask->actor,
		.subject = note->subject,
		.reason = note->reason,
	};

	put_text(&a, HF_ATTR_MODEL, note->lineage);
	put_number(&a, HF_ATTR_RELEASE, note->release);
	put_digest(&a, HF_ATTR_MANIFEST, note->manifest);
	put_digest(&a, HF_ATTR_PEER_CERT, note->cert);
	put_digest(&a, HF_ATTR_CONTEXT, note->context);
	put_text(&a, HF_ATTR_RULE, note->rule);
	put_text(&a, HF_ATTR_CODE, note->code);
	put_number(&a, HF_ATTR_COUNT_FAIL, note->n_failed);
	if (a.e != HF_OK)
		return hf_fail(ei, a.e, "audit: a record is too long");
	in.attrs = a.bytes;
	in.attrs_len = a.len;
	return hf_journal_add(&k->journal, &in, NULL, ei);
}

/* The row that a refusal by policy names in its text ("policy <row> at L2 …"), or NULL. */
static const char *row_of(const struct hf_errinfo *ei)
{
	static const char prefix[] = "policy ";
	const char *text = ei->text + sizeof(prefix) - 1;

	if (ei->code != HF_ERR_DENIED || strncmp(ei->text, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	for (unsigned i = 0; i < HF_ROW_COUNT; i++) {
		const char *name = hf_policy_entry((enum hf_policy_row)i)->name;

		if (strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == ' ')
			return name;
	}
	return NULL;
}

/* A flood of bad requests must not fill the disk. */
static bool may_record(struct hf_keyd *k)
{
	uint64_t now_ms = hf_clock_mono_ms();

	if (now_ms - k->refusals_ms >= REFUSAL_SPAN_MS) {
		k->refusals_ms = now_ms;
		k->n_refusals = 0;
	}
	if (k->n_refusals == REFUSALS_MAX) {
		k->n_unrecorded++;
		return false;
	}
	k->n_refusals++;
	return true;
}

void hf_keyd_note_refusal(
	struct hf_keyd *k, const struct hf_key_ask *ask, enum hf_audit_event event, hf_err e)
{
	bool is_refused = hf_err_exit(e) == hf_err_exit(HF_ERR_AUTH);
	struct hf_keyd_note note = {
		.event = event,
		.result = is_refused ? HF_RESULT_DENIED : HF_RESULT_FAIL,
		.reason = e,
		.subject = ask->subject[0] == '\0' ? NULL : ask->subject,
		.lineage = ask->lineage,
		.rule = row_of(ask->ei),
		.code = ask->step,
		.n_failed = k->n_unrecorded,
	};

	if (note.rule != NULL)
		note.event = HF_EV_POLICY_REFUSED;
	if (event == HF_EV_MODEL_REFUSED)
		(void)snprintf(k->last_refusal, sizeof(k->last_refusal), "%s", hf_err_name(e));
	if (!may_record(k))
		return;
	/* It is refused whether or not that can be recorded. */
	if (hf_keyd_note(k, ask, &note, NULL) == HF_OK)
		k->n_unrecorded = 0;
}

static hf_err log_id(char id[HF_AUDIT_LOG_ID_MAX], const struct hf_keyd *k, bool is_newcomer,
	struct hf_errinfo *ei)
{
	int n = is_newcomer ? snprintf(id, HF_AUDIT_LOG_ID_MAX, "new/%s", k->identity.id)
			    : snprintf(id, HF_AUDIT_LOG_ID_MAX, "%s/%s/audit", k->identity.domain,
				      k->identity.id);

	if (n < 0 || n >= HF_AUDIT_LOG_ID_MAX)
		return hf_fail(ei, HF_ERR_LIMIT,
			"audit: domain and id together have more than %d characters",
			HF_AUDIT_LOG_ID_MAX - (int)sizeof("//audit"));
	return HF_OK;
}

static hf_err open_log(struct hf_keyd *k, bool is_newcomer, struct hf_errinfo *ei)
{
	char id[HF_AUDIT_LOG_ID_MAX];
	char dir[HF_PATH_MAX];
	/* What the state knows is about one of both logs. */
	const struct hf_journal_known *known =
		k->memory.is_member == !is_newcomer ? &k->memory.log : NULL;

	HF_TRY(log_id(id, k, is_newcomer, ei));
	HF_TRY(hf_path_join(dir, k->dir, is_newcomer ? newcomer_log : member_log, ei));
	return hf_journal_reopen(&k->journal, k->env, dir, id, &k->log_signer, known, ei);
}

/* Closes the newcomer's log, if a crash left it open, and gives the root over it. */
static hf_err end_newcomer_log(struct hf_keyd *k, uint8_t root[HF_SM3_LEN], struct hf_errinfo *ei)
{
	struct hf_journal_report report = { .n_records = 0 };
	char id[HF_AUDIT_LOG_ID_MAX];
	char dir[HF_PATH_MAX];

	HF_TRY(log_id(id, k, true, ei));
	HF_TRY(hf_path_join(dir, k->dir, newcomer_log, ei));
	HF_TRY(hf_journal_verify_known(
		k->env, dir, id, &k->log_signer.pub, &k->memory.log, &report, ei));
	if (report.head_size != report.n_records) {
		HF_TRY(open_log(k, true, ei));
		hf_journal_close(&k->journal);
		HF_TRY(hf_journal_verify_known(
			k->env, dir, id, &k->log_signer.pub, &k->memory.log, &report, ei));
	}
	memcpy(root, report.root, HF_SM3_LEN);
	return HF_OK;
}

hf_err hf_keyd_log_open(struct hf_keyd *k, struct hf_errinfo *ei)
{
	bool is_newcomer = k->state == HF_KEY_STATE_NEWCOMER;
	uint8_t root[HF_SM3_LEN];
	const struct hf_keyd_note first = { .event = HF_EV_ENROL, .context = root };
	bool has_before = !is_newcomer && !k->memory.is_member;

	if (has_before)
		HF_TRY(end_newcomer_log(k, root, ei));
	HF_TRY(open_log(k, is_newcomer, ei));
	if (has_before)
		HF_TRY(hf_keyd_note(k, NULL, &first, ei));
	/* A head at once: from here on the state can say which log this is. */
	HF_TRY(hf_journal_seal(&k->journal, ei));
	hf_keyd_draft(k)->is_member = !is_newcomer;
	return hf_keyd_save(k, ei);
}

hf_err hf_keyd_keep_head(struct hf_keyd *k, struct hf_errinfo *ei)
{
	uint64_t bytes = 0;

	if (k->journal.log == NULL || k->journal.head_size == k->memory.log.head_size)
		return HF_OK;
	HF_TRY(hf_dir_free_bytes(&bytes, k->dir, ei));
	if (bytes < HF_JOURNAL_RESERVE)
		return HF_OK;
	(void)hf_keyd_draft(k);
	return hf_keyd_save(k, ei);
}

void hf_keyd_log_close(struct hf_keyd *k)
{
	hf_journal_finish(&k->journal);
	/* Nobody is left to be told; the state of before is right too. */
	(void)!hf_keyd_keep_head(k, NULL);
	hf_journal_close(&k->journal);
}

/* What the network process may say. What the key process does it records itself. */
static bool is_of_front(uint16_t event)
{
	static const uint16_t events[] = {
		HF_EV_HANDSHAKE,
		HF_EV_HANDSHAKE_REFUSED,
		HF_EV_LINK_CLOSED,
		HF_EV_REQUEST_REFUSED,
		HF_EV_ENROL_REFUSED,
		HF_EV_POLICY_REFUSED,
		HF_EV_MODEL_PUBLISH,
		HF_EV_MODEL_FETCH,
		HF_EV_MODEL_VERIFY,
		HF_EV_MODEL_REFUSED,
		HF_EV_MODEL_UPLOAD,
		HF_EV_MODEL_RECEIPT,
		HF_EV_SOURCE_FAILED,
		HF_EV_SOURCE_QUARANTINED,
		HF_EV_MODEL_INVENTORY,
		HF_EV_BUSINESS,
	};

	for (size_t i = 0; i < HF_COUNT(events); i++)
		if (events[i] == event)
			return true;
	return false;
}

/* A text of a peer as it may stand in a record: cut, and printable ASCII alone. */
static void take_name(struct hf_key_ask *a, char out[HF_AUDIT_NAME_MAX])
{
	size_t len = hf_rd_u16(&a->in);
	const uint8_t *p = hf_rd_take(&a->in, len);
	size_t n = p == NULL ? 0 : len;

	if (n >= HF_AUDIT_NAME_MAX)
		n = HF_AUDIT_NAME_MAX - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = p[i] > 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	out[n] = '\0';
}

/* Whole attributes of known shape; names are the log's own business. */
static hf_err check_attrs(struct hf_bytes attrs, struct hf_errinfo *ei)
{
	const struct hf_audit_record r = { .attrs = attrs.p, .attrs_len = attrs.len };
	struct hf_audit_attr attr = { 0 };
	size_t at = 0;
	unsigned n = 0;
	hf_err e;

	if (attrs.len > ATTRS_ROOM)
		return hf_fail(
			ei, HF_ERR_LIMIT, "audit: more than %d bytes of attributes", ATTRS_ROOM);
	while ((e = hf_audit_attr_next(&attr, &r, &at)) == HF_OK)
		if (attr.type == HF_ATTR_NAME || ++n > HF_RECORD_ATTRS_MAX)
			return hf_fail(ei, HF_ERR_FORMAT, "audit: attributes that cannot be");
	return e == HF_ERR_NOT_FOUND ? HF_OK : hf_fail(ei, e, "audit: malformed attributes");
}

hf_err hf_keyd_audit(struct hf_keyd *k, struct hf_key_ask *a)
{
	char actor[HF_AUDIT_NAME_MAX];
	char subject[HF_AUDIT_NAME_MAX];
	struct hf_audit_event_in in = { .result = HF_RESULT_OK };
	uint16_t event = hf_rd_u16(&a->in);
	uint8_t result = hf_rd_u8(&a->in);
	struct hf_bytes attrs;

	in.level = hf_rd_u8(&a->in);
	in.tier = hf_rd_u8(&a->in);
	take_name(a, actor);
	take_name(a, subject);
	hf_rd_copy(&a->in, in.trace_id, sizeof(in.trace_id));
	in.session_id = hf_rd_u64(&a->in);
	in.alg = hf_rd_u32(&a->in);
	in.reason = (hf_err)hf_rd_u32(&a->in);
	attrs = hf_key_take_object(&a->in);
	HF_TRY(hf_key_ask_done(a));
	if (!is_of_front(event))
		return hf_fail(a->ei, HF_ERR_DENIED,
			"audit: event 0x%04x is not for the network process to record",
			(unsigned)event);
	if (result > HF_RESULT_PARTIAL || in.level > HF_L3 || in.tier > 3)
		return hf_fail(a->ei, HF_ERR_FORMAT, "audit: result, level or tier out of range");
	HF_TRY(check_attrs(attrs, a->ei));
	in.event = (enum hf_audit_event)event;
	in.result = (enum hf_record_result)result;
	in.actor = actor[0] == '\0' ? NULL : actor;
	in.subject = subject[0] == '\0' ? NULL : subject;
	in.attrs = attrs.p;
	in.attrs_len = attrs.len;
	return hf_journal_add(&k->journal, &in, NULL, a->ei);
}
