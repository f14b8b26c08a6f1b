/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create(2) with all seals. */
#include "os/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/wipe.h"
#include "os/sys.h"

enum { MEMFD_RESERVE = 64 << 20 }; /* bytes that are left to the rest of the system */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; headers of Debian 12 do not know it */
#endif

/*
 * Bytes the system can still give without swapping or killing, as the kernel estimates it. Files in
 * memory have no size limit of their own: asked for too much, the kernel would not refuse but kill
 * processes, and not only ours.
 */
static uint64_t memory_left(void)
{
	struct sysinfo info = { 0 };
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	if (f != NULL)
		(void)fclose(f);
	if (kib > 0)
		return (uint64_t)kib * 1024;
	if (sysinfo(&info) != 0)
		return 0;
	return ((uint64_t)info.freeram + info.bufferram) * info.mem_unit;
}

/* True if len bytes still leave the reserve to everybody else. */
static bool is_affordable(uint64_t len)
{
	uint64_t left = memory_left();

	return left > MEMFD_RESERVE && len <= left - MEMFD_RESERVE;
}

static int create(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* an older kernel */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

hf_err hf_memfd_init(struct hf_memfd *m, const char *name, uint64_t len, struct hf_errinfo *ei)
{
	struct hf_memfd out = HF_MEMFD_EMPTY;
	void *map;
	hf_err e;

	*m = out;
	if (len == 0 || len > INT64_MAX)
		return hf_fail(ei, HF_ERR_ARG, "a file in memory cannot have this length");
	HF_TRY(hf_size_of_u64(&out.len, len));
	if (!is_affordable(len))
		return hf_fail(ei, HF_ERR_NO_MEMORY,
			"the system has no %zu bytes of memory left to give", out.len);
	out.fd = create(name);
	if (out.fd < 0)
		return hf_sys_fail(ei, errno, "cannot make a file in memory");
	if (fallocate(out.fd, 0, 0, (off_t)len) != 0) {
		e = hf_sys_fail(ei, errno, "cannot get %zu bytes for a file in memory", out.len);
		goto out;
	}
	map = mmap(NULL, out.len, PROT_READ | PROT_WRITE, MAP_SHARED, out.fd, 0);
	if (map == MAP_FAILED) {
		e = hf_sys_fail(ei, errno, "cannot map %zu bytes", out.len);
		goto out;
	}
	(void)madvise(map, out.len, MADV_DONTDUMP);
	out.map = map;
	*m = out;
	return HF_OK;
out:
	(void)close(out.fd);
	return e;
}

hf_err hf_memfd_seal(struct hf_memfd *m, struct hf_errinfo *ei)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	void *map;

	/* The kernel refuses F_SEAL_WRITE while a writable mapping exists. */
	if (munmap(m->map, m->len) != 0)
		return hf_sys_fail(ei, errno, "cannot unmap a file in memory");
	m->map = NULL;
	if (fcntl(m->fd, F_ADD_SEALS, seals) != 0)
		return hf_sys_fail(ei, errno, "cannot seal a file in memory");
	map = mmap(NULL, m->len, PROT_READ, MAP_SHARED, m->fd, 0);
	if (map == MAP_FAILED)
		return hf_sys_fail(ei, errno, "cannot map %zu bytes", m->len);
	(void)madvise(map, m->len, MADV_DONTDUMP);
	m->map = map;
	return HF_OK;
}

hf_err hf_memfd_lock(struct hf_memfd *m, struct hf_errinfo *ei)
{
	if (mlock(m->map, m->len) != 0)
		return hf_fail_sys(ei, HF_ERR_LIMIT, errno,
			"cannot lock %zu bytes in memory; raise the memlock limit", m->len);
	return HF_OK;
}

static int is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

int hf_memfd_take(struct hf_memfd *m)
{
	int fd = m->fd;

	m->fd = -1;
	hf_memfd_clear(m);
	return fd;
}

void hf_memfd_clear(struct hf_memfd *m)
{
	if (m->map != NULL) {
		if (m->fd >= 0 && !is_sealed(m->fd))
			hf_wipe(m->map, m->len);
		(void)munmap(m->map, m->len);
	}
	if (m->fd >= 0)
		(void)close(m->fd);
	*m = HF_MEMFD_EMPTY;
}

void hf_memfd_path(char path[HF_MEMFD_PATH_MAX], int fd)
{
	(void)snprintf(path, HF_MEMFD_PATH_MAX, "/proc/self/fd/%d", fd);
}

hf_err hf_memfd_make(int *fd, const char *name, uint64_t len,
	hf_err (*fill)(void *ctx, uint8_t *room, size_t len), void *ctx, struct hf_errinfo *ei)
{
	struct hf_memfd m = HF_MEMFD_EMPTY;
	hf_err e;

	HF_TRY(hf_memfd_init(&m, name, len, ei));
	e = fill(ctx, m.map, m.len);
	if (e == HF_OK)
		e = hf_memfd_seal(&m, ei);
	if (e == HF_OK)
		*fd = hf_memfd_take(&m);
	hf_memfd_clear(&m);
	return e;
}
