/** `armature storage inspect`: what a storage directory has in it, by what the service wrote down; no row is read. */
import { printable } from '../../base/printable-text.ts';
import { lsnToPostgres } from '../../model/lsn.ts';
import { heldBy, seeLock, type SeenLock } from '../../storage/disk/directory-lock.ts';
import { nodeDisk } from '../../storage/disk/disk.ts';
import { CONSEQUENCES } from '../../storage/inspection/damage.ts';
import type { SeenStorage } from '../../storage/inspection/seen-storage.ts';
import { STORED_KINDS, storedBytes, type StoredBytes } from '../../storage/inspection/stored-bytes.ts';
import { summaryOf, type ShapeSummary } from '../../storage/inspection/shape-summary.ts';
import { inspectStorage } from '../../storage/inspection/verification.ts';
import { systemProcesses } from '../../storage/disk/processes.ts';
import { byteText, columnLines, type Column } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { unlessRefused, type AskedStorage } from './asked-storage.ts';

export interface AskedInspection extends AskedStorage {
  /** How many shapes are listed for a person; a script gets all. */
  readonly limit: number;
}

interface Inspected {
  readonly directory: string;
  readonly seen: SeenStorage;
  readonly disk: StoredBytes;
  readonly lock: SeenLock | undefined;
}

export function inspect(asked: AskedInspection): Promise<ExitCode> {
  return unlessRefused(asked, async () => {
    const { directory, terminal, isJson, limit } = asked;
    const seen = await inspectStorage(nodeDisk, directory);
    const disk = await storedBytes(nodeDisk, directory);
    const inspected = { directory, seen, disk, lock: await seeLock(nodeDisk, directory, systemProcesses) };
    if (isJson) printJson(terminal, inspected);
    else printText(terminal, inspected, limit);
    return EXIT.done;
  });
}

/** One line, shape by shape: of ten thousand it is some megabytes, which are never in memory as one text. */
function printJson(terminal: Terminal, { seen, disk, lock }: Inspected): void {
  const { format, checkpoint, log, shapes, others, damages, remarks } = seen;
  const { begin, end, durable, stream, segments } = log;
  const told = {
    format, lock: lock ?? null, checkpoint, disk, damages, remarks, unused: others,
    log: { begin, end, durable, segments: segments.firsts.length, stream },
  };
  terminal.print(`${JSON.stringify(told).slice(0, -1)},"shapes":[`);
  shapes.forEach((state, index) => terminal.print(`${index === 0 ? '' : ','}${JSON.stringify(summaryOf(state, checkpoint.position))}`));
  terminal.print(']}\n');
}

function printText(terminal: Terminal, { directory, seen, disk, lock }: Inspected, limit: number): void {
  const { format, checkpoint, log, shapes, others, damages, remarks } = seen;
  const { stream, begin, end, durable, segments } = log;
  const bytes = STORED_KINDS.reduce((sum, kind) => sum + disk[kind].bytes, 0);
  const kinds = STORED_KINDS.filter((kind) => disk[kind].files > 0).map((kind) => `${kind} ${byteText(disk[kind].bytes)}`);
  const facts: readonly (readonly [string, string])[] = [
    ['directory', `${directory}, format ${format}, ${heldBy(lock)}`],
    ['stream', streamText(stream)],
    ['log', `${segments.firsts.length} segments, positions ${begin} to ${end}, durable up to ${durable}`],
    ['checkpoint', `at position ${checkpoint.position}; the log is needed from ${checkpoint.needs} on`],
    ['disk', `${byteText(bytes)}: ${kinds.join(', ')}`],
    ['shapes', `${shapes.length}${others.length === 0 ? '' : `, and files of ${others.length} that do not count`}`],
  ];
  for (const [name, text] of facts) terminal.print(`${name.padEnd(10)}  ${printable(text)}\n`);
  for (const { found, consequence } of damages) terminal.print(`DAMAGE      ${printable(found)}. ${CONSEQUENCES[consequence]}\n`);
  for (const remark of remarks) terminal.print(`note        ${printable(remark)}.\n`);
  printShapes(terminal, seen, limit);
}

function printShapes(terminal: Terminal, { shapes, checkpoint }: SeenStorage, limit: number): void {
  if (shapes.length === 0) return;
  const rows = shapes.map((state) => summaryOf(state, checkpoint.position)).sort((left, right) => right.bytes - left.bytes).slice(0, limit);
  const left = shapes.length - rows.length;
  const more = left > 0 ? [`${left} more: --limit says how many are listed, and --json has all`] : [];
  terminal.print(`\n${[...columnLines(rows, COLUMNS), ...more].join('\n')}\n`);
}

function streamText({ source, heldLsn, lastCommitLsn }: SeenStorage['log']['stream']): string {
  if (source === undefined) return 'none yet';
  const { systemId, timeline, database, slot } = source;
  return `slot ${slot} of database ${database} (system ${systemId}, timeline ${timeline}), held up to ${lsnToPostgres(heldLsn)}, ` +
    `the last transaction at ${lsnToPostgres(lastCommitLsn)}`;
}

const COLUMNS: readonly Column<ShapeSummary>[] = [
  { title: 'HANDLE', of: ({ handle }) => handle },
  { title: 'TABLE', of: ({ table }) => table, widthMax: 40 },
  { title: 'WHERE', of: ({ where }) => where ?? '', widthMax: 50 },
  { title: 'END', of: ({ end }) => end },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'SNAPSHOT', of: ({ snapshot }) => byteText(snapshot.bytes), align: 'right' },
  { title: 'OPERATIONS', of: ({ lines }) => String(lines.count), align: 'right' },
  { title: 'LINES', of: ({ lines }) => byteText(lines.bytes), align: 'right' },
  { title: 'CHUNKS', of: ({ snapshot, lines }) => String(snapshot.chunks + lines.chunks), align: 'right' },
  { title: 'DEPENDS ON', of: ({ dependsOn }) => dependsOn.join(' '), widthMax: 60 },
];
