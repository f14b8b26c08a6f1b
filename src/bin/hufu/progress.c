/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "os/signals.h"
#include "os/tty.h"

enum {
	SHOW_EVERY_MS = 200,
	BAR_MAX = 24,
	BAR_MIN = 4, /* below that the numbers say more */
	FRAME = 3,   /* blank and brackets */
	LINE_MAX_LEN = 160,
};

void hufu_bytes_text(char text[16], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)bytes;
	unsigned i = 0;

	while (v >= 1024 && i + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1024;
		i++;
	}
	(void)snprintf(text, 16, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
}

void hufu_progress_init(struct hufu_progress *p, const char *what, bool is_quiet)
{
	memset(p, 0, sizeof(*p));
	p->what = what;
	p->is_on = !is_quiet && hf_tty_is(2);
	p->started_ms = hf_clock_mono_ms();
	p->stop_fd = -1;
}

hf_err hufu_progress_can_stop(struct hufu_progress *p, struct hf_errinfo *ei)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	return hf_signals_open(&p->stop_fd, sigs, sizeof(sigs) / sizeof(sigs[0]), ei);
}

bool hufu_progress_is_stopped(void *ctx)
{
	struct hufu_progress *p = ctx;
	int sig = 0;

	if (p->stop_fd >= 0 && hf_signals_next(p->stop_fd, &sig) == HF_OK)
		p->is_stopped = true;
	return p->is_stopped;
}

/* One line, however narrow the terminal is: a longer one could not be written over. */
static void print_line(const char *what, const char *numbers, uint64_t done, uint64_t total)
{
	size_t width = hf_tty_width(2);
	size_t used = strlen(what) + 1 + strlen(numbers) + 1; /* the last column stays free */
	size_t room = width > used + FRAME ? width - used - FRAME : 0;
	size_t bar_len = room < BAR_MIN ? 0 : room < BAR_MAX ? room : BAR_MAX;
	char bar[BAR_MAX + FRAME + 1] = "";
	char line[LINE_MAX_LEN + BAR_MAX];

	if (bar_len > 0) {
		(void)snprintf(bar, sizeof(bar), " [%*s]", (int)bar_len, "");
		memset(bar + 2, '.', bar_len);
		memset(bar + 2, '#', (size_t)(done * bar_len / total));
	}
	(void)snprintf(line, sizeof(line), "%s%s %s", what, bar, numbers);
	fprintf(stderr, "\r%.*s\033[K", (int)(width - 1), line);
}

void hufu_progress_show(void *ctx, uint64_t done, uint64_t total)
{
	struct hufu_progress *p = ctx;
	uint64_t now = hf_clock_mono_ms();
	uint64_t ms = now - p->started_ms;
	uint64_t rate = ms == 0 ? 0 : done * 1000 / ms;
	char numbers[LINE_MAX_LEN];
	char done_text[16];
	char total_text[16];
	char rate_text[16];

	if (!p->is_on || total == 0 || (now - p->shown_ms < SHOW_EVERY_MS && done < total))
		return;
	p->shown_ms = now;
	done = done < total ? done : total;
	hufu_bytes_text(done_text, done);
	hufu_bytes_text(total_text, total);
	hufu_bytes_text(rate_text, rate);
	(void)snprintf(numbers, sizeof(numbers),
		"%3" PRIu64 "%% %s of %s, %s/s, %" PRIu64 " s left", done * 100 / total, done_text,
		total_text, rate_text, rate == 0 ? 0 : (total - done) / rate);
	print_line(p->what, numbers, done, total);
	(void)fflush(stderr);
}

void hufu_progress_end(struct hufu_progress *p)
{
	if (p->is_on)
		fprintf(stderr, "\r\033[K");
}
