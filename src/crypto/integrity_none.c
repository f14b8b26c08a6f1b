/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of every program that brings no other: tests and benches. It lies in the archive of
 * the module, where the linker finds it only if it has none yet.
 */
#include "base/attr.h"
#include "crypto/integrity.h"

HF_SECTION(HF_INTEGRITY_SECTION)
const struct hf_integrity hf_integrity_record = HF_INTEGRITY_RECORD(HF_INTEGRITY_NONE);
