/** ForwardingLogger: the service's lines for a logger of somebody else's, with every secret struck out before that sees them. */
import type { LevelWithSilent, Logger } from 'pino';
import { createLogger } from './logger.ts';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** A logger of a program's own, as pino makes them: fields first, then what happened. */
export interface ServiceLogger extends Readonly<Record<Level, (fields: object, message: string) => void>> {
  /** What is below it is not made in the first place; everything is given where it is left out or not known. */
  readonly level?: string;
}

const LEVELS: readonly LevelWithSilent[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export function forwardingLogger(logger: ServiceLogger): Logger {
  const level = LEVELS.find((known) => known === logger.level) ?? 'trace';
  return createLogger({
    level,
    destination: {
      write(line) {
        const { level: at, time: _, msg, ...fields } = JSON.parse(line) as { level: Level; time: string; msg?: string };
        logger[at](fields, msg ?? '');
      },
    },
  });
}
