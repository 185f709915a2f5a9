/**
 * ShapeProcesses: the names under which a shape's processes are registered.
 *
 * Only from a handle to a name, never back: whoever has names and wants handles kept the handles.
 */
import type { Handle } from '../model/shape.ts';
import type { Name } from '../otp/process.ts';

export function consumerOf(handle: Handle): Name {
  return `@consumer/${handle}`;
}

/** @param column whose values it keeps. */
export function materializerOf(handle: Handle, column: string): Name {
  return `@materializer/${handle}/${column}`;
}
