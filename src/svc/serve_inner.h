/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the server share. A session has a list of tasks: requests that are not over
 * when their handler returns. Lives:
 *
 *	serve.c          sessions, the tables of routes, answers, records, refusals
 *	serve_object.c   GET and HEAD of objects, waiting for them at an edge
 *	serve_intake.c   statements whose objects are coming in, and whether all are there
 *	serve_put.c      PUT of statements, deposits, pages and packs
 *	serve_release.c  releases and the channel
 *	serve_member.c   enrolment and grants
 *	serve_crl.c      the revocation list, and the end of whom it names
 *	serve_report.c   receipts, inventories, uploads
 *	serve_relay.c    what an edge passes on
 *
 *  1. Nothing that was not checked against a signed statement gets a name in the store.
 *  2. What is under way is counted: bodies of objects, intakes, relays, nonces; and nobody has more
 *     than a share of it, over however many sessions.
 *  3. Bytes of bodies that wait in memory to be whole, or to be passed on, are counted likewise.
 *  4. A session is pumped only from outside of its own calls (struct hf_serve_peer).
 */
#ifndef HF_SVC_SERVE_INNER_H
#define HF_SVC_SERVE_INNER_H

#include "audit/log.h"
#include "http/api.h"
#include "pkg/channel.h"
#include "pkg/manifest.h"
#include "pkg/pkg_reader.h"
#include "pkg/upload.h"
#include "svc/api_json.h"
#include "svc/serve.h"

enum {
	SERVE_GETS_MAX = 1024,  /* bodies of objects being sent or waited for */
	SERVE_PUTS_MAX = 64,    /* objects coming in */
	SERVE_PUTS_PART = 8,    /* of few descriptors one of so many is for these */
	SERVE_RELAYS_MAX = 256, /* requests being passed on */
	SERVE_NONCES_MAX = 1024,
	SERVE_NONCES_EACH = 256, /* of one asker; an edge asks for all of its devices */
	SERVE_NONCE_MS = 10 * 60 * 1000,
	SERVE_STALL_MS = 60 * 1000,       /* nothing came from upstream at all */
	SERVE_WAIT_MS = 5 * 60 * 1000,    /* other things came, not this one */
	SERVE_INTAKE_MS = 10 * 60 * 1000, /* a statement of which nothing comes is forgotten */
	SERVE_SHARE = 4, /* one of so many parts is for one peer; newcomers are one together … */
	SERVE_SHARE_EDGE = 2,          /* … and an edge asks for many */
	SERVE_SHARE_SITE = 4,          /* of what newcomers have, so a part is for one address */
	SERVE_KEPT_MAX = 64 << 20,     /* bytes of bodies in memory … */
	SERVE_KEPT_SHARE = 8,          /* … of which one member may have this part … */
	SERVE_KEPT_SHARE_EDGE = 4,     /* … an edge this … */
	SERVE_KEPT_SHARE_NEW = 32,     /* … and all newcomers together this */
	SERVE_LARGE_MAX = 4,           /* bodies above HF_H2_SMALL_BODY of a session … */
	SERVE_LARGE_EDGE_MAX = 32,     /* … of an edge's */
	SERVE_STREAMS_NEW_MAX = 8,     /* of a newcomer's session: it has one thing to ask */
	SERVE_REFUSALS_MAX = 64,       /* of a session, recorded one by one … */
	SERVE_REFUSALS_NEW_MAX = 256,  /* … of all newcomers … */
	SERVE_REFUSALS_ALL_MAX = 1024, /* … of all members … */
	SERVE_REFUSALS_MS = 60 * 1000, /* … in this time; the rest is counted */
	SERVE_NEWCOMER_MS = 60 * 1000, /* a newcomer has come to enrol, and then goes */
	SERVE_BUCKETS = 1024,
	SERVE_ID_TEXT = 2 * HF_SM3_LEN + 1,
	SERVE_TRACE_LEN = 16,
	SERVE_WHAT_MAX = 128, /* "PUT /v1/objects/…" in records, with terminator */
};

_Static_assert(HF_SERVE_FILES_MAX == SERVE_GETS_MAX + SERVE_PUTS_MAX, "each has one");

/* Who may ask for what everybody may ask for. Hubs, directors and others have no business here. */
enum { SERVE_MEMBER = HF_PEER_DEVICE | HF_PEER_EDGE | HF_PEER_PUBLISHER };

/* States of a row of devices. */
enum { SERVE_DEVICE_ENROLLED = 1 };

/* States of a row of uploads. */
enum { SERVE_UPLOAD_TAKEN = 1 };

/* One request, as its answer and its records need it. */
struct serve_req {
	struct hf_serve_session *session;
	int32_t stream;
	uint8_t trace[SERVE_TRACE_LEN]; /* correlation id */
	char what[SERVE_WHAT_MAX];      /* method and path */
};

/* A request that is not over. First member of what it is a part of. */
struct serve_task {
	struct serve_task *next; /* of the session */
	struct serve_req req;
	void (*over)(struct serve_task *t); /* the stream is gone; frees */
	size_t kept;                        /* bytes in memory that are counted */
};

struct serve_intake {
	enum hf_object kind; /* HF_OBJECT_MANIFEST, HF_OBJECT_UPLOAD; 0: a free place */
	uint8_t name[HF_SM3_LEN];
	struct hf_buf object;
	struct hf_manifest manifest; /* of the one kind … */
	unsigned n_signed;           /* distinct publisher keys */
	struct hf_upload upload;     /* … or of the other; both borrow from object */
	const struct hf_pkg_body *body;
	char deposit[SERVE_ID_TEXT]; /* name of the deposit that came for it; empty: none */
	unsigned n_puts;             /* that hold it */
	uint64_t used_ms;
};

struct serve_nonce {
	uint8_t nonce[SERVE_TRACE_LEN];
	char asker[HF_ID_MAX + 1];
	uint64_t end_ms; /* 0: a free place */
};

/* Records of refusals in a span of time. */
struct serve_budget {
	uint64_t since_ms;
	uint32_t n;
};

/* A channel object, kept as long as it is current or being sent. */
struct serve_channel {
	unsigned n_holders;
	struct hf_buf der;
	uint64_t serial;
	uint64_t renew_s; /* wall clock: a third of its life is over */
};

struct hf_serve {
	struct hf_serve_config config;
	struct hf_node *node;
	const struct hf_mem *mem;
	char dir[HF_PATH_MAX]; /* of the objects */
	struct hf_objects objects;
	struct hf_serve_session *sessions[SERVE_BUCKETS]; /* by a hash of the actor */
	struct hf_serve_session *touched;
	struct serve_get *waits; /* bodies that wait for upstream */
	bool is_waking;
	bool wake_again;  /* something came while everybody was looked at */
	uint64_t wake_no; /* wake-ups so far */
	uint64_t kept;    /* bytes of bodies in memory */
	uint32_t n_gets;
	uint32_t n_puts;
	uint32_t max_gets; /* as there are descriptors */
	uint32_t max_puts;
	uint32_t n_relays;
	struct serve_relay *relays;
	struct serve_intake *intakes;        /* config.max_intakes */
	struct serve_nonce *nonces;          /* hub: SERVE_NONCES_MAX */
	struct hf_channel_release *releases; /* hub: the newest of each lineage, in order */
	size_t n_releases;
	size_t releases_cap;
	struct serve_channel *channel; /* hub; NULL before the first release */
	uint64_t renew_ms;             /* monotonic: look whether it is to be renewed */
	struct serve_budget newcomers; /* records of their refusals … */
	struct serve_budget members;
	uint64_t n_unrecorded; /* … and what sessions that ended could not record of theirs */
	struct hf_serve_stats stats;
};

struct hf_serve_session {
	struct hf_serve *serve;
	struct hf_serve_session *next; /* of the bucket */
	struct hf_serve_session *next_touched;
	struct hf_h2 *h;
	struct hf_serve_peer peer;
	uint32_t who;                  /* one of HF_PEER_* */
	struct hf_identity identity;   /* empty id for a newcomer */
	char actor[HF_AUDIT_NAME_MAX]; /* "device:dev-1" */
	struct serve_task *tasks;
	uint64_t kept;   /* bytes of bodies in memory */
	bool is_touched; /* to be pumped: stands in the server's list */
	bool is_cut;     /* its peer was revoked, and it was told to end */
	uint64_t end_ms; /* of a newcomer's; UINT64_MAX: none, or it is being closed */
	struct serve_budget refusals;
	uint64_t n_unrecorded; /* refusals that were only counted */
};

/* Handlers (struct hf_http_route); ctx is the session. */
void hf_serve_on_get(void *ctx, const struct hf_http_request *q);
void hf_serve_on_head(void *ctx, const struct hf_http_request *q);
void hf_serve_on_put(void *ctx, const struct hf_http_request *q);
hf_err hf_serve_on_put_body(
	void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end);
void hf_serve_on_channel(void *ctx, const struct hf_http_request *q);
void hf_serve_on_crl(void *ctx, const struct hf_http_request *q);
void hf_serve_on_release(void *ctx, const struct hf_http_request *q);
void hf_serve_on_enroll(void *ctx, const struct hf_http_request *q);
void hf_serve_on_grant(void *ctx, const struct hf_http_request *q);
void hf_serve_on_receipt(void *ctx, const struct hf_http_request *q);
void hf_serve_on_nonce(void *ctx, const struct hf_http_request *q);
void hf_serve_on_inventory(void *ctx, const struct hf_http_request *q);
void hf_serve_on_upload(void *ctx, const struct hf_http_request *q);
void hf_serve_on_relay(void *ctx, const struct hf_http_request *q);
void hf_serve_on_relay_enroll(void *ctx, const struct hf_http_request *q);
void hf_serve_on_relay_grant(void *ctx, const struct hf_http_request *q);
void hf_serve_on_relay_put(void *ctx, const struct hf_http_request *q);
hf_err hf_serve_on_relay_body(
	void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end);

/* Requests. */
void hf_serve_req_init(
	struct serve_req *r, struct hf_serve_session *session, const struct hf_http_request *q);
/* The value of a field of ours; NULL: it is not there. */
const char *hf_serve_field(const struct hf_http_head *head, const char *name);
/* The object that a path of HF_API_OBJECT names. HF_ERR_FORMAT: none. */
HF_MUST_USE hf_err hf_serve_object_of(enum hf_object *kind, uint8_t name[HF_SM3_LEN],
	const struct hf_http_head *head, struct hf_errinfo *ei);

/* Tasks. */
void hf_serve_task_add(struct serve_task *t, const struct serve_req *r);
struct serve_task *hf_serve_task_find(const struct hf_serve_session *session, int32_t stream);
/* HF_ERR_AGAIN: tasks of this kind take as much of max as one peer may have, over all sessions. */
HF_MUST_USE hf_err hf_serve_task_room(const struct hf_serve_session *session,
	void (*over)(struct serve_task *t), uint32_t max, struct hf_errinfo *ei);

/*
 * What the task has in memory of bodies is now so many bytes. HF_ERR_AGAIN: more than there is room
 * for; what was counted before still is.
 */
HF_MUST_USE hf_err hf_serve_task_keep(struct serve_task *t, size_t len, struct hf_errinfo *ei);
/* It has nothing in memory any more. */
void hf_serve_task_unkeep(struct serve_task *t);

/* What a failure to open a file of ours means to who asked: without a descriptor, "later". */
hf_err hf_serve_open_err(struct hf_serve *s, hf_err e);

/* Answers. Those that cannot be given end as a failure of the stream. */
void hf_serve_reply(
	const struct serve_req *r, unsigned status, const char *type, struct hf_bytes body);
void hf_serve_reply_json(const struct serve_req *r, const struct hf_buf *json, hf_err e);

/*
 * Answers with the failure, and counts and records it as event, unless it is nothing but "not
 * there", "later" or "no way to the hub". What the peer may read: ei's text, except after failed
 * authentication and where the failure is our machine's.
 */
void hf_serve_refuse(const struct serve_req *r, enum hf_audit_event event, hf_err e,
	const struct hf_errinfo *ei);

/* What is to be recorded besides who asked; 0 and NULL mean none. */
struct serve_note {
	enum hf_audit_event event;
	enum hf_record_result result;
	hf_err reason;
	enum hf_level level;
	const char *subject; /* "device:dev-1" */
	const char *lineage;
	uint64_t release;
	const uint8_t *manifest;
	uint64_t bytes;
	uint64_t n_failed;
	const char *rule;
	const char *code; /* NULL: method and path */
};
HF_MUST_USE hf_err hf_serve_record(
	const struct serve_req *r, const struct serve_note *note, struct hf_errinfo *ei);

/* The session's bytes changed from outside; hf_serve_pump() then tells all who changed. */
void hf_serve_touch(struct hf_serve_session *session);
void hf_serve_pump(struct hf_serve *s);

/* The server goes: what the session to the hub still holds of relays, it holds alone. */
void hf_serve_relays_orphan(struct hf_serve *s);

/* Objects that come and go. */
void hf_serve_waits_tick(struct hf_serve *s, uint64_t now_ms);
uint64_t hf_serve_waits_deadline(const struct hf_serve *s);
/*
 * Puts a whole object into the store; *is_new: it was not there. HF_ERR_FULL: nothing of it stays.
 */
HF_MUST_USE hf_err hf_serve_store(struct hf_serve *s, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], struct hf_bytes object, bool *is_new);
/* The row of an object that is in the store now. */
void hf_serve_object_row(struct hf_serve *s, enum hf_object kind, const char *id, uint64_t size);

/* Intakes. */
/*
 * Takes a statement in: checks who signed it, and remembers it. HF_ERR_AUTH, HF_ERR_DENIED, …:
 * refused. HF_ERR_AGAIN: too many others are coming in.
 */
HF_MUST_USE hf_err hf_serve_intake_begin(struct serve_intake **out, struct hf_serve *s,
	enum hf_object kind, const uint8_t name[HF_SM3_LEN], struct hf_bytes object,
	struct hf_errinfo *ei);
/* The intake of a statement that is in the store. HF_ERR_STATE: it has not come. */
HF_MUST_USE hf_err hf_serve_intake_get(struct serve_intake **out, struct hf_serve *s,
	enum hf_object kind, const uint8_t name[HF_SM3_LEN], struct hf_errinfo *ei);
/* Forgets it, unless an object is coming in for it. */
void hf_serve_intake_drop(struct serve_intake *in);
/* Whether the statement lists the page. */
bool hf_serve_intake_lists(
	const struct serve_intake *in, enum hf_object kind, const uint8_t name[HF_SM3_LEN]);
/* All pages and packs are there. HF_ERR_STATE: the text names what is missing. */
HF_MUST_USE hf_err hf_serve_intake_whole(
	const struct serve_intake *in, struct hf_serve *s, struct hf_errinfo *ei);
void hf_serve_intakes_tick(struct hf_serve *s, uint64_t now_ms);
uint64_t hf_serve_intakes_deadline(const struct hf_serve *s);

/* Devices. */
/*
 * The content of an object that a device of ours has signed. HF_ERR_AUTH: no such device, or not
 * signed by it. HF_ERR_REVOKED, HF_ERR_EXPIRED: its certificate.
 */
HF_MUST_USE hf_err hf_serve_device_open(struct hf_bytes *content, struct hf_serve *s,
	const char *device, enum hf_object kind, struct hf_bytes object, struct hf_errinfo *ei);
/* HF_ERR_REVOKED. Without lists: HF_OK. */
HF_MUST_USE hf_err hf_serve_check_revoked(
	const struct hf_serve *s, const struct hf_cert *cert, struct hf_errinfo *ei);
/* A device speaks for itself, an edge for any. HF_ERR_DENIED. */
HF_MUST_USE hf_err hf_serve_speaks_for(
	const struct hf_serve_session *session, const char *device, struct hf_errinfo *ei);

/* What a hub and an edge check alike, before anything else. HF_ERR_AUTH, HF_ERR_DENIED, … */
HF_MUST_USE hf_err hf_serve_enroll_read(struct hf_api_enroll *out,
	const struct hf_serve_session *session, const struct hf_http_request *q,
	struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_serve_grant_read(struct hf_api_grant *out, struct hf_cert *cert,
	const struct hf_serve_session *session, const struct hf_http_request *q,
	struct hf_errinfo *ei);

/* Releases. */
/* The row of a manifest that is or was current. HF_ERR_NOT_FOUND. deposit may be NULL. */
HF_MUST_USE hf_err hf_serve_release_known(struct hf_serve *s, const char *lineage, uint64_t release,
	const uint8_t manifest[HF_SM3_LEN], char deposit[SERVE_ID_TEXT], struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_serve_channel_load(struct hf_serve *s, struct hf_errinfo *ei);
void hf_serve_channel_tick(struct hf_serve *s, uint64_t now_ms);
void hf_serve_channel_unhold(struct serve_channel *c, const struct hf_mem *mem);

#endif
