/* SPDX-License-Identifier: Apache-2.0 */
/* What the network process records goes to the log of the key process. */
#include "svc/node.h"

hf_err hf_node_audit(struct hf_node *n, const struct hf_audit_event_in *in, struct hf_errinfo *ei)
{
	return hf_key_audit(n->keys, in, ei);
}
