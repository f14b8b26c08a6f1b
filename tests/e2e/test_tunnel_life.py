#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of hufu tunnel: configurations that are wrong, that change under load, stopping, what a service
manager gives, rights given up.

HUFU_BIN is the folder of the built programs.
"""
import json
import os
import pwd
import signal
import socket
import subprocess
import threading
import unittest

from nodes import HUFU, PATIENCE, until, write
from tunnels import Far, World, echo, ends_with_error, free_port, pattern, talk, turns_away


class Configuration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.world.cert('gw')
        cls.world.cert('cam-1')

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def run_tunnel(self, *args):
        return subprocess.run([HUFU, 'tunnel', *args], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE)

    def check(self, text):
        path = write(self.world.path('c.yaml'), text)
        return path, self.run_tunnel(path, '--check')

    def good(self):
        w = self.world
        return {'identity': w.identity('gw'), 'trust': {'roots': [w.path('root.pem')]},
                'services': [{'name': 'web', 'side': 'server', 'accept': '127.0.0.1:0', 'connect': ['127.0.0.1:80'],
                              'allow': [{'name': 'cam-*'}]}]}

    def test_a_good_one_is_good(self):
        path, r = self.check(json.dumps(self.good()))
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, f'{path}: 1 service, ok\n', ''))

    def test_the_example_is_good(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
        with open(os.path.join(root, 'examples/tunnel/tunnel.yaml'), encoding='utf-8') as f:
            text = f.read()
        for line in (l.split('#')[0] for l in text.splitlines()):
            for word in line.replace('[', ' ').replace(']', ' ').replace(',', ' ').split():
                if word.endswith('.pem') and word.startswith('/etc/hufu/'):
                    name = 'root' if 'root' in word else 'gw'
                    text = text.replace(word, self.world.path(name + '.pem'))
                elif word.endswith('.key'):
                    text = text.replace(word, self.world.path('gw.key'))
        path, r = self.check(text)
        self.assertEqual(r.returncode, 0, r.stderr)

    def test_a_wrong_one_is_told_with_its_place_and_what_is_allowed(self):
        def broken(change, key='services'):
            c = self.good()
            change(c)
            return json.dumps(c, indent=1)

        def service(**more):
            return lambda c: c['services'][0].update(more)

        def without(name):
            return lambda c: c['services'][0].pop(name)

        cases = [
            (service(accept='8443'), 'services[1].accept: \'8443\' is not allowed here; allowed: ADDRESS:PORT'),
            (service(accept='localhost:80'), 'services[1].accept'),
            (service(connect=['nowhere']), 'services[1].connect[1]: not HOST:PORT'),
            (service(connect=[]), 'services[1].connect'),
            (service(side='middle'), 'services[1].side: \'middle\' is not allowed here; allowed: client or server'),
            (without('allow'), 'services[1].allow: a server needs an access list'),
            (service(allow=[{}]), 'services[1].allow[1]: needs a condition'),
            (service(allow=[{'name': 'a*b'}]), 'services[1].allow[1]'),
            (service(allow=[{'role': 'king'}]), 'services[1].allow[1].role: \'king\''),
            (service(allow=[{'digest': 'ab'}]), 'services[1].allow[1].digest'),
            (service(level=2), 'services[1].trust: its level needs lists of what is revoked: crls'),
            (service(protocols=['tlcp']), 'services[1].identity: a server of tlcp needs enc-certificate and enc-key'),
            (service(protocols=['tlcp'], level=3), 'services[1].protocols: policy link.tlcp-ecdhe at L3 (no): tlcp'),
            (service(protocols=['tls13', 'tlcp'], side='client'), 'services[1].protocols: a client speaks one'),
            (service(protocols=['tlcp'], level=2, side='client'), 'services[1].identity: policy link.tlcp-ecc at L2'),
            (service(protocols=['tlcp'], level=2, **{'allow-cbc': True}),
             'services[1].allow-cbc: policy link.tlcp-cbc at L2 (no): allow-cbc'),
            (service(**{'allow-cbc': True}), 'services[1].allow-cbc: is for tlcp only'),
            (service(protocols=['ssl3']), 'services[1].protocols: \'ssl3\''),
            (service(limits={'idle': '5'}), 'services[1].limits.idle: \'5\''),
            (service(limits={'connections': 0}), 'services[1].limits.connections: \'0\''),
            (service(limits={'idel': '5 s'}), 'services[1].limits.idel: unknown key; allowed: connections, '),
            (service(mode='0600'), 'services[1].mode: only a unix socket has one'),
            (service(accept='unix:' + 'x' * 108), 'services[1].accept: the path of a socket'),
            (service(name='a b'), 'services[1].name'),
            (service(side='client', proxy={'send': True}), 'services[1].proxy.send'),
            (service(**{'server-name': 'gw'}), 'services[1].server-name: only a client'),
            (service(side='client', connect=['unix:/x'], allow=[]), 'services[1].connect[1]: a socket has no name'),
            (lambda c: c['services'].append(dict(c['services'][0], accept='127.0.0.1:1')),
             'services[2].name: another service has this name'),
            (lambda c: c['services'].append(dict(c['services'][0], name='b')),
             'services[2].accept: another service accepts there'),
            (lambda c: c.pop('identity'), 'services[1].identity: is missing'),
            (lambda c: c['identity'].pop('key'), 'services[1].identity: needs party, or certificate and key'),
            (lambda c: c['identity'].update({'enc-key': 'x'}), 'services[1].identity: enc-certificate and enc-key go together'),
            (lambda c: c.pop('trust'), 'services[1].trust: no roots'),
            (lambda c: c.update(threads=1000), "threads: '1000' is not allowed here; allowed: 1 to 256"),
            (lambda c: c.update(group='nobody'), 'group: needs user'),
            (lambda c: c.update(drain='1 d'), 'drain: \'1 d\''),
            (lambda c: c.update(services=[]), 'services'),
        ]
        for change, wanted in cases:
            with self.subTest(wanted=wanted):
                path, r = self.check(broken(change))
                self.assertEqual(r.returncode, 2, r.stderr)
                self.assertRegex(r.stderr, rf'^hufu tunnel: {path}:\d+:\d+: ')
                self.assertIn(wanted, r.stderr)

    def test_a_second_pair_that_is_no_good_is_told(self):
        w = self.world
        pair = w.two('gw-2')
        w.two('gw-3')
        w.cert('gw-2-sign', subject='gw-2')

        def changed(**more):
            c = self.good()
            c['identity'] = {**pair, **{k.replace('_', '-'): w.path(v) for k, v in more.items()}}
            c['services'][0]['protocols'] = ['tls13', 'tlcp']
            return json.dumps(c)

        self.assertEqual(self.check(changed())[1].returncode, 0)
        for more, wanted in (
                ({'enc_key': 'gw-2.key'}, 'is not the certificate of the key'),
                ({'enc_certificate': 'gw-2.pem', 'enc_key': 'gw-2.key'}, 'tlcp needs two'),
                ({'enc_certificate': 'gw-3-enc.pem', 'enc_key': 'gw-3-enc.key'}, 'is of another subject'),
                ({'enc_certificate': 'gw-2-sign.pem', 'enc_key': 'gw-2-sign.key'}, 'no certificate for encryption'),
                ({'enc_certificate': 'nothing.pem'}, 'nothing.pem')):
            with self.subTest(wanted=wanted):
                r = self.check(changed(**more))[1]
                self.assertNotEqual(r.returncode, 0)
                self.assertIn(wanted, r.stderr)

    def test_what_only_looks_like_a_value_is_refused(self):
        text = json.dumps(self.good(), indent=1)
        cases = [
            ('"allow"', '"allow-cbc": maybe, "allow"',
             "services[1].allow-cbc: 'maybe' is not allowed here; allowed: true or false"),
            ('"allow"', '"proxy": {"send": on}, "allow"',
             "services[1].proxy.send: 'on' is not allowed here; allowed: true or false"),
            ('"127.0.0.1:80"', '"127.0.0.1:010"', 'services[1].connect[1]: not HOST:PORT'),
            ('"127.0.0.1:0"', '"127.0.0.1:010"', "services[1].accept: '127.0.0.1:010' is not allowed here"),
            ('"127.0.0.1:0"', '"unix:/x", "mode": "0x1"', "services[1].mode: '0x1' is not allowed here"),
            ('"allow"', '"limits": {"connections": 010}, "allow"',
             "services[1].limits.connections: '010' is not allowed here; allowed: 1 to 1000000"),
            ('"services"', '"threads": 0x2, "services"', "threads: '0x2' is not allowed here; allowed: 1 to 256"),
            ('"127.0.0.1:0"', '~', 'services[1].accept: no value is given; allowed: ADDRESS:PORT'),
            ('"web"', 'null', 'services[1].name: no value is given'),
            (json.dumps(self.world.path('gw.key')), '~', 'identity.key: no value is given; allowed: party, or certificate'),
            ('"services"', '"control": , "services"', 'control: no value is given; allowed: the path of a socket'),
        ]
        for old, new, wanted in cases:
            with self.subTest(wanted=wanted):
                self.assertEqual(text.count(old), 1)
                wrong = text.replace(old, new)
                path, r = self.check(wrong)
                at = wrong.index(new) + len(new) - 1
                line = wrong.count('\n', 0, at) + 1
                self.assertEqual(r.returncode, 2, r.stderr)
                self.assertTrue(r.stderr.startswith(f'hufu tunnel: {path}:{line}:'), r.stderr)
                self.assertIn(wanted, r.stderr)
        path, r = self.check(text + '\n---\n' + text)
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertIn(f'{path}:{text.count(chr(10)) + 2}:1: a second document begins here; allowed: one', r.stderr)

    def test_the_place_is_that_of_the_value(self):
        text = json.dumps(self.good())[:-2] + ''',
  {"name": "b", "side": "server",
   "accept": "127.0.0.1:1",
   "limits": {"connections": 3,
      "idle": "never"},
   "connect": ["127.0.0.1:80"], "allow": [{"name": "*"}]}]}'''
        path, r = self.check(text)
        self.assertTrue(r.stderr.startswith(f'hufu tunnel: {path}:5:15: services[2].limits.idle: '), r.stderr)

    def test_files_that_are_wrong_are_named(self):
        w = self.world
        w.ca('other')
        cases = [
            ('key', w.path('other.key'), 'gw.pem: the first certificate is not that of the key'),
            ('key', w.path('gw.pem'), 'gw.pem: '),
            ('key', '/nowhere/x.key', '/nowhere/x.key'),
            ('certificate', w.path('gw.key'), 'gw.key: holds no certificate'),
            ('certificate', w.path('root.pem'), 'root.pem: the first certificate is not that of the key'),
        ]
        for key, path, wanted in cases:
            with self.subTest(wanted=wanted):
                c = self.good()
                c['identity'][key] = path
                _, r = self.check(json.dumps(c))
                self.assertNotEqual(r.returncode, 0)
                self.assertIn('service web: ', r.stderr)
                self.assertIn(wanted, r.stderr)

    def test_one_service_needs_no_file(self):
        w = self.world
        args = ['--certificate', w.path('gw.pem'), '--key', w.path('gw.key'), '--roots', w.path('root.pem')]
        r = self.run_tunnel('--server', '--accept', '127.0.0.1:0', '--connect', '127.0.0.1:80', '--check', *args)
        self.assertEqual(r.returncode, 2)
        self.assertIn('--allow NAME is needed', r.stderr)
        r = self.run_tunnel('--server', '--accept', '127.0.0.1:0', '--connect', '127.0.0.1:80', '--allow', '*',
                            '--check', *args)
        self.assertEqual((r.returncode, r.stderr), (0, ''))
        w.two('gw-4')
        more = ['--roots', w.path('root.pem'), '--protocol', 'tls13', '--protocol', 'tlcp', '--certificate',
                w.path('gw-4.pem'), '--key', w.path('gw-4.key'), '--enc-certificate', w.path('gw-4-enc.pem')]
        for key, code in (('gw-4-enc.key', 0), ('gw-4.key', 4)):
            with self.subTest(key=key):
                r = self.run_tunnel('--server', '--accept', '127.0.0.1:0', '--connect', '127.0.0.1:80', '--allow', '*',
                                    '--check', *more, '--enc-key', w.path(key))
                self.assertEqual(r.returncode, code, r.stderr)
        for wrong in ([], ['--server'], ['--server', '--client', '--accept', 'x', '--connect', 'y'],
                      [w.path('c.yaml'), '--client'], ['--threads', '0', '--client', '--accept', 'x', '--connect', 'y']):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.run_tunnel(*wrong).returncode, 2)

    def test_one_service_from_the_command_line_works(self):
        w = self.world
        far = Far(echo)
        common = ['--roots', w.path('root.pem'), '--threads', '1', '--log-all']
        port, port2 = free_port(), free_port()
        server = subprocess.Popen([HUFU, 'tunnel', '--server', '--accept', f'127.0.0.1:{port}', '--connect', far.where,
                                   '--certificate', w.path('gw.pem'), '--key', w.path('gw.key'), '--allow', 'cam-*',
                                   *common], stderr=subprocess.PIPE)
        client = subprocess.Popen([HUFU, 'tunnel', '--client', '--accept', f'127.0.0.1:{port2}', '--connect',
                                   f'127.0.0.1:{port}', '--certificate', w.path('cam-1.pem'), '--key',
                                   w.path('cam-1.key'), *common], stderr=subprocess.PIPE)
        try:
            for process in (server, client):
                while b'event=at-work' not in process.stderr.readline():
                    self.assertIsNone(process.poll())
            with socket.create_connection(('127.0.0.1', port2), timeout=PATIENCE) as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
        finally:
            for process in (client, server):
                process.terminate()
                process.communicate(timeout=PATIENCE)
        self.assertEqual((server.returncode, client.returncode), (0, 0))

    def test_an_address_that_is_taken_is_told(self):
        with socket.create_server(('127.0.0.1', 0)) as s:
            c = self.good()
            c['services'][0]['accept'] = '127.0.0.1:%d' % s.getsockname()[1]
            r = self.run_tunnel(write(self.world.path('t.yaml'), json.dumps(c)))
            self.assertEqual(r.returncode, 6, r.stderr)
            self.assertIn(f"cannot listen on {c['services'][0]['accept']}: Address already in use", r.stderr)


class Reload(unittest.TestCase):
    def test_under_load_nothing_is_lost_and_the_new_list_holds(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where)
            stop = threading.Event()
            wrong = []
            rounds = [0] * 8

            def load(i):
                with client.dial() as s:  # one that lives through all of it
                    while not stop.is_set():
                        s.sendall(pattern(20000, i))
                        got = b''
                        while len(got) < 20000:
                            piece = s.recv(65536)
                            if not piece:
                                wrong.append('ended')
                                return
                            got += piece
                        if got != pattern(20000, i):
                            wrong.append('altered')
                        rounds[i] += 1
                        with client.dial() as other:  # and new ones all the time
                            if talk(other, b'hello') != b'hello':
                                wrong.append('refused')
            threads = [threading.Thread(target=load, args=(i,)) for i in range(8)]
            for t in threads:
                t.start()
            for n in range(10):
                server.config['services'][0]['limits'] = {'connections': 1000 + n}
                client.config['services'][0]['limits'] = {'connections': 1000 + n}
                server.reload()
                client.reload()
                seen = list(rounds)
                until('load goes on', lambda seen=seen: wrong or all(a > b for a, b in zip(rounds, seen)))
            server.config['services'][0]['allow'] = [{'name': 'somebody-else'}]
            stop.set()
            for t in threads:
                t.join(PATIENCE)
            self.assertEqual(wrong, [])
            with client.dial() as old:  # let in before the list changed
                old.sendall(b'x')
                self.assertEqual(old.recv(1), b'x')
                server.reload()
                self.assertTrue(turns_away(client))
                self.assertEqual(talk(old, b'y'), b'y')
            self.assertEqual(server.status()['reloads'], 11)

    def test_a_bad_one_is_refused_and_the_old_one_kept(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where)
            good = json.dumps(server.config)
            for change, told in (({'accept': '127.0.0.1'}, 'services[1].accept'),
                                 ({'identity': w.identity('nobody')}, 'nobody.pem')):
                server.config['services'][0].update(change)
                line = server.reload('cannot-reload')
                self.assertIn(told, line['text'])
                server.config = json.loads(good)
                with client.dial() as s:
                    self.assertEqual(talk(s, b'hello'), b'hello')
            write(server.config_path, '{')
            server.process.send_signal(signal.SIGHUP)
            until('both were refused', lambda: len([1 for l in server.log() if l['event'] == 'cannot-reload']) == 3)
            server.reload()
            self.assertEqual(server.status()['reloads'], 1)
            self.assertGreaterEqual(server.numbers()['opened'], 2)  # numbers go on

    def test_doors_open_and_close(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where)
            first = client.address()
            client.config['services'].append(dict(client.config['services'][0], name='two', accept='unix:'
                                                                                            + w.path('two.sock')))
            client.reload()
            with client.dial('two') as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
            with client.dial('web') as held:
                held.sendall(b'x')
                self.assertEqual(held.recv(1), b'x')
                del client.config['services'][0]
                client.reload()
                client.wait_log('no-longer-listening')
                host, port = first.rsplit(':', 1)
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection((host, int(port)), timeout=PATIENCE)
                self.assertEqual(talk(held, b'y'), b'y')


class Stop(unittest.TestCase):
    def test_what_is_there_may_end_and_nothing_new_begins(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where)
            with client.dial() as s:
                s.sendall(b'x')
                self.assertEqual(s.recv(1), b'x')
                client.process.send_signal(signal.SIGTERM)
                client.wait_log('stopping')
                host, port = client.address().rsplit(':', 1)

                def refused():
                    try:
                        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
                        return False
                    except ConnectionError:
                        return True
                until('nobody listens', refused)
                self.assertEqual(talk(s, pattern(100000)), pattern(100000))
            self.assertEqual(client.process.wait(timeout=PATIENCE), 0)

    def test_the_time_for_it_is_bounded(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, client={'drain': '300 ms'})
            with client.dial() as s:
                s.sendall(b'x')
                self.assertEqual(s.recv(1), b'x')
                client.process.send_signal(signal.SIGTERM)
                self.assertTrue(ends_with_error(s))
            self.assertEqual(client.process.wait(timeout=PATIENCE), 0)
            until('the server knows', lambda: server.numbers()['truncated'] == 1)


class Numbers(unittest.TestCase):
    def test_both_ways_to_ask_say_the_same(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where)
            with client.dial() as s:
                talk(s, pattern(1000))
            until('it is over', lambda: server.numbers()['connections'] == 0)
            numbers = server.numbers()
            server.process.send_signal(signal.SIGUSR1)
            line = server.wait_log('numbers', service='web')
            for key in ('accepted', 'opened', 'bytes_sealed', 'bytes_opened', 'truncated'):
                self.assertEqual(int(line[key]), numbers[key], key)
            r = subprocess.run([HUFU, 'tunnel', 'status', server.config['control']], capture_output=True, text=True,
                               check=True, timeout=PATIENCE)
            self.assertRegex(r.stdout, r'\bopened=1\b')
            r = subprocess.run([HUFU, 'tunnel', 'status', w.path('nothing.sock')], capture_output=True, text=True,
                               check=False, timeout=PATIENCE)
            self.assertNotEqual(r.returncode, 0)
            self.assertIn('nothing.sock', r.stderr)


def hand_over(tunnel, sockets, notify):
    """Starts it as systemd does: descriptors from 3 on, and LISTEN_PID is the process itself."""
    places = {40 + i: 3 + i for i in range(len(sockets))}
    for old, (_, s) in zip(places, sockets, strict=True):
        os.dup2(s.fileno(), old)

    def place():
        for old, new in places.items():
            os.dup2(old, new)
            os.set_inheritable(new, True)
    tunnel.save()
    with open(tunnel.log_path, 'ab') as log:
        tunnel.process = subprocess.Popen(
            ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh', HUFU, 'tunnel', tunnel.config_path],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, preexec_fn=place,
            env={**os.environ, 'LISTEN_FDS': str(len(sockets)),
                 'LISTEN_FDNAMES': ':'.join(name for name, _ in sockets), 'NOTIFY_SOCKET': notify})
    for old in places:
        os.close(old)


class Manager(unittest.TestCase):
    def test_sockets_are_handed_over_and_readiness_is_told(self):
        with World() as w:
            far = Far(echo)
            w.cert('gw')
            w.cert('cam-1')
            server = w.server(far.where)
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            manager.bind(w.path('notify'))
            manager.settimeout(PATIENCE)
            first = socket.create_server(('127.0.0.1', 0))
            second = socket.socket(socket.AF_UNIX)
            second.bind(w.path('handed.sock'))
            second.listen()
            client = w.client(server.address(), start=False, service={'accept': 'systemd:tcp'})
            client.config['services'].append(dict(client.config['services'][0], name='two', accept='systemd:local'))
            hand_over(client, [('local', second), ('tcp', first)], w.path('notify'))
            self.assertIn(b'READY=1', manager.recv(1000))
            with socket.create_connection(first.getsockname(), timeout=PATIENCE) as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(PATIENCE)
                s.connect(w.path('handed.sock'))
                self.assertEqual(talk(s, b'hello'), b'hello')
            client.reload()
            self.assertIn(b'RELOADING=1', manager.recv(1000))
            self.assertIn(b'READY=1', manager.recv(1000))
            with socket.create_connection(first.getsockname(), timeout=PATIENCE) as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
            client.process.send_signal(signal.SIGTERM)
            self.assertIn(b'STOPPING=1', manager.recv(1000))
            self.assertEqual(client.process.wait(timeout=PATIENCE), 0)
            for s in (manager, first, second):
                s.close()

    def test_a_socket_that_was_handed_over_can_be_left_out_and_taken_again(self):
        with World() as w:
            far = Far(echo)
            w.cert('gw')
            w.cert('cam-1')
            server = w.server(far.where)
            first = socket.create_server(('127.0.0.1', 0))
            client = w.client(server.address(), start=False)
            handed = dict(client.config['services'][0], name='two', accept='systemd:tcp')
            client.config['services'].append(handed)
            hand_over(client, [('tcp', first)], w.path('nobody'))
            client.wait_log('at-work')
            for _ in range(2):
                mark = client.log_size()
                client.config['services'].remove(handed)
                client.reload()
                client.wait_log('no-longer-listening', since=mark, accept='systemd:tcp')
                # Who comes meanwhile waits in the queue of the one who handed it over.
                with socket.create_connection(first.getsockname(), timeout=PATIENCE) as s:
                    client.config['services'].append(handed)
                    client.reload()
                    self.assertEqual(talk(s, b'hello'), b'hello')
            first.close()

    def test_without_them_it_says_how_to_start_it(self):
        with World() as w:
            w.cert('gw')
            server = w.server('127.0.0.1:1', start=False, service={'accept': 'systemd'})
            server.start(wait=False)
            self.assertEqual(server.process.wait(timeout=PATIENCE), 6)
            self.assertIn('no such socket was handed over', server.log_text())

    @unittest.skipIf(os.geteuid() != 0, 'only root can become somebody else')
    def test_rights_are_given_up(self):
        nobody = pwd.getpwnam('nobody')
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where, client={'user': 'nobody', 'service': {'accept': '127.0.0.1:443'}}
                                    if not self.is_taken(443) else {'user': 'nobody'})
            with open(f'/proc/{client.process.pid}/status', encoding='ascii') as f:
                status = dict(line.split(':', 1) for line in f)
            self.assertEqual(status['Uid'].split(), [str(nobody.pw_uid)] * 4)
            self.assertEqual(status['Gid'].split(), [str(nobody.pw_gid)] * 4)
            self.assertEqual(status['Groups'].split(), [])
            self.assertEqual(status['NoNewPrivs'].strip(), '1')
            self.assertEqual(int(status['CapEff'], 16), 0)
            with client.dial() as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
            # Its key is not readable any more: the configuration stays, and it says why.
            os.chmod(w.path('cam-1.key'), 0o600)
            line = client.reload('cannot-reload')
            self.assertIn('cam-1.key', line['text'])
            with client.dial() as s:
                self.assertEqual(talk(s, b'hello'), b'hello')

    @staticmethod
    def is_taken(port):
        try:
            socket.create_server(('127.0.0.1', port)).close()
            return False
        except OSError:
            return True


def threads(tunnel):
    """What /proc says of each thread: name of a line -> value."""
    folder = f'/proc/{tunnel.process.pid}/task'
    all_of_them = []
    for tid in os.listdir(folder):
        with open(f'{folder}/{tid}/status', encoding='ascii') as f:
            all_of_them.append({k: v.strip() for k, v in (line.split(':', 1) for line in f)})
    return all_of_them


@unittest.skipUnless(os.uname().machine in ('x86_64', 'aarch64'), 'there is no filter for this kind of processor')
class Sandbox(unittest.TestCase):
    def test_every_thread_is_in_it_and_names_are_found_all_the_same(self):
        with World() as w:
            far = Far(echo)
            w.cert('gw')
            w.cert('cam-1')
            # Both sides look up a name, in threads that are made for it.
            server = w.server('localhost:' + far.where.rsplit(':', 1)[1])
            client = w.client('localhost:' + server.address().rsplit(':', 1)[1], service={'server-name': 'gw'})
            for _ in range(2):
                with client.dial() as s:
                    self.assertEqual(talk(s, pattern(100000)), pattern(100000))
                for tunnel in (server, client):
                    self.assertGreater(len(threads(tunnel)), 3)
                    for thread in threads(tunnel):
                        self.assertEqual(thread['Seccomp'], '2', thread)
                        self.assertEqual(thread['NoNewPrivs'], '1', thread)
                    tunnel.reload()
                    self.assertEqual([l for l in tunnel.log() if l['event'] == 'no-sandbox'], [])

    def test_a_socket_at_an_old_name_needs_a_right_that_is_kept_where_names_were(self):
        with World() as w:
            far = Far(echo)
            server, client = w.pair(far.where)
            old = w.path('old.sock')
            with socket.socket(socket.AF_UNIX) as s:  # whoever listened there is dead
                s.bind(old)
            service = dict(client.config['services'][0], name='two', accept=f'unix:{old}', mode='0666')
            web = client.config['services']
            client.config['services'] = [*web, service]
            line = client.reload('cannot-reload')
            self.assertIn(f'cannot delete {old}', line['text'])
            self.assertIn('start anew', line['text'])
            client.config['services'] = [*web, dict(service, accept='unix:' + w.path('new.sock'))]
            client.reload()
            self.assertEqual(os.stat(w.path('new.sock')).st_mode & 0o777, 0o666)
            self.assertEqual(client.stop(), 0)
            client.start()  # now with a unix socket from the start
            client.config['services'] = [*web, service]
            client.reload()
            with client.dial('two') as s:
                self.assertEqual(talk(s, b'hello'), b'hello')

    def test_a_folder_for_lists_needs_a_right_that_is_kept_where_there_was_one(self):
        with World() as w:
            server, _ = w.pair(Far(echo).where)
            server.config['revocation'] = {'urls': ['http://127.0.0.1:9/x'], 'cache': w.path('lists')}
            line = server.reload('cannot-reload')
            self.assertIn('what began without one may write no files any more; start it anew', line['text'])
            self.assertFalse(os.path.exists(w.path('lists')))
            self.assertEqual(server.stop(), 0)
            server.start()
            server.config['revocation']['every'] = '2 h'
            server.reload()


class Party(unittest.TestCase):
    def test_a_member_of_a_domain_needs_no_other_certificate(self):
        with World() as w:
            r = subprocess.run([HUFU, 'domain', 'init', w.path('dom'), '--name', 'plant-7', '--shares-dir',
                                w.path('shares'), '--publishers', '2', '--passphrase-file',
                                write(w.path('pass'), 'correct horse battery\n', 0o600)], capture_output=True, check=False,
                               timeout=PATIENCE, text=True)
            self.assertEqual(r.returncode, 0, r.stderr)
            far = Far(echo)
            names = sorted(n for n in os.listdir(w.path('dom')) if n.startswith('publisher'))
            server = w.tunnel('server', [{'name': 'web', 'side': 'server', 'accept': '127.0.0.1:0',
                                          'connect': [far.where], 'allow': [{'role': 'publisher'}],
                                          'identity': {'party': w.path('dom/' + names[0])}}], 'gw', trust={})
            client = w.tunnel('client', [{'name': 'web', 'side': 'client', 'accept': '127.0.0.1:0',
                                          'connect': [server.address()], 'allow': [{'domain': 'plant-7'}],
                                          'identity': {'party': w.path('dom/' + names[-1])}}], 'cam-1', trust={})
            with client.dial() as s:
                self.assertEqual(talk(s, b'hello'), b'hello')
            for tunnel in (server, client):  # both of its pairs
                tunnel.config['services'][0]['protocols'] = ['tlcp']
                tunnel.reload()
            with client.dial() as s:
                self.assertEqual(talk(s, b'hello'), b'hello')


if __name__ == '__main__':
    unittest.main(verbosity=2)
