/**
 * The process layer beside bare xstate, in one run: processor time on the same machine, because times move with the
 * machine and ratios much less.
 *
 *   npm run bench:otp                            the sizes that are reported; fails when a bound does not hold
 *   npm run bench:otp -- --report                only prints
 *   npm run bench:otp -- --share 0.01 --rounds 1 a short share, whose figures mean little
 */
import { benchOptions } from './options.ts';
import { holds, printHeading, printRow, type Row } from './report.ts';
import { sections } from './rows.ts';

const options = benchOptions(process.argv.slice(2));
const printed: Row[] = [];
printHeading();
for (const { what, rows } of sections) {
  if (!what.includes(options.only)) continue;
  for (const row of await rows(options)) {
    printRow(row);
    printed.push(row);
  }
}
if (!options.report && !printed.every(holds)) process.exitCode = 1;
