#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenSSL 4 as Python's package cryptography carries it, as a program like openssl s_server and s_client.

usage: openssl4_peer.py server PORT OPTIONS
       openssl4_peer.py client PORT OPTIONS

OPTIONS is JSON: folder, own, verify, groups, suites; client: session_out, session_in (files). What comes is written
to the standard output, what is to be said is read from the standard input. A server serves one link after the other.
"""
import json
import os
import select
import socket
import sys

import openssl4
from openssl4 import OpenSsl, ffi, lib


def save_session(o, path):
    session = lib.SSL_get1_session(o.ssl)
    if session == ffi.NULL:
        return
    length = lib.i2d_SSL_SESSION(session, ffi.NULL)
    buf = ffi.new('unsigned char[]', length)
    at = ffi.new('unsigned char **', buf)
    lib.i2d_SSL_SESSION(session, at)
    lib.SSL_SESSION_free(session)
    with open(path, 'wb') as f:
        f.write(bytes(ffi.buffer(buf, length)))


def load_session(o, path):
    with open(path, 'rb') as f:
        data = f.read()
    buf = ffi.new('unsigned char[]', data)
    at = ffi.new('const unsigned char **', buf)
    session = lib.d2i_SSL_SESSION(ffi.NULL, at, len(data))
    assert lib.SSL_set_session(o.ssl, session) == 1


def link(o, sock, session_out=None):
    """Until either side has closed."""
    shown, waiting, is_over = 0, b'', False
    o.step()
    while True:
        waiting += o.out()
        if waiting:
            waiting = waiting[sock.send(waiting):]
            continue
        if is_over or o.error or o.is_closed:
            break
        readable, _, _ = select.select([sock] + ([sys.stdin.buffer] if o.is_open else []), [], [])
        if sys.stdin.buffer in readable:
            text = os.read(0, 65536)
            if text:
                o.write(text)
            else:
                o.close()
                is_over = True
        if sock in readable:
            data = sock.recv(65536)
            if not data:
                break
            o.feed(data)
            sys.stdout.buffer.write(o.got[shown:])
            sys.stdout.buffer.flush()
            shown = len(o.got)
    if o.is_closed:
        o.close()
        sock.sendall(o.out())
    if session_out and o.is_open:
        save_session(o, session_out)
    print(f'\nlink over: {o.error or "in order"}{", resumed" if lib.SSL_session_reused(o.ssl) else ""}', flush=True)


def main():
    role, port, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    openssl4.or_skip()
    words = {k: options[k].encode() for k in ('groups', 'suites')}
    verify = lib.SSL_VERIFY_PEER | lib.SSL_VERIFY_FAIL_IF_NO_PEER_CERT if options['verify'] else 0
    settings = {'folder': options['folder'], 'own': options['own'], 'verify': verify, 'alpn': None, **words}
    first = OpenSsl(role == 'server', **settings)
    if role == 'client':
        if options.get('session_in'):
            load_session(first, options['session_in'])
        with socket.create_connection(('127.0.0.1', port)) as sock:
            link(first, sock, options.get('session_out'))
        return
    with socket.create_server(('127.0.0.1', port)) as listener:
        o = first
        while True:
            sock, _ = listener.accept()
            with sock:
                link(o, sock)
            o = OpenSsl(True, after=first, **settings)


if __name__ == '__main__':
    main()
