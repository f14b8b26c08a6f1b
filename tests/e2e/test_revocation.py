#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A device is revoked: its links end, it does not come back, and everybody else goes on."""
import glob
import os
import subprocess
import unittest

from nodes import Site, hufu, until, write
from weblists import Lists


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def revoke(site, what, reason='key-compromise'):
    return hufu('domain', 'revoke', what, '--reason', reason, '--node', site.hub.data)


def events(node, name, **fields):
    return [r for r in node.audit() if r['event'] == name and all(r.get(k) == v for k, v in fields.items())]


class Revoked:
    """At one level; with an edge between hub and some of the devices."""

    LEVEL = 1

    @classmethod
    def setUpClass(cls):
        cls.site = Site(level=cls.LEVEL)
        try:
            cls.hub = cls.site.hub.start()
            cls.edge = cls.site.join('gw-1', 'edge', poll='1 s')
            cls.model = write(cls.site.path('model.bin'), bytes(range(256)) * 64)
            cls.site.publish('m', 1, cls.model)
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    def works(self, node, lineage='m'):
        self.assertEqual(node.pull(lineage)['done']['step'], 'active')

    def ends(self, node):
        """The link of the node ends, and every new one is refused with the right alert."""
        mark = node.log_size()
        self.assertEqual(revoke(self.site, node.name).returncode, 0)
        node.wait_log('link-closed', since=mark)
        self.stays_out(node, mark)

    def stays_out(self, node, mark):
        node.wait_log('link-refused', since=mark)
        self.assertIn('certificate_revoked', node.log_text(mark))

    def test_its_links_end_and_others_go_on(self):
        bad = self.site.join('bad-1', upstreams=[self.hub.upstream()], poll='1 s')
        good = self.site.join('good-1', upstreams=[self.hub.upstream()], poll='1 s')
        self.works(bad)
        self.works(good)
        self.ends(bad)
        until('it is on the record', lambda: events(self.hub, 'identity.revoke', subject='certificate:bad-1'))
        self.site.publish('n', 1, self.model)
        self.works(good, 'n')
        bad.stop()
        mark = bad.log_size()
        bad.start()  # nor after a start
        self.stays_out(bad, mark)

    def test_an_edge_refuses_it_too(self):
        bad = self.site.join('bad-2', upstreams=[self.edge.upstream()], poll='1 s')
        good = self.site.join('good-2', upstreams=[self.edge.upstream()], poll='1 s')
        self.works(bad)
        self.ends(bad)
        self.works(good)

    def test_everything_is_said_once(self):
        self.site.join('bad-3', upstreams=[self.hub.upstream()])
        self.assertEqual(revoke(self.site, 'bad-3').returncode, 0)
        again = revoke(self.site, 'bad-3')
        self.assertEqual(again.returncode, 6)
        self.assertIn('is revoked already', again.stderr)
        nobody = revoke(self.site, 'nobody')
        self.assertNotEqual(nobody.returncode, 0)
        self.assertIn('no device of this domain', nobody.stderr)
        self.assertEqual(revoke(self.site, 'bad-3', 'boredom').returncode, 2)
        self.assertEqual(hufu('audit', 'verify', self.hub.data).returncode, 0)

    def test_the_list_is_one_for_everybody(self):
        path = until('the edge has it', lambda: glob.glob(os.path.join(self.edge.data, 'crls', '*.crl')))[0]
        try:
            out = subprocess.run(['openssl', 'crl', '-inform', 'DER', '-in', path, '-noout', '-text'],
                                 capture_output=True, text=True, check=True).stdout
        except FileNotFoundError:
            self.skipTest('no openssl')
        self.assertIn('issuing CA', out)
        self.assertIn('X509v3 CRL Number', out)


class AtLevel1(Revoked, unittest.TestCase):
    LEVEL = 1


class AtLevel2(Revoked, unittest.TestCase):
    """Here nobody talks to anybody without a fresh list."""

    LEVEL = 2

    def works(self, node, lineage='m'):
        """Models are opened from a signed time on only, which is another matter: it talks to its source."""
        del lineage
        until('its source is up', lambda: node.status()['sources'][0]['up'])

    def test_who_has_no_list_gets_it_first(self):
        node = self.site.join('new-1', upstreams=[self.hub.upstream()], poll='1 s')
        self.works(node)
        node.stop()
        for path in glob.glob(os.path.join(node.data, 'crls', '*')):
            os.unlink(path)
        mark = node.log_size()
        node.start()
        node.wait_log('revocations', since=mark)
        self.works(node)

    def test_who_has_one_needs_no_second_look(self):
        node = self.site.join('new-2', upstreams=[self.edge.upstream()], poll='1 s')
        node.wait_log('revocations')
        node.stop()
        mark = node.log_size()
        node.start()
        node.wait_log('link-open', since=mark)
        self.works(node)


class ByHttp(unittest.TestCase):
    """An edge that hardly ever asks its hub, and a web server with the domain's list."""

    def setUp(self):
        self.site = self.enterContext(Site())
        self.hub = self.site.hub.start()
        self.lists = Lists()
        self.addCleanup(self.lists.far.close)

    def newest(self, since=None):
        """The hub's list, once it is another one than that."""
        def look():
            found = glob.glob(os.path.join(self.hub.data, 'crls', '*.crl'))
            return found and read(found[0]) != since and read(found[0])
        return until('the hub has a list', look)

    def edge(self, **more):
        return self.site.join('gw-1', 'edge', poll='24 h', revocation={
            'urls': [self.lists.url()], 'every': '1 s', 'timeout': '5 s'}, **more)

    def test_a_list_from_a_web_server_counts_like_any_other(self):
        before = self.newest()
        self.lists.put(before)
        edge = self.edge()
        bad = self.site.join('bad-1', upstreams=[edge.upstream()])
        good = self.site.join('good-1', upstreams=[edge.upstream()])
        until('it is up', lambda: bad.status()['sources'][0]['up'])
        mark, bad_mark = edge.log_size(), bad.log_size()
        self.assertEqual(revoke(self.site, 'bad-1').returncode, 0)
        after = self.newest(before)
        self.lists.put(before[:-1] + bytes([before[-1] ^ 1]))
        self.assertEqual(edge.wait_log('list-not-fetched', since=mark)['from'], self.lists.url())
        self.lists.put(after)
        edge.wait_log('list-fetched', since=mark)
        bad.wait_log('link-closed', since=bad_mark)
        bad.wait_log('link-refused', since=bad_mark)
        self.assertIn('certificate_revoked', bad.log_text(bad_mark))
        until('the other one is up', lambda: good.status()['sources'][0]['up'])

    def test_status_of_our_own_that_is_no_good_is_told_and_not_shown(self):
        self.lists.put(self.newest())
        edge = self.edge(staples=[write(self.site.path('staple'), b'garbage')])
        self.assertIn('status of our certificate', edge.wait_log('staple-refused')['text'])
        node = self.site.join('dev-1', upstreams=[edge.upstream()])
        until('it is up', lambda: node.status()['sources'][0]['up'])


if __name__ == '__main__':
    unittest.main()
