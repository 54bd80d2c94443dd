import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Transport } from '#src/transport/index.js';

export const fileOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

export interface Bridged {
  readonly ros_topic_name: string;
  readonly gz_topic_name: string;
  readonly ros_type_name: string;
  readonly gz_type_name: string;
  readonly direction: string;
}

export const bridgeOf = (robot: string): Bridged[] => parse(fileOf(`config/gazebo/${robot}_bridge.yaml`));

/** Every number in the first element `name` of a text of XML. */
export function numbersIn(xml: string, name: string): number[] {
  const found = new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml);
  if (found === null) throw new Error(`no <${name}>`);
  return found[1]!.trim().split(/\s+/).map(Number);
}

/** The text of a named model of a world. */
export function modelIn(world: string, name: string): string {
  const found = new RegExp(`<model name="${name}">[\\s\\S]*?</model>`).exec(world);
  if (found === null) throw new Error(`no model ${name}`);
  return found[0];
}

/** What a node says, hears and serves: `publishes /odom nav_msgs/msg/Odometry`, sorted. */
export function watchedTransport(transport: Transport): { transport: Transport; interfaces: () => string[] } {
  const seen = new Set<string>();
  return {
    interfaces: () => [...seen].sort(),
    transport: {
      name: transport.name,
      capabilities: transport.capabilities,
      advertise: (topic, type, qos) => {
        seen.add(`publishes ${topic} ${type}`);
        return transport.advertise(topic, type, qos);
      },
      subscribe: (topic, type, handler, qos) => {
        seen.add(`subscribes ${topic} ${type}`);
        return transport.subscribe(topic, type, handler, qos);
      },
      publishersOf: (topic) => transport.publishersOf(topic),
      serve: (service, type, handler) => {
        seen.add(`serves ${service} ${type}`);
        return transport.serve(service, type, handler);
      },
      call: (service, type, request, options) => transport.call(service, type, request, options),
      close: () => transport.close(),
    },
  };
}
