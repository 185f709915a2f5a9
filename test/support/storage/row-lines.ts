/** Lines as the service writes them, and a client that keeps rows by them and forgives nothing. */
import { columnLabel } from '../../../src/shapes/line-format.ts';

export type RowValues = Readonly<Record<string, string | null>>;

export type RowOperation =
  | { readonly do: 'insert' | 'update' | 'delete'; readonly key: string; readonly value: RowValues; readonly marks?: string }
  | { readonly do: 'control'; readonly name: string };

export interface LineStamp {
  readonly xid: number;
  readonly lsn: number;
  readonly position: number;
  readonly isLast: boolean;
}

export function lineOf(operation: RowOperation, { xid, lsn, position, isLast }: LineStamp): string {
  if (operation.do === 'control') return `{"headers":{"control":"snapshot-end","name":"${operation.name}"}}`;
  const { key, value, marks = '' } = operation;
  const members = Object.entries({ id: key, ...value }).map(([name, text]) => `${columnLabel(name)}${JSON.stringify(text)}`);
  const headers = `"operation":"${operation.do}","relation":["public","items"]${marks}`;
  const stamp = `,"txids":[${xid}],"lsn":"${lsn}","op_position":${position}${isLast ? ',"last":true' : ''}`;
  return `{"key":${JSON.stringify(key)},"value":{${members.join(',')}},"headers":{${headers}${stamp}}}`;
}

interface Message {
  readonly key?: string;
  readonly value?: RowValues;
  readonly headers: { readonly operation?: string; readonly name?: string; readonly tags?: readonly string[] };
}

export class StrictClient {
  readonly rows = new Map<string, RowValues>();
  /** By name of a control, how many rows there were when it came, and what they said. */
  readonly seen = new Map<string, string>();
  readonly complaints: string[] = [];

  /** @param body entries with commas between them. */
  take(body: string): void {
    for (const { key, value, headers } of JSON.parse(`[${body}]`) as Message[]) {
      if (key === undefined) {
        if (headers.name !== undefined) this.seen.set(headers.name, toldOf(this.rows));
        continue;
      }
      const row = this.rows.get(key);
      if ((headers.operation === 'insert') !== (row === undefined)) this.complaints.push(`${headers.operation} of ${key}`);
      if (headers.operation === 'delete') this.rows.delete(key);
      else this.rows.set(key, { ...row, ...value, tag: headers.tags?.[0] ?? null });
    }
  }

  copy(): StrictClient {
    const copy = new StrictClient();
    for (const [key, row] of this.rows) copy.rows.set(key, row);
    return copy;
  }
}

/** Rows as a text that is the same for the same rows. */
export function toldOf(rows: ReadonlyMap<string, RowValues>): string {
  return JSON.stringify([...rows].sort().map(([key, row]) => [key, Object.entries(row).sort()]));
}
