import fc from 'fast-check';
import protobufjs from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { emptyMessage, type MessageTypes, messageTypeNames, protobuf, serviceTypeNames } from '#src/messages/index.js';
import { anyMessage } from './arbitrary.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('protobuf', () => {
  it.each(messageTypeNames)('%s survives the way to bytes and back', (type) => {
    fc.assert(
      fc.property(anyMessage(type), (message) => {
        const bytes = protobuf.encode(type, message as MessageTypes[typeof type]);
        expect(protobuf.decode(type, bytes)).toEqual(message);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('carries requests and responses of services', () => {
    for (const service of serviceTypeNames)
      for (const part of ['Request', 'Response'] as const) {
        const type = `${service}_${part}` as const;
        expect(protobuf.decode(type, protobuf.encode(type, emptyMessage(type)))).toEqual(emptyMessage(type));
      }
  });

  it('writes the bytes that a hand makes from the specification', () => {
    expect(hex(protobuf.encode('std_msgs/msg/Bool', { data: true }))).toBe('0801');
    expect(hex(protobuf.encode('std_msgs/msg/Bool', { data: false }))).toBe('');
    expect(hex(protobuf.encode('std_msgs/msg/String', { data: 'їж' }))).toBe('0a04d197d0b6');
    const header = { stamp: { sec: -1, nanosec: 300 }, frame_id: 'a' };
    // stamp: 1 is sint32 -1 -> 01, 2 is uint32 300 -> ac02; frame_id is field 2 of the header
    expect(hex(protobuf.encode('std_msgs/msg/Header', header))).toBe('0a050801' + '10ac02' + '120161');
    expect(hex(protobuf.encode('sensor_msgs/msg/Joy', { header, axes: [1, -0], buttons: [-2] }))).toBe(
      '0a0a' + '0a050801' + '10ac02' + '120161' + '1208' + '0000803f' + '00000080' + '1a01' + '03',
    );
  });

  it('reads what other writers may send: unpacked lists, lists in parts, unknown fields', () => {
    const bytes = Buffer.from('15' + '0000803f' + '1204' + '00000040' + '18' + '03' + 'fa01' + '02' + 'abcd', 'hex');
    const joy = protobuf.decode('sensor_msgs/msg/Joy', bytes);
    expect(joy).toEqual({
      ...emptyMessage('sensor_msgs/msg/Joy'),
      axes: Float32Array.of(1, 2),
      buttons: Int32Array.of(-2),
    });
  });

  it('names the field that does not fit', () => {
    const wrong = { header: emptyMessage('std_msgs/msg/Header'), axes: [0, '1'], buttons: [] };
    expect(thrownBy(() => protobuf.encode('sensor_msgs/msg/Joy', wrong as never))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      found: "axes[1] = '1'",
    });
    expect(thrownBy(() => protobuf.decode('sensor_msgs/msg/Jay' as never, new Uint8Array(0)))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('tells names apart that differ in one letter, however often they come', () => {
    const names = ['rover-1', 'rover-2', 'sover-1', 'rover-11', 'rövèr-1', 'x'.repeat(300), `${'x'.repeat(299)}y`];
    for (let i = 0; i < 200; i++) {
      const data = names[(i * i + i) % names.length]!;
      expect(protobuf.decode('std_msgs/msg/String', protobuf.encode('std_msgs/msg/String', { data }))).toEqual({
        data,
      });
    }
  });

  it('does not copy the payload of an envelope, which is decoded at once', () => {
    const type = 'iq_learn_link/msg/Envelope';
    const bytes = protobuf.encode(type, { ...emptyMessage(type), payload: Uint8Array.of(1, 2, 3) });
    const { payload } = protobuf.decode(type, bytes);
    expect([...payload]).toEqual([1, 2, 3]);
    expect(payload.buffer).toBe(bytes.buffer);
  });

  it('gives arrays that do not change when the bytes are used again', () => {
    const bytes = protobuf.encode('sensor_msgs/msg/Joy', { ...emptyMessage('sensor_msgs/msg/Joy'), axes: [1, 2] });
    const joy = protobuf.decode('sensor_msgs/msg/Joy', bytes);
    const policy = protobuf.encode('iq_learn_link/msg/SignedPolicy', {
      ...emptyMessage('iq_learn_link/msg/SignedPolicy'),
      bundle: Uint8Array.of(1, 2),
    });
    const signed = protobuf.decode('iq_learn_link/msg/SignedPolicy', policy);
    bytes.fill(0xff);
    policy.fill(0xff);
    expect(joy.axes).toEqual(Float32Array.of(1, 2));
    expect(signed.bundle).toEqual(Uint8Array.of(1, 2));
  });
});

describe('fault F21: malicious bytes', () => {
  it.each(messageTypeNames)('%s: any bytes give a message or CORRUPT_DATA, nothing else', (type) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const error = thrownBy(() => protobuf.decode(type, bytes));
        if (error !== undefined) expect(error).toMatchObject({ name: 'IqLearnError', code: 'CORRUPT_DATA' });
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it.each(messageTypeNames)('%s: changed and cut bytes of a message do no harm', (type) => {
    fc.assert(
      fc.property(anyMessage(type), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (message, at, byte, cut) => {
        const bytes = protobuf.encode(type, message as MessageTypes[typeof type]);
        if (bytes.length === 0) return;
        bytes[at % bytes.length] = byte;
        const error = thrownBy(() => protobuf.decode(type, bytes.subarray(0, bytes.length - (cut % bytes.length))));
        if (error !== undefined) expect(error).toMatchObject({ code: 'CORRUPT_DATA' });
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('does not allocate what a false length promises', () => {
    // A list of floats, and bytes, of 2 GB in a few bytes.
    const before = process.memoryUsage().arrayBuffers;
    for (const [type, bytes] of [
      ['sensor_msgs/msg/Joy', '12ffffffff07'],
      ['iq_learn/msg/PolicyBundle', '2affffffff07'],
      ['iq_learn/msg/PolicyBundle', '2affffffff0f'],
      ['nav_msgs/msg/Odometry', '0affffffff07'],
    ] as const)
      expect(thrownBy(() => protobuf.decode(type, Buffer.from(bytes, 'hex')))).toMatchObject({ code: 'CORRUPT_DATA' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  });

  it('refuses more bytes than any message has before it reads one', () => {
    const bytes = new Uint8Array(protobuf.maxBytes + 1);
    expect(thrownBy(() => protobuf.decode('std_msgs/msg/Bool', bytes))).toMatchObject({
      code: 'CORRUPT_DATA',
      found: `${bytes.length} bytes`,
    });
  });

  it('refuses groups, however deep, without following them', () => {
    // 21 KB of groups in an unknown field made other decoders overflow their stack.
    for (const length of [1, 21_000])
      expect(thrownBy(() => protobuf.decode('std_msgs/msg/Bool', new Uint8Array(length).fill(0x7b)))).toMatchObject({
        code: 'CORRUPT_DATA',
      });
  });

  it('refuses a covariance of the wrong length, and text that is not UTF-8', () => {
    const odometry = protobuf.encode('nav_msgs/msg/Odometry', emptyMessage('nav_msgs/msg/Odometry'));
    expect(protobuf.decode('nav_msgs/msg/Odometry', odometry).twist.covariance).toHaveLength(36);
    expect(thrownBy(() => protobuf.decode('nav_msgs/msg/Odometry', new Uint8Array(0)))).toMatchObject({
      found: '0 elements where exactly 36 are allowed',
    });
    expect(thrownBy(() => protobuf.decode('std_msgs/msg/String', Buffer.from('0a01ff', 'hex')))).toMatchObject({
      code: 'CORRUPT_DATA',
    });
  });
});

describe('a second opinion', () => {
  it('protobufjs, from proto/iq_learn.proto, reads a transition as we wrote it', async () => {
    const { Transition } = (await protobufjs.load('proto/iq_learn.proto')).nested!.iq_learn as never as {
      Transition: protobufjs.Type;
    };
    fc.assert(
      fc.property(anyMessage('iq_learn/msg/Transition'), (message) => {
        const sent = message as MessageTypes['iq_learn/msg/Transition'];
        const found = Transition.decode(protobuf.encode('iq_learn/msg/Transition', sent)) as never as {
          [name: string]: unknown;
        };
        expect(String(found.sequence)).toBe(String(sent.sequence));
        expect(String(found.policyVersion)).toBe(String(sent.policy_version));
        expect(Float32Array.from(found.observation as number[])).toEqual(sent.observation);
        expect(found.robot).toBe(sent.robot);
      }),
      { numRuns: 50, seed: 6 },
    );
  });
});
