/** CountingLanguage: a filter language that notes what it parses. */
import type { loadWhereLanguage } from '../../../src/sql/where-language.ts';

type Language = Awaited<ReturnType<typeof loadWhereLanguage>>;

/** @returns `language`, and the texts of the filters that it has parsed since. */
export function countingLanguage(language: Language): { readonly language: Language; readonly parsed: readonly string[] } {
  const parsed: string[] = [];
  return {
    parsed,
    language: {
      ...language,
      parse: (text, ...meaning) => {
        parsed.push(text);
        return language.parse(text, ...meaning);
      },
    },
  };
}
