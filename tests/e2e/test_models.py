#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models as other writers make them, one by one and as folders: shown, sealed, opened; what is not so is refused.

Files are written by models.py, which shares nothing with our readers, and where they are there by the onnx and
torch modules of this machine (Debian: python3-onnx, python3-torch). HUFU_BIN is the folder of the built programs.
"""
import filecmp
import io
import json
import os
import pickle
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

import models
from models import put

HUFU = os.path.join(os.environ['HUFU_BIN'], 'hufu')
OK, USAGE, RESOURCES, INPUT, REFUSED, STATE, SYSTEM = 0, 2, 3, 4, 5, 6, 7
MANY = 100_000
TMP = None


def setUpModule():
    global TMP
    TMP = tempfile.mkdtemp(prefix='hufu-models-')
    os.chdir(TMP)
    put('passphrase', b'correct horse battery\n')
    ok('domain', 'init', 'dom', '--name', 'plant-7', '--hub', 'hub-1', '--shares-dir', 'shares', '--passphrase-file',
       'passphrase')


def tearDownModule():
    os.chdir('/')
    shutil.rmtree(TMP)


def run(*args):
    return subprocess.run([HUFU, *args], capture_output=True, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL)


def ok(*args):
    r = run(*args)
    if r.returncode != OK:
        raise AssertionError(f'hufu {" ".join(args)}: {r.returncode} {r.stderr}')
    return r.stdout


def show(path, *more):
    return json.loads(ok('show', path, '--json', *more))


def seal(out, *files, release=1, more=()):
    if os.path.exists(out):
        os.unlink(out)
    return json.loads(ok('seal', *files, '--as', 'dom/publisher', '--lineage', 'digits', '--release', str(release),
                         '-o', out, '--json', *more))


def unseal(bundle, out):
    shutil.rmtree(out, ignore_errors=True)
    ok('open', bundle, '--as', 'dom', '--passphrase-file', 'passphrase', '-o', out)


def manifest(bundle, *more):
    return next(s for s in show(bundle, *more)['statements'] if s['kind'] == 'manifest')


def formats(bundle):
    return {f['path']: f['format'] for f in manifest(bundle)['files']}


def cids(bundle):
    return {p['cid'] for p in manifest(bundle, '--chunks')['places']}


def tree(folder):
    return sorted(os.path.relpath(os.path.join(d, n), folder) for d, _, names in os.walk(folder) for n in names)


def torch_zip(first=(), comment=b''):
    """What torch.save() makes, without torch; something else may stand before the pickle."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_STORED) as z:
        for name in first:
            z.writestr(name, b'x' * 5000)
        z.writestr('archive/data.pkl', pickle.dumps({'w': 1}, 2))
        z.writestr('archive/data/0', os.urandom(4000))
        z.comment = comment
    return out.getvalue()


def as_zip64(data):
    """The same zip file with a directory as large ones have it."""
    end = data[-22:]
    n, length, at = struct.unpack('<HII', end[10:20])
    large = struct.pack('<4sQHHIIQQQQ', b'PK\6\6', 44, 45, 45, 0, 0, n, n, length, at)
    where = struct.pack('<4sIQI', b'PK\6\7', 0, len(data) - 22, 1)
    return data[:-22] + large + where + end[:12] + b'\xff' * 8 + end[20:]


def python_with(module):
    """An interpreter of this machine that has the module; None."""
    for python in (sys.executable, '/usr/bin/python3'):
        if os.path.exists(python) and subprocess.run([python, '-c', f'import {module}'], capture_output=True,
                                                     check=False, timeout=300).returncode == 0:
            return python
    return None


FORMATS = {'model-00001-of-00002.safetensors': 'safetensors', 'model-00002-of-00002.safetensors': 'safetensors',
           'gguf/q8.gguf': 'gguf', 'edge/model.tflite': 'tflite', 'edge/large.tflite': 'tflite',
           'onnx/model.onnx': 'onnx', 'onnx/weights.bin': 'onnx-data'}


class Case(unittest.TestCase):
    def refuse(self, code, words, *args):
        r = run(*args)
        self.assertEqual(r.returncode, code, r.stderr)
        self.assertIn(words, r.stderr)

    def refuse_seal(self, code, words, *files):
        self.refuse(code, words, 'seal', *files, '--as', 'dom/publisher', '--lineage', 'digits', '--release', '1', '-o',
                    'refused.hufu')
        self.assertFalse(os.path.exists('refused.hufu'))

    def round_trip(self, *files):
        """Sealed and opened, every byte is the same."""
        seal('round.hufu', *files)
        unseal('round.hufu', 'round')
        for path in files:
            self.assertTrue(filecmp.cmp(path, os.path.join('round', os.path.basename(path)), shallow=False), path)


class Folders(Case):
    @classmethod
    def setUpClass(cls):
        models.folder('model')
        cls.said = seal('model.hufu', 'model')

    def test_everything_in_it_comes_back(self):
        ok('verify', 'model.hufu')
        self.assertEqual(self.said['files'], len(tree('model')))
        unseal('model.hufu', 'out')
        self.assertEqual(tree('out'), tree('model'))
        self.assertEqual(filecmp.cmpfiles('model', 'out', tree('model'), shallow=False), (tree('model'), [], []))
        self.assertEqual(stat.S_IMODE(os.stat('out/config.json').st_mode), 0o600)

    def test_every_file_is_known_by_its_content(self):
        found = formats('model.hufu')
        self.assertEqual({p: f for p, f in found.items() if f != 'plain'}, FORMATS)
        self.assertEqual(sorted(found), tree('model'))

    def test_show_lists_files_and_tensors(self):
        shown = {f['path']: f for f in show('model')['files']}
        self.assertEqual(sorted(shown), tree('model'))
        self.assertEqual({p: f['format'] for p, f in shown.items() if f['format'] != 'plain'}, FORMATS)

        def tensors(path):
            return {t['name']: (t['dtype'], t['shape'], t['len']) for t in shown[path]['tensors']}
        self.assertEqual(tensors('model-00002-of-00002.safetensors'),
                         {'c': ('F16', [75, 1000], 150000), 'd': ('I8', [90000], 90000)})
        for name in ('edge/model.tflite', 'edge/large.tflite'):
            self.assertEqual(tensors(name), {'g': ('F32', [300, 100], 120000), 'h': ('I8', [100000], 100000),
                                             'g2': ('F32', [30000], 120000)})
        self.assertEqual(tensors('onnx/weights.bin'), {'far': ('F32', [100000], 400000), 'wide': ('F32', [20000], 80000)})
        for path, f in shown.items():
            for t in f.get('tensors', []):
                if 'in' not in t:
                    with open(os.path.join('model', path), 'rb') as data:
                        data.seek(t['offset'])
                        self.assertEqual(len(data.read(t['len'])), t['len'])
        self.assertIn('虎符', ok('show', 'model'))

    def test_a_tensor_that_changes_is_all_that_changes(self):
        models.folder('next', seed=2, note='a longer note, so that headers move')
        for path in tree('next'):
            if path.endswith('.safetensors'):  # a longer header shifts everything behind it
                with open(f'next/{path}', 'rb') as f:
                    data = f.read()
                n = struct.unpack('<Q', data[:8])[0]
                head = json.loads(data[8:8 + n]) | {'__metadata__': {'note': 'x' * 100}}
                text = json.dumps(head).encode()
                put(f'next/{path}', struct.pack('<Q', len(text)) + text + data[8 + n:])
        seal('next.hufu', 'next', release=2)
        old, new = cids('model.hufu'), cids('next.hufu')
        # The heads of two shards; one tensor in a shard, in GGUF, in TFLite (the same in both), beside ONNX; two texts.
        self.assertEqual(len(new - old), 8, (len(old), len(new)))

    def test_files_beside_a_folder(self):
        put('readme.md', b'# digits\n')
        seal('both.hufu', 'model/', 'readme.md')
        self.assertEqual(sorted(formats('both.hufu')), sorted(tree('model') + ['readme.md']))
        put('config.json', b'{}')
        self.refuse_seal(USAGE, "two files are called 'config.json'", 'model', 'config.json')

    def test_nothing_is_written_over_or_through_a_link(self):
        shutil.rmtree('mine', ignore_errors=True)
        os.makedirs('mine/tokenizer')
        put('mine/tokenizer/vocab.json', b'mine')
        args = ('open', 'model.hufu', '--as', 'dom', '--passphrase-file', 'passphrase', '-o', 'mine')
        self.refuse(STATE, 'already there', *args)
        self.assertEqual(tree('mine'), ['tokenizer/vocab.json'])
        shutil.rmtree('mine/tokenizer')
        os.makedirs('elsewhere', exist_ok=True)
        os.symlink('../elsewhere', 'mine/tokenizer')
        self.refuse(STATE, 'no folder', *args)
        self.assertEqual(os.listdir('mine'), ['tokenizer'])
        self.assertEqual(os.listdir('elsewhere'), [])

    def test_what_must_not_be_in_a_folder(self):
        put('bad/config.json', b'{}')
        os.symlink('/etc/passwd', 'bad/link')
        self.refuse_seal(SYSTEM, 'leads out of the folder', 'bad')
        os.unlink('bad/link')
        os.mkfifo('bad/pipe')
        self.refuse_seal(USAGE, 'bad/pipe: neither file nor folder', 'bad')
        os.unlink('bad/pipe')
        put('bad/CONFIG.json', b'{}')
        self.refuse_seal(USAGE, 'are one name', 'bad')
        os.unlink('bad/CONFIG.json')
        os.symlink('config.json', 'bad/same')
        seal('good.hufu', 'bad')
        unseal('good.hufu', 'good')
        self.assertFalse(os.path.islink('good/same'))
        self.assertTrue(filecmp.cmp('bad/config.json', 'good/same', shallow=False))
        self.refuse_seal(REFUSED, 'private keys', 'dom')
        os.makedirs('nothing/in/it', exist_ok=True)
        self.refuse_seal(USAGE, 'no file in this folder', 'nothing')
        self.refuse(USAGE, 'no file in this folder', 'show', 'nothing')

    def test_three_hundred_files_need_no_three_hundred_descriptors(self):
        for i in range(300):
            put(f'many/{i % 20}/{i}.txt', b'%d' % i)
        r = subprocess.run(['bash', '-c', 'ulimit -n 64 && exec "$@"', 'bash', HUFU, 'seal', 'many', '--as',
                            'dom/publisher', '--lineage', 'many', '--release', '1', '-o', 'many.hufu'],
                           capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(r.returncode, OK, r.stderr)
        unseal('many.hufu', 'many-out')
        self.assertEqual(tree('many-out'), tree('many'))

    def test_tensors_whose_file_is_missing_are_named(self):
        said = seal('lonely.hufu', 'model/onnx/model.onnx')
        self.assertEqual((said['tensors_in_missing_files'], said['first_missing_file']), (2, 'weights.bin'))
        self.assertNotIn('first_missing_file', self.said)


class Pickles(Case):
    def test_all_kinds_are_told(self):
        kinds = {f'p{n}.pkl': pickle.dumps({'a': [1, 'b']}, n) for n in (2, 3, 4, 5)}
        kinds['new.pt'] = torch_zip()
        kinds['other-first.pt'] = torch_zip(['readme', 'archive/version'], b'a comment')
        kinds['zip64.pt'] = as_zip64(torch_zip(['readme']))
        for name, content in kinds.items():
            put(f'pickles/{name}', content)
            shown = show(f'pickles/{name}')
            self.assertEqual(shown['format'], 'pickle', name)
            self.assertIn('is a program', shown['warning'])
            self.assertEqual(shown['n_tensors'], 0)
        put('pickles/good.bin', b'x')
        put('pickles/cut.zip', torch_zip(['readme'])[:-1])
        said = seal('pickles.hufu', 'pickles')
        self.assertEqual((said['pickles'], said['first_pickle']), (len(kinds), 'new.pt'))
        self.assertIn('programs', said['warning'])
        unseal('pickles.hufu', 'pickles-out')
        self.assertEqual(filecmp.cmpfiles('pickles', 'pickles-out', tree('pickles'), shallow=False)[1:], ([], []))

    def test_nothing_of_one_is_run(self):
        class Bomb:
            def __reduce__(self):
                return os.mkdir, ('bang',)
        put('bomb/pytorch_model.bin', pickle.dumps(Bomb(), 4))
        show('bomb')
        seal('bomb.hufu', 'bomb')
        self.assertFalse(os.path.exists('bang'))


class Others(Case):
    """What the libraries write that people use."""

    def script(self, module, text, *args):
        python = python_with(module)
        if python is None:
            self.skipTest(f'no Python with {module} on this machine')
        r = subprocess.run([python, '-c', text, *args], capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r.stdout

    def test_onnx(self):
        said = json.loads(self.script('onnx', '''
import json, os, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
rng = np.random.default_rng(1)
w = {'w': rng.random((64, 300), dtype=np.float32), 'half': rng.random((50, 20)).astype(np.float16),
     'q': rng.integers(-128, 127, (1000, 3), dtype=np.int8), 'd': rng.random(7), 'ids': np.arange(5, dtype=np.int64)}
init = [numpy_helper.from_array(v, k) for k, v in w.items()]
init.append(helper.make_tensor('typed', TensorProto.FLOAT, [3], [1.0, 2.0, 3.0]))
init.append(helper.make_tensor('text', TensorProto.STRING, [2], [b'a', b'bc']))
inner = helper.make_graph([helper.make_node('Identity', ['deep'], ['y'])], 'then',
    [], [helper.make_tensor_value_info('y', TensorProto.FLOAT, [2])],
    [numpy_helper.from_array(np.array([1, 2], np.float32), 'deep')])
nodes = [helper.make_node('If', ['cond'], ['z'], then_branch=inner, else_branch=inner),
         helper.make_node('Constant', [], ['c'], value=numpy_helper.from_array(np.ones((4, 4), np.float32), 'constant'))]
graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('cond', TensorProto.BOOL, [])],
    [helper.make_tensor_value_info('z', TensorProto.FLOAT, [2])], init)
model = helper.make_model(graph, producer_name='tests')
os.makedirs('foreign/inside', exist_ok=True)
os.makedirs('foreign/outside', exist_ok=True)
onnx.save(model, 'foreign/inside/model.onnx')
onnx.save_model(model, 'foreign/outside/model.onnx', save_as_external_data=True, all_tensors_to_one_file=True,
    location='model.onnx.data', size_threshold=100)
print(json.dumps({k: [list(v.shape), v.nbytes, v.tobytes().hex()] for k, v in w.items()}))
'''))
        shown = {f['path']: f for f in show('foreign')['files']}
        self.assertEqual({p: f['format'] for p, f in shown.items()},
                         {'inside/model.onnx': 'onnx', 'outside/model.onnx': 'onnx', 'outside/model.onnx.data': 'onnx-data'})
        for path in ('inside/model.onnx', 'outside/model.onnx'):
            tensors = {t['name']: t for t in shown[path]['tensors']}
            self.assertLessEqual({'deep', 'constant', 'typed', 'text', *said}, set(tensors))
            for name, (shape, length, content) in said.items():
                t = tensors[name]
                self.assertEqual((t['shape'], t['len']), (shape, length), (path, name))
                with open(os.path.join('foreign', os.path.dirname(path), t.get('in', os.path.basename(path))), 'rb') as f:
                    f.seek(t['offset'])
                    self.assertEqual(f.read(t['len']).hex(), content, (path, name))
        self.assertIn('w', [t['name'] for t in shown['outside/model.onnx.data']['tensors']])
        seal('foreign.hufu', 'foreign')
        unseal('foreign.hufu', 'foreign-out')
        self.script('onnx', 'import onnx; onnx.checker.check_model("foreign-out/outside/model.onnx")')

    def test_torch(self):
        self.script('torch', '''
import torch
m = {'w': torch.arange(30000, dtype=torch.float32), 'b': torch.ones(5, dtype=torch.bfloat16)}
torch.save(m, 'new.pt')
torch.save(m, 'old.pt', _use_new_zipfile_serialization=False)
torch.jit.script(torch.nn.Linear(30, 40)).save('script.pt')
''')
        for name in ('new.pt', 'old.pt', 'script.pt'):
            self.assertEqual(show(name)['format'], 'pickle', name)
        self.round_trip('new.pt', 'old.pt', 'script.pt')


class Sizes(Case):
    def test_nothing_and_one_byte(self):
        put('tiny/empty', b'')
        put('tiny/one', b'G')
        said = seal('tiny.hufu', 'tiny')
        self.assertEqual((said['files'], said['plain_len']), (2, 1))
        unseal('tiny.hufu', 'tiny-out')
        self.assertEqual(filecmp.cmpfiles('tiny', 'tiny-out', ['empty', 'one'], shallow=False)[1:], ([], []))

    def test_a_hundred_thousand_tensors(self):
        data = [struct.pack('<I', i) for i in range(MANY)]
        names = [f'model.layers.{i}.weight' for i in range(MANY)]
        put('many.safetensors', models.safetensors({n: ('U8', [4], d) for n, d in zip(names, data)}))
        put('many.gguf', models.gguf({n: ('I8', [4], d) for n, d in zip(names, data)}))
        put('many.tflite', models.tflite([[(n, 'U8', [4], i + 1) for i, n in enumerate(names)]], [b''] + data))
        put('many.onnx', models.onnx({n: d for n, d in zip(names, data)})[0])
        for kind in ('safetensors', 'gguf', 'tflite', 'onnx'):
            shown = show(f'many.{kind}')
            self.assertEqual((shown['format'], shown['n_tensors']), (kind, MANY))
            with open(f'many.{kind}', 'rb') as f:
                content = f.read()
            by_name = {t['name']: t['offset'] for t in shown['tensors']}
            for i in range(0, MANY, 997):
                self.assertEqual(content[by_name[names[i]]:][:4], data[i])
        self.round_trip('many.safetensors', 'many.gguf', 'many.tflite', 'many.onnx')


class Hostile(Case):
    """Headers that were made to do harm: refused in words, and soon."""

    def check(self, content, *codes):
        put('hostile', content)
        r = run('show', 'hostile')
        self.assertIn(r.returncode, codes, r.stderr)
        self.assertTrue(r.stderr.startswith('hufu'), r.stderr)
        self.refuse_seal(r.returncode, 'hostile', 'hostile')

    def test_counts_and_lengths(self):
        huge = (2**31, 2**32 - 1, 2**63, 2**64 - 1)
        good = models.gguf({'a': ('F32', [4], bytes(16))})
        for n in huge:
            n64 = struct.pack('<Q', n)
            self.check(good[:8] + n64 + good[16:], INPUT, RESOURCES)  # tensors
            self.check(good[:16] + n64 + good[24:], INPUT, RESOURCES)  # pairs
            at = good.index(b'\x01\0\0\0\0\0\0\0a', 60)
            self.check(good[:at] + n64 + good[at + 8:], INPUT, RESOURCES)  # a name
            head = json.dumps({'a': {'dtype': 'U8', 'shape': [n], 'data_offsets': [0, n]}}).encode()
            self.check(struct.pack('<Q', len(head)) + head + bytes(8), INPUT, RESOURCES)
            flat = models.tflite([[('a', 'U8', [5], 1)]], [b'', b'12345'], behind=(1,))
            place = struct.pack('<QQ', flat.index(b'12345'), 5)
            at = flat.index(place)
            self.check(flat[:at] + n64 + flat[at + 8:], INPUT)
            self.check(flat[:at + 8] + n64 + flat[at + 16:], INPUT)

    def test_tensors_on_each_other(self):
        two = {'a': {'dtype': 'U8', 'shape': [8], 'data_offsets': [0, 8]},
               'b': {'dtype': 'U8', 'shape': [8], 'data_offsets': [4, 12]}}
        head = json.dumps(two).encode()
        self.check(struct.pack('<Q', len(head)) + head + bytes(12), INPUT)
        flat = bytearray(models.tflite([[('a', 'U8', [32], 1), ('b', 'U8', [32], 2)]],
                                       [b'', b'A' * 32, b'B' * 32], behind=(1, 2)))
        at = flat.index(struct.pack('<QQ', flat.index(b'B' * 32), 32))
        struct.pack_into('<Q', flat, at, flat.index(b'A' * 32) + 16)
        self.check(bytes(flat), INPUT)

    def test_distances_round_and_round(self):
        """Distances of a FlatBuffer that lead back, to themselves, and away: no answer but an answer."""
        flat = models.tflite([[('a', 'U8', [5], 1)]], [b'', b'12345'])
        for at in range(8, len(flat) - 4, 12):
            for value in (4, len(flat) - at - 4, 2**32 - at):
                put('hostile', flat[:at] + struct.pack('<I', value) + flat[at + 4:])
                r = run('show', 'hostile')
                self.assertIn(r.returncode, (OK, INPUT, RESOURCES), (at, value, r.stderr))

    def test_external_data_that_leave_the_folder(self):
        for location in ('../secret', '/etc/passwd', 'a/../../b', 'a\\b', 'c:b'):
            self.check(models.onnx({'a': bytes(16)}, ['a'], location)[0], INPUT)


if __name__ == '__main__':
    unittest.main()
