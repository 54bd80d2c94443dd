// node scripts/robot-schema.mjs: writes config/robot.schema.json, which editors check descriptions of robots by, from the
// parser's own schema (after npm run build; npx biome check --write formats it). test/robot/json-schema.test.ts compares the two.
import { writeFileSync } from 'node:fs';
import { robotJsonSchema } from '../dist/src/robot/index.js';

writeFileSync(
  new URL('../config/robot.schema.json', import.meta.url),
  `${JSON.stringify(robotJsonSchema(), null, 2)}\n`,
);
