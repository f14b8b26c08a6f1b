# SPDX-License-Identifier: Apache-2.0
"""Model files written without any code of Hufu, from the documents of their formats alone."""
import json
import os
import random
import struct


def safetensors(tensors):
    """tensors: name -> (dtype, shape, bytes)."""
    head, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        head[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [at, at + len(data)]}
        at += len(data)
    text = json.dumps(head).encode()
    return struct.pack('<Q', len(text)) + text + b''.join(t[2] for t in tensors.values())


GGUF_TYPES = {'F32': 0, 'F16': 1, 'Q8_0': 8, 'I8': 24, 'BF16': 30}


def gguf(tensors, version=3, align=32):
    """tensors: name -> (dtype, shape with the fastest dimension first, bytes)."""
    def text(s):
        return struct.pack('<Q', len(s.encode())) + s.encode()
    pairs = [text('general.alignment') + struct.pack('<II', 4, align),
             text('general.name') + struct.pack('<I', 8) + text('tests'),
             text('tokenizer.ggml.tokens') + struct.pack('<IIQ', 9, 8, 2) + text('a') + text('b')]
    head = bytearray(b'GGUF' + struct.pack('<IQQ', version, len(tensors), len(pairs)) + b''.join(pairs))
    data = bytearray()
    for name, (dtype, shape, content) in tensors.items():
        data += bytes(-len(data) % align)
        head += text(name) + struct.pack('<I', len(shape)) + struct.pack(f'<{len(shape)}Q', *shape)
        head += struct.pack('<IQ', GGUF_TYPES[dtype], len(data))
        data += content
    return bytes(head) + bytes(-len(head) % align) + bytes(data)


class FlatBuffer:
    """Written front to back: places are reserved and filled in when it is known where they lead."""

    def __init__(self, mark):
        self.b = bytearray(4) + mark

    def table(self, *lens):
        """A table with fields of these lengths (0: not there); where it is, and where they are."""
        self.b += bytes(-len(self.b) % 8)
        slots, at = [], 4
        for n in lens:
            at += -at % n if n else 0
            slots.append(at if n else 0)
            at += n
        vtable = struct.pack('<HH', 4 + 2 * len(lens), at) + struct.pack(f'<{len(lens)}H', *slots)
        vtable += bytes(-len(vtable) % 8)
        self.b += vtable + struct.pack('<i', len(vtable))
        where = len(self.b) - 4
        self.b += bytes(at - 4)
        return where, [where + s for s in slots]

    def put(self, at, form, *values):
        struct.pack_into('<' + form, self.b, at, *values)

    def lead(self, at, to):
        self.put(at, 'I', to - at)

    def vector(self, n, content, align=4):
        while (len(self.b) + 4) % align:
            self.b.append(0)
        self.b += struct.pack('<I', n) + content
        return len(self.b) - len(content) - 4


TFLITE_TYPES = {'F32': 0, 'F16': 1, 'I32': 2, 'U8': 3, 'I8': 9, 'I4': 17, 'BF16': 18}


def tflite(subgraphs, buffers, behind=()):
    """subgraphs: lists of (name, dtype, shape, number of the buffer); buffers: bytes each, the first one empty.

    Those whose numbers are in behind lie behind the FlatBuffer."""
    f = FlatBuffer(b'TFL3')
    model, (version, _, graphs_at, _, buffers_at) = f.table(4, 0, 4, 0, 4)
    f.lead(0, model)
    f.put(version, 'I', 3)
    graphs = f.vector(len(subgraphs), bytes(4 * len(subgraphs)))
    f.lead(graphs_at, graphs)
    for i, tensors in enumerate(subgraphs):
        graph, (tensors_at,) = f.table(4)
        f.lead(graphs + 4 + 4 * i, graph)
        rows = f.vector(len(tensors), bytes(4 * len(tensors)))
        f.lead(tensors_at, rows)
        for k, (name, dtype, shape, buffer) in enumerate(tensors):
            tensor, (shape_at, type_at, number, name_at) = f.table(4, 1, 4, 4)
            f.lead(rows + 4 + 4 * k, tensor)
            f.put(type_at, 'B', TFLITE_TYPES[dtype])
            f.put(number, 'I', buffer)
            f.lead(shape_at, f.vector(len(shape), struct.pack(f'<{len(shape)}i', *shape)))
            f.lead(name_at, f.vector(len(name.encode()), name.encode()))
            f.b.append(0)
    rows = f.vector(len(buffers), bytes(4 * len(buffers)))
    f.lead(buffers_at, rows)
    outside = []
    for i, data in enumerate(buffers):
        is_outside = i in behind
        buffer, (data_at, offset, size) = f.table(4 if data and not is_outside else 0, 8 * is_outside, 8 * is_outside)
        f.lead(rows + 4 + 4 * i, buffer)
        if is_outside:
            outside.append((offset, size, data))
        elif data:
            f.lead(data_at, f.vector(len(data), data, 16))
    for offset, size, data in outside:
        f.b += bytes(-len(f.b) % 16)
        f.put(offset, 'Q', len(f.b))
        f.put(size, 'Q', len(data))
        f.b += data
    return bytes(f.b)


def onnx(tensors, outside=(), location='weights.bin'):
    """An ONNX file and the file beside it. tensors: name -> float32 bytes; those in outside lie beside."""
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    def field(number, content):
        if isinstance(content, int):
            return varint(number << 3) + varint(content)
        return varint(number << 3 | 2) + varint(len(content)) + content

    graph, beside = bytearray(field(2, b'g')), bytearray()
    for name, data in tensors.items():
        t = field(1, len(data) // 4) + field(2, 1) + field(8, name.encode())
        if name in outside:
            beside += bytes(-len(beside) % 4096)
            for key, value in (('location', location), ('offset', len(beside)), ('length', len(data))):
                t += field(13, field(1, key.encode()) + field(2, str(value).encode()))
            t += field(14, 1)
            beside += data
        else:
            t += field(9, data)
        graph += field(5, t)
    return field(1, 8) + field(7, bytes(graph)) + field(8, field(2, 15)), bytes(beside)


def put(path, content):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(content)


def folder(top, seed=1, note='a'):
    """A model as it is published: two shards with their index, tokenizer, and exports for other runtimes.

    With another seed one tensor of each kind of file is another one."""
    def w(n, k):
        return random.Random(seed * 100 + k if k == 3 else k).randbytes(n)

    shards = {'model-00001-of-00002.safetensors': {'a': ('F32', [100, 500], w(200000, 1)), 'b': ('BF16', [7], w(14, 2))},
              'model-00002-of-00002.safetensors': {'c': ('F16', [75, 1000], w(150000, 3)), 'd': ('I8', [90000], w(90000, 4))}}
    index = {'metadata': {'note': note}, 'weight_map': {t: s for s, ts in shards.items() for t in ts}}
    for name, tensors in shards.items():
        put(f'{top}/{name}', safetensors(tensors))
    put(f'{top}/model.safetensors.index.json', json.dumps(index).encode())
    put(f'{top}/config.json', json.dumps({'note': note}).encode())
    put(f'{top}/tokenizer/vocab.json', b'{"a": 0}')
    put(f'{top}/tokenizer/虎符/merges.txt', b'a b\n')
    put(f'{top}/empty', b'')
    put(f'{top}/one', b'1')
    put(f'{top}/gguf/q8.gguf', gguf({'e': ('Q8_0', [64, 2000], w(136000, 3)), 'f': ('F32', [9], w(36, 5))}))
    buffers = [b'', w(120000, 6), w(100000, 3), b'1.5.0\0']
    tensors = [[('g', 'F32', [300, 100], 1), ('x', 'F32', [1, 9], 0)], [('h', 'I8', [100000], 2), ('g2', 'F32', [30000], 1)]]
    put(f'{top}/edge/model.tflite', tflite(tensors, buffers))
    put(f'{top}/edge/large.tflite', tflite(tensors, buffers, behind=(1, 2)))
    graph, beside = onnx({'near': w(80000, 7), 'far': w(400000, 3), 'wide': w(80000, 8)}, ['far', 'wide'])
    put(f'{top}/onnx/model.onnx', graph)
    put(f'{top}/onnx/weights.bin', beside)
