import { LEARNER } from '../transport/index.js';
import { linkTopics } from './topics.js';

/** Topics of which the learner's own name takes the place of a robot's. */
const OF_THE_LEARNER = new Set<string>([linkTopics.fleetStatus.topic]);

/** Who may do what on the broker of a fleet. */
export interface Fleet {
  readonly fleet: string;
  readonly robots: readonly string[];
}

/** A permission: an identity (a robot, or the learner) may publish on a topic, or subscribe to it; /# ends all below. */
export interface Permission {
  readonly identity: string;
  readonly may: 'publish' | 'subscribe';
  readonly topic: string;
}

/**
 * All that is permitted: a robot publishes on its own topics and reads what the learner publishes for it; the learner does
 * the reverse, and has its own topics for those who look after the fleet. Everybody reads whether the learner is there.
 * Nobody may do anything else: no robot sees another robot's topics, and no robot publishes policies.
 */
export function permissions({ fleet, robots }: Fleet): readonly Permission[] {
  const found: Permission[] = [];
  for (const robot of robots)
    for (const { topic: name, by } of Object.values(linkTopics)) {
      if (OF_THE_LEARNER.has(name)) continue;
      const topic = `iq_learn/${fleet}/${robot}${name}`;
      found.push({ identity: robot, may: by === 'robot' ? 'publish' : 'subscribe', topic });
      // The learner's side reads what it publishes as well, for iq-learn link status.
      found.push({ identity: LEARNER, may: 'subscribe', topic });
      if (by === 'learner') found.push({ identity: LEARNER, may: 'publish', topic });
    }
  const own = `iq_learn/${fleet}/${LEARNER}`;
  for (const may of ['publish', 'subscribe'] as const) found.push({ identity: LEARNER, may, topic: `${own}/#` });
  for (const identity of robots)
    found.push({ identity, may: 'subscribe', topic: `${own}${linkTopics.presence.topic}` });
  return found;
}

/** Lines of an access list of mosquitto, whose users are the names in certificates: all that one identity may do. */
function mosquittoBlock(fleet: Fleet, identity: string): string[] {
  return permissions(fleet)
    .filter((permission) => permission.identity === identity)
    .map(({ may, topic }) => `topic ${may === 'publish' ? 'write' : 'read'} ${topic}`);
}

/** The permissions as an access list of mosquitto. */
export function mosquittoAccess(fleet: Fleet): string {
  const lines = [
    '# Made by iq-learn link init. A robot that is taken out of this file is shut out (then: kill -HUP the broker).',
  ];
  for (const identity of [LEARNER, ...fleet.robots])
    lines.push('', `user ${identity}`, ...mosquittoBlock(fleet, identity));
  return `${lines.join('\n')}\n`;
}

/**
 * An access list of mosquitto with what its users lack now: `added` robots get a block, and the learner and robots that have
 * one get the lines that are missing in it. Everything else stays: what a person has added, and that a robot is shut out.
 */
export function mosquittoAccessWith(list: string, fleet: Fleet, added: readonly string[]): string {
  const blocks = list.trimEnd().split(/\n(?=user )/);
  const nameOf = (block: string): string => /^user (.*)$/m.exec(block)?.[1]?.trim() ?? '';
  const grown = blocks.map((block) => {
    const name = nameOf(block);
    if (name !== LEARNER && !fleet.robots.includes(name)) return block.trimEnd();
    const there = new Set(block.split('\n').map((line) => line.trim()));
    return [block.trimEnd(), ...mosquittoBlock(fleet, name).filter((line) => !there.has(line))].join('\n');
  });
  const known = new Set(blocks.map(nameOf));
  const fresh = added.filter((robot) => !known.has(robot));
  return `${[...grown, ...fresh.map((robot) => [`user ${robot}`, ...mosquittoBlock(fleet, robot)].join('\n'))].join('\n\n')}\n`;
}

const emqxRule = ({ identity, may, topic }: Permission): string =>
  `{allow, {username, "${identity}"}, ${may}, ["${topic}"]}.`;

/** The permissions as rules of EMQX's acl.conf, with certificates' names as user names (peer_cert_as_username = cn). */
export function emqxAccess(fleet: Fleet): string {
  return `%% Made by iq-learn link init.\n${permissions(fleet).map(emqxRule).join('\n')}\n{deny, all}.\n`;
}

/** Rules of EMQX with those that its users lack now; see {@link mosquittoAccessWith}. */
export function emqxAccessWith(rules: string, fleet: Fleet, added: readonly string[]): string {
  const lines = rules.trimEnd().split('\n');
  const has = (identity: string): boolean =>
    added.includes(identity) || lines.some((line) => line.includes(`{username, "${identity}"}`));
  const missing = permissions(fleet)
    .filter(({ identity }) => has(identity))
    .map(emqxRule)
    .filter((rule) => !lines.includes(rule));
  // The first rule that fits decides, and the last one denies.
  const last = lines.lastIndexOf('{deny, all}.');
  lines.splice(last < 0 ? lines.length : last, 0, ...missing);
  return `${lines.join('\n')}\n`;
}

const isPattern = ({ topic }: Permission): boolean => topic.endsWith('/#');

/** Answers whether an identity may do something, as a broker asks. */
export function accessOf(fleet: Fleet): (identity: string, may: Permission['may'], topic: string) => boolean {
  const key = ({ identity, may, topic }: Permission): string => `${identity} ${may} ${topic}`;
  const [below, exact] = [permissions(fleet).filter(isPattern), permissions(fleet).filter((each) => !isPattern(each))];
  const allowed = new Set(exact.map(key));
  const roots = below.map((permission) => key(permission).slice(0, -1));
  return (identity, may, topic) => {
    const asked = key({ identity, may, topic });
    return allowed.has(asked) || roots.some((root) => asked.startsWith(root));
  };
}
