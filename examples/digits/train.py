#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digits classifier of the demo and writes it as safetensors (needs python3-sklearn).

usage: train.py OUT_DIR [--version 1|2]

OUT_DIR/digits-vN.safetensors  a network 64-128-64-10 with ReLU, float32, trained on three quarters of
                               scikit-learn's 1797 handwritten digits (8 x 8 pixels, 0 .. 16)
OUT_DIR/digits-test.safetensors  the other quarter: pixels and labels, uint8; never seen in training

Version 2 is the same network trained longer. The result is
the same on every run of one version of scikit-learn.
"""
import argparse
import json
import os
import struct

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

DTYPES = {'float32': 'F32', 'uint8': 'U8'}


def write_safetensors(path, tensors, metadata):
    """Tensors in the order given; the header is padded with spaces to a multiple of eight."""
    head, data = {'__metadata__': metadata}, b''
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        head[name] = {'dtype': DTYPES[str(array.dtype)], 'shape': list(array.shape),
                      'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + data)


def network(net):
    """Weights by the names that the classifier in C looks for: rows are outputs."""
    out = {}
    for i, (w, b) in enumerate(zip(net.coefs_, net.intercepts_), 1):
        out[f'fc{i}.weight'] = w.T.astype(np.float32)
        out[f'fc{i}.bias'] = b.astype(np.float32)
    return out


def classify(tensors, pixels):
    """The same arithmetic as digits.c, in float32."""
    x = pixels.astype(np.float32) / np.float32(16)
    for i in (1, 2, 3):
        x = x @ tensors[f'fc{i}.weight'].T + tensors[f'fc{i}.bias']
        if i < 3:
            x = np.maximum(x, 0)
    return x.argmax(axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('out')
    parser.add_argument('--version', type=int, choices=(1, 2), default=1)
    args = parser.parse_args()

    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data, digits.target, test_size=0.25, random_state=7, stratify=digits.target)
    net = MLPClassifier((128, 64), random_state=7, max_iter=30 if args.version == 1 else 200)
    net.fit(train_x / 16, train_y)

    os.makedirs(args.out, exist_ok=True)
    tensors = network(net)
    right = int((classify(tensors, test_x) == test_y).sum())
    name = f'digits-v{args.version}.safetensors'
    write_safetensors(os.path.join(args.out, name), tensors,
                      {'format': 'pt', 'task': 'digits', 'right': f'{right}/{len(test_y)}'})
    write_safetensors(os.path.join(args.out, 'digits-test.safetensors'),
                      {'pixels': test_x.astype(np.uint8), 'labels': test_y.astype(np.uint8)}, {})
    print(f'{name}: {right} of {len(test_y)} right ({100 * right / len(test_y):.2f} %)')


if __name__ == '__main__':
    main()
