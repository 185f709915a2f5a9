/** `armature storage backup`: a copy of a storage directory, also of a service that runs, and what such a copy is for. */
import { printable } from '../../base/printable-text.ts';
import { lsnToPostgres } from '../../model/lsn.ts';
import { nodeDisk } from '../../storage/disk/disk.ts';
import { backUp, type Backup } from '../../storage/inspection/backup.ts';
import { byteText } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { jsonLine } from '../terminal.ts';
import { unlessRefused, type AskedStorage } from './asked-storage.ts';
import { withProgress } from './with-progress.ts';

export interface AskedBackup extends AskedStorage {
  readonly target: string;
}

export function backup(asked: AskedBackup): Promise<ExitCode> {
  return unlessRefused(asked, async () => {
    const { directory, target, terminal, isJson } = asked;
    const [from, to] = [withoutSlash(directory), withoutSlash(target)];
    const made = await withProgress('Copying', terminal, (tell) => backUp(nodeDisk, from, to, tell));
    terminal.print(isJson ? jsonLine({ target, ...made, note: noteOn(made) }) : report(target, made));
    return EXIT.done;
  });
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

function report(target: string, made: Backup): string {
  const { shapes, leftOut, bytes } = made;
  const without = leftOut.length === 0 ? '' : `; without ${leftOut.length} that ended meanwhile: ${leftOut.join(', ')}`;
  return `${printable(target)} holds ${shapes} shape${shapes === 1 ? '' : 's'}, ${byteText(bytes)}, verified${without}.\n${noteOn(made)}\n`;
}

/** What whoever restores it must know. */
function noteOn({ stream: { source, heldLsn } }: Backup): string {
  if (source === undefined) return 'It holds no stream yet.';
  return (
    `It holds the stream of slot ${source.slot} up to ${lsnToPostgres(heldLsn)}. A service that is started on it serves these ` +
    'shapes only while the slot has confirmed no more than that: once the service that runs has gone on, all of them start over, ' +
    'as from an empty directory.'
  );
}
