import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { IqLearnError, type PackedError, packError, parseOrThrow, unpackError } from '#src/common/index.js';

const roundTrip = (thrown: unknown): IqLearnError =>
  unpackError(structuredClone(JSON.parse(JSON.stringify(packError(thrown))) as PackedError));

describe('an error that crosses the border of a process', () => {
  it('keeps its code, message and every part', () => {
    for (const details of [
      {},
      { found: 'a; found: b' },
      { found: '0.5', expected: 'an integer', remedy: 'round it' },
      { remedy: 'try again' },
    ]) {
      const error = new IqLearnError('DIVERGED', 'learning diverged', details);
      const copy = roundTrip(error);
      const { code, what, message, found, expected, remedy } = error;
      expect(copy).toBeInstanceOf(IqLearnError);
      expect({ ...copy, message: copy.message }).toEqual({ ...error, message });
      expect(copy).toMatchObject({ code, what, found, expected, remedy });
      expect(roundTrip(copy).message).toBe(message);
    }
  });

  it('is INTERNAL where it was not one of ours, with what was being done before its message', () => {
    const copy = roundTrip(packError(new RangeError('out of range'), 'the worker failed'));
    expect(copy.code).toBe('INTERNAL');
    expect(unpackError(packError(new RangeError('out of range'), 'the worker failed')).message).toBe(
      'the worker failed: out of range',
    );
    expect(unpackError(packError('just text')).message).toBe('just text');
  });
});

describe('parseOrThrow', () => {
  const schema = z.strictObject({
    steps: z.int().min(1),
    learner: z.strictObject({ hiddenSizes: z.array(z.int().min(1)), gamma: z.number().default(0.99) }).optional(),
  });
  const refused = (value: unknown, options = {}): IqLearnError => {
    try {
      parseOrThrow(schema, value, { what: 'bad setting', ...options });
    } catch (error) {
      return error as IqLearnError;
    }
    throw new Error('nothing was thrown');
  };

  it('gives the value as the schema puts it, with defaults', () => {
    expect(parseOrThrow(schema, { steps: 2, learner: { hiddenSizes: [3] } }, { what: 'bad setting' })).toEqual({
      steps: 2,
      learner: { hiddenSizes: [3], gamma: 0.99 },
    });
  });

  it('names a nested field and shows the value that was found there', () => {
    const error = refused(
      { steps: 2, learner: { hiddenSizes: [64, -1] } },
      { code: 'CORRUPT_DATA', remedy: 'mend it' },
    );
    expect(error).toMatchObject({ code: 'CORRUPT_DATA', what: 'bad setting learner.hiddenSizes.1', found: '-1' });
    expect(error.remedy).toBe('mend it');
  });

  it('shows a missing field as nothing, and a value that is wrong as a whole without a field', () => {
    expect(refused({})).toMatchObject({ what: 'bad setting steps', found: 'nothing' });
    expect(refused(7)).toMatchObject({ what: 'bad setting', found: '7', code: 'INVALID_CONFIG' });
  });

  it('puts an unknown field first and proposes the known one at its level', () => {
    const error = refused({ stepps: 3 }, { remedy: 'see README.md' });
    expect(error).toMatchObject({ what: 'bad setting stepps', expected: 'one of steps, learner' });
    expect(error.found).toBe("an unknown field 'stepps'");
    expect(error.remedy).toBe("did you mean 'steps'? see README.md");
    expect(refused({ steps: 1, learner: { hiddenSizes: [1], gama: 0.9 } })).toMatchObject({
      what: 'bad setting learner.gama',
      expected: 'one of hiddenSizes, gamma',
      remedy: "did you mean 'gamma'?",
    });
  });
});
