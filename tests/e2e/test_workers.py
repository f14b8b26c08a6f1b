#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hubs and edges that serve with several threads: everybody is served as by one, whichever of them it meets.

HUFU_BIN is the folder of the built programs.
"""
import os
import socket
import threading
import time
import unittest

from nodes import Site, hufu, until, write


def opened(node, since=0):
    return [line for line in node.log(since) if line['event'] == 'link-open']


class Case(unittest.TestCase):
    LEVEL = 1
    WORKERS = 4
    HUB = {}

    def setUp(self):
        self.site = Site(level=self.LEVEL, workers=self.WORKERS, **self.HUB)
        self.addCleanup(self.site.__exit__, None, None, None)
        self.hub = self.site.hub.start()
        self.model = write(self.site.path('model.bin'), bytes(range(256)) * 8192)

    def works(self, node, lineage='m'):
        self.assertEqual(node.pull(lineage)['done']['step'], 'active')


class Served(Case):
    def test_everybody_is_served_by_hub_and_edge(self):
        edge = self.site.join('gw-1', 'edge', workers=self.WORKERS, poll='1 s')
        nodes = [self.site.join(f'dev-{i}', upstreams=[self.hub.upstream()], poll='1 s') for i in range(4)]
        nodes += [self.site.join(f'far-{i}', upstreams=[edge.upstream()], poll='1 s') for i in range(3)]
        for release in (1, 2):
            self.site.publish('m', release, self.model)
            for node in nodes:
                until('it has the release', lambda n=node, r=release: self.works(n) or n.lineage('m')['release'] == r)
        for node, n in ((self.hub, 5), (edge, 3)):
            until('each has one link', lambda x=node, k=n: x.status()['serve']['sessions'] == k)
            serve = node.status()['serve']
            self.assertEqual((serve['links'], sum(serve['workers'])), (n, n))
            self.assertEqual(len(serve['workers']), self.WORKERS)
        for node in (self.hub, edge):
            self.assertEqual(hufu('audit', 'verify', node.data).returncode, 0)

    def test_uploads_and_many_at_once(self):
        nodes = [self.site.join(f'dev-{i}', upstreams=[self.hub.upstream()], poll='1 s') for i in range(4)]
        self.site.publish('m', 1, self.model)
        done = []
        threads = [threading.Thread(target=lambda n=n: done.append(n.pull('m')['done']['step'])) for n in nodes]
        more = [threading.Thread(target=lambda i=i: self.site.publish(f'other-{i}', 1, self.model)) for i in range(4)]
        for t in threads + more:
            t.start()
        for t in threads + more:
            t.join()
        self.assertEqual(done, ['active'] * len(nodes))
        for i in range(4):  # none of the releases that were made at the same time is lost
            self.works(nodes[0], f'other-{i}')

    def test_who_only_connects_keeps_nobody_out_and_nobody_waits_for_it_at_the_end(self):
        many = [socket.create_connection(('127.0.0.1', self.hub.port)) for _ in range(40)]
        try:
            self.site.publish('m', 1, self.model)
            node = self.site.join('dev-1', poll='1 s')
            self.works(node)
            start = time.monotonic()
            self.assertEqual(self.hub.stop(), 0)
            self.assertLess(time.monotonic() - start, 20)
        finally:
            for s in many:
                s.close()

    def test_who_is_revoked_goes_whichever_worker_it_is_at(self):
        bad = [self.site.join(f'bad-{i}', upstreams=[self.hub.upstream()], poll='1 s') for i in range(4)]
        good = [self.site.join(f'good-{i}', upstreams=[self.hub.upstream()], poll='1 s') for i in range(2)]
        self.site.publish('m', 1, self.model)
        for node in bad + good:
            self.works(node)
        marks = [node.log_size() for node in bad]
        for node in bad:
            self.assertEqual(hufu('domain', 'revoke', node.name, '--reason', 'key-compromise', '--node',
                                  self.hub.data).returncode, 0)
        for node, mark in zip(bad, marks, strict=True):
            self.assertEqual(node.wait_log('link-closed', since=mark)['error'], 'net')  # cut: no orderly end
            node.wait_log('link-refused', since=mark)  # by the handshake, with or without a ticket
            self.assertIn('certificate_revoked', node.log_text(mark))
        self.site.publish('n', 1, self.model)
        for node in good:
            self.works(node, 'n')
        until('nobody else is there', lambda: self.hub.status()['serve']['links'] == len(good))

    def test_a_front_that_is_killed_under_load_comes_back(self):
        self.hub.keep_port()
        large = write(self.site.path('large.bin'), os.urandom(48 << 20))
        self.site.publish('m', 1, large)
        nodes = [self.site.join(f'dev-{i}', upstreams=[self.hub.upstream()], rate='8 MiB') for i in range(3)]
        done = []
        threads = [threading.Thread(target=lambda n=n: done.append(n.pull('m', 600)['done']['step'])) for n in nodes]
        for t in threads:
            t.start()
        for node in nodes:
            until('something has come', lambda n=node: (n.lineage('m') or {'bytes_done': 0})['bytes_done'] > 0)
        mark = self.hub.log_size()
        self.hub.kill('front')
        self.hub.wait_log('listening', since=mark)
        for t in threads:
            t.join()
        self.assertEqual(done, ['active'] * len(nodes))


class ServedByOne(Served):
    """The thread that does everything else."""

    WORKERS = 1


class Places(Case):
    HUB = {'limits': {'links': 16}}

    def test_one_address_that_opens_nothing_does_not_keep_members_out(self):
        node = self.site.join('dev-1', poll='1 s')
        self.site.publish('m', 1, self.model)
        many = [socket.create_connection(('127.0.0.1', self.hub.port)) for _ in range(60)]
        try:
            until('places were taken back', lambda: self.hub.status()['serve']['links_refused'] > 0)
            self.works(node)
            other = self.site.join('dev-2', poll='1 s')
            self.works(other)
        finally:
            for s in many:
                s.close()


class Back(Case):
    """Links that the hub ends for want of something to do are taken up again, at any worker."""

    HUB = {'limits': {'idle': '1 s'}}

    def come_back(self):
        nodes = [self.site.join(f'dev-{i}', poll='1 h', upstreams=[self.hub.upstream()]) for i in range(3)]
        mark = self.hub.log_size()
        met = set()

        def look():
            met.update(i for i, n in enumerate(self.hub.status()['serve']['workers']) if n > 0)
            back = [line['peer'] for line in opened(self.hub, mark) if line['handshake'] == 'resumed']
            return len(met) > 1 and all(back.count(f'device:{n.name}') > 1 for n in nodes)
        until('all came back, more than once', look, 240)


class BackAtLevel1(Back):
    def test_a_ticket_is_good_at_every_worker(self):
        self.come_back()


class BackAtLevel3(Back):
    LEVEL = 3

    def test_a_ticket_is_good_once_at_whichever_worker(self):
        self.come_back()


if __name__ == '__main__':
    unittest.main()
