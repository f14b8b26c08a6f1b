# SPDX-License-Identifier: Apache-2.0
"""Tunnels as real processes on loopback, with certificates that openssl makes.

A World is a folder with a root, an issuing CA and whatever certificates it is asked for; a Tunnel is one
hufu tunnel that runs in it. HUFU_BIN is the folder of the built programs.
"""
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from nodes import HUFU, PATIENCE, parse_line, until, write

ID = ['-sigopt', 'distid:1234567812345678']


def openssl(*args, **more):
    r = subprocess.run(['openssl', *args], capture_output=True, check=False, **more)
    if r.returncode != 0:
        raise AssertionError(f'openssl {" ".join(args)}: {r.stderr.decode()}')
    return r.stdout


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class World:
    """Use it with 'with'."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='hufu-tunnel-')
        os.chmod(self.folder, 0o755)
        self.tunnels = []
        self.cleanups = []
        self.ca('root')

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for done in reversed(self.cleanups):
            done()
        for tunnel in self.tunnels:
            if tunnel.process is not None and tunnel.process.poll() is None:
                if kind is None:
                    tunnel.stop(twice=True)
                else:
                    tunnel.process.kill()
                    tunnel.process.wait()
        found = [t.name + ': ' + text[text.index('Sanitizer') - 40:][:3000] for t in self.tunnels
                 if os.path.exists(t.log_path) and 'Sanitizer' in (text := t.log_text())]
        if kind is not None and os.environ.get('HUFU_KEEP'):
            print(f'kept: {self.folder}')
            return
        shutil.rmtree(self.folder)
        if found:
            raise AssertionError('\n'.join(found))

    def path(self, name):
        return os.path.join(self.folder, name)

    def ca(self, name, subject=None):
        """A root of its own: NAME.pem and NAME.key."""
        openssl('ecparam', '-name', 'SM2', '-genkey', '-noout', '-out', self.path(name + '.key'))
        openssl('req', '-new', '-x509', '-sm3', *ID, '-key', self.path(name + '.key'), '-subj',
                f'/CN={subject or name}',
                '-days', '30', '-out', self.path(name + '.pem'), '-addext', 'keyUsage=critical,keyCertSign,cRLSign')

    def cert(self, name, ca='root', san=None, usage='digitalSignature', identity=None, subject=None, extra=''):
        """NAME.pem and NAME.key. identity: (role, level, domain, id)."""
        subject = subject or name
        names = [san] if san else ['DNS:' + subject, 'IP:127.0.0.1']
        if identity:
            names.append('URI:hufu:role={};level={};domain={};id={}'.format(*identity).replace(';', '\\;'))
        write(self.path(name + '.ext'), f'basicConstraints=CA:FALSE\nkeyUsage=critical,{usage}\n{extra}'
                                        'subjectAltName=@names\n[names]\n' + '\n'.join(
                                            f'{n.split(":", 1)[0]}.{i}={n.split(":", 1)[1]}'
                                            for i, n in enumerate(names)) + '\n')
        openssl('ecparam', '-name', 'SM2', '-genkey', '-noout', '-out', self.path(name + '.key'))
        openssl('req', '-new', '-sm3', *ID, '-key', self.path(name + '.key'), '-subj', f'/CN={subject}', '-out',
                self.path(name + '.csr'))
        openssl('x509', '-req', '-in', self.path(name + '.csr'), '-sm3', *ID, '-vfyopt', 'distid:1234567812345678',
                '-CA', self.path(ca + '.pem'), '-CAkey', self.path(ca + '.key'), '-CAcreateserial', '-days', '20',
                '-extfile', self.path(name + '.ext'), '-out', self.path(name + '.pem'))
        return name

    def identity(self, name):
        return {'certificate': self.path(name + '.pem'), 'key': self.path(name + '.key')}

    def two(self, name, **more):
        """Both pairs that TLCP wants, as an identity."""
        self.cert(name, **more)
        self.cert(name + '-enc', usage='keyEncipherment,dataEncipherment,keyAgreement', subject=name, **more)
        return {**self.identity(name), 'enc-certificate': self.path(name + '-enc.pem'),
                'enc-key': self.path(name + '-enc.key')}

    def serial(self, name):
        return openssl('x509', '-in', self.path(name + '.pem'), '-noout', '-serial').decode().strip().split('=')[1]

    def crl(self, ca='root', revoked=(), number=1, extra='', key=None):
        """A fresh list of the CA, in PEM and DER; key: whose signs it."""
        write(self.path('index.txt'), ''.join(f'R\t491231235959Z\t250101000000Z,keyCompromise\t{self.serial(name)}'
                                              f'\tunknown\t/CN={name}\n' for name in revoked))
        write(self.path('number'), f'{number:02X}\n')
        write(self.path('ca.cnf'), f'[ca]\ndefault_ca=x\n[x]\ndatabase={self.path("index.txt")}\n'
                                   f'crlnumber={self.path("number")}\ndefault_md=sm3\n'
                                   'default_crl_days=1\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n'
                                   + extra)
        if key is None:
            openssl('ca', '-gencrl', '-config', self.path('ca.cnf'), '-cert', self.path(ca + '.pem'), '-keyfile',
                    self.path(ca + '.key'), *ID, '-out', self.path(ca + '.crl'))
        else:  # of another CA that bears the name
            self.ca(key, subject=ca)
            openssl('ca', '-gencrl', '-config', self.path('ca.cnf'), '-cert', self.path(key + '.pem'), '-keyfile',
                    self.path(key + '.key'), *ID, '-out', self.path(ca + '.crl'))
        openssl('crl', '-in', self.path(ca + '.crl'), '-outform', 'DER', '-out', self.path(ca + '.crl.der'))
        return self.path(ca + '.crl')

    def server(self, connect, name='server', cert='gw', start=True, **more):
        """A tunnel with one service, from SM to what listens at connect."""
        service = {'name': 'web', 'side': 'server', 'accept': '127.0.0.1:0', 'connect': [connect],
                   'allow': [{'name': '*'}], **more.pop('service', {})}
        return self.tunnel(name, [service], cert, start, **more)

    def client(self, connect, name='client', cert='cam-1', start=True, **more):
        service = {'name': 'web', 'side': 'client', 'accept': '127.0.0.1:0', 'connect': [connect],
                   **more.pop('service', {})}
        return self.tunnel(name, [service], cert, start, **more)

    def tunnel(self, name, services, cert, start=True, **more):
        limits = more.pop('files', None)
        prefix = more.pop('prefix', [])
        trust = more.pop('trust', {'roots': [self.path('root.pem')]})
        config = {'control': self.path(name + '.sock'), 'threads': 2, 'drain': '20 s', 'log': 'all',
                  'identity': self.identity(cert), 'trust': trust, 'services': services, **more}
        t = Tunnel(self, name, config, limits, prefix)
        self.tunnels.append(t)
        return t.start() if start else t

    def pair(self, target, server=None, client=None):
        """Both sides in front of what listens at target ("127.0.0.1:80")."""
        for name in ('gw', 'cam-1'):
            if not os.path.exists(self.path(name + '.pem')):
                self.cert(name)
        s = self.server(target, **(server or {}))
        c = self.client(s.address(), **(client or {}))
        return s, c


class Tunnel:
    def __init__(self, world, name, config, limits=None, prefix=()):
        self.world = world
        self.name = name
        self.config = config
        self.limits = limits
        self.prefix = list(prefix)
        self.config_path = world.path(name + '.yaml')
        self.log_path = world.path(name + '.log')
        self.process = None

    def save(self):
        return write(self.config_path, json.dumps(self.config, indent=2))

    def start(self, wait=True, **more):
        self.save()
        mark = self.log_size()
        limits = self.limits
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(
                [*self.prefix, HUFU, 'tunnel', self.config_path], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=limits and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits)), **more)
        if wait:
            self.wait_log('at-work', since=mark)
        return self

    def stop(self, twice=False):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        if twice:
            self.wait_log('stopping')
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def reload(self, event='reloaded'):
        mark = self.log_size()
        self.save()
        self.process.send_signal(signal.SIGHUP)
        return self.wait_log(event, since=mark)

    def log_size(self):
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def log_text(self, since=0):
        with open(self.log_path, 'rb') as f:
            f.seek(since)
            return f.read().decode(errors='replace')

    def log(self, since=0):
        return [line for line in map(parse_line, self.log_text(since).splitlines()) if line]

    def wait_log(self, event, since=0, patience=PATIENCE, **fields):
        def look():
            for line in self.log(since):
                if line.get('event') == event and all(line.get(k) == v for k, v in fields.items()):
                    return line
            if self.process.poll() is not None and event not in self.log_text(since):
                raise AssertionError(f'{self.name} ended with {self.process.returncode}: {self.log_text(since)[-2000:]}')
            return None
        try:
            return until(f'{self.name} says {event} {fields}', look, patience)
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.log_text(since)[-2000:]}') from None

    def address(self, service='web'):
        """Where a service listens, as the other side dials it."""
        return [line for line in self.log() if line['event'] == 'listening' and line['service'] == service][-1]['address']

    def dial(self, service='web', timeout=PATIENCE):
        where = self.address(service)
        if where.startswith('unix:'):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(timeout)
            s.connect(where[5:])
            return s
        host, port = where.rsplit(':', 1)
        return socket.create_connection((host.strip('[]'), int(port)), timeout=timeout)

    def status(self):
        r = subprocess.run([HUFU, 'tunnel', 'status', self.config['control'], '--json'], capture_output=True,
                           check=True, timeout=PATIENCE)
        return json.loads(r.stdout)

    def numbers(self, service='web'):
        return next(s for s in self.status()['services'] if s['name'] == service)


class Far:
    """A plain server on loopback, a thread a connection: what is said to it goes to talk(sock, self)."""

    def __init__(self, talk, path=None, backlog=128):
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.bind(path or ('127.0.0.1', 0))
        self.listener.listen(backlog)
        self.where = f'unix:{path}' if path else '127.0.0.1:%d' % self.listener.getsockname()[1]
        self.talk = talk
        self.n_accepted = 0
        self.errors = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.n_accepted += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            try:
                self.talk(sock, self)
            except OSError as e:
                self.errors.append(e)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def echo(sock, far):
    """Gives back what comes, and its end."""
    while True:
        piece = sock.recv(65536)
        if not piece:
            sock.shutdown(socket.SHUT_WR)
            return
        sock.sendall(piece)


def read_all(sock):
    got = []
    while True:
        piece = sock.recv(65536)
        if not piece:
            return b''.join(got)
        got.append(piece)


def talk(sock, data):
    """Sends all, says that it is all, reads to the end."""
    t = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)), daemon=True)
    t.start()
    got = read_all(sock)
    t.join(PATIENCE)
    return got


def pattern(n, seed=1):
    return (bytes((i * 7 + seed) & 0xff for i in range(256)) * (n // 256 + 1))[:n]


def ends_with_error(sock):
    """Reads until the end; True if that is a reset, False if it looks like an orderly one."""
    try:
        read_all(sock)
        return False
    except ConnectionResetError:
        return True


def turns_away(tunnel):
    """A connection is reset before a byte came, maybe before it was there."""
    try:
        with tunnel.dial() as s:
            return ends_with_error(s)
    except ConnectionResetError:
        return True
