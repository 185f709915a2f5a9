/** CASE: the value behind the first condition that is true. Neither the conditions behind it nor other values are worked out. */
import type { Operation } from './operation.ts';

/** Its arguments are a condition and a value, again and again, and the value otherwise. */
export const CASE: Operation = {
  sql: (args) => {
    const whens = branchesOf(args).map(([condition, value]) => ` WHEN ${condition} THEN ${value}`);
    return `(CASE${whens.join('')} ELSE ${args.at(-1)} END)`;
  },
  compile: (readers) => {
    const branches = branchesOf(readers);
    const otherwise = readers.at(-1);
    return (text) => {
      const chosen = branches.find(([condition]) => condition(text) === true);
      return (chosen?.[1] ?? otherwise)?.(text) ?? null;
    };
  },
};

function branchesOf<Part>(parts: readonly Part[]): readonly (readonly [Part, Part])[] {
  return parts.flatMap((part, at) => {
    const value = parts[at + 1];
    return at % 2 === 0 && value !== undefined ? [[part, value] as const] : [];
  });
}
