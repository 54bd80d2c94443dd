import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { IqLearnError } from '../common/index.js';
import { combineBundles, readBundleFiles, writeBundle } from '../policy/index.js';
import { command, type Io } from './command.js';

/** `iq-learn combine`: one policy of those of several runs. */
export function combineCommand(io: Io): Command {
  return command(
    'combine',
    'Make one policy of those of several runs: its action is the mean of theirs. Runs with different seeds often fail in different places, and their mean then in fewer; evaluate it beside them.',
    [
      'iq-learn combine runs/seed-0/policy runs/seed-1/policy --out runs/both',
      'iq-learn evaluate --policy runs/seed-0/policy runs/both --robot hopper --episodes 50',
    ],
  )
    .argument('<policies...>', 'the folders of policy bundles for the same robot, two or more')
    .addOption(
      new Option('--out <folder>', 'folder of the new policy; it must not be there already').makeOptionMandatory(),
    )
    .action(async (folders: string[], { out }: { readonly out: string }) => {
      if (existsSync(out))
        throw new IqLearnError('CONFLICT', `cannot write the policy ${out}`, {
          found: `${out} is there already`,
          expected: 'a new folder',
          remedy: 'give another --out, or remove it first',
        });
      const made = await combineBundles(folders.map((source) => ({ source, bundle: readBundleFiles(source) })));
      writeBundle(out, made);
      io.stdout.write(`policy: ${out} (the mean of ${folders.length}: ${folders.join(', ')})\n`);
    });
}
