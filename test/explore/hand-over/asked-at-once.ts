/**
 * AskedAtOnce: what the processes of a hand-over ask of others as soon as they go on by themselves, before anything else happens.
 *
 * `taken-at-once.test.ts` holds these claims, together with those of `taken-at-once.ts`, against searches in which every order is tried.
 */
import type { Output } from '../checker/performance.ts';

/** Of what is durable, a block. It is the same whenever it is read, as long as there is a shape; and who reads it has it for itself. */
export function askedOfReaders(output: Output): boolean {
  return output.type === 'call' && (output.to === '@log-reader' || output.to === '@shape-reader');
}

/** Collectors are not killed. So what they ask of Consumers, or of one another, is asked in any case, and may come late. */
export function askedByCollectors(output: Output): boolean {
  return askedOfReaders(output) || output.type === 'multicall' || (output.type === 'call' && output.to === '@shape-log-collector');
}
