/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom(2), complete or an error. */
#include "os/entropy.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

hf_err hf_entropy_fill(uint8_t *out, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = getrandom(out + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			memset(out, 0, len);
			return HF_ERR_ENTROPY;
		}
		done += (size_t)n;
	}
	return HF_OK;
}

static hf_err rng_fill(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	return hf_entropy_fill(out, len);
}

struct hf_rng hf_os_rng(void)
{
	return (struct hf_rng){ rng_fill, NULL };
}
