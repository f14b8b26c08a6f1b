/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stream sockets for an event loop: TCP and AF_UNIX, none of which ever waits. A descriptor is a
 * plain int; all of them close on exec (hf_file_close() ends them). ei may be NULL.
 */
#ifndef HF_OS_SOCK_H
#define HF_OS_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

/* An address with its length, IPv4, IPv6 or AF_UNIX. */
struct hf_sock_addr {
	struct sockaddr_storage addr;
	socklen_t len;
};

enum { HF_SOCK_TEXT = 128 }; /* "[address]:port" or "unix:path", with terminator */

/* From the text of an IPv4 or IPv6 address. HF_ERR_ARG: it is none. */
HF_MUST_USE hf_err hf_sock_addr_ip(struct hf_sock_addr *out, const char *ip, uint16_t port);

/*
 * Loads the code that names of hosts are looked up with (nsswitch.conf), for a process that can map
 * no more code later. Asks nobody.
 */
void hf_sock_names_load(void);

/* HF_ERR_LIMIT: path empty or longer than 107 bytes. */
HF_MUST_USE hf_err hf_sock_addr_unix(struct hf_sock_addr *out, const char *path);

/* For messages. */
void hf_sock_addr_text(char out[HF_SOCK_TEXT], const struct hf_sock_addr *a);

/*
 * Listens at a TCP address. is_shared: others of this user may do so at the same one, and the
 * kernel spreads connections over all of them. HF_ERR_EXISTS: in use.
 */
HF_MUST_USE hf_err hf_sock_listen(int *fd, const struct hf_sock_addr *a, bool is_shared,
	unsigned backlog, struct hf_errinfo *ei);

/* The port of an IPv4 or IPv6 address; 0: of another. */
uint16_t hf_sock_port(const struct hf_sock_addr *a);

/* A second descriptor of the same socket. */
HF_MUST_USE hf_err hf_sock_dup(int *fd, int of, struct hf_errinfo *ei);

/* Makes a descriptor that came from elsewhere one of ours. HF_ERR_ARG: it does not listen. */
HF_MUST_USE hf_err hf_sock_adopt(int fd, struct hf_errinfo *ei);

/* Where it is bound. */
HF_MUST_USE hf_err hf_sock_name(struct hf_sock_addr *out, int fd);

/*
 * The next connection, TCP without delay for small pieces. HF_ERR_AGAIN: none. HF_ERR_LIMIT: too
 * many open files, or no memory for one more; it waits in the queue.
 */
HF_MUST_USE hf_err hf_sock_accept(int *fd, struct hf_sock_addr *from, int listener);

/*
 * Begins to connect: writable means done, ask hf_sock_connected(). *fd is open on HF_OK only.
 * HF_ERR_AGAIN: the queue of a unix socket is full. HF_ERR_NET.
 */
HF_MUST_USE hf_err hf_sock_connect(int *fd, const struct hf_sock_addr *to, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_sock_connected(int fd, struct hf_errinfo *ei);

/*
 * Moves what can be moved now. HF_ERR_AGAIN: nothing. HF_ERR_CLOSED (read): the other end sends no
 * more. HF_ERR_NET: broken; *sys (may be NULL) says how.
 */
HF_MUST_USE hf_err hf_sock_read(int fd, uint8_t *out, size_t cap, size_t *got, int *sys);
HF_MUST_USE hf_err hf_sock_write(int fd, const uint8_t *in, size_t len, size_t *put, int *sys);

/* The other end reads the end of our bytes. */
void hf_sock_shut(int fd);

/*
 * Closes so that the other end meets an error, not an end: a TCP connection is reset. On AF_UNIX
 * the kernel can say so only if bytes were left unread.
 */
void hf_sock_reset(int *fd);

#endif
