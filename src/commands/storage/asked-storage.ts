/** AskedStorage: what each command about a storage directory is told, and how it says that the directory, or the disk, refuses. */
import { printable } from '../../base/printable-text.ts';
import { DiskError, StorageVersionError, UnknownContentError } from '../../storage/errors.ts';
import { BackupError } from '../../storage/inspection/backup.ts';
import { NoStorageError } from '../../storage/inspection/seen-storage.ts';
import { StaleViewError } from '../../storage/inspection/stale-view-error.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { refused, type Terminal } from '../terminal.ts';

export interface AskedStorage {
  readonly directory: string;
  readonly terminal: Terminal;
  readonly isJson: boolean;
}

const REFUSALS = [DiskError, NoStorageError, StorageVersionError, UnknownContentError, StaleViewError, BackupError];

/** @returns what `action` returns; where the world refuses, the sentence is said. */
export async function unlessRefused({ terminal }: AskedStorage, action: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await action();
  } catch (error) {
    if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
    return refused(terminal, [printable((error as Error).message)], EXIT.failed);
  }
}
