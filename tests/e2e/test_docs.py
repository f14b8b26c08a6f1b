#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents compared with the tree: what they name is there, and what the code has they name.

HUFU_BIN is the folder of the built programs; commands and options are compared in test_tool.py.
"""
import base64
import glob
import json
import os
import re
import subprocess
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
HUFU = os.path.join(os.environ['HUFU_BIN'], 'hufu')
TOP = ('src', 'tests', 'docs', 'tools', 'script', 'bench', 'examples', 'include', 'cmake')
ENDING = r'\.(?:c|h|py|md|txt|yaml|\[ch\])'
PATH = re.compile(rf'[\w.*-]*(?:/[\w.*-]+)*{ENDING}(?!\w)|(?:{"|".join(TOP)})/[\w./*-]+')
# Names of a kind of file, and files of users.
FREE = re.compile(r'X\w*\.[ch]$|^(hufud|hub|device|edge)\.yaml$')


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def documents():
    found = ['*.md', 'docs/*.md', 'docs/*/*.md', 'tests/vectors/*.md']
    return sorted(os.path.relpath(p, ROOT) for f in found for p in glob.glob(os.path.join(ROOT, f)))


def sources(folders=('src', 'include', 'tests', 'bench')):
    text = []
    for folder in folders:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            text += [read(os.path.join(where, n)) for n in names if n.endswith(('.c', '.h'))]
    return '\n'.join(text)


def words(text):
    """What stands in backquotes."""
    return re.findall(r'`([^`\n]+)`', text)


def is_there(path, document):
    """From the root, from src, or from the document's own folder."""
    path = path.replace('[ch]', 'c')
    return any(glob.glob(os.path.join(ROOT, base, path)) for base in ('', 'src', os.path.dirname(document)))


class Names(unittest.TestCase):
    def test_every_file_that_a_document_names_is_there(self):
        names = {n for top in ('src', 'tests') for _, _, files in os.walk(os.path.join(ROOT, top)) for n in files}
        n = 0
        for document in documents():
            for word in words(read(document)):
                for path in PATH.findall(re.sub(r'<\w+>', '*', word)):
                    if FREE.search(path) or path.startswith('/'):
                        continue
                    n += 1
                    ok = is_there(path, document) or ('/' not in path and path in names)
                    self.assertTrue(ok, f'{document}: {path}')
        self.assertGreater(n, 150)

    def test_every_link_leads_somewhere(self):
        for document in documents():
            text = read(document)
            for link in re.findall(r'\]\(([^)]+)\)', text):
                path, _, anchor = link.partition('#')
                self.assertTrue(not path or is_there(path, document), f'{document}: {link}')
                if anchor:
                    heads = [h.lower().replace(' ', '-') for h in re.findall(r'(?m)^#+ (.*)$', text)]
                    self.assertIn(anchor, heads, document)

    def test_every_function_and_constant_that_a_document_names_is_there(self):
        known = set(re.findall(r'\b(?:hf|HF|hufu|HUFU)_\w+', sources() + read('CMakeLists.txt')))
        n = 0
        for document in documents():
            for word in words(read(document)):
                for name in re.findall(r'\b(?:hf|HF|hufu|HUFU)_\w+\b(?!_?\*)', word):
                    n += 1
                    self.assertIn(name, known, document)
        self.assertGreater(n, 40)

    def test_every_command_that_a_document_names_is_there(self):
        listed = subprocess.run([HUFU, '--help'], capture_output=True, text=True, timeout=60, check=True).stdout
        commands = re.findall(r'(?m)^  ([a-z][a-z0-9 -]*?) {2,}|^  (crypto sm\S+ \S+|crypto \S+) ', listed)
        commands = {' '.join(''.join(c).split()) for c in commands} | {'crypto'}
        first = {c.split()[0] for c in commands}
        for document in documents():
            text = read(document)
            blocks = re.findall(r'(?ms)^```sh\n(.*?)^```', text)
            for line in words(text) + '\n'.join(blocks).split('\n'):
                found = re.match(r'hufu ([a-z]+)(?: ([a-z0-9-]+))?', line)
                if found is None:
                    continue
                self.assertIn(found[1], first, f'{document}: {line}')
                if not any(c == found[1] for c in commands) and found[2]:
                    both = f'{found[1]} {found[2]}'
                    self.assertTrue(any(c.startswith(both) for c in commands), f'{document}: {line}')


KEYS = r'YAML_(?:NEEDED_)?(?:STR|MAP|LIST|QUANTITY|ENUM|BOOL|LEVEL)\(\s*"([a-z-]+)"'


def common_keys():
    """Keys that nodes and tunnels share."""
    return set(re.findall(KEYS, read('src/bin/common/revocation.c')))


def common_events():
    return set(re.findall(r'tell\(f, "([a-z-]+)"', read('src/bin/common/crl_fetch.c')))


class Tables(unittest.TestCase):
    def test_the_architecture_has_every_floor(self):
        rows = re.findall(r'(?m)^\| (\d) \| ([^|]*) \|', read('ARCHITECTURE.md'))
        told = {folder: floor for floor, folders in rows for folder in words(folders)}
        floors = {name: floor for name, floor in re.findall(r'(?m)^([a-z]+) +(\d) :', read('src/layers.txt'))}
        self.assertEqual(told, floors)

    def test_the_manual_of_the_node_has_every_event_of_its_diagnostics(self):
        calls = re.findall(r'(?:hufud_line_begin|hufud_log_event|hufud_log_err|log_link)\(([^;]*)\);',
                           sources(['src/bin/hufud']))
        events = set()
        for call in calls:
            arguments = re.sub(r'^[^,]*,', '', call.replace('\n', ' '))
            if not call.startswith('&l'):
                arguments = call
            events |= set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', arguments.split(', NULL')[0])[:2])
        events -= {'child', 'error', 'role', 'state', 'serial', 'address', 'domain', 'name'}
        events |= common_events()
        page = read('docs/man/hufud.8')
        page = page[page.index('Events:'):page.index('is the number of a link')]
        told = set(re.findall(r'[a-z][a-z-]+', ' '.join(re.findall(r'(?m)^\.Ql (.*)$', page)))) - {'session'}
        self.assertEqual(told, events)

    def test_the_manual_of_the_configuration_has_every_key(self):
        keys = set(re.findall(KEYS, read('src/bin/hufud/config_yaml.c'))) | common_keys() - {'cache'}
        told = set(re.findall(r'Ic ([a-z-]+)\b', read('docs/man/hufud.yaml.5')))
        self.assertEqual(told, keys)

    def test_the_manual_of_the_tunnel_has_every_key_event_and_number(self):
        page = read('docs/man/hufu-tunnel.1')
        keys = set(re.findall(KEYS, read('src/bin/hufu/tunnel_yaml.c'))) | common_keys()
        self.assertEqual(set(re.findall(r'Ic ([a-z-]+)\b', page)), keys)
        code = ''.join(read(f'src/bin/hufu/tunnel_{f}.c') for f in ('run', 'setup', 'worker', 'status'))
        calls = r'(?:hufud_line_begin|hufud_log_event|hufud_log_err)\((?:&l, )?&\w+(?:->\w+)*->log, "([a-z-]+)"'
        events = set(re.findall(calls, code)) | {'opened', 'closed', 'failed', 'refused'} | common_events()
        told = page[page.index('Events:'):page.index('Of lines about')]
        self.assertEqual(set(re.findall(r'(?m)^\.Ql ([a-z-]+)', told)) - {'error', 'text'}, events)
        numbers = set(re.findall(r'\] = "([a-z_]+)"', read('src/bin/hufu/tunnel_status.c')))
        told = page[page.index('Numbers, of'):page.index('.Sh SEE ALSO')]
        self.assertEqual(set(re.findall(r'Li ([a-z_]+)', told)) - {'connections'}, numbers)

    def test_the_key_process_has_every_request(self):
        numbers = re.findall(r'(?m)^\tX\(\w+, +(\d+),', read('src/svc/key_proto.h'))
        self.assertEqual(re.findall(r'(?m)^\| (\d+) \|', read('docs/formats/key-process.md')), numbers)

    def test_the_node_api_has_every_route(self):
        routes = re.findall(r'HF_HTTP_(\w+), +(HF_API_\w+),', read('src/svc/serve.c').split('edge_routes')[0])
        paths = dict(re.findall(r'#define (HF_API_\w+) +"(\S+)"', read('src/http/api.h')))
        told = set()
        for methods, path in re.findall(r'(?m)^\| (`[^|]*?)(/v1/\S+)` \|', read('docs/formats/node-api.md')):
            path = re.sub('current|KIND|ID', '*', path)
            told |= {(m, path) for m in re.findall('[A-Z]+', methods)}
        self.assertEqual(told, {(m, paths[p]) for m, p in routes})

    def test_the_audit_log_names_the_events_that_nobody_writes(self):
        used = set(re.findall(r'HF_EV_(\w+)', re.sub(r'(?s)static bool is_of_front.*?\n}', '', sources(['src']))))
        silent = {name for event, name in re.findall(r'X\((\w+), +0x\w+, .*?"(.*?)"\)', read('src/audit/event.h'))
                  if event not in used}
        text = read('docs/formats/audit-log.md')
        self.assertEqual(set(words(re.search(r'(?s)Not written by this version:(.*?)\.\n', text)[1])), silent)

    def test_conformance_names_the_rows_that_nothing_reads(self):
        used = set(re.findall(r'HF_ROW_(\w+)', sources(['src'])))
        silent = {name for row, name in re.findall(r'X\((\w+), *"([a-z0-9.-]+)"', read('src/policy/policy.h'))
                  if row not in used}
        told = re.search(r'Nothing reads the rows of what is not there: (.*?);', read('docs/conformance.md'))[1]
        for name in silent:
            if not name.startswith(('link.', 'suite.', 'resume.')):
                self.assertIn(f'`{name}`', told)
        for name in words(told):
            self.assertIn(name, silent)


    def test_conformance_has_the_number_of_cases_that_pass(self):
        files = sorted(glob.glob(os.path.join(ROOT, 'tests/vectors/*.txt')))
        r = subprocess.run([HUFU, 'check', 'vectors', '--json', *files], capture_output=True, timeout=300, check=True)
        found = json.loads(r.stdout)
        self.assertIn(f'{found["passed"]} cases pass, {found["skipped"]} are skipped', read('docs/conformance.md'))


class Examples(unittest.TestCase):
    def test_the_head_of_the_audit_log_has_the_form_that_is_told(self):
        text = read('docs/formats/audit-log.md')
        lines = [line.strip() for line in re.search(r'(?s)a signature line:\n\n(.*?)\n\nKey id', text)[1].split('\n')]
        self.assertEqual(len(lines), 5)
        self.assertEqual(len(base64.b64decode(lines[2], validate=True)), 32)
        self.assertEqual(str(int(lines[1])), lines[1])
        self.assertEqual(lines[3], '')
        self.assertTrue(lines[4].startswith(f'\u2014 {lines[0]} '))

    def test_the_limits_of_objects_are_those_of_the_code(self):
        packs = re.search(r'X\(PACK, +1, +"pack", +(\d+) << 20\)', read('src/pkg/object.h'))[1]
        self.assertIn(f'at most {packs} MiB', read('docs/formats/package.md'))


class Languages(unittest.TestCase):
    def test_both_readmes_have_the_same_commands_and_links(self):
        english, chinese = read('README.md'), read('README.zh-CN.md')
        for text in (english, chinese):
            self.assertIn('](README', text)
        code = [re.sub(r' +#.*', '', line) for line in english.split('\n')
                if line.startswith(('    ', 'hufu', 'umask', 'echo'))]
        for line in code:
            self.assertIn(line.rstrip(), chinese)
        links = [re.findall(r'\]\(([^)#]+)\)', re.sub(r'README[.\w-]*', '', t)) for t in (english, chinese)]
        self.assertEqual(sorted(links[0]), sorted(links[1]))
        self.assertEqual(english.count('\n## '), chinese.count('\n## '))
        self.assertEqual(english.count('\n- **'), chinese.count('\n- **'))


if __name__ == '__main__':
    unittest.main()
