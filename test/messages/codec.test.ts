import { parse } from '@foxglove/rosmsg';
import { MessageReader, MessageWriter } from '@foxglove/rosmsg2-serialization';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { decode, emptyMessage, encode, type MessageTypes, messageTypeNames, schemaOf } from '#src/messages/index.js';
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

describe('codec', () => {
  it.each(messageTypeNames)('%s survives the way to bytes and back, and in the other byte order', (type) => {
    fc.assert(
      fc.property(anyMessage(type), (message) => {
        const bytes = encode(type, message as MessageTypes[typeof type]);
        expect(decode(type, bytes)).toEqual(message);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it.each(messageTypeNames)('%s: the same bytes as an independent writer, where that one can write it', (type) => {
    const definitions = parse(schemaOf(type), { ros2: true });
    const writer = new MessageWriter(definitions);
    const reader = new MessageReader(definitions);
    fc.assert(
      fc.property(anyMessage(type), (message) => {
        const bytes = encode(type, message as MessageTypes[typeof type]);
        // the independent writer counts UTF-16 units as bytes: it can only be asked for ASCII
        const text = JSON.stringify(message, (_, v) => (typeof v === 'bigint' ? String(v) : v));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant
        if (/^[\x00-\x7f]*$/.test(text))
          expect(hex(bytes)).toBe(hex(writer.writeMessage(message).subarray(0, bytes.length)));
        expect(reader.readMessage(bytes)).toEqual(message);
      }),
      { numRuns: 40, seed: 2 },
    );
  });

  it('writes the bytes that a hand makes from the CDR specification', () => {
    expect(hex(encode('std_msgs/msg/Bool', { data: true }))).toBe('00010000' + '01');
    expect(hex(encode('std_msgs/msg/String', { data: 'їж' }))).toBe('00010000' + '05000000' + 'd197d0b6' + '00');
    const header = { stamp: { sec: 1, nanosec: 2 }, frame_id: 'ab' };
    const headerHex = '01000000' + '02000000' + '03000000' + '616200';
    expect(hex(encode('std_msgs/msg/Header', header))).toBe(`00010000${headerHex}`);
    // after the header 15 bytes are used: 1 byte of padding before the count of names, and after 'j' (26 bytes used)
    // 2 before the count of positions; 32 bytes are used then, so the doubles need none
    expect(
      hex(
        encode('sensor_msgs/msg/JointState', { header, name: ['j'], position: [1], velocity: [], effort: [-2, 0.5] }),
      ),
    ).toBe(
      `00010000${headerHex}00` +
        '01000000' +
        '02000000' +
        '6a00' +
        '0000' + // one name, two bytes with its terminator, padding
        '01000000' +
        '000000000000f03f' + // 1.0 at byte 32: no padding
        '00000000' + // no velocities, no padding for none
        '02000000' +
        '00000000000000c0' +
        '000000000000e03f', // -2.0, 0.5 at byte 48
    );
  });

  it('takes number arrays of any kind and gives typed ones', () => {
    const joint = {
      ...emptyMessage('sensor_msgs/msg/JointState'),
      position: new Float32Array([1, 2]) as unknown as Float64Array,
    };
    const again = decode('sensor_msgs/msg/JointState', encode('sensor_msgs/msg/JointState', joint));
    expect(again.position).toEqual(new Float64Array([1, 2]));
  });

  it('reads big-endian CDR', () => {
    const bytes = Buffer.from(
      '00000000' + '00000001' + '00000002' + '00000002' + '6100' + '0000' + '00000001' + '3f800000' + '00000000',
      'hex',
    );
    const joy = decode('sensor_msgs/msg/Joy', bytes);
    expect(joy).toEqual({
      header: { stamp: { sec: 1, nanosec: 2 }, frame_id: 'a' },
      axes: new Float32Array([1]),
      buttons: new Int32Array(0),
    });
  });

  it('keeps NaN and infinities', () => {
    const scan = { ...emptyMessage('sensor_msgs/msg/LaserScan'), ranges: [Number.NaN, Number.POSITIVE_INFINITY, -0] };
    expect(decode('sensor_msgs/msg/LaserScan', encode('sensor_msgs/msg/LaserScan', scan)).ranges).toEqual(
      new Float32Array(scan.ranges),
    );
  });

  it('gives arrays that do not change when the bytes are used again', () => {
    const bytes = encode('sensor_msgs/msg/Joy', { ...emptyMessage('sensor_msgs/msg/Joy'), axes: [1, 2] });
    const joy = decode('sensor_msgs/msg/Joy', bytes);
    bytes.fill(0xff);
    expect(joy.axes).toEqual(new Float32Array([1, 2]));
  });

  it('makes empty messages with the defaults of their definitions', () => {
    expect(emptyMessage('geometry_msgs/msg/PoseStamped').pose.orientation).toEqual({ x: 0, y: 0, z: 0, w: 1 });
    expect(emptyMessage('nav_msgs/msg/Odometry').pose.covariance).toEqual(new Float64Array(36));
    expect(emptyMessage('iq_learn/msg/EpisodeEvent')).toMatchObject({ seed: 0n, terminated: false, reason: '' });
    for (const type of messageTypeNames)
      expect(decode(type, encode(type, emptyMessage(type)))).toEqual(emptyMessage(type));
  });

  it.each([
    ['a missing field', { header: emptyMessage('std_msgs/msg/Header'), axes: [] }, 'buttons = undefined'],
    ['a string for a number', { ...emptyMessage('sensor_msgs/msg/Joy'), axes: [0, '1'] }, "axes[1] = '1'"],
    ['a fraction for an integer', { ...emptyMessage('sensor_msgs/msg/Joy'), buttons: [0.5] }, 'buttons[0] = 0.5'],
    [
      'a number out of range',
      { ...emptyMessage('sensor_msgs/msg/Joy'), header: { stamp: { sec: 2 ** 31, nanosec: 0 }, frame_id: '' } },
      'header.stamp.sec = 2147483648',
    ],
    ['null', null, 'the message = null'],
  ])('refuses to encode %s and names the field', (_, message, found) => {
    const error = thrownBy(() => encode('sensor_msgs/msg/Joy', message as never));
    expect(error).toBeInstanceOf(IqLearnError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', found });
  });

  it('refuses a covariance of the wrong length', () => {
    const odometry = emptyMessage('nav_msgs/msg/Odometry');
    odometry.twist.covariance = [0, 0, 0];
    expect(thrownBy(() => encode('nav_msgs/msg/Odometry', odometry))).toMatchObject({
      found: 'twist.covariance = 3 elements',
      expected: 'exactly 36',
    });
  });
});

describe('fault F21: garbage', () => {
  it.each(messageTypeNames)('%s: any bytes give a message or CORRUPT_DATA, nothing else', (type) => {
    const cdr = fc.uint8Array({ maxLength: 300 }).map((body) => Uint8Array.from([0, 1, 0, 0, ...body]));
    fc.assert(
      fc.property(fc.oneof(cdr, fc.uint8Array({ maxLength: 50 })), (bytes) => {
        const error = thrownBy(() => decode(type, bytes));
        if (error !== undefined) expect(error).toMatchObject({ name: 'IqLearnError', code: 'CORRUPT_DATA' });
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it.each(messageTypeNames)('%s: every truncation by more than the padding is refused', (type) => {
    const bytes = encode(type, fc.sample(anyMessage(type), { numRuns: 1, seed: 4 })[0] as never);
    for (let n = 0; n < bytes.length; n++)
      expect(
        thrownBy(() => decode(type, bytes.subarray(0, n))),
        `${n} of ${bytes.length} bytes`,
      ).toMatchObject({ code: 'CORRUPT_DATA' });
    expect(thrownBy(() => decode(type, Uint8Array.from([...bytes, 0, 0, 0, 0])))).toMatchObject({
      code: 'CORRUPT_DATA',
    });
  });

  it('does not allocate what a false length promises', () => {
    // 4 294 967 295 doubles, names, or points in a few bytes
    const bomb = Buffer.from(`00010000${'00000000'.repeat(2)}0100000000${'000000'}ffffffff`, 'hex');
    const before = process.memoryUsage().arrayBuffers;
    for (const type of [
      'sensor_msgs/msg/JointState',
      'trajectory_msgs/msg/JointTrajectory',
      'sensor_msgs/msg/Joy',
    ] as const)
      expect(thrownBy(() => decode(type, bomb))).toMatchObject({ code: 'CORRUPT_DATA' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  });

  it('does not read into the neighbourhood of the bytes it was given', () => {
    const whole = encode('std_msgs/msg/String', { data: 'secret behind' });
    const part = new Uint8Array(whole.buffer, 0, 12); // same buffer, fewer bytes
    expect(thrownBy(() => decode('std_msgs/msg/String', part))).toMatchObject({ code: 'CORRUPT_DATA' });
  });

  it('proposes the nearest type for an unknown one', () => {
    expect(thrownBy(() => encode('sensor_msgs/msg/JointStat' as never, {} as never))).toMatchObject({
      code: 'NOT_FOUND',
      remedy: "did you mean 'sensor_msgs/msg/JointState'?",
    });
  });
});
