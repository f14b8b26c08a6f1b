# SPDX-License-Identifier: Apache-2.0
"""Nodes as real processes on loopback, for tests and for the demonstration.

A Node writes its configuration, runs hufud on it, and can be asked, killed and read. A Site is a domain with
its hub and whatever else joins it. HUFU_BIN is the folder of the built programs.
"""
import json
import os
import resource
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

BIN = os.environ['HUFU_BIN']
HUFU = os.path.join(BIN, 'hufu')
HUFUD = os.path.join(BIN, 'hufud')
PASSPHRASE = 'correct horse battery'
PATIENCE = 60  # seconds until a test gives up waiting; sanitized builds are slow

if os.geteuid() != 0:  # hardened processes cannot be searched for leaks by another user
    os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'


def is_sanitized():
    """Built to find errors, not to be small and fast."""
    with open(HUFUD, 'rb') as f:
        content = f.read()
    return b'__asan_' in content or b'__tsan_' in content


class Gone(Exception):
    """The other end closed."""


def until(what, condition, patience=PATIENCE, step=0.02):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'never: {what}')
        time.sleep(step)


def hufu(*args, **more):
    """Runs the tool."""
    return subprocess.run([HUFU, *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=more.pop('timeout', 300), stdin=subprocess.DEVNULL, **more)


def hufu_ok(*args, **more):
    r = hufu(*args, **more)
    if r.returncode != 0:
        raise AssertionError(f'hufu {shlex.join(map(str, args))}: {r.returncode}: {r.stderr.strip()}')
    return r.stdout


def write(path, content, mode=0o644):
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(path, mode)
    return path


class Messages:
    """Messages over a unix socket: u32 length, payload."""

    def __init__(self, path, timeout=PATIENCE):
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.connect(path)  # without a timeout: waits while the queue is full
        except OSError:
            self.sock.close()
            raise
        self.sock.settimeout(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.sock.close()

    def send(self, payload):
        try:
            self.sock.sendall(struct.pack('>I', len(payload)) + payload)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone() from None

    def _exactly(self, n):
        got = b''
        while len(got) < n:
            try:
                piece = self.sock.recv(n - len(got))
            except ConnectionResetError:  # closed with our question unread
                piece = b''
            if not piece:
                raise Gone()
            got += piece
        return got

    def receive(self):
        return self._exactly(struct.unpack('>I', self._exactly(4))[0])


def parse_line(line):
    """A line of diagnostics as a dict; {} if it is none."""
    if not line.startswith('time='):
        return {}
    try:
        return dict(part.split('=', 1) for part in shlex.split(line))
    except ValueError:
        return {}


class Node:
    """One hufud. config: what hufud.yaml(5) says, besides node, role and data."""

    def __init__(self, folder, name, role, **config):
        self.name = name
        self.folder = folder
        self.data = config.pop('data', os.path.join(folder, name))
        self.config = {'node': name, 'role': role, 'data': self.data, **config}
        self.config_path = os.path.join(folder, name + '.yaml')
        self.log_path = os.path.join(folder, name + '.log')
        self.process = None
        self.prefix = []  # words before those of hufud
        self.env = None

    # --- life ---

    def start(self, wait=True, limits=None):
        """limits: soft and hard number of open files."""
        write(self.config_path, json.dumps(self.config, indent=2))  # JSON is YAML
        self.process = None
        mark = self.log_size()
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen([*self.prefix, HUFUD, '--config', self.config_path],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
                                            preexec_fn=limits and (lambda: resource.setrlimit(
                                                resource.RLIMIT_NOFILE, limits)))
        if wait:
            self.wait_log('at-work', since=mark, process='front')
        return self

    def wait_exit(self, patience=PATIENCE):
        return self.process.wait(timeout=patience)

    def stop(self):
        """In an orderly way; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.wait_exit()
        self.process = None
        return code

    def pid(self, child):
        """Of the child 'keyd' or 'front' that was started last; of the 'supervisor'."""
        if child == 'supervisor':
            return self.process.pid
        started = [line for line in self.log() if line.get('event') == 'started' and line.get('child') == child]
        return int(started[-1]['pid'])

    def kill(self, child='supervisor', sig=signal.SIGKILL):
        os.kill(self.pid(child), sig)
        if child == 'supervisor':
            self.wait_exit()

    def memory(self):
        """KiB that its processes take, shared pages by their share (PSS); for root only."""
        total = 0
        for child in ('supervisor', 'keyd', 'front'):
            with open(f'/proc/{self.pid(child)}/smaps_rollup', encoding='ascii') as f:
                total += next(int(line.split()[1]) for line in f if line.startswith('Pss:'))
        return total

    # --- what it says ---

    def log_size(self):
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def log_text(self, since=0):
        with open(self.log_path, 'rb') as f:
            f.seek(since)
            return f.read().decode(errors='replace')

    def log(self, since=0):
        return [line for line in map(parse_line, self.log_text(since).splitlines()) if line]

    def wait_log(self, event, since=0, patience=PATIENCE, **fields):
        """The first line of that event with those fields; fails at once if hufud has ended."""

        def look():
            for line in self.log(since):
                if line.get('event') == event and all(line.get(k) == v for k, v in fields.items()):
                    return line
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(
                    f'{self.name} ended with {self.process.returncode}:\n{self.log_text(since)[-2000:]}')
            return None

        try:
            return until(f'{self.name} says {event} {fields}', look, patience)
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.log_text(since)[-2000:]}') from None

    @property
    def port(self):
        with open(os.path.join(self.data, 'front.port'), encoding='ascii') as f:
            return int(f.read())

    def keep_port(self):
        """The next start listens at the port of this one."""
        self.config['listen'] = {**self.config['listen'], 'port': self.port}

    # --- questions ---

    def ask(self, question, timeout=PATIENCE):
        """All answers of the network process to one question."""
        answers = []
        with Messages(os.path.join(self.data, 'front.sock'), timeout) as m:
            try:
                m.send(json.dumps(question).encode())
                while True:
                    answers.append(json.loads(m.receive()))
            except Gone:
                return answers

    def status(self):
        return self.ask({'do': 'status'})[0]['status']

    def lineage(self, name):
        """Of the status; None: not known there."""
        return next((line for line in self.status()['lineages'] if line['name'] == name), None)

    def pull(self, lineage, timeout=PATIENCE):
        """Waits for it; the last answer."""
        return self.ask({'do': 'pull', 'lineage': lineage, 'wait': True}, timeout)[-1]

    def audit(self, *args):
        """Records of its log, as hufu audit show tells them."""
        out = hufu_ok('audit', 'show', self.data, '--json', *args)
        return [json.loads(line) for line in out.splitlines()]

    def upstream(self, kind=None, **more):
        """What stands under upstreams: of those who ask it."""
        kind = kind or ('hub' if self.config['role'] == 'hub' else 'edge')
        return {'host': '127.0.0.1', 'port': self.port, 'kind': kind, **more}


class Site:
    """A domain in a folder of its own, with its hub; use it with 'with'."""

    def __init__(self, name='plant-7', level=1, **hub):
        self.name = name
        self.level = level
        self.folder = tempfile.mkdtemp(prefix='hufu-site-')
        self.nodes = []
        self.domain = os.path.join(self.folder, 'domain')
        self.passphrase = write(os.path.join(self.folder, 'passphrase'), PASSPHRASE + '\n', 0o600)
        try:
            hufu_ok('domain', 'init', self.domain, '--name', name, '--hub', 'hub-1', '--level', level,
                    '--shares-dir', os.path.join(self.folder, 'shares'), '--passphrase-file', self.passphrase)
        except BaseException:  # nobody has it yet who could clear up
            shutil.rmtree(self.folder)
            raise
        config = {
            'level': level,
            'data': os.path.join(self.domain, 'hub'),
            'listen': {'address': '127.0.0.1', 'port': 0},
            'unlock': {'passphrase-file': self.passphrase},
            'grants': [{'lineage': '*', 'device': '*'}],
        }
        config.update(hub)
        self.hub = self.add('hub-1', 'hub', **config)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                if kind is None:
                    node.stop()
                else:
                    node.process.kill()
                    node.process.wait()
        if kind is not None and os.environ.get('HUFU_KEEP'):
            print(f'kept: {self.folder}')
            return
        found = [n.name + ': ' + text[text.index('Sanitizer') - 40:][:2000] for n in self.nodes
                 if os.path.exists(n.log_path) and 'Sanitizer' in (text := n.log_text())]
        shutil.rmtree(self.folder)
        if found:
            raise AssertionError('\n'.join(found))

    def path(self, name):
        return os.path.join(self.folder, name)

    def add(self, name, role, **config):
        node = Node(self.folder, name, role, **config)
        self.nodes.append(node)
        return node

    def token(self, name, role='device', **more):
        """The file of a token; the hub runs."""
        args = [a for k, v in more.items() for a in ('--' + k.replace('_', '-'), v)]
        out = hufu_ok('domain', 'token', '--node', self.hub.data, '--device', name, '--role', role, '--level',
                      self.level, *args)
        return write(self.path(name + '.token'), out, 0o600)

    def publish(self, lineage, release, *files, **more):
        """Seals files as a release and makes it the current one; what the hub said."""
        args = [a for k, v in more.items() for a in ('--' + k.replace('_', '-'), v)]
        out = hufu_ok('publish', *files, '--as', os.path.join(self.domain, 'publisher'), '--hub',
                      f'127.0.0.1:{self.hub.port}', '--lineage', lineage, '--release', release, '--level',
                      self.level, '--json', *args)
        return json.loads(out)

    def join(self, name, role='device', upstreams=None, start=True, **config):
        """A node that enrols with the hub, or through its upstreams; waits until it is a member."""
        if role == 'edge':
            config.setdefault('listen', {'address': '127.0.0.1', 'port': 0})
        node = self.add(name, role, level=self.level, enrol={'token-file': self.token(name, role)},
                        upstreams=upstreams or [self.hub.upstream()], **config)
        if start:
            node.start()
            node.wait_log('member')
            if role == 'edge':
                node.wait_log('listening')
        return node
