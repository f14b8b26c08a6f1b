#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live TLS 1.3 handshakes with OpenSSL 4, both ways, TLS_SM4_GCM_SM3 with curveSM2 and sm2sig_sm3.

The peer is the OpenSSL that Python's package cryptography carries; where it is older than 4 or missing the
test is skipped (exit code 77). HUFU_BIN is the folder of the built programs; ours is tls_peer.
"""
import json
import os
import select
import socket
import subprocess
import tempfile
import time
import unittest

import openssl4
from openssl4 import OpenSsl, lib

PEER = os.path.join(os.environ['HUFU_BIN'], 'tls_peer')
WAIT_S = 60
# The random value that makes a ServerHello a HelloRetryRequest (RFC 8446 4.1.3).
RETRY = bytes.fromhex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c')
PATTERN = bytes((i * 131 + (i >> 8)) & 255 for i in range(1 << 20))


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.TemporaryDirectory()
        cls.dir = os.path.join(cls.tmp.name, 'a')
        cls.other = os.path.join(cls.tmp.name, 'b')
        for d in (cls.dir, cls.other):
            os.mkdir(d)
            subprocess.run([PEER, 'certs', d], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    def link(self, o, role, options, split=0, on_open=None, on_step=None, folder=None, cut_at_open=False):
        """Runs ours against o. split: bytes of one piece on the way to and from OpenSSL; 0: all at once."""
        ours, theirs = socket.socketpair()
        p = subprocess.Popen([PEER, role, str(theirs.fileno()), folder or self.dir, *options],
                             pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True)
        theirs.close()
        ours.setblocking(False)
        end = time.monotonic() + WAIT_S
        waiting = b''
        opened = closed = False
        o.step()
        while time.monotonic() < end:
            waiting += o.out()
            if o.is_open and not opened:
                opened = True
                if on_open:
                    on_open(o)
                    waiting += o.out()
                if cut_at_open:
                    break
            if on_step and o.is_open:
                on_step(o)
                waiting += o.out()
            if o.is_closed and not closed:
                closed = True
                o.close()
                waiting += o.out()
            readable, writable, _ = select.select([ours], [ours] if waiting else [], [], 0.5)
            if writable:
                piece = waiting[:split] if split else waiting
                try:
                    waiting = waiting[ours.send(piece):]
                except (BrokenPipeError, ConnectionResetError):
                    waiting = b''
            if readable:
                try:
                    data = ours.recv(split or 65536)
                except ConnectionResetError:
                    data = b''
                if not data:
                    break
                o.feed(data)
        ours.close()
        out, _ = p.communicate(timeout=WAIT_S)
        return json.loads(out), p.returncode

    def check_open(self, o, report, status, n, peer='', suite='TLS_SM4_GCM_SM3', resumed=False):
        self.assertIsNone(o.error)
        self.assertEqual(report['why'], '')
        self.assertEqual(status, 0, report)
        self.assertTrue(report['open'])
        self.assertEqual(report['end'], 'closed')
        self.assertEqual(o.cipher(), suite)
        self.assertEqual((report['resumed'], o.is_resumed()), (resumed, resumed))
        self.assertEqual(report['exported'], o.exported())
        self.assertEqual(report['alpn'], 'h2')
        self.assertEqual(o.alpn(), 'h2')
        self.assertEqual(report['peer'], peer)
        self.assertEqual((report['sent'], report['got']), (n, n))

    def client(self, n=1000, options=(), split=0, retry=False, suite='TLS_SM4_GCM_SM3', resumed=False, **kw):
        """Our client against OpenSSL's server, which sends back what it gets."""
        self.seen = None
        kw.setdefault('suites', suite.encode())
        o = OpenSsl(True, self.dir, own='server', verify=lib.SSL_VERIFY_PEER | lib.SSL_VERIFY_FAIL_IF_NO_PEER_CERT, **kw)
        self.addCleanup(o.free)
        done = 0

        def echo(o):
            nonlocal done
            if len(o.got) > done:
                o.write(bytes(o.got[done:]))
                done = len(o.got)

        report, status = self.link(o, 'client', ['--bytes', str(n), *options], split, on_step=echo)
        self.seen = o
        self.check_open(o, report, status, n, 'hub-1', suite, resumed)
        self.assertEqual(bytes(o.got), PATTERN[:n])
        self.assertEqual(RETRY in o.wire, retry)
        self.assertEqual(lib.SSL_get_verify_result(o.ssl), lib.X509_V_OK)
        return report

    def server(self, n=1000, options=(), split=0, own='client', retry=False, suite='TLS_SM4_GCM_SM3', resumed=False,
               **kw):
        """OpenSSL's client against our server."""
        kw.setdefault('suites', suite.encode())
        o = OpenSsl(False, self.dir, own=own, verify=lib.SSL_VERIFY_PEER, **kw)
        self.addCleanup(o.free)

        def close_when_all_is_back(o):
            if len(o.got) == n and not o.is_closed:
                o.close()

        report, status = self.link(o, 'server', options, split, on_open=lambda o: o.write(PATTERN[:n]),
                                   on_step=close_when_all_is_back)
        self.seen = o
        self.check_open(o, report, status, n, 'dev-7' if own else '', suite, resumed)
        self.assertEqual(bytes(o.got), PATTERN[:n])
        self.assertEqual(RETRY in o.wire, retry)
        self.assertEqual(lib.SSL_get_verify_result(o.ssl), lib.X509_V_OK)
        self.assertEqual(report['server_name'], 'server.example')
        return report

    # Our client.

    def test_client_completes_a_mutual_handshake(self):
        self.client()

    def test_client_answers_a_hello_retry_request(self):
        self.client(options=['--defer-share'], retry=True)

    def test_client_in_middlebox_mode(self):
        self.client(options=['--middlebox'])
        self.client(options=['--middlebox', '--defer-share'], retry=True)

    def test_client_takes_any_split_of_the_records(self):
        for split, step in ((1, 1), (0, 1), (3, 2), (5, 0), (7, 3), (1000, 13), (16, 16384)):
            self.client(n=300, options=['--step', str(step), '--defer-share'], split=split, retry=True)

    def test_client_moves_a_mebibyte_with_key_updates(self):
        report = self.client(n=len(PATTERN), options=['--update', '100000', '--pad', '256'])
        self.assertGreaterEqual(report['updates'], 9)

    def test_client_key_updates_survive_any_split(self):
        for split in (1, 17, 4096):
            report = self.client(n=20000, options=['--update', '3000', '--step', str(split)], split=split)
            self.assertGreaterEqual(report['updates'], 1)

    def test_client_speaks_ccm(self):
        ccm = 'TLS_SM4_CCM_SM3'
        self.client(options=['--suite', 'TLS_SM4_CCM_SM3'], suite=ccm)
        self.client(options=['--both', '--defer-share'], suite=ccm, retry=True)
        self.client(n=200000, options=['--both', '--update', '50000'], suite=ccm)
        self.client(options=['--both'], suites=b'TLS_SM4_CCM_SM3:TLS_SM4_GCM_SM3')

    def resumed_client(self, first, then=(), retry=False, suite='TLS_SM4_GCM_SM3', split=0):
        """Our client takes a session from its file and puts the next one there."""
        path = os.path.join(self.dir, 'session')
        if os.path.exists(path):
            os.remove(path)
        report = self.client(options=['--resume', *first], suite=suite)
        self.assertTrue(report['kept'])
        report = self.client(options=['--resume', *first, *then], suite=suite, after=self.seen, resumed=True,
                             retry=retry, split=split)
        self.assertTrue(report['kept'])
        self.client(options=['--resume', *first, *then], suite=suite, after=self.seen, resumed=True, retry=retry)
        # A server that does not know the ticket goes on with certificates.
        self.client(options=['--resume', *first, *then], suite=suite, retry=retry)

    def test_client_resumes(self):
        self.resumed_client([])
        self.resumed_client([], ['--middlebox'])
        self.resumed_client(['--suite', 'TLS_SM4_CCM_SM3'], suite='TLS_SM4_CCM_SM3')

    def test_client_resumes_after_a_hello_retry_request(self):
        self.resumed_client([], ['--defer-share'], retry=True)

    def test_client_resumes_by_any_split(self):
        self.resumed_client([], ['--step', '1'], split=1)
        self.resumed_client([], ['--step', '7'], split=3)

    def test_client_without_a_certificate_where_none_is_asked_for(self):
        o = OpenSsl(True, self.dir, own='server')
        self.addCleanup(o.free)
        report, _ = self.link(o, 'client', ['--anonymous'], on_open=lambda o: o.close())
        self.assertTrue(report['open'])
        self.assertEqual(report['exported'], o.exported())

    def test_client_says_what_the_server_required(self):
        o = OpenSsl(True, self.dir, own='server', verify=lib.SSL_VERIFY_PEER | lib.SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        self.addCleanup(o.free)
        report, status = self.link(o, 'client', ['--anonymous'])
        self.assertNotEqual(status, 0)
        self.assertEqual(report['alert_got'], 116)
        self.assertEqual(report['end'], 'denied')

    def test_client_refuses_a_server_of_another_root(self):
        o = OpenSsl(True, self.other, own='server')
        self.addCleanup(o.free)
        report, status = self.link(o, 'client', [])
        self.assertNotEqual(status, 0)
        self.assertEqual(report['alert_sent'], 48)
        self.assertIn('unknown ca', o.error)

    def test_client_refuses_a_server_without_the_suite(self):
        o = OpenSsl(True, self.dir, own='server', suites=b'TLS_AES_128_GCM_SHA256')
        self.addCleanup(o.free)
        report, status = self.link(o, 'client', [])
        self.assertNotEqual(status, 0)
        self.assertFalse(report['open'])
        self.assertEqual(report['alert_got'], 40)

    def test_client_tells_a_cut_from_an_end(self):
        o = OpenSsl(True, self.dir, own='server')
        self.addCleanup(o.free)
        report, status = self.link(o, 'client', [], cut_at_open=True)
        self.assertNotEqual(status, 0)
        self.assertEqual(report['end'], 'truncated')

    # Our server.

    def test_server_completes_a_mutual_handshake(self):
        self.server()

    def test_server_asks_again_for_the_group(self):
        self.server(groups=b'P-256:curveSM2', retry=True)
        self.server(groups=b'X25519:P-384:curveSM2', options=['--cookie'], retry=True)

    def test_server_takes_any_split_of_the_records(self):
        for split, step in ((1, 1), (0, 1), (3, 2), (5, 0), (7, 3), (1000, 13), (16, 16384)):
            self.server(n=300, options=['--step', str(step)], split=split, groups=b'P-256:curveSM2',
                        retry=True)

    def test_server_moves_a_mebibyte_with_key_updates(self):
        report = self.server(n=len(PATTERN), options=['--update', '100000', '--pad', '512'])
        self.assertGreaterEqual(report['updates'], 9)

    def test_server_key_updates_survive_any_split(self):
        for split in (1, 17, 4096):
            self.server(n=20000, options=['--update', '3000', '--step', str(split)], split=split)

    def test_server_speaks_ccm(self):
        ccm = 'TLS_SM4_CCM_SM3'
        self.server(options=['--suite', 'TLS_SM4_CCM_SM3'], suite=ccm)
        self.server(options=['--both'], suite=ccm, groups=b'P-256:curveSM2', retry=True)
        self.server(n=200000, options=['--suite', 'TLS_SM4_CCM_SM3', '--update', '50000'], suite=ccm)
        self.server(options=['--both'], suites=b'TLS_SM4_CCM_SM3:TLS_SM4_GCM_SM3')

    def test_server_resumes(self):
        self.server(options=['--resume'])
        self.server(options=['--resume'], after=self.seen, resumed=True)
        self.server(options=['--resume'], after=self.seen, resumed=True, split=1)
        self.server(options=['--resume', '--both'], after=self.seen, resumed=True)
        # One that sends no tickets takes none.
        self.server(after=self.seen)

    def test_server_resumes_ccm(self):
        self.server(options=['--resume', '--suite', 'TLS_SM4_CCM_SM3'], suite='TLS_SM4_CCM_SM3')
        self.server(options=['--resume', '--suite', 'TLS_SM4_CCM_SM3'], suite='TLS_SM4_CCM_SM3', after=self.seen, resumed=True)

    def test_server_resumes_after_a_hello_retry_request(self):
        groups = b'P-256:curveSM2'
        self.server(options=['--resume', '--cookie'], groups=groups, retry=True)
        self.server(options=['--resume', '--cookie'], groups=groups, after=self.seen, resumed=True, retry=True)

    def test_server_with_a_record_size_limit(self):
        self.server(options=['--limit', '100'])
        self.client(options=['--limit', '100'])

    def test_server_that_only_asks_lets_a_client_without_certificate_in(self):
        self.server(own='', options=['--ask-client'])

    def test_server_requires_a_client_certificate(self):
        o = OpenSsl(False, self.dir)
        self.addCleanup(o.free)
        report, status = self.link(o, 'server', [])
        self.assertNotEqual(status, 0)
        self.assertFalse(report['open'])
        self.assertEqual(report['alert_sent'], 116)

    def test_server_refuses_a_client_of_another_root(self):
        o = OpenSsl(False, self.other, own='client')
        self.addCleanup(o.free)
        report, status = self.link(o, 'server', [])
        self.assertNotEqual(status, 0)
        self.assertFalse(report['open'])
        self.assertEqual(report['alert_sent'], 48)

    def test_server_is_refused_by_a_client_of_another_root(self):
        o = OpenSsl(False, self.other, own='client', verify=lib.SSL_VERIFY_PEER)
        self.addCleanup(o.free)
        report, status = self.link(o, 'server', [])
        self.assertNotEqual(status, 0)
        self.assertEqual(report['alert_got'], 48)
        self.assertIn('certificate verify failed', o.error)

    def test_server_refuses_clients_without_our_ciphers(self):
        for kw, alert in (({'suites': b'TLS_AES_128_GCM_SHA256'}, 40), ({'groups': b'P-256'}, 40),
                          ({'sigalgs': b'ecdsa_secp256r1_sha256'}, 40)):
            o = OpenSsl(False, self.dir, **kw)
            self.addCleanup(o.free)
            report, status = self.link(o, 'server', [])
            self.assertNotEqual(status, 0, kw)
            self.assertFalse(report['open'])
            self.assertEqual(report['alert_sent'], alert, kw)


if __name__ == '__main__':
    print(f'against {openssl4.or_skip()}')
    unittest.main(verbosity=2)
