/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users of a machine ask its network process over <data>/front.sock: messages of
 * os/unixsock.h, each one JSON object. One question a connection:
 *
 *	{"do":"status"}                              -> {"status":{...}}
 *	{"do":"pull","lineage":NAME,"wait":BOOL}     -> {"progress":{...}}* then {"done":{...}}
 *	{"do":"push"}                                -> {"done":{}} when the outbox is being looked
 *at any failure                                  -> {"error":NAME,"code":NUMBER,"text":TEXT}
 *
 * progress: {"step","release","chunks","chunks_done","bytes","bytes_done","bytes_twice","rate",
 * "eta_ms"}. status: {"id","role","level","domain","member","version","channel":{"serial",
 * "age_ms","error","text"},"lineages":[{"name","step","release","tries","error","text",progress
 *fields}], "sources":[{"name","kind","up","error","text"}],"serve":{counters of
 *svc/serve.h, "workers":[links of each]},"keys":{"state","root_version",
 * "channel_serial","records","head_size"},"uploads":{"waiting","done"},"receipts_waiting"}.
 * A reader ignores members that it does not know.
 */
#ifndef HF_SVC_LOCAL_H
#define HF_SVC_LOCAL_H

enum { HF_LOCAL_MESSAGE_MAX = 1 << 20 }; /* bytes */

#define HF_LOCAL_FRONT "front.sock"
#define HF_LOCAL_KEYD  "keyd.sock"

#endif
