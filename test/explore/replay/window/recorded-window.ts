/** RecordedWindow: a window that was downloaded from the observer, as `src/observer/views/scenario.ts` has its form; read strictly. */
import * as z from 'zod';

export const WINDOW_FORMAT = 'armature.window/2';

/** It is no window of a recording, or not of this form. */
export class NoWindowError extends Error {
  override readonly name = 'NoWindowError';
}

const fields = z.record(z.string(), z.unknown());
const standing = z.union([
  z.strictObject({ value: z.union([z.string(), fields]), context: z.unknown() }),
  z.strictObject({ input: fields }),
]);
const outcome = {
  becomes: z.unknown().optional(),
  sends: z.array(z.strictObject({ send: z.string(), to: z.string(), event: fields })).optional(),
};
const turn = z.union([
  z.strictObject({ deliver: z.string(), from: z.string(), to: z.string(), event: fields, sentIn: z.int().optional(), ...outcome }),
  z.strictObject({ timeout: z.string(), role: z.string(), event: fields, ...outcome }),
  z.strictObject({ begin: z.string(), ...outcome }),
  z.strictObject({ kill: z.string() }),
  z.strictObject({ end: z.string(), reason: z.unknown() }),
]);
const schema = z.strictObject({
  format: z.literal(WINDOW_FORMAT),
  version: z.string(),
  fromMs: z.number(),
  toMs: z.number(),
  notes: z.array(z.string()),
  roles: z.array(z.strictObject({
    role: z.string(),
    pid: z.string(),
    kind: z.string().nullable(),
    machine: z.string().nullable(),
    whyNot: z.string().nullable(),
    begin: standing.nullable(),
    end: standing.nullable(),
  })),
  turns: z.array(turn),
});

export type RecordedWindow = Readonly<z.infer<typeof schema>>;
export type RecordedRole = RecordedWindow['roles'][number];
export type RecordedTurn = RecordedWindow['turns'][number];

export function isWindow(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'format' in json;
}

/** @throws {NoWindowError} with the first place that is not as it must be. */
export function readWindow(json: unknown): RecordedWindow {
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new NoWindowError(`This is no window as the observer gives one: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Whose turn it is. */
export function takerOf(turn: RecordedTurn): string {
  if ('deliver' in turn) return turn.to;
  if ('timeout' in turn) return turn.role;
  if ('begin' in turn) return turn.begin;
  return 'kill' in turn ? turn.kill : turn.end;
}
