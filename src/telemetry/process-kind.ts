/**
 * ProcessKind: what a process is one of. A process of the tree is the only one of its kind. Below the dynamic supervisor of shapes
 * there are many: `consumer`, `snapshotter`, `materializer`. So kinds are few, however many shapes there are, and whatever their names.
 */
import type { Pid } from '../otp/process.ts';

const SHAPES = 'stack/shapes/consumers/';
const HELPERS = ['snapshotter', 'materializer'] as const;

export function processKind(pid: Pid): string {
  if (!pid.startsWith(SHAPES)) return pathOf(pid).slice(pid.lastIndexOf('/') + 1);
  return HELPERS.find((helper) => pid.startsWith(`${helper}/`, SHAPES.length)) ?? 'consumer';
}

/** Where it stands in the tree: its pid without the number that makes it unique. */
export function pathOf(pid: Pid): string {
  const cut = pid.lastIndexOf('#');
  return cut < 0 ? pid : pid.slice(0, cut);
}
