/**
 * Redaction: what is logged, without the secrets in it.
 *
 * Whatever the depth, the case or the style of a name (`api_key`, `apiKey`, `ARMATURE_SECRET`), its value is struck
 * out; so is a secret inside a text, such as the query of a URL or a connection string. pino's own redaction knows
 * names only in one spelling and at a depth given beforehand, and no texts. In doubt too much is struck out.
 */
const STRUCK_OUT = '[redacted]';

const NAMES = '(?:secret|token|api[_-]?key|password|passwd)';
const SECRET_NAME = new RegExp(`${NAMES}$`, 'i');
/** `secret=…` in a URL, `password='…'` in a connection string. */
const ASSIGNED = new RegExp(`(${NAMES}(?:\\s*=\\s*|%3D))('(?:\\\\.|[^'\\\\])*'|[^\\s&;,"']+)`, 'gi');
/** `"secret":"…"` in a piece of JSON, also where that is quoted in a string once more. */
const IN_JSON = new RegExp(`(${NAMES}\\\\*"\\s*:\\s*\\\\*")((?:[^"\\\\]|\\\\[^"])*)`, 'gi');
/** `//user:password@`. A password that is not percent-encoded may hold anything, so up to the last `@`. */
const IN_DATABASE_URL = /(postgres(?:ql)?:\/\/[^\s:@/"']*:)\S*(?=@)/gi;
const IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/?#"']*:)[^\s/"']*(?=@)/gi;

/** @param value of JSON. */
export function redacted(value: unknown): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(redacted);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, SECRET_NAME.test(name) ? STRUCK_OUT : redacted(field)]));
}

export function redactedText(text: string): string {
  return text
    .replace(IN_DATABASE_URL, `$1${STRUCK_OUT}`)
    .replace(IN_URL, `$1${STRUCK_OUT}`)
    .replace(ASSIGNED, `$1${STRUCK_OUT}`)
    .replace(IN_JSON, `$1${STRUCK_OUT}`);
}
