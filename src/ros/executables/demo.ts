import { z } from 'zod';
import { program } from '../executable.js';

const schema = z.strictObject({});
export const demo = program({ name: 'demo', summary: 'x', schema: () => schema, run: async () => 0 });
