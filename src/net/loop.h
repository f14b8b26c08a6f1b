/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of one thread, over libuv. Everything in this folder belongs to one loop and is
 * called from its thread only. The program ignores SIGPIPE (os/signals.h does).
 */
#ifndef HF_NET_LOOP_H
#define HF_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/mem.h"

struct hf_loop;

/* A loop; end it with hf_loop_free(). HF_ERR_NO_MEMORY, or HF_ERR_IO with the reason in ei. */
HF_MUST_USE hf_err hf_loop_new(
	struct hf_loop **out, const struct hf_mem *mem, struct hf_errinfo *ei);

/*
 * Links and listeners are over before; other handles that are still open are closed without telling
 * their owners. NULL is accepted.
 */
void hf_loop_free(struct hf_loop *l);

/* Runs until hf_loop_stop() or until nothing is left to wait for. */
void hf_loop_run(struct hf_loop *l);

/* Waits for at most one event round; false: nothing is left to wait for. */
bool hf_loop_step(struct hf_loop *l);

void hf_loop_stop(struct hf_loop *l);

/* The now_ms of all engines: the clock of hf_clock_mono_ms(), which goes on while a machine sleeps.
 */
uint64_t hf_loop_now_ms(const struct hf_loop *l);

/* The loop itself, for pipes, signals and timers of programs. */
uv_loop_t *hf_loop_uv(struct hf_loop *l);

#endif
