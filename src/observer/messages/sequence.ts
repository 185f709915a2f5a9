/**
 * Sequence: what was recorded between processes, in causal order.
 *
 * All processes share one thread, so the order of the records is one: a message comes behind all that its sender had got before.
 * A message is recorded twice, sent and delivered; the two are found to be one by the message itself, which is the same object.
 * What is delivered and was not sent the process told itself: a time-out, the end of another.
 */
import type { Message } from '../../otp/process.ts';
import { describeReason } from '../../otp/kernel/error-report.ts';
import { concerns, type Recorded, type Recorder } from '../recording/recorder.ts';
import { messageView, transitionView, type MessageRecord } from '../recording/record-views.ts';
import type { LifeStep, MessageStep, SequenceStep } from '../views/messages.ts';

/** On the clock's scale. */
export interface SequenceWindow {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of one of these at one end; none means all. */
  readonly pids: readonly string[];
  readonly stepsMax: number;
}

export interface Sequence {
  readonly steps: readonly SequenceStep[];
  /** Older ones that were left out. */
  readonly left: number;
}

/** @param isPinned of the messages that are about what was asked for. */
export function sequenceOf(recorder: Recorder, window: SequenceWindow, isPinned: (record: MessageRecord) => boolean): Sequence {
  const records: Recorded[] = [];
  for (const record of recorder.newestFirst()) {
    if (record.atMs < window.fromMs) break;
    if (record.atMs <= window.toMs && isShown(record, window.pids)) records.push(record);
  }
  const deliveries = deliveriesOf(records);
  const told = records.reverse().filter((record) => record.type !== 'deliver' || !deliveries.isSent(record));
  const steps = told.slice(-window.stepsMax).map((record) => stepOf(record, recorder, deliveries, isPinned));
  return { steps, left: Math.max(0, told.length - window.stepsMax) };
}

function isShown(record: Recorded, pids: readonly string[]): boolean {
  return pids.length === 0 || pids.some((pid) => concerns(record, pid as never));
}

/** Which delivery belongs to which sending, oldest to oldest. @param records newest first. */
function deliveriesOf(records: readonly Recorded[]) {
  const open = new Map<Message, MessageRecord[]>();
  const delivered = new Map<MessageRecord, MessageRecord>();
  const sent = new Set<MessageRecord>();
  for (const record of records) {
    if (record.type === 'deliver') {
      open.set(record.message, [record, ...(open.get(record.message) ?? [])]);
    } else if (record.type === 'send') {
      const waiting = open.get(record.message) ?? [];
      const index = waiting.findIndex(({ to }) => to === record.to);
      const [delivery] = index < 0 ? [] : waiting.splice(index, 1);
      if (delivery === undefined) continue;
      delivered.set(record, delivery);
      sent.add(delivery);
    }
  }
  return { of: (record: MessageRecord) => delivered.get(record), isSent: (record: MessageRecord) => sent.has(record) };
}

function stepOf(
  record: Recorded,
  recorder: Recorder,
  deliveries: ReturnType<typeof deliveriesOf>,
  isPinned: (record: MessageRecord) => boolean,
): SequenceStep {
  switch (record.type) {
    case 'send':
    case 'drop':
      return messageStep(record, deliveries.of(record), recorder, isPinned(record));
    case 'deliver':
      return messageStep(record, record, recorder, isPinned(record));
    case 'transition':
      return { step: 'transition', ...transitionView(record, recorder) };
    default:
      return lifeStep(record, recorder);
  }
}

function messageStep(record: MessageRecord, delivery: MessageRecord | undefined, recorder: Recorder, isPinned: boolean): MessageStep {
  return {
    step: 'message',
    ...messageView(record, recorder),
    deliveredAtMs: delivery === undefined ? null : recorder.epochMs(delivery.atMs),
    deliveredN: delivery?.n ?? null,
    isDropped: record.type === 'drop',
    isPinned,
  };
}

type LifeRecord = Extract<Recorded, { type: LifeStep['step'] }>;

function lifeStep(record: LifeRecord, recorder: Recorder): LifeStep {
  const { n, atMs, type, process } = record;
  return { step: type, n, atMs: recorder.epochMs(atMs), pid: process, text: lifeText(record) };
}

function lifeText(record: LifeRecord): string {
  switch (record.type) {
    case 'spawn':
      return `started by ${record.parent}`;
    case 'exit':
      return describeReason(record.reason);
    case 'restart':
      return `started again by ${record.supervisor}`;
    case 'hibernate':
      return 'hibernates';
    case 'wake':
      return 'wakes';
  }
}
