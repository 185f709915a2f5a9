/** RecordViews: what was recorded, as it is shown. Made when somebody asks, and never while it is recorded. */
import { describeReason } from '../../otp/kernel/error-report.ts';
import type { ExitReason, Message } from '../../otp/process.ts';
import { printed } from '../printable.ts';
import { stateText } from '../state-text.ts';
import type { ReasonView } from '../views/deaths.ts';
import type { MessageView, TransitionView } from '../views/processes.ts';
import type { Recorded, Recorder } from './recorder.ts';

export type MessageRecord = Extract<Recorded, { message: Message }>;
export type TransitionRecord = Extract<Recorded, { type: 'transition' }>;
type Epoch = Pick<Recorder, 'epochMs'>;

const TEXT_CHARACTERS_MAX = 500;
const REASON_CHARACTERS_MAX = 2_000;
const STACK_CHARACTERS_MAX = 4_000;

export function messageView({ n, atMs, from, to, message }: MessageRecord, epoch: Epoch): MessageView {
  const { type, ...fields } = message;
  return { n, atMs: epoch.epochMs(atMs), from, to, type, text: printed(fields, TEXT_CHARACTERS_MAX) };
}

export function transitionView({ n, atMs, process, event, from, state }: TransitionRecord, epoch: Epoch): TransitionView {
  return { n, atMs: epoch.epochMs(atMs), pid: process, event, from: from === undefined ? null : stateText(from), to: stateText(state) };
}

export function reasonView(reason: ExitReason): ReasonView {
  const text = cut(describeReason(reason), REASON_CHARACTERS_MAX);
  if (typeof reason === 'string' || !('error' in reason)) return { text, error: null };
  const { name, message, stack } = reason.error;
  return {
    text,
    error: {
      name: cut(name, REASON_CHARACTERS_MAX),
      message: cut(message, REASON_CHARACTERS_MAX),
      stack: stack === undefined ? null : cut(stack, STACK_CHARACTERS_MAX),
    },
  };
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
}
