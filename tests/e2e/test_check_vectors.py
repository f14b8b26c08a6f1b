#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hufu check vectors: all files of tests/vectors, with the least that must pass of each, and altered ones.

HUFU_BIN is the folder of the built programs.
"""
import json
import os
import subprocess
import tempfile
import unittest

HUFU = os.path.join(os.environ['HUFU_BIN'], 'hufu')
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'vectors')

# Per file: algorithm -> the fewest cases that pass, and the most that are skipped.
LEAST = {
    'drbg.txt': {'SM3-HASH-GM': (3, 0), 'SM3-HASH-NIST': (0, 1), 'SM4-CTR-DRBG': (2, 0)},
    'hmac_sm3.txt': {'HMAC-SM3': (13, 0)},
    'keyfiles.txt': {'KEY-FILE': (8, 0)},
    'randomness_gmt0005.txt': {'RANDOMNESS': (19, 0)},
    'sm2_enc.txt': {'SM2-ENC': (12, 2)},
    'sm2_kex.txt': {'SM2-KEX': (2, 2)},
    'sm2_sign.txt': {'SM2-SIGN': (25, 1), 'SM2-CURVE': (1, 2)},
    'sm3.txt': {'SM3': (25, 0)},
    'sm3_kdf.txt': {'SM2-KDF': (8, 0), 'HKDF-SM3': (4, 0), 'HKDF-EXPAND-LABEL': (11, 0),
                    'PBKDF2-SM3': (6, 0), 'TLCP-PRF': (3, 0)},
    'sm4_aead.txt': {'SM4-GCM': (34, 0), 'SM4-CCM': (1, 0)},
    'sm4_block.txt': {'SM4-ECB': (3, 0)},
    'sm4_mac.txt': {'SM4-CBC-MAC': (5, 0), 'SM4-EMAC': (5, 0), 'SM4-RETAIL-MAC': (5, 0), 'SM4-MACDES': (5, 0),
                    'SM4-CMAC': (3, 0)},
    'sm4_modes.txt': {'SM4-ECB': (3, 0), 'SM4-CBC': (5, 0), 'SM4-CTR': (4, 0), 'SM4-CFB': (4, 0),
                      'SM4-OFB': (4, 0), 'SM4-BC': (1, 0), 'SM4-OFBNLF': (1, 0), 'SM4-HCTR': (3, 0)},
    'sm4_xts.txt': {'SM4-XTS': (33, 0)},
    'tlcp_ecc_sm4cbc.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_ecc_sm4gcm.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_ecc_sm4gcm_mutual.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_ecdhe_sm4gcm.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_live_1_ecc_sm4gcm.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_live_2_ecc_sm4gcm_mutual.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_live_3_ecc_sm4cbc.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_live_4_ecdhe_sm4gcm_mutual.txt': {'TLCP-TRACE': (1, 0)},
    'tlcp_live_5_ecc_sm4gcm_openhitls.txt': {'TLCP-TRACE': (1, 0)},
    'tls13_sm4ccm_full.txt': {'TLS13-TRACE': (1, 0)},
    'tls13_sm4gcm_full.txt': {'TLS13-TRACE': (1, 0)},
    'tls13_sm4gcm_hrr.txt': {'TLS13-TRACE': (1, 0)},
    'tls13_sm4gcm_mutual.txt': {'TLS13-TRACE': (1, 0)},
    'tls13_sm4gcm_resume.txt': {'TLS13-TRACE': (1, 0)},
    'tls13_testkeys.txt': {'TEST-KEY': (5, 0)},
    'wycheproof_hmac_sm3.txt': {'HMAC-SM3': (174, 0)},
    'wycheproof_sm4_ccm.txt': {'SM4-CCM': (184, 0)},
    'wycheproof_sm4_gcm.txt': {'SM4-GCM': (104, 0)},
}

K = '2b7e151628aed2a6abf7158809cf4f3c'
MODE = 'ModeText = {}\nKey = ' + K + '\nIv = 000102030405060708090a0b0c0d0e0f\nPlaintext = 6bc1bee22e409f96{}\nCiphertext = 00\n'
PADDED = 'a1493de32758e360b0008e3fc4c0c12b'  # by openssl enc

# Fields whose altered value nothing shows (docs/formats/vectors.md says which and why).
UNSEEN = {'RoundStates', 'ServerCcs', 'ClientKeyUpdateRecord', 'ServerKeyUpdateRecord', 'RecordsAfterHrr[1]',
          'ClientCertificateVerifyTbs', 'TicketNonce', 'Ticket', 'NstExts', 'PskSelected', 'Cert',
          'CertificateVerifyGmsslVariant'}

# Cases whose P and Q stay what they are when the last four bits change: hands, longest runs, sums of bits.
UNSEEN_CASES = {('randomness_gmt0005.txt', '3b'), ('randomness_gmt0005.txt', '7a'), ('randomness_gmt0005.txt', '8')}


def run(*args):
    return subprocess.run([HUFU, 'check', 'vectors', *args], capture_output=True, text=True, timeout=300, check=False)


def read_cases(path):
    """Comments and cases of a file, by a reader that shares nothing with the one under test."""
    comments, cases, case = [], [], []
    with open(path, encoding='utf-8') as f:
        for line in list(f) + ['']:
            line = line.strip()
            if line.startswith('#'):
                comments.append(line)
            elif line:
                name, _, value = line.partition('=')
                case.append((name.strip(), value.strip()))
            elif case:
                cases.append(case)
                case = []
    return comments, cases


def is_bytes(name):
    return name not in ('Id', 'TcId') and not name.endswith(('Text', 'Count', 'Bits'))


class Files(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def put(self, text, name='v.txt'):
        path = os.path.join(self.dir.name, name)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def counts(self, text, name='v.txt'):
        r = run('--json', self.put(text, name))
        j = json.loads(r.stdout)
        return j['passed'], j['failed'], j['skipped']

    def test_every_file_passes_at_least_what_it_did(self):
        names = sorted(n for n in os.listdir(VECTORS) if n.endswith('.txt'))
        self.assertEqual(names, sorted(LEAST))
        r = run('--json', *(os.path.join(VECTORS, n) for n in names))
        self.assertEqual(r.returncode, 0, r.stderr)
        report = json.loads(r.stdout)
        self.assertEqual(report['failed'], 0)
        for name, file in zip(names, report['files']):
            self.assertIsNone(file['error'])
            algs = {a['name']: a for a in file['algorithms']}
            self.assertEqual(sorted(algs), sorted(LEAST[name]), name)
            for alg, (passed, skipped) in LEAST[name].items():
                a = algs[alg]
                print(f'{name}: {alg}: {a["passed"]} passed, {a["skipped"]} skipped')
                self.assertGreaterEqual(a['passed'], passed, f'{name} {alg}')
                self.assertLessEqual(a['skipped'], skipped, f'{name} {alg}')
                self.assertEqual(sum(x['cases'] for x in a['reasons']), a['skipped'])

    def test_text_and_json_tell_the_same(self):
        path = os.path.join(VECTORS, 'sm4_modes.txt')
        text = run(path).stdout
        report = json.loads(run('--json', path).stdout)
        for a in report['files'][0]['algorithms']:
            line = next(x for x in text.splitlines() if f' {a["name"]} ' in x)
            self.assertIn(f'{a["passed"]} passed', line)
            self.assertIn(f'{a["skipped"]} skipped', line)
            for reason in a['reasons']:
                self.assertIn(f'skipped {reason["cases"]}: {reason["why"]}', text)

    def altered(self, path):
        """The file with each case as often as it has fields of bytes, another one altered each time."""
        comments, cases = read_cases(path)
        out, what = comments + [''], []
        for case in cases:
            fields = dict(case)
            if 'RoundsCount' in fields or 'RepeatCount' in fields or fields.get('ResultText') == 'invalid':
                continue
            for at, (name, value) in enumerate(case):
                if not is_bytes(name) or not value:
                    continue
                bad = value[:-1] + ('0' if value[-1] != '0' else '1')
                out.append(f'Id = {len(what)}')
                out += [f'{n} = {bad if i == at else v}' for i, (n, v) in enumerate(case)
                        if n not in ('Id', 'TcId')]
                out.append('')
                what.append((fields.get('Id', fields.get('TcId')), name))
        return '\n'.join(out), what

    def test_no_altered_value_passes(self):
        for name, algs in LEAST.items():
            if not any(passed for passed, _ in algs.values()):
                continue
            text, what = self.altered(os.path.join(VECTORS, name))
            report = json.loads(run('--json', self.put(text, name)).stdout)
            self.assertIsNone(report['files'][0]['error'])
            self.assertGreater(report['failed'], 0, name)
            # What was skipped in the file is skipped here; what passes must be of the known fields.
            unseen = sum(1 for case, field in what if field in UNSEEN or (name, case) in UNSEEN_CASES)
            self.assertLessEqual(report['passed'], unseen, name)
            self.assertEqual(report['passed'] + report['failed'] + report['skipped'], len(what))

    def test_a_vector_that_must_fail_but_does_not_is_a_failure(self):
        _, cases = read_cases(os.path.join(VECTORS, 'sm2_sign.txt'))
        case = next(c for c in cases if dict(c).get('Id') == '32918.5-A.2')
        text = '\n'.join(f'{n} = {"invalid" if n == "ResultText" else v}' for n, v in case)
        r = run(self.put(text))
        self.assertEqual(r.returncode, 1)
        self.assertIn('v.txt:1: SM2-SIGN 32918.5-A.2: FAILED', r.stdout)
        self.assertIn('the vector says invalid', r.stdout)

    def test_result_counts_for_what_only_computes(self):
        digest = '1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b'
        sm3 = 'AlgText = SM3\nMsg =\nDigest = %s\n'
        pbkdf2 = 'AlgText = PBKDF2\nPassword = 00\nSalt = 00\nIterCount = %d\nOut = ' + 80 * '00' + '\n'
        wrong = digest.replace('1', '2')
        for outcome, text in (
                ('passed', sm3 % wrong + 'ResultText = invalid\n'),
                ('failed', sm3 % digest + 'ResultText = invalid\n'),
                ('passed', sm3 % wrong + 'ResultText = acceptable\n'),
                ('passed', sm3 % digest + 'ResultText = acceptable\n'),
                ('failed', sm3 % digest + 'ResultText = perhaps\n'),
                ('failed', 'AlgText = SM3\nMsg =\nResultText = invalid\n'),
                ('passed', pbkdf2 % 0 + 'ResultText = invalid\n'),
                ('failed', pbkdf2 % 0),
                ('skipped', pbkdf2 % 5000000),  # three blocks of it
        ):
            with self.subTest(text=text):
                self.assertEqual(self.counts(text), tuple(int(o == outcome) for o in ('passed', 'failed', 'skipped')))

    def test_a_failure_names_file_line_case_and_field(self):
        r = run(self.put('# SM3\n\nId = off\nMsg = 616263\nDigest = ' + '00' * 32 + '\n'))
        self.assertEqual(r.returncode, 1)
        self.assertIn('v.txt:3: SM3 off: FAILED: Digest: got 66c7f0f462eeedd9', r.stdout)

    def test_malformed_lines_are_errors_with_their_line(self):
        bad = {
            'Msg': 'neither',
            'Msg : 00': 'neither',
            ' = 00': 'neither',
            '1x = 00': 'neither',
            'X[] = 00': 'neither',
            'X[1 = 00': 'neither',
            'X[1]y = 00': 'neither',
            'X' * 65 + ' = 00': 'neither',
            'Msg = 0': 'hexadecimal',
            'Msg = 0g': 'hexadecimal',
            'Msg = 00 00': 'hexadecimal',
            'Msg = 0x00': 'hexadecimal',
            'LenCount = ': 'number',
            'LenCount = -1': 'number',
            'LenCount = 1f': 'number',
            'KeyBits = 99999999999999999999': 'number',
            'Id = a\0b': 'zero byte',
            'Msg = 00\0': 'zero byte',
            'Msg\0 = 00': 'neither',
            'Digest = 00': 'second',
        }
        for line, why in bad.items():
            r = run(self.put('# SM3\nDigest = 00\n' + line + '\n'))
            self.assertEqual(r.returncode, 4, repr(line))
            self.assertIn('v.txt:3: ', r.stderr)
            self.assertIn(why, r.stderr)

    def test_too_many_fields_are_refused(self):
        text = '\n'.join(f'X[{i}] = 00' for i in range(1025))
        r = run(self.put(text))
        self.assertEqual(r.returncode, 4)
        self.assertIn('v.txt:1025: more than 1024 fields', r.stderr)

    def test_unreadable_files_are_4_and_the_others_still_run(self):
        good = os.path.join(VECTORS, 'sm3.txt')
        for bad in (os.path.join(self.dir.name, 'none.txt'), self.dir.name, self.put('# nothing\n'), self.put('')):
            r = run(bad, good)
            self.assertEqual(r.returncode, 4, bad)
            self.assertIn('25 passed', r.stdout)
            self.assertIn(bad, r.stderr)

    def test_a_failure_counts_more_than_an_unreadable_file(self):
        wrong = self.put('Msg =\nDigest = 00\n')
        self.assertEqual(run(os.path.join(self.dir.name, 'none.txt'), wrong).returncode, 1)

    def test_blanks_crlf_case_and_a_missing_newline_do_not_matter(self):
        digest = '66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0'
        self.assertEqual(self.counts(f'\r\n\r\n  Msg=616263\r\n\t# between\r\nDigest =  {digest} \r\n \r\n\r\n'), (1, 0, 0))
        self.assertEqual(self.counts(f'Msg = 616263\nDigest = {digest}'), (1, 0, 0))

    def test_what_is_unknown_is_skipped_with_its_name(self):
        for text, why in (('AlgText = SHA-256\nMsg =\nDigest = 00\n', "'SHA-256'"),
                          ('Colour = 00\n', 'no algorithm of this version'),
                          ('Z = 00\nOut = 00\nLenCount = 99999999999\n', 'LenCount is more than'),
                          ('AlgText = AES\nModeText = GCM\nKey = 00\nNonce = 00\nTag = 00\n', "'GCM' in"),
                          ('AlgText = ZUC-256\nKey = 00\nIv = 00\nMac = 00\nMsg =\n', "'ZUC-256'"),
                          (MODE.format('CFB', '') + 'SegmentBits = 64\n', 'feedback of 64 bits'),
                          (MODE.format('CBC', '') + 'PadText = ISO7816\n', "padding 'ISO7816'"),
                          (MODE.format('XYZ', ''), "'XYZ'"),
                          (f'AlgText = CBC-MAC\nPadText = 4\nKey = {K}\nMsg =\nMac = 00\n', 'PadText is none of'),
                          (f'PadText = 2\nKey = {K}\nMsg =\nMac = 00\n', 'which MAC')):
            r = run(self.put(text))
            self.assertIn('1 skipped', r.stdout)
            self.assertIn(why, r.stdout)
            # A run in which nothing passed has shown nothing.
            self.assertEqual(r.returncode, 1, text)
            self.assertIn('nothing was checked: 1 cases were skipped, 0 files left out', r.stderr)
            self.assertEqual(run(self.put(text), os.path.join(VECTORS, 'sm3.txt')).returncode, 0)

    def test_a_case_that_is_not_whole_fails(self):
        good = os.path.join(VECTORS, 'sm3.txt')
        for text, why in (('ModeText = GCM\nKey = 00\n', 'SM4-GCM case: FAILED: is called so and has not all of Key Nonce Tag'),
                          ('AlgText = SM3\nMsg = 00\n', 'has not all of Digest'),
                          ('Digest = 00\n', 'no field RepeatByte'),
                          ('ResultText = perhaps\nKey =\nMsg =\nMac = 00\n', 'none of valid, invalid'),
                          ('Ikm = 00\n', 'no field in it'),
                          ('AlgText = PBKDF2\nPassword = 00\nSalt = 00\nOut = 00\n', 'no field IterCount'),
                          ('Secret = 00\nLabelText = x\nContext =\nOut = 00\n', 'Secret is not of 32 bytes'),
                          (f'ModeText = GCM\nKey = {"00" * 32}\nNonce = 00\nTag = 00\n', 'Key is of 32 bytes'),
                          (f'ModeText = CBC\nKey = {K}\nIv = 00\nPlaintext = {K}\nCiphertext = {K}\n', 'Iv'),
                          (f'AlgText = EMAC\nKey = {K}\nMsg =\nMac = 00\n', 'has not all of Key Key2 Mac'),
                          (f'AlgText = CBC-MAC\nKey = {K}\nMsg =\nMac = 00\n', 'no field PadText'),
                          (f'ModeText = XTS\nKey = {K}{K}\nTweak = {K}\nPlaintext = {K}\nCiphertext = {K}\n', 'ConventionText'),
                          (f'AlgText = SM4-CTR\nEntropy = 00\nOut = 00\n', 'entropy or nonce shorter'),
                          ('Entropy = 00\nOut = 00\n', 'entropy or nonce shorter')):
            r = run(self.put(text), good)
            self.assertIn('0 passed    1 failed    0 skipped', r.stdout, text)
            self.assertIn(why, r.stdout)
            self.assertEqual(r.returncode, 1, text)

    def test_the_mode_comes_from_text_then_file_name_then_comments(self):
        _, cases = read_cases(os.path.join(VECTORS, 'wycheproof_sm4_ccm.txt'))
        case = '\n'.join(f'{n} = {v}' for n, v in cases[1])
        self.assertEqual(self.counts(case, 'some.txt'), (0, 0, 1))
        self.assertEqual(self.counts(case, 'some_ccm.txt'), (1, 0, 0))
        self.assertEqual(self.counts('# these are for SM4-CCM\n' + case, 'some.txt'), (1, 0, 0))
        self.assertEqual(self.counts('# GCM\n\n# CCM\n' + case, 'some.txt'), (1, 0, 0))
        self.assertEqual(self.counts('# CCM\n\n# GCM\n' + case, 'some.txt'), (0, 1, 0))
        self.assertEqual(self.counts('ModeText = CCM\n' + case, 'some_gcm.txt'), (1, 0, 0))
        self.assertEqual(self.counts('AlgText = sm4_ccm\n' + case, 'some.txt'), (1, 0, 0))
        self.assertEqual(self.counts('AlgText = SM4\nModeText = CCM\n' + case, 'some.txt'), (1, 0, 0))

    def test_modes_and_macs_that_no_file_has(self):
        head = f'Key = {K}\nIv = 000102030405060708090a0b0c0d0e0f\nPlaintext = 6bc1bee22e409f96e93d7e117393172a\n'
        cfb8 = head + 'Ciphertext = bc98b69c0b3ac87baae5da3e2964fec0\n'
        cfb1 = head + 'Ciphertext = d27966dccd9a0f53107c3bed916047aa\n'
        self.assertEqual(self.counts('ModeText = CFB8\n' + cfb8), (1, 0, 0))
        self.assertEqual(self.counts('AlgText = SM4\nModeText = CFB\nSegmentBits = 8\n' + cfb8), (1, 0, 0))
        self.assertEqual(self.counts('ModeText = SM4-CFB1\n' + cfb1), (1, 0, 0))
        self.assertEqual(self.counts('ModeText = CFB\nSegmentBits = 1\n' + cfb1), (1, 0, 0))
        self.assertEqual(self.counts('ModeText = CFB\n' + cfb1), (0, 1, 0))
        key = 'Key = 0123456789abcdeffedcba9876543210\nMsg = 54686973206973207468652074657374206d65737361676520\n'
        for alg, mac in (('LMAC', '60dd955ed0ca3d7a64227174dd98dd81'), ('TRCBC', '846fa2a5d83445a9'),
                         ('CBCR', 'a99d13013e892ee2c25be2daaa6c82e8'), ('CMAC', '4738a6c760b280fc')):
            self.assertEqual(self.counts(f'AlgText = {alg}\n{key}Mac = {mac}\n'), (1, 0, 0), alg)
            self.assertEqual(self.counts(f'AlgText = {alg}\nPadText = -\n{key}Mac = {mac}\n'), (1, 0, 0), alg)
            self.assertEqual(self.counts(f'AlgText = {alg}\n{key}Mac = {mac[:-1]}f\n'), (0, 1, 0), alg)
            self.assertEqual(self.counts(f'AlgText = {alg}\n{key}Mac = {mac[:-1]}f\nResultText = invalid\n'), (1, 0, 0))
        gmac = ('Key = feffe9928665731c6d6a8f9467308308\nNonce = cafebabefacedbaddecaf888\n'
                'Msg = feedfacedeadbeeffeedfacedeadbeef\nMac = 9d632570f93064264a20918e3081b4cd\n')
        self.assertEqual(self.counts('AlgText = SM4-GMAC\n' + gmac), (1, 0, 0))
        self.assertEqual(self.counts('AlgText = GMAC\n' + gmac.replace('Nonce', 'Iv')), (1, 0, 0))

    def test_padding_of_a_mode_is_checked(self):
        text = (f'ModeText = CBC\nPadText = PKCS7\nKey = {K}\nIv = {"00" * 16}\nPlaintext = 0102\n'
                f'Ciphertext = {PADDED}\n')
        self.assertEqual(self.counts(text), (1, 0, 0))
        self.assertEqual(self.counts(text.replace('PadText = PKCS7\n', '')), (1, 0, 0))
        self.assertEqual(self.counts(text.replace('PKCS7', 'none')), (0, 1, 0))
        self.assertEqual(self.counts(text.replace('0102', '0103')), (0, 1, 0))
        bad = text.replace(PADDED, PADDED[:-2] + '00') + 'ResultText = invalid\n'
        self.assertEqual(self.counts(bad), (1, 0, 0))
        cut = text.replace(PADDED, PADDED[:-2]) + 'ResultText = invalid\n'
        self.assertEqual(self.counts(cut), (1, 0, 0))

    def test_a_readme_beside_the_files_is_left_out(self):
        good = os.path.join(VECTORS, 'sm3.txt')
        r = run(self.put('Words about the files.\n', 'README.txt'), good)
        self.assertEqual(r.returncode, 0)
        self.assertIn('README.txt: left out', r.stderr)
        r = run('--json', self.put('Words.\n', 'README.md'))
        self.assertEqual(r.returncode, 1)
        self.assertEqual(json.loads(r.stdout)['left_out'], 1)
        for name in ('words.txt', 'README_sm3.txt', 'READMEs.txt'):
            self.assertEqual(run(self.put('Words.\n', name), good).returncode, 4)

    def test_sm2_cases_may_be_told_in_fewer_fields(self):
        _, cases = read_cases(os.path.join(VECTORS, 'sm2_sign.txt'))
        c = dict(next(c for c in cases if dict(c).get('Id') == '32918.5-A.2'))
        msg, r, s = c['Msg'], c['R'], c['S']
        point = f'PublicKey = 04{c["PublicX"]}{c["PublicY"]}\n'
        self.assertEqual(self.counts(f'{point}Msg = {msg}\nR = {r}\nS = {s}\n'), (1, 0, 0))
        self.assertEqual(self.counts(f'{point}Msg = {msg}\nR = 0000{r}\nS = {s}\n'), (1, 0, 0))
        self.assertEqual(self.counts(f'{point}Msg = {msg}\nSig = {r}{s}\n'), (1, 0, 0))
        self.assertEqual(self.counts(f'{point}E = {c["E"]}\nSig = {r}{s}\n'), (1, 0, 0))
        self.assertEqual(self.counts(f'{point}Msg = {msg}00\nSig = {r}{s}\n'), (0, 1, 0))
        self.assertEqual(self.counts(f'Msg = {msg}\nSig = {r}{s}\n'), (0, 1, 0))
        self.assertEqual(self.counts(f'PublicX = {c["PublicX"]}\nMsg = {msg}\nSig = {r}{s}\n'), (0, 1, 0))

    def test_key_files_need_their_password(self):
        _, cases = read_cases(os.path.join(VECTORS, 'keyfiles.txt'))
        case = next(c for c in cases if dict(c)['Id'] == 'pbes2-gmssl')
        text = '\n'.join(f'{n} = {v}' for n, v in case)
        self.assertEqual(self.counts(text), (0, 1, 0))
        self.assertEqual(self.counts(text + '\nPasswordText = pass1234'), (1, 0, 0))
        self.assertEqual(self.counts(text + '\nPassword = ' + b'pass1234'.hex()), (1, 0, 0))
        self.assertEqual(self.counts(text + '\nPasswordText = pass1235'), (0, 1, 0))
        self.assertEqual(self.counts(text + '\nPasswordText = pass1235\nResultText = invalid'), (1, 0, 0))
        self.assertEqual(self.counts(text.replace('ENCRYPTED PRIVATE', 'DSA PRIVATE')), (0, 0, 1))


if __name__ == '__main__':
    unittest.main(verbosity=2)
