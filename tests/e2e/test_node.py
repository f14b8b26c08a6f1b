#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job with real processes: a release goes from a publisher over hub and edge into two devices.

On its way processes are killed and sources die; what arrives is what was published, or nothing.
"""
import hashlib
import json
import os
import subprocess
import time
import unittest

from nodes import HUFU, Site, hufu, hufu_ok, is_sanitized, until, write

MIB = 1 << 20
CHUNK = MIB
RATE = '8 MiB'  # slow enough to be met in the middle of a transfer


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'sha256').hexdigest()


def opened(node, lineage):
    """The digest of the active model, opened in memory."""
    return hufu_ok('run', '--node', node.data, lineage, '--', 'sha256sum', '{}').split()[0]


def done_bytes(node, lineage):
    line = node.lineage(lineage)
    return line['bytes_done'] if line else 0


def events(node, name, **fields):
    return [r for r in node.audit() if r['event'] == name and all(r.get(k) == v for k, v in fields.items())]


def recorded(node, name, n=1, **fields):
    """Waits until there are so many of them: most are durable a moment after what they tell."""
    return until(f'{n} {name} {fields} at {node.name}', lambda: len(found := events(node, name, **fields)) >= n and
                 found)


class Story(unittest.TestCase):
    """One domain: hub, edge, and devices that join as the tests need them."""

    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        try:
            cls.hub = cls.site.hub.start()
            cls.edge = cls.site.join('gw-1', 'edge', poll='1 s')
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    def model(self, name, size):
        return write(self.site.path(name), os.urandom(size))

    def device(self, name, **config):
        config.setdefault('upstreams', [self.edge.upstream()])
        return self.site.join(name, poll='1 s', **config)

    def holds(self, node, lineage, path):
        self.assertEqual(opened(node, lineage), digest(path))


class Main(Story):
    def test_a_release_reaches_devices_through_the_edge_once(self):
        first = self.device('dev-1', follow=['digits'])
        path = self.model('digits.bin', 5 * MIB + 321)
        said = self.site.publish('digits', 1, path, version='1.0')
        self.assertEqual((said['lineage'], said['release']), ('digits', 1))
        done = first.pull('digits')['done']
        self.assertEqual((done['step'], done['release']), ('active', 1))
        self.holds(first, 'digits', path)
        before = self.hub.status()['serve']['bytes_out']
        second = self.device('dev-2')
        self.assertEqual(second.pull('digits')['done']['release'], 1)
        self.holds(second, 'digits', path)
        # The edge had every sealed byte already: the hub sends papers only.
        self.assertLess(self.hub.status()['serve']['bytes_out'] - before, CHUNK // 4)
        for name in ('dev-1', 'dev-2'):
            node = next(n for n in self.site.nodes if n.name == name)
            until(f'the receipt of {name}', lambda n=node: n.status()['receipts_waiting'] == 0)
        for name in ('dev-1', 'dev-2'):
            recorded(self.hub, 'model.grant', subject=f'device:{name}')
        recorded(self.hub, 'model.receipt', 2, result='ok')
        recorded(first, 'model.activate')
        recorded(first, 'model.open')
        # The next release comes by itself to who follows, and to who once asked.
        path = self.model('digits.bin', 5 * MIB)
        self.site.publish('digits', 2, path, version='2.0')
        for node in (first, second):
            until(f'release 2 at {node.name}', lambda n=node: n.lineage('digits')['release'] == 2 and
                  n.lineage('digits')['step'] == 'active')
            self.holds(node, 'digits', path)

    def test_who_waits_without_a_source_is_told_why(self):
        node = self.site.join('dev-9', 'device')
        self.hub.keep_port()
        self.hub.stop()
        with subprocess.Popen([HUFU, 'pull', 'digits', '--node', node.data, '--wait'], stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True) as waiting:
            try:
                self.assertRegex(waiting.stderr.readline(), 'hufu pull: .*retrying')
            finally:
                waiting.kill()
                self.hub.start()

    def test_nobody_gets_what_no_rule_grants(self):
        self.site.publish('other', 1, self.model('other.bin', MIB))
        node = self.device('dev-7')
        answer = node.pull('no-such-lineage')
        self.assertEqual(answer.get('error'), 'not_found', answer)
        self.hub.keep_port()
        self.hub.stop()
        self.hub.config['grants'] = [{'lineage': 'digits', 'device': 'dev-*'}]
        try:
            self.hub.start()
            answer = node.pull('other')
            self.assertEqual(answer.get('error'), 'denied', answer)
            self.assertNotEqual(hufu('run', '--node', node.data, 'other', '--', 'true', '{}').returncode, 0)
        finally:
            self.hub.stop()
            self.hub.config['grants'] = [{'lineage': '*', 'device': '*'}]
            self.hub.start()

    def test_what_a_device_sends_up_arrives_at_the_hub(self):
        node = self.device('dev-3')
        path = self.model('increment.bin', 3 * MIB + 7)
        hufu_ok('push', path, '--node', node.data, '--lineage', 'digits', '--release', '1')
        until('the upload', lambda: node.status()['uploads'] == {'waiting': 0, 'done': 1})
        listed = json.loads(hufu_ok('uploads', 'list', '--node', self.hub.data, '--json'))
        self.assertEqual([u['device'] for u in listed['uploads']] if isinstance(listed, dict)
                         else [u['device'] for u in listed], ['dev-3'])
        recorded(self.hub, 'model.upload', result='ok')

    def test_a_member_needs_neither_token_nor_hub_to_open(self):
        node = self.device('dev-4')
        path = self.model('alone.bin', 2 * MIB)
        self.site.publish('alone', 1, path)
        self.assertIn('done', node.pull('alone'))
        os.unlink(node.config['enrol']['token-file'])
        node.stop()
        node.config['upstreams'] = [{'host': '127.0.0.1', 'port': 9, 'kind': 'edge'}]
        node.start()
        self.holds(node, 'alone', path)
        source = until('the failure is told', lambda: node.status()['sources'][0].get('error') and
                       node.status()['sources'][0])
        self.assertEqual((source['up'], source['error']), (False, 'net'))

    def test_nodes_that_wait_do_not_spin(self):
        def ticks(pid):
            with open(f'/proc/{pid}/stat', encoding='ascii') as f:
                fields = f.read().rsplit(')', 1)[1].split()
            return int(fields[11]) + int(fields[12])

        node = self.device('dev-5')
        pids = [n.pid(c) for n in (self.hub, self.edge, node) for c in ('supervisor', 'keyd', 'front')]
        time.sleep(2)  # what follows a start is over
        before = [ticks(p) for p in pids]
        time.sleep(3)
        used = [b - a for a, b in zip(before, [ticks(p) for p in pids])]
        self.assertLess(max(used), 0.3 * os.sysconf('SC_CLK_TCK'), used)


    @unittest.skipIf(os.geteuid() != 0 or is_sanitized(), 'needs root, and a build as shipped')
    def test_a_device_stays_small_while_it_pulls(self):
        node = self.device('dev-6', rate='16 MiB')
        size = 48 * MIB
        self.site.publish('large', 1, self.model('large.bin', size))
        node.ask({'do': 'pull', 'lineage': 'large'})
        peak = 0
        while done_bytes(node, 'large') < size:
            peak = max(peak, node.memory())
        self.assertIn('done', node.pull('large'))
        self.assertLess(peak, 6 * 1024)
        until('its memory goes back', lambda: node.memory() < 3 * 1024)


class Enrolment(Story):
    def test_a_token_is_good_for_one_key(self):
        first = self.device('dev-1')
        thief = self.site.add('dev-1', 'device', data=self.site.path('thief'), level=1, upstreams=[self.hub.upstream()],
                              enrol={'token-file': first.config['enrol']['token-file']})
        thief.log_path = self.site.path('thief.log')
        thief.config_path = self.site.path('thief.yaml')
        thief.start()
        recorded(self.hub, 'identity.enrol-refused')
        self.assertFalse(thief.status()['member'])
        self.assertTrue(first.status()['member'])
        thief.stop()

    def test_a_token_of_another_domain_leads_nowhere(self):
        with Site(name='plant-8') as other:
            other.hub.start()
            token = other.token('dev-9')
            node = self.site.add('dev-9', 'device', level=1, upstreams=[self.hub.upstream()],
                                 enrol={'token-file': token})
            mark = node.log_size()
            node.start()
            line = node.wait_log('link-refused', since=mark)
            self.assertEqual(line['error'], 'auth')
            self.assertFalse(node.status()['member'])
            node.stop()
        self.assertFalse(events(self.hub, 'identity.enrol', subject='device:dev-9'))

    def test_a_token_as_a_device_makes_no_edge(self):
        node = self.site.add('gw-9', 'edge', level=1, upstreams=[self.hub.upstream()],
                             listen={'address': '127.0.0.1', 'port': 0},
                             enrol={'token-file': self.site.token('gw-9', 'device')})
        node.start(wait=False)
        self.assertEqual(node.wait_exit(), 5)
        self.assertIn('for device gw-9, this is edge gw-9', node.log_text())
        self.assertFalse(events(self.hub, 'identity.enrol', subject='edge:gw-9'))


class Killed(Story):
    """kill -9 in the middle of a transfer, of every process in turn, and the transfer goes on."""

    SIZE = 24 * MIB

    def met_in_the_middle(self, node, lineage, beyond):
        return until(f'{node.name} is in the middle', lambda: done_bytes(node, lineage) >= beyond and
                     done_bytes(node, lineage), step=0.01)

    def test_processes_of_a_device(self):
        node = self.device('dev-1', rate=RATE)
        path = self.model('one.bin', self.SIZE)
        self.site.publish('one', 1, path)
        kills = ('front', 'keyd', 'supervisor')
        before = self.edge.status()['serve']['bytes_out']
        for child in kills:
            node.ask({'do': 'pull', 'lineage': 'one'})
            at = self.met_in_the_middle(node, 'one', done_bytes(node, 'one') + 3 * MIB)
            self.assertLess(at, self.SIZE)
            mark = node.log_size()
            node.kill(child)
            if child == 'supervisor':
                node.start()
            else:
                node.wait_log('at-work', since=mark, process='front')
        self.assertEqual(node.pull('one')['done']['step'], 'active')
        self.holds(node, 'one', path)
        # What was not durable yet is fetched again, and what was in flight: nothing else.
        twice = self.edge.status()['serve']['bytes_out'] - before - self.SIZE
        self.assertLess(twice, len(kills) * 16 * MIB)
        self.assertEqual(hufu('audit', 'verify', node.data).returncode, 0)

    def test_processes_of_edge_and_hub(self):
        node = self.device('dev-2', rate=RATE)
        path = self.model('two.bin', self.SIZE)
        self.site.publish('two', 1, path)
        for victim in (self.edge, self.hub):
            for child in ('front', 'keyd', 'supervisor'):
                node.ask({'do': 'pull', 'lineage': 'two'})
                if victim is self.edge and done_bytes(node, 'two') < self.SIZE:
                    self.met_in_the_middle(node, 'two', done_bytes(node, 'two') + MIB)
                port = victim.port
                mark = victim.log_size()
                victim.kill(child)
                if child == 'supervisor':
                    victim.start()
                else:
                    victim.wait_log('at-work', since=mark, process='front')
                self.assertEqual(victim.port, port)  # others know it by this one
        self.assertEqual(node.pull('two')['done']['step'], 'active')
        self.holds(node, 'two', path)
        for victim in (self.edge, self.hub):
            self.assertEqual(hufu('audit', 'verify', victim.data).returncode, 0)

    def test_a_source_that_dies_half_way(self):
        edge = self.site.join('gw-2', 'edge', poll='1 s')
        node = self.device('dev-3', rate=RATE, upstreams=[edge.upstream(), self.hub.upstream(cost=10)])
        path = self.model('three.bin', self.SIZE)
        self.site.publish('three', 1, path)
        node.ask({'do': 'pull', 'lineage': 'three'})
        self.met_in_the_middle(node, 'three', 4 * MIB)
        edge.kill('supervisor')
        done = node.pull('three')['done']
        self.assertEqual(done['step'], 'active')
        self.holds(node, 'three', path)
        self.assertLessEqual(done['bytes_twice'], 4 * CHUNK)  # what the one connection had in flight

    def test_everybody_at_once(self):
        node = self.device('dev-4', rate=RATE)
        path = self.model('four.bin', self.SIZE)
        self.site.publish('four', 1, path)
        node.ask({'do': 'pull', 'lineage': 'four'})
        self.met_in_the_middle(node, 'four', 4 * MIB)
        for victim in (self.hub, self.edge, node):
            victim.process.kill()
        for victim in (self.hub, self.edge, node):
            victim.wait_exit()
            victim.start()
        self.assertEqual(node.pull('four')['done']['step'], 'active')
        self.holds(node, 'four', path)


if __name__ == '__main__':
    unittest.main()
