/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place where compiler extensions are named. Everything else is plain C17.
 */
#ifndef HF_BASE_ATTR_H
#define HF_BASE_ATTR_H

#include <stdint.h>

#if defined(__GNUC__)
#define HF_MUST_USE          __attribute__((warn_unused_result))
#define HF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HF_EXPORT            __attribute__((visibility("default")))
#define HF_CONSTRUCTOR       __attribute__((constructor)) /* runs when the program is loaded */
#define HF_SECTION(name)     __attribute__((section(name), used)) /* a constant lies there */
#define HF_NOINLINE          __attribute__((noinline))
#define HF_ALWAYS_INLINE     __attribute__((always_inline)) inline
/* The optimiser forgets what it knows about the integer x. Costs no instruction. */
#define HF_FORGET(x) __asm__("" : "+r"(x))
/* The same for a vector of a kernel: keeps the order of a sum whose last term comes late. */
#define HF_FORGET_VECTOR(x) __asm__("" : "+v"(x))
#else
#define HF_MUST_USE
#define HF_PRINTF(fmt, args)
#define HF_EXPORT
#define HF_CONSTRUCTOR
#define HF_SECTION(name)
#define HF_NOINLINE
#define HF_ALWAYS_INLINE inline
#define HF_FORGET(x) \
	do { \
		volatile uint64_t hf_forget_ = (x); \
		(x) = hf_forget_; \
	} while (0)
#define HF_FORGET_VECTOR(x) (void)(x)
#endif

/*
 * r = a + b + c and r = a - b - c over 64 bits; c, 0 or 1, becomes the carry or borrow. Written
 * with the processor's own carry where compilers do not find it by themselves (twice the speed on
 * x86).
 */
#if defined(__clang__)
#define HF_ADD_CARRY(c, r, a, b) \
	do { \
		unsigned long long hf_c_; \
		(r) = __builtin_addcll((a), (b), (c), &hf_c_); \
		(c) = hf_c_; \
	} while (0)
#define HF_SUB_BORROW(c, r, a, b) \
	do { \
		unsigned long long hf_c_; \
		(r) = __builtin_subcll((a), (b), (c), &hf_c_); \
		(c) = hf_c_; \
	} while (0)
#elif defined(__GNUC__) && defined(__x86_64__)
#define HF_ADD_CARRY(c, r, a, b) \
	do { \
		unsigned long long hf_r_; \
		(c) = __builtin_ia32_addcarryx_u64((unsigned char)(c), (a), (b), &hf_r_); \
		(r) = hf_r_; \
	} while (0)
#define HF_SUB_BORROW(c, r, a, b) \
	do { \
		unsigned long long hf_r_; \
		(c) = __builtin_ia32_sbb_u64((unsigned char)(c), (a), (b), &hf_r_); \
		(r) = hf_r_; \
	} while (0)
#elif defined(__SIZEOF_INT128__)
#define HF_ADD_CARRY(c, r, a, b) \
	do { \
		hf_u128 hf_r_ = (hf_u128)(a) + (b) + (c); \
		(c) = (uint64_t)(hf_r_ >> 64); \
		(r) = (uint64_t)hf_r_; \
	} while (0)
#define HF_SUB_BORROW(c, r, a, b) \
	do { \
		hf_u128 hf_r_ = (hf_u128)(a) - (b) - (c); \
		(c) = (uint64_t)(hf_r_ >> 64) & 1; \
		(r) = (uint64_t)hf_r_; \
	} while (0)
#else
/* The carry out of the top bit: both have it, or one has and the sum lost it. No comparison. */
#define HF_ADD_CARRY(c, r, a, b) \
	do { \
		uint64_t hf_a_ = (a); \
		uint64_t hf_b_ = (b); \
		uint64_t hf_r_ = hf_a_ + hf_b_ + (c); \
		(c) = ((hf_a_ & hf_b_) | ((hf_a_ | hf_b_) & ~hf_r_)) >> 63; \
		(r) = hf_r_; \
	} while (0)
#define HF_SUB_BORROW(c, r, a, b) \
	do { \
		uint64_t hf_a_ = (a); \
		uint64_t hf_b_ = (b); \
		uint64_t hf_r_ = hf_a_ - hf_b_ - (c); \
		(c) = ((~hf_a_ & hf_b_) | ((~hf_a_ | hf_b_) & hf_r_)) >> 63; \
		(r) = hf_r_; \
	} while (0)
#endif

/*
 * (high, low) = a * b + add1 + add2, which cannot overflow: of two 64-bit words, where the compiler
 * has a type for the product, else of their halves.
 */
#if defined(__SIZEOF_INT128__)
__extension__ typedef unsigned __int128 hf_u128;
#define HF_MUL_ADD(high, low, a, b, add1, add2) \
	do { \
		hf_u128 hf_t_ = (hf_u128)(a) * (b) + (add1) + (add2); \
		(high) = (uint64_t)(hf_t_ >> 64); \
		(low) = (uint64_t)hf_t_; \
	} while (0)
#else
#define HF_MUL_ADD(high, low, a, b, add1, add2) \
	do { \
		uint64_t hf_a_ = (a); \
		uint64_t hf_b_ = (b); \
		uint64_t hf_c_ = (add1); \
		uint64_t hf_d_ = (add2); \
		uint64_t hf_ll_ = (uint64_t)(uint32_t)hf_a_ * (uint32_t)hf_b_ + (uint32_t)hf_c_ + \
				  (uint32_t)hf_d_; \
		uint64_t hf_lh_ = (uint64_t)(uint32_t)hf_a_ * (uint32_t)(hf_b_ >> 32) + \
				  (hf_ll_ >> 32) + (hf_c_ >> 32); \
		uint64_t hf_hl_ = (uint64_t)(uint32_t)(hf_a_ >> 32) * (uint32_t)hf_b_ + \
				  (uint32_t)hf_lh_ + (hf_d_ >> 32); \
		(low) = hf_hl_ << 32 | (uint32_t)hf_ll_; \
		(high) = (uint64_t)(uint32_t)(hf_a_ >> 32) * (uint32_t)(hf_b_ >> 32) + \
			 (hf_lh_ >> 32) + (hf_hl_ >> 32); \
	} while (0)
#endif

/*
 * Tells a run under memcheck that x is public from here on. Only the build for tests/ct, where
 * secrets are undefined memory, makes anything of it.
 */
#if defined(HUFU_CT_CHECK)
#include <valgrind/memcheck.h>
#define HF_PUBLISH(x) (void)VALGRIND_MAKE_MEM_DEFINED(&(x), sizeof(x))
#else
#define HF_PUBLISH(x) (void)(x)
#endif

/* Stands before a loop of a kernel that must not stay a loop: its arrays are registers. */
#if defined(__clang__)
#define HF_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define HF_UNROLL _Pragma("GCC unroll 64")
#else
#define HF_UNROLL
#endif

/* Number of elements of an array (not of a pointer). */
#define HF_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
