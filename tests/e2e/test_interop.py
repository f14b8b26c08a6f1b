#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""script/interop's table, with the one peer that may be here: it passes, and a link that goes wrong is a failure."""
import tempfile
import unittest

import openssl4

openssl4.or_skip()

import interop  # noqa: E402 (not before it is known that there is a peer)
import interop_peers  # noqa: E402

GCM = ('TLS 1.3', 'TLS_SM4_GCM_SM3')


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.files = interop.make_files(cls.folder.name, None)
        cls.runner = interop.Runner(interop_peers.PythonOpenssl(), cls.files)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, *case):
        case = interop.Case(*case)
        result = self.runner.run(case)
        self.assertIsNone(self.runner.judge(case, result), result.log)
        return case, result

    def test_every_kind_of_link_passes_as_client(self):
        for row in interop.ROWS:
            with self.subTest(row):
                self.check(*GCM, 'client', row)

    def test_every_kind_of_link_passes_as_server(self):
        for row in interop.ROWS:
            with self.subTest(row):
                self.check(*GCM, 'server', row)

    def test_ccm_passes(self):
        self.check('TLS 1.3', 'TLS_SM4_CCM_SM3', 'client', 'resumed')
        self.check('TLS 1.3', 'TLS_SM4_CCM_SM3', 'server', 'resumed')

    def test_what_a_link_lacks_is_seen(self):
        case, result = self.check(*GCM, 'server', 'resumed')
        judge = self.runner.judge
        self.assertIn('HelloRetryRequest', judge(case._replace(row='HRR'), self.one(result)))
        self.assertIn('certificate', judge(case._replace(row='client certificate'), self.one(result)))
        self.assertIn('not refused', judge(case._replace(row='their wrong certificate'), self.one(result)))
        self.assertIn('did not refuse', judge(case._replace(row='our wrong certificate'), self.one(result)))
        self.assertIn('suite', judge(case._replace(suite='TLS_SM4_CCM_SM3'), result))
        for name, value, says in (('open', False, 'not open'), ('heard', '00', 'heard'), ('end', 'auth', 'ends with'),
                                  ('resumed', False, 'not resumed')):
            report = result.reports[1]
            result.reports[1] = {**report, name: value}
            self.assertIn(says, judge(case, result))
            result.reports[1] = report
        self.assertIsNone(judge(case, result))
        result.reports.pop()
        self.assertIn('did not end', judge(case, result))

    @staticmethod
    def one(result):
        one = interop.Result()
        one.reports, one.wires, one.programs = result.reports[:1], result.wires[:1], result.programs
        return one

    def test_a_fault_of_a_peer_excuses_that_failure_alone(self):
        class Faulty(interop_peers.PythonOpenssl):
            faults = {(*GCM[:1], 'client', '*', 'full'): ('not resumed', 'it forgets')}

        runner = interop.Runner(Faulty(), self.files)
        runner.run = lambda case: interop.Result()
        notes = []
        case = interop.Case(*GCM, 'client', 'full')
        runner.judge = lambda case, result: 'not open'
        self.assertEqual(interop.cell(runner, case, [], 0, notes), ('FAIL', True))
        runner.judge = lambda case, result: 'not resumed'
        self.assertEqual(interop.cell(runner, case, [], 0, notes), ('peer [1]', False))
        self.assertEqual(interop.cell(runner, case._replace(role='server'), [], 0, notes), ('FAIL', True))
        self.assertEqual(notes, ['it forgets'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
