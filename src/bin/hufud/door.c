/* SPDX-License-Identifier: Apache-2.0 */
/* The door over libuv's pipes. What is read and sent is wiped: in keyd it may be a key. */
#include "door.h"

#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "os/process.h"
#include "os/unixsock.h"

enum {
	HEAD_LEN = 4,
	SCRATCH_LEN = 64 * 1024,
	BACKLOG = 32,
	LETTERS_MAX = 8, /* to one asker, not sent yet */
	SOCKET_MODE = 0666,
	IDLE_MS = 3 * 1000, /* who asked nothing by then goes when a place is needed */
};

enum rank { STRANGER, USER, OWNER, RANKS };

/* Of how many eighths of the places one user may have so many, and all up to its rank. */
static const struct {
	uint32_t each;
	uint32_t all;
} shares[RANKS] = {
	[STRANGER] = { 1, 2 },
	[USER] = { 4, 6 },
	[OWNER] = { 8, 8 },
};

struct hufud_asker {
	struct hufud_door *door;
	struct hufud_asker *next;
	uv_pipe_t pipe;
	uint32_t uid;
	enum rank rank;
	uint64_t knock_ms; /* when it came */
	size_t message_max;
	struct hf_buf in;
	uint64_t end_ms; /* of its patience; UINT64_MAX: none */
	void *ctx;
	unsigned n_writes;
	bool has_asked;
	bool is_placeless; /* handed in, or turned away */
	bool is_ending;    /* no more messages; closes when all is sent */
	bool is_closing;   /* libuv is letting go */
};

struct hufud_door {
	struct hufud_door_config config;
	uv_pipe_t pipe;
	uv_timer_t timer; /* looks for askers that are too slow */
	struct hufud_asker *askers;
	uint32_t n_askers;
	unsigned n_handles; /* of the door's own, not let go yet */
	bool is_closing;
	uint8_t scratch[SCRATCH_LEN];
};

struct letter {
	uv_write_t write;
	struct hufud_asker *to;
	size_t len;
	uint8_t bytes[];
};

static void door_free_if_over(struct hufud_door *d)
{
	if (d->is_closing && d->n_handles == 0 && d->n_askers == 0)
		hf_mem_free(d->config.mem, d);
}

static void on_asker_closed(uv_handle_t *handle)
{
	struct hufud_asker *a = handle->data;
	struct hufud_door *d = a->door;

	for (struct hufud_asker **at = &d->askers; *at != NULL; at = &(*at)->next) {
		if (*at != a)
			continue;
		*at = a->next;
		break;
	}
	d->n_askers--;
	hf_buf_clear(&a->in);
	hf_mem_free(d->config.mem, a);
	door_free_if_over(d);
}

/* At once; what is not sent yet is lost. */
static void asker_drop(struct hufud_asker *a)
{
	if (a->is_closing)
		return;
	a->is_closing = true;
	a->is_ending = true;
	if (a->has_asked && a->door->config.on_gone != NULL)
		a->door->config.on_gone(a->door->config.ctx, a);
	uv_close((uv_handle_t *)&a->pipe, on_asker_closed);
}

static uint64_t now_ms(const struct hufud_door *d)
{
	return hf_loop_now_ms(d->config.loop);
}

static void be_patient(struct hufud_asker *a)
{
	if (a->end_ms != UINT64_MAX)
		a->end_ms = now_ms(a->door) + a->door->config.slow_ms;
}

/* Takes every message that is whole, as long as the asker takes the answers. */
static void take_messages(struct hufud_asker *a)
{
	const struct hufud_door_config *c = &a->door->config;

	while (!a->is_ending && a->n_writes < LETTERS_MAX && a->in.len >= HEAD_LEN) {
		size_t len = hf_get_be32(a->in.p);

		if (len > a->message_max) {
			asker_drop(a);
			return;
		}
		if (a->in.len - HEAD_LEN < len)
			return;
		a->has_asked = true;
		be_patient(a);
		c->on_message(c->ctx, a, a->in.p + HEAD_LEN, len);
		hf_buf_drop(&a->in, HEAD_LEN + len);
	}
	if (a->in.len == 0)
		hf_buf_clear(&a->in);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct hufud_asker *a = handle->data;

	(void)wanted;
	*buf = uv_buf_init((char *)a->door->scratch, SCRATCH_LEN);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct hufud_asker *a = stream->data;
	hf_err e = HF_OK;

	if (n > 0 && !a->is_ending)
		e = hf_buf_put(&a->in, buf->base, (size_t)n);
	if (n > 0)
		hf_wipe(buf->base, (size_t)n);
	if (n < 0 || e != HF_OK)
		asker_drop(a);
	else if (n > 0)
		take_messages(a);
}

static void on_written(uv_write_t *write, int status)
{
	struct letter *letter = write->data;
	struct hufud_asker *a = letter->to;

	hf_wipe(letter->bytes, letter->len);
	hf_mem_free(a->door->config.mem, letter);
	a->n_writes--;
	if (status != 0 || (a->is_ending && a->n_writes == 0))
		asker_drop(a);
	else
		take_messages(a);
}

void hufud_asker_send(struct hufud_asker *a, const void *bytes, size_t len)
{
	struct letter *letter;
	uv_buf_t buf;

	if (a->is_ending)
		return;
	if (a->n_writes == LETTERS_MAX) { /* it waits for news and reads none */
		asker_drop(a);
		return;
	}
	letter = len > UINT32_MAX - HEAD_LEN
			 ? NULL
			 : hf_mem_new(a->door->config.mem, sizeof(*letter) + HEAD_LEN + len);
	if (letter == NULL) {
		asker_drop(a);
		return;
	}
	letter->to = a;
	letter->len = HEAD_LEN + len;
	letter->write.data = letter;
	hf_put_be32(letter->bytes, (uint32_t)len);
	memcpy(letter->bytes + HEAD_LEN, bytes, len);
	buf = uv_buf_init((char *)letter->bytes, (unsigned)letter->len);
	be_patient(a);
	if (uv_write(&letter->write, (uv_stream_t *)&a->pipe, &buf, 1, on_written) == 0) {
		a->n_writes++;
		return;
	}
	hf_wipe(letter->bytes, letter->len);
	hf_mem_free(a->door->config.mem, letter);
	asker_drop(a);
}

void hufud_asker_close(struct hufud_asker *a)
{
	a->is_ending = true;
	if (a->n_writes == 0)
		asker_drop(a);
}

void hufud_asker_wait(struct hufud_asker *a)
{
	a->end_ms = UINT64_MAX;
}

uint32_t hufud_asker_uid(const struct hufud_asker *a)
{
	return a->uid;
}

void *hufud_asker_ctx(const struct hufud_asker *a)
{
	return a->ctx;
}

void hufud_asker_ctx_set(struct hufud_asker *a, void *ctx)
{
	a->ctx = ctx;
}

static struct hufud_asker *asker_new(struct hufud_door *d)
{
	struct hufud_asker *a = hf_mem_new(d->config.mem, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->door = d;
	a->knock_ms = now_ms(d);
	a->end_ms = a->knock_ms + d->config.slow_ms;
	(void)uv_pipe_init(hf_loop_uv(d->config.loop), &a->pipe, 0);
	a->pipe.data = a;
	a->next = d->askers;
	d->askers = a;
	d->n_askers++;
	return a;
}

static enum rank rank_of(const struct hufud_door_config *c, uint32_t uid)
{
	if (uid == 0 || uid == hf_process_uid())
		return OWNER;
	for (size_t i = 0; i < c->n_open_uids; i++)
		if (c->open_uids[i] == uid)
			return USER;
	return STRANGER;
}

/* Whether both are of one user; or, of_rank, neither is of a higher rank than a. */
static bool shares_with(const struct hufud_asker *a, const struct hufud_asker *other, bool of_rank)
{
	if (other->is_placeless || other->is_closing)
		return false;
	return of_rank ? other->rank <= a->rank : other->uid == a->uid;
}

/* A place within what a and others may have together; who is silent may have to go for it. */
static bool has_place(struct hufud_asker *a, bool of_rank)
{
	struct hufud_door *d = a->door;
	uint32_t eighths = of_rank ? shares[a->rank].all : shares[a->rank].each;
	uint32_t max = d->config.max_askers * eighths / 8;
	struct hufud_asker *silent = NULL;
	uint32_t n = 0;

	for (struct hufud_asker *other = d->askers; other != NULL; other = other->next) {
		if (!shares_with(a, other, of_rank))
			continue;
		n++;
		if (!other->has_asked && now_ms(d) - other->knock_ms >= IDLE_MS)
			silent = other; /* the oldest comes last */
	}
	if (n <= max)
		return true;
	if (silent != NULL)
		asker_drop(silent);
	return silent != NULL;
}

/* message_max 0: refused. */
static void asker_begin(struct hufud_asker *a, size_t message_max)
{
	a->message_max = message_max;
	hf_buf_init(&a->in, a->door->config.mem, HEAD_LEN + message_max + SCRATCH_LEN);
	if (message_max == 0 || uv_read_start((uv_stream_t *)&a->pipe, on_alloc, on_read) != 0)
		asker_drop(a);
}

/* It hears why, and is not heard. */
static void turn_away(struct hufud_asker *a)
{
	a->is_placeless = true;
	hf_buf_init(&a->in, a->door->config.mem, 0);
	a->door->config.on_busy(a->door->config.ctx, a);
	hufud_asker_close(a);
}

static void on_timer(uv_timer_t *timer)
{
	struct hufud_door *d = timer->data;
	struct hufud_asker *next;

	for (struct hufud_asker *a = d->askers; a != NULL; a = next) {
		next = a->next;
		if (now_ms(d) >= a->end_ms)
			asker_drop(a);
	}
	if (d->n_askers == 0)
		(void)uv_timer_stop(&d->timer);
}

static void on_knock(uv_stream_t *server, int status)
{
	struct hufud_door *d = server->data;
	struct hf_unixsock_peer peer = { 0 };
	struct hufud_asker *a;
	uv_os_fd_t fd = -1;
	bool is_known;

	if (status != 0 || d->is_closing)
		return;
	a = asker_new(d);
	if (a == NULL)
		return; /* it stays in the queue until another one goes */
	is_known = uv_accept(server, (uv_stream_t *)&a->pipe) == 0 &&
		   uv_fileno((uv_handle_t *)&a->pipe, &fd) == 0 &&
		   hf_unixsock_peer(&peer, fd, NULL) == HF_OK;
	a->uid = peer.uid;
	a->rank = rank_of(&d->config, peer.uid);
	if (is_known && !(has_place(a, false) && has_place(a, true)))
		turn_away(a);
	else
		asker_begin(a, is_known ? d->config.on_knock(d->config.ctx, peer.uid) : 0);
	if (!uv_is_active((uv_handle_t *)&d->timer))
		(void)uv_timer_start(&d->timer, on_timer, d->config.slow_ms, 1000);
}

static void on_door_closed(uv_handle_t *handle)
{
	struct hufud_door *d = handle->data;

	d->n_handles--;
	door_free_if_over(d);
}

hf_err hufud_door_open(
	struct hufud_door **out, const struct hufud_door_config *config, struct hf_errinfo *ei)
{
	struct hufud_door *d;
	int fd = -1;
	int rc;

	HF_TRY(hf_unixsock_listen(&fd, config->path, SOCKET_MODE, BACKLOG, ei));
	d = hf_mem_new(config->mem, sizeof(*d));
	if (d == NULL) {
		(void)close(fd);
		return hf_fail(ei, HF_ERR_NO_MEMORY, "%s: out of memory", config->path);
	}
	d->config = *config;
	(void)uv_pipe_init(hf_loop_uv(config->loop), &d->pipe, 0);
	(void)uv_timer_init(hf_loop_uv(config->loop), &d->timer);
	d->pipe.data = d;
	d->timer.data = d;
	d->n_handles = 2;
	rc = uv_pipe_open(&d->pipe, fd);
	if (rc != 0)
		(void)close(fd);
	else
		rc = uv_listen((uv_stream_t *)&d->pipe, BACKLOG, on_knock);
	if (rc != 0) {
		hufud_door_close(d);
		return hf_fail_sys(ei, HF_ERR_IO, -rc, "%s: %s", config->path, uv_strerror(rc));
	}
	*out = d;
	return HF_OK;
}

hf_err hufud_door_adopt(struct hufud_asker **out, struct hufud_door *d, int fd, size_t message_max,
	struct hf_errinfo *ei)
{
	struct hufud_asker *a = asker_new(d);
	int rc;

	if (a == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	a->end_ms = UINT64_MAX;
	a->is_placeless = true;
	rc = uv_pipe_open(&a->pipe, fd);
	if (rc != 0) {
		asker_drop(a);
		return hf_fail_sys(ei, HF_ERR_IO, -rc, "descriptor %d: %s", fd, uv_strerror(rc));
	}
	asker_begin(a, message_max);
	*out = a;
	return HF_OK;
}

void hufud_door_close(struct hufud_door *d)
{
	struct hufud_asker *next;

	if (d == NULL || d->is_closing)
		return;
	d->is_closing = true;
	for (struct hufud_asker *a = d->askers; a != NULL; a = next) {
		next = a->next;
		asker_drop(a);
	}
	uv_close((uv_handle_t *)&d->pipe, on_door_closed);
	uv_close((uv_handle_t *)&d->timer, on_door_closed);
}
