/** What the oracle found, told so that a reader who was not there understands it: the shape, what is wrong, and what came before. */
import type { StrictClient } from './strict-client.ts';
import { parametersOf } from './any-shape.ts';

export class OracleFailure extends Error {
  override readonly name = 'OracleFailure';
}

export type ToldClient = Pick<StrictClient, 'shape' | 'handle' | 'offset' | 'toldLsn' | 'story'>;

export interface Circumstances {
  readonly seed: number;
  readonly batch: number;
  /** Of all writers. */
  readonly transactions: readonly string[];
  readonly serviceOutput: string;
}

const OUTPUT_CHARACTERS_MAX = 4_000;

export function failureOf(wrong: string, client: ToldClient, circumstances: Circumstances): OracleFailure {
  const { seed, batch, transactions, serviceOutput } = circumstances;
  return new OracleFailure([
    `seed ${seed}, batch ${batch}: ${wrong}`,
    `shape: ${JSON.stringify(parametersOf(client.shape))}`,
    `client: handle ${client.handle}, offset ${client.offset}, told up to ${client.toldLsn}`,
    section('its last answers', client.story),
    section('the last transactions', transactions),
    section('the service printed', [serviceOutput.slice(-OUTPUT_CHARACTERS_MAX)]),
  ].join('\n'));
}

function section(title: string, lines: readonly string[]): string {
  return `--- ${title}\n${lines.join('\n')}`;
}
