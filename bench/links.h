/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of bench_links: TLS stacks behind one face, and what is measured of them. links_hufu.c is
 * ours (where links are idle: links_hufud.c, a hub), links_openssl.c Debian's openssl with P-256
 * and AES-128-GCM; both ends show certificates of one CA, and check each other's.
 */
#ifndef HF_BENCH_LINKS_H
#define HF_BENCH_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { LINKS_RECORD = 16384 }; /* bytes of content of a full record */

/* How a handshake is made. */
enum links_way {
	LINKS_FULL,
	LINKS_RESUMED,
	LINKS_DEFERRED, /* full; ours leaves SM2 to who drives it */
	LINKS_TLCP_ECC, /* openssl has no TLCP: a full handshake of TLS 1.3 stands beside it */
	LINKS_TLCP_ECDHE,
	LINKS_WAYS,
};

struct links_end; /* one end of a link */

/* A process, perhaps with children, that serves. */
struct links_server {
	pid_t pid;
	uint16_t port;
};

/* A stack without sockets: bytes go in and come out. Failures end the program. */
struct links_stack {
	const char *name;
	void (*start)(void);
	struct links_end *(*open)(bool is_server, enum links_way way);
	void (*close)(struct links_end *e); /* says nothing to the peer */
	bool (*is_open)(const struct links_end *e);
	/* Bytes for the peer that wait; they are dropped by sent(). */
	size_t (*out)(struct links_end *e, const uint8_t **bytes);
	void (*sent)(struct links_end *e, size_t len);
	/* Takes all of the peer's bytes. What they held, if anything, is dropped and counted. */
	size_t (*feed)(struct links_end *e, const uint8_t *in, size_t len);
	void (*write)(struct links_end *e, const uint8_t *in, size_t len);
	/*
	 * A server that listens on 127.0.0.1 and holds whoever comes, until it is killed; false:
	 * its program is not there.
	 */
	bool (*idle_start)(struct links_server *v);
	/* Opens the link of number no over a socket and then gives up everything but the socket. */
	void (*idle_client)(int fd, unsigned no);
};

extern const struct links_stack links_hufu;
extern const struct links_stack links_openssl;

/* Two ends talk until both are open. */
void links_meet(const struct links_stack *s, struct links_end *a, struct links_end *b);

/* Everything that a has for b; false: nothing. */
bool links_move(const struct links_stack *s, struct links_end *a, struct links_end *b);

/* links_batch.c: handshakes of ours that many links make at once; how many. */
struct hf_tls;
unsigned links_many(enum links_way way);
struct hf_tls *links_hufu_tls(struct links_end *e);

/* What bench_links measures: links_bulk.c, links_idle.c. */
double links_bulk_rate(const struct links_stack *s); /* bytes a second */

/* What n idle links cost a server. */
struct links_idle {
	double bytes;    /* resident, of all its processes, a link */
	double cpu_s[2]; /* to open one, of all its processes: of the first tenth, of the last */
};
/* false: its program is not there. */
bool links_idle_measure(struct links_idle *out, const struct links_stack *s, unsigned n);

/* links_tools.c: programs of others; 0: they are not there. */
double links_nginx_curl(void);         /* bytes a second of one link, AES-128-GCM */
double links_tongsuo_handshakes(void); /* a second, mutual, both ends on one core; SM2 */
double links_tongsuo_bulk(void);       /* bytes a second of one link, SM4-GCM */

/* links_hufud.c */
bool links_hufud_start(struct links_server *v);
void links_hufud_client(int fd, unsigned no);

#endif
