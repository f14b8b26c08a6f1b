/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: 1. Record numbers are contiguous from 0. 2. tree.size == next_seq. 3. A name is
 * defined by a 'D' record before the first record that uses its number. 4. frame begins with room
 * for the header, and holds the records of one batch only.
 */
#include "audit/log.h"

#include <string.h>

#include "base/endian.h"

enum {
	HLC_COUNTER_BITS = 16,
	NAMES_MAX_LEN = HF_AUDIT_NAMES_MAX * (HF_AUDIT_NAME_MAX + 2),
};

hf_err hf_audit_log_init(
	struct hf_audit_log *l, const struct hf_mem *mem, const char *id, uint16_t boot_no)
{
	size_t id_len = strlen(id);

	if (id_len >= sizeof(l->id))
		return HF_ERR_LIMIT;
	memset(l, 0, sizeof(*l));
	memcpy(l->id, id, id_len);
	l->boot_no = boot_no;
	hf_audit_genesis(l->prev, id);
	hf_merkle_init(&l->tree);
	hf_merkle_init(&l->batch_tree);
	hf_buf_init(&l->names, mem, NAMES_MAX_LEN);
	hf_buf_init(&l->frame, mem, HF_BATCH_HEADER_LEN + HF_BATCH_PAYLOAD_MAX + HF_BATCH_TAIL_LEN);
	return HF_OK;
}

void hf_audit_log_clear(struct hf_audit_log *l)
{
	hf_buf_clear(&l->names);
	hf_buf_clear(&l->frame);
	memset(l, 0, sizeof(*l));
}

void hf_audit_log_resume(struct hf_audit_log *l, const struct hf_merkle *tree,
	const uint8_t last_hash[HF_SM3_LEN], uint64_t last_hlc)
{
	l->tree = *tree;
	l->next_seq = tree->size;
	memcpy(l->prev, last_hash, HF_SM3_LEN);
	l->hlc = last_hlc;
}

void hf_audit_log_forget_names(struct hf_audit_log *l)
{
	hf_buf_reset(&l->names);
	l->n_names = 0;
}

/* The number of a name, or 0 if it has none yet. */
static uint32_t find_name(const struct hf_audit_log *l, const char *name, size_t len)
{
	size_t at = 0;

	for (uint32_t i = 1; i <= l->n_names; i++) {
		size_t n = hf_get_be16(l->names.p + at);

		if (n == len && memcmp(l->names.p + at + 2, name, len) == 0)
			return i;
		at += 2 + n;
	}
	return 0;
}

static hf_err start_frame(struct hf_audit_log *l)
{
	uint8_t *header = NULL;

	if (l->is_cut) {
		hf_buf_reset(&l->frame);
		l->is_cut = false;
	}
	if (l->frame.len > 0)
		return HF_OK;
	return hf_buf_room(&l->frame, &header, HF_BATCH_HEADER_LEN);
}

static uint64_t next_hlc(const struct hf_audit_log *l, const struct hf_audit_now *now)
{
	uint64_t ms = now->time_ns / 1000000u << HLC_COUNTER_BITS;

	return ms > l->hlc ? ms : l->hlc + 1;
}

/* Appends one record to the frame. The caller has made sure of its names. */
static hf_err append(
	struct hf_audit_log *l, const struct hf_audit_now *now, struct hf_audit_record *r)
{
	uint8_t bytes[HF_RECORD_MAX];
	uint8_t leaf[HF_SM3_LEN];
	size_t len = 0;

	if (l->batch_tree.size >= HF_BATCH_RECORDS_MAX)
		return HF_ERR_LIMIT;
	r->seq = l->next_seq;
	r->time_ns = now->time_ns;
	r->boot_ns = now->boot_ns;
	r->clock_error_us = now->clock_error_us;
	r->boot_no = l->boot_no;
	r->hlc = next_hlc(l, now);
	HF_TRY(hf_audit_record_emit(bytes, sizeof(bytes), &len, r));
	if (l->frame.len + len > HF_BATCH_HEADER_LEN + HF_BATCH_PAYLOAD_MAX)
		return HF_ERR_LIMIT;
	HF_TRY(hf_buf_put(&l->frame, bytes, len));

	hf_merkle_leaf(leaf, bytes, len);
	hf_merkle_add(&l->tree, leaf);
	hf_merkle_add(&l->batch_tree, leaf);
	if (!l->has_open) {
		l->batch.first_seq = r->seq;
		l->batch.opened_ns = now->boot_ns;
		l->has_open = true;
	}
	l->hlc = r->hlc;
	l->next_seq++;
	return HF_OK;
}

/* The number of a name, defining it first if need be. NULL has number 0. */
static hf_err name_number(
	struct hf_audit_log *l, const struct hf_audit_now *now, const char *name, uint32_t *number)
{
	struct hf_audit_record r = { .class_id = 'D', .severity = 1 };
	struct hf_audit_attr a = { .type = HF_ATTR_NAME };
	uint8_t attr[4 + HF_AUDIT_NAME_MAX];
	uint8_t prefix[2];
	size_t len;

	*number = 0;
	if (name == NULL)
		return HF_OK;
	len = strlen(name);
	if (len == 0 || len >= HF_AUDIT_NAME_MAX)
		return HF_ERR_LIMIT;
	*number = find_name(l, name, len);
	if (*number != 0)
		return HF_OK;

	r.subject = l->n_names + 1;
	a.value = (const uint8_t *)name;
	a.value_len = len;
	HF_TRY(hf_audit_attr_put(attr, sizeof(attr), &r.attrs_len, &a));
	r.attrs = attr;
	HF_TRY(append(l, now, &r));
	hf_put_be16(prefix, (uint16_t)len);
	HF_TRY(hf_buf_put(&l->names, prefix, sizeof(prefix)));
	HF_TRY(hf_buf_put(&l->names, name, len));
	*number = ++l->n_names;
	return HF_OK;
}

/* Room for the record and two definitions, so that a record is added whole or not at all. */
static hf_err check_room(const struct hf_audit_log *l, const struct hf_audit_event_in *in)
{
	size_t most = HF_RECORD_FIXED_LEN + in->attrs_len +
		      2 * (HF_RECORD_FIXED_LEN + 4 + HF_AUDIT_NAME_MAX);

	if (in->attrs_len > HF_RECORD_MAX - HF_RECORD_FIXED_LEN)
		return HF_ERR_LIMIT;
	if ((in->actor != NULL && strlen(in->actor) >= HF_AUDIT_NAME_MAX) ||
		(in->subject != NULL && strlen(in->subject) >= HF_AUDIT_NAME_MAX))
		return HF_ERR_LIMIT;
	if (l->batch_tree.size + 3 > HF_BATCH_RECORDS_MAX ||
		l->frame.len + most > HF_BATCH_HEADER_LEN + HF_BATCH_PAYLOAD_MAX)
		return HF_ERR_LIMIT;
	return HF_OK;
}

hf_err hf_audit_log_add(struct hf_audit_log *l, const struct hf_audit_now *now,
	const struct hf_audit_event_in *in, uint64_t *seq)
{
	const struct hf_audit_event_entry *event = hf_audit_event((uint16_t)in->event);
	struct hf_audit_record r = {
		.event = (uint16_t)in->event,
		.result = (uint8_t)in->result,
		.level = in->level,
		.tier = in->tier,
		.session_id = in->session_id,
		.alg = in->alg,
		.reason = (uint32_t)in->reason,
		.attrs = in->attrs,
		.attrs_len = in->attrs_len,
	};

	if (event == NULL)
		return HF_ERR_ARG;
	HF_TRY(start_frame(l));
	HF_TRY(check_room(l, in));
	r.class_id = event->class_id;
	r.severity = event->severity;
	memcpy(r.trace_id, in->trace_id, sizeof(r.trace_id));
	if (l->n_names + 2 > HF_AUDIT_NAMES_MAX)
		hf_audit_log_forget_names(l);
	HF_TRY(name_number(l, now, in->actor, &r.actor));
	HF_TRY(name_number(l, now, in->subject, &r.subject));
	HF_TRY(append(l, now, &r));
	if (event->class_id == 'S')
		l->is_urgent = true;
	if (seq != NULL)
		*seq = r.seq;
	return HF_OK;
}

uint64_t hf_audit_log_deadline(const struct hf_audit_log *l)
{
	if (!l->has_open)
		return UINT64_MAX;
	if (l->is_urgent)
		return 0;
	return l->batch.opened_ns + HF_AUDIT_COMMIT_MS * UINT64_C(1000000);
}

hf_err hf_audit_log_cut(struct hf_audit_log *l, const struct hf_audit_now *now, uint16_t flags,
	const uint8_t **bytes, size_t *len)
{
	struct hf_audit_batch *b = &l->batch;
	uint8_t *tail = NULL;

	if (!l->has_open)
		return HF_ERR_STATE;
	HF_TRY(hf_buf_room(&l->frame, &tail, HF_BATCH_TAIL_LEN));
	b->flags = flags;
	b->n_records = (uint32_t)l->batch_tree.size;
	b->payload_len = l->frame.len - HF_BATCH_HEADER_LEN - HF_BATCH_TAIL_LEN;
	b->epoch = 0;
	b->committed_ns = now->boot_ns;
	b->clock_error_us = now->clock_error_us;
	memcpy(b->prev, l->prev, sizeof(b->prev));
	hf_merkle_root(&l->batch_tree, b->root);
	hf_audit_batch_header(l->frame.p, b);
	memcpy(tail, b->hash, HF_SM3_LEN);
	memset(tail + HF_SM3_LEN, 0, HF_SM3_LEN);

	memcpy(l->prev, b->hash, sizeof(l->prev));
	hf_merkle_init(&l->batch_tree);
	l->has_open = false;
	l->is_urgent = false;
	l->is_cut = true;
	*bytes = l->frame.p;
	*len = l->frame.len;
	return HF_OK;
}
