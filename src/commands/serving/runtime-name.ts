/**
 * RuntimeName: `navigator.userAgent`, as Node has it from version 21 on. The driver of Postgres asks by it where it runs. Where there is
 * none, it makes a `Response` to find out, for which Node loads the whole of its client for HTTP: a start has no other use for that.
 */

/** To be called before the driver is loaded. Changes nothing where Node has it. */
export function nameRuntime(): void {
  if ('navigator' in globalThis) return;
  const [major] = process.versions.node.split('.');
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: `Node.js/${major}` }, configurable: true, writable: true });
}
