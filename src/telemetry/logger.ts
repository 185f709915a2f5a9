/**
 * Logger: pino, one JSON object per line on stdout, told at the level `info` to a person at a terminal in words.
 *
 * No secret reaches a line: each is redacted when it is whole, whichever of pino's ways its parts came in. Lines are
 * few, so they can afford it. `msg` names what happened (`replication.refused`), the fields say the rest: a line can
 * be searched for, and counted.
 */
import pino, { type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import { systemClock, type Clock } from '../base/clock.ts';
import { humanLines } from './human-lines.ts';
import { redacted } from './redaction.ts';

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /** Gets whole lines. Default: stdout. */
  readonly destination?: DestinationStream;
  readonly clock?: Pick<Clock, 'epochMicros'>;
}

export function createLogger({ level, destination = stdout(level), clock = systemClock }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null, // `process` is a process of ours; the machine's name is known to whoever collects lines.
      timestamp: () => `,"time":"${new Date(clock.epochMicros() / 1000).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => (error instanceof Error ? pino.stdSerializers.err(error) : error) },
      hooks: { streamWrite: (line) => `${JSON.stringify(redacted(JSON.parse(line)))}\n` },
    },
    destination,
  );
}

/** Written at once, so that the last line before an exit is not lost: there are few of them. */
function stdout(level: LevelWithSilent): DestinationStream {
  const lines = pino.destination({ fd: 1, sync: true });
  return process.stdout.isTTY && level === 'info' ? humanLines(lines) : lines;
}
