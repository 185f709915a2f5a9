/** Long work on a storage, with a line that says how far it has come, for a person who looks on; nobody else sees it. */
import { systemClock } from '../../base/clock.ts';
import { byteText } from '../columns.ts';
import { ProgressLine } from '../progress-line.ts';
import type { Terminal } from '../terminal.ts';

/** @param ofBytes undefined while it is not known how much there is. */
type Tell = (bytes: number, ofBytes?: number) => void;

/** @param what goes on. @returns what `work` does; the line is gone by then, also when it fails. */
export async function withProgress<Done>(what: string, { screen }: Terminal, work: (tell: Tell) => Promise<Done>): Promise<Done> {
  if (screen === undefined) return await work(() => {});
  const line = new ProgressLine(screen, systemClock);
  try {
    return await work((done, of) => line.show(what, { done, of, textOf: byteText }));
  } finally {
    line.clear();
  }
}
