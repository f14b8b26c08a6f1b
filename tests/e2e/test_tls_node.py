#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenSSL 4 as client and as server of running nodes: hufud's own link port, its keyd signing.

Skipped (exit code 77) where Python's package cryptography does not carry OpenSSL 4. HUFU_BIN is the folder
of the built programs; certificates of the domain for OpenSSL come from rogue.c.
"""
import os
import socket
import subprocess
import threading
import unittest

import openssl4
from nodes import BIN, Site, until, write
from openssl4 import OpenSsl, lib

MUTUAL = lib.SSL_VERIFY_PEER | lib.SSL_VERIFY_FAIL_IF_NO_PEER_CERT
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS = 1, 4
STATUS_200, STATUS_500 = 0x88, 0x8e  # entries of HPACK's table: RFC 7541 A
WAIT_S = 60


def frame(kind, flags=0, stream=0, payload=b''):
    return len(payload).to_bytes(3, 'big') + bytes([kind, flags]) + stream.to_bytes(4, 'big') + payload


def get(path):
    """What an HTTP/2 client sends to ask for path: RFC 9113 3.4, fields as literals (RFC 7541 6.2.2)."""
    def literal(name, value):
        return bytes([name, len(value)]) + value.encode()
    fields = b'\x82\x87' + literal(4, path) + literal(1, 'hub.example')
    return PREFACE + frame(SETTINGS) + frame(HEADERS, END_STREAM | END_HEADERS, 1, fields)


def frames(data):
    """(kind, flags, stream, payload) of each whole frame."""
    found = []
    while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], 'big'):
        end = 9 + int.from_bytes(data[:3], 'big')
        found.append((data[3], data[4], int.from_bytes(data[5:9], 'big'), bytes(data[9:end])))
        data = data[end:]
    return found


def pump(o, sock, done):
    """Carries bytes between an end and its socket until done(), an error or the end of the link."""
    sock.settimeout(WAIT_S)
    o.step()
    while True:
        sock.sendall(o.out())
        if done() or o.error or o.is_closed:
            return
        data = sock.recv(65536)
        if not data:
            return
        o.feed(data)


class Server(threading.Thread):
    """A source of a node, by OpenSSL: takes links until one has asked for something, and answers 500 to all it asks."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder = folder
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.listener.settimeout(WAIT_S)
        self.port = self.listener.getsockname()[1]
        self.ends = []
        self.start()

    def run(self):
        try:
            while not self.asked():
                sock, _ = self.listener.accept()
                with sock:
                    self.serve(sock)
        except OSError:  # closed, or nobody came
            pass

    def serve(self, sock):
        o = OpenSsl(True, self.folder, own='peer', verify=MUTUAL)
        self.ends.append(o)
        answered = []
        try:
            while True:
                pump(o, sock, lambda: len(self.asked()) > len(answered))
                asked = self.asked()[len(answered):]
                if not asked:  # the link is over
                    return
                if not answered:
                    o.write(frame(SETTINGS))
                for stream in asked:
                    o.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, bytes([STATUS_500])))
                answered += asked
        except OSError:
            pass

    def asked(self):
        """The streams of requests on the last link."""
        got = self.ends[-1].got[len(PREFACE):] if self.ends else b''
        return [stream for kind, _, stream, _ in frames(got) if kind == HEADERS]

    def upstream(self):
        return {'host': '127.0.0.1', 'port': self.port, 'kind': 'hub'}


class Node(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        try:
            cls.hub = cls.site.hub.start()
            cls.site.publish('digits', 1, write(cls.site.path('digits.bin'), os.urandom(100000)))
        except BaseException as e:
            cls.site.__exit__(type(e), e, None)
            raise

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    def papers(self, cert, *options):
        """A folder with a certificate of the domain, its key and the root CA."""
        folder = self.site.path('papers-' + os.urandom(4).hex())
        os.mkdir(folder)
        subprocess.run([os.path.join(BIN, 'rogue'), 'papers', cert, folder, '--domain', self.site.domain,
                        '--passphrase-file', self.site.passphrase, *options], check=True, timeout=WAIT_S)
        return folder

    def ask(self, folder, path, **how):
        """OpenSSL's client asks the hub."""
        o = OpenSsl(False, folder, verify=lib.SSL_VERIFY_PEER, name=b'hub-1', **how)
        self.addCleanup(o.free)

        def done():
            if o.is_open and not o.asked:
                o.asked = True
                o.write(get(path))
                sock.sendall(o.out())
            return any(kind == GOAWAY or (stream == 1 and flags & END_STREAM)
                       for kind, flags, stream, _ in frames(o.got))
        o.asked = False
        with socket.create_connection(('127.0.0.1', self.hub.port), timeout=WAIT_S) as sock:
            try:
                pump(o, sock, done)
            except ConnectionResetError:  # refused, and its alert was overtaken
                o.error = o.error or 'reset'
        return o

    def check_cipher(self, o):
        self.assertTrue(o.is_open, o.error)
        self.assertEqual(o.cipher(), 'TLS_SM4_GCM_SM3')
        self.assertEqual(o.alpn(), 'h2')
        self.assertEqual(lib.SSL_get_verify_result(o.ssl), lib.X509_V_OK)

    def check_channel(self, o):
        self.check_cipher(o)
        answer = [f for f in frames(o.got) if f[2] == 1]
        self.assertEqual(answer[0][0], HEADERS)
        self.assertEqual(answer[0][3][0], STATUS_200)
        body = b''.join(payload for kind, _, _, payload in answer if kind == DATA)
        self.assertEqual(body[:2], b'\x30\x82')  # a SEQUENCE: the signed channel
        self.assertEqual(len(body), 4 + int.from_bytes(body[2:4], 'big'))

    def test_client_of_a_hub_gets_the_channel(self):
        self.check_channel(self.ask(self.papers('device:open-1'), '/v1/channels/current', own='peer'))

    def test_client_of_a_hub_is_asked_again_for_the_group(self):
        o = self.ask(self.papers('device:open-2'), '/v1/channels/current', own='peer',
                     groups=b'P-256:curveSM2')
        self.check_channel(o)

    def test_client_without_a_certificate_is_refused(self):
        o = self.ask(self.papers('device:open-3'), '/v1/channels/current')
        self.assertNotIn(HEADERS, [f[0] for f in frames(o.got)])
        self.assertIn('certificate required', o.error)

    def test_client_of_another_root_is_refused(self):
        o = self.ask(self.papers('device:open-4', '--unknown'), '/v1/channels/current', own='peer')
        self.assertNotIn(HEADERS, [f[0] for f in frames(o.got)])
        self.assertIn('unknown ca', o.error)

    def test_client_without_our_cipher_is_refused(self):
        o = self.ask(self.papers('device:open-5'), '/v1/channels/current', own='peer',
                     suites=b'TLS_AES_128_GCM_SHA256')
        self.assertFalse(o.is_open)
        self.assertIn('handshake failure', o.error)

    def meets(self, name, cert, *options):
        """A member that from now on has OpenSSL's server for its hub."""
        node = self.site.join(name)
        node.stop()
        server = Server(self.papers(cert, *options))
        self.addCleanup(server.listener.close)
        node.config['upstreams'] = [server.upstream()]
        node.start()
        return node, server

    def test_server_of_a_device_is_asked_and_answers(self):
        node, server = self.meets('dev-1', 'hub:hub-1')
        until('a request', server.asked)
        o = server.ends[-1]
        self.check_cipher(o)
        self.assertEqual(bytes(o.got[:len(PREFACE)]), PREFACE)
        until('the answer is known', lambda: 'status 500' in (node.status()['channel'].get('text') or ''))
        node.stop()

    def test_server_of_another_root_is_refused(self):
        node, server = self.meets('dev-2', 'hub:hub-1', '--unknown')
        until('an alert', lambda: any(o.error for o in server.ends))
        self.assertIn('unknown ca', server.ends[0].error)
        self.assertEqual(bytes(server.ends[0].got), b'')
        node.stop()


if __name__ == '__main__':
    print(f'against {openssl4.or_skip()}')
    unittest.main(verbosity=2)
