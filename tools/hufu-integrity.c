/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the integrity record of a linked program or library, or checks the one it has, as
 * crypto/integrity.h describes it. The build runs it on every program and library; whoever links
 * libhufu.a into a program may run it on that. It knows ELF of 64 bits, lowest byte first.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/endian.h"
#include "crypto/integrity.h"
#include "crypto/module.h"

enum {
	FILE_MAX = 1 << 30,
	EXIT_USAGE = 2,
};

struct image {
	const char *path;
	uint8_t *bytes;
	size_t len;
	const Elf64_Shdr *sections;
	size_t n_sections;
	const char *names; /* of the sections, ended by a zero */
	size_t names_len;
};

/* Where something lies in memory, counted from where the image is loaded, and in the file. */
struct place {
	uint64_t at;
	uint64_t end;
	uint64_t file_at;
};

enum { CODE, CONSTANTS, RELOCATIONS };

static bool complain(const struct image *m, const char *what)
{
	fprintf(stderr, "hufu-integrity: %s: %s\n", m->path, what);
	return false;
}

static bool load(struct image *m, FILE *f)
{
	long len;

	if (fseek(f, 0, SEEK_END) != 0 || (len = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		return complain(m, "cannot be read");
	if (len > FILE_MAX)
		return complain(m, "is longer than 1 GiB");
	m->len = (size_t)len;
	m->bytes = malloc(m->len + 1);
	if (m->bytes == NULL)
		return complain(m, "is too long for the memory of this machine");
	if (fread(m->bytes, 1, m->len, f) != m->len)
		return complain(m, "cannot be read");
	return true;
}

static bool is_in_file(const struct image *m, uint64_t at, uint64_t len)
{
	return at <= m->len && len <= m->len - at;
}

/* The table of sections, whose places in the file are sound afterwards. */
static bool find_sections(struct image *m)
{
	const Elf64_Ehdr *h = (const void *)m->bytes;

	if (m->len < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
		h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return complain(m, "is no ELF file of 64 bits, lowest byte first");
	if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff % 8 != 0 ||
		h->e_shstrndx >= h->e_shnum ||
		!is_in_file(m, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
		return complain(m, "has no table of sections");
	m->sections = (const void *)(m->bytes + h->e_shoff);
	m->n_sections = h->e_shnum;
	for (size_t i = 0; i < m->n_sections; i++)
		if (m->sections[i].sh_type != SHT_NOBITS &&
			!is_in_file(m, m->sections[i].sh_offset, m->sections[i].sh_size))
			return complain(m, "ends before one of its sections does");
	m->names = (const char *)m->bytes + m->sections[h->e_shstrndx].sh_offset;
	m->names_len = (size_t)m->sections[h->e_shstrndx].sh_size;
	if (m->names_len == 0 || m->names[m->names_len - 1] != '\0')
		return complain(m, "has sections without names");
	return true;
}

static bool is_named(const struct image *m, const Elf64_Shdr *s, const char *name)
{
	return s->sh_name < m->names_len && strcmp(m->names + s->sh_name, name) == 0;
}

/* Which span a section belongs to; -1: none. */
static int span_of(const struct image *m, const Elf64_Shdr *s)
{
	if ((s->sh_flags & SHF_ALLOC) == 0 || (s->sh_flags & SHF_WRITE) != 0 || s->sh_size == 0)
		return -1;
	if ((s->sh_flags & SHF_EXECINSTR) != 0)
		return CODE;
	if (is_named(m, s, ".rodata"))
		return CONSTANTS;
	return s->sh_type == SHT_RELA ? RELOCATIONS : -1;
}

/* A span reaches from its first section to its last; all of it must be loaded as it lies. */
static bool find_spans(const struct image *m, struct place spans[HF_INTEGRITY_SPANS])
{
	memset(spans, 0, HF_INTEGRITY_SPANS * sizeof(spans[0]));
	for (size_t i = 0; i < m->n_sections; i++) {
		const Elf64_Shdr *s = &m->sections[i];
		int which = span_of(m, s);

		if (which < 0)
			continue;
		if (spans[which].end == 0)
			spans[which] = (struct place){ s->sh_addr, s->sh_addr, s->sh_offset };
		if (s->sh_addr < spans[which].end ||
			s->sh_addr - spans[which].at != s->sh_offset - spans[which].file_at)
			return complain(m, "has sections in an order that is not known here");
		spans[which].end = s->sh_addr + s->sh_size;
		if (spans[which].end - spans[which].at > HF_INTEGRITY_SPAN_MAX)
			return complain(m, "has a span longer than 64 MiB");
	}
	if (spans[CODE].end == 0 || spans[CONSTANTS].end == 0)
		return complain(m, "has no code or no constants");
	return true;
}

static bool is_inside(const struct place *p, uint64_t at)
{
	return at >= p->at && at < p->end;
}

/* What the loader writes to is not what was hashed. */
static bool check_relocations(const struct image *m, const struct place spans[HF_INTEGRITY_SPANS])
{
	for (size_t i = 0; i < m->n_sections; i++) {
		const Elf64_Shdr *s = &m->sections[i];
		const Elf64_Rela *r = (const void *)(m->bytes + s->sh_offset);

		if ((s->sh_flags & SHF_ALLOC) == 0)
			continue;
		if (s->sh_type == SHT_REL)
			return complain(m, "has relocations of a kind that is not known here");
		for (size_t k = 0; s->sh_type == SHT_RELA && k < s->sh_size / sizeof(*r); k++)
			if (is_inside(&spans[CODE], r[k].r_offset) ||
				is_inside(&spans[CONSTANTS], r[k].r_offset))
				return complain(m, "has code that is altered when it is loaded");
	}
	return true;
}

static const Elf64_Shdr *find_record(const struct image *m)
{
	for (size_t i = 0; i < m->n_sections; i++)
		if (is_named(m, &m->sections[i], HF_INTEGRITY_SECTION) &&
			m->sections[i].sh_size == sizeof(struct hf_integrity))
			return &m->sections[i];
	(void)complain(m, "has no integrity record: it is not linked with the module");
	return NULL;
}

/* The record as it must be. */
static bool make_record(const struct image *m, const Elf64_Shdr *where, struct hf_integrity *record)
{
	struct place spans[HF_INTEGRITY_SPANS];
	struct hf_bytes bytes[HF_INTEGRITY_SPANS];

	if (!find_spans(m, spans) || !check_relocations(m, spans))
		return false;
	memcpy(record, m->bytes + where->sh_offset, sizeof(*record));
	if (memcmp(record->magic, HF_INTEGRITY_MAGIC, sizeof(record->magic)) != 0 ||
		hf_get_be64(record->kind) == HF_INTEGRITY_NONE)
		return complain(m, "is of a kind that has no integrity test");
	for (size_t i = 0; i < HF_INTEGRITY_SPANS; i++) {
		hf_put_be64(record->spans[i].at, spans[i].at - where->sh_addr);
		hf_put_be64(record->spans[i].len, spans[i].end - spans[i].at);
		bytes[i].p = m->bytes + spans[i].file_at;
		bytes[i].len = (size_t)(spans[i].end - spans[i].at);
	}
	hf_integrity_head_tag(record->head_tag, record);
	hf_integrity_tag(record->tag, record, bytes);
	return true;
}

static bool work(struct image *m, FILE *f, bool is_check)
{
	struct hf_integrity record;
	const Elf64_Shdr *where;

	if (!load(m, f) || !find_sections(m))
		return false;
	where = find_record(m);
	if (where == NULL || !make_record(m, where, &record))
		return false;
	if (is_check && memcmp(m->bytes + where->sh_offset, &record, sizeof(record)) != 0)
		return complain(m, "was altered, or its record was never written");
	if (!is_check && (fseek(f, (long)where->sh_offset, SEEK_SET) != 0 ||
				 fwrite(&record, sizeof(record), 1, f) != 1 || fflush(f) != 0))
		return complain(m, "cannot be written");
	return true;
}

static bool do_file(const char *path, bool is_check)
{
	struct image m = { .path = path };
	FILE *f = fopen(path, is_check ? "rb" : "r+b");
	bool ok;

	if (f == NULL)
		return complain(&m, "cannot be opened");
	ok = work(&m, f, is_check);
	free(m.bytes);
	if (fclose(f) != 0 && ok)
		ok = complain(&m, "cannot be written");
	return ok;
}

int main(int argc, char **argv)
{
	bool is_check = argc > 1 && strcmp(argv[1], "--check") == 0;
	int first = is_check ? 2 : 1;
	int status = 0;

	if (argc <= first || (argv[1][0] == '-' && !is_check)) {
		fprintf(stderr,
			"usage: hufu-integrity [--check] FILE...\n"
			"Writes the integrity record of programs and libraries that hold the "
			"module, or checks it.\n");
		return EXIT_USAGE;
	}
	if (hf_module_start(0) != HF_OK) {
		fprintf(stderr, "hufu-integrity: the module failed its self-test '%s'\n",
			hf_module()->failed);
		return hf_err_exit(HF_ERR_SELF_TEST);
	}
	for (int i = first; i < argc; i++)
		if (!do_file(argv[i], is_check))
			status = 1;
	return status;
}
