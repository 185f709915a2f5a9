/** `armature storage verify`: every checksum of every file, and what a service would do about each that does not hold. */
import { printable } from '../../base/printable-text.ts';
import { nodeDisk } from '../../storage/disk/disk.ts';
import { CONSEQUENCES } from '../../storage/inspection/damage.ts';
import { verifyStorage, type Verification } from '../../storage/inspection/verification.ts';
import { byteText } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { jsonLine } from '../terminal.ts';
import { unlessRefused, type AskedStorage } from './asked-storage.ts';
import { withProgress } from './with-progress.ts';

export function verify(asked: AskedStorage): Promise<ExitCode> {
  return unlessRefused(asked, async () => {
    const { directory, terminal, isJson } = asked;
    const found = await withProgress('Verifying', terminal, (tell) => verifyStorage(nodeDisk, directory, tell));
    terminal.print(isJson ? jsonLine(jsonOf(found)) : report(found));
    return found.damages.length === 0 ? EXIT.done : EXIT.unfit;
  });
}

function jsonOf({ seen, damages, remarks, shapeCount, bytes }: Verification) {
  return { holds: damages.length === 0, format: seen.format, bytes, shapes: shapeCount, damages, remarks };
}

function report({ damages, remarks, shapeCount, bytes }: Verification): string {
  const verified = `${byteText(bytes)} were verified, of the log and ${shapeCount} shape${shapeCount === 1 ? '' : 's'}`;
  const count = damages.length === 0 ? 'Everything holds' : `${damages.length} damage${damages.length === 1 ? '' : 's'} found`;
  const lines = [
    ...damages.map(({ found, consequence }) => `DAMAGE  ${printable(found)}. ${CONSEQUENCES[consequence]}`),
    ...remarks.map((remark) => `note    ${printable(remark)}.`),
    `${count}: ${verified}.`,
  ];
  return `${lines.join('\n')}\n`;
}
