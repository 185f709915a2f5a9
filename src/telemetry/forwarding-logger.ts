/** ForwardingLogger: the service's lines for a logger of somebody else's, with every secret struck out before that sees them. */
import type { LevelWithSilent, Logger } from 'pino';
import { createLogger } from './logger.ts';
import type { Level, ServiceLogger } from './service-logger.ts';

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
