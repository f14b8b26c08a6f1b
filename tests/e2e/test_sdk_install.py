#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the SDK into a folder of its own, builds programs against it in every documented way, runs them."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BIN = os.environ['HUFU_BIN']

PROGRAM = r'''
#include <hufu/hufu.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct hufu_model *model = NULL;
	struct hufu_error error;
	uint64_t counter = 0;
	struct hufu_upload upload;

	memset(&upload, 0, sizeof(upload));
	if (strcmp(hufu_version(), HUFU_VERSION_TEXT) != 0)
		return 1;
	if (hufu_push(&upload, &counter, &error) != HUFU_ERR_ARG)
		return 2;
	if (hufu_model_open(&model, argc > 1 ? argv[1] : NULL, "digits", 0, &error) == HUFU_OK)
		return 3;
	printf("%s %s: %s\n", hufu_version(), hufu_err_name(error.code), error.text);
	hufu_model_close(model);
	return 0;
}
'''

CMAKE = '''
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C CXX)
find_package(hufu 0.1 REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE hufu::hufu)
add_executable(static main.cc)
target_link_libraries(static PRIVATE hufu::static)
'''


def run(*args, **more):
    return subprocess.run(args, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


def skip(why):
    print(f'skipped: {why}')
    sys.exit(77)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix='hufu-sdk-')
        cls.prefix = os.path.join(cls.dir, 'usr')
        run('cmake', '--install', BIN, '--component', 'sdk', '--prefix', cls.prefix)
        # Nothing may hang on where it was installed first.
        moved = os.path.join(cls.dir, 'moved')
        os.rename(cls.prefix, moved)
        cls.prefix = moved
        for name in ('main.c', 'main.cc'):
            with open(os.path.join(cls.dir, name), 'w', encoding='utf-8') as f:
                f.write(PROGRAM)
        with open(os.path.join(cls.dir, 'CMakeLists.txt'), 'w', encoding='utf-8') as f:
            f.write(CMAKE)
        cls.libdir = os.path.dirname(cls.find('libhufu.so'))
        cls.env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(cls.libdir, 'pkgconfig'),
                       LD_LIBRARY_PATH=cls.libdir)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def find(cls, name):
        for folder, _, files in os.walk(cls.prefix):
            if name in files:
                return os.path.join(folder, name)
        raise FileNotFoundError(name)

    def flags(self, *what):
        return run('pkg-config', *what, 'hufu', env=self.env).split()

    def says_why(self, program):
        node = os.path.join(self.dir, 'no-node')
        said = run(program, node, env=self.env)
        self.assertIn('not_found', said)
        self.assertIn(f'{node}: no such folder', said)

    def build(self, compiler, source, out, *flags):
        out = os.path.join(self.dir, out)
        run(compiler, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-o', out,
            os.path.join(self.dir, source), *flags)
        return out

    def test_only_the_public_headers_are_installed(self):
        include = os.path.dirname(self.find('model.h'))
        self.assertEqual(sorted(os.listdir(include)),
                         ['err.h', 'hufu.h', 'model.h', 'upload.h', 'version.h'])

    def test_c17_by_pkg_config(self):
        self.says_why(self.build('gcc', 'main.c', 'c', '-std=c17', *self.flags('--cflags', '--libs')))

    def test_cxx_by_pkg_config(self):
        self.says_why(self.build('g++', 'main.cc', 'cxx', '-std=c++17', *self.flags('--cflags', '--libs')))

    def test_cxx11_is_enough(self):
        self.says_why(self.build('g++', 'main.cc', 'cxx11', '-std=c++11', *self.flags('--cflags', '--libs')))

    def test_static_by_pkg_config(self):
        # A program that is static in this library only.
        libs = [self.find('libhufu.a') if flag == '-lhufu' else flag
                for flag in self.flags('--static', '--libs')]
        program = self.build('gcc', 'main.c', 'static-c', *self.flags('--cflags'), *libs)
        self.assertNotIn('libhufu', run('readelf', '-d', program))
        self.says_why(program)

    def test_the_integrity_of_a_static_program_is_tested_once_it_is_written(self):
        libs = [self.find('libhufu.a') if flag == '-lhufu' else flag
                for flag in self.flags('--static', '--libs')]
        program = self.build('gcc', 'main.c', 'static-integrity', *self.flags('--cflags'), *libs)
        tool = self.find('hufu-integrity')
        self.assertEqual(subprocess.run([tool, '--check', program], capture_output=True, check=False).returncode, 1)
        run(tool, program)
        run(tool, '--check', program)
        self.says_why(program)
        found = re.search(r' \.rodata +PROGBITS +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)', run('readelf', '-SW', program))
        with open(program, 'r+b') as f:
            f.seek(int(found[1], 16) + int(found[2], 16) - 1)
            last = f.read(1)[0]
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([last ^ 1]))
        # Its first call that can fail does, and not for the reason the program waits for.
        self.assertEqual(subprocess.run([program], check=False).returncode, 2)

    def test_cmake_package(self):
        build = os.path.join(self.dir, 'build')
        run('cmake', '-G', 'Ninja', '-S', self.dir, '-B', build, f'-DCMAKE_PREFIX_PATH={self.prefix}')
        run('cmake', '--build', build)
        self.says_why(os.path.join(build, 'shared'))
        self.says_why(os.path.join(build, 'static'))

    def test_the_version_is_asked_for(self):
        with open(os.path.join(self.dir, 'CMakeLists.txt'), 'r+', encoding='utf-8') as f:
            text = f.read()
            f.seek(0)
            f.write(text.replace('hufu 0.1', 'hufu 9.1'))
        with self.assertRaises(subprocess.CalledProcessError):
            run('cmake', '-G', 'Ninja', '-S', self.dir, '-B', os.path.join(self.dir, 'newer'),
                f'-DCMAKE_PREFIX_PATH={self.prefix}')
        with open(os.path.join(self.dir, 'CMakeLists.txt'), 'w', encoding='utf-8') as f:
            f.write(text)

    def test_soname(self):
        said = run('readelf', '-d', self.find('libhufu.so'))
        self.assertIn('[libhufu.so.0]', said)
        for library in ('sqlite', 'nghttp2', 'jansson', 'libuv'):
            self.assertNotIn(library, said)


if __name__ == '__main__':
    if not os.path.exists(os.path.join(BIN, 'libhufu.a')):
        skip('libhufu was not built')
    if '__asan' in run('nm', '-D', os.path.join(BIN, 'libhufu.so')) or \
            '__tsan' in run('nm', '-D', os.path.join(BIN, 'libhufu.so')):
        skip('a sanitized library needs its runtime in the program')
    unittest.main()
