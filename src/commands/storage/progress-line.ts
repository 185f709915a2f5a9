/** ProgressLine: how far long work has come, on one line that is written over, for a person who looks on; nobody else sees it. */
import type { Clock } from '../../base/clock.ts';
import { byteText } from '../columns.ts';
import type { Terminal } from '../terminal.ts';

/** How often the line is written over, at most. */
const EVERY_MS = 100;

export class ProgressLine {
  private readonly startedMs: number;
  private shownMs = 0;

  constructor(
    private readonly what: string,
    private readonly terminal: Pick<Terminal, 'show'>,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {
    this.startedMs = clock.nowMs();
  }

  /** @param ofBytes undefined while it is not known how much there is. */
  tell(bytes: number, ofBytes?: number): void {
    const nowMs = this.clock.nowMs();
    if (this.terminal.show === undefined || nowMs - this.shownMs < EVERY_MS) return;
    this.shownMs = nowMs;
    const of = ofBytes === undefined ? '' : ` of ${byteText(ofBytes)}`;
    this.terminal.show(`${this.what} ${byteText(bytes)}${of}, ${Math.floor((nowMs - this.startedMs) / 1000)} s`);
  }

  end(): void {
    this.terminal.show?.('');
  }
}
