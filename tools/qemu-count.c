/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of qemu-user (docs/devel/tcg-plugins.rst of QEMU; API version 1) that counts the
 * instructions of the guest in a file of 8 bytes, which the guest maps and reads while it runs:
 * bench/support/stopwatch.c. Debian ships no header for plugins; what is needed of the interface is
 * declared here.
 *
 *   cc -shared -fPIC -o count.so tools/qemu-count.c
 *   qemu-aarch64 -plugin ./count.so,out=PATH PROGRAM
 *
 * Instructions are counted when the block they are in is entered.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
enum {
	INLINE_ADD_U64 = 0,
};
typedef void tb_fn(uint64_t id, struct qemu_plugin_tb *tb);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_fn *fn);
void qemu_plugin_register_vcpu_tb_exec_inline(
	struct qemu_plugin_tb *tb, int op, void *at, uint64_t n);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static uint64_t *counter;

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(
		tb, INLINE_ADD_U64, counter, qemu_plugin_tb_n_insns(tb));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	const char *path = argc == 1 && strncmp(argv[0], "out=", 4) == 0 ? argv[0] + 4 : NULL;
	void *p;
	int fd;

	(void)info;
	if (path == NULL) {
		(void)fprintf(stderr, "qemu-count: needs the argument out=PATH\n");
		return 1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*counter)) != 0) {
		perror(path);
		return 1;
	}
	p = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p == MAP_FAILED) {
		perror(path);
		return 1;
	}
	counter = p;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
