// npm run field FOLDER [--robot NAME] [--action teleop|command] [--namespace NAME] [--clock stamps|log]
//
// Reads every recording inside a folder with the description of its robot, and prints one line each: episodes,
// transitions, what was left out and why, and what lint finds. So people can try their recordings, and send them.
// The description of a recording is robot.yaml in its folder, NAME.yaml beside it, the file that field.yaml of the folder
// names for it (patterns with *), the robot that a recording of iq-learn says, or --robot.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { IqLearnError } from '#src/common/index.js';
import {
  describeFinding,
  lintDemonstrations,
  openRecording,
  readDemonstrations,
  summariseRecording,
} from '#src/demonstrations/index.js';
import { loadRobotSpec } from '#src/robot/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    robot: { type: 'string' },
    action: { type: 'string' },
    namespace: { type: 'string' },
    clock: { type: 'string' },
    show: { type: 'string' },
  },
});
const [folder] = positionals;
if (folder === undefined || !existsSync(folder)) {
  console.error('npm run field FOLDER: a folder of recordings, each with the description of its robot');
  process.exit(2);
}

const mapping = existsSync(join(folder, 'field.yaml')) ? parse(readFileSync(join(folder, 'field.yaml'), 'utf8')) : {};

/** The path or name of the description of a recording. */
async function descriptionOf(path) {
  const name = basename(path).replace(/\.(mcap|db3)(\.\w+)?$/, '');
  for (const file of [join(path, 'robot.yaml'), join(folder, `${name}.yaml`)]) if (existsSync(file)) return file;
  for (const [pattern, robot] of Object.entries(mapping)) {
    const matches = new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/\W/g, '\\$&'))
        .join('.*')}$`,
    ).test(name);
    if (matches) return existsSync(join(folder, robot)) ? join(folder, robot) : robot;
  }
  if (values.robot !== undefined) return values.robot;
  return (await openRecording(path)).info?.robot;
}

const isRecording = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path).some((name) => /\.(mcap|db3)/.test(name) || name === 'metadata.yaml') ||
      readdirSync(path).some((name) => statSync(join(path, name)).isDirectory() && isRecording(join(path, name)))
    : /\.(mcap|db3)(\.\w+)?$/.test(path);

let refused = 0;
for (const name of readdirSync(folder).sort()) {
  const path = join(folder, name);
  if (!isRecording(path)) continue;
  const line = (text) => text.replaceAll(`${process.cwd()}/`, '').replaceAll(`${folder.replace(/\/$/, '')}/`, '');
  try {
    const robot = await descriptionOf(path);
    if (robot === undefined)
      throw new IqLearnError('NOT_FOUND', 'no description of its robot', {
        expected: `robot.yaml in it, ${basename(path).replace(/\.(mcap|db3)(\.\w+)?$/, '')}.yaml beside it, or --robot NAME`,
        remedy: 'iq-learn describe writes a first description from a recording',
      });
    const spec = loadRobotSpec(robot);
    const { action, namespace, clock } = values;
    const { episodes, report } = await readDemonstrations([path], spec, {
      ...(action === undefined ? {} : { action }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(clock === undefined ? {} : { clock }),
    });
    for (const recording of report.recordings) console.log(line(summariseRecording(recording)));
    for (const finding of lintDemonstrations(episodes, spec, report))
      console.log(line(`  ${describeFinding(finding)}`));
    for (const { observations, actions, actionSize: a } of episodes.slice(0, 1))
      for (let k = 0; k < Number(values.show ?? 0); k++) {
        const row = (list, size) => [...list.subarray(k * size, (k + 1) * size)].map((x) => x.toFixed(3)).join(' ');
        console.log(`  ${k}: ${row(observations, spec.observation.length)} | ${row(actions, a)}`);
      }
  } catch (error) {
    refused++;
    console.log(line(`${name}: refused: ${error.code ?? error.name}: ${error.message}`));
    if (error.code === undefined) console.log(error.stack);
  }
}
process.exit(refused > 0 ? 1 : 0);
