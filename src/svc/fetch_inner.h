/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a fetch, shared by fetch.c (its life), fetch_pages.c, fetch_packs.c (what is on the
 * disk) and fetch_chunks.c (requests). One stage after the other:
 *
 *	pages -> layout -> check -> chunks -> over
 *
 *  1. A page is stored under its name after its digest was found equal to the one in the manifest;
 *     a pack, when all its chunks were found equal to their ids, which make the pack's id.
 *  2. Stages are run by hf_fetch_tick() only. Callbacks of sessions take bytes and leave a mark.
 *  3. A part that was there before this run counts chunk by chunk, and only after each was read
 *     and compared again: the bitmap says which are worth reading, not which are right.
 */
#ifndef HF_SVC_FETCH_INNER_H
#define HF_SVC_FETCH_INNER_H

#include "pkg/pkg_reader.h"
#include "pkg/table.h"
#include "store/resume.h"
#include "svc/fetch.h"
#include "svc/journal.h"

enum fetch_stage {
	FETCH_PAGES,  /* tables, and index pages, that the store lacks */
	FETCH_LAYOUT, /* which packs there are, and whether there is room */
	FETCH_CHECK,  /* what an earlier run left */
	FETCH_CHUNKS,
	FETCH_OVER,
};

enum {
	FETCH_PAGES_AT_ONCE = 4,
	FETCH_PACKS_OPEN = 8,
	FETCH_PACKS_MAX = 1 << 20,
	/* Bytes of the disk that are left alone: what cannot be recorded may not happen, not even
	 * the opening of what is active. */
	FETCH_SPARE = 2 * HF_JOURNAL_RESERVE,
};

struct fetch_source {
	unsigned no;     /* the caller's, and xfer's */
	struct hf_h2 *h; /* NULL: down */
	enum hf_source_kind kind;
	uint16_t cost;
	bool is_banned;         /* gave a wrong page */
	bool is_dirty;          /* has work for its pump */
	uint32_t n_pages;       /* being asked for */
	uint32_t page_fails;    /* in a row */
	uint64_t page_at;       /* not asked for pages before */
	uint64_t n_quarantines; /* of xfer's that were told */
	bool has_failed;        /* that was told */
	hf_err err;             /* last failure of a request */
	hf_err tell;            /* on_source has to be called with this; HF_OK: not */
};

/* A page on its way. */
struct fetch_page {
	bool is_used;
	bool is_asked;
	struct hf_fetch *f;
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	struct fetch_source *source; /* while asked */
	int32_t stream;
	uint32_t tried; /* bits of the sources that have it not */
	uint64_t at;    /* not asked for before */
};

enum fetch_pack_state {
	PACK_COMING,
	PACK_THERE, /* under its name in the store */
	PACK_SAME,  /* has the id of an earlier one of this release */
};

struct fetch_pack {
	uint8_t id[HF_SM3_LEN];
	uint32_t len;
	uint32_t first; /* chunk; the others follow on the same page, of ours or of a base */
	uint32_t n_chunks;
	uint32_t n_left; /* chunks to come */
	uint32_t base;   /* page of an earlier release that lists it whole, from 1; 0: none */
	enum fetch_pack_state state;
};

struct fetch_ranked {
	struct fetch_pack *pack;
};

/* A part that is open. */
struct fetch_open {
	struct hf_blob_put put; /* .blobs NULL: free */
	uint32_t pack;
	uint64_t used; /* a clock of uses: the smallest one is closed first */
	bool is_dirty; /* written since the last commit of the bitmap */
};

/* A run of chunks on its way. */
struct fetch_request {
	bool is_used;
	struct hf_fetch *f;
	uint64_t id; /* xfer's; 0: it does not know it any more */
	struct fetch_source *source;
	int32_t stream;
	uint32_t pack;
};

struct hf_fetch {
	struct hf_fetch_config config;
	struct hf_buf object; /* the manifest as signed */
	struct hf_manifest manifest;
	uint8_t name[HF_SM3_LEN];
	char resume_path[HF_PATH_MAX];
	enum fetch_stage stage;
	struct hf_errinfo why;
	hf_err failed; /* of a callback; the next tick ends the fetch with it */
	uint64_t now_ms;
	bool is_due;   /* a tick has something to do */
	bool has_news; /* chunks or pages came */
	struct fetch_source sources[HF_FETCH_SOURCES_MAX];
	uint32_t n_sources;

	struct fetch_page pages[FETCH_PAGES_AT_ONCE];
	uint64_t next_page; /* of all tables, of those of bases, then of all index pages */

	struct hf_objects objects; /* of the store */
	struct hf_pkg_reader *reader;
	/*
	 * Numbers of chunks: those of the release, and from n_own on HF_PAGE_ENTRIES for each page
	 * of an earlier one. A pack that the release lists in part is brought by the latter.
	 */
	uint32_t n_own;
	uint32_t n_all;
	struct hf_buf base_bytes; /* the page of an earlier release that was looked at last */
	struct hf_table_page base_page;
	uint32_t base_no; /* its number; UINT32_MAX: none */
	struct fetch_pack *packs;
	struct fetch_ranked *order; /* packs by id, then number */
	uint32_t n_packs;
	uint32_t n_coming;
	struct hf_resume *resume;
	struct fetch_open open[FETCH_PACKS_OPEN];
	uint64_t uses;
	uint64_t marked;    /* bytes since the last commit of the bitmap */
	uint64_t commit_at; /* UINT64_MAX: nothing is marked */

	uint32_t check_pack; /* FETCH_CHECK: the next one */
	uint8_t *have;

	struct hf_xfer *xfer;
	struct fetch_request *requests;
	uint32_t n_requests;
};

/* The later of what we and the session know. */
void hf_fetch_see(struct hf_fetch *f, uint64_t now_ms);

/* Random milliseconds between half and all of ms. */
uint64_t hf_fetch_jitter(const struct hf_fetch *f, uint64_t ms);

/* Stages. HF_OK: go on to the next one. HF_ERR_AGAIN: wait. Others end the fetch. */
HF_MUST_USE hf_err hf_fetch_pages_run(struct hf_fetch *f);
HF_MUST_USE hf_err hf_fetch_layout_run(struct hf_fetch *f);
HF_MUST_USE hf_err hf_fetch_check_run(struct hf_fetch *f);
HF_MUST_USE hf_err hf_fetch_chunks_run(struct hf_fetch *f);

/* Ends the requests of one source, or of all (NULL); those that ended already are passed over. */
void hf_fetch_pages_stop(struct hf_fetch *f, const struct fetch_source *s);
void hf_fetch_requests_stop(struct hf_fetch *f, const struct fetch_source *s);

/* A source is there: what waits for one looks at it. */
void hf_fetch_pages_look(struct hf_fetch *f, const struct fetch_source *s);

/* hf_fetch_want() for a page. */
HF_MUST_USE hf_err hf_fetch_page_want(struct hf_fetch *f, const struct hf_wanted *w);

uint64_t hf_fetch_pages_deadline(const struct hf_fetch *f);
uint64_t hf_fetch_chunks_deadline(const struct hf_fetch *f);

/* Makes a source known to xfer. */
HF_MUST_USE hf_err hf_fetch_source_join(struct hf_fetch *f, const struct fetch_source *s);

/* Room of the store: what the packs that come still need. HF_ERR_FULL. */
HF_MUST_USE hf_err hf_fetch_room_check(struct hf_fetch *f);

/* Where chunk i lies. HF_ERR_NOT_FOUND: no chunk has this number, or nobody needs it. */
HF_MUST_USE hf_err hf_fetch_place(struct hf_fetch *f, uint32_t i, struct hf_place *place);

/*
 * False: the chunk is none of this job's (*e is HF_OK): nobody needs it, or it comes under another
 * number; or it cannot be looked up.
 */
bool hf_fetch_place_counts(struct hf_fetch *f, uint32_t i, struct hf_place *place, hf_err *e);

/* The chunk at or after *i that lies in pack n; all of one pack stand on one page. */
HF_MUST_USE hf_err hf_fetch_pack_next(
	struct hf_fetch *f, uint32_t n, uint32_t *i, struct hf_place *place);

/* The number of the pack with this id whose bytes are kept; false: none of this release. */
bool hf_fetch_pack_find(const struct hf_fetch *f, const uint8_t id[HF_SM3_LEN], uint32_t *number);

/* The part of a pack, open. */
HF_MUST_USE hf_err hf_fetch_part_open(
	struct hf_fetch *f, uint32_t pack, struct fetch_open **out, struct hf_errinfo *ei);

/* Writes and marks one checked chunk; the last one of a pack gives the pack its name. */
HF_MUST_USE hf_err hf_fetch_chunk_put(
	struct hf_fetch *f, uint32_t index, const uint8_t *bytes, size_t len);

/* Makes what is marked durable. */
HF_MUST_USE hf_err hf_fetch_marks_commit(struct hf_fetch *f, struct hf_errinfo *ei);

/* Closes what is open and forgets the layout; parts and bitmap stay on the disk. */
void hf_fetch_packs_clear(struct hf_fetch *f);

#endif
