import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorText, exitCode, systemError } from '#src/cli/exit.js';
import { openRunFolder } from '#src/cli/run-folder.js';
import { cli, inNewFolder, tree } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
  mkdirSync('nothing');
  mkdirSync('nothing.yaml');
  writeFileSync('file', 'no folder');
});
afterAll(() => folder.leave());

/** Command line, exit code, what the line must say. `@` is an empty word, as of a shell's variable that is not set. */
const ROWS: readonly [name: string, args: string, code: number, said: readonly string[]][] = [
  ['a folder in place of a description', 'demo --robot ./nothing.yaml', 2, ['nothing.yaml; found: a folder']],
  ['a description below a file', 'demo --robot ./file/robot.yaml', 2, ['file/robot.yaml; found: no such file']],
  ['a folder in place of settings', 'demo --settings nothing', 2, ['settings nothing; found: a folder']],
  ['a folder in place of a URDF', 'describe --urdf nothing', 2, ['URDF nothing; found: a folder']],
  ['no URDF', 'describe --urdf none', 2, ['URDF none; found: no such file', 'xacro']],
  ['a folder in place of a link', 'link status --link nothing', 2, ['nothing; found: a folder']],
  ['no link', 'link status --link none.yaml', 2, ['none.yaml; found: no such file', 'link init']],
  ['an argument that is empty', 'train --robot rover --recording @', 2, ["--recording ''", 'variable of the shell']],
  ['a value that is empty', 'record --robot rover --out=', 2, ['--out=', 'variable of the shell']],
  ['an unknown command of a command', 'link ini', 2, ["'ini'", "did you mean 'init'?"]],
  [
    'a missing option of a command of a command',
    'link init --robots a',
    2,
    ['--broker', 'see iq-learn link init --help'],
  ],
  [
    'an unknown option of a command of a command',
    'link init --robots a --broker mqtts://h:8883 --brokre x',
    2,
    ["did you mean '--broker'?"],
  ],
  [
    'too many arguments',
    'devices gpu',
    2,
    ['for iq-learn devices', "found: 1, of which 'gpu' is too much", 'expected: 0'],
  ],
  ['a file in place of the folder of a run', 'record --robot rover --out file', 1, ['found: a file of this name']],
  ['a folder below a file', 'record --robot rover --out file/run', 1, ['found: a file in place of a folder above it']],
  ['a name without end', `record --robot rover --out ${'x'.repeat(300)}`, 1, ['found: a name that is too long']],
  ['help for a command that is none', 'help trian', 2, ["'trian'", "did you mean 'train'?"]],
  [
    'an option twice',
    'record --robot rover --robot=hopper',
    2,
    ['--robot is given 2 times; found: --robot rover, --robot=hopper'],
  ],
  ['a port that is none', 'node policy --robot rover --health 127.0.0.1:99999', 2, ['up to 65535, or off']],
  [
    'an address without a port',
    'serve --robot rover --link none --health localhost',
    2,
    ["'localhost'", '127.0.0.1:8787'],
  ],
  ['several policies that are none', 'evaluate --robot rover --policy nothing file', 2, ['nothing/manifest.json']],
];

describe('wrong words', () => {
  it.each(ROWS)('%s: %s', async (_, args, code, said) => {
    const before = tree('.');
    const ended = await cli(...args.split(' ').map((word) => (word === '@' ? '' : word)));
    expect(ended.stderr).toMatch(/^error: [^\n]+; to do: [^\n]+\n$/);
    for (const part of said) expect(ended.stderr).toContain(part);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(tree('.')).toEqual(before);
  });

  it.each(['link', 'node'])('shows the commands of %s when called without one', async (name) => {
    const { code, stderr } = await cli(name);
    expect(code).toBe(exitCode.badInput);
    expect(stderr).toContain(`Usage: iq-learn ${name}`);
  });

  it('says what the system refused, where nobody expected it, in the words of every other error', () => {
    const refused = Object.assign(new Error('EACCES: permission denied, mkdir'), {
      ...{ code: 'EACCES', syscall: 'mkdir', path: 'link/authority' },
    });
    expect(errorText(systemError(refused), false)).toMatch(
      /^error: cannot mkdir link\/authority; found: permission denied; expected: .*; to do: /,
    );
    const other = new Error('a fault of the program');
    expect(systemError(other)).toBe(other);
  });

  it('leaves no folder of a run to which nothing was written, nor those above it that were made for it', () => {
    openRunFolder('above/it/run').close();
    expect(existsSync('above')).toBe(false);
    const run = openRunFolder('above/it/run');
    run.keep('plan', '{}');
    run.close();
    expect(existsSync('above/it/run/plan')).toBe(true);
  });
});
