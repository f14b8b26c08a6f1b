/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu run: a command with the files of a model as paths that only it has. Files lie in sealed
 * memory files, which the child inherits as descriptors 3, 4, ...; this process keeps them locked
 * until the child has ended, hands signals on, and ends as the child did.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "cmd.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/tty.h"
#include "progress.h"
#include "sdk/sdk_model.h"

enum {
	RUN_ARGS_MAX = 4096,    /* words of the command */
	RUN_TEXT_MAX = 2 << 20, /* bytes of all of them */
	WAIT_MS = 1000,
	EXIT_BY_SIGNAL = 128, /* as shells do: 128 and the number of the signal */
};

struct running {
	struct hufu_model *model;
	size_t first; /* number of the file that {} stands for */
	int fds[HF_PROCESS_FDS_MAX];
	size_t file[HF_PROCESS_FDS_MAX]; /* number of the file behind fds[i] */
	size_t n_fds;
	struct hf_buf text; /* all words, each with its terminator */
	size_t *at;         /* where each begins */
	const char **argv;
	char program[HF_PATH_MAX];
};

/* The path of a file for the child; the file is opened now if it has not been. */
static hf_err child_path(
	struct running *r, size_t number, char path[HF_MEMFD_PATH_MAX], struct hf_errinfo *ei)
{
	const struct hf_sdk_file *f = &r->model->files[number];
	size_t i = 0;

	while (i < r->n_fds && r->file[i] != number)
		i++;
	if (i == HF_PROCESS_FDS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "the command names more than %d files",
			HF_PROCESS_FDS_MAX);
	if (i == r->n_fds) {
		HF_TRY(hf_sdk_model_load(r->model, number, ei));
		if (f->memory.fd < 0)
			return hf_fail(ei, HF_ERR_FORMAT,
				"%s is empty: there is no memory file of it", f->f.path);
		r->fds[i] = f->memory.fd;
		r->file[i] = number;
		r->n_fds++;
	}
	hf_memfd_path(path, HF_PROCESS_FD_FIRST + (int)i);
	return HF_OK;
}

/* The file that "{...}" at the start of text means; len: of the whole. False: none. */
static bool is_place(const struct running *r, const char *text, size_t *number, size_t *len)
{
	const char *end = strchr(text, '}');
	char name[HF_PKG_PATH_MAX + 1];
	size_t n;

	if (text[0] != '{' || end == NULL)
		return false;
	n = (size_t)(end - text) - 1;
	*len = n + 2;
	*number = r->first;
	if (n == 0)
		return true;
	if (n >= sizeof(name))
		return false;
	memcpy(name, text + 1, n);
	name[n] = '\0';
	return hf_sdk_model_find(r->model, number, name, NULL) == HF_OK;
}

/* Appends one word of the command with every {} and {name} replaced. */
static hf_err put_word(struct running *r, const char *word, bool *has_place, struct hf_errinfo *ei)
{
	char path[HF_MEMFD_PATH_MAX];
	size_t number = 0;
	size_t len = 0;

	while (*word != '\0') {
		if (is_place(r, word, &number, &len)) {
			*has_place = true;
			HF_TRY(child_path(r, number, path, ei));
			HF_TRY(hf_buf_put(&r->text, path, strlen(path)));
			word += len;
		} else {
			HF_TRY(hf_buf_put(&r->text, word, 1));
			word++;
		}
	}
	return hf_buf_put(&r->text, "", 1);
}

static hf_err make_argv(struct running *r, char **rest, struct hf_errinfo *ei)
{
	bool has_place = false;
	size_t n = 0;

	while (rest[n] != NULL)
		n++;
	if (n > RUN_ARGS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "a command of more than %d words", RUN_ARGS_MAX);
	r->at = hf_mem_array(hf_os_mem(), n, sizeof(*r->at));
	r->argv = hf_mem_array(hf_os_mem(), n + 1, sizeof(*r->argv));
	if (r->at == NULL || r->argv == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		r->at[i] = r->text.len;
		HF_TRY(put_word(r, rest[i], &has_place, ei));
	}
	for (size_t i = 0; i < n; i++)
		r->argv[i] = (const char *)r->text.p + r->at[i];
	if (!has_place)
		return hf_fail(ei, HF_ERR_ARG,
			"the command has no {}: where shall the path of the model stand?");
	return HF_OK;
}

static bool is_program(const char *path)
{
	struct hf_file_stat st;

	return access(path, X_OK) == 0 && (hf_file_stat(&st, path, NULL) != HF_OK || !st.is_dir);
}

/* The program that a shell would run by this name. */
static hf_err find_program(char out[HF_PATH_MAX], const char *name, struct hf_errinfo *ei)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') != NULL) {
		if (snprintf(out, HF_PATH_MAX, "%s", name) >= HF_PATH_MAX)
			return hf_fail(ei, HF_ERR_LIMIT, "%.64s...: the path is too long", name);
		return HF_OK;
	}
	for (; path != NULL && *path != '\0'; path += *path == ':') {
		size_t len = strcspn(path, ":");
		int n = len == 0 ? snprintf(out, HF_PATH_MAX, "./%s", name)
				 : snprintf(out, HF_PATH_MAX, "%.*s/%s", (int)len, path, name);

		if (n > 0 && n < HF_PATH_MAX && is_program(out))
			return HF_OK;
		path += len;
	}
	return hf_fail(ei, HF_ERR_NOT_FOUND, "%s: no such program in $PATH", name);
}

/* A terminal sends these to the child as well. */
static bool is_from_terminal(int sig)
{
	return (sig == SIGINT || sig == SIGQUIT) && (hf_tty_is(0) || hf_tty_is(1) || hf_tty_is(2));
}

static hf_err wait_child(struct hf_process *child, int signals, struct hf_process_end *end)
{
	int sig = 0;
	hf_err e;

	for (;;) {
		e = hf_signals_wait(signals, &sig, WAIT_MS);
		if (e == HF_OK && sig != SIGCHLD && !is_from_terminal(sig))
			(void)!hf_process_signal(child, sig); /* it may have ended meanwhile */
		e = hf_process_poll(child, end);
		if (e != HF_ERR_AGAIN)
			return e;
	}
}

static hf_err run_child(struct running *r, int *status, struct hf_errinfo *ei)
{
	static const int sigs[] = { SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
	const struct hf_process_start how = { .path = r->program,
		.argv = r->argv,
		.fds = r->fds,
		.n_fds = r->n_fds,
		.dies_with_parent = true };
	struct hf_process child = HF_PROCESS_EMPTY;
	struct hf_process_end end = { .number = 0 };
	int signals = -1;
	hf_err e;

	HF_TRY(hf_signals_open(&signals, sigs, HF_COUNT(sigs), ei));
	e = hf_process_start(&child, &how, ei);
	if (e == HF_OK)
		e = wait_child(&child, signals, &end);
	if (e == HF_OK)
		*status = end.is_signal ? EXIT_BY_SIGNAL + end.number : end.number;
	hf_file_close(&signals);
	return e;
}

static hf_err run(struct running *r, const struct hufu_args *a, int *status, struct hf_errinfo *ei)
{
	struct hufu_progress bar;
	struct hf_sdk_open how = { .node_dir = hufu_arg(a, "node"),
		.name = a->arg[0],
		.flags = HUFU_MODEL_LAZY,
		.progress = { .show = hufu_progress_show, .ctx = &bar } };
	hf_err e;

	if (a->rest == NULL || a->rest[0] == NULL)
		return hf_fail(ei, HF_ERR_ARG, "no command; usage: hufu run %s", a->cmd->usage);
	HF_TRY(hf_process_harden(ei));
	HF_TRY(find_program(r->program, a->rest[0], ei));
	hufu_progress_init(&bar, "opening", hufu_has(a, "quiet"));
	e = hf_sdk_model_open(&r->model, &how, ei);
	if (e == HF_OK && hufu_has(a, "file"))
		e = hf_sdk_model_find(r->model, &r->first, hufu_arg(a, "file"), ei);
	if (e == HF_OK)
		e = make_argv(r, a->rest, ei);
	hufu_progress_end(&bar);
	return e == HF_OK ? run_child(r, status, ei) : e;
}

int hufu_run_run(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct running r = { .n_fds = 0 };
	int status = 0;
	hf_err e;

	hf_buf_init(&r.text, hf_os_mem(), RUN_TEXT_MAX);
	e = run(&r, a, &status, ei);
	hf_buf_clear(&r.text);
	hf_mem_free(hf_os_mem(), r.at);
	hf_mem_free(hf_os_mem(), r.argv);
	hufu_model_close(r.model);
	return e == HF_OK ? status : hufu_exit(e, ei);
}
