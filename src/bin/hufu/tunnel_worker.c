/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: a thread with a loop that runs a lane of each service. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "os/heap.h"
#include "tunnel_run.h"

enum { LINES_MAX = 50 }; /* of diagnostics about connections, a second */

/* --- diagnostics --- */

static bool may_say(struct tunnel_worker *w)
{
	uint64_t now_s = hf_clock_mono_ms() / 1000;

	if (now_s != w->log_second) {
		w->log_second = now_s;
		w->n_lines = 0;
	}
	if (w->n_lines++ < LINES_MAX)
		return true;
	w->n_unsaid++;
	return false;
}

static const char *event_name(const struct tunnel_lane *lane, const struct hf_tunnel_event *ev)
{
	bool all = lane->setup->config.logs_all;

	switch (ev->kind) {
	case HF_TUNNEL_IS_OPEN: return all ? "opened" : NULL;
	case HF_TUNNEL_IS_OVER:
		if (ev->err == HF_OK)
			return all ? "closed" : NULL;
		return "failed";
	default: return "refused";
	}
}

static void on_event(void *ctx, const struct hf_tunnel_event *ev)
{
	struct tunnel_lane *lane = ctx;
	struct tunnel_worker *w = lane->worker;
	const char *name = event_name(lane, ev);
	struct hufud_line l;
	char id[40];

	if (name == NULL || !may_say(w))
		return;
	hufud_line_begin(&l, &w->run->log, name);
	hufud_line_str(&l, "service", lane->service->name);
	if (ev->kind != HF_TUNNEL_IS_REFUSED) {
		(void)snprintf(id, sizeof(id), "%u-%" PRIu64, w->index, ev->id);
		hufud_line_str(&l, "connection", id);
	}
	hufud_line_str(&l, "from", ev->from);
	if (ev->peer[0] != '\0')
		hufud_line_str(&l, "peer", ev->peer);
	if (ev->target[0] != '\0')
		hufud_line_str(&l, "target", ev->target);
	if (ev->kind == HF_TUNNEL_IS_OVER) {
		hufud_line_num(&l, "sealed", ev->sealed);
		hufud_line_num(&l, "opened", ev->opened);
		hufud_line_num(&l, "ms", ev->ms);
	}
	if (ev->err != HF_OK)
		hufud_line_err(&l, ev->why);
	if (w->n_unsaid > 0)
		hufud_line_num(&l, "unsaid", w->n_unsaid);
	w->n_unsaid = 0;
	hufud_line_end(&l);
}

/* --- who may --- */

static hf_err on_peer(
	void *ctx, const struct hf_cert *peer, char name[HF_TUNNEL_PEER], struct hf_errinfo *ei)
{
	const struct tunnel_service *s = ((struct tunnel_lane *)ctx)->service;

	_Static_assert((int)HF_TUNNEL_PEER == (int)HF_ACCESS_NAME, "one name");
	if (peer == NULL)
		return hf_fail(ei, HF_ERR_DENIED, "the peer showed no certificate");
	hf_access_name(name, peer);
	/* An operation runs at the highest of the levels involved: the peer must be good for ours.
	 */
	if (s->level > HF_L1 && (!peer->has_identity || peer->identity.level < s->level))
		return hf_fail(ei, HF_ERR_DENIED, "certificate of %s is not for level %d", name,
			(int)s->level);
	if (!s->is_server && s->n_rules == 0)
		return HF_OK; /* the handshake has compared its name */
	return hf_access_check(s->rules, s->n_rules, peer, ei);
}

/* --- lanes --- */

static void end_if_empty(struct tunnel_worker *w)
{
	if (!w->is_ending || w->alive != NULL || uv_is_closing((uv_handle_t *)&w->wake))
		return;
	uv_close((uv_handle_t *)&w->wake, NULL);
}

static void on_gone(void *ctx)
{
	struct tunnel_lane *lane = ctx;
	struct tunnel_worker *w = lane->worker;
	struct tunnel_lane **at = &w->alive;

	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	lane->tunnel = NULL;
	tunnel_lists_unref(lane->lists);
	lane->lists = NULL;
	tunnel_setup_unref(lane->setup, 1);
	end_if_empty(w);
}

/* The lists that the current setup has for the service, held; NULL: it has no such service. */
static struct tunnel_lists *find_lists(struct tunnel_worker *w, const char *name)
{
	struct tunnel_setup *s = w->current;
	struct tunnel_lists *found = NULL;

	uv_mutex_lock(&w->run->lists_lock);
	for (size_t i = 0; found == NULL && i < s->config.n_services; i++)
		if (strcmp(s->config.services[i].name, name) == 0)
			found = tunnel_lists_ref(s->lists[i]);
	uv_mutex_unlock(&w->run->lists_lock);
	return found;
}

/* Its links go by them from their next message on. */
static void use_lists(struct tunnel_lane *lane, struct tunnel_lists *lists)
{
	struct tunnel_lists *old = lane->lists;

	lane->lists = lists;
	lane->tls.crls = lists->crls;
	lane->tls.n_crls = lists->n;
	tunnel_lists_unref(old);
}

/* Whoever is on a list by now goes, also from links that an earlier setup began. */
static void sweep(struct tunnel_worker *w)
{
	for (struct tunnel_lane *lane = w->alive; lane != NULL; lane = lane->next) {
		struct tunnel_lists *lists = find_lists(w, lane->service->name);

		if (lists == NULL)
			continue;
		use_lists(lane, lists);
		hf_tunnel_sweep(lane->tunnel, lists->crls, lists->n);
	}
}

static void lane_start(struct tunnel_worker *w, struct tunnel_lane *lane, size_t i)
{
	const struct tunnel_service *s = lane->service;
	struct tunnel_setup *setup = lane->setup;
	const struct hf_tunnel_config config = {
		.loop = w->loop,
		.mem = hf_os_mem(),
		.tls = &lane->tls,
		.listen_fd = setup->door[i]->fds[w->index],
		.targets = s->targets,
		.n_targets = s->n_targets,
		.sends_proxy = s->sends_proxy,
		.fronts = s->fronts,
		.n_fronts = s->n_fronts,
		.limits = s->limits,
		.gate = setup->tally[i]->gate,
		.numbers = &setup->tally[i]->numbers[w->index],
		.calls = { .on_peer = on_peer, .on_event = on_event, .on_gone = on_gone },
		.ctx = lane,
	};
	struct hf_errinfo ei = { 0 };

	use_lists(lane, find_lists(w, s->name));
	if (hf_tunnel_new(&lane->tunnel, &config, &ei) != HF_OK) {
		hufud_log_err(&w->run->log, "cannot-serve", &ei);
		tunnel_lists_unref(lane->lists);
		lane->lists = NULL;
		tunnel_setup_unref(setup, 1);
		return;
	}
	lane->next = w->alive;
	w->alive = lane;
}

static void stop_lanes(struct tunnel_worker *w)
{
	for (struct tunnel_lane *lane = w->alive; lane != NULL; lane = lane->next)
		hf_tunnel_stop(lane->tunnel); /* it goes in an event of its own */
}

static void take_over(struct tunnel_worker *w, struct tunnel_setup *next)
{
	size_t n = next->config.n_services;
	unsigned serial = next->serial;

	stop_lanes(w);
	w->current = next;
	for (size_t i = 0; i < n; i++)
		lane_start(w, &next->lanes[w->index * n + i], i);
	sweep(w);
	atomic_store(&w->serial, serial);
	(void)uv_async_send(&w->run->news);
}

static void on_wake(uv_async_t *async)
{
	struct tunnel_worker *w = async->data;
	struct tunnel_setup *next = atomic_exchange(&w->next, NULL);
	int order = atomic_load(&w->order);

	if (next != NULL && order == TUNNEL_GO_ON)
		take_over(w, next);
	else if (next != NULL)
		tunnel_setup_unref(next, (unsigned)next->config.n_services);
	if (atomic_exchange(&w->has_lists, false) && w->alive != NULL)
		sweep(w);
	if (order == TUNNEL_GO_ON)
		return;
	w->is_ending = true;
	stop_lanes(w);
	atomic_store(&w->serial, 0);
	(void)uv_async_send(&w->run->news);
	if (order == TUNNEL_ABORT)
		for (struct tunnel_lane *lane = w->alive; lane != NULL; lane = lane->next)
			hf_tunnel_abort(lane->tunnel);
	end_if_empty(w);
}

/* --- life --- */

static void work(void *ctx)
{
	struct tunnel_worker *w = ctx;

	hf_loop_run(w->loop);
	atomic_store(&w->is_over, true);
	(void)uv_async_send(&w->run->news);
}

hf_err tunnel_worker_init(struct tunnel_worker *w, struct hf_errinfo *ei)
{
	int rc;

	HF_TRY(hf_env_init(&w->env, 0, ei));
	HF_TRY(hf_loop_new(&w->loop, hf_os_mem(), ei));
	rc = uv_async_init(hf_loop_uv(w->loop), &w->wake, on_wake);
	if (rc != 0)
		return hf_fail_sys(ei, HF_ERR_IO, -rc, "worker: %s", uv_strerror(rc));
	w->wake.data = w;
	atomic_store(&w->serial, TUNNEL_SERIAL_NONE);
	return HF_OK;
}

hf_err tunnel_worker_start(struct tunnel_worker *w, struct hf_errinfo *ei)
{
	int rc = uv_thread_create(&w->thread, work, w);

	if (rc != 0)
		return hf_fail_sys(ei, HF_ERR_NO_MEMORY, -rc, "worker: %s", uv_strerror(rc));
	w->has_thread = true;
	return HF_OK;
}

void tunnel_worker_tell(struct tunnel_worker *w, struct tunnel_setup *next)
{
	struct tunnel_setup *old = atomic_exchange(&w->next, next);

	if (old != NULL) /* it was never begun here */
		tunnel_setup_unref(old, (unsigned)old->config.n_services);
	(void)uv_async_send(&w->wake);
}

void tunnel_worker_lists(struct tunnel_worker *w)
{
	atomic_store(&w->has_lists, true);
	if (!atomic_load(&w->is_over))
		(void)uv_async_send(&w->wake);
}

void tunnel_worker_order(struct tunnel_worker *w, enum tunnel_order order)
{
	atomic_store(&w->order, order);
	/* After its end the handle is gone; nobody asks it for anything then. */
	if (!atomic_load(&w->is_over))
		(void)uv_async_send(&w->wake);
}

void tunnel_worker_clear(struct tunnel_worker *w)
{
	if (w->has_thread)
		(void)uv_thread_join(&w->thread);
	hf_loop_free(w->loop);
	hf_env_clear(&w->env);
	memset(w, 0, sizeof(*w));
}
