import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices } from '#src/engine/index.js';
import { cli, inNewFolder, tree } from './support.js';

interface Answer {
  readonly auto: string;
  readonly devices: readonly {
    readonly device: string;
    readonly executor: string;
    readonly availability: {
      readonly available: boolean;
      readonly detail?: string;
      readonly found?: string;
      readonly remedy?: string;
    };
  }[];
}

const environment = { ...process.env };
let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
  // No library is where these say, whatever machine this is.
  process.env.IQ_LEARN_CUDA = '/nowhere';
  process.env.IQ_LEARN_TENSORFLOW = '/nowhere';
});
afterAll(() => {
  for (const name of ['IQ_LEARN_CUDA', 'IQ_LEARN_TENSORFLOW'])
    if (environment[name] === undefined) delete process.env[name];
    else process.env[name] = environment[name];
  folder.leave();
});

describe('iq-learn devices', () => {
  it('lists every device, with what it runs on or why it cannot be used and what to do', async () => {
    const { code, stdout } = await cli('devices', '--json');
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as Answer;
    expect(answer.auto).toBe('cpu');
    expect(answer.devices.map(({ device }) => device).sort()).toEqual(devices.filter((name) => name !== 'auto').sort());
    for (const { device, availability } of answer.devices) {
      expect(availability.available, device).toBe(device === 'cpu' || device === 'wasm');
      if (availability.available) expect(availability.detail).not.toBe('');
      else for (const text of [availability.found, availability.remedy]) expect(text).toBeTruthy();
    }
    const { stdout: table } = await cli('devices');
    expect(table).toMatch(/^cpu .*taken by auto/m);
    expect(table).toMatch(/^cuda .* no /m);
  });

  it('a device asked for by name is never replaced: it is refused with the remedy, and nothing is written', async () => {
    for (const device of ['cuda', 'tensorflow']) {
      const { code, stderr } = await cli('demo', '--robot', 'rover', '--name', 'none', '--device', device);
      expect(code).not.toBe(0);
      expect(stderr).toContain(`the device ${device} cannot be used`);
      expect(stderr).toContain('iq-learn devices');
    }
    expect(tree('.')).toEqual(['quick.yaml']);
  });
});
