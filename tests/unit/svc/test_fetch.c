/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release is brought into a store by sources that die, lie, stall, flood and lack, through kills
 * and power cuts, onto disks that fill up: what gets a name is what was signed, or nothing does.
 */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "crash.h"
#include "fetch_world.h"
#include "svc/journal.h"

enum {
	CHUNK = 20 * 1024,
	CHUNKS = 150,
	PACK = 8 * (CHUNK + 16),
	HOUR = 3600 * 1000,
};

static struct release rel;   /* 150 chunks in 19 packs */
static struct release next;  /* the release after it: two thirds of it are the same */
static struct release pages; /* small chunks, two pages */
static struct release zeros; /* the same pack on both pages */
static struct world world;

static void make_release(
	struct release *r, uint64_t number, uint32_t n, uint32_t len, uint32_t pack_max)
{
	r->number = number;
	r->lineage = "vision";
	r->seed = number;
	r->pack_max = pack_max;
	release_make(r, n, len, number == 2 ? 96 : n);
}

static int start(void **state)
{
	(void)state;
	assert_ok(hf_module_start(hf_os_cpu()));
	make_release(&rel, 1, CHUNKS, CHUNK, PACK);
	make_release(&next, 2, CHUNKS, CHUNK, PACK);
	make_release(&pages, 3, 1500, 300, 100 * 316);
	assert_int_equal(rel.n_packs, 19);
	assert_int_equal(pages.n_pages, 2);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	release_clear(&rel);
	release_clear(&next);
	release_clear(&pages);
	return 0;
}

static void one_honest_source_gives_everything_once(void **state)
{
	struct release *releases[] = { &rel, &pages };
	struct world *w = &world;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(releases); i++) {
		world_init(w, releases[i]);
		world_begin(w, 1);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		assert_int_equal(w->seen->pack_bytes, releases[i]->sealed_len);
		assert_int_equal(world_progress(w).bytes_twice, 0);
		assert_int_equal(world_progress(w).state, HF_XFER_DONE);
		assert_int_equal(w->n_told, 0);
		assert_true(w->n_news > 0);
		assert_true(hf_fetch_deadline(w->f) == UINT64_MAX);
		world_clear(w);
	}
}

static void without_index_pages_none_are_asked_for(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	w->config.has_index = false;
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	world_is_whole(w, false);
	for (size_t i = 0; i < rel.n_stored; i++) {
		char id[2 * HF_SM3_LEN + 1];
		uint64_t size;

		hf_hex_emit(id, rel.store[i].name, HF_SM3_LEN);
		if (rel.store[i].kind == HF_OBJECT_INDEX)
			assert_err(hf_blob_size(&w->node.blobs, &size, "index", id, NULL),
				HF_ERR_NOT_FOUND);
	}
	world_clear(w);
}

static void the_second_time_nothing_is_asked_for(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	w->peers[0].n_asked = 0;
	world_again(w, 1);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	assert_int_equal(w->peers[0].n_asked, 0);
	assert_int_equal(w->seen->pack_bytes, rel.sealed_len);
	/* Not even a source is needed. */
	world_again(w, 0);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	assert_int_equal(world_progress(w).bytes_done, rel.sealed_len);
	world_clear(w);
}

static void packs_of_an_earlier_release_are_not_fetched_twice(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	w->release = &next;
	w->seen->pack_bytes = 0;
	world_again(w, 1);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->seen->pack_bytes, (CHUNKS - 96) * (CHUNK + 16));
	world_clear(w);
}

/* An increment: every 25th chunk is new, the others lie in packs of the first release. */
static void make_increment(struct release *r, struct release *base)
{
	*r = (struct release){ .number = 9,
		.lineage = "vision",
		.seed = 9,
		.pack_max = PACK,
		.base = base,
		.changed = 25,
		.is_mute = r->is_mute };
	release_make(r, CHUNKS, CHUNK, 0);
}

static void an_increment_costs_what_is_new_in_it(void **state)
{
	struct release *r = calloc(1, sizeof(*r));
	struct world *w = &world;

	(void)state;
	assert_non_null(r);
	make_increment(r, &rel);
	world_init(w, &rel);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	w->release = r;
	w->seen->pack_bytes = 0;
	world_again(w, 1);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->seen->pack_bytes, CHUNKS / 25 * (CHUNK + 16));
	world_clear(w);
	release_clear(r);
	free(r);
}

static void who_has_nothing_gets_the_packs_of_earlier_releases_whole(void **state)
{
	struct release *r = calloc(1, sizeof(*r));
	struct world *w = &world;

	(void)state;
	assert_non_null(r);
	make_increment(r, &rel);
	for (unsigned has_index = 0; has_index < 2; has_index++) {
		struct hf_xfer_progress p;

		world_init(w, r);
		w->config.has_index = has_index != 0;
		world_begin(w, 2);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, has_index != 0);
		p = world_progress(w);
		assert_int_equal(
			w->seen->pack_bytes - p.bytes_twice, (CHUNKS + CHUNKS / 25) * (CHUNK + 16));
		assert_int_equal(p.bytes_all, (CHUNKS + CHUNKS / 25) * (CHUNK + 16));
		assert_int_equal(p.n_chunks, CHUNKS + CHUNKS / 25);
		world_clear(w);
	}
	release_clear(r);
	free(r);
}

static void a_part_of_a_pack_that_no_page_lists_whole_is_refused(void **state)
{
	struct release *r = calloc(1, sizeof(*r));
	struct world *w = &world;

	(void)state;
	assert_non_null(r);
	r->is_mute = true;
	make_increment(r, &rel);
	world_init(w, r);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	assert_err(w->end, HF_ERR_UNSUPPORTED);
	assert_non_null(strstr(w->why.text, "has a part of it only"));
	assert_int_equal(w->seen->pack_bytes, 0);
	world_clear(w);
	release_clear(r);
	free(r);
}

static void a_lying_source_of_an_increment_is_banned(void **state)
{
	struct release *r = calloc(1, sizeof(*r));
	struct world *w = &world;

	(void)state;
	assert_non_null(r);
	make_increment(r, &rel);
	world_init(w, r);
	w->peers[0].manner = LIAR;
	world_begin(w, 2);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->n_told, 1);
	assert_int_equal(w->told_no, 0);
	assert_err(w->told, HF_ERR_AUTH);
	world_clear(w);
	release_clear(r);
	free(r);
}

static void two_sources_share_and_one_dies_half_way(void **state)
{
	struct world *w = &world;

	(void)state;
	for (unsigned k = 0; k < 8; k += 2) {
		world_init(w, &rel);
		w->peers[0].rate = w->peers[1].rate = 400 * 1000;
		world_begin(w, 2);
		world_run_bytes(w, rel.sealed_len * (k + 1) / 10);
		peer_down(&w->peers[0], k % 4 == 0);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		assert_true(w->peers[0].sent > 0 && w->peers[1].sent > 0);
		assert_true(world_progress(w).bytes_twice <=
			    (uint64_t)w->config.max_per_source * rel.chunk_max);
		world_clear(w);
	}
}

static void a_lying_source_is_banned_and_told_of(void **state)
{
	struct world *w = &world;
	struct hf_source_stats s;

	(void)state;
	world_init(w, &rel);
	w->peers[0].manner = LIAR;
	w->peers[0].rate = w->peers[1].rate = 400 * 1000;
	world_begin(w, 2);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->n_told, 1);
	assert_int_equal(w->told_no, 0);
	assert_err(w->told, HF_ERR_AUTH);
	assert_true(hf_fetch_source_get(w->f, &s, 0));
	assert_true(s.is_banned && s.n_chunks == 0);
	assert_true(w->peers[0].sent <= 5 * (uint64_t)rel.chunk_max);
	world_clear(w);
}

static void an_altered_page_is_not_stored_and_its_source_is_out(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	w->peers[0].page_manner = LIAR;
	world_begin(w, 2);
	peer_down(&w->peers[1], true); /* it is known, and waited for */
	assert_false(world_run(w, HOUR / 4));
	assert_int_equal(w->n_told, 1);
	assert_err(w->told, HF_ERR_AUTH);
	assert_int_equal(w->peers[0].sent, 0);
	assert_int_equal(world_progress(w).state, HF_XFER_PARKED_SOURCE);
	/* Back again it is still out; the honest one does it all. */
	peer_down(&w->peers[0], true);
	peer_up(&w->peers[0]);
	peer_up(&w->peers[1]);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->peers[0].sent, 0);
	world_clear(w);
}

/* Whoever waits is told, and a next try asks it again: it may have been mended. */
static void where_every_source_lied_the_fetch_ends(void **state)
{
	struct world *w = &world;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		world_init(w, &rel);
		for (unsigned i = 0; i < 2; i++) {
			w->peers[i].page_manner = k == 0 ? LIAR : HONEST;
			w->peers[i].manner = k == 1 ? LIAR : HONEST;
		}
		world_begin(w, 2);
		assert_true(world_run(w, HOUR));
		assert_err(w->end, HF_ERR_AUTH);
		assert_non_null(strstr(w->why.text, "every source gave other bytes"));
		assert_int_equal(w->n_told, 2);
		for (unsigned i = 0; i < 2; i++)
			w->peers[i].page_manner = w->peers[i].manner = HONEST;
		world_again(w, 2);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		world_clear(w);
	}
}

static void endless_answers_are_cut_and_the_source_is_left_alone(void **state)
{
	struct world *w = &world;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		world_init(w, &rel);
		if (k == 0)
			w->peers[0].page_manner = ENDLESS;
		else
			w->peers[0].manner = ENDLESS;
		w->peers[1].cost = 1; /* asked only where the first one fails */
		world_begin(w, 2);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		assert_true(w->n_told > 0);
		assert_int_equal(w->told_no, 0);
		world_clear(w);
	}
}

static void a_silent_source_holds_nothing_up_for_long(void **state)
{
	struct world *w = &world;
	uint64_t begun;

	(void)state;
	world_init(w, &rel);
	w->peers[0].manner = SILENT;
	w->peers[1].rate = 1000 * 1000;
	begun = w->now;
	world_begin(w, 2);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_true(w->now - begun < 60 * 1000);
	assert_true(world_progress(w).n_hedges > 0);
	world_clear(w);
}

static void a_slow_source_does_not_make_a_slow_end(void **state)
{
	struct world *w = &world;
	uint64_t begun;

	(void)state;
	world_init(w, &rel);
	w->peers[0].rate = 5 * 1000; /* a chunk in four seconds */
	w->peers[1].rate = 1000 * 1000;
	begun = w->now;
	world_begin(w, 2);
	assert_true(world_run(w, HOUR));
	world_is_whole(w, true);
	assert_true(w->now - begun < 60 * 1000);
	assert_int_equal(w->n_failed, 1); /* told once, however often it was */
	assert_int_equal(w->failed_no, 0);
	assert_err(w->failed, HF_ERR_TIMEOUT);
	assert_int_equal(w->n_told, 0);
	world_clear(w);
}

static void an_answer_that_is_none_is_told_of_and_another_source_asked(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	w->peers[0].manner = CUT;
	w->peers[1].cost = 1;
	world_begin(w, 2);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->n_failed, 1);
	assert_int_equal(w->failed_no, 0);
	assert_err(w->failed, HF_ERR_FORMAT);
	world_clear(w);
}

static void what_one_source_lacks_comes_from_another(void **state)
{
	struct world *w = &world;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		world_init(w, &rel);
		w->peers[0].page_manner = k != 1 ? LACKS : HONEST;
		w->peers[0].manner = k != 0 ? LACKS : HONEST;
		w->peers[1].cost = 5;
		world_begin(w, 2);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		assert_true(k == 0 ? w->peers[0].sent == rel.sealed_len : w->peers[0].sent == 0);
		world_clear(w);
	}
}

static void what_nobody_has_is_waited_for(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	w->peers[0].page_manner = LACKS;
	w->peers[0].manner = REFUSES;
	world_begin(w, 1);
	assert_false(world_run(w, 60 * 1000));
	assert_true(w->peers[0].n_asked < 100); /* patiently */
	w->peers[0].page_manner = HONEST;
	assert_false(world_run(w, 60 * 1000));
	assert_int_equal(w->peers[0].sent, 0);
	assert_int_equal(w->n_failed, 0); /* who lacks something does nothing wrong */
	w->peers[0].manner = HONEST;
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	world_clear(w);
}

static void all_sources_die_and_one_comes_back(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	w->peers[0].rate = w->peers[1].rate = 400 * 1000;
	world_begin(w, 2);
	world_run_bytes(w, rel.sealed_len / 2);
	peer_down(&w->peers[0], true);
	peer_down(&w->peers[1], false);
	assert_false(world_run(w, HOUR));
	assert_int_equal(world_progress(w).state, HF_XFER_PARKED_SOURCE);
	assert_true(world_progress(w).n_done > 0);
	peer_up(&w->peers[1]);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_true(world_progress(w).bytes_twice <=
		    2 * (uint64_t)w->config.max_per_source * rel.chunk_max);
	world_clear(w);
}

static void a_fetch_that_is_freed_goes_on_where_it_was(void **state)
{
	struct world *w = &world;

	(void)state;
	for (unsigned k = 1; k < 10; k += 4) {
		world_init(w, &rel);
		w->peers[0].rate = 400 * 1000;
		world_begin(w, 1);
		world_run_bytes(w, rel.sealed_len * k / 10);
		world_again(w, 1);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		assert_true(w->seen->pack_bytes - rel.sealed_len <=
			    (uint64_t)w->config.max_requests * rel.chunk_max);
		world_clear(w);
	}
}

/* One bit of a part turns, or the file is gone: what is not there is fetched again. */
static void what_is_left_is_read_again_before_it_counts(void **state)
{
	struct world *w = &world;
	char file[2 * HF_SM3_LEN + 32];
	char name[2 * HF_SM3_LEN + 1];
	struct stored *s = NULL;
	const char *path;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		uint64_t before;
		int fd;

		world_init(w, &rel);
		w->config.max_requests = w->config.max_per_source = 1;
		w->peers[0].rate = 400 * 1000;
		world_begin(w, 1);
		world_run_bytes(w, PACK + PACK / 2); /* in the middle of the second pack */
		world_end(w);
		before = w->seen->pack_bytes;
		for (size_t i = 0, n = 0; i < rel.n_stored && n < 2; i++)
			if (rel.store[i].kind == HF_OBJECT_PACK) {
				s = &rel.store[i];
				n++;
			}
		hf_hex_emit(name, s->name, HF_SM3_LEN);
		(void)snprintf(file, sizeof(file), "objects/part/pack-%s", name);
		path = test_path(w->dir, file);
		if (k == 0) {
			fd = open(path, O_RDWR | O_CLOEXEC);
			assert_true(fd >= 0);
			assert_int_equal(pwrite(fd, "\x13\x37", 2, CHUNK / 2), 2);
			assert_int_equal(close(fd), 0);
		} else {
			assert_int_equal(unlink(path), 0);
		}
		world_again(w, 1);
		assert_true(world_run(w, HOUR));
		assert_ok(w->end);
		world_is_whole(w, true);
		assert_true(w->seen->pack_bytes > rel.sealed_len);
		assert_true(w->seen->pack_bytes <= rel.sealed_len + before - PACK + rel.chunk_max);
		world_clear(w);
	}
}

static void a_page_that_rotted_in_the_store_is_brought_anew(void **state)
{
	struct world *w = &world;
	char file[2 * HF_SM3_LEN + 32];
	char name[2 * HF_SM3_LEN + 1];
	const char *path;

	(void)state;
	world_init(w, &rel);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	for (size_t i = 0; i < rel.n_stored; i++) {
		if (rel.store[i].kind != HF_OBJECT_TABLE)
			continue;
		hf_hex_emit(name, rel.store[i].name, HF_SM3_LEN);
		(void)snprintf(file, sizeof(file), "objects/table/%s", name);
		path = test_path(w->dir, file);
		assert_int_equal(chmod(path, 0600), 0);
		test_file_put(path, "rotten", 6);
	}
	world_again(w, 1);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->seen->pack_bytes, rel.sealed_len);
	world_clear(w);
}

/* The file of the n-th pack of the release in the store. */
static const char *pack_file(const struct world *w, size_t n, size_t *len)
{
	char file[2 * HF_SM3_LEN + 32];
	char id[2 * HF_SM3_LEN + 1];
	size_t i = 0;

	for (; rel.store[i].kind != HF_OBJECT_PACK || n > 0; i++)
		n -= rel.store[i].kind == HF_OBJECT_PACK;
	*len = rel.store[i].len;
	hf_hex_emit(id, rel.store[i].name, HF_SM3_LEN);
	(void)snprintf(file, sizeof(file), "objects/pack/%s", id);
	return test_path(w->dir, file);
}

/* A pack that is no more as long as it was does not hold a release up that shares it. */
static void a_pack_of_another_length_in_the_store_is_brought_anew(void **state)
{
	static const struct {
		size_t pack;
		off_t more;
	} rows[] = { { 3, -1 }, { 5, 1 << 20 } };
	struct world *w = &world;
	uint64_t bytes = rel.sealed_len;

	(void)state;
	world_init(w, &rel);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		size_t len = 0;
		const char *path = pack_file(w, rows[i].pack, &len);

		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(truncate(path, (off_t)len + rows[i].more), 0);
		bytes += len;
	}
	world_again(w, 1);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	assert_int_equal(w->seen->pack_bytes, bytes);
	world_is_whole(w, true);
	world_clear(w);
}

/* A child that is killed: everything it knew is gone but the store. */
static int fetch_once(void *ctx)
{
	struct world *w = ctx;

	world_open_store(w, UINT64_MAX);
	world_begin(w, 1);
	if (!world_run(w, HOUR) || w->end != HF_OK)
		return 1;
	world_end(w);
	hf_blobs_clear(&w->node.blobs);
	return 0;
}

static void a_kill_at_any_step_costs_what_was_on_its_way(void **state)
{
	struct release *r = calloc(1, sizeof(*r));
	struct world *w = &world;
	unsigned n_runs = 0;
	int made = 0;

	(void)state;
	assert_non_null(r);
	make_release(r, 6, 60, 2000, 8 * 2016);
	for (unsigned n = 1; made != TEST_CRASH_DONE; n += 7) {
		enum test_crash_how how = n % 2 == 0 ? TEST_KILL : TEST_POWER_CUT;

		world_init(w, r);
		hf_blobs_clear(&w->node.blobs);
		made = test_crash_at(n, how, w->dir, fetch_once, w);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_int_equal(test_child(fetch_once, w), 0);
		world_open_store(w, UINT64_MAX);
		world_is_whole(w, true);
		assert_true(w->seen->pack_bytes >= r->sealed_len);
		/* Four requests, and the packs that they had begun. */
		assert_true(w->seen->pack_bytes <= r->sealed_len + 4 * (r->chunk_max + 8 * 2016));
		world_clear(w);
		n_runs++;
	}
	assert_true(n_runs > 15);
	release_clear(r);
	free(r);
}

static void an_increment_survives_a_kill_at_any_step(void **state)
{
	struct release *r = calloc(2, sizeof(*r));
	struct world *w = &world;
	unsigned n_runs = 0;
	int made = 0;

	(void)state;
	assert_non_null(r);
	make_release(&r[0], 6, 40, 2000, 8 * 2016);
	r[1] = (struct release){ .number = 7,
		.lineage = "vision",
		.seed = 7,
		.pack_max = 8 * 2016,
		.base = &r[0],
		.changed = 9 };
	release_make(&r[1], 40, 2000, 0);
	for (unsigned n = 1; made != TEST_CRASH_DONE; n += 11) {
		world_init(w, &r[1]);
		hf_blobs_clear(&w->node.blobs);
		made = test_crash_at(n, TEST_POWER_CUT, w->dir, fetch_once, w);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_int_equal(test_child(fetch_once, w), 0);
		world_open_store(w, UINT64_MAX);
		world_is_whole(w, true);
		world_clear(w);
		n_runs++;
	}
	assert_true(n_runs > 8);
	release_clear(&r[0]);
	release_clear(&r[1]);
	free(r);
}

/* What the bitmap does not say yet is found again, also in one long pack on a slow line. */
static void a_kill_costs_no_more_in_a_long_pack_on_a_slow_line(void **state)
{
	struct release *r = calloc(1, sizeof(*r));
	struct world *w = &world;
	unsigned n_runs = 0;

	(void)state;
	assert_non_null(r);
	make_release(r, 4, 120, 10 * 1024, 0);
	assert_int_equal(r->n_packs, 1);
	for (unsigned n = 20; n < 200; n += 25) {
		int made;

		world_init(w, r);
		w->peers[0].rate = 100 * 1000;
		w->config.max_requests = w->config.max_per_source = 2;
		hf_blobs_clear(&w->node.blobs);
		made = test_crash_at(n, TEST_KILL, w->dir, fetch_once, w);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_int_equal(test_child(fetch_once, w), 0);
		assert_true(w->seen->pack_bytes - r->sealed_len <= 2 * (uint64_t)r->chunk_max);
		world_open_store(w, UINT64_MAX);
		world_is_whole(w, true);
		world_clear(w);
		n_runs++;
	}
	assert_true(n_runs > 4);
	release_clear(r);
	free(r);
}

static void a_store_without_room_says_so_at_once(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	hf_blobs_clear(&w->node.blobs);
	world_open_store(w, rel.sealed_len - 1);
	w->config.manifest = (struct hf_bytes){ rel.manifest.p, rel.manifest.len };
	assert_err(hf_fetch_new(&w->f, &w->config, w->now, &w->why), HF_ERR_FULL);
	assert_null(w->f);
	assert_non_null(strstr(w->why.text, "more than the quota"));
	hf_blobs_clear(&w->node.blobs);
	world_open_store(w, rel.sealed_len); /* the pages do not fit besides */
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	assert_err(w->end, HF_ERR_FULL);
	assert_non_null(strstr(w->why.text, w->dir));
	assert_non_null(strstr(w->why.text, "bytes more, the quota leaves"));
	assert_int_equal(w->seen->pack_bytes, 0);
	assert_int_equal(world_progress(w).state, HF_XFER_FAILED);
	world_clear(w);
}

/* In a child: the disk fills up half-way; with room again the fetch goes on where it was. */
static int fills_the_disk(void *ctx)
{
	struct world *w = ctx;
	char path[TEST_PATH_MAX + 16];
	uint64_t free_bytes = 0;
	uint8_t block[4096] = { 1 };
	int fd;

	if (!test_small_disk(w->dir, 5000))
		return 77;
	world_open_store(w, UINT64_MAX);
	w->peers[0].rate = 400 * 1000;
	world_begin(w, 1);
	world_run_bytes(w, rel.sealed_len / 2);
	(void)snprintf(path, sizeof(path), "%s/other", w->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	while (hf_dir_free_bytes(&free_bytes, w->dir, NULL) == HF_OK && free_bytes > 900 * 1024)
		if (write(fd, block, sizeof(block)) < 0)
			return 1;
	if (!world_run(w, HOUR) || w->end != HF_ERR_FULL)
		return 2;
	if (strstr(w->why.text, w->dir) == NULL || strstr(w->why.text, "bytes more") == NULL)
		return 3;
	if (world_progress(w).n_done < 50)
		return 4;
	/* Room for records is left. */
	if (hf_dir_free_bytes(&free_bytes, w->dir, NULL) != HF_OK ||
		free_bytes < HF_JOURNAL_RESERVE || free_bytes > 800 * 1024)
		return 7;
	(void)close(fd);
	(void)unlink(path);
	world_again(w, 1);
	if (!world_run(w, HOUR) || w->end != HF_OK)
		return 5;
	world_is_whole(w, true);
	return w->seen->pack_bytes <= rel.sealed_len + 6 * rel.chunk_max ? 0 : 6;
}

static int has_no_room(void *ctx)
{
	struct world *w = ctx;

	if (!test_small_disk(w->dir, 2000))
		return 77;
	world_open_store(w, UINT64_MAX);
	world_begin(w, 1);
	if (!world_run(w, HOUR) || w->end != HF_ERR_FULL)
		return 1;
	if (strstr(w->why.text, "bytes more, the disk leaves") == NULL)
		return 2;
	return w->seen->pack_bytes == 0 ? 0 : 3;
}

static void a_full_disk_ends_the_fetch_and_what_came_stays(void **state)
{
	int (*const bodies[])(void *ctx) = { fills_the_disk, has_no_room };
	struct world *w = &world;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bodies); i++) {
		int rc;

		world_init(w, &rel);
		hf_blobs_clear(&w->node.blobs);
		rc = test_child(bodies[i], w);
		test_tmp_delete(w->dir);
		if (rc == 77)
			skip();
		assert_int_equal(rc, 0);
	}
}

static struct hf_wanted wanted(const struct stored *s, uint64_t offset, size_t len)
{
	struct hf_wanted w = { .kind = s->kind, .offset = offset, .len = len };

	memcpy(w.name, s->name, sizeof(w.name));
	return w;
}

static void who_waits_is_served_from_the_middle(void **state)
{
	uint8_t got[2 * CHUNK];
	struct world *w = &world;
	struct stored *last = NULL;
	struct hf_wanted want;
	uint64_t len = 0;

	(void)state;
	for (size_t i = 0; i < rel.n_stored; i++)
		if (rel.store[i].kind == HF_OBJECT_PACK)
			last = &rel.store[i];
	world_init(w, &rel);
	w->config.max_requests = w->config.max_per_source = 1;
	w->peers[0].rate = 400 * 1000;
	world_begin(w, 1);
	want = wanted(last, CHUNK, sizeof(got));
	assert_err(hf_fetch_want(w->f, &want), HF_ERR_AGAIN); /* it may be one of ours */
	assert_err(hf_fetch_pack_len(w->f, want.name, &len), HF_ERR_NOT_FOUND);
	world_run_bytes(w, 1);
	assert_ok(hf_fetch_pack_len(w->f, want.name, &len));
	assert_int_equal(len, last->len);
	assert_err(hf_fetch_want(w->f, &want), HF_ERR_AGAIN);
	assert_err(hf_fetch_read(w->f, &want, got), HF_ERR_AGAIN);
	/* It comes next, not at the end: behind the run that was under way. */
	while (hf_fetch_want(w->f, &want) == HF_ERR_AGAIN)
		assert_false(world_run(w, STEP_MS));
	assert_true(w->seen->pack_bytes < rel.sealed_len / 4);
	assert_ok(hf_fetch_read(w->f, &want, got));
	assert_memory_equal(got, last->bytes + CHUNK, sizeof(got));
	want = wanted(last, last->len - 10, 11);
	assert_err(hf_fetch_want(w->f, &want), HF_ERR_NOT_FOUND);
	assert_err(hf_fetch_read(w->f, &want, got), HF_ERR_NOT_FOUND);
	want.name[0] ^= 1;
	assert_err(hf_fetch_want(w->f, &want), HF_ERR_NOT_FOUND);
	assert_err(hf_fetch_pack_len(w->f, want.name, &len), HF_ERR_NOT_FOUND);
	for (size_t i = 0; i < rel.n_stored; i++) {
		bool is_page = rel.store[i].kind == HF_OBJECT_TABLE ||
			       rel.store[i].kind == HF_OBJECT_INDEX;

		want = wanted(&rel.store[i], 0, 0);
		if (is_page)
			assert_ok(hf_fetch_want(w->f, &want));
		if (is_page)
			want.name[5] ^= 1;
		if (is_page)
			assert_err(hf_fetch_want(w->f, &want), HF_ERR_NOT_FOUND);
	}
	assert_true(world_run(w, HOUR));
	world_is_whole(w, true);
	assert_int_equal(w->seen->pack_bytes, rel.sealed_len);
	world_clear(w);
}

static void equal_packs_of_a_release_are_fetched_once(void **state)
{
	struct world *w = &world;

	(void)state;
	zeros.number = 5;
	zeros.lineage = "vision";
	zeros.seed = 1;
	zeros.is_repeated = true;
	release_make(&zeros, 2048, 300, 2048);
	assert_int_equal(zeros.n_packs, 2);
	world_init(w, &zeros);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	assert_ok(w->end);
	world_is_whole(w, true);
	assert_int_equal(w->seen->pack_bytes, zeros.sealed_len / 2);
	world_clear(w);
	release_clear(&zeros);
}

static void refuses_what_is_no_manifest_and_limits_out_of_range(void **state)
{
	struct world *w = &world;

	(void)state;
	world_init(w, &rel);
	for (size_t len = 0; len < rel.manifest.len; len += 1 + len / 8) {
		w->config.manifest = (struct hf_bytes){ rel.manifest.p, len };
		assert_true(hf_fetch_new(&w->f, &w->config, 0, NULL) != HF_OK);
		assert_null(w->f);
	}
	w->config.manifest.len = rel.manifest.len;
	w->config.max_requests = 0;
	assert_err(hf_fetch_new(&w->f, &w->config, 0, NULL), HF_ERR_ARG);
	w->config.max_requests = 4;
	w->config.max_per_source = 5;
	assert_err(hf_fetch_new(&w->f, &w->config, 0, NULL), HF_ERR_ARG);
	w->config.max_per_source = 4;
	w->config.on_end = NULL;
	assert_err(hf_fetch_new(&w->f, &w->config, 0, NULL), HF_ERR_ARG);
	assert_null(w->f);
	world_clear(w);
}

static void every_allocation_may_fail(void **state)
{
	struct world *w = &world;
	unsigned n = 1;

	(void)state;
	world_init(w, &pages);
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	/* All is there, so it ends well or for this one reason; a page not read is waited for. */
	for (w->end = HF_ERR_NO_MEMORY; w->end != HF_OK; n++) {
		hf_err e;

		world_end(w);
		w->is_over = false;
		w->end = HF_ERR_NO_MEMORY;
		test_mem_fail_at(n);
		e = hf_fetch_new(&w->f, &w->config, w->now, NULL);
		if (e == HF_OK)
			(void)world_run(w, 1000);
		test_mem_fail_at(0);
		assert_true(e == HF_OK || e == HF_ERR_NO_MEMORY);
		assert_true(w->end == HF_OK || w->end == HF_ERR_NO_MEMORY);
	}
	assert_true(n > 5);
	world_is_whole(w, true);
	world_clear(w);
}

static void a_missing_right_to_write_ends_it_with_the_path(void **state)
{
	struct world *w = &world;
	const char *path;

	(void)state;
	world_init(w, &rel);
	path = test_path(w->dir, "resume");
	assert_int_equal(rmdir(path), 0);
	test_file_put(path, "", 0); /* root may write everywhere, but not below a file */
	world_begin(w, 1);
	assert_true(world_run(w, HOUR));
	assert_true(w->end != HF_OK);
	assert_non_null(strstr(w->why.text, path));
	world_clear(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_honest_source_gives_everything_once),
		cmocka_unit_test(without_index_pages_none_are_asked_for),
		cmocka_unit_test(the_second_time_nothing_is_asked_for),
		cmocka_unit_test(packs_of_an_earlier_release_are_not_fetched_twice),
		cmocka_unit_test(an_increment_costs_what_is_new_in_it),
		cmocka_unit_test(who_has_nothing_gets_the_packs_of_earlier_releases_whole),
		cmocka_unit_test(a_part_of_a_pack_that_no_page_lists_whole_is_refused),
		cmocka_unit_test(a_lying_source_of_an_increment_is_banned),
		cmocka_unit_test(an_increment_survives_a_kill_at_any_step),
		cmocka_unit_test(equal_packs_of_a_release_are_fetched_once),
		cmocka_unit_test(two_sources_share_and_one_dies_half_way),
		cmocka_unit_test(a_lying_source_is_banned_and_told_of),
		cmocka_unit_test(an_altered_page_is_not_stored_and_its_source_is_out),
		cmocka_unit_test(where_every_source_lied_the_fetch_ends),
		cmocka_unit_test(endless_answers_are_cut_and_the_source_is_left_alone),
		cmocka_unit_test(a_silent_source_holds_nothing_up_for_long),
		cmocka_unit_test(a_slow_source_does_not_make_a_slow_end),
		cmocka_unit_test(an_answer_that_is_none_is_told_of_and_another_source_asked),
		cmocka_unit_test(what_one_source_lacks_comes_from_another),
		cmocka_unit_test(what_nobody_has_is_waited_for),
		cmocka_unit_test(all_sources_die_and_one_comes_back),
		cmocka_unit_test(a_fetch_that_is_freed_goes_on_where_it_was),
		cmocka_unit_test(what_is_left_is_read_again_before_it_counts),
		cmocka_unit_test(a_page_that_rotted_in_the_store_is_brought_anew),
		cmocka_unit_test(a_pack_of_another_length_in_the_store_is_brought_anew),
		cmocka_unit_test(a_kill_at_any_step_costs_what_was_on_its_way),
		cmocka_unit_test(a_kill_costs_no_more_in_a_long_pack_on_a_slow_line),
		cmocka_unit_test(a_store_without_room_says_so_at_once),
		cmocka_unit_test(a_full_disk_ends_the_fetch_and_what_came_stays),
		cmocka_unit_test(who_waits_is_served_from_the_middle),
		cmocka_unit_test(refuses_what_is_no_manifest_and_limits_out_of_range),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_missing_right_to_write_ends_it_with_the_path),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
