/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the beginning of a process needed, given back. The self-tests go deep and touch every
 * kernel of the module, most of which never run again.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/process.h"

static void trim_stack(uintptr_t page)
{
	enum { SPARED = 8 * 1024, DEEPEST = 512 * 1024 };
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - SPARED) & ~(page - 1);

	/* The kernel keeps 1 MiB below a stack free, so nothing else is there; what is not mapped
	 * is passed over. */
	(void)madvise((void *)(end - DEEPEST), DEEPEST, MADV_DONTNEED); /* NOLINT */
}

/* Code that was written to when it was loaded would come back without what was written. */
static bool is_as_in_file(const struct dl_phdr_info *object)
{
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		const ElfW(Dyn) * d;

		if (segment->p_type != PT_DYNAMIC)
			continue;
		/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
		d = (const ElfW(Dyn) *)(uintptr_t)(object->dlpi_addr + segment->p_vaddr);
		for (; d->d_tag != DT_NULL; d++)
			if (d->d_tag == DT_TEXTREL ||
				(d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL) != 0))
				return false;
		return true;
	}
	return false;
}

static int trim_object(struct dl_phdr_info *object, size_t size, void *ctx)
{
	const uintptr_t page = *(const uintptr_t *)ctx;

	(void)size;
	if (!is_as_in_file(object))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t from = object->dlpi_addr + segment->p_vaddr;
		uintptr_t to = (from + segment->p_memsz) & ~(page - 1);

		/* Whole pages that nobody may write come back as they are in the file. */
		from = (from + page - 1) & ~(page - 1);
		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0 && from < to)
			(void)madvise((void *)from, to - from, MADV_DONTNEED); /* NOLINT */
	}
	return 0;
}

void hf_process_trim(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	trim_stack(page);
	(void)dl_iterate_phdr(trim_object, &page);
}
