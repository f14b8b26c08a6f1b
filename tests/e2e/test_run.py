#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job with the tool: publish, pull, run in memory, push back, open at the hub; and what is refused.

One site: a hub and two devices, as processes on loopback. hufu is the only thing that talks to them.
"""
import hashlib
import json
import os
import pickle
import signal
import subprocess
import time
import unittest

import models
from nodes import HUFU, Site, hufu, hufu_ok, until, write

USAGE, INPUT, REFUSED, STATE, SYSTEM = 2, 4, 5, 6, 7
SITE = None


def setUpModule():
    global SITE
    SITE = Site(grants=[{'lineage': 'digits', 'device': 'dev-1'}, {'lineage': 'pair', 'device': '*'},
                        {'lineage': 'folder', 'device': 'dev-1'}, {'lineage': 'plain', 'device': 'dev-1'},
                        {'lineage': 'altered', 'device': 'dev-*'}])
    SITE.hub.start()
    SITE.hub.wait_log('listening')
    write(SITE.path('weights.bin'), os.urandom(3 * 1024 * 1024 + 17))
    write(SITE.path('config.json'), b'{"layers": 2}\n')
    SITE.dev = SITE.join('dev-1')
    SITE.other = SITE.join('dev-2')


def tearDownModule():
    SITE.__exit__(None, None, None)


def publisher():
    return os.path.join(SITE.domain, 'publisher')


def hub():
    return f'127.0.0.1:{SITE.hub.port}'


def publish(*files, **more):
    args = [a for k, v in more.items() for a in ('--' + k.replace('_', '-'), str(v))]
    return json.loads(hufu_ok('publish', *files, '--as', publisher(), '--hub', hub(), *args, '--json'))


def sha256(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def left_over(folder):
    """Bundles and parts of bundles in it."""
    return [n for n in os.listdir(folder) if '.hufu' in n or '.part' in n]


class Case(unittest.TestCase):
    def refuse(self, code, words, *args, **more):
        r = hufu(*args, **more)
        self.assertEqual(r.returncode, code, r.stderr)
        self.assertIn(words, r.stderr)
        return r


class MainJob(Case):
    """In the order of the names: each step stands on the one before."""

    def test_1_publish_makes_it_current(self):
        said = publish(SITE.path('weights.bin'), lineage='digits', release=1)
        self.assertEqual((said['lineage'], said['release']), ('digits', 1))
        self.assertGreater(said['serial'], 0)
        self.assertRegex(said['manifest'], r'^manifest/[0-9a-f]{64}$')
        self.assertEqual(left_over(publisher()), [])

    def test_2_pull_waits_until_it_is_active(self):
        said = json.loads(hufu_ok('pull', 'digits', '--node', SITE.dev.data, '--wait', '--json'))
        self.assertEqual((said['step'], said['release']), ('active', 1))
        line = next(row for row in json.loads(hufu_ok('status', '--node', SITE.dev.data, '--json'))['lineages']
                    if row['name'] == 'digits')
        self.assertEqual((line['step'], line['release']), ('active', 1))

    def test_3_run_sees_the_plaintext_and_nobody_else(self):
        out = hufu_ok('run', 'digits', '--node', SITE.dev.data, '--', 'sha256sum', '{}')
        self.assertEqual(out.split()[0], sha256(SITE.path('weights.bin')))
        with open(SITE.path('weights.bin'), 'rb') as f:
            needle = f.read()[1000:1064]
        for folder, _, files in os.walk(SITE.dev.data):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, 'rb') as f:
                        self.assertNotIn(needle, f.read(), path)

    def test_4_every_open_is_a_record(self):
        before = sum(1 for r in SITE.dev.audit() if r['event'] == 'model.open')
        hufu_ok('run', 'digits', '--node', SITE.dev.data, '--', 'true', '{}')
        until('the record is there', lambda: sum(
            1 for r in SITE.dev.audit() if r['event'] == 'model.open') == before + 1)

    def test_5_push_comes_to_the_hub_and_opens_there(self):
        write(SITE.path('delta.bin'), os.urandom(70000))
        said = json.loads(hufu_ok('push', SITE.path('delta.bin'), '--node', SITE.dev.data, '--lineage', 'digits',
                                  '--json'))
        self.assertEqual((said['lineage'], said['release']), ('digits', 1))  # the one that is active

        def arrived():
            rows = json.loads(hufu_ok('uploads', 'list', '--node', SITE.hub.data, '--json'))['uploads']
            return next((r for r in rows if r['counter'] == said['counter']), None)

        row = until('the hub has it', arrived)
        self.assertEqual((row['device'], row['kind'], row['lineage']), ('dev-1', 'increment', 'digits'))
        out = SITE.path('received')
        hufu_ok('uploads', 'open', row['upload'], '--node', SITE.hub.data, '--passphrase-file', SITE.passphrase,
                '-o', out)
        self.assertEqual(sha256(os.path.join(out, 'delta.bin')), sha256(SITE.path('delta.bin')))
        until('the outbox is empty', lambda: not [
            n for n in os.listdir(os.path.join(SITE.dev.data, 'outbox')) if n.endswith('.hufu')])
        self.assertEqual(json.loads(hufu_ok('uploads', 'list', '--node', SITE.hub.data, '--device', 'dev-2',
                                            '--json'))['uploads'], [])

    def test_6_a_second_release_replaces_the_first(self):
        write(SITE.path('weights.bin'), os.urandom(100000))
        publish(SITE.path('weights.bin'), lineage='digits', release=2)
        said = json.loads(hufu_ok('pull', 'digits', '--node', SITE.dev.data, '--wait', '--json'))
        self.assertEqual((said['step'], said['release']), ('active', 2))
        out = hufu_ok('run', 'digits', '--node', SITE.dev.data, '--', 'sha256sum', '{}')
        self.assertEqual(out.split()[0], sha256(SITE.path('weights.bin')))

    def test_7_an_old_release_is_refused(self):
        self.refuse(REFUSED, 'digits', 'publish', SITE.path('weights.bin'), '--as', publisher(), '--hub', hub(),
                    '--lineage', 'digits', '--release', '1')


class Run(Case):
    @classmethod
    def setUpClass(cls):
        publish(SITE.path('weights.bin'), SITE.path('config.json'), lineage='pair', release=1)
        hufu_ok('pull', 'pair', '--node', SITE.dev.data, '--wait')

    def run_ok(self, *args):
        return hufu_ok('run', 'pair', '--node', SITE.dev.data, *args)

    def test_the_first_file_and_each_by_its_name(self):
        self.assertEqual(self.run_ok('--', 'cat', '{}'), '{"layers": 2}\n')
        self.assertEqual(self.run_ok('--', 'cat', '{config.json}'), '{"layers": 2}\n')
        self.assertEqual(self.run_ok('--', 'sha256sum', '{weights.bin}').split()[0], sha256(SITE.path('weights.bin')))
        self.assertEqual(self.run_ok('--file', 'weights.bin', '--', 'sha256sum', '{}').split()[0],
                         sha256(SITE.path('weights.bin')))

    def test_places_inside_of_words_and_braces_that_are_none(self):
        out = self.run_ok('--', 'echo', '--weights={weights.bin},{}', '{"a": 1}', '{no-file}', '{')
        self.assertRegex(out, r'^--weights=/proc/self/fd/\d+,/proc/self/fd/\d+ \{"a": 1\} \{no-file\} \{\n$')

    def test_the_environment_names_the_node(self):
        env = dict(os.environ, HUFU_NODE=SITE.dev.data)
        self.assertEqual(hufu_ok('run', 'pair', '--', 'cat', '{}', env=env), '{"layers": 2}\n')

    def test_nobody_can_write_to_it(self):
        r = hufu('run', 'pair', '--node', SITE.dev.data, '--', 'sh', '-c', 'echo x >> {}')
        self.assertNotEqual(r.returncode, 0)

    def test_it_ends_as_the_command_ends(self):
        for code in (0, 1, 42, 255):
            r = hufu('run', 'pair', '--node', SITE.dev.data, '--', 'sh', '-c', f'exit {code}', '{}')
            self.assertEqual(r.returncode, code)
        r = hufu('run', 'pair', '--node', SITE.dev.data, '--', 'sh', '-c', 'kill -SEGV $$', '{}')
        self.assertEqual(r.returncode, 128 + signal.SIGSEGV)

    def spawn(self, script):
        p = subprocess.Popen([HUFU, 'run', 'pair', '--node', SITE.dev.data, '--', 'sh', '-c', script, '{}'],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(p.stdout.close)
        return p

    def test_signals_are_handed_on(self):
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            name = sig.name[3:]
            p = self.spawn(f'trap "exit 33" {name}; echo ready; while :; do sleep 0.05; done')
            self.assertEqual(p.stdout.readline(), 'ready\n')
            p.send_signal(sig)
            self.assertEqual(p.wait(30), 33, name)

    def test_the_command_does_not_outlive_it(self):
        p = self.spawn('echo $$; while :; do sleep 0.05; done')
        child = int(p.stdout.readline())
        p.kill()
        p.wait()
        until('the command is gone', lambda: not runs(child))

    def test_refusals(self):
        run = ('run', 'pair', '--node', SITE.dev.data)
        self.refuse(USAGE, 'no command', *run)
        self.refuse(USAGE, 'no command', *run, '--')
        self.refuse(USAGE, 'has no {}', *run, '--', 'true')
        self.refuse(STATE, "no file 'nope'", *run, '--file', 'nope', '--', 'cat', '{}')
        self.refuse(STATE, 'no such program', *run, '--', 'hufu-no-such-program', '{}')
        self.refuse(STATE, '/no/such/program', *run, '--', '/no/such/program', '{}')
        self.refuse(STATE, 'unknown', 'run', 'unknown', '--node', SITE.dev.data, '--', 'cat', '{}')
        self.refuse(USAGE, 'the name of a model', 'run', '../x', '--node', SITE.dev.data, '--', 'cat', '{}')


class Folder(Case):
    """A model that is a folder, all the way: published, pulled, run, pushed back."""

    @classmethod
    def setUpClass(cls):
        cls.top = SITE.path('folder')
        models.folder(cls.top)
        models.put(os.path.join(cls.top, 'old.pkl'), pickle.dumps({'a': 1}))
        cls.said = publish(cls.top, lineage='folder', release=1)
        hufu_ok('pull', 'folder', '--node', SITE.dev.data, '--wait')

    def tree(self, top):
        return {os.path.relpath(os.path.join(d, n), top): sha256(os.path.join(d, n))
                for d, _, names in os.walk(top) for n in names}

    def test_pickles_are_warned_of_when_published_and_when_pushed(self):
        self.assertEqual((self.said['pickles'], self.said['first_pickle']), (1, 'old.pkl'))
        self.assertIn('programs', self.said['warning'])
        bundle = SITE.path('folder.hufu')
        hufu_ok('seal', self.top, '--as', publisher(), '--lineage', 'folder', '--release', '2', '-o', bundle)
        self.assertEqual(publish(bundle)['first_pickle'], 'old.pkl')
        said = json.loads(hufu_ok('push', self.top, '--node', SITE.dev.data, '--json'))
        self.assertEqual((said['pickles'], said['first_pickle']), (1, 'old.pkl'))
        self.assertEqual(said['files'], len(self.tree(self.top)))
        self.assertNotIn('warning', publish(SITE.path('config.json'), lineage='plain', release=1))

    def test_each_file_has_a_path_and_no_other_is_opened(self):
        words = [a for name in ('tokenizer/vocab.json', 'onnx/weights.bin', 'tokenizer/虎符/merges.txt', 'one')
                 for a in ('{' + name + '}',)]
        out = hufu_ok('run', 'folder', '--node', SITE.dev.data, '--', 'sha256sum', *words).split()
        want = self.tree(self.top)
        self.assertEqual(out[::2], [want[w[1:-1]] for w in words])
        out = hufu_ok('run', 'folder', '--node', SITE.dev.data, '--file', 'edge/model.tflite', '--', 'sh', '-c',
                      'ls /proc/self/fd | sort -n | tail -2; sha256sum {}')
        self.assertEqual(out.split()[-2], want['edge/model.tflite'])
        self.refuse(INPUT, 'is empty', 'run', 'folder', '--node', SITE.dev.data, '--', 'cat', '{empty}')
        self.refuse(STATE, "no file 'tokenizer'", 'run', 'folder', '--node', SITE.dev.data, '--file', 'tokenizer', '--',
                    'cat', '{}')

    def test_what_is_pushed_is_a_folder_again(self):
        said = json.loads(hufu_ok('push', self.top, '--node', SITE.dev.data, '--kind', 'other', '--json'))

        def arrived():
            rows = json.loads(hufu_ok('uploads', 'list', '--node', SITE.hub.data, '--json'))['uploads']
            return next((r for r in rows if r['counter'] == said['counter']), None)

        row = until('the hub has it', arrived)
        out = SITE.path('folder-received')
        hufu_ok('uploads', 'open', row['upload'], '--node', SITE.hub.data, '--passphrase-file', SITE.passphrase,
                '-o', out)
        self.assertEqual(self.tree(out), self.tree(self.top))

    def test_the_folder_of_a_node_is_not_pushed(self):
        self.refuse(REFUSED, 'private keys', 'push', SITE.dev.data, '--node', SITE.dev.data)


class Refusals(Case):
    def test_a_device_without_a_grant(self):
        r = hufu('pull', 'digits', '--node', SITE.other.data, '--wait')
        self.assertEqual(r.returncode, REFUSED, r.stderr)
        self.refuse(STATE, 'digits', 'run', 'digits', '--node', SITE.other.data, '--', 'cat', '{}')

    def test_no_node(self):
        empty = SITE.path('empty')
        os.makedirs(empty, exist_ok=True)
        for args in (('status',), ('pull', 'digits'), ('push', SITE.path('config.json')),
                     ('run', 'digits', '--', 'cat', '{}'),
                     ('domain', 'token', '--device', 'd', '--role', 'device')):
            words = args[:1] if args[0] != 'domain' else args[:2]
            rest = args[len(words):]
            self.refuse(SYSTEM, 'start hufud', *words, '--node', empty, *rest)
            self.refuse(STATE, 'no such folder', *words, '--node', SITE.path('nowhere'), *rest)

    def test_tokens_are_for_hubs_and_names_that_can_be(self):
        token = ('domain', 'token')
        self.refuse(STATE, 'is a device', *token, '--node', SITE.dev.data, '--device', 'x', '--role', 'device')
        on_hub = (*token, '--node', SITE.hub.data)
        self.refuse(USAGE, '--device', *on_hub, '--role', 'device')
        self.refuse(USAGE, '--device', *on_hub, '--device', 'a b', '--role', 'device')
        self.refuse(USAGE, '--role', *on_hub, '--device', 'x', '--role', 'hub')
        self.refuse(USAGE, '--level', *on_hub, '--device', 'x', '--role', 'device', '--level', '4')
        self.refuse(USAGE, '--expires', *on_hub, '--device', 'x', '--role', 'device', '--expires', '0')
        out = hufu_ok(*on_hub, '--device', 'x', '--role', 'edge')
        self.assertEqual(len(out.split()), 1)

    def test_publish_to_nobody(self):
        args = ('publish', SITE.path('weights.bin'), '--as', publisher(), '--lineage', 'digits', '--release', '9')
        self.refuse(SYSTEM, '127.0.0.1:1', *args, '--hub', '127.0.0.1:1')
        for bad in ('', 'hub', 'hub:', 'hub:0', 'hub:65536', 'hub:7443x', ':7443', '::1:7443', '[::1]', '[]:1'):
            self.refuse(USAGE, 'HOST:PORT', *args, '--hub', bad)
        self.assertEqual(left_over(publisher()), [])

    def test_publish_refuses_before_it_connects(self):
        args = ('--as', publisher(), '--hub', '127.0.0.1:1')
        self.refuse(USAGE, '--lineage', 'publish', SITE.path('weights.bin'), *args)
        self.refuse(USAGE, '--hub', 'publish', SITE.path('weights.bin'), '--as', publisher())
        self.refuse(USAGE, '--as', 'publish', SITE.path('weights.bin'), '--hub', '127.0.0.1:1')
        self.refuse(REFUSED, 'not a publisher', 'publish', SITE.path('weights.bin'), '--as', SITE.hub.data, '--hub',
                    '127.0.0.1:1', '--lineage', 'x', '--release', '1')
        self.refuse(STATE, '/no/such', 'publish', '/no/such', *args, '--lineage', 'x', '--release', '1')
        bundle = SITE.path('altered.hufu')
        if os.path.exists(bundle):
            os.unlink(bundle)
        hufu_ok('seal', SITE.path('weights.bin'), '--as', publisher(), '--lineage', 'digits', '--release', '9', '-o',
                bundle)
        self.refuse(USAGE, 'is a bundle', 'publish', bundle, *args, '--level', '1')
        with open(bundle, 'r+b') as f:
            data = f.read()
            at = data.rfind(b'hufu-manifest')
            f.seek(at + 30)
            f.write(bytes([data[at + 30] ^ 1]))
        self.refuse(REFUSED, 'altered', 'publish', bundle, *args)

    def test_a_foreign_publisher_is_not_let_in(self):
        foreign = SITE.path('foreign')
        if not os.path.exists(foreign):
            hufu_ok('domain', 'init', foreign, '--name', 'other', '--shares-dir', SITE.path('foreign-shares'))
        r = hufu('publish', SITE.path('weights.bin'), '--as', os.path.join(foreign, 'publisher'), '--hub', hub(),
                 '--lineage', 'digits', '--release', '9')
        self.assertEqual(r.returncode, REFUSED, r.stderr)

    def test_a_bundle_can_be_published_twice(self):
        bundle = SITE.path('twice.hufu')
        hufu_ok('seal', SITE.path('config.json'), '--as', publisher(), '--lineage', 'twice', '--release', '7', '-o',
                bundle)
        first = publish(bundle)
        second = publish(bundle)
        self.assertEqual((first['lineage'], first['release'], first['manifest']),
                         (second['lineage'], second['release'], second['manifest']))

    def test_push_refusals(self):
        push = ('push', SITE.path('config.json'), '--node', SITE.dev.data)
        self.refuse(USAGE, '--kind', *push, '--kind', 'gossip')
        self.refuse(USAGE, '--lineage', *push, '--release', '1')
        self.refuse(STATE, 'no release of nothing', *push, '--lineage', 'nothing')
        self.refuse(USAGE, 'not a regular file', 'push', '/dev/null', '--node', SITE.dev.data)
        self.refuse(STATE, '/no/such', 'push', '/no/such', '--node', SITE.dev.data)

    def test_uploads_refusals(self):
        self.refuse(STATE, 'no folder of a hub', 'uploads', 'list', '--node', SITE.path('nowhere'))
        opening = ('--node', SITE.hub.data, '--passphrase-file', SITE.passphrase, '-o', SITE.path('never'))
        self.refuse(STATE, 'upload', 'uploads', 'open', '0' * 64, *opening)
        self.refuse(INPUT, 'bundle', 'uploads', 'open', SITE.path('config.json'), *opening)
        self.refuse(USAGE, '--out', 'uploads', 'open', '0' * 64, '--node', SITE.hub.data)
        self.assertFalse(os.path.exists(SITE.path('never')))


class Interrupted(Case):
    BIG = 96 * 1024 * 1024

    @classmethod
    def setUpClass(cls):
        with open(SITE.path('big.bin'), 'wb') as f:
            for _ in range(cls.BIG >> 20):
                f.write(os.urandom(1 << 20))

    def spawn(self, *args):
        return subprocess.Popen([HUFU, *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                stdin=subprocess.DEVNULL)

    def packs(self):
        folder = os.path.join(SITE.hub.data, 'objects', 'pack')
        return len(os.listdir(folder)) if os.path.isdir(folder) else 0

    def test_a_publish_that_was_killed_goes_on_where_it_was(self):
        bundle = SITE.path('big.hufu')
        hufu_ok('seal', SITE.path('big.bin'), '--as', publisher(), '--lineage', 'big', '--release', '1',
                '--no-compress', '-o', bundle)
        packs = self.packs()
        p = self.spawn('publish', bundle, '--as', publisher(), '--hub', hub())
        until('one of its two packs is there', lambda: self.packs() > packs)
        p.kill()
        p.wait()
        if self.packs() > packs + 1:
            self.skipTest('it was faster than this test')
        before = SITE.hub.status()['serve']['bytes_in']
        self.assertEqual(publish(bundle)['release'], 1)
        self.assertLess(SITE.hub.status()['serve']['bytes_in'] - before, self.BIG // 2)

    def test_a_publish_that_was_stopped_leaves_nothing(self):
        p = self.spawn('publish', SITE.path('big.bin'), '--as', publisher(), '--hub', hub(), '--lineage', 'big',
                       '--release', '2')
        until('it is sealing', lambda: left_over(publisher()))
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(60), STATE)
        self.assertEqual(left_over(publisher()), [])

    def test_what_a_killed_publish_left_goes_after_a_day(self):
        small = write(SITE.path('small.bin'), 'small')
        paths = {hours: write(os.path.join(publisher(), f'publish-{hours:016x}.hufu.part-0'), 'left')
                 for hours in (1, 25)}
        for hours, path in paths.items():
            os.utime(path, (time.time() - hours * 3600,) * 2)
        hufu_ok('publish', small, '--as', publisher(), '--hub', hub(), '--lineage', 'small', '--release', '1')
        self.assertEqual([os.path.exists(path) for path in paths.values()], [True, False])
        os.unlink(paths[1])

    def test_a_push_that_was_stopped_leaves_nothing(self):
        outbox = os.path.join(SITE.dev.data, 'outbox')
        p = self.spawn('push', SITE.path('big.bin'), '--node', SITE.dev.data)
        until('it is sealing', lambda: os.path.isdir(outbox) and any('.part' in n for n in os.listdir(outbox)))
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(60), STATE)
        self.assertFalse([n for n in os.listdir(outbox) if '.part' in n])

    def test_an_altered_object_of_the_store_is_refused_and_recorded(self):
        publish(SITE.path('config.json'), lineage='altered', release=1)
        folder = os.path.join(SITE.dev.data, 'objects', 'pack')
        before = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        hufu_ok('pull', 'altered', '--node', SITE.dev.data, '--wait')
        pack, = set(os.listdir(folder)) - before
        with open(os.path.join(folder, pack), 'r+b') as f:
            first = f.read(1)
            f.seek(0)
            f.write(bytes([first[0] ^ 1]))
        self.refuse(REFUSED, f'pack/{pack}', 'run', 'altered', '--node', SITE.dev.data, '--', 'cat', '{}')
        until('it is on the record', lambda: any(
            r['event'] == 'model.refused' and 'altered' in json.dumps(r) for r in SITE.dev.audit()))


if __name__ == '__main__':
    unittest.main()
