/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instruction at a time: ct_trace_begin() sets the trap flag of the processor, and the signal
 *that comes after every instruction writes down where the program is and what addresses the
 *instruction will touch. Runs with different secrets must write the same; run.py compares them.
 *
 * The program is linked statically and run without random addresses, so that equal runs have equal
 * places. It is seen from ct_trace_begin() to the entry of exit(). The table, made by run.py from
 *the disassembly, has lines in hexadecimal:
 *
 *	m PLACE BASE INDEX BASE INDEX    an instruction with up to two addresses; registers as
 *below, 10 none v PLACE                          a gather or scatter: its addresses are in a vector
 *	p PLACE                          a function of public values only: it is run at full speed
 *	e PLACE                          exit()
 *
 * A record of the log is 8 bytes: the place, low half; a sum of the addresses, high half.
 */
#include "step.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	NO_REGISTER = 16,
	OPERANDS = 4,
	TEXT_MAX = 1 << 24, /* bytes of code */
	RECORDS = 1 << 15,  /* in memory */
	STACK_LEN = 1 << 16,
	BREAKPOINT = 0xcc,
};

#define TRAP_FLAG   0x100
#define SAYS_VECTOR 0xffffffffu /* instead of a sum */

enum kind { PLAIN, MEMORY, VECTOR, PUBLIC, EXIT };

struct place {
	uint8_t kind;
	uint8_t reg[OPERANDS];
};

extern const char __executable_start[];
extern const char etext[];

static uint64_t text_from;
static struct place *places; /* one an address of the code */
static uint64_t records[RECORDS];
static size_t n_records;
static int log_fd = -1;
static uint8_t *back_at; /* where a public function will return to */
static uint8_t back_code;

static void fail(const char *what)
{
	(void)fprintf(stderr, "step: %s\n", what);
	_exit(1);
}

static void load_table(const char *path)
{
	FILE *f = fopen(path, "r");
	char kind;
	uint64_t at;
	unsigned r[OPERANDS];

	places = calloc(TEXT_MAX, sizeof(*places));
	if (f == NULL || places == NULL)
		fail("no table");
	while (fscanf(f, " %c %" SCNx64, &kind, &at) == 2) {
		struct place *p = &places[at - text_from];

		if (at < text_from || at - text_from >= TEXT_MAX)
			fail("the table is of another program");
		if (kind == 'm' && fscanf(f, "%x %x %x %x", &r[0], &r[1], &r[2], &r[3]) != OPERANDS)
			fail("the table is malformed");
		for (size_t i = 0; kind == 'm' && i < OPERANDS; i++)
			p->reg[i] = (uint8_t)r[i];
		if (p->kind != PUBLIC && p->kind != EXIT)
			p->kind = kind == 'm'   ? MEMORY
				  : kind == 'v' ? VECTOR
				  : kind == 'p' ? PUBLIC
						: EXIT;
	}
	(void)fclose(f);
}

static void flush(void)
{
	size_t len = n_records * sizeof(records[0]);

	if (write(log_fd, records, len) != (ssize_t)len)
		fail("cannot write the log");
	n_records = 0;
}

/* Registers by the numbers of the processor's own encoding. */
static uint32_t sum_of(const greg_t *r, const struct place *p)
{
	static const int order[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI,
		REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
	uint64_t sum = 0xcbf29ce484222325u;

	if (p->kind == VECTOR)
		return SAYS_VECTOR;
	for (size_t i = 0; p->kind == MEMORY && i < OPERANDS; i++) {
		if (p->reg[i] < NO_REGISTER)
			sum ^= (uint64_t)r[order[p->reg[i]]];
		sum = (sum ^ sum >> 29) * 0x9e3779b97f4a7c15u;
	}
	return (uint32_t)(sum >> 33);
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	static const struct place outside = { PLAIN, { 0 } };
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const struct place *p = &outside;
	uint64_t at;

	(void)sig;
	(void)info;
	if (back_at != NULL && (uint8_t *)(uintptr_t)r[REG_RIP] == back_at + 1) {
		*back_at = back_code;
		r[REG_RIP]--;
		back_at = NULL;
	}
	at = (uint64_t)r[REG_RIP];
	if (at >= text_from && at - text_from < TEXT_MAX)
		p = &places[at - text_from];
	records[n_records++] = (uint64_t)sum_of(r, p) << 32 | (uint32_t)at;
	if (n_records == RECORDS || p->kind == EXIT)
		flush();
	r[REG_EFL] |= TRAP_FLAG;
	if (p->kind == EXIT)
		r[REG_EFL] &= ~TRAP_FLAG;
	if (p->kind == PUBLIC) {
		back_at = *(uint8_t **)(uintptr_t)r[REG_RSP];
		back_code = *back_at;
		*back_at = BREAKPOINT;
		r[REG_EFL] &= ~TRAP_FLAG;
	}
}

void ct_trace_begin(const char *table, const char *path)
{
	static uint8_t stack[STACK_LEN];
	stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	text_from = (uint64_t)(uintptr_t)__executable_start & ~(uint64_t)0xfff;
	load_table(table);
	log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (log_fd < 0)
		fail("cannot open the log");
	if (mprotect((void *)(uintptr_t)text_from, (size_t)((uint64_t)(uintptr_t)etext - text_from),
		    PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		fail("cannot put breakpoints into the code");
	if (sigaltstack(&other, NULL) != 0 || sigaction(SIGTRAP, &act, NULL) != 0)
		fail("cannot handle the trap");
	(void)raise(SIGTRAP);
}
