/**
 * `armature doctor`: whether a database can be followed, and what to run where it cannot.
 *
 * It changes nothing, and reads the same settings as `start`: run with the environment of a service, it looks at what that
 * service would meet.
 */
import { invariant } from '../base/invariant.ts';
import { printable } from '../base/printable-text.ts';
import { DatabaseUnreachableError } from '../postgres/connection/database-error.ts';
import type { Subject } from '../postgres/doctor/check.ts';
import { examine } from '../postgres/doctor/examination.ts';
import type { Finding } from '../postgres/doctor/finding.ts';
import { isProblem, type DatabaseProblem } from '../settings/database-url.ts';
import { readSettings } from '../settings/configuration.ts';
import type { Settings } from '../settings/settings.ts';
import { streamNames } from '../settings/stream-names.ts';
import type { CommandContext } from './command.ts';
import { DOCTOR_SETTINGS } from './doctor-settings.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { NO_DATABASE, targetOf } from './named-database.ts';
import { jsonLine, refused } from './terminal.ts';

/** Beside the pool: the stream, and the lock. */
const OTHER_CONNECTIONS = 2;
const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

export async function doctor({ flags, environment, terminal }: CommandContext): Promise<ExitCode> {
  const read = readSettings(DOCTOR_SETTINGS, flags, environment);
  const problems = 'problems' in read ? read.problems : read.settings.databaseUrl === undefined ? [NO_DATABASE] : [];
  if ('problems' in read || problems.length > 0) return refused(terminal, problems, EXIT.misused);
  try {
    const subject = await subjectOf(read.settings);
    if (isProblem(subject)) return refused(terminal, [subject.message], EXIT.misused);
    const findings = await examine(subject);
    terminal.print(flags['json'] === undefined ? report(findings) : jsonLine({ fit: isFit(findings), findings }));
    return isFit(findings) ? EXIT.done : EXIT.unfit;
  } catch (error) {
    if (!(error instanceof DatabaseUnreachableError)) throw error;
    terminal.complain(`The database went away meanwhile: ${printable(error.message)}`);
    return EXIT.failed;
  }
}

async function subjectOf(settings: Pick<Settings, (typeof DOCTOR_SETTINGS)[number]>): Promise<Subject | DatabaseProblem> {
  const { databaseUrl, pooledDatabaseUrl, databaseCaFile, replicationStreamId, cleanupReplicationSlots } = settings;
  invariant(databaseUrl !== undefined, 'a database is named');
  const target = await targetOf(databaseUrl, databaseCaFile);
  const pooledTarget = pooledDatabaseUrl === undefined ? undefined : await targetOf(pooledDatabaseUrl, databaseCaFile);
  if (isProblem(target)) return target;
  if (pooledTarget !== undefined && isProblem(pooledTarget)) return pooledTarget;
  return {
    target,
    pooledTarget,
    ...streamNames(replicationStreamId),
    isManual: settings.manualTablePublishing,
    takesOverSlot: settings.takeOverSlot,
    isSlotTemporary: cleanupReplicationSlots,
    connections: settings.databasePoolSize + OTHER_CONNECTIONS,
  };
}

function isFit(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'fail');
}

/** A line for each finding, what to run below it, and in the end a sentence. */
function report(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ verdict, says, run }) => [
    `${MARKS[verdict]}  ${printable(says)}`,
    ...run.map((statement) => `        ${printable(statement)}`),
  ]);
  return `${[...lines, '', conclusion(findings)].join('\n')}\n`;
}

function conclusion(findings: readonly Finding[]): string {
  const fails = findings.filter(({ verdict }) => verdict === 'fail').length;
  const warnings = findings.filter(({ verdict }) => verdict === 'warn').length;
  if (fails > 0) return `This database cannot be followed as it is: ${counted(fails, 'thing')} must be mended.`;
  return `This database can be followed${warnings === 0 ? '' : `; ${counted(warnings, 'warning')}`}.`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
