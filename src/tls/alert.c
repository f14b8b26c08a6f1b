/* SPDX-License-Identifier: Apache-2.0 */
/* Names of alerts. */
#include "tls/alert.h"

#include <stddef.h>

#include "base/attr.h"

const char *hf_alert_name(unsigned alert)
{
	static const struct {
		unsigned number;
		const char *name;
	} names[] = {
#define HF_ALERT_ROW(name, number, text) { number, text },
		HF_ALERT_LIST(HF_ALERT_ROW)
#undef HF_ALERT_ROW
	};

	for (size_t i = 0; i < HF_COUNT(names); i++) {
		if (names[i].number == alert)
			return names[i].name;
	}
	return "unknown";
}
