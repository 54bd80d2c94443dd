import { IqLearnError } from '../../common/index.js';

/** The name under which the learner's side says that it is there; no robot may have it. */
export const LEARNER = 'learner';

/** Throws INVALID_ARGUMENT unless `name` can be a level of a topic: a fleet or a robot. */
export function checkLevel(what: 'fleet' | 'robot', name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name))
    throw new IqLearnError('INVALID_ARGUMENT', `not the name of a ${what}`, {
      found: `'${name}'`,
      expected: 'at most 64 letters, digits, _ . and -, beginning with a letter or digit',
    });
}

/** The topics of one robot of a fleet: `iq_learn/<fleet>/<robot>/<kind>`. */
export class TopicNames {
  readonly #root: string;

  constructor(fleet: string, robot: string) {
    checkLevel('fleet', fleet);
    checkLevel('robot', robot);
    this.#root = `iq_learn/${fleet}/${robot}`;
  }

  /** Of a ROS topic: /transitions is `iq_learn/<fleet>/<robot>/transitions`. */
  topic(name: string): string {
    return `${this.#root}${name}`;
  }

  /** Where the server of a service says that it is there. No ROS name has a ~ in it. */
  server(service: string): string {
    return `${this.#root}/~server${service}`;
  }

  requests(service: string): string {
    return `${this.#root}/~request${service}`;
  }

  responses(caller: string): string {
    return `${this.#root}/~response/${caller}`;
  }
}
