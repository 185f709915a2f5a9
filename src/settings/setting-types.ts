/** What a setting's text can mean: each type reads text and says, when it cannot, what the text must be. */
import * as z from 'zod';
import { isProblem, parseDatabaseUrl } from './database-url.ts';

export const INTEGER_MAX = 2 ** 31 - 1;
const ON = ['true', '1', 'yes', 'on'];
const OFF = ['false', '0', 'no', 'off'];
const UNIT_MS: Readonly<Record<string, number>> = {
  '': 1, ms: 1, msec: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000,
};

export const text = z.string();
export const optionalText = text.optional();
const onOrOff = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => [...ON, ...OFF].includes(text), 'must be true or false')
  .transform((text) => ON.includes(text));
export const flag = (byDefault: boolean) => onOrOff.default(byDefault);
/** Undefined where it is not set: then it follows from others. */
export const optionalFlag = onOrOff.optional();
export const integer = (least: number, most: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `must be a whole number from ${least} to ${most}`,
    )
    .transform(Number);
/** More than an integer of 32 bits holds: up to what a number tells exactly. */
export const bytesMax = z
  .string()
  .refine((text) => /^\d{1,15}$/.test(text) && Number(text) > 0, 'must be a whole number of bytes, up to fifteen digits')
  .transform(Number);
/** A log that is shorter is none that has grown long: its readers would fetch it anew for what they are sent anyway. */
const LOG_BYTES_LEAST = 64 * 1024;
export const logBytesMax = bytesMax.refine((bytes) => bytes >= LOG_BYTES_LEAST, `must be at least ${LOG_BYTES_LEAST}`);
const anyDurationMs = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a duration, as in 500ms, 20s, 2min, 12h or 30d')
  .transform((text) => parseDuration(text) ?? 0);
/** As long as a timer runs at the most. */
export const durationMs = anyDurationMs.refine((ms) => ms <= INTEGER_MAX, 'must be no longer than 24 days');
const LONGER_THAN_NOTHING = 'must be longer than nothing, as in 500ms, 20s or 2min';
/** Of waits that would end before anything can come. */
export const waitMs = durationMs.refine((ms) => ms > 0, LONGER_THAN_NOTHING);
/** Of answers over a network: one that is only slow is no silence. */
export const answerMs = durationMs.refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'must be from 1s to 1h');
/** Shorter than a service takes to find Postgres again, it would do nothing else. */
const IDLE_MS_LEAST = 1000;
export const idleMs = durationMs.refine((ms) => ms === 0 || ms >= IDLE_MS_LEAST, 'must be 0, for never, or at least 1s');
/** Of what no timer waits for. */
export const ageMs = anyDurationMs.refine((ms) => ms > 0, LONGER_THAN_NOTHING);
export const databaseUrl = z.string().superRefine((text, context) => {
  const parsed = parseDatabaseUrl(text);
  if (isProblem(parsed)) context.addIssue({ code: 'custom', message: parsed.message });
});
export const requestLimits = z
  .string()
  .transform((text, context) => {
    const limits = parseLimits(text);
    if (limits !== undefined) return limits;
    context.addIssue({ code: 'custom', message: 'must be JSON, as in {"initial":300,"existing":10000}, with positive whole numbers' });
    return z.NEVER;
  });
export const storageKind = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => ['disk', 'fast_file', 'memory'].includes(text), 'must be disk or memory')
  .transform((text): 'disk' | 'memory' => (text === 'memory' ? 'memory' : 'disk'));
export const streamId = z.string().regex(/^[a-z0-9_]{1,40}$/, 'may have up to 40 of a-z, 0-9 and _');
export const logLevel = z
  .string()
  .transform((text) => (text.toLowerCase() === 'warning' ? 'warn' : text.toLowerCase()))
  .pipe(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be trace, debug, info, warn, error, fatal or silent'));

function parseDuration(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,12})\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const unitMs = UNIT_MS[unit.toLowerCase()];
  return digits !== '' && unitMs !== undefined ? Number(digits) * unitMs : undefined;
}

const limit = z.number().int().positive();
const limits = z.object({ initial: limit.default(300), existing: limit.default(10_000) });

function parseLimits(text: string): z.output<typeof limits> | undefined {
  try {
    return limits.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
