#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: bench_recovery.py [SIZE_MIB [CUTS]]

What a line that breaks costs: a hub, two edges that hold a release and a device that pulls it from an edge, through
a line of 50 ms there and back that can be cut. Resumed: the device comes back to the edge that it had. Full: it
comes to the other one, which cannot open the first one's ticket. A device dials again after about a second, twice as long
each time that it lost a link within ten seconds, as here. HUFU_BIN is the folder of our programs.
"""
import os
import queue
import socket
import statistics
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'e2e'))
from nodes import Site, until, write  # noqa: E402

RTT = 0.05  # seconds
MOVES = 64 * 1024  # bytes of one connection that are more than a handshake: the transfer goes on
PIECE = 128 * 1024
UNDER_WAY = 64  # pieces of a line in one direction; then its sender is held back
STEADY = 10.5  # seconds after which a node's next loss of a link is the first one again
MIB = 1 << 20


class Connection:
    """One of a line: what one end says reaches the other half a round trip later."""

    def __init__(self, line, near, target):
        self.line = line
        self.opened = time.monotonic()
        self.answered = None  # when the first byte of the far end arrived
        self.moved = None  # when MOVES of them had
        self.sent = 0  # by the far end, so far
        self.arrived = 0
        self.flight = None  # bytes of the far end's first answer
        self.n_said = 0  # messages of the near end
        self.is_dead = threading.Event()
        self.near = near
        self.target = target
        self.far = socket.create_connection(('127.0.0.1', target))
        for s in (self.near, self.far):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A connection is not there before a round trip: nor is what is said on it.
        self.start(self.near, self.far, self.opened + line.rtt * 1.5, self.said, None)
        self.start(self.far, self.near, 0, self.answer, self.arrive)

    def start(self, source, sink, first, on_read, on_sent):
        way = queue.Queue(UNDER_WAY)
        threading.Thread(target=self.read, args=(source, way, first, on_read), daemon=True).start()
        threading.Thread(target=self.send, args=(sink, way, on_sent), daemon=True).start()

    def read(self, source, way, first, on_read):
        try:
            while data := source.recv(PIECE):
                on_read(len(data))
                way.put((max(first, time.monotonic() + self.line.rtt / 2), data))
        except OSError:
            pass
        way.put((time.monotonic() + self.line.rtt / 2, b''))

    def send(self, sink, way, on_sent):
        while True:
            due, data = way.get()
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if self.is_dead.is_set():
                continue  # lost under way; who reads is never held back
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return
            if on_sent:
                on_sent(len(data))

    def said(self, n):
        self.n_said += 1
        if self.n_said == 2:
            self.flight = self.sent

    def answer(self, n):
        self.sent += n

    def arrive(self, n):
        now = time.monotonic()
        self.arrived += n
        if self.answered is None:
            self.answered = now
        if self.moved is None and self.arrived >= MOVES:
            self.moved = now

    def cut(self):
        """Both ends are reset."""
        self.is_dead.set()
        for s in (self.near, self.far):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            s.close()

    def swallow(self):
        """Nothing arrives any more, and neither end is told."""
        self.is_dead.set()


class Line:
    """Where there are two targets, each connection goes to the other one."""

    def __init__(self, rtt):
        self.rtt = rtt
        self.targets = []
        self.connections = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near = self.listener.accept()[0]
            last = self.connections[-1].target if self.connections else None
            try:
                self.connections.append(Connection(self, near, next((t for t in self.targets if t != last), last)))
            except OSError:  # nobody is there any more
                near.close()

    def sent(self):
        return sum(c.sent for c in self.connections)


def processor(node):
    """Seconds that front and keyd have used, to the nanosecond."""
    total = 0
    for child in ('front', 'keyd'):
        pid = node.pid(child)
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as f:
                total += int(f.read().split()[0])
    return total / 1e9


class World:
    def __init__(self, site, size):
        self.site = site
        self.size = size
        self.line = Line(RTT)
        self.n_releases = 0
        site.hub.start()
        self.edges = [site.join(f'edge-{i}', 'edge', poll='60 s') for i in (1, 2)]
        self.go_to(self.edges[:1])
        self.device = site.join('dev-1', upstreams=[
            {'host': '127.0.0.1', 'port': self.line.port, 'kind': 'edge'}], poll='60 s')

    def go_to(self, edges):
        self.line.targets = [e.port for e in edges]

    def move_to(self, edges):
        """Its next links go to these, and it has one to the first of them."""
        self.go_to(edges[:1])
        mark = self.device.log_size()
        self.line.connections[-1].cut()
        self.open_link(mark)
        self.go_to(edges)

    def publish(self):
        """A release that nobody has seen a byte of, of a lineage of its own, on both edges."""
        self.n_releases += 1
        lineage = f'model-{self.n_releases}'
        self.site.publish(lineage, 1, write(self.site.path('model.bin'), os.urandom(self.size)))
        for edge in self.edges:
            until('the edge has it', lambda e=edge: e.pull(lineage).get('done', {}).get('release') == 1, 120)
        return lineage

    def open_link(self, mark):
        """How the link that opened since then came about."""
        return self.device.wait_log('link-open', since=mark)['handshake']

    def steady(self):
        time.sleep(STEADY)

    def pull(self, n_cuts, how):
        """Pulls a new release through cuts; bytes that came of it, and what each cut cost."""
        lineage = self.publish()
        self.steady()
        before = self.line.sent()
        result = {}
        puller = threading.Thread(target=lambda: result.update(self.device.pull(lineage, 600)))
        begun = time.monotonic()
        puller.start()
        costs = []
        for i in range(n_cuts):
            until('enough came', lambda i=i: self.line.sent() - before >= self.size * (i + 1) / (n_cuts + 1), 300, 0.001)
            costs.append(self.lose(how))
        puller.join()
        if result.get('done', {}).get('release') != 1:
            raise AssertionError(f'the pull ended with {result}')
        return {'bytes': self.line.sent() - before, 'seconds': time.monotonic() - begun, 'costs': costs}

    def lose(self, how):
        n = len(self.line.connections)
        mark = self.device.log_size()
        last = self.line.connections[-1]
        lost = time.monotonic()
        getattr(last, how)()
        until('a new connection', lambda: len(self.line.connections) > n, 120, 0.001)
        c = self.line.connections[n]
        until('it moves', lambda: c.moved, 120, 0.001)
        return {'handshake': self.open_link(mark), 'wait': c.opened - lost, 'answer': (c.answered - c.opened) / RTT,
                'move': (c.moved - c.opened) / RTT, 'flight': c.flight}

    def come_back(self, n_cuts):
        """Cuts a silent link; the least processor time of both ends until it is silent again."""
        costs = []
        for _ in range(n_cuts):
            self.steady()
            nodes = (self.device, *self.edges)
            was = [processor(n) for n in nodes]
            mark = self.device.log_size()
            self.line.connections[-1].cut()
            handshake = self.open_link(mark)
            time.sleep(0.5)  # and what a device asks when it is back
            costs.append([b - a for a, b in zip(was, map(processor, nodes))] + [handshake])
        if len({c[3] for c in costs}) != 1:
            raise AssertionError(f'not all links came back alike: {costs}')
        return {'handshake': costs[0][3], 'device': min(c[0] for c in costs),
                'edge': min(c[1] + c[2] for c in costs)}


def median(run, what):
    return statistics.median(c[what] for c in run['costs'])


def row(name, run, clean):
    n = len(run['costs'])
    twice = (run['bytes'] - clean['bytes']) / n
    kinds = '/'.join(sorted({c['handshake'] for c in run['costs']}))
    print(f"{name:22} {kinds:8} {median(run, 'wait'):8.2f} {median(run, 'answer'):8.2f} {median(run, 'move'):8.2f}"
          f" {median(run, 'flight'):8.0f} {twice / MIB:9.2f} {100 * twice / clean['bytes']:8.1f}", flush=True)


def goal(name, is_met, text):
    print(f"goal  {name:45} {text:40} {'ok' if is_met else 'FAIL'}", flush=True)
    return is_met


def main():
    size = int(sys.argv[1] if len(sys.argv) > 1 else 128) * MIB
    cuts = int(sys.argv[2] if len(sys.argv) > 2 else 3)
    with Site(grants=[{'lineage': '*', 'device': '*'}]) as site:
        w = World(site, size)
        clean = w.pull(0, None)
        print(f"a release of {size // MIB} MiB over a line of {RTT * 1000:.0f} ms there and back: {clean['seconds']:.1f} s,"
              f" {clean['bytes'] / MIB:.1f} MiB on the line\n")
        print(f"{'':22} {'':8} {'redial':>8} {'answer':>8} {'moves':>8} {'flight':>8} {'twice a':>9} {'of the':>8}")
        print(f"{'the line':22} {'comes':8} {'s':>8} {'trips':>8} {'trips':>8} {'bytes':>8} {'cut, MiB':>9} {'whole, %':>8}")
        resumed = w.pull(cuts, 'cut')
        row('is cut', resumed, clean)
        w.move_to(w.edges)
        full = w.pull(cuts, 'cut')
        row('is cut, other edge', full, clean)
        w.move_to(w.edges[:1])
        silent = w.pull(1, 'swallow')
        row('falls silent', silent, clean)

        w.line.rtt = 0
        w.move_to(w.edges[:1])
        again = w.come_back(2 * cuts)
        w.move_to(w.edges)
        anew = w.come_back(2 * cuts)
        print(f"\n{'processor time of both ends, ms':40} {'device':>8} {'edge':>8}")
        for r in (again, anew):
            print(f"{r['handshake']:40} {1000 * r['device']:8.2f} {1000 * r['edge']:8.2f}")
        print(f"{'full : resumed':40} {anew['device'] / again['device']:8.2f} {anew['edge'] / again['edge']:8.2f}\n")

        ok = goal('a link that was cut is resumed', {c['handshake'] for c in resumed['costs']} == {'resumed'}, 'every time')
        trips = median(resumed, 'answer')
        ok &= goal('TCP and TLS take one round trip each', trips < 2.5, f'{trips:.2f} trips')
        trips = median(resumed, 'move')
        ok &= goal('the transfer moves one later', trips < 4, f'{trips:.2f} trips')
        ok &= goal('resumed says less than full', median(resumed, 'flight') < median(full, 'flight'),
                   f"{median(resumed, 'flight') / median(full, 'flight'):.2f} of it")
    return 0 if ok else 1


if __name__ == '__main__':
    sys.exit(main())
