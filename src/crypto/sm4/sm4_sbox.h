/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * The S-box of SM4 (GB/T 32907-2016 6.2.1) as a Boolean circuit on bit planes: plane i holds bit i of
 * 64 independent bytes. No branch, no table: constant time. 36 AND, 91 XOR, 10 NOT.
 * Made by tools/gen-sm4-sbox.py, which derives and proves it (tower GF(((2^2)^2)^2) in SM4's field,
 * W = 0x5d, Z = 0x51, Y = 0xbe). Do not edit.
 */
#ifndef HF_CRYPTO_SM4_SM4_SBOX_H
#define HF_CRYPTO_SM4_SM4_SBOX_H

#include <stdint.h>

/* NOLINTNEXTLINE(readability-function-size): a circuit has no parts */
static inline void hf_sm4_sbox_planes(uint64_t b[8])
{
	const uint64_t x0 = ~b[0];
	const uint64_t x1 = b[1];
	const uint64_t x2 = ~b[2];
	const uint64_t x3 = b[3];
	const uint64_t x4 = ~b[4];
	const uint64_t x5 = ~b[5];
	const uint64_t x6 = ~b[6];
	const uint64_t x7 = b[7];
	const uint64_t t1 = x0 ^ x6;
	const uint64_t t2 = x2 ^ x5;
	const uint64_t t3 = t2 ^ x7;
	const uint64_t t4 = t1 ^ x4;
	const uint64_t t5 = x3 ^ x6;
	const uint64_t t6 = x1 ^ x5;
	const uint64_t t7 = t1 ^ x1;
	const uint64_t t8 = x3 ^ x4;
	const uint64_t t9 = x2 ^ x6;
	const uint64_t t10 = t6 ^ x4;
	const uint64_t t11 = x1 ^ x7;
	const uint64_t t12 = t4 ^ x5;
	const uint64_t t13 = t5 ^ x5;
	const uint64_t t14 = t9 ^ x4;
	const uint64_t t15 = t7 ^ x2;
	const uint64_t t16 = t10 ^ x6;
	const uint64_t t17 = t11 ^ t4;
	const uint64_t t18 = t3 ^ t5;
	const uint64_t t19 = t9 ^ x7;
	const uint64_t t20 = t5 ^ t6;
	const uint64_t t21 = t4 ^ x2;
	const uint64_t t22 = t2 ^ t7;
	const uint64_t t23 = t3 ^ x3;
	const uint64_t t24 = t3 ^ t8;
	const uint64_t t25 = t2 ^ x1;
	const uint64_t t26 = t13 ^ x7;
	const uint64_t t27 = t26 & x2;
	const uint64_t t28 = t11 & t4;
	const uint64_t t29 = t20 & t21;
	const uint64_t t30 = t14 & t7;
	const uint64_t t31 = t25 & t12;
	const uint64_t t32 = t16 & t10;
	const uint64_t t33 = t24 & t15;
	const uint64_t t34 = t3 & x5;
	const uint64_t t35 = t8 & t22;
	const uint64_t t36 = t33 ^ t34;
	const uint64_t t37 = t34 ^ t35;
	const uint64_t t38 = t28 ^ t36;
	const uint64_t t39 = t29 ^ t37;
	const uint64_t t40 = t30 ^ t37;
	const uint64_t t41 = t17 ^ t40;
	const uint64_t t42 = t29 ^ t38;
	const uint64_t t43 = t31 ^ t32;
	const uint64_t t44 = t32 ^ t41;
	const uint64_t t45 = t18 ^ t43;
	const uint64_t t46 = t23 ^ t42;
	const uint64_t t47 = t27 ^ t39;
	const uint64_t t48 = t36 ^ t45;
	const uint64_t t49 = t19 ^ t47;
	const uint64_t t50 = t44 ^ t48;
	const uint64_t t51 = t46 ^ t49;
	const uint64_t t52 = t44 ^ t49;
	const uint64_t t53 = t50 ^ t51;
	const uint64_t t54 = t49 & t44;
	const uint64_t t55 = t46 & t48;
	const uint64_t t56 = t51 & t50;
	const uint64_t t57 = t53 ^ t55;
	const uint64_t t58 = t56 ^ t57;
	const uint64_t t59 = t54 ^ t56;
	const uint64_t t60 = t52 ^ t59;
	const uint64_t t61 = t58 ^ t60;
	const uint64_t t62 = t58 & t44;
	const uint64_t t63 = t60 & t48;
	const uint64_t t64 = t61 & t50;
	const uint64_t t65 = t58 & t49;
	const uint64_t t66 = t60 & t46;
	const uint64_t t67 = t61 & t51;
	const uint64_t t68 = t66 ^ t67;
	const uint64_t t69 = t62 ^ t64;
	const uint64_t t70 = t65 ^ t67;
	const uint64_t t71 = t63 ^ t64;
	const uint64_t t72 = t69 ^ t70;
	const uint64_t t73 = t68 ^ t71;
	const uint64_t t74 = t69 ^ t71;
	const uint64_t t75 = t68 ^ t70;
	const uint64_t t76 = t72 ^ t73;
	const uint64_t t77 = t69 & x2;
	const uint64_t t78 = t71 & t4;
	const uint64_t t79 = t74 & t21;
	const uint64_t t80 = t70 & t7;
	const uint64_t t81 = t68 & t12;
	const uint64_t t82 = t75 & t10;
	const uint64_t t83 = t72 & t15;
	const uint64_t t84 = t73 & x5;
	const uint64_t t85 = t76 & t22;
	const uint64_t t86 = t69 & t26;
	const uint64_t t87 = t71 & t11;
	const uint64_t t88 = t74 & t20;
	const uint64_t t89 = t70 & t14;
	const uint64_t t90 = t68 & t25;
	const uint64_t t91 = t75 & t16;
	const uint64_t t92 = t72 & t24;
	const uint64_t t93 = t73 & t3;
	const uint64_t t94 = t76 & t8;
	const uint64_t t95 = t89 ^ t90;
	const uint64_t t96 = t81 ^ t95;
	const uint64_t t97 = t94 ^ t96;
	const uint64_t t98 = t80 ^ t92;
	const uint64_t t99 = t83 ^ t84;
	const uint64_t t100 = t88 ^ t93;
	const uint64_t t101 = t77 ^ t98;
	const uint64_t t102 = t79 ^ t99;
	const uint64_t t103 = t80 ^ t85;
	const uint64_t t104 = t100 ^ t87;
	const uint64_t t105 = t101 ^ t97;
	const uint64_t t106 = t79 ^ t95;
	const uint64_t t107 = t101 ^ t82;
	const uint64_t t108 = t87 ^ t90;
	const uint64_t t109 = t103 ^ t82;
	const uint64_t t110 = t78 ^ t88;
	const uint64_t t111 = t100 ^ t86;
	const uint64_t t112 = t82 ^ t99;
	const uint64_t t113 = t104 ^ t92;
	const uint64_t t114 = t102 ^ t91;
	const uint64_t t115 = t86 ^ t96;
	const uint64_t t116 = t115 ^ t87;
	const uint64_t t117 = t103 ^ t116;
	const uint64_t t118 = t102 ^ t105;
	const uint64_t t119 = t104 ^ t97;
	const uint64_t t120 = t110 ^ t114;
	const uint64_t t121 = t106 ^ t111;
	const uint64_t t122 = t112 ^ t119;
	const uint64_t t123 = t109 ^ t84;
	const uint64_t t124 = t105 ^ t78;
	const uint64_t t125 = t117 ^ t83;
	const uint64_t t126 = t107 ^ t121;
	const uint64_t t127 = t108 ^ t120;

	b[0] = ~t113;
	b[1] = ~t127;
	b[2] = t122;
	b[3] = t126;
	b[4] = ~t125;
	b[5] = t124;
	b[6] = ~t123;
	b[7] = ~t118;
}
/* clang-format on */

#endif
