#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration of hufud: what is wrong is told with file, line, column, key and what is allowed."""
import os
import random
import re
import subprocess
import tempfile
import unittest

from nodes import HUFUD

DEVICE = '''node: dev-1
role: device
data: data
upstreams:
  - {host: hub.example, port: 4711, kind: hub}
'''
HUB = '''node: hub-1
role: hub
data: /var/lib/hufu
listen: {address: '::', port: 4711}
unlock: {passphrase-file: pass}
'''
EDGE = DEVICE.replace('device', 'edge') + '''listen:
  address: 192.0.2.7
  port: 0
'''
FULL = DEVICE + '''  - {host: 192.0.2.1, port: 1, kind: lan, cost: 7, control: false}
  - {host: '2001:db8::1', port: 65535, kind: edge, cost: 65535, control: true}
level: 2
enrol: {token-file: token}
follow: [digits, line-4.v2]
poll: 60 s
quota: 10 GiB   # a comment
rate: 20 MiB
open-users: [root, 1000]
limits: {links: 1, streams: 256, intakes: 3, idle: 90min}
'''
# what: the text, where: "line:column", says: what must stand in the message
REFUSED = [
    ('', '', 'is empty'),
    ('[]', '1:1', ''),
    ('node: x', '1:7', 'role: the key is missing; allowed: hub, edge or device'),
    (DEVICE + 'pol: 60 s\n', '6:1', 'pol: unknown key; allowed: node, role'),
    (DEVICE + '# pol\npol: 1 s # pol:\n', '7:1', 'pol: unknown key'),
    (DEVICE + '  - {host: h, prt: 1, kind: hub}\n', '6:15', 'upstreams[2].prt: unknown key; allowed: host, port'),
    (DEVICE + '  - {host: h, kind: hub}\n', '6:', 'upstreams[2].port: the key is missing; allowed: 1 to 65535'),
    (DEVICE + '  - {host: h, port: 0, kind: hub}\n', '6:21', 'upstreams[2].port: \'0\''),
    (DEVICE + '  - {host: h, port: 65536, kind: hub}\n', '6:21', 'port: \'65536\' is not allowed here; allowed: 1 to'),
    (DEVICE + '  - {host: h, port: 1, kind: cloud}\n', '6:30', 'kind: \'cloud\''),
    (DEVICE + '  - {host: hub.example, port: 4711, kind: hub}\n', '6:12', 'there already'),
    (DEVICE + '  - {host: h, port: 1, kind: lan, control: true}\n', '6:44', 'asked for objects only'),
    (DEVICE.replace('kind: hub', 'kind: lan'), '5:', 'none of them may be asked for channel'),
    (DEVICE.replace('dev-1', '"dev 1"'), '1:7', 'node: \'dev 1\' is not allowed here; allowed: letters'),
    (DEVICE.replace('role: device', 'role: cloud'), '2:7', 'role: \'cloud\' is not allowed here; allowed: hub'),
    (DEVICE + 'level: 4\n', '6:8', 'level: \'4\' is not allowed here; allowed: 1, 2 or 3'),
    (DEVICE + 'level: high\n', '6:8', 'level: \'high\''),
    (DEVICE + 'poll: 60\n', '6:7', 'poll: \'60\' is not allowed here; allowed: 1 s to 24 h, with a unit'),
    (DEVICE + 'poll: 60 q\n', '6:7', 'poll: \'60 q\''),
    (DEVICE + 'poll: 0 s\n', '6:7', 'poll: \'0 s\''),
    (DEVICE + 'poll: 25 h\n', '6:7', 'poll: \'25 h\''),
    (DEVICE + 'poll: -1 s\n', '6:7', 'poll: \'-1 s\''),
    (DEVICE + 'poll: 99999999999999999999 s\n', '6:7', 'poll'),
    (DEVICE + 'poll: 18446744073709551615 d\n', '6:7', 'poll'),
    (DEVICE + 'poll: [1 s]\n', '6:7', 'poll'),
    (DEVICE + 'poll: ""\n', '6:7', 'poll: the value is too short'),
    (DEVICE + 'quota: 1 MiB\n', '6:8', 'quota: \'1 MiB\' is not allowed here; allowed: at least 64 MiB'),
    (DEVICE + 'quota: 10 GB\n', '6:8', 'quota: \'10 GB\''),
    (DEVICE + 'rate: fast\n', '6:7', 'rate: \'fast\''),
    (DEVICE + 'follow: [a, b c]\n', '6:13', 'follow[2]: \'b c\''),
    (DEVICE + 'follow: [' + 'a, ' * 64 + 'a]\n', '6:', 'follow'),
    (DEVICE + 'open-users: [nobody-has-this-name]\n', '6:14', 'open-users[1]: \'nobody-has-this-name\''),
    (DEVICE + 'limits:\n  links: 70000\n', '7:10', 'limits.links: \'70000\' is not allowed here; allowed: 1 to 65536'),
    (DEVICE + 'workers: 2\n', '6:', 'workers: not for the role device'),
    (EDGE + 'workers: 0\n', '9:10', 'workers: \'0\' is not allowed here; allowed: 1 to 64'),
    (EDGE + 'workers: 65\n', '9:10', 'workers: \'65\' is not allowed here; allowed: 1 to 64'),
    (DEVICE + 'limits: {streams: 257}\n', '6:19', 'limits.streams: \'257\''),
    (DEVICE + 'limits: {idle: 1 year}\n', '6:16', 'limits.idle: \'1 year\''),
    (DEVICE + 'enrol: {}\n', '6:', 'enrol.token-file: the key is missing'),
    (DEVICE + 'enrol: &x {token-file: x}\nlimits: *x\n', '', ''),
    (DEVICE + 'poll: 1 s\npoll: 2 s\n', '', 'poll'),
    (DEVICE + 'poll: "1 s\n', '', 'is no YAML'),
    (DEVICE + '\tpoll: 1 s\n', '', 'is no YAML'),
    (DEVICE + 'poll: \x01\n', '', ''),
    (DEVICE + 'listen: {address: "::", port: 1}\n', '6:9', 'listen: not for the role device'),
    (DEVICE + 'grants: [{lineage: a, device: b}]\n', '6:', 'grants: not for the role device'),
    (DEVICE.split('upstreams')[0], '', 'upstreams: the role device needs it'),
    (EDGE + 'unlock: {passphrase-file: p}\n', '9:9', 'unlock: not for the role edge'),
    (EDGE.split('listen')[0], '', 'listen: the role edge needs it'),
    (HUB.split('unlock')[0], '', 'unlock: the role hub needs it'),
    (HUB + 'enrol: {token-file: x}\n', '6:', 'enrol: not for the role hub'),
    (HUB + 'poll: 1 s\n', '6:7', 'poll: not for the role hub'),
    (HUB + 'channel-life: 31 d\n', '6:15', 'channel-life: \'31 d\''),
    (HUB + 'grants:\n  - {lineage: "a*b", device: d}\n', '7:15', 'grants[1].lineage: \'a*b\''),
    (HUB + 'grants:\n  - {lineage: a, device: d}\n  - {lineage: a, device: "d d"}\n', '8:26', 'grants[2].device'),
    (HUB + 'grants:\n  - {lineage: a}\n', '7:', 'grants[1].device: the key is missing'),
    (HUB.replace('{passphrase-file: pass}', '{}'), '5:9', 'unlock: needs one of its keys'),
    (HUB.replace('pass}', 'pass, share-files: [a, b]}'), '5:9', 'unlock: needs one of its keys, and only one'),
    (HUB.replace('passphrase-file: pass', 'share-files: [a]'), '5:', 'unlock.share-files: one share opens nothing'),
    (HUB.replace('4711', '-1'), '4:', 'listen.port: \'-1\''),
    # One way to say yes.
    (DEVICE + '  - {host: h, port: 1, kind: hub, control: maybe}\n', '6:44',
     "upstreams[2].control: 'maybe' is not allowed here; allowed: true or false"),
    (DEVICE + '  - {host: h, port: 1, kind: hub, control: yes}\n', '6:44', "control: 'yes'"),
    (DEVICE + '  - {host: h, port: 1, kind: hub, control: 1}\n', '6:44', "control: '1'"),
    (DEVICE + '  - {host: h, port: 1, kind: hub, control: [true]}\n', '6:44', 'control'),
    # Numbers are decimal, as they look.
    (HUB.replace('4711', '010'), '4:31', "listen.port: '010' is not allowed here; allowed: 0 (any free one) to 65535"),
    (HUB.replace('4711', '0x10'), '4:31', "listen.port: '0x10'"),
    (HUB.replace('4711', '+10'), '4:31', "listen.port: '+10'"),
    (HUB.replace('4711', '1e3'), '4:31', "listen.port: '1e3'"),
    (HUB.replace('4711', '10 x'), '4:31', "listen.port: '10 x'"),
    (HUB.replace('4711', '18446744073709551626'), '4:31', "listen.port: '18446744073709551626'"),
    (DEVICE + 'limits: {links: 010}\n', '6:17', "limits.links: '010' is not allowed here; allowed: 1 to 65536"),
    (DEVICE + 'poll: 010 s\n', '6:7', "poll: '010 s'"),
    # One document, or the second is a surprise.
    (DEVICE + '---\nnode: other\n', '6:1', 'a second document begins here; allowed: one'),
    (DEVICE + '...\n# and\n---\n', '8:1', 'a second document begins here'),
    ('---\n' + DEVICE + '---\n' + DEVICE, '7:1', 'a second document begins here'),
    # Nothing is no name of a file.
    (DEVICE.replace('data: data', 'data: ~'), '3:7', 'data: no value is given; allowed: the path of a folder'),
    (DEVICE.replace('data: data', 'data: null'), '3:7', 'data: no value is given'),
    (DEVICE.replace('data: data', 'data:'), '3:6', 'data: no value is given'),
    (DEVICE + 'follow: [a, ~]\n', '6:13', 'follow[2]: no value is given; allowed: at most 64'),
    (DEVICE + 'limits:\n', '6:8', 'limits: no value is given; allowed: links, streams'),
    (DEVICE + 'enrol: {token-file: Null}\n', '6:21', 'enrol.token-file: no value is given; allowed: token-file'),
    (HUB.replace('/var/lib/hufu', '/' + 'x' * 990 + '/' + 'y' * 100), '3:', 'data'),
]


def check(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'node.yaml')
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        r = subprocess.run([HUFUD, '--config', path, '--check'], capture_output=True, check=False, timeout=60)
        return r.returncode, r.stdout.decode(), r.stderr.decode(errors='replace').replace(path, 'F')


class Config(unittest.TestCase):
    def test_good_ones_are_taken(self):
        for text in (DEVICE, HUB, EDGE, FULL, HUB + 'grants:\n  - {lineage: "*", device: "dev-*"}\nchannel-life: 72 h\n',
                     HUB.replace('passphrase-file: pass', 'share-files: [a, b, c]'), DEVICE + 'rate: 0\nquota: none\n',
                     '# first\n---\n' + DEVICE + '...\n# last\n', DEVICE.replace('dev-1', '"null"'),
                     DEVICE.replace('data: data', 'data: "~"'), DEVICE + 'follow: ["null"]\n'):
            code, out, err = check(text)
            self.assertEqual((code, err), (0, ''), text)
            self.assertRegex(out, r': (hub|edge|device) [a-z0-9-]+ at level [123], ok\n$')

    def test_wrong_ones_are_refused_with_their_place(self):
        for text, where, says in REFUSED:
            with self.subTest(text=text[-60:]):
                code, out, err = check(text)
                self.assertIn(code, (2, 4), err)
                self.assertEqual(out, '')
                self.assertEqual(err.count('\n'), 1, err)
                self.assertIn(says, err)
                if where:
                    self.assertTrue(err.startswith(f'hufud: F:{where}'), err)

    def test_a_file_that_is_not_there_is_named(self):
        r = subprocess.run([HUFUD, '--config', '/nowhere/x.yaml'], capture_output=True, text=True, check=False)
        self.assertEqual(r.returncode, 6)
        self.assertIn('/nowhere/x.yaml', r.stderr)

    def test_a_file_without_end_is_refused(self):
        code, _, err = check(b'#' * (257 * 1024))
        self.assertEqual(code, 3, err)

    def test_whatever_bytes_come_it_says_so(self):
        rng = random.Random(20)
        seeds = [t.encode() for t in (DEVICE, HUB, EDGE, FULL)]
        for _ in range(300):
            text = bytearray(rng.choice(seeds))
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(text))
                how = rng.randrange(4)
                if how == 0:
                    text[at] = rng.randrange(256)
                elif how == 1:
                    del text[at:at + rng.randrange(1, 9)]
                elif how == 2:
                    text[at:at] = rng.choice([b'*', b'&a ', b'- ', b': ', b'[', b'}', b'"', b'\n', b'\0', b'!!x ', b'|'])
                else:
                    text[at:at] = text[rng.randrange(len(text)):][:20]
            code, _, err = check(bytes(text))
            self.assertIn(code, (0, 2, 4), (bytes(text), err))
            if code != 0:
                self.assertRegex(err, re.compile(r'^hufud: F', re.S))

    def test_arguments(self):
        for args, code, says in (([], 2, '--config'), (['--config'], 2, '--config'), (['--what'], 2, '--what'),
                                 (['--config', 'x', 'y'], 2, 'y'), (['--as-keyd'], 6, 'by hand'),
                                 (['--as-front'], 6, 'by hand')):
            r = subprocess.run([HUFUD, *args], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(r.returncode, code, r.stderr)
            self.assertIn(says, r.stderr)
        for arg in ('--help', '--version'):
            r = subprocess.run([HUFUD, arg], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual((r.returncode, r.stderr), (0, ''))
            self.assertTrue(r.stdout.startswith('usage' if arg == '--help' else 'hufud 0.'))


if __name__ == '__main__':
    unittest.main()
