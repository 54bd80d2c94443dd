import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { Random } from '#src/common/index.js';
import { convolved, type ImageShape } from '#src/learning/networks/convolution.js';
import { perceptron } from '#src/learning/networks/mlp.js';
import { initialParameters, mlpLayout, splitParameters } from '#src/learning/networks/parameters.js';
import { evaluate } from '../support/evaluate.js';

const image: ImageShape = { height: 16, width: 24, channels: 3 };
const numbers = 16 * 24 * 3;
const normal = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(new Random(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1))), shape);

/** The same network as tfjs' own convolutions make it. */
function reference(parts: readonly tf.Tensor[], images: tf.Tensor): tf.Tensor {
  let x = tf.reshape(images, [-1, 16, 24, 3]) as tf.Tensor4D;
  for (let layer = 0; layer < 3; layer++)
    x = tf.relu(tf.add(tf.conv2d(x, parts[2 * layer] as tf.Tensor4D, 2, 1), tf.expandDims(parts[2 * layer + 1]!, 0)));
  return tf.reshape(x, [x.shape[0], -1]);
}

const close = (found: tf.Tensor, expected: tf.Tensor): void => {
  expect(found.shape).toEqual(expected.shape);
  expect(tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]).toBeLessThan(2e-5);
};

describe('images among the features', () => {
  const layout = mlpLayout([numbers + 5, 32, 4], 0, [image]);
  const parts = splitParameters(tf.tensor1d(initialParameters(layout, new Random(1))), layout);
  const features = normal([7, numbers + 5], 2);

  test('pass three convolutions, which are those of tfjs, and the other numbers go round them', () => {
    const found = convolved(parts, features);
    expect(found.parts).toHaveLength(4);
    const [images, others] = tf.split(features, [numbers, 5], 1) as [tf.Tensor, tf.Tensor];
    close(found.features, tf.concat([reference(parts, images), others], 1));
    expect(found.features.shape[1]).toBe(2 * 3 * 32 + 5);
  });

  test('have the gradients of tfjs’ convolutions: of every part, and of the image', () => {
    const loss =
      (way: (p: readonly tf.Tensor[], x: tf.Tensor) => tf.Tensor) =>
      (x: tf.Tensor, ...p: tf.Tensor[]) =>
        tf.sum(tf.square(way(p, x))) as tf.Scalar;
    const ours = loss((p, x) => convolved([...p, ...parts.slice(6)], x).features);
    const theirs = loss((p, x) => {
      const [images, others] = tf.split(x, [numbers, 5], 1) as [tf.Tensor, tf.Tensor];
      return tf.concat([reference(p, images), others], 1);
    });
    const given = [features, ...parts.slice(0, 6)];
    const [found, expected] = [tf.grads(ours)(given), tf.grads(theirs)(given)];
    found.forEach((gradient, i) => {
      const scale = tf.max(tf.abs(expected[i]!));
      expect(scale.dataSync()[0]).toBeGreaterThan(0);
      close(tf.div(gradient, scale), tf.div(expected[i]!, scale));
    });
  });

  test('give the same in a compiled program as in tfjs, with their gradients', async () => {
    const given = [features, ...parts];
    const named = Object.fromEntries(
      given.map((tensor, i) => [`x${i}`, { shape: tensor.shape, data: tensor.dataSync() }]),
    );
    const whole = (x: tf.Tensor, ...p: tf.Tensor[]) => tf.mean(tf.square(perceptron(p, x))) as tf.Scalar;
    const expected = tf.grads(whole)(given);
    const found = await evaluate(named, (inputs) => {
      const gradients = tf.grads(whole)(given.map((_, i) => inputs[`x${i}`]!));
      return Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient]));
    });
    expected.forEach((gradient, i) => {
      close(tf.tensor(found[`g${i}`] as Float32Array, gradient.shape), gradient);
    });
  });

  test('several images, in a stack of critics: each network gives what it gives alone', () => {
    const images = [image, { height: 8, width: 8, channels: 1 }];
    const inputs = numbers + 64 + 2;
    const stacked = mlpLayout([inputs, 16, 1], 2, images);
    const flat = initialParameters(stacked, new Random(3));
    const both = splitParameters(tf.tensor1d(flat), stacked);
    const x = normal([5, inputs], 4);
    const found = perceptron(both, tf.tile(tf.expandDims(x, 0), [2, 1, 1]), true);
    expect(found.shape).toEqual([2, 5, 1]);
    const alone = [0, 1].map((i) =>
      perceptron(
        both.map((part) => part.gather([i])).map((part) => tf.squeeze(part, [0])),
        x,
        true,
      ),
    );
    close(found, tf.stack(alone));
    expect(tf.max(tf.abs(tf.sub(alone[0]!, alone[1]!))).dataSync()[0]).toBeGreaterThan(1e-3);
  });

  test('without images nothing changes', () => {
    const plain = mlpLayout([5, 8, 2]);
    expect(plain).toEqual(mlpLayout([5, 8, 2], 0, []));
    const given = splitParameters(tf.tensor1d(initialParameters(plain, new Random(1))), plain);
    const x = normal([3, 5], 1);
    expect(convolved(given, x)).toEqual({ parts: given, features: x });
  });
});
