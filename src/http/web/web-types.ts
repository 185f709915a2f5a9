/**
 * The web's own `Request` and `Response`, of whichever types a program has: those of browsers (`dom`), or those of Node. So a program
 * that uses neither needs no types of them.
 */

/** A `Request` of the web. */
export type WebRequest = typeof globalThis extends { Request: { prototype: infer Its } } ? Its : never;

/** A `Response` of the web. */
export type WebResponse = typeof globalThis extends { Response: { prototype: infer Its } } ? Its : never;
