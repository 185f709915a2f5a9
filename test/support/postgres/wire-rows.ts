/** Rows as Postgres sends them: as a line of COPY text, and as the body of a DataRow message. */
import type { Row } from '../actors/changes.ts';

const ESCAPED: Readonly<Record<string, string>> = {
  '\\': '\\\\', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\v': '\\v', '\f': '\\f', '\r': '\\r',
};

export function copyLineOf(row: Row): Buffer {
  const fields = row.map((text) => (text === null ? '\\N' : text.replace(/[\\\b\t\n\v\f\r]/g, (character) => ESCAPED[character] ?? '')));
  return Buffer.from(`${fields.join('\t')}\n`);
}

export function dataRowOf(row: Row): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(row.length);
  const fields = row.map((text) => {
    const value = Buffer.from(text ?? '');
    const size = Buffer.alloc(4);
    size.writeInt32BE(text === null ? -1 : value.length);
    return Buffer.concat([size, value]);
  });
  return Buffer.concat([count, ...fields]);
}
