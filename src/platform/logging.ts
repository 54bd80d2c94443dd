import { createLogger, format, type Logger, transports } from 'winston';

export type { Logger };

/** Options of {@link createNodeLogger}. */
export interface LoggerOptions {
  /** error, warn, info or debug; the environment's IQ_LEARN_LOG_LEVEL, else info. */
  readonly level?: string;
  /** Also append JSON lines to this file. */
  readonly file?: string;
  /** False keeps the console quiet (a program that draws its own progress). */
  readonly console?: boolean;
}

/**
 * The logger of one node: structured (`logger.info('message', { fields })`), every record carries the node's name.
 * The console (stderr, so that stdout stays a program's output) gets one readable line a record; a file gets JSON.
 */
export function createNodeLogger(node: string, options: LoggerOptions = {}): Logger {
  const level = options.level ?? process.env.IQ_LEARN_LOG_LEVEL ?? 'info';
  const line = format.printf(({ timestamp, level: severity, message, node: name, ...fields }) => {
    const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
    return `${String(timestamp)} ${severity.toUpperCase().padEnd(5)} [${String(name)}] ${String(message)}${rest}`;
  });
  return createLogger({
    level,
    defaultMeta: { node },
    format: format.combine(format.timestamp(), format.errors({ stack: true })),
    transports: [
      new transports.Console({
        silent: options.console === false,
        stderrLevels: ['error', 'warn', 'info', 'debug'],
        format: line,
      }),
      ...(options.file === undefined ? [] : [new transports.File({ filename: options.file, format: format.json() })]),
    ],
  });
}
