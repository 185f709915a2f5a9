/** CleanupStep: one thing that Armature may have left in a database, and what became of it. */
import { DatabaseRefusedError, worldError } from '../connection/database-error.ts';

export interface CleanupStep {
  readonly what: 'slot' | 'table' | 'publication';
  readonly name: string;
  /**
   * `removed`: it is gone, or the default again, whatever it was before Armature came; `absent`: it was so before; `kept`: it is not
   * Armature's to change, or not yet; `refused`: it could not be done, and another run may do it.
   */
  readonly outcome: 'removed' | 'absent' | 'kept' | 'refused';
  /** A sentence. */
  readonly says: string;
}

type What = CleanupStep['what'];

export function absent(what: What, name: string, says: string): CleanupStep {
  return { what, name, outcome: 'absent', says };
}

export function kept(what: What, name: string, says: string): CleanupStep {
  return { what, name, outcome: 'kept', says };
}

export function refused(what: What, name: string, says: string): CleanupStep {
  return { what, name, outcome: 'refused', says };
}

export interface Attempt extends Omit<CleanupStep, 'outcome'> {
  readonly isDryRun: boolean;
}

/** What Postgres refuses is told, and is no reason to leave out the next step. @throws whatever else goes wrong. */
export async function attempted({ isDryRun, ...step }: Attempt, remove: () => Promise<void>): Promise<CleanupStep> {
  try {
    if (!isDryRun) await remove();
    return { ...step, outcome: 'removed' };
  } catch (error) {
    const refusal = worldError(error);
    if (!(refusal instanceof DatabaseRefusedError)) throw error;
    return { ...step, outcome: 'refused', says: `${step.says} Postgres refuses: ${refusal.message}.` };
  }
}
