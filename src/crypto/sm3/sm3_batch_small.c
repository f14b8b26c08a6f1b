/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many messages of SM3 for small ends: stands in for sm3_batch.c where HUFU_SMALL is set. One after
 * another.
 */
#include "crypto/sm3.h"

void hf_sm3_batch(const struct hf_sm3_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct hf_sm3 s;

		if (jobs[i].from != NULL)
			s = *jobs[i].from;
		else
			hf_sm3_init(&s);
		hf_sm3_feed(&s, jobs[i].in, jobs[i].len);
		hf_sm3_done(&s, jobs[i].out);
	}
}
