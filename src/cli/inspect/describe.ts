import { readFileSync } from 'node:fs';
import { inspectModel } from '../../engine/index.js';
import { generations, loadCheckpoint, readJson } from '../../platform/index.js';
import { readBundle, readBundleFiles } from '../../policy/index.js';
import { count, type ReportData } from '../../report/index.js';
import { loadRobotSpec, PolicyActions, type RobotSpec } from '../../robot/index.js';
import { taskDefinition } from '../../simulation/index.js';
import { columns, resultTable } from '../table.js';

type Facts = readonly (readonly [name: string, value: string | number])[];

export const facts = (rows: Facts): string => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
};

interface Feature {
  readonly name: string;
  readonly unit: string;
  readonly low: number | null;
  readonly high: number | null;
}

export const bound = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? '–' : String(value);

function features(title: string, list: readonly Feature[]): string {
  const rows = list.map(({ name, unit, low, high }) => [`  ${name}`, unit, bound(low), bound(high)]);
  return `${title} (${list.length})\n${columns([['  name', 'unit', 'low', 'high'], ...rows])}`;
}

interface Image {
  readonly name: string;
  readonly shape: readonly number[];
  readonly meaning?: string | undefined;
}

/** The images of an observation: size, and what their bytes stand for. Nothing where there are none. */
export function imageRows(blocks: readonly Image[] = [], images: RobotSpec['images'] = []): string[][] {
  return blocks.map(({ name, shape: [height, width, channels], meaning }) => {
    const topic = images.find(({ block }) => block === name)?.topic;
    const colours = meaning?.includes('depth') === true ? 'depth' : channels === 3 ? 'colour' : 'grey';
    return [`  ${name}`, ...(topic === undefined ? [] : [topic]), `${height} × ${width} ${colours}`, meaning ?? ''];
  });
}

const imagesOf = (...given: Parameters<typeof imageRows>): string[] =>
  given[0] === undefined ? [] : [`Images\n${columns(imageRows(...given))}`];

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

/** Describes a policy bundle. Its digests and golden vectors are checked first, so a policy that is described here can also be run. */
export async function describePolicy(path: string): Promise<string> {
  const { model } = readBundleFiles(path);
  const runtime = await readBundle(path);
  try {
    const { contract, training } = runtime;
    return [
      `Policy ${runtime.id}: whole, its golden vectors agree`,
      facts([
        ['robot', contract.robot],
        ['rate', `${contract.rateHz} Hz`],
        ['version', runtime.version],
        ['model', kib(model.byteLength)],
        ...Object.entries(training).map(([name, value]) => [name, String(value)] as const),
      ]),
      features('Observation', contract.observation),
      ...imagesOf(contract.blocks),
      features('Action', contract.action),
    ].join('\n\n');
  } finally {
    await runtime.dispose();
  }
}

export function describeModel(path: string): string {
  const model = inspectModel(readFileSync(path));
  const tensors = (title: string, list: typeof model.inputs): string =>
    `${title}\n${columns(list.map(({ name, dtype, shape }) => [`  ${name}`, dtype, `[${shape.join(', ')}]`]))}`;
  return [
    `ONNX model ${model.name}`,
    facts([
      ['producer', model.producer || '–'],
      ['opset', model.opset],
      ['size', kib(model.bytes)],
      ['parameters', count(model.parameters)],
      ['operations a run', `${(model.flops / 1e6).toFixed(2)} M additions and multiplications`],
      ['nodes', model.nodes.length],
    ]),
    tensors('Inputs', model.inputs),
    tensors('Outputs', model.outputs),
    `Operators\n${columns(Object.entries(model.operators).map(([name, times]) => [`  ${name}`, String(times)]))}`,
  ].join('\n\n');
}

export function describeCheckpoint(path: string): string {
  const damaged: string[] = [];
  const checkpoint = loadCheckpoint(path, (problem) => damaged.push(problem.message));
  const bytes = Object.values(checkpoint.arrays).reduce((sum, { byteLength }) => sum + byteLength, 0);
  const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  const rows = Object.entries(checkpoint.meta).flatMap(([part, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, inner]) => [`${part}.${name}`, plain(inner)] as const)
      : [[part, plain(value)] as const],
  );
  return [
    `Checkpoint ${path}: generation ${checkpoint.generation} is whole`,
    facts([
      ['generations', generations(path).join(', ')],
      ['size', kib(bytes)],
      ['arrays', Object.keys(checkpoint.arrays).length],
      ...rows,
    ]),
    ...(damaged.length > 0 ? [`Damaged\n${damaged.map((line) => `  ${line}`).join('\n')}`] : []),
  ].join('\n\n');
}

function stopOf({ action }: RobotSpec): string {
  const meanings = { zero: 'zero velocities', hold: 'holding the last position' } as const;
  const of = (stop: 'zero' | 'hold'): string[] => action.filter((each) => each.stop === stop).map(({ name }) => name);
  if (of('zero').length === 0) return meanings.hold;
  if (of('hold').length === 0) return meanings.zero;
  return `${meanings.zero} (${of('zero').join(', ')}), ${meanings.hold} (${of('hold').join(', ')})`;
}

export function describeRobot(path: string): string {
  const spec = loadRobotSpec(path);
  if (spec.task !== null) taskDefinition(spec.task);
  return [
    `Robot ${spec.robot}: ${spec.description}`,
    facts([
      ['rate', `${spec.rateHz} Hz`],
      ...spec.commands.flatMap(({ name, topic, type, teleop }) => {
        const of = spec.commands.length === 1 ? '' : ` of ${name}`;
        return [[`command${of}`, `${topic} (${type})`] as const, [`teleoperation${of}`, teleop.topic] as const];
      }),
      ['emergency stop', spec.estopTopic],
      ['a stop means', stopOf(spec)],
      ['simulated by', spec.task ?? '–'],
    ]),
    `State topics\n${columns(spec.stateTopics.map(({ topic, type, timeoutMs }) => [`  ${topic}`, type, `stale after ${timeoutMs} ms`]))}`,
    features('Observation', spec.observation),
    ...imagesOf(spec.blocks, spec.images),
    features('Action', spec.action),
    ...(spec.action.some(({ delta }) => delta !== undefined)
      ? [features('What a policy gives', new PolicyActions(spec).features)]
      : []),
  ].join('\n\n');
}

export function describeReport(path: string): string {
  const report = readJson(path) as ReportData;
  return [
    `Report of ${report.robot}, ${report.date}`,
    resultTable(report),
    facts(report.settings.map(({ name, value }) => [name, String(value)] as const)),
    `Again: ${report.command}`,
  ].join('\n\n');
}
