/** What the torture is for: something that must not be, whatever was done to the service. */
import { parametersOf } from '../oracle/any-shape.ts';
import type { ToldClient } from '../oracle/oracle-failure.ts';

export class Finding extends Error {
  override readonly name = 'Finding';

  /** @param wrong a sentence. @param client who was told so, if it is about one. */
  constructor(readonly wrong: string, readonly client?: ToldClient) {
    super(wrong);
  }
}

export interface Circumstances {
  readonly seed: number;
  readonly round: number;
  readonly faults: readonly string[];
  /** Of transactions and faults, in their order. */
  readonly story: readonly string[];
  readonly serviceOutput: string;
}

/** The run ends with it. */
export class TortureFailure extends Error {
  override readonly name = 'TortureFailure';
}

const OUTPUT_CHARACTERS_MAX = 12_000;

export function failureOf({ wrong, client }: Finding, { seed, round, faults, story, serviceOutput }: Circumstances): TortureFailure {
  return new TortureFailure([
    `seed ${seed}, round ${round} (${faults.join(', ')}): ${wrong}`,
    ...(client === undefined ? [] : clientLines(client)),
    section('transactions and faults', story),
    section('the service printed', [serviceOutput.slice(-OUTPUT_CHARACTERS_MAX)]),
  ].join('\n'));
}

function clientLines({ shape, handle, offset, toldLsn, story }: ToldClient): readonly string[] {
  return [
    `shape: ${JSON.stringify(parametersOf(shape))}`,
    `client: handle ${handle}, offset ${offset}, told up to ${toldLsn}`,
    section('its last answers', story),
  ];
}

function section(title: string, lines: readonly string[]): string {
  return `--- ${title}\n${lines.join('\n')}`;
}
