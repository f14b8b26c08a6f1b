/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts keyd and front and keeps both running: neither is of use without the other, so when one
 * dies the other goes too, and both begin again.
 *
 *	idle -> starting -> at work -> (a child dies) -> stopping -> waiting 1 s .. 30 s -> starting
 *
 * What can only fail the same way again ends the node instead: a configuration that is wrong, keys
 * or records that are not what they were, and whatever a child says before the node was at work
 *once (a child that was killed says nothing, and is started again), unless the disk is full. If the
 *supervisor itself is killed, the kernel takes the children along, and the next one starts as soon
 *as the lock of the data folder, which every process holds, is free.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/memfd.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/unixsock.h"
#include "roles.h"
#include "svc/journal.h"

enum {
	BACKOFF_MIN_MS = 1000,
	BACKOFF_MAX_MS = 30 * 1000,
	GOOD_MS = 60 * 1000,      /* at work this long: the next failure is a first one again */
	FRONT_STOP_MS = 8 * 1000, /* to end links in an orderly way */
	KEYD_STOP_MS = 8 * 1000,  /* to close the audit log */
	SETTLE_MS = 100,          /* the death of one process shows in the other by then */
	LOCK_WAIT_MS = 3 * 1000,  /* for processes of a supervisor that was killed to go */
	LOCK_STEP_MS = 50,
	EXIT_SIGNAL = 128,
	DISK_FULL = 2 * HF_JOURNAL_RESERVE, /* with room for what another process frees meanwhile */
};

struct child {
	const char *name;
	const char *as;
	struct hf_process process;
	int ready_fd; /* where it tells that it is at work */
	bool is_ready;
	struct hf_process_end end; /* once it has ended */
};

enum { KEYD, FRONT, N_CHILDREN };

struct supervisor {
	struct hufud_log log;
	struct hufud_config config;
	struct hf_buf text; /* path, NUL, file: what the children get */
	int config_fd;
	int lock_fd;
	int signal_fd;
	bool is_stopping;
	bool was_at_work;
	struct child child[N_CHILDREN];
};

static hf_err read_config(struct supervisor *s, const char *path, struct hf_errinfo *ei)
{
	size_t path_len = strlen(path) + 1;
	const char *text;

	if (path_len > HF_PATH_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%.64s...: the path is too long", path);
	hf_buf_init(&s->text, hf_os_mem(), HUFUD_CONFIG_MAX + path_len);
	HF_TRY(hf_buf_put(&s->text, path, path_len));
	HF_TRY(hf_file_load(&s->text, path, ei));
	text = (const char *)s->text.p;
	return hufud_config_parse(&s->config, text, text + path_len, s->text.len - path_len, ei);
}

static hf_err fill(void *ctx, uint8_t *room, size_t len)
{
	const struct hf_buf *text = ctx;

	memcpy(room, text->p, len);
	return HF_OK;
}

static hf_err take_lock(struct supervisor *s, struct hf_errinfo *ei)
{
	uint64_t end_ms = hf_clock_mono_ms() + LOCK_WAIT_MS;
	char path[HF_PATH_MAX];
	struct hf_errinfo why;
	hf_err e;

	HF_TRY(hf_dir_make(s->config.data, 0755, ei));
	HF_TRY(hf_dir_check_own(s->config.data, ei));
	HF_TRY(hf_path_join(path, s->config.data, "keys", ei));
	e = hf_dir_check_own(path, ei);
	if (e != HF_OK && e != HF_ERR_NOT_FOUND) /* not made yet */
		return e;
	*ei = (struct hf_errinfo){ 0 };
	HF_TRY(hf_path_join(path, s->config.data, "hufud.lock", ei));
	for (;;) {
		why = (struct hf_errinfo){ 0 };
		e = hf_file_lock(&s->lock_fd, path, &why);
		if (e != HF_ERR_AGAIN || hf_clock_mono_ms() >= end_ms)
			break;
		hf_clock_sleep_ms(LOCK_STEP_MS);
	}
	if (e == HF_ERR_AGAIN)
		return hf_fail(ei, e, "%s: another hufud runs on this data folder; %s",
			s->config.data, why.text);
	return e == HF_OK ? e : hf_fail_sys(ei, e, why.sys, "%s", why.text);
}

static hf_err start_child(struct supervisor *s, struct child *c, int pair_fd, struct hf_errinfo *ei)
{
	const char *const argv[] = { "hufud", c->as, s->config.node, NULL };
	int ready[2] = { -1, -1 };
	int fds[4] = { pair_fd, s->config_fd, s->lock_fd, -1 };
	const struct hf_process_start how = {
		.argv = argv, .fds = fds, .n_fds = HF_COUNT(fds), .dies_with_parent = true
	};
	struct hufud_line l;
	hf_err e;

	HF_TRY(hf_unixsock_pair(ready, ei));
	fds[3] = ready[1];
	e = hf_process_start(&c->process, &how, ei);
	hf_file_close(&ready[1]);
	if (e != HF_OK) {
		hf_file_close(&ready[0]);
		return e;
	}
	c->ready_fd = ready[0];
	c->is_ready = false;
	(void)!hf_unixsock_timeout(c->ready_fd, 1);
	hufud_line_begin(&l, &s->log, "started");
	hufud_line_str(&l, "child", c->name);
	hufud_line_num(&l, "pid", (uint64_t)c->process.pid);
	hufud_line_end(&l);
	return HF_OK;
}

static hf_err start_both(struct supervisor *s, struct hf_errinfo *ei)
{
	int pair[2] = { -1, -1 };
	hf_err e;

	HF_TRY(hf_unixsock_pair(pair, ei));
	e = start_child(s, &s->child[KEYD], pair[0], ei);
	if (e == HF_OK)
		e = start_child(s, &s->child[FRONT], pair[1], ei);
	hf_file_close(&pair[0]);
	hf_file_close(&pair[1]);
	return e;
}

static bool runs(const struct child *c)
{
	return c->process.pid > 0;
}

/* Did it ever get to work? It may have said so since we last looked. */
static void look_ready(struct child *c)
{
	struct hf_buf message;
	size_t n_fds = 0;

	if (c->is_ready || c->ready_fd < 0)
		return;
	hf_buf_init(&message, hf_os_mem(), 64);
	c->is_ready = hf_msg_receive(c->ready_fd, &message, NULL, 0, &n_fds, NULL) == HF_OK;
	hf_buf_clear(&message);
}

static int exit_code(const struct child *c)
{
	return c->end.is_signal ? EXIT_SIGNAL + c->end.number : c->end.number;
}

static void note_end(struct supervisor *s, struct child *c, int pid)
{
	struct hufud_line l;

	look_ready(c);
	hf_file_close(&c->ready_fd);
	hufud_line_begin(&l, &s->log, "ended");
	hufud_line_str(&l, "child", c->name);
	hufud_line_num(&l, "pid", (uint64_t)pid);
	hufud_line_num(&l, c->end.is_signal ? "signal" : "exit", (uint64_t)c->end.number);
	hufud_line_end(&l);
}

/* Takes note of a child that has ended; false: it runs. */
static bool reap(struct supervisor *s, struct child *c)
{
	int pid = c->process.pid;

	if (!runs(c))
		return true;
	if (hf_process_poll(&c->process, &c->end) == HF_ERR_AGAIN)
		return false;
	note_end(s, c, pid);
	return true;
}

/* The next signal, for at most that long. */
static void wait_signal(struct supervisor *s, uint64_t ms)
{
	int sig = 0;

	if (hf_signals_wait(s->signal_fd, &sig, ms > INT32_MAX ? INT32_MAX : (unsigned)ms) != HF_OK)
		return;
	if (sig == SIGTERM || sig == SIGINT)
		s->is_stopping = true;
}

static void kill_child(struct supervisor *s, struct child *c)
{
	int pid = c->process.pid;

	(void)!hf_process_signal(&c->process, SIGKILL);
	(void)!hf_process_wait(&c->process, &c->end);
	note_end(s, c, pid);
}

/* SIGTERM, time to end in an orderly way, SIGKILL. */
static void stop_child(struct supervisor *s, struct child *c, uint64_t grace_ms)
{
	uint64_t end_ms = hf_clock_mono_ms() + grace_ms;

	if (!reap(s, c))
		(void)!hf_process_signal(&c->process, SIGTERM);
	while (!reap(s, c)) {
		uint64_t now_ms = hf_clock_mono_ms();

		if (now_ms < end_ms) {
			wait_signal(s, end_ms - now_ms);
			continue;
		}
		hufud_log_event(&s->log, "does-not-end", "child", c->name);
		kill_child(s, c);
	}
}

/*
 * From the start of both to the end of both. *cause: the child that ended first, NULL: we stopped
 * them. HF_OK, or why they could not be started.
 */
static hf_err run_once(struct supervisor *s, const struct child **cause, struct hf_errinfo *ei)
{
	hf_err e = start_both(s, ei);

	*cause = NULL;
	hf_process_trim(); /* now it only waits */
	while (e == HF_OK && !s->is_stopping && *cause == NULL) {
		for (size_t i = 0; i < N_CHILDREN; i++)
			if (reap(s, &s->child[i]) && *cause == NULL)
				*cause = &s->child[i];
		if (*cause == NULL)
			wait_signal(s, INT32_MAX);
	}
	/* Without a key process front ends too, and may be seen first. */
	if (*cause == &s->child[FRONT]) {
		hf_clock_sleep_ms(SETTLE_MS);
		if (reap(s, &s->child[KEYD]))
			*cause = &s->child[KEYD];
	}
	/* Front first: what it has to record still finds the key process there, if that runs. */
	if (*cause == &s->child[KEYD] && !reap(s, &s->child[FRONT]))
		kill_child(s, &s->child[FRONT]);
	stop_child(s, &s->child[FRONT], FRONT_STOP_MS);
	stop_child(s, &s->child[KEYD], KEYD_STOP_MS);
	s->was_at_work |= s->child[KEYD].is_ready && s->child[FRONT].is_ready;
	return e;
}

/* Whatever a child died of, a disk without space may be behind it, and may get some. */
static bool is_disk_full(const struct supervisor *s)
{
	uint64_t bytes = 0;

	return hf_dir_free_bytes(&bytes, s->config.data, NULL) == HF_OK && bytes < DISK_FULL;
}

/* True if another try can only end the same way. */
static bool is_hopeless(const struct supervisor *s, const struct child *cause)
{
	int code = exit_code(cause);

	if (cause->end.is_signal)
		return false;
	return (!s->was_at_work && !is_disk_full(s)) || code == hf_err_exit(HF_ERR_ARG) ||
	       code == hf_err_exit(HF_ERR_FORMAT) || code == hf_err_exit(HF_ERR_AUTH) ||
	       code == hf_err_exit(HF_ERR_SELF_TEST);
}

static void wait_backoff(struct supervisor *s, uint64_t ms)
{
	uint64_t end_ms = hf_clock_mono_ms() + ms;
	struct hufud_line l;

	hufud_line_begin(&l, &s->log, "restarting");
	hufud_line_num(&l, "in_ms", ms);
	hufud_line_end(&l);
	while (!s->is_stopping && hf_clock_mono_ms() < end_ms)
		wait_signal(s, end_ms - hf_clock_mono_ms());
}

static int run(struct supervisor *s)
{
	uint64_t backoff_ms = BACKOFF_MIN_MS;

	for (;;) {
		uint64_t start_ms = hf_clock_mono_ms();
		const struct child *cause = NULL;
		struct hf_errinfo ei = { 0 };
		hf_err e = run_once(s, &cause, &ei);

		if (s->is_stopping) {
			hufud_log_event(&s->log, "stopped", NULL, NULL);
			return 0;
		}
		if (e != HF_OK)
			hufud_log_err(&s->log, "cannot-start", &ei);
		if (e != HF_OK && !s->was_at_work)
			return hf_err_exit(e);
		if (cause != NULL && is_hopeless(s, cause)) {
			hufud_log_event(&s->log, "given-up", "child", cause->name);
			return exit_code(cause);
		}
		if (hf_clock_mono_ms() - start_ms >= GOOD_MS)
			backoff_ms = BACKOFF_MIN_MS;
		wait_backoff(s, backoff_ms);
		backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
		if (s->is_stopping)
			return 0;
	}
}

static hf_err begin(struct supervisor *s, const char *config_path, struct hf_errinfo *ei)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGCHLD };

	HF_TRY(read_config(s, config_path, ei));
	s->log.node = s->config.node;
	HF_TRY(hf_signals_open(&s->signal_fd, sigs, HF_COUNT(sigs), ei));
	HF_TRY(take_lock(s, ei));
	return hf_memfd_make(&s->config_fd, "hufud.yaml", s->text.len, fill, &s->text, ei);
}

int hufud_supervise(const char *config_path)
{
	struct supervisor s = {
		.log = { .process = "supervisor" },
		.config_fd = -1,
		.lock_fd = -1,
		.signal_fd = -1,
		.child = { [KEYD] = { .name = "keyd", .as = HUFUD_AS_KEYD, .ready_fd = -1 },
			[FRONT] = { .name = "front", .as = HUFUD_AS_FRONT, .ready_fd = -1 } },
	};
	struct hf_errinfo ei = { 0 };
	int code;

	s.child[KEYD].process = s.child[FRONT].process = HF_PROCESS_EMPTY;
	if (begin(&s, config_path, &ei) == HF_OK) {
		code = run(&s);
	} else {
		fprintf(stderr, "hufud: %s [%s]\n", ei.text, hf_err_name(ei.code));
		code = hf_err_exit(ei.code);
	}
	hf_file_close(&s.config_fd);
	hf_file_close(&s.signal_fd);
	hf_file_close(&s.lock_fd);
	hufud_config_clear(&s.config);
	hf_buf_clear(&s.text);
	return code;
}
