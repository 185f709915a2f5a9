/** Human lines: pino's JSON lines as a person reads them: `14:03:11 warn replication.refused code=53300 message="too many clients"`. */
import type { DestinationStream } from 'pino';

/** @param destination gets a readable line for each JSON line. */
export function humanLines(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(`${humanLine(JSON.parse(line) as LogLine)}\n`) };
}

interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

function humanLine({ time, level, msg = '', ...fields }: LogLine): string {
  return [time.slice(11, 19), level, msg, ...Object.entries(fields).flatMap(([name, value]) => pairs(name, value))].join(' ');
}

/** A nested object is told by its fields: `relation.name=items`. */
function pairs(name: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${name}=${valueText(value)}`];
  return Object.entries(value).flatMap(([field, inner]) => pairs(`${name}.${field}`, inner));
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return text ?? '';
}
