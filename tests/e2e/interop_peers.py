# SPDX-License-Identifier: Apache-2.0
"""The other implementations that interop.py links with: their command lines, and what they cannot do.

A peer is told a Case and answers with the arguments of a server or a client. How it talks:

  stdin    it says what it reads from its standard input, after our words have come out of it
  file     client: it says the words of a file, or of a standard input that is closed at once
  echo     server: it sends back what it gets
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PASSWORD = 'interop'
CURVE = 'curveSM2'
TICKET_KEY = '0123456789abcdef0123456789abcdef'
TLS13_SUITES = ('TLS_SM4_GCM_SM3', 'TLS_SM4_CCM_SM3')
TLCP_SUITES = ('ECC_SM4_GCM_SM3', 'ECC_SM4_CBC_SM3', 'ECDHE_SM4_GCM_SM3', 'ECDHE_SM4_CBC_SM3')


def first_line(argv):
    r = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    return (r.stdout + r.stderr).strip().split('\n')[0]


class Peer:
    """What is the same for most."""
    protocols = {'TLS 1.3': TLS13_SUITES, 'TLCP': TLCP_SUITES}
    talks = {'server': 'stdin', 'client': 'stdin'}
    one_link = False        # a server that serves one link and ends
    new_keys = None         # line of the standard input that makes it change its keys, and what it then says
    retries = False         # a client that always asks to be asked again
    lacks = {}              # (protocol, our role, suite or its first word, row), each may be '*': why
    faults = {}             # the same: how the link goes wrong, and what the peer does against which text
    switches = None         # tolerances that our side has switched on for it in TLCP, and why

    def __init__(self, path):
        self.path = path

    def find(self, table, case):
        """The entry of a table for a case; None: there is none."""
        for protocol in (case.protocol, '*'):
            for role in (case.role, '*'):
                for suite in (case.suite, case.suite.split('_')[0], '*'):
                    for row in (case.row, '*'):
                        if (protocol, role, suite, row) in table:
                            return table[protocol, role, suite, row]
        return None

    def ours(self, _case):
        """Switches of our side that this peer needs."""
        return ()

    def answer(self, said):
        """What our side hears, when that is not the text of the peer; None: the text."""

    def shows(self, said):
        """What of our words comes out of the peer."""
        return said


class OpensslTool(Peer):
    """The openssl program of OpenSSL 4."""
    protocols = {'TLS 1.3': TLS13_SUITES}
    new_keys = (b'K\n', rb'KEYUPDATE|SSL_do_handshake')

    @property
    def version(self):
        return first_line([self.path, 'version']).split(' (')[0]

    def arguments(self, case, files, own):
        a = ['-CAfile', files.ca]
        if case.protocol == 'TLCP':
            a += ['-enable_ntls', '-ntls', '-cipher', case.suite.replace('_', '-').replace('-SM4', '-SM2-SM4', 1)]
            if own:
                a += ['-sign_cert', files.pem(own), '-sign_key', files.key(own), '-enc_cert', files.pem(own + '_enc'),
                      '-enc_key', files.key(own + '_enc')]
        else:
            groups = f'P-256:{CURVE}' if case.row == 'HRR' and case.role == 'server' else CURVE
            a += ['-tls1_3', '-ciphersuites', case.suite, '-groups', groups]
            if own:
                a += ['-cert', files.pem(own), '-key', files.key(own)]
        if case.protocol == 'TLCP' and case.is_resumed:
            a += ['-no_ticket']
        if case.row == 'bytes one by one':
            a += ['-max_send_frag', '512']  # its messages come in several records
        return a

    def server(self, case, files, port, _nth):
        verify = ['-Verify', '2', '-verify_return_error'] if case.is_mutual else []
        return [self.path, 's_server', '-accept', f'127.0.0.1:{port}', *self.arguments(case, files, 'server'), *verify]

    def client(self, case, files, port, nth):
        session = ['-sess_in' if nth else '-sess_out', files.scratch('session')] if case.is_resumed else []
        own = 'client' if case.is_mutual else ''
        return [self.path, 's_client', '-connect', f'127.0.0.1:{port}', '-servername', 'server.example',
                '-verify_return_error', *self.arguments(case, files, own), *session]


class Tongsuo(OpensslTool):
    protocols = Peer.protocols

    def arguments(self, case, files, own):
        is_strict = case.protocol == 'TLS 1.3' and case.row != 'HRR'  # which comes of a share of another group
        return super().arguments(case, files, own) + (['-enable_sm_tls13_strict'] if is_strict else [])

    @property
    def version(self):
        return first_line([self.path, 'version']).split(' (')[0].replace('Tongsuo: ', '')


class PythonOpenssl(Peer):
    """OpenSSL 4 without its program: the one that Python's package cryptography carries."""
    protocols = {'TLS 1.3': TLS13_SUITES}

    def __init__(self):
        super().__init__(os.path.join(HERE, 'openssl4_peer.py'))

    @property
    def version(self):
        r = subprocess.run([sys.executable, '-c', 'import openssl4; print(openssl4.or_skip())'], cwd=HERE, check=False,
                           capture_output=True, text=True, timeout=30)
        return ' '.join(r.stdout.split()[:2]) if r.returncode == 0 else None

    def options(self, case, files, own):
        groups = f'P-256:{CURVE}' if case.row == 'HRR' and case.role == 'server' else CURVE
        return {'folder': files.folder, 'own': own, 'groups': groups, 'suites': case.suite}

    def server(self, case, files, port, _nth):
        options = {**self.options(case, files, 'server'), 'verify': case.is_mutual}
        return [sys.executable, self.path, 'server', str(port), files.json(options)]

    def client(self, case, files, port, nth):
        options = {**self.options(case, files, 'client' if case.is_mutual else ''), 'verify': True}
        if case.is_resumed:
            options['session_in' if nth else 'session_out'] = files.scratch('session')
        return [sys.executable, self.path, 'client', str(port), files.json(options)]


class GmSSL(Peer):
    talks = {'server': 'echo', 'client': 'file'}
    one_link = True
    lacks = {
        ('TLCP', '*', '*', 'resumed'): 'GmSSL has no resumption in TLCP',
        ('TLCP', '*', '*', 'resumed with client certificate'): 'GmSSL has no resumption in TLCP',
        ('TLS 1.3', 'server', '*', 'resumed with client certificate'):
            'GmSSL\'s client keeps no session over 512 bytes; a ticket of Hufu holds the client\'s certificate',
        ('TLCP', 'server', '*', 'their wrong certificate'):
            'GmSSL\'s client of TLCP ends the handshake rather than show a certificate of a CA that was not asked for',
    }
    faults = {
        ('TLS 1.3', 'server', '*', 'resumed'):
            ('not resumed', 'GmSSL\'s client leaves the age of its ticket at 0, against RFC 8446 4.2.11; Hufu does not '
                            'take it and goes on with certificates'),
        ('TLS 1.3', 'client', '*', 'resumed with client certificate'):
            ('not open: state, handshake message 13',
             'GmSSL\'s server sends a CertificateRequest where it resumes, against RFC 8446 4.3.2'),
        ('TLCP', 'client', '*', 'bytes one by one'):
            ('heard 0 bytes', 'GmSSL\'s tlcp_server takes a record that came in part for a whole one'),
        ('*', '*', '*', 'our messages joined'):
            (('not open', 'heard 0 bytes'), 'GmSSL reads one message of the handshake from a record and drops what '
                                            'else is in it, against RFC 8446 5.1 (and RFC 5246 6.2.1, as in TLCP)'),
        ('*', '*', '*', 'our messages cut'):
            ('not open', 'GmSSL wants a whole message of the handshake in a record, against the same'),
    }
    switches = ('Hufu with the switches cv_raw (GmSSL signs the messages, not their hash), cke_prefix (it wants a '
                'length before the point of ECDHE), and in ECC as a client without a certificate for encryption (it '
                'takes that for a CA\'s)')

    @property
    def version(self):
        return re.sub(r'^gmssl ', 'GmSSL ', first_line([self.path, 'version']), flags=re.I)

    def arguments(self, case, files, own):
        a = ['-cacert', files.ca]
        if case.protocol == 'TLCP':
            a += ['-cipher_suite', 'TLS_' + case.suite]
            kind = 'tlcp' if own == 'server' or case.suite.startswith('ECDHE') else 'sign'
        else:
            a += ['-cipher_suite', case.suite, '-sig_alg', 'sm2sig_sm3']
            if case.row == 'HRR' and case.role == 'server':
                a += ['-supported_group', 'prime256v1', '-max_key_exchanges', '1']
            a += ['-supported_group', 'sm2p256v1']
            kind = 'sign'
            if case.row == 'new keys':
                a += ['-key_update_seq_num', '2']
            if case.is_resumed:
                a += ['-psk_dhe_ke']
        if own:
            a += ['-cert', files.gmssl(own, kind, 'pem'), '-key', files.gmssl(own, kind, 'key'), '-pass', PASSWORD]
        return a

    def ours(self, case):
        if case.protocol != 'TLCP':
            return ()
        return ('--tlcp-cv-raw', '--tlcp-cke-prefix', *(['--tlcp-sign-only'] if case.suite.startswith('ECC_') else []))

    def server(self, case, files, port, _nth):
        tool = 'tlcp_server' if case.protocol == 'TLCP' else 'tls13_server'
        a = [self.path, tool, '-port', str(port), *self.arguments(case, files, 'server')]
        if case.is_mutual:
            a += ['-cert_request']
        if case.protocol == 'TLS 1.3' and case.is_resumed:
            a += ['-new_session_ticket', '1', '-ticket_key', TICKET_KEY]
        return a

    def client(self, case, files, port, nth):
        tool = 'tlcp_client' if case.protocol == 'TLCP' else 'tls13_client'
        a = [self.path, tool, '-host', '127.0.0.1', '-port', str(port), '-server_name', 'server.example', '-in',
             files.words, *self.arguments(case, files, 'client' if case.is_mutual else '')]
        if case.is_resumed:
            a += ['-sess_in' if nth else '-sess_out', files.scratch('session')]
        return a


class Hitls(Peer):
    talks = {'server': 'fixed', 'client': 'closed stdin'}
    retries = True
    lacks = {
        ('*', 'server', '*', 'resumed'): 'openHiTLS\'s s_client cannot keep a session',
        ('*', 'server', '*', 'resumed with client certificate'): 'openHiTLS\'s s_client cannot keep a session',
    }

    @property
    def version(self):
        """The tool does not say it, its libraries hold it."""
        loaded = subprocess.run(['ldd', self.path], capture_output=True, text=True, check=False, timeout=30).stdout
        for path in [self.path, *re.findall(r'=> (\S+hitls\S+)', loaded)]:
            with open(path, 'rb') as f:
                m = re.search(rb'openHiTLS \d+\.\d+\.\d+', f.read())
            if m:
                return m[0].decode()
        return 'openHiTLS'

    def arguments(self, case, files, own):
        a = ['-CAfile', files.ca]
        if case.protocol == 'TLCP':
            a += ['-tlcp']
            if own:
                a += ['-tlcp_sign_cert', files.pem(own), '-tlcp_sign_key', files.key(own), '-tlcp_enc_cert',
                      files.pem(own + '_enc'), '-tlcp_enc_key', files.key(own + '_enc')]
        else:
            a += ['-tls1_3', '-cipher', case.suite]
            if own:
                a += ['-cert', files.pem(own), '-key', files.key(own)]
        return a

    def server(self, case, files, port, _nth):
        verify = [] if case.is_mutual else ['-noverify']
        return [self.path, 's_server', '-accept', f'127.0.0.1:{port}', *self.arguments(case, files, 'server'), *verify]

    def client(self, case, files, port, _nth):
        return [self.path, 's_client', '-host', 'localhost', '-port', str(port),
                *self.arguments(case, files, 'client' if case.is_mutual else '')]

    def answer(self, said):
        return b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello World!'
