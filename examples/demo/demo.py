#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job of Hufu in front of you; script/demo builds everything and runs this.

Each step prints what it does, checks the outcome, and stands in the table at the end. The first check
that fails ends the demonstration with exit code 1 and the last lines of every node's log.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, 'tests/e2e'))
from nodes import BIN, Site, hufu, hufu_ok, until, write  # noqa: E402

DIGITS = os.path.join(BIN, 'digits')
DATA = os.path.join(TOP, 'tests/data')
TEST_SET = os.path.join(DATA, 'digits-test.safetensors')
PATIENCE = 600  # seconds for the large transfers
UNITS = {'': 1, 'B': 1, 'KiB': 1 << 10, 'MiB': 1 << 20, 'GiB': 1 << 30}


def mib(n):
    return f'{n / (1 << 20):,.1f} MiB'


class Table:
    """Steps as they happen, and all of them at the end."""

    def __init__(self):
        self.rows = []
        self.started = None

    def begin(self, step):
        self.started = time.monotonic()
        print(f'\n\033[1m{len(self.rows) + 1}. {step}\033[0m' if sys.stdout.isatty()
              else f'\n{len(self.rows) + 1}. {step}', flush=True)
        self.step = step

    def end(self, checked, result):
        self.rows.append((self.step, checked, result, time.monotonic() - self.started))
        print(f'   {checked}: {result}', flush=True)

    def print(self):
        head = ('step', 'what was checked', 'result', 'time')
        rows = [(s, c, r, f'{t:.1f} s') for s, c, r, t in self.rows]
        width = [max(len(row[i]) for row in [head, *rows]) for i in range(4)]
        most = max(80, shutil.get_terminal_size().columns)
        if sum(width) + 6 > most:  # the three columns of text share what there is
            room = most - width[3] - 6
            width[:3] = room * 3 // 8, room * 3 // 8, room // 4
        print()
        for row in [head, tuple('-' * w for w in width), *rows]:
            cells = [textwrap.wrap(cell, width[i]) for i, cell in enumerate(row)]
            for n in range(max(map(len, cells))):
                parts = [cell[n] if n < len(cell) else '' for cell in cells]
                print('  '.join(part.ljust(width[i]) for i, part in enumerate(parts)).rstrip())


def say(text):
    print('   ' + text, flush=True)


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def refused(r, code, name):
    """A refusal with that exit code and error; shows its text and returns what it comes to."""
    text = r.stderr.strip()
    check(r.returncode == code, f'exit code {r.returncode} instead of {code}: {text}')
    check(text.endswith(f'[{name}]'), f'not refused as {name}: {text}')
    say(re.sub(r'[0-9a-f]{64}', lambda m: m[0][:12] + '…', text))
    return f'refused: {name}'


class Demo:
    def __init__(self, size):
        self.size = size
        self.table = Table()
        self.site = None
        self.root = None

    # --- helpers ---

    def publish(self, files, lineage, release, **more):
        args = [a for k, v in more.items() for a in ('--' + k.replace('_', '-'), str(v))]
        return hufu('publish', *files, '--as', os.path.join(self.site.domain, 'publisher'), '--lineage', lineage,
                    '--release', release, '--hub', f'127.0.0.1:{self.site.hub.port}', '--quiet', *args,
                    timeout=PATIENCE)

    def classify(self, *args):
        r = subprocess.run([DIGITS, *args, TEST_SET], capture_output=True, text=True, check=False, timeout=60)
        check(r.returncode == 0, r.stderr.strip())
        return r.stdout.strip()

    def pull(self, node, lineage):
        r = hufu('pull', lineage, '--node', node.data, '--wait', '--quiet', timeout=PATIENCE)
        check(r.returncode == 0, r.stderr.strip())

    # --- steps ---

    def domain(self):
        self.table.begin('a domain is born')
        self.site = Site('demo', grants=[
            {'lineage': 'digits', 'device': 'dev-*'}, {'lineage': 'large', 'device': 'dev-2'},
            {'lineage': 'secret', 'device': 'dev-1'}])
        shares = os.listdir(self.site.path('shares'))
        say(f'{self.site.domain}: root seed in {len(shares)} shares, CAs, hub, publisher')
        self.site.hub.start()
        self.edge = self.site.join('edge-1', 'edge')
        self.dev1 = self.site.join('dev-1', upstreams=[self.edge.upstream()], poll='2 s')
        self.dev2 = self.site.join('dev-2', poll='2 s', follow=['digits', 'large'], upstreams=[
            self.edge.upstream(cost=1), self.site.hub.upstream(cost=10)])
        nodes = [self.site.hub, self.edge, self.dev1, self.dev2]
        check(all(n.status()['member'] for n in nodes), 'a node is no member')
        for n in nodes:
            say(f'{n.name:7} {n.config["role"]:7} supervisor {n.pid("supervisor")}, keyd {n.pid("keyd")}, '
                f'front {n.pid("front")}')
        self.table.end('hub, edge, two devices enrolled with tokens', 'members')

    def first_release(self):
        self.table.begin('a classifier: sealed, published, pulled through the edge, run')
        model = os.path.join(DATA, 'digits-v1.safetensors')
        plain = self.classify('--file', model)
        r = self.publish([model], 'digits', 1, version='1.0')
        check(r.returncode == 0, r.stderr.strip())
        say(r.stdout.strip().splitlines()[-1])
        self.pull(self.dev1, 'digits')
        opened = self.classify('--node', self.dev1.data, '--model', 'digits')
        check(opened == plain, f'opened: {opened}, plaintext: {plain}')
        self.table.end('accuracy of the opened model equals that of the plaintext', opened)

    def run_in_memory(self):
        self.table.begin('a program runs on it without the SDK: hufu run')
        out = hufu_ok('run', 'digits', '--node', self.dev1.data, '--', 'sha256sum', '{}')
        want = subprocess.run(['sha256sum', os.path.join(DATA, 'digits-v1.safetensors')], capture_output=True,
                              text=True, check=True).stdout.split()[0]
        check(out.split()[0] == want, out)
        check('/proc/self/fd/' in out or '/dev/fd/' in out or 'memfd' in out, out)
        self.table.end('bytes behind /proc/self/fd/N equal the model', 'equal, no file written')

    def second_release(self):
        self.table.begin('the next release; both devices activate it')
        model = os.path.join(DATA, 'digits-v2.safetensors')
        plain = self.classify('--file', model)
        r = self.publish([model], 'digits', 2, floor=2, version='2.0')
        check(r.returncode == 0, r.stderr.strip())
        self.pull(self.dev1, 'digits')
        self.pull(self.dev2, 'digits')
        for n in (self.dev1, self.dev2):
            opened = self.classify('--node', n.data, '--model', 'digits')
            check(opened == plain, f'{n.name}: {opened}, plaintext: {plain}')
        self.table.end('both devices', plain)

    def increment(self):
        self.table.begin('a device learns on and sends a sealed increment back')
        out = self.site.path('increment.safetensors')
        self.classify('--node', self.dev1.data, '--model', 'digits', '--learn', out)
        hufu_ok('push', out, '--node', self.dev1.data, '--lineage', 'digits', '--kind', 'increment')
        until('the hub has the upload', lambda: self.dev1.status()['uploads']['done'] == 1)
        listed = json.loads(hufu_ok('uploads', 'list', '--node', self.site.hub.data, '--json'))['uploads']
        check(len(listed) == 1, f'uploads: {listed}')
        up = listed[0]
        say(f'upload {up["upload"][:16]}… of {up["device"]}: {up["kind"]} of {up["lineage"]} {up["release"]}, '
            f'{up["sealed_len"]} bytes sealed')
        into = self.site.path('received')
        hufu_ok('uploads', 'open', up['upload'], '--node', self.site.hub.data, '--passphrase-file',
                self.site.passphrase, '-o', into)
        with open(out, 'rb') as a, open(os.path.join(into, 'increment.safetensors'), 'rb') as b:
            check(a.read() == b.read(), 'the increment is not what was sent')
        self.table.end('opened with the key of the hub, byte for byte', 'equal')

    def old_release(self):
        self.table.begin('an old release is refused')
        r = self.publish([os.path.join(DATA, 'digits-v1.safetensors')], 'digits', 1)
        self.table.end('publishing release 1 again', refused(r, 5, 'rollback'))

    def altered_object(self):
        self.table.begin('an altered object is refused')
        folder = os.path.join(self.dev1.data, 'objects/pack')
        packs = sorted((os.path.getmtime(os.path.join(folder, p)), p) for p in os.listdir(folder))
        path = os.path.join(folder, packs[-1][1])
        with open(path, 'rb') as f:
            bad = bytearray(f.read())
        bad[len(bad) // 2] ^= 1
        write(path + '.new', bytes(bad))
        os.rename(path + '.new', path)
        r = hufu('run', 'digits', '--node', self.dev1.data, '--', 'test', '-r', '{}')
        result = refused(r, 5, 'auth')
        self.pull(self.dev1, 'digits')
        self.table.end('one bit of a pack in the store of dev-1; a pull heals it', result)
        hufu_ok('run', 'digits', '--node', self.dev1.data, '--', 'test', '-r', '{}')

    def foreign_device(self):
        self.table.begin('a foreign device is refused')
        r = self.publish([os.path.join(DATA, 'digits-v1.safetensors')], 'secret', 1)
        check(r.returncode == 0, r.stderr.strip())
        self.pull(self.dev1, 'secret')
        r = hufu('pull', 'secret', '--node', self.dev2.data, '--wait', '--quiet')
        text = refused(r, 5, 'denied')
        hufu_ok('run', 'secret', '--node', self.dev1.data, '--', 'test', '-r', '{}')
        r = hufu('run', 'secret', '--node', self.dev2.data, '--', 'test', '-r', '{}')
        check(r.returncode != 0, 'dev-2 opened what it was not granted')
        self.table.end('dev-2 asks for what only dev-1 was granted', text)

    def large(self):
        self.table.begin(f'{mib(self.size)}; the source dies, the device is killed')
        model = self.site.path('large.safetensors')
        self.make_model(model)
        start = time.monotonic()
        r = self.publish([model], 'large', 1)
        check(r.returncode == 0, r.stderr.strip())
        seconds = time.monotonic() - start
        say(f'sealed, signed and published in {seconds:.1f} s ({self.size / seconds / (1 << 20):.0f} MiB/s)')
        start = time.monotonic()
        twice = self.kill_edge() + self.kill_device()
        final = until('dev-2 has it', self.is_active, PATIENCE, 0.1)
        seconds = time.monotonic() - start
        twice += final['bytes_twice']
        sha = subprocess.run(['sha256sum', model], capture_output=True, text=True, check=True).stdout.split()[0]
        out = hufu_ok('run', 'large', '--node', self.dev2.data, '--', 'sha256sum', '{}', timeout=PATIENCE)
        check(out.split()[0] == sha, 'the opened model is not what was published')
        os.unlink(model)
        # Two connections broke, each costs a chunk of 1 MiB at most; and two chunks may have been so late
        # that a second source was asked for them.
        check(twice <= (2 + 2) << 20, f'{mib(twice)} were fetched twice')
        say(f'pulled in {seconds:.1f} s in spite of it')
        self.table.end('opened equals published; fetched twice', f'{mib(twice)} of {mib(self.size)}')

    def make_model(self, path):
        tensor = 16 << 20
        n = max(1, self.size // tensor)
        head = {f'layer{i}.weight': {'dtype': 'BF16', 'shape': [2048, tensor // 4096],
                                     'data_offsets': [i * tensor, (i + 1) * tensor]} for i in range(n)}
        text = json.dumps(head).encode()
        with open(path, 'wb') as f:
            f.write(len(text).to_bytes(8, 'little') + text)
            for _ in range(n):
                f.write(os.urandom(tensor))
        self.size = os.path.getsize(path)

    def progress(self):
        line = self.dev2.lineage('large') or {}
        return line.get('bytes_done', 0), line.get('bytes_twice', 0)

    def is_active(self):
        try:
            line = self.dev2.lineage('large')
        except (OSError, IndexError):
            return None
        return line if line and line['step'] == 'active' else None

    def kill_edge(self):
        """Half-way; the hub takes over. What dev-2 has thrown away by then."""
        until('a quarter is there', lambda: self.progress()[0] > self.size // 4, PATIENCE)
        self.edge.kill()
        done, _ = self.progress()
        say(f'kill -9 edge-1 at {mib(done)}; the hub takes over')
        return 0

    def kill_device(self):
        """kill -9 of the process that fetches; what it had is found again."""
        until('more than half is there', lambda: self.progress()[0] > self.size * 5 // 8, PATIENCE)
        done, twice = self.progress()
        mark = self.dev2.log_size()
        self.dev2.kill('front')
        self.dev2.wait_log('at-work', since=mark, process='front')

        def found():
            try:
                line = self.dev2.lineage('large')
            except (OSError, IndexError):
                return None
            return line if line and line.get('bytes_done') else None

        had = until('dev-2 goes on', found)['bytes_done']
        lost = max(0, done - had)
        say(f'kill -9 dev-2 at {mib(done)}; {mib(had)} are there when it goes on')
        return twice + lost

    def recovery(self):
        self.table.begin('the edge comes back after kill -9')
        self.edge.start()
        r = self.publish([os.path.join(DATA, 'digits-v2.safetensors')], 'digits', 3, floor=2, version='2.1')
        check(r.returncode == 0, r.stderr.strip())
        self.pull(self.dev1, 'digits')
        self.table.end('dev-1 pulls release 3 through it', self.classify('--node', self.dev1.data, '--model',
                                                                         'digits'))

    def audit(self):
        self.table.begin('every step is on the record')
        wanted = {
            self.site.hub: ['identity.token', 'identity.enrol', 'model.publish', 'model.channel', 'model.grant',
                            'model.receipt', 'model.upload', 'link.handshake'],
            self.dev1: ['model.activate', 'model.open', 'model.refused', 'model.verify', 'key.unwrap'],
            self.dev2: ['model.activate', 'model.fetch', 'link.handshake'],
            self.edge: ['link.handshake', 'model.fetch'],
        }
        n = 0
        for node in wanted:
            said = node.status()['keys']['records']
            until('a signed head', lambda: node.status()['keys']['head_size'] >= said)
        for node, events in wanted.items():
            report = json.loads(hufu_ok('audit', 'verify', node.data, '--json'))['logs'][-1]
            names = [r.get('event') or r.get('name') for r in node.audit()]
            missing = [e for e in events if e not in names]
            check(not missing, f'{node.name}: no record of {missing}; there are {sorted(set(map(str, names)))}')
            n += report['records']
            say(f'{node.name}: {report["records"]} records verify, {report["signed_records"]} of them under '
                f'{report["heads"]} signed heads, root {report["root"][:16]}…')
        self.table.end('logs of hub, edge and devices verify; all kinds of events', f'{n} records')

    def run(self):
        self.domain()
        self.first_release()
        self.run_in_memory()
        self.second_release()
        self.increment()
        self.old_release()
        self.altered_object()
        self.foreign_device()
        self.large()
        self.recovery()
        self.audit()

    def look_around(self):
        print(f'\nThe nodes run on. Try, in another terminal:\n'
              f'  {BIN}/hufu status --node {self.dev1.data}\n'
              f'  {BIN}/hufu run digits --node {self.dev1.data} -- {DIGITS} --file {{}} {TEST_SET}\n'
              f'  {BIN}/hufu audit show {self.site.hub.data}\n'
              f'Enter or Ctrl-C ends them.')
        try:
            input()
        except (EOFError, KeyboardInterrupt):
            print('\nending …')


def size_of(text):
    m = re.fullmatch(r'(\d+) *(B|KiB|MiB|GiB)?', text)
    if not m:
        raise argparse.ArgumentTypeError(f'{text}: a number with MiB or GiB')
    return int(m[1]) * UNITS[m[2] or '']


def interrupt(number, frame):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog='script/demo', description='the main job of Hufu in front of you')
    parser.add_argument('--once', action='store_true', help='end by itself')
    parser.add_argument('--size', type=size_of, default=size_of('1 GiB'), help='of the large model')
    parser.add_argument('--keep', action='store_true', help='leave the folder there')
    parser.add_argument('--check', action='store_true', help=argparse.SUPPRESS)  # the arguments only
    args = parser.parse_args()
    if args.check:
        return 0
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    demo = Demo(args.size)
    code = 1
    try:
        demo.run()
        code = 0
        demo.table.print()
        if not args.once:
            demo.look_around()
    except KeyboardInterrupt:
        print('\ninterrupted')
        code = 128 + signal.SIGINT
    except (AssertionError, OSError, subprocess.SubprocessError, KeyError, ValueError) as e:
        print(f'\ndemo: failed: {e}', file=sys.stderr)
        traceback.print_exc()
        for node in demo.site.nodes if demo.site else []:
            print(f'--- {node.name}\n' + '\n'.join(node.log_text().splitlines()[-12:]), file=sys.stderr)
    finally:
        if demo.site:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # clearing up is not interrupted
            if args.keep:
                os.environ['HUFU_KEEP'] = '1'
            demo.site.__exit__(None if not args.keep else AssertionError, None, None)
    return code


if __name__ == '__main__':
    sys.exit(main())
