#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tunnels and lists of what is revoked: from files and fetched, old, forged and withheld; links that are open."""
import os
import subprocess
import unittest

from nodes import HUFU, until, write
from tunnels import ID, Far, World, echo, ends_with_error, openssl, turns_away
from weblists import Lists, for_ever, says_nothing, says_what

WORDS = b'hello'


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def says(case, sock, words=WORDS):
    """The link is there: what is said comes back."""
    sock.sendall(words)
    got = b''
    while len(got) < len(words):
        piece = sock.recv(100)
        case.assertTrue(piece, 'the link has ended')
        got += piece
    case.assertEqual(got, words)


class Base(unittest.TestCase):
    def setUp(self):
        self.w = self.enterContext(World())
        self.far = Far(echo)
        for name in ('gw', 'cam-1', 'cam-2'):
            self.w.cert(name)

    def trust(self):
        return {'roots': [self.w.path('root.pem')], 'crls': [self.w.path('root.crl')]}

    def revoked(self, tunnel, name, since=0):
        """A link of this peer was ended, with the reason and in the counter."""
        line = tunnel.wait_log('failed', since=since, error='revoked', peer=name)
        self.assertIn('revoked for reason 1', line['text'])
        until('it is counted', lambda: tunnel.numbers()['revoked'] == 1)


class Files(Base):
    def test_a_reload_ends_links_of_who_is_revoked(self):
        self.w.crl()
        server = self.w.server(self.far.where, trust=self.trust())
        bad = self.w.client(server.address(), name='bad', cert='cam-1')
        good = self.w.client(server.address(), name='good', cert='cam-2')
        with bad.dial() as b, good.dial() as g:
            says(self, b)
            says(self, g)
            server.reload()
            says(self, b)  # nothing has changed
            self.w.crl(revoked=['cam-1'], number=2)
            server.reload()
            self.assertTrue(ends_with_error(b))
            self.revoked(server, 'cam-1')
            self.assertIn('certificate_revoked', bad.wait_log('failed')['text'])
            says(self, g)
            self.assertTrue(turns_away(bad))
            with good.dial() as again:
                says(self, again)
        self.assertEqual(server.numbers()['revoked'], 1)

    def test_a_client_ends_links_to_a_server_that_is_revoked(self):
        self.w.crl()
        server = self.w.server(self.far.where)
        client = self.w.client(server.address(), trust=self.trust())
        with client.dial() as s:
            says(self, s)
            self.w.crl(revoked=['gw'], number=2)
            client.reload()
            self.assertTrue(ends_with_error(s))
            self.revoked(client, 'gw')

    def test_links_of_tlcp_are_ended_too(self):
        self.w.crl()
        server = self.w.server(self.far.where, identity=self.w.two('gw'), trust=self.trust(),
                               service={'protocols': ['tlcp']})
        client = self.w.client(server.address(), identity=self.w.two('cam-1'), service={'protocols': ['tlcp']})
        with client.dial() as s:
            says(self, s)
            self.w.crl(revoked=['cam-1'], number=2)
            server.reload()
            self.assertTrue(ends_with_error(s))
            self.revoked(server, 'cam-1')

    def test_a_list_that_its_issuer_did_not_sign_is_refused(self):
        self.w.crl()
        server = self.w.server(self.far.where, trust=self.trust())
        self.w.crl(revoked=['cam-1'], number=2, key='other')
        line = server.reload('cannot-reload')
        self.assertEqual(line['error'], 'auth')
        self.assertIn('root.crl: the revocation list is not signed by its issuer', line['text'])
        r = subprocess.run([HUFU, 'tunnel', '--check', server.config_path], capture_output=True, text=True, check=False)
        self.assertEqual(r.returncode, 5)
        self.assertIn('not signed by its issuer', r.stderr)

    def test_an_older_list_does_not_take_the_place_of_a_newer_one(self):
        self.w.crl(number=4)
        older = read(self.w.path('root.crl'))
        self.w.crl(revoked=['cam-1'], number=5)
        server = self.w.server(self.far.where, trust=self.trust())
        client = self.w.client(server.address())
        write(self.w.path('root.crl'), older)
        line = server.reload('cannot-reload')
        self.assertEqual(line['error'], 'rollback')
        self.assertIn('number 4 comes after number 5', line['text'])
        self.assertTrue(turns_away(client))
        self.w.crl(number=6)
        server.reload()
        with client.dial() as s:
            says(self, s)


class Fetched(Base):
    def setUp(self):
        super().setUp()
        self.lists = Lists()
        self.addCleanup(self.lists.far.close)

    def plan(self, **more):
        return {'urls': [self.lists.url()], 'cache': self.w.path('lists'), 'every': '1 s', 'timeout': '2 s', **more}

    def publish(self, **more):
        self.w.crl(**more)
        self.lists.put(read(self.w.path('root.crl.der')))

    def high(self):
        self.w.cert('gw', identity=('edge', 2, 'plant-7', 'gw'))
        self.w.cert('cam-1', identity=('device', 2, 'plant-7', 'cam-1'))

    def test_a_list_comes_and_then_a_newer_one(self):
        self.high()
        server = self.w.server(self.far.where, level=2, revocation=self.plan())
        client = self.w.client(server.address())
        self.assertTrue(turns_away(client))  # nobody is let in without a list
        line = server.wait_log('failed', error='stale')
        self.assertIn('policy link.revocation-age at L2', line['text'])
        self.assertIn('is missing; fetch it', line['text'])
        self.publish()
        server.wait_log('list-fetched')
        with client.dial() as s:
            says(self, s)
            mark = server.log_size()
            self.publish(revoked=['cam-1'], number=2)
            self.assertTrue(ends_with_error(s))
            server.wait_log('list-fetched', since=mark)
            self.revoked(server, 'cam-1', mark)
        self.assertTrue(turns_away(client))
        head = self.lists.asked[0]
        self.assertTrue(head.startswith(b'GET /root.crl HTTP/1.1\r\nHost: ' + self.lists.far.where.encode()))
        self.assertIn(b'\r\nAccept: application/pkix-crl\r\n', head)

    def test_what_was_fetched_lasts_over_a_restart(self):
        self.high()
        self.publish()
        server = self.w.server(self.far.where, level=2, revocation=self.plan())
        client = self.w.client(server.address())
        server.wait_log('list-fetched')
        kept = os.listdir(self.w.path('lists'))
        self.assertEqual(len(kept), 1)
        self.assertEqual(read(os.path.join(self.w.path('lists'), kept[0])), read(self.w.path('root.crl.der')))
        server.stop()
        self.lists.put(says_nothing)
        mark = server.log_size()
        server.config['services'][0]['accept'] = client.config['services'][0]['connect'][0]
        server.start()
        with client.dial() as s:
            says(self, s)
        self.assertNotIn('list-fetched', server.log_text(mark))

    def test_whatever_a_server_does_the_older_list_stays(self):
        self.publish(revoked=['cam-1'], number=5)
        good = read(self.w.path('root.crl.der'))
        server = self.w.server(self.far.where, revocation=self.plan())
        client = self.w.client(server.address())
        other = self.w.client(server.address(), name='other', cert='cam-2')
        server.wait_log('list-fetched')
        self.w.crl(number=4)
        older = read(self.w.path('root.crl.der'))
        self.w.crl(number=6, key='false')
        forged = read(self.w.path('root.crl.der'))
        ok = b'HTTP/1.1 200 OK\r\n'
        cases = [
            (None, 'not_found', 'the server says 404, not 200'),
            (says_what(b'HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n'), 'not_found', 'redirects are not followed'),
            (says_what(b'\x00\x01garbage\r\n'), 'format', 'malformed'),
            (says_what(ok + b'Content-Length: 9\r\n\r\ngarbage..'), 'format', 'revocation list'),
            (says_what(ok + b'Content-Length: 9\r\n\r\n'), 'truncated', 'ends too early'),
            (says_what(ok + b'\r\n' + good[:-1]), 'truncated', 'revocation list'),
            (says_what(ok + b'Content-Length: 99999999\r\n\r\n'), 'limit', 'longer than'),
            (for_ever(ok + b'\r\n', bytes(65536)), 'limit', 'longer than'),
            (for_ever(ok, b'X: y\r\n'), 'limit', 'head of the answer is too long'),
            (says_nothing, 'timeout', 'no whole answer in time'),
            (says_what(b''), 'truncated', 'ends too early'),
            (older, 'rollback', 'number 4 comes after number 5'),
            (forged, 'auth', ''),
        ]
        for answer, error, text in cases:
            with self.subTest(text=text):
                mark = server.log_size()
                self.lists.put(answer)
                until(f'it is told: {error}: {text}', lambda e=error, t=text, m=mark: any(
                    line['event'] == 'list-not-fetched' and line['from'] == self.lists.url() and line['error'] == e
                    and t in line['text'] for line in server.log(m)))
                # A new plan, so that the pauses after failures do not add up.
                server.config['revocation']['timeout'] = '%d ms' % (2000 + len(self.lists.asked))
                server.reload()
                self.assertTrue(turns_away(client))
        with other.dial() as s:
            says(self, s)
        self.publish(number=7)
        server.wait_log('list-fetched', since=mark)
        with client.dial() as s:
            says(self, s)

    def test_places_come_from_certificates(self):
        """Ours names the list, which names its delta; with a wrong base that is not what makes it fresh."""
        points = f'crlDistributionPoints=URI:ldap://x/y,URI:{self.lists.url()}\n'
        self.w.cert('gw', extra=points)
        self.publish(extra=f'freshestCRL=URI:{self.lists.url("/delta.crl")}\n')
        plan = self.plan(**{'from-certificates': True})
        del plan['urls']
        server = self.w.server(self.far.where, revocation=plan)
        client = self.w.client(server.address())
        at = {'from': self.lists.url()}
        server.wait_log('list-fetched', **at)
        at['from'] = self.lists.url('/delta.crl')
        self.assertIn('404', server.wait_log('list-not-fetched', **at)['text'])
        with client.dial() as s:
            says(self, s)
            self.w.crl(revoked=['cam-1'], number=3, extra='2.5.29.27=critical,DER:020101\n')
            self.lists.put(read(self.w.path('root.crl.der')), '/delta.crl')
            server.wait_log('list-fetched', **at)
            self.assertTrue(ends_with_error(s))
            self.revoked(server, 'cam-1')
        self.assertEqual(sorted(name.rsplit('.', 1)[1] for name in os.listdir(self.w.path('lists'))), ['crl', 'delta'])
        mark = server.log_size()  # a complete list overtakes the delta, and nobody complains
        self.publish(revoked=['cam-1'], number=4)
        server.wait_log('list-fetched', since=mark)
        self.w.crl(revoked=['cam-1'], number=4, extra='2.5.29.27=critical,DER:020103\n')
        self.lists.put(read(self.w.path('root.crl.der')), '/delta.crl')
        n = self.lists.n_asked('/delta.crl')
        until('the delta was looked at again', lambda: self.lists.n_asked('/delta.crl') > n + 1)
        self.assertNotIn('list-not-fetched', server.log_text(mark))

    def staple(self, name, status='V', days=1):
        """What an OCSP responder of the root says of a certificate."""
        w = self.w
        write(w.path('ocsp.txt'), f'{status}\t491231235959Z\t{"250101000000Z" if status == "R" else ""}\t'
                                  f'{w.serial(name)}\tunknown\t/CN={name}\n')
        openssl('ocsp', '-issuer', w.path('root.pem'), '-sm3', '-cert', w.path(name + '.pem'), '-no_nonce', '-reqout',
                w.path('ocsp.req'))
        openssl('ocsp', '-index', w.path('ocsp.txt'), '-CA', w.path('root.pem'), '-rsigner', w.path('root.pem'), '-rkey',
                w.path('root.key'), '-rmd', 'sm3', '-rsigopt', ID[1], '-reqin', w.path('ocsp.req'), '-respout',
                w.path(name + '.ocsp'), '-ndays', str(days))
        return w.path(name + '.ocsp')

    def test_a_stapled_status_does_as_well_as_a_list(self):
        """Neither end has a list; each shows what an OCSP responder said of it."""
        self.high()
        gw = {**self.w.identity('gw'), 'staples': [self.staple('gw')]}
        cam = self.w.identity('cam-1')
        server = self.w.server(self.far.where, level=2, identity=gw, revocation=self.plan())
        client = self.w.client(server.address(), level=2, identity=cam, service={'allow': [{'name': 'gw'}]},
                               revocation=self.plan(cache=self.w.path('lists-2')))
        self.assertTrue(turns_away(client))
        server.wait_log('failed', error='stale')
        client.config['identity'] = {**cam, 'staples': [self.staple('cam-1')]}
        client.reload()
        with client.dial() as s:
            says(self, s)

    def test_a_staple_that_peers_would_refuse_is_refused(self):
        server = self.w.server(self.far.where, start=False)
        other = self.staple('cam-1')
        garbage = write(self.w.path('garbage'), 'garbage')
        for path, text in ((other, 'it is about no certificate of ours'),
                           (garbage, 'status of our certificate'),
                           (self.staple('gw', 'R'), 'it says that our certificate is revoked'),
                           (self.w.path('none'), 'none')):
            server.config['identity']['staples'] = [path]
            server.save()
            r = subprocess.run([HUFU, 'tunnel', '--check', server.config_path], capture_output=True, text=True,
                               check=False)
            self.assertNotEqual(r.returncode, 0)
            self.assertIn(text, r.stderr)
            self.assertIn(os.path.basename(path), r.stderr)

    def test_faults_of_the_configuration_are_told(self):
        for plan, text in (
                ({'urls': ['https://x/y'], 'cache': 'c'}, "revocation.urls[1]: 'https://x/y' is not allowed here"),
                ({'urls': ['http://u@x/y'], 'cache': 'c'}, 'not allowed here'),
                ({'urls': ['http://x/y']}, 'needs a folder for what was fetched: cache'),
                ({'cache': 'c'}, 'neither urls nor from-certificates'),
                ({'urls': ['http://x/'], 'cache': 'c', 'every': '13 h'}, 'revocation.every'),
                ({'urls': ['http://x/'], 'cache': 'c', 'timeout': '1 ms'}, 'revocation.timeout')):
            with self.subTest(plan=plan):
                t = self.w.server(self.far.where, start=False, revocation=plan)
                t.save()
                r = subprocess.run([HUFU, 'tunnel', '--check', t.config_path], capture_output=True, text=True,
                                   check=False)
                self.assertEqual(r.returncode, 2, r.stderr)
                self.assertIn(text, r.stderr)


if __name__ == '__main__':
    unittest.main()
