/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of the network process. It asks the key process who the node is, opens objects and metadata,
 * and then does three things at most: serve (hub, edge), fetch (edge, device), answer local users.
 * Deadlines of all of them share one timer, which is set right before the loop waits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "front.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "os/unixsock.h"

enum {
	KEYD_START_MS = 120 * 1000, /* opening a large audit log takes its time */
	KEYD_ANSWER_MS = 15 * 1000,
	FILES_MAX = 64,      /* open besides those of links */
	GATE_LINK_FILES = 3, /* of a link: its own, and both ends of the inner socket */
	GATE_LANE_FILES = 5, /* of a worker */
	TOKEN_FILE_MAX = 4096,
};

/* --- deadlines --- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void join(struct front *f)
{
	struct hf_errinfo ei = { 0 };

	f->has_joined = false;
	if (front_tls_member(f, &ei) != HF_OK || front_crl_begin(f, &ei) != HF_OK ||
		front_serve_begin(f, &ei) != HF_OK) {
		/* Only a restart helps; the papers are on the disk. */
		hufud_log_err(&f->child.log, "cannot-join", &ei);
		hf_loop_stop(f->loop);
		return;
	}
	hufud_log_event(&f->child.log, "member", "domain", f->member.domain);
	front_dial_end(f, true);
}

static void on_timer(uv_timer_t *timer)
{
	struct front *f = timer->data;
	uint64_t now_ms = front_now(f);

	if (f->is_stopping)
		return;
	if (f->has_joined)
		join(f);
	front_crl_tick(f, now_ms);
	front_tls_tick(f, now_ms);
	front_dial_tick(f, now_ms);
	if (f->agent != NULL)
		hf_agent_tick(f->agent, now_ms);
	if (f->serve != NULL)
		hf_serve_tick(f->serve, now_ms);
	front_local_tick(f, now_ms);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct front *f = prepare->data;
	uint64_t now_ms = front_now(f);
	uint64_t at = f->has_joined ? 0 : front_dial_deadline(f);

	if (f->is_stopping)
		return;
	if (f->agent != NULL)
		at = sooner(at, hf_agent_deadline(f->agent));
	if (f->serve != NULL)
		at = sooner(at, hf_serve_deadline(f->serve));
	at = sooner(at, front_crl_deadline(f));
	at = sooner(at, front_tls_deadline(f));
	at = sooner(at, front_local_deadline(f));
	if (at == UINT64_MAX)
		(void)uv_timer_stop(&f->timer);
	else
		(void)uv_timer_start(&f->timer, on_timer, at > now_ms ? at - now_ms : 0, 0);
}

/* --- the fetching side --- */

static void on_member(void *ctx)
{
	struct front *f = ctx;

	f->has_joined = true; /* dealt with outside of the session that brought it */
}

static void on_bytes(void *ctx)
{
	struct front *f = ctx;

	if (f->serve != NULL && !f->is_stopping)
		hf_serve_wake(f->serve);
}

static hf_err load_token(struct front *f, struct hf_errinfo *ei)
{
	const char *path = f->child.config.token_file;
	struct hf_buf text;
	hf_err e;

	if (path[0] == '\0')
		return hf_fail(ei, HF_ERR_ARG,
			"%s is no member of a domain yet: enrol.token-file is needed",
			f->child.config.node);
	hf_buf_init(&text, f->env.mem, TOKEN_FILE_MAX);
	e = hf_file_load(&text, path, ei);
	while (e == HF_OK && text.len > 0 && text.p[text.len - 1] <= ' ')
		text.len--;
	if (e == HF_OK && (text.len == 0 || text.len >= sizeof(f->token)))
		e = hf_fail(ei, HF_ERR_FORMAT, "%s: holds no enrolment token", path);
	if (e == HF_OK)
		memcpy(f->token, text.p, text.len);
	hf_buf_clear(&text);
	return e;
}

static hf_err begin_agent(struct front *f, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &f->child.config;
	struct hf_agent_config config = {
		.node = &f->node,
		.sources = f->agent_sources,
		.n_sources = c->n_upstreams,
		.follow = c->follow,
		.n_follow = c->n_follow,
		.token = f->node.is_member ? NULL : f->token,
		.poll_ms = c->poll_ms,
		.rate = c->rate,
		.pump = front_dial_pump,
		.on_member = on_member,
		.on_bytes = on_bytes,
		.ctx = f,
	};

	for (size_t i = 0; i < c->n_upstreams; i++)
		f->agent_sources[i] = (struct hf_agent_source){
			.name = c->upstreams[i].name,
			.kind = c->upstreams[i].kind,
			.cost = c->upstreams[i].cost,
			.is_control = c->upstreams[i].is_control,
		};
	if (!f->node.is_member) {
		HF_TRY(load_token(f, ei));
		HF_TRY(front_tls_newcomer(f, ei));
		hufud_log_event(&f->child.log, "enrolling", NULL, NULL);
	}
	front_dial_init(f);
	HF_TRY(hf_agent_new(&f->agent, &config, front_now(f), ei));
	f->up = hf_agent_upstream(f->agent);
	return HF_OK;
}

/* --- the key process --- */

/*
 * Once an answer did not come the next one may be that to an older question: whoever has no key
 * process that answers ends, and both begin anew.
 */
static hf_err exchange(void *ctx, struct hf_buf *reply, const uint8_t *in, size_t in_len)
{
	struct front *f = ctx;
	size_t n_fds = 0;
	hf_err e = HF_ERR_CLOSED;

	uv_mutex_lock(&f->keyd_lock);
	if (!f->is_deaf) {
		e = hf_msg_send(HUFUD_FD_PAIR, in, in_len, NULL, 0, NULL);
		if (e == HF_OK)
			e = hf_msg_receive(HUFUD_FD_PAIR, reply, NULL, 0, &n_fds, NULL);
		if (e != HF_OK) {
			f->is_deaf = true;
			hufud_log_event(&f->child.log, "keyd-silent", "error", hf_err_name(e));
		}
	}
	uv_mutex_unlock(&f->keyd_lock);
	/* Whatever thread this is, the main one has to look. */
	if (f->is_deaf && f->loop != NULL)
		(void)uv_async_send(&f->alarm);
	return e;
}

static void on_alarm(uv_async_t *async)
{
	struct front *f = async->data;

	if (f->is_deaf && !f->is_stopping)
		hf_loop_stop(f->loop);
}

static hf_err ask_keyd(struct front *f, struct hf_errinfo *ei)
{
	struct hf_key_status status;

	f->keys = (struct hf_key_client){
		.mem = f->env.mem, .fd = HUFUD_FD_PAIR, .exchange = exchange, .ctx = f
	};
	HF_TRY(hf_unixsock_timeout(HUFUD_FD_PAIR, KEYD_START_MS));
	HF_TRY(hf_key_status(&f->keys, &status, ei)); /* it is at work now */
	return hf_unixsock_timeout(HUFUD_FD_PAIR, KEYD_ANSWER_MS);
}

/* --- life --- */

/*
 * No more links, and no more objects under way, than there can be open files. Where these are few
 * a third is for objects: a link of which nothing can be had is worth nothing.
 */
static void fit_files(struct front *f)
{
	uint64_t files = hf_process_raise_files();
	uint64_t lanes = f->child.config.workers > 1 ? f->child.config.workers : 0;
	uint64_t own = FILES_MAX + GATE_LANE_FILES * lanes;
	uint64_t spare = files > own + FILES_MAX ? files - own : FILES_MAX;
	uint64_t each = lanes > 0 ? GATE_LINK_FILES : 1;
	uint64_t links = f->child.config.max_links;
	uint64_t objects = HF_SERVE_FILES_MAX;
	struct hufud_line line;

	if (links * each + objects > spare) {
		objects = links * each < spare - spare / 3 ? spare - links * each : spare / 3;
		if (links > (spare - objects) / each)
			links = (spare - objects) / each;
	}
	f->max_files = (uint32_t)objects;
	if (f->child.config.max_links <= links)
		return;
	f->child.config.max_links = (uint32_t)links;
	hufud_line_begin(&line, &f->child.log, "fewer-links");
	hufud_line_num(&line, "links", links);
	hufud_line_num(&line, "open_files", files);
	hufud_line_end(&line);
}

static void stop(void *ctx)
{
	struct front *f = ctx;

	if (f->is_stopping)
		return;
	f->is_stopping = true;
	hufud_log_event(&f->child.log, "stopping", NULL, NULL);
	front_local_close(f);
	front_serve_end(f);
	front_dial_end(f, false);
	front_crl_stop(f);
	/* What is left is links that end; then the loop has nothing to wait for. */
	uv_close((uv_handle_t *)&f->prepare, NULL);
	uv_close((uv_handle_t *)&f->timer, NULL);
}

static hf_err open_node(struct front *f, struct hf_errinfo *ei)
{
	const struct hufud_config *c = &f->child.config;
	const struct hf_node_config config = {
		.dir = c->data,
		.id = c->node,
		.role = c->role,
		.level = c->level,
		.quota = c->quota,
		.channel_life_s = c->channel_life_s,
		.rules = c->grants,
		.n_rules = c->n_grants,
	};
	uint8_t r[8];

	HF_TRY(hf_env_init(&f->env, 0, ei));
	HF_TRY(hf_rng_fill(&f->env.rng, r, sizeof(r)));
	memcpy(&f->next_session, r, sizeof(r));
	HF_TRY(ask_keyd(f, ei));
	fit_files(f);
	return hf_node_open(&f->node, &f->env, &config, &f->keys, ei);
}

static hf_err open_loop(struct front *f, struct hf_errinfo *ei)
{
	HF_TRY(hf_loop_new(&f->loop, f->env.mem, ei));
	if (uv_async_init(hf_loop_uv(f->loop), &f->alarm, on_alarm) != 0)
		return hf_fail(ei, HF_ERR_IO, "the loop cannot be woken up");
	f->alarm.data = f;
	uv_unref((uv_handle_t *)&f->alarm); /* waiting for it keeps nothing alive */
	/* Neither can fail, and stop() closes them. */
	(void)uv_prepare_init(hf_loop_uv(f->loop), &f->prepare);
	(void)uv_timer_init(hf_loop_uv(f->loop), &f->timer);
	f->prepare.data = f;
	f->timer.data = f;
	HF_TRY(hufud_stop_init(&f->stop, f->loop, stop, f, ei));
	(void)uv_prepare_start(&f->prepare, on_prepare);
	return front_local_open(f, ei);
}

static hf_err begin(struct front *f, struct hf_errinfo *ei)
{
	HF_TRY(open_node(f, ei));
	HF_TRY(open_loop(f, ei));
	if (f->child.config.n_upstreams > 0)
		HF_TRY(begin_agent(f, ei));
	if (!f->node.is_member)
		return HF_OK;
	HF_TRY(front_tls_member(f, ei));
	HF_TRY(front_crl_begin(f, ei));
	return front_serve_begin(f, ei);
}

/* Links are over, but for those of a loop that was stopped because of a failure. */
static void end(struct front *f)
{
	if (f->loop != NULL && !f->is_stopping) {
		stop(f);
		hf_loop_run(f->loop);
	}
	front_gate_free(f);
	hf_serve_free(f->serve);
	hf_agent_free(f->agent);
	hf_loop_free(f->loop);
	f->loop = NULL;
	hf_node_close(&f->node);
	front_crl_end(f);
	front_dial_forget(f);
	front_tls_clear(&f->newcomer);
	front_tls_clear(&f->member);
	hf_wipe(f->token, sizeof(f->token));
	hf_env_clear(&f->env);
	hufud_child_clear(&f->child);
	uv_mutex_destroy(&f->keyd_lock);
	hf_mem_free(hf_os_mem(), f);
}

int hufud_front(void)
{
	struct front *f = hf_mem_new(hf_os_mem(), sizeof(*f));
	struct hf_errinfo ei = { 0 };
	hf_err e;

	if (f == NULL)
		return hf_err_exit(HF_ERR_NO_MEMORY);
	if (uv_mutex_init(&f->keyd_lock) != 0)
		abort(); /* so early that nothing is lost: the supervisor says it */
	e = hufud_child_init(&f->child, "front", &ei);
	if (e == HF_OK)
		e = begin(f, &ei);
	if (e == HF_OK) {
		hufud_log_event(
			&f->child.log, "at-work", "role", hf_role_name(f->child.config.role));
		hufud_child_ready(&f->child);
		hf_loop_run(f->loop);
		if (f->is_deaf)
			e = HF_ERR_CLOSED;
		else if (!f->is_stopping)
			e = HF_ERR_INTERNAL;
	} else {
		hufud_log_err(&f->child.log, "cannot-start", &ei);
	}
	end(f);
	return hf_err_exit(e);
}
