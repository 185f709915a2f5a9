/**
 * Observer: the service, seen from inside, as forms and as events.
 *
 * It changes nothing and must not be felt: what it is told of costs a step for each transaction and each end, everything else is
 * looked up when somebody asks, and what processes do is recorded only while somebody looks. It tells nothing to who may not
 * look. And what it shows comes from anybody (names of tables, filters, values, errors): it goes out as JSON, and never as markup.
 */
import type { LogOffset } from '../model/log-offset.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import type { Handle } from '../model/shape.ts';
import { Forms } from './forms.ts';
import { ObserverPages } from './pages/observer-pages.ts';
import type { PageAnswer, PageRequest } from '../api/page.ts';
import { Plots } from './plots/plots.ts';
import { Deaths } from './recording/deaths.ts';
import { Recorder } from './recording/recorder.ts';
import { RowCounts } from './shapes/row-counts.ts';
import { ShapeWorks } from './shapes/shape-works.ts';
import type { ObserverSources } from './sources.ts';

export interface ObserverOptions {
  /** Undefined: everybody may look who reaches this machine by one of its own names. */
  readonly secret: string | undefined;
  /** Whether processes may be ended by who looks on: in the demo alone. */
  readonly canEnd: boolean;
}

export interface Observer {
  /** @returns undefined for what is not the observer's. */
  answer(request: PageRequest): PageAnswer | undefined | Promise<PageAnswer | undefined>;
  /** A transaction came whole from Postgres. */
  received(xid: Xid, lsn: Lsn): void;
  /** A shape's log is readable up to there: told before those who wait for it. */
  published(handle: Handle, end: LogOffset): void;
  /** A shape's Consumer has made so many lines, of so many bytes. */
  readonly worked: (handle: Handle, lines: number, bytes: number) => void;
  /** Ends all streams, and looks no more. */
  close(): void;
}

export function createObserver(sources: ObserverSources, options: ObserverOptions): Observer {
  const { runtime, clock, shapes } = sources;
  const readersOf = (handle: Handle): number => shapes.readersOf(handle);
  const recorder = new Recorder(runtime, clock);
  const deaths = new Deaths(runtime, recorder, clock);
  const works = new ShapeWorks(clock, (handle) => shapes.get(handle) !== undefined);
  const plots = new Plots(clock, () => ({ ...sources.sample(), ...works.takeSecond() }));
  const rowCounts = new RowCounts(shapes, clock);
  const forms = new Forms(sources, options, { recorder, deaths, plots, works, rowCounts });
  const pages = new ObserverPages(sources, options, { forms, recorder });
  const stops = [runtime.ends((end) => deaths.ended(end)), runtime.lifecycle((record) => deaths.told(record))];
  return {
    answer: (request) => pages.answer(request),
    received(xid, lsn) {
      plots.received(lsn);
      recorder.noteReceived(xid, lsn);
    },
    published(handle, end) {
      plots.shown(end);
      recorder.notePublished(handle, end, readersOf);
    },
    worked: (handle, lines, bytes) => works.add(handle, lines, bytes),
    close() {
      rowCounts.close();
      for (const stop of stops) stop();
      pages.close();
      plots.close();
      recorder.close();
    },
  };
}
