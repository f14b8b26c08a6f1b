/* SPDX-License-Identifier: Apache-2.0 */
/* Processor time from the system, instructions from a mapped file that the plugin writes. */
#include "stopwatch.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile const uint64_t *count;

void stopwatch_start(void)
{
	const char *path = getenv("HUFU_COUNT");
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		void *p = mmap(NULL, sizeof(*count), PROT_READ, MAP_SHARED, fd, 0);

		(void)close(fd);
		if (p != MAP_FAILED && *(volatile const uint64_t *)p > 0) {
			count = p;
			return;
		}
	}
	(void)fprintf(stderr, "bench: nobody counts instructions in %s\n", path);
	exit(1);
}

bool stopwatch_counts(void)
{
	return count != NULL;
}

double stopwatch(void)
{
	struct timespec t;

	if (count != NULL)
		return (double)*count / 1e6;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

const char *stopwatch_unit(void)
{
	return count != NULL ? "M instructions" : "ms";
}
