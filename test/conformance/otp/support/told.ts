/** Told: what a puppet can be told to do, in words short enough for a scenario. */
import type { EffectParams } from '../../../../src/otp/effects.ts';
import type { Address, ExitReason, Message, Name, ReplyTo } from '../../../../src/otp/process.ts';
import type { Told } from '../../../support/otp/puppet.ts';

export const send = (to: Address, event: Message | `seen.${string}`): Told => ({
  type: 'send',
  params: { to, event: typeof event === 'string' ? { type: event } : event },
});

/** Makes another puppet do something, in its own name. */
export const tell = (to: Address, ...told: readonly Told[]): Told => send(to, { type: 'do', effects: told });

export const monitor = (process: Address, as = 'seen'): Told => ({ type: 'monitor', params: { process, as } });

export const demonitor = (process: Address, more: { readonly as?: string; readonly flush?: boolean } = {}): Told => ({
  type: 'demonitor',
  params: { process, ...more },
});

export const link = (process: Address): Told => ({ type: 'link', params: { process } });

export const unlink = (process: Address): Told => ({ type: 'unlink', params: { process } });

export const exit = (process: Address, reason: ExitReason | 'kill'): Told => ({ type: 'exit', params: { process, reason } });

/** Ends the puppet itself. */
export const stop = (reason: ExitReason): Told => ({ type: 'stop', params: { reason } });

export const call = (to: Address, type: string, more: { readonly as?: string; readonly timeoutMs?: number } = {}): Told => ({
  type: 'call',
  params: { to, request: { type }, as: 'seen.call', ...more },
});

export const reply = (to: ReplyTo, type: `seen.${string}`): Told => ({ type: 'reply', params: { to, event: { type } } });

export const startTimer = (name: string, delayMs: number): Told => ({ type: 'startTimer', params: { name, delayMs } });

export const cancelTimer = (name: string): Told => ({ type: 'cancelTimer', params: { name } });

/** The puppet's table answers with `event`, as its very next event. */
export const apply = (event: `seen.${string}`): Told => ({ type: 'apply', params: { table: 'echo', change: { echo: { type: event } } } });

export const register = (name: Name, more: { readonly as?: string; readonly value?: unknown } = {}): Told => ({
  type: 'register',
  params: { name, as: 'seen', ...more },
});

export const unregister = (name: Name): Told => ({ type: 'unregister', params: { name } });

export const updateValue = (name: Name, value: unknown): Told => ({ type: 'updateValue', params: { name, value } });

export const listen = (registry: string, as = 'seen'): Told => ({ type: 'listen', params: { registry, as } });

type Spawning = Partial<EffectParams['spawn']>;

/** Of the puppet's `spawns`; without waiting for it to be up. */
export const spawn = (template: string, more: Spawning = {}): Told => ({ type: 'spawn', params: { template, as: 'seen', ...more } });

/** Likewise, and waits. */
export const start = (template: string, more: Spawning = {}): Told => ({ type: 'start', params: { template, as: 'seen', ...more } });

/** A task of the puppet's `spawns`. */
export const async = (template: string, more: Partial<EffectParams['async']> = {}): Told => ({
  type: 'async',
  params: { template, as: 'seen', ...more },
});

export const cancel = (as = 'seen'): Told => ({ type: 'cancel', params: { as } });

export const label = (text: string): Told => ({ type: 'label', params: { label: text } });

export const proceed = (type: `seen.${string}`): Told => ({ type: 'continue', params: { event: { type } } });

export const hibernate: Told = { type: 'hibernate', params: undefined };
