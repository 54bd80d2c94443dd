import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';
import { IqLearnError } from '../../common/index.js';
import { emqxAccessWith, mosquittoAccessWith } from '../../link/index.js';
import { writeFileAtomic } from '../../platform/index.js';
import { openLearnerLink } from './link-file.js';
import { checkRobots, makeRobotFiles, robotStep } from './link-init.js';

export interface LinkAddResult {
  /** Lines for people: what to copy where. */
  readonly steps: readonly string[];
}

/** Adds to the broker's access lists beside the learner's file what is missing there. Returns the files that it changed. */
function updateAccess(folder: string, fleet: string, robots: readonly string[], added: readonly string[]): string[] {
  const changed: string[] = [];
  for (const [name, withAdded] of [
    ['mosquitto.acl', mosquittoAccessWith],
    ['emqx-acl.conf', emqxAccessWith],
  ] as const) {
    const path = join(folder, 'broker', name);
    if (!existsSync(path)) continue;
    const before = readFileSync(path, 'utf8');
    const after = withAdded(before, { fleet, robots }, added);
    if (after === before) continue;
    writeFileAtomic(path, after);
    changed.push(path);
  }
  return changed;
}

const brokerStep = (changed: readonly string[]): string =>
  `broker:   ${changed.join(' and ')} to the broker, and have it read them again (mosquitto: kill -HUP); iq-learn link broker: start it again`;

function expectBroker(folder: string): void {
  if (existsSync(join(folder, 'broker'))) return;
  throw new IqLearnError('NOT_FOUND', 'the access lists of the broker are not here', {
    found: `no folder ${join(folder, 'broker')}`,
    expected: 'the folder that iq-learn link init made, with authority/ and broker/',
    remedy: 'run this where the link was made',
  });
}

/**
 * Brings the access lists of a link that an older iq-learn made up to what is needed now. What a person changed in them
 * stays. Throws as reading the learner's file does, and NOT_FOUND where there are no lists.
 */
export function renewAccess(learnerFile: string): LinkAddResult {
  const { fleet, robots } = openLearnerLink(learnerFile).file;
  const folder = dirname(learnerFile);
  expectBroker(folder);
  const changed = updateAccess(folder, fleet, robots, []);
  return { steps: [changed.length === 0 ? 'the access lists have all that is needed' : brokerStep(changed)] };
}

/**
 * Adds robots to a link that is there: their certificates are of the same authority, and nothing changes for the robots that
 * are in it. Throws INVALID_ARGUMENT for names, NOT_FOUND where the authority or the lists of the broker are not here.
 */
export function addRobots(learnerFile: string, names: readonly string[]): LinkAddResult {
  const link = openLearnerLink(learnerFile);
  const { broker, fleet, robots, policy_key } = link.file;
  checkRobots(names, robots);
  const folder = dirname(learnerFile);
  expectBroker(folder);
  if (broker.startsWith('mqtts:') && !existsSync(join(folder, 'authority', 'authority.key')))
    throw new IqLearnError(
      'NOT_FOUND',
      "the authority of the link is not here, so no robot's certificate can be made",
      {
        found: `no file ${join(folder, 'authority', 'authority.key')}`,
        expected: 'the folder authority/, which is kept where iq-learn link init was run',
        remedy: 'run this there; without it make a new link in another folder',
      },
    );
  const policyKey = createPublicKey(link.text(policy_key)).export({ type: 'spki', format: 'pem' }) as string;
  for (const robot of names) makeRobotFiles({ folder, broker, fleet, robot, policyKey });
  const all = [...robots, ...names];
  const changed = updateAccess(folder, fleet, all, names);
  // The last file: before it the robots are not in the link, and whatever there is of them is made again.
  const document = parseDocument(readFileSync(learnerFile, 'utf8'));
  document.set('robots', all);
  writeFileAtomic(learnerFile, document.toString());
  return {
    steps: [
      ...(changed.length === 0 ? [] : [brokerStep(changed)]),
      `learner:  ${learnerFile} to the GPU host, and start iq-learn serve again: it goes on with its run`,
      ...names.map((robot) => robotStep(folder, robot)),
    ],
  };
}
