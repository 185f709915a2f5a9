/**
 * TagHash of a shape: MD5 over the name of the service, the shape's handle and the value, as ElectricSQL has it. So tags of one
 * shape say nothing about those of another, and whoever knows the value can still work them out.
 *
 * The name is no setting. Lines that are stored hold tags, and would not be found by the events of a service that has
 * been given another name.
 */
import { hash } from 'node:crypto';
import type { Handle } from '../../model/shape.ts';
import type { TagHash } from '../../shapes/row-tags.ts';

const STACK_ID = 'single_stack';

export function tagHashOf(handle: Handle): TagHash {
  const prefix = `${STACK_ID}${handle}`;
  return (namespaced) => hash('md5', `${prefix}${namespaced}`, 'hex');
}
