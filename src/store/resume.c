/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bitmap of a transfer.
 *
 *   block 0        512 bytes: magic (8) | key (32) | number of bits (u64) | zeros | crc32c (u32)
 *   block 1, 2 …   512 bytes: 4064 bits, lowest bit of the first byte first | crc32c (u32)
 *
 * Invariants:
 *   1. A bit is written to the file only after the data it speaks of was synced.
 *   2. A commit has returned HF_OK only if its bits were synced too.
 *   3. Block 0 is written once, when the file is made, in one step (temporary, sync, rename).
 *   4. A block whose check sum is wrong counts as all zeros: torn is as good as never written.
 *      (A disk writes a sector of 512 bytes whole or tears it; a block never crosses one.)
 *   5. A failed sync takes back the marks it was for and ends this object: the kernel may have
 *      dropped the pages, and a later sync that succeeds would not speak of them.
 */
#include "store/resume.h"

#include <string.h>

#include "base/endian.h"
#include "os/dir.h"
#include "os/file.h"
#include "store/crc32c.h"

enum {
	BLOCK_LEN = 512,
	BLOCK_DATA = BLOCK_LEN - 4,
	BLOCK_BITS = BLOCK_DATA * 8,
};

static const char resume_magic[8] = { 'H', 'F', 'R', 'E', 'S', 'U', 'M', '1' };

struct hf_resume {
	const struct hf_mem *mem;
	uint64_t n_bits;
	uint64_t n_set;
	size_t n_blocks; /* blocks of bits */
	uint8_t *now;    /* n_blocks * BLOCK_DATA: marked */
	uint8_t *safe;   /* the same: durable */
	int fd;
	hf_err failed; /* sticky */
};

static void block_seal(uint8_t block[BLOCK_LEN])
{
	hf_put_be32(block + BLOCK_DATA, hf_crc32c(0, block, BLOCK_DATA));
}

static bool block_is_whole(const uint8_t block[BLOCK_LEN])
{
	return hf_get_be32(block + BLOCK_DATA) == hf_crc32c(0, block, BLOCK_DATA);
}

static void make_head(
	uint8_t block[BLOCK_LEN], const uint8_t key[HF_RESUME_KEY_LEN], uint64_t n_bits)
{
	memset(block, 0, BLOCK_LEN);
	memcpy(block, resume_magic, sizeof(resume_magic));
	memcpy(block + 8, key, HF_RESUME_KEY_LEN);
	hf_put_be64(block + 40, n_bits);
	block_seal(block);
}

/* Opens the file if it is about exactly this. */
static hf_err open_same(struct hf_resume *r, const char *path, const uint8_t head[BLOCK_LEN])
{
	uint8_t found[BLOCK_LEN];

	HF_TRY(hf_file_open(&r->fd, path, HF_FILE_WRITE, 0, NULL));
	if (hf_file_pread(r->fd, found, sizeof(found), 0, NULL) == HF_OK &&
		memcmp(found, head, BLOCK_LEN) == 0)
		return HF_OK;
	hf_file_close(&r->fd);
	return HF_ERR_NOT_FOUND;
}

static unsigned count_bits(uint8_t byte)
{
	unsigned n = 0;

	for (; byte != 0; byte &= (uint8_t)(byte - 1))
		n++;
	return n;
}

static void load_block(struct hf_resume *r, size_t i)
{
	uint8_t block[BLOCK_LEN];

	if (hf_file_pread(r->fd, block, sizeof(block), (uint64_t)(i + 1) * BLOCK_LEN, NULL) !=
			HF_OK ||
		!block_is_whole(block))
		return; /* invariant 4 */
	memcpy(r->safe + i * BLOCK_DATA, block, BLOCK_DATA);
}

/* Bits beyond the last chunk cannot be set by us; an altered file must not make them count. */
static void load(struct hf_resume *r)
{
	for (size_t i = 0; i < r->n_blocks; i++)
		load_block(r, i);
	for (uint64_t i = r->n_bits; i < (uint64_t)r->n_blocks * BLOCK_BITS; i++)
		r->safe[i / 8] &= (uint8_t) ~(1u << (i % 8));
	memcpy(r->now, r->safe, r->n_blocks * BLOCK_DATA);
	for (size_t i = 0; i < r->n_blocks * BLOCK_DATA; i++)
		r->n_set += count_bits(r->now[i]);
}

hf_err hf_resume_new(struct hf_resume **out, const struct hf_mem *mem, const char *path,
	const uint8_t key[HF_RESUME_KEY_LEN], uint64_t n_bits, bool is_fresh, struct hf_errinfo *ei)
{
	uint8_t head[BLOCK_LEN];
	struct hf_resume *r;
	hf_err e = HF_ERR_NO_MEMORY;

	if (n_bits == 0 || n_bits > HF_RESUME_BITS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "a transfer cannot have so many chunks");
	r = hf_mem_new(mem, sizeof(*r));
	if (r == NULL)
		return HF_ERR_NO_MEMORY;
	r->mem = mem;
	r->fd = -1;
	r->n_bits = n_bits;
	r->n_blocks = (size_t)((n_bits + BLOCK_BITS - 1) / BLOCK_BITS);
	r->now = hf_mem_array(mem, r->n_blocks, BLOCK_DATA);
	r->safe = hf_mem_array(mem, r->n_blocks, BLOCK_DATA);
	if (r->now == NULL || r->safe == NULL)
		goto out;
	make_head(head, key, n_bits);
	e = is_fresh ? HF_ERR_NOT_FOUND : open_same(r, path, head);
	if (e != HF_OK) {
		e = hf_file_replace(path, 0600, head, sizeof(head), ei);
		if (e == HF_OK)
			e = hf_file_open(&r->fd, path, HF_FILE_WRITE, 0, ei);
	}
	if (e != HF_OK)
		goto out;
	load(r);
	*out = r;
	return HF_OK;
out:
	hf_resume_free(r);
	return e;
}

void hf_resume_free(struct hf_resume *r)
{
	if (r == NULL)
		return;
	hf_file_close(&r->fd);
	hf_mem_free(r->mem, r->now);
	hf_mem_free(r->mem, r->safe);
	hf_mem_free(r->mem, r);
}

bool hf_resume_has(const struct hf_resume *r, uint64_t i)
{
	return i < r->n_bits && (r->now[i / 8] >> (i % 8) & 1) != 0;
}

uint64_t hf_resume_count(const struct hf_resume *r)
{
	return r->n_set;
}

uint64_t hf_resume_missing(const struct hf_resume *r, uint64_t from)
{
	while (from < r->n_bits) {
		if (from % 8 == 0 && r->now[from / 8] == 0xff)
			from += 8;
		else if (hf_resume_has(r, from))
			from++;
		else
			return from;
	}
	return r->n_bits;
}

hf_err hf_resume_mark(struct hf_resume *r, uint64_t i)
{
	if (i >= r->n_bits)
		return HF_ERR_ARG;
	if (hf_resume_has(r, i))
		return HF_OK;
	r->now[i / 8] |= (uint8_t)(1u << (i % 8));
	r->n_set++;
	return HF_OK;
}

static hf_err write_bits(struct hf_resume *r, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < r->n_blocks; i++) {
		const uint8_t *now = r->now + i * BLOCK_DATA;
		uint8_t block[BLOCK_LEN];

		if (memcmp(now, r->safe + i * BLOCK_DATA, BLOCK_DATA) == 0)
			continue;
		memcpy(block, now, BLOCK_DATA);
		block_seal(block);
		HF_TRY(hf_file_pwrite(
			r->fd, block, sizeof(block), (uint64_t)(i + 1) * BLOCK_LEN, ei));
	}
	return hf_file_sync(r->fd, ei);
}

/* Takes back what is marked and not durable. */
static void take_back(struct hf_resume *r)
{
	memcpy(r->now, r->safe, r->n_blocks * BLOCK_DATA);
	r->n_set = 0;
	for (size_t i = 0; i < r->n_blocks * BLOCK_DATA; i++)
		r->n_set += count_bits(r->now[i]);
}

hf_err hf_resume_commit(
	struct hf_resume *r, const int *data_fds, size_t n_fds, struct hf_errinfo *ei)
{
	hf_err e = r->failed;

	for (size_t i = 0; i < n_fds && e == HF_OK; i++)
		e = hf_file_sync(data_fds[i], ei); /* invariant 1: before any bit */
	if (e == HF_OK)
		e = write_bits(r, ei);
	if (e != HF_OK) {
		take_back(r);
		r->failed = e;
		return e;
	}
	memcpy(r->safe, r->now, r->n_blocks * BLOCK_DATA);
	return HF_OK;
}

hf_err hf_resume_delete(const char *path, struct hf_errinfo *ei)
{
	hf_err e = hf_file_delete(path, NULL);

	if (e == HF_ERR_NOT_FOUND)
		return HF_OK;
	if (e != HF_OK)
		return hf_file_delete(path, ei);
	return hf_dir_sync_above(path, ei);
}
