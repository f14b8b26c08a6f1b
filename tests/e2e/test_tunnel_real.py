#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hufu tunnel in front of real programs: nginx, a small inference server, mosquitto, and curl as who asks.

HUFU_BIN is the folder of the built programs.
"""
import hashlib
import http.server
import json
import os
import pwd
import shutil
import socket
import subprocess
import threading
import unittest
import urllib.request

from nodes import PATIENCE, until, write
from tunnels import World, free_port

NGINX, MOSQUITTO, CURL = (shutil.which(p, path=os.environ['PATH'] + ':/usr/sbin') for p in
                          ('nginx', 'mosquitto', 'curl'))


def answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), timeout=1).close()
        return True
    except OSError:
        return False


def start(world, args, port, **more):
    process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)

    def done():
        process.terminate()
        process.communicate(timeout=PATIENCE)
    world.cleanups.append(done)

    def look():
        if process.poll() is not None:
            raise AssertionError(process.stderr.read().decode())
        return answers(port)
    until(f'{args[0]} listens', look)
    return process


class Inference(http.server.BaseHTTPRequestHandler):
    """A model that adds numbers up; and one that answers token by token, for as long as it is asked."""
    protocol_version = 'HTTP/1.1'
    wbufsize = 65536

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.path == '/v1/digest':
            answer = hashlib.sha256(body).hexdigest().encode()
        else:
            answer = json.dumps({'sum': sum(json.loads(body)['inputs'])}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        for i in range(100):
            token = f'data: token-{i}\n\n'.encode()
            self.wfile.write(b'%x\r\n%s\r\n' % (len(token), token))
            self.wfile.flush()
        self.wfile.write(b'0\r\n\r\n')


class ManyAtOnce(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # with Python's 5 the kernel sends SYN cookies, and resets who comes back late with one


class InferenceServer(unittest.TestCase):
    def test_requests_of_many_sizes_on_many_connections(self):
        with World() as w:
            httpd = ManyAtOnce(('127.0.0.1', 0), Inference)
            threading.Thread(target=httpd.serve_forever, daemon=True).start()
            w.cleanups.append(httpd.shutdown)
            server, client = w.pair('127.0.0.1:%d' % httpd.server_port)
            url = 'http://' + client.address()
            wrong = []

            def ask(n):
                try:
                    body = json.dumps({'inputs': list(range(n))}).encode()
                    with urllib.request.urlopen(url + '/v1/infer', body, timeout=PATIENCE) as r:
                        if json.load(r)['sum'] != n * (n - 1) // 2:
                            wrong.append(n)
                    for size in (1000, 600_000, 6_000_000):
                        body = os.urandom(size)
                        with urllib.request.urlopen(url + '/v1/digest', body, timeout=PATIENCE) as r:
                            if r.read().decode() != hashlib.sha256(body).hexdigest():
                                wrong.append(size)
                    with urllib.request.urlopen(url + '/v1/stream', timeout=PATIENCE) as r:
                        if r.read().count(b'token-') != 100:
                            wrong.append('stream')
                except OSError as e:
                    wrong.append(repr(e))
            threads = [threading.Thread(target=ask, args=(100 + i,)) for i in range(16)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(PATIENCE)
            self.assertEqual(wrong, [])
            until('all are over', lambda: server.numbers()['connections'] == 0)
            for key in ('truncated', 'reset', 'bad_link', 'bad_handshake'):
                self.assertEqual(server.numbers()[key], 0, key)


@unittest.skipIf(NGINX is None or CURL is None, 'no nginx or no curl on this machine')
class Nginx(unittest.TestCase):
    def serve(self, w):
        port = free_port()
        root = w.path('www')
        os.mkdir(root)
        with open(os.path.join(root, 'big.bin'), 'wb') as f:
            f.write(os.urandom(20 << 20))
        write(os.path.join(root, 'index.html'), 'it works\n')
        user = f'user {pwd.getpwuid(os.geteuid()).pw_name};' if os.geteuid() == 0 else ''
        write(w.path('nginx.conf'), f'''{user}
daemon off; pid {w.path('nginx.pid')}; error_log stderr; worker_processes 1;
events {{ worker_connections 512; }}
http {{
  log_format who '$proxy_protocol_addr $request_uri';
  access_log {w.path('access.log')} who;
  client_body_temp_path {w.path('body')}; proxy_temp_path {w.path('px')}; fastcgi_temp_path {w.path('fc')};
  uwsgi_temp_path {w.path('uw')}; scgi_temp_path {w.path('sc')};
  server {{ listen 127.0.0.1:{port} proxy_protocol; root {root}; }}
}}
''')
        start(w, [NGINX, '-c', w.path('nginx.conf'), '-p', w.folder, '-e', 'stderr'], port)
        return port, root

    def test_pages_ranges_and_many_at_once(self):
        with World() as w:
            port, root = self.serve(w)
            server, client = w.pair(f'127.0.0.1:{port}', server={'service': {'proxy': {'send': True}}})
            url = 'http://' + client.address()

            def curl(*args):
                return subprocess.run([CURL, '-sS', '--fail', '--max-time', str(PATIENCE), *args], capture_output=True,
                                      check=True).stdout
            self.assertEqual(curl(url + '/'), b'it works\n')
            with open(os.path.join(root, 'big.bin'), 'rb') as f:
                big = f.read()
            self.assertEqual(curl(url + '/big.bin'), big)
            self.assertEqual(curl('-r', '1000000-1999999', url + '/big.bin'), big[1000000:2000000])
            out = w.path('out')
            curl('--parallel', '--parallel-max', '10', *[a for i in range(10) for a in (url + '/big.bin', '-o', f'{out}{i}')])
            for i in range(10):
                with open(f'{out}{i}', 'rb') as f:
                    self.assertEqual(f.read(), big)
            with open(w.path('access.log'), encoding='ascii') as f:
                self.assertIn('127.0.0.1 /', f.read())  # it read where the connection came from
            self.assertEqual(server.numbers()['truncated'], 0)


@unittest.skipIf(MOSQUITTO is None or shutil.which('mosquitto_sub') is None, 'no mosquitto on this machine')
class Mosquitto(unittest.TestCase):
    def test_messages_go_both_ways_and_a_long_subscription_stays(self):
        with World() as w:
            port = free_port()
            write(w.path('mosquitto.conf'), f'listener {port} 127.0.0.1\nallow_anonymous true\n')
            start(w, [MOSQUITTO, '-c', w.path('mosquitto.conf')], port)
            server, client = w.pair(f'127.0.0.1:{port}')
            host, near = client.address().rsplit(':', 1)
            sub = subprocess.Popen(['mosquitto_sub', '-h', host, '-p', near, '-t', 'plant/#', '-q', '1', '-C', '51',
                                    '-v', '-k', '5'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            w.cleanups.append(lambda: (sub.kill(), sub.communicate()))

            def pub(topic, text):
                subprocess.run(['mosquitto_pub', '-h', host, '-p', near, '-t', topic, '-m', text, '-q', '1'], check=True,
                               timeout=PATIENCE)
            # Retained, so that it does not matter who is first.
            subprocess.run(['mosquitto_pub', '-h', host, '-p', near, '-t', 'plant/first', '-m', 'x' * 100000, '-r',
                            '-q', '1'], check=True, timeout=PATIENCE)
            line = sub.stdout.readline()
            self.assertEqual(line, b'plant/first ' + b'x' * 100000 + b'\n')
            for i in range(50):
                pub(f'plant/{i}', f'value {i}')
            out, err = sub.communicate(timeout=PATIENCE)
            self.assertEqual(sub.returncode, 0, err)
            self.assertEqual(sorted(out.splitlines()), sorted(f'plant/{i} value {i}'.encode() for i in range(50)))
            self.assertGreaterEqual(server.numbers()['opened'], 52)


if __name__ == '__main__':
    unittest.main(verbosity=2)
