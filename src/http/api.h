/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node API: what nodes say to each other over HTTP/2 in a mutual TLS 1.3 link. JSON for
 * control, DER for signed objects, raw bytes for packs: docs/formats/node-api.md. Version 1; a
 * change that an old node would misread gets a new first segment.
 */
#ifndef HF_HTTP_API_H
#define HF_HTTP_API_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HF_ALPN_H2 "h2"

/* clang-format off */
#define HF_API_ENROLL    "/v1/enroll"      /* POST token and CSRs: the only path for a newcomer */
#define HF_API_CHANNEL   "/v1/channels/*"  /* GET the channel "current" */
#define HF_API_OBJECT    "/v1/objects/*/*" /* GET (with range), HEAD, PUT: kind, id in hex */
#define HF_API_RELEASES  "/v1/releases"    /* POST: a release whose objects are there is current */
#define HF_API_GRANTS    "/v1/grants"      /* POST: a device asks for its grant */
#define HF_API_RECEIPTS  "/v1/receipts"    /* POST a signed receipt */
#define HF_API_INVENTORY "/v1/inventory"   /* GET a nonce, POST a signed inventory over it */
#define HF_API_UPLOADS   "/v1/uploads"     /* POST: an upload whose objects are there is taken */
#define HF_API_PEERS     "/v1/peers"       /* GET the sources near the caller */
#define HF_API_WATCH     "/v1/watch"       /* GET a stream of events, one JSON object a line */
#define HF_API_AUDIT     "/v1/audit"       /* POST records and heads to the parent */
#define HF_API_CRL       "/v1/crl"         /* GET the domain's revocation list */
#define HF_API_TIME      "/v1/time"        /* POST a nonce, get a signed time */

#define HF_TYPE_CRL      "application/pkix-crl"
#define HF_TYPE_JSON     "application/json"
#define HF_TYPE_DER      "application/pkcs7-mime"
#define HF_TYPE_BYTES    "application/octet-stream"
#define HF_TYPE_EVENTS   "application/x-ndjson"

#define HF_FIELD_REQUEST "x-hufu-request"  /* correlation id, in both audit logs */
#define HF_FIELD_LENGTH  "x-hufu-length"   /* length of the whole object */
#define HF_FIELD_FOR     "x-hufu-for"      /* PUT: statement a page or pack belongs to */
#define HF_FIELD_HAVE    "x-hufu-have"     /* GET of the revocation list: number of the one at hand */
#define HF_FIELD_CHUNK   "x-hufu-chunk"    /* PUT of a pack: number of its first chunk */
/* clang-format on */

/* Roles of a peer, from its certificate; a route names those that may use it. */
enum {
	HF_PEER_NEWCOMER = 1 << 0, /* a self-signed certificate: enrolment and nothing else */
	HF_PEER_DEVICE = 1 << 1,
	HF_PEER_EDGE = 1 << 2,
	HF_PEER_HUB = 1 << 3,
	HF_PEER_PUBLISHER = 1 << 4,
	HF_PEER_DIRECTOR = 1 << 5,
	HF_PEER_MEMBER = HF_PEER_DEVICE | HF_PEER_EDGE | HF_PEER_HUB | HF_PEER_PUBLISHER |
			 HF_PEER_DIRECTOR, /* everyone with a certificate of the domain */
};

/* The HTTP status that tells a failure, and back: what a status means to the one who asked. */
unsigned hf_api_status(hf_err e);
hf_err hf_api_err(unsigned status);

/*
 * What an answer says went wrong: HF_OK for a status of success, else the code and the text of its
 * {"error","code","text"}, or what its status means if it has none. Words of the peer: printable
 * characters only and cut. ei may be NULL.
 */
hf_err hf_api_answer(unsigned status, const uint8_t *body, size_t body_len, struct hf_errinfo *ei);

#endif
