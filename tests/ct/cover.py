#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a service of src/crypto/*.h is neither called by a program of tests/ct nor listed as public.

usage: cover.py
"""
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
INNER = {'fault.h', 'health.h', 'integrity.h', 'module.h', 'selftest.h', 'service.h'}  # no services that see a secret


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def main():
    services = {}
    for header in sorted(glob.glob(os.path.join(ROOT, 'src/crypto/*.h'))):
        if os.path.basename(header) in INNER:
            continue
        text = re.sub(r'/\*.*?\*/', '', read(header), flags=re.S)
        for name in re.findall(r'^(?:HF_MUST_USE )?[a-z][\w ]*[ *](hf_\w+)\(', text, flags=re.M):
            services[name] = os.path.basename(header)
    programs = '\n'.join(read(p) for p in glob.glob(os.path.join(HERE, 'ct_*.c')))
    called = set(re.findall(r'\b(hf_\w+)\(', programs))
    listed = {line.split()[0] for line in read(os.path.join(HERE, 'uncovered.txt')).splitlines()
              if line.strip() and not line.startswith('#')}
    bad = [f'{header}: {name}() is called by no program of tests/ct; call it, or list it in tests/ct/uncovered.txt'
           for name, header in sorted(services.items()) if name not in called | listed]
    bad += [f'tests/ct/uncovered.txt: {name} is called, or is gone' for name in sorted(listed)
            if name in called or name not in services]
    print('\n'.join(bad) if bad else f'{len(services)} services, {len(listed)} of them public')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
