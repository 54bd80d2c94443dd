#!/usr/bin/env node
import { messageOf, steadyClock, unknownName } from '../../common/index.js';
import { createNodeLogger } from '../../platform/index.js';
import { openRos2 } from '../../transport/ros2/index.js';
import { endWith } from './ending.js';
import type { Executable } from './executable.js';
import { executables } from './executables/index.js';
import { helpOf, listOf } from './help.js';
import { declareParameters, Host, ownParameters, warnOfUnknown } from './host.js';
import { goFirst } from './priority.js';
import { watchVitals } from './vitals.js';

/** Runs an executable in this process until it is ended. */
async function run(executable: Executable, args: readonly string[]): Promise<void> {
  const nodeName = executable.kind === 'managed' ? (executable.node ?? executable.name) : executable.name;
  const logger = createNodeLogger(nodeName);
  let close: () => Promise<void> = async () => {};
  const ending = endWith(() => close(), logger);
  try {
    // Before ROS 2 starts threads, which inherit the priority.
    if (executable.kind === 'managed' && executable.urgent) goFirst();
    const ros = await openRos2({ nodeName, args, managed: executable.kind === 'managed', logger });
    close = () => ros.close();
    if (executable.kind === 'program') {
      const { spec, set, values } = declareParameters(executable, ros);
      warnOfUnknown(ros, set, logger);
      ros.start();
      const { signal } = ending;
      ending.end(await executable.run({ ros, spec, parameters: ownParameters(set.parse(values)), logger, signal }));
      return;
    }
    const vitals = watchVitals();
    const host = new Host({ executable, ros, clock: steadyClock, logger, vitals: () => vitals.read() });
    close = async () => {
      const closed = host.close();
      await closed.finally(() => ros.close());
    };
    await host.start();
  } catch (error) {
    if (!ending.signal.aborted) logger.error(messageOf(error));
    ending.end(1);
  }
}

const [name = '', ...args] = process.argv.slice(2);
const executable = executables.find((each) => each.name === name);
if (executable === undefined) {
  const asked = name === '--help' || name === '-h';
  const names = executables.map((each) => each.name);
  if (!asked && name !== '') process.stderr.write(`${unknownName('executable', name, names).message}\n`);
  (asked ? process.stdout : process.stderr).write(`executables of iq_learn:\n${listOf(executables)}\n`);
  process.exitCode = asked ? 0 : 2;
} else if (args.includes('--help') || args.includes('-h')) process.stdout.write(helpOf(executable));
else await run(executable, args);
