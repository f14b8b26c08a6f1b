/* SPDX-License-Identifier: Apache-2.0 */
/* clock_gettime(2). */
#include "os/clock.h"

#include <errno.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t = { 0 };

	if (clock_gettime(id, &t) != 0 || t.tv_sec < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t hf_clock_mono_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t hf_clock_mono_ms(void)
{
	return hf_clock_mono_ns() / 1000000u;
}

uint64_t hf_clock_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t hf_clock_wall_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000u;
}

uint64_t hf_clock_wall_s(void)
{
	return hf_clock_wall_ms() / 1000u;
}

void hf_clock_sleep_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}
