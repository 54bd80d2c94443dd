import { z } from 'zod';
import { program } from '../executable.js';
import { KeyPad, type Screen } from '../key-pad.js';

const key = (means: string, letter: string) =>
  z.string().max(1).default(letter).describe(`Key that ${means}; empty: none.`);

const schema = z.strictObject({
  keys: z.strictObject({
    start: key('starts an episode', 's'),
    stop: key('ends an episode without a verdict', ' '),
    success: key('ends an episode with success', 'y'),
    failure: key('ends an episode with failure', 'n'),
    discard: key('throws away the episode, or the last one, to be done again', 'd'),
    estop: key('presses the emergency stop', 'x'),
    reset: key('releases the emergency stop and resets the policy node', 'r'),
    quit: key('leaves', 'q'),
  }),
});

/** A live line where the output is a terminal; else each line that differs from the one before. */
function screenOf(out: NodeJS.WriteStream): Screen {
  let last = '';
  const width = (): number => (out.columns ?? 80) - 1;
  return {
    line(text) {
      if (out.isTTY) out.write(`\r\u001b[K${text.slice(0, width())}`);
      else if (text !== last) out.write(`${text}\n`);
      last = text;
    },
    say(text) {
      out.write(out.isTTY ? `\r\u001b[K${text}\n` : `${text}\n`);
    },
  };
}

/** The keys that are pressed, until the person leaves or the program is to end. */
async function* keysOf(input: NodeJS.ReadStream, signal: AbortSignal): AsyncGenerator<string> {
  if (input.isTTY) input.setRawMode(true);
  const stop = (): void => void input.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    input.setEncoding('utf8');
    for await (const text of input) yield* String(text).replace(/[\r\n]/g, '');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    if (input.isTTY) input.setRawMode(false);
  }
}

export const keys = program({
  name: 'keys',
  summary: 'a person at the keyboard: start, success, failure, discard, emergency stop; counts and rates on the screen',
  schema: () => schema,
  async run({ ros, spec, parameters, signal }) {
    const screen = screenOf(process.stdout);
    const namespace = ros.namespace.replace(/^\/|\/$/g, '');
    const pad = new KeyPad({
      transport: ros.transport,
      screen,
      keys: parameters.keys,
      estopTopic: spec.estopTopic,
      namespace,
    });
    screen.say(pad.help);
    try {
      for await (const pressed of keysOf(process.stdin, signal)) if (!pad.press(pressed)) break;
      if (!signal.aborted) await pad.idle();
    } finally {
      pad.close();
    }
    return 0;
  },
});
