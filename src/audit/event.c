/* SPDX-License-Identifier: Apache-2.0 */
/* The event registry as a table. */
#include "audit/event.h"

#include "base/attr.h"

static const struct hf_audit_event_entry event_table[] = {
#define ENTRY(name, number, class_, severity, text) { number, class_, severity, text },
	HF_AUDIT_EVENTS(ENTRY)
#undef ENTRY
};

const struct hf_audit_event_entry *hf_audit_event(uint16_t number)
{
	for (size_t i = 0; i < HF_COUNT(event_table); i++)
		if (event_table[i].number == number)
			return &event_table[i];
	return NULL;
}
