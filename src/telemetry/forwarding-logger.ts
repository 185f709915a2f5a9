/**
 * ForwardingLogger: the service's lines for a logger of somebody else's, with every secret struck out before that sees them.
 *
 * Lines are written in the middle of whatever happens, so a logger that fails must not make that fail: its line goes to stderr then.
 */
import pino, { type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import { createLogger } from './logger.ts';
import type { Level, ServiceLogger } from './service-logger.ts';

const LEVELS: readonly LevelWithSilent[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** @param fallback gets the whole lines that `logger` failed over. Default: stderr. */
export function forwardingLogger(logger: ServiceLogger, fallback: DestinationStream = stderr()): Logger {
  const level = LEVELS.find((known) => known === logger.level) ?? 'trace';
  const destination: DestinationStream = {
    write: (line) => void forward(logger, line).catch(() => fallback.write(line)),
  };
  return createLogger({ level, destination });
}

/** Rejects for a logger that throws, and for one that promises and does not hold that; it is called at once. */
async function forward(logger: ServiceLogger, line: string): Promise<void> {
  const { level, time: _, msg, ...fields } = JSON.parse(line) as { level: Level; time: string; msg?: string };
  await (logger[level](fields, msg ?? '') as unknown);
}

function stderr(): DestinationStream {
  return pino.destination({ fd: 2, sync: true });
}
