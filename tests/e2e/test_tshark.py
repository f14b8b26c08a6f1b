#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends are ours, and tshark, which is not, reads what they say to each other.

A relay between the two writes down every byte as TCP segments in a capture file. tshark must find the
messages of the protocol in it, each whole, with the names that it has for the national ciphers.
HUFU_BIN is the folder of the built programs. Skipped (exit code 77) where there is no tshark.
"""
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

PEER = os.path.join(os.environ['HUFU_BIN'], 'tls_peer')
PORT = 4433
WAIT_S = 60


class Capture:
    """A file of raw IPv4 packets: one TCP connection from 10.0.0.1 to PORT of 10.0.0.2."""

    SEGMENT = 1400  # bytes

    def __init__(self, path):
        self.file = open(path, 'wb')
        self.file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        self.seq = [1, 1]
        self.n = 0

    def put(self, sender, data):
        hosts = [b'\x0a\0\0\1', b'\x0a\0\0\2']
        ports = [40000, PORT]
        for at in range(0, len(data), self.SEGMENT):
            piece = data[at:at + self.SEGMENT]
            ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 40 + len(piece), 0, 0, 64, 6, 0, hosts[sender],
                             hosts[1 - sender])
            tcp = struct.pack('>HHIIBBHHH', ports[sender], ports[1 - sender], self.seq[sender],
                              self.seq[1 - sender], 0x50, 0x18, 65535, 0, 0)
            packet = ip + tcp + piece
            self.n += 1
            self.file.write(struct.pack('<IIII', 1800000000, self.n, len(packet), len(packet)) + packet)
            self.seq[sender] += len(piece)

    def close(self):
        self.file.close()


class Tshark(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.TemporaryDirectory()
        subprocess.run([PEER, 'certs', cls.tmp.name], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    def talk(self, client_options=(), server_options=()):
        """One link between two processes; returns the path of its capture."""
        path = os.path.join(self.tmp.name, self.id() + '.pcap')
        capture = Capture(path)
        sides = []
        peers = []
        for role, options in (('client', client_options), ('server', server_options)):
            ours, theirs = socket.socketpair()
            peers.append(subprocess.Popen([PEER, role, str(theirs.fileno()), self.tmp.name, *options],
                                          pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True))
            theirs.close()
            sides.append(ours)
        alive = {0, 1}
        while alive:
            ready = select.select([sides[i] for i in alive], [], [], WAIT_S)[0]
            self.assertTrue(ready, 'both ends are silent')
            for side in ready:
                i = sides.index(side)
                data = side.recv(65536)
                if data:
                    capture.put(i, data)
                    sides[1 - i].sendall(data)
                else:
                    alive.discard(i)
                    sides[1 - i].shutdown(socket.SHUT_WR)
        for p in peers:
            text = p.communicate(timeout=WAIT_S)[0]
            self.assertEqual(p.returncode, 0, text)
        for s in sides:
            s.close()
        capture.close()
        return path

    def read(self, path):
        """What tshark makes of it: the fields of TLS, packet by packet."""
        fields = ['tls.handshake.type', 'tls.handshake.ciphersuite', 'tls.record.opaque_type',
                  'tls.handshake.extensions_key_share_group', 'tls.handshake.sig_hash_alg',
                  'tls.record.version', 'tls.record.content_type', 'tls.handshake.certificate', '_ws.malformed']
        lines = subprocess.run(['tshark', '-r', path, '-d', f'tcp.port=={PORT},tls', '-T', 'fields',
                                *[x for f in fields for x in ('-e', f)]],
                               capture_output=True, text=True, check=True).stdout.splitlines()
        found = {f: [] for f in fields}
        for line in lines:
            for f, value in zip(fields, line.split('\t')):
                found[f] += [v for v in value.split(',') if v]
        self.assertEqual(found['_ws.malformed'], [])
        return found

    def test_tls13(self):
        found = self.read(self.talk())
        self.assertEqual(found['tls.handshake.type'], ['1', '2'])
        self.assertIn('0x00c6', found['tls.handshake.ciphersuite'])
        self.assertEqual(found['tls.handshake.extensions_key_share_group'], ['41', '41'])
        self.assertIn('0x0708', found['tls.handshake.sig_hash_alg'])
        self.assertGreater(found['tls.record.opaque_type'].count('23'), 4)

    def test_tls13_retry(self):
        found = self.read(self.talk(['--defer-share'], ['--cookie']))
        self.assertEqual(found['tls.handshake.type'], ['1', '2', '1', '2'])

    def test_tls13_in_other_records(self):
        """Hellos that are cut are put together; the flights behind them are fewer or more records."""
        whole, joined, cut = (self.read(self.talk(options, options)) for options in ([], ['--join'], ['--cut', '50']))
        for found in (whole, joined, cut):
            self.assertEqual(found['tls.handshake.type'], ['1', '2'])
        n = [found['tls.record.opaque_type'].count('23') for found in (joined, whole, cut)]
        self.assertEqual(n, sorted(set(n)))

    # A whole handshake with certificates of both: all of it is in the clear, but for what Finished says.
    TLCP_MESSAGES = ['1', '2', '11', '12', '13', '14', '11', '16', '15']
    TLCP_SUITES = {'ECDHE_SM4_GCM_SM3': '0xe051', 'ECC_SM4_GCM_SM3': '0xe053', 'ECDHE_SM4_CBC_SM3': '0xe011',
                   'ECC_SM4_CBC_SM3': '0xe013'}

    def read_tlcp(self, suite, client_options=(), server_options=()):
        options = ['--tlcp', '--suite', suite]
        found = self.read(self.talk([*options, *client_options], [*options, *server_options]))
        self.assertEqual(found['tls.handshake.type'], self.TLCP_MESSAGES)
        self.assertEqual(found['tls.handshake.ciphersuite'], [self.TLCP_SUITES[suite]] * 2)
        self.assertEqual(set(found['tls.record.version']), {'0x0101'})
        self.assertEqual(len(found['tls.handshake.certificate']), 4)  # two of each
        self.assertEqual(found['tls.record.content_type'][-4:], ['23', '23', '21', '21'])
        self.assertEqual(found['tls.record.content_type'].count('20'), 2)
        return found['tls.record.content_type'].count('22')

    def test_tlcp(self):
        for suite in self.TLCP_SUITES:
            with self.subTest(suite):
                # Each message has a record of its own, and so have the two Finished.
                self.assertEqual(self.read_tlcp(suite), len(self.TLCP_MESSAGES) + 2)

    def test_tlcp_in_other_records(self):
        suite = 'ECC_SM4_GCM_SM3'
        self.assertEqual(self.read_tlcp(suite, ['--join'], ['--join']), 5)  # a hello, two flights, two Finished
        self.assertGreater(self.read_tlcp(suite, ['--cut', '100'], ['--cut', '100']), 20)


if __name__ == '__main__':
    if shutil.which('tshark') is None:
        print('skipped: no tshark on this machine')
        sys.exit(77)
    unittest.main()
