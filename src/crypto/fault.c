/* SPDX-License-Identifier: Apache-2.0 */
/* Part of builds with HUFU_FAULTS alone (fault.h). */
#include "crypto/fault.h"

#include <stdlib.h>
#include <string.h>

bool hf_fault_is(const char *test)
{
	const char *wanted = getenv("HUFU_FAULT"); /* NOLINT(concurrency-mt-unsafe) */

	return wanted != NULL && strcmp(wanted, test) == 0;
}
