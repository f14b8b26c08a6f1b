/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks. Engines get time as an argument; only programs, net and svc read it here. */
#ifndef HF_OS_CLOCK_H
#define HF_OS_CLOCK_H

#include <stdint.h>

/* Time since boot, never backwards, counting suspend too (deadlines of links must not sleep). */
uint64_t hf_clock_mono_ms(void);
uint64_t hf_clock_mono_ns(void);

/* Processor time of this process, all threads together: for stop-watches. */
uint64_t hf_clock_cpu_ns(void);

/* Time since 1970-01-01 UTC as the system believes it; may jump. 0 if it stands before 1970. */
uint64_t hf_clock_wall_s(void);
uint64_t hf_clock_wall_ms(void);

/* Sleeps at least ms; signals do not shorten it. */
void hf_clock_sleep_ms(uint64_t ms);

#endif
