import { expect, it } from 'vitest';
import { InTurn } from '#src/common/index.js';

it('does one piece of work after the other, also after one that fails', async () => {
  const turns = new InTurn();
  const seen: string[] = [];
  const slow = turns.run(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push('slow');
    return 1;
  });
  const failing = turns.run(() => {
    seen.push('failing');
    throw new Error('no');
  });
  const last = turns.run(() => seen.push('last'));
  await expect(failing).rejects.toThrow('no');
  await turns.ended();
  expect(seen).toEqual(['slow', 'failing', 'last']);
  expect([await slow, await last]).toEqual([1, 3]);
});
