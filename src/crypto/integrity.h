/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The integrity test of the program or library that the module is part of (GB/T 37092-2018 7.5).
 *
 * Private to the module and tools/hufu-integrity.c. What is tested is the code as it lies in
 * memory, not a file: what runs is what counts, the module makes no system calls, and stripping,
 * packaging and installing change nothing that is loaded. Three spans of the image never change
 * between the linker and the processor:
 *
 *   code        all executable sections       position independent: never relocated
 *   constants   .rodata                       without pointers, which lie in .data.rel.ro
 *   relocations .rela.* or .rel.*             what the loader makes of .data.rel.ro and .got
 *
 * tools/hufu-integrity.c finds them in the linked file and writes where they are, and the tags,
 * into the one struct hf_integrity of the program: a section of its own, behind .rodata.
 *
 *   head tag = HMAC-SM3(key, all of the record before it)        so that no wrong place is read
 *   tag      = HMAC-SM3(key, head tag || SM3(piece 1) || SM3(piece 2) || ...)
 *
 * Pieces are 4 KiB of a span; the last one of each span may be shorter. They are hashed many at a
 * time, which takes an eighth of the time of one long hash. The key is a constant: the test finds
 * faults of storage and careless changes. Who can alter a program on purpose can also write tags;
 * level 1 asks no more.
 */
#ifndef HF_CRYPTO_INTEGRITY_H
#define HF_CRYPTO_INTEGRITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/sm3.h"

enum {
	HF_INTEGRITY_SPANS = 3,
	HF_INTEGRITY_PIECE_LEN = 4096,    /* bytes hashed as one */
	HF_INTEGRITY_SPAN_MAX = 64 << 20, /* bytes */
};

#define HF_INTEGRITY_MAGIC   "hufu integrity 1"
#define HF_INTEGRITY_SECTION ".hufu_integrity"

/*
 * What the link of a program or library decides about it. The record holds the value in each of
 * eight bytes: two kinds differ in 32 bits, and so does each from all zeros and from all ones.
 * What is none of them is an alteration, so that no small fault turns the test off.
 */
enum hf_integrity_kind {
	HF_INTEGRITY_BROKEN = 0,  /* never written: what hf_integrity_kind_get() says of the rest */
	HF_INTEGRITY_MUST = 0x5a, /* no service without good tags: what is installed */
	HF_INTEGRITY_LATER = 0x3c, /* libhufu.a: who links it may have the tags written; then so */
	HF_INTEGRITY_NONE = 0x69, /* tests, benches, sanitized builds: never tested, not approved */
};

struct hf_integrity_span {
	uint8_t at[8];  /* big-endian, from the record; negative as two's complement */
	uint8_t len[8]; /* big-endian */
};

/* Bytes only, so that the tool need not know the machine. Tags of zeros: not written yet. */
struct hf_integrity {
	uint8_t magic[16]; /* HF_INTEGRITY_MAGIC without its terminator */
	uint8_t kind[8];   /* enum hf_integrity_kind, eight times */
	struct hf_integrity_span spans[HF_INTEGRITY_SPANS];
	uint8_t head_tag[HF_SM3_LEN];
	uint8_t tag[HF_SM3_LEN];
};

/* clang-format off */
#define HF_INTEGRITY_RECORD(kind_) { \
	.magic = { 'h', 'u', 'f', 'u', ' ', 'i', 'n', 't', 'e', 'g', 'r', 'i', 't', 'y', ' ', '1' }, \
	.kind = { (kind_), (kind_), (kind_), (kind_), (kind_), (kind_), (kind_), (kind_) }, \
}
/* clang-format on */

/* The record of this program: integrity_none.c, or what it is linked with before the archives. */
extern const struct hf_integrity hf_integrity_record;

/* The tags over a record and the spans that it names, wherever these lie. */
void hf_integrity_head_tag(uint8_t tag[HF_SM3_LEN], const struct hf_integrity *record);
void hf_integrity_tag(uint8_t tag[HF_SM3_LEN], const struct hf_integrity *record,
	const struct hf_bytes spans[HF_INTEGRITY_SPANS]);

/* The kind that a record has in all eight bytes, or HF_INTEGRITY_BROKEN. */
enum hf_integrity_kind hf_integrity_kind_get(const struct hf_integrity *record);

/*
 * Whether a record lets the program serve: its kind asks for no tags, or its tags are those of the
 * spans that it names, which hold this code. A place is read only if the head tag is right.
 */
bool hf_integrity_is_good(const struct hf_integrity *record);

/* True if tags were written to this program, or must have been: then the test decides about all. */
bool hf_integrity_is_tested(void);

/* The test of this program. True where it is not asked for. */
bool hf_integrity_selftest(void);

#endif
