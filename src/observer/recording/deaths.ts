/**
 * Deaths: how processes ended, and what their supervisors made of it. They are kept always, for an end is seldom and is asked about
 * when it is over.
 *
 * An end costs no more than to be remembered: a card is made when somebody asks. Faults are kept apart from all other ends, so that
 * ten thousand shapes that go in good order push out none.
 */
import type { ProcessEnd } from '../../otp/kernel/process-summary.ts';
import type { LifecycleRecord } from '../../otp/kernel/trace.ts';
import { isFault, type Pid } from '../../otp/process.ts';
import { page, type PageAsked } from '../pages/paging.ts';
import { printed } from '../printable.ts';
import { kindOf } from '../processes/process-rows.ts';
import { linkTo, standingOf, type SeenRuntime } from '../processes/process-view.ts';
import { stateText } from '../state-text.ts';
import type { DeathsView, DeathView, DecisionView } from '../views/deaths.ts';
import type { IntensityView, MessageView } from '../views/processes.ts';
import { messageView, reasonView, type MessageRecord } from './record-views.ts';
import type { Recorder } from './recorder.ts';

interface Death {
  readonly n: number;
  readonly atMs: number;
  /** Of the event under way its type alone: it may be large, and is kept for long. */
  readonly end: Omit<ProcessEnd, 'event'>;
  readonly lastEvent: string | null;
  /** Undefined when nobody recorded, or when so many ended at once that nobody looked. */
  readonly events: readonly MessageRecord[] | undefined;
  decision: Pick<DecisionView, 'type' | 'restartedAs' | 'intensity'>;
}

export const DEATHS_MAX = 200;
const EVENTS_MAX = 20;
const CONTEXT_CHARACTERS_MAX = 4_000;
/** Of what was recorded, so much is looked through for the last events of one that died. */
const LOOKED_AT_MAX = 4_000;
/** And not for more than so many in a second: when all fall, the first tell why. */
const LOOKS_PER_SECOND_MAX = 20;

export class Deaths {
  private readonly faults: Death[] = [];
  private readonly others: Death[] = [];
  /** Whose restart has yet to come, by supervisor and id. */
  private readonly pending = new Map<string, Death>();
  private count = 0;
  private faultCount = 0;
  private looks = { second: 0, count: 0 };

  constructor(
    private readonly runtime: SeenRuntime,
    private readonly recorder: Recorder,
    private readonly clock: { nowMs(): number },
  ) {}

  get total(): number {
    return this.count;
  }

  /** For `runtime.ends`. */
  ended(end: ProcessEnd): void {
    const atMs = this.clock.nowMs();
    this.count += 1;
    const isFaulty = isFault(end.reason);
    if (isFaulty) this.faultCount += 1;
    this.noteSupervisor(end);
    const death: Death = {
      n: this.count,
      atMs,
      end: { process: end.process, reason: end.reason, context: end.context, fate: end.fate },
      lastEvent: end.event?.type ?? null,
      events: isFaulty && this.mayLook(atMs) ? this.lastEvents(end.process.pid) : undefined,
      decision: { type: decided(end), restartedAs: null, intensity: null },
    };
    keep(isFaulty ? this.faults : this.others, death);
    if (end.fate !== undefined && end.fate !== 'left') this.await(death);
  }

  /** For `runtime.lifecycle`. */
  told(record: LifecycleRecord): void {
    if (record.type !== 'restart') return;
    const key = keyOf(record.supervisor, record.id);
    const death = this.pending.get(key);
    if (death === undefined) return;
    this.pending.delete(key);
    const intensity = standingOf(this.runtime, record.supervisor, this.clock.nowMs())?.intensity ?? null;
    death.decision = { type: 'restarted', restartedAs: record.process, intensity };
  }

  /** Newest first. */
  view(asked: PageAsked): Omit<DeathsView, 'atMs'> {
    const all = [...this.faults, ...this.others].sort((one, other) => other.n - one.n);
    const { rows, next } = page(all, asked);
    return { faults: this.faultCount, ends: this.count, deaths: rows.map((death) => this.card(death)), next };
  }

  /** The last of a pid that lives no more; undefined when it is not remembered. */
  of(pid: string): DeathView | undefined {
    const death = [...this.faults, ...this.others].find(({ end }) => end.process.pid === pid);
    return death && this.card(death);
  }

  private await(death: Death): void {
    const { parent, id } = death.end.process;
    if (parent === undefined) return;
    this.pending.set(keyOf(parent, id), death);
    if (this.pending.size <= DEATHS_MAX) return;
    const [oldest] = this.pending.keys();
    if (oldest !== undefined) this.pending.delete(oldest);
  }

  /** A supervisor that ends without having been told to gave up on the child whose restart was one too many. */
  private noteSupervisor({ process: { pid, isSupervisor }, fate }: ProcessEnd): void {
    if (!isSupervisor) return;
    for (const [key, death] of this.pending) {
      if (death.end.process.parent !== pid) continue;
      this.pending.delete(key);
      const hasGivenUp = fate !== 'told' && death.decision.type === 'pending';
      const intensity = hasGivenUp ? (standingOf(this.runtime, pid, this.clock.nowMs())?.intensity ?? null) : null;
      death.decision = { type: hasGivenUp ? 'gaveUp' : 'none', restartedAs: null, intensity };
    }
  }

  private mayLook(atMs: number): boolean {
    if (!this.recorder.isOn) return false;
    const second = Math.floor(atMs / 1000);
    if (this.looks.second !== second) this.looks = { second, count: 0 };
    this.looks.count += 1;
    return this.looks.count <= LOOKS_PER_SECOND_MAX;
  }

  private lastEvents(pid: Pid): readonly MessageRecord[] {
    const events: MessageRecord[] = [];
    for (const record of this.recorder.newestFirst(LOOKED_AT_MAX)) {
      if (record.type === 'deliver' && record.to === pid) events.push(record);
      if (events.length === EVENTS_MAX) break;
    }
    return events;
  }

  private card({ n, atMs, end, lastEvent, events, decision }: Death): DeathView {
    const { process, reason, context } = end;
    const { pid, id, machine, name, label, state, handled, restarts, parent } = process;
    const isUnborn = state === 'unborn';
    return {
      n, pid, id, handled, restarts, lastEvent,
      atMs: this.recorder.epochMs(atMs),
      kind: kindOf(process),
      machine: machine ?? null,
      name: name ?? null,
      label: label ?? null,
      reason: reasonView(reason),
      isFault: isFault(reason),
      stateBefore: isUnborn ? null : stateText(state),
      stateValue: isUnborn ? null : state,
      context: context === undefined ? null : printed(context, CONTEXT_CHARACTERS_MAX),
      livedForMs: Math.max(0, Math.round(atMs - process.sinceMs)),
      supervisor: parent === undefined ? null : linkTo(this.runtime, parent),
      decision: { ...decision, text: decisionText(decision) },
      lastEvents: (events ?? []).map((record): MessageView => messageView(record, this.recorder)),
      areEventsRecorded: events !== undefined,
    };
  }
}

function keep(deaths: Death[], death: Death): void {
  deaths.push(death);
  if (deaths.length > 2 * DEATHS_MAX) deaths.splice(0, DEATHS_MAX);
}

function keyOf(supervisor: string, id: string): string {
  return `${supervisor}\n${id}`;
}

function decided({ fate }: ProcessEnd): DecisionView['type'] {
  if (fate === undefined) return 'none';
  return fate === 'restarted' ? 'pending' : 'left';
}

function decisionText({ type, restartedAs, intensity }: Death['decision']): string {
  switch (type) {
    case 'restarted':
      return `Its supervisor started it again as ${restartedAs}${leftText(intensity)}.`;
    case 'left':
      return 'It is not started again: it is temporary, or it had finished, or it was told to end.';
    case 'gaveUp':
      return 'One restart too many: its supervisor gave up and ended too.';
    case 'pending':
      return 'Its supervisor is about to start it again.';
    case 'none':
      return 'Nobody starts it again: nobody supervises it, or its supervisor was ending.';
  }
}

function leftText(intensity: IntensityView | null): string {
  if (intensity === null) return '';
  const { left, maxRestarts, maxSeconds } = intensity;
  return `; ${left} of ${maxRestarts} restarts in ${maxSeconds} s are left`;
}
