#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program of tests/ct for every processor that the tables of kernels distinguish.

usage: run.py [--leaks] [--tables NAME,...] valgrind MASKS PROGRAM
       run.py [--leaks] [--tables NAME,...] trace MASKS PROGRAM

MASKS is the program ct_masks. valgrind takes the processors whose instructions memcheck knows, trace all
others; with --tables only those that bring a kernel of these tables; with --leaks the program has a leak on
purpose, and it is an error if it is not found. Exit code 77: skipped.
"""
import array
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REGISTERS = {name: i for i, names in enumerate(
    [('rax', 'eax'), ('rcx', 'ecx'), ('rdx', 'edx'), ('rbx', 'ebx'), ('rsp', 'esp'), ('rbp', 'ebp'), ('rsi', 'esi'),
     ('rdi', 'edi')] + [(f'r{i}', f'r{i}d') for i in range(8, 16)]) for name in names}
NONE = 16
SEEDS = ('1', '2', '3')
SAYS_VECTOR = 0xffffffff  # step.c
OPERAND = re.compile(r'\((%\w+)?(?:,(%\w+)?(?:,\d)?)?\)')
# These compute an address, or name one, and touch nothing there.
NO_ACCESS = re.compile(r'^(lea|nop|endbr|.*\bnopw?\b)')


def masks(program, tool, tables):
    """Lines of ct_masks for this tool and these tables (None: all): bits and kernels."""
    out = subprocess.run([program], capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split(' ', 2) for line in out.splitlines()]
    return [(bits, kernels) for bits, by, kernels in rows
            if by == tool and (tables is None or tables & {k.split('=')[0] for k in kernels.split()})]


def under_valgrind(program, bits):
    """Whether memcheck found something, and its words."""
    r = subprocess.run(['valgrind', '-q', '--error-exitcode=99', '--leak-check=no', program], capture_output=True,
                       text=True, check=False, timeout=1800, env={**os.environ, 'CT_CPU': bits})
    if r.returncode not in (0, 99):
        sys.exit(f'{program}: code {r.returncode}\n{r.stdout}{r.stderr}')
    if r.returncode == 99 and 'uninitialised value' not in r.stderr:
        sys.exit(f'{program}: memcheck reports something else\n{r.stderr}')
    return r.returncode == 99, r.stderr


def read_list(name):
    """Words of each line of tests/ct/public.txt or allowed.txt."""
    with open(os.path.join(HERE, name), encoding='utf-8') as f:
        return [line.split() for line in f if line.strip() and not line.startswith('#')]


def operands(text):
    """Kind of an instruction and the registers of its addresses."""
    found = []
    for base, index in OPERAND.findall(text):
        if index.startswith(('%xmm', '%ymm', '%zmm')):
            return 'v', []
        found += [REGISTERS.get(base[1:], NONE), REGISTERS.get(index[1:], NONE)]
    return 'm', found


def write_table(program, path):
    """What step.c needs to know of each instruction of the program."""
    public = {words[0] for words in read_list('public.txt')}
    gathers = {words[1] for words in read_list('allowed.txt') if words[2] == 'gather'}
    function = ''
    out = subprocess.run(['objdump', '-d', '--no-show-raw-insn', program], capture_output=True, text=True, check=True,
                         timeout=300).stdout
    with open(path, 'w', encoding='utf-8') as f:
        f.write('')
        for line in out.splitlines():
            head = re.match(r'^0*([0-9a-f]+) <(\w+)>:$', line)
            function = head[2] if head else function
            if head and (head[2] == 'exit' or head[2] in public):
                f.write(f'{"e" if head[2] == "exit" else "p"} {head[1]}\n')
                continue
            m = re.match(r'^\s*([0-9a-f]+):\t(.*)$', line)
            if not m or '(' not in m[2] or NO_ACCESS.match(m[2]):
                continue
            kind, regs = operands(m[2].split('#')[0])
            if kind == 'v' and function not in gathers:
                f.write(f'v {m[1]}\n')
            elif kind == 'm' and any(r != NONE for r in regs):
                regs = (regs + [NONE] * 4)[:4]
                f.write(f'm {m[1]} ' + ' '.join(f'{r:x}' for r in regs) + '\n')


def where(program, address):
    """The function and the line of the source at an address."""
    r = subprocess.run(['addr2line', '-f', '-i', '-e', program, f'{address:x}'], capture_output=True, text=True,
                       check=False, timeout=60)
    return r.stdout.strip().replace('\n', ' ')


def first_difference(a, b):
    """What differs first between two logs, how many steps on, and the address; None: nothing."""
    if a == b:
        return None
    n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    if n == min(len(a), len(b)) or (a[n] ^ b[n]) & 0xffffffff:
        return 'branch', n, a[n - 1] & 0xffffffff
    return 'address', n, a[n] & 0xffffffff


def traced(program, bits):
    """Whether runs with different secrets differ, or take addresses from vectors, and where."""
    logs = []
    with tempfile.TemporaryDirectory() as d:
        table = os.path.join(d, 'table')
        write_table(program, table)
        for seed in SEEDS:
            log = os.path.join(d, f'log{seed}')
            r = subprocess.run(['setarch', '-R', program], capture_output=True, text=True, check=False, timeout=3000,
                               env={'CT_CPU': bits, 'CT_TRACE': table, 'CT_LOG': log, 'CT_SEED': seed})
            if r.returncode != 0:
                sys.exit(f'{program}: code {r.returncode}\n{r.stdout}{r.stderr}')
            with open(log, 'rb') as f:
                logs.append(array.array('Q', f.read()))
    if not logs[0]:
        sys.exit(f'{program}: nothing was traced')
    for record in logs[0]:
        if record >> 32 == SAYS_VECTOR:
            return True, f'addresses in a vector at {where(program, record & 0xffffffff)}'
    for other in logs[1:]:
        found = first_difference(logs[0], other)
        if found:
            return True, f'{found[0]} after {found[1]} steps at {where(program, found[2])}'
    return False, f'{len(logs[0])} steps are the same with {len(logs)} secrets'


def main():
    args = sys.argv[1:]
    expect_leak, tables = False, None
    if args[0] == '--leaks':
        expect_leak = args.pop(0) is not None
    if args[0] == '--tables':
        tables = set(args[1].split(','))
        args = args[2:]
    tool, mask_program, *rest = args
    rows = masks(mask_program, tool, tables)
    if not rows:
        print('skipped: no kernel of this processor needs it')
        return 77
    bad = 0
    for program in rest:
        for bits, kernels in rows:
            leaks, text = under_valgrind(program, bits) if tool == 'valgrind' else traced(program, bits)
            print(f'{os.path.basename(program)} {kernels}: {"LEAKS" if leaks else "clean"}', flush=True)
            if leaks != expect_leak:
                bad += 1
            if leaks != expect_leak or tool == 'trace':
                print(text, flush=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
