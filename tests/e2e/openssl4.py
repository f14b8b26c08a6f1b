# SPDX-License-Identifier: Apache-2.0
"""The OpenSSL 4 that Python's package cryptography carries, as an end of a TLS 1.3-SM link over memory.

Where the package is missing, importing this ends the test as skipped (exit code 77).
"""
import os
import sys

try:
    from cryptography.hazmat.bindings._rust import _openssl
    from cryptography.hazmat.backends.openssl.backend import backend
except ImportError:
    print("skipped: this python3 has no package cryptography that carries its own OpenSSL")
    sys.exit(77)

lib, ffi = _openssl.lib, _openssl.ffi
VERSION = backend.openssl_version_text()


def why_skip():
    if int(VERSION.split()[1].split('.')[0]) < 4:
        return f'the package cryptography carries {VERSION}, and 4 or later is needed'
    for name in ('SSL_CTX_set_ciphersuites', 'SSL_CTX_set1_curves_list', 'SSL_CTX_set1_sigalgs_list',
                 'BIO_s_mem', 'SSL_export_keying_material', 'SSL_CTX_set_alpn_select_cb'):
        if not hasattr(lib, name):
            return f'the package cryptography does not give {name}'
    ctx = lib.SSL_CTX_new(lib.TLS_method())
    ok = (lib.SSL_CTX_set_ciphersuites(ctx, b'TLS_SM4_GCM_SM3') == 1 and
          lib.SSL_CTX_set1_curves_list(ctx, b'curveSM2') == 1 and
          lib.SSL_CTX_set1_sigalgs_list(ctx, b'sm2sig_sm3') == 1)
    lib.SSL_CTX_free(ctx)
    return None if ok else f'{VERSION} was built without the suites of RFC 8998'


@ffi.callback('int(SSL *, const unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *)')
def choose_h2(_ssl, out, out_len, offered, offered_len, _arg):
    names = bytes(ffi.buffer(offered, offered_len))
    at = names.find(b'\x02h2')
    if at < 0:
        return lib.SSL_TLSEXT_ERR_NOACK
    out[0] = offered + at + 1
    out_len[0] = 2
    return lib.SSL_TLSEXT_ERR_OK


class OpenSsl:
    """One end by OpenSSL, over memory: bytes in, bytes out."""

    def __init__(self, is_server, folder, groups=b'curveSM2', suites=b'TLS_SM4_GCM_SM3', sigalgs=b'sm2sig_sm3',
                 own='', verify=0, ca='ca.pem', alpn=b'\x02h2', name=b'server.example', after=None):
        """after: an earlier end, whose context, with its ticket keys, and whose session are used again."""
        self.is_first = after is None
        self.ctx = lib.SSL_CTX_new(lib.TLS_method()) if self.is_first else after.ctx
        lib.SSL_CTX_set_min_proto_version(self.ctx, lib.TLS1_3_VERSION)
        assert lib.SSL_CTX_set_ciphersuites(self.ctx, suites) == 1
        assert lib.SSL_CTX_set1_curves_list(self.ctx, groups) == 1
        assert lib.SSL_CTX_set1_sigalgs_list(self.ctx, sigalgs) == 1
        assert lib.SSL_CTX_load_verify_locations(self.ctx, os.path.join(folder, ca).encode(), ffi.NULL) == 1
        if own:
            path = os.path.join(folder, own)
            assert lib.SSL_CTX_use_certificate_chain_file(self.ctx, (path + '.pem').encode()) == 1
            assert lib.SSL_CTX_use_PrivateKey_file(self.ctx, (path + '.key').encode(), lib.SSL_FILETYPE_PEM) == 1
        lib.SSL_CTX_set_verify(self.ctx, verify, ffi.NULL)
        lib.SSL_CTX_set_session_id_context(self.ctx, b'hufu', 4)  # without it no client with certificate resumes
        if is_server and alpn:
            lib.SSL_CTX_set_alpn_select_cb(self.ctx, choose_h2, ffi.NULL)
        self.ssl = lib.SSL_new(self.ctx)
        self.rx, self.tx = lib.BIO_new(lib.BIO_s_mem()), lib.BIO_new(lib.BIO_s_mem())
        for bio in (self.rx, self.tx):
            lib.BIO_set_mem_eof_return(bio, -1)
        lib.SSL_set_bio(self.ssl, self.rx, self.tx)
        if is_server:
            lib.SSL_set_accept_state(self.ssl)
        else:
            lib.SSL_set_connect_state(self.ssl)
            lib.SSL_set_tlsext_host_name(self.ssl, name)
            if alpn:
                lib.SSL_set_alpn_protos(self.ssl, alpn, len(alpn))
            if after:
                session = lib.SSL_get1_session(after.ssl)
                assert lib.SSL_set_session(self.ssl, session) == 1
                lib.SSL_SESSION_free(session)
        self.is_open = False
        self.is_closed = False
        self.error = None
        self.got = bytearray()
        self.wire = bytearray()  # both directions, as they came

    def free(self):
        lib.SSL_free(self.ssl)
        if self.is_first:
            lib.SSL_CTX_free(self.ctx)

    def check(self, r):
        """What a call said: True: done, False: wants more. A failure is kept and stays."""
        if r > 0:
            return True
        e = lib.SSL_get_error(self.ssl, r)
        if e == lib.SSL_ERROR_ZERO_RETURN:
            self.is_closed = True
        elif e not in (lib.SSL_ERROR_WANT_READ, lib.SSL_ERROR_WANT_WRITE):
            code = lib.ERR_peek_error()
            self.error = ffi.string(lib.ERR_reason_error_string(code)).decode() if code else f'error {e}'
        return False

    def feed(self, data):
        lib.ERR_clear_error()
        assert lib.BIO_write(self.rx, data, len(data)) == len(data)
        self.wire += data
        self.step()

    def step(self):
        lib.ERR_clear_error()
        if not self.is_open and self.error is None:
            self.is_open = self.check(lib.SSL_do_handshake(self.ssl))
        buf = ffi.new('char[]', 65536)
        while self.is_open and self.error is None and not self.is_closed:
            n = lib.SSL_read(self.ssl, buf, 65536)
            if not self.check(n):
                break
            self.got += ffi.buffer(buf, n)[:]

    def write(self, data):
        assert lib.SSL_write(self.ssl, data, len(data)) == len(data)

    def close(self):
        lib.SSL_shutdown(self.ssl)

    def out(self):
        buf = ffi.new('char[]', 65536)
        result = bytearray()
        while (n := lib.BIO_read(self.tx, buf, 65536)) > 0:
            result += ffi.buffer(buf, n)[:]
        self.wire += result
        return bytes(result)

    def exported(self):
        out = ffi.new('unsigned char[]', 32)
        label = b'EXPORTER-test'
        assert lib.SSL_export_keying_material(self.ssl, out, 32, label, len(label), b'ctx', 3, 1) == 1
        return bytes(ffi.buffer(out, 32)).hex()

    def alpn(self):
        data, length = ffi.new('unsigned char **'), ffi.new('unsigned int *')
        lib.SSL_get0_alpn_selected(self.ssl, data, length)
        return bytes(ffi.buffer(data[0], length[0])).decode() if length[0] else ''

    def is_resumed(self):
        return lib.SSL_session_reused(self.ssl) == 1

    def cipher(self):
        return ffi.string(lib.SSL_CIPHER_get_name(lib.SSL_get_current_cipher(self.ssl))).decode()


def or_skip():
    """The version, if it can do RFC 8998; else the test ends as skipped."""
    reason = why_skip()
    if reason:
        print(f'skipped: {reason}')
        sys.exit(77)
    return VERSION
