/** Postgres's parse tree: what its nodes have in common. */
import type { Node } from 'libpg-query';
import { refusalAt } from '../where-refusal.ts';

/** Without the schema of what is Postgres's own. */
export function nameIn(parts: readonly Node[] = []): string {
  const names = parts.map((part) => ('String' in part ? (part.String.sval ?? '') : ''));
  return (names[0] === 'pg_catalog' ? names.slice(1) : names).join('.');
}

/** Of a reference to a column: one, or more of a qualified one. */
export function namesIn(fields: readonly Node[]): readonly string[] {
  return fields.map((field) => ('String' in field ? (field.String.sval ?? '') : '*'));
}

/** As a refusal names it. */
export function shownReference(names: readonly string[]): string {
  return names.map((name) => (name === '*' || name === name.toLowerCase() ? name : `"${name}"`)).join('.');
}

export function itemsOf(node: Node | undefined): readonly Node[] {
  return node !== undefined && 'List' in node ? (node.List.items ?? []) : [];
}

/** The grammar's own name of the node, and where it stands. */
export function kindOf(node: Node): readonly [kind: string, location: number | undefined] {
  const [[name, fields] = ['Node', {}]] = Object.entries(node);
  return [name, locationIn(fields)];
}

export function required<Part>(part: Part | undefined): Part {
  if (part === undefined) throw refusalAt(undefined, 'incomplete expression');
  return part;
}

function locationIn(fields: object): number | undefined {
  return 'location' in fields && typeof fields.location === 'number' ? fields.location : undefined;
}
