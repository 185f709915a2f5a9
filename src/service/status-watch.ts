/** StatusWatch: tells when the service stands otherwise than before, as its status monitor sees it, whichever incarnation of that. */
import { serviceLevel } from '../actors/status-monitor.ts';
import type { Clock } from '../base/clock.ts';
import type { Runtime } from '../otp/runtime.ts';
import type { StatusEvent } from './event-types.ts';

const MONITOR = '@status-monitor';
/** Between the birth of a process and its first state. */
const BIRTH_MS = 10;

type Level = StatusEvent['level'];

/** @returns how to end it. */
export function watchStatus(runtime: Runtime, clock: Clock, changed: (level: Level) => void): () => void {
  let isOver = false;
  let level: Level = 'starting';
  const see = (snapshot: { readonly value: unknown }): void => {
    const seen = serviceLevel(snapshot.value);
    if (isOver || seen === level) return;
    level = seen;
    changed(level);
  };
  const attach = (): void => {
    const monitor = runtime.refOf(MONITOR);
    if (isOver || runtime.whereis(MONITOR) === undefined) return;
    if (monitor === undefined) return void clock.setTimer(attach, BIRTH_MS);
    see(monitor.getSnapshot());
    monitor.subscribe({ next: see, error: () => {} });
  };
  const end = runtime.lifecycle((record) => {
    if (record.type === 'spawn' && record.name === MONITOR) clock.setTimer(attach, 0);
  });
  attach();
  return () => {
    isOver = true;
    end();
  };
}
