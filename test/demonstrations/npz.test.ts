import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { encodeNpzDemonstrations, importNpz, readNpz } from '#src/demonstrations/index.js';
import { stateOf } from '../support/state.js';
import { temporaryFolder } from './toy.js';

/**
 * Written by numpy 2.4 (savez_compressed): seven steps, observation t = (2t, 2t + 1), action −2t, reward t / 2; episode 0
 * is terminated at step 2, in episode 1 the next observation of step 5, (90, 91), is not the observation of step 6.
 */
const fixture =
  'UEsDBC0AAAAIAAAAIQB34xbO//////////8PABQAb2JzZXJ2YXRpb24ubnB5AQAQALgAAAAAAAAAawAAAAAAAACb7BfqGxDJyFDGUK2eklqcXK' +
  'RupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrmOgpGmjoKtQpkAy4GMGiwBxIOQATEDUC8AIgPAPEDIGZwZGAQAGIFIDYA' +
  'YgcgDnAEAFBLAwQtAAAACAAAACEAzSBBAf//////////CgAUAGFjdGlvbi5ucHkBABAAnAAAAAAAAABbAAAAAAAAAJvsF+obEMnIUMZQrZ6SWp' +
  'xcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GuY6CoaaOgq1CmQDLgYGhgYgPgCkgPgAEDMcZGBQAGKHgwBQSwMELQAA' +
  'AAgAAAAhAEeVlHH//////////xQAFABuZXh0X29ic2VydmF0aW9uLm5weQEAEAC4AAAAAAAAAG8AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbq' +
  'WgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvka5joKRpo6CrUKZAMuBgYGByAC4gYgXgDEB4D4ARAzODIwCACxAhAbAPEWJwaG' +
  'bUCcAGQXOAIAUEsDBC0AAAAIAAAAIQDvBq4y//////////8KABQAcmV3YXJkLm5weQEAEACcAAAAAAAAAFcAAAAAAAAAm+wX6hsQychQxlCtnp' +
  'JanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvka5jqaOgq1ChQALgYIsGdgaADiA0DM4MDAoADEDg4AUEsDBC0AAAAI' +
  'AAAAIQBRuKvm//////////8OABQAdGVybWluYXRlZC5ucHkBABAAhwAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6' +
  'Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GuY6mjoKtQoUAC4GBkYGIAAAUEsDBC0AAAAIAAAAIQB3ocys//////////8NABQAdHJ1bmNh' +
  'dGVkLm5weQEAEACHAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXlNqqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAv' +
  'ka5jqaOgq1ChQALgYwYAQAUEsDBC0AAAAIAAAAIQDSZEBh//////////8LABQAZXBpc29kZS5ucHkBABAAnAAAAAAAAABJAAAAAAAAAJvsF+ob' +
  'EMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GuY6mjoKtQoUAC4GJMCIhgFQSwMELQAAAAgAAAAhAL' +
  'Bdzwv//////////xIAFABlcGlzb2RlX3JldHVybi5ucHkBABAAkAAAAAAAAABMAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Ce' +
  'll9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC4GMPhhD6GVHABQSwECLQMtAAAACAAAACEAd+MWzmsAAAC4AAAADwAAAAAAAA' +
  'AAAAAAgAEAAAAAb2JzZXJ2YXRpb24ubnB5UEsBAi0DLQAAAAgAAAAhAM0gQQFbAAAAnAAAAAoAAAAAAAAAAAAAAIABrAAAAGFjdGlvbi5ucHlQ' +
  'SwECLQMtAAAACAAAACEAR5WUcW8AAAC4AAAAFAAAAAAAAAAAAAAAgAFDAQAAbmV4dF9vYnNlcnZhdGlvbi5ucHlQSwECLQMtAAAACAAAACEA7w' +
  'auMlcAAACcAAAACgAAAAAAAAAAAAAAgAH4AQAAcmV3YXJkLm5weVBLAQItAy0AAAAIAAAAIQBRuKvmSgAAAIcAAAAOAAAAAAAAAAAAAACAAYsC' +
  'AAB0ZXJtaW5hdGVkLm5weVBLAQItAy0AAAAIAAAAIQB3ocysSAAAAIcAAAANAAAAAAAAAAAAAACAARUDAAB0cnVuY2F0ZWQubnB5UEsBAi0DLQ' +
  'AAAAgAAAAhANJkQGFJAAAAnAAAAAsAAAAAAAAAAAAAAIABnAMAAGVwaXNvZGUubnB5UEsBAi0DLQAAAAgAAAAhALBdzwtMAAAAkAAAABIAAAAA' +
  'AAAAAAAAAIABIgQAAGVwaXNvZGVfcmV0dXJuLm5weVBLBQYAAAAACAAIAN8BAACyBAAAAAA=';

const write = (bytes: Uint8Array): string => {
  const path = join(temporaryFolder(), 'data.npz');
  writeFileSync(path, bytes);
  return path;
};
const sound = Buffer.from(fixture, 'base64');

describe('npz', () => {
  it('is read as it was written: observations, actions, rewards and ends', () => {
    const episodes = importNpz(write(sound));
    const again = importNpz(write(encodeNpzDemonstrations(episodes)));
    const content = ({ observations, actions, rewards, terminated, truncated }: (typeof episodes)[number]) => ({
      observations,
      actions,
      rewards,
      terminated,
      truncated,
    });
    expect(again.map(content)).toEqual(episodes.map(content));
    expect(() => encodeNpzDemonstrations([])).toThrow(/cannot be written/);
  });

  it('reads what numpy wrote', () => {
    const arrays = readNpz(write(sound));
    expect(arrays.get('action')).toEqual({ shape: [7, 1], data: new Float32Array([-0, -2, -4, -6, -8, -10, -12]) });
    expect(arrays.get('episode')).toEqual({ shape: [7], data: new Int32Array([0, 0, 0, 1, 1, 1, 1]) });
    expect(arrays.get('episode_return')).toEqual({ shape: [2], data: new Float64Array([1.5, 9]) });
  });

  it('becomes episodes with the true next observations', () => {
    const episodes = importNpz(write(sound), { rateHz: 10 });
    expect(episodes.map(({ length, terminated, truncated }) => [length, terminated, truncated])).toEqual([
      [3, true, false],
      [3, false, true],
      [1, false, true],
    ]);
    expect(episodes.map(({ observations }) => [...stateOf(observations)])).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [6, 7, 8, 9, 10, 11, 90, 91],
      [12, 13, 14, 15],
    ]);
    expect(episodes.map(({ rewards }) => [...rewards!])).toEqual([[0, 0.5, 1], [1.5, 2, 2.5], [3]]);
    expect(episodes[0]!.stamps).toEqual(BigInt64Array.from([0n, 100_000_000n, 200_000_000n, 300_000_000n]));
    expect(importNpz(write(sound))[0]!.stamps).toBeNull();
  });

  it('a byte changed or the end cut: one clear error, or no difference', () => {
    const expected = importNpz(write(sound)).map(({ observations, actions }) => ({ observations, actions }));
    for (let at = 0; at < sound.length; at += 7) {
      const bytes = Uint8Array.from(sound);
      bytes[at]! ^= 0x24;
      for (const damaged of [bytes, sound.subarray(0, at)]) {
        let found: unknown;
        try {
          found = importNpz(write(damaged)).map(({ observations, actions }) => ({ observations, actions }));
        } catch (error) {
          expect(error).toMatchObject({ name: 'IqLearnError', code: 'CORRUPT_DATA' });
          continue;
        }
        expect(found).toEqual(expected);
      }
    }
  });

  it('says what is missing', () => {
    expect(() => importNpz(join(temporaryFolder(), 'none.npz'))).toThrow(/cannot read/);
    expect(() => importNpz(write(Buffer.from('PK and no more')))).toThrow(/numpy arrays/);
  });
});

// The expert data is shared beside the checkout and is not part of it.
const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

describe.runIf(existsSync(shared))('expert data', () => {
  it.each([
    ['halfcheetah-v4', 5972, 70],
    ['hopper-v4', 3199, 59],
  ])('%s: the returns its README tells', (name, mean, deviation) => {
    expect(readFileSync(join(shared, 'README.md'), 'utf8')).toContain(`${mean} ± ${deviation}`);
    const episodes = importNpz(join(shared, `${name}.npz`));
    const returns = episodes.map(({ rewards }) => rewards!.reduce((sum, reward) => sum + reward, 0));
    const average = returns.reduce((sum, value) => sum + value, 0) / returns.length;
    const spread = Math.sqrt(returns.reduce((sum, value) => sum + (value - average) ** 2, 0) / returns.length);
    expect(episodes.map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 1000));
    expect([Math.round(average), Math.round(spread)]).toEqual([mean, deviation]);
  });
});
