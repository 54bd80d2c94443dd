import { nearest } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import type { Path, SpecDocument } from './document.js';
import { shortTypeName } from './kinds/quantities.js';
import { commandKind } from './kinds/registry.js';
import type { WrittenCommand } from './parse-commands.js';
import { checkFieldPath, checkFieldUnit, checkUnique, checkUnit } from './parse-observation.js';
import { actionSchema, fieldsOf } from './schema.js';
import type { ActionFeatureSpec, JointQuantity } from './types.js';

const quantityOfUnit: Readonly<Record<string, JointQuantity>> = {
  rad: 'position',
  m: 'position',
  'rad/s': 'velocity',
  'm/s': 'velocity',
  N·m: 'effort',
  N: 'effort',
};

/** The dimensions of the action, checked against what the command's type can carry. */
export function expandAction(
  document: SpecDocument,
  entries: readonly unknown[],
  commands: readonly WrittenCommand[],
): ActionFeatureSpec[] {
  const names = new Set<string>();
  const paths = new Map(commands.map(({ name }) => [name, new Set<string>()]));
  const features = entries.map((entry, index): ActionFeatureSpec => {
    const at = ['action', index];
    const raw = document.check(actionSchema, entry, at, fieldsOf(actionSchema));
    const { name: command, type, stop } = commandOf(document, at, raw.command, commands);
    checkUnit(document, [...at, 'unit'], raw.unit);
    checkUnique(document, names, [...at, 'name'], raw.name, 'action names');
    if (!(Math.fround(raw.low) < Math.fround(raw.high)) || !Number.isFinite(raw.high - raw.low))
      throw document.refusal([...at, 'low'], {
        found: `low ${raw.low}, high ${raw.high}`,
        expected: 'finite limits, low below high',
      });
    if (stop === 'zero' && (raw.low > 0 || raw.high < 0))
      throw document.refusal([...at, 'low'], {
        found: `limits ${raw.low}…${raw.high}, which zero is not within`,
        expected: 'a range around 0, as stop: zero commands 0',
      });
    checkRate(document, at, raw);
    const { path, quantity } = placeOf(document, at, raw, type);
    checkUnique(
      document,
      paths.get(command)!,
      [...at, raw.path === undefined ? 'joint' : 'path'],
      path,
      'command fields',
    );
    if (raw.path !== undefined) checkFieldUnit(document, [...at, 'unit'], path, raw.unit);
    if (stop === 'hold' && quantityOfUnit[raw.unit] !== 'position')
      throw document.refusal([...at, 'unit'], {
        found: `the unit '${raw.unit}'`,
        expected: 'positions (m, rad), as stop: hold repeats the last command',
        remedy: 'set stop: zero for velocities and efforts',
      });
    return {
      name: raw.name,
      unit: raw.unit,
      low: raw.low,
      high: raw.high,
      path,
      command,
      stop,
      maxRate: raw.max_rate ?? Number.POSITIVE_INFINITY,
      ...(quantity === undefined ? {} : { quantity }),
    };
  });
  for (const command of commands) checkPart(document, command, features);
  checkJoints(document, commands, features);
  return features;
}

/** Two controllers of one joint would work against each other, and each would be sent its own idea of where it goes. */
function checkJoints(document: SpecDocument, commands: readonly WrittenCommand[], features: ActionFeatureSpec[]): void {
  const joints = commands.filter(({ type }) => commandKind(type).addresses === 'joints');
  const topicOf = (feature: ActionFeatureSpec) => joints.find(({ name }) => name === feature.command)?.topic;
  features.forEach((feature, index) => {
    const topic = topicOf(feature);
    const other = features.find(
      ({ path, command }, i) => i < index && path === feature.path && command !== feature.command,
    );
    const otherTopic = other === undefined ? undefined : topicOf(other);
    if (topic === undefined || otherTopic === undefined) return;
    throw document.refusal(['action', index, 'joint'], {
      found: `joint '${feature.path}' on ${topic} and on ${otherTopic}`,
      expected: 'one command topic for each joint',
      remedy:
        'keep the entry of the controller that moves this joint, or give the joint its right name in one of the two',
    });
  });
}

/** The command that an entry of the action belongs to: by its name where there are several. */
function commandOf(
  document: SpecDocument,
  at: Path,
  written: string | undefined,
  commands: readonly WrittenCommand[],
): WrittenCommand {
  const names = commands.map(({ name }) => name);
  const [only] = commands;
  if (commands.length === 1 && written === undefined) return only!;
  const found = commands.find(({ name }) => name === written);
  if (found !== undefined) return found;
  const meant = written === undefined ? undefined : nearest(written, names);
  throw document.refusal(written === undefined ? at : [...at, 'command'], {
    found: written === undefined ? 'no command' : `'${written}'`,
    expected: names.length === 1 ? 'none: the robot has one command' : `the name of a command: ${names.join(', ')}`,
    ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
  });
}

/** What a command carries has to go together: at least one number, and one quantity where its type has one. */
function checkPart(document: SpecDocument, { name, type, path }: WrittenCommand, features: ActionFeatureSpec[]): void {
  const own = features.filter((feature) => feature.command === name);
  if (own.length === 0)
    throw document.refusal(path, {
      found: `no entry of action with command: ${name}`,
      expected: 'at least one number that this topic commands',
    });
  const kind = commandKind(type);
  const quantities = new Set(own.map(({ quantity }) => quantity));
  if (kind.addresses === 'joints' && kind.oneQuantity && quantities.size > 1)
    throw document.refusal(['action'], {
      found: [...quantities].join(' and '),
      expected: `one quantity for all joints of a ${shortTypeName(type)}`,
    });
}

/** A largest rate must let the robot move, from one limit to the other within a quarter of an hour, and must be one. */
function checkRate(
  document: SpecDocument,
  at: Path,
  { low, high, max_rate }: { low: number; high: number; max_rate?: number | undefined },
): void {
  const least = (high - low) / 1000;
  const most = 1e9 * least;
  if (max_rate === undefined || (max_rate <= most && max_rate >= least)) return;
  throw document.refusal([...at, 'max_rate'], {
    found: String(max_rate),
    expected: `a finite change per second, at least ${Number(least.toPrecision(3))}, at most ${Number(most.toPrecision(3))}`,
    remedy: 'leave it out where there is no largest rate',
  });
}

/** Where in the command a dimension goes: to a path, or to a joint and one of its quantities. */
function placeOf(
  document: SpecDocument,
  at: Path,
  raw: { path?: string | undefined; joint?: string | undefined; quantity?: JointQuantity | undefined; unit: string },
  type: MessageTypeName,
): { path: string; quantity?: JointQuantity } {
  const command = commandKind(type);
  const byPath = command.addresses === 'paths';
  const key = byPath ? 'path' : 'joint';
  const other = byPath ? 'joint' : 'path';
  const path = raw[key];
  if (path === undefined || raw[other] !== undefined)
    throw document.refusal(raw[other] === undefined ? at : [...at, other], {
      found: raw[other] === undefined ? `no ${key}` : `${other} '${raw[other]}'`,
      expected: byPath ? `path into ${type}` : `joint, as ${type} commands joints`,
    });
  if (command.addresses === 'paths') {
    checkFieldPath(document, [...at, 'path'], path, type);
    if (raw.quantity !== undefined)
      throw document.refusal([...at, 'quantity'], { found: raw.quantity, expected: `none: ${type} has no joints` });
    return { path };
  }
  const quantity = raw.quantity ?? quantityOfUnit[raw.unit];
  if (quantity === undefined) {
    if (command.anyUnit) return { path };
    throw document.refusal([...at, 'quantity'], {
      found: `none, with the unit '${raw.unit}'`,
      expected: 'position, velocity or effort',
    });
  }
  if (!command.quantities.includes(quantity))
    throw document.refusal([...at, 'quantity'], {
      found: quantity,
      expected: `${command.quantities.join(' or ')} in a ${shortTypeName(type)}`,
    });
  return { path, quantity };
}
