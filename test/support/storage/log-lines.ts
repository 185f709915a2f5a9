/** A logger whose lines are kept, for tests of what is logged. */
import type { LevelWithSilent, Logger } from 'pino';
import { createLogger } from '../../../src/telemetry/logger.ts';

export interface KeptLog {
  readonly logger: Logger;
  /** Without their time, which is always the same. */
  lines(): readonly Readonly<Record<string, unknown>>[];
}

export function keptLog(level: LevelWithSilent): KeptLog {
  const written: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => void written.push(line) }, clock: { epochMicros: () => 0 } });
  return {
    logger,
    lines: () => written.map((line) => {
      const { time: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    }),
  };
}
