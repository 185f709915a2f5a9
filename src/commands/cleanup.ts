/**
 * `armature cleanup`: takes out of a database what Armature has put there, and says what became of each thing.
 *
 * It reads the same settings as `start`: with the environment of a service that was stopped, it cleans up behind that one.
 */
import { systemClock } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import { printable } from '../base/printable-text.ts';
import { cleanUp, type CleanupSubject } from '../postgres/cleanup/cleanup.ts';
import type { CleanupStep } from '../postgres/cleanup/cleanup-step.ts';
import { worldError } from '../postgres/connection/database-error.ts';
import { connectProblem } from '../postgres/connection/preflight.ts';
import { isProblem, type DatabaseProblem } from '../settings/database-url.ts';
import { readSettings } from '../settings/configuration.ts';
import type { Settings } from '../settings/settings.ts';
import { streamNames } from '../settings/stream-names.ts';
import { CLEANUP_SETTINGS } from './cleanup-settings.ts';
import type { CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { NO_DATABASE, targetOf } from './named-database.ts';
import { jsonLine, refused } from './terminal.ts';

export async function cleanup({ flags, environment, terminal }: CommandContext): Promise<ExitCode> {
  const read = readSettings(CLEANUP_SETTINGS, flags, environment);
  const problems = 'problems' in read ? read.problems : read.settings.databaseUrl === undefined ? [NO_DATABASE] : [];
  if ('problems' in read || problems.length > 0) return refused(terminal, problems, EXIT.misused);
  const subject = await subjectOf(read.settings);
  if (isProblem(subject)) return refused(terminal, [subject.message], EXIT.misused);
  const isDryRun = flags['dry-run'] !== undefined;
  const steps: CleanupStep[] = [];
  const why = await refusalOf(subject, isDryRun, steps);
  const isDone = why === undefined && steps.every(({ outcome }) => outcome !== 'refused');
  const form = { done: isDone, dryRun: isDryRun, steps };
  if (flags['json'] !== undefined) terminal.print(jsonLine(form));
  else if (steps.length > 0) terminal.print(report(form));
  if (why !== undefined) terminal.complain(printable(why));
  return isDone ? EXIT.done : EXIT.failed;
}

/** @param steps those that were done, also before a refusal. @returns undefined when none was cut short. */
async function refusalOf(subject: CleanupSubject, isDryRun: boolean, steps: CleanupStep[]): Promise<string | undefined> {
  try {
    await cleanUp(subject, { isDryRun, clock: systemClock, told: (step) => steps.push(step) });
    return undefined;
  } catch (error) {
    const refusal = worldError(error);
    if (refusal === undefined) throw error;
    return connectProblem(refusal, subject.target).message;
  }
}

async function subjectOf(settings: Pick<Settings, (typeof CLEANUP_SETTINGS)[number]>): Promise<CleanupSubject | DatabaseProblem> {
  const { databaseUrl, databaseCaFile, replicationStreamId, manualTablePublishing, takeOverSlot, cleanupReplicationSlots } = settings;
  invariant(databaseUrl !== undefined, 'a database is named');
  const target = await targetOf(databaseUrl, databaseCaFile);
  if (isProblem(target)) return target;
  return {
    ...streamNames(replicationStreamId),
    target,
    isManual: manualTablePublishing,
    isSlotTemporary: cleanupReplicationSlots,
    takesOverSlot: takeOverSlot,
  };
}

interface Cleaned {
  readonly done: boolean;
  readonly dryRun: boolean;
  readonly steps: readonly CleanupStep[];
}

const WORDS = { removed: 'removed', absent: 'absent ', kept: 'kept   ', refused: 'REFUSED' } as const;
const WORDS_OF_DRY_RUN = { removed: 'would remove', absent: 'absent      ', kept: 'kept        ', refused: 'REFUSED     ' } as const;

function report(cleaned: Cleaned): string {
  const words = cleaned.dryRun ? WORDS_OF_DRY_RUN : WORDS;
  const lines = cleaned.steps.map(({ outcome, says }) => `${words[outcome]}  ${printable(says)}`);
  return `${[...lines, '', conclusion(cleaned)].join('\n')}\n`;
}

function conclusion({ done, dryRun, steps }: Cleaned): string {
  if (!done) return 'Not all of it could be done. Run it again when the cause is gone.';
  if (dryRun) return 'Nothing was changed: this was a dry run.';
  const others = steps.some(({ outcome }) => outcome === 'kept') ? 'But for what is kept, nothing' : 'Nothing';
  return `${others} of Armature is in this database. Its storage directory can be removed, too.`;
}
