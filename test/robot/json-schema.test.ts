import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseRobotSpec, robotJsonSchema } from '#src/robot/index.js';

const config = fileURLToPath(new URL('../../config/', import.meta.url));
const committed = JSON.parse(readFileSync(`${config}robot.schema.json`, 'utf8'));
const rover = readFileSync(`${config}robots/rover.yaml`, 'utf8');

describe('the JSON schema of a robot’s description', () => {
  const schema = z.fromJSONSchema(committed);

  it('is what the parser’s own schema says (node scripts/robot-schema.mjs writes it)', () => {
    expect(committed).toEqual(JSON.parse(JSON.stringify(robotJsonSchema())));
  });

  it.each(readdirSync(`${config}robots`))('takes %s', (file) => {
    // JSON has no infinity, nor has zod; an editor's .inf is a number.
    const text = readFileSync(`${config}robots/${file}`, 'utf8').replaceAll('.inf', '1e9');
    expect(schema.safeParse(parse(text)).error).toBeUndefined();
  });

  it.each([
    ['a misspelt field', 'rate_hz', 'rate'],
    ['a field that is missing', 'estop_topic: /estop\n', ''],
    ['a misspelt field of a topic', 'timeout_ms: 500, frame_id', 'timeout: 500, frame_id'],
    ['a type that no state has', 'nav_msgs/msg/Odometry', 'nav_msgs/msg/Odometri'],
    ['a component that there is not', 'component: planar_distance', 'component: planar'],
    ['another stop', 'stop: zero', 'stop: brake'],
    ['a limit that is no number', 'low: -0.2', 'low: slow'],
    ['a misspelt field of an action', 'max_rate: 8', 'max_rat: 8'],
  ])('refuses %s, as the parser does', (_, from, to) => {
    const text = rover.replace(from, to);
    expect(text).not.toBe(rover);
    expect(() => parseRobotSpec(text, 'rover.yaml')).toThrow();
    expect(schema.safeParse(parse(text)).success).toBe(false);
  });

  it('tells an editor what each field means', () => {
    for (const [name, field] of Object.entries<{ description?: string }>(committed.properties))
      expect(field.description, name).toMatch(/.{10,}/);
  });
});
