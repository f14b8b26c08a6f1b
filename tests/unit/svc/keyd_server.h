/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key process of a node behind its keyd.sock, served by a thread of the test. A hook may spoil
 * what it answers.
 */
#ifndef TEST_KEYD_SERVER_H
#define TEST_KEYD_SERVER_H

#include "keyd_world.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/unixsock.h"
#include "svc/local.h"

/* How the thread spoils answers of the key process. */
enum spoil {
	HONEST,
	HANG_UP,
	CUT_SHORT,   /* the connection ends inside the answer */
	TOO_LONG,    /* an answer longer than any */
	GARBLED,     /* a byte less in it */
	LEVEL_THREE, /* the device works at level 3 */
	LEVEL_NONE,  /* at a level that there is not */
	OTHER_KEY,   /* the content key of another release */
	OTHER_MODEL, /* another lineage than was asked for */
	NO_UPLOADS,  /* hangs up instead of signing one */
};

static _Atomic enum spoil spoil;
static _Atomic unsigned n_reports; /* of objects that are not whole */
static struct node *served;
static int listener = -1;
static pthread_t server;

/* The level in an answer to STATUS: behind code, text, state and role. */
static inline void set_level(struct hf_buf *reply, uint8_t level)
{
	reply->p[4 + 2 + 4 + 4] = level;
}

/* The lineage in a request to open: kind, length, text. */
static inline void ask_for_other(uint8_t *in, size_t in_len, const char *name)
{
	if (in_len == 3 + strlen(name))
		memcpy(in + 3, name, strlen(name));
}

/* One request; false: hang up. */
static inline bool serve_one(int fd, uint32_t uid, struct hf_buf *in, struct hf_buf *out)
{
	static const uint8_t too_long[] = { 0x7f, 0xff, 0xff, 0xff };
	static const uint8_t cut[] = { 0, 0, 0, 50, 1, 2, 3 };
	uint8_t kind = in->p[0];

	if (spoil == HANG_UP && kind == HF_KEYREQ_OPEN)
		return false;
	if (spoil == NO_UPLOADS && kind == HF_KEYREQ_SIGN_UPLOAD)
		return false;
	if (spoil == CUT_SHORT && kind == HF_KEYREQ_OPEN) {
		(void)!write(fd, cut, sizeof(cut));
		return false;
	}
	if (spoil == TOO_LONG && kind == HF_KEYREQ_OPEN) {
		(void)!write(fd, too_long, sizeof(too_long));
		return false;
	}
	n_reports += kind == HF_KEYREQ_REPORT;
	if (spoil == OTHER_MODEL && kind == HF_KEYREQ_OPEN)
		ask_for_other(in->p, in->len, "other1");
	if (hf_keyd_handle(served->k, out, HF_ASKER_LOCAL, uid, in->p, in->len) != HF_OK)
		return false;
	if (kind == HF_KEYREQ_STATUS && spoil == LEVEL_THREE)
		set_level(out, HF_L3);
	if (kind == HF_KEYREQ_STATUS && spoil == LEVEL_NONE)
		set_level(out, 4);
	if (kind == HF_KEYREQ_OPEN && spoil == OTHER_KEY)
		out->p[out->len - 1] ^= 1;
	if (kind == HF_KEYREQ_OPEN && spoil == GARBLED)
		out->len--;
	return hf_msg_send(fd, out->p, out->len, NULL, 0, NULL) == HF_OK;
}

static inline void serve_user(int fd)
{
	struct hf_buf in = buf_new();
	struct hf_buf out = buf_new();
	struct hf_unixsock_peer peer = { 0 };
	size_t n_fds = 0;

	(void)!hf_unixsock_peer(&peer, fd, NULL);
	while (hf_msg_receive(fd, &in, NULL, 0, &n_fds, NULL) == HF_OK && in.len > 0) {
		if (!serve_one(fd, peer.uid, &in, &out))
			break;
		hf_buf_reset(&in);
		hf_buf_reset(&out);
	}
	hf_buf_clear(&in);
	hf_buf_clear(&out);
	(void)close(fd);
}

static inline void *serve(void *ctx)
{
	int fd = -1;

	(void)ctx;
	while (hf_unixsock_accept(&fd, listener, NULL) == HF_OK)
		serve_user(fd);
	return NULL;
}

static inline void keyd_listen(struct node *n)
{
	char path[3 * TEST_PATH_MAX];

	served = n;
	(void)snprintf(path, sizeof(path), "%s/%s", n->dir, HF_LOCAL_KEYD);
	assert_ok(hf_unixsock_listen(&listener, path, 0666, 8, NULL));
	assert_int_equal(pthread_create(&server, NULL, serve, NULL), 0);
}

static inline void keyd_stop(void)
{
	(void)shutdown(listener, SHUT_RDWR);
	assert_int_equal(pthread_join(server, NULL), 0);
	(void)close(listener);
	listener = -1;
}

#endif
