/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key process: messages from front over the pair, from users of this machine over keyd.sock,
 * each answered at once by svc/keyd.h. It opens no network socket. If the audit log cannot be
 * written it ends: what cannot be recorded must not happen.
 */
#include <string.h>

#include "base/attr.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "door.h"
#include "keys/slots.h"
#include "net/loop.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/file.h"
#include "os/lockmem.h"
#include "os/process.h"
#include "roles.h"
#include "stop.h"
#include "svc/domain.h"
#include "svc/env.h"
#include "svc/key_proto.h"
#include "svc/keyd.h"
#include "svc/local.h"

enum {
	ASKERS_MAX = 32,
	ASKER_SLOW_MS = 10 * 1000,
	STRANGER_MESSAGE_MAX = 4096, /* enough to be refused, and recorded */
	PASSPHRASE_MAX = 1024,
	SHARE_FILE_MAX = 4096,
};

struct keyd {
	struct hufud_child child;
	struct hf_env env;
	struct hf_keyd *engine;
	struct hf_loop *loop;
	struct hufud_door *door;
	struct hufud_asker *front;
	struct hufud_stop stop;
	uv_prepare_t prepare;
	uv_timer_t timer;
	bool is_stopping;
	bool is_waiting; /* the audit log waits for space */
	hf_err failed;   /* why it ends by itself */
};

/* --- the root seed of a hub --- */

static hf_err open_by_passphrase(
	struct keyd *k, uint8_t *seed, const struct hf_slots *slots, struct hf_errinfo *ei)
{
	const char *path = k->child.config.passphrase_file;
	struct hf_buf text;
	hf_err e;

	hf_buf_init(&text, k->env.mem, PASSPHRASE_MAX);
	e = hf_file_load(&text, path, ei);
	if (e == HF_OK) {
		/* One line, as echo writes it. */
		while (text.len > 0 &&
			(text.p[text.len - 1] == '\n' || text.p[text.len - 1] == '\r'))
			text.len--;
		e = hf_slots_open_passphrase(seed, slots, text.p, text.len, NULL);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: does not open the root seed", path);
	}
	hf_buf_clear(&text);
	return e;
}

static hf_err load_share(
	struct keyd *k, struct hf_share *share, const char *path, struct hf_errinfo *ei)
{
	struct hf_buf text;
	hf_err e;

	hf_buf_init(&text, k->env.mem, SHARE_FILE_MAX);
	e = hf_file_load(&text, path, ei);
	if (e == HF_OK) {
		e = hf_share_parse(share, (const char *)text.p, text.len, NULL);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: is no share, or was mistyped", path);
	}
	hf_buf_clear(&text);
	return e;
}

static hf_err open_by_shares(
	struct keyd *k, uint8_t *seed, const struct hf_slots *slots, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &k->child.config;
	struct hf_share shares[HF_SHARES_MAX];
	hf_err e = HF_OK;

	for (size_t i = 0; e == HF_OK && i < c->n_share_files; i++)
		e = load_share(k, &shares[i], c->share_files[i], ei);
	if (e == HF_OK)
		e = hf_slots_open_shares(seed, slots, shares, c->n_share_files, ei);
	hf_wipe(shares, sizeof(shares));
	return e;
}

static hf_err unlock(struct keyd *k, uint8_t *seed, struct hf_errinfo *ei)
{
	struct hf_slots slots = { .n_slots = 0 };

	HF_TRY(hf_domain_slots(&slots, &k->env, k->child.config.data, ei));
	if (k->child.config.n_share_files > 0)
		return open_by_shares(k, seed, &slots, ei);
	return open_by_passphrase(k, seed, &slots, ei);
}

/* --- answers --- */

static size_t on_knock(void *ctx, uint32_t uid)
{
	const struct keyd *k = ctx;
	const struct hufud_config *c = &k->child.config;

	if (uid == 0 || uid == hf_process_uid())
		return HF_KEY_MESSAGE_MAX;
	for (size_t i = 0; i < c->n_open_uids; i++)
		if (c->open_uids[i] == uid)
			return HF_KEY_MESSAGE_MAX;
	return STRANGER_MESSAGE_MAX;
}

/* A reply of key_proto.h that says no more than that. */
static void on_busy(void *ctx, struct hufud_asker *a)
{
	static const char text[] = "the key process is busy: too many ask it now; try again";
	uint8_t reply[4 + 2 + sizeof(text) - 1];

	(void)ctx;
	hf_put_be32(reply, HF_ERR_LIMIT);
	hf_put_be16(reply + 4, sizeof(text) - 1);
	memcpy(reply + 6, text, sizeof(text) - 1);
	hufud_asker_send(a, reply, sizeof(reply));
}

static void on_message(void *ctx, struct hufud_asker *a, const uint8_t *bytes, size_t len)
{
	struct keyd *k = ctx;
	enum hf_key_asker who = a == k->front ? HF_ASKER_FRONT : HF_ASKER_LOCAL;
	struct hf_buf reply;

	hf_buf_init(&reply, k->env.mem, HF_KEY_MESSAGE_MAX);
	if (hf_keyd_handle(k->engine, &reply, who, hufud_asker_uid(a), bytes, len) == HF_OK)
		hufud_asker_send(a, reply.p, reply.len);
	else
		hufud_asker_close(a);
	hf_buf_clear(&reply);
}

static void on_gone(void *ctx, struct hufud_asker *a)
{
	struct keyd *k = ctx;

	if (a != k->front)
		return;
	k->front = NULL;
	hufud_log_event(&k->child.log, "front-gone", NULL, NULL);
	if (k->is_stopping)
		hf_loop_stop(k->loop);
}

/*
 * Terminals and service managers signal all processes of a node at once. Front has to end its links
 * first and wants that recorded; if it does not end, the supervisor ends it.
 */
static void stop(void *ctx)
{
	struct keyd *k = ctx;

	k->is_stopping = true;
	if (k->front == NULL)
		hf_loop_stop(k->loop);
}

static void on_timer(uv_timer_t *timer)
{
	struct keyd *k = timer->data;
	struct hf_errinfo ei = { 0 };
	hf_err e = hf_keyd_tick(k->engine, &ei);

	/* A full disk: what must be recorded first is refused until there is space again. */
	if (e == HF_OK || e == HF_ERR_AGAIN) {
		if (e == HF_ERR_AGAIN && !k->is_waiting)
			hufud_log_err(&k->child.log, "audit-waits", &ei);
		if (e == HF_OK && k->is_waiting)
			hufud_log_event(&k->child.log, "audit-goes-on", NULL, NULL);
		k->is_waiting = e == HF_ERR_AGAIN;
		return;
	}
	k->failed = e;
	hufud_log_err(&k->child.log, "audit-failed", &ei);
	hf_loop_stop(k->loop);
}

/* Right before the loop waits: what was answered may have set a new deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct keyd *k = prepare->data;
	uint64_t at = hf_keyd_deadline(k->engine);
	uint64_t now = hf_clock_mono_ms();

	if (at == UINT64_MAX)
		(void)uv_timer_stop(&k->timer);
	else
		(void)uv_timer_start(&k->timer, on_timer, at > now ? at - now : 0, 0);
}

/* --- life --- */

static hf_err open_engine(struct keyd *k, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &k->child.config;
	char arch[32];
	const char *const hardware[] = { arch };
	struct hf_lockmem seed = { .p = NULL };
	struct hf_keyd_config config = {
		.dir = c->data,
		.id = c->node,
		.role = c->role,
		.level = c->level,
		.open_uids = c->open_uids,
		.n_open_uids = c->n_open_uids,
		.hardware = hardware,
		.n_hardware = HF_COUNT(hardware),
	};
	hf_err e = HF_OK;

	(void)snprintf(arch, sizeof(arch), "arch=%s", hf_os_arch());
	if (c->role == HF_ROLE_HUB) {
		HF_TRY(hf_lockmem_init(&seed, HF_KEY_SEED_LEN, ei));
		e = unlock(k, seed.p, ei);
		config.root_seed = seed.p;
	}
	if (e == HF_OK)
		e = hf_keyd_new(&k->engine, &k->env, &config, ei);
	hf_lockmem_clear(&seed);
	return e;
}

static hf_err open_loop(struct keyd *k, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	struct hufud_door_config door = {
		.mem = k->env.mem,
		.path = path,
		.max_askers = ASKERS_MAX,
		.slow_ms = ASKER_SLOW_MS,
		.open_uids = k->child.config.open_uids,
		.n_open_uids = k->child.config.n_open_uids,
		.on_knock = on_knock,
		.on_busy = on_busy,
		.on_message = on_message,
		.on_gone = on_gone,
		.ctx = k,
	};

	HF_TRY(hf_loop_new(&k->loop, k->env.mem, ei));
	HF_TRY(hufud_stop_init(&k->stop, k->loop, stop, k, ei));
	door.loop = k->loop;
	HF_TRY(hf_path_join(path, k->child.config.data, HF_LOCAL_KEYD, ei));
	HF_TRY(hufud_door_open(&k->door, &door, ei));
	HF_TRY(hufud_door_adopt(&k->front, k->door, HUFUD_FD_PAIR, HF_KEY_MESSAGE_MAX, ei));
	(void)uv_prepare_init(hf_loop_uv(k->loop), &k->prepare);
	(void)uv_timer_init(hf_loop_uv(k->loop), &k->timer);
	k->prepare.data = k;
	k->timer.data = k;
	(void)uv_prepare_start(&k->prepare, on_prepare);
	return HF_OK;
}

static const char *state_name(enum hf_key_state state)
{
	switch (state) {
	case HF_KEY_STATE_NEWCOMER: return "newcomer";
	case HF_KEY_STATE_MEMBER: return "member";
	default: return "hub";
	}
}

int hufud_keyd(void)
{
	struct keyd k = { .stop = { .fd = -1 } };
	struct hf_errinfo ei = { 0 };
	hf_err e = hufud_child_init(&k.child, "keyd", &ei);

	if (e == HF_OK)
		e = hf_env_init(&k.env, 0, &ei);
	if (e == HF_OK)
		e = open_engine(&k, &ei);
	if (e == HF_OK)
		e = open_loop(&k, &ei);
	if (e == HF_OK) {
		hufud_log_event(
			&k.child.log, "at-work", "state", state_name(hf_keyd_state(k.engine)));
		hufud_child_ready(&k.child);
		hf_loop_run(k.loop);
		e = k.failed;
	} else {
		hufud_log_err(&k.child.log, "cannot-start", &ei);
	}
	hufud_door_close(k.door);
	hf_loop_free(k.loop);
	hf_keyd_free(k.engine);
	hf_env_clear(&k.env);
	hufud_child_clear(&k.child);
	return hf_err_exit(e);
}
