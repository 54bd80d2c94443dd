import { createLogger, format, type Logger, transports } from 'winston';

export type { Logger };

/** Levels from the most severe to the most detailed: a logger writes its own level and those before it. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Options of {@link createNodeLogger}. */
export interface LoggerOptions {
  /** Default: the environment's IQ_LEARN_LOG_LEVEL, else info. */
  readonly level?: LogLevel;
  /** Also append JSON lines to this file. */
  readonly file?: string;
  /** False keeps the console quiet, for a program that draws its own progress. */
  readonly console?: boolean;
  /** Form of the console's lines: for people or, one JSON object each, for machines. Default: IQ_LEARN_LOG_FORMAT, else text. */
  readonly format?: 'text' | 'json';
}

const textLine = format.printf(({ timestamp, level, message, node, ...fields }) => {
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `${String(timestamp)} ${level.toUpperCase().padEnd(5)} [${String(node)}] ${String(message)}${rest}`;
});

/**
 * The logger of one node. Records are structured (`logger.info('message', { fields })`) and carry the node's name.
 * The console (stderr, because stdout is for a program's results) gets one line a record, a file one JSON object a line.
 * An unknown level in the environment counts as info and gives a warning, so that a misspelt word does not stop a robot.
 */
export function createNodeLogger(node: string, options: LoggerOptions = {}): Logger {
  const { IQ_LEARN_LOG_LEVEL: wanted = 'info', IQ_LEARN_LOG_FORMAT } = process.env;
  const known = (logLevels as readonly string[]).includes(wanted);
  const json = (options.format ?? IQ_LEARN_LOG_FORMAT) === 'json';
  const logger = createLogger({
    level: options.level ?? (known ? wanted : 'info'),
    defaultMeta: { node },
    format: format.combine(format.timestamp(), format.errors({ stack: true })),
    transports: [
      new transports.Console({
        silent: options.console === false,
        stderrLevels: [...logLevels],
        format: json ? format.json() : textLine,
      }),
      ...(options.file === undefined ? [] : [new transports.File({ filename: options.file, format: format.json() })]),
    ],
  });
  if (!known && options.level === undefined)
    logger.warn(`IQ_LEARN_LOG_LEVEL is '${wanted}', which is no level: info is used`, { levels: logLevels });
  return logger;
}
