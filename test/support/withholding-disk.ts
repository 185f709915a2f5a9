/**
 * The system's disk, which withholds on command what makes the transaction log durable: from `withhold` on, syncs of
 * its segments wait, until `release`. Everything else goes on, as on a disk whose cache is slow to empty.
 */
import { nodeDisk, type Disk, type DiskFile } from '../../src/storage/disk.ts';

export interface WithholdingDisk extends Disk {
  withhold(): void;
  release(): void;
  /** Resolves as soon as a sync is being withheld. */
  withheld(): Promise<void>;
}

export function withholdingDisk(): WithholdingDisk {
  let gate: Gate | undefined;
  const waitAt = async (entered: Gate | undefined): Promise<void> => {
    entered?.markReached();
    await entered?.opened;
  };
  const guarded = (path: string, file: DiskFile): DiskFile => {
    if (!path.endsWith('.log')) return file;
    return new Proxy(file, {
      get(target, name, receiver) {
        if (name !== 'sync') return bound(target, Reflect.get(target, name, target));
        return () => waitAt(gate).then(() => target.sync());
      },
    });
  };
  return {
    ...nodeDisk,
    open: async (path, mode) => guarded(path, await nodeDisk.open(path, mode)),
    withhold: () => void (gate ??= newGate()),
    release() {
      gate?.open();
      gate = undefined;
    },
    withheld: async () => await gate?.reached,
  };
}
