/**
 * ProgressLine: one line of a terminal that is written again and again while somebody waits: what is done, how much of it, for how long.
 *
 * It uses nothing of a terminal but that a carriage return goes back to the begin of the line, so there is none where it does harm.
 */
import type { Clock, TimerId } from '../base/clock.ts';

/** Where it stands. */
export interface Screen {
  write(text: string): void;
  /** Of characters; undefined where nobody knows. */
  readonly columns: number | undefined;
}

/** What is counted of what is done. */
export interface Counted {
  readonly done: number;
  /** Undefined while it is not known how much there is. */
  readonly of: number | undefined;
  /** How a number of it is told. Default: with commas. */
  readonly textOf?: (count: number) => string;
  readonly unit?: string;
}

const COLUMNS_BY_DEFAULT = 80;
const BAR_CHARACTERS = 20;
/** The time in it goes on by itself. */
const TICK_MS = 1_000;
/** What is counted faster than this is not shown each time. */
const SHOW_EVERY_MS = 100;

export class ProgressLine {
  private what = '';
  private counted: Counted | undefined;
  private begunMs = 0;
  private shownMs = -Infinity;
  /** Characters that stand there. */
  private length = 0;
  private timer: TimerId | undefined;

  constructor(
    private readonly screen: Screen,
    private readonly clock: Clock,
  ) {}

  /** @param what goes on from now; another one than before begins at 0 s. */
  show(what: string, counted?: Counted): void {
    const nowMs = this.clock.nowMs();
    const isNew = what !== this.what;
    if (isNew) this.begunMs = nowMs;
    this.what = what;
    this.counted = counted;
    if (isNew || nowMs - this.shownMs >= SHOW_EVERY_MS) this.draw();
    this.timer ??= this.clock.setTimer(this.tick, TICK_MS);
  }

  /** Nothing of it is left on the screen, and whoever writes next begins the line. */
  clear(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
    this.what = '';
    if (this.length > 0) this.screen.write(`\r${' '.repeat(this.length)}\r`);
    this.length = 0;
  }

  private readonly tick = (): void => {
    this.draw();
    this.timer = this.clock.setTimer(this.tick, TICK_MS);
  };

  private draw(): void {
    this.shownMs = this.clock.nowMs();
    const columns = this.screen.columns ?? COLUMNS_BY_DEFAULT;
    const text = this.text().slice(0, Math.max(0, columns - 1)); // A full line would break, and could not be taken back.
    this.screen.write(`\r${text.padEnd(Math.min(this.length, columns - 1))}`);
    this.length = text.length;
  }

  private text(): string {
    const seconds = Math.floor((this.clock.nowMs() - this.begunMs) / 1000);
    const amount = this.counted === undefined || this.counted.of === 0 ? '' : amountText(this.counted);
    return `${this.what}${amount}${seconds === 0 ? ' …' : ` … ${seconds} s`}`;
  }
}

function amountText({ done, of, textOf = withCommas, unit = '' }: Counted): string {
  if (of === undefined) return ` ${textOf(done)}`;
  const full = Math.round((Math.min(done, of) / of) * BAR_CHARACTERS);
  return ` [${'#'.repeat(full).padEnd(BAR_CHARACTERS, '-')}] ${textOf(done)} of ${textOf(of)}${unit === '' ? '' : ` ${unit}`}`;
}

function withCommas(count: number): string {
  return count.toLocaleString('en-US');
}
