/** What somebody does to a todo: the page makes it, the server reads it. */
export type Change =
  | { readonly kind: 'add'; readonly id: string; readonly title: string }
  | { readonly kind: 'tick'; readonly id: string; readonly done: boolean }
  | { readonly kind: 'remove'; readonly id: string };

/** In code units of UTF-16, as the browser counts them in a field. */
export const TITLE_LENGTH_MAX = 200;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns undefined for whatever else somebody may send. */
export function readChange(value: unknown): Change | undefined {
  if (!isRecord(value) || typeof value['id'] !== 'string' || !UUID.test(value['id'])) return undefined;
  const { kind, id, title, done } = value;
  if (kind === 'add' && typeof title === 'string' && isTitle(title)) return { kind, id, title };
  if (kind === 'tick' && typeof done === 'boolean') return { kind, id, done };
  return kind === 'remove' ? { kind, id } : undefined;
}

/** Postgres has no text with a NUL in it. */
function isTitle(text: string): boolean {
  return text.trim() !== '' && text.length <= TITLE_LENGTH_MAX && !text.includes('\0');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> & { readonly id?: unknown } {
  return typeof value === 'object' && value !== null;
}
