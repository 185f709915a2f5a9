/**
 * The system's disk, which withholds on command what makes files of a kind durable, the transaction log's as a rule: from `withhold` on,
 * their syncs wait, until `release`. Everything else goes on.
 */
import { nodeDisk, type Disk } from '../../../src/storage/disk/disk.ts';
import { guarded } from './guarded-file.ts';

export interface WithholdingDisk extends Disk {
  /** @returns what resolves when the first sync waits. */
  withhold(): Promise<void>;
  release(): void;
}

interface Gate {
  readonly reached: Promise<void>;
  readonly opened: Promise<void>;
  reach(): void;
  open(): void;
}

/** @param ending of the names of the files. */
export function withholdingDisk(ending = '.log'): WithholdingDisk {
  let gate: Gate | undefined;
  const pass = async (): Promise<void> => {
    gate?.reach();
    await gate?.opened;
  };
  return {
    ...nodeDisk,
    async open(path, mode) {
      const file = await nodeDisk.open(path, mode);
      return path.endsWith(ending) ? guarded(file, pass) : file;
    },
    withhold: () => (gate ??= newGate()).reached,
    release() {
      gate?.open();
      gate = undefined;
    },
  };
}

function newGate(): Gate {
  let reach = (): void => {};
  let open = (): void => {};
  const reached = new Promise<void>((done) => (reach = done));
  const opened = new Promise<void>((done) => (open = done));
  return { reached, opened, reach: () => reach(), open: () => open() };
}
