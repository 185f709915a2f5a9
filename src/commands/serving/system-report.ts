/** SystemReport: who reads what this program says of a start: a person, somebody who collects lines, or a script. */
import type { Clock } from '../../base/clock.ts';
import { BoundedLines } from './bounded-lines.ts';
import { CollectorReport } from './collector-report.ts';
import { PersonReport } from './person-report.ts';
import { ScriptReport } from './script-report.ts';
import type { StartReport } from './start-report.ts';

/** A reader of ours has gone, or its terminal has. */
const GONE: readonly unknown[] = ['EPIPE', 'EIO'];

/** @param isScript `--json` was given. */
export function systemReport(isScript: boolean, clock: Clock): StartReport {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) stream.on('error', goOn);
  const print = (text: string): void => void stdout.write(text);
  const aside = new BoundedLines(stderr, clock);
  if (isScript) return new ScriptReport(print, (text) => aside.write(text));
  if (!stdout.isTTY) return new CollectorReport(print, (text) => aside.write(text));
  return new PersonReport({
    write: print,
    get columns() {
      return stdout.columns;
    },
  }, clock);
}

/** Other than a tool, a service works for others than who reads what it says. */
function goOn(error: Error): void {
  if (!('code' in error) || !GONE.includes(error.code)) throw error;
}
