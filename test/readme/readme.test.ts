import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '#src/cli/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { trainingSettings, withSettingsFile } from '#src/sessions/index.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const readme = text('README.md');
const { scripts } = JSON.parse(text('package.json')) as { scripts: Readonly<Record<string, string>> };

/** The lines of the code blocks of a language. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, block]) => block!);

async function help(...args: string[]): Promise<string> {
  let shown = '';
  const interrupt = { signal: new AbortController().signal, exitCode: 0, close: () => undefined };
  const io = { stdout: { write: (part: string) => (shown += part) }, stderr: { write: () => true } };
  expect(await run(args, { ...io, interrupt: interrupt as never })).toBe(0);
  return shown;
}

describe('the README', () => {
  it('starts with the two commands', () => {
    const [first] = blocks('sh');
    const commands = first!.split('\n').map((line) => line.replace(/ *#.*/, ''));
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
    expect(readme.indexOf(first!)).toBeLessThan(300);
  });

  it('names only scripts that there are', () => {
    const named = [...readme.matchAll(/npm (?:run (?:--silent )?)?([a-z][a-z-]*)/g)].map(([, name]) => name!);
    const npmsOwn = ['ci', 'install', 'test', 'registry'];
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) if (!npmsOwn.includes(name)) expect(Object.keys(scripts)).toContain(name);
  });

  it('names only commands and options that there are', async () => {
    const lines = blocks('sh')
      .flatMap((block) => block.split('\n'))
      .map((line) => line.replace(/ *#.*/, '').replace('npm run demo --', 'iq-learn demo'));
    const calls = lines.flatMap((line) => /^iq-learn (\S+)(.*)$/.exec(line) ?? []).filter((_, i) => i % 3 !== 0);
    expect(calls.length).toBeGreaterThanOrEqual(12);
    for (let i = 0; i < calls.length; i += 2) {
      const [, inner] = /^ ([a-z]+)/.exec(calls[i + 1]!) ?? [];
      const outer = await help(calls[i]!, '--help');
      const hasInner = inner !== undefined && new RegExp(`^  ${inner} \\[`, 'm').test(outer);
      const known = hasInner ? await help(calls[i]!, inner, '--help') : outer;
      for (const [flag] of calls[i + 1]!.matchAll(/--[a-z]+/g))
        expect(known).toMatch(new RegExp(`^  ${flag}[ ,]`, 'm'));
    }
  });

  it('lists every command', async () => {
    const commands = [...(await help('--help')).matchAll(/^ {2}(\w+) (?:\[options\]|<)/gm)].map(([, name]) => name!);
    for (const name of commands.filter((each) => each !== 'help'))
      expect(readme).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
  });

  it('lists every room', () => {
    const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of rooms) if (name !== 'common') expect(readme).toContain(`\`src/${name}\``);
  });

  it("shows a robot's description that is valid", () => {
    const [example] = blocks('yaml');
    const spec = parseRobotSpec(example!, 'README.md');
    expect(spec.action[0]?.name).toBe('linear_velocity');
  });

  it('shows settings that are valid', () => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-readme-'));
    const file = join(folder, 'taught.yaml');
    try {
      writeFileSync(file, blocks('yaml')[1]!);
      const settings = withSettingsFile(trainingSettings('rover'), file);
      expect(settings).toMatchObject({ steps: 40_000, segmentSize: 150, config: { gamma: 0.95 } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the documents', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'docs/architecture.md',
    'docs/dependencies.md',
    'docs/logs.md',
    'docs/ros2.md',
    ...readdirSync(join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
  ];

  it.each(documents)('%s links and names only files that there are', (file) => {
    const content = text(file);
    const links = [...content.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => join(dirname(file), path!));
    const named = [...content.matchAll(/`((?:src|docs|config|bench|scripts|test|\.ci)\/[\w./-]+)`/g)].map(
      ([, path]) => path!,
    );
    for (const path of [...links, ...named]) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it('dependencies.md has every dependency and no other', () => {
    const manifest = JSON.parse(text('package.json')) as Record<string, Readonly<Record<string, string>>>;
    const kinds = ['dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies'];
    const declared = kinds
      .flatMap((kind) => Object.keys(manifest[kind] ?? {}))
      .filter((name) => name !== '@types/node');
    const rows = text('docs/dependencies.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const documented = rows.flatMap((row) => {
      const names = [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
      // `@tensorflow/tfjs`, `-backend-wasm`
      return names.map((name) => (name.startsWith('-') ? names[0]! + name : name));
    });
    expect(documented.sort()).toEqual(declared.sort());
  });
});
