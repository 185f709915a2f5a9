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
  const subject = subjectOf(read.settings);
  const isDryRun = flags['dry-run'] !== undefined;
  try {
    const steps = await cleanUp(subject, { isDryRun, clock: systemClock });
    terminal.print(flags['json'] === undefined ? report(steps, isDryRun) : jsonLine({ done: isDone(steps), dryRun: isDryRun, steps }));
    return isDone(steps) ? EXIT.done : EXIT.failed;
  } catch (error) {
    const refusal = worldError(error);
    if (refusal === undefined) throw error;
    terminal.complain(printable(connectProblem(refusal, subject.target).message));
    return EXIT.failed;
  }
}

function subjectOf(settings: Pick<Settings, (typeof CLEANUP_SETTINGS)[number]>): CleanupSubject {
  const { databaseUrl, replicationStreamId, manualTablePublishing, takeOverSlot } = settings;
  invariant(databaseUrl !== undefined, 'a database is named');
  const target = targetOf(databaseUrl);
  return { ...streamNames(replicationStreamId), target, isManual: manualTablePublishing, takesOverSlot: takeOverSlot };
}

function isDone(steps: readonly CleanupStep[]): boolean {
  return steps.every(({ outcome }) => outcome !== 'refused');
}

const WORDS = { removed: 'removed', absent: 'absent ', kept: 'kept   ', refused: 'REFUSED' } as const;
const WORDS_OF_DRY_RUN = { ...WORDS, removed: 'would remove' } as const;

function report(steps: readonly CleanupStep[], isDryRun: boolean): string {
  const words = isDryRun ? WORDS_OF_DRY_RUN : WORDS;
  const lines = steps.map(({ outcome, says }) => `${words[outcome]}  ${printable(says)}`);
  return `${[...lines, '', conclusion(steps, isDryRun)].join('\n')}\n`;
}

function conclusion(steps: readonly CleanupStep[], isDryRun: boolean): string {
  if (!isDone(steps)) return 'Not all of it could be done. Run it again when the cause is gone.';
  if (isDryRun) return 'Nothing was changed: this was a dry run.';
  return 'Nothing else of Armature is in this database. Its storage directory can be removed, too.';
}
