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

/** The permissions as an access list of mosquitto, whose users are the names in certificates. */
export function mosquittoAccess(fleet: Fleet): string {
  const lines = [
    '# Made by iq-learn link init. A robot that is taken out of this file is shut out (then: kill -HUP the broker).',
  ];
  for (const identity of [LEARNER, ...fleet.robots]) {
    lines.push('', `user ${identity}`);
    for (const { may, topic } of permissions(fleet).filter((permission) => permission.identity === identity))
      lines.push(`topic ${may === 'publish' ? 'write' : 'read'} ${topic}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The permissions as rules of EMQX's acl.conf, with certificates' names as user names (peer_cert_as_username = cn). */
export function emqxAccess(fleet: Fleet): string {
  const rules = permissions(fleet).map(
    ({ identity, may, topic }) => `{allow, {username, "${identity}"}, ${may}, ["${topic}"]}.`,
  );
  return `%% Made by iq-learn link init.\n${rules.join('\n')}\n{deny, all}.\n`;
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
