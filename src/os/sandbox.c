/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp(2). The table says what is allowed; a program for the kernel is made of it, which looks
 * for the number of a call from the top:
 *
 *	another architecture's call      the process ends
 *	a row, all its tests hold        allowed, or the process ends
 *	rows of it, but no tests hold    EPERM
 *	no row                           ENOSYS
 *
 * ENOSYS is what a C library that is newer than this table takes as a hint to do without. Rows of
 * one call stand together, those that are needed most first. Tests look at the lower half of an
 * argument, which is all that the kernel looks at there, or at both halves.
 */
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/sys.h"

#if defined(__x86_64__) && defined(__LP64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED
#endif

#ifdef SANDBOX_ARCH

enum {
	TESTS_MAX = 3,
	PROGRAM_MAX = 1024,   /* instructions */
	FOREIGN = 0x40000000, /* x32: from here on calls of another kind */
	SOCK_KIND = 0xf,
};

/* (half of an argument & mask) == value */
struct test {
	uint8_t half; /* LOW(argument), HIGH(argument) */
	uint32_t mask;
	uint32_t value;
};

#define LOW(argument)  (2 * (argument))
#define HIGH(argument) (2 * (argument) + 1)

struct row {
	int nr;
	bool kills;
	unsigned more; /* set: only where that is asked for */
	uint8_t n_tests;
	struct test test[TESTS_MAX];
};

/* clang-format off */
#define ALLOW(call)      { .nr = SYS_##call }
#define KILL(call)       { .nr = SYS_##call, .kills = true }
#define MORE(call, what) { .nr = SYS_##call, .more = (what) }
#define WHEN(call, ...)  { .nr = SYS_##call, .n_tests = N_TESTS(__VA_ARGS__), .test = { __VA_ARGS__ } }
#define N_TESTS(...)     (sizeof((struct test[]){ __VA_ARGS__ }) / sizeof(struct test))
#define IS(argument, number) { LOW(argument), UINT32_MAX, (uint32_t)(number) }
#define HAS(argument, bits)  { LOW(argument), (uint32_t)(bits), (uint32_t)(bits) }
#define NONE(argument, bits) { LOW(argument), (uint32_t)(bits), 0 }
#define NULL_AT(argument)    IS(argument, 0), { HIGH(argument), UINT32_MAX, 0 }
#define KIND(type)           { LOW(1), SOCK_KIND, (type) }
/* clang-format on */

static const struct row rows[] = {
	/* The path of bytes. */
	ALLOW(recvfrom),
	ALLOW(sendto),
	ALLOW(epoll_pwait),
	ALLOW(epoll_ctl),
	ALLOW(read),
	ALLOW(write),
	ALLOW(futex),
	ALLOW(close),
	ALLOW(accept4),
	ALLOW(connect),
	ALLOW(shutdown),
	ALLOW(setsockopt),
	ALLOW(getsockopt),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(recvmsg),
	ALLOW(sendmsg),
	ALLOW(sendmmsg), /* the C library asks for both kinds of addresses at once */
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(bind),
	ALLOW(listen),
	WHEN(socket, IS(0, AF_INET), KIND(SOCK_STREAM)),
	WHEN(socket, IS(0, AF_INET), KIND(SOCK_DGRAM)),
	WHEN(socket, IS(0, AF_INET6), KIND(SOCK_STREAM)),
	WHEN(socket, IS(0, AF_INET6), KIND(SOCK_DGRAM)),
	WHEN(socket, IS(0, AF_UNIX)),
	WHEN(socket, IS(0, AF_NETLINK), IS(2, 0)), /* which addresses this machine has */
	/* Events and time. */
	ALLOW(ppoll),
	ALLOW(clock_gettime),
	ALLOW(clock_getres),
	ALLOW(clock_nanosleep),
	ALLOW(gettimeofday),
	WHEN(fcntl, IS(1, F_GETFL)),
	WHEN(fcntl, IS(1, F_SETFL)),
	WHEN(fcntl, IS(1, F_GETFD)),
	WHEN(fcntl, IS(1, F_SETFD)),
	WHEN(fcntl, IS(1, F_DUPFD_CLOEXEC)),
	WHEN(ioctl, IS(1, FIONBIO)),
	WHEN(ioctl, IS(1, FIONREAD)),
	/* Memory that nobody can jump into. */
	ALLOW(brk),
	ALLOW(munmap),
	ALLOW(madvise),
	ALLOW(mremap),
	ALLOW(mlock),
	ALLOW(munlock),
	WHEN(mmap, NONE(2, PROT_EXEC)),
	WHEN(mprotect, NONE(2, PROT_EXEC)),
	/* Threads, not processes. clone3 keeps its flags where no filter sees them. */
	WHEN(clone, HAS(0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND),
		NONE(0, CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)),
#ifdef SANDBOX_SANITIZED
	WHEN(clone, HAS(0, CLONE_VM | CLONE_UNTRACED)),
#endif
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(restart_syscall),
	ALLOW(exit),
	ALLOW(exit_group),
	/* Who and where we are. */
	ALLOW(getpid),
	ALLOW(getppid),
	ALLOW(gettid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(uname),
	ALLOW(sysinfo),
	ALLOW(getcwd),
	ALLOW(umask),
	ALLOW(getrandom),
	WHEN(prlimit64, IS(0, 0), NULL_AT(2)),
	/* Files, for reading. */
	WHEN(openat, NONE(2, O_ACCMODE | O_CREAT | O_TRUNC)),
	MORE(openat, HF_SANDBOX_STORE),
	ALLOW(newfstatat),
	ALLOW(fstat),
	ALLOW(statx),
	ALLOW(lseek),
	ALLOW(pread64),
	ALLOW(fadvise64),
	ALLOW(getdents64),
	ALLOW(readlinkat),
	ALLOW(faccessat),
	MORE(unlinkat, HF_SANDBOX_UNLINK),
	MORE(renameat, HF_SANDBOX_STORE),
	MORE(mkdirat, HF_SANDBOX_STORE),
	MORE(fchmodat, HF_SANDBOX_STORE),
	MORE(fchmod, HF_SANDBOX_STORE),
	MORE(fsync, HF_SANDBOX_STORE),
	MORE(fdatasync, HF_SANDBOX_STORE),
#ifdef __x86_64__ /* what has two names there */
	ALLOW(epoll_wait),
	ALLOW(poll),
	ALLOW(time),
	ALLOW(access),
	ALLOW(readlink),
	WHEN(open, NONE(1, O_ACCMODE | O_CREAT | O_TRUNC)),
	MORE(open, HF_SANDBOX_STORE),
	MORE(rename, HF_SANDBOX_STORE),
	MORE(mkdir, HF_SANDBOX_STORE),
	MORE(chmod, HF_SANDBOX_STORE),
	ALLOW(stat),
	ALLOW(lstat),
	MORE(unlink, HF_SANDBOX_UNLINK),
	KILL(fork),
	KILL(vfork),
#endif
	/* What only somebody else would want. */
	KILL(execve),
	KILL(execveat),
	KILL(process_vm_readv),
	KILL(process_vm_writev),
#ifndef SANDBOX_SANITIZED
	KILL(ptrace),
#else /* at the end a sanitizer stops its process from outside and looks through its memory */
	ALLOW(ptrace),
	ALLOW(prctl),
	ALLOW(sigaltstack),
	ALLOW(wait4),
	ALLOW(tgkill),
#ifdef __x86_64__
	ALLOW(getdents),
#endif
#endif
};

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short n;
	bool is_over;
};

static void put(struct program *p, unsigned code, uint32_t k, unsigned when_so, unsigned when_not)
{
	if (p->n == PROGRAM_MAX) {
		p->is_over = true;
		return;
	}
	p->code[p->n++] = (struct sock_filter)BPF_JUMP(
		(uint16_t)code, k, (uint8_t)when_so, (uint8_t)when_not);
}

static void put_load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_answer(struct program *p, uint32_t answer)
{
	put(p, BPF_RET | BPF_K, answer, 0, 0);
}

/*
 * One row; the number of the call is in the accumulator before and after it. A test that fails
 * jumps behind the answer, where the number is loaded again.
 */
static void put_row(struct program *p, const struct row *r)
{
	uint32_t answer = r->kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW;
	unsigned left = 3U * r->n_tests + 1 + (r->n_tests > 0);

	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, left);
	for (size_t i = 0; i < r->n_tests; i++) {
		const struct test *t = &r->test[i];

		left -= 3;
		put_load(p, offsetof(struct seccomp_data, args) + sizeof(uint32_t) * t->half);
		put(p, BPF_ALU | BPF_AND | BPF_K, t->mask, 0, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, t->value, 0, left - 1);
	}
	put_answer(p, answer);
	if (r->n_tests > 0)
		put_load(p, offsetof(struct seccomp_data, nr));
}

static void build(struct program *p, unsigned more)
{
	put_load(p, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0);
	put_answer(p, SECCOMP_RET_KILL_PROCESS);
	put_load(p, offsetof(struct seccomp_data, nr));
	put(p, BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 1);
	put_answer(p, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		const struct row *r = &rows[i];
		bool is_last = i + 1 == HF_COUNT(rows) || rows[i + 1].nr != r->nr;

		if ((r->more & ~more) == 0)
			put_row(p, r);
		else
			is_last = true;
		if (is_last && (r->n_tests > 0 || (r->more & ~more) != 0)) {
			put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, 1);
			put_answer(p, SECCOMP_RET_ERRNO | EPERM);
		}
	}
	put_answer(p, SECCOMP_RET_ERRNO | ENOSYS);
}

hf_err hf_sandbox_serve(unsigned more, struct hf_errinfo *ei)
{
	struct program p = { .n = 0 };
	struct sock_fprog f = { .filter = p.code };
	long r;

	build(&p, more);
	if (p.is_over)
		return hf_fail(ei, HF_ERR_INTERNAL, "the table of system calls is too long");
	f.len = p.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return hf_sys_fail(ei, errno, "cannot forbid new privileges");
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &f);
	if (r == 0)
		return HF_OK;
	if (r < 0 && (errno == ENOSYS || errno == EINVAL))
		return hf_fail_sys(
			ei, HF_ERR_UNSUPPORTED, errno, "the kernel has no filter of system calls");
	return hf_sys_fail(ei, r > 0 ? EBUSY : errno, "cannot filter system calls");
}

#else

hf_err hf_sandbox_serve(unsigned more, struct hf_errinfo *ei)
{
	(void)more;
	return hf_fail(ei, HF_ERR_UNSUPPORTED,
		"there is no filter of system calls for this kind of processor");
}

#endif
