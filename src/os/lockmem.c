/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(2) with guards, mlock(2), madvise(2). */
#include "os/lockmem.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/wipe.h"
#include "os/sys.h"

enum { LOCKMEM_ALIGN = 16 };

static size_t page_size(void)
{
	long n = sysconf(_SC_PAGESIZE);

	return n > 0 ? (size_t)n : 4096;
}

static uint8_t *inner(const struct hf_lockmem *m)
{
	return (uint8_t *)m->base + page_size();
}

static size_t inner_len(const struct hf_lockmem *m)
{
	return m->total - 2 * page_size();
}

/* len rounded up to whole pages, and two guards. */
static hf_err total_of(size_t *total, size_t len)
{
	size_t page = page_size();
	size_t t = 0;

	HF_TRY(hf_add_size(&t, len, 3 * page - 1));
	*total = t / page * page;
	return HF_OK;
}

static hf_err lock_pages(const struct hf_lockmem *m, struct hf_errinfo *ei)
{
	uint8_t *p = inner(m);
	size_t len = inner_len(m);

	if (mprotect(p, len, PROT_READ | PROT_WRITE) != 0)
		return hf_sys_fail(ei, errno, "cannot open %zu bytes for keys", len);
	if (mlock(p, len) != 0)
		return hf_fail_sys(ei, HF_ERR_LIMIT, errno,
			"cannot lock %zu bytes for keys; raise the memlock limit", len);
	if (madvise(p, len, MADV_DONTDUMP) != 0 || madvise(p, len, MADV_DONTFORK) != 0)
		return hf_sys_fail(ei, errno, "cannot keep keys out of dumps and children");
	return HF_OK;
}

hf_err hf_lockmem_init(struct hf_lockmem *m, size_t len, struct hf_errinfo *ei)
{
	struct hf_lockmem out = { .len = len };
	hf_err e;

	*m = (struct hf_lockmem){ 0 };
	if (len == 0 || len > SIZE_MAX / 2)
		return hf_fail(ei, HF_ERR_ARG, "locked memory cannot have this length");
	HF_TRY(total_of(&out.total, len));
	out.base = mmap(NULL, out.total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (out.base == MAP_FAILED)
		return hf_sys_fail(ei, errno, "cannot get %zu bytes for keys", len);
	e = lock_pages(&out, ei);
	if (e != HF_OK) {
		(void)munmap(out.base, out.total);
		return e;
	}
	out.p = inner(&out) + inner_len(&out) -
		(len + LOCKMEM_ALIGN - 1) / LOCKMEM_ALIGN * LOCKMEM_ALIGN;
	*m = out;
	return HF_OK;
}

hf_err hf_lockmem_access(struct hf_lockmem *m, enum hf_lockmem_access access)
{
	int prot = PROT_NONE;

	if (access == HF_LOCKMEM_READ)
		prot = PROT_READ;
	else if (access == HF_LOCKMEM_WRITE)
		prot = PROT_READ | PROT_WRITE;
	return mprotect(inner(m), inner_len(m), prot) == 0 ? HF_OK : hf_sys_err(errno);
}

void hf_lockmem_clear(struct hf_lockmem *m)
{
	if (m->base != NULL) {
		if (hf_lockmem_access(m, HF_LOCKMEM_WRITE) == HF_OK)
			hf_wipe(inner(m), inner_len(m));
		(void)munmap(m->base, m->total);
	}
	*m = (struct hf_lockmem){ 0 };
}
