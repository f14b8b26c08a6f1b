/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place where compiler extensions are named. Everything else is plain C17.
 */
#ifndef HF_BASE_ATTR_H
#define HF_BASE_ATTR_H

#if defined(__GNUC__)
#define HF_MUST_USE          __attribute__((warn_unused_result))
#define HF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HF_EXPORT            __attribute__((visibility("default")))
#define HF_NOINLINE          __attribute__((noinline))
#else
#define HF_MUST_USE
#define HF_PRINTF(fmt, args)
#define HF_EXPORT
#define HF_NOINLINE
#endif

/* Number of elements of an array (not of a pointer). */
#define HF_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
