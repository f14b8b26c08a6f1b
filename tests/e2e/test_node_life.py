#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The processes of a node: they start together, die together, come back, and never run twice."""
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from nodes import HUFUD, Gone, Messages, Site, hufu, until, write

FULL = 3  # exit code: hufu(1)

SITE = None


def setUpModule():
    global SITE
    SITE = Site()


def tearDownModule():
    SITE.__exit__(None, None, None)


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as f:
        return [int(p) for p in f.read().split()]


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def field(pid, name):
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        return next(line.split(':')[1].strip() for line in f if line.startswith(name + ':'))


class Wire:
    """A line to a port of this machine that can be cut. Use it with 'with'."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        self.silent = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.listener.close()
        self.cut()

    def accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            try:
                far = socket.create_connection(('127.0.0.1', self.target))
            except OSError:  # nobody is there yet
                near.close()
                continue
            self.sockets += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while data := a.recv(65536):
                if a not in self.silent and b not in self.silent:
                    b.sendall(data)
        except OSError:
            pass

    def swallow(self):
        """What is said on it now reaches nobody any more, and nobody is told."""
        self.silent.update(self.sockets)

    def cut(self):
        while self.sockets:
            s = self.sockets.pop()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            s.close()


class Life(unittest.TestCase):
    def setUp(self):
        self.hub = SITE.hub
        self.hub.start()

    def tearDown(self):
        if self.hub.process is not None:
            self.hub.stop()

    def test_it_says_where_it_is_and_ends_in_order(self):
        pids = [self.hub.pid(c) for c in ('supervisor', 'keyd', 'front')]
        self.assertEqual(self.hub.status()['id'], 'hub-1')
        self.assertEqual(int(self.hub.wait_log('listening')['port']) > 0, True)
        self.assertTrue(os.path.exists(os.path.join(self.hub.data, 'front.port')))
        self.assertEqual(self.hub.stop(), 0)
        for pid in pids:
            self.assertFalse(runs(pid))
        self.assertFalse(os.path.exists(os.path.join(self.hub.data, 'front.port')))

    def test_keys_and_network_live_apart(self):
        for child in ('keyd', 'front'):
            pid = self.hub.pid(child)
            self.assertEqual(field(pid, 'NoNewPrivs'), '1')
        listening = self.hub.port
        for child, listens in (('supervisor', False), ('keyd', False), ('front', True)):
            inodes = set()
            pid = self.hub.pid(child)
            if os.geteuid() != 0:
                self.skipTest('descriptors of a hardened process are for root')
            for fd in os.listdir(f'/proc/{pid}/fd'):
                try:
                    target = os.readlink(f'/proc/{pid}/fd/{fd}')
                except FileNotFoundError:
                    continue
                if target.startswith('socket:['):
                    inodes.add(target[8:-1])
            with open(f'/proc/{pid}/net/tcp', encoding='ascii') as f:
                rows = [line.split() for line in f.readlines()[1:]]
            mine = [r for r in rows if r[9] in inodes]
            self.assertEqual(any(int(r[1].split(':')[1], 16) == listening for r in mine), listens, child)
            if not listens:
                self.assertEqual(mine, [])

    def test_a_child_that_is_killed_comes_back_with_the_other(self):
        for child, other in (('front', 'keyd'), ('keyd', 'front'), ('front', 'keyd')):
            mark = self.hub.log_size()
            before = self.hub.pid(child), self.hub.pid(other)
            self.hub.kill(child)
            self.hub.wait_log('at-work', since=mark, process='front')
            self.assertFalse(runs(before[0]) or runs(before[1]))
            self.assertNotIn(self.hub.pid(child), before)
            self.assertEqual(self.hub.status()['id'], 'hub-1')

    def test_back_off_grows(self):
        waits = []
        for _ in range(3):
            mark = self.hub.log_size()
            self.hub.kill('front')
            waits.append(int(self.hub.wait_log('restarting', since=mark)['in_ms']))
            self.hub.wait_log('at-work', since=mark, process='front')
        self.assertEqual(waits, [1000, 2000, 4000])

    def test_a_supervisor_that_is_killed_takes_its_children_along(self):
        for _ in range(3):
            pids = [self.hub.pid('keyd'), self.hub.pid('front')]
            self.hub.kill('supervisor')
            self.hub.start()  # at once, on the same folder, without hands
            for pid in pids:
                self.assertFalse(runs(pid))
        self.assertEqual(self.hub.status()['id'], 'hub-1')

    def test_killed_while_it_starts_it_starts_again(self):
        self.hub.stop()
        for child in ('keyd', 'front'):
            mark = self.hub.log_size()
            self.hub.start(wait=False)
            self.hub.wait_log('started', since=mark, child=child)
            self.hub.kill(child)
            self.hub.wait_log('restarting', since=mark)
            self.hub.wait_log('at-work', since=mark, process='front')
            self.hub.stop()

    def test_a_signal_to_all_at_once_ends_all(self):
        pids = [self.hub.pid(c) for c in ('keyd', 'front', 'supervisor')]
        mark = self.hub.log_size()
        dev = SITE.join('dev-signal')
        self.hub.wait_log('link-open', since=mark, peer='device:dev-signal')
        for pid in pids:  # as a terminal does on Ctrl-C
            try:
                os.kill(pid, signal.SIGINT)
            except ProcessLookupError:
                pass
        self.assertEqual(self.hub.wait_exit(), 0)
        self.assertFalse(any(map(runs, pids)))
        dev.stop()
        self.assertNotIn('not-recorded', self.hub.log_text(mark))
        closed = [r for r in self.hub.audit() if r['event'] == 'link.closed']
        self.assertEqual(closed[-1]['actor'], 'device:dev-signal')

    def test_a_line_that_was_cut_is_resumed_without_a_signature(self):
        with Wire(self.hub.port) as wire:
            mark = self.hub.log_size()
            dev = SITE.join('dev-cut', upstreams=[{**self.hub.upstream(), 'port': wire.port}])
            first = self.hub.wait_log('link-open', since=mark, peer='device:dev-cut')
            self.assertEqual(first['handshake'], 'full')
            dev.wait_log('revocations')  # it has heard from the hub, which sent its ticket before
            mark = self.hub.log_size()
            wire.cut()
            again = self.hub.wait_log('link-open', since=mark, peer='device:dev-cut')
            self.assertEqual(again['handshake'], 'resumed')
            self.assertEqual(dev.wait_log('link-open', handshake='resumed')['peer'], 'hub:hub-1')
            # A hub that was started anew has another secret: the ticket is declined, nothing else.
            mark = self.hub.log_size()
            self.hub.kill('front')
            wire.target = self.hub.wait_log('listening', since=mark)['port']
            wire.cut()
            self.assertEqual(self.hub.wait_log('link-open', since=mark, peer='device:dev-cut')['handshake'], 'full')
            dev.stop()

    def test_a_line_that_fell_silent_is_given_up_and_resumed(self):
        with Wire(self.hub.port) as wire:
            dev = SITE.join('dev-silent', upstreams=[{**self.hub.upstream(), 'port': wire.port}], poll='1 s')
            dev.wait_log('revocations')
            mark = dev.log_size()
            wire.swallow()
            self.assertEqual(dev.wait_log('link-closed', since=mark)['error'], 'timeout')
            self.assertEqual(dev.wait_log('link-open', since=mark)['handshake'], 'resumed')
            dev.stop()

    def test_a_second_one_on_the_same_folder_is_refused(self):
        r = subprocess.run([HUFUD, '--config', self.hub.config_path], capture_output=True, text=True, check=False,
                           timeout=60)
        self.assertEqual(r.returncode, 6, r.stderr)
        self.assertIn('another hufud runs on this data folder', r.stderr)
        self.assertIn(f'process {self.hub.pid("supervisor")}', r.stderr)
        self.assertEqual(self.hub.status()['id'], 'hub-1')

    def test_a_key_process_that_hangs_is_replaced(self):
        mark = self.hub.log_size()
        hanging = self.hub.pid('keyd')
        os.kill(hanging, signal.SIGSTOP)
        with Messages(os.path.join(self.hub.data, 'front.sock')) as m:
            m.send(b'{"do":"status"}')  # somebody has to need it
            self.hub.wait_log('keyd-silent', since=mark)
            self.hub.wait_log('at-work', since=mark, process='front')
        self.assertFalse(runs(hanging))
        self.assertEqual(self.hub.status()['id'], 'hub-1')

    def test_it_has_no_more_links_than_files(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        for workers, links in ((1, '91'), (2, '28')):  # a worker takes five files, a link of several of them three
            self.hub.stop()
            self.hub.config['workers'] = workers
            mark = self.hub.log_size()
            self.hub.start(limits=(200, 200))
            self.assertEqual(self.hub.wait_log('fewer-links', since=mark)['links'], links)
            many = []
            try:
                for _ in range(300):
                    many.append(socket.create_connection(('127.0.0.1', self.hub.port), timeout=10))
                until('all are taken or refused', lambda: self.hub.status()['serve']['links_refused'] >= 100)
            finally:
                for s in many:
                    s.close()
            self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (soft, hard))
        del self.hub.config['workers']

    def test_it_stops_while_it_waits_to_restart(self):
        mark = self.hub.log_size()
        self.hub.kill('front')
        self.hub.wait_log('restarting', since=mark)
        self.assertEqual(self.hub.stop(), 0)

    def test_it_ends_orderly_though_a_link_hangs(self):
        with socket.create_connection(('127.0.0.1', self.hub.port)):
            start = time.monotonic()
            self.assertEqual(self.hub.stop(), 0)
            self.assertLess(time.monotonic() - start, 9)

    def test_what_is_no_link_is_refused_and_recorded(self):
        mark = self.hub.log_size()
        with socket.create_connection(('127.0.0.1', self.hub.port), timeout=10) as s:
            s.sendall(b'GET / HTTP/1.1\r\nHost: hub\r\n\r\n')
            self.assertEqual(s.recv(100), b'')
        line = self.hub.wait_log('link-refused', since=mark)
        self.assertEqual(line['error'], 'format')
        self.assertIn('does not speak TLS', line['text'])
        until('the record', lambda: [r for r in self.hub.audit() if r['event'] == 'link.refused' and
                                     (r['result'], r['reason']) == ('denied', 'format')])

    def test_knocking_does_not_fill_the_logs(self):
        mark = self.hub.log_size()
        for _ in range(300):
            with socket.create_connection(('127.0.0.1', self.hub.port), timeout=10) as s:
                s.sendall(b'GET / HTTP/1.1\r\nHost: hub\r\n\r\n')
                self.assertEqual(s.recv(100), b'')
        self.assertEqual(self.hub.status()['id'], 'hub-1')
        lines = [line for line in self.hub.log(mark) if line.get('event') == 'link-refused']
        self.assertLessEqual(len(lines), 256)
        self.assertGreater(len(lines), 200)

    def test_records_survive_a_killed_key_process(self):
        before = self.hub.status()['keys']['records']
        mark = self.hub.log_size()
        self.hub.kill('keyd')
        self.hub.wait_log('at-work', since=mark, process='front')
        self.assertGreaterEqual(self.hub.status()['keys']['records'], before)


class Refused(unittest.TestCase):
    """What cannot work is said at once, with the exit code of its class."""

    def start_fails(self, node, code, says):
        mark = node.log_size()
        node.start(wait=False)
        self.assertEqual(node.wait_exit(), code, node.log_text(mark))
        self.assertIn(says, node.log_text(mark))
        node.process = None

    def test_wrong_passphrase(self):
        wrong = write(SITE.path('wrong'), 'not the passphrase\n')
        self.start_fails(self.like_hub(unlock={'passphrase-file': wrong}), 5, 'does not open the root seed')

    def test_missing_passphrase_file(self):
        node = self.like_hub(unlock={'passphrase-file': '/nowhere/pass'})
        self.start_fails(node, 6, '/nowhere/pass')

    def test_too_few_shares_and_good_ones(self):
        shares = [SITE.path(f'shares/share-{i}.txt') for i in (1, 3, 5)]
        self.start_fails(self.like_hub(unlock={'share-files': shares[:2]}), 6, 'share')
        node = self.like_hub(unlock={'share-files': shares})
        node.start()
        self.assertEqual(node.stop(), 0)

    def test_another_id_than_the_certificate(self):
        node = self.like_hub()
        node.config['node'] = 'hub-9'
        self.start_fails(node, 2, 'hub-9')

    def test_a_folder_that_others_may_write_to(self):
        for folder in ('', 'keys'):
            node = self.like_hub()
            path = os.path.join(node.data, folder)
            mode = os.stat(path).st_mode & 0o777
            os.chmod(path, 0o777)
            try:
                self.start_fails(node, 7, 'others may write')
            finally:
                os.chmod(path, mode)
        node = self.like_hub()
        node.start()
        self.assertEqual(node.stop(), 0)

    def test_a_port_that_is_taken(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()
            node = self.like_hub(listen={'address': '127.0.0.1', 'port': s.getsockname()[1]})
            self.start_fails(node, 6, 'address already in use')

    def test_an_address_that_is_none(self):
        node = self.like_hub(listen={'address': 'hub.example', 'port': 0})
        self.start_fails(node, 2, 'not an IPv4 or IPv6 address')

    def test_a_newcomer_without_token(self):
        node = SITE.add('dev-9', 'device', upstreams=[{'host': '127.0.0.1', 'port': 1, 'kind': 'hub'}])
        self.start_fails(node, 2, 'enrol.token-file is needed')

    def test_a_token_that_is_none(self):
        token = write(SITE.path('bad.token'), 'hello\n')
        node = SITE.add('dev-8', 'device', upstreams=[{'host': '127.0.0.1', 'port': 1, 'kind': 'hub'}],
                        enrol={'token-file': token})
        self.start_fails(node, 4, 'holds no enrolment token')

    def like_hub(self, **more):
        config = {k: v for k, v in SITE.hub.config.items() if k not in ('node', 'role')}
        return SITE.add('hub-1', 'hub', **{**config, **more})


class Local(unittest.TestCase):
    """The sockets for users of the machine take no harm from them."""

    @classmethod
    def setUpClass(cls):
        SITE.hub.start()

    @classmethod
    def tearDownClass(cls):
        SITE.hub.stop()

    def ask(self, payload, sock='front.sock'):
        with Messages(os.path.join(SITE.hub.data, sock)) as m:
            m.send(payload)
            return m.receive()

    def test_questions_that_are_none(self):
        for payload in (b'', b'{}', b'[]', b'{"do":7}', b'{"do":"status"', b'{"do":"dance"}', b'\xff' * 100,
                        b'{"do":"status"}{}', b'{"do":"' + b'x' * 100 + b'"}', b'{"do":"pull","lineage":"a b"}',
                        b'{"do":"pull","lineage":"' + b'a' * 64 + b'"}', b'{"do":"push","wait":1}', b'[[[[[[[[]]]]]]]]'):
            answer = json.loads(self.ask(payload))
            self.assertIn(answer['error'], ('format', 'unsupported', 'arg', 'state'), payload)
            self.assertTrue(answer['text'])
        self.assertEqual(SITE.hub.status()['role'], 'hub')

    def test_members_that_nobody_knows_are_ignored(self):
        answer = json.loads(self.ask(b'{"x":{"y":[1,2]},"do":"status","wait":false}'))
        self.assertEqual(answer['status']['member'], True)

    def test_a_message_that_is_too_long_closes(self):
        for sock in ('front.sock', 'keyd.sock'):
            with Messages(os.path.join(SITE.hub.data, sock)) as m:
                m.sock.sendall(struct.pack('>I', 0xffffffff))
                with self.assertRaises((Gone, ConnectionResetError)):
                    m.receive()

    def test_slow_and_silent_askers_hold_nobody_up(self):
        idle = [Messages(os.path.join(SITE.hub.data, s)) for s in ('front.sock', 'keyd.sock') for _ in range(10)]
        try:
            for m in idle:
                m.sock.sendall(b'\0\0\0\x10abc')
            self.assertEqual(SITE.hub.status()['role'], 'hub')
            start = time.monotonic()
            for m in idle:
                with self.assertRaises((Gone, ConnectionResetError)):
                    m.receive()
            self.assertLess(time.monotonic() - start, 30)
        finally:
            for m in idle:
                m.sock.close()

    def test_who_asks_and_never_reads_costs_no_memory(self):
        pid = SITE.hub.pid('keyd')
        before = int(field(pid, 'VmRSS').split()[0])
        status = struct.pack('>IB', 1, 3) * 10000
        with Messages(os.path.join(SITE.hub.data, 'keyd.sock'), timeout=2) as m:
            try:
                for _ in range(30):
                    m.sock.sendall(status)
            except OSError:  # held back, or thrown out
                pass
            time.sleep(0.5)
            self.assertLess(int(field(pid, 'VmRSS').split()[0]) - before, 16 * 1024)
        self.assertEqual(SITE.hub.status()['id'], 'hub-1')

    def test_more_askers_than_there_is_room_for(self):
        many = [Messages(os.path.join(SITE.hub.data, 'front.sock')) for _ in range(80)]
        answer = json.loads(many[-1].receive())  # before it asked
        self.assertEqual(answer['error'], 'limit')
        self.assertIn('busy', answer['text'])
        told = hufu('status', '--node', SITE.hub.data)
        self.assertEqual(told.returncode, FULL)
        self.assertIn('busy', told.stderr)
        for m in many:
            m.sock.close()

        def answer():
            try:
                return SITE.hub.ask({'do': 'status'})
            except OSError:  # those that left are still counted
                return None

        until('room again', answer)

    def test_the_key_process_answers_no_nonsense(self):
        for payload in (b'', b'\x01' + bytes(32), b'\xff', bytes(5000), b'\x0a\0\1x'):
            answer = self.ask(payload, 'keyd.sock')
            self.assertNotEqual(struct.unpack('>I', answer[:4])[0], 0, payload)

    @unittest.skipIf(os.geteuid() != 0, 'needs the right to become another user')
    def test_other_users_are_refused(self):
        def ask():
            os.setuid(65534)
            with Messages(os.path.join(SITE.hub.data, 'front.sock')) as m:
                m.send(b'{"do":"status"}')
                return json.loads(m.receive())['error'] == 'denied'

        os.chmod(SITE.folder, 0o755)
        os.chmod(SITE.domain, 0o755)
        os.chmod(SITE.hub.data, 0o755)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if ask() else 1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    @unittest.skipIf(os.geteuid() != 0, 'needs the right to become another user')
    def test_a_stranger_cannot_take_all_places(self):
        def hold():
            os.setuid(65534)
            many = [Messages(os.path.join(SITE.hub.data, sock)) for sock in ('front.sock', 'keyd.sock')
                    for _ in range(40)]
            busy = [m for m in many[32:40] if json.loads(m.receive())['error'] == 'limit']
            busy += [m for m in many[72:] if struct.unpack('>I', m.receive()[:4])[0] == 0x202]
            os.write(up, b'.' if len(busy) == 16 else b'x')
            os.read(wait, 1)
            for m in many:
                m.sock.close()

        os.chmod(SITE.folder, 0o755)
        os.chmod(SITE.domain, 0o755)
        os.chmod(SITE.hub.data, 0o755)
        said, up = os.pipe()
        wait, down = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                hold()
            finally:
                os._exit(0)
        os.close(up)
        try:
            self.assertEqual(os.read(said, 1), b'.')
            for _ in range(20):
                self.assertEqual(SITE.hub.status()['id'], 'hub-1')
                self.assertEqual(struct.unpack('>I', self.ask(b'\x03', 'keyd.sock')[:4])[0], 0)
        finally:
            os.write(down, b'.')
            os.waitpid(pid, 0)
            for fd in (down, wait, said):
                os.close(fd)


if __name__ == '__main__':
    unittest.main()
