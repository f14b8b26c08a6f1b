/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two slots, each a file:
 *
 *   magic (8) | generation (u64) | length (u32) | content | digest (32) over all before
 *
 * Invariants:
 *   1. A save writes to the slot that does not hold the newest content, so a torn write leaves
 * that.
 *   2. Generations rise by one; the verified slot with the higher one is the state.
 *   3. A slot that is missing is made in one step (temporary, sync, rename): an existing slot that
 *      does not verify was torn by an overwrite or altered, never half made.
 *   4. After a failed write or sync nothing more is written by this object.
 */
#include "store/state.h"

#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "base/rd.h"
#include "base/wr.h"
#include "os/file.h"

enum {
	SLOT_HEAD = 8 + 8 + 4,
	SLOT_MAX = SLOT_HEAD + HF_STATE_LEN_MAX + HF_STATE_DIGEST_LEN,
	PATH_MAX_LEN = 1024 + 4,
};

static const uint8_t state_magic[8] = { 'H', 'F', 'S', 'T', 'A', 'T', 'E', '1' };

struct slot {
	struct hf_buf file;
	uint64_t generation;
	const uint8_t *content; /* in file */
	size_t len;
	bool is_there;
	bool is_good;
};

static void slot_path(char path[PATH_MAX_LEN], const struct hf_state *s, unsigned i)
{
	(void)snprintf(path, PATH_MAX_LEN, "%s.%c", s->path, i == 0 ? 'a' : 'b');
}

/* Takes the file apart; what is not exactly one slot is not good. */
static void slot_parse(struct slot *slot, const struct hf_state *s)
{
	struct hf_reader r = { .p = slot->file.p, .left = slot->file.len };
	uint8_t digest[HF_STATE_DIGEST_LEN];
	const uint8_t *magic = hf_rd_take(&r, sizeof(state_magic));
	uint64_t generation = hf_rd_u64(&r);
	size_t len = hf_rd_u32(&r);
	const uint8_t *content = hf_rd_take(&r, len);
	const uint8_t *found = hf_rd_take(&r, sizeof(digest));

	if (hf_rd_done(&r) != HF_OK || memcmp(magic, state_magic, sizeof(state_magic)) != 0 ||
		generation == 0)
		return;
	if (s->mac.compute(s->mac.ctx, digest, slot->file.p, SLOT_HEAD + len) != HF_OK)
		return;
	slot->is_good = hf_ct_eq(digest, found, sizeof(digest));
	slot->generation = generation;
	slot->content = content;
	slot->len = len;
}

static hf_err slot_load(
	struct slot *slot, const struct hf_state *s, unsigned i, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	char path[PATH_MAX_LEN];
	hf_err e;

	slot_path(path, s, i);
	hf_buf_init(&slot->file, s->mem, SLOT_MAX);
	e = hf_file_load(&slot->file, path, &why);
	if (e == HF_ERR_NOT_FOUND)
		return HF_OK;
	slot->is_there = true;
	if (e == HF_ERR_LIMIT)
		return HF_OK; /* longer than a slot can be: not good */
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "%s", why.text);
	slot_parse(slot, s);
	return HF_OK;
}

hf_err hf_state_init(struct hf_state *s, const struct hf_mem *mem, const char *path,
	const struct hf_state_mac *mac, struct hf_buf *out, struct hf_errinfo *ei)
{
	struct slot slots[2] = { 0 };
	const struct slot *newest;
	hf_err e;

	*s = (struct hf_state){ .mem = mem, .mac = *mac };
	if (strlen(path) >= sizeof(s->path))
		return hf_fail(ei, HF_ERR_LIMIT, "path of the state is too long");
	(void)snprintf(s->path, sizeof(s->path), "%s", path);
	e = slot_load(&slots[0], s, 0, ei);
	if (e == HF_OK)
		e = slot_load(&slots[1], s, 1, ei);
	if (e != HF_OK)
		goto out;
	s->is_recovered = (slots[0].is_there && !slots[0].is_good) ||
			  (slots[1].is_there && !slots[1].is_good);
	if (!slots[0].is_good && !slots[1].is_good) {
		e = s->is_recovered ? hf_fail(ei, HF_ERR_AUTH, "%s.a and .b do not verify", path)
				    : hf_fail(ei, HF_ERR_NOT_FOUND, "no state at %s", path);
		goto out;
	}
	s->next = slots[0].is_good &&
		  (!slots[1].is_good || slots[0].generation > slots[1].generation);
	newest = &slots[1 - s->next];
	e = hf_buf_put(out, newest->content, newest->len);
	if (e == HF_OK)
		s->generation = newest->generation;
out:
	hf_buf_clear(&slots[0].file);
	hf_buf_clear(&slots[1].file);
	if (e != HF_OK && e != HF_ERR_NOT_FOUND)
		s->failed = e;
	return e;
}

static hf_err slot_build(struct hf_buf *b, const struct hf_state *s, const void *bytes, size_t len)
{
	uint8_t *room = NULL;
	struct hf_writer w;

	HF_TRY(hf_buf_room(b, &room, SLOT_HEAD + len + HF_STATE_DIGEST_LEN));
	w = (struct hf_writer){ .p = room, .cap = b->len };
	hf_wr_put(&w, state_magic, sizeof(state_magic));
	hf_wr_u64(&w, s->generation + 1);
	hf_wr_u32(&w, (uint32_t)len);
	hf_wr_put(&w, bytes, len);
	return s->mac.compute(s->mac.ctx, room + w.len, room, w.len);
}

/* Overwrites in place: only the slot that does not count is ever torn. */
static hf_err slot_write(const char *path, const struct hf_buf *b, struct hf_errinfo *ei)
{
	int fd = -1;
	hf_err e = hf_file_open(&fd, path, HF_FILE_WRITE, 0, NULL);

	if (e == HF_ERR_NOT_FOUND)
		return hf_file_replace(path, 0600, b->p, b->len, ei);
	if (e != HF_OK)
		return hf_file_open(&fd, path, HF_FILE_WRITE, 0, ei);
	e = hf_file_resize(fd, b->len, ei);
	if (e == HF_OK)
		e = hf_file_pwrite(fd, b->p, b->len, 0, ei);
	if (e == HF_OK)
		e = hf_file_sync(fd, ei);
	hf_file_close(&fd);
	return e;
}

hf_err hf_state_save(struct hf_state *s, const void *bytes, size_t len, struct hf_errinfo *ei)
{
	char path[PATH_MAX_LEN];
	struct hf_buf b;
	hf_err e;

	if (s->failed != HF_OK)
		return s->failed;
	if (len > HF_STATE_LEN_MAX || s->generation == UINT64_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "a state of %zu bytes is too long", len);
	hf_buf_init(&b, s->mem, SLOT_MAX);
	e = slot_build(&b, s, bytes, len);
	if (e == HF_OK) {
		slot_path(path, s, s->next);
		e = slot_write(path, &b, ei);
	}
	hf_buf_clear(&b);
	if (e != HF_OK) {
		s->failed = e;
		return e;
	}
	s->generation++;
	s->next = 1 - s->next;
	return HF_OK;
}
