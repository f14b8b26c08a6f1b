#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# label: slow
"""What a person at a network or at a disk can do, against real processes.

Each attack is refused with words that name the object, with the exit code of its class, leaves nothing
half-written, and is on the record of the node that refused. tests/attacks.txt lists them all.
"""
import glob
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from nodes import BIN, Site, hufu, hufu_ok, until, write
from test_formats import sm3
from test_formats_node import crc32c, tree as merkle

MIB = 1 << 20
CHUNK = MIB + 16  # sealed
FULL, INPUT, REFUSED, STATE, SYSTEM = 3, 4, 5, 6, 7  # exit codes: hufu(1)
NOBODY = 65534


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'sha256').hexdigest()


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def put(path, content):
    """In place of what is there, with its permissions."""
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    write(path, content, mode & 0o777)


def flipped(content, at=None):
    at = len(content) // 2 if at is None else at
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]


def run(node, lineage):
    return hufu('run', '--node', node.data, lineage, '--', 'sha256sum', '{}')


def pull(node, lineage):
    return hufu('pull', '--node', node.data, '--wait', '--quiet', lineage, timeout=60)


def tree(folder):
    """What is in a folder: names, and digests of the files."""
    return {os.path.relpath(path, folder): digest(path)
            for base, _, files in os.walk(folder) for path in (os.path.join(base, f) for f in files)
            if os.path.isfile(path) and not path.endswith('/lock')}


def events(node, name, since=0, **fields):
    """Records of the event; fields that are none of a record's own are attributes."""
    def has(r, key, value):
        return (r.get(key) if key in r or key in ('subject', 'actor', 'reason') else
                r['attr'].get(key)) == value
    return [r for r in node.audit()[since:] if r['event'] == name and all(has(r, k, v) for k, v in fields.items())]


def recorded(node, name, since=0, n=1, **fields):
    """Waits for them: most are durable a moment after what they tell."""
    return until(f'{n} {name} {fields} at {node.name}',
                 lambda: len(found := events(node, name, since, **fields)) >= n and found, 10)


def objects(node, kind):
    return sorted(glob.glob(os.path.join(node.data, 'objects', kind, '*')))


def rewritten(segment, name, change):
    """The first segment of a log with other records, as far as that needs no key."""
    previous, out, at = sm3(b'hufu/audit/log/v1\0' + name.encode()), segment[:32], 32
    while at < len(segment):
        size = int.from_bytes(segment[at:at + 4], 'big')
        b = bytearray(segment[at + 8:at + 8 + size])
        at += 8 + size
        place, leaves = 120, []
        for _ in range(int.from_bytes(b[16:20], 'big')):
            n = int.from_bytes(b[place:place + 2], 'big')
            b[place:place + n] = change(bytes(b[place:place + n]))
            leaves.append(sm3(b'\0', bytes(b[place:place + n])))
            place += n
        b[56:88], b[88:120] = previous, merkle(leaves)
        previous = b[place:place + 32] = sm3(b'\2', bytes(b[:120]))
        head = struct.pack('>I', size)
        out += head + struct.pack('>I', crc32c(head + bytes(b))) + bytes(b)
    return out


class Rogue:
    """A peer that does not keep the rules: tests/e2e/rogue.c."""

    def __init__(self, site, cert, *options):
        self.log = site.path(f'rogue-{os.urandom(4).hex()}.log')
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(self.command(site, 'serve', cert, *options), stdout=log)
        words = until('a port of the rogue', lambda: self.said()[:1]) or ['']
        self.port = int(words[0].split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.kill()
        self.process.wait()

    @staticmethod
    def command(site, *args):
        return [os.path.join(BIN, 'rogue'), *map(str, args), '--domain', site.domain, '--passphrase-file',
                site.passphrase]

    @classmethod
    def ask(cls, site, node, cert, *args):
        r = subprocess.run(cls.command(site, 'ask', node.port, cert, *args), stdout=subprocess.PIPE, check=True,
                           timeout=60)
        return json.loads(r.stdout)

    @classmethod
    def channel(cls, site, source, target, *args):
        """The director, under duress, says something else."""
        subprocess.run(cls.command(site, 'channel', source, target, *args), check=True, timeout=60)
        return target

    def said(self):
        """A line for its port and for each request, and what became of links."""
        text = read(self.log).decode()
        return text[:text.rfind('\n') + 1].splitlines()

    def upstream(self, kind='edge', **more):
        return {'host': '127.0.0.1', 'port': self.port, 'kind': kind, **more}

    @property
    def name(self):
        return f'source:127.0.0.1:{self.port}'


class Case(unittest.TestCase):
    """One domain a class, with its hub and the first release of "digits"."""

    SIZE = 2 * MIB + 5
    CONFIG = {}

    @classmethod
    def setUpClass(cls):
        cls.site = Site(**cls.CONFIG)
        try:
            cls.hub = cls.site.hub.start()
            cls.prepare()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def prepare(cls):
        cls.model = cls.file('digits.bin', cls.SIZE)
        cls.release = cls.site.publish('digits', 1, cls.model)

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    @classmethod
    def file(cls, name, size):
        return write(cls.site.path(name), os.urandom(size))

    def device(self, name, **config):
        return self.site.join(name, poll='1 s', **config)

    def refuse(self, result, exit_code, *words):
        self.assertEqual((result.returncode, result.stdout), (exit_code, ''), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def holds(self, node, model=None, lineage='digits'):
        r = run(node, lineage)
        self.assertEqual((r.returncode, r.stdout.split()[:1]), (0, [digest(model or self.model)]), r.stderr)

    def pulls(self, node, model=None, lineage='digits'):
        r = pull(node, lineage)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.holds(node, model, lineage)

    def has_nothing_of(self, node, *kinds):
        for kind in kinds:
            self.assertEqual(objects(node, kind), [])
        self.assertEqual(glob.glob(os.path.join(node.data, 'active', '*')), [])


class Folder(Case):
    """Somebody at the disk of a device."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.dev = cls.site.join('dev-1', poll='1 s')
        cls.other = cls.site.join('dev-2', poll='1 s')
        for node in (cls.dev, cls.other):
            hufu_ok('pull', '--node', node.data, '--wait', 'digits')

    def setUp(self):
        self.mark = len(self.dev.audit())

    def active(self, node):
        path, = glob.glob(os.path.join(node.data, 'active', 'digits.*'))
        return path

    def spoil(self, path, content, exit_code, *words, **record):
        """With other content, or without the file, opening is refused and recorded; then a pull heals it."""
        whole = read(path)
        if content is None:
            os.unlink(path)
        else:
            put(path, content)
        before = tree(self.dev.data)
        since = len(self.dev.audit())
        self.refuse(run(self.dev, 'digits'), exit_code, *words)
        recorded(self.dev, 'model.refused', since, actor=f'uid:{os.geteuid()}', model='digits', **record)
        self.assertEqual({name for name in before.items() ^ tree(self.dev.data).items()
                          if not name[0].startswith(('audit/', 'meta.db', 'state.'))}, set())
        self.pulls(self.dev)
        return whole

    def spoil_object(self, kind, *words):
        path, = objects(self.dev, kind)
        whole = read(path)
        self.spoil(path, flipped(whole), REFUSED, *words, reason='auth', code='object')
        self.assertEqual(read(path), whole)
        self.spoil(path, None, STATE, 'not found', 'pull the model again', reason='not_found', code='object')
        self.assertEqual(read(path), whole)
        return path, whole

    def test_an_altered_pack(self):
        path, whole = self.spoil_object('pack', 'pack/', 'altered, it is not the one that was signed')
        self.spoil(path, whole[:-1], INPUT, 'pack/', 'ends too early', reason='truncated', code='object')
        self.assertEqual(read(path), whole)

    def test_chunks_of_a_pack_that_changed_places(self):
        path, = objects(self.dev, 'pack')
        whole = read(path)
        one, two, rest = whole[:CHUNK], whole[CHUNK:2 * CHUNK], whole[2 * CHUNK:]
        for content in (two + one + rest, one + one + rest):
            self.spoil(path, content, REFUSED, 'pack/', 'altered', reason='auth', code='object')
        self.assertEqual(read(path), whole)

    def test_an_altered_table(self):
        self.spoil_object('table', 'table page 0', 'not the one that was signed')

    def test_an_altered_index(self):
        self.spoil_object('index', 'index page 0', 'not the one that was signed')

    def test_an_altered_manifest_in_the_store_is_never_used(self):
        path, = objects(self.dev, 'manifest')
        whole = read(path)
        put(path, flipped(whole))
        self.holds(self.dev)  # by the one that the key process keeps
        self.pulls(self.dev)
        recorded(self.dev, 'model.refused', self.mark, reason='auth', code='store')
        self.assertEqual(read(path), whole)

    def test_an_altered_active_release(self):
        path = self.active(self.dev)
        whole = read(path)
        self.assertEqual(whole[4:4 + int.from_bytes(whole[:4], 'big')],
                         read(os.path.join(self.dev.data, 'trust/channel.der')))
        manifest = 4 + int.from_bytes(whole[:4], 'big') + 100
        self.spoil(path, flipped(whole, manifest), REFUSED, path, 'altered', 'pull it again', reason='auth')
        self.spoil(path, flipped(read(path), -20), REFUSED, 'grant: not signed by', reason='auth', code='grant')
        self.spoil(path, read(path)[:-1], REFUSED, path, 'altered', 'pull it again', reason='auth')
        self.spoil(path, None, REFUSED, path, 'gone or altered', 'pull it again', reason='auth')

    def test_the_grant_of_another_device(self):
        self.spoil(self.active(self.dev), read(self.active(self.other)), REFUSED,
                   'grant: for device dev-2, not for this one (dev-1)', reason='denied', code='grant')

    def test_an_altered_or_older_channel(self):
        path = os.path.join(self.dev.data, 'trust/channel.der')
        whole = read(path)
        self.spoil(path, flipped(whole, -20), REFUSED, 'channel: not signed by', reason='auth', code='channel')
        self.assertEqual(read(path), whole)
        self.site.publish('else', 1, self.file('else.bin', 1000))
        until('the next channel', lambda: read(path) != whole)
        newest = read(path)
        self.spoil(path, whole, REFUSED, 'channel: serial', 'is older than', reason='rollback', code='fresh')
        self.assertEqual(read(path), newest)

    def test_z_an_older_active_release(self):
        """The last test of the class: others know release 1 only."""
        old = read(self.active(self.dev))
        old_name = self.active(self.dev)
        two = self.file('two.bin', self.SIZE)
        self.site.publish('digits', 2, two)
        self.__class__.model = two
        for node in (self.dev, self.other):
            self.pulls(node, two)
        self.spoil(self.active(self.dev), old, REFUSED, 'not the release of digits that was activated',
                   reason='auth')
        write(old_name, old, 0o600)  # under its own name it is nobody's
        self.holds(self.dev, two)

    def test_an_altered_state_or_log_stops_the_start(self):
        node = self.device('dev-3')
        node.stop()
        slots = [os.path.join(node.data, name) for name in ('state.a', 'state.b')]
        slots = [path for path in slots if os.path.exists(path)]
        whole = [read(path) for path in slots]
        segment, = glob.glob(os.path.join(node.data, 'audit/seg/*.seg'))
        log = read(segment)
        spoilt = [(slots, list(map(flipped, whole)), 'state'), ([segment], [flipped(log, len(log) // 3)], 'audit')]
        for paths, contents, word in spoilt:
            mark = node.log_size()
            kept = list(map(read, paths))
            for path, content in zip(paths, contents):
                put(path, content)
            node.start(wait=False)
            self.assertEqual(node.wait_exit(), REFUSED)
            self.assertIn(word, node.log_text(mark))
            node.process = None
            for path, content in zip(paths, kept):
                put(path, content)
        node.start()
        self.assertTrue(node.status()['member'])


class Record(Case):
    """Somebody with the audit log of a hub and no key."""

    def heads(self):
        return os.path.join(self.hub.data, 'audit/heads')

    def test_a_log_rewritten_without_its_heads_is_not_signed(self):
        Rogue.ask(self.site, self.hub, 'self', '/v1/channels/current')
        recorded(self.hub, 'link.request-refused', result='denied')
        self.hub.stop()
        segment, = glob.glob(os.path.join(self.hub.data, 'audit/seg/*.seg'))
        log, heads = read(segment), read(self.heads())
        notes = heads.decode().split(f'plant-7/hub-1/audit\n')[1:]
        older = f'plant-7/hub-1/audit\n{notes[0]}'.encode()
        verify = ('audit', 'verify', self.hub.data)
        hufu_ok(*verify)

        def change(record):  # denied becomes ok
            return record[:6] + b'\0' + record[7:] if record[6] == 2 else record

        put(segment, rewritten(log, 'plant-7/hub-1/audit', change))
        r = hufu(*verify)
        self.assertEqual(r.returncode, REFUSED)
        self.assertIn('rewritten', r.stderr)
        os.unlink(self.heads())
        r = hufu(*verify)
        self.assertEqual(r.returncode, STATE, r.stderr)
        self.assertIn('no signed head', r.stderr)
        for left in (None, older):
            if left is not None:
                write(self.heads(), left, 0o600)
            mark = self.hub.log_size()
            self.hub.start(wait=False)
            self.assertEqual(self.hub.wait_exit(), REFUSED)
            self.assertIn('heads were removed', self.hub.log_text(mark))
            self.hub.process = None
            self.assertEqual(os.path.exists(self.heads()) and read(self.heads()), left or False)
        put(segment, log)
        write(self.heads(), heads, 0o600)
        self.hub.start()
        hufu_ok(*verify)


class Sources(Case):
    """Somebody at the disk of an edge or a hub, or in the place of an edge."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.edge = cls.site.join('gw-1', 'edge', poll='1 s')
        hufu_ok('pull', '--node', cls.edge.data, '--wait', 'digits')

    def near(self, name, source):
        """A device that prefers this source and has the hub too."""
        return self.device(name, upstreams=[source, self.hub.upstream(cost=10)])

    def lie(self, name, kind, content):
        """What the edge has on its disk is not what was signed: the device takes it from the hub."""
        path, = objects(self.edge, kind)
        whole = read(path)
        put(path, content(whole))
        lie = read(path)
        try:
            node = self.near(name, self.edge.upstream())
            self.pulls(node)
            cut = len(lie) != len(whole)  # then the answer to a range is none: that may be a mistake
            recorded(node, 'model.source-failed' if cut else 'model.source-quarantined', model='digits',
                     subject=f'source:127.0.0.1:{self.edge.port}', reason='format' if cut else 'auth')
            self.assertEqual([digest(p) for p in objects(node, kind)], [hashlib.sha256(whole).hexdigest()])
            self.assertEqual(read(path), lie)
            node.stop()
        finally:
            put(path, whole)

    def test_an_altered_pack_at_the_edge(self):
        self.lie('pack-1', 'pack', flipped)

    def test_chunks_in_another_order_at_the_edge(self):
        self.lie('pack-2', 'pack', lambda b: b[CHUNK:2 * CHUNK] + b[:CHUNK] + b[2 * CHUNK:])

    def test_a_chunk_twice_at_the_edge(self):
        self.lie('pack-3', 'pack', lambda b: b[:CHUNK] * 2 + b[2 * CHUNK:])

    def test_a_pack_cut_short_at_the_edge(self):
        self.lie('pack-4', 'pack', lambda b: b[:-100])

    def test_the_pack_of_another_package_at_the_edge(self):
        self.site.publish('foreign', 1, self.file('foreign.bin', self.SIZE))
        foreign = max(objects(self.hub, 'pack'), key=os.path.getmtime)
        self.lie('pack-5', 'pack', lambda b: read(foreign))

    def test_an_altered_table_at_the_edge(self):
        self.lie('table-1', 'table', flipped)

    def test_an_altered_index_at_the_edge(self):
        self.lie('index-1', 'index', flipped)

    def test_an_altered_manifest_at_the_edge(self):
        self.lie('manifest-1', 'manifest', flipped)

    def test_altered_objects_where_nobody_else_has_them(self):
        words = {'pack': 'every source gave other bytes than were signed',
                 'table': 'every source gave other bytes than were signed',
                 'index': 'every source gave other bytes than were signed',
                 'manifest': "gave a manifest that is not the channel's"}
        node = self.device('alone')
        for kind, word in words.items():
            self.site.publish(f'only-{kind}', 1, self.file('only.bin', MIB // 2))
            path = max(objects(self.hub, kind), key=os.path.getmtime)
            whole = read(path)
            put(path, flipped(whole))
            self.refuse(pull(node, f'only-{kind}'), REFUSED, word)
            self.assertNotIn(os.path.basename(path), map(os.path.basename, objects(node, kind)))
            self.assertEqual(glob.glob(os.path.join(node.data, 'active', f'only-{kind}.*')), [])
            recorded(node, 'model.source-quarantined', subject=f'source:127.0.0.1:{self.hub.port}', reason='auth',
                     model=f'only-{kind}')
            put(path, whole)
            self.pulls(node, self.site.path('only.bin'), f'only-{kind}')

    def test_a_slow_source(self):
        with Rogue(self.site, 'edge:gw-9', '--objects', os.path.join(self.hub.data, 'objects'), '--slow',
                   'pack') as rogue:
            node = self.near('slow-1', rogue.upstream(control=False))
            begun = time.monotonic()
            self.pulls(node)
            self.assertLess(time.monotonic() - begun, 20)  # alone it would take ten minutes
            recorded(node, 'model.source-failed', subject=rogue.name, reason='timeout', model='digits')
            node.stop()

    def test_endless_objects(self):
        for i, kind in enumerate(('pack', 'table', 'index')):
            with Rogue(self.site, 'edge:gw-9', '--objects', os.path.join(self.hub.data, 'objects'), '--endless',
                       kind) as rogue:
                node = self.near(f'endless-{i}', rogue.upstream(control=False))
                self.pulls(node)
                recorded(node, 'model.source-quarantined', subject=rogue.name, reason='limit', model='digits')
                self.assertEqual(os.listdir(os.path.join(node.data, 'objects/part')), [])
                node.stop()

    def test_endless_papers(self):
        channel = self.site.path('endless.der')
        Rogue.ask(self.site, self.hub, 'publisher:publisher', '/v1/channels/current', '--out', channel)
        for i, kind in enumerate(('channel', 'manifest')):
            with Rogue(self.site, 'edge:gw-9', '--channel', channel, '--objects',
                       os.path.join(self.hub.data, 'objects'), '--endless', kind) as rogue:
                node = self.near(f'papers-{i}', rogue.upstream())
                self.pulls(node)
                recorded(node, 'model.source-failed', subject=rogue.name, reason='limit', code=kind)
                node.stop()

    def test_an_edge_that_denies_everything(self):
        with Rogue(self.site, 'edge:gw-9') as rogue:
            node = self.near('denied-1', rogue.upstream())
            self.pulls(node)
            self.assertTrue([line for line in rogue.said() if line.startswith('/v1/channels/')])
            node.stop()

    def test_a_pack_that_is_altered_on_its_way_to_the_hub(self):
        """A publisher whose bytes are not those that it signed: nothing of it gets a name."""
        publisher = os.path.join(self.site.domain, 'publisher')
        bundle = self.site.path('altered.hufu')
        hufu_ok('seal', self.file('sealed.bin', MIB), '--as', publisher, '--lineage', 'sealed', '--release', '1',
                '-o', bundle)
        content = read(bundle)
        at = content.index(b'pack/') + 512 + 1000
        write(bundle, flipped(content, at))
        before = tree(os.path.join(self.hub.data, 'objects', 'pack'))
        since = len(self.hub.audit())
        r = hufu('publish', bundle, '--as', publisher, '--hub', f'127.0.0.1:{self.hub.port}')
        self.refuse(r, REFUSED, 'pack/')
        self.assertEqual(tree(os.path.join(self.hub.data, 'objects', 'pack')), before)
        self.assertEqual(events(self.hub, 'model.publish', since), [])
        node = self.device('sealed-1')
        self.refuse(pull(node, 'sealed'), STATE, 'says nothing about sealed')


class Replays(Case):
    """Statements that were true once, and directors under duress."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.channel = cls.site.path('channel-1.der')
        Rogue.ask(cls.site, cls.hub, 'publisher:publisher', '/v1/channels/current', '--out', cls.channel)

    def member(self, name):
        """A device that runs release 1 and then hears somebody else."""
        node = self.device(name)
        self.pulls(node)
        return node

    def meets(self, node, rogue):
        node.stop()
        node.config['upstreams'] = [rogue.upstream('hub')]
        self.mark = len(node.audit())
        node.start()
        until('the rogue is asked', lambda: any('/v1/channels' in line for line in rogue.said()))

    def refuses_channel(self, node, rogue, reason, *words, code, exit_code=REFUSED):
        state = tree(os.path.join(node.data, 'trust'))
        self.refuse(pull(node, 'digits'), exit_code, *words)
        recorded(node, 'model.refused', self.mark, actor=f'device:{node.name}', reason=reason, code=code)
        recorded(node, 'model.source-failed', self.mark, subject=rogue.name, reason=reason, code='channel')
        channel = node.status()['channel']
        self.assertEqual(channel['error'], reason)
        for word in words:
            self.assertIn(word, channel['text'])
        self.assertEqual(tree(os.path.join(node.data, 'trust')), state)

    def rogue(self, *options):
        return Rogue(self.site, 'hub:hub-1', '--objects', os.path.join(self.hub.data, 'objects'), *options)

    def test_a_forged_channel(self):
        node = self.member('forged-1')
        path = write(self.site.path('forged.der'), flipped(read(self.channel), -10))
        with self.rogue('--channel', path) as rogue:
            self.meets(node, rogue)
            self.refuses_channel(node, rogue, 'auth', 'channel: not signed by', code='channel')
            self.holds(node)

    def test_a_frozen_channel(self):
        node = self.member('frozen-1')
        path = Rogue.channel(self.site, self.channel, self.site.path('frozen.der'), '--serial', 900, '--life', 4)
        with self.rogue('--channel', path) as rogue:
            self.meets(node, rogue)
            until('it is believed', lambda: node.status()['channel']['serial'] == 900)
            self.holds(node)
            until('it expires', lambda: run(node, 'digits').returncode != 0, step=0.2)
            self.refuse(run(node, 'digits'), REFUSED, 'channel: serial 900 has expired')
            self.refuses_channel(node, rogue, 'expired', 'channel: serial 900 has expired', code='fresh')
        recorded(node, 'model.refused', self.mark, actor=f'uid:{os.geteuid()}', reason='expired', code='fresh')
        # The true hub, which is behind by now, does not bring time back.
        node.stop()
        node.config['upstreams'] = [self.hub.upstream()]
        node.start()
        self.refuse(pull(node, 'digits'), REFUSED, 'channel: serial 1 is older than 900')

    def test_an_expired_channel(self):
        node = self.member('expired-1')
        path = Rogue.channel(self.site, self.channel, self.site.path('expired.der'), '--serial', 2, '--life', -5)
        with self.rogue('--channel', path) as rogue:
            self.meets(node, rogue)
            self.refuses_channel(node, rogue, 'expired', 'channel: serial 2 has expired', code='fresh')
            self.holds(node)

    def names(self, node, words, reason, code, *options):
        """The channel is good and names what must not be: it is seen, and nothing of it comes."""
        path = Rogue.channel(self.site, self.channel, self.site.path('named.der'), '--serial', 500, '--life', 3600,
                             '--lineage', 'digits', *options)
        before = tree(os.path.join(node.data, 'objects')), tree(os.path.join(node.data, 'active'))
        with self.rogue('--channel', path) as rogue:
            self.meets(node, rogue)
            self.refuse(pull(node, 'digits'), REFUSED, words)
            recorded(node, 'model.refused', self.mark, reason=reason, code=code, model='digits')
        self.assertEqual((tree(os.path.join(node.data, 'objects')), tree(os.path.join(node.data, 'active'))), before)

    def test_releases_that_must_not_be_current(self):
        two, three = (self.site.publish('digits', i, self.file(f'{i}.bin', MIB), floor=i) for i in (2, 3))
        below, other = self.device('below-1'), self.device('other-1')
        for node in (below, other):
            self.pulls(node, self.site.path('3.bin'))
        with self.subTest('below the floor'):
            self.names(below, 'manifest: release 2 of digits is below the floor 3', 'rollback', 'release',
                       '--release', 2, '--manifest', two['manifest'].split('/')[1])
        with self.subTest('a number that is not its own'):
            self.names(other, 'manifest: release 2, but the channel says 4', 'auth', 'release',
                       '--release', 4, '--manifest', two['manifest'].split('/')[1])
        with self.subTest('at the hub'):
            since = len(self.hub.audit())
            r = hufu('publish', self.site.path('2.bin'), '--as', os.path.join(self.site.domain, 'publisher'),
                     '--hub', f'127.0.0.1:{self.hub.port}', '--lineage', 'digits', '--release', 2)
            self.refuse(r, REFUSED, 'release 2')
            recorded(self.hub, 'model.refused', since, reason='rollback', actor='publisher:publisher')
        self.assertNotEqual(two['manifest'], three['manifest'])

    def test_z_an_old_hub(self):
        """The hub is put back to a copy of its folder: devices know better. The last test of the class."""
        node = self.device('old-1')
        pull(node, 'digits')
        serial = node.status()['channel']['serial']
        self.hub.keep_port()
        self.hub.stop()
        old = shutil.copytree(self.hub.data, self.site.path('old-hub'), ignore=shutil.ignore_patterns('*.sock'))
        self.hub.start()
        newest = self.file('newest.bin', MIB)
        self.site.publish('digits', 9, newest, floor=3)
        self.pulls(node, newest)
        self.hub.stop()
        self.hub.config['data'] = self.hub.data = old
        mark, hub_mark = len(node.audit()), len(self.hub.audit())
        self.hub.start()
        until('it is back', lambda: node.status()['sources'][0]['up'])
        self.refuse(pull(node, 'digits'), REFUSED, f'channel: serial {serial} is older than {serial + 1}')
        recorded(node, 'model.refused', mark, reason='rollback', code='fresh')
        recorded(node, 'model.source-failed', mark, subject=f'source:127.0.0.1:{self.hub.port}', reason='rollback',
                 code='channel')
        self.assertEqual(node.status()['channel']['error'], 'rollback')
        self.assertIn('is older than', hufu_ok('status', '--node', node.data))
        self.holds(node, newest)
        # What the device says of itself raises the alarm at the hub.
        node.stop()
        node.start()
        recorded(self.hub, 'model.refused', hub_mark, reason='rollback', subject='device:old-1')


class Strangers(Case):
    """Who has no business on a link."""

    PATHS = ('/v1/channels/current', '/v1/objects/pack/' + '0' * 64, '/v1/inventory', 'POST:/v1/grants',
             'POST:/v1/receipts', 'POST:/v1/uploads', 'POST:/v1/releases')

    def setUp(self):
        self.mark = len(self.hub.audit())

    def ask(self, cert, *options):
        return Rogue.ask(self.site, self.hub, cert, *(options or ()), *self.PATHS)

    def not_let_in(self, alert, reason, cert, *options):
        said = self.ask(cert, *options)
        self.assertEqual((said['alert'], said['status']), (alert, [0] * len(self.PATHS)), said)
        r, = recorded(self.hub, 'link.refused', self.mark, reason=reason, result='denied')
        self.assertIn('127.0.0.1', r['attr']['source'])
        self.assertEqual(events(self.hub, 'link.handshake', self.mark), [])

    def test_a_self_signed_client_gets_nowhere_but_to_enrolment(self):
        said = self.ask('self')
        self.assertTrue(said['open'])
        self.assertEqual(said['status'], [403] * len(self.PATHS))
        found = recorded(self.hub, 'link.request-refused', self.mark, len(self.PATHS), actor='newcomer',
                         reason='denied')
        self.assertEqual({r['attr']['code'] for r in found},
                         {'POST ' + p[5:] if p.startswith('POST:') else 'GET ' + p for p in self.PATHS})

    def test_newcomers_without_end_do_not_fill_the_logs(self):
        mark = self.hub.log_size()
        for _ in range(300):
            self.assertTrue(Rogue.ask(self.site, self.hub, 'self', '/v1/channels/current')['open'])
        # a member is told as ever; of the others a number is left
        Rogue.ask(self.site, self.hub, 'device:dev-1', '/v1/channels/current')
        r, = recorded(self.hub, 'link.handshake', self.mark, actor='device:dev-1')
        opened = events(self.hub, 'link.handshake', self.mark, actor='newcomer')
        self.assertLessEqual(len(opened), 2 * 128)  # a minute may end meanwhile
        told = sum(int(r['attr'].get('count_fail', 0)) for r in events(self.hub, 'link.handshake', self.mark))
        self.assertEqual(len(opened) + told, 300)
        self.assertEqual(len(events(self.hub, 'link.closed', self.mark, actor='newcomer')), len(opened))
        lines = [line for line in self.hub.log(mark) if line.get('event') == 'link-open']
        self.assertEqual(len(lines), len(opened) + 1)

    def test_a_client_without_certificate(self):
        self.not_let_in(116, 'auth', 'none')

    def test_a_client_of_an_unknown_authority(self):
        self.not_let_in(48, 'auth', 'device:dev-1', '--unknown')

    def test_a_certificate_for_encryption(self):
        self.not_let_in(43, 'purpose', 'device:dev-1', '--usage')

    def test_an_expired_certificate(self):
        self.not_let_in(45, 'expired', 'device:dev-1', '--expired')

    def test_another_hub_has_no_business_here(self):
        said = self.ask('hub:hub-2')
        self.assertEqual(said['status'], [0] * len(self.PATHS))
        recorded(self.hub, 'link.closed', self.mark, actor='hub:hub-2', reason='denied', result='fail')

    def test_a_device_does_what_devices_may(self):
        said = Rogue.ask(self.site, self.hub, 'device:dev-1', 'POST:/v1/releases', 'POST:/v1/enroll')
        self.assertEqual(said['status'], [403, 403])
        recorded(self.hub, 'link.request-refused', self.mark, 2, actor='device:dev-1', reason='denied')

    def test_what_is_no_tls(self):
        said = {b'GET / HTTP/1.1\r\nHost: hub\r\n\r\n': 'format',
                b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n': 'format',
                b'SSH-2.0-x\r\n': 'format',
                b'\x16\x03\x01\xff\xff' + b'A' * 300: 'limit',  # a record longer than any
                b'\x16\x03\x01\x00\x04\x01\xff\xff\xff': 'limit',  # a hello longer than any
                b'\x17\x03\x03\x00\x10' + b'B' * 16: 'state'}  # data before a handshake
        for i, text in enumerate(said):
            with socket.create_connection(('127.0.0.1', self.hub.port), timeout=20) as s:
                s.sendall(text)
                answer = s.recv(1000)
            self.assertNotIn(b'HTTP', answer)
            self.assertIn(answer[:1], (b'', b'\x15'), text)  # nothing, or an alert
            found = recorded(self.hub, 'link.refused', self.mark, i + 1)
        self.assertEqual([r['reason'] for r in found], list(said.values()))
        self.assertTrue(self.hub.wait_log('link-refused', error='format',
                                          text=f"{found[0]['attr']['source']}: peer does not speak TLS (is it plain "
                                               'HTTP?)'))
        self.assertEqual(self.hub.status()['serve']['links'], 0)

    def test_a_device_refuses_hubs_that_are_none(self):
        node = self.device('dev-2')
        node.stop()
        kinds = [(['hub:hub-1', '--unknown'], 'auth'), (['hub:hub-1', '--usage'], 'purpose'),
                 (['hub:hub-1', '--expired'], 'expired'), (['device:dev-1'], 'denied'), (['self'], 'auth')]
        rogues = [Rogue(self.site, *cert) for cert, _ in kinds]
        node.config['upstreams'] = [r.upstream('hub') for r in rogues]
        mark = len(node.audit())
        try:
            node.start()
            for rogue, (cert, reason) in zip(rogues, kinds):
                recorded(node, 'link.refused', mark, reason=reason,
                         destination=f'[127.0.0.1]:{rogue.port}')
                source = next(s for s in node.status()['sources'] if s['name'].endswith(f':{rogue.port}'))
                self.assertEqual((source['up'], source['error']), (False, reason), cert)
                self.assertIn('certificate', source['text'])
                self.assertFalse([line for line in rogue.said() if line.startswith('/')])
        finally:
            for rogue in rogues:
                rogue.__exit__()
        node.stop()


class Tokens(Case):
    """Who wants to become a member."""

    @classmethod
    def prepare(cls):
        pass

    def refused(self, node, error, text):
        source = until('it is told', lambda: (node.status()['channel']['error'] == error and
                                              node.status()['channel']))
        self.assertIn(text, source['text'])
        self.assertFalse(node.status()['member'])
        self.assertEqual(glob.glob(os.path.join(node.data, 'certs', '*')), [])

    def test_a_token_is_good_for_one_key(self):
        first = self.device('dev-1')
        thief = self.site.add('dev-1', 'device', data=self.site.path('thief'), level=1,
                              upstreams=[self.hub.upstream()], enrol=first.config['enrol'])
        thief.log_path, thief.config_path = self.site.path('thief.log'), self.site.path('thief.yaml')
        thief.start()
        self.refused(thief, 'auth', f'127.0.0.1:{self.hub.port}: refuses the token')
        r, = recorded(self.hub, 'identity.enrol-refused', code='token-second-key', reason='auth')
        self.assertEqual(r['subject'], 'device:dev-1')
        thief.stop()
        self.assertTrue(first.status()['member'])

    def test_an_altered_token(self):
        path = self.site.token('dev-6')
        text = read(path).strip()
        write(path, text[:-1] + (b'1' if text[-1:] == b'0' else b'0') + b'\n', 0o600)
        mark = len(self.hub.audit())
        node = self.site.add('dev-6', 'device', level=1, upstreams=[self.hub.upstream()],
                             enrol={'token-file': path})
        node.start()
        self.refused(node, 'auth', f'127.0.0.1:{self.hub.port}: refuses the token')
        recorded(self.hub, 'identity.enrol-refused', mark, reason='auth')
        node.stop()

    def test_a_token_of_another_domain(self):
        with Site(name='plant-8') as other:
            other.hub.start()
            node = self.site.add('dev-9', 'device', level=1, upstreams=[self.hub.upstream()],
                                 enrol={'token-file': other.token('dev-9')})
            mark = len(self.hub.audit())
            node.start()
            line = node.wait_log('link-refused')
            self.assertEqual(line['error'], 'auth')
            self.assertIn('certificate', line['text'])
            self.assertFalse(node.status()['member'])
            self.assertEqual(glob.glob(os.path.join(node.data, 'certs', '*')), [])
            recorded(self.hub, 'link.refused', mark)
            self.assertEqual(events(self.hub, 'identity.enrol', mark), [])
            node.stop()


class Disk(Case):
    """No room, and no right to write."""

    SIZE = 6 * MIB

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.small = cls.file('small.bin', 1000)
        cls.site.publish('small', 1, cls.small)

    def room(self, size):
        """A disk of that size that goes with the test."""
        if os.geteuid() != 0:
            self.skipTest('only root can make a small disk')
        path = tempfile.mkdtemp(prefix='disk-', dir=self.site.folder)
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', path], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest('this machine lets nobody mount a disk')
        self.addCleanup(subprocess.run, ['umount', path], check=True)
        return path

    def on(self, disk, name, **config):
        node = self.device(name, data=os.path.join(disk, name), **config)
        self.addCleanup(node.stop)
        self.pulls(node, self.small, 'small')
        return node

    def is_as_before(self, node, packs):
        """Nothing half-written counts as anything, and what was there still works."""
        self.assertEqual(objects(node, 'pack'), packs)
        self.assertEqual(glob.glob(os.path.join(node.data, 'active', 'digits.*')), [])
        self.refuse(run(node, 'digits'), STATE, 'no release is active on this node')
        self.holds(node, self.small, 'small')

    def test_a_disk_that_is_too_small(self):
        disk = self.room('4m')
        node = self.on(disk, 'small-1')
        packs, mark = objects(node, 'pack'), len(node.audit())
        self.refuse(pull(node, 'digits'), FULL, os.path.join(node.data, 'objects'), 'release 1 of digits needs',
                    'bytes more, the disk leaves')
        recorded(node, 'model.fetch', mark, reason='full', model='digits', result='fail')
        self.is_as_before(node, packs)
        self.assertEqual(os.listdir(os.path.join(node.data, 'objects/part')), [])
        subprocess.run(['mount', '-o', 'remount,size=32m', disk], check=True)
        self.pulls(node)

    def test_a_full_disk_does_not_end_the_node(self):
        disk = self.room('12m')
        node = self.on(disk, 'small-3')
        pid = node.pid('keyd')
        self.holds(node, self.small, 'small')  # leaves records that want a head
        filler = os.path.join(disk, 'filler')
        with open(filler, 'wb', buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass
        r = run(node, 'small')
        self.assertEqual(r.returncode, FULL, r.stderr)
        self.assertEqual(run(node, 'small').returncode, FULL)
        self.assertEqual(node.pid('keyd'), pid)
        os.unlink(filler)
        self.holds(node, self.small, 'small')
        self.assertEqual(node.pid('keyd'), pid)
        # started on a full disk it waits for one that is not
        node.stop()
        write(filler, bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        mark = node.log_size()
        node.start(wait=False)
        node.wait_log('restarting', since=mark)
        os.unlink(filler)
        node.wait_log('at-work', since=mark, process='front')
        self.holds(node, self.small, 'small')
        self.assertEqual(hufu('audit', 'verify', node.data).returncode, 0)

    def test_a_disk_that_fills_up_meanwhile(self):
        disk = self.room('12m')
        node = self.on(disk, 'small-2', rate='2 MiB')
        packs, mark = objects(node, 'pack'), len(node.audit())
        node.ask({'do': 'pull', 'lineage': 'digits'})
        until('it is in the middle', lambda: (node.lineage('digits') or {}).get('bytes_done', 0) > 0)
        filler = os.path.join(disk, 'filler')
        with open(filler, 'wb') as f:
            left = os.statvfs(disk)  # at once: the pull goes on meanwhile
            os.posix_fallocate(f.fileno(), 0, left.f_bavail * left.f_frsize - MIB)
        self.refuse(pull(node, 'digits'), FULL, os.path.join(node.data, 'objects'), 'release 1 of digits')
        self.is_as_before(node, packs)
        os.unlink(filler)
        # At the latest now there is room for the record, too.
        recorded(node, 'model.fetch', mark, reason='full', model='digits', result='fail')
        self.pulls(node)
        self.assertEqual(os.listdir(os.path.join(node.data, 'objects/part')), [])

    def test_a_quota_that_is_too_small(self):
        node = self.on(self.site.folder, 'quota-1', quota='64 MiB')
        big = self.site.path('big.bin')
        with open(big, 'wb') as f:
            for _ in range(65):
                f.write(os.urandom(MIB))
        self.site.publish('big', 1, big)
        packs, mark = objects(node, 'pack'), len(node.audit())
        self.refuse(pull(node, 'big'), FULL, 'more than the quota of 67108864')
        self.assertEqual(objects(node, 'pack'), packs)
        self.assertEqual(os.listdir(os.path.join(node.data, 'objects/part')), [])
        recorded(node, 'model.fetch', mark, reason='full', model='big', result='fail')

    def as_nobody(self, name):
        """A device that runs as a user whose rights count."""
        disk = self.site.path(f'home-{name}')
        os.mkdir(disk)
        node = self.site.add(name, 'device', level=1, poll='1 s', data=os.path.join(disk, name),
                             upstreams=[self.hub.upstream()], enrol={'token-file': self.site.token(name)})
        if os.geteuid() == 0:
            if shutil.which('setpriv') is None or subprocess.run(
                    ['setpriv', f'--reuid={NOBODY}', '--clear-groups', 'test', '-x', os.path.join(BIN, 'hufud')],
                    check=False).returncode != 0:
                self.skipTest('root can write everywhere, and nobody else can run what was built')
            os.chmod(self.site.folder, 0o755)
            os.chown(disk, NOBODY, NOBODY)
            os.chown(node.config['enrol']['token-file'], NOBODY, NOBODY)
            node.prefix = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups']
        self.addCleanup(node.stop)
        return node

    def test_a_store_that_may_not_be_written(self):
        node = self.as_nobody('rights-1')
        node.start()
        node.wait_log('member')
        self.pulls(node, self.small, 'small')
        part = os.path.join(node.data, 'objects/part')
        packs, mark = objects(node, 'pack'), len(node.audit())
        os.chmod(part, 0o500)
        self.refuse(pull(node, 'digits'), SYSTEM, part, 'Permission denied')
        recorded(node, 'model.fetch', mark, reason='permission', model='digits', result='fail')
        self.is_as_before(node, packs)
        os.chmod(part, 0o700)
        self.pulls(node)

    def test_a_folder_that_may_not_be_written(self):
        node = self.as_nobody('rights-2')
        os.chmod(os.path.dirname(node.data), 0o555)
        node.start(wait=False)
        self.assertEqual(node.wait_exit(), SYSTEM)
        self.assertIn(f'{node.data}: Permission denied', node.log_text())
        self.assertFalse(os.path.exists(node.data))

    def test_a_disk_that_became_read_only(self):
        disk = self.room('16m')
        node = self.on(disk, 'frozen-1')
        node.stop()
        before = tree(node.data)
        subprocess.run(['mount', '-o', 'remount,ro', disk], check=True)
        mark = node.log_size()
        node.start(wait=False)
        self.assertEqual(node.wait_exit(), SYSTEM)
        self.assertIn('Read-only file system', node.log_text(mark))
        subprocess.run(['mount', '-o', 'remount,rw', disk], check=True)
        self.assertEqual(tree(node.data), before)
        node.start()
        self.holds(node, self.small, 'small')


if __name__ == '__main__':
    unittest.main()
