/** The operations of the WHERE language as its page lists them: each name, and for which types it gives what. */
import { OPERATORS, FUNCTIONS, PREFIXES } from '../../src/sql/operations/operators.ts';
import type { Overload } from '../../src/sql/operations/operation.ts';

export const wherePage = new URL('../../docs/where.md', import.meta.url);

const BEGIN = '<!-- operations: drawn by `npm run where-page` -->\n';
const END = '<!-- end of operations -->';

/** The page, with its list of operations as the code has them. */
export function drawnPage(page: string): string {
  const [before = '', rest = ''] = page.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}${operationTable()}${END}${after}`;
}

function operationTable(): string {
  const binary = rowsOf(OPERATORS, (name, [left = '', right = '']) => `${left} ${name} ${right}`);
  const unary = rowsOf(PREFIXES, (name, [value = '']) => `${name} ${value}`);
  const called = rowsOf(FUNCTIONS, (name, types) => `${name}(${types.join(', ')})`);
  return `| Operation | Gives |\n|---|---|\n${[...binary, ...unary, ...called].join('\n')}\n`;
}

/** One row for all that give the same. */
function rowsOf(overloads: typeof OPERATORS, written: (name: string, types: readonly string[]) => string): readonly string[] {
  return [...overloads].flatMap(([name, ofName]) => {
    const results = [...new Set(ofName.map(({ gives }) => gives))];
    return results.map((gives) => `| ${ofName.filter((overload) => overload.gives === gives).map(shown).join(', ')} | \`${gives}\` |`);

    function shown({ takes }: Overload): string {
      return `\`${written(name, takes).replaceAll('|', '\\|')}\``;
    }
  });
}
