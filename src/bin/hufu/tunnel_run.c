/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life: everything is loaded and every socket is open -> rights are given up, system calls too ->
 * workers begin -> ready -> (SIGHUP: another setup takes over, or the old one stays) -> SIGTERM: no
 * more connections, those that are there may end until the drain time is over -> the rest is reset
 * -> done.
 */
#include "tunnel_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/cpu.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "os/signals.h"
#include "os/unixsock.h"

enum { STATUS_MAX = 256 * 1024 };

/* --- the end --- */

/* Before the loop, and by the thread that runs it. */
static void end_fetch(struct tunnel_setup *s)
{
	if (s == NULL)
		return;
	crl_fetch_end(s->fetch);
	s->fetch = NULL;
}

static void close_handles(struct tunnel_run *r)
{
	end_fetch(r->setup);
	uv_close((uv_handle_t *)&r->signals, NULL);
	uv_close((uv_handle_t *)&r->news, NULL);
	uv_close((uv_handle_t *)&r->drain, NULL);
	if (r->has_control)
		uv_close((uv_handle_t *)&r->control, NULL);
}

static void order_all(struct tunnel_run *r, enum tunnel_order order)
{
	for (unsigned i = 0; i < r->n_workers; i++)
		tunnel_worker_order(&r->workers[i], order);
}

static void on_drained(uv_timer_t *timer)
{
	struct tunnel_run *r = timer->data;

	hufud_log_event(&r->log, "drain-over", NULL, NULL);
	order_all(r, TUNNEL_ABORT);
}

static void stop(struct tunnel_run *r)
{
	if (r->is_draining) { /* asked twice: now */
		order_all(r, TUNNEL_ABORT);
		return;
	}
	r->is_draining = true;
	hf_service_tell("STOPPING=1");
	hufud_log_event(&r->log, "stopping", NULL, NULL);
	order_all(r, TUNNEL_DRAIN);
	(void)uv_timer_start(&r->drain, on_drained, r->setup->config.drain_ms, 0);
}

/* --- another setup --- */

static hf_err read_text(struct tunnel_run *r, struct hf_errinfo *ei)
{
	struct hf_buf text;
	hf_err e;

	if (r->path == NULL)
		return HF_OK;
	hf_buf_init(&text, hf_os_mem(), TUNNEL_CONFIG_MAX);
	e = hf_file_load(&text, r->path, ei);
	if (e != HF_OK)
		return e;
	hf_buf_clear(&r->text);
	r->text = text;
	return HF_OK;
}

/* Doors that are not needed are closed once no worker waits at them any more. */
static void tidy_doors(struct tunnel_run *r)
{
	unsigned serial = r->is_draining ? 0 : r->setup->serial;

	for (unsigned i = 0; i < r->n_workers; i++)
		if (atomic_load(&r->workers[i].serial) != serial)
			return;
	for (size_t i = 0; i < TUNNEL_DOORS_MAX && r->is_draining; i++)
		r->doors[i].is_needed = false;
	tunnel_doors_close(r);
}

static void put_to_work(struct tunnel_run *r, struct tunnel_setup *s)
{
	struct tunnel_setup *old = r->setup;
	struct hufud_line l;

	s->serial = old == NULL ? 1 : old->serial + 1;
	r->setup = s;
	for (size_t i = 0; i < s->config.n_services; i++) {
		const struct tunnel_service *service = &s->config.services[i];

		hufud_line_begin(&l, &r->log, "listening");
		hufud_line_str(&l, "service", service->name);
		hufud_line_str(&l, "side", service->is_server ? "server" : "client");
		hufud_line_str(&l, "address", s->door[i]->address);
		hufud_line_end(&l);
	}
	for (unsigned i = 0; i < r->n_workers; i++)
		tunnel_worker_tell(&r->workers[i], s);
	if (s->fetch != NULL)
		crl_fetch_begin(s->fetch);
	end_fetch(old);
	if (old != NULL)
		tunnel_setup_unref(old, 1);
}

static void reload(struct tunnel_run *r)
{
	struct hf_errinfo ei = { 0 };
	struct tunnel_setup *s = NULL;
	hf_err e = HF_OK;

	if (r->is_draining)
		return;
	hf_service_tell("RELOADING=1");
	e = read_text(r, &ei);
	if (e == HF_OK)
		e = tunnel_setup_new(r, &s, &ei);
	if (e == HF_OK) {
		r->n_reloads++;
		put_to_work(r, s);
		hufud_log_event(&r->log, "reloaded", NULL, NULL);
	} else {
		hufud_log_err(&r->log, "cannot-reload", &ei);
		tidy_doors(r);
	}
	hf_service_tell("READY=1");
}

static void on_news(uv_async_t *async)
{
	struct tunnel_run *r = async->data;
	bool is_over = true;

	for (unsigned i = 0; i < r->n_workers; i++)
		is_over &= atomic_load(&r->workers[i].is_over);
	tidy_doors(r);
	if (is_over && !uv_is_closing((uv_handle_t *)async))
		close_handles(r);
}

/* --- who asks --- */

static void on_signal(uv_poll_t *poll, int status, int events)
{
	struct tunnel_run *r = poll->data;
	int sig = 0;

	(void)events;
	if (status != 0 || hf_signals_next(r->signal_fd, &sig) != HF_OK)
		return;
	if (sig == SIGHUP)
		reload(r);
	else if (sig == SIGUSR1)
		tunnel_status_log(r);
	else
		stop(r);
}

static void on_question(uv_poll_t *poll, int status, int events)
{
	struct tunnel_run *r = poll->data;
	struct hf_sock_addr from;
	struct hf_buf text;
	size_t n = 0;
	int fd = -1;

	(void)status;
	(void)events;
	if (hf_sock_accept(&fd, &from, r->control_fd) != HF_OK)
		return;
	hf_buf_init(&text, hf_os_mem(), STATUS_MAX);
	/* It fits into the socket, or who asked does not get it: nothing waits for anybody. */
	if (tunnel_status_emit(r, &text) == HF_OK &&
		hf_sock_write(fd, text.p, text.len, &n, NULL) == HF_OK && n < text.len)
		hufud_log_event(&r->log, "status-cut", NULL, NULL);
	hf_buf_clear(&text);
	hf_file_close(&fd);
}

/* --- the beginning --- */

static hf_err poll_fd(
	struct tunnel_run *r, uv_poll_t *poll, int fd, uv_poll_cb call, struct hf_errinfo *ei)
{
	int rc = uv_poll_init(hf_loop_uv(r->loop), poll, fd);

	poll->data = r;
	if (rc == 0)
		rc = uv_poll_start(poll, UV_READABLE, call);
	return rc == 0 ? HF_OK : hf_fail_sys(ei, HF_ERR_IO, -rc, "poll: %s", uv_strerror(rc));
}

static hf_err open_loop(struct tunnel_run *r, struct hf_errinfo *ei)
{
	const char *control = r->setup->config.control;

	if (uv_async_init(hf_loop_uv(r->loop), &r->news, on_news) != 0)
		return hf_fail(ei, HF_ERR_IO, "no loop");
	(void)uv_timer_init(hf_loop_uv(r->loop), &r->drain);
	r->news.data = r;
	r->drain.data = r;
	HF_TRY(poll_fd(r, &r->signals, r->signal_fd, on_signal, ei));
	if (control[0] == '\0')
		return HF_OK;
	HF_TRY(hf_unixsock_listen(&r->control_fd, control, 0660, 16, ei));
	HF_TRY(hf_sock_adopt(r->control_fd, ei));
	HF_TRY(poll_fd(r, &r->control, r->control_fd, on_question, ei));
	r->has_control = true;
	return HF_OK;
}

/* How many workers is known before their services are. */
static hf_err count_workers(struct tunnel_run *r, struct hf_errinfo *ei)
{
	struct tunnel_config c = { 0 };
	hf_err e = tunnel_config_parse(&c, r->path != NULL ? r->path : "command line",
		(const char *)r->text.p, r->text.len, ei);

	if (e != HF_OK)
		return e;
	r->n_workers = c.threads != 0 ? c.threads : hf_os_cpu_count();
	if (r->n_workers > TUNNEL_THREADS_MAX)
		r->n_workers = TUNNEL_THREADS_MAX;
	tunnel_config_clear(&c);
	r->workers = hf_mem_array(hf_os_mem(), r->n_workers, sizeof(*r->workers));
	if (r->workers == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < r->n_workers; i++) {
		r->workers[i].run = r;
		r->workers[i].index = i;
	}
	return HF_OK;
}

/* What is fetched later must be kept by who we are now. */
static hf_err check_cache(const struct tunnel_setup *s, struct hf_errinfo *ei)
{
	const char *dir = s->config.crl_cache;

	if (dir[0] == '\0' || access(dir, R_OK | W_OK | X_OK) == 0)
		return HF_OK;
	return hf_fail_sys(ei, HF_ERR_IO, errno,
		"%s: revocation.cache must be writable by the user that the tunnel becomes", dir);
}

/* From here on the system does for this process what running services takes, and no more. */
static hf_err confine(struct tunnel_run *r, struct hf_errinfo *ei)
{
	const struct tunnel_config *c = &r->setup->config;
	struct hf_errinfo why = { 0 };
	hf_err e;

	if (c->user != NULL)
		HF_TRY(hf_service_become(c->user, c->group, ei));
	HF_TRY(check_cache(r->setup, ei));
	HF_TRY(hf_process_harden(ei)); /* another user's process is looked into like any */
	for (size_t i = 0; i < c->n_services; i++)
		if (c->services[i].path[0] != '\0')
			r->may |= HF_SANDBOX_UNLINK;
	if (c->crl_cache[0] != '\0')
		r->may |= HF_SANDBOX_STORE;
	hf_sock_names_load();
	e = hf_sandbox_serve(r->may, &why);
	if (e == HF_ERR_UNSUPPORTED) {
		r->may = HF_SANDBOX_UNLINK | HF_SANDBOX_STORE;
		hufud_log_err(&r->log, "no-sandbox", &why);
		return HF_OK;
	}
	return e == HF_OK ? HF_OK : hf_fail_sys(ei, e, why.sys, "%s", why.text);
}

static hf_err begin(struct tunnel_run *r, struct hf_errinfo *ei)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	struct tunnel_setup *s = NULL;

	HF_TRY(hf_service_fds(&r->handed, ei));
	HF_TRY(hf_process_harden(ei));
	HF_TRY(hf_signals_open(&r->signal_fd, sigs, HF_COUNT(sigs), ei));
	HF_TRY(hf_env_init(&r->env, 0, ei));
	HF_TRY(read_text(r, ei));
	HF_TRY(count_workers(r, ei));
	HF_TRY(hf_loop_new(&r->loop, hf_os_mem(), ei));
	r->has_lock = uv_mutex_init(&r->lists_lock) == 0;
	if (!r->has_lock)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < r->n_workers; i++)
		HF_TRY(tunnel_worker_init(&r->workers[i], ei));
	HF_TRY(tunnel_setup_new(r, &s, ei));
	r->setup = s;
	HF_TRY(open_loop(r, ei));
	HF_TRY(confine(r, ei));
	for (unsigned i = 0; i < r->n_workers; i++)
		HF_TRY(tunnel_worker_start(&r->workers[i], ei));
	r->setup = NULL;
	put_to_work(r, s);
	return HF_OK;
}

static void end(struct tunnel_run *r)
{
	bool has_threads = r->n_workers > 0 && r->workers != NULL && r->workers[0].has_thread;

	if (has_threads && !r->is_draining) /* failed between two threads */
		order_all(r, TUNNEL_ABORT);
	for (unsigned i = 0; r->workers != NULL && i < r->n_workers; i++)
		tunnel_worker_clear(&r->workers[i]);
	end_fetch(r->setup);
	hf_loop_free(r->loop);
	for (size_t i = 0; i < TUNNEL_DOORS_MAX; i++)
		r->doors[i].is_needed = false;
	r->is_draining = true;
	tunnel_doors_close(r);
	if (r->setup != NULL)
		tunnel_setup_unref(r->setup, has_threads ? 1 : atomic_load(&r->setup->refs));
	for (size_t i = 0; i < TUNNEL_TALLIES_MAX; i++) {
		hf_tunnel_gate_free(r->tallies[i].gate);
		hf_mem_free(hf_os_mem(), r->tallies[i].numbers);
		tunnel_memory_free(r->tallies[i].memory);
	}
	hf_mem_free(hf_os_mem(), r->workers);
	if (r->has_lock)
		uv_mutex_destroy(&r->lists_lock);
	if (r->control_fd >= 0 && r->has_control)
		hf_file_close(&r->control_fd);
	hf_file_close(&r->signal_fd);
	hf_env_clear(&r->env);
	hf_buf_clear(&r->text);
}

hf_err tunnel_run(const char *path, const struct hf_buf *text, struct hf_errinfo *ei)
{
	struct tunnel_run *r = hf_mem_new(hf_os_mem(), sizeof(*r));
	hf_err e = HF_OK;

	if (r == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	r->path = path;
	r->log.process = "tunnel";
	r->signal_fd = r->control_fd = -1;
	r->begin_ms = hf_clock_mono_ms();
	hf_buf_init(&r->text, hf_os_mem(), TUNNEL_CONFIG_MAX);
	if (path == NULL)
		e = hf_buf_put(&r->text, text->p, text->len);
	if (e == HF_OK)
		e = begin(r, ei);
	if (e == HF_OK) {
		hufud_log_event(&r->log, "at-work", NULL, NULL);
		hf_service_tell("READY=1");
		hf_loop_run(r->loop);
		hufud_log_event(&r->log, "stopped", NULL, NULL);
	}
	end(r);
	hf_mem_free(hf_os_mem(), r);
	return e;
}
