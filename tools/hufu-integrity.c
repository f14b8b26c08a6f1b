/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the integrity record of a linked program or library, or checks the one it has, as
 * crypto/integrity.h describes it. The build runs it on every program and library; whoever links
 * libhufu.a into a program may run it on that. It knows ELF of 32 and 64 bits, lowest byte first.
 */
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "crypto/integrity.h"
#include "crypto/module.h"

enum {
	FILE_MAX = 1 << 30,
	EXIT_USAGE = 2,
};

struct section {
	uint32_t name;
	uint32_t type;
	uint64_t flags;
	uint64_t at; /* in memory, counted from where the image is loaded */
	uint64_t file_at;
	uint64_t len;
};

struct image {
	const char *path;
	uint8_t *bytes;
	size_t len;
	bool is_64;
	struct section *sections;
	size_t n_sections;
	const char *names; /* of the sections, ended by a zero */
	size_t names_len;
};

/* Where a span lies in memory and in the file. */
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

static size_t get_le16(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8;
}

/* A number of the width of the image's addresses: at byte at32 of a table of 32 bits, or at64. */
static uint64_t wide(const struct image *m, const uint8_t *p, size_t at32, size_t at64)
{
	return m->is_64 ? hf_get_le64(p + at64) : hf_get_le32(p + at32);
}

static struct section read_section(const struct image *m, const uint8_t *p)
{
	return (struct section){
		.name = hf_get_le32(p),
		.type = hf_get_le32(p + 4),
		.flags = wide(m, p, 8, 8),
		.at = wide(m, p, 12, 16),
		.file_at = wide(m, p, 16, 24),
		.len = wide(m, p, 20, 32),
	};
}

/* Reads the table of sections, whose places in the file are sound afterwards. */
static bool read_sections(struct image *m, uint64_t table, size_t entry_len, size_t names)
{
	if (names >= m->n_sections || !is_in_file(m, table, (uint64_t)m->n_sections * entry_len))
		return complain(m, "has no table of sections");
	m->sections = calloc(m->n_sections, sizeof(m->sections[0]));
	if (m->sections == NULL)
		return complain(m, "has more sections than this machine has memory");
	for (size_t i = 0; i < m->n_sections; i++) {
		m->sections[i] = read_section(m, m->bytes + table + i * entry_len);
		if (m->sections[i].type != SHT_NOBITS &&
			!is_in_file(m, m->sections[i].file_at, m->sections[i].len))
			return complain(m, "ends before one of its sections does");
	}
	m->names = (const char *)m->bytes + m->sections[names].file_at;
	m->names_len = (size_t)m->sections[names].len;
	if (m->sections[names].type == SHT_NOBITS || m->names_len == 0 ||
		m->names[m->names_len - 1] != '\0')
		return complain(m, "has sections without names");
	return true;
}

static bool find_sections(struct image *m)
{
	const uint8_t *h = m->bytes;
	size_t entry_len;

	if (m->len < sizeof(Elf64_Ehdr) || memcmp(h, ELFMAG, SELFMAG) != 0 ||
		(h[EI_CLASS] != ELFCLASS64 && h[EI_CLASS] != ELFCLASS32) ||
		h[EI_DATA] != ELFDATA2LSB)
		return complain(m, "is no ELF file, lowest byte first");
	m->is_64 = h[EI_CLASS] == ELFCLASS64;
	entry_len = m->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	h += m->is_64 ? offsetof(Elf64_Ehdr, e_shentsize) : offsetof(Elf32_Ehdr, e_shentsize);
	m->n_sections = get_le16(h + 2);
	if (get_le16(h) != entry_len)
		return complain(m, "has no table of sections");
	return read_sections(m,
		wide(m, m->bytes, offsetof(Elf32_Ehdr, e_shoff), offsetof(Elf64_Ehdr, e_shoff)),
		entry_len, get_le16(h + 4));
}

static bool is_named(const struct image *m, const struct section *s, const char *name)
{
	return s->name < m->names_len && strcmp(m->names + s->name, name) == 0;
}

/* Which span a section belongs to; -1: none. */
static int span_of(const struct image *m, const struct section *s)
{
	if ((s->flags & SHF_ALLOC) == 0 || (s->flags & SHF_WRITE) != 0 || s->len == 0)
		return -1;
	if ((s->flags & SHF_EXECINSTR) != 0)
		return CODE;
	if (is_named(m, s, ".rodata"))
		return CONSTANTS;
	return s->type == SHT_RELA || s->type == SHT_REL ? RELOCATIONS : -1;
}

/* A span reaches from its first section to its last; all of it must be loaded as it lies. */
static bool find_spans(const struct image *m, struct place spans[HF_INTEGRITY_SPANS])
{
	memset(spans, 0, HF_INTEGRITY_SPANS * sizeof(spans[0]));
	for (size_t i = 0; i < m->n_sections; i++) {
		const struct section *s = &m->sections[i];
		int which = span_of(m, s);

		if (which < 0)
			continue;
		if (spans[which].end == 0)
			spans[which] = (struct place){ s->at, s->at, s->file_at };
		if (s->at < spans[which].end ||
			s->at - spans[which].at != s->file_at - spans[which].file_at)
			return complain(m, "has sections in an order that is not known here");
		spans[which].end = s->at + s->len;
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

/* What the loader writes to is not what was hashed. A relocation begins with where it writes. */
static bool check_relocations(const struct image *m, const struct place spans[HF_INTEGRITY_SPANS])
{
	for (size_t i = 0; i < m->n_sections; i++) {
		const struct section *s = &m->sections[i];
		size_t words = s->type == SHT_RELA ? 3 : 2;
		size_t entry_len = words * (m->is_64 ? 8 : 4);

		if ((s->flags & SHF_ALLOC) == 0 || (s->type != SHT_RELA && s->type != SHT_REL))
			continue;
		for (size_t k = 0; k < s->len / entry_len; k++) {
			uint64_t at = wide(m, m->bytes + s->file_at + k * entry_len, 0, 0);

			if (is_inside(&spans[CODE], at) || is_inside(&spans[CONSTANTS], at))
				return complain(m, "has code that is altered when it is loaded");
		}
	}
	return true;
}

static const struct section *find_record(const struct image *m)
{
	for (size_t i = 0; i < m->n_sections; i++)
		if (is_named(m, &m->sections[i], HF_INTEGRITY_SECTION) &&
			m->sections[i].len == sizeof(struct hf_integrity))
			return &m->sections[i];
	(void)complain(m, "has no integrity record: it is not linked with the module");
	return NULL;
}

/* The record as it must be. */
static bool make_record(
	const struct image *m, const struct section *where, struct hf_integrity *record)
{
	struct place spans[HF_INTEGRITY_SPANS];
	struct hf_bytes bytes[HF_INTEGRITY_SPANS];
	enum hf_integrity_kind kind;

	if (!find_spans(m, spans) || !check_relocations(m, spans))
		return false;
	memcpy(record, m->bytes + where->file_at, sizeof(*record));
	kind = hf_integrity_kind_get(record);
	if (memcmp(record->magic, HF_INTEGRITY_MAGIC, sizeof(record->magic)) != 0 ||
		kind == HF_INTEGRITY_BROKEN)
		return complain(
			m, "has an integrity record that was altered or is of another version");
	if (kind == HF_INTEGRITY_NONE)
		return complain(m, "is of a kind that has no integrity test");
	for (size_t i = 0; i < HF_INTEGRITY_SPANS; i++) {
		hf_put_be64(record->spans[i].at, spans[i].at - where->at);
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
	const struct section *where;

	if (!load(m, f) || !find_sections(m))
		return false;
	where = find_record(m);
	if (where == NULL || !make_record(m, where, &record))
		return false;
	if (is_check && memcmp(m->bytes + where->file_at, &record, sizeof(record)) != 0)
		return complain(m, "was altered, or its record was never written");
	if (!is_check && (fseek(f, (long)where->file_at, SEEK_SET) != 0 ||
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
	free(m.sections);
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
