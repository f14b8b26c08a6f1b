#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Links with other implementations, each protocol, suite, role and kind of link; see script/interop --help.

Ours is tests/e2e/interop_peer.c, the engine on a socket. Between the two stands this program, which passes the bytes on
(one by one, where the row says so) and sees what is on the wire. HUFU_BIN is the folder of the built programs.
"""
import argparse
import collections
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import interop_peers
from interop_peers import PASSWORD, TLCP_SUITES, TLS13_SUITES

BIN = os.environ.get('HUFU_BIN', '')
OURS = os.path.join(BIN, 'interop_peer')
ID = 'distid:1234567812345678'
PATIENCE = 40  # seconds for one case; others may be at work on the machine
RETRY = bytes.fromhex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c')  # RFC 8446 4.1.3
NO_ALERT = 256
REFUSALS = (42, 43, 46, 48, 49)  # alerts that say what is wrong with a certificate
WITH_CERTIFICATE, RESUMED_SO = 'client certificate', 'resumed with client certificate'
# How our bytes come: several messages of the handshake in one record, each in many, and one byte at a time.
JOINED, CUT, ONE_BY_ONE = 'our messages joined', 'our messages cut', 'bytes one by one'
PIECE = '48'  # bytes of content of a record where they are cut
ROWS = ('full', 'resumed', 'HRR', 'new keys', WITH_CERTIFICATE, RESUMED_SO, 'their wrong certificate',
        'our wrong certificate', ONE_BY_ONE, JOINED, CUT)
ONLY_TLS13 = ('HRR', 'new keys')


class Case(collections.namedtuple('Case', 'protocol suite role row')):
    """One link, or two where the second resumes. role is ours."""

    @property
    def is_mutual(self):
        """ECDHE of TLCP needs both sides' certificates; a wrong one must be shown to be refused."""
        if self.suite.startswith('ECDHE') or self.row in (WITH_CERTIFICATE, RESUMED_SO, ONE_BY_ONE, JOINED,
                                                                   CUT):
            return True
        shown_by = {'their wrong certificate': 'server', 'our wrong certificate': 'client'}
        return shown_by.get(self.row) == self.role

    @property
    def n_links(self):
        return 2 if self.is_resumed else 1

    @property
    def is_resumed(self):
        return self.row in ('resumed', RESUMED_SO)


# --- certificates ---

def openssl(*args):
    r = subprocess.run(['openssl', *args], capture_output=True, text=True, check=False, timeout=60)
    if r.returncode != 0:
        sys.exit(f'interop: openssl {args[0]}: {r.stderr}')


class Files:
    """A folder with the certificates of a party: ca.pem, whom it trusts, and server, client, server_enc, client_enc."""
    SERIAL = iter(range(1, 1 << 16))

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder)
        self.ca = self.pem('ca')
        self.words = os.path.join(folder, 'words')

    def pem(self, name):
        return os.path.join(self.folder, name + '.pem')

    def key(self, name):
        return os.path.join(self.folder, name + '.key')

    def gmssl(self, own, kind, ext):
        return os.path.join(self.folder, f'gmssl_{own}_{kind}.{ext}')

    def scratch(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def json(options):
        return json.dumps(options)

    def make_ca(self, name):
        openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:SM2', '-out', self.key('ca'))
        openssl('req', '-x509', '-new', '-key', self.key('ca'), '-sm3', '-sigopt', ID, '-days', '30', '-subj',
                f'/O=Example/CN={name}', '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', self.pem('ca'))

    def certify(self, issuer, cn, pub, out, is_enc):
        """A certificate for a public key: the request only carries the name."""
        usage = 'keyEncipherment,dataEncipherment,keyAgreement' if is_enc else 'digitalSignature'
        with open(self.scratch('ext'), 'w', encoding='ascii') as f:
            f.write(f'keyUsage=critical,{usage}\n'
                    f'extendedKeyUsage={cn}Auth\nsubjectAltName=DNS:server.example,DNS:localhost\n'
                    'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n')
        openssl('req', '-new', '-key', issuer.key('ca'), '-sm3', '-sigopt', ID, '-subj', f'/O=Example/CN={cn}', '-out',
                self.scratch('csr'))
        openssl('x509', '-req', '-in', self.scratch('csr'), '-vfyopt', ID, '-force_pubkey', pub, '-CA',
                issuer.pem('ca'), '-CAkey', issuer.key('ca'), '-sm3', '-sigopt', ID, '-days', '30', '-extfile',
                self.scratch('ext'), '-set_serial', str((0x6107 << 48) + next(self.SERIAL)), '-out', out)

    def make_party(self, issuer, trusted):
        shutil.copy(trusted.pem('ca'), self.pem('ca'))
        for own in ('server', 'client'):
            for name in (own, own + '_enc'):
                openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:SM2', '-out', self.key(name))
                openssl('pkey', '-in', self.key(name), '-pubout', '-out', self.scratch('pub'))
                self.certify(issuer, own, self.scratch('pub'), self.pem(name), name != own)

    def make_gmssl(self, gmssl, issuer):
        """GmSSL reads only the keys that it has encrypted itself."""
        for own in ('server', 'client'):
            for name in ('sign', 'enc'):
                subprocess.run([gmssl, 'sm2keygen', '-pass', PASSWORD, '-out', self.gmssl(own, name, 'key'), '-pubout',
                                self.scratch('pub')], check=True, capture_output=True, timeout=60)
                self.certify(issuer, own, self.scratch('pub'), self.gmssl(own, name, 'leaf'), name == 'enc')
            chain = {'sign': ('sign.leaf',), 'tlcp': ('sign.leaf', 'enc.leaf')}
            for kind, parts in chain.items():
                self.join([self.scratch(f'gmssl_{own}_{p}') for p in parts] + [issuer.pem('ca')],
                          self.gmssl(own, kind, 'pem'))
            self.join([self.gmssl(own, 'sign', 'key'), self.gmssl(own, 'enc', 'key')], self.gmssl(own, 'tlcp', 'key'))

    @staticmethod
    def join(parts, out):
        with open(out, 'wb') as f:
            for part in parts:
                with open(part, 'rb') as g:
                    f.write(g.read())


# --- one case ---

def words(n):
    """As interop_peer says them."""
    return bytes(10 if i % 64 == 63 else ord('x') if i % 64 == 0 else ord('a') + (i * 7 + i // 64) % 26
                 for i in range(n))


N_WORDS = 512
WORDS = words(N_WORDS)


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def listens(port):
    for path in ('/proc/net/tcp', '/proc/net/tcp6'):
        with open(path, encoding='ascii') as f:
            if re.search(rf': [0-9A-F]+:{port:04X} [0-9A-F]+:0000 0A ', f.read()):
                return True
    return False


class Program:
    """A running peer, what came out of it, and its standard input."""

    def __init__(self, argv, stdin=None):
        self.argv = argv
        self.out = bytearray()
        self.changed = threading.Condition()
        source = open(stdin, 'rb') if stdin else subprocess.PIPE
        env = {**os.environ, 'SSLKEYLOGFILE': ''}
        self.p = subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
        self.is_drained = False
        self.thread = threading.Thread(target=self.drain, daemon=True)
        self.thread.start()

    def drain(self):
        data = b'x'
        while data:
            data = os.read(self.p.stdout.fileno(), 65536)
            with self.changed:
                self.out += data
                self.is_drained = not data
                self.changed.notify_all()

    def wait_for(self, words, since, patience):
        with self.changed:
            self.changed.wait_for(lambda: words in self.out[since:] or self.is_drained, patience)

    def say(self, text):
        try:
            self.p.stdin.write(text)
            self.p.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def end(self):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        self.thread.join(5)
        for f in (self.p.stdin, self.p.stdout):
            if f:
                f.close()


def relay(ours, theirs, step, end, on_step):
    """Passes bytes until one side has closed and the other, too, or the time is over. Returns what was on the wire."""
    wire = bytearray()
    waiting = {ours: b'', theirs: b''}  # for each, what it shall get
    is_open = {ours: True, theirs: True}
    closing = None
    other = {ours: theirs, theirs: ours}
    while any(is_open.values()) and time.monotonic() < end:
        if closing and time.monotonic() > closing:  # one side is gone, and the other was told
            break
        on_step()
        readers = [s for s in is_open if is_open[s] and len(waiting[other[s]]) < 65536]
        writers = [s for s in waiting if waiting[s]]
        readable, writable, _ = select.select(readers, writers, [], 0.05)
        for s in writable:
            try:
                waiting[s] = waiting[s][s.send(waiting[s][:step]):]
            except OSError:
                waiting[s] = b''
        for s in readable:
            try:
                data = s.recv(65536)
            except OSError:
                data = b''
            wire += data
            waiting[other[s]] += data
            is_open[s] = bool(data)
        for s in is_open:
            if not is_open[s] and not waiting[other[s]]:
                try:
                    other[s].shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                closing = closing or time.monotonic() + 2
    return wire


class Result:
    def __init__(self):
        self.reports, self.wires, self.programs, self.log = [], [], [], ''


class Runner:
    """Runs cases of one peer in a folder with its files."""

    def __init__(self, peer, files):
        self.peer, self.files = peer, files

    def folder(self, whose, case):
        wrong = case.row == f'{whose} wrong certificate'
        return self.files[f'{whose}{" wrong" if wrong else ""}']

    def our_arguments(self, case, fds):
        a = [OURS, case.role, ','.join(map(str, fds)), self.folder('our', case).folder, '--suite', case.suite,
             '--bytes', str(N_WORDS), '--hear', str(len(self.to_hear(case)))]
        if case.protocol == 'TLCP':
            a += ['--tlcp']
        if not case.is_mutual:
            a += ['--anonymous'] if case.role == 'client' else ['--ask-nobody']
        if case.row == 'HRR' and case.role == 'client':
            a += ['--defer-share']
        if case.row == 'new keys':
            a += ['--new-keys']
        a += {ONE_BY_ONE: ['--step', '1'], JOINED: ['--join'], CUT: ['--cut', PIECE]}.get(case.row, [])
        return a + list(self.peer.ours(case))

    def talks(self, case):
        return self.peer.talks['server' if case.role == 'client' else 'client']

    def to_hear(self, case):
        talks = self.talks(case)
        if talks == 'fixed':
            return self.peer.answer(WORDS)
        return WORDS[:-1] if talks == 'closed stdin' else WORDS

    def start_theirs(self, case, port, nth):
        files = self.folder('their', case)
        with open(files.words, 'wb') as f:
            f.write(WORDS)
        make = self.peer.server if case.role == 'client' else self.peer.client
        return Program(make(case, files, port, nth), files.words if self.talks(case) == 'closed stdin' else None)

    def talk(self, case, theirs, before):
        """Lets the peer say its words when ours have come out of it: what relay() does at each step."""
        told, answer = self.peer.new_keys if case.row == 'new keys' and self.peer.new_keys else (b'', b'')
        to_say = [x for x in (told, WORDS) if x]

        def step():
            at = theirs.out.find(WORDS, before)
            if not to_say or self.talks(case) != 'stdin' or at < 0:
                return
            if to_say[0] is told or re.search(answer, theirs.out[at:]):
                theirs.say(to_say.pop(0))
        return step

    def run(self, case):
        r = Result()
        pairs = [socket.socketpair() for _ in range(case.n_links)]
        fds = [b.fileno() for _, b in pairs]
        end = time.monotonic() + PATIENCE
        ours = subprocess.Popen(self.our_arguments(case, fds), pass_fds=fds, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        for _, b in pairs:
            b.close()
        listener = socket.create_server(('127.0.0.1', 0))
        try:
            for nth, (a, _) in enumerate(pairs):
                self.link(r, case, a, nth, listener, end)
            out, err = ours.communicate(timeout=max(1, end - time.monotonic()))
        except (OSError, subprocess.TimeoutExpired) as e:
            ours.kill()
            out, err = ours.communicate()
            r.log += f'{e}\n'
        finally:
            listener.close()
            for a, _ in pairs:
                a.close()
            for p in r.programs:
                p.end()
        r.reports = [json.loads(line) for line in out.splitlines()]
        r.log += err
        return r

    def link(self, r, case, a, nth, listener, end):
        if case.role == 'client':
            if not r.programs or self.peer.one_link:
                r.port = free_port()
                r.programs.append(self.start_theirs(case, r.port, nth))
                while not listens(r.port) and r.programs[-1].p.poll() is None and time.monotonic() < end:
                    time.sleep(0.02)
            b = socket.create_connection(('127.0.0.1', r.port), timeout=PATIENCE)
        else:
            r.programs.append(self.start_theirs(case, listener.getsockname()[1], nth))
            listener.settimeout(PATIENCE)
            b, _ = listener.accept()
        b.settimeout(None)
        theirs, before = r.programs[-1], len(r.programs[-1].out)
        step = 1 if case.row == ONE_BY_ONE else 65536
        with b:
            r.wires.append(relay(a, b, step, end, self.talk(case, theirs, before)))
        a.close()
        if not case.row.endswith('wrong certificate') and self.talks(case) != 'echo':
            theirs.wait_for(WORDS.rstrip(), before, PATIENCE)

    def judge(self, case, r):
        """None: it went as it must; else what did not."""
        if len(r.reports) != case.n_links:
            return 'our side did not end: ' + r.log.strip()[-200:]
        last = r.reports[-1]
        out = b''.join(bytes(p.out) for p in r.programs)
        if case.row == 'their wrong certificate':
            if last['open'] or last['alert_sent'] not in REFUSALS:
                return f'not refused: open {last["open"]}, alert {last["alert_sent"]}, {last["why"]}'
            return None
        if case.row == 'our wrong certificate':
            if WORDS in out or last['got']:
                return 'the peer did not refuse it'
            return None
        for report in r.reports:
            if not report['open']:
                return f'not open: {report["end"]}, {report["why"]}, alert sent {report["alert_sent"]}, ' \
                       f'got {report["alert_got"]}'
            if bytes.fromhex(report['heard']) != self.to_hear(case):
                return f'heard {report["got"]} bytes of {len(self.to_hear(case))}: {report["end"]}, {report["why"]}, ' \
                       f'alert got {report["alert_got"]}'
            if report['suite'] != case.suite:
                return f'suite {report["suite"]}'
            if report['end'] not in ('closed', 'truncated'):
                return f'ends with {report["end"]}: {report["why"]}'
        if self.talks(case) != 'echo' and out.count(WORDS.rstrip()) < case.n_links:
            return 'our words did not come out of the peer'
        if case.is_resumed and [x['resumed'] for x in r.reports] != [False, True]:
            return 'not resumed'
        must_retry = case.row == 'HRR' or (self.peer.retries and case == ('TLS 1.3', case.suite, 'server', case.row))
        if must_retry != any(RETRY in w for w in r.wires):
            return 'no HelloRetryRequest' if must_retry else 'a HelloRetryRequest'
        if (case.row == JOINED) != (last['joined'] > 0) or (case.row == CUT) != (last['pieces'] > 0):
            return f'{last["joined"]} records of several messages, {last["pieces"]} of a part of one'
        if case.role == 'server' and last['has_peer'] != case.is_mutual:
            return 'no certificate of the client'
        return None


# --- the table ---

def all_cases(peer, args):
    for protocol, suites in (('TLS 1.3', TLS13_SUITES), ('TLCP', TLCP_SUITES)):
        for suite in suites:
            for role in ('client', 'server'):
                cases = [Case(protocol, suite, role, row) for row in ROWS]
                if suite in peer.protocols.get(protocol, ()) and all(
                        re.search(p, f'{peer.version} {protocol} {suite} {role}') for p in args.only):
                    yield cases


def cell(runner, case, rows, verbose, notes):
    """What the table says of a case, and whether it is a failure of ours."""
    peer = runner.peer
    if rows and case.row not in rows:
        return '', False
    if (case.protocol == 'TLCP' and case.row in ONLY_TLS13) or (
            case.row in (WITH_CERTIFICATE, RESUMED_SO) and case.suite.startswith('ECDHE')):
        return '', False
    lack = peer.find(peer.lacks, case)
    if lack:
        return f'– [{note(notes, lack)}]', False
    result = runner.run(case)
    wrong = runner.judge(case, result)
    fault = peer.find(peer.faults, case)
    if fault and wrong and wrong.startswith(fault[0]):
        return f'peer [{note(notes, fault[1])}]', False
    if wrong:
        print(f'{peer.version}: {" ".join(case)}: {wrong}', file=sys.stderr)
    if verbose and (wrong or verbose > 1):
        tell(case, result)
    return 'FAIL' if wrong else 'pass', bool(wrong)


def note(notes, text):
    if text not in notes:
        notes.append(text)
    return notes.index(text) + 1


def tell(case, result):
    print(f'--- {" ".join(case)}', file=sys.stderr)
    for report in result.reports:
        print({k: v for k, v in report.items() if k not in ('heard', 'exported')}, file=sys.stderr)
    print(result.log, file=sys.stderr)
    for p in result.programs:
        print(' '.join(p.argv), file=sys.stderr)
        print(p.out.decode('utf-8', 'replace')[-3000:], file=sys.stderr)


def make_files(folder, gmssl):
    """Parties of ours and of theirs, each once with certificates that the other side does not trust."""
    good, other = Files(os.path.join(folder, 'good')), Files(os.path.join(folder, 'other'))
    good.make_ca('Interop CA')
    other.make_ca('Another CA')
    files = {}
    for name in ('our', 'their', 'our wrong', 'their wrong'):
        files[name] = Files(os.path.join(folder, name.replace(' ', '_')))
        issuer = other if 'wrong' in name else good
        files[name].make_party(issuer, good)
        if gmssl and name.startswith('their'):
            files[name].make_gmssl(gmssl, issuer)
    return files


def find_peers(args):
    peers = []
    if args.openssl4:
        peers.append(interop_peers.OpensslTool(args.openssl4))
    else:
        carried = interop_peers.PythonOpenssl()
        if carried.version:
            peers.append(carried)
    for path, kind in ((args.tongsuo, interop_peers.Tongsuo), (args.gmssl, interop_peers.GmSSL),
                       (args.hitls, interop_peers.Hitls)):
        if path:
            peers.append(kind(path))
    return peers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('openssl4', 'tongsuo', 'gmssl', 'hitls'):
        parser.add_argument(f'--{name}', metavar='PROGRAM')
    parser.add_argument('--only', action='append', default=[], metavar='PATTERN')
    parser.add_argument('--row', action='append', choices=ROWS)
    parser.add_argument('--verbose', '-v', action='count', default=0)
    args = parser.parse_args()
    peers = find_peers(args)
    if not peers:
        print('skipped: no other implementation is here')
        return 77
    notes, n_failed, n = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(folder, args.gmssl)
        print(f'| peer | protocol | suite | Hufu is | {" | ".join(ROWS)} |\n|{"---|" * (4 + len(ROWS))}')
        for peer in peers:
            runner = Runner(peer, files)
            for cases in all_cases(peer, args):
                cells = []
                for case in cases:
                    text, is_bad = cell(runner, case, args.row, args.verbose, notes)
                    n_failed += is_bad
                    n += text == 'pass'
                    cells.append(text)
                mark = f' [{note(notes, peer.switches)}]' if peer.switches and cases[0].protocol == 'TLCP' else ''
                print(f'| {peer.version} | {cases[0].protocol} | {cases[0].suite} | {cases[0].role}{mark} | '
                      f'{" | ".join(cells)} |', flush=True)
    print()
    for i, text in enumerate(notes):
        print(f'{i + 1}. {text}')
    print(f'\n{n} passed, {n_failed} failed')
    return 1 if n_failed else 0


if __name__ == '__main__':
    sys.exit(main())
