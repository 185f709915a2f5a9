/** ToldReplay: what a replay of a file has come to, in words and as an exit code. */
import * as z from 'zod';
import { readScenario, type Scenario } from './scenario.ts';
import { proofOf, trialOf } from './trial.ts';
import { isSameJson } from './window/asked-messages.ts';
import { isWindow, NoWindowError, readWindow, type RecordedWindow } from './window/recorded-window.ts';
import { replayWindow } from './window/replay-window.ts';

export interface ToldReplay {
  /** 0: the machines do what the file says; 1: they do not; 2: it is no such file. */
  readonly code: 0 | 1 | 2;
  readonly text: string;
}

/** @param text of a window that was downloaded from the observer, or of a scenario. */
export async function toldReplay(text: string): Promise<ToldReplay> {
  const read = fileOf(text);
  if ('refusal' in read) return { code: 2, text: read.refusal };
  return 'window' in read ? toldWindow(read.window) : await toldScenario(read.scenario);
}

function fileOf(text: string): { readonly window: RecordedWindow } | { readonly scenario: Scenario } | { readonly refusal: string } {
  try {
    const json: unknown = JSON.parse(text);
    return isWindow(json) ? { window: readWindow(json) } : { scenario: readScenario(json) };
  } catch (error) {
    if (error instanceof NoWindowError) return { refusal: error.message };
    if (error instanceof SyntaxError) return { refusal: `This is no JSON: ${error.message}` };
    if (error instanceof z.ZodError) return { refusal: `This is neither a window nor a scenario: ${z.prettifyError(error)}` };
    throw error;
  }
}

function toldWindow(window: RecordedWindow): ToldReplay {
  const { difference, taken, passed, machines, notReplayed } = replayWindow(window);
  const kinds = Object.entries(machines).map(([machine, count]) => (count === 1 ? machine : `${count} × ${machine}`));
  const left = notReplayed.map((why) => `  ${why}`);
  const outcome = difference ?? 'Each became what it became, asked for whatever was sent, and ended where it ended.';
  const text = [
    `${taken} turns were taken again, by ${kinds.join(', ') || 'nobody'}; ${passed} of others were passed over.`,
    outcome,
    ...(left.length === 0 ? [] : ['Not replayed:', ...left]),
  ];
  return { code: difference === undefined ? 0 : 1, text: text.join('\n') };
}

async function toldScenario(scenario: Scenario): Promise<ToldReplay> {
  const { property, what, turns } = scenario;
  const trial = await trialOf(scenario);
  const told = `${turns.length} turns, behind which "${property}" is broken: ${what}.`;
  const isSo = isSameJson(trial, proofOf(scenario));
  const outcome = isSo
    ? 'Without its cure the runtime does as the search, and with it nothing is wrong.'
    : `It is not so: ${JSON.stringify(trial)}`;
  return { code: isSo ? 0 : 1, text: `${told}\n${outcome}` };
}
