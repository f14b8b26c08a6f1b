#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hufu tunnel between applications of our own: what is carried through, who may, and what ends how.

HUFU_BIN is the folder of the built programs.
"""
import ipaddress
import json
import os
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

from nodes import BIN, PATIENCE, until
from tunnels import Far, World, echo, ends_with_error, openssl, pattern, read_all, talk, turns_away


class Cutter:
    """A wire between the two sides of a tunnel, which can be cut."""

    def __init__(self, to):
        host, port = to.rsplit(':', 1)
        self.to = (host, int(port))
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.where = '127.0.0.1:%d' % self.listener.getsockname()[1]
        self.pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                a, _ = self.listener.accept()
            except OSError:
                return
            b = socket.create_connection(self.to)
            self.pairs.append((a, b))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self._pass, args=(x, y), daemon=True).start()

    @staticmethod
    def _pass(x, y):
        try:
            while piece := x.recv(65536):
                y.sendall(piece)
            y.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """An end like any other, as a program that is killed leaves it: no close_notify."""
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()
        self.cut()


class Bytes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.far = Far(echo)
        cls.server, cls.client = cls.world.pair(cls.far.where)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def test_bytes_of_any_number_come_back_as_they_were(self):
        for n in (0, 1, 16383, 16384, 16385, 65536, 70000, 8 << 20):
            with self.subTest(n=n), self.client.dial() as s:
                self.assertEqual(talk(s, pattern(n)), pattern(n))

    def test_many_at_once_do_not_mix(self):
        wrong = []

        def one(seed):
            data = pattern(300000, seed)
            with self.client.dial() as s:
                if talk(s, data) != data:
                    wrong.append(seed)
        threads = [threading.Thread(target=one, args=(i,)) for i in range(40)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(PATIENCE)
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(self.server.numbers()['opened'], 40)

    def test_a_burst_opens_whole(self):
        """Handshakes that meet in a loop have their SM2 operations done together."""
        both = (self.client.process, self.server.process)
        for process in both:
            process.send_signal(signal.SIGSTOP)
        try:
            socks = [self.client.dial() for _ in range(64)]
        finally:
            for process in both:
                process.send_signal(signal.SIGCONT)
        for seed, s in enumerate(socks):
            data = pattern(2000, seed)
            with s:
                self.assertEqual(talk(s, data), data)

    def test_one_byte_at_a_time(self):
        with self.client.dial() as s:
            for i in range(200):
                s.sendall(bytes([i]))
                self.assertEqual(s.recv(1), bytes([i]))

    def test_a_peer_that_takes_small_records_alone_gets_all_of_it(self):
        """One piece of the application makes more records than may wait: what is left must not be forgotten."""
        folder = self.world.path('small')
        os.mkdir(folder)
        for name, file in (('root.pem', 'ca.pem'), ('cam-1.pem', 'client.pem')):
            shutil.copy(self.world.path(name), os.path.join(folder, file))
        openssl('pkey', '-in', self.world.path('cam-1.key'), '-out', os.path.join(folder, 'client.key'))
        self.world.cert('named', san='DNS:server.example')
        server = self.world.server(self.far.where, name='named', cert='named')
        for limit, n in ((64, 1 << 16), (200, 1 << 20), (16384, 1 << 20)):
            with self.subTest(limit=limit), server.dial() as s:
                r = subprocess.run([os.path.join(BIN, 'tls_peer'), 'client', str(s.fileno()), folder, '--limit', str(limit),
                                    '--bytes', str(n)], pass_fds=[s.fileno()], capture_output=True, text=True,
                                   check=False, timeout=2 * PATIENCE)
                report = json.loads(r.stdout)
                self.assertEqual((r.returncode, report['got'], report['wrong_data']), (0, n, False), report)

    def test_numbers_count_every_byte(self):
        before = self.server.numbers()
        with self.client.dial() as s:
            talk(s, pattern(123456))
        until('the connection is over', lambda: self.server.numbers()['connections'] == 0)
        after = self.server.numbers()
        self.assertEqual(after['bytes_opened'] - before['bytes_opened'], 123456)
        self.assertEqual(after['bytes_sealed'] - before['bytes_sealed'], 123456)

    def test_a_reader_that_takes_its_time_holds_back_the_sender(self):
        with self.client.dial() as s:
            s.setblocking(False)
            sent = 0
            piece = pattern(65536)
            end = time.monotonic() + PATIENCE
            # Full: for a while nothing more is taken. Buffers of sockets, not ours, decide how much fits.
            while time.monotonic() < end:
                if not select.select([], [s], [], 1.0)[1]:
                    break
                try:
                    sent += s.send(piece)
                except BlockingIOError:
                    pass
                self.assertLess(sent, 256 << 20)
            for tunnel in (self.client, self.server):
                with open(f'/proc/{tunnel.process.pid}/status', encoding='ascii') as f:
                    rss = next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))
                self.assertLess(rss, 400 << 10)  # KiB; sanitizers take their share
            s.setblocking(True)
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(len(read_all(s)), sent)


class Ends(unittest.TestCase):
    def test_each_direction_ends_by_itself(self):
        asked = threading.Event()

        def answer_after_the_end(sock, far):
            got = read_all(sock)  # only once the near side has said that it is all
            asked.set()
            sock.sendall(got[::-1])

        def end_first(sock, far):
            sock.sendall(b'that is all')
            sock.shutdown(socket.SHUT_WR)
            far.got = read_all(sock)

        with World() as w:
            far = Far(answer_after_the_end)
            _, client = w.pair(far.where)
            with client.dial() as s:
                s.sendall(b'abc')
                self.assertFalse(asked.is_set())
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(read_all(s), b'cba')
            other = Far(end_first)
            server2 = w.server(other.where, name='server2')
            client2 = w.client(server2.address(), name='client2')
            with client2.dial() as s:
                self.assertEqual(read_all(s), b'that is all')
                s.sendall(pattern(200000))
                s.shutdown(socket.SHUT_WR)
                until('the far side has read it', lambda: getattr(other, 'got', None))
            self.assertEqual(other.got, pattern(200000))
            for tunnel in (client, client2, server2):
                until('no connection is left', lambda t=tunnel: t.numbers()['connections'] == 0)
                self.assertEqual({k: v for k, v in tunnel.numbers().items() if k in ('truncated', 'reset', 'bad_link')},
                                 {'truncated': 0, 'reset': 0, 'bad_link': 0})

    def test_a_cut_stream_is_an_error_on_both_sides_and_counted(self):
        seen = []

        def hold(sock, far):
            sock.sendall(b'beginning')
            seen.append(ends_with_error(sock))

        with World() as w:
            far = Far(hold)
            w.cert('gw')
            w.cert('cam-1')
            server = w.server(far.where)
            wire = Cutter(server.address())
            w.cleanups.append(wire.close)
            client = w.client(wire.where)
            with client.dial() as s:
                self.assertEqual(s.recv(9), b'beginning')
                s.sendall(b'half of a')
                wire.cut()
                self.assertTrue(ends_with_error(s))
            until('the far side knows', lambda: seen)
            self.assertEqual(seen, [True])
            self.assertEqual(client.numbers()['truncated'], 1)
            self.assertEqual(server.numbers()['truncated'], 1)
            line = client.wait_log('failed')
            self.assertEqual(line['error'], 'truncated')
            self.assertIn('close_notify', line['text'])

    def test_a_reset_is_a_reset_at_the_other_end(self):
        def reset(sock, far):
            sock.recv(1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

        seen = []

        def watch(sock, far):
            sock.sendall(b'x')
            seen.append(ends_with_error(sock))

        with World() as w:
            far = Far(reset)
            server, client = w.pair(far.where)
            with client.dial() as s:
                s.sendall(b'x')
                self.assertTrue(ends_with_error(s))
            self.assertEqual(server.numbers()['reset'], 1)
            other = Far(watch)
            server2 = w.server(other.where, name='server2')
            client2 = w.client(server2.address(), name='client2')
            with client2.dial() as s:
                self.assertEqual(s.recv(1), b'x')
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            until('the far side knows', lambda: seen)
            self.assertEqual(seen, [True])
            self.assertEqual(client2.numbers()['reset'], 1)

    def test_killing_either_side_under_load_loses_nothing_that_was_acknowledged(self):
        for victim in ('client', 'server'):
            with self.subTest(victim=victim), World() as w:
                kept = {}

                def store(sock, far):
                    """Keeps a record, then says so; a break is no end."""
                    sock.settimeout(PATIENCE)
                    buffer = b''
                    try:
                        while True:
                            piece = sock.recv(65536)
                            if not piece:
                                kept['end'] = 'orderly'
                                return
                            buffer += piece
                            while len(buffer) >= 1024:
                                kept[struct.unpack('>I', buffer[:4])[0]] = buffer[:1024]
                                sock.sendall(buffer[:4])
                                buffer = buffer[1024:]
                    except OSError:
                        kept['end'] = 'broken'

                far = Far(store)
                server, client = w.pair(far.where)
                acked = set()
                s = client.dial()
                stop = threading.Event()
                broke = []  # the system tells an error once, to whoever asks first

                def send():
                    n = 0
                    try:
                        while not stop.is_set():
                            s.sendall(struct.pack('>I', n) + pattern(1020, n))
                            n += 1
                    except ConnectionResetError:
                        broke.append('send')
                    except OSError:
                        pass
                sender = threading.Thread(target=send, daemon=True)
                sender.start()
                got = b''
                while len(acked) < 2000:
                    got += s.recv(4096)
                    while len(got) >= 4:
                        acked.add(struct.unpack('>I', got[:4])[0])
                        got = got[4:]
                (client if victim == 'client' else server).kill()
                try:
                    while piece := s.recv(4096):
                        got += piece
                        while len(got) >= 4:
                            acked.add(struct.unpack('>I', got[:4])[0])
                            got = got[4:]
                except ConnectionResetError:
                    broke.append('receive')
                stop.set()
                sender.join(PATIENCE)
                s.close()
                until('the far side knows', lambda: 'end' in kept)
                for n in acked:
                    self.assertEqual(kept.get(n), struct.pack('>I', n) + pattern(1020, n))
                if victim == 'client':  # whose death the kernel tells the near application
                    until('the server knows', lambda: server.numbers()['truncated'] == 1)
                    self.assertEqual(kept['end'], 'broken')
                else:
                    self.assertTrue(broke)
                    until('the client knows', lambda: client.numbers()['truncated'] == 1)

    def test_sockets_of_one_machine_on_both_faces(self):
        with World() as w:
            far = Far(echo, path=w.path('far.sock'))
            server, client = w.pair(far.where, server={'service': {'accept': f'unix:{w.path("sm.sock")}'}},
                                    client={'service': {'accept': f'unix:{w.path("near.sock")}', 'mode': '0640',
                                                        'server-name': 'gw'}})
            self.assertEqual(os.stat(w.path('near.sock')).st_mode & 0o777, 0o640)
            with client.dial() as s:
                self.assertEqual(talk(s, pattern(500000)), pattern(500000))
            self.assertEqual(server.numbers()['opened'], 1)


class Who(unittest.TestCase):
    def refused(self, world, far, server, client, number, side='server'):
        before = far.n_accepted
        self.assertTrue(turns_away(client))
        until(f'{number} counted', lambda: (server if side == 'server' else client).numbers()[number] > 0)
        self.assertEqual(far.n_accepted, before)  # the plain side was not touched

    def test_a_certificate_of_another_root_is_refused(self):
        with World() as w:
            w.ca('other')
            w.cert('cam-1', ca='other')
            far = Far(echo)
            server, client = w.pair(far.where)
            self.refused(w, far, server, client, 'bad_handshake')
            self.assertIn('failed', [line['event'] for line in server.log()])

    def test_a_server_of_another_name_is_refused(self):
        with World() as w:
            w.cert('gw', san='DNS:elsewhere.example')
            far = Far(echo)
            server, client = w.pair(far.where)
            self.refused(w, far, server, client, 'bad_handshake', side='client')
            self.assertIn('not for this address', client.wait_log('failed')['text'])

    def test_who_is_not_on_the_access_list_is_refused(self):
        with World() as w:
            far = Far(echo)
            w.cert('cam-2')
            server, client = w.pair(far.where, server={'service': {'allow': [{'name': 'cam-1'}]}})
            with client.dial() as s:
                self.assertEqual(talk(s, b'1'), b'1')
            other = w.client(server.address(), name='other', cert='cam-2')
            self.refused(w, far, server, other, 'refused_access')
            line = server.wait_log('failed')
            self.assertEqual((line['error'], line['peer']), ('denied', 'cam-2'))
            self.assertIn('access_denied', other.wait_log('failed')['text'])

    def test_role_level_and_domain_are_conditions(self):
        with World() as w:
            far = Far(echo)
            w.cert('dev-1', identity=('device', 2, 'plant-7', 'dev-1'))
            w.cert('dev-2', identity=('device', 1, 'plant-7', 'dev-2'))
            w.cert('edge-1', identity=('edge', 2, 'plant-7', 'edge-1'))
            w.cert('dev-3', identity=('device', 2, 'plant-8', 'dev-3'))
            w.cert('plain-1')
            w.cert('gw')
            server = w.server(far.where, service={
                'allow': [{'role': 'device', 'level': 2, 'domain': 'plant-7'}]})
            client = w.client(server.address(), cert='dev-1')
            with client.dial() as s:
                self.assertEqual(talk(s, b'1'), b'1')
            for name in ('dev-2', 'edge-1', 'dev-3', 'plain-1'):
                with self.subTest(name=name):
                    self.refused(w, far, server, w.client(server.address(), name='as-' + name, cert=name),
                                 'refused_access')
            self.assertEqual(server.numbers()['refused_access'], 4)

    def test_a_client_asks_who_the_server_is_by_its_own_list(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, client={'service': {'allow': [{'name': 'gw'}]}})
            with client.dial() as s:
                self.assertEqual(talk(s, b'1'), b'1')
            other = w.client(server.address(), name='other', service={'allow': [{'name': 'gw-2'}]})
            self.assertTrue(turns_away(other))
            self.assertEqual(other.numbers()['refused_access'], 1)

    def test_the_target_learns_who_came(self):
        heads = []

        def see(sock, far):
            head = sock.recv(16, socket.MSG_WAITALL)
            heads.append(head + sock.recv(struct.unpack('>H', head[14:])[0], socket.MSG_WAITALL))
            echo(sock, far)

        with World() as w:
            far = Far(see)
            server, client = w.pair(far.where, server={'service': {'proxy': {'send': True}}})
            with client.dial() as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
            head = heads[0]
            self.assertEqual(head[:14], bytes.fromhex('0d0a0d0a000d0a515549540a 21 11'))
            self.assertEqual(head[16:24], bytes([127, 0, 0, 1] * 2))
            self.assertEqual(struct.unpack('>H', head[26:28])[0], int(server.address().rsplit(':', 1)[1]))
            self.assertEqual(head[28:], b'\x20\x00\x0d\x03\0\0\0\0\x22\x00\x05cam-1')

    def test_a_front_tells_where_a_connection_comes_from(self):
        head = bytes.fromhex('0d0a0d0a000d0a515549540a 21 11 000c') + bytes([10, 1, 2, 3, 10, 0, 0, 1]) + \
            struct.pack('>HH', 4711, 80)
        with World() as w:
            far = Far(echo)
            _, client = w.pair(far.where, client={'service': {'proxy': {'from': ['127.0.0.1']},
                                                              'limits': {'handshake': '1 s'}}})
            with client.dial() as s:
                for i in range(len(head)):  # a byte at a time
                    s.sendall(head[i:i + 1])
                self.assertEqual(talk(s, b'hello'), b'hello')
            self.assertEqual(client.wait_log('closed')['from'], '10.1.2.3:4711')
            for wrong in (b'GET / HTTP/1.1\r\n\r\n', head[:12] + b'\x31' + head[13:], head[:14] + b'\xff\xff'):
                with client.dial() as s:
                    s.sendall(wrong)
                    self.assertTrue(ends_with_error(s))
            with client.dial() as s:  # says nothing
                self.assertTrue(ends_with_error(s))
            self.assertEqual(far.n_accepted, 1)
            self.assertEqual(client.numbers()['bad_handshake'], 3)
            self.assertEqual(client.numbers()['timed_out'], 1)


class Places(unittest.TestCase):
    def hold(self, tunnel, n):
        socks = [tunnel.dial() for _ in range(n)]
        for s in socks:
            s.sendall(b'x')
            self.assertEqual(s.recv(1), b'x')
        return socks

    def test_no_more_connections_than_there_are_places(self):
        for limit in ({'connections': 3}, {'per-address': 3}):
            with self.subTest(limit=limit), World() as w:
                far = Far(echo)
                server, client = w.pair(far.where, client={'service': {'limits': limit}})
                socks = self.hold(client, 3)
                self.assertTrue(turns_away(client))
                self.assertEqual(client.numbers()['refused_limit'], 1)
                socks.pop().close()
                until('there is a place', lambda: client.numbers()['connections'] == 2)
                socks += self.hold(client, 1)
                for s in socks:
                    s.close()

    def test_behind_a_front_each_address_has_places_of_its_own(self):
        def come(address):
            s = client.dial()
            ip = ipaddress.ip_address(address).packed
            s.sendall(bytes.fromhex('0d0a0d0a000d0a515549540a 21') + (b'\x11' if len(ip) == 4 else b'\x21') +
                      struct.pack('>H', 2 * len(ip) + 4) + ip + ip + struct.pack('>HH', 4711, 80))
            return s

        def enter(address):
            s = come(address)
            s.sendall(b'x')
            self.assertEqual(s.recv(1), b'x')
            return s

        with World() as w:
            far = Far(echo)
            _, client = w.pair(far.where, client={'service': {'proxy': {'from': ['127.0.0.1']},
                                                              'limits': {'per-address': 2}}})
            names = ('10.1.2.3', '10.1.2.3', '10.1.2.4', '10.1.2.4', '127.0.0.1', '2001:db8::1', '2001:db8::2')
            held = [enter(name) for name in names]
            for i, name in enumerate(('10.1.2.3', '10.1.2.4', '2001:db8::3')):
                with come(name) as s:
                    self.assertTrue(ends_with_error(s))
                until('it is counted', lambda n=i + 1: client.numbers()['refused_limit'] == n)
            held.pop(0).close()
            until('there is a place', lambda: client.numbers()['connections'] == len(names) - 1)
            held.append(enter('10.1.2.3'))
            for s in held:
                s.close()

    @staticmethod
    def dial_from(address, tunnel):
        host, port = tunnel.address().rsplit(':', 1)
        return socket.create_connection((host, int(port)), timeout=PATIENCE, source_address=(address, 0))

    @staticmethod
    def is_there(sock):
        """No end and no reset has come so far, and nothing else."""
        sock.setblocking(False)
        try:
            sock.recv(1)
            return False
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            sock.settimeout(PATIENCE)

    def test_an_address_at_its_limit_takes_nobody_elses_place(self):
        """Of four places an address has three open links and one that does not open: that one gives way, no other."""
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, server={'threads': 1, 'service': {'limits': {
                'per-address': 4, 'handshake': '10 min'}}})
            others = [self.dial_from('127.0.0.2', server) for _ in range(4)]
            until('they are there', lambda: server.numbers()['connections'] == 4)
            socks = self.hold(client, 3)
            own = self.dial_from('127.0.0.1', server)
            until('it is there', lambda: server.numbers()['connections'] == 8)
            socks += self.hold(client, 1)
            ends_with_error(own)  # the last words that it gets, and its end
            self.assertTrue(all(map(self.is_there, others)))
            self.assertTrue(turns_away(client))  # and now it has nothing to give
            self.assertTrue(all(map(self.is_there, others)))
            until('eight are left', lambda: server.numbers()['connections'] == 8)
            for s in socks:
                s.sendall(b'x')
                self.assertEqual(s.recv(1), b'x')
            # Likewise the other one, whose oldest has to go.
            late = self.dial_from('127.0.0.2', server)
            ends_with_error(others[0])
            self.assertTrue(all(map(self.is_there, [*others[1:], late])))
            for s in (own, late, *others, *socks):
                s.close()

    def test_who_failed_and_does_not_go_away_keeps_nobody_out(self):
        """A hello without our suites is answered by an alert; its place is for whoever comes next."""
        with World() as w:
            server, client = w.pair(Far(echo).where, server={'threads': 1, 'service': {'limits': {'connections': 4}}})
            other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            out = ssl.MemoryBIO()
            with self.assertRaises(ssl.SSLWantReadError):
                other.wrap_bio(ssl.MemoryBIO(), out, server_hostname='gw').do_handshake()
            hello = out.read()
            held = []
            for _ in range(4):
                s = server.dial()
                held.append(s)
                s.sendall(hello)
                self.assertEqual(s.recv(1), b'\x15')  # an alert
            with client.dial() as s:
                says = talk(s, b'here')
            self.assertEqual(says, b'here')
            self.assertEqual(server.numbers()['refused_limit'], 0)
            for s in held:
                s.close()

    def test_a_server_that_hangs_up_is_told_as_such(self):
        with World() as w:
            far = Far(lambda sock, far: sock.recv(65536))
            w.cert('cam-1')
            client = w.client(far.where)
            self.assertTrue(turns_away(client))
            line = client.wait_log('failed')
            self.assertRegex(line['text'], f'^{far.where}: .* .*')

    def test_an_idle_connection_ends_and_one_that_is_not_does_not(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, server={'service': {'limits': {'idle': '2 s'}}})
            with client.dial() as idle, client.dial() as busy:
                idle.sendall(b'x')
                self.assertEqual(idle.recv(1), b'x')
                ended = []
                t = threading.Thread(target=lambda: ended.append(ends_with_error(idle)))
                t.start()
                while not ended:
                    busy.sendall(b'y')
                    self.assertEqual(busy.recv(1), b'y')
                    time.sleep(0.05)
                t.join()
                self.assertEqual(ended, [True])
            self.assertEqual(server.numbers()['timed_out'], 1)

    @staticmethod
    def pair_of(world, protocol, far, limits):
        """Both sides, and what a hello begins with."""
        if protocol == 'tls13':
            return *world.pair(far.where, server={'service': {'limits': limits}}), bytes.fromhex('16030100')
        server = world.server(far.where, identity=world.two('gw'),
                              service={'protocols': ['tlcp', 'tls13'], 'limits': limits})
        client = world.client(server.address(), identity=world.two('cam-1'), service={'protocols': ['tlcp']})
        return server, client, bytes.fromhex('16010100')

    def test_who_never_finishes_a_handshake_stops_nobody(self):
        for protocol in ('tls13', 'tlcp'):
            with self.subTest(protocol=protocol):
                self.never_finishes(protocol)

    def never_finishes(self, protocol):
        with World() as w:
            far = Far(echo)
            server, client, head = self.pair_of(w, protocol, far, {'handshake': '2 s'})
            host, port = server.address().rsplit(':', 1)
            slow = [socket.create_connection((host, int(port))) for _ in range(100)]
            for i, s in enumerate(slow):
                s.sendall(head[:1 + i % 4])
            for _ in range(20):
                with client.dial() as s:
                    self.assertEqual(talk(s, b'hello'), b'hello')
            for s in slow:  # told, and gone
                s.settimeout(PATIENCE)
                try:
                    read_all(s)
                except ConnectionResetError:
                    pass
                s.close()
            self.assertEqual(server.numbers()['timed_out'], 100)

    def test_five_thousand_half_open_connections_stop_nobody(self):
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 6000:
            self.skipTest(f'no more than {hard} open files here')
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            # All of them fit, or the oldest have to go; some of TLCP have begun their hello.
            for protocol, opening in (('tls13', 10000), ('tls13', 200), ('tlcp', 10000)):
                with self.subTest(protocol=protocol, opening=opening), World() as w:
                    far = Far(echo)
                    server, client, head = self.pair_of(w, protocol, far, {
                        'handshake': '10 min', 'connections': 20000, 'opening': opening})
                    host, port = server.address().rsplit(':', 1)
                    half = []
                    served = 0
                    for i in range(5000):
                        half.append(socket.create_connection((host, int(port))))
                        if protocol == 'tlcp':
                            half[-1].sendall(head[:i % 5])
                        if i % 500 == 0:
                            with client.dial() as s:
                                self.assertEqual(talk(s, b'hello'), b'hello')
                                served += 1
                    if opening == 10000:
                        until('all are there', lambda: server.numbers()['connections'] >= 5000)
                    for _ in range(20):
                        with client.dial() as s:
                            self.assertEqual(talk(s, b'hello'), b'hello')
                            served += 1
                    self.assertEqual(server.numbers()['opened'], served)
                    for s in half:
                        s.close()
                    until('all have gone', lambda: server.numbers()['connections'] == 0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_lack_of_descriptors_passes(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, server={'files': (200, 200)})
            socks = []
            for _ in range(120):
                try:
                    socks.append(client.dial())
                except ConnectionResetError:
                    pass  # the client's own side heard of it so soon
            for s in socks:
                s.close()
            until('there is room again', lambda: server.numbers()['connections'] == 0)
            with client.dial() as s:
                self.assertEqual(talk(s, b'hello'), b'hello')


def carries(test, tunnel, n=1):
    for i in range(n):
        with tunnel.dial() as s:
            test.assertEqual(talk(s, pattern(1000, i)), pattern(1000, i))


class Sessions(unittest.TestCase):
    """The client has one thread: each of them has sessions of its own."""

    def both(self, server, client, **wanted):
        for tunnel in (server, client):
            until(f'{tunnel.name} has no connection left', lambda t=tunnel: t.numbers()['connections'] == 0)
            self.assertEqual({k: v for k, v in tunnel.numbers().items() if k in wanted}, wanted)

    def test_the_second_connection_is_resumed_and_a_server_that_forgot_begins_anew(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, client={'threads': 1})
            address = server.address()
            carries(self, client)
            self.both(server, client, opened=1, resumed=0)
            carries(self, client, 5)
            self.both(server, client, opened=6, resumed=5, bad_handshake=0)
            server.reload()
            carries(self, client)  # the same process, the same secret
            self.both(server, client, opened=7, resumed=6)
            server.kill()
            server.config['services'][0]['accept'] = address
            server.start()
            carries(self, client)
            until('it is over', lambda: server.numbers()['connections'] == 0)
            self.assertEqual((server.numbers()['opened'], server.numbers()['resumed']), (1, 0))
            carries(self, client)
            self.assertEqual(server.numbers()['resumed'], 1)
            self.assertEqual(client.numbers()['resumed'], 7)

    def test_who_is_taken_off_the_list_is_not_let_in_by_a_session(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, client={'threads': 1})
            carries(self, client, 2)
            self.both(server, client, resumed=1)
            server.config['services'][0]['allow'] = [{'name': 'somebody-else'}]
            server.reload()
            before = far.n_accepted
            self.assertTrue(turns_away(client))
            until('it is counted', lambda: server.numbers()['refused_access'] == 1)
            self.assertEqual((far.n_accepted, server.numbers()['resumed']), (before, 1))

    def test_where_a_ticket_is_good_once_links_one_after_the_other_are_resumed(self):
        with World() as w:
            far = Far(echo)
            w.cert('gw', identity=('edge', 3, 'plant-7', 'gw'))
            w.cert('cam-1', identity=('device', 3, 'plant-7', 'cam-1'))
            high = {'level': 3, 'trust': {'roots': [w.path('root.pem')], 'crls': [w.crl()]}}
            server, client = w.pair(far.where, server=high, client={
                'threads': 1, 'service': {'allow': [{'name': 'gw'}]}, **high})
            carries(self, client, 4)
            self.both(server, client, opened=4, resumed=3, bad_handshake=0)
            first = client.dial()
            second = client.dial()  # at once: the next ticket may be here or not, and either is well
            for s in (first, second):
                s.sendall(b'x')
                self.assertEqual(s.recv(1), b'x')
                s.close()
            self.both(server, client, opened=6, bad_handshake=0)
            self.assertIn(server.numbers()['resumed'], (4, 5))


class Tlcp(unittest.TestCase):
    def test_tlcp_and_tls_on_one_port(self):
        with World() as w:
            far = Far(echo)
            w.cert('cam-2')
            server = w.server(far.where, identity=w.two('gw'), service={'protocols': ['tls13', 'tlcp']})
            client = w.client(server.address(), identity=w.two('cam-1'), threads=1, service={'protocols': ['tlcp']})
            other = w.client(server.address(), name='other', cert='cam-2')
            plain = w.client(server.address(), name='plain', cert='cam-2', threads=1, service={'protocols': ['tlcp']})
            for i, tunnel in enumerate((client, other, plain)):  # the last one without a second pair
                with self.subTest(tunnel=tunnel.name), tunnel.dial() as s:
                    self.assertEqual(talk(s, pattern(1 << 20)), pattern(1 << 20))
            until('they are over', lambda: server.numbers()['connections'] == 0)
            self.assertEqual((server.numbers()['opened'], server.numbers()['resumed']), (3, 0))
            self.assertEqual({line['peer'] for line in server.log() if line['event'] == 'opened'}, {'cam-1', 'cam-2'})
            carries(self, client, 3)
            carries(self, plain)
            until('they are over', lambda: server.numbers()['connections'] == 0)
            self.assertEqual((server.numbers()['opened'], server.numbers()['resumed']), (7, 4))
            self.assertEqual(client.numbers()['resumed'], 3)

    def test_a_server_that_forgot_a_session_begins_anew(self):
        with World() as w:
            far = Far(echo)
            server = w.server(far.where, identity=w.two('gw'), service={'protocols': ['tlcp']})
            client = w.client(server.address(), identity=w.two('cam-1'), threads=1, service={'protocols': ['tlcp']})
            address = server.address()
            carries(self, client, 2)
            self.assertEqual(client.numbers()['resumed'], 1)
            server.kill()
            server.config['services'][0]['accept'] = address
            server.start()
            carries(self, client, 2)
            until('they are over', lambda: server.numbers()['connections'] == 0)
            self.assertEqual((server.numbers()['opened'], server.numbers()['resumed']), (2, 1))
            self.assertEqual(client.numbers()['resumed'], 2)

    def test_a_new_certificate_or_root_ends_the_sessions_of_before(self):
        with World() as w:
            far = Far(echo)
            server = w.server(far.where, identity=w.two('gw'), service={'protocols': ['tlcp']})
            client = w.client(server.address(), identity=w.two('cam-1'), threads=1, service={'protocols': ['tlcp']})

            def resumed(tunnel, change=None):
                """Two connections after a change: how many of them were resumed."""
                if change:
                    change()
                    tunnel.reload()
                before = server.numbers()['resumed']
                carries(self, client, 2)
                until('they are over', lambda: server.numbers()['connections'] == 0)
                return server.numbers()['resumed'] - before

            self.assertEqual(resumed(server), 1)
            self.assertEqual(resumed(server), 2)
            self.assertEqual(resumed(server, lambda: w.two('gw')), 1)
            w.ca('other')
            trust = {'roots': [w.path('root.pem'), w.path('other.pem')]}
            self.assertEqual(resumed(server, lambda: server.config.update(trust=trust)), 1)
            self.assertEqual(resumed(server, server.save), 2)

    def test_who_does_not_speak_it_or_is_not_let_in_is_refused(self):
        with World() as w:
            far = Far(echo)
            w.cert('cam-2')
            w.ca('other')
            server = w.server(far.where, identity=w.two('gw'), service={
                'protocols': ['tlcp'], 'allow': [{'name': 'cam-1'}]})
            for n, (name, number, identity, protocol) in enumerate((
                    ('tls', 'bad_handshake', w.identity('cam-2'), 'tls13'),
                    ('unlisted', 'refused_access', w.identity('cam-2'), 'tlcp'),
                    ('stranger', 'bad_handshake', w.two('cam-3', ca='other'), 'tlcp'))):
                with self.subTest(name=name):
                    client = w.client(server.address(), name=name, identity=identity, service={'protocols': [protocol]})
                    before = server.numbers()[number]
                    self.assertTrue(turns_away(client))
                    until('it is counted', lambda b=before, k=number: server.numbers()[k] == b + 1)
            self.assertEqual(far.n_accepted, 0)

    def test_a_server_of_another_name_is_refused(self):
        with World() as w:
            far = Far(echo)
            server = w.server(far.where, identity=w.two('gw', san='DNS:elsewhere.example'),
                              service={'protocols': ['tlcp']})
            client = w.client(server.address(), identity=w.two('cam-1'), service={'protocols': ['tlcp']})
            self.assertTrue(turns_away(client))
            self.assertIn('not for this address', client.wait_log('failed')['text'])
            self.assertEqual(far.n_accepted, 0)

    def test_level_2_takes_it_with_an_ephemeral_exchange(self):
        with World() as w:
            far = Far(echo)
            high = {'level': 2, 'trust': {'roots': [w.path('root.pem')], 'crls': [w.crl()]}}
            server = w.server(far.where, identity=w.two('gw', identity=('edge', 2, 'plant-7', 'gw')),
                              service={'protocols': ['tlcp', 'tls13']}, **high)
            client = w.client(server.address(), identity=w.two('cam-1', identity=('device', 2, 'plant-7', 'cam-1')),
                              service={'protocols': ['tlcp'], 'allow': [{'name': 'gw'}]}, **high)
            carries(self, client, 3)

    def test_cbc_is_taken_only_where_it_was_asked_for(self):
        body = b'\x01\x01' + bytes(range(32)) + bytes.fromhex('00 0004 e011 e013 01 00')
        hello = bytes.fromhex('16 0101') + struct.pack('>HBBH', len(body) + 4, 1, 0, len(body)) + body
        with World() as w:
            far = Far(echo)
            both = w.two('gw')
            more = {'protocols': ['tlcp'], 'allow-cbc': True}
            with_cbc = w.server(far.where, name='with', identity=both, service=more)
            without = w.server(far.where, name='without', identity=both, service={'protocols': ['tlcp']})
            for tunnel, kind in ((with_cbc, 22), (without, 21)):  # a handshake, or an alert
                with self.subTest(tunnel=tunnel.name), tunnel.dial() as s:
                    s.sendall(hello)
                    self.assertEqual(s.recv(3), bytes([kind, 1, 1]))
            self.assertIn('link.tlcp-cbc', without.wait_log('failed')['text'])
            client = w.client(with_cbc.address(), identity=w.two('cam-1'), service=more)
            carries(self, client, 2)


class Targets(unittest.TestCase):
    def test_the_second_target_is_taken_while_the_first_is_down(self):
        with World() as w:
            a, b = Far(lambda s, f: s.sendall(b'a')), Far(lambda s, f: s.sendall(b'b'))
            w.cert('gw')
            w.cert('cam-1')
            server_a = w.server(a.where, name='a')
            server_b = w.server(b.where, name='b')
            address = server_a.address()
            client = w.client(address, service={'connect': [address, server_b.address()]})
            with client.dial() as s:
                self.assertEqual(read_all(s), b'a')
            server_a.kill()
            for _ in range(5):
                with client.dial() as s:
                    self.assertEqual(read_all(s), b'b')
            server_a.config['services'][0]['accept'] = address
            server_a.start()

            def back():
                with client.dial() as s:
                    return read_all(s) == b'a'
            until('the first is taken again', back)
            self.assertEqual(client.numbers()['bad_target'], 0)

    def test_nobody_there_is_a_reset_and_the_wait_for_another_try_grows(self):
        with World() as w:
            gone = socket.create_server(('127.0.0.1', 0))
            where = '127.0.0.1:%d' % gone.getsockname()[1]
            gone.close()
            w.cert('cam-1')
            client = w.client(where)
            for _ in range(4):
                self.assertTrue(turns_away(client))
            self.assertEqual(client.numbers()['bad_target'], 4)
            self.assertIn('refused', client.wait_log('failed')['text'])

    def test_a_target_that_comes_back_is_found_without_being_told(self):
        with World() as w:
            gone = socket.create_server(('127.0.0.1', 0))
            port = gone.getsockname()[1]
            gone.close()
            server, client = w.pair(f'127.0.0.1:{port}')
            self.assertTrue(turns_away(client))
            self.assertEqual(server.numbers()['bad_target'], 1)
            back = Far.__new__(Far)
            back.listener = socket.create_server(('127.0.0.1', port))
            back.talk, back.n_accepted, back.errors = echo, 0, []
            threading.Thread(target=back._accept, daemon=True).start()
            with client.dial() as s:  # waits for the end of the disgrace
                self.assertEqual(talk(s, b'hello'), b'hello')


if __name__ == '__main__':
    unittest.main(verbosity=2)
